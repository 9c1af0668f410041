"""The one-line bars: gauges above, banner below them, commands at the bottom.

Owns: drawing pieces of text with roles in one line. Refuses: choosing what they say (`present_bar`, `commands`).
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from vivix_tui.ui.present import fit

ROLES = ("plain", "muted", "queued", "active", "done", "failed", "warn", "title", "key")

Piece = tuple[str, str]


class Bar(Widget):
    """One line of (text, role) pieces; repainted only when they change."""

    COMPONENT_CLASSES = {f"bar--{role}" for role in ROLES}  # noqa: RUF012 - Textual's own way
    DEFAULT_CSS = "Bar { height: 1; }"

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._pieces: Sequence[Piece] = ()

    def show(self, pieces: Sequence[Piece]) -> None:
        if pieces != self._pieces:
            self._pieces = pieces
            self.refresh()

    def render_line(self, y: int) -> Strip:
        del y  # there is one line
        ground = self.rich_style
        segments = [Segment(text, ground + self._role(role)) for text, role in self._pieces]
        return Strip(segments).adjust_cell_length(self.size.width, ground)

    def _role(self, role: str) -> Style:
        style = self.get_component_rich_style(f"bar--{role}")
        return Style(color=style.color, bold=style.bold)


class Banner(Bar):
    """What the user has to know or do, in one line; hidden while there is nothing."""

    def say(self, text: str | None) -> None:
        if self.display != (text is not None):
            self.display = text is not None
        width = max(1, self.size.width or self.app.size.width)
        self.show([(fit(f" {text}", width), "warn")] if text else [])

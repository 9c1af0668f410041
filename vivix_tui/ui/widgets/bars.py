"""The one-line bars: gauges above, banner below them, commands at the bottom.

Owns: drawing pieces of text with roles in one line. Refuses: choosing what they say (`present.bar`, `commands`).
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from vivix_tui.ui.present.table import fit
from vivix_tui.ui.widgets.painting import Painted, Piece, strip


class Bar(Painted):
    """One line of (text, role) pieces; repainted only when they change. A click runs `action`, where there is one."""

    DEFAULT_CSS = "Bar { height: 1; }"

    def __init__(self, id: str, action: str = "") -> None:
        super().__init__(id=id)
        self._action = action
        self._pieces: Sequence[Piece] = ()

    def show(self, pieces: Sequence[Piece]) -> None:
        if pieces != self._pieces:
            self._pieces = pieces
            self.refresh()

    async def on_click(self) -> None:
        if self._action:
            await self.run_action(self._action)

    def render_line(self, y: int) -> Strip:
        del y  # there is one line
        return strip(self._pieces, self.size.width, self.ground, self.role_style)


class Banner(Bar):
    """What the user has to know or do, in one line; hidden while there is nothing."""

    def say(self, text: str | None) -> None:
        if self.display != (text is not None):
            self.display = text is not None
        width = max(1, self.size.width or self.app.size.width)
        self.show([(fit(f" {text}", width), "warn")] if text else [])

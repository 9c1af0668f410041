"""Lines for the terminal at the least cost in bytes: few changes of colour, and only what changed.

Owns: joining pieces of text into a strip, and where two lines differ. Refuses: knowing what the pieces say. Each
change of colour costs some forty bytes on the wire, which over SSH is what a key press waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

Piece = tuple[str, str]
ROLES = (
    "plain", "muted", "queued", "active", "done", "failed", "warn", "gone", "title", "label", "header", "key", "mark",
    "cursor", "blurred",
)  # fmt: skip


class Painted(Widget):
    """A widget that paints in roles. A role's style is looked up once, until the theme changes: CSS is asked for a line
    otherwise, which takes longer than drawing it.

    The roles are the application's component classes: Textual styles those of a widget anew whenever it, or a screen
    above it, gets or loses a class or the focus, at 2 MB and 20 ms for the details' way over the whole screen and back.
    """

    _looked_up: dict[str, Style] | None = None

    @property
    def ground(self) -> Style:
        """What the widget is painted on."""
        return self._kept("", lambda: self.rich_style)

    def role_style(self, role: str) -> Style:
        """Colour and weight of a role, to be laid on some ground."""
        return self._kept(role, lambda: _ink_only(self._role_here(role)))

    def role_ground(self, role: str) -> Style:
        """The whole style of a role, what it lies on included."""
        return self._kept(f"{role} ground", lambda: self._role_here(role))

    def _role_here(self, role: str) -> Style:
        """What a component class of this widget would come to."""
        role_styles = self.app.get_component_styles(component_class(role))
        _, _, ground, ink = self.colors
        ground += role_styles.background
        if role_styles.has_rule("color"):
            ink = role_styles.color
        colors = Style.from_color((ground + ink).rich_color, ground.rich_color)
        return self.rich_style + role_styles.text_style + colors

    def notify_style_update(self) -> None:
        self._looked_up = None
        super().notify_style_update()

    def _kept(self, name: str, look_up: Callable[[], Style]) -> Style:
        if self._looked_up is None:
            self._looked_up = {}
        style = self._looked_up.get(name)
        if style is None:
            style = self._looked_up[name] = look_up()
        return style


def component_class(role: str) -> str:
    """By which the stylesheet knows a role."""
    return f"role--{role}"


def _ink_only(style: Style) -> Style:
    return Style(color=style.color, bold=style.bold, dim=style.dim)


def strip(pieces: Sequence[Piece], width: int, ground: Style, style_of: Callable[[str], Style]) -> Strip:
    """`pieces` of (text, role) on `ground`, `width` cells wide; blanks take their neighbour's colour."""
    style = ground + style_of(next((role for text, role in pieces if not text.isspace()), "plain"))
    segments = []
    for text, role in pieces:
        if text.isspace():
            segments.append(Segment(text, _leading_nowhere(style)))
        else:
            style = ground + style_of(role)
            segments.append(Segment(text, style))
    missing = max(0, width - sum(segment.cell_length for segment in segments))
    segments.append(Segment(" " * missing, _leading_nowhere(style)))
    return Strip(segments).simplify().adjust_cell_length(width, ground)


def _leading_nowhere(style: Style) -> Style:
    """For what stands before and behind a link."""
    return style.update_link(None) if style.link else style


def changed(before: Sequence[tuple[str, object]], after: Sequence[tuple[str, object]]) -> tuple[int, int] | None:
    """The first and the last-but-one cell that differ between two lines; None where they are the same."""
    if before == after:
        return None
    start = _same_cells(before, after)
    width, other = (sum(cell_len(text) for text, _ in line) for line in (before, after))
    if width != other:
        return start, max(width, other)
    backwards = [[(text[::-1], role) for text, role in reversed(line)] for line in (before, after)]
    return start, max(start + 1, width - _same_cells(*backwards))


def _same_cells(before: Sequence[tuple[str, object]], after: Sequence[tuple[str, object]]) -> int:
    """How many cells at the beginning of two lines are the same."""
    cells = 0
    for (text, role), (other, other_role) in zip(before, after, strict=False):
        if role != other_role:
            break
        if text == other:
            cells += cell_len(text)
            continue
        # Characters of one cell alone, and none that the next one may join to another sign.
        alike = zip(text, other, text[1:] + " ", other[1:] + " ", strict=False)
        same = (
            mine == yours and (mine + after_mine + after_yours).isascii()
            for mine, yours, after_mine, after_yours in alike
        )
        return cells + sum(1 for _ in takewhile(bool, same))
    return cells

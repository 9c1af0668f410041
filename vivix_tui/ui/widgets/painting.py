"""Lines for the terminal at the least cost in bytes: few changes of colour.

Owns: joining pieces of text into a strip. Refuses: knowing what the pieces say, and what of it is new on the terminal
(`front_buffer` does). A change of colour costs some forty bytes on the wire, and over SSH a key press waits for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.filter import ANSIToTruecolor, LineFilter
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

    def get_line_filters(self) -> Sequence[LineFilter]:
        # Textual looks for colours that only the terminal knows in each piece of a line. There are none in a role,
        # other than in a theme whose colours are the terminal's, where it leaves them as they are.
        return [one for one in super().get_line_filters() if not isinstance(one, ANSIToTruecolor)]

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

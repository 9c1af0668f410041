"""A QR code in cells.

Owns: drawing its modules bright on dark, whatever the theme. Refuses: making it (`present.links`).
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from vivix_tui.ui.present.links import Modules, cells, half_blocks

_HALVES = Style(color="#ffffff", bgcolor="#000000")
_LIGHT, _DARK = Style(color="#ffffff", bgcolor="#ffffff"), Style(color="#000000", bgcolor="#000000")


class QrCode(Widget):
    """As large as its code; nothing while there is none. Without colours its light modules are still drawn."""

    DEFAULT_CSS = "QrCode { width: auto; height: auto; }"

    def __init__(self) -> None:
        super().__init__(id="code")
        self._modules: Modules = ()
        self._lines: list[Strip] = []

    def show(self, modules: Modules) -> None:
        self._modules = modules
        self.display = bool(modules)
        if self.app.has_class("-ascii"):
            self._lines = [
                Strip([Segment("  ", _DARK) if dark else Segment("##", _LIGHT) for dark in row]).simplify()
                for row in modules
            ]
        else:
            self._lines = [Strip([Segment(text, _HALVES)]) for text in half_blocks(modules)] if modules else []
        self.refresh(layout=True)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        del container, viewport
        return cells(len(self._modules), ascii_only=self.app.has_class("-ascii"))[0]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        del container, viewport, width
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        return self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width)

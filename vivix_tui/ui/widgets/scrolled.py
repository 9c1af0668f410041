"""What is drawn line by line and scrolls, at the least cost in bytes.

Owns: that another number of lines draws the scrollbar anew and nothing else. Refuses: lines.
"""

from __future__ import annotations

from textual.geometry import Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView

from vivix_tui.ui.widgets.painting import Painted


class Scrolled(ScrollView, Painted):
    """`virtual_size` is its lines. Textual's own lays out the whole screen when it changes, and paints all of it: 8 kB
    for one row more, and once more for the scrollbars."""

    virtual_size = Reactive(Size(0, 0), init=False, repaint=False)

    def watch_virtual_size(self) -> None:
        if self.is_attached:
            self._refresh_scrollbars()  # lays out the screen if one comes or goes
            self.show_extent()

    def show_extent(self) -> None:
        """The scrollbar as long as the lines are."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = max(self.virtual_size.height, self.size.height)

"""The table: it draws the lines that are visible and nothing else.

Owns: cursor, marks, scrolling, and repainting only lines that changed. Refuses: knowing more rows than the screen is
high, and acting on them. Built on Textual's line API: a DataTable repaints whole and takes seconds for 100,000 rows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from vivix_tui.store.query import TableRow
from vivix_tui.ui.listing import Key, Listing, key_of
from vivix_tui.ui.present import MARGIN, Cell, cells, columns_for, fit

ROLES = ("plain", "muted", "queued", "active", "done", "failed", "warn", "gone", "header", "cursor", "blurred", "mark")
HEADER_LINES = 1


class GenerationTable(ScrollView, can_focus=True):
    """Shows a Listing. Posts `Moved` when another row is under the cursor, `Opened` on a double click."""

    COMPONENT_CLASSES = {f"table--{role}" for role in ROLES}  # noqa: RUF012 - Textual's own way

    class Moved(Message):
        """Another row, or none, is under the cursor."""

    class Opened(Message):
        """A row was clicked twice."""

    def __init__(
        self, listing: Listing, *, clock: Callable[[], datetime], glyphs: dict[str, str], columns: tuple[str, ...]
    ) -> None:
        super().__init__(id="table")
        self.cursor = 0
        self.marks: set[Key] = set()
        self._listing = listing
        self._clock = clock
        self._glyphs = glyphs
        self._chosen = columns
        self._selected: Key | None = None
        # Until the user moves, the cursor stays at the top, whatever is there.
        self._touched = False
        self._drawn: dict[int, object] = {}

    @property
    def selected(self) -> TableRow | None:
        """The row under the cursor."""
        return self._listing.row(self.cursor)

    def follow_changes(self) -> None:
        """The listing was reloaded: the cursor stays on its row wherever that is now; changed lines are repainted."""
        count = self._listing.count
        before = self.cursor
        row = self._listing.row(self.cursor)
        if self._touched and self._selected is not None and (row is None or key_of(row) != self._selected):
            found = self._listing.index_of(self._selected)
            self.cursor = self.cursor if found is None else found
        self.cursor = max(0, min(self.cursor, count - 1))
        self.virtual_size = Size(self.size.width, count + HEADER_LINES)
        if self.cursor != before:
            # The row moved: the view moves with it, so that it stays where the eye is.
            self.scroll_to(y=self.scroll_offset.y + self.cursor - before, animate=False, force=True, immediate=True)
        self._settle()
        self.repaint_changed()

    def show_from_top(self) -> None:
        """Another filter: the selected row if it is still shown, else the first."""
        self._drawn.clear()
        if self._selected is None or self._listing.index_of(self._selected) is None:
            self.cursor, self._selected = 0, None
        self.follow_changes()
        self.refresh()

    def move_to(self, index: int) -> None:
        """Puts the cursor on a row, scrolling as little as needed."""
        index = max(0, min(index, self._listing.count - 1))
        self._touched = True
        if index == self.cursor and self._selected is not None:
            return
        self.cursor = index
        self._settle()
        self.repaint_changed()

    def move_by(self, rows: int) -> None:
        self.move_to(self.cursor + rows)

    @property
    def page_rows(self) -> int:
        """How many rows fit on the screen."""
        return max(1, self.size.height - HEADER_LINES)

    def repaint_changed(self) -> None:
        """Repaints the visible lines whose content is not what was drawn last, and no others."""
        now = self._clock()
        for y in range(HEADER_LINES, self.size.height):
            if y in self._drawn and self._content(y, now) != self._drawn[y]:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        if y < HEADER_LINES:
            return self._header()
        content = self._content(y, self._clock())
        self._drawn[y] = content
        if content is None:
            return Strip.blank(self.size.width, self.rich_style)
        row_cells, is_cursor, is_marked = content
        return self._line(row_cells, is_cursor, is_marked)

    def _settle(self) -> None:
        """Scrolls the cursor into view and tells about a new row under it."""
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True, immediate=True)
        elif self.cursor >= top + self.page_rows:
            self.scroll_to(y=self.cursor - self.page_rows + 1, animate=False, force=True, immediate=True)
        row = self.selected
        key = key_of(row) if row else None
        if key != self._selected:
            self._selected = key
            self.post_message(self.Moved())

    def _content(self, y: int, now: datetime) -> tuple[dict[str, Cell], bool, bool] | None:
        index = self.scroll_offset.y + y - HEADER_LINES
        row = self._listing.row(index)
        if row is None:
            return None
        return cells(row, now, self._glyphs), index == self.cursor, key_of(row) in self.marks

    def _line(self, row_cells: dict[str, Cell], is_cursor: bool, is_marked: bool) -> Strip:
        ground = self.get_component_rich_style(self._ground(is_cursor))
        bar = self._glyphs["cursor"] if is_cursor else " "
        mark = self._glyphs["mark"] if is_marked else " "
        segments = [
            Segment(bar, ground + self._role("active")),
            Segment(mark, ground + self._role("mark")),
        ]
        for column, width in columns_for(self.size.width, self._chosen):
            cell = row_cells[column.id]
            text = fit(cell.text, width, right=column.right, cut=self._glyphs["cut"])
            segments.append(Segment(f"{text} ", ground + self._role(cell.role)))
        return Strip(segments).simplify().adjust_cell_length(self.size.width, ground)

    def _header(self) -> Strip:
        style = self.get_component_rich_style("table--header")
        text = " " * MARGIN
        for column, width in columns_for(self.size.width, self._chosen):
            text += fit(column.title, width, right=column.right) + " "
        return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, style)

    def _ground(self, is_cursor: bool) -> str:
        if not is_cursor:
            return "table--plain"
        return "table--cursor" if self.has_focus else "table--blurred"

    def _role(self, role: str) -> Style:
        style = self.get_component_rich_style(f"table--{role}")
        return Style(color=style.color, bold=style.bold)

    def on_resize(self, _: events.Resize) -> None:
        self._drawn.clear()
        self.follow_changes()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        if event.y >= HEADER_LINES:
            index = self.scroll_offset.y + event.y - HEADER_LINES
            if index < self._listing.count:
                self.move_to(index)
                if event.chain == 2:
                    self.post_message(self.Opened())

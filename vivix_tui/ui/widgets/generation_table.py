"""The table: it draws the lines that are visible and nothing else.

Owns: cursor, marks, scrolling, and repainting only cells that changed. Refuses: knowing more rows than the screen is
high, and acting on them. Built on Textual's line API: a DataTable repaints whole and takes seconds for 100,000 rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from rich.segment import Segment
from textual import events, on
from textual.geometry import Region, Size
from textual.message import Message
from textual.scrollbar import ScrollDown, ScrollTo, ScrollUp
from textual.strip import Strip

from vivix_tui.store.query import TableRow
from vivix_tui.ui.listing import Key, Listing, key_of
from vivix_tui.ui.present.table import MARGIN, SORTS, Cell, Column, columns_for, fit, title
from vivix_tui.ui.widgets.sayings import Sayings
from vivix_tui.ui.widgets.scrolled import Scrolled
from vivix_tui.ui.widgets.span import Span

HEADER_LINES = 1

Content = tuple[dict[str, Cell], bool, bool]


# ScrollView's own bindings would take the arrow keys and scroll without moving the cursor.
class GenerationTable(Scrolled, can_focus=True, inherit_bindings=False):
    """Shows a Listing. Posts `Moved` when another row is under the cursor, `Opened` on a double click."""

    class Moved(Message):
        """Another row, or none, is under the cursor."""

    class Opened(Message):
        """A row was clicked twice."""

    class SortWanted(Message):
        """The head of a column was clicked."""

        def __init__(self, by: str) -> None:
            super().__init__()
            self.by = by

    def __init__(
        self, listing: Listing, *, clock: Callable[[], datetime], glyphs: dict[str, str], columns: tuple[str, ...]
    ) -> None:
        super().__init__(id="table")
        self.cursor = 0
        self.marks: dict[Key, None] = {}  # in the order in which they were set
        self.span = Span()
        self._listing = listing
        self._clock = clock
        self._glyphs = glyphs
        self._chosen = columns
        self._selected: Key | None = None
        # Until the user moves, the cursor stays at the top, whatever is there.
        self._touched = False
        # Whoever scrolls with the mouse looks elsewhere: changes do not pull the view back to the cursor.
        self._looks_away = False
        # A line is drawn with the clock that decided which of its cells changed, else some would be missed.
        self._now = clock()
        self._still_until = self._now
        self._drawn: dict[int, Content | None] = {}
        self._sayings = Sayings(glyphs, listing.durations)

    @property
    def selected(self) -> TableRow | None:
        """The row under the cursor."""
        return self._listing.row(self.cursor)

    @property
    def spanned(self) -> range:
        """The rows of the range that is being marked."""
        return self.span.rows(self.cursor)

    def follow_changes(self) -> None:
        """The listing was reloaded: the cursor stays on its row wherever that is now; changed cells are repainted."""
        before = self.cursor
        row = self._listing.row(self.cursor)
        if self._touched and self._selected is not None and (row is None or key_of(row) != self._selected):
            found = self._found(self._selected)
            self.cursor = self.cursor if found is None else found
        self.cursor = max(0, min(self.cursor, self._listing.count - 1))
        if self.span.anchor is not None:
            self.span.moved(self._found(self.span.anchor), self._listing.count)
        self.virtual_size = Size(self.size.width, self._listing.count + HEADER_LINES)
        if not self._looks_away:
            if self.cursor != before:
                # The row moved: the view moves with it, so that it stays where the eye is.
                self._scroll(self.scroll_offset.y + self.cursor - before)
            self._scroll_to_cursor()
        self._tell()
        self.repaint_changed()

    def show_from_top(self) -> None:
        """Another filter or order: the selected row if it is still shown, else the first."""
        self._drawn.clear()
        self._looks_away = False
        found = None if self._selected is None else self._listing.index_of(self._selected)
        if found is None:
            self.cursor, self._selected = 0, None
        elif self._touched:
            self.cursor = found
        self.follow_changes()
        self.refresh()

    def show_columns(self, chosen: tuple[str, ...]) -> None:
        """Shows these columns, as far as they fit."""
        if chosen != self._chosen:
            self._chosen = chosen
            self.refresh()

    def move_by(self, rows: int) -> None:
        """Moves the cursor, scrolling as little as needed."""
        self._move_to(self.cursor + rows)

    @property
    def page_rows(self) -> int:
        """How many rows fit on the screen."""
        return max(1, self.size.height - HEADER_LINES)

    def repaint_changed(self) -> None:
        """Repaints the visible cells whose content is not what was drawn last, and no others."""
        self._now = self._clock()
        self._still_until = self._now + timedelta(days=1)
        self._repaint(range(HEADER_LINES, self.size.height))

    def tick(self) -> None:
        """Time has passed: the numbers that run are repainted. Where none can have changed nothing is looked at."""
        now = self._clock()
        self._sayings.ticks += 1
        if now >= self._still_until or now < self._now:
            self.repaint_changed()

    def render_line(self, y: int) -> Strip:
        if y < HEADER_LINES:
            return self._header()
        content = self._drawn[y] = self._content(y)
        if content is None:
            return Strip.blank(self.size.width, self.ground)
        return self._line(*content)

    def _move_to(self, index: int) -> None:
        self._touched, self._looks_away = True, False
        before, top = self.cursor, self.scroll_offset.y
        self.cursor = max(0, min(index, self._listing.count - 1))
        self._scroll_to_cursor()
        self._tell()
        if self.scroll_offset.y == top:
            first, last = sorted((before, self.cursor))
            rows = range(first, last + 1) if self.span.anchor is not None else (before, self.cursor)
            self._repaint(row - top + HEADER_LINES for row in rows)

    def _found(self, key: Key) -> int | None:
        """Where a row is that may have become another."""
        heir = self._listing.now_known_as(key)
        return None if heir is None else self._listing.index_of(heir, near=self.cursor)

    def _scroll_to_cursor(self) -> None:
        """Off the edge it goes on by a quarter of a page: scrolling row by row repaints the whole table each time."""
        top, jump = self.scroll_offset.y, self.page_rows // 4
        if self.cursor < top:
            self._scroll(max(0, self.cursor - jump))
        elif self.cursor >= top + self.page_rows:
            self._scroll(min(self.cursor + jump, self._listing.count - 1) - self.page_rows + 1)

    def _scroll(self, top: int) -> None:
        self.scroll_to(y=top, animate=False, force=True, immediate=True)

    def _tell(self) -> None:
        """Tells about a new row under the cursor; a row that cannot be read just now is not a new one."""
        row = self.selected
        if row is None and self._listing.trouble:
            return
        key = key_of(row) if row else None
        if key != self._selected:
            self._selected = key
            self.post_message(self.Moved())

    def _repaint(self, lines: Iterable[int]) -> None:
        columns = self._columns()
        for y in lines:
            if y not in self._drawn:
                continue
            was, now = self._drawn[y], self._content(y)
            if was == now:
                continue
            if was is None or now is None or was[1:] != now[1:]:
                # The last cell is always blank: repainting it would make Textual repaint the scrollbar beside it.
                self.refresh(Region(0, y, self.size.width - 1, 1))
                continue
            x = MARGIN
            for column, width in columns:
                if was[0][column.id] != now[0][column.id]:
                    self.refresh(Region(x, y, width, 1))
                x += width + 1

    def _content(self, y: int) -> Content | None:
        index = self.scroll_offset.y + y - HEADER_LINES
        row = self._listing.row(index)
        if row is None:
            return None
        said = self._sayings.say(y, row, self._now)
        self._still_until = min(self._still_until, said.until)
        is_marked = index in self.spanned or key_of(row) in self.marks
        return said.shown, index == self.cursor, is_marked

    def _line(self, row_cells: dict[str, Cell], is_cursor: bool, is_marked: bool) -> Strip:
        """Blank cells take their neighbour's colour: each change of colour costs forty bytes on the wire."""
        ground = self.role_ground(self._ground(is_cursor))
        columns = self._columns()
        style = ground + self.role_style("plain" if is_cursor else row_cells[columns[0][0].id].role)
        segments = [Segment(self._glyphs["cursor"] if is_cursor else " ", style)]
        if is_marked:
            style = ground + self.role_style("mark")
        segments.append(Segment(self._glyphs["mark"] if is_marked else " ", style))
        for column, width in columns:
            cell = row_cells[column.id]
            text = fit(cell.text, width, right=column.right, cut=self._glyphs["cut"])
            if not text.isspace():
                role = "plain" if is_cursor and (cell.role == "muted" or ground.reverse) else cell.role
                style = ground + self.role_style(role)
            segments.append(Segment(f"{text} ", style))
        line = Strip(segments).simplify().adjust_cell_length(self.size.width - 1, ground)
        return line.adjust_cell_length(self.size.width, self.role_ground("plain"))

    def _header(self) -> Strip:
        style = self.role_ground("header")
        text = " " * MARGIN
        for column, width in self._columns():
            text += title(column, width, self._listing.order, self._glyphs) + " "
        return Strip([Segment(text, style)]).adjust_cell_length(self.size.width, style)

    def _columns(self) -> list[tuple[Column, int]]:
        return columns_for(self.size.width - 1, self._chosen)  # the last cell stays blank

    def _column_at(self, x: int) -> Column | None:
        end = MARGIN
        for column, width in self._columns():
            end += width + 1
            if MARGIN <= x < end:
                return column
        return None

    def _ground(self, is_cursor: bool) -> str:
        if not is_cursor:
            return "plain"
        return "cursor" if self.has_focus else "blurred"

    def on_resize(self, _: events.Resize) -> None:
        self._drawn.clear()
        self._looks_away = False
        self.follow_changes()
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    @on(events.MouseScrollDown)
    @on(events.MouseScrollUp)
    @on(ScrollTo)
    @on(ScrollUp)
    @on(ScrollDown)
    def _look_away(self) -> None:
        self._looks_away = True

    def on_click(self, event: events.Click) -> None:
        if event.y < HEADER_LINES:
            column = self._column_at(event.x)
            if column is not None:
                self.post_message(self.SortWanted(SORTS.get(column.id, column.id)))
        else:
            index = self.scroll_offset.y + event.y - HEADER_LINES
            if index < self._listing.count:
                self._move_to(index)
                if event.chain == 2:
                    self.post_message(self.Opened())

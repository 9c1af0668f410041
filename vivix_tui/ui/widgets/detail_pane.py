"""The detail pane: paragraphs, wrapped to its width, drawn line by line; above them a picture while there is one.

Owns: wrapping, scrolling, repainting only lines that changed. Refuses: knowing what the lines mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.timer import Timer

from vivix_tui.ui.line import LABEL_WIDTH, Line
from vivix_tui.ui.pixels import Picture
from vivix_tui.ui.present.preview import Grid
from vivix_tui.ui.widgets.halfblocks import Inks, Spot, Tile, sheet, spots
from vivix_tui.ui.widgets.painting import Piece, strip
from vivix_tui.ui.widgets.scrolled import Scrolled

MARGIN = 1
REST_S = 0.4  # links and long texts take a thousand bytes on the wire: rows that are only passed by have none
BAR_S = 0.06  # the scrollbar takes longer to draw than the lines: it follows where the row is more than passed by
Row = list[Piece] | Strip


class DetailPane(Scrolled, can_focus=True):
    """Shows lines; `show` replaces them. With the focus, ↑ and ↓ scroll it line by line."""

    def __init__(self) -> None:
        super().__init__(id="detail")
        self.auto_links = False  # the terminal shows its links; Textual would paint the whole pane at every hover
        self._lines: Sequence[Line] = ()
        self._picture: Sequence[Strip] = ()
        self._spots: Sequence[Spot] = ()
        self._below: Sequence[Line] = ()
        self._wrapped: list[Row] = []
        self._width = 0  # asked for each line, Textual would search the screen for it
        self._rested = True
        self._timer: Timer | None = None
        self._bar_timer: Timer | None = None

    def show(self, lines: Sequence[Line], *, same_row: bool) -> None:
        """Draws `lines`; another row's begin at the top."""
        if lines == self._lines and same_row:
            return
        before = self._wrapped
        self._lines = lines
        if not same_row:
            self._rest_later()
            if self._bar_timer is not None:
                self._bar_later()
        self._wrap()
        if not same_row and self.scroll_offset.y:
            self.scroll_to(y=0, animate=False, force=True, immediate=True)
            self.refresh()
            return
        self._repaint(before)

    def show_picture(self, tiles: Sequence[Tile], grid: Grid, below: Sequence[Line], *, labels: bool = False) -> None:
        """Draws `tiles` above the lines, and `below` between them; without either the lines are alone again."""
        before, ground = self._wrapped, self.ground
        inks = Inks(ground, ground + self.role_style("muted"), ascii=self.app.has_class("-ascii"))
        margin = Segment(" " * MARGIN, ground)
        self._picture = [Strip([margin, *strip]) for strip in sheet(tiles, grid, inks, labels=labels)]
        self._below = below
        found = spots(tiles, grid, labels=labels)
        moved = found != self._spots
        self._spots = found
        self._wrap()
        self._repaint(before)
        if moved:
            # Blank cells in place of others are no change of text, but what is drawn over them has to follow.
            self.refresh(Region(0, 0, self.size.width, min(self.size.height, len(self._picture) + 1)))

    @property
    def pictures(self) -> list[Picture]:
        """Those in pixels, whether they can be seen now or not."""
        return [spot.picture for spot in self._spots]

    def picture_lines(self) -> Iterator[tuple[Picture, int, int, int]]:
        """(picture, line of it, x, y) of all that can be seen of them, on the screen."""
        view = self.content_region
        for spot in self._spots:
            for row in range(spot.picture.rows):
                y = spot.y + row - self.scroll_offset.y
                if 0 <= y < view.height:
                    yield spot.picture, row, view.x + MARGIN + spot.x, view.y + y

    def rest(self) -> None:
        """The row has been looked at for a moment: its links and its late lines are drawn."""
        before, self._rested = self._wrapped, True
        self._wrap()
        self._repaint(before)
        self._refresh_where(lambda at: _leads_somewhere(_at(self._wrapped, at)))

    def _rest_later(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._rested = not any(line.link or line.late for line in self._lines)
        self._timer = None if self._rested else self.set_timer(REST_S, self.rest)

    def _repaint(self, before: list[Row]) -> None:
        """The lines that differ from `before`, as far as they can be seen."""
        self._refresh_where(lambda at: _at(before, at) != _at(self._wrapped, at))

    def _refresh_where(self, wanted: Callable[[int], bool]) -> None:
        """The last cell is always blank: repainting it would make Textual repaint the scrollbar beside it."""
        (width, height), top = self.size, self.scroll_offset.y
        lines = [Region(0, y, width - 1, 1) for y in range(height) if wanted(top + y)]
        if lines:
            self.refresh(*lines)

    def scroll_by(self, name: str) -> None:
        """`first`, `last`, `half_down`, `page_up`, …: as the movements of the table are called."""
        page = max(1, self.size.height - 1)
        if name in ("first", "last"):
            self.scroll_to(y=0 if name == "first" else self.max_scroll_y, animate=False, immediate=True)
            return
        rows = page if name.startswith("page") else max(1, page // 2)
        self.scroll_relative(y=rows if name.endswith("down") else -rows, animate=False, immediate=True)

    def render_line(self, y: int) -> Strip:
        row = _at(self._wrapped, self.scroll_offset.y + y)
        if isinstance(row, Strip):
            return row.adjust_cell_length(self._width, self.ground)
        return strip(row, self._width, self.ground, self._style_of)

    def on_resize(self) -> None:
        self._wrap()
        self.refresh()

    def _wrap(self) -> None:
        self._width = self.size.width
        width = max(10, self._width - 2 * MARGIN)
        below = [spans for line in self._below for spans in _spans(line, width)]
        between: list[Row] = [[]] if self._picture or below else []
        # What comes late has its place from the beginning: a height that changes costs more than all of it.
        texts = [
            spans if self._rested or not line.late else [] for line in self._lines for spans in _spans(line, width)
        ]
        self._wrapped = [*self._picture, *below, *between, *texts]
        self.virtual_size = Size(self._width, len(self._wrapped))
        if self.scroll_offset.y > self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)

    def watch_virtual_size(self) -> None:
        self._bar_later()

    def _bar_later(self) -> None:
        if self._bar_timer is not None:
            self._bar_timer.stop()
        self._bar_timer = self.set_timer(BAR_S, self.show_extent)

    def show_extent(self) -> None:
        self._bar_timer = None
        super().show_extent()

    def _style_of(self, role: str) -> Style:
        """The style of a role; where the text leads stands behind it and a blank."""
        name, _, link = role.partition(" ")
        style = self.role_style(name)
        return style + Style(link=link) if link and self._rested else style


def _at(wrapped: list[Row], index: int) -> Row:
    return wrapped[index] if index < len(wrapped) else []


def _leads_somewhere(row: Row) -> bool:
    """Whether there is a link in it."""
    return not isinstance(row, Strip) and any(" " in role for _, role in row)


def _spans(line: Line, width: int) -> Iterator[list[Piece]]:
    """The wrapped lines of one paragraph: a label stands before the first, the others hang below its text."""
    indent = max(LABEL_WIDTH, cell_len(line.label) + 1) if line.label else line.indent
    lead = line.label + " " * (indent - cell_len(line.label)) if line.label else line.lead.ljust(indent)
    role = f"{line.role} {line.link}" if line.link else line.role
    for paragraph in line.text.split("\n"):
        for part in _wrapped_text(paragraph, max(8, width - indent)):
            yield [(" " * MARGIN + lead, "label"), (part, role)]
            lead = " " * indent


@lru_cache(256)
def _wrapped_text(text: str, width: int) -> Sequence[str]:
    """`text` in lines of at most `width` cells; words that are too long are cut."""
    if cell_len(text) <= width:
        return [text]
    return [line.plain.rstrip() for line in Text(text).wrap(_CONSOLE, width)]


_CONSOLE = Console(width=200, force_terminal=False)

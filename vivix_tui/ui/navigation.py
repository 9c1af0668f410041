"""Moving, marking, filtering and zooming: one small function each, called by the main screen.

Owns: what the keys do that change only what is looked at. Refuses: verbs (`actions.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from vivix_tui.store.order import BY, Order
from vivix_tui.store.query import Filter
from vivix_tui.ui.listing import key_of
from vivix_tui.ui.widgets.filter_field import FilterField

if TYPE_CHECKING:
    from vivix_tui.ui.app import VivixApp
    from vivix_tui.ui.screens.main import MainScreen

MARK_ALL_MOST = 1_000
FILTERS = {
    "view.failures": frozenset({"failed", "gone"}),
    "view.active": frozenset({"active"}),
    "view.queued": frozenset({"queued"}),
    "view.done": frozenset({"done"}),
    "view.failed": frozenset({"failed"}),
    "view.all": frozenset[str](),
}
STEPS = ("down", "up", "half_down", "half_up", "page_down", "page_up", "first", "last")


def move(screen: MainScreen, name: str) -> None:
    """In the table; zoomed details go from row to row, too, and longer movements scroll them."""
    if screen.zoomed and name not in ("down", "up"):
        screen.detail.scroll_by(name)
        return
    page, count = screen.table.page_rows, screen.listing.count
    half = max(1, page // 2)
    screen.table.move_by(dict(zip(STEPS, (1, -1, half, -half, page, -page, -count, count), strict=True))[name])


def toggle_mark(screen: MainScreen) -> None:
    row, marks = screen.table.selected, screen.table.marks
    if screen.table.span.anchor is not None:
        end_range(screen)
        return
    if row is None:
        return
    if key_of(row) in marks:
        del marks[key_of(row)]
    else:
        marks[key_of(row)] = None
    screen.table.move_by(1)
    screen.show_marks()


def mark_range(screen: MainScreen) -> None:
    """Begins a range at the row under the cursor, or ends it there."""
    table, row = screen.table, screen.table.selected
    if table.span.anchor is not None:
        end_range(screen)
    elif row is not None:
        table.span.begin(key_of(row), table.cursor)
        screen.show_marks()


def end_range(screen: MainScreen) -> None:
    """The rows of the range, if there is one, are marked like any others."""
    rows = screen.table.spanned
    screen.table.span.end()
    _mark(screen, rows)


def mark_all(screen: MainScreen) -> None:
    """The rows shown."""
    screen.table.span.end()
    _mark(screen, range(screen.listing.count))


def _mark(screen: MainScreen, rows: range) -> None:
    """Up to a number that can still be acted on at once."""
    screen.table.marks |= dict.fromkeys(screen.listing.keys(rows[:MARK_ALL_MOST]))
    if len(rows) > MARK_ALL_MOST:
        screen.say(f"marked the first {MARK_ALL_MOST:,} of {len(rows):,}")
    screen.show_marks()


def unmark(screen: MainScreen) -> None:
    screen.table.marks = {}
    screen.table.span.end()
    screen.show_marks()


def sort_by(screen: MainScreen, order: Order) -> None:
    """The same rows in another order, which is remembered."""
    screen.listing.order = order
    screen.show_only(screen.listing.filter)
    screen.choose("sort", None if order == Order() else str(order))


def sort_by_column(screen: MainScreen, by: str) -> None:
    """The same column again turns the order round."""
    if by in BY:
        now = screen.listing.order
        sort_by(screen, Order(by, by == now.by and not now.inverted))


def invert(screen: MainScreen) -> None:
    order = screen.listing.order
    sort_by(screen, replace(order, inverted=not order.inverted))


def filter_by_phase(screen: MainScreen, phases: frozenset[str]) -> None:
    """Shows these phases only; the same key again shows all."""
    shown = screen.listing.filter
    screen.show_only(replace(shown, phases=frozenset() if phases == shown.phases else phases))


def back(screen: MainScreen) -> None:
    """Closes the topmost thing, one at a time."""
    field = screen.query_one(FilterField)
    if screen.zoomed:
        screen.zoom(False)
    elif screen.table.span.anchor is not None:
        screen.table.span.end()
        screen.show_marks()
    elif field.display or screen.listing.filter != Filter():
        field.close()
        screen.show_only(Filter())
    elif screen.table.marks:
        unmark(screen)
    elif screen.notice is not None:
        screen.notice = None
        screen.reload()
    screen.set_focus(screen.table)  # now: the next key is its


NAVIGATION: dict[str, Callable[[MainScreen], None]] = {
    **{f"move.{name}": partial(move, name=name) for name in STEPS},
    **{command_id: partial(filter_by_phase, phases=phases) for command_id, phases in FILTERS.items()},
    "view.filter": lambda screen: screen.query_one(FilterField).open(),
    "view.zoom": lambda screen: screen.zoom(not screen.zoomed),
    "view.back": back,
    "view.invert": invert,
    "view.redraw": lambda screen: cast("VivixApp", screen.app).redraw(),
    "app.palette": lambda screen: screen.app.action_command_palette(),
}

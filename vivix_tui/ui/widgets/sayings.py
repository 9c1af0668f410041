"""What the cells of the visible rows say, worked out no more often than it can have changed.

Owns: until when a row's cells say the same. Refuses: their words (`present.table`) and drawing. Each answer of the API
changes one row and has all visible ones looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from vivix_tui.domain.estimate import Durations
from vivix_tui.store.query import TableRow
from vivix_tui.ui.present.table import Cell, cells, running_cells, still_s


class Saying(Struct, frozen=True):
    """`shown` is said by `row`: at the tick of that number, and from `since` until `until` whatever ticks."""

    row: TableRow
    shown: dict[str, Cell]
    tick: int
    since: datetime
    until: datetime


class Sayings:
    """One a line of the screen. `ticks` is counted up by whoever wants the numbers that run to go on."""

    def __init__(self, glyphs: dict[str, str], durations: Callable[[TableRow], Durations | None]) -> None:
        self.ticks = 0
        self._glyphs = glyphs
        self._durations = durations
        self._last: dict[int, Saying] = {}

    def say(self, line: int, row: TableRow, now: datetime) -> Saying:
        """What is said now; of a row that did not change, as it was said since the last tick."""
        last = self._last.get(line)
        if last is not None and last.row != row:
            last = None
        if last is not None and last.since <= now and (now < last.until or last.tick == self.ticks):
            return last
        durations = self._durations(row)
        if last is None:
            shown = cells(row, now, self._glyphs, durations)
        else:
            shown = last.shown | running_cells(row, now, self._glyphs, durations)
        found = Saying(row, shown, self.ticks, now, now + timedelta(seconds=still_s(row, now)))
        self._last[line] = found
        return found

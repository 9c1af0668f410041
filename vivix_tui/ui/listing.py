"""The rows behind the table, read page by page.

Owns: the filter and the order in force, the pages that were read since the last change, how long jobs take. Refuses:
drawing; and reading more rows than are looked at, however many there are.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterable

from vivix_tui.domain import submission as s
from vivix_tui.domain.estimate import Durations
from vivix_tui.errors import StoreError
from vivix_tui.store import query
from vivix_tui.store.history import History
from vivix_tui.store.order import Order
from vivix_tui.store.query import Filter, TableRow
from vivix_tui.store.store import Store

PAGE_ROWS = 40  # about a screen: at each change all of a page is read again
REST = 10  # times as long as a look through all rows took, nothing is looked through again

Key = tuple[str, str]


def key_of(row: TableRow) -> Key:
    """What a row is known by: its kind and id."""
    return row.kind, row.id


class Listing:
    """A window on the filtered, ordered rows of one profile. `count` is as of the last `reload`.

    A filter by text looks through all rows, so that it is not asked again at every change: `stale` says that what it
    lets through may be another by now, and that `reload` wants to be called again. `look_s` is what the last look took.

    `trouble` says why a page could not be read since then: rows are asked for while the screen is being drawn, where
    an error would end the program.
    """

    def __init__(self, store: Store, profile: str) -> None:
        self.filter = Filter()
        self.order = Order()
        self.count = 0
        self.stale = False
        self.trouble: str | None = None
        self._store = store
        self._profile = profile
        self._history = History(store, profile)
        self._pages: dict[int, list[TableRow]] = {}
        self._matches: array[int] | None = None
        self._matched: tuple[Filter, Order] | None = None
        self.look_s = 0.0
        self._look_again_at = 0.0

    def reload(self) -> None:
        """Something changed: what was read is read again when it is looked at."""
        if self.filter.text:
            self._match()
        else:
            self._matches, self.stale = None, False
            self.count = query.count(self._store, self._profile, self.filter)
        self._pages.clear()
        self.trouble = None

    def _match(self) -> None:
        began, wanted = time.monotonic(), (self.filter, self.order)
        if self._matches is not None and self._matched == wanted and began < self._look_again_at:
            self.stale = True
            return
        self._matches, self._matched = query.matches(self._store, self._profile, *wanted), wanted
        self.count, self.stale = len(self._matches), False
        self.look_s = time.monotonic() - began
        self._look_again_at = began + self.look_s * (1 + REST)

    def row(self, index: int) -> TableRow | None:
        """The row at `index`, None beyond the end and where it cannot be read."""
        if not 0 <= index < self.count:
            return None
        number, at = divmod(index, PAGE_ROWS)
        page = self._pages.get(number)
        if page is None:
            page = self._pages[number] = self._read(number)
        return page[at] if at < len(page) else None

    def durations(self, row: TableRow) -> Durations | None:
        """How long jobs like a running one take, None for others and where it cannot be read."""
        if row.kind != "generation" or row.phase != "active" or row.elapsed_ms is None:
            return None
        try:
            return self._history.durations(row.model, row.settings, time.monotonic())
        except StoreError as error:
            self.trouble = str(error)
            return None

    def _read(self, number: int) -> list[TableRow]:
        try:
            if self._matches is not None:
                numbers = self._matches[number * PAGE_ROWS : (number + 1) * PAGE_ROWS]
                return query.rows_of(self._store, self._profile, numbers)
            where = {"offset": number * PAGE_ROWS, "limit": PAGE_ROWS}
            return query.page(self._store, self._profile, self.filter, **where, order=self.order, count=self.count)
        except StoreError as error:
            self.trouble = str(error)
            return []

    def index_of(self, key: Key, near: int = 0) -> int | None:
        """Where the row with this key is now, None where it is not shown; `near` is where it was."""
        if self._matches is None:
            from_end = near > self.count / 2
            return query.index_of(self._store, self._profile, self.filter, *key, self.order, from_end=from_end)
        number = query.number_of(self._store, self._profile, *key)
        return None if number is None or number not in self._matches else self._matches.index(number)

    def now_known_as(self, key: Key) -> Key | None:
        """The key itself; of an accepted submission the generation that it became; None where nothing is left of it."""
        return self.heirs([key])[key]

    def heirs(self, keys: Iterable[Key]) -> dict[Key, Key | None]:
        """What each is now known as."""
        found: dict[Key, Key | None] = {key: key if key[0] != "submission" else None for key in keys}
        ids = [row_id for kind, row_id in found if kind == "submission"]
        for item in query.submissions_by_id(self._store, ids) if ids else ():
            key = "submission", item.submission_id
            if item.state == s.ACCEPTED and item.generation_id is not None:
                found[key] = "generation", item.generation_id
            elif item.state != s.CANCELLED:
                found[key] = key
        return found

    def keys(self, rows: range) -> list[Key]:
        """The keys of these rows, as far as they can be read."""
        return [key_of(row) for row in map(self.row, rows) if row is not None]

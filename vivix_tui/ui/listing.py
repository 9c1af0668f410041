"""The rows behind the table, read page by page.

Owns: the filter in force, the pages that were read since the last change, how long jobs take. Refuses: drawing; and
reading more rows than are looked at, however many there are.
"""

from __future__ import annotations

import time

from vivix_tui.domain import submission as s
from vivix_tui.domain.estimate import Durations
from vivix_tui.errors import StoreError
from vivix_tui.store import query
from vivix_tui.store.history import History
from vivix_tui.store.query import Filter, TableRow
from vivix_tui.store.store import Store

PAGE_ROWS = 64

Key = tuple[str, str]


def key_of(row: TableRow) -> Key:
    """What a row is known by: its kind and id."""
    return row.kind, row.id


class Listing:
    """A window on the filtered, ordered rows of one profile. `count` is as of the last `reload`.

    `trouble` says why a page could not be read since then: rows are asked for while the screen is being drawn, where
    an error would end the program.
    """

    def __init__(self, store: Store, profile: str) -> None:
        self.filter = Filter()
        self.count = 0
        self.trouble: str | None = None
        self._store = store
        self._profile = profile
        self._history = History(store, profile)
        self._pages: dict[int, list[TableRow]] = {}

    def reload(self) -> None:
        """Something changed: what was read is read again when it is looked at."""
        self.count = query.count(self._store, self._profile, self.filter)
        self._pages.clear()
        self.trouble = None

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
            return query.page(self._store, self._profile, self.filter, offset=number * PAGE_ROWS, limit=PAGE_ROWS)
        except StoreError as error:
            self.trouble = str(error)
            return []

    def index_of(self, key: Key) -> int | None:
        """Where the row with this key is now, None where it is not shown."""
        return query.index_of(self._store, self._profile, self.filter, *key)

    def now_known_as(self, key: Key) -> Key | None:
        """The key itself; of an accepted submission the generation that it became; None where nothing is left of it."""
        kind, row_id = key
        if kind != "submission":
            return key
        for item in query.submissions_by_id(self._store, [row_id]):
            if item.state == s.ACCEPTED and item.generation_id is not None:
                return "generation", item.generation_id
            return None if item.state == s.CANCELLED else key
        return None

    def keys(self, most: int) -> list[Key]:
        """The keys of all rows shown, at most `most`."""
        rows = query.page(self._store, self._profile, self.filter, offset=0, limit=most)
        return [key_of(row) for row in rows]

"""Counts the calls by what they are for.

Owns: the day that a call belongs to, and that counting costs at most one write a minute, none where nothing is called.
Refuses: the limit of calls a minute (`domain.budget`). A process that is killed loses the last minute's numbers: they
inform, and nothing depends on them.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

from vivix_tui.domain import times
from vivix_tui.store import calls
from vivix_tui.store.store import Store

WRITE_S = 60.0


class Tally:
    """The calls of one profile that are not written down yet."""

    def __init__(self, store: Store, profile: str) -> None:
        self._store = store
        self._profile = profile
        self._numbers: Counter[tuple[date, str]] = Counter()
        self._written_at = float("-inf")

    def count(self, purpose: str, now: datetime) -> None:
        """One call, see `store.calls` for what it may be for."""
        self._numbers[times.midnight(now).date(), purpose] += 1

    def write(self, now: float) -> None:
        """Writes what was counted, unless it did so less than WRITE_S ago; `now` is monotonic. Raises StoreError."""
        if self._numbers and now - self._written_at >= WRITE_S:
            self.write_all()
            self._written_at = now

    def write_all(self) -> None:
        """Writes what was counted. Raises StoreError, and keeps it then."""
        if self._numbers:
            calls.add(self._store, self._profile, self._numbers)
            self._numbers.clear()

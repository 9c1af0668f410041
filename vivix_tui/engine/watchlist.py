"""What there is to ask about: from rows to the cadence.

Owns: reading as little as possible after each change of the store, the age of a job as far as rows tell it, and which
wishes are an import. Refuses: calls, and when to make them. Times are monotonic seconds unless they come from rows.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from vivix_tui.domain import times
from vivix_tui.domain.cadence import Cadence, Watched
from vivix_tui.domain.estimate import Draining
from vivix_tui.store import generations
from vivix_tui.store.generations import Live
from vivix_tui.store.history import History
from vivix_tui.store.store import Store

HANDFUL = 20  # that many new ids are what somebody typed; more at once are an import
PAGE = 64
COST_FACTOR, READ_PAUSE_MAX_S = 100, 1.0  # reading takes at most a hundredth of the time
FRESH_S = 2.0


class Watchlist:
    """Keeps a cadence in step with the rows of one profile. `draining` is how far an import is, None without one."""

    def __init__(self, store: Store, profile: str, cadence: Cadence) -> None:
        self.draining: Draining | None = None
        self._store = store
        self._profile = profile
        self._cadence = cadence
        self._history = History(store, profile)
        self._seen = -1
        self._not_before = 0.0
        self._wishes: set[str] = set()

    def follow(self, now: float) -> bool:
        """Takes up what became live, drops what ended, hurries what the user asked for. False if it has to wait."""
        if now < self._not_before:
            return False
        news = self._store.news
        if news == self._seen:
            return True
        self._seen = news
        live = generations.live(self._store, self._profile)
        unknown = generations.unasked_count(self._store, self._profile)
        self._cadence.follow(self._watched(live, now) | self._unasked(unknown, now), now)
        # A wish that is being answered is still in its row: it is not a second one.
        wishes = {row.generation_id for row in live if row.hurry}
        for generation_id in wishes - self._wishes:
            self._cadence.wish(generation_id)
        self._wishes = wishes
        self._not_before = now + min(COST_FACTOR * (time.monotonic() - now), READ_PAUSE_MAX_S)
        return True

    def is_wish(self, generation_id: str) -> bool:
        """Whether the user wants to know about it now."""
        return generation_id in self._wishes

    def _watched(self, rows: list[Live], now: float) -> dict[str, Watched]:
        wall = datetime.now(UTC)
        found = {}
        for row in rows:
            since = times.parse(row.checked_at or row.tracked_at) or wall
            age_s = (row.elapsed_ms or 0) / 1000 + max(0.0, (wall - since).total_seconds())
            found[row.generation_id] = Watched(
                self._history.durations(row.model, row.settings, now),
                age_s=age_s,
                fresh=row.checked_at is None and row.status is not None and age_s < FRESH_S,
            )
        return found

    def _unasked(self, number: int, now: float) -> dict[str, Watched]:
        """A page of those that were never answered; what was typed by hand does not queue behind an import."""
        if number <= HANDFUL:
            self.draining = None
            return self._new(generations.unasked(self._store, self._profile, HANDFUL), now)
        self.draining = self.draining or Draining(now)
        self.draining.saw(number, now)
        newest = generations.unasked(self._store, self._profile, HANDFUL + 1, newest=True)
        batch = [row for row in newest if row.tracked_at == newest[0].tracked_at]
        typed = self._new(batch, now) if len(batch) <= HANDFUL else {}
        # Those that are being asked, or brought no answer, stay among the oldest until they have one.
        oldest = generations.unasked(self._store, self._profile, PAGE + self._cadence.live)
        return self._new(oldest, now, backlog=True) | typed

    def _new(self, rows: list[Live], now: float, *, backlog: bool = False) -> dict[str, Watched]:
        return {
            row.generation_id: Watched(self._history.durations(row.model, row.settings, now), backlog=backlog)
            for row in rows
        }

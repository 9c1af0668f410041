"""The two ceilings of an account: calls in a minute, jobs in flight.

Owns the tiers and the window's arithmetic. Refuses a clock of its own (time is passed in, monotonic seconds) and the
count of jobs in flight, which the ledger knows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class Tier:
    """What an account may do at once."""

    name: str
    calls_per_minute: int
    concurrent_jobs: int

    def rate_limit(self) -> dict[str, int]:
        """The object `rate_limit` of GET /credits and GET /models."""
        return {"calls_per_minute": self.calls_per_minute, "concurrent_jobs": self.concurrent_jobs}


PRO = Tier("Pro", calls_per_minute=240, concurrent_jobs=5)
ULTIMATE = Tier("Ultimate", calls_per_minute=600, concurrent_jobs=20)


class Window:
    """A fixed window: it opens with the first call after the last one closed. Real seconds, whatever the speed."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._opened_at = -math.inf
        self._taken = 0

    def take(self, now: float) -> int | None:
        """Counts one call; returns how many are left, or None when this one was too many."""
        if now - self._opened_at >= WINDOW_S:
            self._opened_at, self._taken = now, 0
        self._taken += 1
        left = self._calls - self._taken
        return left if left >= 0 else None

    def retry_after_s(self, now: float) -> int:
        """Whole seconds until the window closes, at least 1."""
        return max(1, math.ceil(self._opened_at + WINDOW_S - now))

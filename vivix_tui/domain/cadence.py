"""When to ask about which generation.

Owns: one due time per live generation, at the interval the API documents (2 s for images, 4 s for others), stretched
after failures. Refuses: the budget (that is `budget.py`), calls, clocks. Times are monotonic seconds, passed in.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

INTERVAL_S = {"image": 2.0}
OTHER_INTERVAL_S = 4.0
MAX_STRETCH = 8


@dataclass(slots=True)
class _Job:
    category: str | None
    due_at: float
    urgent: bool = False
    asked: bool = False
    failures: int = 0


class Cadence:
    """The live generations of one account and when each is due. A generation is due at once when first followed."""

    def __init__(self) -> None:
        self._jobs: dict[str, _Job] = {}

    def __len__(self) -> int:
        return len(self._jobs)

    def follow(self, live: dict[str, str | None], now: float) -> None:
        """From now on exactly `live` (id → category or None) is followed; what is known of the others is forgotten."""
        for gone in self._jobs.keys() - live.keys():
            del self._jobs[gone]
        for generation_id, category in live.items():
            job = self._jobs.setdefault(generation_id, _Job(category=category, due_at=now))
            job.category = category

    def hurry(self, generation_id: str, now: float) -> None:
        """The user wants to know now: due at once, before all others. Repeated wishes are one."""
        job = self._jobs.get(generation_id)
        if job is not None:
            job.due_at, job.urgent, job.failures = now, True, 0

    def due(self, now: float, most: int) -> list[str]:
        """At most `most` ids to ask about now, the most overdue first; none whose answer is still awaited."""
        waiting = (
            (not job.urgent, job.due_at, generation_id)
            for generation_id, job in self._jobs.items()
            if job.due_at <= now and not job.asked
        )
        return [generation_id for _, _, generation_id in heapq.nsmallest(most, waiting)]

    def asked(self, generation_id: str) -> None:
        """A call about it is under way."""
        job = self._jobs.get(generation_id)
        if job is not None:
            job.asked, job.urgent = True, False

    def answered(self, generation_id: str, now: float, *, usable: bool) -> None:
        """The call ended; without a usable answer the next one waits longer, up to eight intervals."""
        job = self._jobs.get(generation_id)
        if job is None:
            return
        job.asked = False
        job.failures = 0 if usable else job.failures + 1
        if not job.urgent:
            job.due_at = now + interval_s(job.category) * min(2**job.failures, MAX_STRETCH)


def interval_s(category: str | None) -> float:
    """The documented seconds between two questions about a job of this category."""
    return INTERVAL_S.get(category or "", OTHER_INTERVAL_S)

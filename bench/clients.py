"""Two ways to ask: the program's own scheduler, and the interval that the API documents.

Owns: nothing of the scheduler; `Scheduled` only joins the parts of `vivix_tui.domain` as `engine.poller` does.
"""

from __future__ import annotations

import heapq
import random
from typing import Protocol

from bench.world import Job, Kind, Reply
from vivix_tui.domain import estimate
from vivix_tui.domain.budget import Budget
from vivix_tui.domain.cadence import Cadence, Watched

MAX_IN_FLIGHT = 8


class Client(Protocol):
    """Whoever decides when to call."""

    def submitted(self, job: Job, now: float) -> None: ...
    def imported(self, ids: list[str], now: float) -> None: ...
    def may_submit(self, now: float) -> bool: ...
    def tick(self, now: float) -> list[str]: ...
    def replied(self, job: Job | None, reply: Reply, now: float, round_trip_s: float) -> None: ...


class Scheduled:
    """Cadence, budget and estimates of the program. `history` holds seconds of completed jobs, latest first."""

    def __init__(self, limit: int, dice: random.Random, history: dict[str, list[float]], now: float = 0.0) -> None:
        self.history = history
        self._budget = Budget(now=now)
        self._budget.set_limit(limit)
        self._cadence = Cadence()
        self._dice = dice
        self._in_flight = 0
        self._live: dict[str, Watched] = {}
        self._backlog: dict[str, Watched] = {}
        self._changed = False

    def durations(self, kind: Kind) -> estimate.Durations:
        """What is known of a kind."""
        return estimate.fitted(self.history.get(kind.name, []), estimate.prior(kind.category))

    def submitted(self, job: Job, now: float) -> None:
        self._live[job.id] = Watched(self.durations(job.kind), age_s=now - job.made_at, fresh=True)
        self._changed = True

    def imported(self, ids: list[str], now: float) -> None:
        self._backlog |= {key: Watched(estimate.prior(None), backlog=True) for key in ids}
        self._changed = True

    def restarted_with(self, jobs: list[Job], now: float) -> None:
        """A new process: what the store says is live is live, its age as of the last answer."""
        for job in jobs:
            self._live[job.id] = Watched(self.durations(job.kind), age_s=now - job.made_at)
        self._changed = True

    def may_submit(self, now: float) -> bool:
        if self._budget.may_call(now, urgent=True):
            self._budget.called(now)
            return True
        return False

    def tick(self, now: float) -> list[str]:
        if self._changed:
            self._cadence.follow(self._live | self._backlog, now)
            self._changed = False
        asked = self._cadence.tick(now, self._budget, MAX_IN_FLIGHT - self._in_flight)
        self._in_flight += len(asked)
        for key in asked:
            facts = self._backlog.pop(key, None)
            if facts is not None:
                self._live[key] = facts
        return asked

    def replied(self, job: Job | None, reply: Reply, now: float, round_trip_s: float) -> None:
        budget, usable = self._budget, reply.status == 200
        budget.ended()
        if usable:
            budget.answered(now, reply.remaining)
        elif reply.status == 429:
            budget.limited(now, reply.retry_after_s, self._dice.random())
        else:
            budget.failed(now, self._dice.random())
        if job is None:
            return
        self._in_flight -= 1
        age_s = reply.elapsed_s + round_trip_s / 2 if usable else None
        self._cadence.answered(job.id, now, usable=usable, age_s=age_s)
        if usable and reply.ended:
            self._cadence.over(job.id)
            self._live.pop(job.id, None)
            if not job.failed and not job.imported:
                self.history.setdefault(job.kind.name, []).insert(0, job.takes_s)
                durations = self.durations(job.kind)
                for key, facts in self._live.items():
                    if facts.durations != durations and key in self.kinds and self.kinds[key] == job.kind.name:
                        self._live[key] = Watched(durations, facts.age_s, fresh=facts.fresh)
                self._changed = True

    kinds: dict[str, str] = {}  # noqa: RUF012


class Documented:
    """A loop for each job that asks every 2 s (images) or 4 s (others) and waits out its own 429."""

    def __init__(self) -> None:
        self._due: list[tuple[float, str]] = []

    def submitted(self, job: Job, now: float) -> None:
        heapq.heappush(self._due, (now + interval_s(job), job.id))

    def imported(self, ids: list[str], now: float) -> None:
        for key in ids:
            heapq.heappush(self._due, (now, key))

    def may_submit(self, now: float) -> bool:
        return True

    def tick(self, now: float) -> list[str]:
        asked = []
        while self._due and self._due[0][0] <= now:
            asked.append(heapq.heappop(self._due)[1])
        return asked

    def replied(self, job: Job | None, reply: Reply, now: float, round_trip_s: float) -> None:
        if job is not None and not (reply.status == 200 and reply.ended):
            wait_s = reply.retry_after_s if reply.status == 429 else interval_s(job)
            heapq.heappush(self._due, (now + wait_s, job.id))


def interval_s(job: Job) -> float:
    """What the status endpoint's documentation recommends."""
    return 2.0 if job.kind.category == "image" else 4.0

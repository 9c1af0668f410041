"""When to ask about which generation.

Owns: how much each live job wants to be asked about, the one factor that slows all of them to what the budget allows,
and who goes first: the user's wishes, then live jobs, then the backlog. Refuses: calls, clocks. Times are monotonic
seconds, passed in.

The gap that balances lag against calls is sqrt(2 · price / hazard): the inspection problem (Keller 1974). Under a
common budget every job keeps that shape and all are slowed alike (Azar et al. 2018).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping

from msgspec import Struct

from vivix_tui.domain.budget import Budget
from vivix_tui.domain.estimate import Durations

PRICE_S = 0.042  # seconds of lag that one call is worth
GAP_MIN_S, GAP_MAX_S = 0.7, 15.0
STARVED_S = 180.0  # however scarce calls are, a live job that waited this long goes before the others
SHARE, SHARE_DRAINING = 1.0, 0.33
TURNS_S = 2.0
PAUSE_S, PAUSE_DOUBLINGS = 2.0, 3
STEP_MAX_S = 1.0
LAG_STEP_S, LAG_STEP_GROWTH = 0.1, 1.25
BACKLOG_SLOTS = 6
DRAIN_SMOOTHING_S = 30.0


class Watched(Struct, frozen=True):
    """What the scheduler has to know of a job: how long such jobs take, and its age in seconds where that is known.

    `fresh` marks one that was submitted just now, `backlog` one that nobody waits for: it was imported, and what
    became of it is not known.
    """

    durations: Durations
    age_s: float | None = None
    fresh: bool = False
    backlog: bool = False


class _Job(Struct):
    durations: Durations
    born: float
    replied_at: float
    due_at: float = math.inf
    due_lag_s: float = 0.0  # expected seconds since it ended, unknown to us, when it becomes due
    due_doubt: float = 0.0
    survived: float = 1.0  # survival at the last answer
    known: bool = False  # there was an answer in the life of this process
    asked: bool = False
    failures: int = 0
    not_before: float = -math.inf

    def doubt(self, now: float) -> float:
        """How probably it has ended since the last answer."""
        return 1 - self.durations.survival(now - self.born) / max(self.survived, 1e-300)

    def lag_s(self, now: float) -> float:
        """The lag to be expected of one that is due (Simpson's rule: doubt levels off where calls are scarce)."""
        over_s = now - self.due_at
        between = self.doubt(now - over_s / 2)
        return self.due_lag_s + over_s * (self.due_doubt + 4 * between + self.doubt(now)) / 6

    def foresee(self) -> None:
        """Works out when it becomes due: when the lag to be expected since the last answer is worth a call."""
        lag_s = doubt = gap_s = 0.0
        step_s = LAG_STEP_S
        while gap_s < GAP_MAX_S:
            step_s = min(step_s, GAP_MAX_S - gap_s)
            before, doubt = doubt, self.doubt(self.replied_at + gap_s + step_s)
            grown_s = step_s * (before + doubt) / 2
            if lag_s + grown_s >= PRICE_S and gap_s + step_s >= GAP_MIN_S:
                gap_s = max(GAP_MIN_S, gap_s + step_s * (PRICE_S - lag_s) / grown_s)
                lag_s = max(PRICE_S, lag_s)
                break
            lag_s, gap_s, step_s = lag_s + grown_s, gap_s + step_s, step_s * LAG_STEP_GROWTH
        self.due_at, self.due_lag_s, self.due_doubt = self.replied_at + gap_s, lag_s, doubt


class Cadence:
    """The generations of one account that have to be asked about."""

    def __init__(self) -> None:
        self._live: dict[str, _Job] = {}
        self._backlog: dict[str, Watched] = {}  # in the order in which they are asked about
        self._draining: set[str] = set()
        self._wishes: dict[str, None] = {}
        self._turns = math.inf  # of live jobs: the share of the budget that is theirs
        self._ticked_at: float | None = None
        self._next_at = -math.inf

    def __len__(self) -> int:
        return len(self._live) + len(self._backlog)

    @property
    def live(self) -> int:
        """How many are followed without those in the backlog."""
        return len(self._live)

    def follow(self, watched: Mapping[str, Watched], now: float) -> None:
        """From now on exactly these are followed; what is known of the others is forgotten.

        A live one is due at once unless it is fresh: whatever is known of it is older than this process.
        """
        for gone in [*(self._live.keys() - watched.keys()), *(self._backlog.keys() - watched.keys())]:
            self.over(gone)
        for generation_id, facts in watched.items():
            job = self._live.get(generation_id)
            if job is not None:
                if job.durations != facts.durations:
                    job.durations = facts.durations
                    job.survived = facts.durations.survival(job.replied_at - job.born)
                    job.foresee()
            elif facts.backlog:
                self._backlog[generation_id] = facts
            else:
                self._backlog.pop(generation_id, None)
                self._live[generation_id] = _joining(facts, now)

    def wish(self, generation_id: str) -> None:
        """The user wants to know now: it goes before all others. Repeated wishes are one."""
        if generation_id in self._live or generation_id in self._backlog:
            self._wishes[generation_id] = None

    def woke(self) -> None:
        """The machine was asleep: nobody knows what became of any job meanwhile."""
        for job in self._live.values():
            job.due_at = min(job.due_at, self._ticked_at or -math.inf)

    def tick(self, now: float, budget: Budget, room: int) -> list[str]:
        """Ids to ask about now, at most `room`: each is charged to `budget` and counts as asked."""
        self._accrue(now, budget)
        asked: list[str] = []
        due = self._due(now, room)
        for generation_id in due:
            wished = generation_id in self._wishes
            if not budget.may_call(now, urgent=wished) or (self._turns < 1 and not wished):
                break
            self._turns -= not wished
            self._ask(generation_id, now, budget)
            asked.append(generation_id)
        while self._backlog and len(asked) < room and len(self._draining) < BACKLOG_SLOTS and budget.may_drain(now):
            generation_id = next(iter(self._backlog))
            self._draining.add(generation_id)
            self._ask(generation_id, now, budget)
            asked.append(generation_id)
        waiting = len(asked) < len(due) or self._wishes or self._backlog
        next_at = (max(job.due_at, job.not_before) for job in self._live.values() if not job.asked)
        self._next_at = now if waiting else min(next_at, default=math.inf)
        return asked

    def rest_s(self, now: float) -> float:
        """Seconds in which nothing becomes due; after an answer, a wish or a change there may be something earlier."""
        return max(0.0, self._next_at - now)

    def answered(self, generation_id: str, now: float, *, usable: bool, age_s: float | None = None) -> None:
        """The call ended; `age_s` is how old the job is now, as the answer told.

        Without a usable answer the next question waits longer, up to eight times as long.
        """
        self._draining.discard(generation_id)
        job = self._live.get(generation_id)
        if job is None:
            return
        job.asked, job.replied_at = False, now
        if not usable:
            job.failures += 1
            job.not_before = now + PAUSE_S * 2 ** min(job.failures - 1, PAUSE_DOUBLINGS)
            return
        if age_s is not None:
            job.born = now - age_s
        job.known, job.failures = True, 0
        job.survived = job.durations.survival(now - job.born)
        job.foresee()

    def over(self, generation_id: str) -> None:
        """It ended, or is not to be followed any longer."""
        self._live.pop(generation_id, None)
        self._backlog.pop(generation_id, None)
        self._wishes.pop(generation_id, None)

    def _ask(self, generation_id: str, now: float, budget: Budget) -> None:
        facts = self._backlog.pop(generation_id, None)
        if facts is not None:  # if its answer is not the end of it, it is a live one
            self._live[generation_id] = _joining(facts, now)
        job = self._live[generation_id]
        job.asked = True
        self._wishes.pop(generation_id, None)
        budget.called(now)

    def _accrue(self, now: float, budget: Budget) -> None:
        """The share of the budget that is the live jobs' grows."""
        # A process that was stopped must not find a share of all the time that it missed.
        step_s = min(now - self._ticked_at, STEP_MAX_S) if self._ticked_at is not None else 0.0
        self._ticked_at = now
        rate = budget.rate * (SHARE_DRAINING if self._backlog else SHARE)
        self._turns = min(max(1.0, rate * TURNS_S), self._turns + step_s * rate)
        if budget.failing_since is not None:  # an outage is not the fault of the job that probed it
            for job in self._live.values():
                job.failures, job.not_before = 0, -math.inf

    def _due(self, now: float, room: int) -> list[str]:
        """The user's wishes, then what nobody knows, then what waited far too long, then the most urgent."""
        due: list[tuple[int, float, str]] = []
        for generation_id in self._wishes:
            job = self._live.get(generation_id)
            if job is None or not job.asked:
                due.append((0, 0.0, generation_id))
        for generation_id, job in self._live.items():
            waited_s = now - job.replied_at
            if job.asked or now < max(job.due_at, job.not_before) or waited_s < GAP_MIN_S:
                continue
            if generation_id in self._wishes:
                continue
            if not job.known and not job.failures:
                due.append((1, -waited_s, generation_id))
            elif waited_s >= STARVED_S:
                due.append((2, -waited_s, generation_id))
            else:
                # Among those that are due, the lag so far and the certainty that it goes on count alike.
                due.append((3, -job.lag_s(now) * job.doubt(now), generation_id))
        return [generation_id for _, _, generation_id in heapq.nsmallest(room, due)]


def _joining(facts: Watched, now: float) -> _Job:
    born = now - (facts.age_s or 0.0)
    replied_at = now if facts.fresh else now - GAP_MAX_S
    job = _Job(facts.durations, born, replied_at, known=facts.fresh)
    job.foresee()
    return job

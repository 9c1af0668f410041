"""How long a job takes: a distribution from history, and what it says about a job of a given age.

Owns: fitting durations, the survival that the cadence is made of, time left and progress for the screen. Refuses:
clocks, reading history, words. A distribution is log-normal with a wide component for stragglers: without that a late
job would be asked about madly and then never.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from statistics import median

from msgspec import Struct

PRIORS = {"image": (13.0, 0.5)}
OTHER_PRIOR = (105.0, 0.6)
MEDIAN_PRIOR_WEIGHT, SIGMA_PRIOR_WEIGHT = 0.5, 2.0  # in jobs: a few tell the median, but not the spread
SIGMA_MIN = 0.1
MAD_TO_SIGMA = 1.4826
SIGMA_MARGIN = 1.07  # the next job varies by what the median of twenty may be off, too
HISTORY_JOBS = 20
EARLY_FAILURES = 0.03  # the share of jobs that fail at some moment before they would be done
WIDE_SHARE, WIDE_MEDIAN, WIDE_SIGMA = 0.04, 1.35, 1.0
THIN_BELOW = 3
RESOLUTION_S = 0.02
LATE_FROM = 0.9
CREEP = 0.125


class Durations(Struct, frozen=True):
    """How long jobs of one kind take: median in seconds, sigma of its logarithm, from `count` completed jobs."""

    median_s: float
    sigma: float
    count: int = 0

    def survival(self, age_s: float) -> float:
        """The share of jobs that take longer than `age_s` seconds."""
        if age_s <= 0:
            return 1.0
        log = math.log(age_s) - math.log(self.median_s)
        narrow = math.erfc(log / (self.sigma * math.sqrt(2)))
        wide = math.erfc((log - math.log(WIDE_MEDIAN)) / (WIDE_SIGMA * math.sqrt(2)))
        return (
            0.5
            * ((1 - WIDE_SHARE) * narrow + WIDE_SHARE * wide)
            * math.exp(-EARLY_FAILURES * min(1.0, age_s / self.median_s))
        )

    def left_s(self, age_s: float, share: float) -> float:
        """Seconds after which `share` of the jobs that reached `age_s` have ended."""
        reached = self.survival(age_s)
        wanted = (1 - share) * reached
        low, above, high = 0.0, reached - wanted, self.median_s
        while (below := self.survival(age_s + high) - wanted) > 0 and high < 1e7:
            low, above, high = high, below, high * 2
        # By the secant, from both sides (Illinois): four looks where halving takes a dozen.
        middle, before = low, math.inf
        while high - low > RESOLUTION_S and abs(middle - before) > RESOLUTION_S / 4 and above > below:
            before, middle = middle, low + (high - low) * above / (above - below)
            found = self.survival(age_s + middle) - wanted
            if found > 0:
                low, above, below = middle, found, below / 2
            else:
                high, below, above = middle, found, above / 2
        return (low + high) / 2 if high - low <= RESOLUTION_S else middle


@lru_cache(maxsize=512)  # table and details ask for the same
def _left_s(durations: Durations, age_s: float, share: float) -> float:
    return durations.left_s(age_s, share)


class Outlook(Struct, frozen=True):
    """What to expect of one job: seconds left (median, 10 % and 90 % of such jobs), the bar's share from 0 to 1.

    `thin` says that too few jobs stand behind one number, `late` that nine of ten such jobs have ended by this age.
    """

    durations: Durations
    age_s: float
    bar: float
    thin: bool
    late: bool

    @property
    def left_s(self) -> float:
        return _left_s(self.durations, self.age_s, 0.5)

    @property
    def soonest_s(self) -> float:
        return _left_s(self.durations, self.age_s, 0.1)

    @property
    def latest_s(self) -> float:
        return _left_s(self.durations, self.age_s, 0.9)


def prior(category: str | None) -> Durations:
    """What is assumed of a category (`image`, `video`, …) before any job of it was seen to end."""
    return Durations(*PRIORS.get(category or "", OTHER_PRIOR))


def fitted(seconds: Sequence[float], before: Durations) -> Durations:
    """`before`, corrected by the durations of jobs that were seen to complete, latest first."""
    logs = [math.log(value) for value in seconds[:HISTORY_JOBS] if value > 0]
    if not logs:
        return before
    logs = _of_the_present(logs)
    number = len(logs)
    middle = median(logs)
    spread = MAD_TO_SIGMA * median(abs(value - middle) for value in logs)
    # One or two jobs say where the middle is and nothing about the spread.
    spread_weight = max(0, number - 2)
    variance = spread_weight * spread**2 + SIGMA_PRIOR_WEIGHT * before.sigma**2
    sigma = SIGMA_MARGIN * math.sqrt(variance / (spread_weight + SIGMA_PRIOR_WEIGHT))
    log_median = (number * middle + MEDIAN_PRIOR_WEIGHT * math.log(before.median_s)) / (number + MEDIAN_PRIOR_WEIGHT)
    return Durations(math.exp(log_median), max(SIGMA_MIN, sigma), number)


def _of_the_present(logs: list[float]) -> list[float]:
    """Only the latest ones if all lie beyond nine of ten of those before: the model has become slower or faster."""
    for size in range(len(logs) - 5, 2, -1):
        recent, older = logs[:size], sorted(logs[size:])
        tail = len(older) // 10
        if min(recent) > older[-1 - tail] or max(recent) < older[tail]:
            return recent
    return logs


@lru_cache(maxsize=256)
def outlook(durations: Durations, age_s: float) -> Outlook:
    """What is to be expected of a job that was made `age_s` seconds ago and has not ended.

    Kept, as are its numbers, which take 0.02 ms each: who asks for whole seconds has them once a second for each job.
    """
    return Outlook(
        durations,
        age_s,
        bar=_bar(durations, age_s),
        thin=durations.count < THIN_BELOW,
        late=durations.survival(age_s) < 1 - LATE_FROM,
    )


def _bar(durations: Durations, age_s: float) -> float:
    ages, shares = _bar_table(durations)
    at = bisect_right(ages, age_s)
    if at == 0:
        return shares[0] * max(0.0, age_s) / ages[0]
    if at == len(ages):
        return shares[-1]
    part = (age_s - ages[at - 1]) / (ages[at] - ages[at - 1])
    return shares[at - 1] + part * (shares[at] - shares[at - 1])


@lru_cache(maxsize=32)  # 3 kB each, and every job that completes makes another of its model
def _bar_table(durations: Durations) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Ages and the share of the time that is over then, if the job ends as soon as one in four does.

    The conditional quartile grows once a job is late; the bar must neither go back nor stand still, so it creeps.
    """
    ages = tuple(durations.median_s * 2 ** (step / 4) for step in range(-16, 21))
    shares, share, before = [], 0.0, ages[0]
    for age in ages:
        creeping = 1 - (1 - share) * (before / age) ** CREEP
        share = max(creeping, age / (age + durations.left_s(age, 0.25)))
        shares.append(share)
        before = age
    return ages, tuple(shares)


class Draining:
    """How far an import is: `left` of `total` were not asked about yet. Times are monotonic seconds."""

    SETTLES_S = 5.0

    def __init__(self, now: float) -> None:
        self.left = self.total = 0
        self._began = now
        self._asked = 0
        self._now = now

    def saw(self, left: int, now: float) -> None:
        """So many are left at `now`; more than before means that others were added."""
        if left > self.left:
            self.total += left - self.left
        else:
            self._asked += self.left - left
        self.left, self._now = left, now

    @property
    def seconds(self) -> int | None:
        """About how long it takes from now on, None while nobody can tell."""
        took_s = self._now - self._began
        return round(self.left * took_s / self._asked) if self._asked and took_s >= self.SETTLES_S else None

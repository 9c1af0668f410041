"""A model of the API's side, in simulated time: jobs, the window of calls, other programs on the key, outages.

Owns: chance, and what really happens. Refuses: deciding when to ask. Times are seconds since the run began.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, field

ROUND_TRIP_S = 0.2
WINDOW_S = 60.0
FAILED_SHARE, STRAGGLER_SHARE = 0.03, 0.01
QUEUE_S = (1.0, 4.0)


@dataclass(frozen=True, slots=True)
class Kind:
    """One model: its category, the median of its rendering in seconds, the sigma of the logarithm."""

    name: str
    category: str
    median_s: float
    sigma: float


IMAGES = (Kind("image-a", "image", 9.0, 0.2), Kind("image-b", "image", 14.0, 0.3))
VIDEOS = (Kind("video-a", "video", 85.0, 0.2), Kind("video-b", "video", 120.0, 0.3))


@dataclass(slots=True)
class Job:
    """One generation; `polls` are the questions that were answered, `known_at` when the client knew of its end."""

    id: str
    kind: Kind
    made_at: float
    takes_s: float
    failed: bool = False
    imported: bool = False
    polls: int = 0
    known_at: float | None = None

    @property
    def ends_at(self) -> float:
        return self.made_at + self.takes_s


class FixedWindow:
    """Opens with the first call after the last one closed."""

    def __init__(self, limit: int) -> None:
        self.limit, self._opened_at, self._taken = limit, -math.inf, 0

    def take(self, now: float) -> int | None:
        if now - self._opened_at >= WINDOW_S:
            self._opened_at, self._taken = now, 0
        if self._taken >= self.limit:
            return None
        self._taken += 1
        return self.limit - self._taken

    def retry_after_s(self, now: float) -> float:
        return max(1.0, math.ceil(self._opened_at + WINDOW_S - now))


class SlidingWindow:
    """The last 60 seconds, whenever that is."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._taken: deque[float] = deque()

    def take(self, now: float) -> int | None:
        while self._taken and self._taken[0] <= now - WINDOW_S:
            self._taken.popleft()
        if len(self._taken) >= self.limit:
            return None
        self._taken.append(now)
        return self.limit - len(self._taken)

    def retry_after_s(self, now: float) -> float:
        return max(1.0, math.ceil(self._taken[0] + WINDOW_S - now))


WINDOWS: dict[str, type[FixedWindow] | type[SlidingWindow]] = {"fixed": FixedWindow, "sliding": SlidingWindow}


@dataclass(slots=True)
class Reply:
    """What came back: a status, `remaining` as the header tells, seconds to wait after a 429."""

    status: int
    remaining: int | None = None
    ended: bool = False
    elapsed_s: float = 0.0
    retry_after_s: float = 0.0


@dataclass(slots=True)
class Others:
    """Other programs on the key: calls at random, `share` of the limit."""

    share: float
    next_at: float = 0.0
    calls: int = 0
    rejected: int = 0


@dataclass
class Server:
    """The API. `outage` is from when to when it answers 503."""

    window: FixedWindow | SlidingWindow
    dice: random.Random
    others: Others
    others_dice: random.Random
    outage: tuple[float, float] = (math.inf, math.inf)
    slower: float = 1.0
    speed: float = 1.0
    calm: bool = False
    jobs: dict[str, Job] = field(default_factory=dict)

    def let_others_call(self, now: float) -> None:
        """Makes the calls of other programs up to `now`."""
        others = self.others
        if not others.share:
            return
        while others.next_at <= now:
            others.calls += 1
            others.rejected += self.window.take(others.next_at) is None
            others.next_at += self.others_dice.expovariate(others.share * self.window.limit / WINDOW_S)

    def make(self, now: float, kind: Kind) -> Reply | Job:
        """POST /generate."""
        refused = self._refused(now)
        return refused or self.job(now, kind)

    def job(self, now: float, kind: Kind) -> Job:
        """A job that begins now."""
        takes_s = self.draw_s(kind) * self.slower
        failed = not self.calm and self.dice.random() < FAILED_SHARE
        if failed:
            takes_s *= self.dice.random()
        elif not self.calm and self.dice.random() < STRAGGLER_SHARE:
            takes_s *= self.dice.uniform(2.0, 4.0)
        job = Job(f"j{len(self.jobs)}", kind, now, takes_s, failed)
        self.jobs[job.id] = job
        return job

    def draw_s(self, kind: Kind) -> float:
        """How long a job of that kind takes, queue included."""
        rendering_s = self.dice.lognormvariate(math.log(kind.median_s), kind.sigma)
        return (self.dice.uniform(*QUEUE_S) + rendering_s) / self.speed

    def tell(self, now: float, job_id: str) -> Reply:
        """GET /generations/{id}."""
        refused = self._refused(now)
        if refused is not None:
            return refused
        job = self.jobs[job_id]
        job.polls += 1
        return Reply(200, self._left, ended=now >= job.ends_at, elapsed_s=now - job.made_at)

    def _refused(self, now: float) -> Reply | None:
        self.let_others_call(now)
        if self.outage[0] <= now < self.outage[1]:
            return Reply(503)
        left = self.window.take(now)
        if left is None:
            return Reply(429, retry_after_s=self.window.retry_after_s(now))
        self._left = left
        return None

    _left: int = 0

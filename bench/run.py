"""One run in simulated time: slots that are kept full, an import, a restart; and what it measured."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from bench.clients import Client, Documented, Scheduled
from bench.world import IMAGES, ROUND_TRIP_S, VIDEOS, WINDOWS, Job, Kind, Others, Reply, Server

TICK_S = 0.1
IMPORT_AT_S = 60.0
TIERS = {"Pro": 240, "Ultimate": 600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What happens in a run. `slots` jobs are kept in flight, `video_share` of the new ones are videos.

    `calm` is without failures and stragglers.
    """

    name: str
    tier: str = "Ultimate"
    slots: int = 20
    images: tuple[Kind, ...] = IMAGES
    videos: tuple[Kind, ...] = VIDEOS
    video_share: float = 0.2
    warm: bool = True
    lasts_s: float = 1200.0
    imported: int = 0
    restart_at: float = math.inf
    others: float = 0.0
    outage: tuple[float, float] = (math.inf, math.inf)
    slower: float = 1.0
    speed: float = 1.0
    calm: bool = False
    round_trip_s: float = ROUND_TRIP_S


@dataclass(slots=True)
class Measured:
    """Of one run: jobs that ended and were known of, calls and refusals with their times."""

    jobs: list[Job] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    limited: list[float] = field(default_factory=list)
    failed: list[float] = field(default_factory=list)
    first_success_s: float | None = None
    drained_at: float | None = None
    others_calls: int = 0
    others_rejected: int = 0
    forecasts: list[tuple[float, bool]] = field(default_factory=list)


class Run:
    """A scene, played once with one client."""

    def __init__(self, scene: Scene, *, documented: bool, window: str, seed: int) -> None:
        self.scene = scene
        self.measured = Measured()
        # The jobs of a run are the same whoever asks, so that both are measured on the same work.
        self._dice, jobs, others = (random.Random(f"{seed} {part}") for part in ("client", "jobs", "others"))
        self._kinds = random.Random(f"{seed} kinds")
        limit = TIERS[scene.tier]
        self._server = Server(
            WINDOWS[window](limit),
            jobs,
            Others(scene.others),
            others,
            outage=scene.outage,
            slower=scene.slower,
            speed=scene.speed,
            calm=scene.calm,
        )
        past = {k.name: [self._server.draw_s(k) for _ in range(20)] for k in scene.images + scene.videos}
        history = past if scene.warm else {}
        self._client: Client = Documented() if documented else Scheduled(limit, self._dice, history)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._known: dict[str, Job] = {}
        self._submitting = 0
        self._unknown: set[str] = set()
        self._life = 0

    def play(self) -> Measured:
        """Plays it to its end."""
        scene, now = self.scene, 0.0
        if scene.imported:
            self._at(IMPORT_AT_S, self._import)
        if scene.restart_at < math.inf:
            self._at(scene.restart_at, self._restart)
        while now < scene.lasts_s:
            while self._events and self._events[0][0] <= now:
                heapq.heappop(self._events)[2]()
            self._fill(now)
            for key in self._client.tick(now):
                self._ask(key, now)
            now = round(now + TICK_S, 6)
        self._server.let_others_call(now)
        self.measured.others_calls, self.measured.others_rejected = (
            self._server.others.calls,
            self._server.others.rejected,
        )
        return self.measured

    def _at(self, when: float, deed: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), deed))

    def _fill(self, now: float) -> None:
        """Slots are filled one after the other, so that the jobs do not run in step."""
        free = self.scene.slots - len(self._known) - self._submitting
        if free > 0 and now >= self._next_submission and self._client.may_submit(now):
            self._submitting += 1
            self._next_submission = now + 1.0 / self.scene.speed
            kind = self._kinds.choice(
                self.scene.videos if self._kinds.random() < self.scene.video_share else self.scene.images
            )
            self._call(now, lambda at: self._server.make(at, kind), self._submitted)

    _next_submission = 0.0

    def _submitted(self, result: Reply | Job, now: float) -> None:
        self._submitting -= 1
        if isinstance(result, Job):
            self._known[result.id] = result
            if isinstance(self._client, Scheduled):
                self._client.kinds[result.id] = result.kind.name
            self._client.replied(None, Reply(200), now, self.scene.round_trip_s)
            self._client.submitted(result, now)
        else:
            self._client.replied(None, result, now, self.scene.round_trip_s)

    def _ask(self, key: str, now: float) -> None:
        job = self._server.jobs[key]
        self._call(now, lambda at: self._server.tell(at, key), lambda reply, at: self._told(job, reply, at))

    def _told(self, job: Job, reply: Reply, now: float) -> None:
        self._client.replied(job, reply, now, self.scene.round_trip_s)
        if reply.status != 200:
            return
        if job.imported:
            self._unknown.discard(job.id)
            if not self._unknown and self.measured.drained_at is None:
                self.measured.drained_at = now
        elif reply.ended:
            job.known_at = now
            self._known.pop(job.id, None)
            self.measured.jobs.append(job)
            self._check_forecast(job)

    def _check_forecast(self, job: Job) -> None:
        """What the screen would have said at some moment of its life, against what came."""
        if isinstance(self._client, Scheduled) and not job.failed:
            durations = self._client.durations(job.kind)
            if durations.count >= 20:
                age_s = self._dice.random() * job.takes_s
                left_s = job.takes_s - age_s
                error = abs(durations.left_s(age_s, 0.5) - left_s) / job.takes_s
                inside = durations.left_s(age_s, 0.1) <= left_s <= durations.left_s(age_s, 0.9)
                self.measured.forecasts.append((error, inside))

    def _call(self, now: float, arrive: Callable[[float], Reply | Job], done: Callable[..., None]) -> None:
        life, trip_s = self._life, self.scene.round_trip_s * self._dice.uniform(0.8, 1.2)
        self.measured.calls.append(now)

        def arrived() -> None:
            at = now + trip_s / 2
            result = arrive(at)
            status = result.status if isinstance(result, Reply) else 200
            if status == 429:
                self.measured.limited.append(at)
            elif status != 200:
                self.measured.failed.append(at)
            self._at(now + trip_s, lambda: replied(result, status))

        def replied(result: Reply | Job, status: int) -> None:
            at = now + trip_s
            if life != self._life:  # the process that asked is no more
                if isinstance(result, Job):
                    self._known[result.id] = result
                    self._submitting -= 1
                return
            if status == 200 and at >= self.scene.outage[1] and self.measured.first_success_s is None:
                self.measured.first_success_s = at - self.scene.outage[1]
            done(result, at)

        self._at(now + trip_s / 2, arrived)

    def _import(self) -> None:
        ids = [f"old{number}" for number in range(self.scene.imported)]
        for key in ids:
            self._server.jobs[key] = Job(key, IMAGES[0], -7200.0, 10.0, imported=True)
        self._unknown = set(ids)
        self._client.imported(ids, IMPORT_AT_S)

    def _restart(self) -> None:
        """kill -9 and a new process at once: the store knows what was asked, nobody knows the window."""
        self._life += 1
        now = self.scene.restart_at
        if isinstance(self._client, Scheduled):
            fresh = Scheduled(TIERS[self.scene.tier], self._dice, self._client.history, now)
            fresh.restarted_with(list(self._known.values()), now)
            fresh.imported(sorted(self._unknown), now)
            self._client = fresh

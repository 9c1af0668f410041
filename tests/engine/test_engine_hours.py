"""What takes minutes and hours, by a whole engine over sockets with a faster clock. Rows RAT-*, API-07, LIF-09."""

from __future__ import annotations

import itertools
import signal
from collections import Counter, deque
from collections.abc import Callable
from functools import partial

import pytest

from tests.conftest import until
from tests.engine.conftest import World, status_of
from tests.engine.hours import FastEngine, fast_engine
from tests.srv import (
    CREDITS,
    CREDITS_BODY,
    GENERATE,
    MODELS,
    MODELS_BODY,
    Answer,
    Request,
    error_reply,
    generation,
    html_reply,
    id_of,
    json_reply,
    reset,
)
from vivix_tui.domain.generation import Generation

TIMEOUT_S = 600.0  # by a fast clock a busy machine takes long to answer
BODY = '{"model":"m","prompt":"x"}'


@pytest.fixture(autouse=True)
def _patient(world: World) -> None:
    world.set(timeout_s=TIMEOUT_S)


class Api:
    """An API with a sliding window of calls, by the engine's clock; another program makes `others` calls each second,
    and has done so for a while: of one that begins at the same moment nobody can know how much it will use.
    """

    def __init__(self, world: World, engine: FastEngine, limit: int, others: float = 0.0) -> None:
        self.calls: list[tuple[float, str]] = []
        self.limited = 0
        self.refuses: Callable[[str], bytes | None] = lambda _: None
        self._engine = engine
        self._limit = limit
        self._others = others
        self._others_at = engine.clock.monotonic() - 60
        self._window: deque[float] = deque()
        limits = {"rate_limit": {"calls_per_minute": limit, "concurrent_jobs": 500}}
        world.srv.on("GET", CREDITS, lambda r: self._answer(r, CREDITS_BODY | limits))
        world.srv.on("GET", MODELS, lambda r: self._answer(r, MODELS_BODY | limits))
        world.srv.on("POST", GENERATE, lambda r: self._answer(r, {"generation_id": "new", "status": "pending"}, 201))
        world.answer_polls(lambda r: self._answer(r, generation(id_of(r), "processing", elapsed_ms=30_000)))

    def _answer(self, request: Request, body: object, status: int = 200) -> bytes:
        now = self._engine.clock.monotonic()
        self.calls.append((now, request.path))
        refusal = self.refuses(request.path)
        if refusal is not None:
            return refusal
        while self._others and self._others_at <= now:
            if len(self._window) < self._limit:
                self._window.append(self._others_at)
            self._others_at += 1 / self._others
        while self._window and self._window[0] <= now - 60:
            self._window.popleft()
        if len(self._window) >= self._limit:
            self.limited += 1
            return error_reply(429, "RATE_LIMITED", headers={"Retry-After": "5"})
        self._window.append(now)
        return json_reply(status, body, {"X-RateLimit-Remaining": str(self._limit - len(self._window))})

    def since(self, when: float) -> list[float]:
        return [at for at, _ in self.calls if at >= when]


def worst(times: list[float], seconds: float) -> int:
    """The most calls in any stretch of so many seconds."""
    return max((sum(start <= at < start + seconds for at in times) for start in times), default=0)


def known(world: World, ids: list[str]) -> list[Generation]:
    return [row for row in map(world.row, ids) if row.status is not None]


def accepted(world: World, submission: str) -> bool:
    return world.state(submission) == "accepted"


def test_rat_03_ten_minutes_of_two_hundred_ids_at_sixty_a_minute(world: World) -> None:
    ids = [f"g{i}" for i in range(200)]
    world.track(*ids)
    with fast_engine(world.config) as engine:
        api = Api(world, engine, 60)
        until(lambda: api.calls)
        engine.change(speed=20)
        for _ in range(5):
            engine.passes(120)
            submission = world.submit(BODY)[0]
            asked = engine.clock.monotonic()
            until(partial(accepted, world, submission))
            assert engine.clock.monotonic() - asked < 60
        assert api.limited == 0
        assert worst(api.since(0), 60) <= 60
        now = engine.clock.monotonic()
        for one in ids:
            times = [at for at, path in api.calls if path.endswith(f"/{one}")]
            assert max(b - a for a, b in itertools.pairwise([*times, now])) <= 300


def test_rat_04_ten_minutes_of_a_window_that_others_all_but_empty(world: World) -> None:
    world.track(*(f"g{i}" for i in range(20)))
    with fast_engine(world.config) as engine:
        api = Api(world, engine, 240, others=3.0)
        until(lambda: api.calls)
        engine.change(speed=40)
        engine.passes(600)
        assert api.limited == 0
        assert len(api.calls) > 200, "it goes on with what is left"


def test_rat_01_after_a_429_on_one_of_forty_nobody_calls_for_seven_seconds(world: World) -> None:
    ids = [f"g{i}" for i in range(40)]
    world.track(*ids)
    with fast_engine(world.config) as engine:
        api = Api(world, engine, 600)
        until(lambda: len(known(world, ids)) == 40)
        at: list[float] = []

        def once(path: str) -> bytes | None:
            if at or "generations" not in path:
                return None
            at.append(engine.clock.monotonic())
            return error_reply(429, "RATE_LIMITED", headers={"Retry-After": "7"})

        api.refuses = once
        until(lambda: at)
        engine.passes(9)
        early = [when for when in api.since(at[0]) if when < at[0] + 7]
        assert len(early) <= 7, "those that were under way with it"
        assert all(when - at[0] < 1 for when in early)
        assert min(when for when in api.since(at[0]) if when not in early) - at[0] < 9


OUTAGES: dict[str, Answer] = {
    "503": error_reply(503, "PROVIDER_DOWN"),
    "RST": reset(),
    "a portal": html_reply(200, headers={"X-RateLimit-Remaining": "100"}),
}


@pytest.mark.parametrize("answer", OUTAGES.values(), ids=OUTAGES.keys())
def test_rat_05_half_an_hour_of_outage_and_no_rush_after_it(world: World, answer: Answer) -> None:
    ids = [f"g{i}" for i in range(100)]
    world.track(*ids)
    with fast_engine(world.config) as engine:
        api = Api(world, engine, 240)
        engine.change(speed=4)
        until(lambda: len(known(world, ids)) == 100, timeout_s=40)
        down = engine.clock.monotonic()
        api.refuses = lambda _: answer  # type: ignore[assignment, return-value]
        engine.change(speed=40)
        engine.passes(305)
        assert len(api.since(down)) <= 70
        engine.change(speed=200)
        engine.passes(1500)
        assert len(api.since(down)) <= 70 + 50 + 2
        assert all(row.status == "processing" and row.gone is None for row in known(world, ids))
        engine.change(speed=3)
        api.refuses = lambda _: None
        up = engine.clock.monotonic()
        until(lambda: engine.clock.monotonic() - up > 45 or len({p for at, p in api.calls if at > up}) >= 100, 40)
        after = [at for at, _ in api.calls if at > up]
        assert after[0] - up <= 31
        assert worst(after, 1) <= 5 + 1, "one more where two of them met on the way"
        until(lambda: world.engine_row.connection == "live")


def test_api_07_ten_minutes_offline_cost_nothing_and_end_by_themselves(world: World) -> None:
    ids = [f"g{i}" for i in range(5)]
    world.track(*ids)
    with fast_engine(world.config) as engine:
        Api(world, engine, 240)
        until(lambda: len(known(world, ids)) == 5)
        world.srv.down()
        engine.change(speed=100)
        engine.passes(600)
        until(lambda: world.engine_row.connection == "offline")
        assert all((row.status, row.gone) == ("processing", None) for row in known(world, ids))
        world.answer_polls(status_of("completed"))
        engine.change(speed=10)
        world.srv.up()
        up = engine.clock.monotonic()
        until(lambda: all(world.status(one) == "completed" for one in ids))
        assert engine.clock.monotonic() - up <= 30 + 10
        until(lambda: world.engine_row.connection == "live")


def test_lif_09_eight_hours_of_sleep_end_with_the_truth_and_without_a_burst(world: World) -> None:
    ids = [f"g{i}" for i in range(20)]
    world.track(*ids)
    with fast_engine(world.config) as engine:
        api = Api(world, engine, 240)
        until(lambda: len(known(world, ids)) == 20)
        engine.process.send_signal(signal.SIGSTOP)
        world.srv.down()
        asleep = len(api.calls)
        world.answer_polls(status_of("completed"))
        world.srv.up()
        engine.change(speed=1, skip=8 * 3600)
        assert len(api.calls) == asleep
        engine.process.send_signal(signal.SIGCONT)
        woke = engine.clock.monotonic()
        until(lambda: all(world.status(one) == "completed" for one in ids), timeout_s=10)
        assert engine.clock.monotonic() - woke <= 8
        times = [r.at for r in world.srv.calls("GET")[asleep:]]
        assert worst(times, 1) <= 6
        assert max(Counter(id_of(r) for r in world.srv.calls("GET")[asleep:]).values()) <= 2

"""Who is asked about when. A little API answers in simulated time; hours pass in a moment."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Callable

import pytest

from vivix_tui.domain.budget import Budget
from vivix_tui.domain.cadence import GAP_MAX_S, GAP_MIN_S, STARVED_S, Cadence, Watched
from vivix_tui.domain.estimate import Durations

IMAGE, VIDEO = Durations(13.0, 0.25, 20), Durations(105.0, 0.3, 20)
TICK_S = 0.1


class Clockwork:
    """Cadence and budget against an API that answers at once: `calls` are (time, id); 429 where a minute is full."""

    def __init__(self, limit: int, watched: dict[str, Watched]) -> None:
        self.now = 0.0
        self.calls: list[tuple[float, str]] = []
        self.window: deque[float] = deque()
        self.limited = 0
        self.limit = limit
        self.cadence, self.budget = Cadence(), Budget()
        self.budget.set_limit(limit)
        self.cadence.follow(watched, self.now)
        self.status: Callable[[str], int] = lambda _: 200
        self.posts_wanted = 0
        self.posts: list[float] = []
        self.born = dict.fromkeys(watched, 0.0)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            if self.posts_wanted and self.budget.may_call(self.now, urgent=True):
                self.posts_wanted -= 1
                self.budget.called(self.now)
                self.posts.append(self.now)
                self._answer("POST")
            for generation_id in self.cadence.tick(self.now, self.budget, 8):
                usable = self._answer(generation_id)
                self.cadence.answered(
                    generation_id,
                    self.now,
                    usable=usable,
                    age_s=self.now - self.born[generation_id] if usable else None,
                )
            self.now += TICK_S

    def _answer(self, what: str) -> bool:
        status = self.status(what)
        while self.window and self.window[0] <= self.now - 60:
            self.window.popleft()
        used = len(self.window)
        self.calls.append((self.now, what))
        self.window.append(self.now)
        self.budget.ended()
        if status == 200 and used >= self.limit:
            self.limited += 1
            self.budget.limited(self.now, 5, 0.5)
        elif status == 200:
            self.budget.answered(self.now, self.limit - used - 1)
        elif status == 404:  # a usable answer that does not tell how many calls are left
            self.budget.answered(self.now, None)
        else:
            self.budget.failed(self.now, 0.5)
        return status == 200

    def worst(self, seconds: float) -> int:
        """The most calls in any stretch of so many seconds."""
        times = [at for at, _ in self.calls]
        return max((sum(start <= at < start + seconds for at in times) for start in times), default=0)

    def gaps(self, generation_id: str) -> list[float]:
        """Seconds between questions about one id, the beginning and the end of time included."""
        times = [0.0, *(at for at, what in self.calls if what == generation_id), self.now]
        return [later - before for before, later in itertools.pairwise(times)]


def test_rat_03_two_hundred_jobs_share_sixty_calls_a_minute() -> None:
    ids = [f"g{i}" for i in range(200)]
    kinds = (IMAGE, VIDEO)
    world = Clockwork(60, {key: Watched(kinds[i % 2], age_s=float(i)) for i, key in enumerate(ids)})
    for _ in range(12):
        world.posts_wanted += 2
        world.run(60)
    assert world.worst(60) <= 60
    assert world.limited == 0
    assert max(max(world.gaps(key)) for key in ids) <= 300
    assert len(world.posts) >= 23


def test_rat_04_a_window_that_others_all_but_empty_earns_no_429() -> None:
    world = Clockwork(240, {f"g{i}": Watched(IMAGE, age_s=10.0) for i in range(20)})
    world.run(60)
    for _ in range(400):
        world.run(1.5)
        world.window.extend([world.now] * 4)
    assert world.limited == 0
    assert len(world.calls) > 400, "it goes on with what is left"


def test_rat_05_half_an_hour_of_outage_and_no_rush_after_it() -> None:
    world = Clockwork(240, {f"g{i}": Watched(VIDEO, age_s=50.0) for i in range(100)})
    world.run(30)
    began, before = world.now, len(world.calls)
    world.status = lambda _: 503
    world.run(1800)
    into = [at - began for at, _ in world.calls[before:]]
    assert sum(at < 300 for at in into) <= 70
    assert len(into) <= 70 + 1500 / 30 + 1
    world.status = lambda _: 200
    world.calls.clear()
    ended = world.now
    world.run(60)
    assert world.calls[0][0] - ended <= 30.2
    assert world.worst(1) <= 5
    assert len({what for _, what in world.calls}) == 100


def test_an_outage_of_minutes_is_over_within_ten_seconds_even_for_a_single_job() -> None:
    world = Clockwork(240, {"g": Watched(VIDEO, age_s=50.0)})
    world.status = lambda _: 503
    world.run(200)
    world.status = lambda _: 200
    ended = world.now
    world.calls.clear()
    world.run(20)
    assert world.calls[0][0] - ended <= 8.1


@pytest.mark.parametrize("stopped_s", [60.0, 8 * 3600.0])
def test_lif_09_after_a_stop_of_hours_the_truth_comes_soon_and_without_a_burst(stopped_s: float) -> None:
    world = Clockwork(240, {f"g{i}": Watched(VIDEO, age_s=50.0) for i in range(20)})
    world.run(120)
    world.calls.clear()
    world.now += stopped_s
    world.cadence.woke()
    world.budget.hold_back(world.now)
    world.run(6)
    asked = Counter(what for _, what in world.calls)
    assert (len(asked), max(asked.values())) in ((20, 1), (20, 2))
    assert world.worst(1) <= 5


def test_a_fresh_job_is_left_alone_until_it_may_have_ended() -> None:
    world = Clockwork(600, {"g": Watched(IMAGE, age_s=0.0, fresh=True)})
    world.run(40)
    ages = [at for at, _ in world.calls]
    assert 3.0 < ages[0] < 9.0
    around = [b - a for a, b in itertools.pairwise(ages) if 11 < a < 18]
    assert min(around) < 1.2
    assert min(around) >= GAP_MIN_S


def test_one_whose_age_nobody_knows_is_asked_about_at_once_and_then_seldom_enough() -> None:
    world = Clockwork(600, {"g": Watched(VIDEO)})
    world.run(30)
    assert world.calls[0][0] == 0.0
    assert len(world.calls) <= 6


def test_a_job_that_is_far_too_late_is_never_forgotten() -> None:
    world = Clockwork(600, {"g": Watched(IMAGE, age_s=0.0)})
    world.born["g"] = -86_400.0
    world.run(200)
    assert max(world.gaps("g")) <= GAP_MAX_S + TICK_S * 1.5


def test_scarce_calls_slow_all_alike_and_starve_nobody() -> None:
    world = Clockwork(60, {f"g{i}": Watched(VIDEO, age_s=90.0 + i) for i in range(40)})
    world.run(600)
    asked = Counter(what for _, what in world.calls)
    assert max(asked.values()) <= 2 * min(asked.values())
    assert max(max(world.gaps(f"g{i}")) for i in range(40)) < STARVED_S


def test_a_wish_goes_first_counts_once_and_may_use_the_reserve() -> None:
    world = Clockwork(60, {f"g{i}": Watched(VIDEO, age_s=100.0) for i in range(30)})
    world.run(30)
    before = len(world.calls)
    for _ in range(5):
        world.cadence.wish("g29")
    world.run(1.0)
    assert [what for _, what in world.calls[before:]].count("g29") == 1
    assert world.calls[before][1] == "g29"
    world.cadence.wish("nobody knows this one")
    world.run(1.0)


def test_an_import_waits_for_the_live_ones_and_is_asked_about_once_each() -> None:
    live = {f"g{i}": Watched(VIDEO, age_s=80.0) for i in range(5)}
    old = {f"old{i}": Watched(VIDEO, backlog=True) for i in range(1000)}
    world = Clockwork(600, live | old)
    asked = Counter[str]()
    while world.now < 240 and len(world.cadence) > 5:
        before = len(world.calls)
        world.run(TICK_S / 2)
        for _, what in world.calls[before:]:
            asked[what] += 1
            if what in old:
                world.cadence.over(what)
    assert len(world.cadence) == 5
    assert all(asked[key] == 1 for key in old)
    assert world.now < 180
    assert all(asked[key] >= 5 for key in live)
    assert world.limited == 0


def test_an_import_of_which_nothing_is_left_at_the_api_comes_to_its_end() -> None:
    """Refusals do not tell how many calls are left: what was told last must not stand for ever."""
    old = {f"old{i}": Watched(VIDEO, backlog=True) for i in range(1500)}
    world = Clockwork(600, {"g": Watched(VIDEO, age_s=80.0)} | old)
    world.run(1)
    world.cadence.over("g")
    world.status = lambda _: 404
    while world.now < 300 and len(world.cadence):
        before = len(world.calls)
        world.run(TICK_S / 2)
        for _, what in world.calls[before:]:
            world.cadence.over(what)
    assert len(world.cadence) == 0
    assert world.worst(60) <= 600


def test_one_that_brings_no_answer_waits_longer_each_time_and_an_answer_ends_that() -> None:
    world = Clockwork(600, {"bad": Watched(IMAGE, age_s=12.0), "good": Watched(IMAGE, age_s=12.0)})
    world.now = 0.1
    for _ in range(3):
        asked = set(world.cadence.tick(world.now, world.budget, 8))
        for key in asked:
            world.budget.ended()
            world.cadence.answered(key, world.now, usable=key == "good", age_s=12.0)
        world.now += 1.0
    assert "bad" not in world.cadence.tick(world.now, world.budget, 8)


def test_what_is_no_longer_followed_is_forgotten_even_while_its_answer_is_awaited() -> None:
    cadence, budget = Cadence(), Budget()
    cadence.follow({"g": Watched(IMAGE), "h": Watched(IMAGE, backlog=True)}, 0.0)
    assert cadence.tick(0.0, budget, 1) == ["g"]
    cadence.follow({}, 1.0)
    cadence.answered("g", 2.0, usable=True, age_s=1.0)
    cadence.wish("g")
    assert len(cadence) == 0
    assert cadence.tick(9.0, budget, 8) == []


def test_what_nobody_knows_goes_before_what_waits_for_its_turn() -> None:
    """Two hundred that all had to wait for minutes must not make the newest wait as long for its first answer."""
    known = {f"g{i}": Watched(VIDEO, age_s=50.0) for i in range(240)}
    world = Clockwork(60, known)
    world.run(300)
    world.cadence.follow(known | {"new": Watched(VIDEO)}, world.now)
    world.born["new"] = world.now
    world.calls.clear()
    world.run(10)
    assert "new" in [what for _, what in world.calls]


def test_what_nobody_knows_goes_before_what_is_late() -> None:
    late = {f"late{i}": Watched(IMAGE, age_s=30.0) for i in range(20)}
    world = Clockwork(240, late)
    world.run(20)
    world.cadence.follow(late | {f"new{i}": Watched(IMAGE) for i in range(10)}, world.now)
    world.born |= {f"new{i}": world.now - 30 for i in range(10)}
    world.calls.clear()
    world.run(4)
    assert {what for _, what in world.calls[:10]} == {f"new{i}" for i in range(10)}


def test_between_questions_nothing_becomes_due_and_then_exactly_one_does() -> None:
    cadence, budget = Cadence(), Budget()
    budget.set_limit(600)
    cadence.follow({"image": Watched(IMAGE, age_s=0.0, fresh=True)}, 0.0)
    now = 0.0
    for _ in range(30):
        assert cadence.tick(now, budget, 8) == []
        rest_s = cadence.rest_s(now)
        assert GAP_MIN_S * 0.99 <= rest_s <= GAP_MAX_S
        assert cadence.tick(now + rest_s - 0.01, budget, 8) == []
        now += rest_s + 1e-9
        assert cadence.tick(now, budget, 8) == ["image"]
        budget.ended()
        budget.answered(now, 500)
        cadence.answered("image", now, usable=True, age_s=now)


def test_who_waits_for_calls_or_for_the_user_does_not_rest() -> None:
    cadence, budget = Cadence(), Budget()
    budget.set_limit(600)
    cadence.follow({"a": Watched(VIDEO, age_s=1.0), "b": Watched(VIDEO, age_s=0.0, fresh=True)}, 0.0)
    assert cadence.tick(0.0, budget, 0) == []
    assert cadence.rest_s(0.0) == 0.0, "one was never asked about, and there was no room"
    assert cadence.tick(0.0, budget, 8) == ["a"]
    assert cadence.rest_s(0.0) > 1.0
    cadence.wish("a")
    cadence.tick(0.1, budget, 8)
    assert cadence.rest_s(0.1) == 0.0, "the user's wish is for the answer after the one that is on its way"

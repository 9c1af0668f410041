"""Everything that is called on one key, by a whole engine: imports and wishes. Rows RAT-*."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import until
from tests.engine.conftest import PROFILE, World, status_of
from tests.srv import CREDITS, CREDITS_BODY, MODELS_BODY, generation, id_of, json_reply, later
from vivix_tui import verbs
from vivix_tui.domain import cadence

BODY = '{"model":"m","prompt":"x"}'


def limited(world: World, calls_per_minute: int) -> None:
    """The API says that this is the account's limit."""
    limit = {"rate_limit": {"calls_per_minute": calls_per_minute, "concurrent_jobs": 5}}
    world.srv.on("GET", CREDITS, json_reply(200, CREDITS_BODY | limit))
    world.srv.on("GET", "/api/v1/models", json_reply(200, MODELS_BODY | limit))


def test_an_import_is_asked_about_once_each_and_a_live_one_keeps_its_turn(world: World) -> None:
    world.answer_polls(
        lambda r: json_reply(200, generation(id_of(r), "pending" if r.path.endswith("live") else "completed"))
    )
    world.track("live")
    world.track(*(f"old{i}" for i in range(300)))
    world.start()
    until(lambda: world.engine_row.unasked)
    assert world.engine_row.unasked_of in range(280, 302)
    until(lambda: all(world.status(f"old{i}") == "completed" for i in range(300)), timeout_s=20)
    until(lambda: world.engine_row.unasked is None)
    asked = Counter(id_of(r) for r in world.polls("old*"))
    assert set(asked.values()) == {1}
    assert len(world.polls("live")) >= 5


def test_an_import_goes_on_after_a_restart_without_asking_twice(world: World) -> None:
    world.answer_polls(status_of("completed"))
    ids = [f"old{i}" for i in range(400)]
    world.track(*ids)
    first = world.start()
    until(lambda: len(world.polls()) >= 60)
    assert first.stop()
    done = {key for key in ids if world.status(key) == "completed"}
    before = Counter(id_of(r) for r in world.polls())
    world.start()
    until(lambda: all(world.status(key) == "completed" for key in ids), timeout_s=20)
    after = Counter(id_of(r) for r in world.polls())
    assert all(after[key] == before[key] == 1 for key in done)
    assert sum(after.values()) - len(ids) <= 8, "those under way when it stopped may be asked about again"


def test_what_is_typed_by_hand_does_not_wait_behind_an_import(world: World) -> None:
    limited(world, 240)
    world.answer_polls(lambda r: later(0.02, json_reply(200, generation(id_of(r), "completed"))))
    world.track(*(f"old{i}" for i in range(1000)))
    world.start()
    until(lambda: len(world.polls("old*")) >= 3)
    world.track("mine")
    asked = time.monotonic()
    until(lambda: world.status("mine") == "completed", timeout_s=5)
    assert time.monotonic() - asked < 4
    assert len(world.polls("old*")) < 100


def test_repeated_wishes_are_one_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cadence, "GAP_MAX_S", 60.0)
    world.answer_polls(lambda r: later(0.3, json_reply(200, generation(id_of(r), "processing"))))
    world.track("g1")
    world.start()
    until(lambda: world.status("g1") == "processing")
    assert len(world.polls("g1")) == 1
    for _ in range(10):
        verbs.refresh(world.store, PROFILE, "g1")
        time.sleep(0.05)
    until(lambda: not world.store.all("SELECT 1 FROM generations WHERE hurry = 1"))
    assert len(world.polls("g1")) in (2, 3)


def test_rat_03_submissions_and_all_ids_have_their_turn_in_sixty_calls_a_minute(world: World) -> None:
    """The first quarter of a minute of it; the minutes after are tested with a clock of their own."""
    limited(world, 60)
    world.track(*(f"g{i}" for i in range(200)))
    world.start()
    until(lambda: len(world.polls()) >= 3)
    submission = world.submit(BODY)[0]
    until(lambda: world.state(submission) == "accepted", timeout_s=5)
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 5)
    assert world.srv.count() <= 26
    assert len({id_of(r) for r in world.polls("g*")}) >= 3


def test_credits_are_asked_for_at_the_start_after_a_refund_and_when_the_cycle_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vivix_tui.engine.account.AFTER_REFUND_S", 0.2)
    resets_at = datetime.now(UTC) + timedelta(seconds=6)
    world.srv.on("GET", CREDITS, json_reply(200, CREDITS_BODY | {"cycle_resets_at": resets_at.isoformat()}))
    world.answer_polls(lambda r: json_reply(200, generation(id_of(r), "failed" if r.nth > 5 else "processing")))
    world.track("g1", "g2", "g3")
    world.start()
    until(lambda: all(world.status(g) == "failed" for g in ("g1", "g2", "g3")))
    until(lambda: world.srv.count("GET", CREDITS) == 2, what="many refunds, one question")
    until(lambda: world.srv.count("GET", CREDITS) == 3, what="the reset")
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 1)
    assert world.srv.count("GET", CREDITS) == 3


def test_what_was_just_submitted_is_not_asked_about_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cadence, "GAP_MAX_S", 1.0)
    monkeypatch.setattr("vivix_tui.engine.watchlist.FRESH_S", 2.0)
    submission = world.submit(BODY)[0]
    world.start()
    until(lambda: world.state(submission) == "accepted")
    until(lambda: world.polls("new-*"))
    assert world.polls("new-*")[0].at - world.posts[0].at >= 0.9

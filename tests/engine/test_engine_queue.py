"""What the queue may do at the moment of sending, whatever happened while a body waited for its turn."""

from __future__ import annotations

import pytest

from tests.conftest import until
from tests.engine.conftest import PROFILE, World, made
from tests.engine.test_engine_submissions import BODY, rest
from tests.srv import (
    CREDITS,
    CREDITS_BODY,
    MODELS,
    MODELS_BODY,
    Connection,
    error_reply,
    generation,
    html_reply,
    id_of,
    json_reply,
    later,
    reset,
)
from vivix_tui import verbs_queue
from vivix_tui.store import query


def closed_for(world: World, seconds: int) -> None:
    """Nobody may call for so long: a poll met RATE_LIMITED."""
    world.track("polled")
    limited = error_reply(429, "RATE_LIMITED", headers={"Retry-After": str(seconds)})
    world.srv.on("GET", "*/polled", limited)
    world.start()
    until(lambda: world.engine_row.connection == "limited")
    world.srv.on("GET", "*/polled", json_reply(200, generation("polled", "pending")))


def test_a_queue_that_is_paused_while_a_body_waits_for_its_turn_sends_nothing(world: World) -> None:
    closed_for(world, 2)
    first, second = world.submit(BODY, BODY)
    rest(0.7)  # by now the submitter waits for its turn with the first one
    verbs_queue.pause(world.store, PROFILE)
    until(lambda: world.engine_row.connection == "live")
    rest(0.5)
    assert world.posts == []
    assert (world.state(first), world.state(second)) == ("queued", "queued")


def test_what_is_moved_to_the_top_while_another_waits_for_its_turn_goes_first(world: World) -> None:
    closed_for(world, 2)
    _, second = world.submit('{"prompt":"first"}', '{"prompt":"second"}')
    rest(0.7)
    verbs_queue.top(world.store, PROFILE, [second])
    until(lambda: len(world.posts) == 2)
    assert [b"first" in post.body for post in world.posts] == [False, True]


def test_mon_02_a_closed_port_between_two_unknown_outcomes_does_not_hide_them(world: World) -> None:
    """An API that flaps would eat the whole queue otherwise."""

    def last_one(connection: Connection) -> None:
        world.srv.refuse()
        connection.reset()

    world.answer_posts(lambda r: last_one)
    world.submit(*[BODY] * 4)
    world.start()
    until(lambda: world.store.all("SELECT 1 FROM events WHERE detail = 'NOT_SENT'"), what="a POST met the closed port")
    world.srv.listen()
    until(lambda: world.paused, what="the queue is paused")
    assert "2 submissions in a row had no readable answer" in (world.paused or "")
    assert len(world.posts) == 2


def test_mon_02_the_first_post_of_a_run_knows_the_balance_before_it(world: World) -> None:
    """An account that is slow to answer is waited for, one that does not answer is not."""
    told = json_reply(200, CREDITS_BODY | {"balance": 500}, {"X-Credits-Balance": "500"})
    world.srv.on("GET", CREDITS, lambda r: later(0.5, told))
    world.answer_posts(lambda r: reset())
    (submission,) = world.submit(BODY)
    world.start()
    until(lambda: world.submission(submission).balance_after == 500)
    assert world.submission(submission).balance_before == 500
    assert world.engines[-1].stop()
    world.srv.on("GET", CREDITS, html_reply(502))
    world.answer_posts(made)
    (second,) = world.submit(BODY)
    world.start()
    until(lambda: world.state(second) == "accepted")


def test_a_status_nobody_knows_holds_no_slot_for_good(world: World) -> None:
    limit = CREDITS_BODY | {"rate_limit": {"calls_per_minute": 60_000, "concurrent_jobs": 1}}
    world.srv.on("GET", CREDITS, json_reply(200, limit))
    world.srv.on("GET", MODELS, json_reply(200, MODELS_BODY | limit))
    world.track("odd")  # made in May, as the answer says
    world.answer_polls(lambda r: json_reply(200, generation(id_of(r), "cancelled" if id_of(r) == "odd" else "pending")))
    world.start()
    until(lambda: world.status("odd") == "cancelled")
    until(lambda: world.store.all("SELECT 1 FROM accounts WHERE concurrent_jobs = 1"))
    (submission,) = world.submit(BODY)
    until(lambda: world.state(submission) == "accepted", timeout_s=4)


def test_a_pause_by_the_user_outlives_a_402(world: World) -> None:
    world.srv.on("GET", CREDITS, json_reply(200, CREDITS_BODY | {"balance": 49}, {"X-Credits-Balance": "49"}))
    no = error_reply(402, "INSUFFICIENT_CREDITS", balance=49, needed=1200)
    world.answer_posts(lambda r: later(0.6, no))
    world.submit(BODY)
    world.start()
    until(lambda: len(world.posts) == 1)
    verbs_queue.pause(world.store, PROFILE)
    rest(1.0)
    world.answer_posts(made)
    world.answer_polls(lambda r: json_reply(200, generation(id_of(r)), {"X-Credits-Balance": "5,000"}))
    world.track("live")
    until(lambda: query.account(world.store, PROFILE).balance == 5000)
    rest(0.5)
    assert world.paused
    assert len(world.posts) == 1


def test_the_same_id_for_two_submissions_keeps_what_the_first_one_said(world: World) -> None:
    world.answer_posts(json_reply(201, {"generation_id": "same", "status": "pending"}))
    first, second = world.submit('{"prompt":"first"}', '{"prompt":"second"}')
    world.start()
    until(lambda: world.state(second) == "accepted")
    row = world.row("same")
    assert (row.body, row.submission_id) == ('{"prompt":"first"}', first)


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
def test_rat_01_a_retry_after_holds_over_a_restart(world: World, killed: bool) -> None:
    closed_for(world, 4)
    limited = world.polls("polled")[-1].at
    assert world.engines[-1].stop()
    if killed:  # the row as it is left when nobody ends in good order
        with world.store.write() as connection:
            connection.execute("UPDATE engines SET connection = 'limited'")
    world.submit(BODY)
    world.start()
    until(lambda: world.engine_row.connection == "limited")
    until(lambda: len(world.posts) == 1, timeout_s=12)
    assert min(r.at - limited for r in world.srv.calls() if r.at > limited) >= 4.0


def test_rat_08_a_full_account_is_not_asked_more_often_because_of_a_restart(world: World) -> None:
    world.answer_posts(error_reply(429, "CONCURRENCY_LIMIT"))
    (submission,) = world.submit(BODY)
    world.start()
    until(lambda: world.submission(submission).error == "CONCURRENCY_LIMIT")
    for _ in range(2):
        assert world.engines[-1].stop()
        world.start()
        until(lambda: world.engine_row.connection == "live")
        rest(0.5)
    assert len(world.posts) == 1

"""Retries: the API is asked first where it is not known that the original failed; what fails may be sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.conftest import until
from tests.engine.conftest import PROFILE, World, status_of
from tests.srv import Request, error_reply, generation, id_of, json_reply
from vivix_tui import verbs_retry
from vivix_tui.config import Retry
from vivix_tui.store import query

BODY = '{"model": "grok-imagine-image-quality", "prompt": "a misty forest 🌲", "seed": 7}'


def retried(world: World, *, again: bool = False) -> str:
    (submission,) = verbs_retry.retry(world.store, PROFILE, "g1", again=again).ids
    return submission


def test_a_failure_that_the_api_confirms_lets_the_retry_go(world: World) -> None:
    world.track("g1", body=BODY)
    world.answer_polls(status_of("failed"))
    submission = retried(world)
    world.start()
    until(lambda: world.state(submission) == "accepted")
    assert world.polls("g1")[0].at < world.posts[0].at
    assert [post.body for post in world.posts] == [BODY.encode()]


@pytest.mark.parametrize("again", [False, True])
def test_a_retry_of_one_that_still_renders_is_refused_unsent(world: World, again: bool) -> None:
    world.track("g1", body=BODY)
    world.answer_polls(status_of("processing"))
    submission = retried(world, again=again)
    world.start()
    until(lambda: world.state(submission) == "refused")
    item = world.submission(submission)
    assert item.error == "NOT_FAILED"
    assert "has not ended (processing)" in (item.message or "")
    assert not world.posts


def test_one_that_completed_meanwhile_goes_out_only_when_again_was_said(world: World) -> None:
    world.track("g1", body=BODY)
    world.answer_polls(status_of("completed", output_url="https://x.example/1.png", credits_used=5))
    first, second = retried(world), retried(world, again=True)
    world.start()
    until(lambda: world.state(second) == "accepted")
    assert world.state(first) == "refused"
    assert world.submission(first).message == "it completed"
    assert len(world.posts) == 1


def test_a_clock_that_was_set_back_keeps_no_retry_waiting(world: World) -> None:
    """The last answer was written down an hour ahead of what the clock says now."""
    world.track("g1", body=BODY)
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    with world.store.write() as connection:
        connection.execute("UPDATE generations SET status = 'processing', checked_at = ?", (ahead,))
    submission = retried(world)
    world.answer_polls(status_of("failed"))
    world.start()
    until(lambda: world.state(submission) == "accepted")


def test_one_that_the_api_no_longer_knows_is_asked_about_once(world: World) -> None:
    world.track("g1", body=BODY)
    world.answer_polls(error_reply(404, "NOT_FOUND", "no such generation"))
    world.start()
    until(lambda: world.row("g1").gone)
    asked = len(world.polls("g1"))
    submission = retried(world)
    until(lambda: world.state(submission) == "refused")
    assert "does not say how it ended (NOT_FOUND)" in (world.submission(submission).message or "")
    assert len(world.polls("g1")) == asked + 1
    assert not world.posts


def test_a_question_that_cannot_be_answered_holds_its_retry_and_no_other(world: World) -> None:
    world.track("g1", body=BODY)
    world.answer_polls(json_reply(200, ["not", "a", "generation"]))
    asking, other = retried(world), world.submit(BODY)[0]
    world.start()
    until(lambda: world.state(other) == "accepted")
    assert world.state(asking) == "queued"
    assert len(world.posts) == 1


def auto(world: World, **rules: Any) -> None:
    world.config = msgspec.structs.replace(
        world.config, settings=msgspec.structs.replace(world.config.settings, retry=Retry(auto=True, **rules))
    )


def failed(world: World, generation_id: str) -> bool:
    sql = "SELECT 1 FROM generations WHERE generation_id = ? AND status = 'failed'"
    return bool(world.store.all(sql, (generation_id,)))


def fails_with(world: World, code: str, *, times: int = 99) -> None:
    """Accepted generations are g1, g2, …; the first `times` of them fail."""
    world.answer_posts(lambda r: json_reply(201, {"generation_id": f"g{r.nth}", "status": "pending"}))

    def poll(request: Request) -> bytes:
        number = int(id_of(request)[1:])
        end = generation(id_of(request), "failed", error=code)
        return json_reply(200, end if number <= times else generation(id_of(request), "processing"))

    world.answer_polls(poll)


def test_transient_failures_are_sent_again_where_that_is_switched_on_and_bounded(world: World) -> None:
    auto(world, max_attempts=2)
    fails_with(world, "PROVIDER_ERROR")
    world.submit(BODY)
    world.start()
    until(lambda: failed(world, "g3"))
    other = world.submit(BODY.replace("misty", "sunny"))[0]
    until(lambda: world.state(other) == "accepted")
    assert [post.body for post in world.posts][:3] == [BODY.encode()] * 3
    assert [world.row(name).retry_of for name in ("g1", "g2", "g3")] == [None, "g1", "g2"]
    found = query.detail(world.store, PROFILE, "generation", "g2")
    assert found is not None
    assert "automatic retry 2 of 2" in [f"{event.event} {event.detail}" for event in found.events]
    assert not [row for row in query.queue(world.store, PROFILE) if row.retry_of == "g3"]


@pytest.mark.parametrize(
    ("rules", "code"),
    [(None, "PROVIDER_ERROR"), ({}, "CONTENT_POLICY"), ({}, "NEW_CODE"), ({"models": ("other",)}, "PROVIDER_ERROR")],
)
def test_other_failures_are_left_to_the_user(world: World, rules: dict[str, Any] | None, code: str) -> None:
    if rules is not None:
        auto(world, **rules)
    fails_with(world, code)
    world.submit(BODY)
    world.start()
    until(lambda: failed(world, "g1"))
    other = world.submit(BODY)[0]
    until(lambda: world.state(other) == "accepted")
    assert len(world.posts) == 2


def test_what_failed_elsewhere_or_before_is_not_sent_again(world: World) -> None:
    auto(world)
    fails_with(world, "PROVIDER_ERROR", times=1)
    world.track("g1", body=BODY)
    world.start()
    until(lambda: failed(world, "g1"))
    other = world.submit(BODY)[0]
    until(lambda: world.state(other) == "accepted")
    assert len(world.posts) == 1

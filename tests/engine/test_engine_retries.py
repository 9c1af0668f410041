"""Retries: the API is asked first where it is not known that the original failed; what fails may be sent again."""

from __future__ import annotations

import pytest

from tests.conftest import until
from tests.engine.conftest import PROFILE, World, status_of
from tests.srv import error_reply, json_reply
from vivix_tui import verbs_retry

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

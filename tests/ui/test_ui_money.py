"""What costs credits, and what was not sent: the questions, their warnings, and what each answer writes."""

from __future__ import annotations

import json

import msgspec
import pytest

from tests.ui.conftest import IMAGE, NOW, PROFILE, Screen
from tests.ui.test_ui_keys import main, press, toasts
from vivix_tui import verbs, verbs_queue, verbs_retry
from vivix_tui.config import Settings, Spend
from vivix_tui.domain.generation import Answer
from vivix_tui.errors import Refusal
from vivix_tui.store import generations, query, submissions
from vivix_tui.ui.app import VivixApp
from vivix_tui.ui.screens.dialogs import AskLine, Choose, Confirm

BODY = json.dumps({"model": IMAGE, "prompt": "a fox"})


def waiting(screen: Screen, count: int = 1) -> tuple[str, ...]:
    screen.account()
    return verbs.submit(screen.store, PROFILE, [BODY] * count).ids


def unknown(screen: Screen) -> str:
    (submission,) = waiting(screen)
    item = submissions.get(screen.store, submission)
    assert item is not None
    submissions.begin(screen.store, submission, 12_847, NOW)
    lost = Refusal(status=504, code="HTTP_504", message="gateway 504", request_id="req_7")
    submissions.ended(screen.store, item, "unknown", NOW, refusal=lost)
    submissions.saw_balance(screen.store, PROFILE, 12_636)
    return submission


def state(screen: Screen, submission: str) -> tuple[str, bool]:
    item = submissions.get(screen.store, submission)
    assert item is not None
    return item.state, item.held


def text_of(app: VivixApp) -> str:
    assert isinstance(app.screen, Choose)
    return app.screen._text


async def test_m_holds_releases_and_cancels(screen: Screen) -> None:
    (submission,) = waiting(screen)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        for key, after in (("h", ("queued", True)), ("r", ("queued", False)), ("c", ("cancelled", False))):
            await press(pilot, "m", key)
            assert state(screen, submission) == after
    assert screen.woken == 3


async def test_m_moves_marked_rows_to_the_top_in_the_order_of_marking(screen: Screen) -> None:
    ids = waiting(screen, 3)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        shown = [row.id for row in query.page(screen.store, PROFILE, query.Filter(), offset=0, limit=9)]
        await press(pilot, "j", "j", "space", "k", "space", "m", "t")
        assert "2 moved to the top" in toasts(app)
    order = [item.submission_id for item in query.queue(screen.store, PROFILE)]
    assert order == [shown[2], shown[1], shown[0]]
    assert set(order) == set(ids)


@pytest.mark.parametrize("key", ["enter", "escape", "q", "x", "y"])
async def test_m_changes_nothing_by_any_other_key(screen: Screen, key: str) -> None:
    (submission,) = waiting(screen)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "m", key, "escape")
        assert app.screen is main(app)
    assert state(screen, submission) == ("queued", False)


async def test_m_pauses_and_resumes_the_queue_and_says_why_it_is_paused(screen: Screen) -> None:
    waiting(screen)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "m", "p")
        assert query.queue_paused(screen.store, PROFILE) == "paused by you"
        await press(pilot, "m")
        assert text_of(app) == "The queue is paused: paused by you"
        await press(pilot, "p")
        assert query.queue_paused(screen.store, PROFILE) is None


async def test_m_resumes_a_paused_queue_from_any_row(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "m")
        assert "queue…: it was sent already; this is for submissions that wait" in toasts(app)
        verbs_queue.pause(screen.store, PROFILE)
        main(app).reload()
        await press(pilot, "m", "p")
        assert query.queue_paused(screen.store, PROFILE) is None


async def test_an_unknown_outcome_is_explained_and_the_id_makes_it_tracked(screen: Screen) -> None:
    submission = unknown(screen)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "m")
        for words in ("may have been charged", "12,847 before and 12,636 after", "req_7", "never sent again by itself"):
            assert words in text_of(app)
        await press(pilot, "i")
        assert isinstance(app.screen, AskLine)
        await press(pilot, *"has blank", "enter")
        assert len(app.screen_stack) == 3
        await press(pilot, *["backspace"] * 9, *"g-77", "enter")
        assert len(app.screen_stack) == 2
    assert state(screen, submission)[0] == "accepted"
    assert query.generation(screen.store, PROFILE, "g-77") is not None


@pytest.mark.parametrize(
    ("keys", "after"),
    [("ny", "queued"), ("n", "unknown"), ("gy", "cancelled"), ("g", "unknown")],
)
async def test_an_unknown_outcome_is_settled_by_the_user_alone(screen: Screen, keys: str, after: str) -> None:
    submission = unknown(screen)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "m", *keys)
        if len(keys) == 1:
            assert ("paid for twice" if keys == "n" else "cannot be taken up again") in text_of(app)
            await press(pilot, "enter")
    assert state(screen, submission)[0] == after


def drawn(app: VivixApp) -> str:
    return app.export_screenshot().replace("&#160;", " ")


async def test_on_an_unknown_one_too_the_key_of_the_banner_resumes_the_queue(screen: Screen) -> None:
    submission = unknown(screen)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "m")
        assert "resume the queue" not in drawn(app)
        await press(pilot, "escape")
        verbs_queue.pause(screen.store, PROFILE)
        await press(pilot, "m")
        assert "resume the queue" in drawn(app)
        await press(pilot, "p")
    assert query.queue_paused(screen.store, PROFILE) is None
    assert state(screen, submission)[0] == "unknown"


async def test_a_completed_one_says_what_its_seed_means_and_offers_another(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "g", "R")
        assert "the same body and seed give the same result" in text_of(app)
        await press(pilot, "s")
        assert isinstance(app.screen, Confirm)
        assert '"seed"' in text_of(app)
        await press(pilot, "y")
    (item,) = query.queue(screen.store, PROFILE)
    original = query.generation(screen.store, PROFILE, item.retry_of or "")
    assert original is not None
    before, after = json.loads(original.body or ""), json.loads(item.body)
    assert before.pop("seed") != after.pop("seed")
    assert before == after


@pytest.mark.parametrize(("key", "queued"), [("y", 8), ("a", 10)])
async def test_of_many_y_repeats_what_failed_and_a_all_of_them(screen: Screen, key: str, queued: int) -> None:
    """However many there are, what y would waste is said, and y does not do it."""
    screen.account()
    for number in range(8):
        screen.row(number, "failed", credits_used=0, error="PROVIDER_ERROR")
    for number in range(8, 10):
        screen.row(number, "completed", credits_used=100)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "asterisk", "R")
        assert "2 of them: it completed" in text_of(app)
        assert "8 of them: The cause was transient" in text_of(app)
        await press(pilot, key)
        assert f"{queued} retries queued" in toasts(app)
    assert len(query.queue(screen.store, PROFILE)) == queued


async def test_one_that_the_api_no_longer_knows_is_sent_by_a_key_of_its_own(screen: Screen) -> None:
    screen.account()
    row_id = screen.row(1, "processing")
    nothing = Answer(generation_id=row_id, status="", message="no such generation")
    generations.mark_gone(screen.store, PROFILE, row_id, code="NOT_FOUND", refusal=nothing, now=NOW)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "R")
        assert "The API does not say how it ended (NOT_FOUND); the API is asked first." in text_of(app)
        await press(pilot, "a")
    (item,) = query.queue(screen.store, PROFILE)
    assert (item.ask_first, item.again) == (True, True)


async def test_what_was_refused_is_sent_again_once_and_makes_room_for_it(screen: Screen) -> None:
    (submission,) = waiting(screen)
    item = submissions.get(screen.store, submission)
    assert item is not None
    submissions.begin(screen.store, submission, None, NOW)
    down = Refusal(status=503, code="PROVIDER_DOWN", message="down")
    submissions.ended(screen.store, item, "refused", NOW, refusal=down)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "R")
        assert "wait a minute, then retry" in text_of(app)
        await press(pilot, "y")
        assert "queued once more" in toasts(app)
        (row,) = query.page(screen.store, PROFILE, query.Filter(), offset=0, limit=9)
        assert row.status == "queued"
        await press(pilot, "R")
        assert "retry…: it is queued; only what was refused or became a generation is sent again" in toasts(app)
    assert verbs_retry.retry(screen.store, PROFILE, submission).done == 0
    assert [item.body for item in query.queue(screen.store, PROFILE)] == [BODY]


async def test_a_question_warns_of_the_users_own_limits(screen: Screen) -> None:
    screen.busy()
    settings = msgspec.structs.replace(Settings(), spend=Spend(confirm_above=200, daily_cap=100))
    app = screen.app(settings=settings)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "4", "g", "R")
        assert "more than spend.confirm_above (200)" in text_of(app)
        assert "Above spend.daily_cap (100; 0 went out today)" in text_of(app)
        assert "(the API's estimate)" in text_of(app)


async def test_a_refusal_of_content_advises_to_edit(screen: Screen) -> None:
    screen.account()
    screen.row(9, "failed", credits_used=0, error="CONTENT_POLICY")
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "R")
        assert "the same body will be refused again. Edit it. E edits." in text_of(app)


async def test_a_retry_of_one_under_way_says_that_the_api_is_asked_first(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "R")
        assert "the API is asked first" in text_of(app)
        await press(pilot, "y")
        assert "asking the API about the original first" in toasts(app)
        (item,) = query.queue(screen.store, PROFILE)
        rows = query.page(screen.store, PROFILE, query.Filter(), offset=0, limit=9)
        assert item.ask_first
        assert [row.asks_first for row in rows if row.kind == "submission"] == [True]


async def test_e_says_why_not(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.busy()
    app = screen.app()
    monkeypatch.setenv("EDITOR", "true")
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "E")
        assert "this terminal cannot be lent to an editor (vivix-tui retry ID --edit)" in toasts(app)
        await press(pilot, "space", "space", "E")
        assert "edit…: one row at a time: unmark the others" in toasts(app)

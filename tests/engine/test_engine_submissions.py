"""Sending bodies by a whole engine: POSTs per wish, and what every outcome becomes. Rows MON-*, RAT-08, STO-*."""

from __future__ import annotations

import itertools
import sqlite3
import threading
import time

import pytest

from tests.conftest import KEY, until
from tests.engine.conftest import PROFILE, World, made, status_of
from tests.srv import (
    CREDITS,
    CREDITS_BODY,
    GENERATE,
    MODELS,
    MODELS_BODY,
    Answer,
    Request,
    cut,
    error_reply,
    generation,
    html_reply,
    id_of,
    json_reply,
    later,
    reply,
    reset,
    silence,
)
from vivix_tui import verbs_queue, verbs_retry
from vivix_tui.domain.submission import verdict_on_refusal
from vivix_tui.keys import ApiKey

BODY = (
    '{"model": "grok-imagine-image-quality",  "prompt": "\U0001f98a \u00e9 e\u0301 \\ud83e\\udd8a",'
    ' "cfg": 0.1, "b": 0.30000000000000004, "seed": 7 }'
)


def rest(seconds: float) -> None:
    """Time for what should not happen."""
    began = time.monotonic()
    until(lambda: time.monotonic() - began > seconds)


def poor(world: World) -> None:
    """The account says everywhere that it has 49 credits left."""
    told = {"X-Credits-Balance": "49"}
    world.srv.on("GET", CREDITS, json_reply(200, CREDITS_BODY | {"balance": 49}, told))
    world.srv.on("GET", MODELS, json_reply(200, MODELS_BODY | {"credits_balance": 49}, told))


def only_post(world: World, submission: str) -> None:
    """One POST was made, and none follows: not by itself, not after a restart."""
    assert len(world.posts) == 1
    world.answer_posts(made)
    rest(0.3)
    assert world.engines[-1].stop()
    world.start()
    until(lambda: world.engine_row.connection == "live")
    rest(0.25)
    assert len(world.posts) == 1
    assert world.state(submission) == "unknown"


def test_an_accepted_body_is_followed(world: World) -> None:
    world.answer_posts(json_reply(201, {"generation_id": "g-new", "status": "pending", "credits_estimate": 120}))
    world.answer_polls(status_of("completed"))
    submission = world.submit(BODY)[0]
    world.start()
    until(lambda: world.state(submission) == "accepted")
    item = world.submission(submission)
    assert (item.generation_id, item.error) == ("g-new", None)
    until(lambda: world.status("g-new") == "completed")
    row = world.row("g-new")
    assert (row.body, row.submission_id) == (BODY, submission)
    (post,) = world.posts
    assert post.body == BODY.encode()


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_one_that_had_ended_when_it_was_accepted_is_asked_how(world: World, status: str) -> None:
    world.answer_posts(json_reply(201, {"generation_id": "g-quick", "status": status}))
    world.answer_polls(status_of(status, output_url="https://x.example/1.png", credits_used=5))
    world.submit(BODY)
    world.start()
    until(lambda: world.store.all("SELECT 1 FROM generations WHERE status = ?", (status,)))
    assert world.row("g-quick").credits_used == 5


def test_mon_01_a_refused_connection_is_sent_again_and_exactly_once(world: World) -> None:
    world.srv.down()
    submission = world.submit(BODY)[0]
    world.start()
    until(lambda: world.engine_row.connection == "offline")
    until(lambda: world.submission(submission).error == "NOT_SENT" or world.engine_row.connection == "offline")
    assert world.state(submission) in ("queued", "sending")
    world.srv.up()
    until(lambda: world.state(submission) == "accepted", timeout_s=12)
    rest(0.5)
    assert len(world.posts) == 1


def test_mon_01_a_refused_post_is_queued_again_and_says_why(world: World) -> None:
    world.start()
    until(lambda: world.engine_row.connection == "live")  # and nothing to poll, that would be the probe instead
    world.srv.down()
    submission = world.submit(BODY)[0]
    until(lambda: world.submission(submission).error == "NOT_SENT", timeout_s=40, what="a POST met the closed port")
    until(lambda: world.state(submission) == "queued")
    world.srv.up()
    until(lambda: world.state(submission) == "accepted", timeout_s=40)
    assert world.submission(submission).error is None
    assert len(world.posts) == 1


@pytest.mark.parametrize("polled", [True, False], ids=["polls", "nothing to poll"])
@pytest.mark.parametrize(
    "answer", [error_reply(500, "INTERNAL_ERROR"), html_reply(502), reset()], ids=["500", "502", "RST"]
)
def test_mon_02_no_post_finds_out_whether_an_outage_is_over(world: World, answer: Answer, polled: bool) -> None:
    """It might be charged without an answer; a question costs nothing."""
    down = threading.Event()
    world.answer_polls(lambda r: answer if down.is_set() else json_reply(200, generation(id_of(r))))
    world.srv.on("GET", CREDITS, lambda r: answer if down.is_set() else json_reply(200, CREDITS_BODY))
    world.srv.on("GET", MODELS, lambda r: answer if down.is_set() else json_reply(200, MODELS_BODY))
    world.answer_posts(lambda r: answer if down.is_set() else made(r))
    if polled:
        world.track("g1")
    world.start()
    until(lambda: world.engine_row.connection == "live")
    down.set()
    if polled:
        until(lambda: world.engine_row.connection in ("retrying", "offline"), what="a poll met the outage")
    waiting = world.submit(BODY, BODY)[1]
    until(lambda: world.engine_row.connection in ("retrying", "offline"), what="a POST met the outage")
    asked = world.srv.count("GET")
    until(lambda: world.srv.count("GET") >= asked + 3, what="three probes")
    assert len(world.posts) == (0 if polled else 1)
    down.clear()
    until(lambda: world.state(waiting) == "accepted", what="it is sent once the API answers")


INDETERMINATE: dict[str, Answer] = {
    "RST": reset(),
    "RST in the head": reset(b"HTTP/1.1 201 Cre"),
    "RST in the body": reset(b'HTTP/1.1 201 Created\r\ncontent-length: 90\r\n\r\n{"generation_id": "g'),
    "FIN": cut(b""),
    "silence": silence,
    "504 HTML": html_reply(504),
    "502 HTML": html_reply(502),
    "503 HTML": html_reply(503),
    "503 empty": reply(503),
    "500 JSON": error_reply(500, "INTERNAL_ERROR"),
    "500 odd JSON": json_reply(500, {"error": 42}),
    "504 JSON": error_reply(504, "PROVIDER_DOWN"),
    "200 HTML": html_reply(200),
    "201 without id": json_reply(201, {"status": "pending"}),
    "201 null id": json_reply(201, {"generation_id": None}),
    "201 number": json_reply(201, {"generation_id": 5}),
    "201 empty id": json_reply(201, {"generation_id": ""}),
    "201 list": reply(201, b"[]"),
    "201 cut JSON": reply(201, b'{"generation_id": "g'),
    "204": reply(204),
    "302": reply(302, b"", {"location": "/api/v1/generate"}),
    "307": reply(307, b"", {"location": "/api/v1/generate"}),
    "408 HTML": html_reply(408),
    "999": reply(999, b"{}"),
    "garbage": cut(b"\x00\x01garbage\r\n\r\n"),
}


@pytest.mark.parametrize("name", INDETERMINATE)
def test_mon_02_mon_03_an_outcome_that_cannot_be_read_is_unknown_and_never_sent_again(world: World, name: str) -> None:
    world.set(timeout_s=0.4)
    world.answer_posts(lambda r: INDETERMINATE[name])
    submission = world.submit(BODY)[0]
    world.start()
    until(lambda: world.state(submission) == "unknown")
    item = world.submission(submission)
    assert item.error
    assert "<" not in f"{item.error} {item.message}"
    only_post(world, submission)


def test_mon_02_a_queue_goes_on_after_an_unknown_one_without_repeating_it(world: World) -> None:
    world.answer_posts(lambda r: reset() if b"first" in r.body else made(r))
    first, second = world.submit('{"prompt":"first"}', '{"prompt":"second"}')
    world.start()
    until(lambda: world.state(second) == "accepted", timeout_s=12)
    assert world.state(first) == "unknown"
    assert [b"first" in r.body for r in world.posts] == [True, False]


@pytest.mark.parametrize("charged", [True, False], ids=["charged", "not charged"])
def test_mon_02_the_balance_is_read_again_after_an_unknown_outcome(world: World, charged: bool) -> None:
    """It is the one hint at whether the lost answer was charged; an unchanged balance is a hint, too."""

    def account(request: Request) -> bytes:
        balance = 49_591 if charged and world.posts else 49_711
        return json_reply(200, CREDITS_BODY | {"balance": balance}, {"X-Credits-Balance": f"{balance:,}"})

    world.srv.on("GET", CREDITS, account)
    world.start()
    until(lambda: world.engine_row.connection == "live")
    world.answer_posts(lambda r: reset())
    submission = world.submit(BODY)[0]
    until(lambda: world.state(submission) == "unknown")
    (post,) = world.posts
    until(lambda: [r for r in world.srv.calls("GET", CREDITS) if r.at > post.at], 5, "GET /credits after the POST")
    until(lambda: world.submission(submission).balance_after is not None, 3, "balance_after")
    item = world.submission(submission)
    assert (item.balance_before, item.balance_after) == (49_711, 49_591 if charged else 49_711)


@pytest.mark.parametrize(
    "answer",
    [
        error_reply(503, "PROVIDER_DOWN"),
        error_reply(422, "VALIDATION_ERROR"),
        error_reply(400, "BAD"),
        error_reply(403, "MODEL_NOT_ALLOWED"),
        error_reply(404, "NOT_FOUND"),
        error_reply(418, "NOBODY_KNOWS_THIS"),
    ],
    ids=lambda answer: answer[9:12].decode(),
)
def test_mon_03_a_definite_no_is_refused_with_its_words_and_not_sent_again(world: World, answer: bytes) -> None:
    world.answer_posts(answer)
    submission = world.submit(BODY)[0]
    world.start()
    until(lambda: world.state(submission) == "refused")
    item = world.submission(submission)
    assert (item.message, item.next, item.request_id) == ("No.", "Do this.", "req_err")
    rest(0.4)
    assert len(world.posts) == 1


def test_mon_03_while_the_provider_is_down_the_rest_of_the_queue_waits(world: World) -> None:
    world.answer_posts(error_reply(503, "PROVIDER_DOWN"))
    first, second = world.submit(BODY, BODY)
    world.start()
    until(lambda: world.state(first) == "refused")
    rest(1.5)
    assert world.state(second) == "queued"
    assert len(world.posts) == 1


@pytest.mark.parametrize("name", ["key rejected", "paused by a 402"])
def test_mon_10_what_was_not_accepted_stays_queued(world: World, name: str) -> None:
    rejected = error_reply(401, "KEY_REVOKED")
    too_poor = error_reply(402, "INSUFFICIENT_CREDITS", balance="49", needed="1,200")
    poor(world)
    world.answer_posts(lambda r: made(r) if r.nth < 3 else rejected if name == "key rejected" else too_poor)
    world.track("original", body=BODY)
    world.answer_polls(
        lambda r: json_reply(200, generation(id_of(r), "failed" if id_of(r) == "original" else "pending"))
    )
    world.start()
    until(lambda: world.status("original") == "failed")
    for _ in range(10):
        verbs_retry.retry(world.store, PROFILE, "original", again=True)
    until(lambda: len(world.posts) == 3)
    rest(1.0)
    assert len(world.posts) == 3
    states = [row["state"] for row in world.store.all("SELECT state FROM submissions ORDER BY position")]
    assert (states.count("accepted"), states.count("queued")) == (2, 8)
    bodies = {row["body"] for row in world.store.all("SELECT body FROM submissions")}
    assert bodies == {BODY}


def test_mon_10_a_402_pauses_with_both_numbers_over_restarts_until_resumed(world: World) -> None:
    poor(world)
    world.answer_posts(error_reply(402, "INSUFFICIENT_CREDITS", balance="49", needed="1,200"))
    submission = world.submit(BODY)[0]
    engine = world.start()
    until(lambda: world.paused)
    assert "1,200" in (world.paused or "")
    assert "49" in (world.paused or "").replace("1,200", "")
    assert world.state(submission) == "queued"
    assert engine.stop()
    world.start()
    until(world.engines[-1].holds_lock.is_set)
    rest(0.5)
    assert len(world.posts) == 1
    world.answer_posts(made)
    verbs_queue.resume(world.store, PROFILE)
    until(lambda: world.state(submission) == "accepted")


def test_mon_10_a_balance_that_suffices_lifts_the_pause(world: World) -> None:
    poor(world)
    refused = error_reply(402, "INSUFFICIENT_CREDITS", balance=49, needed=1200)
    world.answer_posts(lambda r: refused if r.nth == 1 else made(r))
    world.answer_polls(lambda r: json_reply(200, generation(id_of(r)), {"X-Credits-Balance": "49"}))
    world.track("live")
    submission = world.submit(BODY)[0]
    world.start()
    until(lambda: world.paused)
    rest(0.4)
    assert len(world.posts) == 1
    world.answer_polls(lambda r: json_reply(200, generation(id_of(r)), {"X-Credits-Balance": "1,200"}))
    until(lambda: world.state(submission) == "accepted")
    assert world.paused is None


def test_rat_01_a_limited_post_waits_and_is_sent_then(world: World) -> None:
    limited = error_reply(429, "RATE_LIMITED", headers={"Retry-After": "1"})
    world.answer_posts(lambda r: limited if r.nth == 1 else made(r))
    submission = world.submit(BODY)[0]
    world.start()
    until(lambda: world.state(submission) == "accepted")
    first, second = (r.at for r in world.posts)
    assert 1.0 <= second - first < 4


def test_rat_08_a_full_account_is_asked_again_when_a_slot_frees(world: World) -> None:
    full = error_reply(429, "CONCURRENCY_LIMIT")
    done = threading.Event()
    world.answer_posts(lambda r: made(r) if r.nth == 1 or done.is_set() else full)
    world.answer_polls(lambda r: json_reply(200, generation(id_of(r), "completed" if done.is_set() else "processing")))
    first, second = world.submit(BODY, BODY)
    world.start()
    until(lambda: world.state(first) == "accepted")
    until(lambda: len(world.posts) == 2)
    rest(1.0)
    assert world.state(second) == "queued"
    assert len(world.posts) == 2, "not before 10 s while all slots are taken"
    done.set()
    until(lambda: world.state(second) == "accepted", timeout_s=5)
    assert len(world.posts) == 3


def test_rat_08_the_accounts_own_limit_is_kept(world: World) -> None:
    limit = CREDITS_BODY | {"rate_limit": {"calls_per_minute": 60_000, "concurrent_jobs": 2}}
    world.srv.on("GET", CREDITS, json_reply(200, limit))
    world.srv.on("GET", MODELS, json_reply(200, MODELS_BODY | limit))
    engine = world.start()
    until(lambda: world.store.all("SELECT 1 FROM accounts WHERE concurrent_jobs = 2"))
    bodies = world.submit(*[BODY] * 5)
    until(lambda: [world.state(b) for b in bodies].count("accepted") == 2)
    rest(0.5)
    assert len(world.posts) == 2
    engine.stop()
    assert [world.state(b) for b in bodies].count("queued") == 3


def test_rat_08_a_retry_after_of_nothing_is_held_to_a_second(world: World) -> None:
    world.answer_posts(error_reply(429, "CONCURRENCY_LIMIT", headers={"Retry-After": "0"}))
    world.submit(BODY)
    world.start()
    until(lambda: len(world.posts) >= 3, timeout_s=8)
    times = [r.at for r in world.posts]
    assert min(b - a for a, b in itertools.pairwise(times)) >= 0.95


@pytest.mark.parametrize("code", ["RATE_LIMITED", "CONCURRENCY_LIMIT"])
def test_rat_08_a_hostile_retry_after_is_held_to_a_quarter_of_an_hour(code: str) -> None:
    assert 1 <= verdict_on_refusal(429, code, 999_999_999.0).wait_s <= 900
    assert verdict_on_refusal(429, code, 0.0).wait_s >= 1


def test_mon_04_what_a_killed_engine_left_as_sending_is_unknown(world: World) -> None:
    submission = world.submit(BODY)[0]
    with world.store.write() as connection:  # the row exactly as `begin` left it, and then the kill
        connection.execute("UPDATE submissions SET state = 'sending', sent_at = created_at")
    world.start()
    until(lambda: world.state(submission) == "unknown")
    assert world.submission(submission).error == "INTERRUPTED"
    rest(0.4)
    assert world.posts == []


def test_mon_04_the_row_says_sending_before_the_first_byte_arrives(world: World) -> None:
    seen: list[str] = []

    def look(request: Request) -> bytes:
        connection = sqlite3.connect(world.config.paths.database)
        seen.extend(row[0] for row in connection.execute("SELECT state FROM submissions"))
        connection.close()
        return made(request)

    world.answer_posts(look)
    submission = world.submit(BODY)[0]
    world.start()
    until(lambda: world.state(submission) == "accepted")
    assert seen == ["sending"]


def test_mon_07_a_retry_sends_the_same_bytes(world: World) -> None:
    world.answer_posts(lambda r: json_reply(201, {"generation_id": f"g{len(world.posts)}"}))
    world.answer_polls(lambda r: json_reply(200, generation(id_of(r), "failed" if id_of(r) == "g1" else "pending")))
    world.submit(BODY)
    world.start()
    until(lambda: world.store.all("SELECT 1 FROM generations WHERE status = 'failed'"))
    outcome = verbs_retry.retry(world.store, PROFILE, "g1")
    until(lambda: world.state(outcome.ids[0]) == "accepted")
    first, second = world.posts
    assert first.body == second.body == BODY.encode()
    assert world.row("g2").retry_of == "g1"


def test_mon_05_twenty_retries_at_once_are_one_post(world: World) -> None:
    world.track("g1", body=BODY)
    world.answer_polls(lambda r: json_reply(200, generation(id_of(r), "failed" if id_of(r) == "g1" else "pending")))
    world.answer_posts(lambda r: later(0.3, made(r)))
    world.start()
    until(lambda: world.status("g1") == "failed")
    ids = {verbs_retry.retry(world.store, PROFILE, "g1").ids for _ in range(20)}
    assert len(ids) == 1
    until(lambda: world.state(next(iter(ids))[0]) == "accepted")
    rest(0.5)
    assert len(world.posts) == 1


def test_mon_12_an_answer_that_comes_while_the_engine_stops_is_stored(world: World) -> None:
    world.answer_posts(lambda r: later(1.0, json_reply(201, {"generation_id": "g-late"})))
    submission = world.submit(BODY)[0]
    engine = world.start()
    until(lambda: world.posts)
    began = time.monotonic()
    assert engine.stop()
    assert time.monotonic() - began < 3
    item = world.submission(submission)
    assert (item.state, item.generation_id) == ("accepted", "g-late")


def test_mon_12_a_post_that_outlives_the_engine_is_unknown_next_time(world: World) -> None:
    world.answer_posts(lambda r: silence)
    submission = world.submit(BODY)[0]
    engine = world.start()
    until(lambda: world.posts)
    began = time.monotonic()
    assert engine.stop(3)
    assert time.monotonic() - began < 3
    assert world.state(submission) in ("sending", "unknown")
    world.answer_posts(made)
    world.start()
    until(lambda: world.state(submission) == "unknown")
    rest(0.4)
    assert len(world.posts) == 1


def test_sto_05_without_a_writable_database_nothing_is_posted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The intent cannot be recorded, so nothing may leave; afterwards it goes out once."""
    monkeypatch.setattr("vivix_tui.store.store.BUSY_TIMEOUT_S", 0.2)
    submission = world.submit(BODY)[0]
    released = threading.Event()
    blocker = sqlite3.connect(world.config.paths.database, isolation_level=None, check_same_thread=False)

    def key() -> ApiKey:
        # The engine has started and has written; from here on it cannot.
        blocker.execute("BEGIN IMMEDIATE")
        released.set()
        return ApiKey(KEY)

    world.start(key)
    assert released.wait(10)
    rest(1.5)
    try:
        assert world.posts == []
    finally:
        blocker.execute("COMMIT")
        blocker.close()
    until(lambda: world.state(submission) == "accepted")
    rest(0.4)
    assert len(world.posts) == 1


def test_sto_05_lif_01_an_accepted_id_that_cannot_be_stored_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program holds the database while the 201 comes: the id was paid for."""
    monkeypatch.setattr("vivix_tui.store.store.BUSY_TIMEOUT_S", 0.2)
    locked, release = threading.Event(), threading.Event()

    def lock(request: Request) -> bytes:
        def hold() -> None:
            blocker = sqlite3.connect(world.config.paths.database, isolation_level=None, timeout=10)
            blocker.execute("BEGIN IMMEDIATE")
            locked.set()
            release.wait(20)
            blocker.execute("COMMIT")
            blocker.close()

        holder = threading.Thread(target=hold)
        holder.start()
        threads.append(holder)
        assert locked.wait(10)
        return json_reply(201, {"generation_id": "g-paid"})

    threads: list[threading.Thread] = []
    world.answer_posts(lock)
    submission = world.submit(BODY)[0]
    world.start()
    until(lambda: world.posts)
    rest(1.5)
    release.set()
    for thread in threads:
        thread.join(5)
    world.answer_posts(made)

    def kept() -> bool:
        saved = world.folder / "accepted.jsonl"
        return world.submission(submission).generation_id == "g-paid" or (
            saved.exists() and "g-paid" in saved.read_text()
        )

    until(kept, 6, "the accepted id is in the database or in accepted.jsonl")
    rest(0.5)
    assert len(world.srv.calls("POST", GENERATE)) == 1
    until(lambda: world.state(submission) != "sending", 6, "the row says more than 'sending'")


def test_an_outcome_that_cannot_be_written_yet_is_written_when_it_can(world: World) -> None:
    """What is known must not become "may have been charged" because the disk was full for a moment."""
    world.answer_posts(lambda r: error_reply(429, "CONCURRENCY_LIMIT", headers={"Retry-After": "1"}))
    (submission,) = world.submit(BODY)
    with sqlite3.connect(world.store.path) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON submissions WHEN OLD.state = 'sending'"
            " BEGIN SELECT RAISE(ABORT, 'no space'); END"
        )
    world.start()
    until(lambda: "no space" in (world.engine_row.trouble or ""))
    assert world.state(submission) == "sending"
    world.answer_posts(made)
    with sqlite3.connect(world.store.path) as connection:
        connection.execute("DROP TRIGGER full")
    until(lambda: world.state(submission) == "accepted")
    assert len(world.posts) == 2
    until(lambda: world.engine_row.trouble is None)

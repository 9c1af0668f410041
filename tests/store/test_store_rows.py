"""Rows: what verbs wish, what the engine records, what people read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vivix_tui import verbs, verbs_queue, verbs_retry
from vivix_tui.domain import submission as s
from vivix_tui.domain.account import Account, Model, Parameter
from vivix_tui.domain.generation import Answer
from vivix_tui.domain.price import Price, in_words, most
from vivix_tui.domain.submission import Accepted
from vivix_tui.errors import Refusal, UsageError
from vivix_tui.store import accounts, downloads, generations, query, submissions
from vivix_tui.store.store import Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BODY = '{"model": "m", "prompt": "a misty forest 🌲", "seed": 0.1}'
ALL = query.Filter()


def record(store: Store, generation_id: str, status: str, at: int = 0, **facts: object) -> None:
    answer = Answer(generation_id=generation_id, status=status, **facts)  # type: ignore[arg-type]
    generations.record(store, "p", answer, asked_at=NOW + timedelta(seconds=at))


def ids(store: Store, filter_: query.Filter = ALL) -> list[str]:
    return [row.id for row in query.page(store, "p", filter_, offset=0, limit=100)]


def test_track_writes_each_id_once_and_learns_a_body_later(store: Store) -> None:
    assert verbs.track(store, "p", [("a", None), ("b", BODY)]).done == 2
    again = verbs.track(store, "p", [("a", BODY), ("b", '{"other": 1}')])
    assert again.done == 0
    assert "2 already known" in again.text
    a, b = (query.generation(store, "p", i) for i in "ab")
    assert a is not None
    assert b is not None
    assert (a.body, a.prompt, a.model) == (BODY, "a misty forest 🌲", "m")
    assert b.body == BODY


def test_profiles_do_not_see_each_other(store: Store) -> None:
    verbs.track(store, "p", [("a", None)])
    verbs.track(store, "q", [("a", None), ("b", None)])
    assert ids(store) == ["a"]
    assert query.counts(store, "q")["active"] == 2


def test_a_bad_id_is_refused_and_nothing_is_written(store: Store) -> None:
    with pytest.raises(UsageError):
        verbs.track(store, "p", [("good", None), ("b a d", None)])
    assert ids(store) == []


def test_active_ones_come_first_then_the_newest(store: Store) -> None:
    for number, name in enumerate("abcd"):
        with store.write() as connection:
            generations.track(connection, "p", [(name, None)], NOW + timedelta(minutes=number))
    record(store, "c", "completed")
    record(store, "d", "failed", error="PROVIDER_ERROR")
    assert ids(store) == ["b", "a", "d", "c"]
    assert query.index_of(store, "p", ALL, "generation", "d") == 2
    assert query.index_of(store, "p", ALL, "generation", "nobody") is None
    assert query.index_of(store, "p", query.Filter(phases=frozenset({"done"})), "generation", "d") is None


def test_counts_follow_every_change(store: Store) -> None:
    verbs.track(store, "p", [(name, None) for name in "abcde"])
    verbs.submit(store, "p", [BODY])
    record(store, "a", "pending")
    record(store, "b", "processing")
    record(store, "c", "completed")
    record(store, "d", "failed")
    generations.mark_gone(store, "p", "e", code="NOT_FOUND", refusal=Answer(generation_id="e", status=""), now=NOW)
    assert query.counts(store, "p") == {"active": 1, "queued": 2, "done": 1, "failed": 1, "gone": 1}
    verbs.forget(store, "p", ["c"])
    assert query.counts(store, "p")["done"] == 0
    verbs.restore(store, "p", ["c"])
    assert query.counts(store, "p")["done"] == 1
    total = sum(query.counts(store, "p").values())
    assert total == len(ids(store)) == query.count(store, "p", ALL)
    failed = query.Filter(phases=frozenset({"failed", "gone"}))
    assert query.count(store, "p", failed) == len(ids(store, failed)) == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [("misty", ["b"]), ("MISTY", ["b"]), ("100%", ["c"]), ("%", ["c"]), ("_", []), ("PROVIDER", ["a"]), ("zzz", [])],
)
def test_the_filter_searches_prompt_and_code_literally(store: Store, text: str, found: list[str]) -> None:
    verbs.track(store, "p", [("a", None), ("b", BODY), ("c", '{"prompt": "100% wool"}')])
    record(store, "a", "failed", error="PROVIDER-ERROR")
    assert ids(store, query.Filter(text=text)) == found
    filter_ = query.Filter(text=text)
    assert query.count(store, "p", filter_) == len(found)
    numbers = query.matches(store, "p", filter_)
    assert [row.id for row in query.rows_of(store, "p", numbers)] == ids(store, filter_)


def test_what_matches_is_kept_as_numbers_of_generations_and_submissions(store: Store) -> None:
    verbs.track(store, "p", [("a", BODY), ("b", BODY)])
    verbs.track(store, "q", [("a", BODY)])
    waiting, _ = verbs.submit(store, "p", [BODY, '{"prompt": "a fox"}']).ids
    misty = query.Filter(text="misty")
    numbers = query.matches(store, "p", misty)
    assert [row.id for row in query.rows_of(store, "p", numbers)] == ids(store, misty)
    assert query.number_of(store, "p", "submission", waiting) in numbers
    assert query.number_of(store, "p", "generation", "a") in numbers
    assert query.number_of(store, "q", "generation", "a") not in numbers
    assert query.number_of(store, "p", "generation", "nobody") is None
    assert [row.id for row in query.rows_of(store, "p", numbers[::-1])] == ids(store, misty)[::-1]
    verbs_queue.cancel(store, "p", [waiting])
    assert waiting not in [row.id for row in query.rows_of(store, "p", query.matches(store, "p", misty))]


def test_a_forgotten_row_stays_on_disk_and_track_brings_it_back(store: Store) -> None:
    verbs.track(store, "p", [("a", BODY)])
    assert verbs.forget(store, "p", ["a"]).done == 1
    assert ids(store) == []
    assert generations.live(store, "p") == []
    verbs.track(store, "p", [("a", None)])
    row = query.generation(store, "p", "a")
    assert ids(store) == ["a"]
    assert row is not None
    assert row.body == BODY


def test_a_dropped_answer_changes_nothing(store: Store) -> None:
    verbs.track(store, "p", [("a", None)])
    record(store, "a", "completed", at=10, credits_used=90)
    before = store.revision
    record(store, "a", "failed", at=11)
    record(store, "nobody", "failed", at=11)
    assert store.revision == before


def test_the_timeline_tells_what_was_seen_when(store: Store) -> None:
    verbs.track(store, "p", [("a", None)])
    record(store, "a", "processing", at=1)
    record(store, "a", "processing", at=2)
    record(store, "a", "failed", at=3, error="X")
    found = query.detail(store, "p", "generation", "a")
    assert found is not None
    assert [event.event for event in found.events] == ["tracked", "processing", "failed"]
    assert found.events[-1].detail == "X"


def test_submissions_go_out_in_order_and_become_generations(store: Store) -> None:
    first, second = verbs.submit(store, "p", [BODY, '{"model":"m","prompt":"2"}']).ids
    item = submissions.next_queued(store, "p")
    assert item is not None
    assert item.submission_id == first
    assert submissions.begin(store, first, 500, NOW)
    assert not submissions.begin(store, first, 500, NOW)
    assert query.in_flight(store, "p", NOW) == 1
    submissions.accepted(store, item, Accepted(generation_id="g", credits_estimate=211), 289, NOW)
    row = query.generation(store, "p", "g")
    assert row is not None
    assert (row.body, row.submission_id, row.status, row.credits_estimate) == (BODY, first, "pending", 211)
    done = submissions.get(store, first)
    assert done is not None
    assert (done.state, done.balance_before, done.balance_after) == ("accepted", 500, 289)
    following = submissions.next_queued(store, "p")
    assert following is not None
    assert following.submission_id == second


def test_a_body_that_is_no_object_is_not_queued(store: Store) -> None:
    with pytest.raises(UsageError):
        verbs.submit(store, "p", [BODY, "[]"])
    assert query.queue(store, "p") == []


def ended(store: Store, state: str, code: str = "X", body: str = BODY) -> str:
    (submission_id,) = verbs.submit(store, "p", [body]).ids
    item = submissions.get(store, submission_id)
    assert item is not None
    submissions.begin(store, submission_id, None, NOW)
    submissions.ended(store, item, state, NOW, refusal=Refusal(status=400, code=code, message="why", next_step="do"))
    return submission_id


def test_what_was_left_sending_becomes_unknown_and_is_never_next(store: Store) -> None:
    (submission_id,) = verbs.submit(store, "p", [BODY]).ids
    submissions.begin(store, submission_id, 100, NOW)
    assert submissions.orphaned(store, "p", NOW) == 1
    assert submissions.next_queued(store, "p") is None
    submissions.saw_balance(store, "p", 20)
    submissions.saw_balance(store, "p", 10)
    item = submissions.get(store, submission_id)
    assert item is not None
    assert (item.state, item.balance_before, item.balance_after) == ("unknown", 100, 20)


def test_the_user_resolves_what_is_unknown(store: Store) -> None:
    accepted, not_sent, given_up = (ended(store, s.UNKNOWN) for _ in range(3))
    verbs_queue.resolve_accepted(store, accepted, "g9")
    verbs_queue.resolve_not_sent(store, not_sent)
    verbs_queue.resolve_given_up(store, given_up)
    states = [item.state for item in query.submissions_by_id(store, (accepted, not_sent, given_up))]
    assert states == ["accepted", "queued", "cancelled"]
    row = query.generation(store, "p", "g9")
    assert row is not None
    assert (row.body, row.status) == (BODY, None)
    for again in (accepted, not_sent, "nobody"):
        with pytest.raises(UsageError):
            verbs_queue.resolve_given_up(store, again)
    unknown = ended(store, s.UNKNOWN)
    with pytest.raises(UsageError):
        verbs_queue.resolve_accepted(store, unknown, "a b")


def test_an_id_that_the_user_names_takes_the_body_unless_another_submission_became_it(store: Store) -> None:
    first, second = (ended(store, s.UNKNOWN, body=f'{{"prompt":"{word}"}}') for word in ("first", "second"))
    verbs.track(store, "p", [("g1", None)])
    verbs_queue.resolve_accepted(store, first, "g1")
    with pytest.raises(UsageError, match="came of another submission"):
        verbs_queue.resolve_accepted(store, second, "g1")
    row = query.generation(store, "p", "g1")
    assert row is not None
    assert (row.body, row.prompt, row.submission_id) == ('{"prompt":"first"}', "first", first)
    assert [item.state for item in query.submissions_by_id(store, (first, second))] == ["accepted", "unknown"]


def test_what_another_process_settled_first_stays_settled(store: Store) -> None:
    unknown = ended(store, s.UNKNOWN)
    item = submissions.get(store, unknown)  # as a process saw it that is a little late
    assert item is not None
    verbs_queue.resolve_not_sent(store, unknown)
    assert not submissions.accepted(store, item, Accepted(generation_id="late"), None, NOW, known=False)
    assert not submissions.resolve(store, unknown, s.CANCELLED, NOW)
    assert query.generation(store, "p", "late") is None
    assert [row.state for row in query.submissions_by_id(store, [unknown])] == ["queued"]


def test_hold_release_cancel_top_pause_resume(store: Store) -> None:
    a, b, c = verbs.submit(store, "p", [BODY] * 3).ids

    def next_id() -> str | None:
        item = submissions.next_queued(store, "p")
        return item.submission_id if item else None

    assert verbs_queue.hold(store, "p", [a]).done == 1
    assert next_id() == b
    verbs_queue.top(store, "p", [c, b])
    assert next_id() == c
    assert [item.submission_id for item in query.queue(store, "p")] == [c, b, a]
    verbs_queue.cancel(store, "p", [c, "nobody"])
    assert next_id() == b
    verbs_queue.release(store, "p", [a])
    verbs_queue.pause(store, "p")
    assert next_id() is None
    assert query.queue_paused(store, "p") == "paused by you"
    verbs_queue.resume(store, "p")
    assert next_id() == b


def test_mon_10_a_pause_for_lack_of_credits_ends_when_the_balance_suffices(store: Store) -> None:
    verbs.submit(store, "p", [BODY])
    submissions.pause_queue(store, "p", "not enough", needs=1200)
    submissions.saw_balance(store, "p", 1199)
    assert submissions.next_queued(store, "p") is None
    submissions.saw_balance(store, "p", 1200)
    assert submissions.next_queued(store, "p") is not None


def failed(store: Store, body: str | None = BODY) -> None:
    verbs.track(store, "p", [("a", body)])
    record(store, "a", "failed", credits_estimate=211, credits_used=0)


def test_mon_07_a_retry_sends_the_same_text_and_knows_its_ancestor(store: Store) -> None:
    failed(store)
    (new,) = verbs_retry.retry(store, "p", "a").ids
    item = submissions.get(store, new)
    assert item is not None
    assert item.body == BODY
    assert item.retry_of == "a"


def test_mon_05_twenty_wishes_for_one_retry_are_one(store: Store) -> None:
    failed(store)
    outcomes = [verbs_retry.retry(store, "p", "a") for _ in range(20)]
    assert [outcome.done for outcome in outcomes] == [1] + [0] * 19
    assert len({outcome.ids for outcome in outcomes}) == 1
    assert len(query.queue(store, "p")) == 1
    assert "under way" in (verbs_retry.quote(store, "p", "a").needs_again or "")
    assert verbs_retry.retry(store, "p", "a", again=True).done == 1


def test_a_retry_that_ended_may_be_followed_by_another(store: Store) -> None:
    failed(store)
    (new,) = verbs_retry.retry(store, "p", "a").ids
    item = submissions.get(store, new)
    assert item is not None
    submissions.begin(store, new, None, NOW)
    submissions.accepted(store, item, Accepted(generation_id="g"), None, NOW)
    assert verbs_retry.retry(store, "p", "a").done == 0
    record(store, "g", "failed")
    assert verbs_retry.retry(store, "p", "a").done == 1


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda store: failed(store, None), "body is not known"),
        (lambda store: None, "not known here"),
    ],
)
def test_what_cannot_be_retried_says_why(store: Store, prepare: Callable[[Store], None], words: str) -> None:
    prepare(store)
    assert words in (verbs_retry.quote(store, "p", "a").obstacle or "")
    with pytest.raises(UsageError) as caught:
        verbs_retry.retry(store, "p", "a", again=True)
    assert words in str(caught.value)


def test_a_completed_one_is_retried_only_when_told_so(store: Store) -> None:
    verbs.track(store, "p", [("a", BODY)])
    record(store, "a", "completed", credits_used=180)
    quote = verbs_retry.quote(store, "p", "a")
    assert quote.price == Price(180, 180, "charged")
    assert "same result" in (quote.needs_again or "")
    with pytest.raises(UsageError):
        verbs_retry.retry(store, "p", "a")
    assert verbs_retry.retry(store, "p", "a", again=True).done == 1


def test_prices_come_from_the_charge_the_estimate_or_the_band(store: Store) -> None:
    failed(store)
    assert verbs_retry.quote(store, "p", "a").price == Price(211, 211, "estimate")
    accounts.save_models(store, "p", {"m": Model(slug="m", credits_min=80, credits_max=300)})
    assert verbs_retry.quote(store, "p", "a").price == Price(80, 211, "estimate")
    verbs.track(store, "p", [("b", BODY)])
    record(store, "b", "failed")
    prices = [verbs_retry.quote(store, "p", name).price for name in "ab"]
    assert in_words(prices) == "160 to 511 credits"
    assert (most(prices), most([*prices, None])) == (511, None)
    assert in_words([None]) == "an unknown price"
    assert in_words([*prices, None]).endswith("and 1 of unknown price")
    verbs.track(store, "p", [("c", BODY.replace("forest", "lake")), ("d", BODY.replace("{", '{"duration": 9, ', 1))])
    record(store, "c", "completed", credits_used=150)
    record(store, "d", "completed", credits_used=290)
    assert verbs_retry.quote(store, "p", "a").price == Price(150, 150, "charged")


@pytest.mark.parametrize("again", [False, True])
def test_a_retry_of_what_is_not_known_to_have_failed_asks_first(store: Store, again: bool) -> None:
    verbs.track(store, "p", [("a", BODY)])
    assert "not known to have ended (never asked)" in (verbs_retry.quote(store, "p", "a").asks_first or "")
    outcome = verbs_retry.retry(store, "p", "a", again=again)
    assert (outcome.done, outcome.text) == (1, "asking the API about the original first")
    assert submissions.next_queued(store, "p") is None
    assert not submissions.begin(store, outcome.ids[0], None, NOW)
    assert [item.generation_id for item in generations.live(store, "p") if item.hurry] == ["a"]


def test_a_retry_of_what_was_sent_unchecked_is_sent_unchecked(store: Store) -> None:
    (first,) = verbs.submit(store, "p", [BODY], check=False).ids
    item = submissions.get(store, first)
    assert item is not None
    submissions.begin(store, first, None, NOW)
    submissions.accepted(store, item, Accepted(generation_id="g"), None, NOW)
    record(store, "g", "failed")
    (new,) = verbs_retry.retry(store, "p", "g").ids
    again = submissions.get(store, new)
    assert again is not None
    assert not again.checked


def test_mon_05_what_was_refused_is_sent_again_once_however_often_it_is_wished_for(store: Store) -> None:
    refused = ended(store, s.REFUSED, "PROVIDER_DOWN")
    wishes = [verbs_retry.retry(store, "p", refused) for _ in range(20)]
    assert [outcome.done for outcome in wishes] == [1] + [0] * 19
    (item,) = query.queue(store, "p")
    assert (item.submission_id, item.body) == (wishes[0].ids[0], BODY)


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        (s.UNKNOWN, "NO_ANSWER", "it is unknown; settle it first"),
        (s.QUEUED, "NOT_SENT", "it is queued"),
        (s.REFUSED, s.NOT_FAILED, "its original did not fail"),
    ],
)
def test_what_was_not_refused_is_not_sent_again(store: Store, state: str, code: str, words: str) -> None:
    submission = ended(store, state, code)
    assert words in (verbs_retry.quote(store, "p", submission).obstacle or "")
    with pytest.raises(UsageError, match=words):
        verbs_retry.retry(store, "p", submission)
    with pytest.raises(UsageError, match="not known here"):
        verbs_retry.retry(store, "another", submission)


def test_a_changed_body_is_a_new_wish_and_keeps_its_ancestor(store: Store) -> None:
    failed(store)
    changed = BODY.replace("misty", "sunny")
    quote = verbs_retry.quote(store, "p", "a", body=changed)
    assert (quote.body, quote.needs_again, quote.asks_first) == (changed, None, None)
    (new,) = verbs_retry.retry(store, "p", "a", body=changed).ids
    item = submissions.get(store, new)
    assert item is not None
    assert (item.body, item.retry_of) == (changed, "a")


def completed(store: Store, urls: int = 2) -> None:
    verbs.track(store, "p", [("a", BODY)])
    record(store, "a", "completed", output_urls=tuple(f"https://h/{n}.jpg" for n in range(urls)))


def test_a_download_of_a_completed_one_is_queued_at_once(store: Store) -> None:
    completed(store)
    assert verbs.download(store, "p", "a").text == "downloading 2 files"
    assert [(i.index, i.url, i.state) for i in downloads.work(store, "p")] == [
        (1, "https://h/0.jpg", "queued"),
        (2, "https://h/1.jpg", "queued"),
    ]


def test_a_download_of_a_running_one_waits_for_its_end(store: Store) -> None:
    verbs.track(store, "p", [("a", BODY)])
    assert "when it completes" in verbs.download(store, "p", "a").text
    assert downloads.work(store, "p") == []
    record(store, "a", "processing", at=1)
    record(store, "a", "completed", at=2, output_url="https://h/x.jpg")
    assert len(downloads.work(store, "p")) == 1


def done(store: Store, path: Path) -> None:
    (item,) = downloads.work(store, "p")
    path.write_bytes(b"x")
    from msgspec.structs import replace

    downloads.update(store, replace(item, state="done", path=str(path), received_bytes=1, sha256="s", verified=True))


def test_a_wish_for_the_files_of_what_fails_ends_with_it(store: Store) -> None:
    verbs.track(store, "p", [("a", None)])
    verbs.download(store, "p", "a")
    record(store, "a", "failed", at=2, error="PROVIDER_ERROR")
    detail = query.detail(store, "p", "generation", "a")
    assert detail is not None
    assert not detail.wanted


def test_what_is_on_disk_is_not_fetched_again_and_what_vanished_is(store: Store, tmp_path: Path) -> None:
    completed(store, 1)
    verbs.download(store, "p", "a")
    done(store, tmp_path / "a.jpg")
    assert verbs.download(store, "p", "a").text == "1 file already on disk"
    (tmp_path / "a.jpg").unlink()
    assert verbs.download(store, "p", "a").done == 1
    (item,) = downloads.work(store, "p")
    assert (item.state, item.path, item.received_bytes, item.sha256) == ("queued", None, 0, None)


def test_another_folder_fetches_what_lies_elsewhere(store: Store, tmp_path: Path) -> None:
    completed(store, 1)
    verbs.download(store, "p", "a")
    done(store, tmp_path / "a.jpg")
    assert verbs.download(store, "p", "a", directory=tmp_path / "other").done == 1
    (item,) = downloads.work(store, "p")
    assert item.directory == str(tmp_path / "other")
    assert (tmp_path / "a.jpg").exists()


@pytest.mark.parametrize(
    ("status", "words"), [("failed", "failed, it has no outputs"), ("completed", "without any output URL")]
)
def test_what_cannot_be_downloaded_says_why(store: Store, status: str, words: str) -> None:
    verbs.track(store, "p", [("a", None)])
    generations.record(store, "p", Answer(generation_id="a", status=status), asked_at=NOW)
    with pytest.raises(UsageError) as caught:
        verbs.download(store, "p", "a")
    assert words in str(caught.value)
    with pytest.raises(UsageError):
        verbs.download(store, "p", "nobody")


def test_account_facts_that_are_left_out_stay(store: Store) -> None:
    accounts.save_account(store, "p", Account(balance=100, tier="Pro", calls_per_minute=240, concurrent_jobs=5), NOW)
    accounts.save_account(store, "p", Account(balance=90), NOW)
    accounts.save_balance(store, "p", 80)
    account = query.account(store, "p")
    assert (account.balance, account.tier, account.concurrent_jobs) == (80, "Pro", 5)
    assert query.account(store, "nobody") == Account()


def test_the_catalogue_comes_back_as_it_was_stored(store: Store) -> None:
    parameter = Parameter(name="n", type="enum", values=("a", 1, True), minimum=1, default="a")
    model = Model(slug="m", category="image", params={"n": parameter}, credits_min=1, credits_max=2)
    accounts.save_models(store, "p", {"m": model})
    assert query.models(store, "p") == {"m": model}
    assert accounts.categories(store, "p") == {"m": "image"}


def test_a_wish_to_know_now_is_one_until_it_was_answered(store: Store) -> None:
    completed(store)
    assert verbs.refresh(store, "p", "a").done == 1
    assert verbs.refresh(store, "p", "a").done == 0
    assert [row.generation_id for row in generations.live(store, "p")] == ["a"]
    record(store, "a", "completed", at=5)
    assert generations.live(store, "p") == []


def test_sto_09_a_megabyte_of_hostile_prompt_comes_back_byte_for_byte(store: Store) -> None:
    body = json.dumps({"model": "m", "prompt": "\x00\u202e🌊\x1b[2J" * 100_000}, ensure_ascii=False)
    (submission_id,) = verbs.submit(store, "p", [body]).ids
    item = submissions.get(store, submission_id)
    assert item is not None
    assert item.body == body
    lone = '{"model": "m", "prompt": "a\\ud800b"}'
    (submission_id,) = verbs.submit(store, "p", [lone]).ids
    item = submissions.get(store, submission_id)
    assert item is not None
    assert item.body == lone


def test_a_model_that_no_database_can_hold_has_a_price_all_the_same(store: Store) -> None:
    lone = '{"model": "m\\udfff", "prompt": "a"}'
    verbs.track(store, "p", [("g1", lone)])
    quote = verbs_retry.quote(store, "p", "g1")
    assert (quote.body, quote.price) == (lone, None)

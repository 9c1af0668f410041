"""`history.keep`: what ended long ago may go, with all that belongs to it; everything else stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from vivix_tui import verbs, verbs_retry
from vivix_tui.domain.generation import Answer
from vivix_tui.domain.submission import Accepted
from vivix_tui.store import generations, query, retention, submissions
from vivix_tui.store.store import Store

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=100)
BODY = '{"model": "m", "prompt": "x"}'


def tables(store: Store) -> dict[str, int]:
    names = ("generations", "submissions", "downloads", "events")
    return {name: store.one(f"SELECT count(*) FROM {name}")[0] for name in names}


def ended(store: Store, generation_id: str, status: str = "completed", **facts: object) -> None:
    answer = Answer(generation_id=generation_id, status=status, **facts)  # type: ignore[arg-type]
    generations.record(store, "p", answer, asked_at=NOW)


def submitted(store: Store, generation_id: str) -> str:
    (submission_id,) = verbs.submit(store, "p", [BODY]).ids
    item = submissions.get(store, submission_id)
    assert item is not None
    assert submissions.begin(store, submission_id, None, NOW)
    answer = Accepted(generation_id=generation_id, status="pending", credits_estimate=None, request_id=None)
    submissions.accepted(store, item, answer, None, NOW)
    return submission_id


def test_what_ended_goes_with_everything_that_belongs_to_it(store: Store) -> None:
    submitted(store, "a")
    ended(store, "a", output_url="https://h/x.png")
    verbs.track(store, "p", [("b", BODY)])
    ended(store, "b", "failed")
    verbs.forget(store, "p", ["b"])
    assert retention.prune(store, "p", LATER, most=10) == 2
    assert tables(store) == {"generations": 0, "submissions": 0, "downloads": 0, "events": 0}
    assert set(query.counts(store, "p").values()) <= {0}
    assert retention.prune(store, "p", LATER, most=10) == 0


def test_what_is_young_or_of_another_profile_stays(store: Store) -> None:
    verbs.track(store, "p", [("a", None)])
    ended(store, "a", created_at="2020-01-01T00:00:00Z")
    assert retention.prune(store, "p", NOW - timedelta(days=90), most=10) == 0
    assert retention.prune(store, "q", LATER, most=10) == 0
    assert tables(store)["generations"] == 1


def _live(store: Store) -> None:
    ended(store, "a", "processing")


def _forgotten_while_live(store: Store) -> None:
    ended(store, "a", "processing")
    verbs.forget(store, "p", ["a"])


def _being_fetched(store: Store) -> None:
    ended(store, "a", output_url="https://h/x.png")
    verbs.download(store, "p", "a")


def _being_retried(store: Store) -> None:
    ended(store, "a", "failed")
    verbs_retry.retry(store, "p", "a")


@pytest.mark.parametrize("prepare", [_live, _forgotten_while_live, _being_fetched, _being_retried])
def test_what_is_under_way_in_any_manner_stays(store: Store, prepare: Callable[[Store], None]) -> None:
    verbs.track(store, "p", [("a", BODY)])
    prepare(store)
    before = tables(store)
    assert retention.prune(store, "p", LATER, most=10) == 0
    assert tables(store) == before


def test_what_may_have_been_charged_stays_until_the_user_resolves_it(store: Store) -> None:
    (unknown, cancelled) = verbs.submit(store, "p", [BODY, BODY]).ids
    submissions.begin(store, unknown, None, NOW)
    submissions.orphaned(store, "p", NOW)
    with store.write() as connection:
        connection.execute("UPDATE submissions SET state = 'cancelled' WHERE submission_id = ?", (cancelled,))
    assert retention.prune(store, "p", LATER, most=10) == 1
    assert [row["submission_id"] for row in store.all("SELECT submission_id FROM submissions")] == [unknown]


def test_a_large_history_goes_in_small_steps(store: Store) -> None:
    verbs.track(store, "p", [(f"g{n}", None) for n in range(25)])
    for number in range(25):
        ended(store, f"g{number}")
    assert [retention.prune(store, "p", LATER, most=10) for _ in range(4)] == [10, 10, 5, 0]

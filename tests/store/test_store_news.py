"""What the engine has to act on, told from what it only reports to people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vivix_tui import verbs
from vivix_tui.domain.generation import Answer
from vivix_tui.store import accounts, generations
from vivix_tui.store.accounts import EngineState
from vivix_tui.store.store import Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def record(store: Store, status: str, elapsed_ms: int, **facts: str) -> None:
    answer = Answer(generation_id="a", status=status, elapsed_ms=elapsed_ms, **facts)  # type: ignore[arg-type]
    generations.record(store, "p", answer, asked_at=NOW + timedelta(milliseconds=elapsed_ms))


def test_a_job_that_goes_on_is_seen_by_people_and_is_no_news(store: Store) -> None:
    verbs.track(store, "p", [("a", None)])
    before = store.news
    record(store, "pending", 1_000)
    assert store.news > before, "the first answer: it is no longer among those that nobody asked about"
    before, revision = store.news, store.revision
    record(store, "pending", 2_000)
    assert (store.news, store.revision) == (before, revision + 1)
    record(store, "processing", 3_000)
    assert store.news > before


def test_the_answer_that_the_user_waits_for_is_news(store: Store) -> None:
    verbs.track(store, "p", [("a", None)])
    record(store, "pending", 1_000)
    verbs.refresh(store, "p", "a")
    before = store.news
    record(store, "pending", 2_000)
    assert store.news > before


def test_a_new_link_of_what_has_ended_is_news(store: Store) -> None:
    verbs.track(store, "p", [("a", None)])
    record(store, "completed", 1_000, output_url="https://cdn.vivix.example/1.jpg")
    before = store.news
    record(store, "completed", 2_000, output_url="https://cdn.vivix.example/2.jpg")
    assert store.news > before


def test_what_another_connection_reports_is_news(store: Store) -> None:
    verbs.track(store, "p", [("a", None)])
    record(store, "pending", 1_000)
    other = Store(store.path)
    before = store.news
    record(other, "pending", 2_000)
    assert store.news > before
    other.close()


def test_a_report_that_failed_hides_nothing(store: Store) -> None:
    before = store.news

    def failing() -> None:
        with store.write() as connection:
            connection.execute("INSERT INTO told (profile, seq) VALUES ('p', 1)")
            store.report()
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        failing()
    verbs.track(store, "p", [("a", None)])
    assert store.news == before + 1


def test_the_engine_hears_that_its_connection_changed_and_not_how_many_calls_it_made(store: Store) -> None:
    accounts.save_engine(store, "p", EngineState(pid=1, connection="live", calls_used=1), NOW)
    before, revision = store.news, store.revision
    accounts.save_engine(store, "p", EngineState(pid=1, connection="live", calls_used=2), NOW)
    assert (store.news, store.revision) == (before, revision + 1)
    accounts.save_engine(store, "p", EngineState(pid=1, connection="offline", calls_used=2), NOW)
    assert store.news > before

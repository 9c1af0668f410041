"""What is counted of all rows, and of the calls: exact numbers, over windows, whatever is not known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from vivix_tui import verbs
from vivix_tui.domain.generation import Answer
from vivix_tui.store import calls, generations, statistics
from vivix_tui.store.store import Store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PROFILE = "studio"


def past(store: Store, *rows: tuple[str, float, dict[str, object]], profile: str = PROFILE) -> None:
    """Generations as (status, days ago, other facts)."""
    with store.write() as connection:
        number = len(store.all("SELECT 1 FROM generations"))
        answers = [
            Answer(
                **{"model": "m"} | facts,  # type: ignore[arg-type]
                generation_id=f"g{number + index}",
                status=status,
                created_at=(NOW - timedelta(days=days)).isoformat(),
            )
            for index, (status, days, facts) in enumerate(rows)
        ]
        generations.insert_past(connection, profile, [(answer, "{}") for answer in answers], NOW)


def test_of_nothing_everything_is_nothing(store: Store) -> None:
    found = statistics.read(store, PROFILE, NOW)
    assert found.models == ()
    assert found.errors == {}
    assert found.first is None
    assert (found.refunds, found.came_back) == ((0, 0, 0), (0, 0, 0))
    assert len(found.days) == statistics.CHART_DAYS
    assert set(found.days.values()) == {0}
    assert (found.calls, found.calls_since) == ({}, None)


def test_what_was_spent_and_failed_over_seven_days_thirty_days_and_all_time(store: Store) -> None:
    past(
        store,
        ("completed", 1, {"credits_used": 100, "duration_ms": 10_000}),
        ("completed", 8, {"credits_used": 200, "duration_ms": 20_000}),
        ("completed", 40, {"credits_used": 400, "duration_ms": 40_000}),
        ("failed", 2, {"credits_used": 0, "error": "PROVIDER_ERROR", "credits_estimate": 211}),
        ("failed", 9, {"credits_used": 0, "error": "PROVIDER_ERROR"}),
        ("failed", 41, {"credits_used": 30, "error": "CONTENT_POLICY", "credits_estimate": 80}),
        ("processing", 0, {"credits_estimate": 1440}),
        ("completed", 1, {"model": "other", "credits_used": 1000}),
    )
    past(store, ("completed", 1, {"credits_used": 5}), profile="another")
    found = statistics.read(store, PROFILE, NOW)
    other, model = found.models
    assert (model.model, model.completed, model.failed) == ("m", (1, 2, 3), (1, 2, 3))
    assert model.credits == (100, 300, 730)
    assert model.p50_ms == (10_000, 10_000, 20_000)
    assert model.p95_ms == (10_000, 20_000, 40_000)
    assert (other.model, other.credits, other.p50_ms) == ("other", (1000, 1000, 1000), (None, None, None))
    assert found.errors == {"PROVIDER_ERROR": (1, 2, 2), "CONTENT_POLICY": (0, 0, 1)}
    assert (found.refunds, found.estimated, found.came_back) == ((1, 2, 2), (1, 1, 1), (211, 211, 211))
    assert found.first == NOW - timedelta(days=41)
    assert sum(found.days.values()) == 1300
    assert found.days[date(2026, 11, 22)] == 1100


def test_percentiles_are_the_nearest_rank(store: Store) -> None:
    past(store, *(("completed", 1, {"duration_ms": ms}) for ms in (*range(100, 2_001, 100), 0)))
    (model,) = statistics.read(store, PROFILE, NOW).models
    assert (model.p50_ms[0], model.p95_ms[0]) == (1_000, 1_900)
    assert model.completed[0] == 21


def test_what_was_forgotten_was_paid_for_all_the_same(store: Store) -> None:
    past(store, ("completed", 1, {"credits_used": 100}))
    verbs.forget(store, PROFILE, ["g0"])
    (model,) = statistics.read(store, PROFILE, NOW).models
    assert model.credits == (100, 100, 100)


def test_a_model_that_is_not_known_and_a_code_that_was_not_named(store: Store) -> None:
    past(store, ("failed", 1, {"model": None, "credits_used": 0}))
    found = statistics.read(store, PROFILE, NOW)
    assert [model.model for model in found.models] == [None]
    assert found.errors == {None: (1, 1, 1)}


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"])
def test_a_day_begins_where_this_machine_is(store: Store, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        midnight = datetime(2026, 11, 20).astimezone()
        for offset in (timedelta(minutes=-1), timedelta(minutes=1)):
            past(store, ("completed", (NOW - midnight - offset) / timedelta(days=1), {"credits_used": 7}))
        found = statistics.read(store, PROFILE, NOW)
        assert (found.days[date(2026, 11, 19)], found.days[date(2026, 11, 20)]) == (7, 7)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_rows_themselves_are_not_read(store: Store) -> None:
    """Bodies and prompts are a hundred megabytes; the index that is counted over has six."""
    plans = [
        store.all(f"EXPLAIN QUERY PLAN {sql}", dict.fromkeys(parameters, 1))
        for sql, parameters in (
            (statistics._GROUPS, ("profile", "since0", "since1", "since2")),
            (statistics._DAYS, ("profile", "since")),
            (statistics._RANK, ("profile", "model", "since", "rank")),
        )
    ]
    assert all("COVERING INDEX generations_statistics" in plan[0]["detail"] for plan in plans)
    assert "error=? AND duration_ms>?" in plans[2][0]["detail"]
    assert len(plans[2]) == 1, "the durations have to be sorted"


def test_calls_of_today_of_seven_days_and_of_all_time(store: Store) -> None:
    today = date(2026, 11, 23)
    for back, number in ((0, 3), (6, 10), (7, 100), (29, 1_000), (400, 10_000)):
        calls.add(store, PROFILE, {(today - timedelta(days=back), calls.POLL): number})
    calls.add(store, PROFILE, {(today, calls.POLL): 2, (today, calls.MODELS): 1})
    calls.add(store, "another", {(today, calls.POLL): 50})
    found = statistics.read(store, PROFILE, NOW)
    assert found.calls == {calls.POLL: (5, 15, 1_115, 11_115), calls.MODELS: (1, 1, 1, 1)}
    assert found.calls_since == today - timedelta(days=400)

"""The budget is never overspent, waits are obeyed, what others use is left to them. Time is passed in."""

from __future__ import annotations

import pytest

from vivix_tui.domain.budget import Budget


def spend(budget: Budget, seconds: float, *, start: float = 0.0, remaining: int | None = None) -> list[float]:
    """Calls as often as the budget allows; the times of the calls."""
    calls, now = [], start
    while now < start + seconds:
        if budget.may_call(now):
            budget.called(now)
            budget.ended()
            budget.answered(now, remaining)
            calls.append(now)
        now += 0.05
    return calls


@pytest.mark.parametrize("limit", [60, 240, 600])
def test_rat_03_no_minute_sees_more_calls_than_the_limit(limit: int) -> None:
    budget = Budget()
    budget.set_limit(limit)
    calls = spend(budget, 300)
    most = max(sum(1 for c in calls if start <= c < start + 60) for start in calls)
    assert most <= limit
    assert most >= limit * 0.85


def test_what_others_use_is_left_to_them() -> None:
    budget = Budget(least_share=0.2)
    budget.set_limit(240)
    calls = spend(budget, 900, remaining=10)
    late = sum(1 for c in calls if 840 <= c < 900)
    assert late <= 60


def test_rat_04_an_empty_window_slows_calls_before_a_429_is_earned() -> None:
    budget = Budget()
    budget.set_limit(240)
    calls = spend(budget, 60, remaining=0)
    assert len(calls) <= 13


def test_rat_01_nobody_calls_before_retry_after_is_over() -> None:
    budget = Budget()
    budget.set_limit(600)
    assert budget.limited(100.0, 7.0, 0.5) == pytest.approx(107.5)
    assert not budget.may_call(107.4, urgent=True)
    assert not budget.may_call(107.5)
    assert budget.may_call(110.0)


@pytest.mark.parametrize(("said", "waits"), [(None, 10.0), (0.0, 1.0), (7.0, 7.0), (1e9, 900.0)])
def test_retry_after_is_held_between_a_second_and_a_quarter_of_an_hour(said: float | None, waits: float) -> None:
    assert Budget().limited(0.0, said, 0.0) == pytest.approx(waits)


def test_an_outage_is_probed_by_one_call_at_a_time() -> None:
    budget = Budget()
    until = budget.failed(0.0, 0.5)
    assert 0.5 <= until <= 1.0
    assert not budget.may_call(until - 0.01)
    assert budget.may_call(until + 1, urgent=True)
    budget.called(until + 1)
    assert not budget.may_call(until + 2, urgent=True)
    budget.ended()
    budget.answered(until + 3, None)
    assert budget.may_call(until + 3)


def test_api_07_five_minutes_of_outage_cost_at_most_seventy_calls_then_two_a_minute() -> None:
    budget, now, calls = Budget(), 0.0, []
    while now < 900:
        if budget.may_call(now, urgent=True):
            budget.called(now)
            budget.ended()
            budget.failed(now, 0.5)
            calls.append(now)
        now += 0.1
    assert sum(c < 300 for c in calls) <= 70
    assert sum(c >= 400 for c in calls) <= 500 / 30 + 1


def test_urgent_calls_may_use_what_polls_leave() -> None:
    budget = Budget()
    budget.set_limit(240)
    while budget.may_call(0.0):
        budget.called(0.0)
        budget.ended()
    assert budget.may_call(0.0, urgent=True)

"""How long credits last: at a steady pace, in the first days, and where something is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vivix_tui.domain.burn import burn

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=90)


def test_credits_that_end_before_the_reset() -> None:
    found = burn(spent=7_000, first=LONG_AGO, now=NOW, balance=4_000, resets_at=NOW + timedelta(days=10))
    assert (found.per_day, found.days) == (1_000, 7)
    assert found.ends_at == NOW + timedelta(days=4)
    assert found.short == timedelta(days=6)
    assert found.left == 0


def test_credits_that_last_beyond_the_reset() -> None:
    found = burn(spent=700, first=LONG_AGO, now=NOW, balance=4_000, resets_at=NOW + timedelta(days=10))
    assert found.ends_at == NOW + timedelta(days=40)
    assert found.short == timedelta(days=-30)
    assert found.left == 3_000


@pytest.mark.parametrize(("age", "days"), [(timedelta(hours=1), 1), (timedelta(days=2), 2), (timedelta(days=8), 7)])
def test_the_pace_of_somebody_who_began_lately_is_not_spread_over_a_week(age: timedelta, days: float) -> None:
    found = burn(spent=840, first=NOW - age, now=NOW, balance=None, resets_at=None)
    assert (found.days, found.per_day) == (days, 840 / days)


def test_nothing_spent_lasts_for_ever() -> None:
    found = burn(spent=0, first=LONG_AGO, now=NOW, balance=500, resets_at=NOW + timedelta(days=10))
    assert (found.per_day, found.ends_at, found.short, found.left) == (0, None, None, 500)


def test_a_pace_so_slow_that_the_end_has_no_date() -> None:
    assert burn(spent=1, first=LONG_AGO, now=NOW, balance=10**9, resets_at=None).ends_at is None


@pytest.mark.parametrize("resets_at", [None, NOW - timedelta(days=1)])
def test_without_a_reset_to_come_only_the_end_is_known(resets_at: datetime | None) -> None:
    found = burn(spent=7_000, first=LONG_AGO, now=NOW, balance=4_000, resets_at=resets_at)
    assert found.ends_at == NOW + timedelta(days=4)
    assert (found.short, found.left) == (None, None)


def test_without_a_balance_nothing_is_said_about_the_end() -> None:
    found = burn(spent=7_000, first=LONG_AGO, now=NOW, balance=None, resets_at=NOW + timedelta(days=10))
    assert (found.ends_at, found.short, found.left) == (None, None, None)

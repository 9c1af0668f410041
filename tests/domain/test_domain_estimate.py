"""Durations from history, and what they say about the time left: properties that hold for every history and age."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivix_tui.domain import estimate
from vivix_tui.domain.estimate import SIGMA_MIN, Draining, Durations, fitted, outlook, prior

SECONDS = st.floats(0.001, 1e6)
HISTORIES = st.lists(SECONDS, max_size=60)
AGES = st.floats(0, 1e8)


@given(HISTORIES, AGES, AGES)
def test_survival_falls_from_one_and_never_below_nought(history: list[float], one: float, other: float) -> None:
    durations = fitted(history, prior("image"))
    earlier, later = sorted((one, other))
    assert 0 <= durations.survival(later) <= durations.survival(earlier) <= 1
    assert durations.survival(0) == 1
    assert durations.sigma >= SIGMA_MIN


@given(HISTORIES, AGES)
def test_what_is_left_is_finite_ordered_and_the_bar_inside_its_frame(history: list[float], age_s: float) -> None:
    found = outlook(fitted(history, prior("video")), age_s)
    assert 0 <= found.soonest_s <= found.left_s <= found.latest_s < math.inf
    assert 0 <= found.bar < 1


@settings(max_examples=30)
@given(HISTORIES)
def test_the_bar_neither_goes_back_nor_stands_still(history: list[float]) -> None:
    durations = fitted(history, prior("image"))
    bars = [outlook(durations, durations.median_s * step / 20).bar for step in range(1, 400, 3)]
    assert all(later > before for before, later in itertools.pairwise(bars))


def test_the_bar_is_about_full_when_most_have_ended() -> None:
    durations = Durations(100.0, 0.25, 20)
    assert outlook(durations, 0.0).bar == 0.0
    assert 0.4 < outlook(durations, 50.0).bar < 0.7
    assert 0.8 < outlook(durations, 100.0).bar < 0.97


def test_without_history_the_category_is_assumed_and_said_to_be_thin() -> None:
    assert prior("image").median_s == 13.0
    assert prior("video") == prior(None)
    assert outlook(prior("image"), 5.0).thin
    assert not outlook(fitted([12.0, 13.0, 14.0], prior("image")), 5.0).thin


@pytest.mark.parametrize("median_s", [12.0, 100.0, 900.0])
def test_twenty_jobs_are_enough_to_tell_the_time_left(median_s: float) -> None:
    dice = random.Random(7)
    errors, inside = [], []
    for _ in range(300):
        history = [dice.lognormvariate(math.log(median_s), 0.25) for _ in range(20)]
        takes_s = dice.lognormvariate(math.log(median_s), 0.25)
        age_s = dice.random() * takes_s
        found = outlook(fitted(history, prior("image")), age_s)
        errors.append(abs(found.left_s - (takes_s - age_s)) / takes_s)
        inside.append(found.soonest_s <= takes_s - age_s <= found.latest_s)
    assert sorted(errors)[150] <= 0.20
    assert 0.8 <= sum(inside) / 300 <= 0.95


def test_a_straggler_in_the_history_changes_little() -> None:
    usual = [11.0, 12.0, 13.0, 12.5, 11.5] * 4
    with_one = fitted([60.0, *usual[1:]], prior("image"))
    assert with_one.median_s == pytest.approx(fitted(usual, prior("image")).median_s, rel=0.05)
    assert with_one.sigma < 0.25


def test_three_jobs_that_all_took_twice_as_long_count_more_than_the_past() -> None:
    past = [100.0, 110.0, 90.0, 105.0, 95.0] * 4
    changed = fitted([205.0, 195.0, 210.0, *past[3:]], prior("video"))
    assert changed.median_s > 150
    assert fitted([205.0, *past[1:]], prior("video")).median_s < 115
    assert fitted([52.0, 48.0, 50.0, *past[3:]], prior("video")).median_s < 75


def test_late_is_what_nine_of_ten_are_not() -> None:
    durations = Durations(100.0, 0.2, 20)
    assert not outlook(durations, 120.0).late
    assert outlook(durations, 140.0).late


def test_a_late_job_may_take_as_long_again() -> None:
    durations = Durations(100.0, 0.2, 20)
    assert outlook(durations, 400.0).left_s > 100


@pytest.mark.parametrize("odd", [[0.0], [-1.0], [0.0, 5.0]])
def test_durations_that_cannot_be_are_left_out(odd: list[float]) -> None:
    assert fitted(odd, prior("image")) == fitted([value for value in odd if value > 0], prior("image"))


def test_an_import_tells_how_far_it_is_and_how_long_it_takes() -> None:
    draining = Draining(0.0)
    draining.saw(5000, 0.0)
    assert (draining.left, draining.total, draining.seconds) == (5000, 5000, None)
    draining.saw(4900, 20.0)
    assert draining.seconds == 980
    draining.saw(5400, 30.0)
    assert (draining.left, draining.total) == (5400, 5500)
    assert estimate.Draining(0.0).seconds is None

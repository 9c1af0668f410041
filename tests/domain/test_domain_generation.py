"""What an answer may change: a status never goes back, a fact is never lost, a late answer loses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivix_tui.domain import times
from vivix_tui.domain.generation import ENDED, Answer, Generation, apply, category_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def row(**facts: object) -> Generation:
    return Generation(profile="p", generation_id="g", tracked_at=times.iso(NOW), **facts)  # type: ignore[arg-type]


def answer(status: str, **facts: object) -> Answer:
    return Answer(generation_id="g", status=status, **facts)  # type: ignore[arg-type]


def test_an_answer_brings_its_facts_and_keeps_the_others() -> None:
    before = row(status="pending", model="m", credits_estimate=211, note="last answer unusable")
    after = apply(before, answer("completed", credits_used=180, output_urls=("https://x/1.jpg",)), NOW)
    assert after is not None
    assert (after.status, after.model, after.credits_estimate, after.credits_used) == ("completed", "m", 211, 180)
    assert after.urls == ("https://x/1.jpg",)
    assert after.note is None
    assert after.checked_at == "2026-11-23T12:00:00.000Z"


@pytest.mark.parametrize(
    ("before", "said"),
    [("completed", "failed"), ("failed", "completed"), ("completed", "processing"), ("processing", "pending")],
)
def test_a_status_never_goes_backwards(before: str, said: str) -> None:
    assert apply(row(status=before), answer(said), NOW) is None


@pytest.mark.parametrize(
    ("before", "said"),
    [(None, "pending"), ("pending", "processing"), ("processing", "completed"), ("pending", "uploading"),
     ("uploading", "completed"), ("processing", "uploading"), ("completed", "completed")],
)  # fmt: skip
def test_a_status_goes_forward_through_words_nobody_documented(before: str | None, said: str) -> None:
    after = apply(row(status=before), answer(said), NOW)
    assert after is not None
    assert after.status == said


def test_an_answer_older_than_the_last_one_is_dropped() -> None:
    checked = row(status="processing", checked_at=times.iso(NOW))
    assert apply(checked, answer("completed"), NOW - timedelta(seconds=1)) is None
    assert apply(checked, answer("completed"), NOW + timedelta(seconds=1)) is not None


def test_lif_09_a_row_that_was_asked_about_in_the_future_is_asked_about_again() -> None:
    """A clock that was wrong by a year and is set right must not make a row deaf for a year."""
    checked = row(checked_at=times.iso(NOW + timedelta(days=365)), status="processing")
    late, now = NOW - timedelta(seconds=1), NOW
    after = apply(checked, answer("completed"), late, now)
    assert after is not None
    assert (after.status, after.checked_at) == ("completed", times.iso(late))
    assert apply(row(checked_at=times.iso(NOW)), answer("completed"), late, now) is None, "this one is simply late"


def test_an_answer_brings_a_gone_generation_back() -> None:
    after = apply(row(gone="NOT_FOUND"), answer("processing"), NOW)
    assert after is not None
    assert after.gone is None
    assert not after.ended


@given(st.lists(st.sampled_from(["pending", "processing", "completed", "failed", "uploading", "?"]), max_size=12))
def test_whatever_comes_a_final_status_stays(words: list[str]) -> None:
    now, current = NOW, row()
    for word in words:
        now += timedelta(seconds=1)
        after = apply(current, answer(word), now)
        if current.status in ENDED and after is not None:
            assert after.status == current.status
        current = after or current


@pytest.mark.parametrize(
    ("model", "category"),
    [
        ("known", "video"),
        ("wan-2.7-text-to-video", "video"),
        ("grok-imagine-image-quality", "image"),
        ("x", None),
        (None, None),
    ],
)
def test_the_category_comes_from_the_catalogue_else_from_the_name(model: str | None, category: str | None) -> None:
    assert category_of(model, {"known": "video"}) == category


def test_times_of_every_plausible_form_are_read_and_no_other() -> None:
    assert times.iso(times.parse("2026-05-10T12:34:56Z") or NOW) == "2026-05-10T12:34:56.000Z"
    assert times.iso(times.parse("2026-05-10T14:34:56.789+02:00") or NOW) == "2026-05-10T12:34:56.789Z"
    assert times.iso(times.parse("2026-05-10T12:34:56") or NOW) == "2026-05-10T12:34:56.000Z"
    for bad in ("", "soon", "1799999999", None, 5, "0001-01-01T00:00:00+23:00", "1970-01-01T00:00:00Z", "9" * 50):
        assert times.parse(bad) is None
    assert times.to_ms(NOW) == 1795435200000

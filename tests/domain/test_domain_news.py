"""What ended, in one line; quiet hours."""

from __future__ import annotations

from datetime import time

import pytest

from vivix_tui.domain.news import Ended, News, is_quiet, quiet_hours


def test_many_ends_are_one_line() -> None:
    ends = [Ended(f"g{n}", "done") for n in range(6)] + [Ended("x", "failed"), Ended("s", "charged?")]
    assert News(tuple(ends)).words() == "6 done, 1 failed, 1 charged?"
    assert News().words() == ""


def test_what_was_asked_for_is_named_first_and_a_hostile_prompt_is_harmless() -> None:
    ends = (Ended("g1", "done"), Ended("g2", "failed", "a\x1b]0;x\x07fox", True))
    assert News(ends).words() == "a␛]0;x␇fox: failed; 1 done"
    assert News(ends).asked_for
    many = News(tuple(Ended(f"g{n}", "done", None, True) for n in range(5)))
    assert many.words() == "g0: done; g1: done; g2: done; 2 done"


@pytest.mark.parametrize(
    ("hours", "now", "quiet"),
    [
        ("", "03:00", False),
        ("22:00-07:00", "21:59", False),
        ("22:00-07:00", "22:00", True),
        ("22:00-07:00", "06:59", True),
        ("22:00-07:00", "07:00", False),
        ("12:00-13:30", "13:29", True),
        ("12:00-13:30", "13:30", False),
    ],
)
def test_quiet_hours_may_go_over_midnight(hours: str, now: str, quiet: bool) -> None:
    assert is_quiet(quiet_hours(hours), time.fromisoformat(now)) is quiet


@pytest.mark.parametrize("text", ["22-7", "24:00-07:00", "22:00", "22:60-07:00", "x", "22:00-07:00 "])
def test_other_words_are_no_quiet_hours(text: str) -> None:
    with pytest.raises(ValueError, match="22:00-07:00"):
        quiet_hours(text)

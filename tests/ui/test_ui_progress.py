"""Bar, time left, and how far an import is: words that fit and do not promise what nobody knows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.ui.conftest import NOW
from tests.ui.test_ui_present import facts
from tests.ui.test_ui_table import row
from vivix_tui.domain.estimate import Durations
from vivix_tui.store.accounts import EngineState
from vivix_tui.ui.present.bar import gauges
from vivix_tui.ui.present.glyphs import ASCII, GLYPHS
from vivix_tui.ui.present.progress import bar, detail_text, rounded_s, table_text
from vivix_tui.ui.present.table import cells

KNOWN, THIN = Durations(100.0, 0.2, 20), Durations(100.0, 0.6, 2)


@given(st.floats(0.5, 1e5), st.floats(0.1, 2), st.integers(0, 20), st.floats(0, 1e6), st.booleans())
def test_it_always_fits_into_its_column(median_s: float, sigma: float, count: int, age_s: float, plain: bool) -> None:
    text = table_text(Durations(median_s, sigma, count), age_s, ascii_only=plain)
    assert cell_len(text) == 10
    assert text.isascii() or not plain


@pytest.mark.parametrize(
    ("durations", "age_s", "words"),
    [
        (KNOWN, 75.0, "~27 s left"),
        (KNOWN, 10.0, "~1m30s left"),
        (KNOWN, 140.0, "longer than usual"),
        (THIN, 5.0, "to 210 s left"),
        (THIN, 90.0, "left"),
    ],
)
def test_the_detail_says_it_in_words(durations: Durations, age_s: float, words: str) -> None:
    text = detail_text(durations, age_s, width=20, ascii_only=False)
    if "to" in words:
        assert "min left" in text or words in text
    else:
        assert text[20:].strip().endswith(words)


@pytest.mark.parametrize(("share", "shown"), [(0.0, "    "), (0.5, "██  "), (0.53125, "██▏ "), (0.999, "███▉")])
def test_the_bar_is_drawn_in_eighths(share: float, shown: str) -> None:
    assert bar(share, 4, ascii_only=False) == shown


def test_the_bar_in_plain_letters() -> None:
    assert bar(0.5, 4, ascii_only=True) == "##--"
    assert bar(0.4, 4, ascii_only=True) == "#=--"


@pytest.mark.parametrize(("seconds", "shown"), [(0.2, 1), (12.4, 12), (30, 30), (33, 35), (98, 100)])
def test_time_left_is_rounded_to_five_seconds_beyond_half_a_minute(seconds: float, shown: int) -> None:
    assert rounded_s(seconds) == shown


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ({"status": "processing", "elapsed_ms": 75_000, "checked_at": "2026-11-23T12:00:00Z"}, "~27s"),
        ({"status": "pending", "elapsed_ms": 3_000, "checked_at": "2026-11-23T12:00:00Z"}, ""),
        ({"status": None}, ""),
        ({"status": "completed", "elapsed_ms": 9_000, "duration_ms": 12_400}, "12.4s"),
    ],
)
def test_only_what_is_being_rendered_has_a_bar(known: dict[str, Any], text: str) -> None:
    shown = cells(row(**known), NOW, GLYPHS, KNOWN)["time"].text
    assert shown.split(" ")[-1] == text
    assert cells(row(**known), NOW, ASCII, KNOWN)["time"].text.isascii()


@pytest.mark.parametrize(
    ("unasked", "total", "seconds", "words"),
    [
        (3766, 5000, 480, "checking 1,234 of 5,000, ~8 min"),
        (30, 5000, 12, "checking 4,970 of 5,000, ~12 s"),
        (5000, 5000, None, "checking 0 of 5,000"),
    ],
)
def test_the_header_tells_how_far_an_import_is(unasked: int, total: int, seconds: int | None, words: str) -> None:
    engine = EngineState(pid=1, connection="live", unasked=unasked, unasked_of=total, unasked_s=seconds)
    assert words in [gauge.text for gauge in gauges(facts(engine), NOW, GLYPHS)]
    assert not [g for g in gauges(facts(EngineState(pid=1, connection="live")), NOW, GLYPHS) if "checking" in g.text]

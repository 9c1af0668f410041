"""Outside text: nothing that steers a terminal survives, nothing of the meaning is lost."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivix_tui.domain.text import is_trackable_id, json_line, lines, one_line, plain_words

ANY_TEXT = st.text(alphabet=st.characters(codec=None))
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\ud800-\udfff]")


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("A\x1b]0;PWNED\x07B", "A␛]0;PWNED␇B"),
        ("\x1b[2J", "␛[2J"),
        ("\x9b31m", "\ufffd31m"),
        ("a\u202eb", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("\x7f", "␡"),
        ("bad [/red] text", "bad [/red] text"),
        ("日本語 🌊", "日本語 🌊"),
        ("a\r\nb\tc", "a b c"),
    ],
)
def test_one_line_replaces_what_steers_and_keeps_the_rest(hostile: str, shown: str) -> None:
    assert one_line(hostile) == shown


@given(ANY_TEXT)
def test_nothing_that_steers_survives(text: str) -> None:
    assert not STEERING.search(one_line(text))
    assert "\n" not in one_line(text)
    assert not STEERING.search(lines(text))


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert one_line(one_line(text)) == one_line(text)


def test_giant_text_is_cut() -> None:
    assert len(one_line("x" * 1_000_000)) == 2_000
    assert len(one_line("word " * 1_000_000, 50)) <= 50
    assert len(lines("x" * 1_000_000)) < 21_000


def test_lines_keeps_newlines() -> None:
    assert lines("a\r\nb\n\tc") == "a\nb\n    c"


@given(st.recursive(st.none() | st.booleans() | st.floats() | ANY_TEXT, st.lists))
def test_json_line_is_one_harmless_line_of_strict_json(value: object) -> None:
    text = json_line({"value": value})
    assert "\n" not in text
    assert not STEERING.search(text)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_json_line_gives_the_original_text_back() -> None:
    original = 'tab\t esc\x1b c1\x9b bidi\u202e emoji 🌊 quote" back\\'
    assert json.loads(json_line([original])) == [original]
    assert json.loads(json_line(["a\ud800b"])) == ["a\ufffdb"]
    assert json_line(float("nan")) == "null"


@given(ANY_TEXT)
def test_plain_words_holds_letters_digits_and_blanks_alone(text: str) -> None:
    found = plain_words(text)
    assert len(found) <= 60
    assert all(c == " " or unicodedata.category(c)[0] in "LNM" for c in found)


@pytest.mark.parametrize("good", ["abc123", "5b91a581-0000-4000-8000-000000000000", "..", "a/b?c#d%", "é🌊", "-x"])
def test_printable_text_without_blanks_is_an_id(good: str) -> None:
    assert is_trackable_id(good)


@pytest.mark.parametrize("bad", ["", " ", "a b", "a\n", "\x1b[2J", "a\u202eb", "x" * 501, "a\u00a0b"])
def test_other_text_is_no_id(bad: str) -> None:
    assert not is_trackable_id(bad)

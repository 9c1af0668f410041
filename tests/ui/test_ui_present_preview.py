"""What the preview chooses and says, and how large the tiles of a sheet are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivix_tui.domain.download import ACTIVE, CANCELLED, DONE, FAILED, PAUSED, Download
from vivix_tui.domain.generation import Generation
from vivix_tui.domain.glimpse import FETCHED, REFUSED, Glimpse
from vivix_tui.preview.frame import Frame
from vivix_tui.ui.present.preview import MOST_TILES, Album, Outputs, album, facts, grid

NONE: Mapping[int, Glimpse] = MappingProxyType({})


def row(number: int, *states: str, status: str = "completed", glimpses: Mapping[int, Glimpse] = NONE) -> Outputs:
    """A generation with one output for each state; an empty state was never asked for."""
    made = f"{number:08x}-0000"
    urls = tuple(f"https://cdn.vivix.example/{index}.png" for index in range(1, len(states) + 1))
    files = [
        Download(profile="p", generation_id=made, index=index, url=url, state=state,
                 path=f"/out/{number}-{index}.png" if state == DONE else None)
        for index, (url, state) in enumerate(zip(urls, states, strict=True), start=1) if state
    ]  # fmt: skip
    made_row = Generation(profile="p", generation_id=made, status=status, prompt="a\x1b[2J fox", output_urls=urls,
                          tracked_at="2026-11-23T12:00:00.000Z")  # fmt: skip
    return Outputs(made_row, files, glimpses)


def glimpse(**facts: str) -> dict[int, Glimpse]:
    url = facts.pop("url", "https://cdn.vivix.example/1.png")
    return {1: Glimpse(profile="p", generation_id="00000001-0000", index=1, url=url, **facts)}


def made(*shown: Outputs, marked: int = 0, gone: str = "") -> Album:
    return album(shown, marked, exists=lambda path: path != gone)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (row(1, status="failed"), "it failed, it has no outputs"),
        (row(1, status="processing"), "it is not completed"),
        (row(1), "the answer named no URL"),
    ],
)
def test_where_there_is_no_output_a_sentence_says_why(found: Outputs, words: str) -> None:
    assert made(found).subjects == ()
    assert words in made(found).words


@pytest.mark.parametrize("state", ["", FAILED, PAUSED, CANCELLED])
def test_what_is_not_on_disk_is_to_be_fetched_for_a_look(state: str) -> None:
    (subject,) = made(row(1, state)).subjects
    assert (subject.path, subject.wish, subject.refused) == (None, ("00000001-0000", 1), False)


def test_the_file_on_disk_comes_first_and_one_that_is_being_fetched_is_waited_for() -> None:
    seen = glimpse(state=FETCHED, path="/cache/1")
    assert made(row(1, DONE, glimpses=seen)).subjects[0].path == Path("/out/1-1.png")
    assert made(row(1, DONE, glimpses=seen), gone="/out/1-1.png").subjects[0].path == Path("/cache/1")
    (waits,) = made(row(1, ACTIVE)).subjects
    assert (waits.path, waits.wish, waits.words) == (None, None, "no picture yet: its output is being fetched")


def test_what_was_fetched_for_a_look_is_shown_as_long_as_it_lies_there_and_is_of_this_url() -> None:
    assert made(row(1, "", glimpses=glimpse(state=FETCHED, path="/cache/1"))).subjects[0].path == Path("/cache/1")
    gone = made(row(1, "", glimpses=glimpse(state=FETCHED, path="/cache/1")), gone="/cache/1").subjects[0]
    other = made(row(1, "", glimpses=glimpse(state=FETCHED, path="/cache/1", url="https://old.example"))).subjects[0]
    assert (gone.path, gone.wish) == (other.path, other.wish) == (None, ("00000001-0000", 1))


def test_what_was_refused_says_why_in_harmless_words() -> None:
    (subject,) = made(row(1, "", glimpses=glimpse(state=REFUSED, error="404 \x1b]0;x\x07"))).subjects
    assert subject.words == "no picture: it is not on disk, and not to be had: 404 ␛]0;x␇"
    assert subject.refused


def test_one_output_is_a_picture_and_several_are_a_sheet() -> None:
    one = made(row(1, DONE))
    assert (len(one.subjects), one.sheet, one.words) == (1, False, "")
    two = made(row(1, DONE, ""))
    assert ([s.label for s in two.subjects], two.sheet, two.words) == (["1", "2"], True, "")
    marked = made(row(1, DONE), row(2, DONE, ""), marked=2)
    assert [s.label for s in marked.subjects] == [
        "00000001 a␛[2J fox", "00000002 1 a␛[2J fox", "00000002 2 a␛[2J fox",
    ]  # fmt: skip
    assert marked.words == "2 marked rows"


def test_more_than_a_sheet_holds_is_said() -> None:
    many = made(*(row(n, DONE) for n in range(30)), marked=400)
    assert len(many.subjects) == MOST_TILES
    assert many.words == "400 marked rows, the first 12 outputs"
    none = made(*(row(n, status="failed") for n in range(30)), marked=400)
    assert none == Album(words="no picture: the first 30 marked rows have no outputs")


def test_the_facts_are_those_of_the_file() -> None:
    frame = Frame(width=1, height=1, rgb=b"rgb", source_width=1280, source_height=720, kind="png")
    assert facts(frame) == "1,280 × 720 png"
    video = Frame(width=1, height=1, rgb=b"rgb", source_width=960, source_height=540, kind="mp4", codec="h264",
                  duration_ms=3_040)  # fmt: skip
    assert facts(video) == "960 × 540 mp4, h264, 3.0s long"


@given(st.integers(1, MOST_TILES), st.integers(10, 300), st.integers(1, 100))
def test_tiles_fit_side_by_side_and_are_never_too_small_to_see(count: int, width: int, height: int) -> None:
    cells = grid(count, width, height, sheet=True)
    assert cells.columns * (cells.width + 1) - 1 <= width
    assert cells.width >= 8
    assert cells.height >= 3
    rows = -(-count // cells.columns)
    if count * 4 <= height or (width >= 9 * count and height >= 4):
        assert rows * (cells.height + 1) <= height


def test_tiles_are_as_large_as_the_pane_allows() -> None:
    assert grid(4, 46, 22, sheet=True).columns == 2
    assert grid(4, 100, 14, sheet=True).columns == 4
    assert grid(3, 20, 60, sheet=True).columns == 1
    assert grid(1, 46, 22, sheet=False).height == 22

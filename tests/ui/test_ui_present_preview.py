"""What the preview chooses and says, and how large the tiles of a sheet are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivix_tui.domain.download import ACTIVE, DONE, FAILED, Download
from vivix_tui.domain.generation import Generation
from vivix_tui.preview.frame import Frame
from vivix_tui.ui.present_preview import MOST_TILES, Album, album, facts, grid

Row = tuple[Generation, list[Download]]


def row(number: int, *states: str, status: str = "completed", error: str | None = None) -> Row:
    """A generation with one output for each state; an empty state was never asked for."""
    made = f"{number:08x}-0000"
    urls = tuple(f"https://cdn.vivix.example/{index}.png" for index in range(len(states)))
    files = [
        Download(profile="p", generation_id=made, index=index, url=url, state=state, error=error,
                 path=f"/out/{number}-{index}.png" if state == DONE else None)
        for index, (url, state) in enumerate(zip(urls, states, strict=True), start=1) if state
    ]  # fmt: skip
    made_row = Generation(profile="p", generation_id=made, status=status, prompt="a\x1b[2J fox", output_urls=urls,
                          tracked_at="2026-11-23T12:00:00.000Z")  # fmt: skip
    return made_row, files


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (row(1, status="failed"), "it failed, it has no outputs"),
        (row(1, status="processing"), "it is not completed"),
        (row(1, ""), "not on disk; d fetches it"),
        (row(1, "", ACTIVE), "is being fetched"),
        (row(1, FAILED, error="404 \x1b]0;x\x07"), "(404 ␛]0;x␇); d tries again"),
    ],
)
def test_where_there_is_no_file_a_sentence_says_why(found: Row, words: str) -> None:
    made = album([found])
    assert made.subjects == ()
    assert words in made.words


def test_one_file_is_a_picture_and_several_are_a_sheet() -> None:
    one = album([row(1, "", DONE, "")])
    assert [s.path for s in one.subjects] == [Path("/out/1-2.png")]
    assert (one.sheet, one.words) == (False, "2 more are not on disk; d fetches them")
    two = album([row(1, DONE, DONE)])
    assert ([s.label for s in two.subjects], two.sheet, two.words) == (["1", "2"], True, "")
    marked = album([row(1, DONE), row(2, DONE, "")], 2)
    assert [s.label for s in marked.subjects] == ["00000001 a␛[2J fox", "00000002 1 a␛[2J fox"]
    assert marked.words == "2 marked rows, 1 more is not on disk; d fetches it"


def test_more_than_a_sheet_holds_is_said() -> None:
    many = album([row(n, DONE) for n in range(30)], 400)
    assert len(many.subjects) == MOST_TILES
    assert many.words == "400 marked rows, the first 12 outputs on disk"
    assert album([row(1, ""), row(2, "")], 2).words.startswith("no picture: no output of the 2 marked rows is on disk")
    none = album([row(n, "") for n in range(30)], 400)
    assert none == Album(words="no picture: no output of the first 30 marked rows is on disk; d fetches them")


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

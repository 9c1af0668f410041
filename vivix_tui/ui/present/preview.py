"""What the preview shows and says: which outputs, in what order, how large, and why not. Pure.

Owns: the choice of files, what has to be fetched to be looked at, and the words. Refuses: opening files, and drawing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from vivix_tui.domain import download as d
from vivix_tui.domain.download import Download
from vivix_tui.domain.generation import COMPLETED, FAILED, Generation
from vivix_tui.domain.glimpse import FETCHED, REFUSED, Glimpse
from vivix_tui.domain.text import one_line
from vivix_tui.preview.frame import Frame
from vivix_tui.ui.present.times import seconds_text

MOST_TILES, MOST_ROWS = 12, 60
_LEAST_TILE = (8, 3)
Key = tuple[str, int]


class Subject(Struct, frozen=True):
    """An output: the file to be shown, or the words in its place; and what stands below it on a contact sheet.

    `wish`: there is neither file nor word, so it has to be fetched to be looked at. `refused`: that failed before.
    """

    label: str
    path: Path | None = None
    version: str | None = None
    words: str = ""
    wish: Key | None = None
    refused: bool = False


class Album(Struct, frozen=True):
    """The outputs to be shown, and what is to be said beside them; `sheet`: with labels."""

    subjects: tuple[Subject, ...] = ()
    words: str = ""
    sheet: bool = False


class Grid(Struct, frozen=True):
    """Tiles side by side, in cells; the height is the picture's, a line for the label comes below it."""

    columns: int
    width: int
    height: int


class Outputs(Struct, frozen=True):
    """One generation with its downloads, and what was fetched of it to be looked at."""

    row: Generation
    downloads: Sequence[Download] = ()
    glimpses: Mapping[int, Glimpse] = field(default_factory=dict)


def album(shown: Sequence[Outputs], marked: int = 0, *, exists: Callable[[str], bool]) -> Album:
    """The outputs of these generations, the first MOST_TILES of them; `shown` may be the first of the `marked` ones.
    `exists` tells whether a file is where it was saved."""
    several = len(shown) > 1
    found = [
        _subject(of, index, several, exists)
        for of in shown
        if of.row.status == COMPLETED
        for index in range(1, len(of.row.urls) + 1)
    ]
    subjects = tuple(found[:MOST_TILES])
    if not subjects:
        first = "first " if marked > len(shown) else ""
        return Album(
            words=f"no picture: the {first}{len(shown)} marked rows have no outputs"
            if several
            else _why_nothing(shown[0].row)
        )
    words = [f"{marked} marked rows"] if several else []
    if len(found) > len(subjects) or marked > len(shown):
        words.append(f"the first {len(subjects)} outputs")
    return Album(subjects, ", ".join(words), sheet=several or len(subjects) > 1)


def _subject(of: Outputs, index: int, several: bool, exists: Callable[[str], bool]) -> Subject:
    row = of.row
    number = f"{index}" if len(row.urls) > 1 else ""
    short = one_line(row.generation_id, 60)[:8]
    prompt = one_line(row.prompt or "", 40)
    label = " ".join(filter(None, (short, number, prompt) if several else (number,)))
    file = next((item for item in of.downloads if item.index == index), None)
    if file is not None and file.state == d.DONE and file.path and exists(file.path):
        return Subject(label, Path(file.path), file.sha256)
    if file is not None and file.state in (d.QUEUED, d.ACTIVE):
        return Subject(label, words="no picture yet: its output is being fetched")
    seen, key = of.glimpses.get(index), (row.generation_id, index)
    if seen is None or seen.url != row.urls[index - 1]:
        return Subject(label, wish=key)
    if seen.state == FETCHED:
        there = seen.path is not None and exists(seen.path)
        return Subject(label, Path(seen.path or ""), seen.path) if there else Subject(label, wish=key)
    if seen.state == REFUSED:
        why = one_line(f"no picture: it is not on disk, and not to be had: {seen.error}", 200)
        return Subject(label, words=why, wish=key, refused=True)
    return Subject(label, wish=key)


def _why_nothing(row: Generation) -> str:
    if row.status == FAILED:
        return "no picture: it failed, it has no outputs"
    if row.status != COMPLETED:
        return "no picture yet: it is not completed"
    return "no picture: the answer named no URL"


NO_GENERATION = Album(words="no picture: it has not become a generation yet")


def facts(frame: Frame) -> str:
    """`1,280 × 720 mp4, h264, 3.0 s`: as the file says, not as it was ordered."""
    parts = [f"{frame.source_width:,} × {frame.source_height:,} {frame.kind}"]
    parts += [frame.codec] if frame.codec else []
    parts += [f"{seconds_text(frame.duration_ms / 1000, exact=True)} long"] if frame.duration_ms is not None else []
    return ", ".join(parts)


def grid(count: int, width: int, height: int, *, sheet: bool) -> Grid:
    """The largest tiles, square as seen, with which `count` of them fit; where none fit, more than fits: it scrolls."""
    if not sheet:
        return Grid(1, width, max(_LEAST_TILE[1], height))
    most = max(1, min(count, (width + 1) // (_LEAST_TILE[0] + 1)))
    grids = [_with_columns(columns, count, width, height) for columns in range(1, most + 1)]
    fitting = [tile for tile in grids if -(-count // tile.columns) * (tile.height + 1) <= height]
    return max(fitting or grids[-1:], key=lambda tile: min(tile.width, 2 * tile.height))


def _with_columns(columns: int, count: int, width: int, height: int) -> Grid:
    rows = -(-count // columns)
    return Grid(columns, (width + 1) // columns - 1, max(_LEAST_TILE[1], height // rows - 1))

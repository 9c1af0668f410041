"""What the preview shows and says: which files, in what order, how large, and why not. Pure.

Owns: the choice of files and the words. Refuses: opening files, and drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vivix_tui.domain import download as d
from vivix_tui.domain.download import Download
from vivix_tui.domain.generation import COMPLETED, FAILED, Generation
from vivix_tui.domain.text import one_line
from vivix_tui.preview.frame import Frame
from vivix_tui.ui.present_time import seconds_text

MOST_TILES, MOST_ROWS = 12, 60
_LEAST_TILE = (8, 3)


@dataclass(frozen=True, slots=True)
class Subject:
    """A file to be shown, and what stands below it on a contact sheet. `version` differs when it was fetched anew."""

    path: Path
    label: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Album:
    """The files to be shown, and what is to be said of those that are not; `sheet`: with labels."""

    subjects: tuple[Subject, ...] = ()
    words: str = ""
    sheet: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """Tiles side by side, in cells; the height is the picture's, a line for the label comes below it."""

    columns: int
    width: int
    height: int


def album(rows: Sequence[tuple[Generation, Sequence[Download]]], marked: int = 0) -> Album:
    """The outputs on disk of these generations, the first MOST_TILES of them; `rows` may be the first of the `marked`
    ones."""
    several = len(rows) > 1
    found = [
        _subject(row, item, several) for row, files in rows for item in files if item.state == d.DONE and item.path
    ]
    shown = tuple(found[:MOST_TILES])
    if not shown:
        first = "first " if marked > len(rows) else ""
        nothing = f"no picture: no output of the {first}{len(rows)} marked rows is on disk; d fetches them"
        return Album(words=nothing if several else _why_nothing(*rows[0]))
    words = [f"{marked} marked rows"] if several else []
    missing = sum(len(row.urls) for row, _ in rows) - len(found)
    if len(found) > len(shown) or marked > len(rows):
        words.append(f"the first {len(shown)} outputs on disk")
    elif missing > 0:
        words.append(
            "1 more is not on disk; d fetches it" if missing == 1 else f"{missing} more are not on disk; d fetches them"
        )
    return Album(shown, ", ".join(words), sheet=several or len(shown) > 1)


def _subject(row: Generation, item: Download, several: bool) -> Subject:
    number = f"{item.index}" if len(row.urls) > 1 else ""
    short = one_line(row.generation_id, 60)[:8]
    prompt = one_line(row.prompt or "", 40)
    parts = (short, number, prompt) if several else (number,)
    return Subject(Path(item.path or ""), " ".join(filter(None, parts)), item.sha256)


def _why_nothing(row: Generation, files: Sequence[Download]) -> str:
    if row.status == FAILED:
        return "no picture: it failed, it has no outputs"
    if row.status != COMPLETED:
        return "no picture yet: it is not completed"
    if any(item.state in (d.QUEUED, d.ACTIVE) for item in files):
        return "no picture yet: its output is being fetched"
    error = next((item.error for item in files if item.error), None)
    return f"no picture: its output is not on disk ({one_line(error, 120)}); d tries again" if error else (
        "no picture: its output is not on disk; d fetches it"
    )  # fmt: skip


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

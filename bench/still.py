"""Rows that nobody asks about, and what it costs on the wire when one of them changes.

Owns: a database whose engine has no key, so that nothing moves but what is written here. Refuses: judging.
"""

from __future__ import annotations

import math
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.terminal import Terminal
from vivix_tui.domain.generation import PENDING, PROCESSING, Answer
from vivix_tui.domain.times import iso
from vivix_tui.store import generations
from vivix_tui.store.store import Store

PROFILE = "default"
ROWS = 200
CHANGES = 5
CHANGE_S = 1.5  # the screen looks for changes four times a second while there are any


class StillRows:
    """`ROWS` generations that are queued, the newest first; each can be changed as an answer of the API would."""

    def __init__(self, database: Path) -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        for old in database.parent.glob(f"{database.name}*"):
            old.unlink()
        self._store = Store(database)
        # Old enough for their age to stay what it is for an hour.
        self._born = datetime.now(UTC) - timedelta(days=3, minutes=30)
        body = '{"model": "grok-imagine-image-quality", "prompt": "prompt number %d"}'
        with self._store.write() as connection:
            wanted = [(_id(number), body % number) for number in range(ROWS)]
            generations.track(connection, PROFILE, wanted, self._born)
        for number in range(ROWS):
            self.change(number, PENDING)

    def close(self) -> None:
        self._store.close()

    def change(self, number: int, status: str) -> None:
        """The API is said to have answered that row `number` of the table has `status`."""
        born = self._born - timedelta(seconds=number)
        answer = Answer(generation_id=_id(number), status=status, created_at=iso(born))
        generations.record(self._store, PROFILE, answer, asked_at=datetime.now(UTC), born=born)


def _id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def bytes_of_a_change(terminal: Terminal, rows: StillRows, numbers: range, status: str) -> float:
    """The median of the bytes that one row's new status brings to the terminal."""
    counts = []
    for number in numbers:
        rows.change(number, status)
        count, end = 0, time.monotonic() + CHANGE_S
        while (left := end - time.monotonic()) > 0:
            count += len(terminal.read(left))
        counts.append(count)
    return statistics.median(counts) if counts else math.nan


def measure_changes(terminal: Terminal, rows: StillRows) -> dict[str, float]:
    """Bytes for a status that changes on the screen, and below its edge.

    On the screen the header's counts change with it. Below, one word that the documents do not know becomes another:
    it belongs to the same counts and holds no slot, so that there is nothing to say about it.
    """
    on_screen = bytes_of_a_change(terminal, rows, range(5, 5 + CHANGES), PROCESSING)
    hidden = range(ROWS - CHANGES, ROWS)
    for number in hidden:
        rows.change(number, "encoding")
    terminal.settle(CHANGE_S)
    return {"on screen B": on_screen, "off screen B": bytes_of_a_change(terminal, rows, hidden, "muxing")}

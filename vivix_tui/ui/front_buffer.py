"""What the terminal shows now, cell by cell: a frame says only what is another there.

Owns: what was written where, and which cells of new text differ. Refuses: colours and bytes (`frames`). A dialog over
the table makes Textual draw all of the screen several times as it opens and closes, and again whenever something below
changes: 10 kB each, of which next to nothing is new.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

GAP = 10  # as many bytes as it takes to say where to go on
ODD = "\0"  # stands before what is in a cell of odd text

Look = TypeVar("Look")


@dataclass(frozen=True, slots=True)
class Cells(Generic[Look]):
    """A piece of a line. Of a sign that is two cells wide the second one is empty.

    `odd`: there is such a sign in it, or one made of several characters. Terminals do not agree how wide those are, so
    that such a piece is what was written before, or all of it is written.
    """

    signs: list[str]
    looks: list[Look]
    odd: bool = False


class FrontBuffer(Generic[Look]):
    """The lines of the terminal; at first nothing is known of them."""

    def __init__(self) -> None:
        self._lines: dict[int, tuple[list[str | None], list[Look | None]]] = {}

    def write(self, x: int, y: int, cells: Cells[Look]) -> Sequence[tuple[int, int]]:
        """Which parts of `cells` are not there yet, as (first, behind the last); now they are."""
        end = x + len(cells.signs)
        signs, looks = self._line(y, end)
        new = [ODD + sign for sign in cells.signs] if cells.odd else cells.signs
        before = signs[x:end], looks[x:end]
        if before == (new, cells.looks):
            return ()
        parts = [(0, end - x)] if cells.odd else list(_parts(*before, cells))
        self._halve(signs, x)
        self._halve(signs, end)
        signs[x:end], looks[x:end] = new, cells.looks
        return parts

    def forget(self) -> None:
        """Something else wrote to the terminal."""
        self._lines.clear()

    def forget_cells(self, x: int, y: int, width: int) -> None:
        """Something else was drawn over these cells."""
        signs, _ = self._line(y, x + width)
        signs[x : x + width] = [None] * width

    def _line(self, y: int, width: int) -> tuple[list[str | None], list[Look | None]]:
        signs, looks = self._lines.setdefault(y, ([], []))
        missing = width - len(signs)
        if missing > 0:
            signs += [None] * missing
            looks += [None] * missing
        return signs, looks

    @staticmethod
    def _halve(signs: list[str | None], x: int) -> None:
        """Something begins or ends at `x`: of a wide sign that lies across it a terminal shows nothing any more."""
        if x >= len(signs) or signs[x] != ODD:
            return
        first, last = x, x
        while first > 0 and signs[first] == ODD:
            first -= 1
        while last < len(signs) and signs[last] == ODD:
            last += 1
        signs[first:last] = [None] * (last - first)


def _parts(signs: Sequence[str | None], looks: Sequence[Look | None], new: Cells[Look]) -> Iterator[tuple[int, int]]:
    """Where they differ; what is the same between two such places for a few cells is part of both."""
    pairs = zip(signs, new.signs, looks, new.looks, strict=True)
    differ = [at for at, (old, sign, was, look) in enumerate(pairs) if old != sign or (was is not look and was != look)]
    first = last = differ[0]
    for at in differ:
        if at - last > GAP:
            yield first, last + 1
            first = at
        last = at
    yield first, last + 1

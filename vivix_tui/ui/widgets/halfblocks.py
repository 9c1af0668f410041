"""Pictures as text: each cell an upper half block, its own colour the upper pixel, its ground the lower one.

Owns: cells, tiles and their labels as strips; cells that are left blank for a picture in pixels, and where these are.
Refuses: choosing what is shown. Neighbours of the same two colours are
one piece, since every change of colour costs some forty bytes on the wire.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from vivix_tui.preview.frame import Frame
from vivix_tui.ui.pixels import Picture
from vivix_tui.ui.present.preview import MOST_TILES, Grid

UPPER_HALF = "▀"


class Tile(Struct, frozen=True):
    """A picture, or what is said in its place. With `picture` it is drawn in pixels, over blank cells."""

    label: str
    frame: Frame | None = None
    words: str = ""
    picture: Picture | None = None

    @property
    def columns(self) -> int:
        if self.picture is not None:
            return self.picture.columns
        return self.frame.width if self.frame is not None else 0


class Spot(Struct, frozen=True):
    """Where a picture in pixels belongs: cells from the left, lines from the top of the sheet."""

    picture: Picture
    x: int
    y: int


class Inks(Struct, frozen=True):
    """The ground of the pane, the style of words on it, and whether no character but ASCII may be used."""

    ground: Style
    words: Style
    ascii: bool = False


def sheet(tiles: Sequence[Tile], grid: Grid, inks: Inks, *, labels: bool) -> list[Strip]:
    """The tiles in rows. As long as one is awaited, each has its full height, so that nothing jumps but once."""
    strips = []
    for row, height in _rows(tiles, grid):
        blank = [replace(tile, frame=None, picture=None) if tile.picture is not None else tile for tile in row]
        drawn = [_tile(tile, grid.width, height, inks, labels=labels) for tile in blank]
        for parts in zip(*drawn, strict=True):
            pieces = list[Segment]()
            for part in parts:
                pieces += [*part, Segment(" ", inks.ground)]
            strips.append(Strip(pieces).simplify())
    return strips


def spots(tiles: Sequence[Tile], grid: Grid, *, labels: bool) -> list[Spot]:
    """Where in such a sheet the pictures in pixels belong."""
    found, top = [], 0
    for row, height in _rows(tiles, grid):
        for column, tile in enumerate(row):
            if tile.picture is not None:
                left = column * (grid.width + 1) + _left(tile.columns, grid.width, labels)
                found.append(Spot(tile.picture, left, top + height - _height(tile, grid)))
        top += height + labels
    return found


def _rows(tiles: Sequence[Tile], grid: Grid) -> Iterator[tuple[Sequence[Tile], int]]:
    """The tiles side by side, with the height of each such row."""
    awaited = any(tile.frame is None and not tile.words for tile in tiles)
    for start in range(0, len(tiles), grid.columns):
        row = tiles[start : start + grid.columns]
        yield row, grid.height if awaited else max(_height(tile, grid) for tile in row)


def _height(tile: Tile, grid: Grid) -> int:
    if tile.picture is not None:
        return min(grid.height, tile.picture.rows)
    if tile.frame is not None:
        return min(grid.height, (tile.frame.height + 1) // 2)
    return min(grid.height, len(textwrap.wrap(tile.words, grid.width)))


@lru_cache(maxsize=2 * MOST_TILES)  # a sheet is drawn again with each tile that is added
def _tile(tile: Tile, width: int, height: int, inks: Inks, *, labels: bool) -> list[list[Segment]]:
    if tile.frame is not None:
        lines = [_filled(line, tile.frame.width, width, inks, labels) for line in picture(tile.frame, inks)]
    else:
        words = textwrap.wrap(tile.words, width)[:height]
        lines = [_filled([Segment(word, inks.words)], cell_len(word), width, inks, labels) for word in words]
    lines = [[Segment(" " * width, inks.ground)]] * (height - len(lines)) + lines  # next to its label
    return [*lines, [Segment(set_cell_size(tile.label, width), inks.words)]] if labels else lines


def _filled(line: list[Segment], length: int, width: int, inks: Inks, labels: bool) -> list[Segment]:
    left = _left(length, width, labels)
    return [Segment(" " * left, inks.ground), *line, Segment(" " * (width - length - left), inks.ground)]


def _left(length: int, width: int, labels: bool) -> int:
    """Above a label it begins where the label begins; alone it stands in the middle."""
    return 0 if labels else (width - length) // 2


def picture(frame: Frame, inks: Inks) -> Iterator[list[Segment]]:
    """One list of segments for two rows of pixels; below the last row of an odd number is the ground."""
    rgb, stride = frame.rgb, 3 * frame.width
    for y in range(0, frame.height, 2):
        line = []
        for at in range(y * stride, (y + 1) * stride, 3):
            upper = Color.from_rgb(*rgb[at : at + 3])
            lower = Color.from_rgb(*rgb[at + stride : at + stride + 3]) if y + 1 < frame.height else None
            line.append(_cell(upper, lower, inks))
        yield line


def _cell(upper: Color, lower: Color | None, inks: Inks) -> Segment:
    if inks.ascii or upper == lower:
        return Segment(" ", Style.from_color(None, upper))
    return Segment(UPPER_HALF, Style.from_color(upper, lower or inks.ground.bgcolor))

"""Pictures in pixels, drawn over cells that the text leaves blank: Kitty's graphics and Sixel.

Owns: the bytes for both, one line of cells at a time, so that a part can be scrolled away or covered; and what of it is
on the terminal. Refuses: where a picture belongs (the detail pane says), and text.
"""

from __future__ import annotations

import base64
import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from rich.color_triplet import ColorTriplet

from vivix_tui.preview.frame import Frame
from vivix_tui.ui.protocol import Cell

CHUNK = 4096
MOST_PIXELS = 320_000  # some 200 kB on the wire: a second over a slow line


@dataclass(frozen=True, slots=True, eq=False)
class SixelPicture:
    """One Sixel a line. `erased`: text that is written over it takes it away."""

    columns: int
    rows: int
    slices: Sequence[bytes]
    erased: bool = True

    def begin(self, _number: int) -> str:
        """What is sent once, before the first line; the number is its own on this terminal."""
        return ""

    def line(self, _number: int, row: int) -> str:
        """Draws the line at the cursor."""
        return f"\x1bP0;1q{self.slices[row].decode('ascii')}\x1b\\"

    def without(self, _number: int, _row: int) -> str:
        """Takes the line away where text does not."""
        return ""

    def end(self, _number: int) -> str:
        """Forgets it."""
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class KittyPicture:
    """Sent once as packed pixels; each line is a placement of its own. q=2: the terminal never answers."""

    columns: int
    rows: int
    width: int
    line_height: int
    data: str
    erased: bool = False

    def begin(self, number: int) -> str:
        first = f"a=t,q=2,f=24,o=z,s={self.width},v={self.rows * self.line_height},i={number},"
        parts = [self.data[at : at + CHUNK] for at in range(0, len(self.data), CHUNK)]
        return "".join(
            f"\x1b_G{'q=2,' if index else first}m={int(index + 1 < len(parts))};{part}\x1b\\"
            for index, part in enumerate(parts)
        )

    def line(self, number: int, row: int) -> str:
        part = f"x=0,y={row * self.line_height},w={self.width},h={self.line_height}"
        return f"\x1b_Ga=p,q=2,i={number},p={row + 1},{part},c={self.columns},r=1,C=1\x1b\\"

    def without(self, number: int, row: int) -> str:
        return f"\x1b_Ga=d,q=2,d=i,i={number},p={row + 1}\x1b\\"

    def end(self, number: int) -> str:
        return f"\x1b_Ga=d,q=2,d=I,i={number}\x1b\\"


Picture = SixelPicture | KittyPicture


def share(columns: int, lines: int, cell: Cell) -> float:
    """By how much a picture of so many cells has to be smaller in both directions, so as not to be too many bytes."""
    return min(1.0, sqrt(MOST_PIXELS / (columns * cell.width * lines * cell.height)))


def picture_of(frame: Frame, cell: Cell, ground: ColorTriplet) -> Picture:
    """`frame` in cells of that size; what is left of the last ones is `ground`. Takes some milliseconds."""
    columns, rows = -(-frame.width // cell.width), -(-frame.height // cell.height)
    if frame.slice_height:
        return SixelPicture(columns, rows, frame.slices)
    stride, width = 3 * frame.width, columns * cell.width
    right = bytes(ground) * (width - frame.width)
    lines = (frame.rgb[at : at + stride] + right for at in range(0, len(frame.rgb), stride))
    below = bytes(ground) * (width * (rows * cell.height - frame.height))
    data = base64.b64encode(zlib.compress(b"".join(lines) + below, 6)).decode("ascii")
    return KittyPicture(columns, rows, width, cell.height, data)


Line = tuple[Picture, int]
Place = tuple[int, int]
Touched = Callable[[int, int, int], bool]


class Painter:
    """Keeps the terminal as `paint` is told. Where nothing changed `write` is not called."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._numbers: dict[Picture, int] = {}
        self._there: dict[Line, Place] = {}
        self._last = random.getrandbits(31)

    @property
    def busy(self) -> bool:
        """Whether anything of it is on the terminal."""
        return bool(self._numbers)

    def paint(self, pictures: Sequence[Picture] | None, lines: Mapping[Line, Place], touched: Touched) -> None:
        """`lines` are to be seen, at (x, y) each; text was just written where `touched(x, y, width)`. Pictures that are
        not among `pictures` are forgotten (None: all are kept)."""
        out = []
        for line in [line for line in self._there if line not in lines]:
            del self._there[line]
            out.append(line[0].without(self._numbers[line[0]], line[1]))
        for picture in [picture for picture in self._numbers if pictures is not None and picture not in pictures]:
            out.append(picture.end(self._numbers.pop(picture)))
        for line, (x, y) in lines.items():
            picture, row = line
            again = picture.erased and touched(x, y, picture.columns)
            if self._there.get(line) == (x, y) and not again:
                continue
            if picture not in self._numbers:
                self._last = self._last % (2**31 - 1) + 1
                self._numbers[picture] = self._last
                out.append(picture.begin(self._last))
            self._there[line] = x, y
            out.append(f"\x1b[{y + 1};{x + 1}H{picture.line(self._numbers[picture], row)}")
        text = "".join(out)
        if text:
            self._write(f"\x1b7{text}\x1b8")

    def forget(self) -> None:
        """Something else wrote to the terminal, or it ends: all is taken away, and sent anew if it is still wanted."""
        text = "".join(picture.end(number) for picture, number in self._numbers.items())
        if text:
            self._write(text)
        self._numbers.clear()
        self._there.clear()

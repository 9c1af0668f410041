"""A small picture as Sixel, in slices that are as high as a line of the terminal. Runs in the worker alone.

Owns: the palette, and the encoding: each line can be drawn again by itself when text was written over it. Refuses:
sending anything; what leaves here is printable ASCII, and is looked at again before a terminal sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from PIL import Image

from vivix_tui.preview.frame import Frame

COLOURS = 128
_BAND = 6
_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)


def slices(frame: Frame, slice_height: int) -> tuple[bytes, ...]:
    """`frame` from top to bottom: what stands between the introducer of a Sixel and its end, for each slice."""
    image = Image.frombytes("RGB", (frame.width, frame.height), frame.rgb)
    indexed = image.quantize(colors=COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG)
    pixels, palette = indexed.tobytes(), bytes(indexed.getpalette() or ())
    step = frame.width * slice_height
    return tuple(_slice(pixels[at : at + step], frame.width, palette) for at in range(0, len(pixels), step))


def _slice(pixels: bytes, width: int, palette: bytes) -> bytes:
    used = sorted(set(pixels))
    colours = b"".join(
        b"#%d;2;%d;%d;%d" % (index, *(round(part * 100 / 255) for part in palette[3 * index : 3 * index + 3]))
        for index in used
    )
    rows = [pixels[at : at + width] for at in range(0, len(pixels), width)]
    bands = [b"$".join(_band(rows[at : at + _BAND])) for at in range(0, len(rows), _BAND)]
    return b'"1;1;%d;%d' % (width, len(rows)) + colours + b"-".join(bands)


def _band(rows: list[bytes]) -> Iterator[bytes]:
    """For each colour in up to six rows of pixels: one character a column, whose six bits say where it has it."""
    for index in sorted(set().union(*rows)):
        # Each byte holds the bits of one column, so that a whole row is one number and a band is their union.
        bits = 0
        for row, content in enumerate(rows):
            bits |= int.from_bytes(content.translate(_mask(index, row)), "little")
        columns = bits.to_bytes(len(rows[0]), "little").translate(_TO_TEXT).rstrip(b"?")
        yield b"#%d" % index + _RUN.sub(_run, columns)


@lru_cache(maxsize=COLOURS * _BAND)
def _mask(index: int, row: int) -> bytes:
    table = bytearray(256)
    table[index] = 1 << row
    return bytes(table)


def _run(found: re.Match[bytes]) -> bytes:
    return b"!%d%b" % (len(found[0]), found[1])


_TO_TEXT = bytes(63 + (value & 63) for value in range(256))

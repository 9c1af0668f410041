"""How many pixels a picture has, read from its first bytes: before any decoder sees it.

Owns: the headers of PNG, GIF, WebP and JPEG. Refuses: pixels. A file of 500 kB can unpack to gigabytes, so its size on
disk says nothing.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from vivix_tui.errors import NotShown

PICTURES = ("png", "jpg", "gif", "webp")
VIDEOS = ("mp4", "mov", "webm")
MAX_PIXELS = 40_000_000  # an 8K picture has 33 million
_HEAD_BYTES = 32
_JPEG_SEGMENTS = 2_000
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def checked_size(file: BinaryIO, kind: str) -> tuple[int, int]:
    """Width and height of a picture of `kind`; raises NotShown where it has none or too many pixels."""
    file.seek(0)
    try:
        size = _jpeg(file) if kind == "jpg" else _SIZES[kind](file.read(_HEAD_BYTES))
    except (struct.error, IndexError):
        raise NotShown("the file is cut off before its size is told") from None
    return check_pixels(*size)


def check_pixels(width: int, height: int) -> tuple[int, int]:
    """The two as they are; raises NotShown where they are not to be decoded."""
    if width < 1 or height < 1:
        raise NotShown("it says that it is 0 pixels wide or high")
    if width * height > MAX_PIXELS:
        most = MAX_PIXELS // 1_000_000
        raise NotShown(f"{width:,} × {height:,} pixels: more than {most} million are not decoded here")
    return width, height


def _png(head: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", head[16:24])
    if head[12:16] != b"IHDR":
        raise NotShown("the file is damaged: a PNG begins with its size, this one does not")
    return width, height


def _gif(head: bytes) -> tuple[int, int]:
    width, height = struct.unpack("<HH", head[6:10])
    return width, height


def _webp(head: bytes) -> tuple[int, int]:
    form = head[12:16]
    if form == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if form == b"VP8L":
        bits = struct.unpack("<I", head[21:25])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise NotShown("the file is damaged: its WebP form is not known")


_SIZES = {"png": _png, "gif": _gif, "webp": _webp}


def _jpeg(file: BinaryIO) -> tuple[int, int]:
    """The size stands in the frame's segment, after any number of others."""
    file.seek(2)
    for _ in range(_JPEG_SEGMENTS):
        mark = file.read(1)
        while mark == b"\xff":
            mark = file.read(1)
        length = struct.unpack(">H", file.read(2))[0]
        if mark[0] in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", file.read(5)[1:])
            return width, height
        file.seek(length - 2, 1)
    raise NotShown("the file is damaged: a JPEG without a size")

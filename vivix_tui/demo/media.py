"""The files a generation leaves behind: real JPEG, PNG, MP4 and WebM, no two alike.

Owns how an output is made from a look, an index and a shape: one of the small assets (PNGs are drawn on the fly) and
filler in the place each format has for it, so that sizes range from about 40 KB to 6 MB and a joint of two downloads
can never pass unnoticed. Refuses to know jobs and HTTP.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from hashlib import shake_128
from importlib import resources

from .dice import Dice

MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "mp4": "video/mp4", "webm": "video/webm"}

_ASSETS = {
    ("jpg", "1:1"): ("image-1x1-a.jpg", "image-1x1-b.jpg", "image-1x1-c.jpg", "image-1x1-d.jpg"),
    ("jpg", "4:5"): ("image-4x5-a.jpg", "image-4x5-b.jpg"),
    ("jpg", "9:16"): ("image-9x16-a.jpg", "image-9x16-b.jpg"),
    ("jpg", "16:9"): ("image-16x9-a.jpg", "image-16x9-b.jpg"),
    ("mp4", "1:1"): ("video-1x1-a.mp4",),
    ("mp4", "4:5"): ("video-1x1-a.mp4",),
    ("mp4", "9:16"): ("video-9x16-a.mp4",),
    ("mp4", "16:9"): ("video-16x9-a.mp4",),
    ("webm", "1:1"): ("video-16x9-a.webm",),
    ("webm", "4:5"): ("video-9x16-a.webm",),
    ("webm", "9:16"): ("video-9x16-a.webm",),
    ("webm", "16:9"): ("video-16x9-a.webm",),
}
_PNG_SIZES = {"1:1": (768, 768), "4:5": (768, 960), "9:16": (576, 1024), "16:9": (1024, 576)}
_FILLER_BYTES = {"jpg": (20_000, 1_800_000), "png": (32_000, 2_500_000), "mp4": (300_000, 5_800_000)}


@lru_cache(maxsize=8)
def output(look: str, index: int, extension: str, aspect: str) -> bytes:
    """The whole file: a pure function of its arguments."""
    dice = Dice(look, index, extension)
    low, high = _FILLER_BYTES.get(extension, (150_000, 4_000_000))
    size = round(math.exp(dice.between(math.log(low), math.log(high))))
    filler = shake_128(f"{look}/{index}".encode()).digest(size)
    if extension == "png":
        return _png(dice, *_PNG_SIZES[aspect], filler)
    names = _ASSETS[extension, aspect]
    name = names[(dice.below(len(names)) + index) % len(names)]
    base = (resources.files(__package__) / "assets" / name).read_bytes()
    return _FILL[extension](base, filler)


def _fill_jpeg(base: bytes, filler: bytes) -> bytes:
    """COM segments behind SOI and the JFIF header, which has to stay first."""
    cut = 2
    if base[2:4] == b"\xff\xe0":
        cut += 2 + int.from_bytes(base[4:6])
    longest = 0xFFFF - 2
    pieces = [filler[start : start + longest] for start in range(0, len(filler), longest)]
    comments = b"".join(b"\xff\xfe" + struct.pack(">H", len(piece) + 2) + piece for piece in pieces)
    return base[:cut] + comments + base[cut:]


def _fill_mp4(base: bytes, filler: bytes) -> bytes:
    """A trailing box of type `free`."""
    return base + struct.pack(">I4s", len(filler) + 8, b"free") + filler


def _fill_webm(base: bytes, filler: bytes) -> bytes:
    """A Void element as the last child of the Segment, whose size (8 bytes wide in our assets) grows with it."""
    void = b"\xec\x01" + len(filler).to_bytes(7) + filler
    cut = base.index(b"\x18\x53\x80\x67\x01") + 5
    size = int.from_bytes(base[cut : cut + 7]) + len(void)
    return base[:cut] + size.to_bytes(7) + base[cut + 7 :] + void


_FILL: dict[str, Callable[[bytes, bytes], bytes]] = {"jpg": _fill_jpeg, "mp4": _fill_mp4, "webm": _fill_webm}


def _png(dice: Dice, width: int, height: int, filler: bytes) -> bytes:
    """Waves in a palette of 256 colours: each row is a slice of one curve, so no pixel is computed twice."""
    stops = [tuple(dice.below(256) for _ in range(3)) for _ in range(4)]
    palette = bytes(
        round(low + (high - low) * (step % 64) / 64)
        for step in range(256)
        for low, high in zip(stops[step // 64], stops[(step // 64 + 1) % 4], strict=True)
    )
    periods = dice.between(90, 260), dice.between(300, 900)
    curve = bytes(
        round(127.5 + 90 * math.sin(x / periods[0]) + 37 * math.sin(x / periods[1])) for x in range(3 * width)
    )
    sway = dice.between(40, 160)
    rows = bytearray()
    for y in range(height):
        start = round(width * (1 + 0.45 * math.sin(y / sway) + 0.45 * y / height))
        rows += b"\0" + curve[start : start + width]
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    text = b"Comment\0" + filler[: len(filler) // 2].hex().encode()
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"PLTE", palette)
        + _chunk(b"tEXt", text)
        + _chunk(b"IDAT", zlib.compress(bytes(rows), 1))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

"""A small picture as it travels from the process that made it, and as it lies in the cache.

Owns: the one format for both: a line of ASCII, then the pixels. Refuses: believing it; what does not fit to the last
byte is no frame.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vivix_tui.errors import NotShown

_HEAD = re.compile(
    rb"frame ([1-9]\d{0,3}) ([1-9]\d{0,3}) ([1-9]\d{0,5}) ([1-9]\d{0,5}) ([a-z0-9]{1,8}) ([\w.]{1,24}|-) (\d{1,9}|-)"
)
_REFUSED = b"refused "
HEAD_MOST = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`rgb` holds three bytes a pixel, row by row. The `source_` values, `codec` and `duration_ms` are the file's."""

    width: int
    height: int
    rgb: bytes
    source_width: int
    source_height: int
    kind: str
    codec: str | None = None
    duration_ms: int | None = None


def pack(frame: Frame) -> bytes:
    codec = frame.codec or "-"
    duration = "-" if frame.duration_ms is None else frame.duration_ms
    head = f"{frame.width} {frame.height} {frame.source_width} {frame.source_height} {frame.kind} {codec} {duration}"
    return b"frame " + head.encode("ascii") + b"\n" + frame.rgb


def pack_refusal(reason: str) -> bytes:
    return _REFUSED + " ".join(reason.split()).encode("utf-8", "replace")[: HEAD_MOST - 100] + b"\n"


def unpack(data: bytes, width: int, height: int) -> Frame:
    """The frame in `data`, at most `width` × `height`. Raises NotShown: with the refusal, or where it is no frame."""
    head, _, rgb = data.partition(b"\n")
    if head.startswith(_REFUSED):
        raise NotShown(head.removeprefix(_REFUSED).decode("utf-8", "replace"))
    found = _HEAD.fullmatch(head)
    if found is None:
        raise NotShown("the decoder ended without a picture")
    w, h, source_width, source_height = (int(number) for number in found.groups()[:4])
    if w > width or h > height or len(rgb) != 3 * w * h:
        raise NotShown("the decoder handed back something else than was asked for")
    kind, codec, duration = (text.decode("ascii") for text in found.groups()[4:])
    return Frame(
        width=w,
        height=h,
        rgb=rgb,
        source_width=source_width,
        source_height=source_height,
        kind=kind,
        codec=None if codec == "-" else codec,
        duration_ms=None if duration == "-" else int(duration),
    )

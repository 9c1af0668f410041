"""A small picture as it travels from the process that made it, and as it lies in the cache.

Owns: the one format for both: a line of ASCII, then the pixels or the lines of a Sixel. Refuses: believing it; what
does not fit to the last byte is no frame.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vivix_tui.errors import NotShown

_HEAD = re.compile(
    rb"frame (\d{1,3}) ([1-9]\d{0,3}) ([1-9]\d{0,3}) ([1-9]\d{0,5}) ([1-9]\d{0,5})"
    rb" ([a-z0-9]{1,8}) ([\w.]{1,24}|-) (\d{1,9}|-)"
)
_REFUSED = b"refused "
_PRINTABLE = re.compile(rb"[!-~]*")
HEAD_MOST = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`rgb` holds three bytes a pixel, row by row; or `slices` hold the same as Sixel, `slice_height` rows each. The
    `source_` values, `codec` and `duration_ms` are the file's."""

    width: int
    height: int
    rgb: bytes
    source_width: int
    source_height: int
    kind: str
    codec: str | None = None
    duration_ms: int | None = None
    slice_height: int = 0
    slices: tuple[bytes, ...] = ()


def pack(frame: Frame) -> bytes:
    codec = frame.codec or "-"
    duration = "-" if frame.duration_ms is None else frame.duration_ms
    sizes = f"{frame.slice_height} {frame.width} {frame.height} {frame.source_width} {frame.source_height}"
    body = b"\n".join(frame.slices) if frame.slice_height else frame.rgb
    return f"frame {sizes} {frame.kind} {codec} {duration}\n".encode("ascii") + body


def most_bytes(width: int, height: int, slice_height: int) -> int:
    """How long an answer can be at most; a picture that is all noise takes some six bytes a pixel as Sixel."""
    return HEAD_MOST + (8 * width * height + 100_000 if slice_height else 3 * width * height)


def pack_refusal(reason: str) -> bytes:
    return _REFUSED + " ".join(reason.split()).encode("utf-8", "replace")[: HEAD_MOST - 100] + b"\n"


def unpack(data: bytes, width: int, height: int, slice_height: int = 0) -> Frame:
    """The frame in `data`, at most `width` × `height`. Raises NotShown: with the refusal, or where it is no frame."""
    head, _, body = data.partition(b"\n")
    if head.startswith(_REFUSED):
        raise NotShown(head.removeprefix(_REFUSED).decode("utf-8", "replace"))
    found = _HEAD.fullmatch(head)
    if found is None:
        raise NotShown("the decoder ended without a picture")
    told, w, h, source_width, source_height = (int(number) for number in found.groups()[:5])
    slices = tuple(body.split(b"\n")) if told else ()
    # Slices go to the terminal as they are: what is printable cannot end the Sixel and steer.
    printable = all(map(_PRINTABLE.fullmatch, slices)) and len(slices) == -(-h // max(1, told))
    fits = printable if told else len(body) == 3 * w * h
    if told != slice_height or w > width or h > height or not fits:
        raise NotShown("the decoder handed back something else than was asked for")
    kind, codec, duration = (text.decode("ascii") for text in found.groups()[5:])
    return Frame(
        width=w,
        height=h,
        rgb=b"" if told else body,
        source_width=source_width,
        source_height=source_height,
        kind=kind,
        codec=None if codec == "-" else codec,
        duration_ms=None if duration == "-" else int(duration),
        slice_height=told,
        slices=slices,
    )

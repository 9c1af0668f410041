"""What kind of file some bytes are, and whether the file is whole.

Owns: the allowlist of media types and their extensions; the structure check of PNG, JPEG, GIF, WebP, MP4. Refuses:
decoding. An unknown kind is None: an error page is never taken for a picture.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

HEAD_BYTES = 16
_TAIL_BYTES = 64 * 1024
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x1aE\xdf\xa3", "webm"),
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"),
)


def kind_of(head: bytes) -> str | None:
    """The extension that belongs to a file beginning with `head` (HEAD_BYTES suffice), None if none does."""
    for magic, extension in _MAGIC:
        if head.startswith(magic):
            return extension
    if head[4:8] == b"ftyp":
        return {b"qt  ": "mov", b"avif": "avif", b"M4A ": "m4a"}.get(head[8:12], "mp4")
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"WAVE": "wav"}.get(head[8:12])
    return None


def is_whole(file: BinaryIO, kind: str, size: int) -> bool | None:
    """Whether a file of `kind` and `size` bytes ends where its structure says. None where the format cannot tell."""
    if kind in ("mp4", "mov", "m4a", "avif"):
        return _boxes_end_at(file, size)
    if kind in ("webp", "wav"):
        file.seek(4)
        return int(struct.unpack("<I", file.read(4))[0]) + 8 <= size
    endings = {"png": b"IEND\xaeB`\x82", "jpg": b"\xff\xd9", "gif": b"\x3b"}
    if kind not in endings:
        return None
    file.seek(max(0, size - _TAIL_BYTES))
    return endings[kind] in file.read(_TAIL_BYTES)


def _boxes_end_at(file: BinaryIO, size: int) -> bool:
    """Walks the top-level boxes of an ISO media file: they must fill it exactly and hold a `moov` (or `meta`)."""
    at, seen = 0, set[bytes]()
    while at < size:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return False
        length, name = struct.unpack(">I4s", head[:8])
        if length == 1:
            length = struct.unpack(">Q", head[8:16])[0] if len(head) == 16 else 0
        elif length == 0:
            length = size - at
        if length < 8:
            return False
        seen.add(name)
        at += length
    return at == size and bool(seen & {b"moov", b"meta"})

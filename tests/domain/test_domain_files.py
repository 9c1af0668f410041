"""Names are safe whatever they are made from; files are whole or they are not."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivix_tui.domain.media import is_whole, kind_of
from vivix_tui.domain.naming import FIELDS, check_template, relative_path
from vivix_tui.errors import UsageError

TEMPLATE = "{date}/{model}-{prompt:40}-{id8}-{index}"


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(alphabet=st.characters(codec=None)), min_size=3))
def test_every_part_of_a_path_is_harmless(values: dict[str, str]) -> None:
    path = relative_path(TEMPLATE + "x{id}-{seed}-{profile}", values)
    assert not path.is_absolute()
    for part in path.parts:
        assert part not in (".", "..")
        assert part[0] not in ".-~ "
        assert len(part.encode()) <= 200
        assert part.isprintable()
        assert not set(part) & set('/\\:*?"<>|\0')


def test_a_template_is_filled() -> None:
    values = {
        "date": "2026-11-23",
        "model": "wan-2.7",
        "prompt": "A misty, old forest!",
        "id": "5b91a581-77",
        "index": "2",
    }
    assert relative_path(TEMPLATE, values | {"id8": "5b91a581-77"}) == PurePosixPath(
        "2026-11-23/wan-2_7-A-misty-old-forest-5b91a581-2".replace("wan-2_7", "wan-2-7")
    )


@pytest.mark.parametrize("template", ["", "/", "../..", "{nope}", "{id", "..."])
def test_a_template_that_makes_no_name_is_refused(template: str) -> None:
    with pytest.raises(UsageError):
        check_template(template)


def png(size: int = 3) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


def box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data) + 8, name) + data


MP4 = box(b"ftyp", b"isom\0\0\0\0") + box(b"mdat", b"x" * 99) + box(b"moov", b"y" * 9)
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 50 + b"\xff\xd9"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png(), "png"),
        (JPEG, "jpg"),
        (MP4, "mp4"),
        (b"RIFF\x04\0\0\0WEBP", "webp"),
        (b"\x1aE\xdf\xa3" + b"x" * 9, "webm"),
    ],
)
def test_kinds_are_told_by_content(data: bytes, kind: str) -> None:
    assert kind_of(data[:16]) == kind


@pytest.mark.parametrize("data", [b"", b"<!DOCTYPE html>", b'{"error":"x"}', b"MZ\x90\0", b"\x89PN"])
def test_what_is_no_medium_has_no_kind(data: bytes) -> None:
    assert kind_of(data[:16]) is None


@pytest.mark.parametrize(("data", "kind"), [(png(), "png"), (JPEG, "jpg"), (MP4, "mp4")])
def test_a_cut_file_is_not_whole(data: bytes, kind: str) -> None:
    assert is_whole(io.BytesIO(data), kind, len(data)) is True
    for cut in (len(data) - 5, len(data) // 2):
        assert is_whole(io.BytesIO(data[:cut]), kind, cut) is False


def test_a_format_that_cannot_tell_is_not_called_whole() -> None:
    assert is_whole(io.BytesIO(b"\x1aE\xdf\xa3"), "webm", 4) is None

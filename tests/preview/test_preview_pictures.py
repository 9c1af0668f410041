"""Pictures of every allowed format made small, and one sentence for each that cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from tests.preview.conftest import ASSETS, corners
from vivix_tui.errors import NotShown
from vivix_tui.preview.cache import Cache
from vivix_tui.preview.frame import Frame
from vivix_tui.preview.request import frame_of


def pixel(frame: Frame, x: int, y: int) -> tuple[int, ...]:
    at = 3 * (y * frame.width + x)
    return tuple(frame.rgb[at : at + 3])


def near(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(a - b) <= 12 for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("size", [(400, 200), (90, 300)])
async def test_each_format_is_shown_in_its_shape(
    tmp_path: Path, no_cache: Cache, form: str, size: tuple[int, int]
) -> None:
    path = tmp_path / "output.bin"
    corners(*size).save(path, form)
    frame = await frame_of(path, 40, 40, no_cache)
    assert (frame.source_width, frame.source_height) == size
    assert (frame.width, frame.height) == ((40, 20) if size == (400, 200) else (12, 40))
    assert near(pixel(frame, 1, 1), (255, 0, 0))
    assert near(pixel(frame, frame.width - 2, 1), (0, 255, 0))
    assert near(pixel(frame, 1, frame.height - 2), (0, 0, 255))
    assert near(pixel(frame, frame.width - 2, frame.height - 2), (255, 255, 255))


@pytest.mark.parametrize("lossless", [True, False])
async def test_webp_tells_its_size_in_each_of_its_forms(tmp_path: Path, no_cache: Cache, lossless: bool) -> None:
    path = tmp_path / "a.webp"
    corners(333, 77).save(path, "WEBP", lossless=lossless)
    assert path.read_bytes()[12:16] == (b"VP8L" if lossless else b"VP8 ")
    assert (await frame_of(path, 40, 40, no_cache)).source_width == 333
    corners(333, 77).save(path, "WEBP", lossless=lossless, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")
    assert path.read_bytes()[12:16] == b"VP8X"
    assert (await frame_of(path, 40, 40, no_cache)).source_height == 77


async def test_a_small_picture_is_not_enlarged(tmp_path: Path, no_cache: Cache) -> None:
    corners(8, 4).save(tmp_path / "a.png")
    frame = await frame_of(tmp_path / "a.png", 40, 40, no_cache)
    assert (frame.width, frame.height) == (8, 4)


async def test_a_photograph_taken_sideways_stands_upright(tmp_path: Path, no_cache: Cache) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    corners(400, 200).save(tmp_path / "a.jpg", exif=exif)
    frame = await frame_of(tmp_path / "a.jpg", 40, 40, no_cache)
    assert (frame.source_width, frame.source_height, frame.width, frame.height) == (200, 400, 20, 40)
    assert near(pixel(frame, 2, 2), (0, 0, 255))


async def test_what_is_transparent_shows_a_checkerboard(tmp_path: Path, no_cache: Cache) -> None:
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(tmp_path / "a.png")
    frame = await frame_of(tmp_path / "a.png", 16, 16, no_cache)
    assert {pixel(frame, x, y) for x in range(16) for y in range(16)} == {(64, 64, 64), (96, 96, 96)}


@pytest.mark.parametrize(("mode", "grey"), [("I;16", 0x8000), ("L", 0x80), ("LA", (0x80, 0xFF)), ("1", 1)])
async def test_grey_pictures_keep_their_grey(tmp_path: Path, no_cache: Cache, mode: str, grey: int) -> None:
    Image.new(mode, (64, 64), grey).save(tmp_path / "a.png")
    frame = await frame_of(tmp_path / "a.png", 16, 16, no_cache)
    assert near(pixel(frame, 8, 8), (255,) * 3 if mode == "1" else (128,) * 3)


@pytest.mark.parametrize("asset", sorted(p.name for p in ASSETS.glob("*.jpg")))
@pytest.mark.parametrize("share", [0.0005, 0.3, 0.98])
async def test_a_cut_file_says_so(tmp_path: Path, no_cache: Cache, asset: str, share: float) -> None:
    whole = (ASSETS / asset).read_bytes()
    (tmp_path / asset).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(NotShown, match="cut off"):
        await frame_of(tmp_path / asset, 40, 40, no_cache)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"just some text, at length", "neither a picture nor a video"),
        (b"<!DOCTYPE html><html><body>403 Forbidden</body></html>", "a page of text"),
        (b'\n<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "a page of text"),
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n", "cut off"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "damaged"),
        (b"\xff\xd8\xff" + b"\xff" * 90, "cut off"),
        (b"\xff\xd8\xff\xe0" + b"\0\x02\xff\xe0" * 5_000, "without a size"),
        (b"GIF89a\0\0\0\0", "0 pixels"),
        (b"RIFF\xff\0\0\0WEBPJUNK" + b"\0" * 40, "damaged"),
        (b"ID3\x04" + b"\0" * 40, "of mp3 files no picture is shown"),
        (b"8BPS\0\x01" + b"\0" * 40, "neither a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "neither a picture"),
    ],
)
async def test_a_wrong_file_under_the_name_of_a_picture_says_what_it_is(
    tmp_path: Path, no_cache: Cache, content: bytes, words: str
) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(NotShown, match=words):
        await frame_of(tmp_path / "a.png", 40, 40, no_cache)


async def test_what_is_no_file_is_not_waited_for(tmp_path: Path, no_cache: Cache) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(NotShown, match="no file"):
        await frame_of(tmp_path / "pipe.png", 40, 40, no_cache)
    with pytest.raises(NotShown, match="no file"):
        await frame_of(tmp_path, 40, 40, no_cache)
    with pytest.raises(NotShown, match="no longer where it was saved"):
        await frame_of(tmp_path / "gone.png", 40, 40, no_cache)

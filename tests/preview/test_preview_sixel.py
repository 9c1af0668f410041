"""Sixel: what a terminal makes of the slices is the picture; what is no Sixel never reaches one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.preview.conftest import ASSETS, corners
from vivix_tui.errors import NotShown
from vivix_tui.preview.cache import Cache
from vivix_tui.preview.frame import pack, unpack
from vivix_tui.preview.request import frame_of

Pixels = dict[tuple[int, int], tuple[int, int, int]]
TOKEN = re.compile(rb'"(\d+);(\d+);(\d+);(\d+)|#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|(\$)|(-)')


def painted(text: bytes) -> Pixels:
    """The pixels that a terminal paints, in per cent of red, green and blue."""
    palette: dict[int, tuple[int, int, int]] = {}
    pixels: Pixels = {}
    x = y = colour = at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        assert found is not None, text[at : at + 20]
        at = found.end()
        if found[5]:
            palette[int(found[5])] = (int(found[6]), int(found[7]), int(found[8]))
        elif found[9]:
            colour = int(found[9])
        elif found[13]:
            x = 0
        elif found[14]:
            x, y = 0, y + 6
        elif not found[1]:
            bits, count = (found[11] or found[12])[0] - 63, int(found[10] or 1)
            for column in range(x, x + count):
                for row in range(6):
                    if bits >> row & 1:
                        assert (column, y + row) not in pixels, "each pixel is painted once"
                        pixels[column, y + row] = palette[colour]
            x += count
    return pixels


async def test_the_slices_are_the_picture(tmp_path: Path, no_cache: Cache) -> None:
    corners(80, 60).save(tmp_path / "a.png")
    frame = await frame_of(tmp_path / "a.png", 80, 60, no_cache, slice_height=20)
    assert (frame.width, frame.height, frame.rgb, len(frame.slices)) == (80, 60, b"", 3)
    first, middle, last = map(painted, frame.slices)
    assert {len(first), len(middle), len(last)} == {80 * 20}, "each is whole, whatever the height of a band"
    assert max(y for _, y in first) == 19
    assert (first[0, 0], first[79, 0], last[0, 19], last[79, 19]) == (
        (100, 0, 0), (0, 100, 0), (0, 0, 100), (100, 100, 100),
    )  # fmt: skip
    assert (middle[0, 9], middle[0, 10]) == ((100, 0, 0), (0, 0, 100))


async def test_a_photograph_keeps_its_colours(no_cache: Cache) -> None:
    path = ASSETS / "image-16x9-a.jpg"
    plain = await frame_of(path, 200, 200, no_cache)
    frame = await frame_of(path, 200, 200, no_cache, slice_height=17)
    assert (frame.width, frame.height, len(frame.slices)) == (200, plain.height, -(-plain.height // 17))
    off = 0.0
    for number, text in enumerate(frame.slices):
        for (x, y), colour in painted(text).items():
            at = 3 * ((number * 17 + y) * 200 + x)
            off += sum(abs(100 * a / 255 - b) for a, b in zip(plain.rgb[at : at + 3], colour, strict=True))
    assert off / (3 * 200 * plain.height) < 4, "per cent of a colour, on average"


async def test_sixels_are_kept_apart_from_other_thumbnails(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "thumbnails")
    corners(80, 60).save(tmp_path / "a.png")
    for _ in range(2):
        assert (await frame_of(tmp_path / "a.png", 80, 60, cache, slice_height=20)).slices
        assert (await frame_of(tmp_path / "a.png", 80, 60, cache)).rgb
    assert len(list((tmp_path / "thumbnails").iterdir())) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"one slice",
        b"one\ntwo\nthree\nfour",
        b"one\ntwo\n\x1b\\\x1b[2J",
        b"one\ntwo\nthree\x9c",
        b"one\ntwo\nthree\x07",
        b"one\ntwo\nthr ee",
    ],
)
def test_what_could_steer_a_terminal_is_no_sixel(body: bytes) -> None:
    head = b"frame 20 8 60 8 60 png - -\n"
    assert unpack(head + b"one\ntwo\nthree", 8, 60, 20).slices == (b"one", b"two", b"three")
    with pytest.raises(NotShown):
        unpack(head + body, 8, 60, 20)
    with pytest.raises(NotShown):
        unpack(head + b"one\ntwo\nthree", 8, 60)


def test_what_was_packed_is_unpacked() -> None:
    frame = unpack(b"frame 20 8 30 16 60 png h264 3000\none\ntwo", 8, 30, 20)
    assert unpack(pack(frame), 8, 30, 20) == frame

"""The files: valid in their format, no two alike, served like storage serves them."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from vivix_tui.demo import media

from .conftest import IMAGE, PNG, VIDEO, WEBM, Demo


@pytest.fixture(scope="module")
def public() -> Iterator[httpx.Client]:
    """A client without a key: outputs need none."""
    with httpx.Client(trust_env=False) as client:
        yield client


def check_jpeg(data: bytes) -> None:
    assert data[:2] == b"\xff\xd8"
    assert data[-2:] == b"\xff\xd9"
    place = 2
    kinds = []
    while data[place : place + 2] != b"\xff\xda":
        assert data[place] == 0xFF
        kinds.append(data[place + 1])
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    assert kinds[0] == 0xE0
    assert 0xFE in kinds
    assert {0xDB, 0xC4} <= set(kinds)


def check_png(data: bytes) -> None:
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, kinds, pixels, size = 8, [], b"", (0, 0)
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        content = data[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + content) == int.from_bytes(data[place + 8 + length : place + 12 + length])
        kinds.append(kind)
        if kind == b"IHDR":
            size = struct.unpack(">II", content[:8])
        if kind == b"IDAT":
            pixels += content
        place += 12 + length
    assert kinds == [b"IHDR", b"PLTE", b"tEXt", b"IDAT", b"IEND"]
    assert len(zlib.decompress(pixels)) == (size[0] + 1) * size[1]


def check_mp4(data: bytes) -> None:
    place, kinds = 0, []
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        kinds.append(kind)
        assert length >= 8
        place += length
    assert place == len(data)
    assert kinds[0] == b"ftyp"
    assert {b"moov", b"mdat"} <= set(kinds)
    assert kinds[-1] == b"free"


def check_webm(data: bytes) -> None:
    (header, _, _), (segment, first, last) = elements(data, 0, len(data))
    assert (header, segment, last) == (b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", len(data))
    kinds = [kind for kind, _, _ in elements(data, first, last)]
    assert b"\x1f\x43\xb6\x75" in kinds  # a cluster
    assert kinds[-1] == b"\xec"


def elements(data: bytes, start: int, end: int) -> list[tuple[bytes, int, int]]:
    """Id, begin and end of the content of each EBML element; they must fill the space exactly."""
    place, found = start, []
    while place < end:
        width = 9 - data[place].bit_length()
        kind = data[place : place + width]
        place += width
        width = 9 - data[place].bit_length()
        length = int.from_bytes(data[place : place + width]) & ((1 << 7 * width) - 1)
        found.append((kind, place + width, place + width + length))
        place += width + length
    assert place == end
    return found


CASES = [(IMAGE, "jpg", check_jpeg), (PNG, "png", check_png), (VIDEO, "mp4", check_mp4), (WEBM, "webm", check_webm)]


@pytest.mark.parametrize(("body", "extension", "check"), CASES, ids=[case[1] for case in CASES])
def test_every_format_and_shape_is_valid(
    quick: Demo, public: httpx.Client, body: dict[str, Any], extension: str, check: Any
) -> None:
    for aspect in ("1:1", "4:5", "9:16", "16:9"):
        url = quick.made(body, aspect_ratio=aspect)["output_url"]
        assert url.endswith(f"/0.{extension}")
        answer = public.get(url)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == media.MEDIA_TYPES[extension]
        assert 40_000 < len(answer.content) < 6_500_000
        check(answer.content)


def test_outputs_differ_and_stay_the_same(quick: Demo, public: httpx.Client) -> None:
    job = quick.made(IMAGE, number_results=4)
    files = [public.get(url).content for url in job["output_urls"]]
    assert len({len(file) for file in files}) == 4
    assert [public.get(url).content for url in job["output_urls"]] == files
    assert public.get(quick.made(IMAGE)["output_url"]).content not in files


def test_the_same_seed_and_parameters_give_the_same_picture(quick: Demo, public: httpx.Client) -> None:
    one, two, other = (public.get(quick.made(IMAGE, seed=seed)["output_url"]).content for seed in (5, 5, 6))
    assert one == two != other


def test_ranges(quick: Demo, public: httpx.Client) -> None:
    url = quick.made(VIDEO)["output_url"]
    whole = public.get(url)
    data, etag, modified = whole.content, whole.headers["ETag"], whole.headers["Last-Modified"]
    size = len(data)
    assert etag.startswith('"')
    assert whole.headers["Accept-Ranges"] == "bytes"

    def part(wanted: str, **more: str) -> httpx.Response:
        headers = {"Range": wanted} | {key.replace("_", "-"): value for key, value in more.items()}
        return public.get(url, headers=headers)

    for wanted, first, last in (("bytes=100-199", 100, 199), ("bytes=1000-", 1000, size - 1)):
        answer = part(wanted)
        assert answer.status_code == 206
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert answer.content == data[first : last + 1]
    assert part("bytes=-50").content == data[-50:]
    assert part(f"bytes={size - 5}-{size + 500}").content == data[-5:]
    assert part("bytes=10-", If_Range=etag).status_code == 206
    assert part("bytes=10-", If_Range=modified).status_code == 206
    for answer in (part("bytes=10-", If_Range='"other"'), part("bytes=1-2,5-6"), part("chunks=1-2"), part("bytes=9-3")):
        assert answer.status_code == 200
        assert answer.content == data
    for wanted in (f"bytes={size}-", "bytes=-0"):
        answer = part(wanted)
        assert answer.status_code == 416
        assert answer.headers["Content-Range"] == f"bytes */{size}"


def test_head_and_validators(quick: Demo, public: httpx.Client) -> None:
    url = quick.made(PNG)["output_url"]
    head = public.head(url)
    whole = public.get(url)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(whole.content)
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert public.get(url, headers={"If-None-Match": head.headers["ETag"]}).status_code == 304


def test_what_does_not_exist_is_not_served(quick: Demo, public: httpx.Client) -> None:
    url = quick.made(IMAGE)["output_url"]
    failed = quick.made(IMAGE, prompt="[moderate]")["generation_id"]
    for wrong in (
        url.replace("0.jpg", "1.jpg"),
        url.replace("0.jpg", "0.png"),
        f"{quick.base_url}/outputs/{failed}/0.jpg",
        f"{quick.base_url}/outputs/unknown/0.jpg",
    ):
        assert public.get(wrong).status_code == 404


def test_downloads_are_slow_enough_to_watch_at_low_speed(start: Any, public: httpx.Client) -> None:
    demo = start("--scenario", "history", "--speed", "1")
    began = time.monotonic()
    received = 0
    done = next(line for line in demo_lines(demo, 12) if line["body"]["model"] == VIDEO["model"])
    with public.stream("GET", demo.ask(done["generation_id"])["output_url"]) as answer:
        for piece in answer.iter_raw():
            received += len(piece)
            if received > 400_000:
                break
    assert time.monotonic() - began > 0.15


def demo_lines(demo: Demo, count: int) -> list[dict[str, Any]]:
    """The first announcements."""
    while len(demo.announced) < count:
        time.sleep(0.02)
    return demo.announced[:count]

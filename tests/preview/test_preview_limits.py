"""SEC-09: files made to break a decoder cost neither memory nor time, and never the program."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.preview.conftest import ASSETS, corners, png_bomb
from vivix_tui.errors import NotShown
from vivix_tui.preview.cache import Cache
from vivix_tui.preview.frame import pack, unpack
from vivix_tui.preview.limits import PICTURE_MEMORY
from vivix_tui.preview.request import frame_of

PEAK = (
    "import sys; from pathlib import Path; sys.argv[1:] = ['46', '40', '0']\n"
    "from vivix_tui.preview.worker import main\n"
    "main(); sys.stderr.write(Path('/proc/self/status').read_text())"
)
TIGHT = PEAK.replace("main();", "import vivix_tui.preview.worker as w; w.PICTURE_MEMORY = 150 * 2**20; main();")


def peak_mib(path: Path, code: str = PEAK) -> tuple[bytes, int]:
    """What the worker answers, and the most memory that it held."""
    with path.open("rb") as file:
        run = subprocess.run([sys.executable, "-c", code], stdin=file, capture_output=True, check=True)
    found = re.search(rb"VmHWM:\s+(\d+) kB", run.stderr)
    assert found is not None
    return run.stdout, int(found[1]) // 1024


@pytest.mark.parametrize(("side", "packed_rows"), [(13_000, 13_000), (50_000, 50)])
async def test_sec_09_a_bomb_is_refused_before_it_is_decoded(
    tmp_path: Path, no_cache: Cache, side: int, packed_rows: int
) -> None:
    bomb = png_bomb(tmp_path / "bomb.png", side, side, packed_rows=packed_rows)
    assert bomb.stat().st_size < 600_000
    with pytest.raises(NotShown, match=f"{side:,} × {side:,} pixels: more than 40 million"):
        await frame_of(bomb, 46, 40, no_cache)
    answer, peak = peak_mib(bomb)
    assert answer.startswith(b"refused ")
    assert peak < 100


@pytest.mark.parametrize("form", ["GIF", "WEBP", "JPEG"])
async def test_sec_09_the_other_formats_are_counted_as_well(tmp_path: Path, no_cache: Cache, form: str) -> None:
    path = tmp_path / "bomb"
    Image.new("P" if form == "GIF" else "RGB", (9_000, 5_000)).save(path, form)
    with pytest.raises(NotShown, match="9,000 × 5,000 pixels"):
        await frame_of(path, 46, 40, no_cache)


async def test_sec_09_a_gif_whose_first_frame_is_larger_than_it_says(tmp_path: Path, no_cache: Cache) -> None:
    path = tmp_path / "a.gif"
    Image.new("P", (9_000, 5_000)).save(path, "GIF")
    data = bytearray(path.read_bytes())
    data[6:10] = b"\x10\0\x10\0"
    path.write_bytes(data)
    with pytest.raises(NotShown, match="pixels"):
        await frame_of(path, 46, 40, no_cache)


def test_sec_09_the_process_cannot_hold_more_than_its_limit(tmp_path: Path) -> None:
    """The largest picture that is decoded at all stays below the limit; a smaller limit ends in a sentence."""
    largest = png_bomb(tmp_path / "large.png", 8_000, 5_000, packed_rows=5_000)
    answer, peak = peak_mib(largest)
    assert unpack(answer, 46, 40).source_width == 8_000
    assert peak < PICTURE_MEMORY // 2**20
    answer, peak = peak_mib(largest, TIGHT)
    assert b"more memory" in answer
    assert peak < 150


def test_sec_09_every_limit_is_in_force_while_a_decoder_runs() -> None:
    code = (
        "import os, resource\nfrom vivix_tui.preview.limits import *\nconfine(PICTURE_MEMORY)\n"
        "print([resource.getrlimit(k) for k in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str([(PICTURE_MEMORY, PICTURE_MEMORY), (10, 10), (0, 0)])
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0, "ours is as it was"


async def test_a_decoder_that_hangs_is_ended_by_the_clock(
    tmp_path: Path, no_cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = hanging(tmp_path, monkeypatch)
    began = time.monotonic()
    with pytest.raises(NotShown, match=r"longer than 0\.5 s"):
        await frame_of(ASSETS / "image-1x1-a.jpg", 46, 40, no_cache, deadline_s=0.5)
    assert time.monotonic() - began < 5
    assert not alive(stuck)


async def test_a_preview_nobody_waits_for_any_longer_leaves_no_process(
    tmp_path: Path, no_cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = hanging(tmp_path, monkeypatch)
    task = asyncio.create_task(frame_of(ASSETS / "image-1x1-a.jpg", 46, 40, no_cache))
    while not stuck.exists() or not stuck.read_text():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(stuck)


async def test_a_crash_of_the_decoder_is_told_in_one_sentence(
    tmp_path: Path, no_cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(tmp_path, monkeypatch, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(NotShown, match="the decoder crashed \\(SIGSEGV\\)"):
        await frame_of(ASSETS / "image-1x1-a.jpg", 46, 40, no_cache)


async def test_the_decoder_is_not_told_the_key_and_loads_nothing_from_the_folder_one_stands_in(
    tmp_path: Path, no_cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    planted(tmp_path, monkeypatch, f"import os, pathlib; pathlib.Path({str(told)!r}).write_text(str(dict(os.environ)))")
    monkeypatch.setenv("VIVIX_API_KEY", "vvx_live_" + "x" * 32)
    here = tmp_path / "here"
    here.mkdir()
    (here / "PIL.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(here)
    corners(40, 40).save(tmp_path / "a.png")
    assert (await frame_of(tmp_path / "a.png", 20, 20, no_cache)).width == 20
    assert "PATH" in told.read_text()
    assert "vvx_live_" not in told.read_text()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"frame 0 1 1 1 1 png - -\n",
        b"frame 0 1 1 1 1 png - -\nrgbrgb",
        b"frame 0 9 9 9 9 png - -\n" + b"x" * 243,
        b"frame 0 0 5 1 1 png - -\n",
        b"frame 0 1 1 1 1 \x1b[2J - -\nrgb",
        b"frame 0 -1 1 1 1 png - -\nrgb",
        b"\xff" * 700,
    ],
)
def test_what_the_process_hands_back_is_counted_before_it_is_believed(answer: bytes) -> None:
    with pytest.raises(NotShown):
        unpack(answer, 8, 8)


async def test_thumbnails_are_kept_privately_and_made_anew_when_the_file_changes(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache" / "thumbnails")
    path = tmp_path / "a.png"
    corners(40, 40).save(path)
    first = await frame_of(path, 20, 20, cache)
    (kept,) = (tmp_path / "cache" / "thumbnails").iterdir()
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    kept.write_bytes(pack(first).replace(b"png", b"gif"))
    assert (await frame_of(path, 20, 20, cache)).kind == "gif", "it comes from the cache"
    kept.write_bytes(b"frame 0 1 1")
    assert await frame_of(path, 20, 20, cache) == first, "a damaged one is made anew"
    Image.new("RGB", (60, 30)).save(path)
    assert (await frame_of(path, 20, 20, cache)).source_width == 60


def test_the_folder_of_thumbnails_stays_small(tmp_path: Path) -> None:
    cache = Cache(tmp_path, most_bytes=10_000)
    for number in range(30):
        cache.put(f"{number:02}", b"x" * 1_000)
        os.utime(tmp_path / f"{number:02}.frame", ns=(number, number))
        assert sum(entry.stat().st_size for entry in tmp_path.iterdir()) <= 10_000
    assert cache.get("29") == b"x" * 1_000
    assert cache.get("00") is None


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "thumbnails")
    cache.put("a", b"x")
    assert cache.get("a") is None


def planted(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Code that every Python process runs at its start, by the way of `sitecustomize`."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder / "site"), *filter(None, sys.path)]))


def hanging(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each Python process that starts now writes down its number and sleeps."""
    note = folder / "pid"
    planted(
        folder, monkeypatch, f"import os, pathlib, time; pathlib.Path({str(note)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(60)",
    )  # fmt: skip
    return note


def alive(note: Path) -> bool:
    return Path(f"/proc/{note.read_text()}").exists() if note.exists() else False

"""The preview on the screen: real files, decoded by the real process, drawn as half blocks."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.preview.conftest import ASSETS, corners, png_bomb
from tests.ui.conftest import NOW, PROFILE, VIDEO, Screen, Snap, settled
from tests.ui.test_ui_snapshots import Size, two_sizes
from vivix_tui.config import Preview, Settings, Ui
from vivix_tui.domain.download import DONE, Download
from vivix_tui.domain.glimpse import FETCHED, REFUSED, WANTED, Glimpse
from vivix_tui.store import downloads, generations, glimpses
from vivix_tui.ui.screens.main import MainScreen

RECORDED = Path(__file__).with_name("recorded")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File names as they are shown do not depend on where the tests run."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def recorded_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ffmpeg 5.1 said and made of the demo's video: versions differ in the last bit of a colour."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, answer in (("ffprobe", "ffprobe.json"), ("ffmpeg", "poster.ppm")):
        (folder / name).write_text(f"#!/bin/sh\nexec cat {RECORDED / answer}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def saved(screen: Screen, number: int, *files: str, prompt: str = "a misty forest at dawn", **facts: str) -> str:
    """A completed generation whose outputs lie in the current folder."""
    urls = tuple(f"https://cdn.vivix.example/outputs/{number:08x}/{name}" for name in files)
    made = screen.row(number, "completed", prompt=prompt, output_urls=urls, duration_ms=12_400, credits_used=211,
                      completed_at="2026-11-23T11:59:30+00:00", ago_s=100 + number, **facts)  # fmt: skip
    row = generations.get(screen.store, PROFILE, made)
    assert row is not None
    with screen.store.write() as connection:
        downloads.want(connection, row, "", NOW)
    for index, name in enumerate(files, start=1):
        if Path(name).exists():
            size = Path(name).stat().st_size
            item = Download(profile=PROFILE, generation_id=made, index=index, url=urls[index - 1], state=DONE,
                            path=name, size_bytes=size, received_bytes=size, verified=True)  # fmt: skip
            downloads.update(screen.store, item)
    return made


def assets(*names: str) -> tuple[str, ...]:
    for name in names:
        shutil.copy(ASSETS / name, name)
    return names


def write(name: str, text: str) -> None:
    Path(name).write_text(text)


async def drawn(pilot: Pilot[int]) -> None:
    """Until the picture that is being made is there."""
    await pilot.app.workers.wait_for_complete()
    await settled(pilot)


def shown(pilot: Pilot[int]) -> list[str]:
    """The lines of the detail pane as they are seen."""
    screen = pilot.app.screen
    assert isinstance(screen, MainScreen)
    return [screen.detail.render_line(y).text for y in range(screen.detail.size.height)]


@two_sizes
async def test_a_picture(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    saved(screen, 1, *assets("image-16x9-a.jpg"))
    saved(screen, 2, *assets("image-9x16-a.jpg"), prompt="a portrait")
    await snap(screen.app(), "3", "g", "p", size=size, prepare=drawn)


async def test_a_video(screen: Screen, snap: Snap, recorded_ffmpeg: None) -> None:
    screen.busy()
    saved(screen, 1, *assets("video-16x9-a.mp4"), prompt="neon-lit Tokyo street in the rain", model=VIDEO)
    await snap(screen.app(), "3", "g", "p", size=(120, 36), prepare=drawn)


async def test_a_tall_picture_over_the_whole_screen(screen: Screen, snap: Snap) -> None:
    screen.busy()
    saved(screen, 2, *assets("image-9x16-a.jpg"), prompt="a portrait")
    await snap(screen.app(), "3", "g", "p", "enter", size=(120, 36), prepare=drawn)


async def test_a_contact_sheet_of_one_row(screen: Screen, snap: Snap) -> None:
    names = assets(*(f"image-1x1-{letter}.jpg" for letter in "abcd"))
    saved(screen, 1, *names, "not-fetched.jpg")
    await snap(screen.app(), "p", size=(120, 36), prepare=drawn)


@two_sizes
async def test_a_contact_sheet_of_marked_rows(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    names = assets("image-16x9-a.jpg", "image-1x1-b.jpg", "image-9x16-a.jpg", "image-16x9-b.jpg", "image-4x5-a.jpg")
    write("page.jpg", "<!doctype html><title>403 Forbidden</title>")
    for number, name in enumerate([*names, "page.jpg"], start=1):
        saved(screen, number, name, prompt=f"[b]{name}[/b] 夕焼け")
    await snap(screen.app(), "3", "g", *["space"] * 6, "p", size=size, prepare=drawn)


@two_sizes
async def test_a_file_that_is_not_shown_says_why(screen: Screen, snap: Snap, size: Size) -> None:
    png_bomb(Path("bomb.png"), 50_000, 50_000, packed_rows=50)
    saved(screen, 1, "bomb.png")
    await snap(screen.app(), "p", size=size, prepare=drawn)


async def test_without_the_extra_the_key_says_what_it_needs(
    screen: Screen, snap: Snap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    saved(screen, 1, *assets("image-16x9-a.jpg"))
    async with screen.app().run_test(size=(120, 36), notifications=True) as pilot:
        await pilot.press("p")
        assert "preview: needs pip install 'vivix-tui[images]'" in said(pilot)


async def test_the_config_can_turn_it_off(screen: Screen) -> None:
    saved(screen, 1, *assets("image-16x9-a.jpg"))
    settings = msgspec.structs.replace(Settings(), preview=Preview(protocol="off"))
    async with screen.app(settings=settings).run_test(size=(120, 36), notifications=True) as pilot:
        await pilot.press("p")
        await drawn(pilot)
        assert 'preview.protocol is "off"' in said(pilot)
        assert not any("▀" in line for line in shown(pilot))


async def test_p_again_gives_the_lines_back_as_they_were(screen: Screen) -> None:
    saved(screen, 1, *assets("image-16x9-a.jpg"))
    async with screen.app().run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        before = shown(pilot)
        await pilot.press("p")
        await drawn(pilot)
        assert sum("▀" in line for line in shown(pilot)) > 10
        await pilot.press("p")
        await drawn(pilot)
        assert shown(pilot) == before


async def test_the_picture_follows_the_cursor_and_a_file_that_arrives(screen: Screen) -> None:
    corners(80, 40).save("a.png")
    saved(screen, 1, "a.png")
    second = saved(screen, 2, "b.png")
    async with screen.app().run_test(size=(120, 36)) as pilot:
        await pilot.press("g", "p")
        await drawn(pilot)
        assert "80 × 40 png" in "".join(shown(pilot))
        await pilot.press("j")
        await drawn(pilot)
        assert "no picture yet: its output is being fetched" in "".join(shown(pilot))
        corners(50, 60).save("b.png")
        url = "https://cdn.vivix.example/outputs/00000002/b.png"
        item = Download(profile=PROFILE, generation_id=second, index=1, url=url, state=DONE, path="b.png")
        downloads.update(screen.store, item)
        assert isinstance(pilot.app.screen, MainScreen)
        pilot.app.screen.reload()
        await drawn(pilot)
        assert "50 × 60 png" in "".join(shown(pilot))
        await pilot.press("k", "j", "k")
        await drawn(pilot)
        assert "80 × 40 png" in "".join(shown(pilot))


async def test_what_is_not_on_disk_is_wished_for_once_and_shown_when_it_came(screen: Screen) -> None:
    url = "https://cdn.vivix.example/outputs/1.png"
    made = screen.row(1, "completed", output_url=url, completed_at="2026-11-23T11:59:30+00:00")
    async with screen.app().run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert glimpses.of(screen.store, PROFILE, made) == {}, "nothing is fetched while the preview is off"
        await pilot.press("p")
        await drawn(pilot)
        assert glimpses.of(screen.store, PROFILE, made)[1].state == WANTED
        assert screen.woken == 1
        assert "it is fetched to be looked at" in "".join(shown(pilot))
        corners(80, 40).save("seen", "PNG")
        glimpse = Glimpse(profile=PROFILE, generation_id=made, index=1, url=url, state=FETCHED, path="seen")
        glimpses.settle(screen.store, glimpse)
        await looks_again(pilot)
        assert "80 × 40 png" in "".join(shown(pilot))
        glimpses.settle(screen.store, replace(glimpse, state=REFUSED, path=None, error="the server answered 404"))
        await looks_again(pilot)
        assert "not to be had: the server answered 404" in " ".join(line.strip() for line in shown(pilot))
        assert glimpses.of(screen.store, PROFILE, made)[1].state == REFUSED, "it is not asked for again and again"
        await pilot.press("p", "p")
        await drawn(pilot)
        assert glimpses.of(screen.store, PROFILE, made)[1].state == WANTED, "but by the user"
    assert downloads.of(screen.store, PROFILE, made) == []


async def looks_again(pilot: Pilot[int]) -> None:
    """The screen reads what changed, and draws it."""
    assert isinstance(pilot.app.screen, MainScreen)
    pilot.app.screen.reload()
    await drawn(pilot)


async def test_the_same_picture_again_draws_nothing(screen: Screen) -> None:
    saved(screen, 1, *assets("image-16x9-a.jpg"))
    async with screen.app().run_test(size=(120, 36)) as pilot:
        await pilot.press("p")
        await drawn(pilot)
        assert isinstance(pilot.app.screen, MainScreen)
        pilot.app.screen.reload()
        assert not [worker for worker in pilot.app.workers if worker.is_running]


async def test_ascii_uses_no_block(screen: Screen) -> None:
    saved(screen, 1, *assets("image-16x9-a.jpg"))
    settings = msgspec.structs.replace(Settings(), ui=Ui(ascii=True))
    async with screen.app(settings=settings).run_test(size=(120, 36)) as pilot:
        await pilot.press("p")
        await drawn(pilot)
        picture = shown(pilot)[:10]
        assert not "".join(picture).strip()
        assert isinstance(pilot.app.screen, MainScreen)
        grounds = {s.style.bgcolor for y in range(10) for s in pilot.app.screen.detail.render_line(y) if s.style}
        assert len(grounds) > 50


def said(pilot: Pilot[int]) -> str:
    return " ".join(str(note.message) for note in pilot.app._notifications)

"""The preview in a real terminal: colours as a terminal emulator takes them in, and no process left behind."""

from __future__ import annotations

import base64
import json
import re
import time
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import Home, until
from tests.e2e.terminal import ESC, Terminal
from tests.preview.conftest import ASSETS, corners
from tests.preview.test_preview_sixel import painted
from vivix_tui.domain.download import DONE, Download
from vivix_tui.domain.generation import Answer
from vivix_tui.store import downloads, generations
from vivix_tui.store.store import Store

BASE = datetime.now(UTC) - timedelta(hours=1)


def saved(home: Home, *files: Path) -> None:
    """One completed generation for each file, which lies on disk; the first file's is the newest."""
    home.database.parent.mkdir(parents=True, exist_ok=True)
    store = Store(home.database)
    for number, file in enumerate(files, start=1):
        made, born = f"{number:08x}-0000-4000-8000-000000000000", BASE - timedelta(minutes=number)
        url, size = f"https://cdn.vivix.example/{number}", file.stat().st_size
        body = json.dumps({"model": "grok-imagine-image", "prompt": file.name})
        with store.write() as connection:
            generations.track(connection, "default", [(made, body)], born)
        answer = Answer(generation_id=made, status="completed", model="grok-imagine-image", output_url=url,
                        created_at=born.isoformat(), completed_at=born.isoformat())  # fmt: skip
        generations.record(store, "default", answer, asked_at=born, born=born)
        row = generations.get(store, "default", made)
        assert row is not None
        with store.write() as connection:
            downloads.want(connection, row, "", born)
        item = Download(profile="default", generation_id=made, index=1, url=url, state=DONE, path=str(file),
                        size_bytes=size, received_bytes=size, verified=True)  # fmt: skip
        downloads.update(store, item)
    store.close()


def test_p_shows_the_file_in_its_colours(home: Home) -> None:
    picture = home.path / "quarters.png"
    corners(64, 64).save(picture)
    saved(home, picture, ASSETS / "image-16x9-a.jpg")
    with Terminal(home) as terminal:
        terminal.wait_for("quarters.png")
        terminal.press("p")
        terminal.wait_for("64 × 64 png")
        assert {"ff0000", "00ff00", "0000ff", "ffffff"} <= terminal.grounds
        terminal.press("j")
        terminal.wait_for("1,280 × 720 jpg")
        assert "00ff00" not in terminal.grounds
        assert len(terminal.grounds) > 100
        terminal.press("p")
        terminal.wait_until_gone("1,280 × 720 jpg")
        assert len(terminal.grounds) < 10
        terminal.press("q")
        assert terminal.exit_code() == 0
    kept = list((home.path / "cache" / "vivix-tui" / "thumbnails").iterdir())
    assert len(kept) == 2
    assert {file.stat().st_mode & 0o777 for file in kept} == {0o600}


@pytest.mark.parametrize("key", ["q", "p"])
def test_leaving_while_a_picture_is_made_leaves_no_process(home: Home, tmp_path: Path, key: str) -> None:
    """A decoder that hangs: keys work on, and it ends with the preview or the program, at once."""
    note = tmp_path / "pid"
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import os, pathlib, sys, time\n"
        "if 'vivix_tui.preview.worker' in sys.orig_argv:\n"
        f"    pathlib.Path({str(note)!r}).write_text(str(os.getpid()))\n"
        "    time.sleep(60)\n"
    )
    home.env["PYTHONPATH"] = f"{tmp_path / 'site'}:{home.env['PYTHONPATH']}"
    saved(home, ASSETS / "image-16x9-a.jpg", ASSETS / "image-1x1-a.jpg")
    with Terminal(home) as terminal:
        terminal.wait_for("image-1x1-a")
        terminal.press("p")
        until(lambda: note.exists() and note.read_text(), what="the decoder's start")
        decoder = Path(f"/proc/{note.read_text()}")
        terminal.press("j")
        terminal.wait_for("00000002-0000")
        began = time.monotonic()
        terminal.press(key)
        if key == "q":
            assert terminal.exit_code() == 0
        until(lambda: not decoder.exists(), what="the decoder's end")
        assert time.monotonic() - began < 5


def placed(terminal: Terminal, since: int) -> tuple[int, int, int]:
    """What was sent of Kitty's graphics since then: pictures, lines placed, lines and pictures taken away."""
    sent = bytes(terminal.raw[since:])
    return sent.count(b"\x1b_Ga=t,"), sent.count(b"\x1b_Ga=p,"), sent.count(b"\x1b_Ga=d,")


def settle(terminal: Terminal, seconds: float = 1.0) -> int:
    """Until nothing was written for a while; how much was written so far."""
    before, end = -1, time.monotonic() + 20
    while len(terminal.raw) != before and time.monotonic() < end:
        before = len(terminal.raw)
        pause = time.monotonic() + seconds
        while time.monotonic() < pause:
            terminal.read()
    return len(terminal.raw)


def pixels_on(home: Home, protocol: str) -> None:
    config = home.path / "config" / "vivix-tui" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f'[preview]\nprotocol = "{protocol}"\n')
    config.chmod(0o600)


def test_kitty_graphics_come_and_go_with_what_is_looked_at(home: Home) -> None:
    home.env["TERM"] = "xterm-kitty"
    picture = home.path / "quarters.png"
    corners(64, 64).save(picture)
    saved(home, picture, ASSETS / "image-16x9-a.jpg")
    with Terminal(home) as terminal:
        terminal.cells_of(8, 16)
        terminal.wait_for("quarters.png")
        start = settle(terminal)
        assert placed(terminal, 0) == (0, 0, 0), "nothing before it is wanted"
        assert not re.search(rb"\x1b\[>?[0-9]*c|\x1b\[>0?q|a=q|\x1b\[1[46]t", bytes(terminal.raw)), "never a question"
        terminal.press("p")
        terminal.wait_for("64 × 64 png")
        shown = settle(terminal)
        assert placed(terminal, start) == (1, 4, 0), "64 pixels are four cells high"
        found = re.search(rb"\x1b_Ga=t,q=2,f=24,o=z,s=64,v=64,i=(\d+),m=0;([^\x1b]*)\x1b", bytes(terminal.raw))
        assert found is not None
        rgb = zlib.decompress(base64.b64decode(found[2]))
        assert (rgb[:3], rgb[-3:]) == (b"\xff\0\0", b"\xff\xff\xff")
        assert "▀" not in terminal.text
        assert placed(terminal, settle(terminal)) == (0, 0, 0), "and nothing is sent while nothing changes"
        terminal.press("?")
        terminal.wait_for("Keys")
        dialog = settle(terminal)
        assert placed(terminal, shown) == (0, 0, 4), "a dialog is in front of it"
        terminal.press(ESC)
        terminal.wait_until_gone("Keys")
        back = settle(terminal)
        assert placed(terminal, dialog) == (0, 4, 0)
        terminal.press("j")
        terminal.wait_for("1,280 × 720 jpg")
        after = settle(terminal)
        assert placed(terminal, back)[0] == 1
        lines = placed(terminal, back)[1]
        for key, words in (("n", "New generation|Which model|models"), ("\x10", "Search")):
            terminal.press(key)
            terminal.wait_for(words)
            covered = settle(terminal)
            assert placed(terminal, after) == (0, 0, lines), "another screen, and the palette, are in front of it"
            terminal.press(ESC)
            terminal.wait_until_gone(words)
            after = settle(terminal)
            assert placed(terminal, covered) == (0, lines, 0)
        assert b"d=I,i=" + found[1] in terminal.raw[back:]
        terminal.press("q")
        assert terminal.exit_code() == 0
        assert b"\x1b_Ga=d,q=2,d=I" in terminal.raw[after:], "the terminal keeps no picture"


def test_sixel_is_drawn_again_where_text_was_over_it(home: Home) -> None:
    pixels_on(home, "sixel")
    picture = home.path / "quarters.png"
    corners(64, 64).save(picture)
    saved(home, picture)
    with Terminal(home) as terminal:
        terminal.cells_of(8, 16)
        terminal.wait_for("quarters.png")
        terminal.press("p")
        terminal.wait_for("64 × 64 png")
        shown = settle(terminal)
        lines = re.findall(rb"\x1bP0;1q([^\x1b]*)\x1b\\", bytes(terminal.raw))
        assert len(lines) >= 4
        assert painted(lines[-4])[0, 0] == (100, 0, 0)
        assert painted(lines[-1])[63, 15] == (100, 100, 100)
        terminal.press("?")
        terminal.wait_for("Keys")
        dialog = settle(terminal)
        assert b"\x1bP0;1q" not in terminal.raw[shown:]
        terminal.press(ESC)
        terminal.wait_until_gone("Keys")
        settle(terminal)
        again = re.findall(rb"\x1bP0;1q([^\x1b]*)\x1b\\", bytes(terminal.raw[dialog:]))
        assert again[-4:] == lines[-4:], "a closing dialog has it drawn once, or twice on a slow machine"
        assert len(again) <= 8
        for y, x in re.findall(rb"\x1b\[(\d+);(\d+)H\x1bP0;1q", bytes(terminal.raw[dialog:]))[-4:]:
            terminal.cover(int(x) - 1, int(y) - 1, 8)
        assert "########" in terminal.text
        terminal.press("p")
        terminal.wait_until_gone("64 × 64 png")
        settle(terminal)
        assert "#" not in terminal.text, "what takes a Sixel away is text over it, were it there before or not"
        terminal.press("q")
        assert terminal.exit_code() == 0


def test_where_a_cell_has_no_size_sixel_is_half_blocks(home: Home) -> None:
    pixels_on(home, "sixel")
    picture = home.path / "quarters.png"
    corners(64, 64).save(picture)
    saved(home, picture)
    with Terminal(home) as terminal:
        terminal.wait_for("quarters.png")
        terminal.press("p")
        terminal.wait_for("64 × 64 png")
        assert {"ff0000", "00ff00", "0000ff", "ffffff"} <= terminal.grounds
        assert b"\x1bP0;1q" not in terminal.raw
        terminal.press("q")
        assert terminal.exit_code() == 0

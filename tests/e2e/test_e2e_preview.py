"""The preview in a real terminal: colours as a terminal emulator takes them in, and no process left behind."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import Home, until
from tests.e2e.terminal import Terminal
from tests.preview.conftest import ASSETS, corners
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

"""Notification and clipboard on their way through tmux to the terminal around it; where there is no tmux, up to it."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Api, make_home, until
from tests.e2e.terminal import Terminal
from vivix_tui.store import query
from vivix_tui.store.store import Store

BODY = json.dumps({"model": "grok-imagine-image-quality", "prompt": "a fox"})
PASSES_ON = "set -g allow-passthrough on"


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Names of sockets are limited to some hundred characters."""
    folder = Path(tempfile.mkdtemp(prefix="vt"))
    yield folder
    shutil.rmtree(folder)


def arrived(terminal: Terminal) -> bytes:
    """What the terminal around it was told by now; without tmux the wrapping is taken off here."""
    terminal.read()
    return re.sub(rb"\x1bPtmux;(.*?)\x1b\\", lambda m: m[1].replace(b"\x1b\x1b", b"\x1b"), bytes(terminal.raw))


@pytest.mark.parametrize(("conf", "notified"), [(PASSES_ON, True), ("set -g set-clipboard on", False)])
def test_an_end_and_a_copied_id_reach_the_terminal_around_tmux(
    tmp_path: Path, short_folder: Path, demo_api: Callable[..., Api], conf: str, notified: bool
) -> None:
    api = demo_api("empty", speed=20)
    home = make_home(tmp_path, VIVIX_API_KEY=api.key, VIVIX_BASE_URL=api.base_url)
    store = Store(home.database)
    through: tuple[str, ...] = ()
    if shutil.which("tmux"):
        (short_folder / "conf").write_text(f"{conf}\n")
        through = ("tmux", "-S", str(short_folder / "s"), "-f", str(short_folder / "conf"), "new-session", "exec")
    else:
        home.env["TMUX"] = str(short_folder)
    with Terminal(home, through=through) as terminal:
        terminal.wait_for("● live", 30)
        home.run("submit", "-", "--no-wait", stdin=BODY)
        terminal.wait_for("1 done.*\n(?s:.*)1 done", 30)
        (row,) = query.list_generations(store, "default")
        terminal.press("y")
        copied = b64encode(row.generation_id.encode())
        until(lambda: re.search(rb"\x1b\]52;c?;" + copied, arrived(terminal)))
        if notified or not through:
            until(lambda: b"\x1b]9;1 done\x07" in arrived(terminal))
        assert b"\x07" in terminal.raw
        terminal.press("q")
        assert terminal.exit_code() == 0
    store.close()

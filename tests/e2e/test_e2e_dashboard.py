"""What a user does, in a real terminal, against the demo API in another process."""

from __future__ import annotations

import hashlib
import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Api, Home, make_home, until
from tests.e2e.terminal import ENTER, ESC, Terminal
from vivix_tui.store import query
from vivix_tui.store.store import Store

StartApi = Callable[..., Api]
IMAGE = "grok-imagine-image-quality"
FOUR = json.dumps({"model": IMAGE, "prompt": "four views of a fox", "number_results": 4})
FAILING = json.dumps({"model": IMAGE, "prompt": "[fail] a lighthouse in a storm"})


class Journey:
    """A home, an API and the rows behind the screen."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.store = Store(home.database)

    def rows(self) -> dict[str, Any]:
        return {row.generation_id: row for row in query.list_generations(self.store, "default")}

    def by_prompt(self, words: str) -> list[Any]:
        return [row for row in self.rows().values() if words in (row.prompt or "")]


@pytest.fixture
def journey(tmp_path: Path, demo_api: StartApi, request: pytest.FixtureRequest) -> Iterator[Journey]:
    api = demo_api(request.param, speed=20)
    made = Journey(make_home(tmp_path, VIVIX_API_KEY=api.key, VIVIX_BASE_URL=api.base_url))
    yield made
    made.store.close()


@pytest.mark.parametrize("journey", ["empty", "stormy"], indirect=True)
def test_watch_read_retry_download_quit_and_come_back(journey: Journey) -> None:
    home = journey.home
    home.run("submit", "-", "--no-wait", stdin=f"{FAILING}\n{FOUR}\n")
    with Terminal(home) as terminal:
        # Rows change status, live.
        terminal.wait_for("four views of a fox")
        terminal.wait_for(r"(queued|rendering|waiting|sending)")
        until(lambda: [r.status for r in journey.by_prompt("four views")] == ["completed"], 90, "the image done")
        until(lambda: "failed" in [r.status for r in journey.by_prompt("[fail]")], 90, "the failure")
        terminal.wait_for(r"✓ done")
        terminal.wait_for(r"✗ failed")

        # A failure is opened and read.
        terminal.press("!")
        terminal.wait_for(r"\[failed\+gone: \d")
        terminal.press(ENTER)
        # Until the zoomed frame is there, STATUS below would match the old one, and ESC R in one read is Alt+R.
        terminal.wait_until_gone("STATUS")
        terminal.wait_for(r"✗ failed.*PROVIDER_ERROR")
        failed = next(row for row in journey.by_prompt("[fail]") if row.status == "failed")
        assert failed.message
        terminal.wait_for(failed.message[:20])
        terminal.press(ESC)
        terminal.wait_for("STATUS")

        # Two keys retry it; the new row finishes.
        terminal.press("R")
        terminal.wait_for(r"Retry \w{8}\?")
        terminal.press("y")
        terminal.wait_for("retry queued")
        until(lambda: [r for r in journey.by_prompt("[fail]") if r.status == "completed"], 90, "the retry done")
        (retried,) = [row for row in journey.by_prompt("[fail]") if row.status == "completed"]
        assert retried.retry_of == failed.generation_id
        assert retried.body == failed.body == FAILING
        terminal.press("0")
        terminal.wait_for(rf"{retried.generation_id[:8]}.*✓ done")

        # Four files of one image.
        terminal.press("/")
        terminal.type("four views")
        terminal.press(ENTER)
        terminal.wait_for(r"\[four views: 1\]")
        terminal.press("d")
        terminal.wait_for("downloading 4 files")
        (image,) = journey.by_prompt("four views")
        until(lambda: _done(journey, image.generation_id) == 4, 90, "four files")
        terminal.wait_for(r"whole:")
        terminal.press("q")
        assert terminal.exit_code() == 0
        assert b"\x1b[?1049l" in terminal.raw

    files = query.downloads_of(journey.store, "default", image.generation_id)
    assert len({item.path for item in files}) == 4
    for item in files:
        data = Path(item.path or "").read_bytes()
        assert data[:3] == b"\xff\xd8\xff"
        assert hashlib.sha256(data).hexdigest() == item.sha256
        assert item.verified is True
    assert not list((home.path / "vivix").rglob("*.part"))

    # Everything is there again; what had ended is not asked about.
    before = {i: row.checked_at for i, row in journey.rows().items() if row.ended}
    with Terminal(home) as terminal:
        terminal.wait_for("four views of a fox")
        terminal.wait_for("● live", 60)
        home.run("track", "no-such-id")
        until(lambda: journey.rows()["no-such-id"].gone == "NOT_FOUND", 60, "an answer about the new id")
        terminal.press("q")
        assert terminal.exit_code() == 0
    after = journey.rows()
    assert {i: after[i].checked_at for i in before} == before


def _done(journey: Journey, generation_id: str) -> int:
    return sum(item.state == "done" for item in query.downloads_of(journey.store, "default", generation_id))


@pytest.mark.parametrize("journey", ["empty"], indirect=True)
def test_active_ones_go_on_after_quitting(journey: Journey) -> None:
    body = json.dumps({"model": "wan-2.7-text-to-video", "prompt": "[slow] waves at night", "duration": 10})
    journey.home.run("submit", "-", stdin=body)
    (row,) = journey.rows().values()
    assert not row.ended
    with Terminal(journey.home) as terminal:
        terminal.wait_for("waves at night")
        terminal.press("q")
        assert terminal.exit_code() == 0
    assert journey.home.run("list", "--status", "completed").stdout == ""
    with Terminal(journey.home) as terminal:
        terminal.wait_for("✓ done", 60)
        terminal.press("q")
        assert terminal.exit_code() == 0


def test_without_a_key_the_history_is_shown_and_the_way_told(home: Home) -> None:
    home.run("track", "an-old-id")
    with Terminal(home) as terminal:
        terminal.wait_for("an-old-i")
        terminal.wait_for("VIVIX_API_KEY")
        terminal.wait_for("no key")
        terminal.press("q")
        assert terminal.exit_code() == 0


def test_a_rejected_key_is_replaced_without_a_restart(tmp_path: Path, demo_api: StartApi) -> None:
    api = demo_api("empty", speed=20)
    wrong = "vvx_live_" + "wrong000" * 4
    home = make_home(tmp_path, VIVIX_API_KEY=wrong, VIVIX_BASE_URL=api.base_url)
    home.run("submit", "-", "--no-wait", stdin=FOUR)
    with Terminal(home) as terminal:
        terminal.wait_for("key rejected")
        terminal.wait_for("KEY_INVALID")
        terminal.press("K")
        terminal.wait_for("API key")
        terminal.type(api.key)
        terminal.press(ENTER)
        terminal.wait_for("● live", 30)
        terminal.wait_for("✓ done", 60)
        terminal.press("q")
        assert terminal.exit_code() == 0
        for key in (wrong, api.key):
            assert key.encode() not in terminal.raw
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert wrong.encode() not in file.read_bytes(), file
            assert api.key.encode() not in file.read_bytes(), file


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 0)], ids=["TERM", "HUP", "INT"]
)
def test_ter_06_signals_restore_the_terminal(tmp_path: Path, number: signal.Signals, code: int) -> None:
    home = make_home(tmp_path, VIVIX_API_KEY="vvx_live_" + "test" * 8, VIVIX_BASE_URL="http://127.0.0.1:9")
    home.run("track", "abc")
    with Terminal(home) as terminal:
        terminal.wait_for("abc")
        terminal.wait_for("offline|retrying")
        if number == signal.SIGINT:
            terminal.press("\x03")
        else:
            terminal.signal(number)
        assert terminal.exit_code(3) == code
        for mode in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l"):
            assert mode in terminal.raw
        assert b"Traceback" not in terminal.raw


@pytest.mark.parametrize("scenario", ["calm", "busy", "stormy"])
def test_the_demo_shows_live_rows(home: Home, scenario: str) -> None:
    with Terminal(home, "demo", "--scenario", scenario, "--speed", "20") as terminal:
        terminal.wait_for(r"▶ rendering|○ queued", 30)
        terminal.wait_for(r"✓ done", 60)
        terminal.wait_for(r"demo·(pro|ultimate)", 60)
        terminal.press("q")
        terminal.read(0.3)
        terminal.press("y")
        assert terminal.exit_code() == 0


def test_two_dashboards_share_one_database_and_one_engine(tmp_path: Path, demo_api: StartApi) -> None:
    api = demo_api("empty", speed=20)
    home = make_home(tmp_path, VIVIX_API_KEY=api.key, VIVIX_BASE_URL=api.base_url)
    with Terminal(home) as first:
        first.wait_for("● live", 30)
        with Terminal(home) as second:
            second.wait_for(rf"● live \(process {first.pid}\)", 30)
            home.run("submit", "-", "--no-wait", stdin=FOUR)
            second.wait_for("four views of a fox")
            first.wait_for("[1-9] (active|done)")  # accepted: a kill while it is being sent would make it unknown
            first.signal(signal.SIGKILL)
            second.wait_for(r"● live  ", 15)
            second.wait_for("✓ done", 60)
            second.press("q")
            assert second.exit_code() == 0
    submissions = [json.loads(x) for x in home.run("list", "--submissions", "--json").stdout.splitlines()]
    assert [item["state"] for item in submissions] == ["accepted"]


def test_an_end_reaches_the_users_own_terminal_as_bell_notification_and_title(
    tmp_path: Path, demo_api: StartApi
) -> None:
    api = demo_api("empty", speed=20)
    home = make_home(tmp_path, VIVIX_API_KEY=api.key, VIVIX_BASE_URL=api.base_url)
    with Terminal(home) as terminal:
        terminal.wait_for("● live", 30)
        home.run("submit", "-", "--no-wait", stdin=FOUR)
        terminal.wait_for("1 done", 30)
        end = time.monotonic() + 10
        while b"\x1b]9;1 done\x07" not in terminal.raw and time.monotonic() < end:
            terminal.read(0.1)
        assert b"\x1b]9;1 done\x07" in terminal.raw
        assert b"\x1b]2;vivix-tui: 1 " in terminal.raw
        terminal.press("q")
        assert terminal.exit_code() == 0
        assert terminal.raw.rindex(b"\x1b[23;2t") > terminal.raw.index(b"\x1b[22;2t")

"""Keys, signals and whole commands where a POST costs money: real processes, a real terminal, an API with a ledger.

Rows MON-05, MON-07, MON-12, LIF-07.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Home, until
from tests.e2e.terminal import Terminal
from tests.srv import GENERATE, GET_GENERATION, Connection, Request, Srv, generation, id_of, json_reply, later, silence
from tests.torture.journal import Journal
from tests.torture.kills import home_for
from tests.torture.processes import Running

SMALL = '{"model":"grok-imagine-image-quality","prompt":"a fox"}'
ODD = [
    '{"model": "grok-imagine-image-quality",  "prompt": "\U0001f98a e\u0301 \\ud83e\\udd8a",'
    '\t"cfg": 0.1, "b": 0.30000000000000004, "seed": 7 }',
    '{"seed":12345678901234567890123456789,"prompt":"big","model":"grok-imagine-image-quality","x":1e2,"y":1E+2,"z":-0.0}',
    '{ "prompt" : "' + "é" * 2_000 + '" , "model":"grok-imagine-image-quality" }',
    '{"model":"grok-imagine-image-quality","prompt":"twice","a":1,"a":2,"slash":"\\/","nul":"\\u0000"}',
]


@pytest.fixture
def srv() -> Iterator[Srv]:
    with Srv() as server:
        server.on("GET", GET_GENERATION, lambda r: json_reply(200, generation(id_of(r), "failed")))
        server.on("POST", GENERATE, lambda r: json_reply(201, {"generation_id": f"g{server.count('POST', GENERATE)}"}))
        yield server


@pytest.fixture
def well(tmp_path: Path, srv: Srv) -> Home:
    """A home whose program talks to `srv`."""
    return home_for(tmp_path, srv, "[api]\ntimeout_s = 20\n")


def until_shown(terminal: Terminal, condition: Callable[[], object], what: str = "the condition") -> None:
    """Waits as `until`, and takes in what the program draws meanwhile."""

    def look() -> object:
        terminal.read(0.01)
        return condition()

    until(look, what=what)


def test_mon_07_a_retry_is_byte_for_byte_the_first_post(well: Home, srv: Srv) -> None:
    journal = Journal.of(well)
    assert well.run("submit", "-", stdin="\n".join(ODD)).returncode == 0
    with Running(well, "watch") as watch:
        until(lambda: [r["status"] for r in journal.generations().values()] == ["failed"] * len(ODD))
        assert well.run("retry", "--yes", *journal.generations()).returncode == 0
        assert watch.terminate() == 0
    sent = [request.body for request in srv.calls("POST", GENERATE)]
    assert sorted(sent[: len(ODD)]) == sorted(body.encode() for body in ODD)
    assert sorted(sent[len(ODD) :]) == sorted(sent[: len(ODD)])


@pytest.mark.parametrize("confirm", ["y", "\r"], ids=["y confirms", "enter cancels"])
def test_mon_05_the_answering_key_twenty_times_within_200_ms_sends_one_post(well: Home, srv: Srv, confirm: str) -> None:
    well.run("submit", "-", stdin=SMALL)
    srv.on("POST", GENERATE, lambda r: later(0.5, json_reply(201, {"generation_id": "second"})))
    srv.on("GET", "*/second", json_reply(200, generation("second", "processing")))
    with Terminal(well) as terminal:
        terminal.wait_for("✗ failed")
        terminal.press("R")
        terminal.wait_for(r"Retry .*\?")
        began = time.monotonic()
        for _ in range(20):
            os.write(terminal.fd, confirm.encode())
            time.sleep(0.009)
        assert time.monotonic() - began < 0.4
        if confirm == "y":
            until_shown(terminal, lambda: Journal.of(well).states() == {"accepted": 2}, what="the retry is accepted")
            terminal.wait_for("copied")  # what the other nineteen do where there is no question
        else:
            terminal.press("R")
            terminal.wait_for(r"Retry .*\?")
            terminal.press("\r")
        assert srv.count("POST", GENERATE) == (2 if confirm == "y" else 1)
        assert len(Journal.of(well).submissions()) == (2 if confirm == "y" else 1)
        terminal.leave()
        assert terminal.exit_code() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=["TERM", "INT", "HUP"])
def test_mon_12_a_command_that_is_ended_while_its_post_is_under_way_stores_the_late_answer(
    well: Home, srv: Srv, number: signal.Signals
) -> None:
    srv.on("POST", GENERATE, lambda r: later(1.2, json_reply(201, {"generation_id": "g-late"})))
    with Running(well, "submit", "-", stdin=SMALL) as command:
        until(lambda: srv.count("POST", GENERATE) == 1)
        began = time.monotonic()
        os.kill(command.pid, number)
        code = command.wait(10)
        assert time.monotonic() - began < 3
        assert code == (130 if number == signal.SIGINT else 128 + number)
        assert "not charged" not in command.errors
    (row,) = Journal.of(well).submissions()
    assert (row["state"], row["generation_id"]) == ("accepted", "g-late")


def test_mon_12_a_quit_that_no_answer_can_wait_for_is_unknown_next_time_and_shown_so(well: Home, srv: Srv) -> None:
    srv.on("POST", GENERATE, lambda r: silence)
    with Terminal(well) as terminal:
        terminal.wait_for("live")
        well.run("submit", "-", "--no-wait", stdin=SMALL)
        until_shown(terminal, lambda: srv.count("POST", GENERATE) == 1)
        began = time.monotonic()
        terminal.leave()
        assert terminal.exit_code() == 0
        assert time.monotonic() - began < 4
        assert b"not charged" not in terminal.raw
    with Running(well, "watch") as watch:
        until(lambda: Journal.of(well).states() == {"unknown": 1})
        assert watch.terminate() == 0
    (told,) = [json.loads(line) for line in well.run("list", "--submissions", "--json").stdout.splitlines()]
    assert (told["state"], told["generation_id"]) == ("unknown", None)
    assert srv.count("POST", GENERATE) == 1


@pytest.mark.parametrize("keys", ["\x11", "\x03\x03"], ids=["Ctrl-Q", "Ctrl-C twice"])
def test_lif_07_it_quits_in_time_with_downloads_and_a_black_hole(well: Home, srv: Srv, keys: str) -> None:
    size = 3_000_000

    def slow(connection: Connection) -> None:
        connection.send(b'HTTP/1.1 200 OK\r\ncontent-type: image/png\r\netag: "v1"\r\n')
        connection.send(f"content-length: {size}\r\n\r\n".encode() + b"\x89PNG\r\n\x1a\n")
        while connection.wait(0.05):
            connection.send(b"x" * 2_000)

    def done(request: Request) -> bytes:
        host = "localhost" if id_of(request) == "d3" else "127.0.0.1"  # from one host come two at most
        url = f"http://{host}:{srv.port}/out/{id_of(request)}.png"
        return json_reply(200, generation(id_of(request), "completed", output_url=url, output_urls=[url]))

    srv.on("GET", GET_GENERATION, done)
    srv.on("GET", "*/hole", lambda r: silence)
    srv.on("GET", "/out/*", lambda r: slow)
    journal = Journal.of(well)
    well.run("track", "d1", "d2", "d3", "hole")
    for name in ("d1", "d2", "d3"):
        well.run("download", name, "--no-wait")
    with Terminal(well) as terminal:
        until_shown(terminal, lambda: srv.count("GET", "/out/*") == 3, what="three downloads run")
        until_shown(terminal, lambda: srv.count("GET", "*/hole") == 1)
        until_shown(terminal, lambda: sum(r["received_bytes"] > 4_000 for r in journal.downloads()) == 3)
        began = time.monotonic()
        terminal.leave(*keys)
        assert terminal.exit_code(5) == 0
        assert time.monotonic() - began <= 3
        assert b"\x1b[?1049l" in terminal.raw
        assert b"Traceback" not in terminal.raw
    parts = {row["generation_id"]: row["received_bytes"] for row in journal.downloads()}
    assert all(received > 4_000 for received in parts.values())
    with Running(well, "watch") as watch:
        until(lambda: srv.count("GET", "/out/*") == 6, what="the next start goes on with all three")
        assert watch.terminate() == 0
    for request in srv.calls("GET", "/out/*")[3:]:
        assert int(request.headers["range"].removeprefix("bytes=").rstrip("-")) > 4_000
        assert request.headers["if-range"] == '"v1"'

"""The process: what it prints, what it keeps, how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from vivix_tui.demo.__main__ import main

from .conftest import IMAGE, VIDEO, Demo

Start = Callable[..., Demo]
COMMAND = [sys.executable, "-m", "vivix_tui.demo"]


def test_the_opening_of_calm_is_announced_at_once(start: Start) -> None:
    demo = start("--scenario", "calm", "--seed", "11")
    demo.wait_for_announcements(17)
    lines = [line for line in demo.announced if "body" in line][:15]
    answers = [demo.ask(line["generation_id"]) for line in lines]
    states = [answer["status"] for answer in answers]
    assert sum(state in ("pending", "processing") for state in states) == 3
    assert (states.count("failed"), states.count("completed")) == (2, 10)
    assert max(len(answer.get("output_urls", [])) for answer in answers) == 4
    assert [answer["model"] for answer in answers] == [line["body"]["model"] for line in lines]
    balance = demo.http.get("/api/v1/credits").json()["balance"]
    assert balance == 49_711


def test_the_script_goes_on_and_repeats_itself_with_the_seed(start: Start) -> None:
    one, two, other = (start("--scenario", "calm", "--speed", "200", "--seed", seed) for seed in ("4", "4", "5"))
    for demo in (one, two, other):
        demo.wait_for_announcements(20)
    assert sorted(map(repr, one.announced[:20])) == sorted(map(repr, two.announced[:20]))
    assert one.announced[17:20] != other.announced[17:20]
    assert one.ask(one.announced[19]["generation_id"])["model"] == one.announced[19]["body"]["model"]


def test_empty_is_silent(start: Start) -> None:
    demo = start("--scenario", "empty")
    demo.post(IMAGE)
    time.sleep(0.3)
    assert demo.announced == []


def test_a_restart_continues(start: Start, tmp_path: Path) -> None:
    room = ("--scenario", "empty", "--speed", "150", "--data", str(tmp_path / "state"))
    demo = start(*room)
    done = demo.made(IMAGE)
    failed = demo.made(IMAGE, prompt="[fail] once")
    running = demo.post(VIDEO).json()
    balance = demo.http.get("/api/v1/credits").json()["balance"]
    demo.kill()
    path = tmp_path / "state" / "demo-api.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open("ab") as file:
        file.write(b'{"job": {"id": "cut')

    again = start(*room)
    assert again.http.get("/api/v1/credits").json()["balance"] == balance
    assert again.ask(done["generation_id"]) == done
    assert again.ask(failed["generation_id"]) == failed
    assert again.finished(running["generation_id"])["created_at"] == running["created_at"]
    assert again.made(IMAGE, prompt="[fail] once")["status"] == "completed"
    assert b'"id": "cut' not in path.read_bytes()


def test_a_restart_continues_the_script(start: Start, tmp_path: Path) -> None:
    room = ("--scenario", "calm", "--speed", "1", "--data", str(tmp_path))
    demo = start(*room)
    demo.wait_for_announcements(17)
    before = demo.announced[:15]
    assert demo.close() == 0
    again = start(*room)
    again.wait_for_announcements(17)
    assert again.announced[:15] == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_at_once_with_requests_open(start: Start, number: signal.Signals) -> None:
    demo = start("--scenario", "calm", "--speed", "1")
    demo.wait_for_announcements(2)
    url = demo.ask(demo.announced[1]["generation_id"])["output_url"]
    with httpx.Client(trust_env=False) as client, client.stream("GET", url) as answer:
        next(answer.iter_raw())
        with socket.create_connection(("127.0.0.1", httpx.URL(demo.base_url).port or 0)) as half:
            half.sendall(b"POST /api/v1/generate HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n{")
            began = time.monotonic()
            demo.process.send_signal(number)
            assert demo.process.wait(5) == 0
            assert time.monotonic() - began < 1.0
    assert demo.close() == 0


def test_the_end_of_stdin_ends_it(start: Start) -> None:
    demo = start("--scenario", "busy")
    began = time.monotonic()
    assert demo.close() == 0
    assert time.monotonic() - began < 1.0


def test_a_closed_stdout_does_not_end_it() -> None:
    reading, writing = os.pipe()
    arguments = [*COMMAND, "--announce", "--scenario", "calm", "--speed", "500"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=writing, stderr=subprocess.PIPE) as process:
        os.close(writing)
        hello = os.read(reading, 65_536).decode()
        os.close(reading)
        time.sleep(0.6)
        address = re.search(r"http://127\.0\.0\.1:\d+", hello)
        assert address is not None
        assert httpx.get(address[0] + "/api/v1/credits", trust_env=False).status_code == 401
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_people_are_told_how_to_use_it() -> None:
    arguments = [*COMMAND, "--scenario", "calm"]
    with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        text = ""
        while "Ctrl-C" not in text:
            text += process.stdout.readline().decode()
        assert re.search(r"export VIVIX_BASE_URL=http://127\.0\.0\.1:\d+ VIVIX_API_KEY=vvx_live_\w{32}\n", text)
        time.sleep(0.2)  # the end of stdin means nothing here
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--port", str(port)], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=20
        )
    assert done.returncode == 1
    assert done.stderr.decode() == f"Port {port} on 127.0.0.1 cannot be used: Address already in use.\n"


def test_bad_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--speed", "0"], ["--scenario", "sunny"], ["--balance", "-1"], ["--port", "70000"]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
        assert "usage:" in capsys.readouterr().err

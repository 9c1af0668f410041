"""A terminal that stops reading or goes away, a shell that stops the program. Rows TER-06, TER-08, TER-10, LIF-09."""

from __future__ import annotations

import os
import pty
import re
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from tests.conftest import Home, until
from tests.e2e.frozen import HANGS
from tests.e2e.terminal import Terminal
from tests.srv import CREDITS, CREDITS_BODY, GET_GENERATION, Handler, Request, Srv, drip, generation, id_of, json_reply
from tests.torture.kills import home_for

STALLED_S = 8.0
BACKLOG = 40_000  # bytes, far more than a pty holds


@pytest.fixture
def srv() -> Iterator[Srv]:
    with Srv() as server:
        server.on("GET", CREDITS, json_reply(200, CREDITS_BODY | {"calls_per_minute": 240}))
        server.on("GET", GET_GENERATION, lambda r: json_reply(200, generation(id_of(r), "processing")))
        yield server


@pytest.fixture
def busy(tmp_path: Path, srv: Srv) -> Home:
    """Twenty running generations: as many polls as the account allows."""
    home = home_for(tmp_path, srv, "")
    home.run("track", *(f"g{n}" for n in range(20)))
    return home


def polls(srv: Srv) -> int:
    return srv.count("GET", GET_GENERATION)


def shown_until(terminal: Terminal, condition: Callable[[], bool]) -> None:
    """Waits as `until`, and takes in what the program draws meanwhile."""

    def look() -> bool:
        terminal.read()
        return condition()

    until(look)


def stall(terminal: Terminal, seconds: float = STALLED_S) -> None:
    """The terminal shows nothing for a while, although the user goes on typing: the program's writes block."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        os.write(terminal.fd, b"GgjG")
        time.sleep(0.05)


def first_fails() -> Handler:
    """The generation that is asked about first has failed, the others go on."""
    asked: list[str] = []

    def answer(request: Request) -> bytes:
        asked.append(id_of(request))
        return json_reply(200, generation(asked[-1], "failed" if asked[-1] == asked[0] else "processing"))

    return answer


def test_ter_08_polling_goes_on_while_the_terminal_does_not_read(tmp_path: Path, srv: Srv) -> None:
    home = home_for(tmp_path, srv, "")
    # So many want more calls than the account has however old they grow: the rate of polls is the account's.
    home.run("track", *(f"g{n}" for n in range(80)))
    with Terminal(home) as terminal:
        terminal.wait_for("live")
        until(lambda: polls(srv) > 30)
        began, before = time.monotonic(), polls(srv)
        while time.monotonic() - began < STALLED_S:
            terminal.read()
        usual = polls(srv) - before
        before, drawn = polls(srv), len(terminal.raw)
        srv.on("GET", GET_GENERATION, first_fails())
        stall(terminal)
        assert polls(srv) - before >= 0.9 * usual
        terminal.wait_for("79 active .*1 failed")
        until_quiet(terminal)
        assert len(terminal.raw) - drawn > 4096, "the terminal was never full"
        terminal.press("q")
        assert terminal.exit_code() == 0


def test_ter_08_downloads_go_on_while_the_terminal_does_not_read(tmp_path: Path, srv: Srv) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 90000000\r\n\r\n\x89PNG\r\n\x1a\n"
    srv.on("GET", "/out/*", lambda r: drip(head, b"x" * 20_000, step=20_000, pause_s=0.1))

    def done(request: Request) -> bytes:
        host = "localhost" if id_of(request) in ("d2", "d3") else "127.0.0.1"  # from one host come two at most
        url = f"http://{host}:{srv.port}/out/{id_of(request)}.png"
        return json_reply(200, generation(id_of(request), "completed", output_url=url, output_urls=[url]))

    srv.on("GET", "/api/v1/generations/d*", done)
    home = home_for(tmp_path, srv, '[download]\nauto = "completed"\nparallel = 4\nreserve_mb = 1\n')
    home.run("track", "d0", "d1", "d2", "d3", *(f"g{n}" for n in range(10)))

    def received() -> int:
        return sum(part.stat().st_size for part in tmp_path.rglob("*.part"))

    with Terminal(home) as terminal:
        terminal.wait_for("live")
        shown_until(terminal, lambda: srv.count("GET", "/out/*") == 4 and received() > 400_000)
        before, end = received(), time.monotonic() + STALLED_S
        while time.monotonic() < end:
            terminal.read()
        usual = received() - before
        before = received()
        stall(terminal)
        assert received() - before >= 0.9 * usual
        terminal.signal(signal.SIGTERM)
        assert terminal.exit_code(5) == 143


def until_quiet(terminal: Terminal) -> None:
    """Takes in all that waits to be drawn."""
    size = -1
    while size != len(terminal.raw):
        size = len(terminal.raw)
        terminal.read(0.3)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["TERM", "HUP"])
def test_ter_06_ter_08_a_signal_ends_it_in_time_while_the_terminal_does_not_read(
    busy: Home, srv: Srv, number: signal.Signals
) -> None:
    with Terminal(busy) as terminal:
        terminal.wait_for("live")
        stall(terminal, 3)
        terminal.signal(number)
        pid, end = terminal.pid, time.monotonic() + 3
        while running(pid):
            assert time.monotonic() < end, "it did not end within 3 s"
            time.sleep(0.02)


def test_ter_06_a_signal_restores_the_terminal_also_of_a_screen_that_hangs(tmp_path: Path, srv: Srv) -> None:
    with Terminal(home_for(tmp_path, srv, ""), module="tests.e2e.frozen") as terminal:
        terminal.wait_for("live")
        assert not termios.tcgetattr(terminal.fd)[3] & termios.ECHO
        terminal.signal(signal.SIGUSR1)
        shown_until(terminal, lambda: HANGS in terminal.raw)
        terminal.signal(signal.SIGTERM)
        assert terminal.exit_code(3.5) == 143
        for mode in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?2004l", b"\x1b[<u"):
            assert mode in terminal.raw
        assert termios.tcgetattr(terminal.fd)[3] & termios.ECHO


def test_ter_06_a_terminal_that_goes_away_ends_it_in_time(busy: Home, srv: Srv) -> None:
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(busy.path)
        os.execve(sys.executable, [sys.executable, "-m", "vivix_tui.cli.main"], busy.env)
    try:
        seen = b""
        while b"live" not in seen:
            seen += os.read(master, 65536)
    finally:
        os.close(master)
    end = time.monotonic() + 3
    while running(pid):
        assert time.monotonic() < end, "it did not end within 3 s"
        time.sleep(0.02)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 129
    for log in busy.path.rglob("vivix.log"):
        assert "Traceback" not in log.read_text()


def running(pid: int) -> bool:
    """Whether the process has not ended yet (one that ended and was not waited for is a Z)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_lif_09_a_stopped_process_comes_back_to_the_truth_without_a_burst(busy: Home, srv: Srv) -> None:
    """As a laptop that slept: the connections are dead, the server has moved on, every row is long due."""
    with Terminal(busy) as terminal:
        terminal.wait_for("live")
        shown_until(terminal, lambda: polls(srv) > 40)
        terminal.signal(signal.SIGSTOP)
        time.sleep(1)
        stopped = polls(srv)
        srv.down()
        srv.on("GET", GET_GENERATION, lambda r: json_reply(200, generation(id_of(r), "completed")))
        time.sleep(5)
        srv.up()
        terminal.signal(signal.SIGCONT)
        terminal.wait_for("20 done", 30)
        after = [r.at for r in srv.calls("GET", GET_GENERATION)[stopped:]]
        assert len(after) <= 30, "each is asked about once, and the dead connections cost a few"
        assert max(sum(at <= other < at + 1 for other in after) for at in after) <= 20
        terminal.read(2)
        assert terminal.raw.count(b"\x1b]9;") <= 1, "told in one line"
        terminal.leave()
        assert terminal.exit_code() == 0


def test_ter_10_ctrl_z_gives_the_shell_back_and_fg_goes_on(busy: Home, srv: Srv) -> None:
    shell = pexpect.spawn(
        "bash", ["--norc", "--noprofile", "-i"], env=busy.env | {"PS1": "READY> "}, cwd=str(busy.path),
        dimensions=(36, 120), timeout=15,
    )  # fmt: skip
    shell.delaybeforesend = None
    try:
        shell.expect_exact("READY> ")
        shell.sendline(f"{sys.executable} -m vivix_tui.cli.main")
        for _ in range(8):
            shell.expect("live")
            shell.send("\x1a")
            shell.expect_exact("\x1b[?1049l")
            shell.expect("Stopped")
            shell.sendline("echo shell-$((40 + 2))")
            shell.expect_exact("shell-42")
            shell.sendline("fg")
            shell.expect_exact("\x1b[?1049h")
        shell.expect("live")
        before = polls(srv)
        until(lambda: polls(srv) > before)
        shell.send("q")
        shell.expect_exact("READY> ")
        shell.sendline("echo code-$?")
        found = shell.expect([r"code-\d+"])
        assert found == 0
        assert re.search(rb"code-0", shell.after)
    finally:
        shell.kill(signal.SIGKILL)
        shell.close()


def test_lif_03_a_key_that_fails_does_not_end_the_dashboard(busy: Home, srv: Srv) -> None:
    """A page down in the palette's list while it is empty raises a KeyError (Textual 8.2)."""
    with Terminal(busy) as terminal:
        terminal.wait_for("live")
        for _ in range(20):
            terminal.type(":" + 5 * "\x1b[6~")
            terminal.wait_for("Search for commands")
            terminal.press("\x1b")
            terminal.wait_until_gone("Search for commands")
            if failed_keys(busy):
                break
        assert failed_keys(busy), "it never failed: this test looks for another key that does"
        terminal.press("q")
        assert terminal.exit_code() == 0


def failed_keys(home: Home) -> int:
    """How often the log says that a key failed."""
    return sum(log.read_text().count("the key pagedown failed") for log in home.path.rglob("vivix.log"))

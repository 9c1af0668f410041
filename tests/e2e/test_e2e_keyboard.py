"""What comes from the keyboard: an idle program waits for it, and bytes that are no keys are no harm."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Home
from tests.e2e.past import past
from tests.e2e.terminal import ESC, Terminal


def wakes(pid: int) -> int:
    """How often the threads of a process went to sleep so far, of their own will."""
    statuses = (path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status"))
    lines = (line for status in statuses for line in status.splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


def idle(terminal: Terminal, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        terminal.read(0.2)


def test_an_idle_dashboard_sleeps(home: Home) -> None:
    """Ten times a second was the keyboard alone."""
    past(home, 3)
    with Terminal(home) as terminal:
        terminal.wait_for("▌ g0")
        terminal.press(ESC)
        idle(terminal, 8)
        before = wakes(terminal.pid)
        idle(terminal, 5)
        assert wakes(terminal.pid) - before < 5 * 8


def test_an_escape_waits_for_its_sequence_and_is_a_key_without_one(home: Home) -> None:
    home.run("track", *(f"g{number}" for number in range(3)))
    with Terminal(home) as terminal:
        terminal.wait_for("▌ g0")
        for part in (ESC, "[", "B"):  # the arrow, over a link that tears it
            os.write(terminal.fd, part.encode())
            terminal.read(0.02)
        terminal.wait_for("▌ g1")
        terminal.press("?")
        terminal.wait_for("esc close")
        terminal.press(ESC)
        terminal.wait_until_gone("esc close")
        terminal.wait_for("▌ g1")


@pytest.mark.parametrize("data", [b"\xff", b"\xc3", b"\xc3(", b"\xed\xa0\x80", b"\x80\x81\x00"])
def test_bytes_that_are_no_text_are_no_end(home: Home, data: bytes) -> None:
    home.run("track", *(f"g{number}" for number in range(3)))
    with Terminal(home) as terminal:
        terminal.wait_for("▌ g0")
        os.write(terminal.fd, data)
        idle(terminal, 0.5)
        terminal.press("j")
        terminal.press("j")
        terminal.wait_for("▌ g[12]")
        terminal.leave()
        assert terminal.exit_code() == 0
        assert b"Traceback" not in terminal.raw


def test_what_is_pasted_over_the_table_is_no_key(home: Home) -> None:
    """`R`, `y` would cost credits, `q` would end it."""
    past(home, 30)
    with Terminal(home) as terminal:
        terminal.wait_for("▌ g0")
        terminal.rest(1)
        before = terminal.text
        for part in (f"{ESC}[200~log: {ESC}[31mred q", f"!3jjx{ESC}{ESC}", "[201 jk" + "x" * 40, f"{ESC}[20", "1~"):
            os.write(terminal.fd, part.encode())
            idle(terminal, 0.2)
        terminal.rest(1)
        assert terminal.text == before
        terminal.leave()
        assert terminal.exit_code() == 0


def test_a_terminal_that_goes_without_a_word_ends_it_too(home: Home) -> None:
    master, slave = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "vivix_tui.cli.main"],
        stdin=slave, stdout=slave, stderr=slave, env=home.env, cwd=home.path, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        seen, end = b"", time.monotonic() + 20
        while len(seen) < 4_000 and time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                seen += os.read(master, 65536)
        assert len(seen) >= 4_000, "a frame was drawn: it hears a HUP by now"
        os.close(master)
        assert program.wait(10) == 129
    finally:
        program.kill()
        program.wait()


@pytest.mark.parametrize("after_s", [0.0, 0.1, 0.2, 0.3])
def test_who_leaves_at_once_does_not_wait(home: Home, after_s: float) -> None:
    with Terminal(home) as terminal:
        time.sleep(after_s)
        os.write(terminal.fd, b"q")
        end = time.monotonic() + 20
        while b"1049l" not in terminal.raw and time.monotonic() < end:
            terminal.read()
        left_at = time.monotonic()
        assert terminal.exit_code(10) == 0
        assert time.monotonic() - left_at < 2

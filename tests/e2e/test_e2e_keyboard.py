"""What comes from the keyboard: an idle program waits for it, and bytes that are no keys are no harm."""

from __future__ import annotations

import os
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

"""A terminal program in a real pty, measured from outside: it cannot know that it is measured.

Owns: the pty, answers to the queries that programs ask terminals, and the figures. All times are seconds.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte

ROWS = 40
QUIET_S = 0.03

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# What a common terminal answers: attributes, version, cursor, modes, colours.
ANSWERS = (
    (rb"\x1b\[c|\x1b\[0c", b"\x1b[?62;22c"),
    (rb"\x1b\[>c|\x1b\[>0c", b"\x1b[>1;10;0c"),
    (rb"\x1b\[>q|\x1b\[>0q", b"\x1bP>|bench 1\x1b\\"),
    (rb"\x1b\[6n", b"\x1b[1;1R"),
    (rb"\x1b\[5n", b"\x1b[0n"),
    (rb"\x1b\[\?2026\$p", b"\x1b[?2026;2$y"),
    (rb"\x1b\[\?u", b"\x1b[?0u"),
    (rb"\x1b\]10;\?(?:\x07|\x1b\\)", b"\x1b]10;rgb:d0d0/d0d0/d0d0\x1b\\"),
    (rb"\x1b\]11;\?(?:\x07|\x1b\\)", b"\x1b]11;rgb:1010/1010/1010\x1b\\"),
)
_UNKNOWN = re.compile(rb"\x1b\[[<>=?]?[0-9;]*\$?[up]|\x1b\[>[0-9;]*[a-z]")  # to the emulator
_STEERING = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\|\x1b.")


class GaveUp(Exception):
    """The program did not do what was waited for."""


@dataclass(frozen=True, slots=True)
class Idle:
    """A stretch in which no key was pressed: bytes written and CPU used, both per second."""

    bytes_per_s: float
    cpu_share: float


class Terminal:
    """A pty of `columns` × 40 in which `command` runs; a context manager that ends it by its process id."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], cwd: str, columns: int = 120) -> None:
        self.started = time.monotonic()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            # As over SSH, which hands TERM on but not COLORTERM.
            os.chdir(cwd)
            os.execvpe(command[0], list(command), {**env, "TERM": "xterm-256color"})  # noqa: S606 - no shell is meant
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        self._seen = b""
        self._screen = pyte.Screen(columns, ROWS)
        self._emulator = pyte.ByteStream(self._screen)
        self._unfed: list[bytes] = []
        self._ended: int | None = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ended is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    def read(self, seconds: float) -> bytes:
        """What comes within `seconds`, or b"" where nothing does. Queries are answered."""
        ready, _, _ = select.select([self._fd], [], [], max(0.0, seconds))
        if not ready:
            return b""
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:  # the other side is closed
            return b""
        self._unfed.append(data)
        for query, answer in ANSWERS:
            if re.search(query, data):
                os.write(self._fd, answer)
        return data

    def wait_for(self, text: str, limit_s: float = 60) -> float:
        """Seconds from exec until `text` was painted (spaces do not count: programs skip them)."""
        return self._painted(text, limit_s) - self.started

    def press_for(self, keys: str, text: str, *, limit_s: float = 2) -> float:
        """Seconds from `keys` until the screen showed `text`, for answers that come beside other news. A program may
        write only what is new on the screen: an emulator, fed after `limit_s`, says what was to be seen when."""
        self.settle(0)
        self._feed()
        pressed = time.monotonic()
        os.write(self._fd, keys.encode())
        answer: list[tuple[float, bytes]] = []
        while (left := pressed + limit_s - time.monotonic()) > 0:
            data = self.read(left)
            answer.append((time.monotonic(), data))
        self._unfed.clear()
        for at, data in answer:
            self._unfed.append(data)
            self._feed()
            if any(text in line for line in self._screen.display):
                return at - pressed
        raise GaveUp(f"{text!r} was not painted within {limit_s:g} s")

    def _feed(self) -> None:
        self._emulator.feed(_UNKNOWN.sub(b"", b"".join(self._unfed)))
        self._unfed.clear()

    def _painted(self, text: str, limit_s: float) -> float:
        wanted, end = text.replace(" ", "").encode(), time.monotonic() + limit_s
        while time.monotonic() < end:
            self._seen = (self._seen + self.read(0.05))[-400_000:]
            if wanted in _STEERING.sub(b"", self._seen).replace(b" ", b""):
                return time.monotonic()
        raise GaveUp(f"{text!r} was not painted within {limit_s:g} s")

    def settle(self, seconds: float, limit_s: float = 10) -> None:
        """Waits for `seconds` of silence."""
        end = time.monotonic() + limit_s
        while self.read(seconds) and time.monotonic() < end:
            pass

    def press(self, key: str, *, quiet_s: float = QUIET_S, limit_s: float = 1.0) -> tuple[float, int]:
        """(seconds until the last byte of the answer, how many bytes); it is over after `quiet_s` of silence."""
        pressed = last = time.monotonic()
        os.write(self._fd, key.encode())
        count = 0
        while time.monotonic() - pressed < limit_s:
            data = self.read(limit_s if not count else quiet_s)
            if not data:
                break
            last, count = time.monotonic(), count + len(data)
        return (last - pressed if count else float("nan")), count

    def hold(self, key: str, *, seconds: float, per_s: float) -> float:
        """Repeats a key like a held one; seconds from the last press to the last byte of its answer."""
        count, began = int(seconds * per_s), time.monotonic()
        for number in range(count):
            while (left := began + number / per_s - time.monotonic()) > 0:
                self.read(left)
            os.write(self._fd, key.encode())
        pressed = last = time.monotonic()
        while self.read(QUIET_S):
            last = time.monotonic()
        return last - pressed

    def idle(self, seconds: float) -> Idle:
        """Presses nothing for a while."""
        count, cpu, began = 0, self._cpu_s(), time.monotonic()
        while (left := began + seconds - time.monotonic()) > 0:
            count += len(self.read(left))
        return Idle(count / seconds, (self._cpu_s() - cpu) / seconds)

    def rss_bytes(self) -> int:
        """Resident memory of the program itself, without children."""
        lines = Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))

    def quit(self, keys: str, limit_s: float = 10) -> float:
        """Seconds from the key to the end of the process."""
        os.write(self._fd, keys.encode())
        pressed = time.monotonic()
        while time.monotonic() - pressed < limit_s:
            self.read(0.002)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._ended = status
                return time.monotonic() - pressed
        raise GaveUp(f"it did not end within {limit_s:g} s of {keys!r}")

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

"""The real program in a real pty, seen through a terminal emulator."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from types import TracebackType

import pexpect
import pyte

from tests.conftest import Home

ESC, ENTER = "\x1b", "\r"
FOREIGN = re.compile(rb"\x1b\[[<>=?]?[0-9;]*\$?[up]|\x1b\[>[0-9;]*[a-z]|\x1b[P_][^\x1b]*\x1b\\")


class Terminal:
    """A pty of `columns` × `rows` in which `vivix-tui ARGUMENTS` runs. `raw` is every byte it wrote.

    `through` is a command that runs the one appended to its last argument, a line of a shell script. `module` is what
    runs the program.
    """

    def __init__(
        self,
        home: Home,
        *arguments: str,
        columns: int = 120,
        rows: int = 36,
        through: Sequence[str] = (),
        module: str = "vivix_tui.cli.main",
    ) -> None:
        self.raw = bytearray()
        self._held = b""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        command = [sys.executable, "-m", module, *arguments]
        if through:
            command = [*through[:-1], f"{through[-1]} {shlex.join(command)}"]
        self._child = pexpect.spawn(
            command[0],
            command[1:],
            env=home.env | {"COLORTERM": "truecolor"},
            cwd=str(home.path),
            dimensions=(rows, columns),
            timeout=None,
        )
        self._child.delaybeforesend = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            sys.stderr.write(f"\n--- the screen when the test failed ---\n{self.text}\n---\n")
        if self._child.isalive():
            self._child.kill(signal.SIGKILL)
        self._child.close()

    @property
    def pid(self) -> int:
        return int(self._child.pid)

    @property
    def fd(self) -> int:
        """The terminal's end of the pty."""
        return int(self._child.child_fd)

    @property
    def text(self) -> str:
        """What a person sees now."""
        # Not pyte's `display`: it fails where a wide character was cut in half.
        rows, columns = range(self._screen.lines), range(self._screen.columns)
        return "\n".join("".join(self._screen.buffer[y][x].data for x in columns).rstrip() for y in rows).rstrip()

    @property
    def grounds(self) -> set[str]:
        """The colours behind the characters that are seen now, as six hexadecimal digits."""
        rows, columns = range(self._screen.lines), range(self._screen.columns)
        return {self._screen.buffer[y][x].bg for y in rows for x in columns}

    @property
    def cells(self) -> list[list[tuple[object, ...]]]:
        """Every character that is seen now, with its colours."""
        signs = ("data", "fg", "bg", "bold", "underscore", "reverse")
        rows, columns = range(self._screen.lines), range(self._screen.columns)
        return [[tuple(getattr(self._screen.buffer[y][x], name) for name in signs) for x in columns] for y in rows]

    def cover(self, x: int, y: int, width: int) -> None:
        """Something that is no text is over these cells now; a "#" stands for it."""
        for at in range(x, x + width):
            self._screen.buffer[y][at] = self._screen.buffer[y][at]._replace(data="#")

    def column(self, x: int) -> list[str]:
        """The colours behind the characters of one column: where a cursor lies that is drawn by its colour alone."""
        return [self._screen.buffer[y][x].bg for y in range(self._screen.lines)]

    def read(self, seconds: float = 0.05) -> None:
        """Takes in what the program wrote; returns after `seconds` of silence at most."""
        try:
            data = self._child.read_nonblocking(65536, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
        self.raw += data
        # pyte does not know pictures, nor the queries and modes of newer terminals, and would print their tails.
        data = FOREIGN.sub(b"", self._held + data)
        begun = re.search(rb"\x1b([P_][^\x1b]*\x1b?)?$", data)
        whole, self._held = (data[: begun.start()], data[begun.start() :]) if begun else (data, b"")
        self._stream.feed(whole)

    def wait_for(self, pattern: str, timeout_s: float = 20) -> str:
        """Waits until the screen shows the regular expression; returns what matched."""
        end = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < end, f"{pattern!r} did not appear within {timeout_s} s:\n{self.text}"
            assert self._child.isalive() or re.search(pattern, self.text), f"the program ended:\n{self.text}"
            self.read()
        return found.group()

    def wait_until_gone(self, pattern: str, timeout_s: float = 20) -> None:
        end = time.monotonic() + timeout_s
        while re.search(pattern, self.text):
            assert time.monotonic() < end, f"{pattern!r} did not vanish within {timeout_s} s:\n{self.text}"
            self.read()

    def press(self, *keys: str) -> None:
        for key in keys:
            os.write(self._child.child_fd, key.encode())
            self.read()

    def type(self, text: str) -> None:
        os.write(self._child.child_fd, text.encode())
        self.read()

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)

    def cells_of(self, width: int, height: int) -> None:
        """Tells how many pixels a cell has, as a terminal emulator does."""
        rows, columns = self._screen.lines, self._screen.columns
        size = struct.pack("HHHH", rows, columns, columns * width, rows * height)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def rest(self, seconds: float = 0.4) -> None:
        """Reads until nothing was written for that long."""
        size = -1
        while size != len(self.raw):
            size, end = len(self.raw), time.monotonic() + seconds
            while time.monotonic() < end:
                self.read()

    def leave(self, *keys: str) -> None:
        """Presses what quits (q), and says yes where that is asked about: once the question can be seen."""
        self.press(*(keys or ("q",)))
        end = time.monotonic() + 30
        while self._child.isalive():
            assert time.monotonic() < end, f"it does not quit:\n{self.text}"
            if re.search(r"enter esc +cancel", self.text):
                self.press("y")
                return
            self.read()

    def exit_code(self, timeout_s: float = 5) -> int:
        """Waits for the end; the exit code, or minus the signal that killed it."""
        end = time.monotonic() + timeout_s
        while self._child.isalive():
            assert time.monotonic() < end, f"it did not end within {timeout_s} s:\n{self.text}"
            self.read()
        self.read()
        status, signalled = self._child.exitstatus, self._child.signalstatus
        return int(status) if status is not None else -int(signalled)

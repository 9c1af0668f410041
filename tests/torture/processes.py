"""The program's processes as the torture starts, feeds and kills them: on pipes, or on a terminal.

Owns: processes of its own and their ends. Refuses: processes that somebody else started.
"""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Sequence
from types import TracebackType

from tests.conftest import Home

PROGRAM = (sys.executable, "-m", "vivix_tui.cli.main")


class Running:
    """`vivix-tui ARGUMENTS` in the background; what it says is kept in files, so that it never waits for a reader."""

    def __init__(
        self,
        home: Home,
        *arguments: str,
        stdin: str = "",
        screen: bool = False,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.arguments = arguments
        self._out = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed at exit
        self._err = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed at exit
        self._master: int | None = None
        slave: int | None = None
        if screen:
            self._master, slave = pty.openpty()
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
            os.set_blocking(self._master, False)
        self._process = subprocess.Popen(
            [*program, *arguments],
            env=home.env,
            cwd=home.path,
            stdin=slave if slave is not None else subprocess.PIPE,
            stdout=slave if slave is not None else self._out,
            stderr=slave if slave is not None else self._err,
            start_new_session=True,
        )
        if slave is not None:
            os.close(slave)
        elif self._process.stdin is not None:
            self._process.stdin.write(stdin.encode())
            self._process.stdin.close()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.kill()
        if self._master is not None:
            os.close(self._master)
        self._out.close()
        self._err.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        self.drain()
        return self._process.poll() is None

    def drain(self) -> None:
        """Takes in what the screen draws; a terminal that is not read stops its writer."""
        while self._master is not None:
            try:
                if not os.read(self._master, 65536):
                    return
            except OSError:
                return

    def kill(self) -> bool:
        """SIGKILL. False where it had ended by itself before."""
        if not self.alive:
            return False
        self._process.kill()
        self._process.wait()
        return True

    def terminate(self, timeout_s: float = 15) -> int:
        """SIGTERM, and the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float = 60) -> int:
        return self._process.wait(timeout_s)

    @property
    def output(self) -> list[str]:
        """The whole lines it wrote to stdout."""
        self._out.seek(0)
        return [line.rstrip("\n") for line in self._out if line.endswith("\n")]

    @property
    def errors(self) -> str:
        self._err.seek(0)
        return self._err.read()

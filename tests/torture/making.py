"""`python -m tests.torture.making ARGUMENTS`: the program, and a line for each file and folder that it makes.

MADE_LOG is the file that takes the lines: what was done, with which mode it was asked for, which mode it had the moment
after, and the path. What is listened to is the system's side of the border, and SQLite's statements, after which the
files beside a database are looked at. Owns: the listening. Refuses: our code; it runs as it is.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import io
import os
import sqlite3
from collections.abc import Callable
from typing import Any, cast

Call = Callable[..., Any]


class Listener:
    """Writes down what is made, and what gets another mode."""

    def __init__(self, log: str) -> None:
        self._write, self._stat, self._exists = os.write, os.stat, os.path.lexists
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def note(self, what: str, asked: int, path: object, *, mode: int | None = None) -> None:
        mode = self._stat(cast("str", path)).st_mode if mode is None else mode
        self._write(self._log, f"{what} {asked:o} {mode & 0o777:o} {os.fsdecode(cast('str', path))}\n".encode())

    def listen(self) -> None:
        os.open = self._opens(os.open)
        os.mkdir = self._makes(os.mkdir)
        os.chmod, os.fchmod = self._changes(os.chmod), self._changes(os.fchmod)
        # The files of the pure Python io go through `os`, so that they are listened to, too.
        builtins.open = io.open = importlib.import_module("_pyio").open
        sqlite3.connect = cast("Any", functools.partial(sqlite3.connect, factory=self._connection()))

    def _opens(self, real: Call) -> Call:
        @functools.wraps(real)
        def call(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
            new = bool(flags & os.O_CREAT) and not self._exists(path)
            descriptor: int = real(path, flags, mode, **more)
            if new:
                self.note("file", mode, path, mode=os.fstat(descriptor).st_mode)
            return descriptor

        return call

    def _makes(self, real: Call) -> Call:
        @functools.wraps(real)
        def call(path: Any, mode: int = 0o777, **more: Any) -> None:
            real(path, mode, **more)
            self.note("folder", mode, path)

        return call

    def _changes(self, real: Call) -> Call:
        @functools.wraps(real)
        def call(path: Any, mode: int, **more: Any) -> None:
            self.note("mode", mode, os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) else path)
            real(path, mode, **more)

        return call

    def _connection(self) -> type[sqlite3.Connection]:
        listener = self

        class Connection(sqlite3.Connection):
            """What SQLite makes, it makes while a statement runs."""

            def __init__(self, database: Any, *arguments: Any, **options: Any) -> None:
                super().__init__(database, *arguments, **options)
                self._seen: set[str] = set()
                named = os.fsdecode(database).removeprefix("file:").partition("?")[0]
                self._files = [named + suffix for suffix in ("", "-wal", "-shm", "-journal")]

            def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
                try:
                    return super().execute(sql, *arguments)
                finally:
                    for path in self._files:
                        if path not in self._seen and listener._exists(path):
                            self._seen.add(path)
                            listener.note("sqlite", 0o600, path)

        return Connection


def main() -> None:
    from vivix_tui.cli.main import entry

    Listener(os.environ["MADE_LOG"]).listen()
    entry()


if __name__ == "__main__":
    main()

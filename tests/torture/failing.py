"""`python -m tests.torture.failing ARGUMENTS`: the program, with one of its calls to the system failing.

FAIL_NTH is which one (0: none), FAIL_LOG the file that takes a line for each call. What fails is the system's side of
the border: files, folders, sockets, names, SQLite. The call is not made at all, and its caller gets the error that a
real machine would give. Owns: the failing. Refuses: our code; it runs as it is.
"""

from __future__ import annotations

import builtins
import errno
import functools
import importlib
import io
import os
import socket
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, cast

OS_ERRORS = {
    "open": errno.EMFILE,
    "read": errno.EIO,
    "write": errno.ENOSPC,
    "fsync": errno.EIO,
    "ftruncate": errno.EIO,
    "mkdir": errno.ENOSPC,
    "rename": errno.EIO,
    "replace": errno.EIO,
    "link": errno.EPERM,
    "unlink": errno.EIO,
}
SOCKET_ERRORS = {
    "connect": errno.ECONNREFUSED,
    "send": errno.EPIPE,
    "sendall": errno.EPIPE,
    "recv": errno.ECONNRESET,
    "recv_into": errno.ECONNRESET,
}


class Failing:
    """Counts calls, writes each down, and says which one fails."""

    def __init__(self, nth: int, log: str) -> None:
        self._nth = nth
        self._count = 0
        self._lock = threading.Lock()
        self._write = os.write
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def fails(self, name: str, detail: object = "") -> bool:
        with self._lock:
            self._count += 1
            self._write(self._log, f"{name} {str(detail)[:150]!r}\n".encode())
            return self._count == self._nth

    def wrap_os(self, name: str) -> None:
        real = getattr(os, name)

        @functools.wraps(real)
        def call(*arguments: Any, **options: Any) -> Any:
            if self.fails(name, arguments[0]):
                raise OSError(OS_ERRORS[name], os.strerror(OS_ERRORS[name]), *_path(arguments[0]))
            return real(*arguments, **options)

        setattr(os, name, call)

    def wrap_socket(self, name: str) -> None:
        real: Callable[..., Any] = getattr(socket.socket, name)

        @functools.wraps(real)
        def call(sock: socket.socket, *arguments: Any) -> Any:
            # A loop wakes itself through a pair of local sockets; those do not fail on a real machine.
            if sock.family != socket.AF_UNIX and self.fails(name):
                raise OSError(SOCKET_ERRORS[name], os.strerror(SOCKET_ERRORS[name]))
            return real(sock, *arguments)

        setattr(socket.socket, name, call)

    def wrap_names(self) -> None:
        real = socket.getaddrinfo

        def call(*arguments: Any, **options: Any) -> Any:
            if self.fails("resolve", arguments[0]):
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            return real(*arguments, **options)

        socket.getaddrinfo = call

    def wrap_sqlite(self) -> None:
        failing, real = self, sqlite3.connect

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
                if sql != "ROLLBACK" and failing.fails("sqlite", sql):
                    error = sqlite3.OperationalError("disk I/O error")
                    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
                    raise error
                return super().execute(sql, *arguments)

        sqlite3.connect = cast("Any", functools.partial(real, factory=Connection))


def _path(argument: object) -> tuple[str, ...]:
    return (os.fspath(argument),) if isinstance(argument, str | os.PathLike) else ()


def main() -> None:
    from vivix_tui.cli.main import entry

    failing = Failing(int(os.environ["FAIL_NTH"]), os.environ["FAIL_LOG"])
    # The files of the pure Python io go through `os`, so that their reads and writes are counted, too.
    builtins.open = io.open = importlib.import_module("_pyio").open
    for name in OS_ERRORS:
        failing.wrap_os(name)
    for name in SOCKET_ERRORS:
        failing.wrap_socket(name)
    failing.wrap_names()
    failing.wrap_sqlite()
    entry()


if __name__ == "__main__":
    main()

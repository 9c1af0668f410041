"""A wire between the program and an API, with a counter on it: bytes pass unchanged, answers are counted by status.

Owns: its sockets and threads. Refuses: understanding more of HTTP than where an answer begins.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections import Counter
from types import TracebackType

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LIMITS = (b"RATE_LIMITED", b"CONCURRENCY_LIMIT")


class Proxy:
    """Listens on a port of its own and passes everything on to `port`. `answers` counts statuses and 429 codes."""

    def __init__(self, port: int) -> None:
        self.answers: Counter[str] = Counter()
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            for one, other, counted in ((near, far, False), (far, near, True)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass_on, args=(one, other, counted), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if counted:
                    self._count(data)
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _count(self, data: bytes) -> None:
        with self._lock:
            self.answers.update(found.decode() for found in _STATUS.findall(data))
            self.answers.update({code.decode(): data.count(code) for code in _LIMITS if code in data})

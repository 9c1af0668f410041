"""A scripted HTTP server on a real socket: it says exactly the bytes that a test wants, or behaves badly in other ways.

Owns: sockets and threads of its own, and a ledger of every request that arrived, with its time. Refuses: our parser
and any HTTP library, so that a mistake in those cannot hide here.

A handler gets a `Request` and returns an answer: raw bytes (sent, then the connection is kept), or one of the acts
below (`silence`, `reset`, `cut`, `drip`, `later`, `endless`), or any callable that takes the `Connection`.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any

GET_GENERATION = "/api/v1/generations/*"
GENERATE = "/api/v1/generate"
CREDITS = "/api/v1/credits"
MODELS = "/api/v1/models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came: `path` is the raw target, header names in lower case, `nth` counts from 1 for this
    method and path, `connection` counts the server's connections from 1."""

    at: float
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    nth: int


class Connection:
    """One accepted connection, for acts."""

    def __init__(self, raw: socket.socket, number: int, stopping: threading.Event) -> None:
        self.socket = raw
        self.number = number
        self.over = False
        self._stopping = stopping

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def wait(self, seconds: float) -> bool:
        """False where the server is to end meanwhile."""
        return not self._stopping.wait(seconds)

    def reset(self) -> None:
        """Closes with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.hang_up()

    def hang_up(self) -> None:
        self.over = True
        self.socket.close()


Act = Callable[[Connection], None]
Answer = bytes | Act
Handler = Callable[[Request], Answer]


@dataclass(slots=True)
class _Route:
    method: str
    pattern: str
    handler: Handler


@dataclass(slots=True)
class Ledger:
    """Every request that arrived whole, in order."""

    rows: list[Request] = field(default_factory=list)

    def of(self, method: str = "*", pattern: str = "*") -> list[Request]:
        return [row for row in list(self.rows) if _matches(row, method, pattern)]


class Srv:
    """The server; a context manager. `tls` makes it speak TLS, `port` 0 takes a free one, `host` is an address of
    this machine.

    `on_connect` is called before anything is read from a connection. What a handler raises is raised again at the end.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        defaults: bool = True,
    ) -> None:
        self.ledger = Ledger()
        self.host, self.port = host, port
        self.on_connect: Act | None = None
        self.failed_handshakes = 0
        self._tls = tls
        self._routes: list[_Route] = []
        self._problems: list[Exception] = []
        self._lock = threading.Lock()
        self._seen: Counter[tuple[str, str]] = Counter()
        self._connections = 0
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        if defaults:
            self.on("GET", CREDITS, lambda _: json_reply(200, CREDITS_BODY))
            self.on("GET", MODELS, lambda _: json_reply(200, MODELS_BODY))

    def __enter__(self) -> Srv:
        self.up()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.down()
        if self._problems and value is None:
            raise self._problems[0]

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.host}:{self.port}"

    def on(self, method: str, pattern: str, answer: Handler | bytes) -> None:
        """Answers requests of this method whose path matches (`*` as in a shell). What is said last counts."""
        handler: Handler = (lambda _: answer) if isinstance(answer, bytes) else answer
        with self._lock:
            self._routes.insert(0, _Route(method, pattern, handler))

    def calls(self, method: str = "*", pattern: str = "*") -> list[Request]:
        """The requests so far, in order."""
        with self._lock:
            return self.ledger.of(method, pattern)

    def count(self, method: str = "*", pattern: str = "*") -> int:
        return len(self.calls(method, pattern))

    def up(self) -> None:
        """Listens (again, on the same port)."""
        self._stopping = threading.Event()
        self.listen()

    def listen(self) -> None:
        """Takes connections again after `refuse`."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.host, self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._start(self._accept, listener, self._stopping)

    def refuse(self) -> None:
        """Closes the port alone: new connections are refused, what is under way goes on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def down(self) -> None:
        """Closes the port and all connections; what comes then is refused."""
        self._stopping.set()
        self.refuse()
        with self._lock:
            for raw in self._open:
                with contextlib.suppress(OSError):
                    raw.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(5)
            assert not thread.is_alive(), "a thread of the scripted server does not end"
        self._threads.clear()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="srv", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket, stopping: threading.Event) -> None:
        while not stopping.is_set():
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._connections += 1
                number = self._connections
                self._open.add(raw)
                if stopping.is_set():
                    raw.close()
            self._start(self._serve, raw, number, stopping)

    def _serve(self, raw: socket.socket, number: int, stopping: threading.Event) -> None:
        connection = Connection(raw, number, stopping)
        try:
            if self._tls is not None:
                try:
                    connection.socket = self._tls.wrap_socket(raw, server_side=True)
                except OSError:
                    self.failed_handshakes += 1
                    return
            if self.on_connect is not None:
                self.on_connect(connection)
            while not connection.over and not stopping.is_set():
                if not self._serve_one(connection):
                    return
        except OSError:
            pass  # the other side hung up, or this one did
        except Exception as problem:  # noqa: BLE001 - raised again where the test can see it
            self._problems.append(problem)
        finally:
            with self._lock:
                self._open.discard(raw)
            connection.socket.close()
            raw.close()

    def _serve_one(self, connection: Connection) -> bool:
        request = self._read(connection)
        if request is None:
            return False
        with self._lock:
            handler = next((r.handler for r in self._routes if _matches(request, r.method, r.pattern)), None)
        answer = handler(request) if handler is not None else error_reply(404, "NOT_FOUND")
        if isinstance(answer, bytes):
            connection.send(answer)
        else:
            answer(connection)
        return True

    def _read(self, connection: Connection) -> Request | None:
        data = b""
        while b"\r\n\r\n" not in data:
            block = connection.socket.recv(65536)
            if not block:
                return None
            data += block
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(body) < length:
            block = connection.socket.recv(65536)
            if not block:
                return None
            body += block
        with self._lock:
            self._seen[method, path] += 1
            request = Request(
                at=time.monotonic(),
                method=method,
                path=path,
                headers=headers,
                body=body,
                connection=connection.number,
                nth=self._seen[method, path],
            )
            self.ledger.rows.append(request)
        return request


def _matches(request: Request, method: str, pattern: str) -> bool:
    return fnmatchcase(request.method, method) and fnmatchcase(request.path, pattern)


# ---------------------------------------------------------------------------------------------------------- replies


def reply(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, *, reason: str = "X") -> bytes:
    """A whole HTTP/1.1 answer with a Content-Length (unless `headers` tell one, or a transfer encoding)."""
    told = {name.lower(): value for name, value in (headers or {}).items()}
    if "content-length" not in told and "transfer-encoding" not in told and status not in (204, 304):
        told["content-length"] = str(len(body))
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def json_reply(status: int, value: object, headers: Mapping[str, str] | None = None) -> bytes:
    """`value` as JSON; the headers that every answer of the API carries may be given."""
    told = {"content-type": "application/json", "x-request-id": "req_1"} | {
        name.lower(): text for name, text in (headers or {}).items()
    }
    return reply(status, json.dumps(value).encode(), told)


def error_reply(
    status: int,
    code: str,
    message: str = "No.",
    next_step: str = "Do this.",
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> bytes:
    """The API's own error body."""
    body = {"error": code, "message": message, "next": next_step, "request_id": "req_err"} | more
    return json_reply(status, body, headers)


def html_reply(status: int, *, size: int = 20_000, headers: Mapping[str, str] | None = None) -> bytes:
    """A gateway's page."""
    page = b"<!DOCTYPE html><html><body>FUNCTION_INVOCATION_TIMEOUT " + b"x" * size + b"</body></html>"
    told = {"content-type": "text/html; charset=utf-8", "x-vercel-error": "FUNCTION_INVOCATION_TIMEOUT"}
    return reply(status, page, told | dict(headers or {}))


def image_reply(data: bytes, *, etag: str | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """A file of an output host."""
    told = {"content-type": "image/png"} | ({"etag": etag} if etag else {})
    return reply(200, data, told | dict(headers or {}))


def range_reply(request: Request, data: bytes, *, etag: str | None = None) -> bytes:
    """As a server that honours `Range` and `If-Range` would answer."""
    span, condition = request.headers.get("range"), request.headers.get("if-range")
    if span is None or (condition is not None and condition != etag):
        return image_reply(data, etag=etag)
    first = int(span.removeprefix("bytes=").partition("-")[0])
    told = {"content-type": "image/png"} | ({"etag": etag} if etag else {})
    if first >= len(data):
        return reply(416, b"", told | {"content-range": f"bytes */{len(data)}"})
    return reply(206, data[first:], told | {"content-range": f"bytes {first}-{len(data) - 1}/{len(data)}"})


def chunked(*blocks: bytes, end: bool = True) -> bytes:
    """A body in the chunked transfer encoding; without `end` it is cut."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(block), block) for block in blocks)
    return body + b"0\r\n\r\n" if end else body


# ------------------------------------------------------------------------------------------------------------- acts


def silence(connection: Connection) -> None:
    """Never a byte, until the server ends."""
    connection.wait(600)


def reset(first: bytes = b"", *, pause_s: float = 0.05) -> Act:
    """Sends `first`, gives it time to arrive, then RST."""

    def act(connection: Connection) -> None:
        if first:
            connection.send(first)
            connection.wait(pause_s)
        connection.reset()

    return act


def cut(first: bytes) -> Act:
    """Sends `first`, then FIN."""

    def act(connection: Connection) -> None:
        connection.send(first)
        connection.hang_up()

    return act


def drip(first: bytes, slow: bytes, *, step: int = 1, pause_s: float = 0.1) -> Act:
    """Sends `first` at once and `slow` in steps with pauses, for ever if it begins anew at its end."""

    def act(connection: Connection) -> None:
        connection.send(first)
        at = 0
        while connection.wait(pause_s):
            connection.send(slow[at : at + step])
            at = (at + step) % len(slow)

    return act


def stall(first: bytes) -> Act:
    """Sends `first`, then nothing more."""

    def act(connection: Connection) -> None:
        connection.send(first)
        connection.wait(600)

    return act


def later(seconds: float, answer: bytes) -> Act:
    """Thinks before it answers."""

    def act(connection: Connection) -> None:
        if connection.wait(seconds):
            connection.send(answer)

    return act


def endless(first: bytes, block: bytes) -> Act:
    """Sends `block` again and again as fast as it is taken."""

    def act(connection: Connection) -> None:
        connection.send(first)
        while connection.wait(0):
            connection.send(block)

    return act


# ------------------------------------------------------------------------------------------------------------- facts

CREDITS_BODY: dict[str, Any] = {
    "balance": 49711,
    "tier": "pro",
    "cycle_resets_at": "2026-12-01T00:00:00Z",
    # So much of both that no test waits for it.
    "rate_limit": {"calls_per_minute": 60_000, "concurrent_jobs": 200},
    "spent_this_cycle": 289,
    "granted_this_cycle": 50_000,
}
MODELS_BODY: dict[str, Any] = {
    "tier": "pro",
    "credits_balance": 49711,
    "rate_limit": {"calls_per_minute": 60_000, "concurrent_jobs": 200},
    "models": [
        {
            "slug": "grok-imagine-image-quality",
            "name": "Grok Imagine",
            "category": "image",
            "params": {"prompt": {"type": "string", "required": True, "max_length": 2000}},
            "credits_band": {"min": 80, "max": 211},
        }
    ],
}


def generation(generation_id: str, status: str = "pending", **more: object) -> dict[str, Any]:
    """A documented answer of the status endpoint."""
    value: dict[str, Any] = {
        "generation_id": generation_id,
        "status": status,
        "model": "grok-imagine-image-quality",
        "created_at": "2026-05-10T12:34:56Z",
    }
    if status in ("pending", "processing"):
        value |= {"credits_estimate": 120, "elapsed_ms": 900}
    elif status == "completed":
        value |= {"credits_used": 118, "duration_ms": 12_000, "completed_at": "2026-05-10T12:35:08Z"}
    elif status == "failed":
        value |= {"error": "PROVIDER_ERROR", "message": "It broke.", "credits_used": 0}
    return value | more


def id_of(request: Request) -> str:
    """The (still encoded) id that a status request asks about."""
    return request.path.rpartition("/")[2]


def png(size: int = 2_000, seed: int = 0) -> bytes:
    """Bytes that begin and end as a PNG does; two seeds make two versions."""
    head, end = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"\x00\x00\x00\x00IEND\xaeB`\x82"
    block = b"".join(zlib.crc32(b"%d %d" % (seed, i)).to_bytes(4, "big") for i in range(1024))
    filling = size - len(head) - len(end)
    return head + (block * (filling // len(block) + 1))[:filling] + end


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(**options: Any) -> Iterator[Srv]:
    """For tests that want a second one."""
    with Srv(**options) as server:
        yield server

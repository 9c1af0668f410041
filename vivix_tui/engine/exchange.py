"""One GET over a socket of our own: the connection, the answer's head, its body into a buffer.

Owns: connecting to addresses that were checked, TLS for the host's name, the environment's proxy, and turning every
way in which a connection ends badly into `Failed`. Refuses: redirects, ranges and files (`fetch`); the API's key and
cookies never come near.

The calls block and belong into a thread; from the standard library, since a file is large and its bytes need no other
treatment than to be put down: a socket that fills one buffer again and again costs a third of what httpx takes.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import SplitResult, unquote, urlsplit

from msgspec import Struct

from vivix_tui.domain.text import one_line

CONNECT_TIMEOUT_S = 15.0
GATHER_S = 0.25


class Failed(Exception):
    """This attempt brought no file.

    `final`: another one would not either; `dead_link`: a fresh URL may help; `unreachable`: there was no connection;
    `after_s`: the host wants to be left alone for so long.
    """

    def __init__(
        self,
        text: str,
        *,
        final: bool = False,
        dead_link: bool = False,
        unreachable: bool = False,
        after_s: float = 0.0,
    ) -> None:
        super().__init__(text)
        self.final = final
        self.dead_link = dead_link
        self.unreachable = unreachable
        self.after_s = after_s


class Head(Struct, frozen=True):
    """Status and headers of an answer; names in lower case."""

    status: int
    headers: Mapping[str, str]


class Exchange:
    """One request and its answer. `abort` may be called from any thread, everything else from one."""

    def __init__(self, tls: ssl.SSLContext, *, stall_s: float) -> None:
        self._tls = tls
        self._stall_s = stall_s
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._response: http.client.HTTPResponse | None = None
        self._chunked = False
        self._left: int | None = None
        self._behind_head = True
        self._broken: Failed | None = None
        self._aborted = False

    def open(self, url: str, headers: Mapping[str, str], *, addresses: Sequence[str], proxy: str | None) -> Head:
        """Sends the request to the first of `addresses` that takes it. Raises Failed."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        with self._mapped():
            raw = self._through(proxy, host, port) if proxy else self._direct(addresses, port)
            raw.settimeout(self._stall_s)
            connected = self._tls.wrap_socket(raw, server_hostname=host) if secure else raw
            self._keep(connected)
            connection = http.client.HTTPConnection(host, port)
            connection.sock = connected
            connection.request("GET", _target(parts), headers={"Host": parts.netloc, "Connection": "close", **headers})
            response = connection.getresponse()
        self._response, self._chunked, self._left = response, response.chunked, response.length
        if not secure and not response.chunked:
            _gather(raw)
        return Head(response.status, {name.lower(): value for name, value in reversed(response.getheaders())})

    def fill(self, buffer: memoryview) -> int:
        """Fills `buffer`, or as much as comes within GATHER_S; waits for the first byte. 0 at the end of the body,
        or of the connection where it has no length. Raises Failed, after what came before it was handed out."""
        if self._broken is not None:
            raise self._broken
        filled, end = 0, time.monotonic() + GATHER_S
        if self._left is not None:
            buffer = buffer[: self._left]
        try:
            with self._mapped():
                while filled < len(buffer) and (count := self._some(buffer[filled:])):
                    filled += count
                    if time.monotonic() > end:
                        break
        except Failed as failure:
            if not filled:
                raise
            self._broken = failure
        if self._left is not None:
            self._left -= filled
        return filled

    def _some(self, buffer: memoryview) -> int:
        """What came together with the head lies in the response; all else goes from the socket into `buffer`."""
        response, connected = self._response, self._socket
        if response is None or response.fp is None or connected is None:
            return 0
        if self._chunked:
            block = response.read1(len(buffer))
            buffer[: len(block)] = block
            return len(block)
        if self._behind_head and (waiting := len(response.fp.peek(1))):
            count = response.fp.readinto1(buffer[:waiting])
            self._behind_head = count < waiting
            return count
        return connected.recv_into(buffer) if isinstance(connected, ssl.SSLSocket) else self._many(connected, buffer)

    def _many(self, connected: socket.socket, buffer: memoryview) -> int:
        """What comes within GATHER_S, as the kernel gathers it (see `_gather`); waits for the first byte."""
        end = time.monotonic() + self._stall_s
        while True:
            try:
                return connected.recv_into(buffer, 0, socket.MSG_WAITALL)
            except BlockingIOError:
                if time.monotonic() > end:
                    raise TimeoutError("timed out") from None

    def abort(self) -> None:
        """Ends whatever the other thread waits for."""
        with self._lock:
            self._aborted = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # not TLS's own, which the reader is using

    def close(self) -> None:
        """Lets the connection go; for the thread that used it, or when that has ended."""
        if self._response is not None:
            self._response.close()
        with self._lock:
            found, self._socket = self._socket, None
        if found is not None:
            found.close()

    def _direct(self, addresses: Sequence[str], port: int) -> socket.socket:
        last: OSError | None = None
        for address in addresses:
            try:
                raw = socket.create_connection((address, port), CONNECT_TIMEOUT_S)
            except OSError as error:
                last = error
                continue
            return self._keep(raw)
        raise last or OSError("the host has no address")

    def _through(self, proxy: str, host: str, port: int) -> socket.socket:
        parts = urlsplit(proxy)
        tunnel = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=CONNECT_TIMEOUT_S)
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
        headers = {"Proxy-Authorization": f"Basic {b64encode(login).decode()}"} if parts.username else {}
        tunnel.set_tunnel(host, port, headers)
        tunnel.connect()
        raw: socket.socket = tunnel.sock
        return self._keep(raw)

    def _keep(self, opened: socket.socket) -> socket.socket:
        """Remembers what `abort` has to end; one that came before the socket did ends it now."""
        with self._lock:
            self._socket = opened
            if self._aborted:
                opened.close()
                raise Failed("given up")
        return opened

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            if self._socket is None:
                raise Failed(f"no connection within {CONNECT_TIMEOUT_S:g} s", unreachable=True) from None
            raise Failed(f"stalled for {self._stall_s:g} s: {one_line(str(error), 120)}") from None
        except ssl.SSLCertVerificationError as error:
            raise Failed(f"its certificate is not trusted: {one_line(error.verify_message, 120)}", final=True) from None
        except (OSError, http.client.HTTPException) as error:
            words = one_line(str(error), 120) or type(error).__name__
            if self._socket is None:
                raise Failed(f"no connection: {words}", unreachable=True) from None
            raise Failed(f"the connection broke: {words}") from None


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _gather(raw: socket.socket) -> None:
    """From now on a read may wait until its buffer is full, at most GATHER_S: waking up for each packet costs as much
    as the packet. Python's own timeouts know no such wait."""
    raw.setblocking(True)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, int(GATHER_S * 1e6)))

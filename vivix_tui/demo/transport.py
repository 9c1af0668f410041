"""The seam to uvicorn: a server that stops when told, a protocol that shows its connection.

Owns what has to be bent in uvicorn, and nothing else. Refuses to touch signals: the program that starts the server
decides what ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_SCOPE_KEY = "vivix_demo.transport"


class OpenProtocol(H11Protocol):
    """HTTP/1.1 that puts its transport into the scope, so that a fault can cut or reset the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called by asyncio for each connection."""
        super().connection_made(transport)
        app: Any = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope[_SCOPE_KEY] = transport
            await app(scope, receive, send)

        self.app = with_transport


def transport_of(scope: Scope) -> asyncio.Transport:
    """The connection a request came by."""
    transport = scope[_SCOPE_KEY]
    assert isinstance(transport, asyncio.Transport)  # noqa: S101 - put there above, for every request
    return transport


class Server(uvicorn.Server):
    """Leaves signals to its owner and does not wait for anybody when it stops."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn would raise the signal again after it stopped, and the exit code would not be 0."""
        yield

    def stop(self) -> None:
        """Ends within a moment, open requests or not. To be called on the loop."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # cancelled requests are no news now
        self.should_exit = True
        self.force_exit = True


def server_for(app: ASGIApp) -> Server:
    """A quiet server: errors of the application go to stderr, nothing else is logged."""
    return Server(
        uvicorn.Config(
            app,
            http=OpenProtocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=0,
        )
    )


def listen(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1; port 0 takes a free one. Raises OSError when the port is taken."""
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it every answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(256)
    except OSError:
        listener.close()
        raise
    return listener

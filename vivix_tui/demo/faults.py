"""Bad weather: an ASGI layer that makes about 12 of 100 calls go wrong, in ways a client meets in the wild.

Owns the dice, the broken answers and their honesty: a fault on POST comes before the job is accepted, except "accepted,
answer lost", which happens to about 3 of 100 POSTs and never to two within 20. Refuses to know what a call means. Which
call is hit depends on the seed and on how many calls of its kind came before.
"""

from __future__ import annotations

import math
import socket
import struct
import time
from asyncio import Transport, sleep
from collections import Counter
from collections.abc import Mapping

from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import refusals
from .dice import Dice
from .refusals import Refusal
from .server import refusal_response
from .transport import transport_of

_SLOW_REPLY_S = 3.0
_POSTS_BETWEEN_LOST_ANSWERS = 20

# Of 1,000 calls of each kind; the rest goes through.
WEATHER: Mapping[str, Mapping[str, int]] = {
    "read": {"burst": 10, "500": 25, "502": 15, "504": 15, "slow": 25, "cut": 15, "reset": 15},
    "post": {"burst": 10, "500": 15, "503": 10, "502": 10, "504": 15, "slow": 20, "reset": 10, "lost": 30},
    "output": {"cut": 100, "502": 10, "reset": 10},
}


def forecast(seed: int, kind: str, number: int) -> str | None:
    """What goes wrong with the n-th call (from 1) of a kind: a key of `WEATHER[kind]`, or None."""
    thrown = Dice(seed, "fault", kind, number).below(1000)
    for fault, share in WEATHER[kind].items():
        thrown -= share
        if thrown < 0:
            return fault
    return None


class Storm:
    """The layer. Everything it breaks, it breaks on purpose."""

    def __init__(self, app: ASGIApp, seed: int) -> None:
        self._app = app
        self._seed = seed
        self._calls: Counter[str] = Counter()
        self._burst_until = 0.0
        self._last_lost = -_POSTS_BETWEEN_LOST_ANSWERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind = "output" if scope["path"].startswith("/outputs/") else "read"
        if scope["method"] == "POST":
            kind = "post"
        self._calls[kind] += 1
        number = self._calls[kind]
        dice = Dice(self._seed, "storm", kind, number)
        fault = self._rare(forecast(self._seed, kind, number), number)
        if fault == "burst":
            self._burst_until = max(self._burst_until, time.monotonic() + 2 + dice.below(4))
        calm_in_s = self._burst_until - time.monotonic()
        if kind != "output" and calm_in_s > 0:
            await self._refuse(refusals.rate_limited(math.ceil(calm_in_s)), dice, scope, receive, send)
        else:
            await self._strike(fault, dice, scope, receive, send)

    def _rare(self, fault: str | None, number: int) -> str | None:
        """A lost answer too soon after the last one becomes a gateway page, sent before anything is accepted."""
        if fault == "lost":
            if number - self._last_lost < _POSTS_BETWEEN_LOST_ANSWERS:
                return "504"
            self._last_lost = number
        return fault

    async def _strike(self, fault: str | None, dice: Dice, scope: Scope, receive: Receive, send: Send) -> None:
        if fault is None:
            await self._app(scope, receive, send)
        elif fault == "slow":
            await sleep(_SLOW_REPLY_S)
            await self._app(scope, receive, send)
        elif fault == "500":
            await self._refuse(refusals.internal_error(), dice, scope, receive, send)
        elif fault == "503":
            await self._refuse(refusals.provider_down(), dice, scope, receive, send)
        elif fault in ("502", "504"):
            await _drain(receive)
            await gateway_page(int(fault), dice)(scope, receive, send)
        elif fault == "reset":
            await _drain(receive)
            await _reset(scope, receive)
        elif fault == "lost":
            await self._lose(dice, scope, receive, send)
        else:
            await self._cut(dice, scope, receive, send)

    async def _refuse(self, refusal: Refusal, dice: Dice, scope: Scope, receive: Receive, send: Send) -> None:
        await _drain(receive)
        await refusal_response(refusal, f"req_{dice.token()}")(scope, receive, send)

    async def _lose(self, dice: Dice, scope: Scope, receive: Receive, send: Send) -> None:
        async def swallow(_message: Message) -> None:
            return

        await self._app(scope, receive, swallow)
        if dice.below(2):
            await gateway_page(504, dice)(scope, receive, send)
        else:
            await _reset(scope, receive)

    async def _cut(self, dice: Dice, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the head and part of the body, then hangs up: Content-Length promised more."""
        share = dice.between(0.2, 0.8)
        left = 0

        async def measured(message: Message) -> None:
            nonlocal left
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                left = max(1, int(int(headers.get(b"content-length", b"0")) * share))
                await send(message)
            elif left > 0:
                body = message.get("body", b"")[:left]
                left -= len(body)
                if body:
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                if left <= 0 or not message.get("more_body", False):
                    await _hang_up(scope)

        await self._app(scope, receive, measured)
        await _wait_for_disconnect(receive)


def gateway_page(status: int, dice: Dice) -> Response:
    """The platform's own error page: 20 KB of HTML, as it comes when the function does not answer."""
    code = {502: "BAD_GATEWAY", 504: "FUNCTION_INVOCATION_TIMEOUT"}[status]
    title = {502: "Bad Gateway", 504: "Gateway Timeout"}[status]
    trace = f"fra1::{dice.token()}"
    style = "".join(f".x{number:04d}{{color:#eee;margin:0;padding:0}}\n" for number in range(570))
    html = (
        f"<!doctype html><html><head><title>{status}: {title}</title><style>\n{style}</style></head><body>"
        f"<h1>{status}: {title}</h1><p>Code: <code>{code}</code></p><p>ID: <code>{trace}</code></p></body></html>"
    )
    return HTMLResponse(html, status, {"x-vercel-error": code, "x-vercel-id": trace})


async def _drain(receive: Receive) -> None:
    """Reads the request: the client must have sent it all before it hears that it failed."""
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return


async def _wait_for_disconnect(receive: Receive) -> None:
    # The server would log an unfinished answer as a bug of ours; once the connection is gone it does not.
    while (await receive())["type"] != "http.disconnect":
        pass


async def _hang_up(scope: Scope) -> None:
    transport_of(scope).close()
    await sleep(0)


async def _reset(scope: Scope, receive: Receive) -> None:
    transport: Transport = transport_of(scope)
    peer = transport.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close means RST
    transport.abort()
    await _wait_for_disconnect(receive)

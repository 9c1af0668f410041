"""The four endpoints, one method each.

Owns: deadlines, the cap on bodies, and the mapping of everything that httpx, TLS and the gateway can do into
`errors.Unreachable`, `BadReply` and `Refusal`. Refuses: repeating a call; retrying is the engine's decision.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx
from msgspec import Struct

from vivix_tui import __version__
from vivix_tui.api import wire
from vivix_tui.api.connect import transport_for, usable_url
from vivix_tui.api.gate import Gate
from vivix_tui.domain.account import Account, Model
from vivix_tui.domain.budget import Budget
from vivix_tui.domain.generation import Answer
from vivix_tui.domain.submission import Accepted
from vivix_tui.domain.text import one_line
from vivix_tui.errors import BadReply, Unreachable

MAX_BODY_BYTES = 8 * 1024 * 1024
CONNECT_TIMEOUT_S = 10.0
HIDDEN_KEY = "[key]"
HEADERS = {
    "User-Agent": f"vivix-tui/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}
_FIRST_BYTE = "send_request_headers.started"

T = TypeVar("T")


class Reply(Struct, Generic[T], frozen=True):
    """A usable answer: the value, and what its headers told of the balance (credits) and the calls that are left in
    this minute, None where they did not."""

    value: T
    balance: int | None
    remaining: int | None


class Client:
    """One account's way to the API. `timeout_s` is for a whole call, body included.

    Raises ConfigError where the surroundings (proxy, certificates) make a connection impossible. Every method raises
    ApiError: Unreachable, BadReply or Refusal, and nothing else.
    """

    def __init__(self, base_url: str, budget: Budget, *, timeout_s: float) -> None:
        self._base = f"{base_url}/api/v1"
        self._timeout_s = timeout_s
        # At each call httpx looks at every connection that it keeps: a burst must not leave many behind.
        many = httpx.Limits(max_connections=16, max_keepalive_connections=3, keepalive_expiry=30)
        fresh = httpx.Limits(max_connections=4, max_keepalive_connections=0)
        origin = usable_url(base_url)
        self.gate = Gate(transport_for(base_url, many), transport_for(base_url, fresh), origin, budget)
        self._timeouts = {"timeout": httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)).as_dict()}

    async def close(self) -> None:
        await self.gate.aclose()

    async def generate(self, body: str) -> Reply[Accepted]:
        """POST /generate with exactly these characters (UTF-8)."""
        url = f"{self._base}/generate"
        return await self._call("POST", url, lambda v, rid: wire.accepted(v, request_id=rid), body.encode())

    async def generation(self, generation_id: str) -> Reply[Answer]:
        """GET /generations/{id}."""
        url = f"{self._base}/generations/{path_segment(generation_id)}"
        return await self._get(url, lambda v, rid: wire.answer(v, generation_id, request_id=rid))

    async def credits(self) -> Reply[Account]:
        """GET /credits."""
        return await self._get(f"{self._base}/credits", lambda v, _: wire.account(v))

    async def models(self) -> Reply[tuple[Account, dict[str, Model]]]:
        """GET /models: the account's limits and the catalogue."""
        return await self._get(f"{self._base}/models", lambda v, rid: (wire.account(v), wire.models(v, request_id=rid)))

    async def _get(self, url: str, read: Callable[[dict[str, Any], str | None], T]) -> Reply[T]:
        return await self._call("GET", url, read, None)

    async def _call(
        self, method: str, url: str, read: Callable[[dict[str, Any], str | None], T], body: bytes | None
    ) -> Reply[T]:
        sent, request = False, None

        async def watch(event: str, told: dict[str, Any]) -> None:
            nonlocal sent
            # What asks a proxy for a tunnel is not our request yet.
            opens_tunnel = getattr(told.get("request"), "method", None) == b"CONNECT"
            sent = sent or (event.endswith(_FIRST_BYTE) and not opens_tunnel)

        try:
            async with asyncio.timeout(self._timeout_s):
                headers = HEADERS if body is None else HEADERS | {"Content-Type": "application/json"}
                extensions = {"trace": watch} | self._timeouts
                request = httpx.Request(method, url, headers=headers, content=body, extensions=extensions)
                # Not by an httpx client: its redirects, cookies and logins are not wanted, and are a third of the work.
                response = await self.gate.handle_async_request(request)
                response.headers = _without_key(response.headers, _key_of(request))
                try:
                    data = await _bounded_body(response)
                    data = data.replace(_key_of(request).encode(), HIDDEN_KEY.encode())
                finally:
                    await response.aclose()
        except TimeoutError:
            raise Unreachable(f"no complete answer within {self._timeout_s:g} s", sent=sent) from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError, OverflowError) as error:
            what = "the connection broke" if sent else "no connection"
            raise Unreachable(f"{what}: {_reason(error, _key_of(request))}", sent=sent) from None
        return self._judged(response, data, read)

    def _judged(
        self, response: httpx.Response, data: bytes, read: Callable[[dict[str, Any], str | None], T]
    ) -> Reply[T]:
        status, request_id = response.status_code, wire.text(response.headers.get("x-request-id"))
        if response.is_success and status != 204:
            value = wire.read_object(data, status=status, request_id=request_id)
            told = response.headers
            return Reply(
                read(value, request_id),
                balance=wire.credits_amount(told.get("x-credits-balance")),
                remaining=wire.remaining_calls(told.get("x-ratelimit-remaining")),
            )
        if status < 400 or not 400 <= status < 600:
            raise BadReply(f"an answer with status {status} is not documented", status=status, request_id=request_id)
        try:
            value = wire.read_object(data, status=status, request_id=request_id)
        except BadReply:
            if status != 429:
                raise
            value = {"error": "RATE_LIMITED"}
        refusal = wire.refusal(value, status=status, headers=response.headers)
        if status == 429 and refusal.code != "CONCURRENCY_LIMIT":
            # Noted before anyone else runs, so that no other call slips out. A lack of slots stops the submitter alone.
            self.gate.rate_limited(refusal.retry_after_s)
        raise refusal


def path_segment(generation_id: str) -> str:
    """`generation_id` as one segment of a path: nothing in it can leave the segment, dots alone included."""
    segment = quote(generation_id, safe="")
    return segment.replace(".", "%2E") if not segment.strip(".") else segment


async def _bounded_body(response: httpx.Response) -> bytes:
    """The decoded body, at most MAX_BODY_BYTES. Raises BadReply beyond that or for an encoding nobody asked for."""
    request_id = wire.text(response.headers.get("x-request-id"))
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "deflate"):
        raise BadReply(f"the answer is encoded as {one_line(encoding, 20)}", status=response.status_code)
    decoder = zlib.decompressobj(wbits=47) if encoding in ("gzip", "deflate") else None
    data = bytearray()
    async for chunk in response.aiter_raw():
        try:
            data += decoder.decompress(chunk, MAX_BODY_BYTES + 1) if decoder else chunk
        except zlib.error:
            raise BadReply("the answer is cut or garbled", status=response.status_code, request_id=request_id) from None
        if len(data) > MAX_BODY_BYTES:
            raise BadReply("the answer is endless", status=response.status_code, request_id=request_id)
    return bytes(data)


def _reason(error: Exception, key: str) -> str:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    words = str(error) if cause is None else f"its certificate is not trusted: {cause.verify_message}"
    return one_line(words.replace(key, HIDDEN_KEY), 120) or type(error).__name__


def _key_of(request: httpx.Request | None) -> str:
    """The key that the gate sent along. Some servers repeat it in their complaints, where it would come to be shown,
    stored and, as a part of an output URL, sent to others; so it is taken out of all that comes back."""
    sent = request.headers.get("authorization", "").removeprefix("Bearer ") if request is not None else ""
    return sent or HIDDEN_KEY


def _without_key(headers: httpx.Headers, key: str) -> httpx.Headers:
    if not any(key in value for value in headers.values()):
        return headers
    return httpx.Headers([(name, value.replace(key, HIDDEN_KEY)) for name, value in headers.multi_items()])

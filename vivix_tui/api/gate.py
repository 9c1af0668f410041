"""The one gate that every call to the API passes.

Owns: waiting for a turn within the account's budget, Retry-After for all paths, the header that carries the key, and
that it goes to the API's own origin alone. Refuses: knowing what a call is about.
"""

from __future__ import annotations

import asyncio
import random
import time

import httpx

from vivix_tui.domain.budget import Budget
from vivix_tui.keys import ApiKey

TURN_STEP_S = 0.05
KEY_STEP_S = 0.5


class Gate(httpx.AsyncBaseTransport):
    """Wraps the real transports of one account: `kept` reuses connections, `fresh` never does.

    A kept connection may die while a POST leaves on it, and then nobody can tell whether it arrived; so each POST
    goes out on a fresh one. `key` is None while there is none, or while it is rejected.
    """

    def __init__(
        self,
        kept: httpx.AsyncBaseTransport,
        fresh: httpx.AsyncBaseTransport,
        origin: httpx.URL,
        budget: Budget,
    ) -> None:
        self.budget = budget
        self.key: ApiKey | None = None
        self._kept, self._fresh = kept, fresh
        self._origin = _origin(origin)

    def claim(self, *, urgent: bool = False) -> bool:
        """Takes the right to one call if there is one now; whoever got it calls, then says `release`."""
        now = time.monotonic()
        if self.key is None or not self.budget.may_call(now, urgent=urgent):
            return False
        self.budget.called(now)
        return True

    async def turn(self, *, urgent: bool = False) -> None:
        """Waits for the right to one call and takes it."""
        while not self.claim(urgent=urgent):
            await asyncio.sleep(KEY_STEP_S if self.key is None else TURN_STEP_S)

    def release(self) -> None:
        """The call is over, in whatever way."""
        self.budget.ended()

    @property
    def is_open(self) -> bool:
        """Whether calls may go at all: there is a key, and no pause."""
        return self.key is not None and time.monotonic() >= self.budget.closed_until

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if _origin(request.url) != self._origin:
            raise httpx.UnsupportedProtocol("the key goes to the API's own address alone")
        if self.key is None or not self.is_open:
            raise httpx.ConnectError("calls are paused")
        request.headers["Authorization"] = f"Bearer {self.key.reveal()}"
        inner = self._kept if request.method == "GET" else self._fresh
        return await inner.handle_async_request(request)

    def rate_limited(self, wait_s: float | None) -> None:
        """Nobody calls before `wait_s` (None: unknown) is over."""
        self.budget.limited(time.monotonic(), wait_s, random.random())  # noqa: S311

    async def aclose(self) -> None:
        await self._kept.aclose()
        await self._fresh.aclose()


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    # The raw host: decoding a hostile international name can fail.
    port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    return url.scheme, url.raw_host.lower(), port

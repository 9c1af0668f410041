"""The one gate that every call to the API passes.

Owns: waiting for a turn within the account's budget, Retry-After for all paths, the header that carries the key, and
that it goes to the API's own origin alone. Refuses: knowing what a call is about.
"""

from __future__ import annotations

import asyncio
import random
import time

import httpx

from vivix_tui.api import wire
from vivix_tui.domain.budget import Budget
from vivix_tui.keys import ApiKey

TURN_STEP_S = 0.05


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

    def may_call(self, *, urgent: bool = False) -> bool:
        """Whether a call may start at this moment."""
        return self.key is not None and self.budget.may_call(time.monotonic(), urgent=urgent)

    async def turn(self, *, urgent: bool = False) -> None:
        """Waits until a call may start; the caller must start it without awaiting anything else."""
        while not self.may_call(urgent=urgent):
            await asyncio.sleep(TURN_STEP_S)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        now = time.monotonic()
        if _origin(request.url) != self._origin:
            raise httpx.UnsupportedProtocol("the key goes to the API's own address alone")
        if self.key is None or now < self.budget.closed_until:
            raise httpx.ConnectError("calls are paused")
        request.headers["Authorization"] = f"Bearer {self.key.reveal()}"
        self.budget.called(now)
        try:
            inner = self._kept if request.method == "GET" else self._fresh
            response = await inner.handle_async_request(request)
        finally:
            self.budget.ended()
        if response.is_success:
            self.budget.answered(time.monotonic(), wire.remaining_calls(response.headers.get("x-ratelimit-remaining")))
        return response

    def rate_limited(self, wait_s: float | None) -> None:
        """Nobody calls before `wait_s` (None: unknown) is over."""
        self.budget.limited(time.monotonic(), wait_s, random.random())  # noqa: S311

    async def aclose(self) -> None:
        await self._kept.aclose()
        await self._fresh.aclose()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    return url.scheme, url.host.lower(), port

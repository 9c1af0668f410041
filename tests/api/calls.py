"""What the tests of the client share: one call over a real socket, and its outcome as a value."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.conftest import KEY
from tests.srv import Answer, Handler, Srv
from vivix_tui.api.client import Client
from vivix_tui.domain.budget import Budget
from vivix_tui.errors import ApiError
from vivix_tui.keys import ApiKey

BODY = '{"model": "m", "prompt": "a 🦊", "cfg": 0.1}'
FOUR: dict[str, Callable[[Client], Awaitable[Any]]] = {
    "generate": lambda client: client.generate(BODY),
    "generation": lambda client: client.generation("g1"),
    "credits": lambda client: client.credits(),
    "models": lambda client: client.models(),
}


@asynccontextmanager
async def client_of(base_url: str, *, timeout_s: float = 5, key: str = KEY) -> AsyncIterator[Client]:
    client = Client(base_url, Budget(), timeout_s=timeout_s)
    client.gate.key = ApiKey(key)
    try:
        yield client
    finally:
        await client.close()


async def outcome(srv: Srv, name: str, answer: Handler | bytes, *, timeout_s: float = 5) -> Any:
    """What one of the FOUR calls brought: a Reply, or the ApiError that it raised. Anything else is raised here."""
    srv.on("*", "*", answer)
    async with client_of(srv.url, timeout_s=timeout_s) as client:
        try:
            return await FOUR[name](client)
        except ApiError as error:
            said = error
    assert "\n" not in str(said), "one line for the user"
    assert KEY not in str(said) + repr(said)
    return said


def act(answer: Answer) -> Handler:
    """A handler that always does this."""
    return lambda _: answer

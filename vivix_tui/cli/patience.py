"""How long a command goes on waiting.

Owns: the reasons to give up: time is over, no usable key, the API out of reach for a minute, the engine ended.
Refuses: what was waited for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from vivix_tui import wiring
from vivix_tui.cli import output
from vivix_tui.config import Config
from vivix_tui.domain.text import one_line
from vivix_tui.errors import ApiError, KeyProblem
from vivix_tui.keys import HOW
from vivix_tui.store import query
from vivix_tui.store.store import Store

if TYPE_CHECKING:
    from vivix_tui.engine.engine import Engine

UNREACHABLE_S = 60.0


class Patience:
    """Checked again and again while a command waits; `check` raises when it is time to give up."""

    def __init__(self, config: Config, store: Store, engine: Engine, timeout_s: float | None) -> None:
        self._config = config
        self._store = store
        self._engine = engine
        self._deadline = time.monotonic() + timeout_s if timeout_s is not None else float("inf")
        self._unreachable_since: float | None = None

    def check(self) -> None:
        """Raises KeyProblem, ApiError, or what ended the engine."""
        if self._engine.failure is not None:
            raise self._engine.failure
        now = time.monotonic()
        if now > self._deadline:
            raise ApiError("gave up waiting, the time is over", hint="what was queued stays queued")
        state = query.engine_state(self._store, self._config.profile)
        ours = self._engine.holds_lock.is_set()
        if state is None or (ours and state.pid != os.getpid()):
            return
        if state.connection in ("rejected", "nokey"):
            why = "the API key was rejected" if state.connection == "rejected" else "there is no API key"
            raise KeyProblem(f"{why}: {state.detail}" if state.detail else why, hint=state.hint or HOW)
        if state.connection not in ("offline", "retrying"):
            self._unreachable_since = None
        elif self._unreachable_since is None:
            self._unreachable_since = now
        elif now - self._unreachable_since > UNREACHABLE_S:
            raise ApiError(f"the API could not be reached for {UNREACHABLE_S:.0f} s: {state.detail}")


def until(config: Config, store: Store, pending: Callable[[], bool], timeout_s: float | None) -> None:
    """Runs (or leans on) the engine until nothing is pending. Raises what ends the wait early."""
    if not pending():
        return
    with wiring.engine(config) as engine:
        patience = Patience(config, store, engine, timeout_s)
        revision, unsaved = -1, None
        while True:
            unsaved = tell_unsaved(engine, unsaved)
            if store.revision != revision:
                revision = store.revision
                if not pending():
                    return
            patience.check()
            time.sleep(0.1)


def tell_unsaved(engine: Engine, before: str | None) -> str | None:
    """Says once what was paid for and cannot be stored: nobody else may come to know it."""
    unsaved = engine.unsaved
    if unsaved and unsaved != before:
        output.tell(one_line(unsaved, 1_000))
    return unsaved

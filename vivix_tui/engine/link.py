"""The engine's view of the connection: every call goes through here, and what it says about the account is kept.

Owns: the state that the header shows (live, retrying, offline, limited, rejected), the balance from every answer,
and stopping all calls when the key is rejected. Refuses: retrying; each task knows what its call is worth.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from vivix_tui.api.client import Client, Reply
from vivix_tui.domain import times
from vivix_tui.domain.budget import Budget
from vivix_tui.errors import BadReply, Refusal, Unreachable
from vivix_tui.keys import ApiKey
from vivix_tui.store import accounts, submissions
from vivix_tui.store.accounts import EngineState
from vivix_tui.store.store import Store

T = TypeVar("T")


class Link:
    """One account's connection. `rejected` is the key that the API refused, None while it did not."""

    def __init__(self, store: Store, profile: str, client: Client, budget: Budget) -> None:
        self.client = client
        self.rejected: ApiKey | None = None
        self.last_end = 0.0
        self._store = store
        self._profile = profile
        self._budget = budget
        self._state = EngineState(pid=os.getpid(), connection="starting")
        self._published: EngineState | None = None
        self._usable_at = 0.0
        self._balance: int | None = None

    @property
    def balance(self) -> int | None:
        """Credits as the last answer told."""
        return self._balance

    def may_call(self, *, urgent: bool = False) -> bool:
        return self.client.gate.may_call(urgent=urgent)

    async def turn(self, *, urgent: bool = False) -> None:
        """Waits until a call may start. The call must follow without another await."""
        await self.client.gate.turn(urgent=urgent)

    def use_key(self, key: ApiKey | None, complaint: str | None = None) -> None:
        """Calls go on with this key; None says that there is none, and `complaint` why."""
        if key is None:
            self._set("nokey", detail=complaint)
        elif key != self.client.gate.key:
            self.rejected = None
            self.client.gate.key = key
            self._set("starting")

    async def call(self, make: Callable[[], Awaitable[Reply[T]]]) -> T:
        """Makes the call and keeps what its outcome says about connection and balance. Raises ApiError as it came."""
        started = time.monotonic()
        try:
            reply = await make()
        except Refusal as refusal:
            self._refused(refusal, started)
            raise
        except Unreachable as error:
            self._failed("offline", str(error), started)
            raise
        except BadReply as error:
            self._failed("retrying", str(error), started, request_id=error.request_id)
            raise
        self._usable()
        if reply.balance is not None:
            self._saw_balance(reply.balance)
        return reply.value

    def publish(self, *, trouble: str | None = None) -> None:
        """Writes the state for the header if it changed. `trouble` names a task that was restarted."""
        now = time.monotonic()
        if self._state.connection in ("retrying", "offline", "limited") and now >= self._budget.closed_until:
            self._state = replace(self._state, until=None)
        state = replace(
            self._state,
            calls_used=self._budget.used(now),
            calls_remaining=self._budget.remaining,
            trouble=trouble,
        )
        if state != self._published:
            accounts.save_engine(self._store, self._profile, state, datetime.now(UTC))
            self._published = state

    def stopped(self) -> None:
        """The engine ends in good order: the header of other processes must not call it live."""
        self._set("stopped")
        self.publish()

    def _refused(self, refusal: Refusal, started: float) -> None:
        if refusal.status == 401:
            if self.client.gate.key is not None:  # else another call under way met the same refusal first
                self.rejected, self.client.gate.key = self.client.gate.key, None
            self._set("rejected", detail=f"{refusal.code}: {refusal.message or ''}", refusal=refusal)
        elif refusal.status >= 500:
            self._failed("retrying", f"{refusal.status} {refusal.code}", started, request_id=refusal.request_id)
        elif refusal.status == 429 and refusal.code != "CONCURRENCY_LIMIT":
            self._set("limited", detail=refusal.message, refusal=refusal, until=True)
        else:
            self._usable()

    def _usable(self) -> None:
        self._usable_at = time.monotonic()
        self._budget.answered(self._usable_at, None)
        if self._state.connection != "live":
            self._set("live")

    def _failed(self, connection: str, detail: str, started: float, *, request_id: str | None = None) -> None:
        # One id that never answers is no outage: only a failure with no usable answer since it began closes the gate.
        if self._usable_at >= started:
            return
        self._budget.failed(time.monotonic(), random.random())  # noqa: S311
        self._set(connection, detail=detail, until=True)
        self._state = replace(self._state, request_id=request_id)

    def _set(
        self, connection: str, *, detail: str | None = None, refusal: Refusal | None = None, until: bool = False
    ) -> None:
        wait_s = self._budget.closed_until - time.monotonic()
        again = datetime.now(UTC) + timedelta(seconds=max(0.0, wait_s))
        self._state = EngineState(
            pid=os.getpid(),
            connection=connection,
            detail=detail,
            hint=refusal.next_step if refusal else None,
            request_id=refusal.request_id if refusal else None,
            until=times.iso(again) if until else None,
        )

    def _saw_balance(self, balance: int) -> None:
        if balance != self._balance:
            self._balance = balance
            accounts.save_balance(self._store, self._profile, balance)
            submissions.saw_balance(self._store, self._profile, balance)

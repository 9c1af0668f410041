"""The engine's view of the connection: every call goes through here, and what it says about the account is kept.

Owns: the state that the header shows (live, retrying, offline, limited, rejected), the balance from every answer,
and stopping all calls when the key is rejected. Refuses: retrying; each task knows what its call is worth.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from vivix_tui.api.client import Client, Reply
from vivix_tui.domain import times
from vivix_tui.domain.budget import Budget
from vivix_tui.domain.estimate import Draining
from vivix_tui.engine.tally import Tally
from vivix_tui.errors import BadReply, Refusal, StoreError, Unreachable
from vivix_tui.keys import ApiKey
from vivix_tui.store import accounts, audits, submissions
from vivix_tui.store.accounts import EngineState
from vivix_tui.store.store import Store

T = TypeVar("T")
log = logging.getLogger("vivix_tui.engine.link")


class Link:
    """One account's connection.

    `rejected` are the keys that the API refused; `trouble` names what the user must be told of a background task, and
    `unsaved` what is known and cannot be stored, so that it may be on a screen alone; `looked` is set when the account
    was asked about once, with or without success; `credits_wanted` asks for a fresh balance, `unproved_key` for any
    answer to a new key; `last_end` is when a
    generation was last seen to end, `refunded_at` to fail; `draining` is how far an import is.
    """

    def __init__(self, store: Store, profile: str, client: Client, budget: Budget) -> None:
        self.client = client
        self.rejected: set[ApiKey] = set()
        self.trouble: str | None = None
        self.unsaved: str | None = None
        self.last_end = 0.0
        self.refunded_at = 0.0
        self.draining: Draining | None = None
        self.credits_wanted = False
        self.looked = asyncio.Event()
        self.unproved_key = False
        self._store = store
        self._profile = profile
        self.budget = budget
        self._tally = Tally(store, profile)
        self._state = EngineState(pid=os.getpid(), connection="starting")
        self._published: EngineState | None = None
        self._usable_at = 0.0
        self._balance: int | None = None
        self._doubtful_since = 0.0
        self._audited_balance: int | None = None
        self._audited_at = 0.0

    @property
    def balance(self) -> int | None:
        """Credits as the last answer told."""
        return self._balance

    @property
    def has_key(self) -> bool:
        """Whether there is a key that was not rejected."""
        return self.client.gate.key is not None

    @property
    def is_down(self) -> bool:
        """Whether calls fail, and none was answered since."""
        return self.budget.failing_since is not None

    async def turn(self) -> None:
        """Waits for the right to one call and takes it, before all polls."""
        await self.client.gate.turn(urgent=True)

    def doubt_balance(self, *, ask: bool) -> None:
        """A POST ended in a way that what is known of the balance may be old; `ask` has it asked for."""
        self._doubtful_since = time.monotonic()
        self.credits_wanted = self.credits_wanted or ask

    def proof_is_due(self, after_s: float) -> bool:
        """Whether a busy time is over since `after_s` seconds and no balance came since to prove what it cost."""
        over = self._audited_at < self.last_end and time.monotonic() - self.last_end > after_s
        return over and audits.is_quiet(self._store, self._profile)

    def give_back(self) -> None:
        """The right to a call was taken and is not needed."""
        self.client.gate.release()

    def use_key(self, key: ApiKey | None, complaint: str | None = None) -> None:
        """Calls go on with this key; None says that there is none, and `complaint` why."""
        if key is None:
            self._set("nokey", detail=complaint)
        elif key != self.client.gate.key:
            self.client.gate.key, self.unproved_key = key, True
            limited = time.monotonic() < self.budget.closed_until
            self._set("limited" if limited else "starting", until=limited)

    async def call(self, make: Callable[[], Awaitable[Reply[T]]], purpose: str) -> T:
        """Makes the call that was claimed and keeps what its outcome says about connection and balance.

        `purpose` is one of `store.calls`. Raises ApiError as it came.
        """
        started, key = time.monotonic(), self.client.gate.key
        self.unproved_key = False
        try:
            if not self.client.gate.is_open:
                raise Unreachable("calls are paused", sent=False)
            self._tally.count(purpose, datetime.now(UTC))
            reply = await make()
        except Refusal as refusal:
            self._refused(refusal, started, key)
            raise
        except Unreachable as error:
            if self.client.gate.is_open:
                self._failed("offline", str(error), started)
            raise
        except BadReply as error:
            self._failed("retrying", str(error), started, request_id=error.request_id)
            raise
        finally:
            self.client.gate.release()
        self._usable(reply.remaining)
        if reply.balance is not None and started >= self._doubtful_since:
            self._saw_balance(reply.balance)
            self._audit(reply.balance, started)
        return reply.value

    def publish(self) -> None:
        """Writes the state for the header if it changed, and now and then how many calls were made."""
        now = time.monotonic()
        with _unless_stored():
            self._tally.write(now)
        if self._state.connection in ("retrying", "offline", "limited") and now >= self.budget.closed_until:
            self._state = replace(self._state, until=None)
        state = replace(
            self._state,
            calls_used=self.budget.used(now),
            calls_remaining=self.budget.remaining,
            unasked=self.draining.left if self.draining else None,
            unasked_of=self.draining.total if self.draining else None,
            unasked_s=self.draining.seconds if self.draining else None,
            trouble=self.unsaved or self.trouble,
        )
        if state != self._published:
            # An answer must never be lost because the header could not be written.
            with _unless_stored():
                accounts.save_engine(self._store, self._profile, state, datetime.now(UTC))
                self._published = state

    def keep_limit(self) -> None:
        """A Retry-After that the engine before was told holds for this one, too."""
        before = accounts.engine_state(self._store, self._profile)
        until = (
            times.parse(before.until) if before is not None and before.connection in ("limited", "stopped") else None
        )
        left_s = (until - datetime.now(UTC)).total_seconds() if until is not None else 0.0
        if left_s > 0:
            self.budget.limited(time.monotonic(), left_s, random.random())  # noqa: S311

    def stopped(self) -> None:
        """The engine ends in good order: the header of other processes must not call it live."""
        with _unless_stored():
            self._tally.write_all()
        self._set("stopped", until=self._state.connection == "limited")

    def _refused(self, refusal: Refusal, started: float, key: ApiKey | None) -> None:
        if refusal.status == 401:
            if key is not None and key == self.client.gate.key:  # else it is about a key that is no longer in use
                self.rejected.add(key)
                self.client.gate.key = None
                self._set("rejected", detail=f"{refusal.code}: {refusal.message or ''}", refusal=refusal)
        elif refusal.status >= 500:
            self._failed("retrying", f"{refusal.status} {refusal.code}", started, request_id=refusal.request_id)
        elif refusal.status == 429 and refusal.code != "CONCURRENCY_LIMIT":
            self._set("limited", detail=refusal.message, refusal=refusal, until=True)
        else:
            self._usable()

    def _usable(self, remaining: int | None = None) -> None:
        self._usable_at = time.monotonic()
        self.budget.answered(self._usable_at, remaining)
        if self._state.connection != "live" and self._usable_at >= self.budget.closed_until:
            self._set("live")

    def _failed(self, connection: str, detail: str, started: float, *, request_id: str | None = None) -> None:
        # One id that never answers is no outage: only a failure with no usable answer since it began closes the gate.
        if self._usable_at >= started:
            return
        self.budget.failed(time.monotonic(), random.random())  # noqa: S311
        self._set(connection, detail=detail, until=True, request_id=request_id)

    def _set(
        self,
        connection: str,
        *,
        detail: str | None = None,
        refusal: Refusal | None = None,
        until: bool = False,
        request_id: str | None = None,
    ) -> None:
        if self.client.gate.key is None and connection not in ("rejected", "nokey", "stopped"):
            return  # a late answer to a call made with a key that was rejected meanwhile
        wait_s = self.budget.closed_until - time.monotonic()
        again = datetime.now(UTC) + timedelta(seconds=max(0.0, wait_s))
        self._state = EngineState(
            pid=os.getpid(),
            connection=connection,
            detail=detail,
            hint=refusal.next_step if refusal else None,
            request_id=refusal.request_id if refusal else request_id,
            until=times.iso(again) if until else None,
        )
        self.publish()

    def _saw_balance(self, balance: int) -> None:
        if balance != self._balance or self.credits_wanted:
            with _unless_stored():
                accounts.save_balance(self._store, self._profile, balance)
                submissions.saw_balance(self._store, self._profile, balance)
                self._balance = balance

    def _audit(self, balance: int, started: float) -> None:
        """At quiet moments the balance is compared with what was charged since the last one."""
        news = balance != self._audited_balance or self._audited_at < self.last_end
        if not news or started <= self.last_end:
            return
        with _unless_stored():
            if audits.is_quiet(self._store, self._profile):
                audits.quiet_balance(self._store, self._profile, balance, datetime.now(UTC))
                self._audited_balance, self._audited_at = balance, time.monotonic()


@contextmanager
def _unless_stored() -> Iterator[None]:
    """What only informs is tried again with the next answer."""
    try:
        yield
    except StoreError as error:
        log.warning("not stored: %s", error)

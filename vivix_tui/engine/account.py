"""Asks for limits, balance and catalogue when they are worth a call.

Owns: when /credits and /models are asked: at the start, with a new key, after a refund, when the cycle is reset, as the
probe of an outage that bodies wait for; once a day. Refuses: a timer for what the headers of other answers tell anyway.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from vivix_tui.domain import times
from vivix_tui.domain.budget import Budget
from vivix_tui.engine.link import Link
from vivix_tui.errors import ApiError
from vivix_tui.store import accounts, calls
from vivix_tui.store.store import Store

STEP_S = 0.5
REST_S = 2.0  # where nothing is written, nothing becomes due but what a clock says
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0
NEVER = float("-inf")
AFTER_REFUND_S = 30.0  # many that fail together are one question
CATALOGUE_S = 24 * 3600.0


def pause_s(failures: int) -> float:
    """Seconds until the next question after so many failures in a row."""
    return min(FIRST_PAUSE_S * 2.0 ** min(failures, 10), LONGEST_PAUSE_S)


class AccountReader:
    """Keeps one account's facts fresh. `wake` is set whenever the database changed."""

    def __init__(self, store: Store, profile: str, link: Link, budget: Budget, wake: asyncio.Event) -> None:
        self._store = store
        self._profile = profile
        self._link = link
        self._budget = budget
        self._wake = wake
        self._credits_at = NEVER
        self._models_at = NEVER
        self._asked_at = datetime.now(UTC)
        self._resets_at: datetime | None = None
        self._not_before = NEVER
        self._failures = 0
        known = accounts.account(store, profile)
        if known.calls_per_minute:
            budget.set_limit(known.calls_per_minute)

    async def run(self) -> None:
        """For ever."""
        while True:
            ask = self._due(time.monotonic())
            if ask is not None:
                try:
                    await ask()
                except ApiError:
                    # The link has noted it; a call that is refused again and again must not eat the budget.
                    self._failures += 1
                    self._not_before = time.monotonic() + pause_s(self._failures)
                self._link.looked.set()
            await asyncio.sleep(STEP_S)
            if ask is None and self._models_at != NEVER:
                with suppress(TimeoutError):
                    async with asyncio.timeout(REST_S):
                        await self._wake.wait()
                self._wake.clear()

    def _due(self, now: float) -> Callable[[], Awaitable[None]] | None:
        """What is worth a call now."""
        if self._link.unproved_key:
            return self._ask_credits  # whoever entered a key waits to hear whether it is a good one
        if now < self._not_before and not self._link.is_down:  # in an outage the link lets few calls go as it is
            return None
        refunded = self._link.refunded_at > self._credits_at and now - self._credits_at > AFTER_REFUND_S
        unproved = self._credits_at < self._link.last_end and self._link.proof_is_due(AFTER_REFUND_S)
        wanted = self._link.credits_wanted or self._cycle_is_over()
        if self._credits_at == NEVER or refunded or unproved or wanted:
            # Where /credits alone does not work, the catalogue tells that the API does: bodies wait for that.
            return self._ask_models if self._link.is_down and self._failures % 2 else self._ask_credits
        return self._ask_models if now - self._models_at > CATALOGUE_S else None

    def _cycle_is_over(self) -> bool:
        """Whether the reset that was announced has come since credits were asked about."""
        return self._resets_at is not None and self._asked_at < self._resets_at <= datetime.now(UTC)

    async def _ask_credits(self) -> None:
        await self._link.turn()
        found = await self._link.call(self._link.client.credits, calls.ACCOUNT)
        self._credits_at, self._asked_at = time.monotonic(), datetime.now(UTC)
        self._resets_at = times.parse(found.cycle_resets_at)
        self._link.credits_wanted, self._failures = False, 0
        if found.calls_per_minute:
            self._budget.set_limit(found.calls_per_minute)
        accounts.save_account(self._store, self._profile, found, datetime.now(UTC))

    async def _ask_models(self) -> None:
        await self._link.turn()
        account, models = await self._link.call(self._link.client.models, calls.MODELS)
        self._models_at = time.monotonic()
        accounts.save_account(self._store, self._profile, account, datetime.now(UTC))
        accounts.save_models(self._store, self._profile, models)
        if self._credits_at != NEVER and not self._link.credits_wanted:
            self._failures = 0

"""Asks for limits, balance and catalogue when they are worth a call.

Owns: when /credits and /models are asked: at the start, with a new key, some time after generations ended, once a
day. Refuses: a timer for what the headers of other answers tell anyway.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from vivix_tui.domain.budget import Budget
from vivix_tui.engine.link import Link
from vivix_tui.errors import ApiError
from vivix_tui.store import accounts
from vivix_tui.store.store import Store

STEP_S = 1.0
AFTER_END_S = 30.0
CATALOGUE_S = 24 * 3600.0


class AccountReader:
    """Keeps one account's facts fresh."""

    def __init__(self, store: Store, profile: str, link: Link, budget: Budget) -> None:
        self._store = store
        self._profile = profile
        self._link = link
        self._budget = budget
        self._credits_at = float("-inf")
        self._models_at = float("-inf")
        known = accounts.account(store, profile)
        if known.calls_per_minute:
            budget.set_limit(known.calls_per_minute)

    async def run(self) -> None:
        """For ever."""
        while True:
            now = time.monotonic()
            ended = self._link.last_end > self._credits_at and now - self._credits_at > AFTER_END_S
            try:
                if self._credits_at == float("-inf") or ended:
                    await self._ask_credits()
                elif now - self._models_at > CATALOGUE_S:
                    await self._ask_models()
            except ApiError:
                # The link has noted it; the gate decides when the next call may go.
                pass
            await asyncio.sleep(STEP_S if self._models_at > 0 else 0.1)

    async def _ask_credits(self) -> None:
        await self._link.turn(urgent=True)
        found = await self._link.call(self._link.client.credits)
        self._credits_at = time.monotonic()
        if found.calls_per_minute:
            self._budget.set_limit(found.calls_per_minute)
        accounts.save_account(self._store, self._profile, found, datetime.now(UTC))

    async def _ask_models(self) -> None:
        await self._link.turn(urgent=True)
        account, models = await self._link.call(self._link.client.models)
        self._models_at = time.monotonic()
        accounts.save_account(self._store, self._profile, account, datetime.now(UTC))
        accounts.save_models(self._store, self._profile, models)

"""Asks the API about live generations and writes down what it says.

Owns: one loop that starts a call for whatever the cadence names, and the meaning of each outcome for the row.
Refuses: when to ask (`domain.cadence`), how much (`domain.budget`), what there is to ask about (`watchlist`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from datetime import UTC, datetime

from vivix_tui.config import Config
from vivix_tui.domain import times
from vivix_tui.domain.cadence import Cadence
from vivix_tui.domain.generation import FAILED, GONE_CODES, Answer
from vivix_tui.engine.link import Link
from vivix_tui.engine.watchlist import Watchlist
from vivix_tui.errors import ApiError, Refusal
from vivix_tui.store import calls, generations, wishes
from vivix_tui.store.store import Store

TICK_S = 0.1
REST_S = 0.5  # less than the least gap between two questions about one job
ASLEEP_S = 30.0
MAX_IN_FLIGHT = 8
log = logging.getLogger("vivix_tui.engine.poller")


class Poller:
    """The polling of one account. `wake` is set whenever the database changed."""

    def __init__(self, store: Store, config: Config, link: Link, wake: asyncio.Event) -> None:
        self._store = store
        self._profile = config.profile
        self._auto_download = config.settings.download.auto
        self._link = link
        self._wake = wake
        self._cadence = Cadence()
        self._watchlist = Watchlist(store, config.profile, self._cadence)
        self._calls: set[asyncio.Task[None]] = set()
        self._ticked_at = time.time()

    async def run(self) -> None:
        """For ever; with nothing live it sleeps until something changes."""
        up_to_date = False
        try:
            while True:
                if self._wake.is_set() or not up_to_date:
                    self._wake.clear()
                    up_to_date = self._watchlist.follow(time.monotonic())
                self._link.draining = self._watchlist.draining
                if up_to_date and not len(self._cadence):
                    await self._wake.wait()
                    self._ticked_at = time.time()
                    continue
                self._notice_sleep()
                self._start_due()
                await self._rest(self._cadence.rest_s(time.monotonic()) if up_to_date else 0.0)
        finally:
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)

    async def _rest(self, seconds: float) -> None:
        """Until something may be due, or a wish is written down: between questions an engine sleeps."""
        if seconds <= TICK_S:
            await asyncio.sleep(TICK_S)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, REST_S)):
                await self._wake.wait()

    def _notice_sleep(self) -> None:
        """A machine that sleeps stops the monotonic clock and not the other one; a stopped process sees both jump."""
        now, before = time.time(), self._ticked_at
        self._ticked_at = now
        if now - before > ASLEEP_S:
            self._cadence.woke()
            self._link.budget.hold_back(time.monotonic())

    def _start_due(self) -> None:
        if not self._link.has_key:
            return
        for generation_id in self._cadence.tick(time.monotonic(), self._link.budget, MAX_IN_FLIGHT - len(self._calls)):
            call = asyncio.create_task(self._ask(generation_id))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _ask(self, generation_id: str) -> None:
        began, answer = time.monotonic(), None
        try:
            answer = await self._ask_and_record(generation_id)
        except Exception:
            # One poisonous row is set aside (it waits longer each time), the others go on.
            log.exception("asking about one generation failed")
        now = time.monotonic()
        age_s = None
        if answer is not None and answer.elapsed_ms is not None:
            age_s = answer.elapsed_ms / 1000 + (now - began) / 2
        self._cadence.answered(generation_id, now, usable=answer is not None, age_s=age_s)
        if answer is not None and answer.ended:
            self._cadence.over(generation_id)

    async def _ask_and_record(self, generation_id: str) -> Answer | None:
        """The usable answer, None where there was none."""
        asked_at = datetime.now(UTC)
        try:
            purpose = calls.ASKED if self._watchlist.is_wish(generation_id) else calls.POLL
            answer = await self._link.call(lambda: self._link.client.generation(generation_id), purpose)
        except Refusal as refusal:
            self._refused(generation_id, refusal)
            return None
        except ApiError as error:
            generations.note(self._store, self._profile, generation_id, f"last answer unusable: {error}")
            return None
        born = times.parse(answer.created_at)
        generations.record(
            self._store,
            self._profile,
            answer,
            asked_at=asked_at,
            now=datetime.now(UTC),
            born=min(born, asked_at) if born else None,
            fetch=answer.ended and self._fetches(),
        )
        if answer.ended:
            self._link.last_end = time.monotonic()
        if answer.status == FAILED:
            self._link.refunded_at = time.monotonic()
        return answer

    def _fetches(self) -> bool:
        """Whether the files of what completes are wanted, all of them."""
        return wishes.of(self._store, self._profile).get(wishes.AUTO, self._auto_download) == "completed"

    def _refused(self, generation_id: str, refusal: Refusal) -> None:
        if refusal.code in GONE_CODES.get(refusal.status, ()):
            facts = Answer(
                generation_id=generation_id,
                status="",
                message=refusal.message,
                next=refusal.next_step,
                request_id=refusal.request_id,
            )
            generations.mark_gone(
                self._store, self._profile, generation_id, code=refusal.code, refusal=facts, now=datetime.now(UTC)
            )
            self._cadence.over(generation_id)
        elif refusal.status not in (401, 429):
            note = f"{refusal.status} {refusal.code}: {refusal.message or 'no message'}"
            generations.note(self._store, self._profile, generation_id, note)

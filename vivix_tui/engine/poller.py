"""Asks the API about live generations and writes down what it says.

Owns: one loop that starts a call for whatever is due while the budget allows, and the meaning of each outcome for the
row. Refuses: when to ask (`domain.cadence`) and how much (`domain.budget`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime

from vivix_tui.config import Config
from vivix_tui.domain import times
from vivix_tui.domain.cadence import Cadence
from vivix_tui.domain.generation import Answer, category_of
from vivix_tui.engine.link import Link
from vivix_tui.errors import ApiError, Refusal
from vivix_tui.store import accounts, generations
from vivix_tui.store.store import Store

TICK_S = 0.1
MAX_IN_FLIGHT = 8
log = logging.getLogger("vivix_tui.engine.poller")


class Poller:
    """The polling of one account. `wake` is set whenever the database changed."""

    def __init__(self, store: Store, config: Config, link: Link, wake: asyncio.Event) -> None:
        self._store = store
        self._profile = config.profile
        self._fetches_all = config.settings.download.auto == "completed"
        self._link = link
        self._wake = wake
        self._cadence = Cadence()
        self._calls: set[asyncio.Task[None]] = set()
        self._revision = -1

    async def run(self) -> None:
        """For ever; with nothing live it sleeps until something changes."""
        try:
            while True:
                self._follow()
                if not len(self._cadence):
                    await self._wake.wait()
                    self._wake.clear()
                    continue
                self._start_due()
                await asyncio.sleep(TICK_S)
        finally:
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)

    def _follow(self) -> None:
        """Takes up what became live, drops what ended, hurries what the user asked for."""
        revision = self._store.revision
        if revision == self._revision:
            return
        self._revision = revision
        now = time.monotonic()
        categories = accounts.categories(self._store, self._profile)
        rows = generations.live(self._store, self._profile)
        self._cadence.follow({row.generation_id: category_of(row, categories) for row in rows}, now)
        for generation_id in generations.hurried(self._store, self._profile):
            self._cadence.hurry(generation_id, now)

    def _start_due(self) -> None:
        room = MAX_IN_FLIGHT - len(self._calls)
        for generation_id in self._cadence.due(time.monotonic(), max(0, room)):
            if not self._link.claim():
                return
            self._cadence.asked(generation_id)
            call = asyncio.create_task(self._ask(generation_id))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _ask(self, generation_id: str) -> None:
        usable = False
        try:
            usable = await self._ask_and_record(generation_id)
        except Exception:
            # One poisonous row is set aside (it waits longer each time), the others go on.
            log.exception("asking about one generation failed")
        finally:
            self._cadence.answered(generation_id, time.monotonic(), usable=usable)

    async def _ask_and_record(self, generation_id: str) -> bool:
        asked_at = datetime.now(UTC)
        try:
            answer = await self._link.call(lambda: self._link.client.generation(generation_id))
        except Refusal as refusal:
            return self._refused(generation_id, refusal)
        except ApiError as error:
            generations.note(self._store, self._profile, generation_id, f"last answer unusable: {error}")
            return False
        born = times.parse(answer.created_at)
        generations.record(
            self._store,
            self._profile,
            answer,
            asked_at=asked_at,
            born=min(born, asked_at) if born else None,
            fetch=self._fetches_all,
        )
        if answer.ended:
            self._link.last_end = time.monotonic()
        return True

    def _refused(self, generation_id: str, refusal: Refusal) -> bool:
        if refusal.status in (403, 404, 410) and not refusal.code.startswith("HTTP_"):
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
            return True
        if refusal.status not in (401, 429):
            note = f"{refusal.status} {refusal.code}: {refusal.message or 'no message'}"
            generations.note(self._store, self._profile, generation_id, note)
        return False

"""Sends transient failures again by itself, where the user switched that on.

Owns: which failures are repeated and how often. Refuses: anything that was not submitted from here, that failed
before this engine ran, or whose code is not known to be transient; and sending: it queues a retry like a user would,
so that slots, the daily cap and the journal count for it, too.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from vivix_tui.config import Config
from vivix_tui.domain.advice import is_transient
from vivix_tui.domain.generation import FAILED, Generation
from vivix_tui.store import generations, submissions
from vivix_tui.store.store import Store

log = logging.getLogger("vivix_tui.engine.auto_retry")


class AutoRetry:
    """The automatic retries of one account. `wake` is set whenever the database changed."""

    def __init__(self, store: Store, config: Config, wake: asyncio.Event) -> None:
        self._store = store
        self._profile = config.profile
        self._rules = config.settings.retry
        self._wake = wake
        self._seen = generations.last_event(store)

    async def run(self) -> None:
        """For ever; follows the timeline of failures."""
        while True:
            for seq, generation_id in generations.ended_since(self._store, self._profile, self._seen, FAILED):
                self._consider(generation_id)
                self._seen = seq
            await self._wake.wait()
            self._wake.clear()

    def _consider(self, generation_id: str) -> None:
        row = generations.get(self._store, self._profile, generation_id)
        if row is None or row.body is None or not self._concerns(row):
            return
        done = submissions.attempts(self._store, self._profile, generation_id)
        if done >= self._rules.max_attempts:
            log.info("%s is not sent again: %d automatic retries were made", generation_id, done)
            return
        with self._store.write(durable=True) as connection:
            if submissions.retry_under_way(self._store, self._profile, generation_id) is None:
                now = datetime.now(UTC)
                submissions.queue(
                    connection, self._profile, row.body, now, retry_of=generation_id,
                    credits_estimate=row.credits_estimate,
                )  # fmt: skip
                word = f"{done + 1} of {self._rules.max_attempts}"
                generations.add_event(connection, self._profile, generation_id, now, "automatic retry", word)

    def _concerns(self, row: Generation) -> bool:
        ours = row.submission_id is not None and row.status == FAILED
        return ours and is_transient(row.error) and (not self._rules.models or row.model in self._rules.models)

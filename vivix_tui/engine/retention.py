"""Keeps the history as long as the user wants it, where that is not for ever.

Owns: when rows are pruned. Refuses: which (`store.retention`).
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from vivix_tui.store import retention
from vivix_tui.store.store import Store

AGAIN_S = 6 * 3600.0
BATCH = 200  # a few milliseconds, so that nobody waits for the database
PAUSE_S = 0.1
log = logging.getLogger("vivix_tui.engine.retention")


async def keep(store: Store, profile: str, days: int) -> None:
    """For ever: what was made more than `days` ago and has ended is deleted."""
    while True:
        before, pruned = datetime.now(UTC) - timedelta(days=days), 0
        while gone := retention.prune(store, profile, before, most=BATCH):
            pruned += gone
            await asyncio.sleep(PAUSE_S)
        if pruned:
            log.info("%d rows older than %d days were deleted (history.keep)", pruned, days)
        await asyncio.sleep(AGAIN_S)

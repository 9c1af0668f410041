"""The owner's imaginary pipeline: submits the script's jobs as time passes.

Owns the pauses. Refuses to decide what is submitted (story) or whether there is room for it (studio).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from .jobs import Job
from .story import gaps_s
from .studio import Studio

SHORTEST_GAP_S = 0.25  # however high the speed: the script must not flood the ledger, nor its listeners


async def run(studio: Studio, announce: Callable[[Job], None]) -> None:
    """Submits without end and calls `announce` for each job accepted."""
    if not studio.scenario.has_script:
        return
    for gap_s in gaps_s(studio.scenario, studio.seed):
        await _pause(studio, max(SHORTEST_GAP_S, gap_s / studio.speed))
        try:
            job = studio.accept_next_of_script(time.time())
        except OSError:
            continue  # the ledger's disk is full: nothing was accepted, the next turn tries again
        if job is not None:
            announce(job)


async def _pause(studio: Studio, pause_s: float) -> None:
    over_at = time.monotonic() + pause_s
    while True:
        left_s = over_at - time.monotonic()
        if left_s <= 0:
            return
        await asyncio.sleep(min(left_s, 1.0))
        if studio.is_short_of_work(time.time()):
            return

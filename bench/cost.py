"""What a tick of the poller costs with 20 live jobs, 5,000 waiting, and answers coming in: real rows, real time.

Owns: measuring CPU of what happens each tick whether or not a call is due. Refuses: what a call costs.
"""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from vivix_tui import verbs
from vivix_tui.domain.budget import Budget
from vivix_tui.domain.cadence import Cadence
from vivix_tui.domain.generation import Answer
from vivix_tui.engine.poller import MAX_IN_FLIGHT, TICK_S
from vivix_tui.engine.watchlist import Watchlist
from vivix_tui.store import generations
from vivix_tui.store.store import Store

TICKS = 150
PROFILE = "bench"
BODY = '{"model": "wan-2.7-text-to-video", "prompt": "paper boats", "duration": 5, "resolution": "720p"}'


def tick_ms() -> float:
    """Mean milliseconds of CPU a tick."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "vivix.db")
        try:
            return _measured(store)
        finally:
            store.close()


def _measured(store: Store) -> float:
    live = [f"live{number}" for number in range(20)]
    verbs.track(store, PROFILE, [(key, BODY) for key in live])
    for key in live:
        _answered(store, key, "processing")
    verbs.track(store, PROFILE, [(f"old{number}", None) for number in range(5000)])
    cadence, budget = Cadence(), Budget(now=time.monotonic())
    budget.set_limit(600)
    watchlist, spent = Watchlist(store, PROFILE, cadence), 0.0
    for _ in range(TICKS):
        now, began = time.monotonic(), time.process_time()
        watchlist.follow(now)
        asked = cadence.tick(now, budget, MAX_IN_FLIGHT)
        spent += time.process_time() - began
        for key in asked:
            _answered(store, key, "processing" if key in live else "completed")
            budget.ended()
            budget.answered(now, 500)
            cadence.answered(key, now, usable=True, age_s=50.0)
            if key not in live:
                cadence.over(key)
        time.sleep(TICK_S)
    return spent / TICKS * 1000


def _answered(store: Store, key: str, status: str) -> None:
    generations.record(store, PROFILE, Answer(generation_id=key, status=status), asked_at=datetime.now(UTC))

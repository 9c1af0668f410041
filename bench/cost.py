"""What a tick of the scheduler costs: 20 live jobs, 5,000 waiting.

Owns: measuring CPU. Refuses: everything else.
"""

from __future__ import annotations

import time

from vivix_tui.domain.budget import Budget
from vivix_tui.domain.cadence import Cadence, Watched
from vivix_tui.domain.estimate import Durations

TICKS = 3000
TICK_S = 0.1


def tick_ms() -> float:
    """Mean milliseconds of CPU a tick."""
    cadence, budget, now, spent = Cadence(), Budget(), 0.0, 0.0
    budget.set_limit(600)
    durations = Durations(105.0, 0.3, 20)
    live = {f"live{number}": Watched(durations, age_s=50.0 + number) for number in range(20)}
    waiting = {f"old{number}": Watched(durations, backlog=True) for number in range(5000)}
    cadence.follow(live | waiting, now)
    for _ in range(TICKS):
        now += TICK_S
        began = time.process_time()
        asked = cadence.tick(now, budget, 8)
        spent += time.process_time() - began
        for key in asked:
            budget.ended()
            budget.answered(now, 500)
            cadence.answered(key, now, usable=True, age_s=50.0 + now)
            if key in waiting:
                cadence.over(key)
    return spent / TICKS * 1000

"""Waiting that no mutation is about, made short: the engine's pauses, gates and steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from vivix_tui.domain import budget, cadence, submission
from vivix_tui.engine import account, engine, poller, submitter, watchlist

SHORT: tuple[tuple[Any, str, float], ...] = (
    (cadence, "GAP_MIN_S", 0.01), (cadence, "GAP_MAX_S", 0.01), (cadence, "PAUSE_S", 0.005), (poller, "TICK_S", 0.01),
    (watchlist, "FRESH_S", -1.0), (watchlist, "COST_FACTOR", 1),
    (budget, "LONG_OUTAGE_S", -1.0), (budget, "LONG_OUTAGE_GATE_S", 0.01), (budget, "RECOVERY_S", 0.0),
    (budget, "RETRY_AFTER_UNKNOWN_S", 0.01), (budget, "RETRY_AFTER_MIN_S", 0.0), (budget, "RETRY_AFTER_MAX_S", 0.02),
    (budget, "EMPTY_WAIT_S", 0.0), (budget, "LOW_SPREAD_S", 0.0), (budget, "SLIDING_WAIT_S", 0.0),
    (submission, "RETRY_AFTER_MIN_S", 0.0), (submission, "RETRY_AFTER_MAX_S", 0.02),
    (submission, "PROVIDER_DOWN_WAIT_S", 0.01), (submission, "SLOT_WAIT_S", 0.01),
    (submitter, "STEP_S", 0.01), (submitter, "NO_CONNECTION_WAIT_S", 0.0), (submitter, "UNKNOWN_PAUSES_AT", 10**9),
    (account, "STEP_S", 0.01), (account, "REST_S", 0.01), (account, "FIRST_PAUSE_S", 0.005),
    (account, "LONGEST_PAUSE_S", 0.01),
    (account, "AFTER_REFUND_S", 0.05), (account, "CATALOGUE_S", 0.05),
    (engine, "STANDBY_S", 0.02), (engine, "WATCH_S", 0.02), (engine, "KEY_AGAIN_S", 0.0),
)  # fmt: skip


@contextmanager
def quick() -> Iterator[None]:
    """For as long as it is entered."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in SHORT:
            assert hasattr(module, name)
            patch.setattr(module, name, value)
        patch.setattr("vivix_tui.api.gate.random", SimpleNamespace(random=lambda: 0.0))
        yield

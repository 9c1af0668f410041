"""What header and banner are made of, read in one go.

Owns: which facts they need. Refuses: their words (`present.bar`).
"""

from __future__ import annotations

import os
from datetime import datetime

from vivix_tui.store import query
from vivix_tui.store.store import Store
from vivix_tui.ui.present.bar import Facts


def read_facts(store: Store, profile: str, now: datetime, notice: str | None) -> Facts:
    """The facts as of `now`. Raises StoreError."""
    return Facts(
        profile=profile,
        account=query.account(store, profile),
        engine=query.engine_state(store, profile),
        own_pid=os.getpid(),
        in_flight=query.in_flight(store, profile, now),
        counts=query.counts(store, profile),
        queue_paused=query.queue_paused(store, profile),
        notice=notice,
    )

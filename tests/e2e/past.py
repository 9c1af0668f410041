"""A home with a history: generations that ended, of which nothing runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tests.conftest import Home
from vivix_tui.domain.generation import Answer
from vivix_tui.store import generations
from vivix_tui.store.store import Store

# Signs of which the emulator, too, knows how wide they are.
PROMPTS = ("a misty forest at dawn", "霧の森 at dawn", "e\u0301tude on the moon", "café ✓ │ ▁▂▃", "🚀 over 東京")


def past(home: Home, count: int) -> None:
    """`count` generations that ended, in the database of `home`; nothing runs."""
    now = datetime.now(UTC)
    store = Store(home.database)
    rows = []
    for number in range(count):
        status, error = ("failed", "CONTENT_POLICY") if number % 7 == 0 else ("completed", None)
        body = json.dumps({"model": "wan-2.7-image", "prompt": f"{PROMPTS[number % len(PROMPTS)]} {number}"})
        answer = Answer(
            generation_id=f"g{number:03}", status=status, model="wan-2.7-image", error=error, created_at=now.isoformat()
        )
        rows.append((answer, body))
    with store.write() as connection:
        generations.insert_past(connection, "default", rows, now)
    store.close()

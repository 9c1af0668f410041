"""How many calls were made on which day, and what for.

Owns: the purposes, and adding to a day's numbers. Refuses: counting; whoever calls does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from vivix_tui.store.store import Store

POLL = "poll"
ASKED = "asked"
SUBMISSION = "submission"
ACCOUNT = "account"
MODELS = "models"
PURPOSES = (POLL, ASKED, SUBMISSION, ACCOUNT, MODELS)


def add(store: Store, profile: str, numbers: Mapping[tuple[date, str], int]) -> None:
    """Adds to the numbers of (day, purpose)."""
    with store.write() as connection:
        connection.executemany(
            "INSERT INTO calls (profile, day, purpose, number) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET number = number + excluded.number",
            [(profile, day.isoformat(), purpose, number) for (day, purpose), number in numbers.items()],
        )


def made_since(store: Store, profile: str, day: date | None) -> dict[str, int]:
    """Purpose → calls since the beginning of `day`; None: since they are counted."""
    rows = store.all(
        "SELECT purpose, sum(number) FROM calls WHERE profile = ? AND day >= ? GROUP BY purpose",
        (profile, day.isoformat() if day else ""),
    )
    return {row[0]: int(row[1]) for row in rows}


def counted_since(store: Store, profile: str) -> date | None:
    """The first day whose calls were counted, None where there is none."""
    first = store.one("SELECT min(day) FROM calls WHERE profile = ?", (profile,))[0]
    return date.fromisoformat(first) if first else None

"""What a profile's engine should do otherwise than its config says, as a user wished in the dashboard.

Owns: these few rows. Refuses: what the config itself says. The engine reads them when it needs them, so that a wish
reaches it in whatever process it runs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from vivix_tui.store.store import Store

DIRECTORY, AUTO = "download.directory", "download.auto"


def of(store: Store, profile: str) -> dict[str, str]:
    """The wishes in force, by name."""
    rows = store.all("SELECT name, value FROM wishes WHERE profile = ?", (profile,))
    return {row["name"]: row["value"] for row in rows}


def replace(connection: sqlite3.Connection, profile: str, wishes: Mapping[str, str]) -> None:
    """These and no others from now on."""
    connection.execute("DELETE FROM wishes WHERE profile = ?", (profile,))
    connection.executemany(
        "INSERT INTO wishes (profile, name, value) VALUES (?, ?, ?)",
        [(profile, name, value) for name, value in wishes.items()],
    )

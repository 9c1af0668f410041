"""Wishes to look at an output that is not on disk, and what came of them.

Owns: which outputs somebody wants to see now, and where their bytes lie for a while. Refuses: the network and files;
a glimpse is no download: nothing that is kept here counts as an output on disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from vivix_tui.domain import times
from vivix_tui.domain.glimpse import WANTED, Glimpse
from vivix_tui.store.store import Store

STALE_AFTER = timedelta(minutes=2)
MOST_ROWS = 500
_COLUMNS = 'profile, generation_id, "index", url, state, path, error'


def of(store: Store, profile: str, generation_id: str) -> dict[int, Glimpse]:
    """By index."""
    sql = f"SELECT {_COLUMNS} FROM glimpses WHERE profile = ? AND generation_id = ?"
    return {row["index"]: Glimpse(**dict(row)) for row in store.all(sql, (profile, generation_id))}


def want(connection: sqlite3.Connection, profile: str, wishes: Sequence[tuple[str, int, str]], now: datetime) -> int:
    """Wishes for (generation, index, URL) each. Returns how many were not wished for already."""
    return connection.executemany(
        'INSERT INTO glimpses (profile, generation_id, "index", url, state, wished_at) VALUES (?, ?, ?, ?, ?, ?)'
        " ON CONFLICT DO UPDATE SET url = excluded.url, state = excluded.state, wished_at = excluded.wished_at,"
        " path = NULL, error = NULL WHERE state <> excluded.state",
        [(profile, generation_id, index, url, WANTED, times.iso(now)) for generation_id, index, url in wishes],
    ).rowcount


def wanted(store: Store, profile: str, now: datetime) -> list[Glimpse]:
    """What is to be fetched, the newest wish first. Whoever wished longer ago no longer looks at it."""
    sql = f"SELECT {_COLUMNS} FROM glimpses WHERE profile = ? AND state = ? AND wished_at > ? ORDER BY wished_at DESC"
    return [Glimpse(**dict(row)) for row in store.all(sql, (profile, WANTED, times.iso(now - STALE_AFTER)))]


def settle(store: Store, item: Glimpse) -> None:
    """Writes what came of a wish; of all that were ever made the newest are kept."""
    with store.write() as connection:
        connection.execute(
            "UPDATE glimpses SET state = ?, path = ?, error = ? WHERE profile = ?"
            ' AND generation_id = ? AND "index" = ?',
            (item.state, item.path, item.error, item.profile, item.generation_id, item.index),
        )
        connection.execute(
            "DELETE FROM glimpses WHERE profile = ? AND rowid NOT IN"
            " (SELECT rowid FROM glimpses WHERE profile = ? ORDER BY wished_at DESC LIMIT ?)",
            (item.profile, item.profile, MOST_ROWS),
        )

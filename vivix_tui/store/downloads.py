"""Writes about downloads: wishes, progress, outcomes.

Owns: the mapping between rows and `domain.Download`. Refuses: network and disk.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from vivix_tui.domain import times
from vivix_tui.domain.download import CANCELLED, Download
from vivix_tui.domain.generation import COMPLETED, FAILED, Generation
from vivix_tui.store.store import Store

ASKED, ANSWERED = 1, 2
COLUMNS = Download.__struct_fields__
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_SELECT = f"SELECT {_NAMES} FROM downloads"


def from_row(row: sqlite3.Row) -> Download:
    values = {name: row[name] for name in COLUMNS}
    values["verified"] = None if row["verified"] is None else bool(row["verified"])
    return Download(**values)


def of(store: Store, profile: str, generation_id: str) -> list[Download]:
    """The downloads of one generation, by index."""
    rows = store.all(f'{_SELECT} WHERE profile = ? AND generation_id = ? ORDER BY "index"', (profile, generation_id))
    return [from_row(row) for row in rows]


def work(store: Store, profile: str) -> list[Download]:
    """What is to be fetched, oldest wish first; `active` ones are left from an engine that died."""
    rows = store.all(
        f"{_SELECT} WHERE profile = ? AND state IN ('queued', 'active') AND link_asked <> 1"
        ' ORDER BY wished_at, generation_id, "index"',
        (profile,),
    )
    return [from_row(row) for row in rows]


def stopped(store: Store, profile: str) -> list[Download]:
    """What must not go on, and has a part yet: paused by the user or a full disk, cancelled, or done (the program was
    killed before the part was removed)."""
    rows = store.all(
        f"{_SELECT} WHERE profile = ? AND state IN ('paused', 'cancelled', 'done') AND part IS NOT NULL", (profile,)
    )
    return [from_row(row) for row in rows]


def without_part(store: Store, item: Download) -> None:
    """The part of one that is over was removed."""
    with store.write() as connection:
        connection.execute(
            'UPDATE downloads SET part = NULL, etag = NULL WHERE profile = ? AND generation_id = ? AND "index" = ?'
            " AND part = ? AND state IN ('cancelled', 'done')",
            (item.profile, item.generation_id, item.index, item.part),
        )


def stop(connection: sqlite3.Connection, profile: str, generation_id: str, state: str) -> int:
    """Pauses or cancels what is queued, under way or paused. Returns how many; a cancelled wish is taken back."""
    if state == CANCELLED:
        connection.execute(
            "UPDATE generations SET wanted_in = NULL WHERE profile = ? AND generation_id = ?", (profile, generation_id)
        )
    return connection.execute(
        "UPDATE downloads SET state = ?, error = NULL WHERE profile = ? AND generation_id = ?"
        " AND state IN ('queued', 'active', 'paused')",
        (state, profile, generation_id),
    ).rowcount


def want(connection: sqlite3.Connection, row: Generation, directory: str, now: datetime) -> None:
    """The user wants the files of `row` in `directory` ("" is the configured one), now or when it completes."""
    connection.execute(
        "UPDATE generations SET wanted_in = ? WHERE profile = ? AND generation_id = ?",
        (directory, row.profile, row.generation_id),
    )
    queue_wanted(connection, row, now)


def want_unless_asked(connection: sqlite3.Connection, row: Generation) -> None:
    """Every completed generation's files are wanted, by a setting; a wish for another folder keeps its folder."""
    connection.execute(
        "UPDATE generations SET wanted_in = coalesce(wanted_in, '') WHERE profile = ? AND generation_id = ?",
        (row.profile, row.generation_id),
    )


def queue_wanted(connection: sqlite3.Connection, row: Generation, now: datetime) -> None:
    """Queues one download per output of a completed, wanted generation. Those done or under way stay as they are,
    unless they lie in another folder than the one that was asked for. Of a failed one nothing is wanted any longer."""
    wanted = connection.execute(
        "SELECT wanted_in FROM generations WHERE profile = ? AND generation_id = ?", (row.profile, row.generation_id)
    ).fetchone()
    urls = row.urls if row.status == COMPLETED else ()
    if wanted is None or wanted[0] is None or not (urls or row.status == FAILED):
        return
    directory = wanted[0] or None
    for index, url in enumerate(urls, start=1):
        connection.execute(
            'INSERT INTO downloads (profile, generation_id, "index", url, state, directory, wished_at)'
            " VALUES (:profile, :id, :index, :url, 'queued', :directory, :at)"
            " ON CONFLICT DO UPDATE SET url = excluded.url, state = 'queued', error = NULL, attempts = 0,"
            " link_asked = 0,"
            " directory = excluded.directory, wished_at = excluded.wished_at,"
            " received_bytes = CASE WHEN state = 'done' THEN 0 ELSE received_bytes END,"
            " path = CASE WHEN directory IS excluded.directory THEN path END,"
            " part = CASE WHEN directory IS excluded.directory THEN part END,"
            " etag = CASE WHEN directory IS excluded.directory AND url = excluded.url THEN etag END"
            " WHERE state IN ('failed', 'cancelled', 'paused') OR directory IS NOT excluded.directory",
            {
                "profile": row.profile,
                "id": row.generation_id,
                "index": index,
                "url": url,
                "directory": directory,
                "at": times.iso(now),
            },
        )
    connection.execute(
        "UPDATE generations SET wanted_in = NULL WHERE profile = ? AND generation_id = ?",
        (row.profile, row.generation_id),
    )


def requeue(connection: sqlite3.Connection, item: Download) -> None:
    """A finished download whose file vanished: fetch it again."""
    connection.execute(
        "UPDATE downloads SET state = 'queued', received_bytes = 0, attempts = 0, link_asked = 0, error = NULL,"
        " sha256 = NULL,"
        ' path = NULL, part = NULL, etag = NULL WHERE profile = ? AND generation_id = ? AND "index" = ?',
        (item.profile, item.generation_id, item.index),
    )


def update(store: Store, item: Download, *, durable: bool = False) -> None:
    """Writes the whole row of `item`, unless the user paused or cancelled it meanwhile."""
    values = {name: getattr(item, name) for name in COLUMNS}
    sets = ", ".join(f'"{n}" = :{n}' for n in COLUMNS if n not in ("profile", "generation_id", "index"))
    with store.write(durable=durable) as connection:
        connection.execute(
            f"UPDATE downloads SET {sets} WHERE profile = :profile AND generation_id = :generation_id"
            " AND \"index\" = :index AND state NOT IN ('paused', 'cancelled')",
            values,
        )


def new_links(connection: sqlite3.Connection, profile: str, generation_id: str, urls: tuple[str, ...]) -> None:
    """The API answered: downloads that wait for a fresh URL go on with it, or with the old one for a last time."""
    for index, url in enumerate(urls, start=1):
        connection.execute(
            "UPDATE downloads SET url = ?, etag = CASE WHEN url = ? THEN etag END WHERE profile = ?"
            ' AND generation_id = ? AND "index" = ? AND link_asked = 1',
            (url, url, profile, generation_id, index),
        )
    connection.execute(
        "UPDATE downloads SET link_asked = 2 WHERE profile = ? AND generation_id = ? AND link_asked = 1",
        (profile, generation_id),
    )

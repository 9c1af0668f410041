"""Writes about generations, and the few reads that the engine needs.

Owns: the mapping between rows and `domain.Generation`, and the timeline of what was seen when. Refuses: deciding
whether an answer may change a row (that is `domain.generation.apply`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from vivix_tui.domain import times
from vivix_tui.domain.account import parse_body
from vivix_tui.domain.generation import Answer, Generation, apply
from vivix_tui.store import audits, downloads
from vivix_tui.store.history import SETTINGS
from vivix_tui.store.store import Store

COLUMNS = Generation.__struct_fields__
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM generations"


def from_row(row: sqlite3.Row) -> Generation:
    """A row that holds (at least) all COLUMNS as the domain sees it."""
    values = {name: row[name] for name in COLUMNS}
    values["output_urls"] = _urls(row["output_urls"])
    return Generation(**values)


def get(store: Store, profile: str, generation_id: str) -> Generation | None:
    rows = store.all(f"{_SELECT} WHERE profile = ? AND generation_id = ?", (profile, generation_id))
    return from_row(rows[0]) if rows else None


def track(
    connection: sqlite3.Connection, profile: str, items: Iterable[tuple[str, str | None]], now: datetime
) -> tuple[int, int]:
    """Follows each (id, body or None). Returns how many are new and how many were known.

    A known one keeps what is known of it, gains the body if it had none, and comes back if it was forgotten.
    """
    new = known = 0
    for generation_id, body in items:
        prompt, model = body_facts(body)
        cursor = connection.execute(
            "INSERT INTO generations (profile, generation_id, tracked_at, sort_ms, body, prompt, model)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (profile, generation_id, times.iso(now), times.to_ms(now), body, prompt, model),
        )
        if cursor.rowcount:
            new += 1
            add_event(connection, profile, generation_id, now, "tracked")
            continue
        known += 1
        connection.execute(
            "UPDATE generations SET body = coalesce(body, ?), prompt = coalesce(prompt, ?),"
            " model = coalesce(model, ?), forgotten_at = NULL WHERE profile = ? AND generation_id = ?"
            " AND (forgotten_at IS NOT NULL OR (body IS NULL AND ? IS NOT NULL))",
            (body, prompt, model, profile, generation_id, body),
        )
    return new, known


def insert_past(
    connection: sqlite3.Connection, profile: str, past: Iterable[tuple[Answer, str]], now: datetime
) -> None:
    """Writes whole past generations (answer, body) at once; for filling a demo's history."""
    names = (*Answer.__struct_fields__, "profile", "tracked_at", "checked_at", "body", "prompt", "sort_ms")

    def values(answer: Answer, body: str) -> tuple[object, ...]:
        facts = [getattr(answer, name) for name in Answer.__struct_fields__]
        facts[names.index("output_urls")] = _urls_text(answer.output_urls)
        made = times.parse(answer.created_at) or now
        seen = answer.completed_at or times.iso(now)
        return (*facts, profile, seen, seen, body, body_facts(body)[0], times.to_ms(made))

    connection.executemany(
        f"INSERT INTO generations ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) ON CONFLICT DO NOTHING",
        (values(answer, body) for answer, body in past),
    )


def record(
    store: Store,
    profile: str,
    answer: Answer,
    *,
    asked_at: datetime,
    now: datetime | None = None,
    born: datetime | None = None,
    fetch: bool = False,
) -> Generation | None:
    """Applies `answer` to its row. Returns the row as it is now, None where the answer had to be dropped.

    `now` shows a clock that was set back. `born` is when the server made it (never later than now), for sorting. When
    the generation completed and its files are wanted, by a wish or by `fetch` (all are), the downloads are queued in
    the same transaction.
    """
    with store.write() as connection:
        row = _locked(connection, profile, answer.generation_id)
        after = apply(row, answer, asked_at, now) if row is not None else None
        if row is None or after is None:
            return None
        if after.status == row.status and not after.ended and not _hurried(connection, row):
            store.report()
        _save(connection, row, after, sort_ms=times.to_ms(born) if born and row.created_at is None else None)
        if after.status != row.status:
            add_event(connection, profile, row.generation_id, asked_at, after.status or "?", after.error)
            if after.ended and row.status is not None:
                audits.job_ended(connection, after)
        if after.status != row.status or after.urls != row.urls:
            if fetch:
                downloads.want_unless_asked(connection, after)
            downloads.queue_wanted(connection, after, asked_at)
        downloads.new_links(connection, profile, row.generation_id, after.urls)
        return after


def mark_gone(store: Store, profile: str, generation_id: str, *, code: str, refusal: Answer, now: datetime) -> None:
    """The API does not know this id (any longer), or it is another account's: asking ends, all that is known stays."""
    with store.write() as connection:
        connection.execute(
            "UPDATE generations SET gone = ?, message = coalesce(message, ?), next = ?, request_id = ?,"
            " checked_at = ?, hurry = 0, wanted_in = NULL, note = NULL WHERE profile = ? AND generation_id = ?",
            (code, refusal.message, refusal.next, refusal.request_id, times.iso(now), profile, generation_id),
        )
        add_event(connection, profile, generation_id, now, "gone", code)
        downloads.new_links(connection, profile, generation_id, ())


def note(store: Store, profile: str, generation_id: str, text: str | None) -> None:
    """Why the last question about it brought nothing; shown on the row, changes nothing else."""
    with store.write() as connection:
        connection.execute(
            "UPDATE generations SET note = ?, hurry = 0 WHERE profile = ? AND generation_id = ?"
            " AND (note IS NOT ? OR hurry <> 0)",
            (text, profile, generation_id, text),
        )


class Live(Struct, frozen=True):
    """What the scheduler reads of a row: `settings` as in `store.history`, `hurry` where the user wants to know now."""

    generation_id: str
    model: str | None
    settings: str | None
    status: str | None
    elapsed_ms: int | None
    checked_at: str | None
    tracked_at: str
    hurry: bool


_LIVE = (
    f"SELECT generation_id, model, {SETTINGS} AS settings, status, elapsed_ms, checked_at, tracked_at, hurry"
    " FROM generations WHERE profile = :p AND"
)
# Word by word the conditions of the indexes that are made for them.
_ASKED = "status NOT IN ('completed', 'failed') AND gone IS NULL AND forgotten_at IS NULL"
_UNASKED = "status IS NULL AND gone IS NULL AND forgotten_at IS NULL"


def live(store: Store, profile: str) -> list[Live]:
    """All that were answered and have not ended, that the user wants to know about now, or that need a fresh URL."""
    rows = store.all(
        f"{_LIVE} {_ASKED} UNION {_LIVE} hurry = 1 UNION {_LIVE} generation_id IN"
        " (SELECT generation_id FROM downloads WHERE profile = :p AND state = 'queued' AND link_asked = 1)",
        {"p": profile},
    )
    return [_live(row) for row in rows]


def hurry(connection: sqlite3.Connection, profile: str, generation_id: str) -> bool:
    """Has it asked about as soon as the budget allows. False where that is already wished for."""
    cursor = connection.execute(
        "UPDATE generations SET hurry = 1 WHERE profile = ? AND generation_id = ? AND hurry = 0",
        (profile, generation_id),
    )
    return cursor.rowcount == 1


def charges(store: Store, profile: str, model: str, *, most: int = 50) -> list[tuple[str, int]]:
    """(body, credits used) of the newest completed generations of a model whose body is known."""
    rows = store.all(
        "SELECT body, credits_used FROM generations WHERE profile = ? AND model = ? AND status = 'completed'"
        " AND credits_used IS NOT NULL AND body IS NOT NULL ORDER BY sort_ms DESC LIMIT ?",
        (profile, storable(model), most),
    )
    return [(row[0], row[1]) for row in rows]


def was_asked(store: Store, profile: str, generation_id: str) -> bool:
    """Whether the wish to know now was answered, or had no answer and nobody will ask by itself any more."""
    sql = (
        "SELECT 1 FROM generations WHERE profile = ? AND generation_id = ? AND hurry = 0"
        " AND (note IS NULL OR section IS NOT 0)"
    )
    return bool(store.all(sql, (profile, generation_id)))


def unasked(store: Store, profile: str, limit: int, *, newest: bool = False) -> list[Live]:
    """At most `limit` of those that never had an answer, the oldest (or `newest`) wishes first."""
    order = "sort_ms DESC, rowid DESC" if newest else "sort_ms, rowid"
    rows = store.all(f"{_LIVE} {_UNASKED} ORDER BY {order} LIMIT :limit", {"p": profile, "limit": limit})
    return [_live(row) for row in rows]


def unasked_count(store: Store, profile: str) -> int:
    """How many never had an answer."""
    return int(store.one(f"SELECT count(*) FROM generations WHERE profile = ? AND {_UNASKED}", (profile,))[0])


def _live(row: sqlite3.Row) -> Live:
    return Live(**{name: row[name] for name in row.keys()} | {"hurry": bool(row["hurry"])})  # noqa: SIM118


def last_event(store: Store) -> int:
    """The number of the newest line of all timelines."""
    return int(store.one("SELECT coalesce(max(seq), 0) FROM events")[0])


def ended_since(store: Store, profile: str, seq: int, status: str) -> list[tuple[int, str]]:
    """(number of the line, id) of the generations that were seen to end with `status` after line `seq`."""
    rows = store.all(
        "SELECT e.seq, e.subject FROM events e JOIN generations g ON g.profile = e.profile"
        " AND g.generation_id = e.subject WHERE e.seq > ? AND e.profile = ? AND e.event = ? ORDER BY e.seq",
        (seq, profile, status),
    )
    return [(row[0], row[1]) for row in rows]


def add_event(
    connection: sqlite3.Connection, profile: str, subject: str, at: datetime, event: str, detail: str | None = None
) -> None:
    """One line of the timeline of a generation or submission."""
    connection.execute(
        "INSERT INTO events (profile, subject, at, event, detail) VALUES (?, ?, ?, ?, ?)",
        (profile, subject, times.iso(at), event, detail),
    )


def has_event(connection: sqlite3.Connection, profile: str, subject: str, event: str) -> bool:
    """Whether the timeline of a generation or submission has such a line."""
    sql = "SELECT 1 FROM events WHERE profile = ? AND subject = ? AND event = ?"
    return connection.execute(sql, (profile, subject, event)).fetchone() is not None


def body_facts(body: str | None) -> tuple[str | None, str | None]:
    """(prompt, model) of a body, None where it names none."""
    value = parse_body(body) if body else None
    if value is None:
        return None, None
    prompt, model = value.get("prompt"), value.get("model")
    return (storable(prompt) if isinstance(prompt, str) else None, storable(model) if isinstance(model, str) else None)


def storable(text: str) -> str:
    """`text` without lone surrogates, which SQLite cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _locked(connection: sqlite3.Connection, profile: str, generation_id: str) -> Generation | None:
    rows = connection.execute(f"{_SELECT} WHERE profile = ? AND generation_id = ?", (profile, generation_id)).fetchall()
    return from_row(rows[0]) if rows else None


def _hurried(connection: sqlite3.Connection, row: Generation) -> bool:
    sql = "SELECT hurry FROM generations WHERE profile = ? AND generation_id = ?"
    return bool(connection.execute(sql, (row.profile, row.generation_id)).fetchone()[0])


def _save(connection: sqlite3.Connection, before: Generation, row: Generation, *, sort_ms: int | None) -> None:
    """Only what changed is written: text that is damaged on the disk cannot be written back."""
    values = {name: getattr(row, name) for name in COLUMNS if getattr(row, name) != getattr(before, name)}
    if "output_urls" in values:
        values["output_urls"] = _urls_text(row.output_urls)
    connection.execute(
        f"UPDATE generations SET {''.join(f'{name} = :{name}, ' for name in values)}hurry = 0,"
        " sort_ms = coalesce(:sort_ms, sort_ms) WHERE profile = :profile AND generation_id = :generation_id",
        values | {"sort_ms": sort_ms, "profile": row.profile, "generation_id": row.generation_id},
    )


def _urls(text: str | None) -> tuple[str, ...]:
    """What `_urls_text` wrote. What is no list of texts counts as unknown: no other row must suffer for it."""
    try:
        found = json.loads(text) if text else ()
    except (ValueError, RecursionError):
        found = ()
    return tuple(url for url in found if isinstance(url, str)) if isinstance(found, list) else ()


def _urls_text(urls: tuple[str, ...]) -> str | None:
    return json.dumps(urls) if urls else None

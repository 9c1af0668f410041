"""Writes about submissions: the journal that money depends on.

Owns: the mapping between rows and `domain.Submission`, and that each step is on disk before the next one is taken.
Refuses: sending, and deciding what an outcome means (`domain.submission`).
"""

from __future__ import annotations

import sqlite3
import uuid
from datetime import datetime

from vivix_tui.domain import submission as s
from vivix_tui.domain import times
from vivix_tui.domain.generation import ENDED, PENDING
from vivix_tui.domain.submission import Accepted, Submission
from vivix_tui.errors import Refusal
from vivix_tui.store.generations import add_event, body_facts, storable
from vivix_tui.store.store import Store

COLUMNS = Submission.__struct_fields__
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM submissions"
_PAUSED = "(SELECT 1 FROM accounts a WHERE a.profile = submissions.profile AND a.queue_paused IS NOT NULL)"


def from_row(row: sqlite3.Row) -> Submission:
    values = {name: row[name] for name in COLUMNS}
    flags = {name: bool(row[name]) for name in ("held", "checked", "ask_first", "again")}
    return Submission(**values | flags)


def get(store: Store, submission_id: str) -> Submission | None:
    rows = store.all(f"{_SELECT} WHERE submission_id = ?", (submission_id,))
    return from_row(rows[0]) if rows else None


def queue(
    connection: sqlite3.Connection,
    profile: str,
    body: str,
    now: datetime,
    *,
    retry_of: str | None = None,
    checked: bool = True,
    credits_estimate: int | None = None,
    ask_first: bool = False,
    again: bool = False,
) -> str:
    """Writes down the wish to send `body`; returns the new submission's id."""
    submission_id = str(uuid.uuid4())
    prompt, model = body_facts(body)
    connection.execute(
        "INSERT INTO submissions (submission_id, profile, state, body, created_at, retry_of, checked, prompt, model,"
        " credits_estimate, ask_first, again, sort_ms, position) VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " (SELECT coalesce(max(position), 0) + 1 FROM submissions WHERE profile = ? AND state = 'queued'))",
        (
            submission_id, profile, body, times.iso(now), retry_of, checked, prompt, model, credits_estimate,
            ask_first, again, times.to_ms(now), profile,
        ),
    )  # fmt: skip
    add_event(connection, profile, submission_id, now, "queued")
    return submission_id


def retry_under_way(store: Store, profile: str, generation_id: str) -> str | None:
    """The submission that already retries this generation and has not ended, or None.

    Inside a `write` of the same store the answer holds until its end.
    """
    rows = store.all(
        "SELECT r.submission_id FROM submissions r LEFT JOIN generations g"
        " ON g.profile = r.profile AND g.generation_id = r.generation_id"
        " WHERE r.profile = ? AND r.retry_of = ? AND (r.state IN ('queued', 'sending', 'unknown')"
        " OR (r.state = 'accepted' AND g.section = 0)) LIMIT 1",
        (profile, generation_id),
    )
    return str(rows[0][0]) if rows else None


def attempts(store: Store, profile: str, generation_id: str) -> int:
    """How many retries led to this generation: its ancestors, one after the other."""
    sql = (
        "WITH RECURSIVE line (id, n) AS (SELECT :id, 0 UNION ALL"
        " SELECT g.retry_of, n + 1 FROM line JOIN generations g ON g.profile = :p AND g.generation_id = line.id"
        " WHERE g.retry_of IS NOT NULL AND n < 100) SELECT max(n) FROM line"
    )
    return int(store.one(sql, {"id": generation_id, "p": profile})[0])


def next_queued(store: Store, profile: str) -> Submission | None:
    """The first body that may go out, None while there is none or the queue is paused."""
    rows = store.all(
        f"{_SELECT} WHERE profile = ? AND state = 'queued' AND NOT held AND NOT ask_first AND NOT EXISTS {_PAUSED}"
        " ORDER BY position LIMIT 1",
        (profile,),
    )
    return from_row(rows[0]) if rows else None


def put_off_at(store: Store, profile: str, code: str) -> datetime | None:
    """When a body that waits still was last answered with this code, None where none was."""
    sql = "SELECT max(sent_at) FROM submissions WHERE profile = ? AND state = 'queued' AND error = ?"
    return times.parse(store.one(sql, (profile, code))[0])


def asking_first(store: Store, profile: str) -> list[Submission]:
    """Queued retries whose original has yet to be asked about."""
    rows = store.all(f"{_SELECT} WHERE profile = ? AND state = 'queued' AND ask_first ORDER BY position", (profile,))
    return [from_row(row) for row in rows]


def asked(store: Store, item: Submission, now: datetime) -> None:
    """The API was asked about the original, and the retry may go out."""
    with store.write() as connection:
        connection.execute(
            "UPDATE submissions SET ask_first = 0 WHERE submission_id = ? AND state = 'queued'", (item.submission_id,)
        )
        add_event(connection, item.profile, item.submission_id, now, "asked", "the original failed or may be repeated")


def begin(store: Store, submission_id: str, balance: int | None, now: datetime) -> bool:
    """`queued` → `sending`, on disk before the first byte may leave. False if it may no longer go out."""
    with store.write(durable=True) as connection:
        cursor = connection.execute(
            "UPDATE submissions SET state = 'sending', sent_at = ?, balance_before = ?, balance_after = NULL,"
            " error = NULL, message = NULL, next = NULL, request_id = NULL"
            f" WHERE submission_id = ? AND state = 'queued' AND NOT held AND NOT ask_first AND NOT EXISTS {_PAUSED}",
            (times.iso(now), balance, submission_id),
        )
        return cursor.rowcount == 1


def accepted(
    store: Store, item: Submission, answer: Accepted, balance: int | None, now: datetime, *, known: bool = True
) -> bool:
    """The API made it: the id is stored, and the generation is followed from now on.

    `known` is False where the user and not the API named the id: then its status has yet to be asked for, and nothing
    is written (False) where the submission is no longer unknown, or the generation came of another one.
    """
    with store.write(durable=True) as connection:
        if not known and not _may_be(connection, item, answer.generation_id):
            return False
        connection.execute(
            "UPDATE submissions SET state = 'accepted', generation_id = ?, balance_after = ?,"
            " request_id = coalesce(?, request_id) WHERE submission_id = ?",
            (answer.generation_id, balance, answer.request_id, item.submission_id),
        )
        # How it ended, and what it brought, only the status endpoint tells: it is asked about once, at least.
        status = (PENDING if answer.status in ENDED else answer.status) if known else None
        made = min(times.parse(answer.created_at) or now, now)
        # An id that an API names twice stays that of the body it was first named for.
        connection.execute(
            "INSERT INTO generations (profile, generation_id, status, model, credits_estimate, created_at,"
            " tracked_at, body, prompt, submission_id, retry_of, request_id, sort_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET body = excluded.body, prompt = excluded.prompt,"
            " submission_id = excluded.submission_id, retry_of = excluded.retry_of, forgotten_at = NULL"
            " WHERE generations.submission_id IS NULL",
            (
                item.profile, answer.generation_id, status, answer.model or item.model, answer.credits_estimate,
                answer.created_at, times.iso(now), item.body, item.prompt, item.submission_id, item.retry_of,
                answer.request_id, times.to_ms(made),
            ),
        )  # fmt: skip
        add_event(connection, item.profile, item.submission_id, now, s.ACCEPTED, answer.generation_id)
        add_event(connection, item.profile, answer.generation_id, now, status or "tracked")
    return True


def _may_be(connection: sqlite3.Connection, item: Submission, generation_id: str) -> bool:
    """Whether this submission is unknown still, and the generation not that of another one."""
    found = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM submissions WHERE submission_id = :s AND state = 'unknown') AND NOT EXISTS"
        " (SELECT 1 FROM generations WHERE profile = :p AND generation_id = :g AND submission_id <> :s)",
        {"s": item.submission_id, "p": item.profile, "g": generation_id},
    )
    return bool(found.fetchone()[0])


def ended(
    store: Store, item: Submission, state: str, now: datetime, *, refusal: Refusal, balance: int | None = None
) -> None:
    """`sending` → `state` (refused, unknown or back to queued) with what the answer said."""
    if state not in s.LEGAL[s.SENDING]:
        raise ValueError(f"sending does not end as {state}")
    with store.write(durable=True) as connection:
        connection.execute(
            "UPDATE submissions SET state = ?, error = ?, message = ?, next = ?, request_id = ?, balance_after = ?"
            " WHERE submission_id = ? AND state IN ('sending', 'queued')",
            (
                state, refusal.code, refusal.message, refusal.next_step, refusal.request_id, balance,
                item.submission_id,
            ),
        )  # fmt: skip
        add_event(connection, item.profile, item.submission_id, now, state, refusal.code)


def resolve(store: Store, submission_id: str, state: str, now: datetime) -> bool:
    """`unknown` → `state`, as the user decided. False where it is no longer unknown."""
    if state not in s.LEGAL[s.UNKNOWN]:
        raise ValueError(f"unknown is not resolved as {state}")
    with store.write(durable=True) as connection:
        cursor = connection.execute(
            "UPDATE submissions SET state = ? WHERE submission_id = ? AND state = 'unknown'", (state, submission_id)
        )
        if not cursor.rowcount:
            return False
        connection.execute(
            "INSERT INTO events (profile, subject, at, event, detail)"
            " SELECT profile, submission_id, ?, ?, 'by you' FROM submissions WHERE submission_id = ?",
            (times.iso(now), state, submission_id),
        )
    return True


def spent_since(store: Store, profile: str, since: datetime) -> int:
    """Credits of what was sent since then: what was used, else the estimates; what may have been charged counts."""
    row = store.one(
        "SELECT coalesce(sum(coalesce(g.credits_used, g.credits_estimate, s.credits_estimate, 0)), 0)"
        " FROM submissions s LEFT JOIN generations g ON g.profile = s.profile AND g.generation_id = s.generation_id"
        " WHERE s.profile = ? AND s.state IN ('sending', 'accepted', 'unknown') AND s.sent_at >= ?",
        (profile, times.iso(since)),
    )
    return int(row[0])


def price(store: Store, submission_id: str, most: int) -> None:
    """What it may cost at most, in credits, known only after it was queued."""
    with store.write() as connection:
        connection.execute("UPDATE submissions SET credits_estimate = ? WHERE submission_id = ?", (most, submission_id))


def hold_for(store: Store, item: Submission, code: str, reason: str, now: datetime) -> None:
    """Stays queued, held with a reason, until the user releases it."""
    with store.write() as connection:
        connection.execute(
            "UPDATE submissions SET held = 1, error = ?, message = ? WHERE submission_id = ? AND state = 'queued'",
            (code, reason, item.submission_id),
        )
        add_event(connection, item.profile, item.submission_id, now, "held", code)


def refuse_unsent(
    store: Store, item: Submission, reason: str, now: datetime, *, code: str = "INVALID_HERE", next_step: str = ""
) -> None:
    """Refused here, before a byte left: it costs nothing. `code` says which of our own rules it was."""
    next_step = next_step or "Correct the body and submit it again; --no-check sends it all the same."
    with store.write() as connection:
        connection.execute(
            "UPDATE submissions SET state = 'refused', error = ?, message = ?, next = ?"
            " WHERE submission_id = ? AND state = 'queued'",
            (code, storable(reason), f"Nothing was sent. {next_step}", item.submission_id),
        )
        add_event(connection, item.profile, item.submission_id, now, s.REFUSED, code)


def orphaned(store: Store, profile: str, now: datetime) -> int:
    """What a dead engine left as `sending` may have been charged: it becomes `unknown`. Returns how many."""
    with store.write(durable=True) as connection:
        rows = connection.execute(
            "SELECT submission_id FROM submissions WHERE profile = ? AND state = 'sending'", (profile,)
        ).fetchall()
        for row in rows:
            connection.execute(
                "UPDATE submissions SET state = 'unknown', error = 'INTERRUPTED',"
                " message = 'The program ended while this was being sent.' WHERE submission_id = ?",
                (row[0],),
            )
            add_event(connection, profile, row[0], now, s.UNKNOWN, "INTERRUPTED")
    return len(rows)


def saw_balance(store: Store, profile: str, balance: int) -> None:
    """A new balance was seen: it is the first one after outcomes that were not readable, and it may suffice again."""
    with store.write() as connection:
        connection.execute(
            "UPDATE submissions SET balance_after = ? WHERE profile = ? AND state = 'unknown'"
            " AND balance_after IS NULL",
            (balance, profile),
        )
        connection.execute(
            "UPDATE accounts SET queue_paused = NULL, queue_needs = NULL WHERE profile = ? AND queue_needs <= ?",
            (profile, balance),
        )


def pause_queue(store: Store, profile: str, reason: str | None, *, needs: int | None = None) -> None:
    """Pauses the whole queue with a reason, or resumes it (None). A balance of `needs` credits resumes it, too.

    A pause that only the user ends stays one, whatever else comes up.
    """
    with store.write() as connection:
        connection.execute(
            "INSERT INTO accounts (profile, queue_paused, queue_needs) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET queue_paused = excluded.queue_paused, queue_needs = excluded.queue_needs"
            " WHERE queue_paused IS NULL OR queue_needs IS NOT NULL OR excluded.queue_needs IS NULL",
            (profile, reason, needs),
        )

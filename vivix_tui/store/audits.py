"""Whether the balance moved as the API says it charged: the proof of charges and refunds.

Owns: audits. An audit begins with the balance at a moment when nothing of ours was under way, and ends at the next
such moment; between them the balance must have fallen by what the API charged for the generations that ended.
Refuses: judging a period in which a generation ended that was not submitted here, or whose charge is unknown: when
that one was paid for is not known.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from msgspec import Struct

from vivix_tui.domain import times
from vivix_tui.domain.generation import Generation
from vivix_tui.store.store import Store


class Audit(Struct, frozen=True, kw_only=True):
    """A period that is over; credits. `unknown` submissions of it may have been charged without an answer."""

    began_at: str
    ended_at: str
    balance_before: int
    balance_after: int
    charged: int
    jobs: int
    unknown: int

    @property
    def unexplained(self) -> int:
        """Credits that left the account beyond what was charged; negative where fewer left."""
        return self.balance_before - self.balance_after - self.charged


_SELECT = "SELECT a.began_at, a.ended_at, a.balance_before, a.balance_after, a.charged, a.jobs, a.unknown FROM audits a"


def is_quiet(store: Store, profile: str) -> bool:
    """Whether nothing that could move the balance is under way, as far as is known here."""
    return not store.one(
        "SELECT EXISTS (SELECT 1 FROM generations WHERE profile = :p AND section = 0)"
        " OR EXISTS (SELECT 1 FROM submissions WHERE profile = :p AND state = 'sending')",
        {"p": profile},
    )[0]


def quiet_balance(store: Store, profile: str, balance: int, now: datetime) -> None:
    """The balance at a quiet moment: it ends the audit in which something happened, or moves the start of the next."""
    at = times.iso(now)
    with store.write() as connection:
        connection.execute(
            "UPDATE audits SET ended_at = :at, balance_after = :balance, unknown = (SELECT count(*) FROM submissions s"
            " WHERE s.profile = :p AND s.state = 'unknown' AND s.sent_at >= audits.began_at)"
            " WHERE profile = :p AND ended_at IS NULL AND jobs > 0",
            {"at": at, "balance": balance, "p": profile},
        )
        connection.execute(
            "INSERT INTO audits (profile, began_at, balance_before) VALUES (:p, :at, :balance)"
            " ON CONFLICT (profile) WHERE ended_at IS NULL"
            " DO UPDATE SET began_at = excluded.began_at, balance_before = excluded.balance_before",
            {"at": at, "balance": balance, "p": profile},
        )


def job_ended(connection: sqlite3.Connection, row: Generation) -> None:
    """A generation that was seen under way has ended; what it cost belongs to the open audit."""
    charge = row.credits_used if row.submission_id is not None else None
    connection.execute(
        "UPDATE audits SET charged = charged + ?, jobs = jobs + 1 WHERE profile = ? AND ended_at IS NULL",
        (charge, row.profile),
    )
    connection.execute(
        "UPDATE generations SET audit = (SELECT audit FROM audits WHERE profile = :p AND ended_at IS NULL)"
        " WHERE profile = :p AND generation_id = :id",
        {"p": row.profile, "id": row.generation_id},
    )


def of(store: Store, profile: str, generation_id: str) -> Audit | None:
    """The audit of the period in which a generation ended; None while it goes on or where it cannot be judged."""
    rows = store.all(
        f"{_SELECT} JOIN generations g ON g.audit = a.audit WHERE g.profile = ? AND g.generation_id = ?"
        " AND a.ended_at IS NOT NULL AND a.charged IS NOT NULL",
        (profile, generation_id),
    )
    return Audit(**dict(rows[0])) if rows else None


def unexplained(store: Store, profile: str, *, most: int = 5) -> list[Audit]:
    """The newest audits in which the balance did not move as the API said, newest first."""
    rows = store.all(
        f"{_SELECT} WHERE profile = ? AND ended_at IS NOT NULL AND balance_before - balance_after <> charged"
        " ORDER BY audit DESC LIMIT ?",
        (profile, most),
    )
    return [Audit(**dict(row)) for row in rows]

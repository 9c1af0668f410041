"""What people read: pages of the table, details, counts. The only door of the screen into the store.

Owns: filter, order and paging in SQL, so that 100,000 rows cost as much as forty. Refuses: writing.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from vivix_tui.domain import times
from vivix_tui.domain.account import Account, Model
from vivix_tui.domain.download import Download
from vivix_tui.domain.generation import PENDING, PROCESSING, Generation
from vivix_tui.domain.glimpse import Glimpse
from vivix_tui.domain.submission import Submission
from vivix_tui.store import accounts, audits, downloads, generations, glimpses, submissions
from vivix_tui.store.accounts import EngineState
from vivix_tui.store.audits import Audit
from vivix_tui.store.history import SETTINGS
from vivix_tui.store.order import RANKS, TEXT, Order, beside_sql, order_sql, rows_sql
from vivix_tui.store.store import Store

ODD_STATUS_MS = 900_000
PHASES = ("active", "queued", "done", "failed", "gone")
DEFAULT_ORDER = Order()
AT_ONCE = 1_000


class Filter(Struct, frozen=True):
    """Which rows: `text` is searched in id, model, prompt and error code; `phases` empty means all."""

    text: str = ""
    phases: frozenset[str] = frozenset()


class TableRow(Struct, frozen=True, kw_only=True):
    """One line of the table: a generation, or a submission that has not become one.

    `status` is the API's word for a generation (None before it was asked) and the state for a submission.
    `settings` is what its duration depends on (see `store.history`), None unless it is active.
    `files` outputs are known, `files_done` of them are on disk; `received`/`size` are bytes of those being fetched.
    """

    kind: str
    id: str
    phase: str
    status: str | None
    model: str | None
    prompt: str | None
    error: str | None
    gone: str | None
    credits_estimate: int | None
    credits_used: int | None
    elapsed_ms: int | None
    duration_ms: int | None
    checked_at: str | None
    sort_ms: int
    note: str | None
    held: bool
    asks_first: bool
    has_body: bool
    files: int
    files_done: int
    files_under_way: int
    received: int
    size: int | None
    retries: int
    settings: str | None = None


class Event(Struct, frozen=True, kw_only=True):
    """One line of a timeline."""

    at: str
    event: str
    detail: str | None


class Detail(Struct, frozen=True, kw_only=True):
    """All that is known of one row. Exactly one of `generation` and `submission` may be None."""

    generation: Generation | None
    submission: Submission | None
    downloads: tuple[Download, ...] = ()
    original: Generation | None = None
    retries: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    wanted: bool = False
    tell: bool = False
    audit: Audit | None = None


_GENERATION = f"""
SELECT 'generation' AS kind, generation_id AS id, phase, status, model, prompt, error, gone, credits_estimate,
  credits_used, elapsed_ms, duration_ms, checked_at, sort_ms, note,
  0 AS held, 0 AS asks_first, body IS NOT NULL AS has_body,
  CASE WHEN json_valid(output_urls) THEN json_array_length(output_urls) ELSE output_url IS NOT NULL END AS files,
  (SELECT count(*) FROM downloads d WHERE d.profile = g.profile AND d.generation_id = g.generation_id
    AND state = 'done') AS files_done,
  (SELECT count(*) FROM downloads d WHERE d.profile = g.profile AND d.generation_id = g.generation_id
    AND state IN ('queued', 'active', 'paused')) AS files_under_way,
  (SELECT coalesce(sum(received_bytes), 0) FROM downloads d WHERE d.profile = g.profile
    AND d.generation_id = g.generation_id) AS received,
  (SELECT CASE WHEN count(*) = count(size_bytes) THEN sum(size_bytes) END FROM downloads d
    WHERE d.profile = g.profile AND d.generation_id = g.generation_id) AS size,
  (SELECT count(*) FROM submissions s WHERE s.profile = g.profile AND s.retry_of = g.generation_id
    AND s.state NOT IN ('refused', 'cancelled')) AS retries, CASE WHEN phase = 'active' THEN {SETTINGS} END AS settings
FROM generations g WHERE profile = ? AND generation_id IN ({{marks}})
"""
_SUBMISSION = """
SELECT 'submission' AS kind, submission_id AS id, phase, state AS status, model, prompt, error, NULL AS gone,
  credits_estimate, NULL AS credits_used, NULL AS elapsed_ms, NULL AS duration_ms, sent_at AS checked_at, sort_ms,
  message AS note, held, ask_first AS asks_first, 1 AS has_body, 0 AS files, 0 AS files_done, 0 AS files_under_way,
  0 AS received, NULL AS size, 0 AS retries
FROM submissions WHERE profile = ? AND submission_id IN ({marks})
"""


def page(
    store: Store,
    profile: str,
    filter_: Filter,
    *,
    offset: int,
    limit: int,
    order: Order = DEFAULT_ORDER,
    count: int | None = None,
) -> list[TableRow]:
    """`limit` rows from `offset` in the order of the table: active ones first, then the newest, unless sorted.

    SQLite walks past all rows before `offset`. Where `count`, the number of all rows, is given, it comes from the end
    if that is nearer.
    """
    backwards = count is not None and offset > count / 2
    if count is not None and backwards:
        end = min(offset + limit, count)
        offset, limit = count - end, max(0, end - offset)
    ordered = order_sql(order, backwards=backwards)
    sql = f"SELECT kind, id FROM ({_rows_sql(filter_, order)} {ordered} LIMIT :limit OFFSET :offset)"
    found = store.all(sql, _parameters(profile, filter_) | {"limit": limit, "offset": offset})
    return _rows(store, profile, found[::-1] if backwards else found)


def matches(store: Store, profile: str, filter_: Filter, order: Order = DEFAULT_ORDER) -> array[int]:
    """All rows that the filter lets through, in the order of the table, as numbers: 8 bytes each, whatever their ids.

    They hold until the database changes; submissions have negative ones. They come as one row: at each row Python lets
    other threads in, and beside an engine that calculates 500 rows took 2.7 s instead of 0.06.
    """
    sql = f"SELECT json_group_array(number) FROM ({_rows_sql(filter_, order)} {order_sql(order)})"
    return array("q", json.loads(store.one(sql, _parameters(profile, filter_))[0]))


def rows_of(store: Store, profile: str, numbers: Sequence[int]) -> list[TableRow]:
    """The rows with these numbers (see `matches`), in this order; those that are gone meanwhile are left out."""
    marks = ", ".join("?" * len(numbers))
    sql = (
        f"SELECT 'generation' AS kind, generation_id AS id, rowid AS number FROM generations WHERE rowid IN ({marks})"
        f" UNION ALL SELECT 'submission', submission_id, -rowid FROM submissions WHERE rowid IN ({marks})"
    )
    found = {row["number"]: row for row in store.all(sql, [*numbers, *(-number for number in numbers)])}
    return _rows(store, profile, [found[number] for number in numbers if number in found])


def number_of(store: Store, profile: str, kind: str, row_id: str) -> int | None:
    """The number (see `matches`) of a row, None where there is none."""
    table, sign = ("generations", "") if kind == "generation" else ("submissions", "-")
    sql = f"SELECT {sign}rowid FROM {table} WHERE profile = ? AND {kind}_id = ?"
    return next((int(row[0]) for row in store.all(sql, (profile, row_id))), None)


def _rows(store: Store, profile: str, rows: Sequence[sqlite3.Row]) -> list[TableRow]:
    """What the table shows of these, each with its `kind` and `id`."""
    found: dict[tuple[str, str], TableRow] = {}
    for kind, sql in (("generation", _GENERATION), ("submission", _SUBMISSION)):
        ids = [row["id"] for row in rows if row["kind"] == kind]
        if not ids:
            continue
        for raw in store.all(sql.format(marks=", ".join("?" * len(ids))), [profile, *ids]):
            found[kind, raw["id"]] = _table_row(dict(raw))
    return [found[row["kind"], row["id"]] for row in rows if (row["kind"], row["id"]) in found]


def count(store: Store, profile: str, filter_: Filter) -> int:
    """How many rows the filter lets through."""
    return int(store.one(f"SELECT {_count_sql(filter_)}", _parameters(profile, filter_))[0])


def index_of(
    store: Store,
    profile: str,
    filter_: Filter,
    kind: str,
    row_id: str,
    order: Order = DEFAULT_ORDER,
    *,
    from_end: bool = False,
) -> int | None:
    """Where a row stands in the table (from 0), None where the filter hides it or it does not exist.

    The rows before it are counted, or those after it: `from_end` is quick where the row is near the end.
    """
    rows = _rows_sql(filter_, order, to_sort=False)
    parameters = _parameters(profile, filter_) | {"kind": kind, "id": row_id}
    names = ("key", "section", "sort_ms")
    here = store.all(f"SELECT {', '.join(names)} FROM ({rows}) WHERE kind = :kind AND id = :id", parameters)
    if not here:
        return None
    parameters |= {name: here[0][name] for name in names}
    ranges = beside_sql(order, known=here[0]["key"] is not None, after=from_end)
    sums = " + ".join(f"(SELECT count(*) FROM ({rows}) WHERE {where})" for where in ranges)
    place = f"{_count_sql(filter_)} - 1 - ({sums})" if from_end else sums
    return int(store.one(f"SELECT {place}", parameters)[0])


def counts(store: Store, profile: str) -> Mapping[str, int]:
    """Rows per phase (see PHASES), submissions that were not sent among them."""
    rows = store.all("SELECT phase, sum(number) FROM counts WHERE profile = ? GROUP BY phase", (profile,))
    return dict.fromkeys(PHASES, 0) | {phase: int(number) for phase, number in rows}


def in_flight(store: Store, profile: str, now: datetime) -> int:
    """Slots that are taken as far as we see: jobs the server works on, and POSTs under way.

    A status that the documents do not know may be an end, and a slot that is never freed would stop the queue for good:
    it counts for a while. The API itself says where there is no slot.
    """
    jobs = store.one(
        "SELECT count(*) FROM generations WHERE profile = ? AND section = 0 AND (status IN (?, ?)"
        " OR (status IS NOT NULL AND sort_ms > ?))",
        (profile, PENDING, PROCESSING, times.to_ms(now) - ODD_STATUS_MS),
    )[0]
    sending = store.one("SELECT count(*) FROM submissions WHERE profile = ? AND state = 'sending'", (profile,))[0]
    return int(jobs) + int(sending)


def under_way(store: Store, profile: str) -> tuple[int, int, int]:
    """(submissions queued, being sent, downloads queued or active): what a user may not expect to stop."""
    row = store.one(
        "SELECT (SELECT count(*) FROM submissions WHERE profile = :p AND state = 'queued' AND NOT held),"
        " (SELECT count(*) FROM submissions WHERE profile = :p AND state = 'sending'),"
        " (SELECT count(*) FROM downloads WHERE profile = :p AND state IN ('queued', 'active'))",
        {"p": profile},
    )
    return row[0], row[1], row[2]


def detail(store: Store, profile: str, kind: str, row_id: str) -> Detail | None:
    """All that is known of one row, None where there is no such row."""
    events = tuple(
        Event(at=row["at"], event=row["event"], detail=row["detail"])
        for row in store.all(
            "SELECT at, event, detail FROM events WHERE profile = ? AND subject = ? ORDER BY seq", (profile, row_id)
        )
    )
    if kind == "submission":
        submission = submissions.get(store, row_id)
        return Detail(generation=None, submission=submission, events=events) if submission else None
    generation = generations.get(store, profile, row_id)
    if generation is None:
        return None
    retries = store.all(
        "SELECT coalesce(generation_id, submission_id) FROM submissions WHERE profile = ? AND retry_of = ?"
        " ORDER BY position",
        (profile, row_id),
    )
    wanted, tell = store.one(
        "SELECT wanted_in IS NOT NULL, tell FROM generations WHERE profile = ? AND generation_id = ?",
        (profile, row_id),
    )
    return Detail(
        generation=generation,
        submission=submissions.get(store, generation.submission_id) if generation.submission_id else None,
        downloads=tuple(downloads.of(store, profile, row_id)),
        original=generations.get(store, profile, generation.retry_of) if generation.retry_of else None,
        retries=tuple(row[0] for row in retries),
        events=events,
        wanted=bool(wanted),
        tell=bool(tell),
        audit=audits.of(store, profile, row_id),
    )


def turn(store: Store, profile: str) -> tuple[int, str | None]:
    """Changes whenever something began, ended, failed or was decided, or the connection became another."""
    state = accounts.engine_state(store, profile)
    return last_event(store), state.connection if state is not None else None


def last_event(store: Store) -> int:
    """The number of the newest line of all timelines."""
    return generations.last_event(store)


def generation(store: Store, profile: str, generation_id: str) -> Generation | None:
    return generations.get(store, profile, generation_id)


def downloads_of(store: Store, profile: str, generation_id: str) -> list[Download]:
    return downloads.of(store, profile, generation_id)


def glimpses_of(store: Store, profile: str, generation_id: str) -> dict[int, Glimpse]:
    """What was fetched of its outputs to be looked at, by index."""
    return glimpses.of(store, profile, generation_id)


def submissions_by_id(store: Store, ids: Sequence[str]) -> list[Submission]:
    """Submissions in the order of `ids`; unknown ids are left out."""
    found = dict[str, Submission]()
    for first in range(0, len(ids), AT_ONCE):
        some = ids[first : first + AT_ONCE]
        marks = ", ".join("?" * len(some))
        sql = f"SELECT {', '.join(submissions.COLUMNS)} FROM submissions WHERE submission_id IN ({marks})"
        found |= {row["submission_id"]: submissions.from_row(row) for row in store.all(sql, some)}
    return [found[submission_id] for submission_id in ids if submission_id in found]


def list_generations(
    store: Store, profile: str, *, status: str | None = None, since_ms: int | None = None, limit: int | None = None
) -> Iterator[Generation]:
    """Generations that were not forgotten, newest first. `status` is the API's word or a `gone` code."""
    rows = store.all(
        f"SELECT {', '.join(generations.COLUMNS)} FROM generations WHERE profile = ? AND section IS NOT NULL"
        " AND (? IS NULL OR status = ? OR gone = ?) AND sort_ms >= ? ORDER BY sort_ms DESC LIMIT ?",
        (profile, status, status, status, since_ms or 0, -1 if limit is None else limit),
    )
    return map(generations.from_row, rows)


def list_submissions(
    store: Store, profile: str, *, status: str | None = None, since_ms: int | None = None, limit: int | None = None
) -> Iterator[Submission]:
    """Submissions, newest first; `status` is a state."""
    rows = store.all(
        f"SELECT {', '.join(submissions.COLUMNS)} FROM submissions WHERE profile = ?"
        " AND (? IS NULL OR state = ?) AND sort_ms >= ? ORDER BY sort_ms DESC, position DESC LIMIT ?",
        (profile, status, status, since_ms or 0, -1 if limit is None else limit),
    )
    return map(submissions.from_row, rows)


def queue(store: Store, profile: str) -> list[Submission]:
    """What has not been sent or not been settled: queued in order, sending, unknown."""
    rows = store.all(
        f"SELECT {', '.join(submissions.COLUMNS)} FROM submissions WHERE profile = ?"
        " AND state IN ('queued', 'sending', 'unknown') ORDER BY state = 'queued', position",
        (profile,),
    )
    return [submissions.from_row(row) for row in rows]


def account(store: Store, profile: str) -> Account:
    return accounts.account(store, profile)


def models(store: Store, profile: str) -> dict[str, Model]:
    return accounts.models(store, profile)


def spent_today(store: Store, profile: str, now: datetime) -> int:
    """Credits that went out since midnight, as `spend.daily_cap` counts them."""
    return submissions.spent_since(store, profile, times.midnight(now))


def engine_state(store: Store, profile: str) -> EngineState | None:
    return accounts.engine_state(store, profile)


def queue_paused(store: Store, profile: str) -> str | None:
    """Why the queue is paused, None while it is not."""
    return accounts.queue_paused(store, profile)


def _rows_sql(filter_: Filter, order: Order, *, to_sort: bool = True) -> str:
    generation, submission = "", ""
    if filter_.phases:
        marks = ", ".join(f"'{phase}'" for phase in sorted(filter_.phases & set(PHASES))) or "NULL"
        ranks = ", ".join(str(rank) for rank, phase in enumerate(RANKS) if phase in filter_.phases) or "NULL"
        generation += f" AND phase IN ({marks})" if order.by == DEFAULT_ORDER.by else f" AND rank IN ({ranks})"
        submission += f" AND phase IN ({marks})"
    if filter_.text:
        found = f"haystack {TEXT}"
        # Found in the index made for it, then sorted by another: neither looks at the rows themselves.
        generation += (
            f" AND {found}"
            if order.by == DEFAULT_ORDER.by
            else (
                f" AND +rowid IN (SELECT rowid FROM generations INDEXED BY generations_text"
                f" WHERE profile = :profile AND section IS NOT NULL AND {found})"
            )
        )
        fields = " OR ".join(f"{name} {TEXT}" for name in ("submission_id", "prompt", "model", "error"))
        submission += f" AND ({fields})"
    return rows_sql(order, generation, submission, to_sort=to_sort)


def _count_sql(filter_: Filter) -> str:
    """The number of rows that the filter lets through, as an expression."""
    if filter_.text:
        return f"(SELECT count(*) FROM ({_rows_sql(filter_, DEFAULT_ORDER)}))"
    phases = ", ".join(f"'{phase}'" for phase in sorted(filter_.phases & set(PHASES) or PHASES))
    return f"(SELECT coalesce(sum(number), 0) FROM counts WHERE profile = :profile AND phase IN ({phases}))"


def _parameters(profile: str, filter_: Filter) -> dict[str, str | int]:
    escaped = filter_.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {"profile": profile, "text": f"%{escaped}%"}


def _table_row(raw: dict[str, object]) -> TableRow:
    flags = {name: bool(raw[name]) for name in ("held", "asks_first", "has_body")}
    return TableRow(**raw | flags)  # type: ignore[arg-type]

"""What a user can wish for, each wish one function: it writes rows and tells what came of it.

Owns: the only door of screen and command line into the store. A wish is committed before anything acts on it; the
engine finds it there. Refuses: the network; a verb returns at once, whatever the weather.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vivix_tui.domain import download as d
from vivix_tui.domain.account import Model, parse_body, price_band
from vivix_tui.domain.generation import COMPLETED, FAILED, Generation
from vivix_tui.domain.text import is_trackable_id, one_line
from vivix_tui.errors import UsageError
from vivix_tui.store import accounts, downloads, generations, submissions
from vivix_tui.store.store import Store


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verb did: `done` rows were written; `text` is one line for the user; `ids` are the rows concerned."""

    done: int
    text: str
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RetryQuote:
    """What retrying would mean, for the question before it.

    `credits` is (lowest, highest) by the original's own charge or the model's band, None where nobody knows;
    `obstacle` says why it cannot be done, `needs_again` why it should not be done without saying "again".
    """

    credits: tuple[int, int] | None
    obstacle: str | None = None
    needs_again: str | None = None


def track(store: Store, profile: str, items: Iterable[tuple[str, str | None]]) -> Outcome:
    """Follows generations made elsewhere: (id, body text or None) each. Raises UsageError on the first bad id."""
    wishes = list(items)
    for generation_id, _ in wishes:
        if not is_trackable_id(generation_id):
            raise UsageError(
                f"{one_line(generation_id, 60)!r} cannot be a generation id",
                hint="an id is printable text without blanks, at most 500 characters",
            )
    with store.write(durable=True) as connection:
        new, known = generations.track(connection, profile, wishes, datetime.now(UTC))
    text = f"tracking {_number(new, 'generation')}" if new or not known else "nothing new to track"
    return Outcome(new, text + (f", {known} already known" if known else ""), tuple(i for i, _ in wishes))


def submit(store: Store, profile: str, bodies: Sequence[str], *, check: bool = True) -> Outcome:
    """Queues bodies (JSON objects as exact text) for POST /generate; they go out as slots free."""
    for body in bodies:
        if parse_body(body) is None:
            raise UsageError(f"a body must be one JSON object, not {one_line(body, 60)!r}")
    models = accounts.models(store, profile)
    with store.write(durable=True) as connection:
        now = datetime.now(UTC)
        ids = tuple(
            submissions.queue(connection, profile, body, now, checked=check, credits_estimate=_estimate(body, models))
            for body in bodies
        )
    return Outcome(len(ids), f"queued {_number(len(ids), 'submission')}", ids)


def quote_retry(store: Store, profile: str, generation_id: str) -> RetryQuote:
    """What a retry of this generation would cost, and what speaks against it."""
    row = generations.get(store, profile, generation_id)
    if row is None:
        return RetryQuote(None, obstacle=f"{one_line(generation_id, 60)} is not known here; track it first")
    obstacle = obstacle_to_retry(row)
    if obstacle:
        return RetryQuote(None, obstacle=obstacle)
    assert row.body is not None  # noqa: S101 - obstacle_to_retry said so
    needs_again = "it completed: the same seed and body give the same result" if row.status == COMPLETED else None
    if submissions.retry_under_way(store, profile, generation_id):
        needs_again = "a retry of it is already under way"
    return RetryQuote(_price(row, accounts.models(store, profile)), needs_again=needs_again)


def total_price(quotes: Sequence[RetryQuote]) -> str:
    """What several retries cost together, in words; an unknown price is said to be unknown."""
    bands = [quote.credits for quote in quotes if quote.credits is not None]
    if not bands:
        return "an unknown price"
    low, high = sum(band[0] for band in bands), sum(band[1] for band in bands)
    words = f"{high:,} credits" if low == high else f"{low:,} to {high:,} credits"
    unknown = len(quotes) - len(bands)
    return f"{words} and {unknown} of unknown price" if unknown else words


def obstacle_to_retry(row: Generation) -> str | None:
    """Why this generation cannot be retried, None where it can."""
    if row.body is None:
        return "its body is not known here, so there is nothing to send again"
    if not row.ended:
        return "it has not ended"
    if row.gone is not None and row.status != FAILED:
        return f"the API does not say how it ended ({row.gone})"
    return None


def retry(store: Store, profile: str, generation_id: str, *, again: bool = False) -> Outcome:
    """Queues the identical body of a generation once more. Raises UsageError where that cannot or should not be.

    However often and from however many processes it is wished for, one retry is under way at a time, unless `again`.
    """
    row = generations.get(store, profile, generation_id)
    obstacle = obstacle_to_retry(row) if row is not None else "it is not known here; track it first"
    if obstacle or row is None or row.body is None:
        raise UsageError(f"{one_line(generation_id, 60)} cannot be retried: {obstacle}")
    if row.status == COMPLETED and not again:
        raise UsageError(f"{one_line(generation_id, 60)} completed and was not retried", hint="say --again")
    estimate = _estimate(row.body, accounts.models(store, profile))
    with store.write(durable=True) as connection:
        under_way = None if again else submissions.retry_under_way(store, profile, generation_id)
        if under_way:
            return Outcome(0, "a retry is already under way", (under_way,))
        new = submissions.queue(
            connection, profile, row.body, datetime.now(UTC), retry_of=generation_id, credits_estimate=estimate
        )
    return Outcome(1, "retry queued", (new,))


def download(store: Store, profile: str, generation_id: str, *, directory: Path | None = None) -> Outcome:
    """Wishes for all outputs, now or as soon as it completes; what is on disk already is not fetched again."""
    row = generations.get(store, profile, generation_id)
    if row is None:
        raise UsageError(f"{one_line(generation_id, 60)} is not known here", hint="`vivix-tui track ID` follows it")
    if row.status == FAILED:
        raise UsageError(f"{one_line(generation_id, 60)} failed, it has no outputs")
    if row.status == COMPLETED and not row.urls:
        raise UsageError(f"{one_line(generation_id, 60)} completed without any output URL")
    if row.gone is not None and not row.urls:
        raise UsageError(f"{one_line(generation_id, 60)} is out of reach: {row.gone}")
    where = str(directory.expanduser().absolute()) if directory is not None else ""
    before = {item.index: item for item in downloads.of(store, profile, generation_id)}
    with store.write(durable=True) as connection:
        for item in before.values():
            if item.state == d.DONE and item.path is not None and not Path(item.path).exists():
                downloads.requeue(connection, item)
        downloads.want(connection, row, where, datetime.now(UTC))
    after = downloads.of(store, profile, generation_id)
    if row.status != COMPLETED:
        return Outcome(1, "its files will be downloaded when it completes", (generation_id,))
    waiting = sum(item.state not in d.OVER for item in after)
    text = f"downloading {_number(waiting, 'file')}" if waiting else f"{_number(len(after), 'file')} already on disk"
    return Outcome(waiting, text, (generation_id,))


def forget(store: Store, profile: str, ids: Sequence[str]) -> Outcome:
    """Hides ended rows and stops asking about live ones; nothing is deleted, `restore` or `track` brings them back.

    A submission that is queued, under way or unknown is not hidden: it has to be cancelled or resolved.
    """
    now = datetime.now(UTC).isoformat()
    with store.write() as connection:
        done = connection.executemany(
            "UPDATE generations SET forgotten_at = ? WHERE profile = ? AND generation_id = ? AND forgotten_at IS NULL",
            [(now, profile, row_id) for row_id in ids],
        ).rowcount
        done += connection.executemany(
            "UPDATE submissions SET forgotten_at = ? WHERE profile = ? AND submission_id = ? AND state = 'refused'",
            [(now, profile, row_id) for row_id in ids],
        ).rowcount
    return Outcome(done, f"forgot {_number(done, 'row')}" if done else "nothing to forget here", tuple(ids))


def restore(store: Store, profile: str, ids: Sequence[str]) -> Outcome:
    """Undoes `forget`."""
    with store.write() as connection:
        done = 0
        for table, key in (("generations", "generation_id"), ("submissions", "submission_id")):
            done += connection.executemany(
                f"UPDATE {table} SET forgotten_at = NULL WHERE profile = ? AND {key} = ? AND forgotten_at IS NOT NULL",
                [(profile, row_id) for row_id in ids],
            ).rowcount
    return Outcome(done, f"{_number(done, 'row')} back", tuple(ids))


def refresh(store: Store, profile: str, generation_id: str) -> Outcome:
    """Asks the API about this generation as soon as the budget allows; repeated wishes are one call."""
    with store.write() as connection:
        done = connection.execute(
            "UPDATE generations SET hurry = 1 WHERE profile = ? AND generation_id = ? AND hurry = 0",
            (profile, generation_id),
        ).rowcount
    return Outcome(done, "asking" if done else "already asking", (generation_id,))


def _estimate(body: str, models: dict[str, Model]) -> int | None:
    value = parse_body(body) or {}
    band = price_band(models.get(str(value.get("model"))), value)
    return band[1] if band else None


def _price(row: Generation, models: dict[str, Model]) -> tuple[int, int] | None:
    """A failed job was refunded (`credits_used` 0), which says nothing about the price of the next."""
    known = row.credits_used or row.credits_estimate
    if row.status == COMPLETED and row.credits_used:
        return row.credits_used, row.credits_used
    value = parse_body(row.body or "") or {}
    band = price_band(models.get(str(value.get("model"))), value)
    if known:
        return (min(band[0], known) if band else known), known
    return band


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

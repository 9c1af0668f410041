"""What a user can wish about a body that was sent before: quote it, send it again, send it changed.

Owns: the price and the warnings before a retry, and that one retry of a generation is under way at a time. Refuses:
repeating what is not known to have failed: such a retry is written down as one that asks the API first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from vivix_tui.domain.account import complaint, parse_body
from vivix_tui.domain.advice import Advice, advice
from vivix_tui.domain.generation import COMPLETED, FAILED, Generation
from vivix_tui.domain.price import Price
from vivix_tui.domain.text import one_line
from vivix_tui.errors import UsageError
from vivix_tui.store import accounts, generations, submissions
from vivix_tui.store.prices import prices_of
from vivix_tui.store.store import Store
from vivix_tui.verbs import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What sending `body` for this generation would mean, for the question before it.

    `obstacle` says why it cannot be done and `complaint` why the API would refuse it; `needs_again` why it should not
    be done without saying "again"; `asks_first` that the API has to say first how the original ended.
    """

    generation_id: str
    body: str = ""
    price: Price | None = None
    obstacle: str | None = None
    complaint: str | None = None
    needs_again: str | None = None
    asks_first: str | None = None
    advice: Advice | None = None


def quote(store: Store, profile: str, generation_id: str, *, body: str | None = None) -> Quote:
    """What a retry would cost, and what speaks against it. `body` is the changed one, None for the original's."""
    row = generations.get(store, profile, generation_id)
    if row is None:
        obstacle = f"{one_line(generation_id, 60)} is not known here; track it first"
        return Quote(generation_id=generation_id, obstacle=obstacle)
    if row.body is None:
        return Quote(generation_id=generation_id, obstacle=_NO_BODY)
    changed = body is not None and body != row.body
    text = body if body is not None else row.body
    estimate = None if changed else row.credits_estimate
    return Quote(
        generation_id=generation_id,
        body=text,
        price=prices_of(store, profile, [text], estimate=estimate)[0],
        complaint=complaint(parse_body(text) or {}, accounts.models(store, profile)),
        needs_again=_needs_again(store, row, changed=changed),
        asks_first=None if changed else _asks_first(row),
        advice=advice(row.error or row.gone),
    )


def quote_new(store: Store, profile: str, body: str) -> Quote:
    """What sending a body costs that belongs to no generation."""
    (price,) = prices_of(store, profile, [body])
    problem = complaint(parse_body(body) or {}, accounts.models(store, profile))
    return Quote(generation_id="", body=body, price=price, complaint=problem)


def retry(store: Store, profile: str, generation_id: str, *, again: bool = False, body: str | None = None) -> Outcome:
    """Queues the body of a generation once more, to the byte, or `body` in its place.

    However often and from however many processes it is wished for, one retry is under way at a time, unless `again`.
    Raises UsageError where it cannot be done, or should not be without `again`.
    """
    row = generations.get(store, profile, generation_id)
    shown = one_line(generation_id, 60)
    if row is None:
        raise UsageError(f"{shown} cannot be retried: it is not known here; track it first")
    if row.body is None:
        raise UsageError(f"{shown} cannot be retried: {_NO_BODY}")
    changed = body is not None and body != row.body
    if row.status == COMPLETED and not again and not changed:
        raise UsageError(f"{shown} completed and was not retried", hint="say --again")
    text = body if body is not None else row.body
    (price,) = prices_of(store, profile, [text], estimate=None if changed else row.credits_estimate)
    with store.write(durable=True) as connection:
        under_way = None if again else submissions.retry_under_way(store, profile, generation_id)
        if under_way:
            return Outcome(0, "a retry is already under way", (under_way,))
        asks_first = not changed and _asks_first(row) is not None
        now = datetime.now(UTC)
        new = submissions.queue(
            connection, profile, text, now, retry_of=generation_id, credits_estimate=price.high if price else None,
            ask_first=asks_first, again=again, checked=_was_checked(store, row),
        )  # fmt: skip
        if asks_first:
            generations.hurry(connection, profile, generation_id)
    return Outcome(1, "asking the API about the original first" if asks_first else "retry queued", (new,))


_NO_BODY = "its body is not known here, so there is nothing to send again"


def _needs_again(store: Store, row: Generation, *, changed: bool) -> str | None:
    if submissions.retry_under_way(store, row.profile, row.generation_id):
        return "a retry of it is already under way"
    if row.status != COMPLETED or changed:
        return None
    seeded = "seed" in (parse_body(row.body or "") or {})
    return "it completed: the same body and seed give the same result" if seeded else "it completed"


def _was_checked(store: Store, row: Generation) -> bool:
    """Who sent a body past the check once means it for its retry, too."""
    first = submissions.get(store, row.submission_id) if row.submission_id else None
    return first is None or first.checked


def _asks_first(row: Generation) -> str | None:
    """Why the API has to be asked about the original before its body may go out again."""
    if row.status in (COMPLETED, FAILED):
        return None
    if row.gone is not None:
        return f"the API does not say how it ended ({row.gone})"
    return f"it is not known to have ended ({row.status or 'never asked'})"

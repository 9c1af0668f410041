"""What a user can wish about a body that was sent before: quote it, send it again, send it changed.

Owns: the price and the warnings before a retry, and that one retry of a generation is under way at a time. Refuses:
repeating what is not known to have failed: such a retry is written down as one that asks the API first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from vivix_tui.domain import submission as s
from vivix_tui.domain import times
from vivix_tui.domain.account import complaint, parse_body
from vivix_tui.domain.advice import Advice, advice
from vivix_tui.domain.generation import COMPLETED, FAILED, Generation
from vivix_tui.domain.price import Price
from vivix_tui.domain.submission import Submission
from vivix_tui.domain.text import one_line
from vivix_tui.errors import UsageError
from vivix_tui.store import accounts, generations, submissions
from vivix_tui.store.prices import prices_of
from vivix_tui.store.store import Store
from vivix_tui.verbs import Outcome

if TYPE_CHECKING:
    import sqlite3


class Quote(Struct, frozen=True, kw_only=True):
    """What sending `body` for this generation would mean, for the question before it.

    `generation_id` may be a refused submission's id. `obstacle` says why it cannot be done and `complaint` why the API
    would refuse it; `needs_again` why it should not be done without saying "again"; `asks_first` that the API has to
    say first how the original ended, which it will not where that is `out_of_reach`: then only "again" sends it.
    """

    generation_id: str
    body: str = ""
    price: Price | None = None
    obstacle: str | None = None
    complaint: str | None = None
    needs_again: str | None = None
    asks_first: str | None = None
    out_of_reach: bool = False
    advice: Advice | None = None


def quote(store: Store, profile: str, generation_id: str, *, body: str | None = None) -> Quote:
    """What a retry would cost, and what speaks against it. `body` is the changed one, None for the original's."""
    return _quotes(store, profile, [(generation_id, body)])[0]


def quotes(store: Store, profile: str, ids: Sequence[str]) -> list[Quote]:
    """`quote` of many at once."""
    return _quotes(store, profile, [(generation_id, None) for generation_id in ids])


def _quotes(store: Store, profile: str, asked: Sequence[tuple[str, str | None]]) -> list[Quote]:
    found = [(name, body, generations.get(store, profile, name)) for name, body in asked]
    texts, estimates, models = list[str](), list[int | None](), accounts.models(store, profile)
    for _, body, row in found:
        texts.append((body if body is not None else row.body if row else None) or "")
        estimates.append(row.credits_estimate if row is not None and texts[-1] == row.body else None)
    prices = prices_of(store, profile, texts, estimates=estimates, models=models)
    made = []
    for (name, body, row), text, price in zip(found, texts, prices, strict=True):
        if row is None:
            made.append(_quote_refused(store, profile, name, body))
            continue
        if row.body is None:
            made.append(Quote(generation_id=name, obstacle=_NO_BODY))
            continue
        changed = text != row.body
        made.append(
            Quote(
                generation_id=name,
                body=text,
                price=price,
                complaint=complaint(parse_body(text) or {}, models),
                needs_again=_needs_again(store, row, changed=changed),
                asks_first=None if changed else _asks_first(row),
                out_of_reach=not changed and row.gone is not None and row.status not in (COMPLETED, FAILED),
                advice=advice(row.error or row.gone),
            )
        )
    return made


def _quote_refused(store: Store, profile: str, submission_id: str, body: str | None) -> Quote:
    item = submissions.get(store, submission_id)
    obstacle = _no_refusal(item, profile, submission_id)
    if item is None or obstacle is not None:
        return Quote(generation_id=submission_id, obstacle=obstacle)
    new = quote_new(store, profile, item.body if body is None else body)
    return replace(new, generation_id=submission_id, advice=advice(item.error))


def quote_new(store: Store, profile: str, body: str) -> Quote:
    """What sending a body costs that belongs to no generation."""
    models = accounts.models(store, profile)
    (price,) = prices_of(store, profile, [body], models=models)
    problem = complaint(parse_body(body) or {}, models)
    return Quote(generation_id="", body=body, price=price, complaint=problem)


def retry(store: Store, profile: str, generation_id: str, *, again: bool = False, body: str | None = None) -> Outcome:
    """Queues the body of a generation once more, to the byte, or `body` in its place.

    However often and from however many processes it is wished for, one retry is under way at a time, unless `again`;
    a submission that was refused is sent again once, and is hidden then: what becomes of its body stands in the new
    one. Raises UsageError where it cannot be done, or should not be without `again`.
    """
    row = generations.get(store, profile, generation_id)
    shown = one_line(generation_id, 60)
    if row is None:
        return _retry_refused(store, profile, generation_id, body)
    if row.body is None:
        raise UsageError(f"{shown} cannot be retried: {_NO_BODY}")
    changed = body is not None and body != row.body
    if row.status == COMPLETED and not again and not changed:
        raise UsageError(f"{shown} completed and was not retried", hint="say --again")
    text = body if body is not None else row.body
    (price,) = prices_of(store, profile, [text], estimates=[None if changed else row.credits_estimate])
    with store.write(durable=True) as connection:
        return _queue(connection, store, row, text, price, again=again)


def retry_all(store: Store, profile: str, able: Sequence[Quote], *, again: bool = False) -> Outcome:
    """Queues what was quoted, all of it or nothing. The question named what speaks against each: it covers that."""
    with store.write(durable=True) as connection:
        outcomes = [_queue_quoted(connection, store, profile, quote, again=again) for quote in able]
    done, ids = sum(outcome.done for outcome in outcomes), tuple(i for outcome in outcomes for i in outcome.ids)
    if len(outcomes) == 1:
        return outcomes[0]
    left = len(outcomes) - done
    return Outcome(
        done,
        f"{done:,} retr{'y' if done == 1 else 'ies'} queued" + (f", {left:,} already under way" if left else ""),
        ids,
    )


def _queue_quoted(connection: sqlite3.Connection, store: Store, profile: str, quote: Quote, *, again: bool) -> Outcome:
    row = generations.get(store, profile, quote.generation_id)
    if row is not None:
        again = again or quote.needs_again is not None
        return _queue(connection, store, row, quote.body, quote.price, again=again)
    item = submissions.get(store, quote.generation_id)
    if item is None or _no_refusal(item, profile, quote.generation_id) is not None:
        return Outcome(0, "it was settled otherwise meanwhile")
    return _queue_refused(connection, item, quote.body, quote.price)


def _queue(
    connection: sqlite3.Connection, store: Store, row: Generation, text: str, price: Price | None, *, again: bool
) -> Outcome:
    under_way = None if again else submissions.retry_under_way(store, row.profile, row.generation_id)
    if under_way:
        return Outcome(0, "a retry is already under way", (under_way,))
    asks_first = text == row.body and _asks_first(row) is not None
    new = submissions.queue(
        connection, row.profile, text, datetime.now(UTC), retry_of=row.generation_id,
        credits_estimate=price.high if price else None, ask_first=asks_first, again=again,
        checked=_was_checked(store, row),
    )  # fmt: skip
    if asks_first:
        generations.hurry(connection, row.profile, row.generation_id)
    return Outcome(1, "asking the API about the original first" if asks_first else "retry queued", (new,))


def _retry_refused(store: Store, profile: str, submission_id: str, body: str | None) -> Outcome:
    item = submissions.get(store, submission_id)
    obstacle = _no_refusal(item, profile, submission_id)
    if item is None or obstacle is not None:
        raise UsageError(f"{one_line(submission_id, 60)} cannot be retried: {obstacle}")
    text = item.body if body is None else body
    (price,) = prices_of(store, profile, [text])
    with store.write(durable=True) as connection:
        return _queue_refused(connection, item, text, price)


def _queue_refused(connection: sqlite3.Connection, item: Submission, text: str, price: Price | None) -> Outcome:
    """A refused one goes out once more, once: the new one takes its place."""
    if generations.has_event(connection, item.profile, item.submission_id, SENT_AGAIN):
        return Outcome(0, "it was sent again already", (item.submission_id,))
    now = datetime.now(UTC)
    new = submissions.queue(
        connection, item.profile, text, now, retry_of=item.retry_of, checked=item.checked,
        credits_estimate=price.high if price else None,
    )  # fmt: skip
    generations.add_event(connection, item.profile, item.submission_id, now, SENT_AGAIN, new)
    connection.execute(
        "UPDATE submissions SET forgotten_at = ? WHERE submission_id = ?", (times.iso(now), item.submission_id)
    )
    return Outcome(1, "queued once more", (new,))


def _no_refusal(item: Submission | None, profile: str, row_id: str) -> str | None:
    """Why a row that is no generation cannot be sent again, None where it was refused."""
    if item is None or item.profile != profile:
        return f"{one_line(row_id, 60)} is not known here; track it first"
    if item.state != s.REFUSED:
        return f"it is {item.state}" + ("; settle it first" if item.state == s.UNKNOWN else "")
    return "its original did not fail; retry that one" if item.error == s.NOT_FAILED else None


SENT_AGAIN = "sent again"
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

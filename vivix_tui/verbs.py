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
from vivix_tui.domain.account import parse_body
from vivix_tui.domain.generation import COMPLETED, FAILED
from vivix_tui.domain.news import News
from vivix_tui.domain.price import Price, charges_by_parameters, price
from vivix_tui.domain.text import is_trackable_id, one_line
from vivix_tui.errors import UsageError
from vivix_tui.store import accounts, downloads, generations, glimpses, news, submissions
from vivix_tui.store.store import Store


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verb did: `done` rows were written; `text` is one line for the user; `ids` are the rows concerned."""

    done: int
    text: str
    ids: tuple[str, ...] = ()


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
    prices = prices_of(store, profile, bodies)
    with store.write(durable=True) as connection:
        now = datetime.now(UTC)
        ids = tuple(
            submissions.queue(
                connection, profile, body, now, checked=check, credits_estimate=item.high if item else None
            )
            for body, item in zip(bodies, prices, strict=True)
        )
    return Outcome(len(ids), f"queued {_number(len(ids), 'submission')}", ids)


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


def stop_download(store: Store, profile: str, generation_id: str, *, cancel: bool = False) -> Outcome:
    """Pauses the files of a generation that are not on disk yet: `download` goes on where they were. Cancelled ones
    lose what came so far, and a wish for files that do not exist yet is taken back."""
    waited = bool(store.all(
        "SELECT 1 FROM generations WHERE profile = ? AND generation_id = ? AND wanted_in IS NOT NULL",
        (profile, generation_id),
    ))  # fmt: skip
    with store.write(durable=True) as connection:
        done = downloads.stop(connection, profile, generation_id, d.CANCELLED if cancel else d.PAUSED)
    word = "cancelled" if cancel else "paused"
    if not done and waited and cancel:
        return Outcome(1, "its files will not be downloaded", (generation_id,))
    return Outcome(done, f"{word} {_number(done, 'download')}" if done else "nothing is under way", (generation_id,))


def glimpse(store: Store, profile: str, outputs: Sequence[tuple[str, int]]) -> Outcome:
    """Wishes to look at outputs, (generation, index from 1) each, without keeping them. What its URLs no longer name
    is left out."""
    rows = {generation_id: generations.get(store, profile, generation_id) for generation_id, _ in outputs}
    wishes = [
        (generation_id, index, row.urls[index - 1])
        for generation_id, index in outputs
        if (row := rows[generation_id]) is not None and 0 < index <= len(row.urls)
    ]
    with store.write() as connection:
        done = glimpses.want(connection, profile, wishes, datetime.now(UTC))
    return Outcome(done, f"fetching {_number(done, 'output')} to look at", tuple(rows))


def take_news(store: Store, profile: str) -> News:
    """What ended since any dashboard was told last; whoever takes the news has to tell them."""
    with store.write() as connection:
        return News(news.take(connection, profile))


def tell_me(store: Store, profile: str, ids: Sequence[str]) -> Outcome:
    """Turns on or off that the end of these generations is told by name, also in quiet hours."""
    with store.write() as connection:
        asked = [news.ask_for(connection, profile, row_id) for row_id in ids]
    told = sum(asked)
    text = f"you will be told when {'it ends' if told == 1 else f'these {told} end'}" if told else "not told by name"
    return Outcome(len(asked), text, tuple(ids))


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
        done = generations.hurry(connection, profile, generation_id)
    return Outcome(done, "asking" if done else "already asking", (generation_id,))


def prices_of(store: Store, profile: str, bodies: Sequence[str], *, estimate: int | None = None) -> list[Price | None]:
    """What each body will probably cost; `estimate` is the API's upper bound for them, where it is known."""
    models = accounts.models(store, profile)
    values = [parse_body(body) or {} for body in bodies]
    slugs = {str(value.get("model")) for value in values}
    charges = {slug: charges_by_parameters(generations.charges(store, profile, slug)) for slug in slugs}
    return [
        price(value, models.get(slug), charges[slug], estimate=estimate)
        for value in values
        for slug in [str(value.get("model"))]
    ]


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

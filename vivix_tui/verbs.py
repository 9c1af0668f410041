"""What a user can wish for, each wish one function: it writes rows and tells what came of it.

Owns: the only door of screen and command line into the store. A wish is committed before anything acts on it; the
engine finds it there. Refuses: the network; a verb returns at once, whatever the weather.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from vivix_tui.domain import download as d
from vivix_tui.domain.account import parse_body
from vivix_tui.domain.download import Download
from vivix_tui.domain.generation import COMPLETED, FAILED, Generation
from vivix_tui.domain.news import News
from vivix_tui.domain.text import is_trackable_id, one_line, without_keys
from vivix_tui.errors import UsageError
from vivix_tui.store import downloads, generations, glimpses, news, submissions, wishes
from vivix_tui.store.prices import prices_of
from vivix_tui.store.store import Store


class Outcome(Struct, frozen=True):
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
                f"{without_keys(one_line(generation_id, 60))!r} cannot be a generation id",
                hint="an id is printable text without blanks, at most 500 characters, and no API key",
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
    outcome, reasons = download_all(store, profile, [generation_id], directory=directory)
    if reasons:
        raise reasons[0]
    return outcome


def download_all(
    store: Store, profile: str, ids: Sequence[str], *, directory: Path | None = None
) -> tuple[Outcome, list[UsageError]]:
    """`download` of many at once, and why some have no outputs to fetch."""
    where = str(directory.expanduser().absolute()) if directory is not None else ""
    rows, reasons = list[Generation](), list[UsageError]()
    for generation_id in ids:
        row = generations.get(store, profile, generation_id)
        reason = _no_outputs(row, one_line(generation_id, 60))
        if reason is not None:
            reasons.append(reason)
        elif row is not None:
            rows.append(row)
    if not rows:
        return Outcome(0, "nothing to download"), reasons
    with store.write(durable=True) as connection:
        now = datetime.now(UTC)
        for row in rows:
            for item in downloads.of(store, profile, row.generation_id):
                if item.state == d.DONE and item.path is not None and not Path(item.path).exists():
                    downloads.requeue(connection, item)
            downloads.want(connection, row, where, now)
    after = [item for row in rows for item in downloads.of(store, profile, row.generation_id)]
    waiting = sum(item.state not in d.OVER for item in after)
    later = sum(row.status != COMPLETED for row in rows)
    return Outcome(
        waiting + later, _downloading(waiting, later, after), tuple(row.generation_id for row in rows)
    ), reasons


def _no_outputs(row: Generation | None, shown: str) -> UsageError | None:
    if row is None:
        return UsageError(f"{shown} is not known here", hint="`vivix-tui track ID` follows it")
    if row.status == FAILED:
        return UsageError(f"{shown} failed, it has no outputs")
    if row.status == COMPLETED and not row.urls:
        return UsageError(f"{shown} completed without any output URL")
    if row.gone is not None and not row.urls:
        return UsageError(f"{shown} is out of reach: {row.gone}")
    return None


def _downloading(waiting: int, later: int, known: Sequence[Download]) -> str:
    words = [f"downloading {_number(waiting, 'file')}"] if waiting else []
    if later:
        whose, what = ("its", "it completes") if later == 1 else (f"{later:,} more", "they complete")
        words.append(f"{whose} files will be downloaded when {what}")
    return ", ".join(words) or f"{_number(len(known), 'file')} already on disk"


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


def unwish_downloads(store: Store, profile: str, ids: Sequence[str]) -> Outcome:
    """Takes back wishes for files that do not exist yet; what has begun goes on."""
    with store.write(durable=True) as connection:
        done = connection.executemany(
            "UPDATE generations SET wanted_in = NULL WHERE profile = ? AND generation_id = ? AND wanted_in IS NOT NULL",
            [(profile, row_id) for row_id in ids],
        ).rowcount
    text = "its files will not be downloaded" if done == 1 else f"the files of {done:,} will not be downloaded"
    return Outcome(done, text, tuple(ids))


def glimpse(store: Store, profile: str, outputs: Sequence[tuple[str, int]]) -> Outcome:
    """Wishes to look at outputs, (generation, index from 1) each, without keeping them. What its URLs no longer name
    is left out."""
    rows = {generation_id: generations.get(store, profile, generation_id) for generation_id, _ in outputs}
    wanted = [
        (generation_id, index, row.urls[index - 1])
        for generation_id, index in outputs
        if (row := rows[generation_id]) is not None and 0 < index <= len(row.urls)
    ]
    with store.write() as connection:
        done = glimpses.want(connection, profile, wanted, datetime.now(UTC))
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


def refresh(store: Store, profile: str, *ids: str) -> Outcome:
    """Asks the API about these generations as soon as the budget allows; repeated wishes are one call."""
    with store.write() as connection:
        done = sum(generations.hurry(connection, profile, generation_id) for generation_id in ids)
    asking = "asking" if len(ids) == 1 else f"asking about {done:,}"
    return Outcome(done, asking if done else "already asking", ids)


def choose_downloads(store: Store, profile: str, *, directory: str | None, auto: str | None) -> Outcome:
    """Where the engine puts files and whether it fetches them unasked; None: as its config says.

    It holds for whatever process runs the engine, at once and until it is chosen otherwise.
    """
    chosen = {wishes.DIRECTORY: directory, wishes.AUTO: auto}
    wanted = {name: value for name, value in chosen.items() if value is not None}
    if wanted == wishes.of(store, profile):
        return Outcome(0, "as it was")
    with store.write(durable=True) as connection:
        wishes.replace(connection, profile, wanted)
    return Outcome(1, "chosen")


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

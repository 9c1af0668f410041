"""`list` and `show`: what the store knows, never the network.

Owns: choosing rows for these commands. Refuses: writing.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from vivix_tui.cli import output
from vivix_tui.config import Config
from vivix_tui.domain import records, times
from vivix_tui.domain.generation import COMPLETED, FAILED, GONE_CODES, PENDING, PROCESSING
from vivix_tui.domain.submission import STATES
from vivix_tui.domain.text import one_line
from vivix_tui.errors import UsageError
from vivix_tui.store import query
from vivix_tui.store.store import Store

TERMINAL_LIMIT = 50
Row = TypeVar("Row")
STATUSES = (PENDING, PROCESSING, COMPLETED, FAILED, *sorted(frozenset().union(*GONE_CODES.values())))
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def run_list(config: Config, store: Store, arguments: argparse.Namespace) -> int:
    limit = arguments.limit
    if limit is None and sys.stdout.isatty():
        limit = TERMINAL_LIMIT
    since = parse_since(arguments.since) if arguments.since else None
    chosen = {"status": arguments.status, "since_ms": times.to_ms(since) if since else None, "limit": limit}
    if arguments.submissions:
        for submission in _or_say(query.list_submissions(store, config.profile, **chosen), arguments.status, STATES):
            if arguments.json:
                output.json_data(records.submission_json(submission))
            else:
                output.data(output.submission_line(submission))
        return 0
    for row in _or_say(query.list_generations(store, config.profile, **chosen), arguments.status, STATUSES):
        if arguments.json:
            output.json_data(records.generation_json(row, query.downloads_of(store, config.profile, row.generation_id)))
        else:
            output.data(output.generation_line(row))
    return 0


def _or_say(rows: Iterable[Row], status: str | None, known: Sequence[str]) -> Iterator[Row]:
    """`rows`; where there are none, a status that nobody knows is said. One that the API came to say has rows."""
    found = False
    for row in rows:
        found = True
        yield row
    if not found and status is not None and status not in known:
        raise UsageError(f"--status {one_line(status, 40)!r} is none", hint=f"one of {', '.join(known)}")


def run_show(config: Config, store: Store, arguments: argparse.Namespace) -> int:
    wanted = arguments.id
    found = query.detail(store, config.profile, "generation", wanted)
    if found is None or found.generation is None:
        found = query.detail(store, config.profile, "submission", wanted)
        if found is None or found.submission is None:
            output.tell(f"{one_line(wanted, 80)} is not known in profile {config.profile}")
            return 1
        value = records.submission_json(found.submission)
    else:
        value = records.generation_json(found.generation, found.downloads)
    if arguments.json:
        output.json_data(value)
    else:
        output.data(output.fields_text(value))
    return 0


def parse_since(text: str) -> datetime:
    """`2h`, `3d` (ago), or an ISO date or time (UTC unless it says otherwise). Raises UsageError."""
    ago = _AGO.fullmatch(text)
    if ago:
        return datetime.now(UTC) - timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
    moment = times.parse(text)
    if moment is None:
        raise UsageError(
            f"--since {one_line(text, 40)!r} is no time", hint="e.g. 2h, 3d, 2026-05-10, 2026-05-10T12:00Z"
        )
    return moment

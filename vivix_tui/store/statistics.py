"""What all generations of a profile come to: credits, durations, failures, refunds, calls.

Owns: counting in SQL, over the index that is made for it. Refuses: words, and a clock: `now` is passed in. Forgotten
rows count as well: hiding a row does not bring its credits back.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from vivix_tui.domain import times
from vivix_tui.domain.generation import COMPLETED, ENDED, FAILED
from vivix_tui.store import calls
from vivix_tui.store.store import Store

WINDOWS_DAYS = (7, 30, None)  # None: all that is known
CHART_DAYS = 30
QUARTER_MS = 900_000  # no zone's midnight falls between two of these
Windows = tuple[int, int, int]
Known = tuple[int | None, int | None, int | None]


class ModelStatistics(Struct, frozen=True):
    """One model (None: not known) in each of WINDOWS_DAYS; durations in milliseconds, of completed ones."""

    model: str | None
    completed: Windows
    failed: Windows
    credits: Windows
    p50_ms: Known
    p95_ms: Known


class Statistics(Struct, frozen=True, kw_only=True):
    """Each triple holds one number for each of WINDOWS_DAYS.

    `models` begins with the most credits; `errors` are failures by code (None: the API named none); `refunds` failed
    and cost nothing, for which `came_back` credits had been estimated, as far as an estimate is known (`estimated` of
    them). `days` are credits by the day on which the generation was made; `first` is when the first one was.
    `calls` are by purpose: today, and in each of WINDOWS_DAYS, `calls_since` the first day that was counted.
    """

    models: tuple[ModelStatistics, ...]
    errors: Mapping[str | None, Windows]
    refunds: Windows
    estimated: Windows
    came_back: Windows
    days: Mapping[date, int]
    first: datetime | None
    calls: Mapping[str, tuple[int, int, int, int]]
    calls_since: date | None


_WHAT = {  # what is counted or summed of each group of rows
    "number": ("count(*)", "1"),
    "credits": ("total(credits_used)", "credits_used IS NOT NULL"),
    "timed": ("count(*)", "duration_ms > 0"),
    "refunds": ("count(*)", "credits_used = 0"),
    "estimated": ("count(credits_estimate)", "credits_used = 0"),
    "came_back": ("total(credits_estimate)", "credits_used = 0"),
}
_SUMS = ", ".join(
    f"{what} FILTER (WHERE {which} AND sort_ms >= :since{window}) AS {name}{window}"
    for name, (what, which) in _WHAT.items()
    for window in range(len(WINDOWS_DAYS))
)
# The index is named: with another one the pass would read all rows, bodies and prompts among them.
_FROM = "FROM generations INDEXED BY generations_statistics WHERE profile = :profile"
_GROUPS = f"SELECT model, status, error, min(sort_ms) AS first_ms, {_SUMS} {_FROM} GROUP BY model, status, error"
_DAYS = f"""
SELECT sort_ms / {QUARTER_MS} AS quarter, sum(credits_used) AS credits {_FROM} AND sort_ms >= :since
  AND credits_used > 0 GROUP BY quarter
"""
# The rows of one model and status without a code lie in the index in the order of their durations.
_RANK = f"""
SELECT duration_ms {_FROM} AND model IS :model AND status = 'completed' AND error IS NULL AND duration_ms > 0
  AND sort_ms >= :since ORDER BY duration_ms LIMIT 1 OFFSET :rank
"""


def read(store: Store, profile: str, now: datetime) -> Statistics:
    """All of it, in some tenths of a second for 100,000 generations."""
    since = [times.to_ms(now - timedelta(days=days)) if days else -(2**62) for days in WINDOWS_DAYS]
    parameters = {"profile": profile} | {f"since{window}": ms for window, ms in enumerate(since)}
    groups = store.all(_GROUPS, parameters)
    failures = [group for group in groups if group["status"] == FAILED]
    first_ms = min((group["first_ms"] for group in groups), default=None)
    ended = dict.fromkeys(group["model"] for group in groups if group["status"] in ENDED)
    models = [_model(store, profile, model, groups, since) for model in ended]
    return Statistics(
        models=tuple(sorted(models, key=lambda model: (*(-n for n in reversed(model.credits)), model.model or ""))),
        errors={
            code: _sum([row for row in failures if row["error"] == code], "number")
            for code in dict.fromkeys(row["error"] for row in failures)
        },
        refunds=_sum(failures, "refunds"),
        estimated=_sum(failures, "estimated"),
        came_back=_sum(failures, "came_back"),
        days=_days(store, profile, now),
        first=datetime.fromtimestamp(first_ms / 1000, UTC) if first_ms is not None else None,
        calls=_calls(store, profile, now),
        calls_since=calls.counted_since(store, profile),
    )


def _model(
    store: Store, profile: str, model: str | None, groups: list[sqlite3.Row], since: list[int]
) -> ModelStatistics:
    own = [group for group in groups if group["model"] == model]
    completed = [group for group in own if group["status"] == COMPLETED]
    timed = _sum([group for group in completed if group["error"] is None], "timed")

    def ranked(share: float) -> Known:
        found = [_ranked(store, profile, model, ms, share, count) for ms, count in zip(since, timed, strict=True)]
        return found[0], found[1], found[2]

    return ModelStatistics(
        model=model,
        completed=_sum(completed, "number"),
        failed=_sum([group for group in own if group["status"] == FAILED], "number"),
        credits=_sum(own, "credits"),
        p50_ms=ranked(0.50),
        p95_ms=ranked(0.95),
    )


def _ranked(store: Store, profile: str, model: str | None, since_ms: int, share: float, count: int) -> int | None:
    """The duration that `share` of `count` completed ones do not exceed (nearest rank), None where there is none."""
    if not count:
        return None
    values = {"profile": profile, "model": model, "since": since_ms, "rank": math.ceil(share * count) - 1}
    return int(store.one(_RANK, values)[0])


def _sum(groups: list[sqlite3.Row], name: str) -> Windows:
    first, second, third = (int(sum(group[f"{name}{window}"] for group in groups)) for window in range(3))
    return first, second, third


def _days(store: Store, profile: str, now: datetime) -> dict[date, int]:
    """Credits of the last CHART_DAYS days, as days are where this machine is."""
    today = times.midnight(now).date()
    days = dict.fromkeys((today - timedelta(days=back) for back in reversed(range(CHART_DAYS))), 0)
    since = times.to_ms(times.midnight(now) - timedelta(days=CHART_DAYS))
    for quarter, credits in store.all(_DAYS, {"profile": profile, "since": since}):
        day = datetime.fromtimestamp(quarter * QUARTER_MS / 1000).astimezone().date()
        if day in days:
            days[day] += credits
    return days


def _calls(store: Store, profile: str, now: datetime) -> dict[str, tuple[int, int, int, int]]:
    today = times.midnight(now).date()
    # The seven days end with today.
    starts = [today, *(today - timedelta(days=days - 1) if days else None for days in WINDOWS_DAYS)]
    made = [calls.made_since(store, profile, start) for start in starts]
    return {
        purpose: (made[0].get(purpose, 0), made[1].get(purpose, 0), made[2].get(purpose, 0), number)
        for purpose, number in made[3].items()
    }

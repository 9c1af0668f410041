"""Credits and statistics as lines. Pure, tested without a terminal.

Owns: sections, tables and plots, and their words. Refuses: counting (`store.statistics`), arithmetic about the future
(`domain.burn`), colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct

from vivix_tui.domain import times
from vivix_tui.domain.account import Account
from vivix_tui.domain.burn import Burn, burn
from vivix_tui.domain.text import one_line
from vivix_tui.store import calls
from vivix_tui.store.statistics import CHART_DAYS, WINDOWS_DAYS, ModelStatistics, Statistics
from vivix_tui.ui.line import Line
from vivix_tui.ui.present.progress import bar
from vivix_tui.ui.present.table import fit
from vivix_tui.ui.present.times import local_time, seconds_text

RISING, RISING_ASCII = " ▁▂▃▄▅▆▇█", " .:#"
CHART_HEIGHT = 6
NAME_WIDTH = 26
CELL_WIDTH = 14
WINDOWS = tuple(f"{days} days" if days else "all" for days in WINDOWS_DAYS)
PURPOSES = {
    calls.POLL: "asking how it stands",
    calls.ASKED: "asked for by you",
    calls.SUBMISSION: "submissions",
    calls.ACCOUNT: "credits and limits",
    calls.MODELS: "catalogue",
}


class Shown(Struct, frozen=True, kw_only=True):
    """What is shown: `statistics` is None while they are being counted, `trouble` why they cannot be."""

    account: Account
    statistics: Statistics | None
    trouble: str | None = None


def statistics_lines(shown: Shown, now: datetime, glyphs: dict[str, str], width: int) -> list[Line]:
    """All of it, in lines of at most `width` cells."""
    found = shown.statistics
    lines = list(_account(shown.account, found, now, glyphs))
    if shown.trouble:
        lines += [Line(""), Line(f"cannot be counted: {one_line(shown.trouble, 300)}", "warn")]
    elif found is None:
        lines += [Line(""), Line(f"counting {glyphs['more']}", "muted")]
    if found is None:
        return lines
    if found.first is None:
        lines += [Line(""), Line("No generation is tracked yet. Whatever is tracked or submitted counts here.")]
    else:
        lines += [*_days(found.days, glyphs, width), *_by_model(found.models, glyphs, width)]
        lines += [*_models(found.models, glyphs, width), *_errors(found, glyphs), *_refunds(found, glyphs)]
    return [*lines, *_calls(found, glyphs)]


def _account(account: Account, found: Statistics | None, now: datetime, glyphs: dict[str, str]) -> Iterator[Line]:
    yield Line("Account", "title")
    dash = glyphs["dash"]
    tier = f", {one_line(account.tier, 20)}" if account.tier else ""
    yield Line(f"{_number(account.balance, dash)} credits{tier}", label="balance")
    spent, granted = _number(account.spent_this_cycle, dash), _number(account.granted_this_cycle, dash)
    resets_at = times.parse(account.cycle_resets_at)
    reset = f", {_in(resets_at - now)}" if resets_at else ""
    when = local_time(account.cycle_resets_at, glyphs)
    yield Line(f"{spent} spent, {granted} granted; resets {when}{reset}", label="cycle")
    limits = f"{_number(account.calls_per_minute, dash)} calls a minute, {_number(account.concurrent_jobs, dash)} jobs"
    yield Line(f"{limits} at once", label="limits")
    if found is not None and found.first is None:
        yield from (Line(dash, label="burn"), Line(dash, label="lasts"))
    elif found is not None:
        spent_here = sum(model.credits[0] for model in found.models)
        pace = burn(spent=spent_here, first=found.first, now=now, balance=account.balance, resets_at=resets_at)
        yield from _burn(pace, dash)


def _burn(pace: Burn, dash: str) -> Iterator[Line]:
    days = "the last day" if pace.days <= 1 else f"the last {pace.days:.1f} days".replace(".0 ", " ")
    yield Line(f"{pace.per_day:,.0f} credits a day over {days}, by what is known here", label="burn")
    if pace.ends_at is None and pace.left is None:
        yield Line(dash, label="lasts")
    elif pace.short is not None and pace.short > timedelta(0):
        words = f"until {pace.ends_at:%Y-%m-%d}, {_span(pace.short)} short of the reset" if pace.ends_at else dash
        yield Line(words, "warn", label="lasts")
    else:
        end = f"until {pace.ends_at.astimezone():%Y-%m-%d}" if pace.ends_at else "for years"
        left = "" if pace.left is None else f", beyond the reset; {pace.left:,} are left then"
        yield Line(f"{end}{left}", "done" if pace.left is not None else "plain", label="lasts")


def _days(days: Mapping[date, int], glyphs: dict[str, str], width: int) -> Iterator[Line]:
    yield Line("")
    total, most = sum(days.values()), max(days.values())
    yield Line(f"Credits a day, {total:,} in the last {CHART_DAYS} days", "title")
    axis = len(f"{most:,}") + 1
    room = max(1, min(4, (width - axis) // CHART_DAYS))
    for row, text in enumerate(_rising(list(days.values()), most, room, RISING if _draws(glyphs) else RISING_ASCII)):
        lead = {0: f"{most:,}", CHART_HEIGHT - 1: "0"}.get(row, "")
        yield Line(text, "active", indent=axis, lead=f"{lead:>{axis - 1}}")
    first, last = min(days), max(days)
    ends = f"{first:%b %d}".ljust(CHART_DAYS * room - 6 - (room > 1)) + f"{last:%b %d}"
    yield Line(ends, "muted", indent=axis)


def _rising(values: Sequence[int], most: int, room: int, steps: str) -> Iterator[str]:
    """Columns of `room` cells, from the top row down; whatever is not 0 can be seen."""
    parts = len(steps) - 1
    heights = [max(1, round(value / most * CHART_HEIGHT * parts)) if value else 0 for value in values]
    for row in reversed(range(CHART_HEIGHT)):
        cells = [steps[min(parts, max(0, height - row * parts))] for height in heights]
        yield "".join((cell * max(1, room - 1)).ljust(room) for cell in cells).rstrip()


def _by_model(models: Sequence[ModelStatistics], glyphs: dict[str, str], width: int) -> Iterator[Line]:
    spent = sorted(((model.credits[1], _name(model, glyphs)) for model in models if model.credits[1]), reverse=True)
    if not spent:
        return
    yield Line("")
    yield Line(f"Credits by model, last {CHART_DAYS} days", "title")
    total, most = sum(credits for credits, _ in spent), spent[0][0]
    column = len(f"{most:,}") + 2
    room = max(4, min(60, width - NAME_WIDTH - column - 5))
    for credits, name in spent:
        drawn = bar(credits / most, room, ascii_only=not _draws(glyphs)).replace("-", " ")
        lead = fit(name, NAME_WIDTH - 1, cut=glyphs["cut"])
        yield Line(f"{drawn}{credits:>{column},}{credits / total:>5.0%}", "active", indent=NAME_WIDTH, lead=lead)


def _models(models: Sequence[ModelStatistics], glyphs: dict[str, str], width: int) -> Iterator[Line]:
    yield Line("")
    yield Line("Models", "title")
    heads = ("completed", "failed", "rate", "p50", "p95", "credits")
    widths = (11, 8, 8, 9, 9, 14)
    yield Line("".join(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)), "muted", indent=10)
    for model in models:
        yield Line(fit(_name(model, glyphs), width, cut=glyphs["cut"]).rstrip())
        for index, window in enumerate(WINDOWS):
            done, failed = model.completed[index], model.failed[index]
            cells = (
                f"{done:,}", f"{failed:,}", _share(failed, done + failed, glyphs["dash"]),
                _duration(model.p50_ms[index], glyphs["dash"]), _duration(model.p95_ms[index], glyphs["dash"]),
                f"{model.credits[index]:,}",
            )  # fmt: skip
            text = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
            yield Line(text, indent=10, lead=f"  {window}")


def _errors(found: Statistics, glyphs: dict[str, str]) -> Iterator[Line]:
    if not found.errors:
        return
    yield Line("")
    yield Line("Failures by code, and their share of all that ended", "title")
    yield _row("", WINDOWS, glyphs, "muted")
    ended = [sum(model.completed[i] + model.failed[i] for model in found.models) for i in range(len(WINDOWS))]
    for code, numbers in sorted(found.errors.items(), key=lambda item: (-item[1][2], item[0] or "")):
        cells = [
            f"{number:,}{f' {number / of:5.1%}' if number else '':>7}"
            for number, of in zip(numbers, ended, strict=True)
        ]
        yield _row(one_line(code, NAME_WIDTH) if code else "no code", cells, glyphs)


def _refunds(found: Statistics, glyphs: dict[str, str]) -> Iterator[Line]:
    if not found.refunds[-1]:
        return
    yield Line("")
    yield Line("Refunds", "title")
    yield _row("", WINDOWS, glyphs, "muted")
    yield _row("failed and refunded", [f"{number:,}" for number in found.refunds], glyphs)
    pairs = zip(found.came_back, found.estimated, found.refunds, strict=True)
    cells = [glyphs["dash"] if number and not known else f"{credits:,}" for credits, known, number in pairs]
    yield _row("estimated, came back", cells, glyphs)
    if found.estimated[-1] < found.refunds[-1]:
        words = f"the estimate is known of {found.estimated[-1]:,} of {found.refunds[-1]:,} of them"
        yield Line(words, "muted", indent=2)


def _calls(found: Statistics, glyphs: dict[str, str]) -> Iterator[Line]:
    if not found.calls or found.calls_since is None:
        return
    yield Line("")
    yield Line(f"Calls to the API, since {found.calls_since}", "title")
    yield _row("", ("today", *WINDOWS), glyphs, "muted")
    known = [purpose for purpose in calls.PURPOSES if purpose in found.calls]
    for purpose in [*known, *sorted(found.calls.keys() - set(known))]:
        cells = [f"{number:,}" for number in found.calls[purpose]]
        yield _row(PURPOSES.get(purpose) or one_line(purpose, NAME_WIDTH), cells, glyphs)
    totals = [sum(numbers[index] for numbers in found.calls.values()) for index in range(len(WINDOWS) + 1)]
    yield _row("all calls", [f"{number:,}" for number in totals], glyphs)


def _row(name: str, cells: Sequence[str], glyphs: dict[str, str], role: str = "plain") -> Line:
    width = CELL_WIDTH if len(cells) == len(WINDOWS) else CELL_WIDTH - 3
    lead = fit(f"  {name}", NAME_WIDTH, cut=glyphs["cut"])
    return Line("".join(f"{cell:>{width}}" for cell in cells), role, indent=NAME_WIDTH, lead=lead)


def _name(model: ModelStatistics, glyphs: dict[str, str]) -> str:
    return one_line(model.model, 60) if model.model else f"{glyphs['dash']} (model not known)"


def _duration(ms: int | None, dash: str) -> str:
    return dash if ms is None else seconds_text(ms / 1000, exact=True)


def _share(part: int, whole: int, dash: str) -> str:
    return f"{part / whole:.1%}" if whole else dash


def _number(value: int | None, dash: str) -> str:
    return dash if value is None else f"{value:,}"


def _in(span: timedelta) -> str:
    return f"in {_span(span)}" if span > timedelta(0) else "which is over"


def _span(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return f"{hours / 24:.0f} days" if hours >= 47.5 else f"{hours:.0f} hours"


def _draws(glyphs: dict[str, str]) -> bool:
    return not glyphs["cut"].isascii()

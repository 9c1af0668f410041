"""The gauges of the header and the banner below it. Pure.

Owns: which numbers are shown, in which words, and what is dropped first when the terminal is narrow. Refuses:
inventing numbers: unknown is a dash.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len

from vivix_tui.domain.account import Account
from vivix_tui.domain.text import one_line
from vivix_tui.store.accounts import EngineState
from vivix_tui.store.order import Order
from vivix_tui.store.query import Filter
from vivix_tui.ui.commands import COMMANDS, Context, keys_of, shown_keys
from vivix_tui.ui.present.times import wait_text

BLOCKED = ("rejected", "nokey")


class Gauge(Struct, frozen=True):
    """A piece of the header; a higher `rank` is dropped earlier."""

    text: str
    role: str
    rank: int


class Facts(Struct, frozen=True, kw_only=True):
    """What the header is made of, all of it from the store."""

    profile: str
    account: Account
    engine: EngineState | None
    own_pid: int
    in_flight: int
    counts: Mapping[str, int]
    queue_paused: str | None
    notice: str | None

    @property
    def runs(self) -> bool:
        """Whether time alone changes what is said of them: how long the engine still waits."""
        return self.engine is not None and self.engine.until is not None

    @property
    def still(self) -> Facts:
        """All but the number of calls, which is another one at each poll."""
        if self.engine is None:
            return self
        return replace(self, engine=replace(self.engine, calls_used=None, calls_remaining=None))


def gauges(facts: Facts, now: datetime, glyphs: dict[str, str]) -> list[Gauge]:
    """All gauges from left to right."""
    account, dash = facts.account, glyphs["dash"]
    tier = f"{glyphs['dot']}{one_line(account.tier, 12).lower()}" if account.tier else ""
    balance = dash if account.balance is None else f"{account.balance:,}"
    spent = f" -{account.spent_this_cycle:,}" if account.spent_this_cycle else ""
    calls = facts.engine.calls_used if facts.engine and facts.engine.calls_used is not None else None
    counts = facts.counts
    return [
        Gauge("vivix-tui", "title", 7),
        Gauge(f"{one_line(facts.profile, 20)}{tier}", "plain", 0),
        Gauge(f"credits {balance}", "plain", 1),
        Gauge(spent.strip(), "muted", 8),
        Gauge(f"calls {dash if calls is None else calls}/{account.calls_per_minute or dash}", "plain", 5),
        Gauge(f"slots {facts.in_flight}/{account.concurrent_jobs or dash}", "plain", 4),
        connection(facts, now, glyphs),
        Gauge(_import(facts.engine), "active", 2),
        Gauge(f"{counts['active']} active", "active" if counts["active"] else "muted", 3),
        Gauge(f"{counts['queued']} queued", "queued" if counts["queued"] else "muted", 6),
        Gauge(f"{counts['done']:,} done", "done" if counts["done"] else "muted", 6),
        Gauge(f"{counts['failed']:,} failed", "failed" if counts["failed"] else "muted", 3),
    ]


def fitting(all_gauges: list[Gauge], width: int) -> list[Gauge]:
    """As many of them as fit into `width` cells, two blanks apart, the least important left out first."""
    kept = [gauge for gauge in all_gauges if gauge.text]
    while len(kept) > 1 and sum(cell_len(gauge.text) + 2 for gauge in kept) > width:
        worst = max(gauge.rank for gauge in kept)
        last = max(index for index, gauge in enumerate(kept) if gauge.rank == worst)
        del kept[last]
    return kept


def connection(facts: Facts, now: datetime, glyphs: dict[str, str]) -> Gauge:
    """How it stands with the API, in words."""
    engine = facts.engine
    if engine is None or (engine.connection == "stopped" and engine.pid != facts.own_pid):
        return Gauge(f"{glyphs['queued']} starting", "muted", 0)
    wait = wait_text(engine.until, now)
    words = {
        "live": ("live", "done"),
        "starting": ("starting", "muted"),
        "retrying": (f"retrying {wait}".strip(), "warn"),
        "offline": (f"offline, again {wait}" if wait else "offline", "failed"),
        "limited": (f"rate limit {wait}".strip(), "warn"),
        "rejected": ("key rejected", "failed"),
        "nokey": ("no key", "failed"),
        "stopped": ("stopped", "muted"),
    }
    text, role = words.get(engine.connection, (one_line(engine.connection, 20), "muted"))
    other = "" if engine.pid == facts.own_pid else f" (process {engine.pid})"
    glyph = glyphs["live"] if role == "done" else glyphs["warn"] if role in ("warn", "failed") else glyphs["queued"]
    return Gauge(f"{glyph} {text}{other}", role, 0)


def _import(engine: EngineState | None) -> str:
    """How far an import is: `checking 1,234 of 5,000, ~8 min`; empty while there is none."""
    if engine is None or engine.unasked is None or engine.unasked_of is None or engine.connection == "stopped":
        return ""
    left = engine.unasked_s
    eta = "" if left is None else f", ~{left} s" if left < 60 else f", ~{round(left / 60)} min"
    return f"checking {engine.unasked_of - engine.unasked:,} of {engine.unasked_of:,}{eta}"


def banner(facts: Facts, glyphs: dict[str, str], trouble: str | None = None, unsaved: str | None = None) -> str | None:
    """The one thing that the user has to know or do, None while there is none.

    `trouble` is why the store cannot be read: all else that is shown is old then. `unsaved` is what the engine knows
    and cannot write into it: what was paid for may stand nowhere else.
    """
    engine, dot = facts.engine, f" {glyphs['dot']} "
    if unsaved:
        return one_line(unsaved, 400)
    if trouble:
        return f"What is shown may be old: {one_line(trouble, 300)}"
    if engine is not None and engine.connection == "rejected":
        said = dot.join(one_line(part, 300) for part in (engine.detail, engine.request_id, engine.hint) if part)
        return f"Key rejected, press K. {said}"
    if engine is not None and engine.connection == "nokey":
        why = f"{one_line(engine.detail, 200)}{dot}" if engine.detail else ""
        return f"No API key. {why}Press K, or set VIVIX_API_KEY, or run `vivix-tui config init`."
    if facts.notice:
        return f"{one_line(facts.notice, 400)}{dot}esc closes"
    if facts.queue_paused:
        return f"The queue is paused: {one_line(facts.queue_paused, 300)}{dot}m resumes it"
    if engine is not None and engine.connection in ("offline", "retrying") and engine.detail:
        return one_line(engine.detail, 400)
    if engine is not None and engine.trouble:
        return one_line(engine.trouble, 400)
    return None


def state_words(shown: Filter, order: Order, count: int, *, marked: int, spanned: int, glyphs: dict[str, str]) -> str:
    """What is filtered for and how many rows that leaves, what is sorted by, how many rows are marked and how many are
    in the range that is being marked; empty where nothing is."""
    parts = [one_line(shown.text, 30)] if shown.text else []
    parts += ["+".join(sorted(shown.phases))] if shown.phases else []
    words = [f"{' + '.join(parts)}: {count:,}"] if parts else []
    words += [f"{order.by} {glyphs['down' if order.falls else 'up']}"] if order != Order() else []
    words += [f"{marked:,} marked"] if marked else []
    words += [f"range: {spanned:,}"] if spanned else []
    return "".join(f"[{word}]" for word in words)


def footer(
    context: Context, rebound: Mapping[str, str], state: str, width: int, glyphs: dict[str, str]
) -> list[tuple[str, str]]:
    """What fits of the commands, as (text, role): what cannot be done now is greyed out."""
    pieces = [(f" {state} ", "active")] if state else []
    used = 1 + (cell_len(state) + 2 if state else 0)
    for command in sorted((c for c in COMMANDS if c.footer), key=lambda c: c.footer):
        key, label = shown_keys(keys_of(command, rebound)).split(" ")[0], command.label.replace("…", glyphs["more"])
        if not key:
            continue
        used += cell_len(key) + cell_len(label) + 3
        if used > width:
            break
        can = command.reason_disabled(context) is None
        pieces += [(f" {key} ", "key" if can else "muted"), (f"{label} ", "plain" if can else "muted")]
    return pieces

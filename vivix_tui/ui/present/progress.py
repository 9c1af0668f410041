"""How far a job is and when it ends, as bar and words. Pure.

Owns: rounding, words and the drawing of the bar. Refuses: the arithmetic (`domain.estimate`).
"""

from __future__ import annotations

from vivix_tui.domain.estimate import Durations, Outlook, outlook
from vivix_tui.ui.present.times import seconds_text

EIGHTHS = " ▏▎▍▌▋▊▉█"
ASCII_STEPS = "-=#"
TABLE_BAR = 3


def table_text(durations: Durations, age_s: float, *, ascii_only: bool) -> str:
    """Bar and time left in ten cells, as in `██▌ ~34s`."""
    found = outlook(durations, age_s)
    words = "longer" if found.late else _short(found)
    return f"{bar(found.bar, TABLE_BAR, ascii_only=ascii_only)} {words:>6}"


def detail_text(durations: Durations, age_s: float, *, width: int, ascii_only: bool) -> str:
    """A longer bar, and in words: `~34 s left`, `20 to 45 s left` while few have ended, `longer than usual`."""
    found = outlook(durations, age_s)
    words = "longer than usual" if found.late else f"{_long(found)} left"
    return f"{bar(found.bar, width, ascii_only=ascii_only)} {words}"


def bar(share: float, width: int, *, ascii_only: bool) -> str:
    """`share` (0 to 1) of `width` cells."""
    steps = ASCII_STEPS if ascii_only else EIGHTHS
    parts = len(steps) - 1
    full, rest = divmod(int(share * width * parts), parts)
    return (steps[-1] * full + (steps[rest] if full < width else "")).ljust(width, steps[0])


def rounded_s(seconds: float) -> int:
    """Whole seconds; beyond half a minute in steps of five."""
    return max(1, round(seconds)) if seconds <= 30 else round(seconds / 5) * 5


def _short(found: Outlook) -> str:
    if not found.thin:
        seconds = rounded_s(found.left_s)
        if seconds < 600:
            return f"~{seconds_text(seconds)}"
        return f"~{round(seconds / 60)}m" if seconds < 36_000 else f"~{round(seconds / 3600)}h"
    low, high, unit = _range(found)
    both = f"{low}-{high}{unit}"
    return both if low and len(both) <= 6 else f"<{high}{unit}"


def _long(found: Outlook) -> str:
    if found.thin:
        low, high, unit = _range(found)
        words = {"s": "s", "m": "min", "h": "h"}[unit]
        return f"{low} to {high} {words}" if low else f"less than {high} {words}"
    seconds = rounded_s(found.left_s)
    return f"~{seconds} s" if seconds < 60 else f"~{seconds_text(seconds)}"


def _range(found: Outlook) -> tuple[int, int, str]:
    for unit, size, most in (("s", 1, 90), ("m", 60, 90), ("h", 3600, 10**9)):
        if found.latest_s <= most * size:
            low = int(found.soonest_s / size)
            return low, max(low + 1, round(found.latest_s / size)), unit
    raise AssertionError("unreachable")  # estimates end far below

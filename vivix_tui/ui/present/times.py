"""Spans and points of time as words. Pure.

Owns: how a span is shortened. Refuses: knowing what it is the span of.
"""

from __future__ import annotations

from datetime import UTC, datetime

from vivix_tui.domain import times


def seconds_text(seconds: float, *, exact: bool = False) -> str:
    """`5.0s`, `34s`, `2m05s`, `3h12m`, `4d`."""
    if seconds < 60:
        return f"{seconds:.1f}s" if exact else f"{int(seconds)}s"
    if seconds < 3600:
        return f"{int(seconds // 60)}m{int(seconds % 60):02}s"
    if seconds < 86400:
        return f"{int(seconds // 3600)}h{int(seconds % 3600 // 60):02}m"
    return f"{int(seconds // 86400)}d"


def local_time(text: str | None, glyphs: dict[str, str]) -> str:
    """A stored time as the user's clock shows it."""
    moment = times.parse(text)
    return glyphs["dash"] if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def wait_text(until: str | None, now: datetime) -> str:
    """`in 12 s`, empty when the time has come or is unknown."""
    moment = times.parse(until)
    left = (moment - now).total_seconds() if moment is not None else 0
    return f"in {int(left) + 1} s" if left > 0 else ""


def utc_now() -> datetime:
    return datetime.now(UTC)

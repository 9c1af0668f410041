"""Points in time as they are stored and read: ISO 8601 UTC text, milliseconds.

Owns: reading times that the API sends (and others that it should not send), writing ours. Refuses: a clock.
"""

from __future__ import annotations

from datetime import UTC, datetime

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def iso(moment: datetime) -> str:
    """`moment` as stored, e.g. `2026-05-10T12:34:56.789Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: object) -> datetime | None:
    """The moment that `text` names, None where it names none. A time without a zone is UTC."""
    if not isinstance(text, str) or not 10 <= len(text) <= 40:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment >= EARLIEST else None


def midnight(now: datetime) -> datetime:
    """When the day of `now` began, where this machine is."""
    return now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, for sorting."""
    return round(moment.timestamp() * 1000)

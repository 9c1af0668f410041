"""How fast credits go, and whether they last until the cycle is reset. Pure.

Owns: the arithmetic. Refuses: guessing: what is not known makes unknown what follows from it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

LOOKED_BACK = timedelta(days=7)
LEAST = timedelta(days=1)
FURTHEST = timedelta(days=3650)  # what lasts longer has no end that is worth a date


class Burn(Struct, frozen=True):
    """`per_day` credits a day over the last `days` days (0: nothing went out).

    `ends_at` is when the balance is used up at that pace, None where that is not known or too far away. `short` is how
    long before the reset that is (negative: how long after it), `left` the credits that are unused at the reset; both
    are None where the reset or the balance is not known.
    """

    per_day: float
    days: float
    ends_at: datetime | None = None
    short: timedelta | None = None
    left: int | None = None


def burn(*, spent: int, first: datetime | None, now: datetime, balance: int | None, resets_at: datetime | None) -> Burn:
    """`spent` went out within LOOKED_BACK; `first` is when the first generation that is known was made."""
    since = max(now - first, LEAST) if first else LOOKED_BACK
    days = min(since, LOOKED_BACK) / timedelta(days=1)
    per_day = spent / days
    if balance is None:
        return Burn(per_day, days)
    lasts_days = balance / per_day if per_day else float("inf")
    ends_at = now + timedelta(days=lasts_days) if lasts_days <= FURTHEST.days else None
    if resets_at is None or resets_at <= now:
        return Burn(per_day, days, ends_at)
    left = balance - per_day * ((resets_at - now) / timedelta(days=1))
    return Burn(per_day, days, ends_at, resets_at - ends_at if ends_at else None, max(0, int(left)))

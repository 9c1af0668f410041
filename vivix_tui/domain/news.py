"""What ended since somebody was told last, in words.

Owns: counting, the one line, quiet hours. Refuses: telling; what it looks like on a terminal is the screen's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time

from msgspec import Struct

from vivix_tui.domain.text import one_line

NAMED_MOST = 3
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class Ended(Struct, frozen=True):
    """One end. `word` is done, failed or charged?; `asked_for`: the user wants to hear of this one by name."""

    row_id: str
    word: str
    prompt: str | None = None
    asked_for: bool = False


class News(Struct, frozen=True):
    """All ends since the last time, oldest first."""

    ends: tuple[Ended, ...] = ()

    @property
    def asked_for(self) -> bool:
        return any(end.asked_for for end in self.ends)

    @property
    def bad(self) -> bool:
        return any(end.word != "done" for end in self.ends)

    def words(self) -> str:
        """ "6 done, 1 failed"; the ones asked for by name before that. Empty where nothing ended."""
        named = [end for end in self.ends if end.asked_for][:NAMED_MOST]
        rest = [end for end in self.ends if end not in named]
        parts = [f"{one_line(end.prompt or end.row_id, 60)}: {end.word}" for end in named]
        return "; ".join([*parts, *filter(None, [_counted(rest)])])


def _counted(ends: Iterable[Ended]) -> str:
    counts: dict[str, int] = {"done": 0, "failed": 0, "charged?": 0}
    for end in ends:
        counts[end.word] += 1
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)


def quiet_hours(text: str) -> tuple[time, time] | None:
    """ "22:00-07:00" as (begin, end), None for "". Raises ValueError."""
    if not text:
        return None
    found = _HOURS.fullmatch(text)
    if found is None:
        raise ValueError('quiet hours look like "22:00-07:00"')
    first, second, third, fourth = map(int, found.groups())
    return time(first, second), time(third, fourth)


def is_quiet(hours: tuple[time, time] | None, now: time) -> bool:
    """Whether `now` (local) lies in these hours, which may go over midnight."""
    if hours is None:
        return False
    begin, end = hours
    return begin <= now < end if begin <= end else now >= begin or now < end

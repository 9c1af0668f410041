"""How long a toast stays.

Owns: its time. Refuses: what it says and how it looks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from textual.notifications import Notification

# Textual waits for what is left once the toast is built, which may be less than nothing by then: a timer of negative
# time counts backwards for ever, and never lets anything else run again. One of next to nothing may never ring.
LEAST_S = 0.1


@dataclass
class Told(Notification):
    """A notification with a time that no clock set forward or back changes, and that is left until it was shown."""

    over_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.over_at = monotonic() + self.timeout

    @property
    def time_left(self) -> float:
        """In seconds, `LEAST_S` at least."""
        return max(LEAST_S, self.over_at - monotonic())

    @property
    def has_expired(self) -> bool:
        return monotonic() >= self.over_at

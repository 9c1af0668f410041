"""How many calls the key still has, and when nobody may call.

Owns: the token bucket that spends the account's calls a minute, the estimate of what other programs use on the same
key, Retry-After, and the single probe of an outage. Refuses: deciding what to call. Times are monotonic seconds.
"""

from __future__ import annotations

from collections import deque

WINDOW_S = 60.0
UNKNOWN_LIMIT = 240
SHARE_OF_LIMIT = 0.95
BURST_SHARE = 0.05
RESERVE_SHARE = 0.03
SMOOTHING_S = 10.0
EMPTY_WAIT_S = 5.0
LONG_OUTAGE_S = 300.0
LONG_OUTAGE_GATE_S = 30.0
RETRY_AFTER_UNKNOWN_S = 10.0
RETRY_AFTER_MIN_S, RETRY_AFTER_MAX_S = 1.0, 900.0


class Budget:
    """One account's calls. `urgent` calls (submissions, user requests) may use the reserve that polls leave."""

    def __init__(self, *, least_share: float = 0.20, now: float = 0.0) -> None:
        self.limit = UNKNOWN_LIMIT
        self.remaining: int | None = None
        self._limited_until = 0.0
        self._outage_until = 0.0
        self.failing_since: float | None = None
        self._least_share = least_share
        self._failures = 0
        self._in_flight = 0
        self._others = 0.0
        self._own: deque[float] = deque()
        self._tokens = UNKNOWN_LIMIT * BURST_SHARE
        self._refilled_at = now
        self._answered_at = now
        self._empty_until = 0.0

    def set_limit(self, calls_per_minute: int) -> None:
        """The account's own ceiling, as /credits or /models reported it."""
        self.limit = max(1, calls_per_minute)

    @property
    def closed_until(self) -> float:
        """Nobody calls before this time: Retry-After, or the pause of an outage."""
        return max(self._limited_until, self._outage_until)

    @property
    def rate(self) -> float:
        """Calls a second that are ours to make."""
        ours = SHARE_OF_LIMIT * self.limit - self._others
        return max(self._least_share * self.limit, ours) / WINDOW_S

    def may_call(self, now: float, *, urgent: bool = False) -> bool:
        """Whether a call may start now."""
        if now < self.closed_until or (now < self._empty_until and not urgent):
            return False
        if self._failures and self._in_flight:
            return False
        self._refill(now)
        reserve = 0.0 if urgent else min(RESERVE_SHARE * self.limit, 5.0)
        return self._tokens >= 1.0 + reserve

    def called(self, now: float) -> None:
        """A call starts."""
        self._refill(now)
        self._tokens -= 1.0
        self._in_flight += 1
        self._own.append(now)

    def ended(self) -> None:
        """A call is over, in whatever way."""
        self._in_flight -= 1

    def answered(self, now: float, remaining: int | None) -> None:
        """A usable answer came; `remaining` is its X-RateLimit-Remaining."""
        self._failures, self.failing_since, self._outage_until = 0, None, 0.0
        if remaining is None:
            return
        self.remaining = max(0, remaining)
        left = remaining - self._in_flight
        others = min(max(0.0, self.limit - left - self.used(now)), float(self.limit))
        weight = min(1.0, (now - self._answered_at) / SMOOTHING_S)
        self._others += (others - self._others) * weight
        self._answered_at = now
        if left <= 0:
            self._empty_until = now + EMPTY_WAIT_S

    def limited(self, now: float, retry_after_s: float | None, jitter: float) -> float:
        """429 RATE_LIMITED: nobody calls before the returned time. `jitter` is drawn from [0, 1)."""
        wait = RETRY_AFTER_UNKNOWN_S if retry_after_s is None else retry_after_s
        wait = min(max(wait, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S)
        self._limited_until = max(self._limited_until, now + wait + jitter)
        self._tokens = 0.0
        self._refilled_at = self._limited_until
        return self._limited_until

    def failed(self, now: float, jitter: float) -> float:
        """5xx or no answer: calls pause, then one probe at a time. Returns when the next may go."""
        if self.failing_since is None:
            self.failing_since = now
        self._failures += 1
        gate = min(8.0, 2.0 ** min(self._failures - 1, 3)) * (0.5 + jitter / 2)
        if now - self.failing_since > LONG_OUTAGE_S:
            gate = LONG_OUTAGE_GATE_S
        self._outage_until = max(self._outage_until, now + gate)
        return self._outage_until

    def used(self, now: float) -> int:
        """Our own calls in the last 60 s."""
        while self._own and self._own[0] <= now - WINDOW_S:
            self._own.popleft()
        return len(self._own)

    def _refill(self, now: float) -> None:
        burst = max(2.0, BURST_SHARE * self.limit)
        if now > self._refilled_at:
            self._tokens = min(burst, self._tokens + (now - self._refilled_at) * self.rate)
            self._refilled_at = now

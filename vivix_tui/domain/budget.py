"""How many calls the key still has, and when nobody may call.

Owns: the token bucket that spends the account's calls a minute, the estimate of what other programs use on the same
key, Retry-After, and the single probe of an outage. Refuses: deciding what to call. Times are monotonic seconds.
"""

from __future__ import annotations

from collections import deque

WINDOW_S = 60.0
UNKNOWN_LIMIT = 240
SHARE_OF_LIMIT = 0.96
BURST_SHARE = 0.04
OTHERS_MARGIN = 1.01  # in doubt they get a little more, else both would keep whatever they have
RESERVE = 1.0  # calls that polls leave to those that cannot wait
BACKLOG_RESERVE = 7.0
LOW_SHARE = 0.04
LOW_SPREAD_S = 20.0
SMOOTHING_S = 10.0
EMPTY_WAIT_S = 5.0
SLIDING_WAIT_S = 1.5
SLIDING_LEAST = 8.0
SQUEEZED_WAIT_S, SQUEEZED_LEAST = 0.9, 5.0
RECOVERY_S = 10.0
RECOVERY_RATE = 4.0
LONG_OUTAGE_S = 300.0
LONG_OUTAGE_GATE_S = 30.0
RETRY_AFTER_UNKNOWN_S = 10.0
RETRY_AFTER_MIN_S, RETRY_AFTER_MAX_S = 1.0, 900.0


class Budget:
    """One account's calls. `urgent` calls (submissions, user requests) may use the reserve that polls leave."""

    def __init__(self, *, least_share: float = 0.20, now: float = 0.0) -> None:
        self.limit = UNKNOWN_LIMIT
        self.remaining: int | None = None
        self.failing_since: float | None = None
        self._limited_until = 0.0
        self._outage_until = 0.0
        self._recovering_until = 0.0
        self._paced_until = 0.0
        self._least_share = least_share
        self._failures = 0
        self._in_flight = 0
        self._own: deque[float] = deque()
        self._tokens = UNKNOWN_LIMIT * BURST_SHARE
        self._refilled_at = now
        self._answered_at = now
        self._left = float(UNKNOWN_LIMIT)
        self._others = _Others()

    def set_limit(self, calls_per_minute: int) -> None:
        """The account's own ceiling, as /credits or /models reported it."""
        self.limit = max(1, calls_per_minute)
        if self.remaining is None:
            self._left = float(self.limit)

    @property
    def closed_until(self) -> float:
        """Nobody calls before this time: Retry-After, or the pause of an outage."""
        return max(self._limited_until, self._outage_until)

    @property
    def rate(self) -> float:
        """Calls a second that are ours to make."""
        return max(self._least_share * self.limit, self._spared) / WINDOW_S

    @property
    def _spared(self) -> float:
        """Calls a minute that others leave."""
        return SHARE_OF_LIMIT * self.limit - OTHERS_MARGIN * self._others.a_minute

    @property
    def _squeezed(self) -> bool:
        """Whether others leave less than the share that is kept: then a full window is nothing that passes."""
        return self._spared < self._least_share * self.limit

    def may_call(self, now: float, *, urgent: bool = False) -> bool:
        """Whether a call may start now."""
        if now < self.closed_until or (now < self._paced_until and not (urgent and not self._squeezed)):
            return False
        if self._failures and self._in_flight:
            return False
        self._refill(now)
        # Who waited until the bucket is full would lose what flows over until the next look at it.
        reserve = 0.0 if urgent or self._failures else min(RESERVE, max(0.0, self._burst(now) - 1.5))
        return self._tokens >= 1.0 + reserve

    def may_drain(self, now: float) -> bool:
        """Whether a call that nobody waits for may start now: something is left for those that cannot wait."""
        if not self.may_call(now) or self._failures or now < self._recovering_until:
            return False
        return self._left > LOW_SHARE * self.limit and self._tokens >= min(1.0 + BACKLOG_RESERVE, self._burst(now))

    def called(self, now: float) -> None:
        """A call starts."""
        self._refill(now)
        self._tokens -= 1.0
        self._in_flight += 1
        self._own.append(now)
        self._others.called()
        self._left -= 1.0
        self._pace(now)

    def ended(self) -> None:
        """A call is over, in whatever way."""
        self._in_flight -= 1

    def answered(self, now: float, remaining: int | None) -> None:
        """A usable answer to a call that has ended came; `remaining` is its X-RateLimit-Remaining."""
        if self._failures:
            self.hold_back(now)
        self._failures, self.failing_since, self._outage_until = 0, None, 0.0
        if remaining is None:
            return
        self.remaining = max(0, remaining)
        self._left = float(remaining - self._in_flight)
        self._others.saw(now, self._left, self.limit - self._left - self.used(now), self.limit)
        self._answered_at = now
        self._pace(now)

    def limited(self, now: float, retry_after_s: float | None, jitter: float) -> float:
        """429 RATE_LIMITED: nobody calls before the returned time. `jitter` is drawn from [0, 1)."""
        wait = RETRY_AFTER_UNKNOWN_S if retry_after_s is None else retry_after_s
        wait = min(max(wait, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S)
        self._limited_until = max(self._limited_until, now + wait + jitter)
        if not self._squeezed:  # else, who gave up calls for each refusal would not get the share that is kept
            self._tokens = 0.0
            self._refilled_at = self._limited_until
        return self._limited_until

    def failed(self, now: float, jitter: float) -> float:
        """5xx or no answer: calls pause, then one probe at a time. Returns when the next may go."""
        if self.failing_since is None:
            self.failing_since = now
        if now >= self._outage_until:  # calls that were under way together fail together: that is one failure
            self._failures += 1
        gate = min(8.0, 2.0 ** min(self._failures - 1, 3)) * (0.5 + jitter / 2)
        if now - self.failing_since > LONG_OUTAGE_S:
            gate = LONG_OUTAGE_GATE_S
        self._outage_until = max(self._outage_until, now + gate)
        return self._outage_until

    def hold_back(self, now: float) -> None:
        """Everything is due at once (an outage is over, the machine was asleep): for a while calls go out slowly."""
        self._refill(now)
        self._recovering_until = now + RECOVERY_S
        self._tokens = min(self._tokens, 1.0)

    def used(self, now: float) -> int:
        """Our own calls in the last 60 s."""
        while self._own and self._own[0] <= now - WINDOW_S:
            self._own.popleft()
        return len(self._own)

    def _pace(self, now: float) -> None:
        """What little is left is spread so thin that it lasts until the window has moved on."""
        if self._left < LOW_SHARE * self.limit:
            self._paced_until = now + self._others.pause_s(now, self._left, squeezed=self._squeezed)
        else:
            self._paced_until = 0.0

    def _burst(self, now: float) -> float:
        return 1.0 if now < self._recovering_until else max(2.0, BURST_SHARE * self.limit)

    def _refill(self, now: float) -> None:
        if now > self._refilled_at:
            rate = min(self.rate, RECOVERY_RATE) if now < self._recovering_until else self.rate
            self._tokens = min(self._burst(now), self._tokens + (now - self._refilled_at) * rate)
            self._refilled_at = now
        if now - self._answered_at > WINDOW_S:
            # Whatever was used when it was last told is out of the window: what is known is used by ourselves.
            self._left = float(self.limit - self.used(now))


class _Others:
    """Calls a minute of other programs on the key, estimated in two ways of which one fits the window's kind.

    A window that was seen to jump open is a fixed one and opens again 60 s later; one that did not jump for longer
    than that slides.
    """

    JUMP_SHARE = 0.1
    PRIOR_S = 10.0

    def __init__(self) -> None:
        self.a_minute = 0.0
        self._first_at: float | None = None
        self._opened_at: float | None = None
        self._opened_left = 0.0
        self._before = 0.0  # the estimate when it opened
        self._called = 0  # our own calls since it opened
        self._seen_at, self._seen_left = 0.0, 0.0

    def called(self) -> None:
        """One of our own calls starts."""
        self._called += 1

    def saw(self, now: float, left: float, unexplained: float, limit: int) -> None:
        """`left` calls are left in the window, and our own of the last 60 s leave `unexplained` used ones.

        The latter are the others' exactly if the window slides. If it is fixed, they are what `left` fell by beyond
        our own calls since it opened. The larger counts.
        """
        if self._first_at is None:
            self._first_at, self._seen_at, self._seen_left = now, now, left
        if left > self._seen_left + self.JUMP_SHARE * limit:
            self._opened_at, self._opened_left, self._before, self._called = now, left, self.a_minute, 0
        others = unexplained
        if self._opened_at is not None:
            # What was known before counts as much as ten seconds of looking: the first seconds say little.
            fallen = self._opened_left - left - self._called + self._before * self.PRIOR_S / WINDOW_S
            others = max(others, fallen / (now - self._opened_at + self.PRIOR_S) * WINDOW_S)
            if now - self._opened_at > 2 * WINDOW_S:
                self._opened_at = None
        weight = min(1.0, (now - self._seen_at) / SMOOTHING_S)
        self.a_minute += (min(max(0.0, others), float(limit)) - self.a_minute) * weight
        self._seen_at, self._seen_left = now, left

    def pause_s(self, now: float, left: float, *, squeezed: bool) -> float:
        """Seconds between two calls so that the few that are left last until the window has moved on."""
        if self._opened_at is not None:
            opens_in_s = max(0.0, self._opened_at + WINDOW_S - now)
            return min(EMPTY_WAIT_S, opens_in_s / max(left, 1.0))
        if self._first_at is not None and now - self._first_at > WINDOW_S + SMOOTHING_S:
            if squeezed:
                return SQUEEZED_WAIT_S * max(0.0, 1 - left / SQUEEZED_LEAST)
            return SLIDING_WAIT_S if left < SLIDING_LEAST else 0.0
        return min(EMPTY_WAIT_S, LOW_SPREAD_S / left) if left >= 1 else EMPTY_WAIT_S

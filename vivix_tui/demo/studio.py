"""The account at work: takes requests, reserves credits, answers for generations.

Owns the rules that need both the ledger and the limits: the order of refusals, the fate of an accepted job, the owner's
top-ups. Refuses HTTP: it raises Refusal and returns jobs, the server writes them out.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from . import catalogue, fate, refusals
from .dice import Dice
from .jobs import Job, digest
from .ledger import Ledger
from .limits import Window
from .past import find_past
from .story import Scenario, foreign_id, next_body, opening, script_id

API_KEY = "vvx_live_" + "demo0000" * 4
REVOKED_KEY = "vvx_live_" + "revoked0" * 4

START_BALANCE = 49_711
_GRANTED = {"Pro": 60_000, "Ultimate": 150_000}
_TOP_UP_BELOW, _TOP_UP = 15_000, 50_000
_CYCLE_LEFT_S = 11 * 86400.0


class Studio:
    """One account of the simulated service."""

    def __init__(
        self, ledger: Ledger, scenario: Scenario, *, seed: int, speed: float, balance: int | None = None
    ) -> None:
        self.ledger = ledger
        self.scenario = scenario
        self.tier = scenario.tier
        self.seed = seed
        self.speed = speed
        self.window = Window(self.tier.calls_per_minute)
        self._tops_up = balance is None  # a balance asked for by name is meant to run out
        self._requests = 0
        if ledger.is_new:
            self._begin(START_BALANCE if balance is None else balance, time.time())

    def _begin(self, balance: int, now: float) -> None:
        jobs = opening(self.scenario, self.seed, now, self.speed)
        taken = balance + sum(job.cost_at(now) for job in jobs)
        granted = max(_GRANTED[self.tier.name], taken)
        self.ledger.open_account(granted=granted, spent_before=granted - taken, resets_at=now + _CYCLE_LEFT_S)
        for job in jobs:
            self.ledger.add(job)

    def admit(self, key: str | None, now_monotonic: float) -> int:
        """Lets a call in and counts it; returns the calls left in the window. Raises Refusal (401, 429)."""
        if key is None:
            raise refusals.unauthorized()
        if key == REVOKED_KEY:
            raise refusals.key_revoked()
        if key != API_KEY:
            raise refusals.key_invalid()
        left = self.window.take(now_monotonic)
        if left is None:
            raise refusals.rate_limited(self.window.retry_after_s(now_monotonic))
        return left

    def accept(self, body: Any, now: float) -> Job:
        """Accepts a client's request. Raises Refusal (400, 402, 403, 422, 429); then nothing is kept."""
        return self._accept(body, now, author="client", id=str(uuid.uuid4()))

    def accept_next_of_script(self, now: float) -> Job | None:
        """The script submits its next job, unless the user needs the slots or the credits are gone."""
        running = self.ledger.in_flight(now)
        own = sum(job.author == "script" for job in running)
        if own >= self.scenario.in_flight[1]:
            return None
        if self.tier.concurrent_jobs - len(running) <= self.scenario.free_slots:
            return None
        if self._tops_up and self.ledger.balance(now) < _TOP_UP_BELOW:
            self.ledger.grant(_TOP_UP)
        number = sum(1 for _ in self.ledger.by_author("script"))
        try:
            return self._accept(next_body(self.seed, number), now, author="script", id=script_id(self.seed, number))
        except refusals.Refusal:
            return None

    def is_short_of_work(self, now: float) -> bool:
        """Whether the script has fewer jobs in flight than it wants at least."""
        own = sum(job.author == "script" for job in self.ledger.in_flight(now))
        return own < self.scenario.in_flight[0]

    def _accept(self, body: Any, now: float, *, author: str, id: str) -> Job:
        model = catalogue.check(body, self.tier)
        running = len(self.ledger.in_flight(now))
        if running >= self.tier.concurrent_jobs:
            raise refusals.concurrency_limit(running, self.tier.concurrent_jobs)
        estimate = model.estimate(body)
        balance = self.ledger.balance(now)
        if estimate > balance:
            raise refusals.insufficient_credits(model.slug, balance, estimate)
        drawn = fate.draw(
            Dice(self.seed, "fate", digest(body)),
            model,
            body,
            speed=self.speed,
            failure_rate=self.scenario.failure_rate,
            failed_before=self.ledger.has_failed(body),
        )
        job = drawn.job(id=id, author=author, body=body, created_at=now)
        self.ledger.add(job)
        return job

    def generation(self, generation_id: str) -> Job:
        """The job with that id. Raises Refusal (403, 404)."""
        if generation_id == foreign_id(self.seed):
            raise refusals.not_yours()
        job = self.find(generation_id)
        if job is None:
            raise refusals.not_found()
        return job

    def find(self, generation_id: str) -> Job | None:
        """The job with that id, the past of scenario `history` included."""
        job = self.ledger.find(generation_id)
        if job is None and self.scenario.has_past:
            return find_past(self.seed, generation_id)
        return job

    def models(self, now: float) -> dict[str, Any]:
        """The body of GET /models."""
        return {
            "tier": self.tier.name,
            "credits_balance": self.ledger.balance(now),
            "rate_limit": self.tier.rate_limit(),
            "models": [model.answer() for model in catalogue.MODELS.values()],
        }

    def next_request_id(self) -> str:
        """A trace id."""
        self._requests += 1
        return f"req_{Dice(self.seed, 'request', self._requests).token()}"

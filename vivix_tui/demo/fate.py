"""What becomes of a job: how long it takes, whether it fails, what it costs in the end.

Owns the durations, the failures and their wording, and the words in a prompt that force a fate. Refuses the clock and
the ledger. `[fail]` fails with PROVIDER_ERROR unless the same body has failed before, `[moderate]` always fails with
CONTENT_POLICY, `[slow]` takes five times as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .catalogue import Model
from .dice import Dice
from .jobs import Job

STRAGGLER = 5.0

FAILURES: dict[str, tuple[str, ...]] = {
    "PROVIDER_ERROR": (
        "The provider's worker ran out of memory while rendering. Nothing was charged.",
        "The provider returned a damaged file twice in a row. Nothing was charged.",
        "The provider stopped the job while rendering (upstream code 5031). Nothing was charged.",
    ),
    "PROVIDER_TIMEOUT": (
        "The provider did not finish within its time limit. Nothing was charged.",
        "The provider accepted the job and never reported back. Nothing was charged.",
    ),
    "CONTENT_POLICY": (
        "The prompt was refused by moderation: it seems to name a real, living person. Nothing was charged.",
        "The result was withheld by moderation: graphic content. Rephrase the prompt. Nothing was charged.",
    ),
    "PROVIDER_OVERLOADED": (
        "The provider is at capacity and gave the job back. Try again in a few minutes. Nothing was charged.",
    ),
}
_USUAL = ("PROVIDER_ERROR",) * 4 + ("PROVIDER_TIMEOUT",) * 3 + ("CONTENT_POLICY",) * 2 + ("PROVIDER_OVERLOADED",)


@dataclass(frozen=True, slots=True)
class Fate:
    """Real seconds, credits, and the failure if there is one."""

    queue_s: float
    render_s: float
    estimate: int
    used: int
    error: str | None = None
    message: str | None = None

    def job(self, *, id: str, author: str, body: dict[str, Any], created_at: float) -> Job:
        """The record of a job with this fate."""
        return Job(
            id=id,
            author=author,
            body=body,
            created_at=created_at,
            queue_s=self.queue_s,
            render_s=self.render_s,
            estimate=self.estimate,
            used=self.used,
            error=self.error,
            message=self.message,
        )


def draw(
    dice: Dice,
    model: Model,
    body: dict[str, Any],
    *,
    speed: float,
    failure_rate: float,
    failed_before: bool = False,
    error: str | None = None,
    slow: bool = False,
) -> Fate:
    """Throws the fate of one request. `error` and `slow` force it; a body that failed once succeeds when repeated."""
    prompt = str(body["prompt"])
    queue_s = dice.between(1.0, 4.0)
    render_s = min(180.0, max(60.0, dice.lognormal(95.0, 0.3))) if model.is_video else dice.lognormal(12.0, 0.3)
    if slow or "[slow]" in prompt:
        render_s *= STRAGGLER
    estimate = model.estimate(body)
    chance = dice.happens(failure_rate)
    if error is None and not failed_before:
        error = "PROVIDER_ERROR" if "[fail]" in prompt else dice.pick(_USUAL) if chance else None
    if "[moderate]" in prompt:
        error = "CONTENT_POLICY"
    if error is None:
        return Fate(queue_s / speed, render_s / speed, estimate, _used(dice, model, estimate))
    # A refusal comes early, a time-out comes late.
    render_s *= {"CONTENT_POLICY": 0.25, "PROVIDER_TIMEOUT": 1.6}.get(error, dice.between(0.3, 0.9))
    return Fate(queue_s / speed, render_s / speed, estimate, 0, error, dice.pick(FAILURES[error]))


def _used(dice: Dice, model: Model, estimate: int) -> int:
    if not model.is_video:
        return estimate
    return max(min(estimate, model.band[0]), round(estimate * dice.between(0.9, 1.0)))

"""A submission: one wish to POST one body, from the queue to its outcome.

Owns: the states and which change into which; what each outcome of a POST means for money. Refuses: sending.

    queued ──▶ sending ──▶ accepted       the id is known
      │  ▲        ├──────▶ refused        the API said no; nothing was charged
      │  ├────────┤                       no byte left this machine, or "not now" (429, 402, 401)
      │  │        └──────▶ unknown        no readable answer: it may have been charged; the user decides
      ▼  └── not sent ◀──────┘ │
    cancelled                  └────────▶ accepted (the user pasted the id) or cancelled (gave up)

What a check here refuses goes from queued to refused without being sent.
"""

from __future__ import annotations

from msgspec import Struct

from vivix_tui.domain.budget import RETRY_AFTER_MAX_S, RETRY_AFTER_MIN_S
from vivix_tui.domain.generation import COMPLETED, FAILED, Generation

QUEUED = "queued"
SENDING = "sending"
ACCEPTED = "accepted"
REFUSED = "refused"
UNKNOWN = "unknown"
CANCELLED = "cancelled"
STATES = (QUEUED, SENDING, ACCEPTED, REFUSED, UNKNOWN, CANCELLED)

LEGAL = {
    QUEUED: {SENDING, CANCELLED, REFUSED},
    SENDING: {ACCEPTED, REFUSED, UNKNOWN, QUEUED},
    UNKNOWN: {ACCEPTED, QUEUED, CANCELLED},
    ACCEPTED: set[str](),
    REFUSED: set[str](),
    CANCELLED: set[str](),
}


class Submission(Struct, frozen=True, kw_only=True):
    """A row of the journal. `body` is the exact text that is (or was) sent; balances in credits.

    With `ask_first` the API has yet to say how the original of this retry ended; `again` is the user's word that it
    may go out even though the original did not fail.
    """

    profile: str
    submission_id: str
    state: str
    body: str
    created_at: str
    generation_id: str | None = None
    retry_of: str | None = None
    error: str | None = None
    message: str | None = None
    next: str | None = None
    request_id: str | None = None
    balance_before: int | None = None
    balance_after: int | None = None
    model: str | None = None
    prompt: str | None = None
    credits_estimate: int | None = None
    sent_at: str | None = None
    held: bool = False
    checked: bool = True
    ask_first: bool = False
    again: bool = False


class Accepted(Struct, frozen=True, kw_only=True):
    """201: the job exists. `credits_estimate` is the API's upper bound in credits."""

    generation_id: str
    status: str = "pending"
    model: str | None = None
    credits_estimate: int | None = None
    created_at: str | None = None
    request_id: str | None = None


def reason_not_to_retry(original: Generation, *, again: bool) -> str | None:
    """Why the same body must not go out once more, by what the API said of the original; None where it may."""
    if original.status == FAILED:
        return None
    if not original.ended:
        return f"it has not ended ({original.status or 'no answer'}), a retry would be a second one"
    if again:
        return None
    if original.status == COMPLETED:
        return "it completed"
    return f"the API does not say how it ended ({original.gone})"


class Verdict(Struct, frozen=True, kw_only=True):
    """What a POST that brought no id means: the state it leads to, and how long the queue waits (seconds).

    `pause` stops the whole queue until the user resumes it or the balance suffices (402).
    """

    state: str
    wait_s: float = 0.0
    pause: bool = False


NO_SLOT = "CONCURRENCY_LIMIT"
OVER_CAP = "DAILY_CAP"  # our own words: what the user's cap holds back,
NOT_FAILED = "NOT_FAILED"  # and a retry whose original may not be repeated
PROVIDER_DOWN_WAIT_S = 60.0
SLOT_WAIT_S = 10.0


def is_definite(status: int) -> bool:
    """Whether an answer with this HTTP status says for sure that nothing was made. A 408 may hide a job that was."""
    return 400 <= status < 500 and status != 408


def verdict_on_refusal(status: int, code: str, retry_after_s: float | None) -> Verdict:
    """What the API's own error body (JSON with a code) means for a POST.

    4xx, both 429s and `503 PROVIDER_DOWN` are definite: nothing was made. Any other 5xx may hide a job that was made.
    """
    if status == 429:
        wait_s = SLOT_WAIT_S if retry_after_s is None else retry_after_s
        return Verdict(state=QUEUED, wait_s=min(max(wait_s, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S))
    if status == 402:
        return Verdict(state=QUEUED, pause=True)
    if status == 401:
        return Verdict(state=QUEUED)
    if status == 503 and code == "PROVIDER_DOWN":
        return Verdict(state=REFUSED, wait_s=PROVIDER_DOWN_WAIT_S)
    if is_definite(status):
        return Verdict(state=REFUSED)
    return Verdict(state=UNKNOWN)

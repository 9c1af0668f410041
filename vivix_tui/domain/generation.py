"""A generation: what the API said about one id, and which new answers may change it.

Owns: the fields (the API's own names), what counts as ended, the rule that a status never goes backwards.
Refuses: JSON, SQL, drawing. Facts about fields and statuses come from the API's status endpoint documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from vivix_tui.domain import times

COMPLETED = "completed"
FAILED = "failed"
PENDING = "pending"
PROCESSING = "processing"
ENDED = frozenset({COMPLETED, FAILED})
KNOWN = frozenset({PENDING, PROCESSING, COMPLETED, FAILED})

# What ends the polling of an id for good: it is not ours, not open to this account, or the server no longer knows it.
# Any other no may come from a proxy, or pass.
GONE_CODES = {
    403: frozenset({"NOT_YOURS", "TIER_LOCKED", "MODEL_NOT_ALLOWED"}),
    404: frozenset({"NOT_FOUND"}),
    410: frozenset({"GONE"}),
}


class Answer(Struct, frozen=True, kw_only=True):
    """One readable answer of the status endpoint about one generation. Unknown is None, never a guess.

    `credits_*` in credits, `*_ms` in milliseconds, times as the API wrote them (ISO 8601).
    """

    generation_id: str
    status: str
    model: str | None = None
    credits_estimate: int | None = None
    credits_used: int | None = None
    elapsed_ms: int | None = None
    duration_ms: int | None = None
    created_at: str | None = None
    completed_at: str | None = None
    error: str | None = None
    message: str | None = None
    output_url: str | None = None
    output_urls: tuple[str, ...] = ()
    request_id: str | None = None
    next: str | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def urls(self) -> tuple[str, ...]:
        """All output URLs, in the order of the API."""
        return self.output_urls or ((self.output_url,) if self.output_url else ())


class Generation(Struct, frozen=True, kw_only=True):
    """A row: the last applied answer plus what this machine knows (`profile`, `tracked_at`, …)."""

    profile: str
    generation_id: str
    tracked_at: str
    status: str | None = None
    model: str | None = None
    credits_estimate: int | None = None
    credits_used: int | None = None
    elapsed_ms: int | None = None
    duration_ms: int | None = None
    created_at: str | None = None
    completed_at: str | None = None
    error: str | None = None
    message: str | None = None
    output_url: str | None = None
    output_urls: tuple[str, ...] = ()
    request_id: str | None = None
    next: str | None = None
    checked_at: str | None = None
    gone: str | None = None
    body: str | None = None
    prompt: str | None = None
    submission_id: str | None = None
    retry_of: str | None = None
    note: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it: completed, failed, or out of the API's reach."""
        return self.gone is not None or self.status in ENDED

    @property
    def urls(self) -> tuple[str, ...]:
        return self.output_urls or ((self.output_url,) if self.output_url else ())


_ANSWER_FIELDS = tuple(name for name in Answer.__struct_fields__ if name != "generation_id")
_RANK = {None: 0, PENDING: 1, PROCESSING: 2, COMPLETED: 9, FAILED: 9}


def apply(row: Generation, answer: Answer, asked_at: datetime, now: datetime | None = None) -> Generation | None:
    """`row` after `answer`, asked for at `asked_at`, come `now` (None: unknown); None where it must be dropped.

    Dropped: an answer older than the last one applied, and one that would take a final status back or exchange it.
    A fact that an answer leaves out stays as it was. An answer about an id that was gone brings it back. A row that was
    last asked about in the future says that the clock was set back since, and nothing of which answer is older.
    """
    checked = times.parse(row.checked_at)
    if checked is not None and asked_at < checked and (now is None or checked <= now):
        return None
    if row.status in ENDED and answer.status != row.status:
        return None
    if _RANK.get(answer.status, 2) < _RANK.get(row.status, 2):
        return None
    news = {name: value for name in _ANSWER_FIELDS if (value := getattr(answer, name)) not in (None, ())}
    return replace(row, **news, checked_at=times.iso(asked_at), gone=None, note=None)


def category_of(model: str | None, categories: Mapping[str, str]) -> str | None:
    """`image`, `video`, …: the model's category where /models told it, else by its name."""
    if model is None or model in categories:
        return categories.get(model or "")
    name = model.lower()
    if any(word in name for word in ("video", "t2v", "i2v")):
        return "video"
    return "image" if "image" in name else None

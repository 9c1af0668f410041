"""A job and what the API says about it: a pure function of the record and the time of the question.

Owns the life of a job (pending, processing, completed or failed) and the exact fields of each status. Refuses chance
and memory: when a job is accepted its whole future is written into the record, so a restart only has to read records.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from .catalogue import MODELS, Model


@dataclass(frozen=True, slots=True)
class Job:
    """One accepted request. Times are wall clock in seconds, durations are real seconds (speed already applied)."""

    id: str
    author: str  # "client", "script" or "past"
    body: dict[str, Any]  # as it was posted
    created_at: float
    queue_s: float
    render_s: float
    estimate: int
    used: int  # 0 when it fails
    error: str | None = None
    message: str | None = None

    @property
    def model(self) -> Model:
        """The model that renders it."""
        return MODELS[self.body["model"]]

    @property
    def ends_at(self) -> float:
        """When it is completed or failed."""
        return self.created_at + self.queue_s + self.render_s

    def cost_at(self, now: float) -> int:
        """What it takes from the balance: the estimate while in flight, then what was used (nothing if it failed)."""
        return self.used if now >= self.ends_at else self.estimate

    def status_at(self, now: float) -> str:
        """`pending`, `processing`, `completed` or `failed`."""
        if now >= self.ends_at:
            return "failed" if self.error else "completed"
        return "pending" if now < self.created_at + self.queue_s else "processing"

    def answer(self, now: float, base_url: str) -> dict[str, Any]:
        """The body of GET /generations/{id}."""
        status = self.status_at(now)
        fields: dict[str, Any] = {
            "generation_id": self.id,
            "status": status,
            "model": self.body["model"],
            "created_at": iso(self.created_at),
        }
        if status == "completed":
            urls = self.output_urls(base_url)
            fields["output_url"] = urls[0]
            fields["output_urls"] = urls
            fields["credits_used"] = self.used
            fields["duration_ms"] = round((self.queue_s + self.render_s) * 1000)
            fields["completed_at"] = iso(self.ends_at)
        elif status == "failed":
            fields["error"] = self.error
            fields["message"] = self.message
            fields["credits_used"] = 0
            fields["completed_at"] = iso(self.ends_at)
        else:
            fields["credits_estimate"] = self.estimate
            fields["elapsed_ms"] = max(0, round((now - self.created_at) * 1000))
        return fields

    def output_urls(self, base_url: str) -> list[str]:
        """Where its files are, first to last."""
        model = self.model
        stem = f"{base_url}/outputs/{self.id}/"
        return [f"{stem}{index}.{model.extension}" for index in range(model.outputs(self.body))]

    @property
    def look(self) -> str:
        """What its pictures are drawn from: the same seed and parameters give the same result, as documented."""
        return digest(self.body) if "seed" in self.body else self.id


def digest(body: dict[str, Any]) -> str:
    """A name for a request: equal for bodies that say the same, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def iso(moment: float) -> str:
    """Wall clock seconds as the API writes them: `2026-05-10T12:34:56Z`."""
    hour, second = divmod(int(moment), 3600)
    return f"{_iso_hour(hour)}:{second // 60:02d}:{second % 60:02d}Z"


@lru_cache(maxsize=64)
def _iso_hour(hour: int) -> str:
    # The past is told 100,000 times in a row, and neighbours share their hour.
    return datetime.fromtimestamp(hour * 3600, UTC).isoformat()[:13]

"""What is known of a generation, a submission or a download as the JSON objects that scripts rely on.

Owns: their names, in `--json` and in the details on the screen alike. Refuses: writing JSON text (`domain.text`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vivix_tui.domain.download import Download
from vivix_tui.domain.generation import Generation
from vivix_tui.domain.submission import Submission

_GENERATION = (
    "generation_id", "status", "model", "credits_estimate", "credits_used", "elapsed_ms", "duration_ms", "created_at",
    "completed_at", "error", "message", "output_url", "output_urls", "profile", "tracked_at", "checked_at", "gone",
    "body", "submission_id", "retry_of", "request_id", "next",
)  # fmt: skip
_SUBMISSION = (
    "submission_id", "state", "generation_id", "retry_of", "body", "error", "message", "next", "request_id",
    "balance_before", "balance_after", "created_at",
)  # fmt: skip
_DOWNLOAD = ("index", "url", "state", "path", "size_bytes", "received_bytes", "sha256", "verified", "error")


def generation_json(row: Generation, downloads: Sequence[Download]) -> dict[str, Any]:
    """A generation with its downloads, under the API's own names; unknown is null."""
    value: dict[str, Any] = {name: getattr(row, name) for name in _GENERATION}
    value["output_urls"] = list(row.output_urls) or None
    value["downloads"] = [download_json(item) for item in downloads]
    return value


def submission_json(row: Submission) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _SUBMISSION}


def download_json(item: Download) -> dict[str, Any]:
    return {name: getattr(item, name) for name in _DOWNLOAD}

"""Rows as JSON lines and as plain text.

Owns: lines on stdout and stderr. Refuses: reading the store, and choosing the names in JSON (`domain.records`).
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Any

from vivix_tui.domain import times
from vivix_tui.domain.generation import Generation
from vivix_tui.domain.submission import Submission
from vivix_tui.domain.text import json_line, one_line


def can_ask() -> bool:
    """Whether somebody sits at a terminal who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str) -> bool:
    """Asks; only y or yes agrees."""
    print(f"vivix-tui: {question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def data(text: str) -> None:
    """One line of data on stdout, at once."""
    print(text, flush=True)


def json_data(value: Any) -> None:
    data(json_line(value))


def tell(text: str) -> None:
    """One line of narration on stderr."""
    print(f"vivix-tui: {text}", file=sys.stderr, flush=True)


def generation_line(row: Generation) -> str:
    """A generation in one plain line."""
    status = row.gone or row.status or "?"
    used = "–" if row.credits_used is None else f"{row.credits_used:,}"
    took = "–" if row.duration_ms is None else f"{row.duration_ms / 1000:.1f}s"
    made = times.parse(row.created_at) or times.parse(row.tracked_at) or datetime.now(UTC)
    words = (
        f"{one_line(row.generation_id):<36}",
        f"{one_line(status, 12):<12}",
        f"{took:>8}",
        f"{used:>7}",
        f"{made.astimezone():%Y-%m-%d %H:%M}",
        f"{one_line(row.model or '–', 28):<28}",
        one_line(row.error or row.prompt or "", 60),
    )
    return "  ".join(words).rstrip()


def submission_line(row: Submission) -> str:
    """A submission in one plain line."""
    state = "held" if row.held and row.state == "queued" else row.state
    words = (
        f"{row.submission_id:<36}",
        f"{state:<10}",
        f"{one_line(row.generation_id or '–'):<36}",
        f"{one_line(row.model or '–', 28):<28}",
        one_line(row.error or row.prompt or "", 60),
    )
    return "  ".join(words).rstrip()


def fields_text(value: dict[str, Any]) -> str:
    """An object as `name  value` lines, for `show` without --json."""
    width = max(map(len, value))
    shown = []
    for name, field in value.items():
        if name == "downloads":
            shown += [f"download {item['index']}: {one_line(_download_words(item))}" for item in field]
        elif isinstance(field, list):
            shown += [f"{name:<{width}}  {one_line(str(entry))}" for entry in field]
        else:
            shown.append(f"{name:<{width}}  {'–' if field is None else one_line(str(field))}")
    return "\n".join(shown)


def _download_words(item: dict[str, Any]) -> str:
    return " ".join(str(item[name]) for name in ("state", "path", "size_bytes", "error") if item[name] is not None)


class Progress:
    """A bar on stderr while files come, on a terminal alone, and not on one that cannot erase a line."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
        self._shown = False

    def show(self, received: int, size: int) -> None:
        """Bytes so far, of how many (0: unknown)."""
        if not self._on or not received:
            return
        share = min(1.0, received / size) if size else 0.0
        bar = "#" * round(share * 30)
        text = f"\r{bar:<30} {share:4.0%} " if size else "\r"
        print(f"{text}{received / 1e6:.1f} MB\x1b[K", end="", file=sys.stderr, flush=True)
        self._shown = True

    def clear(self) -> None:
        """Makes room for a line."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False

"""Rows as JSON lines and as plain text.

Owns: lines on stdout and stderr. Refuses: reading the store, and choosing the names in JSON (`domain.records`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from vivix_tui.domain import times
from vivix_tui.domain.generation import Generation
from vivix_tui.domain.submission import Submission
from vivix_tui.domain.text import json_line, one_line


def can_ask() -> bool:
    """Whether somebody sits at a terminal who can be asked."""
    return all(stream and stream.isatty() for stream in (sys.stdin, sys.stderr))  # closed ones are None


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
    """How far files have come, on stderr: a bar on a terminal that can erase a line, elsewhere a line now and then."""

    LINE_S = 10.0
    AVERAGE_S = 3.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._bar = sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
        self._clock = clock
        self._shown = False
        self._told_at = self._seen_at = clock()
        self._received: int | None = None
        self._rate = 0.0

    def show(self, received: int, size: int | None, files: tuple[int, int] = (0, 1)) -> None:
        """Bytes so far, of how many (None: unknown); `files` are how many have come, of how many."""
        now = self._clock()
        self._measure(received, now)
        if not received or (not self._bar and now - self._told_at < self.LINE_S):
            return
        self._told_at = now
        text = progress_text(received, size, self._rate, files)
        if not self._bar:
            tell(text)
            return
        # Files whose turn has not come have no size yet: until then the bar counts files.
        share = min(1.0, received / size) if size else files[0] / max(1, files[1])
        print(f"\r[{'#' * round(share * 24):<24}] {text}\x1b[K", end="", file=sys.stderr, flush=True)
        self._shown = True

    def clear(self) -> None:
        """Makes room for a line."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False

    def _measure(self, received: int, now: float) -> None:
        """An average that forgets; what lay on disk before is no speed."""
        if self._received is not None and now > self._seen_at:
            passed = now - self._seen_at
            part = min(1.0, passed / self.AVERAGE_S)
            self._rate += part * (max(0, received - self._received) / passed - self._rate)
        self._received, self._seen_at = received, now


def progress_text(received: int, size: int | None, rate: float, files: tuple[int, int] = (0, 1)) -> str:
    """` 42% 12.6/30.0 MB 1/4 files 5.1 MB/s 0:03 left`, as much of it as is known; `rate` is bytes a second."""
    parts = [f"{received / 1e6:.1f} MB"]
    if size:
        parts = [f"{min(1.0, received / size):4.0%}", f"{received / 1e6:.1f}/{size / 1e6:.1f} MB"]
    if files[1] > 1:
        parts.append(f"{files[0]}/{files[1]} files")
    if rate >= 1000:
        parts.append(f"{rate / 1e6:.1f} MB/s")
    if size and size > received and rate >= 1000:
        minutes, seconds = divmod(round((size - received) / rate), 60)
        parts.append(f"{minutes}:{seconds:02} left" if minutes < 600 else "hours left")
    return " ".join(parts)

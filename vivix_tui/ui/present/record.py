"""The end of the details: when what was seen, the body as it was sent, and the record as `show --json` prints it. Pure.

Owns: how much of it is shown. Refuses: the names in the JSON (`domain.records`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vivix_tui.domain import records
from vivix_tui.domain.text import json_block, lines, one_line
from vivix_tui.store.query import Detail, Event
from vivix_tui.ui.line import Line
from vivix_tui.ui.present.times import local_time

MOST_EVENTS = 200
MOST_OF_BODY = 5_000
MOST_OF_RECORD = 20_000


def record(detail: Detail, body: str | None, glyphs: dict[str, str]) -> Iterator[Line]:
    """`body` is the one that was or will be sent, as far as it is known."""
    yield from _timeline(detail.events, glyphs)
    if body:
        yield from _text("Body as sent", lines(body, MOST_OF_BODY))
    yield from _text("Raw JSON", lines(json_block(_value(detail)), MOST_OF_RECORD))


def _text(title: str, text: str) -> Iterator[Line]:
    """Long, and seldom what is looked for: rows that are only passed by do without it."""
    yield Line("")
    yield Line(title, "title", late=True)
    yield Line(text, "muted", late=True)


def _value(detail: Detail) -> dict[str, object]:
    if detail.generation is not None:
        return records.generation_json(detail.generation, detail.downloads)
    assert detail.submission is not None  # noqa: S101 - a detail is of one or the other
    return records.submission_json(detail.submission)


def _timeline(events: Sequence[Event], glyphs: dict[str, str]) -> Iterator[Line]:
    if not events:
        return
    yield Line("")
    yield Line("Timeline", "title")
    for event in events[-MOST_EVENTS:]:
        extra = f" {one_line(event.detail, 80)}" if event.detail else ""
        yield Line(f"{one_line(event.event, 60)}{extra}", label=local_time(event.at, glyphs)[11:])

"""The detail of one row as lines. Pure, tested without a terminal.

Owns: which sections there are, their order and their words. Refuses: colours (a span names a role) and the store.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime

import humanize

from vivix_tui.domain import download as d
from vivix_tui.domain import submission as s
from vivix_tui.domain import times
from vivix_tui.domain.account import parse_body
from vivix_tui.domain.advice import EDIT, RETRY, WAIT, advice
from vivix_tui.domain.bodies import difference
from vivix_tui.domain.download import Download
from vivix_tui.domain.estimate import Durations
from vivix_tui.domain.generation import COMPLETED, FAILED, PROCESSING, Generation
from vivix_tui.domain.links import link_to
from vivix_tui.domain.text import lines, one_line
from vivix_tui.store.audits import Audit
from vivix_tui.store.query import Detail, TableRow
from vivix_tui.ui.line import LABEL_WIDTH, Line
from vivix_tui.ui.present.progress import detail_text
from vivix_tui.ui.present.record import record
from vivix_tui.ui.present.table import elapsed_s, role_of, status_word, time_text
from vivix_tui.ui.present.times import local_time, seconds_text

DIFF_LINES = 12
BAR_WIDTH = 20


def detail_lines(
    detail: Detail, row: TableRow, now: datetime, glyphs: dict[str, str], durations: Durations | None = None
) -> list[Line]:
    """All that is known, most wanted first; `durations` is how long such jobs take, where that is known."""
    if detail.generation is not None:
        return list(_generation(detail, detail.generation, row, now, glyphs, durations))
    assert detail.submission is not None  # noqa: S101 - a detail is of one or the other
    return list(_submission(detail, detail.submission, row, glyphs))


def _generation(
    detail: Detail,
    item: Generation,
    row: TableRow,
    now: datetime,
    glyphs: dict[str, str],
    durations: Durations | None,
) -> Iterator[Line]:
    role = role_of(row)
    took = time_text(row, now) or _in_all(item)
    head = f"{glyphs[role]} {status_word(row)}"
    if took:
        head += f" {'after' if item.ended else 'for'} {took}"
    code = item.error or (item.gone if item.status not in (COMPLETED, FAILED) else None)
    if code:
        head += f" {glyphs['dot']} {one_line(code, 80)}"
    yield Line(head, role)
    age_s = elapsed_s(row, now)
    if durations is not None and age_s is not None and not item.ended:
        ascii_only = glyphs["cut"].isascii()
        yield Line(detail_text(durations, age_s, width=BAR_WIDTH, ascii_only=ascii_only), role)
    if item.message:
        yield Line(lines(item.message))
    yield from _next_step(item)
    if item.note:
        yield Line(one_line(item.note), "warn")
    yield Line("")
    yield Line(one_line(item.generation_id), label="id")
    yield Line(one_line(item.model) if item.model else glyphs["dash"], label="model")
    yield Line(_credits(item, glyphs), label="credits")
    if detail.audit is not None:
        yield _audit(detail.audit)
    yield from _times(detail, item, glyphs)
    if item.request_id:
        yield Line(one_line(item.request_id), "muted", label="request")
    yield Line(one_line(item.profile), "muted", label="profile")
    yield from _outputs(detail, item, glyphs)
    yield from _body(item.body, item.prompt)
    yield from _lineage(detail, item)
    yield from record(detail, item.body, glyphs)


def _submission(detail: Detail, item: s.Submission, row: TableRow, glyphs: dict[str, str]) -> Iterator[Line]:
    role = role_of(row)
    code = f" {glyphs['dot']} {one_line(item.error, 80)}" if item.error else ""
    yield Line(f"{glyphs[role]} {status_word(row)}{code}", role)
    if item.state == s.UNKNOWN:
        yield Line(
            "No readable answer came: it may have been charged. It is never sent again by itself. Look on the web"
            " whether it exists, then press m, or use: vivix-tui resolve.",
            "warn",
        )
    if item.ask_first:
        yield Line("The original is not known to have failed: the API is asked first.", "muted")
    if item.message:
        yield Line(lines(item.message))
    if item.next:
        yield Line(f"next: {lines(item.next)}", "active")
    found = advice(item.error)
    if found is not None and item.state != s.UNKNOWN:
        yield Line(f"{found.text}{' E edits it.' if found.kind == EDIT else ''}", "muted")
    yield Line("")
    yield Line(item.submission_id, label="id")
    yield Line(one_line(item.model) if item.model else glyphs["dash"], label="model")
    if item.credits_estimate is not None:
        yield Line(f"{glyphs['most']}{item.credits_estimate:,} credits", label="price")
    yield Line(local_time(item.created_at, glyphs), label="queued")
    if item.sent_at:
        yield Line(local_time(item.sent_at, glyphs), label="sent")
    if item.balance_before is not None or item.balance_after is not None:
        before, after = (glyphs["dash"] if b is None else f"{b:,}" for b in (item.balance_before, item.balance_after))
        yield Line(f"{before} before, {after} after", label="balance")
    if item.request_id:
        yield Line(one_line(item.request_id), "muted", label="request")
    if item.retry_of:
        yield Line(one_line(item.retry_of), label="retry of")
    yield from _body(item.body, item.prompt)
    yield from record(detail, item.body, glyphs)


def _next_step(item: Generation) -> Iterator[Line]:
    if item.next:
        yield Line(f"next: {lines(item.next)}", "active")
    found = advice(item.error or (item.gone if item.status not in (COMPLETED, FAILED) else None))
    if found is not None:
        key = {RETRY: " R retries.", WAIT: " R retries.", EDIT: " E edits."}.get(found.kind, "") if item.body else ""
        yield Line(found.text + key, "muted")
    elif item.status == FAILED and not item.next:
        refunded = "it was refunded; " if item.credits_used == 0 else ""
        can = "R sends the same body again" if item.body else "its body is not known here"
        yield Line(f"next: {refunded}{can}", "active")


def _credits(item: Generation, glyphs: dict[str, str]) -> str:
    estimate = glyphs["dash"] if item.credits_estimate is None else f"{glyphs['most']}{item.credits_estimate:,}"
    if item.status == FAILED and item.credits_used == 0:
        return f"{estimate} estimated, refunded"
    if item.credits_used is not None:
        return f"{estimate} estimated, {item.credits_used:,} used"
    return f"{estimate} estimated"


def _audit(audit: Audit) -> Line:
    """Whether the balance bears out what the API says it charged, for this one or for all of a busy period."""
    moved = audit.balance_before - audit.balance_after
    what = "this" if audit.jobs == 1 else f"{audit.jobs} generations"
    words = f"fell by {moved:,} while {audit.charged:,} was charged for {what}"
    if not audit.unexplained:
        return Line(f"{words}: proved", "muted", label="balance")
    more = "more" if audit.unexplained > 0 else "fewer"
    why = "another program on this account, a top-up, or a charge that is not as told"
    if audit.unknown:
        why = f"{audit.unknown} of unknown outcome, or {why}"
    return Line(f"{words}: {abs(audit.unexplained):,} {more} left it ({why})", "warn", label="balance")


def _times(detail: Detail, item: Generation, glyphs: dict[str, str]) -> Iterator[Line]:
    began = _seen_rendering(detail, item)
    waited = f" (queued for at most {seconds_text(began)})" if began is not None and not item.ended else ""
    yield Line(f"{local_time(item.created_at, glyphs)}{waited}", label="created")
    if item.ended and item.gone is None:
        words = local_time(item.completed_at, glyphs)
        parts = _parts(item, began)
        yield Line(words + (f" ({', '.join(parts)})" if parts else ""), label="ended")
    yield Line(local_time(item.checked_at, glyphs) if item.checked_at else glyphs["dash"], "muted", label="asked")


def _parts(item: Generation, began_s: float | None) -> list[str]:
    """Queue and rendering apart: by the API's figures, or, where its duration holds both, by what was seen."""
    parts = []
    queue_s = _queue_s(item)
    duration_s = None if item.duration_ms is None else item.duration_ms / 1000
    if queue_s is not None and began_s is not None and duration_s is not None and queue_s < 1 <= began_s < duration_s:
        parts.append(f"queued for at most {seconds_text(began_s)}")
        parts.append(f"rendered for at least {seconds_text(duration_s - began_s, exact=True)}")
    else:
        if queue_s is not None:
            parts.append(f"queued {seconds_text(queue_s, exact=True)}")
        if duration_s is not None:
            parts.append(f"rendered {seconds_text(duration_s, exact=True)}")
    if _in_all(item):
        parts.append(f"in all {_in_all(item)}")
    return parts


def _seen_rendering(detail: Detail, item: Generation) -> float | None:
    """Seconds after which it was first seen being rendered, None where that was not seen."""
    created = times.parse(item.created_at)
    seen = next((times.parse(event.at) for event in detail.events if event.event == PROCESSING), None)
    if created is None or seen is None or seen < created:
        return None
    return (seen - created).total_seconds()


def _queue_s(item: Generation) -> float | None:
    """What is left of the whole time when the rendering is taken away; None where either is not known."""
    created, completed = times.parse(item.created_at), times.parse(item.completed_at)
    if created is None or completed is None or item.duration_ms is None:
        return None
    left_s = (completed - created).total_seconds() - item.duration_ms / 1000
    return left_s if left_s >= 0 else None


def _in_all(item: Generation) -> str:
    """From the request to the end, queue included; empty where that is not known."""
    created, completed = times.parse(item.created_at), times.parse(item.completed_at)
    if created is None or completed is None or completed < created:
        return ""
    return seconds_text((completed - created).total_seconds())


def _outputs(detail: Detail, item: Generation, glyphs: dict[str, str]) -> Iterator[Line]:
    if not item.urls and item.status != COMPLETED:
        if detail.tell:
            yield Line("you will be told when it ends; w takes that back", "active")
        if detail.wanted:
            yield Line("its files will be downloaded when it completes", "active")
        return
    yield Line("")
    yield Line("Outputs", "title")
    if not item.urls:
        yield Line("the answer named no URL", "warn")
    files = {entry.index: entry for entry in detail.downloads}
    for index, url in enumerate(item.urls, start=1):
        yield Line(one_line(url), indent=3, lead=str(index), link=link_to(url) or "")
        yield _file(files.get(index), glyphs)


def _file(item: Download | None, glyphs: dict[str, str]) -> Line:
    if item is None:
        return Line("not fetched; d downloads", "muted", 3)
    if item.state == d.DONE:
        if item.path is None or not os.path.lexists(item.path):
            return Line(f"{glyphs['failed']} missing, d fetches it again: {one_line(item.path or '')}", "warn", 3)
        size = humanize.naturalsize(item.size_bytes or 0)
        whole = {True: "whole", False: "NOT WHOLE", None: "not verifiable"}[item.verified]
        role = "warn" if item.verified is False else "done"
        return Line(f"{glyphs['done']} {size}, {whole}: {one_line(item.path or '')}", role, 3)
    if item.state == d.FAILED:
        reason = one_line(item.error or "no reason")
        words = reason if reason.startswith(d.GONE) else f"failed: {reason}"
        return Line(f"{glyphs['failed']} {words}", "failed", 3)
    if item.state in (d.PAUSED, d.CANCELLED):
        words = f"{item.state}: {one_line(item.error)}" if item.error else f"{item.state}; d goes on"
        return Line(f"{glyphs['held']} {words}", "warn" if item.error else "muted", 3)
    if item.state == d.QUEUED and not item.received_bytes and not item.error:
        return Line(f"{glyphs['down']} queued", "active", 3)
    received = humanize.naturalsize(item.received_bytes)
    share = f" {min(100, item.received_bytes * 100 // item.size_bytes)}%" if item.size_bytes else ""
    again = f", attempt {item.attempts}: {one_line(item.error, 200)}" if item.error else ""
    return Line(f"{glyphs['down']}{share} {received}{again}", "active", 3)


def _body(body: str | None, prompt: str | None) -> Iterator[Line]:
    if body is None:
        yield Line("")
        yield Line("The body is not known here: it was made elsewhere.", "muted")
        return
    yield Line("")
    yield Line("Prompt", "title")
    yield Line(lines(prompt) if prompt else "none")
    value = {k: v for k, v in (parse_body(body) or {}).items() if k not in ("prompt", "model")}
    for name, field in value.items():
        shown = field if isinstance(field, str) else json.dumps(field, ensure_ascii=False)
        yield Line(one_line(shown), "plain", label=one_line(str(name), 30))


def _lineage(detail: Detail, item: Generation) -> Iterator[Line]:
    if not item.retry_of and not detail.retries:
        return
    yield Line("")
    yield Line("Lineage", "title")
    if item.retry_of:
        original = detail.original
        same = (
            ""
            if original is None or original.body is None
            else (", same body" if original.body == item.body else ", body changed")
        )
        ended = f" ({one_line(original.error or original.status or '', 60)})" if original else ""
        yield Line(f"{one_line(item.retry_of, 60)}{ended}{same}", label="retry of")
        if original is not None and original.body and item.body and original.body != item.body:
            for line in difference(original.body, item.body)[:DIFF_LINES]:
                yield Line(one_line(line, 200), {"+": "done", "-": "failed"}.get(line[:1], "muted"), LABEL_WIDTH)
    for retry in detail.retries:
        yield Line(one_line(retry, 60), label="retried as")

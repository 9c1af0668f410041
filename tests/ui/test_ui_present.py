"""Details and bars as data: which words stand where, without a terminal."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.ui.conftest import NOW, PROFILE, Screen
from vivix_tui import verbs_retry
from vivix_tui.domain import download as d
from vivix_tui.domain.account import Account
from vivix_tui.domain.download import Download
from vivix_tui.domain.generation import Generation
from vivix_tui.store import query
from vivix_tui.store.accounts import EngineState
from vivix_tui.store.order import Order
from vivix_tui.store.query import Detail, Filter
from vivix_tui.ui.commands import Context
from vivix_tui.ui.line import Line
from vivix_tui.ui.present.bar import Facts, banner, connection, footer, gauges, state_words
from vivix_tui.ui.present.detail import detail_lines
from vivix_tui.ui.present.glyphs import ASCII, GLYPHS

ZERO = dict.fromkeys(query.PHASES, 0)


def details(screen: Screen, generation_id: str, glyphs: dict[str, str] = GLYPHS) -> list[Line]:
    found = query.detail(screen.store, PROFILE, "generation", generation_id)
    index = query.index_of(screen.store, PROFILE, Filter(), "generation", generation_id)
    assert found is not None
    assert index is not None
    (row,) = query.page(screen.store, PROFILE, Filter(), offset=index, limit=1)
    return detail_lines(found, row, NOW, glyphs)


def labelled(lines: list[Line]) -> dict[str, str]:
    return {line.label: line.text for line in lines if line.label}


def test_a_failure_begins_with_its_code_and_says_what_next(screen: Screen) -> None:
    failed = screen.row(
        1, "failed", ago_s=20, error="PROVIDER_ERROR", message="two\nlines", credits_used=0, credits_estimate=211,
        completed_at=(NOW - timedelta(seconds=5)).isoformat(), duration_ms=9_000, request_id="req_1",
    )  # fmt: skip
    lines = details(screen, failed)
    assert (lines[0].text, lines[0].role) == ("✗ failed after 9.0s · PROVIDER_ERROR", "failed")
    assert lines[1].text == "two\nlines"
    assert lines[2].text == "The cause was transient: the same body may well succeed now. R retries."
    facts = labelled(lines)
    assert facts["credits"] == "≤211 estimated, refunded"
    assert facts["ended"] == "2026-11-23 11:59:55 (queued 6.0s, rendered 9.0s, in all 15s)"
    assert facts["request"] == "req_1"


def test_unknown_stays_unknown(screen: Screen) -> None:
    lines = details(screen, screen.row(1, None, prompt=None))
    facts = labelled(lines)
    assert (facts["model"], facts["credits"], facts["created"], facts["asked"]) == ("–", "– estimated", "–", "–")
    assert any("body is not known here" in line.text for line in lines)


def test_lineage_says_what_changed(screen: Screen) -> None:
    first = screen.row(1, "failed", error="X", credits_used=0)
    verbs_retry.retry(screen.store, PROFILE, first)
    (retry,) = query.queue(screen.store, PROFILE)
    assert labelled(details(screen, first))["retried as"] == retry.submission_id
    second = screen.row(2, "completed")
    found = query.detail(screen.store, PROFILE, "generation", second)
    original = query.generation(screen.store, PROFILE, first)
    assert found is not None
    assert found.generation is not None
    assert original is not None
    (row,) = query.page(screen.store, PROFILE, Filter(phases=frozenset({"done"})), offset=0, limit=1)
    for body, words in ((original.body, ", same body"), ('{"prompt": "y"}', ", body changed")):
        item = Generation(
            profile=PROFILE, generation_id=second, tracked_at=found.generation.tracked_at, status="completed",
            retry_of=first, body=body,
        )  # fmt: skip
        lines = detail_lines(Detail(generation=item, submission=None, original=original), row, NOW, GLYPHS)
        assert labelled(lines)["retry of"] == f"{first} (X){words}"


@pytest.mark.parametrize(
    ("facts", "shown", "role"),
    [
        (None, "not fetched; d downloads", "muted"),
        ({"state": d.DONE, "size_bytes": 2_100_000, "verified": True, "path": "a\x1b.jpg"},
         "✓ 2.1 MB, whole: a␛.jpg", "done"),
        ({"state": d.DONE, "size_bytes": 1, "verified": False, "path": "a\x1b.jpg"},
         "✓ 1 Byte, NOT WHOLE: a␛.jpg", "warn"),
        ({"state": d.DONE, "size_bytes": 1, "verified": None, "path": "a\x1b.jpg"},
         "✓ 1 Byte, not verifiable: a␛.jpg", "done"),
        ({"state": d.DONE, "size_bytes": 1, "verified": True, "path": "gone.jpg"},
         "✗ missing, d fetches it again: gone.jpg", "warn"),
        ({"state": d.ACTIVE, "received_bytes": 43, "size_bytes": 100}, "↓ 43% 43 Bytes", "active"),
        ({"state": d.ACTIVE, "received_bytes": 43}, "↓ 43 Bytes", "active"),
        ({"state": d.QUEUED, "attempts": 2, "error": "reset"}, "↓ 0 Bytes, attempt 2: reset", "active"),
        ({"state": d.FAILED, "error": "404\x1b[2J"}, "✗ failed: 404␛[2J", "failed"),
        ({"state": d.PAUSED}, "‖ paused; d goes on", "muted"),
        ({"state": d.PAUSED, "error": "disk full"}, "‖ paused: disk full", "warn"),
        ({"state": d.CANCELLED}, "‖ cancelled; d goes on", "muted"),
    ],
)  # fmt: skip
def test_each_output_says_where_its_file_is(
    screen: Screen, facts: dict[str, Any] | None, shown: str, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a\x1b.jpg").touch()
    done = screen.row(1, "completed", output_urls=("https://h/0.jpg",))
    found = query.detail(screen.store, PROFILE, "generation", done)
    assert found is not None
    (row,) = query.page(screen.store, PROFILE, Filter(), offset=0, limit=1)
    files = () if facts is None else (Download(profile=PROFILE, generation_id=done, index=1, url="u", **facts),)
    lines = detail_lines(
        Detail(generation=found.generation, submission=None, downloads=files), row, NOW, GLYPHS
    )  # fmt: skip
    at = next(index for index, line in enumerate(lines) if line.text == "https://h/0.jpg")
    assert lines[at].lead == "1"
    assert (lines[at + 1].text, lines[at + 1].role) == (shown, role)


def test_the_ascii_set_holds_in_every_line(screen: Screen) -> None:
    screen.busy()
    for generation_id in ("0fe1c3d4", "91d0be12", "7c2f90aa", "5b91a581"):
        for line in details(screen, f"{generation_id}-0000-4000-8000-000000000000", ASCII):
            assert (line.label + line.lead + line.text).isascii()
    some = facts(EngineState(pid=7, connection="rejected", detail="no", hint="new"), tier="Pro")
    assert all(gauge.text.isascii() for gauge in gauges(some, NOW, ASCII))
    assert (banner(some, ASCII) or "").isascii()
    assert all(text.isascii() for text, _ in footer(Context(), {}, "", 300, ASCII))


def facts(engine: EngineState | None, *, tier: str | None = None, **more: Any) -> Facts:
    given: dict[str, Any] = {"queue_paused": None, "notice": None} | more
    return Facts(
        profile=PROFILE, account=Account(tier=tier), engine=engine, own_pid=7, in_flight=0, counts=ZERO, **given
    )


@pytest.mark.parametrize(
    ("engine", "shown", "role"),
    [
        (None, "○ starting", "muted"),
        (EngineState(pid=7, connection="live"), "● live", "done"),
        (EngineState(pid=9, connection="live"), "● live (process 9)", "done"),
        (EngineState(pid=9, connection="stopped"), "○ starting", "muted"),
        (EngineState(pid=7, connection="retrying", until="2026-11-23T12:00:11.500Z"), "! retrying in 12 s", "warn"),
        (EngineState(pid=7, connection="limited", until="2026-11-23T11:00:00Z"), "! rate limit", "warn"),
        (EngineState(pid=7, connection="offline"), "! offline", "failed"),
        (EngineState(pid=7, connection="rejected"), "! key rejected", "failed"),
        (EngineState(pid=7, connection="nokey"), "! no key", "failed"),
        (EngineState(pid=7, connection="odd\x1b"), "○ odd␛", "muted"),
    ],
)
def test_the_connection_in_words(engine: EngineState | None, shown: str, role: str) -> None:
    gauge = connection(facts(engine), NOW, GLYPHS)
    assert (gauge.text, gauge.role) == (shown, role)


def test_gauges_invent_no_number() -> None:
    texts = [gauge.text for gauge in gauges(facts(None), NOW, GLYPHS)]
    assert {"credits –", "calls –/–", "slots 0/–", PROFILE} <= set(texts)


def test_the_banner_says_the_one_thing_that_matters_most() -> None:
    live = EngineState(pid=7, connection="live", trouble="A part of the engine was restarted: poller")
    rejected = EngineState(pid=7, connection="rejected", detail="KEY_REVOKED", hint="make one", request_id="req_9")
    assert banner(facts(live), GLYPHS) == "A part of the engine was restarted: poller"
    assert banner(facts(live), GLYPHS, "the disk is full", "g1 was accepted (req_1)") == "g1 was accepted (req_1)"
    assert banner(facts(live, queue_paused="no credits"), GLYPHS) == ("The queue is paused: no credits · m resumes it")
    said = banner(facts(rejected, queue_paused="x", notice="y"), GLYPHS) or ""
    assert said == "Key rejected, press K. KEY_REVOKED · req_9 · make one"
    assert banner(facts(rejected), GLYPHS, "disk") == "What is shown may be old: disk"
    assert banner(facts(EngineState(pid=7, connection="live")), GLYPHS) is None


def test_the_footer_names_filter_and_marks_and_never_overflows() -> None:
    def words(shown: Filter, count: int, order: Order = Order(), marked: int = 0, spanned: int = 0) -> str:  # noqa: B008
        return state_words(shown, order, count, marked=marked, spanned=spanned, glyphs=GLYPHS)

    assert words(Filter(), 7) == ""
    assert words(Filter("fox", frozenset({"failed"})), 1_200, marked=2) == "[fox + failed: 1,200][2 marked]"
    assert words(Filter(), 7, Order("credits"), marked=2, spanned=5) == "[credits ↓][2 marked][range: 5]"
    for width in range(10, 200, 7):
        pieces = footer(Context(), {"generation.download": "ctrl+f12"}, "", width, GLYPHS)
        assert sum(len(text) for text, _ in pieces) <= width

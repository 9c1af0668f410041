"""The table reads and draws what is visible, and nothing else; hostile text stays text."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.ui.conftest import NOW, PROFILE, Screen, settled, until
from vivix_tui import verbs
from vivix_tui.domain.generation import Answer
from vivix_tui.store import generations, query
from vivix_tui.store.query import TableRow
from vivix_tui.ui.present.bar import Gauge, fitting
from vivix_tui.ui.present.glyphs import ASCII, GLYPHS
from vivix_tui.ui.present.table import COLUMNS, cells, columns_for, fit, still_s
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.widgets.generation_table import GenerationTable

BLANK: dict[str, Any] = {
    "kind": "generation", "id": "abcdefgh-1", "phase": "active", "status": None, "model": None, "prompt": None,
    "error": None, "gone": None, "credits_estimate": None, "credits_used": None, "elapsed_ms": None,
    "duration_ms": None, "checked_at": None, "sort_ms": int(NOW.timestamp() * 1000), "note": None, "held": False,
    "asks_first": False, "has_body": False, "files": 0, "files_done": 0, "files_under_way": 0, "received": 0,
    "size": None, "retries": 0,
}  # fmt: skip


def row(**facts: Any) -> TableRow:
    return TableRow(**BLANK | facts)


@pytest.mark.parametrize(
    ("facts", "column", "shown"),
    [
        ({}, "status", "○ not asked"),
        ({"status": "pending"}, "status", "○ queued"),
        ({"status": "processing"}, "status", "▶ rendering"),
        ({"status": "upscaling"}, "status", "▶ upscaling"),
        ({"status": "completed"}, "status", "✓ done"),
        ({"status": "failed"}, "status", "✗ failed"),
        ({"gone": "NOT_FOUND"}, "status", "∅ not found"),
        ({"gone": "TIER_LOCKED"}, "status", "∅ tier_locked"),
        ({"kind": "submission", "status": "queued"}, "status", "○ waiting"),
        ({"kind": "submission", "status": "queued", "held": True}, "status", "‖ held"),
        ({"kind": "submission", "status": "unknown"}, "status", "! charged?"),
        ({"kind": "submission", "status": "refused"}, "status", "✗ refused"),
        ({"status": "completed", "duration_ms": 12_400}, "time", "12.4s"),
        ({"status": "processing"}, "time", ""),
        ({"status": "processing", "elapsed_ms": 5000, "checked_at": "2026-11-23T11:59:58Z"}, "time", "7s"),
        ({"status": "processing", "elapsed_ms": 5000, "checked_at": "2026-11-23T12:00:30Z"}, "time", "5s"),
        ({"credits_estimate": 1211}, "credits", "≤1,211"),
        ({"status": "completed", "credits_used": 0}, "credits", "0"),
        ({"status": "failed", "credits_used": 0}, "credits", "refunded"),
        ({}, "credits", "–"),
        ({"files": 4}, "files", "4"),
        ({"files": 4, "files_done": 2}, "files", "2/4"),
        ({"files": 4, "files_done": 4}, "files", "✓ 4"),
        ({"files": 1, "files_under_way": 1, "received": 43, "size": 100}, "files", "↓ 43%"),
        ({"files": 1, "files_under_way": 1, "received": 500, "size": 100}, "files", "↓ 100%"),
        ({"files": 1, "files_under_way": 1, "received": 43}, "files", "↓ "),
        ({"sort_ms": int((NOW + timedelta(hours=1)).timestamp() * 1000)}, "age", "0s"),
        ({"sort_ms": int((NOW - timedelta(days=800)).timestamp() * 1000)}, "age", "2y"),
        ({"retries": 3}, "retries", "3"),
        ({"id": "ab\x1b[2Jcdefgh"}, "id", "ab␛[2Jcd"),
    ],
)
def test_cells(facts: dict[str, Any], column: str, shown: str) -> None:
    assert cells(row(**facts), NOW, GLYPHS)[column].text == shown


@given(
    st.dictionaries(st.sampled_from(["id", "model", "prompt", "status", "error", "gone"]), st.text()),
    st.dictionaries(
        st.sampled_from(["elapsed_ms", "duration_ms", "credits_used", "credits_estimate", "received", "size"]),
        st.integers(0, 2**53),
    ),
)
def test_ter_01_no_cell_holds_a_control_character(texts: dict[str, str], numbers: dict[str, int]) -> None:
    facts: dict[str, Any] = texts | numbers
    for glyphs in (GLYPHS, ASCII):
        for cell in cells(row(**facts), NOW, glyphs).values():
            assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or "\u202a" <= c <= "\u202e" for c in cell.text)


@given(st.integers(1, 400), st.text(max_size=60))
def test_columns_fill_any_width_exactly_and_wide_characters_count_two(width: int, text: str) -> None:
    chosen = columns_for(width)
    assert chosen
    if width >= 40:
        assert sum(w + 1 for _, w in chosen) + 2 <= width
    for _, column_width in chosen:
        assert cell_len(fit(text, column_width)) == column_width or not text.isprintable()


def test_narrow_screens_lose_columns_by_importance() -> None:
    def ids(width: int) -> list[str]:
        return [column.id for column, _ in columns_for(width)]

    assert ids(200) == [column.id for column in COLUMNS]
    assert ids(79) == ["id", "model", "prompt", "status", "time", "credits"]
    assert ids(50) == ["id", "prompt", "status"]
    assert [c.id for c, _ in columns_for(200, ("prompt", "status"))] == ["prompt", "status"]
    assert [c.id for c, _ in columns_for(200, ("nonsense",))] == [column.id for column in COLUMNS]


def test_the_header_drops_what_matters_least_and_keeps_the_connection() -> None:
    gauges = [Gauge("a" * 30, "plain", 5), Gauge("connection", "done", 0), Gauge("b" * 30, "plain", 3)]
    assert [g.text for g in fitting(gauges, 50)] == ["connection", "b" * 30]
    assert [g.text for g in fitting(gauges, 5)] == ["connection"]


async def test_100_000_rows_are_never_all_read(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    past = (
        (Answer(generation_id=f"{n:08}", status="completed", created_at=(NOW - timedelta(seconds=n)).isoformat()), "{}")
        for n in range(100_000)
    )
    with screen.store.write() as connection:
        generations.insert_past(connection, PROFILE, past, NOW)
    read = 0
    real = query.page

    def counted(*arguments: Any, **options: Any) -> list[TableRow]:
        nonlocal read
        rows = real(*arguments, **options)
        read += len(rows)
        return rows

    monkeypatch.setattr(query, "page", counted)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert 0 < read <= 200
        await pilot.press("G")
        await settled(pilot)
        table = app.screen.query_one(GenerationTable)
        assert table.selected is not None
        assert table.selected.id == "00099999"
        assert read <= 400


async def test_the_cursor_stays_on_its_row_when_others_come(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("j", "j", "j", "j")
        await settled(pilot)
        table = app.screen.query_one(GenerationTable)
        before = table.selected
        assert before is not None
        verbs.track(screen.store, PROFILE, [(f"new-{n}", None) for n in range(100)])
        assert isinstance(app.screen, MainScreen)
        app.screen.reload()
        await settled(pilot)
        assert table.selected is not None
        assert table.selected.id == before.id
        assert table.cursor == 104


async def test_only_lines_that_changed_are_drawn(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        table = app.screen.query_one(GenerationTable)
        drawn: list[int] = []
        real = table.render_line

        def counted(y: int) -> Any:
            drawn.append(y)
            return real(y)

        table.render_line = counted  # type: ignore[method-assign]
        await pilot.pause(0.6)
        assert drawn == []
        await pilot.press("j")
        await settled(pilot)
        assert set(drawn) <= {1, 2}
        drawn.clear()
        row = query.page(screen.store, PROFILE, query.Filter(), offset=0, limit=9)[5]
        answer = Answer(generation_id=row.id, status="completed", credits_used=5)
        generations.record(screen.store, PROFILE, answer, asked_at=NOW + timedelta(seconds=5))
        await until(pilot, lambda: drawn)
        assert set(drawn) == {6}


async def test_a_click_selects_and_two_open(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.click(GenerationTable, offset=(5, 4))
        await settled(pilot)
        table = app.screen.query_one(GenerationTable)
        assert table.cursor == 3
        await pilot.click(GenerationTable, offset=(5, 4), times=2)
        await settled(pilot)
        assert app.screen.query_one("#detail").has_class("-zoomed")


HOSTILE = [
    "A\x1b]0;PWNED\x07B\x1b[2JC\x1b]52;c;ZXZpbA==\x1b\\D", "bad [/red] text", "[b]x", "array[0]", "[@click=app.quit]x",
    "\x9b2J", "\u202eevil", "a\ud800b", "[/", "x" * 100_000, "\u200b\u2066", "%s {0} $(x)", "\n\n\n", "\t",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_ter_03_hostile_text_in_every_field_is_shown_as_text(screen: Screen, text: str) -> None:
    scrubbed = text.encode("utf-8", "replace").decode()
    screen.account("offline", detail=scrubbed, hint=scrubbed, request_id=scrubbed, trouble=scrubbed)
    facts: dict[str, Any] = {"error": scrubbed, "message": scrubbed, "next": scrubbed, "request_id": scrubbed}
    screen.row(1, "failed", prompt=text, model=scrubbed, **facts)
    screen.row(2, scrubbed or "x", prompt=text, model=scrubbed)
    screen.row(3, "completed", prompt=text, output_urls=(f"https://h/{scrubbed}",))
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        for key in ("G", "enter", "escape", "k", "R", "escape", "o", "escape", "x", "escape", "y", "Y", "r", "g"):
            await pilot.press(key)
            await settled(pilot)
        for y in range(36):
            shown = "".join(segment.text for segment in app.screen._compositor.render_strips()[y])
            assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u2066" for c in shown), shown


@given(age_s=st.floats(0, 86400 * 800), waits=st.lists(st.floats(0, 1), min_size=5, max_size=5), gone_on=st.booleans())
def test_while_a_row_is_still_time_changes_no_cell_of_it(age_s: float, waits: list[float], gone_on: bool) -> None:
    made = NOW - timedelta(seconds=age_s)
    facts: dict[str, Any] = {"status": "processing", "elapsed_ms": 5000, "checked_at": "2026-11-23T11:59:58Z"}
    shown = row(sort_ms=int(made.timestamp() * 1000), **(facts if gone_on else {"status": "completed"}))
    span = still_s(shown, NOW)
    assert span == 0 if gone_on else span < 86400 * 365
    for share in waits:
        later = NOW + timedelta(seconds=span * share)
        assert cells(shown, later, GLYPHS) == cells(shown, NOW, GLYPHS) or gone_on


async def test_a_tick_looks_at_rows_only_when_one_of_them_may_have_changed(screen: Screen) -> None:
    screen.row(1, "completed", ago_s=3600 * 5)
    app = screen.app()
    async with app.run_test(size=(99, 20)) as pilot:
        await settled(pilot)
        table = app.screen.query_one(GenerationTable)
        drawn = dict(table._drawn)
        table.tick()
        screen.now += timedelta(seconds=50)
        table.tick()
        assert table._now == NOW  # nothing was looked at again
        screen.now += timedelta(hours=1)
        table.tick()
        await settled(pilot)
        assert table._now == screen.now
        assert table._drawn != drawn

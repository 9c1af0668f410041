"""Cursor and marks over many rows: they stay on their rows, whatever happens to those."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from textual import events
from textual.geometry import Region
from textual.pilot import Pilot

from tests.ui.conftest import NOW, PROFILE, Screen, settled
from vivix_tui import verbs
from vivix_tui.domain.generation import Answer
from vivix_tui.domain.submission import Accepted
from vivix_tui.store import downloads, generations, query, submissions
from vivix_tui.ui import navigation
from vivix_tui.ui.app import VivixApp
from vivix_tui.ui.screens.dialogs import Confirm
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.widgets.detail_pane import DetailPane

BODY = '{"model": "m", "prompt": "x"}'


def main(app: VivixApp) -> MainScreen:
    screen = app.screen
    assert isinstance(screen, MainScreen)
    return screen


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def toasts(app: VivixApp) -> list[str]:
    return [str(notification.message) for notification in app._notifications]


def many(screen: Screen, count: int) -> None:
    past = (
        (Answer(generation_id=f"{n:08}", status="completed", created_at=(NOW - timedelta(seconds=n)).isoformat()), BODY)
        for n in range(count)
    )
    with screen.store.write() as connection:
        generations.insert_past(connection, PROFILE, past, NOW)


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        (("down", "down"), 2), (("down", "down", "up"), 1), (("pagedown",), 33), (("pagedown", "pageup"), 0),
        (("end",), 299), (("end", "home"), 0), (("ctrl+d",), 16), (("end", "ctrl+u"), 283), (("end", "up"), 298),
    ],
)  # fmt: skip
async def test_every_movement_moves_the_cursor_when_there_is_more_than_a_screen(
    screen: Screen, keys: tuple[str, ...], row: int
) -> None:
    many(screen, 300)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, *keys)
        table = main(app).table
        assert table.cursor == row
        assert table.scroll_offset.y <= row < table.scroll_offset.y + table.page_rows


async def test_a_change_does_not_pull_the_wheel_back(screen: Screen) -> None:
    many(screen, 300)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "j")
        table = main(app).table
        wheel = events.MouseScrollDown(table, 5, 5, 0, 1, 0, False, False, False)
        for _ in range(40):
            table.post_message(wheel)
        await settled(pilot)
        there = table.scroll_offset.y
        assert there > 35
        verbs.track(screen.store, PROFILE, [("new", None)])
        main(app)._follow()
        await settled(pilot)
        assert table.scroll_offset.y == there
        assert table.cursor == 2
        await press(pilot, "j")
        assert table.scroll_offset.y <= 3


async def test_a_ticking_cell_is_repainted_alone(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.busy()
    app = screen.app()
    now = NOW
    app.clock = lambda: now
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        table, painted = main(app).table, list[Region]()
        real = table.refresh

        def noted(*regions: Region, **more: bool) -> object:
            painted.extend(regions)
            return real(*regions, **more)

        monkeypatch.setattr(table, "refresh", noted)
        now = NOW + timedelta(seconds=20)
        table.repaint_changed()
        assert painted == [], "what came meanwhile moves no numbers that run: the tick does"
        table.tick()
        assert painted
        assert all(region.width <= 10 for region in painted)
        await settled(pilot)
        painted.clear()
        table.tick()
        assert painted == []
        shown = "".join(segment.text for segment in table.render_line(3))
        assert re.search(r"[▏▎▍▌▋▊▉█] *[<~]?[0-9]", shown)


async def test_the_cursor_goes_with_a_submission_that_becomes_a_generation(screen: Screen) -> None:
    screen.busy()
    first, second = verbs.submit(screen.store, PROFILE, [BODY, BODY]).ids
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        table = main(app).table
        rows = [main(app).listing.row(index) for index in range(9)]
        at = next(index for index, row in enumerate(rows) if row is not None and row.id == second)
        await press(pilot, *["j"] * (at + 1), "k")
        assert table.selected is not None
        assert table.selected.id == second
        await press(pilot, "space", "k")
        item = submissions.get(screen.store, second)
        assert item is not None
        submissions.begin(screen.store, second, None, NOW)
        accepted = Accepted(generation_id="became-this", status="processing")
        submissions.accepted(screen.store, item, accepted, None, NOW - timedelta(days=9))
        main(app)._follow()
        await settled(pilot)
        assert table.selected.id == "became-this"
        assert list(table.marks) == [("generation", "became-this")]
        assert first


async def test_forgotten_rows_are_no_longer_marked(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "g", "space", "space", "x", "y", "escape")
        assert not main(app).table.marks
        await press(pilot, "d")
        assert toasts(app)[-1] == "its files will be downloaded when it completes"


async def test_marks_that_the_filter_hides_are_still_meant(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "asterisk", "4", "g")
        assert len(main(app).table.marks) == 2
        await press(pilot, "d")
        assert len(downloads.work(screen.store, PROFILE)) == 5
        await press(pilot, "space")
        assert len(main(app).table.marks) == 3
        await press(pilot, "R")
        assert isinstance(app.screen, Confirm)
        assert app.screen._title == "Retry 3 rows?"


async def test_mark_all_says_where_it_stops(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "MARK_ALL_MOST", 50)
    many(screen, 60)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "asterisk")
        assert len(main(app).table.marks) == 50
        assert "marked the first 50 of 60" in toasts(app)


async def test_one_mark_among_100_000_rows_reads_nothing_more(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    many(screen, 3_000)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "space")
        read, real = [0], query.page

        def counted(*arguments: object, **options: object) -> list[query.TableRow]:
            read[0] += 1
            return real(*arguments, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(query, "page", counted)
        main(app).reload()
        await settled(pilot)
        assert read[0] <= 2


async def test_the_selection_survives_filtering(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "G", "4")
        assert main(app).table.selected is not None
        before = main(app).table.selected
        assert before is not None
        await press(pilot, "0")
        after = main(app).table.selected
        assert after is not None
        assert after.id == before.id
        assert main(app).table.cursor == 6


async def test_long_movements_scroll_zoomed_details_and_escape_gives_the_keys_back(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 12)) as pilot:
        await press(pilot, "G", "k", "enter")
        detail, row = main(app).detail, main(app).table.cursor
        await press(pilot, "G")
        assert detail.scroll_offset.y == detail.max_scroll_y > 0
        await press(pilot, "ctrl+u")
        assert 0 < detail.scroll_offset.y < detail.max_scroll_y
        await press(pilot, "g")
        assert detail.scroll_offset.y == 0
        assert main(app).table.cursor == row
        await press(pilot, "escape")
        assert main(app).table.has_focus
        await pilot.click(DetailPane, offset=(5, 3))
        await settled(pilot)
        assert detail.has_focus
        await press(pilot, "escape")
        assert main(app).table.has_focus

"""Sorting, columns, ranges: what is looked at, and that it is remembered."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.ui.conftest import PROFILE, Screen, settled
from tests.ui.test_ui_marks import many
from vivix_tui import verbs
from vivix_tui.config import Settings
from vivix_tui.store import downloads, query
from vivix_tui.store.order import Order
from vivix_tui.ui import navigation
from vivix_tui.ui.app import VivixApp
from vivix_tui.ui.screens.arranging import SORTS, PickColumns, SortBy
from vivix_tui.ui.screens.dialogs import Confirm
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.widgets.bars import Bar
from vivix_tui.ui.widgets.generation_table import GenerationTable


def main(app: VivixApp) -> MainScreen:
    screen = app.screen
    assert isinstance(screen, MainScreen)
    return screen


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def ids(app: VivixApp) -> list[str]:
    listing = main(app).listing
    return [row.id[:8] for row in map(listing.row, range(listing.count)) if row is not None]


def head(app: VivixApp) -> str:
    return "".join(segment.text for segment in main(app).table.render_line(0))


def footer(app: VivixApp) -> str:
    return "".join(text for text, _ in main(app).query_one("#commands", Bar)._pieces)


def toasts(app: VivixApp) -> list[str]:
    return [str(notification.message) for notification in app._notifications]


@pytest.mark.parametrize("by", SORTS)
async def test_s_and_a_letter_sort_and_the_head_and_the_footer_say_so(screen: Screen, by: str) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(160, 36)) as pilot:
        await settled(pilot)
        await press(pilot, "s")
        assert isinstance(app.screen, SortBy)
        await press(pilot, SORTS[by][0])
        order = Order(by, by == "age")  # what it is sorted by already is turned round
        expected = query.page(screen.store, PROFILE, query.Filter(), offset=0, limit=99, order=order)
        assert ids(app) == [row.id[:8] for row in expected]
        arrow = "↓" if order.falls else "↑"
        assert f"[{by} {arrow}]" in footer(app)
        await press(pilot, "I")
        assert main(app).listing.order == Order(by, not order.inverted)
        if by not in ("files", "retries"):
            assert ids(app) != [row.id[:8] for row in expected]


async def test_the_default_order_has_no_arrow_and_any_other_one(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert not set(head(app)) & set("↓↑")
        await press(pilot, "s", "j", "j", "j", "enter")
        assert main(app).listing.order == Order("duration")
        assert "TIME↓" in head(app)
        assert ids(app)[:2] == ["44d1e002", "5b91a581"]
        await press(pilot, "I")
        assert "TIME↑" in head(app)
        assert ids(app)[:2] == ["5b91a581", "44d1e002"]
        await press(pilot, "s", "escape")
        assert main(app).listing.order == Order("duration", inverted=True)


async def test_a_click_on_a_head_sorts_and_another_turns_it_round(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        at = head(app).index("CREDITS") + 1
        for order in (Order("credits"), Order("credits", inverted=True)):
            await pilot.click(GenerationTable, offset=(at, 0))
            await settled(pilot)
            assert main(app).listing.order == order
        await pilot.click(GenerationTable, offset=(head(app).index("PROMPT"), 0))
        await settled(pilot)
        assert main(app).listing.order == order, "there is no sorting by prompt"


async def test_the_cursor_stays_on_its_row_when_sorted_and_filtered(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "j", "j", "j", "s", "c")
        table = main(app).table
        assert table.selected is not None
        assert table.selected.id.startswith("0fe1c3d4")
        assert ids(app)[table.cursor] == "0fe1c3d4"
        await press(pilot, "slash", *"lighthouse", "enter")
        assert ids(app) == ["0fe1c3d4"]
        assert main(app).listing.order == Order("credits")
        await press(pilot, "escape")
        assert table.selected.id.startswith("0fe1c3d4")
        assert ids(app)[table.cursor] == "0fe1c3d4"


async def test_the_end_of_many_sorted_rows_and_back(screen: Screen) -> None:
    many(screen, 3_000)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "s", "i", "G")
        table = main(app).table
        assert table.selected is not None
        assert table.selected.id == "00002999"
        await press(pilot, "I")
        assert table.selected.id == "00002999"
        assert table.cursor == 0
        await press(pilot, "slash", *"0000", "enter", "G")
        assert table.selected.id == "00000000"


async def test_columns_are_chosen_ordered_shown_and_remembered(screen: Screen, tmp_path: Path) -> None:
    screen.busy()
    state = tmp_path / "state" / "state.toml"
    app = screen.app(state=state)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "C")
        assert isinstance(app.screen, PickColumns)
        await press(pilot, "space", "j", "space", "j", "j", "K", "K", "K", "enter")
        assert head(app).split() == ["STATUS", "PROMPT", "TIME", "CREDITS", "FILES", "AGE"]
        assert app.choices.settings.ui.columns == ("status", "prompt", "time", "credits", "files", "age", "retries")
        await press(pilot, "C", "escape")
    assert tomllib.loads(state.read_text())["ui"]["columns"][:2] == ["status", "prompt"]
    again = screen.app(state=state)
    async with again.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert head(again).split()[0] == "STATUS"
        await press(pilot, "C", "J", *["space"], "space", "enter")
        assert head(again).split()[:2] == ["PROMPT", "STATUS"]


async def test_all_columns_in_their_order_are_all_by_width(screen: Screen) -> None:
    screen.busy()
    settings = msgspec.convert({"ui": {"columns": ["prompt", "id"]}}, Settings)
    app = screen.app(settings=settings)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert head(app).split() == ["PROMPT", "ID"]
        await press(pilot, "C", "J")
        names = app.screen.query_one(OptionList)
        for index in range(2, names.option_count):
            await press(pilot, *["j"] * (index - (names.highlighted or 0)), "space")
        await press(pilot, "enter")
        assert app.choices.settings.ui.columns[:2] == ("id", "prompt")


async def test_the_order_is_remembered_and_the_default_is_not_written(screen: Screen, tmp_path: Path) -> None:
    screen.busy()
    state = tmp_path / "state.toml"
    app = screen.app(state=state)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "s", "c", "I")
    assert tomllib.loads(state.read_text()) == {"ui": {"sort": "-credits"}}
    again = screen.app(state=state)
    async with again.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert main(again).listing.order == Order("credits", inverted=True)
        await press(pilot, "s", "a")
    assert tomllib.loads(state.read_text()) == {"ui": {}}


async def test_a_range_is_marked_from_v_to_v(screen: Screen) -> None:
    many(screen, 100)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "j", "v", "j", "j")
        assert "[range: 3]" in footer(app)
        assert main(app).table.marks == {}
        shown = ["".join(s.text for s in main(app).table.render_line(y))[1] for y in range(1, 6)]
        assert shown == [" ", "●", "●", "●", " "]
        await press(pilot, "k", "v")
        assert [row_id for _, row_id in main(app).table.marks] == ["00000001", "00000002"]
        await press(pilot, "G", "v", "k", "space")
        assert len(main(app).table.marks) == 4
        assert main(app).table.cursor == 98, "space ends a range where it is"
        await press(pilot, "v", "g", "escape")
        assert len(main(app).table.marks) == 4
        assert "range" not in footer(app)


async def test_what_is_done_concerns_the_range_and_asks_once(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "v", "G", "d")
        assert len(downloads.work(screen.store, PROFILE)) == 5
        assert len(main(app).table.marks) == 2
        await press(pilot, "U", "0", "g", "v", "G", "x")
        assert isinstance(app.screen, Confirm)
        assert app.screen._title == "Forget 7 rows?"
        await press(pilot, "y")
        assert main(app).listing.count == 0
        await press(pilot, "z")
        assert main(app).listing.count == 7


async def test_a_range_follows_its_rows(screen: Screen) -> None:
    many(screen, 50)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "j", "v", "j")
        verbs.track(screen.store, PROFILE, [(f"new-{n}", None) for n in range(5)])
        main(app).reload()
        await settled(pilot)
        await press(pilot, "v")
        assert [row_id for _, row_id in main(app).table.marks] == ["00000001", "00000002"]


async def test_a_range_of_too_many_says_where_it_stops(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "MARK_ALL_MOST", 50)
    many(screen, 60)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "v", "G", "v")
        assert len(main(app).table.marks) == 50
        assert "marked the first 50 of 60" in toasts(app)


async def test_a_range_is_a_wish_where_marks_are(screen: Screen) -> None:
    screen.busy()
    settings = msgspec.convert({"download": {"auto": "marked"}}, Settings)
    app = screen.app(settings=settings)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "v", "j")
        assert downloads.work(screen.store, PROFILE) == []
        await press(pilot, "v")
        assert len(downloads.work(screen.store, PROFILE)) == 5


async def test_undo_brings_back_what_a_filter_hides_and_leaves_marks_alone(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "asterisk", "x", "y", "1", "space", "slash", *"tokyo", "enter")
        assert main(app).listing.count == 1
        marks = list(main(app).table.marks)
        await press(pilot, "z")
        assert "2 rows back" in toasts(app)
        assert list(main(app).table.marks) == marks
        assert main(app).listing.count == 1
        await press(pilot, "escape", "0")
        assert main(app).listing.count == 7
        await press(pilot, "z")
        assert "undo: nothing was forgotten since the start" in toasts(app)


async def test_another_filter_ends_a_range_with_the_rows_that_were_shown(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "v", "j", "4")
        assert [row_id[:8] for _, row_id in main(app).table.marks] == ["91d0be12", "3aa00417"]
        assert main(app).table.span.anchor is None
        assert main(app).listing.count == 2

"""What changes often lays out no screen: a layout draws all of it, and the scrollbars once more."""

from __future__ import annotations

import asyncio
import time

import pytest
from textual.pilot import Pilot

from tests.ui.conftest import Screen, settled, until
from vivix_tui.ui.line import Line
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.widgets.detail_pane import DetailPane
from vivix_tui.ui.widgets.generation_table import GenerationTable


def main_screen(pilot: Pilot[int]) -> MainScreen:
    found = pilot.app.screen
    assert isinstance(found, MainScreen)
    return found


def layouts_of(pilot: Pilot[int]) -> list[object]:
    """Grows by one at each layout from now on."""
    seen: list[object] = []
    pilot.app.screen.screen_layout_refresh_signal.subscribe(pilot.app.screen, seen.append, immediate=True)
    return seen


async def test_letters_and_another_number_of_rows_lay_out_nothing(screen: Screen) -> None:
    for number in range(120):
        screen.row(number, "completed", prompt=f"{'a fox' if number % 2 else 'an owl'} at noon, picture {number}")
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("slash")
        await settled(pilot)
        layouts, table = layouts_of(pilot), app.screen.query_one(GenerationTable)
        await pilot.press(*"fox")
        await until(pilot, lambda: main_screen(pilot).listing.count == 60)
        await settled(pilot)
        assert table.virtual_size.height == table.vertical_scrollbar.window_virtual_size == 61
        screen.row(121, "completed", prompt="one fox more")
        main_screen(pilot).reload()
        main_screen(pilot).listing.reload()
        await settled(pilot)
        assert not layouts


async def test_a_scrollbar_comes_and_goes_with_the_rows(screen: Screen) -> None:
    for number in range(60):
        screen.row(number, "completed", prompt=f"{'a fox' if number % 9 == 0 else 'an owl'}, picture {number}")
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        table = app.screen.query_one(GenerationTable)
        shown = [table.show_vertical_scrollbar]
        await pilot.press("slash", *"fox", "enter")
        await settled(pilot)
        shown.append(table.show_vertical_scrollbar)
        await pilot.press("escape")
        await settled(pilot)
        shown.append(table.show_vertical_scrollbar)
        assert shown == [True, False, True]
        assert table.vertical_scrollbar.window_virtual_size == 61


async def test_rows_that_are_passed_by_draw_no_scrollbar_of_the_details(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen.row(1, "completed")
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        monkeypatch.setattr("vivix_tui.ui.widgets.detail_pane.BAR_S", 0.5)
        pane = app.screen.query_one(DetailPane)
        pane.show([Line("longer than the one before")] * 90, same_row=False)
        for _ in range(3):
            await asyncio.sleep(0)  # its timer runs
        shown_at = time.monotonic()
        while time.monotonic() - shown_at < 0.55:
            pass  # and is over, but the loop gets no turn
        pane.show([Line("just as long")] * 90, same_row=False)
        shown_at = time.monotonic()
        while pane.vertical_scrollbar.window_virtual_size != 90:
            await pilot.pause(0.005)
        assert time.monotonic() - shown_at > 0.5

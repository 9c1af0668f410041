"""Screens that were closed are gone. Row LIF-02."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable

import pytest
from rich.cells import cached_cell_len, cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.dom import DOMNode
from textual.geometry import Region
from textual.strip import Strip

from tests.ui.conftest import Screen, settled
from vivix_tui.ui.caches import AFTER_CLOSING_S, forget_what_was_drawn, remember_no_lines, tidy, untie
from vivix_tui.ui.frames import Frame, Look, _linkless, _look, frame
from vivix_tui.ui.front_buffer import FrontBuffer


def drawn_lines() -> int:
    """How many drawn lines are kept in memory."""
    gc.collect()
    return sum(type(thing) is Strip for thing in gc.get_objects())


class Knot:
    """It refers to itself, as a drawn line does."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize("opens", ["question_mark", "colon", "a", "K"])
async def test_lif_02_a_closed_screen_leaves_nothing_behind(screen: Screen, opens: str) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        kept = []
        for _ in range(8):
            for key in (opens, "escape"):
                await pilot.press(key)
                await settled(pilot)
            kept.append(drawn_lines())
        # One that was closed just now may wait for the end of a task of its own; those before it are gone.
        assert min(kept[-3:]) - min(kept[:3]) <= 20, kept


async def test_lif_02_a_closed_screen_is_untied_when_nobody_waits_for_a_key(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    gc.disable()  # Python itself may look whenever it likes, be it while a key waits
    try:
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.press("question_mark")
            help_screen = weakref.ref(app.screen)
            await pilot.press("escape")
            await pilot.pause(AFTER_CLOSING_S + 0.3)
            assert help_screen() is None
    finally:
        gc.enable()


async def test_lif_02_a_screen_that_is_open_while_memory_is_tidied_is_gone_as_soon_as_any_other(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("question_mark")
        help_screen = weakref.ref(app.screen)
        try:
            app.tidy()
            await pilot.press("escape")
            await pilot.pause(AFTER_CLOSING_S + 0.3)
            assert help_screen() is None
        finally:
            gc.unfreeze()


async def test_lif_02_a_filter_and_a_dialog_leave_few_knots(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        gc.collect()
        gc.disable()
        try:
            for key in ("slash", "f", "o", "escape", "escape", "question_mark", "escape"):
                await pilot.press(key)
                await settled(pilot)
            before = len(gc.get_objects())
            gc.collect()
            assert before - len(gc.get_objects()) < 8_000  # three times as many, did lines remember themselves
        finally:
            gc.enable()


async def test_lif_02_the_details_over_the_whole_screen_and_back_leave_no_styles_behind(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        gc.collect()
        gc.disable()
        try:
            before = sum(isinstance(thing, DOMNode) for thing in gc.get_objects())
            for _ in range(4):
                await pilot.press("enter")
                await settled(pilot)
            assert sum(isinstance(thing, DOMNode) for thing in gc.get_objects()) - before <= 40
        finally:
            gc.enable()


def test_lif_02_inks_are_remembered_by_colour_whatever_they_link_to_and_wherever_they_stand() -> None:
    before = _linkless.cache_info().currsize
    for number in range(50):
        style = Style(color="#123456", link=f"https://cdn.test/{number}")
        _look(style, ColorSystem.EIGHT_BIT)
        _look(style + Style.from_meta({"offset": (number, 7)}), ColorSystem.EIGHT_BIT)
    assert _linkless.cache_info().currsize - before <= 1


def knots_of(updates: Iterable[ChopsUpdate | LayoutUpdate]) -> int:
    """How many objects only a collection frees after these were drawn."""
    remember_no_lines()
    console, buffer = Console(color_system="256", force_terminal=True), FrontBuffer[Look]()
    gc.collect()
    gc.disable()
    try:
        for update in updates:
            drawn = frame(update, buffer)
            assert isinstance(drawn, Frame)
            drawn.render_segments(console)
        del update, drawn
        return gc.collect()
    finally:
        gc.enable()


def test_lif_02_lines_that_were_drawn_are_no_knots() -> None:
    def update(number: int) -> LayoutUpdate:
        lines = [Strip([Segment(f"row {number} {y}", Style(bold=True))]) for y in range(20)]
        cut: list[Iterable[Strip]] = [line.divide([line.cell_length]) for line in lines]
        return LayoutUpdate(cut, Region(0, 0, 10, 20))

    assert knots_of(map(update, range(50))) < 50


def test_lif_02_lines_that_were_cut_and_not_drawn_are_no_knots() -> None:
    """Of a scrollbar one cell changes, and Textual cuts all of it."""
    bars = ([dict(enumerate(Strip([Segment("#")]).divide([1]))) for _ in range(20)] for _ in range(50))
    assert knots_of(ChopsUpdate(bar, [(7, 0, 1)], [[1]] * 20) for bar in bars) < 50


def test_lif_02_what_lives_is_looked_through_once_a_minute_and_untied_then() -> None:
    knot = Knot()
    gone = weakref.ref(knot)
    tidy()
    try:
        del knot
        later = Knot()
        gone_later = weakref.ref(later)
        del later
        untie()
        assert gone_later() is None
        assert gone() is not None, "it is not looked through again"
        tidy()
        assert gone() is None
    finally:
        gc.unfreeze()


def test_lif_02_texts_that_were_cut_are_forgotten() -> None:
    Segment("a prompt of last week …").split_cells(3)
    assert Segment._split_cells.cache_info().currsize > 0
    assert cell_len("a prompt of last week …") == 23
    assert Region(1, 2, 3, 4).intersection(Region(2, 3, 4, 5)) == Region(2, 3, 2, 3)
    assert Style(bold=True) + Style(color="#123456") == Style(color="#123456", bold=True)
    forget_what_was_drawn()
    assert Style._add.cache_info().currsize == 0
    assert Segment._split_cells.cache_info().currsize == 0
    assert cached_cell_len.cache_info().currsize == 0
    assert Region.intersection.cache_info().currsize == 0

"""Screens that were closed are gone. Row LIF-02."""

from __future__ import annotations

import gc

import pytest
from textual.strip import Strip

from tests.ui.conftest import Screen, settled


def drawn_lines() -> int:
    """How many drawn lines are kept in memory."""
    gc.collect()
    return sum(type(thing) is Strip for thing in gc.get_objects())


@pytest.mark.parametrize("opens", ["question_mark", "colon", "a", "K"])
async def test_lif_02_a_closed_screen_leaves_nothing_behind(screen: Screen, opens: str) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        kept = []
        for _ in range(5):
            for key in (opens, "escape"):
                await pilot.press(key)
                await settled(pilot)
            kept.append(drawn_lines())
        assert kept[-1] - kept[2] <= 20, kept

"""What stands on the screen is what a fresh drawing would show, whatever happened before."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from tests.ui.conftest import NOW, PROFILE, Screen, settled
from vivix_tui import verbs
from vivix_tui.domain.generation import Answer
from vivix_tui.store import generations
from vivix_tui.ui.screens.main import MainScreen

NEXT = {None: "pending", "pending": "processing", "processing": "completed"}


def lines(screen: MainScreen) -> list[str]:
    return ["".join(segment.text for segment in strip) for strip in screen._compositor.render_strips()]


async def redrawn(pilot: Pilot[int], screen: MainScreen) -> list[str]:
    for widget in screen.walk_children():
        widget.refresh()
    await settled(pilot)
    return lines(screen)


@pytest.mark.parametrize("seed", range(6))
async def test_ter_09_the_last_frame_is_a_fresh_one(screen: Screen, seed: int) -> None:
    dice = random.Random(seed)
    screen.busy()
    status: dict[str, str | None] = {}
    app = screen.app()
    async with app.run_test(size=(120, 20)) as pilot:
        await settled(pilot)
        main = app.screen
        assert isinstance(main, MainScreen)
        for step in range(60):
            match dice.randrange(6):
                case 0:
                    new = [f"{step:04}-{n}" for n in range(dice.randrange(1, 4))]
                    verbs.track(screen.store, PROFILE, [(i, '{"prompt": "a fox"}') for i in new])
                    status |= dict.fromkeys(new)
                case 1 | 2:
                    for generation_id, word in list(status.items())[-6:]:
                        if word in NEXT:
                            answer = Answer(generation_id=generation_id, status=NEXT[word], elapsed_ms=step * 1000)
                            asked = NOW + timedelta(milliseconds=step)
                            generations.record(screen.store, PROFILE, answer, asked_at=asked)
                            status[generation_id] = NEXT[word]
                case 3:
                    await pilot.press(*dice.choices(["j", "k", "G", "g", "space", "ctrl+d"], k=2))
                case 4:
                    await pilot.press(dice.choice(["1", "3", "0", "exclamation_mark", "escape", "U"]))
                case _:
                    await pilot.resize_terminal(dice.choice([120, 100, 90]), dice.choice([20, 21, 14]))
            await settled(pilot)
            if main._revision != screen.store.revision:
                main.reload()
            await settled(pilot)
            shown = lines(main)
            assert shown == await redrawn(pilot, main), f"step {step}"

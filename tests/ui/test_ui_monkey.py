"""Somebody who resizes, types, pastes and clicks at random, while rows change: nothing fails, and nothing is paid for
without a yes. `make monkey` goes on for a minute; VIVIX_MONKEY_S and VIVIX_MONKEY_SEED say how long, and which one.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest
from textual import events
from textual.pilot import Pilot

from tests.ui.conftest import IMAGE, NOW, PROFILE, Screen, settled
from vivix_tui import verbs
from vivix_tui.config import Settings, Spend
from vivix_tui.domain.generation import Answer
from vivix_tui.errors import Refusal
from vivix_tui.store import generations, query, submissions
from vivix_tui.ui.commands import COMMANDS
from vivix_tui.ui.screens.dialogs import Choose

SECONDS = float(os.environ.get("VIVIX_MONKEY_S", "4"))
LEAST_STEPS = 15
SEEDS = [int(os.environ["VIVIX_MONKEY_SEED"])] if "VIVIX_MONKEY_SEED" in os.environ else [1, 2]
KEYS = [
    *(key for command in COMMANDS for key in command.keys.split(",")),
    *("enter", "escape", "tab", "shift+tab", "backspace", "left", "right", "ctrl+s", "ctrl+o", "y", "n", "k", "s", "t"),
]
# These dialogs open most of what there is.
LIKED = [
    "R",
    "n",
    "N",
    "m",
    "slash",
    "a",
    "x",
    "z",
    "colon",
    "question_mark",
    "K",
    "d",
    "D",
    "space",
    "asterisk",
    "enter",
]
HOSTILE = [
    "misty", "[/red] [b]", "\x1b]0;PWNED\x07\x1b[2J", "%_\\'\"", "清晨的地铁站 🌊", "\u202egnp.fox", "a" * 3000, "",
    '{"generation_id": "x", "body": {"model": "m"}}\n{', "-1", "0.1e999", " \t\n", "NEAR(", "a*", "\x00",
    "/tmp/" + "d" * 300,
]  # fmt: skip
CLICKS: list[list[type[events.MouseEvent]]] = [
    [events.MouseDown, events.MouseUp], [events.MouseMove], [events.MouseScrollDown] * 5, [events.MouseScrollUp],
    [events.MouseDown, events.MouseMove], [events.MouseUp],
]  # fmt: skip
SIZES = [(0, 0), (1, 1), (20, 5), (39, 9), (40, 10), (80, 24), (99, 30), (100, 30), (120, 36), (200, 60), (500, 200)]


class Monkey:
    """One random user, told by its seed."""

    def __init__(self, screen: Screen, pilot: Pilot[int], dice: random.Random, steps: deque[str]) -> None:
        self.screen, self.pilot, self.dice, self.steps = screen, pilot, dice, steps
        self.size = (120, 36)
        self.said_yes = 0

    async def step(self) -> None:
        often: dict[Callable[[], Awaitable[None]], int] = {
            self.press: 10, self.like: 6, self.burst: 3, self.paste: 2, self.click: 4, self.resize: 2, self.change: 2,
        }  # fmt: skip
        before, (move,) = self.wishes(), self.dice.choices(list(often), list(often.values()))
        asked = self.pilot.app.screen
        await move()
        await settled(self.pilot)
        # What a yes brings about may come a moment later.
        self.said_yes = 3 if _says_yes(asked, self.steps[-1].split()) else self.said_yes - 1
        assert self.wishes() <= before or self.said_yes > 0, "something was queued without a yes"

    def wishes(self) -> int:
        """How many bodies were ever queued."""
        return int(self.screen.store.one("SELECT count(*) FROM submissions")[0])

    async def press(self) -> None:
        await self._press(self.dice.choice(KEYS))

    async def like(self) -> None:
        await self._press(self.dice.choice(LIKED))

    async def _press(self, key: str) -> None:
        self.steps.append(f"press {key}")
        await self.pilot.press(key)

    async def burst(self) -> None:
        keys = self.dice.choices([*KEYS, *"Ryanxm"], k=self.dice.randint(2, 8))
        self.steps.append(f"burst {' '.join(keys)}")
        for key in keys:
            shown = key if len(key) == 1 else {"space": " ", "slash": "/", "colon": ":"}.get(key)
            self.pilot.app.post_message(events.Key(key, shown))

    async def paste(self) -> None:
        text = self.dice.choice(HOSTILE)
        self.steps.append(f"paste {text[:40]!r}")
        self.pilot.app.post_message(events.Paste(text))

    async def click(self) -> None:
        x, y = self.dice.randint(0, self.size[0] + 2), self.dice.randint(0, self.size[1] + 2)
        kinds = self.dice.choice(CLICKS)
        self.steps.append(f"{' '.join(kind.__name__ for kind in kinds)} at {x},{y}")
        for kind in kinds:
            self.pilot.app.post_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y))

    async def resize(self) -> None:
        self.size = self.dice.choice([*SIZES, (self.dice.randint(0, 500), self.dice.randint(0, 200))])
        self.steps.append(f"resize {self.size}")
        await self.pilot.resize_terminal(*self.size)

    async def change(self) -> None:
        """What the engine would write meanwhile."""
        connection = self.dice.choice(["live", "offline", "rejected", "nokey", "limited", "stopped", "odd [b]"])
        self.steps.append(f"the engine: {connection}")
        self.screen.account(connection, detail=self.dice.choice(HOSTILE), until=(NOW + timedelta(9)).isoformat())
        row = self.dice.choice(list(query.list_generations(self.screen.store, PROFILE))).generation_id
        urls = tuple(f"https://cdn.vivix.example/{n}.jpg" for n in range(self.dice.randint(0, 4)))
        status = self.dice.choice(["pending", "processing", "completed", "failed", "odd"])
        answer = Answer(generation_id=row, status=status, output_urls=urls, error=self.dice.choice(["X", None]))
        generations.record(self.screen.store, PROFILE, answer, asked_at=NOW)


def _says_yes(asked: object, step: list[str]) -> bool:
    """Whether the first key that answers the question that was open pays: y, or a (all of them, whatever it says)."""
    if not isinstance(asked, Choose):
        return False
    answer = next((key for key in step[1:] if key in {*asked._choices, "enter", "escape", "q", "n"}), None)
    return answer in {"y", "a"}


def furnish(screen: Screen) -> None:
    """Rows of all kinds: generations in every state, submissions in every state, wished-for files."""
    screen.busy()
    screen.catalogue()
    for number in range(300):
        status = ("completed", "failed", "processing", "pending", None, "upscaling [b]")[number % 6]
        screen.row(number, status, prompt=HOSTILE[number % 6] or None, ago_s=100 + number, elapsed_ms=9)
    body = json.dumps({"model": IMAGE, "prompt": "a fox"})
    ids = verbs.submit(screen.store, PROFILE, [body] * 6).ids
    for submission_id, state in zip(ids, ("unknown", "refused", "sending", "unknown"), strict=False):
        item = submissions.get(screen.store, submission_id)
        assert item is not None
        submissions.begin(screen.store, submission_id, 12_847, NOW)
        if state != "sending":
            refusal = Refusal(status=422, code="[b]BAD", message=HOSTILE[2], next_step=HOSTILE[1])
            submissions.ended(screen.store, item, state, NOW, refusal=refusal)
    verbs.download(screen.store, PROFILE, "5b91a581-0000-4000-8000-000000000000")


@pytest.mark.timeout(SECONDS * 3 + 120)
@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_somebody_does_nothing_fails_and_nothing_is_paid_for_without_a_yes(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    furnish(screen)
    settings = msgspec.structs.replace(Settings(), spend=Spend(confirm_above=0))
    dice, steps, end = random.Random(seed), deque[str](maxlen=60), time.monotonic() + SECONDS
    count = 0
    try:
        while time.monotonic() < end or count < LEAST_STEPS:
            app = screen.app(settings=settings)
            async with app.run_test(size=(120, 36), notifications=True) as pilot:
                monkey = Monkey(screen, pilot, dice, steps)
                while (time.monotonic() < end or count < LEAST_STEPS) and app.return_code is None:
                    await monkey.step()
                    count += 1
    except BaseException as error:
        error.add_note(f"seed {seed}, after {count} steps, the last of them: {' | '.join(steps)}")
        raise
    print(f"seed {seed}: {count} steps")
    assert count >= LEAST_STEPS

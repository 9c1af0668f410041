"""Frames say only what is new on the terminal: it shows what it would if all of it were drawn, at a hundredth."""

from __future__ import annotations

import random
import time

import pytest

from tests.conftest import Home
from tests.e2e.past import past
from tests.e2e.terminal import ESC, Terminal

KEYS = ("j", "k", "G", "g", "\x04", "\x15", "?", "?", ":", ESC, ESC, "\r", "\r", "!", "0", " ", "s", "d", "a", "z",
        "/東", "/cafe", ",", "c", "\t")  # fmt: skip


def until_no_toast(terminal: Terminal) -> None:
    """One that goes by itself meanwhile would look like a difference."""
    end = time.monotonic() + 30
    terminal.rest()
    while any("▌" in line[1:] for line in terminal.text.splitlines()) and time.monotonic() < end:
        terminal.rest()


def seen(terminal: Terminal) -> list[list[tuple[object, ...]]]:
    """The cells; of a blank one nobody sees the colour that its text would have."""
    return [[(cell[0], cell[2]) if cell[0] == " " else cell for cell in line] for line in terminal.cells]


@pytest.mark.parametrize("seed", [1, 2])
def test_after_any_keys_the_terminal_shows_what_a_whole_drawing_shows(home: Home, seed: int) -> None:
    past(home, 60)
    dice = random.Random(seed)
    with Terminal(home, columns=100, rows=30) as terminal:
        terminal.wait_for("at dawn")
        terminal.wait_for("no key")
        for _ in range(6):
            for _ in range(10):
                terminal.press(dice.choice(KEYS))
            if dice.random() < 0.3:
                terminal.resize(dice.choice((90, 100, 120)), dice.choice((24, 30)))
            for _ in range(3):
                terminal.press(ESC)
                terminal.read(0.15)
            until_no_toast(terminal)
            before, text, written = seen(terminal), terminal.text, len(terminal.raw)
            terminal.press("\x0c")
            terminal.rest()
            assert len(terminal.raw) - written > 2_000, "ctrl+l draws all of it"
            assert terminal.text == text
            assert seen(terminal) == before
        terminal.leave()
        assert terminal.exit_code() == 0


def test_below_a_dialog_that_stays_open_running_rows_cost_next_to_nothing(home: Home) -> None:
    """It was 35 kB a second: all of the screen, again and again."""
    with Terminal(home, "demo", "--scenario", "busy") as terminal:
        terminal.wait_for("rendering")
        terminal.press("?")
        terminal.wait_for("esc close")
        terminal.rest(0.1)
        before, end = len(terminal.raw), time.monotonic() + 5
        while time.monotonic() < end:
            terminal.read()
        assert len(terminal.raw) - before < 5 * 2_500
        before = len(terminal.raw)
        terminal.press(ESC)
        terminal.wait_until_gone("esc close")
        terminal.rest(0.1)
        # One whole frame is 10 to 12 kB, and what happened below meanwhile is told after it.
        assert len(terminal.raw) - before < 28_000, "one whole frame, not the four of 41 kB"


def test_a_terminal_that_was_narrow_for_a_while_shows_all_again(home: Home) -> None:
    """It cuts its lines off, and what was behind the cut is gone."""
    past(home, 60)
    with Terminal(home, columns=100, rows=30) as terminal:
        terminal.wait_for("no key")
        terminal.rest()
        before = terminal.text
        for columns, rows in ((60, 20), (100, 30)):
            terminal.resize(columns, rows)
            terminal.rest()
        assert terminal.text == before


@pytest.mark.parametrize("times", [1, 40])
def test_below_a_dialog_the_screen_follows_a_terminal_that_grows_while_nothing_runs(home: Home, times: int) -> None:
    past(home, 60)
    with Terminal(home, columns=60, rows=20) as terminal:
        terminal.wait_for("at dawn")
        terminal.press("?")
        terminal.wait_for("esc close")
        terminal.rest()
        for number in range(times):
            terminal.resize(80 + number, 24)
        terminal.resize(120, 36)
        terminal.wait_for("^ vivix-tui .*\n", 5)
        terminal.rest()
        before = terminal.text
        terminal.press("\x0c")
        terminal.rest()
        assert terminal.text == before


def test_a_field_that_waits_for_a_key_writes_nothing(home: Home) -> None:
    past(home, 60)
    with Terminal(home, columns=100, rows=30) as terminal:
        terminal.wait_for("at dawn")
        terminal.wait_for("no key")
        for opens in "/a":
            terminal.press(opens)
            terminal.rest(0.3)
            before, end = len(terminal.raw), time.monotonic() + 1.5
            while time.monotonic() < end:
                terminal.read()
            assert len(terminal.raw) == before, opens
            terminal.press(ESC)
            terminal.rest()

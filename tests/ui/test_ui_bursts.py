"""Keys that arrive in one burst, as they do over a slow link: each finds what the one before it has opened."""

from __future__ import annotations

import asyncio
import string
from pathlib import Path

import pytest
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.conftest import PROFILE, Screen, settled
from vivix_tui.store import query
from vivix_tui.ui.screens.compose import Compose
from vivix_tui.ui.screens.dialogs import Confirm
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.widgets.fields import LineField, takes_in
from vivix_tui.ui.widgets.form_field import FormField
from vivix_tui.ui.widgets.lines_field import LinesField

NAMES = {
    ":": "colon",
    "?": "question_mark",
    "/": "slash",
    " ": "space",
    "\r": "enter",
    "\x1b": "escape",
    "*": "asterisk",
    "\x7f": "backspace",
    "\t": "tab",
    "\x13": "ctrl+s",
    "\x0f": "ctrl+o",
}


def burst(pilot: Pilot[int], text: str) -> None:
    """All keys are in the program's queue before it looks at the first."""
    for character in text:
        shown = character if character.isprintable() or character in "\r\t" else None
        pilot.app.post_message(events.Key(NAMES.get(character, character), shown))


@pytest.mark.parametrize("row", ["4", "3"])
@pytest.mark.parametrize("text", ["/Ryan", "/Ryan\r", "Ry", "RRRy", "Ry\x1bRy", "*Ry", "Ryyyyyyyy"])
async def test_mon_05_no_burst_of_keys_pays_for_anything(screen: Screen, row: str, text: str) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        for key in (row, "g"):
            await pilot.press(key)
            await settled(pilot)
        burst(pilot, text)
        await settled(pilot)
        await settled(pilot)
        assert query.queue(screen.store, PROFILE) == []


async def test_what_follows_the_slash_is_the_filter(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        burst(pilot, "/misty forest\r")
        await settled(pilot)
        await settled(pilot)
        main = app.screen
        assert isinstance(main, MainScreen)
        assert main.query_one("#filter", Input).value == "misty forest"
        assert main.listing.filter.text == "misty forest"
        assert not main.table.marks
        assert main.table.has_focus


@pytest.mark.parametrize(("typed", "kept"), [("misty\r", "misty"), ("misty\x1b", ""), ("\r", "")])
async def test_what_follows_the_filter_is_for_the_table(screen: Screen, typed: str, kept: str) -> None:
    for number in range(3):
        screen.row(number, "processing")
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        burst(pilot, f"/{typed}jj")
        await settled(pilot)
        await settled(pilot)
        main = app.screen
        assert isinstance(main, MainScreen)
        assert main.query_one("#filter", Input).value == main.listing.filter.text == kept
        assert main.table.cursor == 2


async def test_what_follows_a_line_that_was_asked_for_is_for_the_table(screen: Screen, tmp_path: Path) -> None:
    for number in range(3):
        screen.row(number, "completed", output_url="https://cdn.vivix.example/0.jpg")
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        burst(pilot, "D")
        await settled(pilot)
        app.screen.query_one(Input).value = str(tmp_path)
        burst(pilot, "\rjj")
        await settled(pilot)
        await settled(pilot)
        main = app.screen
        assert isinstance(main, MainScreen)
        assert main.table.cursor == 2


async def test_y_counts_once_the_question_was_painted(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        for key in ("4", "g"):
            await pilot.press(key)
            await settled(pilot)
        burst(pilot, "Ry")
        await settled(pilot)
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        burst(pilot, "yyyyyyyyyy")
        await settled(pilot)
        assert isinstance(app.screen, MainScreen)
        assert len(query.queue(screen.store, PROFILE)) == 1


async def test_a_burst_of_movements_is_walked_in_full(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        burst(pilot, "jjjjkj j")
        await settled(pilot)
        main = app.screen
        assert isinstance(main, MainScreen)
        assert main.table.cursor == 6
        assert len(main.table.marks) == 1


async def test_y_counts_in_the_very_moment_of_the_painting(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        for key in ("4", "g"):
            await pilot.press(key)
            await settled(pilot)
        app.post_message(events.Key("R", "R"))
        while not isinstance(app.screen, Confirm) or app.screen._question.painted_at is None:
            await asyncio.sleep(0)
        burst(pilot, "y")
        await settled(pilot)
        assert len(query.queue(screen.store, PROFILE)) == 1


@pytest.mark.parametrize("opens", [":", "?", "a", "K"])
@pytest.mark.parametrize("closes", ["\r\r\r\r", "\x1b\x1b\x1b\x1b"], ids=["enter", "escape"])
async def test_what_is_closed_twice_closes_nothing_below_it(screen: Screen, opens: str, closes: str) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        burst(pilot, opens)
        await settled(pilot)
        assert not isinstance(app.screen, MainScreen)
        burst(pilot, {":": "down", "K": "vvx_x"}.get(opens, ""))
        await settled(pilot)
        burst(pilot, closes)
        await settled(pilot)
        await settled(pilot)
        assert any(isinstance(one, MainScreen) for one in app.screen_stack)
        burst(pilot, "\x1b")
        await settled(pilot)
        assert isinstance(app.screen, MainScreen)


async def test_what_is_corrected_in_a_burst_is_in_order(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        burst(pilot, "/a foz\x7fx")
        await settled(pilot)
        await settled(pilot)
        assert app.screen.query_one("#filter", Input).value == "a fox"


async def test_text_typed_ahead_lands_in_the_field_that_tab_leads_to(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        burst(pilot, "n")
        await settled(pilot)
        burst(pilot, "grok\r")
        await settled(pilot)
        await settled(pilot)
        names = [field.parameter.name for field in app.screen.query(FormField)]
        tabs = "\t" * (names.index("seed") - names.index("negative_prompt"))
        burst(pilot, f"a foz\x7fx\tblurt\x7f{tabs}43\x7f2")
        for _ in range(4):
            await settled(pilot)
        values = {field.parameter.name: field.value for field in app.screen.query(FormField)}
        assert (values["prompt"], values["negative_prompt"], values["seed"]) == ("a fox", "blur", 42)


async def test_text_typed_ahead_of_the_form_lands_in_its_first_field(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        burst(pilot, "ngrok\ra f")
        app.post_message(events.Paste("ox"))
        for _ in range(4):
            await settled(pilot)
        assert isinstance(app.screen, Compose)
        assert app.screen._model.slug.startswith("grok")
        values = {field.parameter.name: field.value for field in app.screen.query(FormField)}
        assert values["prompt"] == "a fox"


async def test_another_model_typed_ahead_in_a_form_is_taken(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        burst(pilot, "ngrok\r")
        for _ in range(3):
            await settled(pilot)
        burst(pilot, "a fox\x0fwan\r, red")
        for _ in range(4):
            await settled(pilot)
        assert isinstance(app.screen, Compose)
        assert app.screen._model.slug.startswith("wan")
        values = {field.parameter.name: field.value for field in app.screen.query(FormField)}
        assert values["prompt"] == ", reda fox"


async def test_text_typed_ahead_of_a_kept_form_lands_in_its_first_field(screen: Screen) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        burst(pilot, "ngrok\r")
        for _ in range(3):
            await settled(pilot)
        burst(pilot, "a fox\x1b")
        for _ in range(3):
            await settled(pilot)
        burst(pilot, "k")
        await settled(pilot)
        assert isinstance(app.screen, MainScreen)
        burst(pilot, "nes")
        for _ in range(4):
            await settled(pilot)
        values = {field.parameter.name: field.value for field in app.screen.query(FormField)}
        assert values["prompt"] == "esa fox"


def test_whatever_can_be_typed_is_for_the_field() -> None:
    for character in [*string.printable[:95], "ä", "–", "狐", "🦊"]:
        assert takes_in(LineField(), _character_to_key(character)), character
    for key in ("escape", "ctrl+s", "tab", "f1"):
        assert not takes_in(LineField(), key), key
    assert takes_in(LinesField(), "enter")
    assert takes_in(LineField(), "backspace")


@pytest.mark.parametrize("key", ["n", "a", "?", ":", "K", "N", "x"])
async def test_what_is_typed_after_the_program_was_left_opens_nothing(screen: Screen, key: str) -> None:
    screen.account()
    screen.catalogue()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        burst(pilot, f"q{key}")
        await settled(pilot)
    assert app.return_code == 0

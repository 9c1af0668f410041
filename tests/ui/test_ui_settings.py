"""Settings changed in the dashboard: at once, remembered, told to the engine; themes that can be read; own keys."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from textual.color import Color
from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.conftest import PROFILE, Screen, found_by_the_palette, settled, until
from vivix_tui.config import Settings
from vivix_tui.store import wishes
from vivix_tui.ui.app import VivixApp
from vivix_tui.ui.commands import COMMANDS
from vivix_tui.ui.keymap import keymap
from vivix_tui.ui.screens.arranging import PickColumns
from vivix_tui.ui.screens.dialogs import AskLine, Confirm, Reading
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.screens.settings import SettingsScreen
from vivix_tui.ui.theme import OWN, theme_named
from vivix_tui.ui.widgets.bars import Bar
from vivix_tui.ui.widgets.painting import ROLES, component_class


def main(app: VivixApp) -> MainScreen:
    screen = app.screen_stack[1]
    assert isinstance(screen, MainScreen)
    return screen


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def toasts(app: VivixApp) -> list[str]:
    return [str(notification.message) for notification in app._notifications]


def bar(app: VivixApp, name: str) -> str:
    return "".join(text for text, _ in main(app).query_one(f"#{name}", Bar)._pieces)


def read(state: Path) -> object:
    return tomllib.loads(state.read_text())


async def test_a_theme_is_seen_at_once_remembered_and_taken_back(screen: Screen, tmp_path: Path) -> None:
    screen.busy()
    state, config = tmp_path / "state.toml", tmp_path / "config.toml"
    config.write_text("untouched")
    app = screen.app(state=state)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "S")
        assert isinstance(app.screen, SettingsScreen)
        seen = [app.theme]
        for _ in range(4):
            await press(pilot, "right")
            seen.append(app.theme)
        assert seen == ["vivix", "vivix", "vivix-light", "vivix-contrast", "ansi-dark"]
        await press(pilot, "left", "left")
        assert read(state) == {"ui": {"theme": "vivix-light"}}
        await press(pilot, "escape")
        assert app.theme == "vivix-light"
    again = screen.app(state=state)
    async with again.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert again.theme == "vivix-light"
        await press(pilot, "comma", "backspace", "escape")
        assert again.theme == "vivix"
    assert read(state) == {"ui": {}}
    assert config.read_text() == "untouched"


async def test_notifications_change_at_once(screen: Screen, tmp_path: Path) -> None:
    screen.busy()
    state = tmp_path / "state.toml"
    app = screen.app(state=state)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "S", "j", "j", "space", "j", "enter", "j", "enter")
        assert isinstance(app.screen, AskLine)
        app.screen.query_one(Input).value = "late"
        await press(pilot, "enter")
        assert "22:00-07:00" in str(app.screen.query_one("#complaint").render())
        app.screen.query_one(Input).value = " 22:00-07:00 "
        await press(pilot, "enter")
        told = main(app).teller._settings()
        assert (told.bell, told.terminal, told.quiet) == (False, "off", "22:00-07:00")
    assert read(state) == {"notify": {"bell": False, "terminal": "off", "quiet": "22:00-07:00"}}


async def test_downloads_are_told_to_whoever_runs_the_engine(screen: Screen, tmp_path: Path) -> None:
    screen.busy()
    state = tmp_path / "state.toml"
    app = screen.app(state=state)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "S", *["j"] * 5, "enter")
        assert isinstance(app.screen, AskLine)
        assert app.screen.query_one(Input).value == "~/vivix"
        for wrong in ("", "relative", str(tmp_path / "file"), "~nobody-here/x"):
            (tmp_path / "file").write_text("")
            app.screen.query_one(Input).value = wrong
            await press(pilot, "enter")
            assert isinstance(app.screen, AskLine), wrong
        app.screen.query_one(Input).value = str(tmp_path / "out")
        await press(pilot, "enter", "j", "right")
        expected = {wishes.DIRECTORY: str(tmp_path / "out"), wishes.AUTO: "completed"}
        assert wishes.of(screen.store, PROFILE) == expected
        assert read(state) == {"profiles": {PROFILE: {"directory": str(tmp_path / "out"), "auto": "completed"}}}
    with screen.store.write() as connection:
        wishes.replace(connection, PROFILE, {})  # as in a new database
    again = screen.app(state=state)
    async with again.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert wishes.of(screen.store, PROFILE) == expected
        await press(pilot, "S", *["j"] * 6, "backspace", "k", "delete", "escape")
        assert wishes.of(screen.store, PROFILE) == {}
        assert again.choices.settings.download == Settings().download


async def test_marks_become_wishes_as_soon_as_it_is_chosen(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "g", "space")
        assert toasts(app) == []
        await press(pilot, "S", *["j"] * 6, "left", "escape", "space")
        assert app.choices.settings.download.auto == "marked"
        assert toasts(app) == ["downloading 1 file"]


async def test_columns_from_the_settings(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "S", "j", "enter")
        assert isinstance(app.screen, PickColumns)
        await press(pilot, "space", "enter")
        assert isinstance(app.screen, SettingsScreen)
        assert "id" not in app.choices.settings.ui.columns
        await press(pilot, "backspace", "escape")
        assert app.choices.settings.ui.columns == ()


async def test_a_preview_that_was_on_is_on_again(screen: Screen, tmp_path: Path) -> None:
    screen.busy()
    app = screen.app(state=tmp_path / "state.toml")
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "p")
    again = screen.app(state=tmp_path / "state.toml")
    async with again.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert main(again).preview.on
        await press(pilot, "p")
    assert read(tmp_path / "state.toml") == {"ui": {}}


async def test_a_state_that_cannot_be_used_or_written_is_told_and_stops_nothing(screen: Screen, tmp_path: Path) -> None:
    screen.busy()
    state = tmp_path / "state.toml"
    state.write_text("x = [")
    app = screen.app(state=state)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert "it is damaged, and lies in state.toml.damaged now" in toasts(app)[0]
        await press(pilot, "S", "left")
        assert read(state) == {"ui": {"theme": "ansi-light"}}
    (tmp_path / "file").write_text("")
    app = screen.app(state=tmp_path / "file" / "state.toml")
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        app.clear_notifications()
        await press(pilot, "S", "left")
        assert app.theme == "ansi-light"
        assert "cannot be written" in toasts(app)[0]


async def test_what_is_wrong_in_the_config_is_told_at_the_start(screen: Screen) -> None:
    screen.busy()
    settings = msgspec.convert({"ui": {"theme": "nonsense"}, "keys": {"no.such": "x", "move.down": "n"}}, Settings)
    app = screen.app(settings=settings)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert app.theme == "vivix"
        (told,) = toasts(app)
        assert told.split("; ") == [
            "keys.no.such: no such command",
            "n is move.down now, no longer generation.new",
            "ui.theme: no theme 'nonsense'",
        ]


def test_who_keeps_a_key() -> None:
    assert keymap({}) == ({}, [])
    found, told = keymap({"generation.retry": "x", "generation.edit": "x, f5"})
    assert found == {"generation.retry": "x", "generation.edit": "f5", "generation.forget": ""}
    assert told == [
        "x is both generation.retry and generation.edit: it is generation.retry",
        "x is generation.retry now, no longer generation.forget",
    ]
    found, told = keymap({"generation.new": "a", "generation.add": "n"})
    assert (found, told) == ({"generation.new": "a", "generation.add": "n"}, [])
    assert keymap({"generation.forget": ""}) == ({"generation.forget": ""}, [])
    found, told = keymap({"generation.retry": "j"})
    assert found["move.down"] == "down"


async def test_an_own_key_a_swapped_one_and_none_at_all(screen: Screen) -> None:
    screen.busy()
    keys = {"generation.retry": "f5", "generation.forget": "", "view.sort": "d", "generation.download": "s"}
    app = screen.app(settings=msgspec.structs.replace(Settings(), keys=keys))
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "4", "g", "x", "R")
        assert app.screen is main(app)
        await press(pilot, "f5")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "escape", "3", "s")
        assert "downloading 4 files" in toasts(app)
        assert " s download " in bar(app, "commands")
        assert " f5 retry" in bar(app, "commands")
        await press(pilot, "question_mark")
        assert isinstance(app.screen, Reading)
        assert "  f5             send the same body again" in app.screen._text
        assert "  no key         hide rows" in app.screen._text
        await press(pilot, "escape", "colon", *"hide rows")
        await until(pilot, lambda: found_by_the_palette(app) == 1)
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))  # what has no key is still found by name


async def test_help_names_every_key_in_its_group(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "question_mark")
        assert isinstance(app.screen, Reading)
        text = app.screen._text.splitlines()
        for group in dict.fromkeys(command.group for command in COMMANDS):
            assert text.count(group) == 1
        assert sum(line.startswith("  ") for line in text) == len(COMMANDS)


def ratio(one: Color, other: Color) -> float:
    """The contrast of two colours, as WCAG 2 counts it."""

    def luminance(color: Color) -> float:
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


WEAK = ("muted", "gone", "header", "label")


def drawn(app: VivixApp) -> Iterator[tuple[str, float]]:
    """Each role on each ground it may stand on, and the contrast that its text then has."""
    for name, grounds in (("table", ("plain", "cursor", "blurred")), ("detail", ()), ("status", ()), ("banner", ())):
        widget = main(app).query_one(f"#{name}")
        beneath = widget.background_colors[1]
        for role in ROLES:
            if role in ("cursor", "blurred"):
                continue
            color = app.get_component_styles(component_class(role)).color
            for ground in grounds or ("plain",):
                if ground == "cursor" and role in WEAK:
                    continue  # drawn plain there
                over = beneath
                if ground != "plain":
                    over = beneath + app.get_component_styles(component_class(ground)).background
                yield f"{name} {role} on {ground}", ratio(over + color, over)


@pytest.mark.parametrize("theme", [theme.name for theme in OWN])
async def test_every_role_can_be_read(screen: Screen, theme: str) -> None:
    screen.busy()
    settings = msgspec.convert({"ui": {"theme": theme}}, Settings)
    app = screen.app(settings=settings)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        low = {
            what: round(found, 2)
            for what, found in drawn(app)
            if found < (3 if any(f" {role} " in what for role in WEAK) else 4.5)
        }
        assert low == {}


@pytest.mark.parametrize(
    ("wanted", "colours", "name"),
    [
        ("auto", "", "vivix"), ("auto", "15;0", "vivix"), ("auto", "0;15", "vivix-light"),
        ("auto", "0;default;7", "vivix-light"), ("auto", "nonsense", "vivix"), ("textual-ansi", "", "ansi-dark"),
        ("nord", "", "nord"), ("none", "", None),
    ],
)  # fmt: skip
async def test_which_theme_a_name_means(wanted: str, colours: str, name: str | None) -> None:
    known = {"vivix", "vivix-light", "ansi-dark", "nord"}
    assert theme_named(wanted, known, {"COLORFGBG": colours}) == name


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light", "vivix"])
async def test_with_sixteen_colours_or_none_the_cursor_and_words_are_seen(
    screen: Screen, theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if theme == "vivix":
        monkeypatch.setenv("NO_COLOR", "1")
    screen.busy()
    app = screen.app(settings=msgspec.convert({"ui": {"theme": theme}}, Settings))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        lines = app.screen._compositor.render_strips()
        shown = ["".join(segment.text for segment in line) for line in lines]
        for word in ("queued", "rendering", "done", "failed"):
            assert any(word in line for line in shown)
        plain, cursor = (main(app).table.render_line(y) for y in (2, 1))
        assert {s.style for s in plain} != {s.style for s in cursor}
        if theme != "vivix":
            assert all(s.style is not None and s.style.reverse for s in list(cursor)[:1])

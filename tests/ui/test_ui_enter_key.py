"""A key from the user: the welcome, what the engine's row says of it in words, keeping it. The key is seen nowhere."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.ui.conftest import Screen, Snap, settled
from tests.ui.test_ui_keys import main, press, toasts
from tests.ui.test_ui_snapshots import Size, two_sizes
from vivix_tui.domain.account import Account
from vivix_tui.errors import ConfigError
from vivix_tui.first_config import Place
from vivix_tui.store.accounts import EngineState
from vivix_tui.ui.app import VivixApp
from vivix_tui.ui.screens.dialogs import Keys
from vivix_tui.ui.screens.enter_key import EnterKey, FirstRun, verdict
from vivix_tui.ui.screens.main import MainScreen

GOOD = "vvx_live_" + "filler00" * 4
PLACE = Place(Path("/home/me/.config/vivix-tui/api-key"), Path("/home/me/.config/vivix-tui/config.toml"))


def on(app: VivixApp) -> type[object]:
    return type(app.screen)


def was_kept(screen: Screen) -> bool:
    return screen.desk.kept


def said(app: VivixApp) -> str:
    return str(app.screen.query_one("#said", Static).render())


def offered_keys(app: VivixApp) -> str:
    return str(app.screen.query_one(Keys).render())


async def look(pilot: Pilot[int]) -> None:
    """The next look at the engine's row; not waited for."""
    assert isinstance(pilot.app.screen, EnterKey)
    pilot.app.screen._follow()
    await settled(pilot)


async def enter(pilot: Pilot[int], key: str) -> None:
    pilot.app.post_message(events.Paste(key))
    await settled(pilot)
    await press(pilot, "enter")


async def test_the_first_run_welcomes_tries_the_key_and_keeps_it(screen: Screen) -> None:
    screen.account("nokey")
    screen.desk.place = PLACE
    app = screen.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert on(app) is FirstRun
        await enter(pilot, f"\n  {GOOD}\nand what stood below it\n")
        assert screen.desk.keys == [GOOD]
        assert "Asking the API" in said(app)
        await press(pilot, "k")
        assert not was_kept(screen), "nothing is kept before it is known what it is worth"
        screen.account("live")
        await look(pilot)
        assert "The key works: Pro, 12,847 credits." in said(app)
        assert "config.toml and /home/me/.config/vivix-tui/api-key" in said(app).replace("\n", " ")
        assert GOOD not in app.export_screenshot()
        await press(pilot, "enter")
        assert on(app) is FirstRun, "a second Enter of a paste is no answer"
        await press(pilot, "k")
        assert was_kept(screen)
        assert toasts(app)[-1] == "wrote the file"
        assert on(app) is MainScreen


async def test_a_rejected_key_is_asked_for_again_with_the_apis_advice(screen: Screen) -> None:
    screen.account("nokey")
    screen.desk.place = PLACE
    app = screen.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await enter(pilot, "nonsense")
        assert said(app) == "that is no key"
        app.screen.query_one(Input).value = ""
        await enter(pilot, GOOD)
        screen.account("rejected", detail="KEY_INVALID: No [/b]such key.", hint="Create one.", request_id="req_1")
        await look(pilot)
        assert said(app) == "The API rejects this key.\nKEY_INVALID: No [/b]such key.\nCreate one.\nreq_1"
        field = app.screen.query_one(Input)
        assert (field.value, field.has_focus) == ("", True)
        await press(pilot, "k")
        assert (field.value, screen.desk.kept) == ("k", False)


async def test_a_key_that_cannot_be_checked_can_be_kept_all_the_same(screen: Screen) -> None:
    screen.account("nokey")
    screen.desk.place = PLACE
    app = screen.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await enter(pilot, GOOD)
        screen.account("offline", detail="no connection: Name or service not known")
        await look(pilot)
        assert "could not be checked: no connection: Name or service not known. It is tried again" in said(app)
        assert "keep it" in offered_keys(app)
        screen.account("live")
        await look(pilot)
        assert "The key works" in said(app)
        screen.account("offline", detail="no connection")
        await look(pilot)
        await press(pilot, "k")
        assert screen.desk.kept


async def test_what_cannot_be_kept_is_used_for_now_and_says_what_to_do(screen: Screen) -> None:
    screen.account("nokey")
    screen.desk.place = Place(Path("k"), Path("c"), "config.toml exists and is left as it is.")
    app = screen.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await enter(pilot, GOOD)
        screen.account("live")
        await look(pilot)
        assert "config.toml exists and is left as it is." in said(app)
        await press(pilot, "k")
        assert not screen.desk.kept
        await press(pilot, "escape")
        assert on(app) is MainScreen


async def test_a_file_that_cannot_be_written_is_told_and_the_key_used(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen.account("nokey")
    screen.desk.place = PLACE

    def refuse() -> str:
        raise ConfigError("config.toml cannot be written: Read-only file system")

    monkeypatch.setattr(screen.desk, "keep_key", refuse)
    app = screen.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await enter(pilot, GOOD)
        screen.account("live")
        await look(pilot)
        await press(pilot, "k")
        assert "Read-only file system" in said(app)
        await press(pilot, "s")
        assert on(app) is MainScreen


async def test_esc_goes_on_without_and_nobody_is_welcomed_twice(screen: Screen) -> None:
    screen.account("nokey")
    app = screen.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "escape")
        assert on(app) is MainScreen
        screen.account("nokey", detail="again")
        main(app).reload()
        await settled(pilot)
        assert on(app) is MainScreen
        await press(pilot, "K")
        assert on(app) is EnterKey


@pytest.mark.parametrize("why", ["rows", "key", "other process", "takes none"])
async def test_nobody_is_welcomed_who_has_a_key_or_rows(screen: Screen, why: str) -> None:
    if why == "rows":
        screen.busy()
    screen.account("live" if why == "key" else "nokey", **({"pid": 1} if why == "other process" else {}))
    app = screen.app(takes_key=why != "takes none")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert on(app) is MainScreen


@pytest.mark.parametrize(("key", "demo"), [("ctrl+t", True), ("ctrl+c", False), ("ctrl+q", False)])
async def test_the_welcome_is_left_for_the_demo_or_the_shell(screen: Screen, key: str, demo: bool) -> None:
    screen.account("nokey")
    app = screen.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, key)
    assert app.wants_demo is demo
    assert app.return_code == 0


OWN = EngineState(pid=os.getpid(), connection="live")


def test_the_verdict_waits_for_the_engine_and_never_guesses() -> None:
    def words(engine: EngineState | None, **facts: bool) -> str | None:
        found = verdict(engine, Account(), **({"taken_up": True, "patient": True} | facts))
        return found.words if found else None

    assert words(OWN) == "The key works."
    assert words(OWN, taken_up=False) is None, "that is about the key before it"
    assert words(None) is None
    assert words(EngineState(pid=os.getpid(), connection="starting")) is None
    assert "no answer yet" in (words(OWN, taken_up=False, patient=False) or "")
    assert "Process 1 makes the calls" in (words(EngineState(pid=1, connection="live"), taken_up=False) or "")


@two_sizes
async def test_first_run(screen: Screen, snap: Snap, size: Size) -> None:
    screen.account("nokey")
    screen.desk.place = PLACE
    await snap(screen.app(), size=size, prepare=_still)


@two_sizes
async def test_first_run_accepted(screen: Screen, snap: Snap, size: Size) -> None:
    async def accept(pilot: Pilot[int]) -> None:
        await enter(pilot, GOOD)
        screen.account("live")
        await look(pilot)

    screen.account("nokey")
    screen.desk.place = PLACE
    await snap(screen.app(), size=size, prepare=accept)


@two_sizes
async def test_first_run_rejected(screen: Screen, snap: Snap, size: Size) -> None:
    async def reject(pilot: Pilot[int]) -> None:
        await enter(pilot, GOOD)
        screen.account(
            "rejected", detail="KEY_INVALID: This key does not exist.", hint="Create a new key in the settings.",
            request_id="req_feedfacecafebeef",
        )  # fmt: skip
        await look(pilot)
        await _still(pilot)

    screen.account("nokey")
    screen.desk.place = PLACE
    await snap(screen.app(), size=size, prepare=reject)


async def _still(pilot: Pilot[int]) -> None:
    pilot.app.screen.query_one(Input).cursor_blink = False
    await settled(pilot)


async def test_another_key_that_works_and_cannot_be_kept_leaves_no_dialog_open(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "K")
        await enter(pilot, GOOD)
        while on(app) is not MainScreen:  # the engine's row is looked at by and by
            await asyncio.sleep(0.02)
        await settled(pilot)
        assert toasts(app)[-1] == "The key works: Pro, 12,847 credits."

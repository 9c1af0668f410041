"""What goes wrong is told; the dashboard stays, or ends without showing a secret."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual import events
from textual.pilot import Pilot

from tests.ui.conftest import PROFILE, Screen, settled
from vivix_tui import verbs, verbs_retry
from vivix_tui.config import Settings, Ui
from vivix_tui.errors import StoreError
from vivix_tui.store import query
from vivix_tui.ui.app import VivixApp
from vivix_tui.ui.screens.dialogs import Confirm
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.widgets.bars import Banner

SECRET = "vvx_live_" + "secret" * 6


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def main(app: VivixApp) -> MainScreen:
    screen = app.screen_stack[1]
    assert isinstance(screen, MainScreen)
    return screen


def toasts(app: VivixApp) -> list[str]:
    return [str(notification.message) for notification in app._notifications]


def banner(app: VivixApp) -> str:
    found = main(app).query_one(Banner)
    return "".join(text for text, _ in found._pieces) if found.display else ""


def says(log_file: Path, words: str) -> bool:
    return words in log_file.read_text()


def fails(*_: Any, **__: Any) -> Any:
    raise StoreError("the disk is full")


async def test_a_verb_that_fails_after_the_answer_is_a_toast(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        doors = ((verbs_retry, "retry_all", ("4", "g", "R", "y")), (verbs, "forget", ("x", "y")))
        for door, verb, keys in doors:
            monkeypatch.setattr(door, verb, fails)
            await press(pilot, *keys)
            assert toasts(app).pop() == "the disk is full"
        assert app.screen is main(app)
        assert not main(app).forgotten


async def test_an_undo_that_fails_can_be_tried_again(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "x", "y")
        with monkeypatch.context() as broken:
            broken.setattr(verbs, "restore", fails)
            await press(pilot, "z")
        assert "the disk is full" in toasts(app)
        await press(pilot, "z")
        assert main(app).listing.count == 7


@pytest.mark.parametrize("door", ["page", "detail", "counts", "engine_state"])
async def test_what_cannot_be_read_is_told_by_the_banner_until_it_can(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "j", "j")
        before = main(app).table.selected
        assert before is not None
        with monkeypatch.context() as broken:
            broken.setattr(query, door, fails)
            verbs.track(screen.store, PROFILE, [("new", None)])
            for _ in range(8):
                main(app)._follow()
                main(app)._tick()
            await press(pilot, "j", "k") if door == "detail" else None
            await settled(pilot)
            assert "What is shown may be old: the disk is full" in banner(app)
            assert toasts(app) == []
        main(app)._follow()
        await settled(pilot)
        assert banner(app) == ""
        after = main(app).table.selected
        assert after is not None
        assert after.id == before.id


async def test_a_dialog_answers_once_however_many_keys_have_reached_it(screen: Screen) -> None:
    screen.busy()
    answers: list[str | None] = []
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        dialog = Confirm("Retry?", "costs", "retry")
        app.push_screen(dialog, answers.append)
        await settled(pilot)
        for _ in range(20):
            dialog.post_message(events.Key("y", "y"))
        await settled(pilot)
        assert answers == ["y"]
        assert app.screen is main(app)


async def test_a_notice_stays_until_escape(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    app.notice = "the damaged database was moved aside"
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert "moved aside" in banner(app)
        await press(pilot, "space", "escape")
        assert "moved aside" in banner(app)
        await press(pilot, "escape")
        assert banner(app) == ""


async def test_settings_that_nobody_knows_are_told(screen: Screen) -> None:
    settings = msgspec.structs.replace(Settings(), ui=Ui(theme="mauve"), keys={"generation.fly": "f"})
    app = screen.app(settings=settings)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert toasts(app) == ["keys.generation.fly: no such command; ui.theme: no theme 'mauve'"]
        assert app.theme == "vivix"


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    log, path = logging.getLogger("vivix_tui"), tmp_path / "vivix.log"
    before, handler = list(log.handlers), logging.FileHandler(path)
    log.handlers = [handler]
    yield path
    handler.close()
    log.handlers = before


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [(ValueError("bad"), 1, "an internal error (ValueError)"), (StoreError("the disk\x1b[2J"), 5, "the disk␛[2J")],
)
def test_a_fatal_error_is_one_line_without_locals(
    screen: Screen, log_file: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, shown: str
) -> None:
    monkeypatch.setattr(VivixApp, "is_headless", property(lambda _: False))
    app = screen.app()
    monkeypatch.setattr(app, "_close_messages_no_wait", lambda: None)

    def dies(key: str) -> None:
        raise error

    try:
        dies(SECRET)
    except (ValueError, StoreError) as caught:
        app._handle_exception(caught)
    (said,) = map(str, app._exit_renderables)
    assert shown in said
    assert str(log_file) in said
    assert "\n" not in said
    assert SECRET not in said
    assert app._return_code == code
    logged = log_file.read_text()
    assert "Traceback" in logged
    assert SECRET not in logged


async def test_lif_03_a_task_of_the_screen_that_fails_does_not_end_the_dashboard(
    screen: Screen, log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Textual ends the app: a search of the palette that is closed while it runs may do that."""
    screen.busy()
    app = screen.app()

    async def dies(key: str) -> None:
        raise ValueError("no such widget")

    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        monkeypatch.setattr(VivixApp, "is_headless", property(lambda _: False))
        app.run_worker(dies(SECRET))
        await settled(pilot)
        monkeypatch.undo()
        assert toasts(app) == ["That failed (ValueError); the log says more."]
        await press(pilot, "j")
        assert main(app).table.cursor == 1
    assert says(log_file, "no such widget")
    assert not says(log_file, SECRET)

"""The keys for files: fetch, fetch elsewhere, pause, cancel, take a wish back; marks that are wishes."""

from __future__ import annotations

from pathlib import Path

import msgspec
from textual.widgets import Input

from tests.ui.conftest import PROFILE, Screen
from tests.ui.test_ui_keys import main, press, toasts
from vivix_tui.config import Settings
from vivix_tui.store import downloads
from vivix_tui.ui.screens.dialogs import AskLine, Choose

DONE = "5b91a581-0000-4000-8000-000000000000"


def states(screen: Screen, generation_id: str = DONE) -> list[str]:
    return [item.state for item in downloads.of(screen.store, PROFILE, generation_id)]


async def test_d_on_what_is_under_way_asks_whether_to_pause_or_cancel(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "g", "d")
        assert states(screen) == ["queued"] * 4
        await press(pilot, "d")
        assert isinstance(app.screen, Choose)
        await press(pilot, "enter")
        assert states(screen) == ["queued"] * 4
        await press(pilot, "d", "p")
        assert states(screen) == ["paused"] * 4
        assert toasts(app)[-1] == "paused 4 downloads"
        await press(pilot, "d")
        assert states(screen) == ["queued"] * 4
        await press(pilot, "d", "x")
        assert states(screen) == ["cancelled"] * 4


async def test_a_wish_for_files_to_come_is_taken_back(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "1", "g", "d")
        assert toasts(app)[-1] == "its files will be downloaded when it completes"
        await press(pilot, "d", "x")
        assert toasts(app)[-1] == "its files will not be downloaded"


async def test_download_to_a_folder(screen: Screen, tmp_path: Path) -> None:
    screen.busy()
    app = screen.app()
    (tmp_path / "file").touch()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "g", "D")
        for typed in ("", "relative/folder", str(tmp_path / "file")):
            app.screen.query_one(Input).value = typed
            await press(pilot, "enter")
            assert isinstance(app.screen, AskLine), typed
        app.screen.query_one(Input).value = f" {tmp_path / 'there'} "
        await press(pilot, "enter")
        main(app)  # the dialog is closed
    assert [item.directory for item in downloads.of(screen.store, PROFILE, DONE)] == [str(tmp_path / "there")] * 4


async def test_marks_are_wishes_where_the_settings_say_so(screen: Screen) -> None:
    screen.busy()
    settings = msgspec.convert({"download": {"auto": "marked"}}, Settings)
    app = screen.app(settings=settings)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "g", "space")
        assert states(screen) == ["queued"] * 4
        await press(pilot, "U", "1", "g", "space")
        assert toasts(app)[-1] == "its files will be downloaded when it completes"
        await press(pilot, "U")
        assert toasts(app)[-1] == "its files will not be downloaded"
        assert states(screen) == ["queued"] * 4, "what had begun goes on"
        await press(pilot, "4", "g", "space")
        assert len(main(app).table.marks) == 1, "one without files can be marked all the same"


async def test_marks_are_no_wishes_otherwise(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "0", "asterisk", "U")
    assert states(screen) == []

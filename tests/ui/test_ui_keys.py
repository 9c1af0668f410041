"""Every key does what the registry says: asserted on the store's rows and on what the screen shows."""

from __future__ import annotations

import asyncio
import os
import signal

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from tests.ui.conftest import NOW, PROFILE, Screen, found_by_the_palette, settled, until
from vivix_tui import verbs
from vivix_tui.config import Settings
from vivix_tui.domain.generation import Answer
from vivix_tui.store import downloads, generations, query, submissions
from vivix_tui.ui.actions.registry import ACTIONS
from vivix_tui.ui.app import CommandPalette, VivixApp
from vivix_tui.ui.commands import BY_ID, COMMANDS, Context
from vivix_tui.ui.listing import key_of
from vivix_tui.ui.screens.dialogs import Confirm, Reading
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.widgets.bars import Bar
from vivix_tui.ui.widgets.generation_table import GenerationTable

FAILED, DONE, FIRST = "0fe1c3d4", "5b91a581", "91d0be12"


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def main(app: VivixApp) -> MainScreen:
    screen = app.screen
    assert isinstance(screen, MainScreen)
    return screen


def selected(app: VivixApp) -> str:
    row = app.screen_stack[1].query_one(GenerationTable).selected
    return row.id[:8] if row else ""


def toasts(app: VivixApp) -> list[str]:
    return [str(notification.message) for notification in app._notifications]


def bar(app: VivixApp, name: str) -> str:
    return "".join(text for text, _ in main(app).query_one(f"#{name}", Bar)._pieces)


def test_every_command_has_an_action_or_is_navigation() -> None:
    for command in COMMANDS:
        assert (
            command.id in ACTIONS or command.id.split(".")[0] in ("move", "view", "mark") or command.id == "app.palette"
        )
    keys = [key for command in COMMANDS for key in command.keys.split(",")]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        (("j",), "3aa00417"), (("down", "down"), "7c2f90aa"), (("j", "j", "k"), "3aa00417"), (("G",), "1abc049a"),
        (("end", "up"), "44d1e002"), (("G", "g"), FIRST), (("ctrl+d",), "1abc049a"), (("G", "ctrl+u"), FIRST),
        (("pagedown",), "1abc049a"), (("pagedown", "pageup"), FIRST), (("k",), FIRST),
    ],
)  # fmt: skip
async def test_movement(screen: Screen, keys: tuple[str, ...], row: str) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert selected(app) == FIRST
        await press(pilot, *keys)
        assert selected(app) == row


@pytest.mark.parametrize(("key", "count"), [("1", 2), ("2", 1), ("3", 2), ("4", 2), ("exclamation_mark", 2), ("0", 7)])
async def test_filters_by_status_and_back(screen: Screen, key: str, count: int) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, key)
        assert main(app).listing.count == count
        await press(pilot, "escape")
        assert main(app).listing.count == 7


async def test_filter_as_you_type_and_escape_clears_one_thing_at_a_time(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "slash", *"tokyo")
        await until(pilot, lambda: main(app).listing.count == 1)
        await press(pilot, "enter")
        assert selected(app) == "7c2f90aa"
        assert "tokyo: 1" in bar(app, "commands")
        await press(pilot, "space", "enter")
        assert main(app).zoomed
        await press(pilot, "escape")
        assert not main(app).zoomed
        assert main(app).listing.count == 1
        await press(pilot, "escape")
        assert main(app).listing.count == 7
        assert main(app).query_one("#filter", Input).value == ""
        assert main(app).query_one(GenerationTable).marks
        await press(pilot, "escape")
        assert not main(app).query_one(GenerationTable).marks


async def test_what_a_filter_by_text_lets_through_follows_the_store(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "slash", *"tokyo", "enter")
        assert main(app).listing.count == 1
        for number in range(3):
            verbs.track(screen.store, PROFILE, [(f"late-{number}", '{"prompt": "tokyo again"}')])
            main(app).reload()
        await until(pilot, lambda: main(app).listing.count == 4)
        last = main(app).listing.row(3)
        assert last is not None
        assert last.id.startswith("7c2f90aa")
        assert main(app).listing.index_of(key_of(last)) == 3


async def test_a_filter_without_match_says_so(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "slash", *"zzz", "enter")
        assert main(app).query_one("#notice").display
        await press(pilot, "escape")
        assert not main(app).query_one("#notice").display


async def test_mon_05_a_retry_asks_with_the_price_and_sends_one_wish(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "4", "g")
        assert selected(app) == FAILED
        await press(pilot, "R", "R", "R", "enter")
        assert query.queue(screen.store, PROFILE) == []
        await press(pilot, "R")
        assert isinstance(app.screen, Confirm)
        assert "80 to 211 credits" in app.screen._text
        for _ in range(20):
            await pilot.press("y")
        await settled(pilot)
        (item,) = query.queue(screen.store, PROFILE)
        assert item.retry_of is not None
        assert item.retry_of.startswith(FAILED)
        original = query.generation(screen.store, PROFILE, item.retry_of)
        assert original is not None
        assert item.body == original.body
        assert "retry queued" in toasts(app)
        assert screen.woken == 1
        await press(pilot, "R", "escape")
        assert len(query.queue(screen.store, PROFILE)) == 1


async def test_what_cannot_be_done_is_greyed_out_and_says_why(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "4", "G", "R")
        assert selected(app) == "1abc049a"
        assert "retry…: its body is not known here, so there is nothing to send again" in toasts(app)
        pieces = main(app).query_one("#commands", Bar)._pieces
        assert ("retry… ", "muted") in pieces
        await press(pilot, "g")
        assert ("retry… ", "plain") in main(app).query_one("#commands", Bar)._pieces


async def test_bulk_retry_asks_once_with_the_total(screen: Screen) -> None:
    screen.busy()
    screen.row(9, "failed", credits_used=0, credits_estimate=211, error="X")
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "4", "asterisk", "R")
        assert isinstance(app.screen, Confirm)
        assert app.screen._title == "Retry 2 rows?"
        assert "160 to 422 credits" in app.screen._text
        assert "1 of 3 cannot be retried" in app.screen._text
        await press(pilot, "y")
        assert len(query.queue(screen.store, PROFILE)) == 2


async def test_download_of_one_and_of_the_marked(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "g", "d")
        assert len(downloads.work(screen.store, PROFILE)) == 4
        assert "downloading 4 files" in toasts(app)
        await press(pilot, "asterisk", "d")
        assert len(downloads.work(screen.store, PROFILE)) == 5


async def test_adding_ids(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "a")
        app.screen.query_one(TextArea).text = "bad\x1b[2J id"
        await press(pilot, "ctrl+s")
        assert "line 1" in str(app.screen.query_one("#complaint").render())
        app.screen.query_one(TextArea).text = 'new-1 new-2\n{"generation_id": "new-3", "body": {"prompt": "x"}}'
        await press(pilot, "ctrl+s")
        row = query.generation(screen.store, PROFILE, "new-3")
        assert row is not None
        assert row.body == '{"prompt":"x"}'
        assert main(app).listing.count == 10
        assert "tracking 3 generations" in toasts(app)
        await press(pilot, "a", "escape")
        assert isinstance(app.screen, MainScreen)


async def test_copy_id_and_urls(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "g", "y")
        assert app.clipboard.startswith(DONE)
        await press(pilot, "Y")
        assert app.clipboard.count("https://") == 4
        await press(pilot, "4", "g", "Y")
        assert "copy URLs: it has no URLs yet" in toasts(app)


async def test_forget_asks_and_undo_brings_back(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "z")
        assert "undo: nothing was forgotten since the start" in toasts(app)
        await press(pilot, "3", "x", "enter")
        assert main(app).listing.count == 2
        await press(pilot, "x", "y")
        assert main(app).listing.count == 1
        await press(pilot, "z")
        assert main(app).listing.count == 2


async def test_refresh_is_one_wish_however_often(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "r", "r", "r")
        assert sum(row.hurry for row in generations.live(screen.store, PROFILE)) == 1
        assert toasts(app).count("already asking") == 2


async def test_marks_toggle_all_none(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "space", "space")
        assert len(main(app).query_one(GenerationTable).marks) == 2
        await press(pilot, "k", "space")
        assert len(main(app).query_one(GenerationTable).marks) == 1
        await press(pilot, "asterisk")
        assert "7 marked" in bar(app, "commands")
        await press(pilot, "U")
        assert not main(app).query_one(GenerationTable).marks


async def test_help_lists_every_key_and_the_reasons(screen: Screen) -> None:
    screen.busy()
    app = screen.app(takes_key=False)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "question_mark")
        assert isinstance(app.screen, Reading)
        for command in COMMANDS:
            assert command.help in app.screen._text
        assert "(not now: nothing is marked)" in app.screen._text
        assert "without an engine" in app.screen._text
        await press(pilot, "f1")
        assert isinstance(app.screen, MainScreen)


async def test_the_palette_finds_and_runs_commands(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "colon", *"completed rows")
        await until(pilot, lambda: found_by_the_palette(app) == 1)
        await press(pilot, "enter")
        await until(pilot, lambda: main(app).listing.count != 7)
        assert main(app).listing.count == 2


async def test_keys_can_be_rebound_by_id(screen: Screen) -> None:
    screen.busy()
    settings = msgspec.structs.replace(Settings(), keys={"generation.retry": "f5", "move.down": "n"})
    app = screen.app(settings=settings)
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "n")
        assert selected(app) == "3aa00417"
        await press(pilot, "4", "g", "R")
        assert isinstance(app.screen, MainScreen)
        await press(pilot, "f5")
        assert isinstance(app.screen, Confirm)


async def test_q_asks_only_while_something_is_under_way(screen: Screen) -> None:
    screen.busy()
    verbs.submit(screen.store, PROFILE, ['{"model": "m", "prompt": "x"}'])
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "q")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "escape")
        assert isinstance(app.screen, MainScreen)
        await press(pilot, "q", "y")
    assert app.return_code == 0
    quiet = Screen(screen.store)
    submissions.pause_queue(screen.store, PROFILE, None)
    with screen.store.write() as connection:
        connection.execute("DELETE FROM submissions")
    app = quiet.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "q")
    assert app.return_code == 0


async def test_ctrl_q_asks_as_q_does_from_every_dialog_and_once(screen: Screen) -> None:
    screen.busy()
    verbs.submit(screen.store, PROFILE, ['{"model": "m", "prompt": "x"}'])
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "question_mark", "ctrl+q", "ctrl+q")
        assert [type(each) for each in app.screen_stack[1:]] == [MainScreen, Reading, Confirm]
        await press(pilot, "escape")
        assert isinstance(app.screen, Reading)
        await press(pilot, "ctrl+q", "y")
    assert app.return_code == 0


async def test_the_screen_follows_what_others_write(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        row = query.generation(screen.store, PROFILE, f"{FIRST}-0000-4000-8000-000000000000")
        assert row is not None
        answer = Answer(generation_id=row.generation_id, status="completed", duration_ms=5000)
        generations.record(screen.store, PROFILE, answer, asked_at=NOW)
        await until(pilot, lambda: "3 done" in bar(app, "status"))


async def test_enter_zooms_and_a_narrow_screen_shows_one_page(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert not main(app).query_one("#detail").display
        await press(pilot, "enter")
        assert main(app).query_one("#detail").display
        assert not main(app).query_one(GenerationTable).display
        await press(pilot, "j", "escape")
        assert main(app).query_one(GenerationTable).display
        assert selected(app) == "3aa00417"


async def test_ter_09_after_a_tiny_terminal_keys_reach_the_table_again(screen: Screen) -> None:
    """Also where a dialog was open meanwhile: Textual would focus the hidden field of the filter."""
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        for dialog in ((), ("question_mark",)):
            for key in dialog:
                await press(pilot, key)
            for size in ((20, 5), (60, 20), (25, 8), (120, 36)):
                await pilot.resize_terminal(*size)
                await settled(pilot)
            for _ in dialog:
                await press(pilot, "escape")
            assert app.focused is main(app).table
            before = main(app).table.cursor
            await press(pilot, "j")
            assert main(app).table.cursor == before + 1


async def test_ter_09_any_size_keeps_the_selection(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "j", "j", "j")
        for size in [(20, 5), (1, 1), (300, 100), (39, 10), (40, 10), (99, 12), (120, 36)]:
            await pilot.resize_terminal(*size)
            await settled(pilot)
            small = size[0] < 40 or size[1] < 10
            assert main(app).query_one("#notice").display == small
        assert selected(app) == FAILED


async def test_ter_06_sigterm_ends_with_143(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.2)
        await settled(pilot)
    assert app.return_code == 143


def test_reasons_are_sentences_or_none() -> None:
    for command in COMMANDS:
        reason = command.reason_disabled(Context())
        assert reason is None or len(reason) > 5
    assert BY_ID["generation.retry"].reason_disabled(Context()) == "there is no row here"


@pytest.mark.parametrize("height", [12, 24, 36])
async def test_the_keys_of_a_question_stay_in_sight_however_long_it_is(screen: Screen, height: int) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(80, height)) as pilot:
        app.push_screen(Confirm("Send all?", "\n".join(f"line {n}" for n in range(60)), "send"))
        await settled(pilot)
        keys = app.screen.query_one(".dialog--keys")
        assert keys.region.bottom < height - 1
        assert keys.region.height == 1
        await pilot.press(*["pagedown"] * 70)
        await settled(pilot)
        assert "line 59" in app.export_screenshot().replace("&#160;", " ")


async def test_the_palette_says_why_a_command_cannot_be_used(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        main(app).preview.why_not = "it needs pip install 'vivix-tui[images]'"
        palette = CommandPalette(main(app))
        about = [str(hit.help) async for hit in palette.search("pictures")]
        assert any("(not now: it needs pip install 'vivix-tui\\[images]')" in text for text in about)
        await press(pilot, "colon", *"pictures")
        await asyncio.sleep(0.1)
        await settled(pilot)
        assert "vivix-tui[images]" in app.export_screenshot().replace("&#160;", " ").replace("&#x27;", "'")


async def test_half_a_character_can_be_copied(screen: Screen) -> None:
    app = screen.app()
    async with app.run_test(size=(120, 36)):
        app.copy_to_clipboard("https://cdn.vivix.example/\ud800.jpg")
        assert app.clipboard == "https://cdn.vivix.example/?.jpg"

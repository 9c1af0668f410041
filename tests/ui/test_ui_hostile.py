"""Text that people paste or type reaches the terminal as harmlessly as text from the API."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.pilot import Pilot

from tests.conftest import KEY
from tests.ui.conftest import PROFILE, Screen, settled
from vivix_tui.store import query
from vivix_tui.ui.app import VivixApp
from vivix_tui.ui.widgets.fields import drawn

PASTED = [
    "A\x1b]0;PWNED\x07B\x1b[2J", "\x1b]52;c;ZXZpbA==\x1b\\", "x\x9b2Jy", "a\u202eb\u2066c", "[/red] [@click=app.quit]",
]  # fmt: skip


def steers(character: str) -> bool:
    return ord(character) < 32 or 127 <= ord(character) < 160 or character in "\u202a\u202e\u2066\u200f"


def shown(app: VivixApp) -> str:
    return "".join(segment.text for strip in app.screen._compositor.render_strips() for segment in strip)


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


@pytest.mark.parametrize("text", PASTED, ids=range(len(PASTED)))
async def test_ter_01_what_is_pasted_into_a_field_is_drawn_without_what_steers(screen: Screen, text: str) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        for opens in ("slash", "a", "K"):
            await press(pilot, opens)
            app.post_message(events.Paste(text))
            await settled(pilot)
            assert not any(map(steers, shown(app)))
            await press(pilot, "home", "right", "end")
            assert not any(map(steers, shown(app)))
            await press(pilot, "escape", "escape")


async def test_sec_02_a_picture_of_the_screen_shows_no_key_that_is_being_typed(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "K")
        app.post_message(events.Paste(KEY))
        await settled(pilot)
        picture = app.export_screenshot()
        assert "API" in picture
        assert KEY not in picture
        assert KEY[9:] not in picture


async def test_a_filter_that_was_pasted_is_named_harmlessly(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "slash")
        app.post_message(events.Paste("\x1b[2J[/red]\u202e"))
        await settled(pilot)
        await press(pilot, "enter")
        assert "␛[2J[/red]" in shown(app)
        assert not any(map(steers, shown(app)))


async def test_a_pasted_body_is_kept_as_it_was(screen: Screen) -> None:
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "a")
        app.post_message(events.Paste('{"generation_id": "g-1", "body": {"prompt": "שלום\u200f, a\\tb"}}'))
        await settled(pilot)
        await press(pilot, "ctrl+s")
        row = query.generation(screen.store, PROFILE, "g-1")
        assert row is not None
        assert row.body == '{"prompt":"שלום\u200f, a\\tb"}'


@given(st.text(st.characters(exclude_characters="\n\r"), max_size=200))
def test_what_is_drawn_is_as_long_as_the_text_and_steers_nothing(text: str) -> None:
    assert len(drawn(text)) == len(text)
    assert not any(steers(character) for character in drawn(text) if character != "\t")

"""The end of the details: the record as `show --json` prints it, harmless, and drawn for rows that are looked at."""

from __future__ import annotations

import json

import pytest
from textual.pilot import Pilot

from tests.conftest import Home
from tests.ui.conftest import IMAGE, NOW, PROFILE, Screen, Snap, settled, until
from tests.ui.test_ui_snapshots import Size, two_sizes
from vivix_tui import verbs_retry
from vivix_tui.domain.text import json_block, json_line
from vivix_tui.store import query
from vivix_tui.store.store import Store
from vivix_tui.ui.present.detail import detail_lines
from vivix_tui.ui.present.glyphs import GLYPHS
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.widgets.detail_pane import DetailPane

HOSTILE = "a fox\x1b]0;owned\x07 [red]\u202egpj\x9b2J\nnext line"


def raw(store: Store, profile: str, kind: str, row_id: str) -> str:
    """The text of the last section."""
    found = query.detail(store, profile, kind, row_id)
    assert found is not None
    index = query.index_of(store, profile, query.Filter(), kind, row_id)
    assert index is not None
    (row,) = query.page(store, profile, query.Filter(), offset=index, limit=1)
    lines = detail_lines(found, row, NOW, GLYPHS)
    assert [line.text for line in lines if line.role == "title"][-1] == "Raw JSON"
    return lines[-1].text


def test_it_is_what_show_prints(home: Home) -> None:
    for command in (("track", "g1"), ("submit", "--no-wait", "--no-check", "-")):
        run = home.run(*command, stdin=json.dumps({"model": IMAGE, "prompt": HOSTILE}))
        assert run.returncode == 0, run.stderr
    store = Store(home.database)
    (queued,) = query.queue(store, "default")
    for kind, row_id in (("generation", "g1"), ("submission", queued.submission_id)):
        printed = home.run("show", row_id, "--json").stdout
        assert json.loads(raw(store, "default", kind, row_id)) == json.loads(printed)
    store.close()


def test_nothing_in_it_steers(screen: Screen) -> None:
    made = screen.row(1, "completed", prompt=HOSTILE, message=HOSTILE, output_url=f"https://x.test/{HOSTILE}")
    text = raw(screen.store, PROFILE, "generation", made)
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
    assert json.loads(text)["message"] == HOSTILE
    value = {"a": [HOSTILE, {"b\u2028": 1}], "c": "\ud800"}
    assert json.loads(json_block(value)) == json.loads(json_line(value))


def test_a_giant_record_is_cut(screen: Screen) -> None:
    made = screen.row(1, "failed", prompt="p" * 50_000, message="m" * 50_000, credits_used=0)
    assert len(raw(screen.store, PROFILE, "generation", made)) < 21_000


def drawn(pilot: Pilot[int]) -> str:
    pane = pilot.app.screen.query_one(DetailPane)
    return "\n".join(pane.render_line(y).text for y in range(pane.size.height))


async def test_a_row_that_is_only_passed_by_does_without(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 60)) as pilot:
        await settled(pilot)
        await pilot.press("3", "g")
        await settled(pilot)
        pane = app.screen.query_one(DetailPane)
        height, before = pane.virtual_size.height, drawn(pilot)
        assert "Raw JSON" not in before
        pane.rest()
        await settled(pilot)
        assert '"credits_used": 732' in drawn(pilot)
        assert pane.virtual_size.height == height, "a height that changes lays out and paints the whole screen anew"
        await pilot.press("j")
        await settled(pilot)
        assert "Raw JSON" not in drawn(pilot)


async def test_looking_at_a_row_for_a_moment_brings_it(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr("vivix_tui.ui.widgets.detail_pane.REST_S", 0.01)
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 60)) as pilot:
        await pilot.press("3", "g")
        await until(pilot, lambda: "Raw JSON" in drawn(pilot))
        verbs_retry.retry(screen.store, PROFILE, screen.row(0x99, "failed", credits_used=0))
        main = app.screen
        assert isinstance(main, MainScreen)
        main.reload()
        await settled(pilot)
        assert "Raw JSON" in drawn(pilot), "a change of other rows takes nothing away"


@two_sizes
async def test_picture_of_the_record(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), "exclamation_mark", "g", "enter", "G", size=size)

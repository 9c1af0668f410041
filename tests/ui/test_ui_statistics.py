"""Credits and statistics on the screen: its keys, what it says, what it does not, and pictures."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest
from rich.cells import cell_len
from textual.events import MouseScrollDown
from textual.pilot import Pilot

from tests.ui.conftest import IMAGE, NOW, PROFILE, VIDEO, Screen, Snap, settled, until
from tests.ui.test_ui_snapshots import Size, two_sizes
from vivix_tui.config import Settings, Ui
from vivix_tui.domain.account import Account
from vivix_tui.domain.generation import Answer
from vivix_tui.store import accounts, calls, generations, statistics
from vivix_tui.ui.app import VivixApp
from vivix_tui.ui.present.glyphs import ASCII, GLYPHS
from vivix_tui.ui.present.statistics import Shown, statistics_lines
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.screens.statistics import StatisticsScreen
from vivix_tui.ui.widgets.detail_pane import DetailPane


def month(screen: Screen) -> None:
    """Forty days of work with two models, the weekends quieter, and the calls that it took."""
    screen.account()
    accounts.save_account(screen.store, PROFILE, Account(granted_this_cycle=15_000), NOW)
    past = []
    for number in range(200):
        made = NOW - timedelta(hours=5 * number, minutes=number * 7 % 60)
        if made.weekday() >= 5 and number % 3:
            continue
        video = number % 4 == 0
        facts: dict[str, object] = {"credits_used": 800 if video else 118, "duration_ms": 90_000 if video else 9_000}
        facts["duration_ms"] = int(str(facts["duration_ms"])) + number * 211 % 7_000
        failed = {7: "PROVIDER_ERROR", 29: "PROVIDER_TIMEOUT", 53: "CONTENT_POLICY"}.get(number % 60)
        if failed:
            facts = {"credits_used": 0, "error": failed, "credits_estimate": 1440 if video else 211}
        past.append(
            Answer(
                generation_id=f"g{number}",
                status="failed" if failed else "completed",
                model=VIDEO if video else IMAGE,
                created_at=made.isoformat(),
                **facts,  # type: ignore[arg-type]
            )
        )
    with screen.store.write() as connection:
        generations.insert_past(connection, PROFILE, [(answer, "{}") for answer in past], NOW)
    today = NOW.date()
    for back in range(40):
        day = today - timedelta(days=back)
        numbers = {
            calls.POLL: 210 - back,
            calls.SUBMISSION: 6,
            calls.ACCOUNT: 4,
            calls.MODELS: 1,
            calls.ASKED: back % 3,
        }
        calls.add(screen.store, PROFILE, {(day, purpose): number for purpose, number in numbers.items() if number})


async def counted(pilot: Pilot[int]) -> None:
    await pilot.app.workers.wait_for_complete()
    await settled(pilot)


def text(app: VivixApp) -> str:
    """What the screen shows, from the first line to the last that can be seen."""
    pane = app.screen.query_one(DetailPane)
    return "\n".join(pane.render_line(y).text.rstrip() for y in range(pane.size.height))


def top(app: VivixApp) -> int:
    return app.screen.query_one(DetailPane).scroll_offset.y


@two_sizes
async def test_picture_of_a_month(screen: Screen, snap: Snap, size: Size) -> None:
    month(screen)
    await snap(screen.app(), "c", size=size, prepare=counted)


@two_sizes
async def test_picture_of_its_end(screen: Screen, snap: Snap, size: Size) -> None:
    async def end(pilot: Pilot[int]) -> None:
        await counted(pilot)
        await pilot.press("G")

    month(screen)
    await snap(screen.app(), "c", size=size, prepare=end)


@two_sizes
async def test_picture_of_nothing(screen: Screen, snap: Snap, size: Size) -> None:
    await snap(screen.app(), "c", size=size, prepare=counted)


async def test_picture_in_ascii(screen: Screen, snap: Snap) -> None:
    month(screen)
    await snap(screen.app(settings=Settings(ui=Ui(ascii=True))), "c", size=(80, 24), prepare=counted)


@pytest.mark.parametrize("key", ["escape", "q", "c"])
async def test_c_opens_it_and_three_keys_close_it(screen: Screen, key: str) -> None:
    month(screen)
    app = screen.app()
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("c")
        await counted(pilot)
        assert isinstance(app.screen, StatisticsScreen)
        assert "12,847 credits, Pro" in text(app)
        await pilot.press(key)
        await settled(pilot)
        assert isinstance(app.screen, MainScreen)
    assert screen.store.all("SELECT 1 FROM generations WHERE hurry = 1") == []


async def test_the_keys_that_move_scroll_it(screen: Screen) -> None:
    month(screen)
    app = screen.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("c")
        await counted(pilot)
        last = app.screen.query_one(DetailPane).max_scroll_y
        assert last > 10
        for keys, where in (
            ("j", 1), ("down", 2), ("k", 1), ("up", 0), ("pagedown", 22), ("pageup", 0), ("ctrl+d", 10),
            ("ctrl+u", 0), ("G", last), ("g", 0), ("end", last), ("home", 0),
        ):  # fmt: skip
            await pilot.press(keys)
            await settled(pilot)
            assert top(app) == where, keys


async def test_the_wheel_scrolls_it(screen: Screen) -> None:
    month(screen)
    app = screen.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("c")
        await counted(pilot)
        assert await pilot._post_mouse_events([MouseScrollDown], "#detail", button=0)
        await settled(pilot)
        assert top(app) > 0


async def test_a_click_on_the_gauges_opens_it(screen: Screen) -> None:
    month(screen)
    app = screen.app()
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.click("#status", offset=(20, 0))
        await counted(pilot)
        assert isinstance(app.screen, StatisticsScreen)


async def test_a_rebound_key_opens_and_closes_it(screen: Screen) -> None:
    app = screen.app(settings=msgspec.structs.replace(Settings(), keys={"view.statistics": "C", "move.down": "n"}))
    month(screen)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("c")
        await settled(pilot)
        assert isinstance(app.screen, MainScreen)
        await pilot.press("C")
        await counted(pilot)
        await pilot.press("n")
        assert top(app) == 1
        await pilot.press("C")
        await settled(pilot)
        assert isinstance(app.screen, MainScreen)


async def test_what_changes_meanwhile_is_counted_again(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivix_tui.ui.screens.statistics.LOOK_S", 0.05)
    monkeypatch.setattr("vivix_tui.ui.screens.statistics.COST_FACTOR", 1)
    month(screen)
    app = screen.app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("c")
        await counted(pilot)
        assert "brand-new-model" not in text(app)
        screen.row(1, "completed", model="brand-new-model", credits_used=50_000, duration_ms=1_000)
        await until(pilot, lambda: "brand-new-model" in text(app))


async def test_until_it_is_counted_the_account_is_shown(screen: Screen) -> None:
    screen.account()
    account = accounts.account(screen.store, PROFILE)
    lines = statistics_lines(Shown(account=account, statistics=None), NOW, GLYPHS, 77)
    assert [line.text for line in lines][:2] == ["Account", "12,847 credits, Pro"]
    assert lines[-1].text == "counting …"
    failed = statistics_lines(Shown(account=account, statistics=None, trouble="disk gone"), NOW, GLYPHS, 77)
    assert failed[-1].text == "cannot be counted: disk gone"


async def test_what_is_not_known_is_a_dash(screen: Screen) -> None:
    screen.row(1, "failed", error="PROVIDER_ERROR", credits_used=0)
    found = statistics.read(screen.store, PROFILE, NOW)
    lines = {line.label or line.lead.strip(): line.text for line in statistics_lines(
        Shown(account=Account(), statistics=found), NOW, GLYPHS, 77)}  # fmt: skip
    assert lines["balance"] == "– credits"
    assert lines["cycle"] == "– spent, – granted; resets –"
    assert lines["lasts"] == "–"
    assert lines["estimated, came back"].split() == ["–", "–", "–"]
    assert lines["all"].split() == ["0", "1", "100.0%", "–", "–", "0"]


async def test_no_line_is_wider_than_the_terminal(screen: Screen) -> None:
    month(screen)
    screen.row(1, "failed", model="a" * 300, error="E" * 300, credits_used=0)
    screen.row(2, "completed", model="漢" * 90, credits_used=10**12, duration_ms=10**10)
    found = statistics.read(screen.store, PROFILE, NOW)
    account = accounts.account(screen.store, PROFILE)
    for glyphs in (GLYPHS, ASCII):
        for line in statistics_lines(Shown(account=account, statistics=found), NOW, glyphs, 77):
            assert max(line.indent, cell_len(line.lead)) + cell_len(line.text) <= 77, line


async def test_the_ascii_set_draws_nothing_else(screen: Screen) -> None:
    month(screen)
    found = statistics.read(screen.store, PROFILE, NOW)
    lines = statistics_lines(Shown(account=Account(), statistics=found), NOW, ASCII, 77)
    assert all(f"{line.label}{line.lead}{line.text}".isascii() for line in lines)
    assert any("###" in line.text for line in lines)


async def test_foreign_text_is_harmless(screen: Screen) -> None:
    screen.row(1, "failed", model="[b]\x1b]0;x\x07\u202e", error="[red]\x1b[2J", credits_used=0)
    found = statistics.read(screen.store, PROFILE, NOW)
    lines = statistics_lines(Shown(account=Account(tier="\x1b[1m"), statistics=found), NOW, GLYPHS, 77)
    shown = "".join(f"{line.label}{line.lead}{line.text}" for line in lines)
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert "[red]" in shown


async def test_what_changes_below_a_dialog_is_painted_every_other_second(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Textual draws all of the upper screen again for each change below it; nothing is seen through an opaque one."""
    now = 1000.0
    monkeypatch.setattr("vivix_tui.ui.screens.main.monotonic", lambda: now)
    month(screen)
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        below, painted = app.screen, dict[str, list[float]]()
        assert isinstance(below, MainScreen)
        for key in ("c", "question_mark"):
            await pilot.press(key)
            await counted(pilot)
            began, painted[key] = now, []
            for _ in range(10):
                now += 0.5
                below._beat()
                if below.is_current:
                    painted[key].append(now - began)
            await pilot.press("escape")
            await settled(pilot)
            assert below.is_current
    assert painted["c"] == []
    assert len(painted["question_mark"]) in (2, 3)
    assert {b - a for a, b in pairwise(painted["question_mark"])} == {2.0}

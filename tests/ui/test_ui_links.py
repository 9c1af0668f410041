"""URLs where no browser can be reached: OSC 8 links that nobody's text can break out of, QR codes, and their keys."""

from __future__ import annotations

import re
import webbrowser

import msgspec
import pytest
import segno
from rich.console import Console
from textual.pilot import Pilot

from tests.ui.conftest import Screen, Snap, settled
from tests.ui.test_ui_snapshots import Size, two_sizes
from vivix_tui.config import Settings, Ui
from vivix_tui.ui.app import VivixApp
from vivix_tui.ui.present.links import cells, code_for, half_blocks
from vivix_tui.ui.screens.links import LinksScreen
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.widgets.bars import Bar
from vivix_tui.ui.widgets.detail_pane import DetailPane
from vivix_tui.ui.widgets.qr_code import QrCode

URL = "https://cdn.vivix.example/outputs/5b91a581/0.jpg"
TERMINAL = Console(force_terminal=True, color_system="truecolor", width=200)
OSC_8 = re.compile(r"\x1b]8;id=[^;\x1b]*;([^\x1b]*)\x1b\\(.*?)\x1b]8;;\x1b\\", re.DOTALL)


@pytest.fixture(autouse=True)
def _no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)


async def rested(pilot: Pilot[int]) -> None:
    """As when the row under the cursor has been looked at for a moment."""
    pilot.app.screen.query_one(DetailPane).rest()
    await settled(pilot)


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def written(app: VivixApp) -> list[str]:
    """The lines of the list or the details as the terminal gets them."""
    pane = app.screen.query_one(DetailPane)
    return [pane.render_line(y).render(TERMINAL) for y in range(pane.size.height)]


def links(lines: list[str]) -> list[str]:
    return [link for line in lines for link, _ in OSC_8.findall(line)]


def shown(app: VivixApp) -> str:
    """The whole screen of URLs as text."""
    pane = app.screen.query_one(DetailPane)
    head = "".join(text for text, _ in app.screen.query_one("#status", Bar)._pieces)
    return "\n".join([head, *(pane.render_line(y).text.rstrip() for y in range(pane.size.height))])


def code(app: VivixApp) -> list[list[bool]]:
    """The modules as a camera sees them: True where a cell's half is dark."""
    drawn = app.screen.query_one(QrCode)
    halves = {"█": (False, False), "▀": (False, True), "▄": (True, False), " ": (True, True)}
    found = []
    for y in range(drawn.size.height):
        text = drawn.render_line(y).text
        found += [[halves[sign][half] for sign in text] for half in (0, 1)]
    return found


def expected(url: str, border: int = 4) -> list[list[bool]]:
    rows = [
        [bool(dark) for dark in row] for row in segno.make_qr(url, error="l", boost_error=False).matrix_iter(1, border)
    ]
    return [*rows, [False] * len(rows)] if len(rows) % 2 else rows


@two_sizes
async def test_picture_of_urls(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), "3", "g", "o", "j", size=size)


async def test_picture_of_urls_in_ascii(screen: Screen, snap: Snap) -> None:
    screen.busy()
    await snap(screen.app(settings=Settings(ui=Ui(ascii=True))), "3", "g", "o", size=(120, 40))


@two_sizes
async def test_picture_of_a_url_without_a_code(screen: Screen, snap: Snap, size: Size) -> None:
    screen.row(1, "completed", output_urls=(f"https://cdn.vivix.example/{'signed' * 120}", "file:///etc/passwd"))
    await snap(screen.app(), "o", size=size)


async def test_o_shows_links_and_a_code_and_each_key_goes_where_it_says(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "g", "o")
        assert isinstance(app.screen, LinksScreen)
        assert code(app) == expected(URL)
        assert links(written(app)) == [URL.replace("0.jpg", f"{n}.jpg") for n in range(4)]
        for key, number in (
            ("j", 1), ("down", 2), ("tab", 3), ("j", 3), ("k", 2), ("up", 1), ("shift+tab", 0), ("k", 0),
            ("G", 3), ("g", 0), ("space", 1), ("left", 0), ("right", 1),
        ):  # fmt: skip
            await press(pilot, key)
            assert f"{number + 1} of 4" in shown(app), key
            assert code(app) == expected(URL.replace("0.jpg", f"{number}.jpg"))
        await press(pilot, "y")
        assert app.clipboard == URL.replace("0.jpg", "1.jpg")
        await press(pilot, "G", "Y")
        assert app.clipboard == URL.replace("0.jpg", "3.jpg")
        await press(pilot, "escape")
        assert isinstance(app.screen, MainScreen)


@pytest.mark.parametrize("key", ["q", "enter", "o", "escape"])
async def test_four_keys_close_it_and_nothing_else_ends(screen: Screen, key: str) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "3", "g", "o", key)
        assert isinstance(app.screen, MainScreen)
        assert not app.screen.zoomed


async def test_a_rebound_key_opens_and_closes_it(screen: Screen) -> None:
    screen.busy()
    app = screen.app(settings=msgspec.structs.replace(Settings(), keys={"generation.open": "O"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "3", "g", "O")
        assert isinstance(app.screen, LinksScreen)
        await press(pilot, "O")
        assert isinstance(app.screen, MainScreen)


async def test_of_many_urls_those_around_the_chosen_one_are_listed(screen: Screen) -> None:
    screen.row(1, "completed", output_urls=tuple(f"https://cdn.test/{n}.jpg" for n in range(60)))
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "o")
        assert "60" in shown(app)
        assert "… 40 more" in shown(app)
        await press(pilot, "G")
        assert "60 of 60" in shown(app)
        assert "https://cdn.test/59.jpg" in shown(app)


async def test_with_a_browser_in_reach_it_is_opened_there(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setenv("BROWSER", "a-browser")

    def open_it(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", open_it)
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "g", "o")
        assert isinstance(app.screen, MainScreen)
    assert opened == [URL]


async def test_a_hostile_url_is_never_handed_to_a_browser(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", "a-browser")
    monkeypatch.setattr(webbrowser, "open", lambda url: pytest.fail(f"opened {url}"))
    screen.row(1, "completed", output_urls=("file:///etc/passwd",))
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "o")
        assert "no QR code: it is no plain http or https address" in shown(app)


HOSTILE = (
    "https://cdn.test/a\x1b\\\x1b]0;owned\x07",
    "https://cdn.test/a\x07\x9c\x1b]52;c;aGk=\x07",
    "javascript:alert(1)",
    "https://bank.test@evil.test/",
    "https://cdn.test/[/red][@click=app.quit]x",
    "https://cdn.test/a;id=1;b",
    "https://cdn.test/\u202egpj.exe",
)


async def test_hostile_urls_break_out_of_no_link(screen: Screen) -> None:
    screen.row(1, "completed", output_urls=HOSTILE)
    app = screen.app()
    plain = ["https://cdn.test/[/red][@click=app.quit]x", "https://cdn.test/a;id=1;b"]
    async with app.run_test(size=(120, 36)) as pilot:
        await rested(pilot)
        details = written(app)
        await press(pilot, "o")
        for lines in (details, written(app)):
            assert sorted(set(links(lines))) == sorted(plain)
            text = OSC_8.sub(r"\2", "".join(lines))
            assert not re.search(r"\x1b[^\[]|[\x07\x80-\x9f\u202e]", text)
        assert "file" not in "".join(links(details))


async def test_the_details_link_their_urls_and_nothing_behind_them(screen: Screen) -> None:
    screen.busy()
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "3", "g")
        assert not links(written(app)), "a row that is only passed by"
        await rested(pilot)
        found = [pair for line in written(app) for pair in OSC_8.findall(line)]
        assert {link for link, _ in found} == {URL.replace("0.jpg", f"{n}.jpg") for n in range(4)}
        texts = [re.sub(r"\x1b\[[0-9;]*m", "", text) for _, text in found]
        assert "".join(texts[:2]) == URL
        assert not any(" " in text for text in texts)


@pytest.mark.parametrize("size", [1, 40, 120, 290])
def test_half_blocks_draw_every_module(size: int) -> None:
    url = f"https://cdn.test/{'a' * size}"
    code = code_for(url, 200, 100, ascii_only=False)
    lines = half_blocks(code.modules)
    assert (len(lines[0]), len(lines)) == cells(len(code.modules), ascii_only=False)
    light = {"█": (1, 1), "▀": (1, 0), "▄": (0, 1), " ": (0, 0)}
    for y, row in enumerate(code.modules):
        assert [not light[lines[y // 2][x]][y % 2] for x in range(len(row))] == list(row)


def test_a_smaller_border_before_no_code_and_a_reason_before_nothing() -> None:
    url = "https://cdn.vivix.example/outputs/5b91a581/0.jpg"
    assert len(code_for(url, 37, 19, ascii_only=False).modules) == 29 + 8
    assert len(code_for(url, 36, 19, ascii_only=False).modules) == 29 + 4
    assert code_for(url, 32, 19, ascii_only=False).why_not == "it takes 33 × 17 cells, here are 32 × 19"
    assert code_for(url, 80, 40, ascii_only=True).modules
    assert code_for(url, 80, 32, ascii_only=True).why_not == "it takes 66 × 33 cells, here are 80 × 32"
    assert code_for("https://cdn.test/" + "ü" * 1_500, 500, 500, ascii_only=False).why_not

"""Pictures in pixels: which protocol, which bytes, and that nothing is sent where nothing changed."""

from __future__ import annotations

import base64
import re
import zlib

import pytest
from rich.color_triplet import ColorTriplet

from vivix_tui.preview.frame import Frame
from vivix_tui.ui.pixels import MOST_PIXELS, KittyPicture, Painter, Picture, SixelPicture, picture_of, share
from vivix_tui.ui.protocol import HALF, KITTY, SIXEL, Cell, protocol_of

CELL = Cell(10, 20)
SSH = {"TERM": "xterm-256color", "SSH_CONNECTION": "1 2 3 4"}


@pytest.mark.parametrize(
    ("wanted", "environ", "cell", "protocol"),
    [
        ("auto", SSH, CELL, HALF),
        ("auto", {"TERM": "xterm-kitty"}, CELL, KITTY),
        ("auto", {"TERM": "xterm-kitty"}, None, KITTY),
        ("auto", {"TERM": "xterm-ghostty"}, CELL, KITTY),
        ("auto", {"TERM": "foot-direct"}, CELL, SIXEL),
        ("auto", {"TERM": "foot"}, None, HALF),
        ("auto", {"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, CELL, SIXEL),
        ("auto", SSH | {"LC_TERMINAL": "iTerm2"}, CELL, SIXEL),
        ("auto", SSH | {"KONSOLE_VERSION": "230401"}, CELL, SIXEL),
        ("auto", SSH | {"KONSOLE_VERSION": "210401"}, CELL, HALF),
        ("auto", SSH | {"KONSOLE_VERSION": "\u0663"}, CELL, HALF),
        ("auto", {"TERM": "xterm-kitty", "NO_COLOR": "1"}, CELL, HALF),
        ("auto", {}, CELL, HALF),
        ("sixel", SSH, CELL, SIXEL),
        ("sixel", SSH, None, HALF),
        ("kitty", SSH, CELL, KITTY),
        ("half", {"TERM": "xterm-kitty"}, CELL, HALF),
        ("auto", {"TERM": "tmux-256color", "TMUX": "/tmp/x", "KITTY_WINDOW_ID": "1"}, CELL, HALF),
        ("kitty", {"TERM": "tmux-256color", "TMUX": "/tmp/x"}, CELL, HALF),
        ("sixel", {"TERM": "screen", "STY": "1.a"}, CELL, HALF),
        ("auto", {"TERM": "tmux-256color", "LC_TERMINAL": "iTerm2"}, CELL, HALF),
        ("auto", {"TERM": "xterm-kitty", "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}, CELL, HALF),
    ],
)  # fmt: skip
def test_the_protocol_is_what_the_terminal_can_or_the_config_says(
    wanted: str, environ: dict[str, str], cell: Cell | None, protocol: str
) -> None:
    chosen, why = protocol_of(wanted, environ, cell)
    assert chosen == protocol
    assert why


def frame(width: int, height: int) -> Frame:
    return Frame(width=width, height=height, rgb=bytes((1, 2, 3)) * (width * height), source_width=width,
                 source_height=height, kind="png")  # fmt: skip


def test_what_is_left_of_the_last_cells_is_the_ground() -> None:
    made = picture_of(frame(11, 21), CELL, ColorTriplet(7, 8, 9))
    assert isinstance(made, KittyPicture)
    assert (made.columns, made.rows, made.width, made.line_height) == (2, 2, 20, 20)
    pixels = zlib.decompress(base64.b64decode(made.data))
    assert len(pixels) == 3 * 20 * 40
    assert pixels[:60] == bytes((1, 2, 3)) * 11 + bytes((7, 8, 9)) * 9
    assert pixels[-60:] == bytes((7, 8, 9)) * 20


def test_a_picture_is_never_too_many_bytes() -> None:
    assert share(46, 22, CELL) == 1.0
    part = share(200, 60, Cell(20, 40))
    assert 200 * 20 * part * 60 * 40 * part == pytest.approx(MOST_PIXELS)


class Board:
    """A painter, and what it sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.painter = Painter(self.sent.append)

    def paint(self, picture: Picture, rows: range, *, y: int = 5, touched: bool = False, gone: bool = False) -> str:
        self.sent.clear()
        lines = {(picture, row): (3, y + row) for row in rows}
        self.painter.paint([] if gone else [picture], lines, lambda *_: touched)
        assert len(self.sent) <= 1, "one write a frame"
        return "".join(self.sent)


def kitty() -> KittyPicture:
    return KittyPicture(columns=4, rows=3, width=40, line_height=20, data="A" * 9_000)


def test_kitty_sends_the_picture_once_and_then_where_its_lines_are() -> None:
    board, picture = Board(), kitty()
    first = board.paint(picture, range(3))
    assert first.startswith("\x1b7")
    assert first.endswith("\x1b8"), "the cursor and its colours are as they were"
    sent = re.findall(r"\x1b_G([^;]*)(?:;([^\x1b]*))?\x1b\\", first)
    assert "".join(data for _, data in sent) == picture.data
    assert max(len(data) for _, data in sent) == 4096
    assert [re.sub(r"i=\d+,", "", keys) for keys, data in sent if data] == [
        "a=t,q=2,f=24,o=z,s=40,v=60,m=1", "q=2,m=1", "q=2,m=0",
    ]  # fmt: skip
    assert first.count("a=p,q=2,") == 3
    assert "\x1b[6;4H" in first
    assert board.paint(picture, range(3)) == "", "nothing where nothing changed"
    assert board.paint(picture, range(3), touched=True) == "", "text does not erase it"
    moved = board.paint(picture, range(1, 3), y=4)
    assert "a=t" not in moved
    assert (moved.count("a=p"), moved.count("a=d,q=2,d=i")) == (2, 1), "the line that was scrolled away is taken away"
    assert board.paint(picture, range(0)).count("d=i") == 2
    assert "d=I" in board.paint(picture, range(0), gone=True)
    assert not board.painter.busy


def test_sixel_sends_a_line_again_where_text_was_written_over_it() -> None:
    board, picture = Board(), SixelPicture(columns=4, rows=2, slices=[b"one", b"two"])
    first = board.paint(picture, range(2))
    assert first == "\x1b7\x1b[6;4H\x1bP0;1qone\x1b\\\x1b[7;4H\x1bP0;1qtwo\x1b\\\x1b8"
    assert board.paint(picture, range(2)) == ""
    assert board.paint(picture, range(2), touched=True) == first
    assert board.paint(picture, range(0)) == "", "the text that comes in its place erases it"
    assert board.paint(picture, range(2)) == first


def test_after_something_else_wrote_to_the_terminal_all_is_sent_anew() -> None:
    board, picture = Board(), kitty()
    first = board.paint(picture, range(3))
    board.painter.forget()
    assert "d=I" in board.sent[-1]
    again = board.paint(picture, range(3))
    assert len(again) == len(first)
    assert again != first, "under another number"

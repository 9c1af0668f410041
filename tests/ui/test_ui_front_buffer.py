"""What of new text a terminal does not show yet."""

from __future__ import annotations

from itertools import chain, repeat

from vivix_tui.ui.front_buffer import Cells, FrontBuffer

Parts = list[tuple[int, int]]


def cells(text: str, look: str = "") -> Cells[str]:
    """Of signs that are one cell wide, or (CJK) two."""
    signs = list(chain.from_iterable((sign, "") if sign > "\u2e80" else (sign,) for sign in text))
    return Cells(signs, list(repeat(look, len(signs))), "" in signs)


def written(buffer: FrontBuffer[str], x: int, text: str, look: str = "") -> Parts:
    return list(buffer.write(x, 0, cells(text, look)))


def test_what_is_there_is_not_written_again() -> None:
    buffer = FrontBuffer[str]()
    assert written(buffer, 3, "a fox") == [(0, 5)]
    assert written(buffer, 3, "a fox") == []
    assert written(buffer, 3, "a box") == [(2, 3)]
    assert written(buffer, 3, "a box", "red") == [(0, 5)]
    assert written(buffer, 5, "box", "red") == []
    assert list(buffer.write(3, 1, cells("a box", "red"))) == [(0, 5)], "on another line"


def test_what_is_the_same_between_two_changes_is_left_out_where_that_is_shorter() -> None:
    buffer = FrontBuffer[str]()
    written(buffer, 0, "0123456789" * 4)
    assert written(buffer, 0, "X123X56789" + "0123456789" * 2 + "012345678Y") == [(0, 5), (39, 40)]


def test_a_piece_with_a_sign_of_doubtful_width_is_there_or_written_whole() -> None:
    buffer = FrontBuffer[str]()
    assert written(buffer, 0, "at 東京 today") == [(0, 13)]
    assert written(buffer, 0, "at 東京 today") == []
    assert written(buffer, 0, "at 東京 todaz") == [(0, 13)]
    assert written(buffer, 0, "at home today") == [(0, 13)], "all of it, where the signs before it may have been wider"
    assert written(buffer, 0, "at home todaz") == [(12, 13)]


def test_a_wide_sign_that_is_cut_in_half_is_gone() -> None:
    buffer = FrontBuffer[str]()
    written(buffer, 0, "東京")
    written(buffer, 0, "-")
    assert written(buffer, 1, " ") == [(0, 1)]
    written(buffer, 3, "-")
    assert written(buffer, 2, " ") == [(0, 1)]


def test_what_something_else_wrote_over_is_written_again() -> None:
    buffer = FrontBuffer[str]()
    written(buffer, 0, "a misty forest")
    buffer.forget_cells(2, 0, 5)
    assert written(buffer, 0, "a misty forest") == [(2, 7)]
    buffer.forget()
    assert written(buffer, 0, "a misty forest") == [(0, 14)]
    buffer.forget_cells(10, 7, 4)
    assert list(buffer.write(10, 7, cells("x"))) == [(0, 1)]

"""Frames in as few bytes as they can be said with.

Owns: how an update of Textual's compositor becomes bytes. Refuses: what is drawn, and knowing what is there already
(`front_buffer`). Textual sends each changed line from its widget's left edge on and spells out every colour anew; over
SSH that is most of what a key press waits for. Here only the cells that changed are sent, and of a colour only what is
another than in the piece before.

It leans on two classes of Textual that are not documented; tests/ui/test_ui_frames.py holds what it sends against what
they would have sent, on a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from vivix_tui.ui.front_buffer import Cells, FrontBuffer

Ink = tuple[str, str, str]  # attributes, foreground, background: as codes of SGR
Look = tuple[Ink, str | None]  # and the link
PLAIN: Ink = ("", "", "")
Piece = tuple[int, int, int, int, Strip]  # x, y, first and behind the last cell that is meant, what stands there


class Frame(CompositorUpdate):
    """Strips at their places, of which that is drawn which `buffer` does not know to be there; what is left over in
    colours is reset at its end."""

    def __init__(self, pieces: Iterable[Piece], buffer: FrontBuffer[Look]) -> None:
        self._pieces, self._buffer = pieces, buffer

    def render_segments(self, console: Console) -> str:
        colors = _COLORS.get(console.color_system or "", ColorSystem.TRUECOLOR)
        written, ink = [], PLAIN
        for x, y, first, last, strip in self._pieces:
            cells, starts = _cells(strip, first, last, colors)
            for begin, end in self._buffer.write(x + first, y, cells):
                written.append(f"\x1b[{y + 1};{x + first + begin + 1}H")
                for text, look in _runs(cells, starts, begin, end):
                    written.append(_draw(text, look, ink))
                    ink = look[0]
        return "".join([*written, "\x1b[0m" if ink != PLAIN else ""])


_COLORS = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}


def frame(update: RenderableType | None, buffer: FrontBuffer[Look]) -> RenderableType | CompositorUpdate | None:
    """`update` as a Frame, where it is one of those whose parts are known; else as it is."""
    if isinstance(update, ChopsUpdate):
        return Frame(_changed_lines(update), buffer)
    if isinstance(update, LayoutUpdate):
        return Frame(_whole_lines(update), buffer)
    if update is not None:
        buffer.forget()
    return update


def _changed_lines(update: ChopsUpdate) -> Iterator[Piece]:
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            start, stop = max(x, left), min(end, right)
            if strip is not None and start < stop:
                yield x, y, start - x, stop - x, strip


def _whole_lines(update: LayoutUpdate) -> Iterator[Piece]:
    for y, strips in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in strips:
            yield x, y, 0, strip.cell_length, strip
            x += strip.cell_length


def _cells(strip: Strip, first: int, last: int, colors: ColorSystem) -> tuple[Cells[Look], list[int]]:
    """The cells from `first` to behind the `last`, and where among them another look begins. Of a sign that is cut in
    two they are blank."""
    signs, looks, starts, odd = list[str](), list[Look](), list[int](), False
    for segment in strip:
        before = len(signs)
        starts.append(before - first)
        if segment.text.isascii():
            signs += segment.text
        else:
            more, joined = _signs(segment.text)
            signs += more
            odd = odd or joined
        looks += [_look(segment.style, colors)] * (len(signs) - before)
    signs, looks = signs[first:last] if not odd else _cut(signs, first, last), looks[first:last]
    return Cells(signs, looks, odd), starts


def _cut(signs: list[str], first: int, last: int) -> list[str]:
    cut = signs[first:last]
    if last < len(signs) and not signs[last]:
        while cut and not cut.pop():
            pass
        cut += [" "] * (last - first - len(cut))
    begun = next((at for at, sign in enumerate(cut) if sign), len(cut))
    return [" "] * begun + cut[begun:]


@lru_cache(512)
def _signs(text: str) -> tuple[tuple[str, ...], bool]:
    """What is in each cell, and whether any sign is more than one character or one cell."""
    signs, joined = list[str](), False
    for start, end, width in split_graphemes(text)[0]:
        joined = joined or width != 1 or end - start > 1
        if width:
            signs += [text[start:end], *[""] * (width - 1)]
        elif signs:
            signs[-1] += text[start:end]
    return tuple(signs), joined


def _runs(cells: Cells[Look], starts: Iterable[int], begin: int, end: int) -> Iterator[tuple[str, Look]]:
    """These cells as texts of one look each."""
    for start, stop in pairwise([begin, *(at for at in starts if begin < at < end), end]):
        yield "".join(cells.signs[start:stop]), cells.looks[start]


def _draw(text: str, look: Look, before: Ink) -> str:
    """The bytes of a text, where `before` is the ink that the terminal has."""
    ink, link = look
    if link is None:
        return _change(before, ink) + text
    # Its number says which pieces are one link.
    return f"{_change(before, ink)}\x1b]8;id={crc32(link.encode())};{link}\x1b\\{text}\x1b]8;;\x1b\\"


def _look(style: Style | None, colors: ColorSystem) -> Look:
    if style is None:
        return _UNSTYLED
    # Each row has another link, and each word of a dialog another `meta` (Textual notes where it stands): what is
    # remembered of looks ends small.
    plain = style.clear_meta_and_links() if style.link or style.meta else style
    look = _linkless(plain, colors)
    return look if style.link is None else (look[0], style.link)


_UNSTYLED: Look = PLAIN, None


@lru_cache(4096)
def _linkless(style: Style, colors: ColorSystem) -> Look:
    """The look of a style without link and meta; always the same object, which is compared sooner."""
    sides = ((style.color, True), (style.bgcolor, False))
    fore, back = (";".join(c.downgrade(colors).get_ansi_codes(foreground)) if c else "" for c, foreground in sides)
    return (Strip.render_ansi(style.without_color, colors), fore, back), None


@lru_cache(4096)
def _change(before: Ink, after: Ink) -> str:
    """What takes the terminal from one ink to the other."""
    if before == after:
        return ""
    gone = any(was and not now for was, now in zip(before, after, strict=True))
    if before[0] != after[0] or gone:
        return f"\x1b[{';'.join(('0', *filter(None, after)))}m" if any(after) else "\x1b[0m"
    return f"\x1b[{';'.join(now for was, now in zip(before, after, strict=True) if was != now)}m"

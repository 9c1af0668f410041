"""Frames in as few bytes as they can be said with.

Owns: how an update of Textual's compositor becomes bytes. Refuses: what is drawn. Textual sends each changed line from
its widget's left edge on and spells out every colour anew; over SSH that is most of what a key press waits for. Here
only the cells that changed are sent, and of a colour only what is another than in the piece before.

It leans on two classes of Textual that are not documented; tests/ui/test_ui_frames.py holds what it sends against what
they would have sent, on a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

Ink = tuple[str, str, str]  # attributes, foreground, background: as codes of SGR
PLAIN: Ink = ("", "", "")
Piece = tuple[int, int, Strip]  # x, y, what stands there


class Frame(CompositorUpdate):
    """Strips at their places, drawn in one go; what is left over in colours is reset at its end."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = pieces

    def render_segments(self, console: Console) -> str:
        colors = _COLORS.get(console.color_system or "", ColorSystem.TRUECOLOR)
        written, ink = [], PLAIN
        for x, y, strip in self._pieces:
            written.append(f"\x1b[{y + 1};{x + 1}H")
            for segment in strip:
                text, ink = _draw(segment, ink, colors)
                written.append(text)
        return "".join([*written, "\x1b[0m" if ink != PLAIN else ""])


_COLORS = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}


def frame(update: RenderableType | None) -> RenderableType | CompositorUpdate | None:
    """`update` as a Frame, where it is one of those whose parts are known; else as it is."""
    if isinstance(update, ChopsUpdate):
        return Frame(_changed_cells(update))
    if isinstance(update, LayoutUpdate):
        return Frame(_whole_lines(update))
    return update


def _changed_cells(update: ChopsUpdate) -> Iterator[Piece]:
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            start, stop = max(x, left), min(end, right)
            if strip is not None and start < stop:
                yield start, y, strip.crop(start - x, stop - x)


def _whole_lines(update: LayoutUpdate) -> Iterator[Piece]:
    for y, strips in enumerate(update.strips, update.region.y):
        yield update.region.x, y, Strip.join(strips)


def _draw(segment: Segment, before: Ink, colors: ColorSystem) -> tuple[str, Ink]:
    """(the bytes of a segment, the ink that the terminal has after them)."""
    style = segment.style
    # Without its link, which is another in each row: what is remembered of inks ends small.
    ink = PLAIN if style is None else _ink(style.update_link(None) if style.link else style, colors)
    text = _change(before, ink) + segment.text
    if style is not None and style.link:
        text = f"\x1b]8;id={style.link_id};{style.link}\x1b\\{text}\x1b]8;;\x1b\\"
    return text, ink


@lru_cache(4096)
def _ink(style: Style, colors: ColorSystem) -> Ink:
    sides = ((style.color, True), (style.bgcolor, False))
    fore, back = (";".join(c.downgrade(colors).get_ansi_codes(foreground)) if c else "" for c, foreground in sides)
    return Strip.render_ansi(style.without_color, colors), fore, back


@lru_cache(4096)
def _change(before: Ink, after: Ink) -> str:
    """What takes the terminal from one ink to the other."""
    if before == after:
        return ""
    gone = any(was and not now for was, now in zip(before, after, strict=True))
    if before[0] != after[0] or gone:
        return f"\x1b[{';'.join(('0', *filter(None, after)))}m" if any(after) else "\x1b[0m"
    return f"\x1b[{';'.join(now for was, now in zip(before, after, strict=True) if was != now)}m"

"""URLs to be opened elsewhere: as a list of links, and as a QR code of one. Pure.

Owns: the code's size and border, and whether it fits. Refuses: colours, and URLs that are no plain web addresses.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from vivix_tui.domain.links import link_to
from vivix_tui.domain.text import one_line
from vivix_tui.ui.line import Line

BORDERS = (4, 2)  # four modules is the standard's; cameras are content with two
MOST_LISTED = 20
BEFORE = 2
Modules = Sequence[Sequence[bool]]  # rows of modules, True where it is dark


class Code(Struct, frozen=True):
    """A QR code with its border; or none, and `why_not`."""

    modules: Modules = ()
    why_not: str = ""


def code_for(url: str, width: int, height: int, *, ascii_only: bool) -> Code:
    """The code of `url` for so many cells. A cell holds two modules, in ASCII two cells hold one."""
    link = link_to(url)
    if link is None:
        return Code(why_not="it is no plain http or https address")
    import segno  # noqa: PLC0415 - 30 ms, for few

    try:
        code = segno.make_qr(link, error="l", boost_error=False)
    except segno.DataOverflowError:
        return Code(why_not="the URL is too long for one")
    for border in BORDERS:
        needed = cells(int(code.symbol_size(border=border)[0]), ascii_only=ascii_only)
        if needed[0] <= width and needed[1] <= height:
            return Code([[bool(dark) for dark in row] for row in code.matrix_iter(border=border)])
    return Code(why_not=f"it takes {needed[0]} × {needed[1]} cells, here are {width} × {height}")


def cells(modules: int, *, ascii_only: bool) -> tuple[int, int]:
    """Width and height in cells of so many modules in a row."""
    return (2 * modules, modules) if ascii_only else (modules, (modules + 1) // 2)


def half_blocks(modules: Modules) -> list[str]:
    """Two rows of modules in a line. What is drawn are the light ones, bright on dark as a camera wants it."""
    light = [[not dark for dark in row] for row in modules]
    below = [*light[1::2], [True] * len(light[0])] if len(light) % 2 else light[1::2]
    signs = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
    return ["".join(signs[pair] for pair in zip(*rows, strict=True)) for rows in zip(light[::2], below, strict=True)]


def url_lines(urls: Sequence[str], chosen: int, why_not: str, glyphs: dict[str, str]) -> list[Line]:
    """The URLs around the chosen one, and why there is no code of it."""
    start = max(0, chosen - BEFORE) if len(urls) > MOST_LISTED else 0
    found: list[Line] = []
    for index, url in enumerate(urls[start : start + MOST_LISTED], start=start):
        here = index == chosen
        lead = f"{glyphs['cursor'] if here else ' '} {index + 1}"
        role = "plain" if here else "muted"
        found.append(Line(one_line(url), role, indent=len(str(len(urls))) + 3, lead=lead, link=link_to(url) or ""))
        if here and why_not:
            found.append(Line(f"no QR code: {why_not}", "warn", indent=len(str(len(urls))) + 3))
    left = len(urls) - start - MOST_LISTED
    return [*found, Line(f"{glyphs['more']} {left:,} more", "muted")] if left > 0 else found

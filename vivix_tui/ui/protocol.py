"""How the terminal shows pictures: Kitty's graphics, Sixel, or half blocks, which every terminal can.

Owns: the choice, by the config and by what the terminal says of itself in the environment, and the size of a cell.
Refuses: asking the terminal: over a slow line the answer comes late, and Textual takes it for keys; a `c` in it would
open a screen. What cannot be known that way (xterm may know Sixel or not) is said in the config.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
import sys
import termios
from collections.abc import Mapping
from contextlib import suppress

from msgspec import Struct

KITTY, SIXEL, HALF = "kitty", "sixel", "half"
_KITTY_TERMS = ("xterm-kitty", "xterm-ghostty")
_SIXEL_TERMS = ("foot", "mlterm", "contour", "wezterm", "yaft", "rlogin")
_SIXEL_PROGRAMS = ("WezTerm", "iTerm.app", "iTerm2", "rio", "mlterm", "contour")
_KONSOLE_SIXEL = 220400


class Cell(Struct, frozen=True):
    """A cell's size in pixels."""

    width: int
    height: int


USUAL = Cell(10, 20)


def cell_size() -> Cell | None:
    """As the terminal told the system, also through SSH; None where it did not."""
    for stream in (sys.__stderr__, sys.__stdin__, sys.__stdout__):
        with suppress(OSError, ValueError, AttributeError):
            answer = fcntl.ioctl(stream.fileno(), termios.TIOCGWINSZ, bytes(8))  # type: ignore[union-attr]
            rows, columns, width, height = struct.unpack("HHHH", answer)
            if rows and columns and width >= columns and height >= rows:
                return Cell(width // columns, height // rows)
    return None


def protocol_of(wanted: str, environ: Mapping[str, str], cell: Cell | None) -> tuple[str, str]:
    """(protocol, why). `wanted` is the config's word: "auto" or a protocol; through tmux and screen go half blocks."""
    if wanted == HALF:
        return HALF, "as configured"
    # A tmux on the other side of an SSH connection shows in TERM alone.
    between = any(environ.get(name) for name in ("TMUX", "STY", "ZELLIJ"))
    if between or environ.get("TERM", "").startswith(("tmux", "screen")):
        return HALF, "inside tmux, screen or zellij"
    if environ.get("TEXTUAL_DRIVER"):
        return HALF, "not on a terminal but in a browser"
    known, why = (wanted, "as configured") if wanted in (KITTY, SIXEL) else _known(environ)
    if known == SIXEL and cell is None:
        return HALF, "the terminal does not tell how large its cells are, which Sixel needs"
    return known, why


def _known(environ: Mapping[str, str]) -> tuple[str, str]:
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM") or environ.get("LC_TERMINAL", "")
    if environ.get("NO_COLOR"):
        return HALF, "NO_COLOR is set"
    if term in _KITTY_TERMS or program == "ghostty" or environ.get("KITTY_WINDOW_ID"):
        return KITTY, f"TERM is {term}"
    if program in _SIXEL_PROGRAMS:
        return SIXEL, f"the terminal is {program}"
    if re.split(r"[-+.]", term)[0] in _SIXEL_TERMS:
        return SIXEL, f"TERM is {term}"
    version = environ.get("KONSOLE_VERSION", "")
    if version.isascii() and version.isdigit() and int(version) >= _KONSOLE_SIXEL:
        return SIXEL, "the terminal is Konsole"
    return HALF, "nothing tells that the terminal can do more"


def current(wanted: str) -> tuple[str, Cell, str]:
    """(protocol, cell, why) of the terminal that this process draws on."""
    cell = cell_size()
    chosen, why = protocol_of(wanted, os.environ, cell)
    return chosen, cell or USUAL, why

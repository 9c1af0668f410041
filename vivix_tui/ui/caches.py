"""Memory that is kept small by hand, at moments in which nobody waits.

Rich and Textual remember much of all that was ever drawn: every text that was cut, every colour of a screen that is
closed. And a closed screen is a knot of objects that refer to each other, thousands of them, which Python finds by
looking through all that lives: tens of milliseconds, in the middle of a key press where it chooses the moment itself.

Owns: which caches are emptied or never filled, and when knots are looked for. Refuses: caches that end small.
"""

from __future__ import annotations

import gc
from typing import Any

import textual.strip
from rich.cells import cached_cell_len
from rich.segment import Segment
from rich.style import Style
from textual._styles_cache import StylesCache
from textual.geometry import Region

TIDY_S = 60.0
AFTER_CLOSING_S = 0.5  # by then the tasks of a closed screen have ended, too
# New objects, beyond those that went, before Python looks among these by itself: a frame has more than its usual 700.
NEW_OBJECTS = 5_000


class _Forgetful:
    """A cache that keeps nothing."""

    __slots__ = ()

    def get(self, _key: Any, default: Any = None) -> Any:
        return default

    def __setitem__(self, _key: Any, _value: Any) -> None:
        pass


def remember_no_lines() -> None:
    """From now on. Each line that Textual draws has seven caches of what it was cut and dyed into, a kilobyte: most of
    what a dialog takes up. Cut into itself it is a knot of them, too, so that it lived on, by the thousand. Our lines
    are drawn once, as a rule, and the front buffer knows what is on the terminal."""
    forgetful: Any = _Forgetful()
    textual.strip.FIFOCache = lambda _size: forgetful  # type: ignore[attr-defined, assignment]


def look_for_knots_seldom() -> None:
    """From now on. What is loaded by now stays: it is looked through by `tidy` alone."""
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 2, 10)
    gc.enable()


def tidy() -> None:
    """Empties the caches: what is drawn next is cut and mixed once more, which takes microseconds. Unties all knots.
    What lives on is not looked through again until the next time: `untie` then takes milliseconds."""
    forget_what_was_drawn()
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def untie() -> None:
    """Unties what became a knot and is newer than the last `tidy`."""
    gc.collect()


def forget_what_was_drawn() -> None:
    """Empties the caches alone."""
    Segment._split_cells.cache_clear()  # up to 16,384 texts
    cached_cell_len.cache_clear()  # 4,096 texts
    for method in vars(Region).values():  # where everything was, eleven times up to 4,096
        if hasattr(method, "cache_clear"):
            method.cache_clear()
    StylesCache.get_inner_outer.cache_clear()  # Textualize/textual#6665
    Style._add.cache_clear()  # 1,024 styles: each word of a dialog has one of its own, and so has each row with a link

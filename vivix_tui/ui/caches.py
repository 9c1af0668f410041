"""What Rich and Textual remember of all that was ever drawn: every text that was cut, every colour of a screen that is
closed. Their caches hold thousands of entries each, which a program that runs for days fills.

Owns: which of them are emptied now and then. Refuses: those that end small.
"""

from __future__ import annotations

from rich.segment import Segment
from textual._styles_cache import StylesCache

FORGET_S = 60.0


def forget_what_was_drawn() -> None:
    """Empties them; what is drawn next is cut and mixed once more, which takes microseconds."""
    Segment._split_cells.cache_clear()  # up to 16,384 texts
    StylesCache.get_inner_outer.cache_clear()  # Textualize/textual#6665

"""Which parts of the main screen are shown, by the terminal's size, the zoom and the number of rows. Pure.

Owns: the sizes at which something is left out, and which words stand in the table's place. Refuses: showing it.
"""

from __future__ import annotations

from msgspec import Struct

from vivix_tui.ui.widgets.notice import FIRST_STEPS, NO_MATCH, TOO_SMALL

WIDE = 100
LEAST_WIDTH, LEAST_HEIGHT = 40, 10


class Arrangement(Struct, frozen=True):
    """`notice` stands in the place of table and details, None where those are shown."""

    table: bool
    detail: bool
    notice: str | None = None


def arrangement(width: int, height: int, *, zoomed: bool, empty: bool, filtered: bool) -> Arrangement:
    """What fits and makes sense in so many cells."""
    notice = None
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        notice = TOO_SMALL
    elif empty:
        notice = NO_MATCH if filtered else FIRST_STEPS
    return Arrangement(table=not zoomed, detail=zoomed or width >= WIDE, notice=notice)

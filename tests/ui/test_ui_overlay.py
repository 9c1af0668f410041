"""Which cells a frame has written over: what stood there in pixels has to be drawn again, and nothing else."""

from __future__ import annotations

import pytest
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from vivix_tui.ui.overlay import written

# A line of a table (0 to 70), a border and the details (72 to 120); on line 2 the table alone was drawn again.
WHOLE: dict[int, Strip | None] = {0: Strip.blank(70), 72: Strip.blank(48)}
PART: dict[int, Strip | None] = {0: Strip.blank(70), 72: None}
CHOPS = [WHOLE, WHOLE, PART]
ENDS = [[70, 120]] * 3


@pytest.mark.parametrize(
    ("spans", "cells", "hit"),
    [
        ([(1, 75, 80)], (75, 1, 10), True),
        ([(1, 75, 80)], (90, 1, 10), False),
        ([(1, 90, 95)], (75, 1, 10), False),  # only the cells that changed are written
        ([(1, 0, 70)], (75, 1, 10), False),
        ([(1, 0, 120)], (75, 1, 10), True),
        ([(0, 0, 120)], (75, 1, 10), False),
        ([(2, 0, 120)], (75, 2, 10), False),
    ],
)
def test_a_frame_of_pieces(spans: list[tuple[int, int, int]], cells: tuple[int, int, int], hit: bool) -> None:
    assert written(ChopsUpdate(CHOPS, spans, ENDS), *cells) is hit


def test_a_whole_frame_no_frame_and_an_unknown_one() -> None:
    frame = LayoutUpdate([], Region(0, 0, 120, 36))
    assert written(frame, 75, 35, 10)
    assert not written(LayoutUpdate([], Region(0, 0, 70, 36)), 75, 1, 10)
    assert not written(None, 75, 1, 10)
    assert written(object(), 75, 1, 10)

"""Lines for the terminal at the least cost in bytes: few changes of colour, and only what changed.

Owns: joining pieces of text into a strip, and where two lines differ. Refuses: knowing what the pieces say. Each
change of colour costs some forty bytes on the wire, which over SSH is what a key press waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

Piece = tuple[str, str]


def strip(pieces: Sequence[Piece], width: int, ground: Style, style_of: Callable[[str], Style]) -> Strip:
    """`pieces` of (text, role) on `ground`, `width` cells wide; blanks take their neighbour's colour."""
    style = ground + style_of(next((role for text, role in pieces if not text.isspace()), "plain"))
    segments = []
    for text, role in pieces:
        if text.isspace():
            segments.append(Segment(text, _leading_nowhere(style)))
        else:
            style = ground + style_of(role)
            segments.append(Segment(text, style))
    missing = max(0, width - sum(segment.cell_length for segment in segments))
    segments.append(Segment(" " * missing, _leading_nowhere(style)))
    return Strip(segments).simplify().adjust_cell_length(width, ground)


def _leading_nowhere(style: Style) -> Style:
    """For what stands before and behind a link."""
    return style.update_link(None) if style.link else style


def changed(before: Sequence[tuple[str, object]], after: Sequence[tuple[str, object]]) -> tuple[int, int] | None:
    """The first and the last-but-one cell that differ between two lines; None where they are the same."""
    if before == after:
        return None
    start = same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        start += cell_len(after[same][0])
        same += 1
    return start, max(sum(cell_len(text) for text, _ in line) for line in (before, after))

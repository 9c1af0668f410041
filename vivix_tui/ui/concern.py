"""Which rows a command concerns, and what decides whether it can be used now.

Owns: that marks come before the cursor, and that a range that is being marked counts. Refuses: commands themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivix_tui.ui.commands import Context
from vivix_tui.ui.listing import Key, key_of

if TYPE_CHECKING:
    from vivix_tui.ui.screens.main import MainScreen


def targets_of(screen: MainScreen) -> list[Key]:
    """The marked rows, in the order of marking, else the one under the cursor."""
    row = screen.table.selected
    return list(screen.table.marks) or ([key_of(row)] if row is not None else [])


def context_of(screen: MainScreen) -> Context:
    marks, spanned = screen.table.marks, len(screen.table.spanned)
    return Context(
        row=screen.table.selected,
        marked=len(marks) + spanned,
        marked_generations=sum(kind == "generation" for kind, _ in marks) + spanned,
        can_undo=bool(screen.forgotten),
        takes_key=screen.takes_key,
        queue_paused=screen.facts is not None and screen.facts.queue_paused is not None,
        no_preview=screen.preview.why_not,
    )

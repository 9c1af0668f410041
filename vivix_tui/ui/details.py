"""The details of the row under the cursor, and the preview above them.

Owns: reading what they show. Refuses: its words (`present.detail`) and drawing (`widgets.detail_pane`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from vivix_tui.store import query
from vivix_tui.store.query import TableRow
from vivix_tui.ui.actions.preview import follow_preview
from vivix_tui.ui.listing import key_of
from vivix_tui.ui.present.detail import detail_lines

if TYPE_CHECKING:
    from vivix_tui.ui.screens.main import MainScreen


class Shown(Struct, frozen=True):
    """What the details were made of."""

    row: TableRow
    found: query.Detail


def show_detail(screen: MainScreen, shown: Shown | None, *, ticks: bool = True) -> Shown | None:
    """Shows the row under the cursor; `shown` is what was shown before. Returns what is shown now.

    Unless time `ticks`, the same row with the same facts is not worth a look. Raises StoreError.
    """
    row = screen.table.selected
    if not screen.detail.display or row is None:
        return shown
    found = query.detail(screen.store, screen.profile, row.kind, row.id)
    follow_preview(screen)
    if found is None:
        return shown
    now = Shown(row, found)
    if ticks or now != shown:
        lines = detail_lines(found, row, screen.clock(), screen.glyphs, screen.listing.durations(row))
        screen.detail.show(lines, same_row=shown is not None and key_of(shown.row) == key_of(row))
    return now

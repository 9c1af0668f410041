"""The details of the row under the cursor, and the preview above them.

Owns: reading what they show. Refuses: its words (`present.detail`) and drawing (`widgets.detail_pane`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivix_tui.store import query
from vivix_tui.ui.actions.preview import follow_preview
from vivix_tui.ui.listing import Key, key_of
from vivix_tui.ui.present.detail import detail_lines

if TYPE_CHECKING:
    from vivix_tui.ui.screens.main import MainScreen


def show_detail(screen: MainScreen, shown: Key | None) -> Key | None:
    """Shows the row under the cursor; `shown` is the one shown before. Returns the one shown now. Raises StoreError."""
    row = screen.table.selected
    if not screen.detail.display or row is None:
        return shown
    found = query.detail(screen.store, screen.profile, row.kind, row.id)
    follow_preview(screen)
    if found is None:
        return shown
    lines = detail_lines(found, row, screen.clock(), screen.glyphs, screen.listing.durations(row))
    screen.detail.show(lines, same_row=shown == key_of(row))
    return key_of(row)

"""The preview's key, and what the preview follows: the row under the cursor, or the marked ones.

Owns: reading which files these rows have. Refuses: files, and pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivix_tui.store import query
from vivix_tui.ui.present_preview import MOST_ROWS, NO_GENERATION, album

if TYPE_CHECKING:
    from vivix_tui.ui.screens.main import MainScreen


def toggle_preview(screen: MainScreen) -> None:
    """On or off; on a narrow terminal the details come up, since the picture is in them."""
    screen.preview.switch()
    screen.choose("preview", True if screen.preview.on else None)
    if screen.preview.on and not screen.detail.display:
        screen.zoom(True)
    follow_preview(screen)


def follow_preview(screen: MainScreen) -> None:
    """Tells the preview what is looked at. Costs nothing while it is off. Raises StoreError."""
    if not screen.preview.on or not screen.detail.display:
        return
    ids = [row_id for kind, row_id in screen.targets() if kind == "generation"]
    found = [(query.generation(screen.store, screen.profile, i), i) for i in ids[:MOST_ROWS]]
    rows = [(row, query.downloads_of(screen.store, screen.profile, i)) for row, i in found if row is not None]
    screen.preview.follow(album(rows, len(ids)) if rows else NO_GENERATION)

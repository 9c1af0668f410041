"""The preview's key, and what the preview follows: the row under the cursor, or the marked ones.

Owns: reading which files these rows have. Refuses: opening files, and pictures.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, cast

from vivix_tui import verbs
from vivix_tui.errors import VivixError
from vivix_tui.store import query
from vivix_tui.ui.present.preview import MOST_ROWS, NO_GENERATION, Key, Outputs, album
from vivix_tui.ui.previewing import Previewing

if TYPE_CHECKING:
    from vivix_tui.ui.app import VivixApp
    from vivix_tui.ui.screens.main import MainScreen


def preview_of(screen: MainScreen) -> Previewing:
    """The preview in this screen's details."""
    app = cast("VivixApp", screen.app)
    app.overlay.watch(screen.detail)
    protocol, folder = app.choices.settings.preview.protocol, app.thumbnails
    return Previewing(screen.detail, screen.run_worker, partial(ask_for, screen), protocol=protocol, folder=folder)


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
    store, profile = screen.store, screen.profile
    ids = [row_id for kind, row_id in screen.targets() if kind == "generation"]
    found = [(query.generation(store, profile, i), i) for i in ids[:MOST_ROWS]]
    shown = [
        Outputs(row, query.downloads_of(store, profile, i), query.glimpses_of(store, profile, i))
        for row, i in found
        if row is not None
    ]
    screen.preview.follow(album(shown, len(ids), exists=os.path.lexists) if shown else NO_GENERATION)


def ask_for(screen: MainScreen, outputs: Sequence[Key]) -> None:
    """Has these outputs fetched, to be looked at. A database that takes no writes has its own banner."""
    with suppress(VivixError):
        verbs.glimpse(screen.store, screen.profile, outputs)
        cast("VivixApp", screen.app).wake()

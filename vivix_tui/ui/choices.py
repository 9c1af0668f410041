"""What the user chose in this dashboard, over what the config says.

Owns: which settings are in force, that a choice is remembered, and that the engine hears of those that concern it.
Refuses: showing their effect; screens hear of a choice and do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from vivix_tui import verbs
from vivix_tui.config import Settings
from vivix_tui.errors import StateError
from vivix_tui.remembered import Remembered, load, remember
from vivix_tui.store.store import Store


class Choices:
    """`settings` are in force now; `complaint` says what could not be used of what was remembered.

    `path` None remembers nothing.
    """

    def __init__(self, store: Store, profile: str, configured: Settings, path: Path | None) -> None:
        self.configured = configured
        self.chosen, self.complaint = load(path, profile) if path is not None else (Remembered(), None)
        self.settings = self.chosen.over(configured)
        self._store, self._profile, self._path = store, profile, path

    def choose(self, name: str, value: Any) -> StateError | None:
        """From now on `value` holds, or again what the config says (None). Returns why it could not be written down:
        then it holds until the program ends. Raises StoreError."""
        self.chosen = msgspec.structs.replace(self.chosen, **{name: value})
        self.settings = self.chosen.over(self.configured)
        if name in ("directory", "auto"):
            self.tell_engine()
        if self._path is not None:
            try:
                remember(self._path, self._profile, name, value)
            except StateError as error:
                return error
        return None

    def tell_engine(self) -> None:
        """Whatever process runs the engine does as was chosen here. Raises StoreError."""
        verbs.choose_downloads(self._store, self._profile, directory=self.chosen.directory, auto=self.chosen.auto)

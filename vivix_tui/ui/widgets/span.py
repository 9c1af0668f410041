"""A range of rows that is being marked: from where it was begun to the cursor.

Owns: its fixed end. Refuses: the cursor, and marks; it becomes marks when it is over.
"""

from __future__ import annotations

from vivix_tui.ui.listing import Key


class Span:
    """`anchor` is the row at which the range was begun, None while there is none."""

    def __init__(self) -> None:
        self.anchor: Key | None = None
        self._at = 0

    def begin(self, key: Key, at: int) -> None:
        """From this row on, which is the one at `at`."""
        self.anchor, self._at = key, at

    def end(self) -> None:
        """There is no range any longer."""
        self.anchor = None

    def moved(self, at: int | None, count: int) -> None:
        """The table changed: the row is at `at` now, or gone (None); there are `count` rows."""
        self._at = max(0, min(self._at, count - 1)) if at is None else at

    def rows(self, cursor: int) -> range:
        """The rows in it while the cursor is there."""
        if self.anchor is None:
            return range(0)
        return range(min(self._at, cursor), max(self._at, cursor) + 1)

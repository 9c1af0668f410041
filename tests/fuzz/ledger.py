"""The rows as they are now, read beside the running engine.

Owns: one read-only connection that all threads of the server share. Refuses: writing, and our store's own reading.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Ledger:
    """Reads what is committed. Every row is a plain dict."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        # What is stored; columns that the database makes of these say nothing of their own.
        self._stored = ", ".join(row["name"] for row in self.all("SELECT name FROM pragma_table_info('generations')"))

    def close(self) -> None:
        self._connection.close()

    def all(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(row) for row in self._connection.execute(sql, values)]

    def generation(self, generation_id: str) -> dict[str, Any]:
        """The row, and in `events` and `downloads` how many there are about it."""
        return self.all(
            f"SELECT {self._stored}, (SELECT count(*) FROM events WHERE subject = generation_id) AS events,"
            " (SELECT count(*) FROM downloads d WHERE d.generation_id = g.generation_id) AS downloads"
            " FROM generations g WHERE generation_id = ?",
            generation_id,
        )[0]

    def over(self, ids: Sequence[str]) -> list[str]:
        """Those of `ids` about which the API is not asked any longer."""
        marks = ", ".join("?" * len(ids))
        found = self.all(
            f"SELECT generation_id FROM generations WHERE section = 1 AND generation_id IN ({marks})", *ids
        )
        return [row["generation_id"] for row in found]

    def submission(self, submission_id: str) -> dict[str, Any]:
        return self.all("SELECT * FROM submissions WHERE submission_id = ?", submission_id)[0]

    def account(self) -> dict[str, Any]:
        """What /credits and /models told, without the balance, which any answer may tell."""
        rows = self.all("SELECT * FROM accounts")
        found = rows[0] if rows else {}
        for name in ("balance", "queue_paused", "queue_needs"):
            found.pop(name, None)
        return found | {"models": {row["slug"]: row["facts"] for row in self.all("SELECT slug, facts FROM models")}}

    def number(self, sql: str) -> Any:
        """The only value of the first row, None where there is no row."""
        rows = self.all(sql)
        return next(iter(rows[0].values())) if rows else None

"""The database and the files as the torture reads them: with SQLite alone, beside the running program.

Owns: reading. Refuses: our code, and writing.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Home


@dataclass(frozen=True, slots=True)
class Journal:
    """One home's database and output folder."""

    database: Path
    outputs: Path

    @classmethod
    def of(cls, home: Home) -> Journal:
        return cls(home.database, home.path / "vivix")

    def rows(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """[] while there is no database, or none of its tables."""
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(self.database, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in connection.execute(sql, parameters)]
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def submissions(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM submissions ORDER BY position")

    def generations(self) -> dict[str, dict[str, Any]]:
        return {row["generation_id"]: row for row in self.rows("SELECT * FROM generations")}

    def downloads(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM downloads")

    def states(self) -> Counter[str]:
        return Counter(row["state"] for row in self.rows("SELECT state FROM submissions"))

    def paused(self) -> str | None:
        found = self.rows("SELECT queue_paused FROM accounts WHERE queue_paused IS NOT NULL")
        return str(found[0]["queue_paused"]) if found else None

    def under_way(self) -> int:
        """Rows of any kind that are to end by themselves and have not."""
        return len(
            self.rows(
                "SELECT 1 FROM submissions WHERE state IN ('queued', 'sending') AND NOT held"
                " UNION ALL SELECT 1 FROM generations WHERE section = 0"
                " UNION ALL SELECT 1 FROM generations WHERE wanted_in IS NOT NULL"
                " UNION ALL SELECT 1 FROM downloads WHERE state IN ('queued', 'active')"
            )
        )

    def integrity(self) -> str:
        return str(next(iter(self.rows("PRAGMA integrity_check")[0].values())))

    def moved_aside(self) -> list[str]:
        return sorted(path.name for path in self.database.parent.glob("*.damaged-*"))

    def files(self) -> list[Path]:
        return sorted(path for path in self.outputs.rglob("*") if path.is_file() and path.suffix != ".json")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

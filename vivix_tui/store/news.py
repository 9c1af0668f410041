"""Which ends were told already, over all processes on this database.

Owns: the mark up to which everything was told; who moves it tells. Refuses: words, and telling.
"""

from __future__ import annotations

import sqlite3

from vivix_tui.domain.news import Ended

_WORDS = {"completed": "done", "failed": "failed", "unknown": "charged?"}
# What had ended before it was followed here is history, not news.
_ENDS = """
SELECT e.subject, e.event, coalesce(g.prompt, s.prompt) AS prompt, coalesce(g.tell, 0) AS tell
  FROM events e
  LEFT JOIN generations g ON g.profile = e.profile AND g.generation_id = e.subject
  LEFT JOIN submissions s ON s.profile = e.profile AND s.submission_id = e.subject
  WHERE e.profile = ? AND e.seq > ? AND e.event IN ('completed', 'failed', 'unknown')
    AND coalesce(julianday(g.completed_at) >= julianday(g.tracked_at) - 0.0007, 1)
  ORDER BY e.seq
"""


def take(connection: sqlite3.Connection, profile: str) -> tuple[Ended, ...]:
    """What ended since somebody took the news last; nobody gets these again. At the first time: nothing."""
    seen = connection.execute("SELECT seq FROM told WHERE profile = ?", (profile,)).fetchone()
    connection.execute(
        "INSERT INTO told SELECT ?, coalesce(max(seq), 0) FROM events WHERE true"
        " ON CONFLICT DO UPDATE SET seq = excluded.seq",
        (profile,),
    )
    if seen is None:
        return ()
    rows = connection.execute(_ENDS, (profile, seen[0])).fetchall()
    return tuple(Ended(row["subject"], _WORDS[row["event"]], row["prompt"], bool(row["tell"])) for row in rows)


def ask_for(connection: sqlite3.Connection, profile: str, generation_id: str) -> bool:
    """Turns on or off that the end of this one is told by name. Returns what it is now."""
    row = connection.execute(
        "UPDATE generations SET tell = 1 - tell WHERE profile = ? AND generation_id = ? RETURNING tell",
        (profile, generation_id),
    ).fetchone()
    return bool(row and row[0])

"""Rows that ended longer ago than the user wants to keep them.

Owns: which rows may go, with everything that belongs to them. Refuses: rows that are under way, unknown, being fetched
or the original of a retry that is; and files: what was downloaded stays.
"""

from __future__ import annotations

from datetime import datetime

from vivix_tui.domain import times
from vivix_tui.store.store import Store

_GENERATIONS = """
SELECT generation_id FROM generations g
  WHERE profile = :profile AND sort_ms < :before_ms AND tracked_at < :before AND wanted_in IS NULL
    AND (section = 1 OR (section IS NULL AND (gone IS NOT NULL OR status IN ('completed', 'failed'))))
    AND NOT EXISTS (SELECT 1 FROM downloads d WHERE d.profile = g.profile AND d.generation_id = g.generation_id
      AND d.state IN ('queued', 'active', 'paused'))
    AND NOT EXISTS (SELECT 1 FROM submissions s WHERE s.profile = g.profile AND s.retry_of = g.generation_id
      AND s.state IN ('queued', 'sending', 'unknown'))
  LIMIT :most
"""
_SUBMISSIONS = """
SELECT submission_id FROM submissions
  WHERE profile = :profile AND sort_ms < :before_ms AND state IN ('refused', 'cancelled') LIMIT :most
"""


def prune(store: Store, profile: str, before: datetime, *, most: int) -> int:
    """Deletes up to `most` generations, and as many unsent submissions, older than that; returns how many.

    A generation is as old as the later of two times: when it was made, and when it came to be followed here.
    """
    found = {"profile": profile, "before": times.iso(before), "before_ms": times.to_ms(before), "most": most}
    with store.write() as connection:
        old = [(profile, row[0]) for row in connection.execute(_GENERATIONS, found)]
        unsent = [(profile, row[0]) for row in connection.execute(_SUBMISSIONS, found)]
        sent = [
            (profile, row[0])
            for key in old
            for row in connection.execute(
                "SELECT submission_id FROM submissions WHERE submission_id ="
                " (SELECT submission_id FROM generations WHERE profile = ? AND generation_id = ?)",
                key,
            )
        ]
        connection.executemany("DELETE FROM events WHERE profile = ? AND subject = ?", [*old, *sent, *unsent])
        connection.executemany("DELETE FROM downloads WHERE profile = ? AND generation_id = ?", old)
        connection.executemany("DELETE FROM glimpses WHERE profile = ? AND generation_id = ?", old)
        connection.executemany("DELETE FROM generations WHERE profile = ? AND generation_id = ?", old)
        connection.executemany("DELETE FROM submissions WHERE profile = ? AND submission_id = ?", [*sent, *unsent])
    return len(old) + len(unsent)

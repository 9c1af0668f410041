"""Submissions that a command waits for.

Owns: what is told of each, and when waiting for them makes no sense. Refuses: sending; the engine does.
"""

from __future__ import annotations

from collections.abc import Sequence

from vivix_tui.cli import output
from vivix_tui.config import Config
from vivix_tui.domain import submission as s
from vivix_tui.domain.text import one_line
from vivix_tui.errors import ApiError
from vivix_tui.store import query
from vivix_tui.store.store import Store


class Sending:
    """Submissions that are on their way; of each it tells once what became of it, of the accepted ones `tells_ids`."""

    def __init__(self, config: Config, store: Store, ids: Sequence[str], *, tells_ids: bool = True) -> None:
        self._profile, self._store, self._ids = config.profile, store, ids
        self._tells_ids = tells_ids
        self._told: set[str] = set()

    @property
    def accepted(self) -> list[str]:
        """The ids of the generations that they became."""
        found = query.submissions_by_id(self._store, self._ids)
        return [item.generation_id for item in found if item.state == s.ACCEPTED and item.generation_id]

    @property
    def good(self) -> bool:
        return all(item.state == s.ACCEPTED for item in query.submissions_by_id(self._store, self._ids))

    def pending(self) -> bool:
        """Whether any has no answer yet. Raises ApiError where none of those will be sent by itself."""
        left = [i for i in query.submissions_by_id(self._store, self._ids) if i.submission_id not in self._told]
        for item in left:
            if item.state not in (s.QUEUED, s.SENDING):
                self._told.add(item.submission_id)
                if self._tells_ids or item.state != s.ACCEPTED:
                    _print_submission(item)
        left = [item for item in left if item.submission_id not in self._told]
        paused = query.queue_paused(self._store, self._profile)
        if paused and left:
            raise ApiError(
                f"the queue is paused: {paused}", hint="what is queued stays queued; `vivix-tui queue resume`"
            )
        if left and all(item.state == s.QUEUED and item.held for item in left):
            why = next((item.message for item in left if item.error == s.OVER_CAP and item.message), "by you")
            raise ApiError(f"{len(left)} held: {why}", hint="it stays queued; `vivix-tui queue release`")
        return bool(left)


def _print_submission(item: s.Submission) -> None:
    if item.state == s.ACCEPTED and item.generation_id:
        output.data(one_line(item.generation_id))
        return
    words = {s.UNKNOWN: "no readable answer: it may have been charged, and is not sent again by itself"}
    reason = " ".join(filter(None, (item.error, item.message)))
    following = f"; {item.next}" if item.next else ""
    output.tell(f"{item.submission_id}: {words.get(item.state, item.state)}: {one_line(reason + following)}")
    if item.state == s.UNKNOWN:
        output.tell(f"settle it: `vivix-tui resolve {item.submission_id}` --accepted ID | --not-sent | --give-up")

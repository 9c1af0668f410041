"""What a user can wish about submissions that were not sent, or whose outcome nobody knows.

Owns: hold, release, cancel, move to the top, pause, resume, resolve: the other half of the door `verbs.py`.
Refuses: sending; and calling an unknown submission unsent: that is for the user to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from vivix_tui.domain import submission as s
from vivix_tui.domain.submission import Accepted
from vivix_tui.domain.text import is_trackable_id, one_line
from vivix_tui.errors import UsageError
from vivix_tui.store import submissions
from vivix_tui.store.store import Store
from vivix_tui.verbs import Outcome

PAUSED_BY_USER = "paused by you"


def hold(store: Store, profile: str, ids: Sequence[str]) -> Outcome:
    """Queued submissions stay where they are until released."""
    return _change(store, profile, ids, "held = 1", "state = 'queued' AND held = 0", "held")


def release(store: Store, profile: str, ids: Sequence[str]) -> Outcome:
    """Held submissions may go out again."""
    return _change(store, profile, ids, "held = 0", "state = 'queued' AND held = 1", "released")


def cancel(store: Store, profile: str, ids: Sequence[str]) -> Outcome:
    """Queued submissions will never be sent. One that is being sent cannot be called back."""
    return _change(store, profile, ids, "state = 'cancelled'", "state = 'queued'", "cancelled")


def top(store: Store, profile: str, ids: Sequence[str]) -> Outcome:
    """These go out next, in the order given."""
    first = "position = (SELECT min(position) - 1 FROM submissions WHERE profile = :profile AND state = 'queued')"
    outcome = _change(store, profile, list(reversed(ids)), first, "state = 'queued'", "moved to the top")
    return Outcome(outcome.done, outcome.text, tuple(ids))


def pause(store: Store, profile: str) -> Outcome:
    """Nothing goes out until `resume`, over restarts, too."""
    submissions.pause_queue(store, profile, PAUSED_BY_USER)
    return Outcome(1, "queue paused")


def resume(store: Store, profile: str) -> Outcome:
    """The queue goes on, whatever paused it."""
    submissions.pause_queue(store, profile, None)
    return Outcome(1, "queue resumed")


def resolve_accepted(store: Store, submission_id: str, generation_id: str) -> Outcome:
    """The unknown submission did become this generation: it is followed from now on."""
    item = _unknown(store, submission_id)
    if not is_trackable_id(generation_id):
        raise UsageError(f"{one_line(generation_id, 60)!r} cannot be a generation id")
    answer = Accepted(generation_id=generation_id, status="pending")
    if not submissions.accepted(store, item, answer, item.balance_after, datetime.now(UTC), known=False):
        _unknown(store, submission_id)
        raise UsageError(f"{one_line(generation_id, 60)} came of another submission", hint="check the id")
    return Outcome(1, f"accepted as {one_line(generation_id, 60)}, tracking it", (submission_id,))


def resolve_not_sent(store: Store, submission_id: str) -> Outcome:
    """It never arrived, says the user: back into the queue."""
    _settle(store, submission_id, s.QUEUED)
    return Outcome(1, "back in the queue", (submission_id,))


def resolve_given_up(store: Store, submission_id: str) -> Outcome:
    """Nobody will ever know: it is closed and never sent."""
    _settle(store, submission_id, s.CANCELLED)
    return Outcome(1, "given up, it will not be sent", (submission_id,))


def _settle(store: Store, submission_id: str, state: str) -> None:
    if not submissions.resolve(store, submission_id, state, datetime.now(UTC)):
        _unknown(store, submission_id)  # says why not; perhaps another process settled it meanwhile


def _unknown(store: Store, submission_id: str) -> s.Submission:
    item = submissions.get(store, submission_id)
    if item is None:
        raise UsageError(f"{one_line(submission_id, 60)} is no submission", hint="`vivix-tui list --submissions`")
    if item.state != s.UNKNOWN:
        raise UsageError(f"{submission_id} is {item.state}, only an unknown one has to be resolved")
    return item


def _change(store: Store, profile: str, ids: Sequence[str], change: str, where: str, done: str) -> Outcome:
    number = 0
    with store.write(durable=True) as connection:
        for submission_id in ids:
            number += connection.execute(
                f"UPDATE submissions SET {change} WHERE profile = :profile AND submission_id = :id AND {where}",
                {"profile": profile, "id": submission_id},
            ).rowcount
    left = len(ids) - number
    return Outcome(number, f"{number} {done}" + (f", {left} left as they were" if left else ""), tuple(ids))

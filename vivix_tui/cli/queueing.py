"""`queue` and `resolve`: what has not been sent, and what nobody knows the end of.

Owns: arguments of these two commands. Refuses: running the engine; they write rows and return.
"""

from __future__ import annotations

import argparse

from vivix_tui import verbs_queue
from vivix_tui.cli import output
from vivix_tui.config import Config
from vivix_tui.domain import records
from vivix_tui.errors import UsageError
from vivix_tui.store import query
from vivix_tui.store.store import Store


def run_queue(config: Config, store: Store, arguments: argparse.Namespace) -> int:
    action, profile = arguments.action, config.profile
    if action == "list":
        return _list(config, store, arguments)
    if action in ("pause", "resume"):
        output.tell((verbs_queue.pause if action == "pause" else verbs_queue.resume)(store, profile).text)
        return 0
    if not arguments.ids:
        raise UsageError(f"queue {action} needs the ids of submissions", hint="`vivix-tui queue` lists them")
    change = {
        "hold": verbs_queue.hold,
        "release": verbs_queue.release,
        "cancel": verbs_queue.cancel,
        "top": verbs_queue.top,
    }[action]
    outcome = change(store, profile, arguments.ids)
    output.tell(outcome.text)
    return 0 if outcome.done == len(arguments.ids) else 1


def _list(config: Config, store: Store, arguments: argparse.Namespace) -> int:
    paused = query.queue_paused(store, config.profile)
    if paused:
        output.tell(f"the queue is paused: {paused}")
    for item in query.queue(store, config.profile):
        if arguments.ids and item.submission_id not in arguments.ids:
            continue
        if arguments.json:
            output.json_data(records.submission_json(item))
        else:
            output.data(output.submission_line(item))
    return 0


def run_resolve(config: Config, store: Store, arguments: argparse.Namespace) -> int:
    del config  # a submission's id is enough
    if arguments.accepted is not None:
        outcome = verbs_queue.resolve_accepted(store, arguments.submission, arguments.accepted)
    elif arguments.not_sent:
        outcome = verbs_queue.resolve_not_sent(store, arguments.submission)
    else:
        outcome = verbs_queue.resolve_given_up(store, arguments.submission)
    output.tell(outcome.text)
    return 0

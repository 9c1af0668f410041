"""The commands that wish for something and, most of them, wait for it with the engine.

Owns: what these commands print while they wait, and with which code they end. Refuses: the wishes' meaning (`verbs`).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from vivix_tui import editor, verbs, verbs_retry, wiring
from vivix_tui.cli import output
from vivix_tui.cli.patience import tell_unsaved, until
from vivix_tui.cli.sending import Sending
from vivix_tui.config import Config
from vivix_tui.domain import download as d
from vivix_tui.domain import records
from vivix_tui.domain import submission as s
from vivix_tui.domain.bodies import difference, for_editor, from_editor, parse_bodies
from vivix_tui.domain.generation import COMPLETED, Generation
from vivix_tui.domain.idlist import parse_ids
from vivix_tui.domain.price import Price, in_words, most
from vivix_tui.domain.text import one_line
from vivix_tui.errors import ApiError, KeyProblem, UsageError
from vivix_tui.store import query
from vivix_tui.store.prices import prices_of
from vivix_tui.store.store import Store


def run_track(config: Config, store: Store, arguments: argparse.Namespace) -> int:
    if arguments.ids == ["-"]:
        items = parse_ids(_stdin_text())
    else:
        items = [(generation_id, None) for generation_id in arguments.ids]
    if not items:
        raise UsageError("no ids were given", hint="vivix-tui track ID…, or ids on stdin with `track -`")
    output.tell(verbs.track(store, config.profile, items).text)
    return 0


def run_submit(config: Config, store: Store, arguments: argparse.Namespace) -> int:
    bodies = []
    for name in arguments.files:
        data, source = (sys.stdin.buffer.read(), "stdin") if name == "-" else (_file_bytes(name), name)
        bodies += parse_bodies(data, source)
    prices = prices_of(store, config.profile, bodies)
    if not arguments.yes:
        _confirm_submit(config, prices)
    outcome = verbs.submit(store, config.profile, bodies, check=not arguments.no_check)
    output.tell(f"{outcome.text} for {in_words(prices)}")
    return _follow_submissions(config, store, outcome.ids, arguments)


def run_retry(config: Config, store: Store, arguments: argparse.Namespace) -> int:
    # One wish for each, however often it was named.
    quotes = [_quoted(config, store, generation_id, arguments) for generation_id in dict.fromkeys(arguments.ids)]
    _ask_the_price(quotes, arguments)
    queued: list[str] = []
    for quote in quotes:
        outcome = verbs_retry.retry(
            store,
            config.profile,
            quote.generation_id,
            again=arguments.again,
            body=quote.body if arguments.edit else None,
        )
        cost = f" for {in_words([quote.price])}" if outcome.done else ""
        output.tell(f"{one_line(quote.generation_id, 60)}: {outcome.text}{cost}")
        queued += outcome.ids if outcome.done else ()
    return _follow_submissions(config, store, tuple(queued), arguments)


def run_wait(config: Config, store: Store, arguments: argparse.Namespace) -> int:
    known = {row.generation_id: row for row in query.list_generations(store, config.profile)}
    unknown = [i for i in arguments.ids if i not in known]
    if unknown:
        output.tell(f"{one_line(unknown[0], 80)} is not known; `vivix-tui track ID` follows it")
        return 1
    ids = dict.fromkeys(arguments.ids or (i for i, row in known.items() if not row.ended))
    queued = () if arguments.ids else query.queue(store, config.profile)
    # Its own lines are of generations: that of one that was accepted follows.
    sending = Sending(config, store, [q.submission_id for q in queued if q.state != s.UNKNOWN], tells_ids=False)
    shown: dict[str, tuple[str | None, str | None]] = {}

    def pending() -> bool:
        stuck = None
        try:
            waiting = sending.pending()
        except ApiError as error:
            waiting, stuck = False, error
        ids.update(dict.fromkeys(sending.accepted))
        for row in _rows(store, config, ids):
            if shown.get(row.generation_id) != (row.status, row.gone):
                shown[row.generation_id] = (row.status, row.gone)
                _print_generation(store, config, row, as_json=arguments.json)
            waiting |= not row.ended
        if stuck and not waiting:
            raise stuck
        return waiting

    until(config, store, pending, arguments.timeout)
    good = sending.good and all(row.status == COMPLETED for row in _rows(store, config, ids))
    return 0 if good else 1


def run_download(config: Config, store: Store, arguments: argparse.Namespace) -> int:
    where = Path(arguments.to) if arguments.to else None
    for generation_id in arguments.ids:
        verbs.download(store, config.profile, generation_id, directory=where)
    if arguments.no_wait:
        return 0
    told: dict[tuple[str, int], str] = {}
    progress = output.Progress()

    def pending() -> bool:
        waiting, files = False, list[d.Download]()
        for generation_id in arguments.ids:
            found = query.detail(store, config.profile, "generation", generation_id)
            if found is None or found.generation is None:
                continue
            waiting |= not found.generation.ended or found.wanted
            for item in found.downloads:
                over = item.state in d.OVER or item.state == d.PAUSED
                waiting |= not over
                files.append(item)
                if over and told.get((generation_id, item.index)) != item.state:
                    told[generation_id, item.index] = item.state
                    progress.clear()
                    _print_download(generation_id, item, as_json=arguments.json)
        sizes = [item.size_bytes for item in files if item.size_bytes is not None]
        whole = sum(sizes) if len(sizes) == len(files) else None
        done = sum(item.state == d.DONE for item in files)
        progress.show(sum(item.received_bytes for item in files), whole, (done, len(files)))
        return waiting

    try:
        until(config, store, pending, arguments.timeout)
    finally:
        progress.clear()
    wanted_rows = _rows(store, config, arguments.ids)
    good = all(row.status == COMPLETED for row in wanted_rows) and set(told.values()) <= {d.DONE}
    return 0 if good else 1


def run_watch(config: Config) -> int:
    """Until SIGTERM, SIGHUP or Ctrl-C; the signal handlers of `main` end the sleep."""
    with wiring.engine(config) as engine:
        output.tell(f"watching profile {config.profile}; Ctrl-C ends it")
        unsaved = None
        while engine.alive:
            unsaved = tell_unsaved(engine, unsaved)
            time.sleep(0.5)
    if engine.failure is not None:
        raise engine.failure
    return 0


def _quoted(config: Config, store: Store, generation_id: str, arguments: argparse.Namespace) -> verbs_retry.Quote:
    """What this retry means, with --edit after the editor. Raises UsageError where it cannot be, or needs --again."""
    quote = verbs_retry.quote(store, config.profile, generation_id)
    shown = one_line(generation_id, 60)
    if quote.obstacle:
        raise UsageError(f"{shown} cannot be retried: {quote.obstacle}")
    if arguments.edit:
        body = _edited(quote.body)
        for line in difference(quote.body, body):
            output.tell(f"  {one_line(line, 300)}")
        quote = verbs_retry.quote(store, config.profile, generation_id, body=body)
    if quote.needs_again and not arguments.again:
        raise UsageError(f"{shown} was not retried: {quote.needs_again}", hint="say --again")
    for note in filter(None, (quote.asks_first, quote.complaint)):
        output.tell(f"{shown}: {one_line(note)}")
    return quote


def _edited(body: str) -> str:
    """`body` after the user's editor; as long as it is no body, a terminal is asked whether to edit again."""
    text = for_editor(body)
    while True:
        text, failure = editor.edit(text, "body.json")
        try:
            if failure is not None:
                raise UsageError(f"{failure}, nothing was sent")
            return from_editor(body, text)
        except UsageError as error:
            if not output.can_ask():
                raise
            output.tell(str(error))
            if not output.agreed("edit again?"):
                raise


def _ask_the_price(quotes: list[verbs_retry.Quote], arguments: argparse.Namespace) -> None:
    """On a terminal the price is asked for; elsewhere --yes has to say it. Raises UsageError before anything is
    queued."""
    if arguments.yes:
        return
    if not output.can_ask():
        raise UsageError("a retry costs credits", hint="say --yes where nobody can be asked")
    if not output.agreed(f"retry {len(quotes)} for {in_words([quote.price for quote in quotes])}?"):
        raise UsageError("not retried")


def _confirm_submit(config: Config, prices: list[Price | None]) -> None:
    """Above spend.confirm_above a terminal is asked; scripts never are. Raises UsageError before anything is queued."""
    limit = config.settings.spend.confirm_above
    cost = most(prices)
    if not limit or (cost is not None and cost <= limit) or not output.can_ask():
        return
    if not output.agreed(f"submit {len(prices)} for {in_words(prices)}?"):
        raise UsageError("nothing was submitted")


def _follow_submissions(config: Config, store: Store, ids: tuple[str, ...], arguments: argparse.Namespace) -> int:
    if arguments.no_wait:
        for submission_id in ids:
            output.data(submission_id)
        return 0
    _tell_what_goes_along(config, store, ids)
    sending = Sending(config, store, ids)
    try:
        until(config, store, sending.pending, arguments.timeout)
    except KeyProblem:
        output.tell("what was queued stays queued, and goes out once there is a key; `vivix-tui queue` shows it")
        raise
    return 0 if sending.good else 1


def _tell_what_goes_along(config: Config, store: Store, ids: tuple[str, ...]) -> None:
    """The queue is one: what others left in it costs, too, and nobody was asked about that now."""
    queued, own = query.queue(store, config.profile), set(ids)
    older = [q.body for q in queued if q.state == s.QUEUED and not q.held and q.submission_id not in own]
    if older and not query.queue_paused(store, config.profile):
        price = in_words(prices_of(store, config.profile, older))
        output.tell(f"sent, too: {len(older)} queued before, for {price}; `vivix-tui queue` shows them")


def _rows(store: Store, config: Config, ids: Iterable[str]) -> Iterator[Generation]:
    for generation_id in ids:
        row = query.generation(store, config.profile, generation_id)
        if row is not None:
            yield row


def _print_generation(store: Store, config: Config, row: Generation, *, as_json: bool) -> None:
    if as_json:
        output.json_data(records.generation_json(row, query.downloads_of(store, config.profile, row.generation_id)))
    else:
        output.data(output.generation_line(row))


def _print_download(generation_id: str, item: d.Download, *, as_json: bool) -> None:
    if as_json:
        output.json_data({"generation_id": generation_id} | records.download_json(item))
    elif item.state == d.DONE and item.path:
        output.data(one_line(item.path))
    else:
        output.tell(f"{one_line(generation_id, 60)} output {item.index}: {item.state}: {one_line(item.error or '')}")


def _file_bytes(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"{one_line(name, 200)}: {error.strerror}") from None


def _stdin_text() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"stdin: not UTF-8 text (byte {error.start})") from None

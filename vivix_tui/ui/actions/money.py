"""What the commands do that cost credits, or concern what was not sent: retry, edit, the queue, an unknown outcome.

Owns: the question before each of them, with price and warnings. Refuses: what `actions` does; the verbs write.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from vivix_tui import editor, verbs, verbs_queue, verbs_retry
from vivix_tui.domain import submission as s
from vivix_tui.domain.bodies import difference, for_editor, from_editor, with_seed
from vivix_tui.domain.price import Price, in_words, most
from vivix_tui.domain.submission import Submission
from vivix_tui.domain.text import one_line
from vivix_tui.errors import UsageError
from vivix_tui.store import query
from vivix_tui.ui.screens.dialogs import AskLine, Choose, Confirm
from vivix_tui.verbs_retry import Quote

if TYPE_CHECKING:
    from vivix_tui.ui.screens.main import MainScreen

NOTES_SHOWN = 5
SEEDS = 2**31
SOURCES = {
    "charged": "as charged before",
    "estimate": "the API's estimate",
    "band": "the catalogue's band",
}


def retry(screen: MainScreen) -> None:
    """Asks once, with the price; nothing that was pressed before the question counts as an answer."""
    quotes = verbs_retry.quotes(screen.store, screen.profile, [row_id for _, row_id in screen.targets()])
    able = [quote for quote in quotes if quote.obstacle is None]
    if not able:
        raise UsageError(f"cannot be retried: {quotes[0].obstacle}")
    # What should not be repeated without saying so is not among many that y repeats.
    clear = [quote for quote in able if quote.needs_again is None] or able
    one = able[0] if len(able) == 1 else None
    text = [f"The same body is sent again. Price: {price_words([quote.price for quote in clear])}."]
    if len(able) < len(quotes):
        text.append(f"{len(quotes) - len(able)} of {len(quotes)} cannot be retried and are left out.")
    text += _notes(able)
    styles = _warn(screen, clear, text)
    more = []
    if one is not None and one.needs_again is not None and '"seed"' in one.body and one.asks_first is None:
        more.append(("s", "with a new seed"))
    if one is not None and one.out_of_reach:
        more.append(("a", "again, whatever it says"))
    if len(clear) < len(able):
        more.append(("a", f"all {len(able)} for {in_words([quote.price for quote in able])}"))

    def queue(answer: str | None) -> None:
        if answer == "s" and one is not None:
            changed = with_seed(one.body, random.randrange(SEEDS))  # noqa: S311 - a seed is no secret
            _ask_changed(screen, one.generation_id, one.body, changed)
        elif answer:
            wanted, again = (able, True) if answer == "a" else (clear, False)
            screen.wish(lambda: verbs_retry.retry_all(screen.store, screen.profile, wanted, again=again).text)

    title = f"Retry {short(one.generation_id)}?" if one else f"Retry {len(able)} rows?"
    yes = f"{'retry' if len(clear) == len(able) else f'retry {len(clear)}'} for {in_words([q.price for q in clear])}"
    screen.ask(Confirm(title, "\n".join(text), yes, *more, styles=styles), queue)


def edit(screen: MainScreen) -> None:
    """The body of one row in the user's editor; what comes of it is asked about with its price."""
    ((kind, row_id),) = screen.targets()
    if kind == "generation":
        quote = verbs_retry.quote(screen.store, screen.profile, row_id)
        if quote.obstacle:
            raise UsageError(f"cannot be edited: {quote.obstacle}")
        _edit(screen, row_id, quote.body, for_editor(quote.body))
        return
    (item,) = query.submissions_by_id(screen.store, [row_id])
    if item.state != s.REFUSED:
        raise UsageError(f"it is {item.state}; only what was refused or became a generation is edited and sent again")
    _edit(screen, None, item.body, for_editor(item.body))


def move(screen: MainScreen) -> None:
    """Hold, release, move, cancel, pause; or what became of a submission that nobody knows the outcome of."""
    ids = [row_id for kind, row_id in screen.targets() if kind == "submission"]
    items = query.submissions_by_id(screen.store, ids)
    if len(items) == 1 and items[0].state == s.UNKNOWN:
        _resolve(screen, items[0])
        return
    paused = query.queue_paused(screen.store, screen.profile)
    choices = [("h", "hold"), ("r", "release"), ("t", "to the top"), ("c", "cancel")] if items else []
    choices.append(("p", "resume the queue" if paused else "pause the whole queue"))
    what = short(ids[0]) if len(ids) == 1 else f"{len(ids)} submissions" if ids else "The queue"
    text = f"The queue is paused: {one_line(paused, 300)}" if paused else "What is queued goes out as slots free."
    acts: dict[str, Callable[[], verbs.Outcome]] = {
        "h": lambda: verbs_queue.hold(screen.store, screen.profile, ids),
        "r": lambda: verbs_queue.release(screen.store, screen.profile, ids),
        "t": lambda: verbs_queue.top(screen.store, screen.profile, ids),
        "c": lambda: verbs_queue.cancel(screen.store, screen.profile, ids),
        "p": lambda: (verbs_queue.resume if paused else verbs_queue.pause)(screen.store, screen.profile),
    }

    def act(answer: str | None) -> None:
        if answer:
            screen.wish(lambda: acts[answer]().text)

    screen.ask(Choose(what, text, *choices), act)


def _resolve(screen: MainScreen, item: Submission) -> None:
    before, after = ("unknown" if b is None else f"{b:,}" for b in (item.balance_before, item.balance_after))
    text = (
        f"It was sent at {item.sent_at or 'an unknown time'} and no readable answer came: it may have been charged."
        f"\nThe balance was {before} before and {after} after."
    )
    if item.request_id:
        text += f"\nRequest {one_line(item.request_id, 80)}."
    text += "\nLook on the web whether it exists. It is never sent again by itself."

    def act(answer: str | None) -> None:
        if answer == "i":
            _ask_for_id(screen, item)
        elif answer == "n":
            question = "It goes back into the queue and is sent. If it did arrive, it is paid for twice."
            screen.ask(Confirm("Not sent?", question, "it was not sent"), requeue)
        elif answer == "g":
            question = "It is settled as cancelled, and cannot be taken up again. If it did arrive, it was paid for."
            screen.ask(Confirm("Give up?", question, "give up"), give_up)
        elif answer == "p":
            screen.wish(lambda: verbs_queue.resume(screen.store, screen.profile).text)

    def give_up(answer: str | None) -> None:
        if answer:
            screen.wish(lambda: verbs_queue.resolve_given_up(screen.store, item.submission_id).text)

    def requeue(answer: str | None) -> None:
        if answer:
            screen.wish(lambda: verbs_queue.resolve_not_sent(screen.store, item.submission_id).text)

    choices = [("i", "it exists: enter its id"), ("n", "it was not sent"), ("g", "give up")]
    if query.queue_paused(screen.store, screen.profile):  # the banner says that this key resumes it
        choices.append(("p", "resume the queue; this one stays as it is"))
    screen.ask(Choose(f"What became of {short(item.submission_id)}?", text, *choices), act)


def _ask_for_id(screen: MainScreen, item: Submission) -> None:
    told: list[str] = []

    def take(text: str) -> str | None:
        try:
            told.append(verbs_queue.resolve_accepted(screen.store, item.submission_id, text.strip()).text)
        except UsageError as error:
            return str(error)
        return None

    dialog = AskLine("Generation id", "The id of the generation that it became; it is followed.", "track it", take)
    screen.ask(dialog, lambda taken: screen.wish(lambda: told[-1]) if taken else None)


def _edit(screen: MainScreen, generation_id: str | None, body: str, text: str) -> None:
    """`generation_id` is None for what never became one. What was typed is kept until the user lets go of it."""
    try:
        with screen.app.suspend():
            edited, failure = editor.edit(text, "body.json")
    except SuspendNotSupported:
        raise UsageError("this terminal cannot be lent to an editor", hint="vivix-tui retry ID --edit") from None
    try:
        if failure is not None:
            raise UsageError(failure)
        changed = from_editor(body, edited)
    except UsageError as error:

        def again(answer: str | None) -> None:
            if answer:
                _edit(screen, generation_id, body, edited)

        screen.ask(Choose("It cannot be sent like this", f"{error}.", ("e", "edit again")), again)
        return
    _ask_changed(screen, generation_id, body, changed)


def _ask_changed(screen: MainScreen, generation_id: str | None, body: str, changed: str) -> None:
    """The question before an edited body goes out: what changed, the price, and what speaks against it."""
    quote = quote_of(screen, generation_id, changed)
    diff = difference(body, changed)
    text = [f"Price: {price_words([quote.price])}.", *_notes([quote])]
    styles = _warn(screen, [quote], text)
    text.append("What changes:" if diff else "Nothing changed: the same body is sent again.")
    colours = {"+": "$success", "-": "$error", " ": ""}
    styles |= {number: colours[line[:1]] for number, line in enumerate(diff, start=len(text))}

    def act(answer: str | None) -> None:
        if answer == "e":
            _edit(screen, generation_id, body, for_editor(changed))
        elif answer:
            screen.wish(lambda: send(screen, generation_id, quote))

    title = "Send the edited body?" if diff else "Send the same body again?"
    yes = f"send for {in_words([quote.price])}"
    screen.ask(Confirm(title, "\n".join([*text, *diff]), yes, ("e", "edit again"), styles=styles), act)


def quote_of(screen: MainScreen, generation_id: str | None, body: str) -> Quote:
    """What sending `body` would mean; `generation_id` is None where it comes from no generation."""
    if generation_id is not None:
        return verbs_retry.quote(screen.store, screen.profile, generation_id, body=body)
    return verbs_retry.quote_new(screen.store, screen.profile, body)


def send(screen: MainScreen, generation_id: str | None, quote: Quote) -> str:
    """Queues the body of `quote`, as a retry of a generation or as a new one; returns one line for the user."""
    if generation_id is None:
        return verbs.submit(screen.store, screen.profile, [quote.body]).text
    # The question named what speaks against it, so the answer covers it.
    again = quote.needs_again is not None
    return verbs_retry.retry(screen.store, screen.profile, generation_id, again=again, body=quote.body).text


def price_words(prices: Sequence[Price | None]) -> str:
    """What all of them cost together, and who says so."""
    sources = {SOURCES[price.source] for price in prices if price is not None}
    return in_words(prices) + (f" ({sources.pop()})" if len(sources) == 1 else "")


def _notes(quotes: Sequence[Quote]) -> list[str]:
    """What the user should know about them, what costs most first: advice on codes, why one may be refused or a waste.

    What is the same for several is said once.
    """
    notes: dict[str, list[str]] = {}
    for words_of in (_why_not, lambda quote: quote.complaint, _advice):
        for quote in quotes:
            note = words_of(quote)
            if note:
                notes.setdefault(note, []).append(short(quote.generation_id))
    lines = []
    for note, ids in notes.items():
        name = "" if len(quotes) == 1 else f"{ids[0]}: " if len(ids) == 1 else f"{len(ids)} of them: "
        lines.append(_sentence(f"{name}{one_line(note, 300)}"))
    hidden = len(lines) - NOTES_SHOWN
    return lines[:NOTES_SHOWN] + ([f"and {hidden} more"] if hidden > 0 else [])


def _why_not(quote: Quote) -> str | None:
    asks = quote.asks_first and f"{quote.asks_first}; the API is asked first"
    return "; ".join(filter(None, (quote.needs_again, asks))) or None


def _advice(quote: Quote) -> str | None:
    if quote.advice is None:
        return None
    return quote.advice.text + (" E edits." if quote.advice.kind == "edit" else "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "…")) else ".")


def warnings_of(screen: MainScreen, quotes: Sequence[Quote]) -> list[str]:
    """Which of the user's own limits this exceeds."""
    spend, cost = screen.spend, most([quote.price for quote in quotes])
    warnings = []
    if spend.confirm_above and (cost is None or cost > spend.confirm_above):
        warnings.append(f"This may cost more than spend.confirm_above ({spend.confirm_above:,}).")
    if spend.daily_cap:
        spent = query.spent_today(screen.store, screen.profile, datetime.now(UTC))
        if spent + (cost or 0) > spend.daily_cap:
            warnings.append(f"Above spend.daily_cap ({spend.daily_cap:,}; {spent:,} went out today): it will be held.")
    return warnings


def _warn(screen: MainScreen, quotes: Sequence[Quote], text: list[str]) -> dict[int, str]:
    """Adds the warnings to `text`; returns the styles of those lines."""
    warnings = warnings_of(screen, quotes)
    styles = {len(text) + n: "$warning" for n in range(len(warnings))}
    text += warnings
    return styles


def short(row_id: str) -> str:
    """The beginning of an id, by which people know it."""
    return one_line(row_id, 60)[:8]


MONEY_ACTIONS: dict[str, Callable[[MainScreen], None]] = {
    "generation.retry": retry,
    "generation.edit": edit,
    "submission.move": move,
}

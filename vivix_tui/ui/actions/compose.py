"""A new generation from a form, and one like the row under the cursor with changes.

Owns: what fills the form, what it costs in words, and where unsent forms are kept. Refuses: sending; the verbs queue
what was written, and the engine sends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivix_tui import verbs_retry
from vivix_tui.domain.account import Model
from vivix_tui.domain.form import Draft, filled
from vivix_tui.domain.price import affordable, in_words
from vivix_tui.domain.text import one_line
from vivix_tui.errors import UsageError, VivixError
from vivix_tui.store import query
from vivix_tui.ui.actions.money import price_words, quote_of, send, short, warnings_of
from vivix_tui.ui.screens.compose import Compose, Left, Offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from vivix_tui.ui.screens.main import MainScreen

NEW = ""


def new(screen: MainScreen) -> None:
    """The form that was left unsent, else an empty one that asks for the model first."""
    kept = screen.drafts.get(NEW)
    # The form is there from the first key on, also while the model is asked for: keys that come in a burst never fall
    # through to the table, where they are commands.
    _fill_in(screen, NEW, "New generation", kept or Draft(model=""), kept=kept is not None)


def again(screen: MainScreen) -> None:
    """The form filled with the body of one row."""
    ((kind, row_id),) = screen.targets()
    title = f"Again with changes: {short(row_id)}"
    kept = screen.drafts.get(row_id)
    if kept is not None:
        _fill_in(screen, row_id, title, kept, kept=True)
        return
    body, generation_id = _body_of(screen, kind, row_id)
    try:
        draft = filled(body, query.models(screen.store, screen.profile), generation_id)
    except ValueError as error:
        raise UsageError(f"its body does not fit into a form: {one_line(str(error), 80)}", hint="E edits it") from None
    _fill_in(screen, row_id, title, draft, kept=False)


def _body_of(screen: MainScreen, kind: str, row_id: str) -> tuple[str, str | None]:
    """The body of a row, and the generation that a new one comes from."""
    if kind == "generation":
        quote = verbs_retry.quote(screen.store, screen.profile, row_id)
        if quote.obstacle:
            raise UsageError(f"cannot be filled in: {quote.obstacle}")
        return quote.body, row_id
    (item,) = query.submissions_by_id(screen.store, [row_id])
    return item.body, None


def _fill_in(screen: MainScreen, key: str, title: str, draft: Draft, *, kept: bool) -> None:
    def left(how: Left | None) -> None:
        if how is None:
            return
        # Until the wish is on disk, what was typed is kept.
        if how.draft is not None:
            screen.drafts[key] = how.draft
        else:
            screen.drafts.pop(key, None)
        if how.body is not None and how.draft is not None:
            quote = quote_of(screen, how.draft.generation_id, how.body)
            screen.wish(lambda: send(screen, quote.generation_id or None, quote))
            screen.drafts.pop(key, None)

    screen.ask(Compose(title, draft, _catalogue(screen), _offers(screen), kept=kept), left)


def _catalogue(screen: MainScreen) -> Callable[[], dict[str, Model]]:
    def look() -> dict[str, Model]:
        try:
            return query.models(screen.store, screen.profile)
        except VivixError:
            return {}  # the main screen looks at the store all the time, and its banner says what is wrong

    return look


def _offers(screen: MainScreen) -> Callable[[Draft, str], Offer]:
    def offer(draft: Draft, body: str) -> Offer:
        try:
            quote = quote_of(screen, draft.generation_id, body)
            balance = query.account(screen.store, screen.profile).balance
            warnings = warnings_of(screen, [quote])
        except VivixError as error:
            return Offer(price="not known now", cost="an unknown price", enough=one_line(f"{error}.", 200))
        questions = [f"{word[:1].upper()}{word[1:]}." for word in (quote.needs_again, quote.asks_first) if word]
        return Offer(
            price=price_words([quote.price]),
            cost=in_words([quote.price]),
            enough=_enough(balance, affordable(balance, quote.price)),
            questions=(*questions, *warnings),
        )

    return offer


def _enough(balance: int | None, times: tuple[int, int] | None) -> str:
    """What the balance pays for, in words."""
    if balance is None:
        return "Your balance is not known yet."
    have = f"You have {balance:,} credits"
    if times is None:
        return f"{have}."
    least, most = times
    if most == 0:
        return f"{have}: not enough for one."
    if least == 0:
        return f"{have}: not enough for one at the highest price."
    return f"{have}: you can afford {least:,}{f' to {most:,}' if most != least else ''} of these."


COMPOSE_ACTIONS: dict[str, Callable[[MainScreen], None]] = {
    "generation.new": new,
    "generation.again": again,
}

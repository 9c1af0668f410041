"""Picks a model: a field, and below it the models that what was typed fits, the best first.

Owns: the fuzzy order. Refuses: reading the catalogue; `look` gives it, and is asked again while it is empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from vivix_tui.domain.account import Model
from vivix_tui.domain.text import one_line
from vivix_tui.ui.screens.dialogs import Keys, literal
from vivix_tui.ui.widgets.fields import LineField, done_so_far

LOOK_S = 0.5
MOST = 100  # nobody scrolls further, and a list of thousands takes its time at each letter
NONE_KNOWN = (
    "No models are known yet. They are asked for as soon as there is a connection and a key that the API accepts"
    " (K enters one); the list appears here by itself."
)
NONE_FITS = "No model fits what you typed."


class PickModel(ModalScreen[Model | None]):
    """Returns the model that Enter took, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "take it", priority=True),
        ("escape", "cancel", "cancel"),
        ("down", "move(1)", "down"),
        ("up", "move(-1)", "up"),
    ]

    def __init__(self, look: Callable[[], Mapping[str, Model]]) -> None:
        super().__init__()
        self._look = look
        self._models = look()
        self._words = words_of(self._models)
        self._shown: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog dialog-wide dialog-pick"):
            yield Static(literal("New generation: which model?"), classes="dialog--title")
            yield LineField(placeholder="type to find one", id="wanted", compact=True)
            yield OptionList(id="models", compact=True, markup=False)
            yield Static("", id="told", classes="dialog--text", markup=False)
            yield Keys(("↑ ↓", "choose"), ("enter", "take it"), ("esc", "cancel"))

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._show()
        if not self._models:
            self.set_interval(LOOK_S, self._look_again)

    def _look_again(self) -> None:
        if not self._models:
            self._models = self._look()
            self._words = words_of(self._models)
            if self._models:
                self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._show()

    async def action_take(self) -> None:
        # The next key is looked at afterwards: it is for the form that this opens, not for the field here.
        await done_so_far(self.query_one(Input))
        found = self._fitting()[:MOST]
        at = self.query_one(OptionList).highlighted if found == self._shown else 0
        if found and at is not None and self.is_current:
            self.dismiss(self._models[found[at]])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._models[self._shown[event.option_index]])

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        (options.action_cursor_down if by > 0 else options.action_cursor_up)()

    def action_cancel(self) -> None:
        self.dismiss(None)

    def _fitting(self) -> list[str]:
        return fitting(self.query_one(Input).value, self._words)

    def _show(self) -> None:
        found = self._fitting()
        self._shown = found[:MOST]
        options, told = self.query_one(OptionList), self.query_one("#told", Static)
        options.clear_options()
        options.add_options([Option(_line(self._models[slug])) for slug in self._shown])
        options.highlighted = 0 if found else None
        options.display, told.display = bool(found), len(found) > MOST or not found
        more = f"The first {MOST} of {len(found):,}: type more of the name."
        told.update(literal(more if found else NONE_FITS if self._models else NONE_KNOWN))


def words_of(models: Mapping[str, Model]) -> dict[str, str]:
    """What each model is found by, in lower case, by its slug."""
    parts = {slug: (model.slug, model.name, model.category, model.creator) for slug, model in models.items()}
    return {slug: one_line(" ".join(filter(None, words)), 300).lower() for slug, words in parts.items()}


def fitting(wanted: str, words: Mapping[str, str]) -> list[str]:
    """The slugs of the models that all of `wanted` fits, the best first; all in their order where nothing was typed."""
    typed = wanted.lower().split()
    if not typed:
        return list(words)
    scores = {slug: _score(typed, text) for slug, text in words.items()}
    return [slug for slug, score in sorted(scores.items(), key=lambda item: -item[1]) if score > 0]


def _score(typed: list[str], text: str) -> float:
    """0 where one of the words does not fit."""
    scores = [_fit(word, text) for word in typed]
    return sum(scores) if all(scores) else 0.0


def _fit(word: str, text: str) -> float:
    """How well one word fits: as it stands, best at the beginning; else as letters in this order, in few pieces.

    The first place of each letter counts, not the best one: trying them all takes for ever in a text like "a b a b".
    """
    at = text.find(word)
    if at >= 0:
        return 4.0 if at == 0 else 3.0 if re.search(rf"\b{re.escape(word)}", text) else 2.0
    pieces = 0
    for letter in word:
        before, at = at, text.find(letter, at + 1)
        if at < 0:
            return 0.0
        pieces += at != before + 1
    return 1.0 / pieces


def _line(model: Model) -> Content:
    low, high = model.credits_min, model.credits_max
    price = "price unknown" if low is None or high is None else f"{low:,} to {high:,}"
    parts = (one_line(model.category or "", 30), price, one_line(model.name or "", 60), model.creator)
    about = " · ".join(filter(None, parts))
    return Content.assemble(f"{one_line(model.slug, 60):<30} ", (one_line(about, 200), "$foreground 55%"))

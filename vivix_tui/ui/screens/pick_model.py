"""Picks a model: a field, and below it the models that what was typed fits, the best first.

Owns: the fuzzy order. Refuses: reading the catalogue; `look` gives it, and is asked again while it is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import Matcher
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from vivix_tui.domain.account import Model
from vivix_tui.domain.text import one_line
from vivix_tui.ui.screens.dialogs import Keys, literal
from vivix_tui.ui.widgets.fields import LineField, after_what_was_typed

LOOK_S = 0.5
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
        self._shown: list[Model] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog dialog-wide dialog-pick"):
            yield Static(literal("New generation: which model?"), classes="dialog--title")
            yield LineField(placeholder="type to find one", id="wanted", compact=True)
            yield OptionList(id="models", compact=True, markup=False)
            yield Static("", id="none", classes="dialog--text", markup=False)
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
            if self._models:
                self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._show()

    def action_take(self) -> None:
        after_what_was_typed(self, self._take)

    def _take(self) -> None:
        found = fitting(self.query_one(Input).value, self._models)
        at = self.query_one(OptionList).highlighted if found == self._shown else 0
        if found and at is not None and self.is_current:
            self.dismiss(found[at])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._shown[event.option_index])

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        (options.action_cursor_down if by > 0 else options.action_cursor_up)()

    def action_cancel(self) -> None:
        self.dismiss(None)

    def _show(self) -> None:
        self._shown = fitting(self.query_one(Input).value, self._models)
        options, none = self.query_one(OptionList), self.query_one("#none", Static)
        options.clear_options()
        options.add_options([Option(_line(model)) for model in self._shown])
        options.highlighted = 0 if self._shown else None
        options.display, none.display = bool(self._shown), not self._shown
        none.update(literal(NONE_FITS if self._models else NONE_KNOWN))


def fitting(wanted: str, models: Mapping[str, Model]) -> list[Model]:
    """The models that `wanted` fits, the best first; all of them in their order where nothing was typed."""
    if not wanted.strip():
        return list(models.values())
    matcher = Matcher(wanted.strip())
    scores = {slug: matcher.match(_words(model)) for slug, model in models.items()}
    return [models[slug] for slug, score in sorted(scores.items(), key=lambda item: -item[1]) if score > 0]


def _words(model: Model) -> str:
    return one_line(" ".join(filter(None, (model.slug, model.name, model.category, model.creator))), 300)


def _line(model: Model) -> Content:
    low, high = model.credits_min, model.credits_max
    price = "price unknown" if low is None or high is None else f"{low:,} to {high:,}"
    about = " · ".join(filter(None, (model.category, price, model.name, model.creator)))
    return Content.assemble(f"{one_line(model.slug, 60):<30} ", (one_line(about, 200), "$foreground 55%"))

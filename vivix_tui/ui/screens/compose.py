"""The form of a new generation: a field for each of the model's parameters, the price while it is typed, the body.

Owns: the form's state from field to body, what is complained about and when, and asking before it is left. Refuses:
prices and limits (an `Offer` says them), and queueing: the body is the answer of this screen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar

from msgspec import Struct
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Button, Input, Static

from vivix_tui.domain.account import Model, complaints, parse_body
from vivix_tui.domain.bodies import for_editor
from vivix_tui.domain.form import Draft, body_of, entered, fields_of, for_model
from vivix_tui.domain.text import one_line
from vivix_tui.ui.screens.dialogs import Choose, Confirm, Keys, literal, styled
from vivix_tui.ui.screens.pick_model import PickModel
from vivix_tui.ui.widgets.fields import Form, after_what_was_typed
from vivix_tui.ui.widgets.form_field import FormField

TYPING_PAUSE_S = 0.1
WIDE = 100


class Offer(Struct, frozen=True, kw_only=True):
    """What sending a body would mean, in words: `price` says who says so, `cost` does not.

    `questions` have to be answered with yes before it is sent.
    """

    price: str
    cost: str
    enough: str
    questions: tuple[str, ...] = ()


class Left(Struct, frozen=True):
    """How the form was left: with a body to send, or without; `draft` is what to fill it with next time."""

    draft: Draft | None
    body: str | None = None


class Compose(Form, ModalScreen[Left]):
    """Fills in `draft`; which model is asked first where it names none. `look` gives the catalogue, `offer` the price
    of a body; `kept` says that the form was left before.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave", "leave"),
        Binding("ctrl+s", "send", "send", priority=True),
        ("ctrl+o", "pick", "another model"),
    ]

    def __init__(
        self,
        title: str,
        draft: Draft,
        look: Callable[[], Mapping[str, Model]],
        offer: Callable[[Draft, str], Offer],
        *,
        kept: bool = False,
    ) -> None:
        super().__init__()
        self.formed = asyncio.Event()
        self._title = title
        self._look, self._offer, self._kept = look, offer, kept
        self._models = look()
        self._model = self._models.get(draft.model) or Model(slug=draft.model)
        self._draft = self._began_as = for_model(draft, self._model)
        self._tried = False
        self._changed: set[str] = set()  # only these are complained about before it is tried to send
        self._pause: Timer | None = None
        self._over = False

    def compose(self) -> ComposeResult:
        with Vertical(id="form"):
            with Horizontal(id="form--head"):
                yield Static(literal(self._title), id="form--title")
                yield Static("", id="form--model", markup=False)
            with VerticalScroll(id="form--middle", can_focus=False):
                yield VerticalScroll(id="form--fields", can_focus=False)
                with VerticalScroll(id="form--preview", can_focus=False):
                    yield Static(literal("What is sent"), classes="form--label")
                    yield Static("", id="form--body", markup=False)
            yield Static("", id="form--offer", markup=False)
            with Horizontal(id="form--foot"):
                yield Button("Send", id="form--send", compact=True)
                yield Keys(("ctrl+s", "send"), ("ctrl+o", "another model"), ("tab", "next"), ("esc", "leave"))

    async def on_mount(self) -> None:
        self._fit()
        if self._model.slug:
            await self._build()
        else:
            self.action_pick()

    def on_resize(self, _: events.Resize) -> None:
        self._fit()

    def _fit(self) -> None:
        self.set_class(self.size.width < WIDE, "-narrow")

    async def _build(self) -> None:
        """The fields of the model, filled with what was entered so far."""
        box = self.query_one("#form--fields", VerticalScroll)
        await box.remove_children()
        fields = [FormField(p, self._draft.entries.get(p.name)) for p in fields_of(self._model)]
        await box.mount_all(fields)
        fields[0].start()
        self.formed.set()
        self._show()

    # What was typed

    @on(FormField.Changed)
    def _typed(self) -> None:
        self._read()
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(TYPING_PAUSE_S, self._show)

    def _read(self) -> None:
        for field in self.query(FormField):
            name, value = field.parameter.name, field.value
            if value is not self._draft.entries.get(name):
                self._changed.add(name)
                self._draft = entered(self._draft, name, value)

    def _show(self) -> None:
        body = body_of(self._draft, self._model)
        offer = self._offer(self._draft, body)
        self._complain(body)
        self.query_one("#form--body", Static).update(literal(for_editor(body)))
        text = [f"Price: {offer.price}.", offer.enough, *offer.questions]
        styles = dict.fromkeys(range(2, len(text)), "$warning")
        self.query_one("#form--offer", Static).update(styled("\n".join(text), styles))

    def _complain(self, body: str) -> dict[str, str]:
        """Says beside each field what is wrong with it; returns what is, by the field's name."""
        found = complaints(parse_body(body) or {}, self._models)
        problem = found.get("model")
        about = filter(None, (self._model.slug, self._model.name, self._model.category))
        head = self.query_one("#form--model", Static)
        head.set_class(problem is not None, "-wrong")
        head.update(literal(one_line(f"model {problem}" if problem else " · ".join(about), 200)))
        for field in self.query(FormField):
            name = field.parameter.name
            field.complain(found.get(name) if self._tried or name in self._changed else None)
        return found

    # What the user does

    @on(Button.Pressed)
    def action_send(self) -> None:
        """Sends it, or says beside the fields why not; asks first where the offer says so."""
        after_what_was_typed(self, self._send)

    def _send(self) -> None:
        if not self.is_current or not self._model.slug:
            return  # another key was there first
        self._read()
        self._tried = True
        self._show()
        body = body_of(self._draft, self._model)
        wrong = self._complain(body)
        if wrong:
            fields = {field.parameter.name: field for field in self.query(FormField)}
            next((field.start for name, field in fields.items() if name in wrong), self.action_pick)()
            return
        offer, left = self._offer(self._draft, body), Left(self._draft, body)
        if not offer.questions:
            self._end(left)
            return
        text = "\n".join((f"Price: {offer.price}.", *offer.questions))
        styles = dict.fromkeys(range(1, 1 + len(offer.questions)), "$warning")
        question = Confirm("Send it?", text, f"send for {offer.cost}", styles=styles)
        self.app.push_screen(question, lambda answer: self._end(left) if answer else None)

    def action_pick(self) -> None:
        self._read()
        self.formed.clear()

        async def take(model: Model | None) -> None:
            if model is not None:
                self._models = self._look()
                self._model, self._draft = model, for_model(self._draft, model)
                if not self._began_as.model:
                    self._began_as = self._draft
                await self._build()
            else:
                self.formed.set()
                if not self._model.slug:
                    self.action_leave()

        def pick() -> None:
            self.app.push_screen(PickModel(self._look), take)
            self.formed.set()  # what waited until now is for the list of models, what comes after it waits for `take`
            self.formed.clear()

        self.call_later(pick)  # from this screen, not from a field that called it: `take` waits until those are gone

    @property
    def unsent(self) -> bool:
        """Whether something was entered that would be lost."""
        self._read()
        return self._draft != self._began_as

    def action_leave(self) -> None:
        if not self.unsent:
            self._end(Left(self._draft if self._kept else None))
            return

        def leave(answer: str | None) -> None:
            if answer:
                self._end(Left(self._draft if answer == "k" else None))

        text = "What you entered was not sent. Kept, it is there again the next time, until vivix-tui ends."
        self.app.push_screen(Choose("Leave the form?", text, ("k", "keep it"), ("t", "throw it away")), leave)

    @on(Input.Submitted)
    def _next(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next()

    def _end(self, left: Left) -> None:
        # Several keys may have reached this screen before it is gone.
        if not self._over:
            self._over = True
            self.dismiss(left)

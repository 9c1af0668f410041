"""One field of a form: what a parameter is called, the widget that fits its kind, and beside it what it takes.

Owns: the widget for each kind, and telling what was entered as a value. Refuses: judging it; a complaint comes from
outside and stands where the hint stood.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Select, Static, Switch, TextArea

from vivix_tui.domain.account import Parameter
from vivix_tui.domain.form import kind_of, text_of, value_of
from vivix_tui.domain.text import one_line
from vivix_tui.ui.widgets.fields import LineField
from vivix_tui.ui.widgets.lines_field import LinesField

HINT_MAX = 200
NUMBER_MAX = 20
DIGITS = "[-0-9]*"
SHORT_TEXT = 500


class FormField(Vertical):
    """The field of one parameter, filled with `value` (None: left out)."""

    class Changed(Message):
        """Something was entered."""

    def __init__(self, parameter: Parameter, value: Any) -> None:
        kind = kind_of(parameter)
        short = kind == "text" and (parameter.max_length or 0) <= SHORT_TEXT
        super().__init__(classes=f"field field-{kind}{' field-short' if short else ''}")
        self.parameter = parameter
        self._filled_with = value
        self._options: list[Any] = []
        self._hint = Static("", classes="field--hint", markup=False)
        self._complaint: str | None = None
        # What is no number and came with a body could not be corrected step by step if only digits were let through.
        digits = DIGITS if re.fullmatch(DIGITS, text_of(value)) else None
        build: dict[str, Callable[[], Widget]] = {
            "choice": self._choice,
            "switch": lambda: Switch(value if isinstance(value, bool) else parameter.default is True, animate=False),
            "text": lambda: LinesField(text_of(value), soft_wrap=True, tab_behavior="focus", compact=True),
            "number": lambda: LineField(text_of(value), max_length=NUMBER_MAX, restrict=digits, compact=True),
        }
        self._editor = build.get(kind, lambda: LineField(text_of(value), compact=True))()
        self._editor.add_class("field--editor")
        self._started_as = self._state()

    def compose(self) -> ComposeResult:
        required = " *" if self.parameter.required else ""
        label = Static(Content(one_line(self.parameter.name, 40) + required), classes="field--label")
        if isinstance(self._editor, TextArea):
            with Horizontal(classes="field--row"):
                yield label
                yield self._hint
            yield self._editor
        else:
            with Horizontal(classes="field--row"):
                yield label
                yield self._editor
                yield self._hint

    def on_mount(self) -> None:
        self._show_hint()

    @property
    def value(self) -> Any:
        """What was entered, as it would be sent; None where it is left out.

        It is read off the widget: what was typed counts before the message about it has arrived anywhere.
        """
        state = self._state()
        if state == self._started_as:
            return self._filled_with  # a text area unifies the ends of lines, a field knows numbers only as texts
        if isinstance(self._editor, Select):
            return self._options[state] if isinstance(state, int) else None
        return state if isinstance(state, bool) else value_of(self.parameter, str(state))

    def start(self) -> None:
        """Puts the cursor here, at once: Textual's own `focus` comes behind the keys that were typed ahead."""
        self.screen.set_focus(self._editor, scroll_visible=False)
        self.call_after_refresh(self._come_into_view)  # only then is it known where it is

    def _come_into_view(self) -> None:
        if not self.screen.can_view_entire(self._editor):
            self.screen.scroll_to_center(self._editor, origin_visible=True)

    def complain(self, problem: str | None) -> None:
        """Says what is wrong with the value, or that nothing is."""
        if problem != self._complaint:
            self._complaint = problem
            self.set_class(problem is not None, "-wrong")
            self._show_hint()

    def _choice(self) -> Select[int]:
        value, self._options = self._filled_with, list(self.parameter.values or ())
        if value is not None and not any(_same(value, known) for known in self._options):
            self._options.append(value)
        labels = [(Text(one_line(text_of(option), 40)), number) for number, option in enumerate(self._options)]
        chosen = next((n for n, option in enumerate(self._options) if _same(option, value)), Select.NULL)
        return Select(labels, value=chosen, prompt="-", compact=True)

    def _state(self) -> object:
        """What the widget holds: a text, an option's number, or whether it is on."""
        editor = self._editor
        if isinstance(editor, TextArea):
            return editor.text
        return editor.value if isinstance(editor, Input | Select | Switch) else None

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Select.Changed)
    @on(Switch.Changed)
    def _entered(self, event: Message) -> None:
        event.stop()
        self._show_hint()
        self.post_message(self.Changed())

    def _show_hint(self) -> None:
        facts = self._facts()
        if self._complaint:
            facts = [self._complaint, *facts] if isinstance(self._editor, TextArea) else [self._complaint]
        self._hint.update(Content(one_line(" · ".join(facts), HINT_MAX)))

    def _facts(self) -> list[str]:
        parameter = self.parameter
        if isinstance(self._editor, TextArea):
            count = f"{len(self._editor.text):,}"
            return [f"{count} of {parameter.max_length:,}" if parameter.max_length else count]
        facts = []
        if isinstance(self._editor, Switch):
            facts.append("yes" if self._editor.value else "no")
        if parameter.type == "integer" and parameter.values is None:
            bounds = [f"{n:,.0f}" if n is not None else "…" for n in (parameter.minimum, parameter.maximum)]
            facts.append(" to ".join(bounds) if bounds != ["…", "…"] else "a whole number")
        if parameter.default is not None:
            words = {True: "yes", False: "no"}
            default = words[parameter.default] if isinstance(parameter.default, bool) else text_of(parameter.default)
            facts.append(f"default {default}")
        return facts


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 and True are not."""
    return type(one) is type(other) and bool(one == other)

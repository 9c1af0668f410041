"""Chooses what the table is sorted by, and which columns it has.

Owns: these two lists and their keys. Refuses: the table; it gets what was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from vivix_tui.store.order import Order
from vivix_tui.ui.present.table import COLUMNS
from vivix_tui.ui.screens.dialogs import Keys, literal

# by → (key, words for its own direction, for the other one)
SORTS = {
    "age": ("a", "active first, then the newest", "oldest first, active last"),
    "status": ("s", "active, queued, failed, done", "done, failed, queued, active"),
    "model": ("m", "A to Z", "Z to A"),
    "duration": ("d", "longest first", "shortest first"),
    "credits": ("c", "most first", "fewest first"),
    "files": ("f", "most outputs first", "fewest outputs first"),
    "retries": ("r", "most first", "fewest first"),
    "id": ("i", "0 to f", "f to 0"),
}
ABOUT = {
    "id": "the first eight characters", "model": "", "prompt": "", "status": "", "time": "duration, or progress",
    "credits": "used, or the estimate", "files": "outputs, and how many are on disk", "age": "", "retries": "",
}  # fmt: skip


Answer = TypeVar("Answer")


class _ListDialog(ModalScreen[Answer | None]):
    """A list of which j, k and the arrows move the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q", "cancel", "cancel"),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
    ]

    @property
    def _options(self) -> OptionList:
        return self.query_one(OptionList)

    def action_move(self, by: int) -> None:
        (self._options.action_cursor_down if by > 0 else self._options.action_cursor_up)()

    def action_cancel(self) -> None:
        self._leave(None)

    def _leave(self, answer: Answer | None) -> None:
        if self.is_current:  # a second key of the same burst
            self.dismiss(answer)


class SortBy(_ListDialog[Order]):
    """Returns the order that was chosen: by its key, or with Enter; the one in force again turns it round."""

    def __init__(self, now: Order) -> None:
        super().__init__()
        self._now = now

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog dialog-list"):
            yield Static(literal("Sort by"), classes="dialog--title")
            yield OptionList(*map(self._line, SORTS), compact=True, markup=False)
            yield Keys(("enter", "sort"), ("esc", "cancel"))

    def on_mount(self) -> None:
        self._options.highlighted = list(SORTS).index(self._now.by)
        self._options.focus()

    def on_key(self, event: events.Key) -> None:
        for by, (key, *_) in SORTS.items():
            if event.key == key:
                event.stop()
                self._take(by)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._take(list(SORTS)[event.option_index])

    def _take(self, by: str) -> None:
        self._leave(Order(by, by == self._now.by and not self._now.inverted))

    def _line(self, by: str) -> Option:
        key, natural, other = SORTS[by]
        words = other if by == self._now.by and not self._now.inverted else natural
        return Option(Content.assemble((f" {key} ", "bold $accent"), f" {by:<10}", (words, "$foreground 70%")))


class PickColumns(_ListDialog[tuple[str, ...]]):
    """Returns the columns that were chosen, from left to right; () for all of them in their usual order."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "switch", "show or not", priority=True),
        Binding("enter", "take", "take", priority=True),
        Binding("J,shift+down", "carry(1)", "further right", show=False),
        Binding("K,shift+up", "carry(-1)", "further left", show=False),
    ]

    def __init__(self, shown: Sequence[str]) -> None:
        super().__init__()
        known = [column.id for column in COLUMNS]
        self._on = set(shown) & set(known) or set(known)
        first = [name for name in dict.fromkeys(shown) if name in self._on]
        self._names = first + [name for name in known if name not in first]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog dialog-list"):
            yield Static(literal("Columns"), classes="dialog--title")
            yield OptionList(compact=True, markup=False)
            yield Static(
                literal("Where not all of them fit, the less important ones are left out."), classes="dialog--keys"
            )
            yield Keys(("space", "show"), ("J K", "move"), ("enter", "take it"), ("esc", "cancel"))

    def on_mount(self) -> None:
        self._show(0)
        self._options.focus()

    def action_switch(self) -> None:
        at = self._options.highlighted or 0
        self._on ^= {self._names[at]}
        self._show(at)

    def action_carry(self, by: int) -> None:
        at = self._options.highlighted or 0
        to = max(0, min(at + by, len(self._names) - 1))
        self._names.insert(to, self._names.pop(at))
        self._show(to)

    def action_take(self) -> None:
        chosen = tuple(name for name in self._names if name in self._on)
        self._leave(() if chosen == tuple(column.id for column in COLUMNS) else chosen)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()  # a click
        self.action_switch()

    def _show(self, at: int) -> None:
        lines = []
        for name in self._names:
            box = ("[x] ", "bold $accent") if name in self._on else "[ ] "
            lines.append(Option(Content.assemble(" ", box, f"{name:<10}", (ABOUT[name], "$foreground 70%"))))
        self._options.set_options(lines)
        self._options.highlighted = at

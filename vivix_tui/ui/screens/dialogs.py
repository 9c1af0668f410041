"""Dialogs: a question, a field for ids, a field for one line, a text to read.

Owns: what each asks and returns. Refuses: acting on the answer. Enter cancels whatever costs or destroys; the key that
confirms is never the key that asked; key repeat never confirms.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Region, Size
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from vivix_tui.domain.idlist import parse_ids
from vivix_tui.domain.text import lines, one_line
from vivix_tui.errors import UsageError
from vivix_tui.ui.widgets.fields import LineField
from vivix_tui.ui.widgets.lines_field import LinesField

Ids = list[tuple[str, str | None]]


def literal(text: str) -> Content:
    """Text shown as it is: harmless, and past every markup parser."""
    return Content(lines(text))


def styled(text: str, styles: Mapping[int, str]) -> Content:
    """Literal text of which single lines (from 0) have a style."""
    parts = [(line, styles.get(n, "")) for n, line in enumerate(lines(text).split("\n"))]
    return Content("\n").join(Content.styled(line, style) for line, style in parts)


class Keys(Widget):
    """The keys of a dialog and what they do, as many in a line as fit: none is torn from its words."""

    DEFAULT_CSS = "Keys { height: auto; }"
    GAP = 5

    def __init__(self, *keys: tuple[str, str]) -> None:
        super().__init__(classes="dialog--keys")
        self._keys = keys

    def show(self, *keys: tuple[str, str]) -> None:
        self._keys = keys
        self.refresh(layout=True)

    def render(self) -> Content:
        styles = ("bold $accent", "")
        lines = [[Content.assemble(*zip((f"{key} ", does), styles, strict=True)) for key, does in line]
                 for line in self._lines(self.size.width)]  # fmt: skip
        return Content("\n").join(Content(" " * self.GAP).join(line) for line in lines)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        del container, viewport
        return len(self._lines(width))

    def _lines(self, width: int) -> list[list[tuple[str, str]]]:
        lines, used = [list[tuple[str, str]]()], 0
        for key, does in self._keys:
            length = cell_len(f"{key} {does}")
            if lines[-1] and used + length > width:
                lines, used = [*lines, []], 0
            lines[-1].append((key, does))
            used += length + self.GAP
        return lines


class _Question(Static):
    """Knows since when it can be seen: layout asks for its size before, only painting asks for its lines."""

    painted_at: float | None = None

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.painted_at is None:
            self.painted_at = time.monotonic()
        return super().render_lines(crop)


class Middle(VerticalScroll):
    """What a dialog says: scrolls where the terminal is too low for it, so that the keys below it stay in sight."""

    AROUND = 9  # lines of title, keys (two), border and padding

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        room = viewport.height * 9 // 10 - self.AROUND
        return max(1, min(super().get_content_height(container, viewport, width), room))


class Choose(ModalScreen[str]):
    """Asks once, with one key for each answer; returns that key, or "" for Enter, Esc and q, which change nothing.

    A key counts if it was pressed after the question was painted. `styles` gives single lines of the text (from 0) a
    style.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("enter,escape,q", "cancel", "cancel")]

    def __init__(
        self, title: str, text: str, *choices: tuple[str, str], styles: Mapping[int, str] | None = None
    ) -> None:
        super().__init__()
        self._title, self._text, self._choices = title, text, dict(choices)
        self._wide = bool(styles)
        self._question = _Question(styled(text, styles or {}), classes="dialog--text")
        self._answered = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog dialog-wide" if self._wide else "dialog"):
            yield Static(literal(self._title), classes="dialog--title")
            with Middle(classes="dialog--question", can_focus=False):
                yield self._question
            yield Keys(*self._choices.items(), ("enter esc", "cancel"))

    def on_key(self, event: events.Key) -> None:
        if event.key in self._choices:
            event.stop()
            # Its time is when it was read from the terminal. Over a slow link keys arrive in bursts, and a y that was
            # on its way before there was a question is no answer to it, however late it is handled.
            painted_at = self._question.painted_at
            if painted_at is not None and event.time > painted_at:
                self._answer(event.key)
        elif event.key in ("up", "down", "pageup", "pagedown"):
            scroll = self.query_one(VerticalScroll)
            page = max(1, scroll.size.height - 1) if event.key.startswith("page") else 1
            scroll.scroll_relative(y=page if event.key.endswith("down") else -page, animate=False)

    def action_cancel(self) -> None:
        self._answer("")

    def _answer(self, answer: str) -> None:
        # Several keys may have reached this dialog before it is gone.
        if not self._answered:
            self._answered = True
            self.dismiss(answer)


class Confirm(Choose):
    """A question for which y says yes, and n no like Enter."""

    BINDINGS: ClassVar[list[BindingType]] = [("n", "cancel", "no")]

    def __init__(
        self, title: str, text: str, yes: str, *more: tuple[str, str], styles: Mapping[int, str] | None = None
    ) -> None:
        super().__init__(title, text, ("y", yes), *more, styles=styles)


class AddIds(ModalScreen[Ids | None]):
    """Takes pasted ids and JSON lines; stays open until all of them can be read."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel", "cancel"), ("ctrl+s", "accept", "track")]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog dialog-wide dialog-ids"):
            yield Static(literal("Track generations made elsewhere"), classes="dialog--title")
            yield Static(
                literal('Paste ids, or JSON lines {"generation_id": …, "body": …}; a known body can be retried.'),
                classes="dialog--text",
            )
            yield LinesField(id="ids", soft_wrap=True, tab_behavior="focus")
            yield Static("", id="complaint", classes="dialog--complaint", markup=False)
            yield Keys(("ctrl+s", "track"), ("esc", "cancel"))

    def on_mount(self) -> None:
        self.query_one(TextArea).focus()

    def action_accept(self) -> None:
        try:
            ids = parse_ids(self.query_one(TextArea).text)
        except UsageError as error:
            self.query_one("#complaint", Static).update(literal(str(error)))
            return
        self.dismiss(ids or None)

    def action_cancel(self) -> None:
        self.dismiss(None)


class AskLine(ModalScreen[bool]):
    """Takes one line. `offer` gets it and returns a complaint, or None where it was taken."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel", "cancel")]

    def __init__(
        self, title: str, text: str, does: str, offer: Callable[[str], str | None], *, value: str = ""
    ) -> None:
        super().__init__()
        self._title, self._text, self._does = title, text, does
        self._offer, self._value = offer, value

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(literal(self._title), classes="dialog--title")
            yield Static(literal(self._text), classes="dialog--text")
            yield LineField(self._value, id="line", select_on_focus=False)
            yield Static("", id="complaint", classes="dialog--complaint", markup=False)
            yield Keys(("enter", self._does), ("esc", "cancel"))

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if not self.is_active:  # a second Enter of the same burst
            return
        complaint = self._offer(event.value)
        if complaint is None:
            self.dismiss(True)
        else:
            self.query_one("#complaint", Static).update(literal(complaint))

    def action_cancel(self) -> None:
        self.dismiss(False)


class Reading(ModalScreen[None]):
    """A text to read and scroll: help, URLs. `styles` gives single lines (from 0) a style."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,enter,question_mark,f1", "close", "close")]

    def __init__(self, title: str, text: str, styles: Mapping[int, str] | None = None) -> None:
        super().__init__()
        self._title, self._text = title, text
        self._styles = styles or {}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog dialog-wide dialog-tall"):
            yield Static(Content(one_line(self._title)), classes="dialog--title")
            with VerticalScroll(classes="dialog--scroll"):
                yield Static(styled(self._text, self._styles))
            yield Keys(("esc", "close"))

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def on_key(self, event: events.Key) -> None:
        scroll = self.query_one(VerticalScroll)
        moves = {"j": scroll.scroll_down, "k": scroll.scroll_up, "g": scroll.scroll_home, "G": scroll.scroll_end}
        if event.key in moves:
            moves[event.key](animate=False)
            event.stop()

    def action_close(self) -> None:
        self.dismiss(None)

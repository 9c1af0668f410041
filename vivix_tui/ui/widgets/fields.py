"""Fields that people paste into, drawn without what would steer the terminal.

Owns: the harmless picture of a field's text. Refuses: changing the text itself: a pasted body stays as it is.
Textual draws a field's text as it came, and what is pasted comes from web pages and logs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rich.text import Text
from textual import events
from textual.dom import DOMNode
from textual.geometry import Size
from textual.keys import Keys
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from vivix_tui.domain.text import lines

PATIENCE_S = 1.0
_NO_TEXT = {key.value for key in Keys} - {" ", "space"}


def drawn(text: str) -> str:
    """`text` with every character that steers replaced by one that is seen; tabs stay, the length stays."""
    return "\t".join(lines(part, len(part)) for part in text.split("\t"))


def after_what_was_typed(screen: Screen[Any], work: Callable[[], None]) -> None:
    """For commands whose key has priority: `work` sees what was typed into the field before that key, and no more.

    A field takes in its keys by and by, and a key that the field does not know arrives at the screen's commands only
    after all of them. In a burst over a slow link that is too late: "a fox", ctrl+s, j would send "a foxj".
    """
    if screen.focused is None:
        work()
    else:
        screen.focused.call_later(work)


async def do_in_turn(field: Widget, event: events.Key) -> None:
    """Does what a key of the field's own means when its turn comes.

    Textual lets such a key travel to the application first, behind the text that was typed after it: of "foz",
    backspace, "x" in one burst the x would be taken back.
    """
    for binding in field._bindings.key_to_bindings.get(event.key, ()):
        if await field.app.run_action(binding.action, field):
            event.stop()
            event.prevent_default()
            return


class Form:
    """A screen that is open before its fields are: `formed` is set once the first of them has the cursor."""

    formed: asyncio.Event


class Lines:
    """A field of several lines, to which Enter is text. Its editor is not loaded for the first frame."""


def takes_in(field: Widget, key: str) -> bool:
    """Whether the key is text for the field, or one that the field itself knows. Enter ends a field of one line."""
    if key == "enter":
        return isinstance(field, Lines)
    text = "+" not in key and key not in _NO_TEXT
    return text or key in field._bindings.key_to_bindings


async def done_so_far(node: DOMNode) -> None:
    """Waits until the field, or what holds it, has handled what is in its queue."""
    done = asyncio.Event()
    if node.call_later(done.set):
        await awaited(done)


async def awaited(event: asyncio.Event) -> None:
    """Waits for it, though not for ever: keys wait with it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            await event.wait()


class LineField(Input):
    """A field of one line."""

    cursor_blink = Reactive(False, init=False)  # while nothing happens nothing is written
    virtual_size = Reactive(Size(0, 0))  # Textual's own lays out the whole screen at every letter

    async def _on_key(self, event: events.Key) -> None:
        await do_in_turn(self, event)

    @property
    def _value(self) -> Text:
        # Where Input asks what to draw; a hidden value is dots already.
        if self.password:
            return super()._value
        return Text(drawn(self.value).replace("\t", " ").replace("\n", " "), no_wrap=True, overflow="ignore", end="")

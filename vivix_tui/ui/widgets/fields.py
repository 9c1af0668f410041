"""Fields that people paste into, drawn without what would steer the terminal.

Owns: the harmless picture of a field's text. Refuses: changing the text itself: a pasted body stays as it is.
Textual draws a field's text as it came, and what is pasted comes from web pages and logs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.text import Text
from textual.screen import Screen
from textual.widgets import Input, TextArea

from vivix_tui.domain.text import lines


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


class LineField(Input):
    """A field of one line."""

    @property
    def _value(self) -> Text:
        # Where Input asks what to draw; a hidden value is dots already.
        if self.password:
            return super()._value
        return Text(drawn(self.value).replace("\t", " ").replace("\n", " "), no_wrap=True, overflow="ignore", end="")


class LinesField(TextArea):
    """A field of several lines."""

    def get_line(self, line_index: int) -> Text:
        return Text(drawn(self.document.get_line(line_index)), end="", no_wrap=True)

"""The field of several lines. A module of its own, since Textual's editor takes a while to load.

Owns: nothing that `widgets.fields` does not. Refuses: changing the text.
"""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.reactive import Reactive
from textual.widgets import TextArea

from vivix_tui.ui.widgets.fields import Lines, do_in_turn, drawn


class LinesField(Lines, TextArea):
    """A field of several lines."""

    cursor_blink = Reactive(False, init=False)  # as in `LineField`

    async def _on_key(self, event: events.Key) -> None:
        await do_in_turn(self, event)

    def get_line(self, line_index: int) -> Text:
        return Text(drawn(self.document.get_line(line_index)), end="", no_wrap=True)

"""The field in which a filter by text is typed.

Owns: the pause after which what was typed counts, and when the field is shown. Refuses: rows; it tells what is wanted.
"""

from __future__ import annotations

from textual import on
from textual.message import Message
from textual.widgets import Input

from vivix_tui.ui.widgets.fields import LineField

PAUSE_S = 0.005  # letters that came together
FELT_S = 0.1


class FilterField(LineField):
    """Posts `Wanted` when nothing was typed for `pause_s`; Enter submits it like any field.

    Where a look through the rows takes so long that it is felt, the pause is as long: who types on must not wait for
    one after each letter.
    """

    class Wanted(Message):
        """Rows with `text` are wanted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(placeholder="filter: id, model, prompt, code", id="filter", select_on_focus=False)
        self.display = False
        self.pause_s = PAUSE_S

    def open(self) -> None:
        """Takes the keys from now on."""
        self.display = True
        self.screen.set_focus(self)  # now, not when its turn comes: the next key may be waiting already

    def expect(self, look_s: float) -> None:
        """So long it took to find what was typed."""
        self.pause_s = look_s if look_s > FELT_S else PAUSE_S

    def close(self) -> None:
        """Empty and out of sight."""
        self.value = ""
        self.display = False

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        text = event.value
        self.set_timer(self.pause_s, lambda: self._wanted_if_still(text))

    def _wanted_if_still(self, text: str) -> None:
        if self.value == text:
            self.post_message(self.Wanted(text))

    @on(Input.Submitted)
    def _accepted(self, event: Input.Submitted) -> None:
        self.display = bool(event.value)

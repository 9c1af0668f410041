"""What stands in the table's place when there is no row: what to do first, or that the filter hides all.

Owns: these words. Refuses: everything else.
"""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

FIRST_STEPS = """\
Nothing is tracked yet.

  n                     a new generation, from a form
  a                     paste ids of generations made elsewhere
  vivix-tui track ID    the same from a shell; `track -` reads a pipe
  vivix-tui submit FILE queue bodies: they go out as slots free

Everything you track stays here, on this machine, until you forget it."""
NO_MATCH = "No row matches. esc shows all."
TOO_SMALL = "Too small: it takes 40 × 10."


class Notice(Static):
    """A few plain lines."""

    def __init__(self) -> None:
        super().__init__(id="notice", markup=False)

    def say(self, text: str) -> None:
        if str(self.content) != text:
            self.update(Content(text))

"""What is pasted is no key, and an Escape is one."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.app import App
from textual.message import Message

from vivix_tui.ui.keyboard import PASTE_BEGINS, PASTE_ENDS, PENDING_S, PasteGuard, WaitingDriver

PIECES = st.sampled_from(["a", "R", "\x1b", "\x1b[", "\x1b[2", "\x1b[A", "[200~", "[201~", PASTE_BEGINS, PASTE_ENDS])


def cleaned(text: str) -> str:
    """As it has to come out: whatever is between the marks, without escapes."""
    head, begins, rest = text.partition(PASTE_BEGINS)
    if not begins:
        return text
    pasted, ends, rest = rest.partition(PASTE_ENDS)
    return head + begins + pasted.replace("\x1b", "") + ends + (cleaned(rest) if ends else "")


@given(st.lists(PIECES, max_size=12).map("".join), st.lists(st.integers(1, 7), min_size=1))
def test_pasted_text_has_no_escapes_however_it_is_torn(text: str, sizes: list[int]) -> None:
    guard, came, at, turn = PasteGuard(), "", 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        came += guard.clean(text[at : at + size])
        at, turn = at + size, turn + 1
    wanted = cleaned(text)
    # Of a paste that has not ended, what may be the beginning of its end is still waited for.
    assert wanted.startswith(came)
    assert len(wanted) - len(came) < len(PASTE_ENDS)
    came += guard.clean(PASTE_ENDS)
    assert came == cleaned(text + PASTE_ENDS)


class Starved(WaitingDriver):
    """It stands still for longer than an Escape waits before it reads what was typed in the second place."""

    def __init__(self, *typed: bytes) -> None:
        super().__init__(App())
        self.fileno, self._keyboard = os.pipe()
        self._typed, self.keys = iter(typed), list[str]()
        os.write(self._keyboard, next(self._typed))

    def _read(self) -> bytes:
        data = super()._read()
        more = next(self._typed, None)
        if more is None:
            time.sleep(PENDING_S + 0.05)
            self.exit_event.set()
        else:
            os.write(self._keyboard, more)
        return data

    def process_message(self, message: Message) -> None:
        assert isinstance(message, events.Key)
        self.keys.append(message.key)


@pytest.mark.parametrize(
    ("typed", "keys"),
    [((b"\x1b", b"j"), ["escape", "j"]), ((b"\x1b", b"[B"), ["down"]), ((b"\x1b[", b"B"), ["down"])],
    ids=["an escape", "an arrow that was torn", "one torn elsewhere"],
)
async def test_a_key_is_what_it_is_although_the_machine_stood_still(typed: tuple[bytes, ...], keys: list[str]) -> None:
    driver = Starved(*typed)
    driver.run_input_thread()
    assert driver.keys == keys

"""The keyboard is waited for, not asked ten times a second: an idle dashboard sleeps.

Owns: the thread that reads the terminal. Refuses: what its bytes mean; Textual's parser knows. Textual's own thread
wakes every tenth of a second, which is half of what an idle dashboard would cost, and keeps an Escape and the end
waiting for up to as long.
"""

from __future__ import annotations

import os
import selectors
import signal
import threading
from codecs import getincrementaldecoder
from collections.abc import Iterable
from typing import Any

from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

CHUNK = 4096
PASTE_BEGINS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"
# An Escape is a key of its own where nothing follows it for so long; a thousandth more, so that the parser agrees.
PENDING_S = constants.ESCAPE_DELAY + 0.001
GOES_ON = "[O"  # behind an Escape that begins a key with a longer name


class SelectableEvent(threading.Event):
    """An event that a selector can wait for, beside a terminal; as long as the program runs."""

    def __init__(self) -> None:
        super().__init__()
        self._out, self._in = os.pipe()

    def fileno(self) -> int:
        return self._out

    def set(self) -> None:
        if not self.is_set():
            super().set()
            os.write(self._in, b"!")

    def clear(self) -> None:
        if self.is_set():
            os.read(self._out, 1)
            super().clear()


class PasteGuard:
    """Takes the escapes out of pasted text: Textual would play what follows one as keys, and a key may cost credits."""

    def __init__(self) -> None:
        self._inside = False
        self._before = ""  # the last signs: a mark may come in two pieces

    def clean(self, text: str) -> str:
        """`text` without them; within a paste what may be the beginning of its end waits for the next piece."""
        cleaned: list[str] = []
        while text:
            if self._inside:
                pasted, mark, text = (self._before + text).partition(PASTE_ENDS)
                kept = "" if mark else _beginning(pasted, PASTE_ENDS)
                cleaned += pasted[: len(pasted) - len(kept)].replace("\x1b", ""), mark
                self._before, self._inside = kept, not mark
            else:
                seen = self._before + text
                head, mark, rest = seen.partition(PASTE_BEGINS)
                cleaned.append(text[: len(text) - len(rest)])
                self._before, self._inside, text = "" if mark else head[1 - len(PASTE_BEGINS) :], bool(mark), rest
        return "".join(cleaned)


def _beginning(text: str, mark: str) -> str:
    """The longest end of `text` with which `mark` may begin."""
    return next((mark[:size] for size in range(len(mark) - 1, 0, -1) if text.endswith(mark[:size])), "")


class WaitingDriver(LinuxDriver):
    """Textual's driver of terminals, with a thread that sleeps until a key comes or the end."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.exit_event: SelectableEvent = SelectableEvent()

    def run_input_thread(self) -> None:
        parser, guard = XTermParser(self._debug), PasteGuard()
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self.exit_event, selectors.EVENT_READ)
            wait_s: float | None = None
            escape_last = False
            while not self.exit_event.is_set():
                ready = {key.fd for key, _ in selector.select(wait_s)}
                wait_s, text = None, ""
                if self.fileno in ready:
                    data, wait_s = self._read(), PENDING_S
                    if not data:
                        selector.unregister(self.fileno)
                        os.kill(os.getpid(), signal.SIGHUP)
                    text = guard.clean(decode(data))  # empty where it is a part of a letter
                # Where the machine stood still the time of an Escape may be over although more has come: first the
                # Escape, or the parser takes it for the beginning of a key that it is not, and nothing remains of it.
                if not text or (escape_last and text[0] not in GOES_ON):
                    self._pass_on(parser.tick())
                if text:
                    escape_last = text.endswith("\x1b")
                    self._pass_on(parser.feed(text))

    def _pass_on(self, events: Iterable[Message]) -> None:
        for event in events:
            self.process_message(event)

    def _read(self) -> bytes:
        """What was typed; nothing when the terminal is gone, which not every one tells by a HUP."""
        try:
            return os.read(self.fileno, CHUNK)
        except OSError:
            return b""

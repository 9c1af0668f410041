"""TERM and HUP end the program in time, also while the terminal takes nothing; CONT brings it back.

Owns: these signals, and room for the last bytes that restore the terminal. Refuses: what an end means; the caller
says. A terminal that does not read (a stalled SSH link) blocks Textual's writing thread, and with it the loop.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from textual.driver import Driver

STUCK_S = 0.3
LONGEST_S = 2.5
STEP_S = 0.03
LAST_WORDS_S = 0.2
# What Textual switched on: bracketed paste, the mouse, reports of focus and size, key codes, the other screen.
LAST_WORDS = (
    b"\x1b[0m\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1004l"
    b"\x1b[<u\x1b[?1049l\x1b[?25h"
)
_SCREEN = 2  # Textual draws on stderr, and puts another object into sys.stderr


def on_signals(loop: asyncio.AbstractEventLoop, driver: Driver | None, end: Callable[[int], object]) -> None:
    """Calls `end` with the exit code, in `loop`, which has to close soon after. To be called in the main thread, when
    `driver` has taken the terminal."""
    attributes = getattr(driver, "attrs_before", None)

    def told(number: int, _frame: FrameType | None) -> None:
        # Python runs this between two steps of the main thread, even while the loop waits for the writing thread.
        with suppress(RuntimeError):  # it closed meanwhile: the program ends already
            loop.call_soon_threadsafe(end, 128 + number)
        threading.Thread(target=_insist, args=(loop, 128 + number, attributes), name="ending", daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, told)


def on_continue(loop: asyncio.AbstractEventLoop, driver: Driver, redraw: Callable[[], object]) -> None:
    """Takes the terminal back only where it was given away; to be called in the main thread, when Textual has started.

    Textual does so at every CONT. After a STOP that nobody asked it about, two threads would then read the keyboard,
    and the end waits for the one that gets no key.
    """
    resume = signal.getsignal(signal.SIGCONT)
    if not callable(resume):  # nobody listens: there is no terminal
        return

    def continued(number: int, frame: FrameType | None) -> None:
        if getattr(driver, "_must_signal_resume", True):
            resume(number, frame)
        else:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(redraw)

    signal.signal(signal.SIGCONT, continued)


def _insist(loop: asyncio.AbstractEventLoop, code: int, attributes: list[Any] | None) -> None:
    """Until the loop has closed, what a stuck terminal has not taken is thrown away. At last, ends regardless."""
    began = stuck_since = time.monotonic()
    while not loop.is_closed():
        now = time.monotonic()
        if now - began > LONGEST_S:
            last = threading.Thread(target=_give_back, args=(attributes,), name="last words", daemon=True)
            last.start()
            last.join(LAST_WORDS_S)  # a stuck terminal takes none
            os._exit(code)
        if not _is_stuck():
            stuck_since = now
        elif now - stuck_since > STUCK_S:
            with suppress(OSError, ValueError, termios.error):
                termios.tcflush(_SCREEN, termios.TCOFLUSH)
        time.sleep(STEP_S)


def _give_back(attributes: list[Any] | None) -> None:
    """The terminal as it was, where the loop hangs and cannot."""
    with suppress(OSError, termios.error):
        if attributes is not None:
            termios.tcsetattr(_SCREEN, termios.TCSANOW, attributes)
            os.write(_SCREEN, LAST_WORDS)


def _is_stuck() -> bool:
    with suppress(OSError, ValueError):
        return not select.select([], [_SCREEN], [], 0)[1]
    return False

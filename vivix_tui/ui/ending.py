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

from textual.driver import Driver

STUCK_S = 0.3
LONGEST_S = 2.5
STEP_S = 0.03
_SCREEN = 2  # Textual draws on stderr, and puts another object into sys.stderr


def on_signals(loop: asyncio.AbstractEventLoop, end: Callable[[int], object]) -> None:
    """Calls `end` with the exit code, in `loop`, which has to close soon after. To be called in the main thread."""

    def told(number: int, _frame: FrameType | None) -> None:
        # Python runs this between two steps of the main thread, even while the loop waits for the writing thread.
        with suppress(RuntimeError):  # it closed meanwhile: the program ends already
            loop.call_soon_threadsafe(end, 128 + number)
        threading.Thread(target=_insist, args=(loop, 128 + number), name="ending", daemon=True).start()

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


def _insist(loop: asyncio.AbstractEventLoop, code: int) -> None:
    """Until the loop has closed, what a stuck terminal has not taken is thrown away. At last, ends regardless."""
    began = stuck_since = time.monotonic()
    while not loop.is_closed():
        now = time.monotonic()
        if now - began > LONGEST_S:
            os._exit(code)
        if not _is_stuck():
            stuck_since = now
        elif now - stuck_since > STUCK_S:
            with suppress(OSError, ValueError, termios.error):
                termios.tcflush(_SCREEN, termios.TCOFLUSH)
        time.sleep(STEP_S)


def _is_stuck() -> bool:
    with suppress(OSError, ValueError):
        return not select.select([], [_SCREEN], [], 0)[1]
    return False

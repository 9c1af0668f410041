"""Blocking work beside the event loop, in threads that never hold up the end of the program.

Owns: one thread for one piece of work, and what happens to it when its task is cancelled. Refuses: the work. The
loop's own executor is not used: Python waits for its threads at exit, be it for a name server that never answers.
Also how memory is shared among threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")
# malloc.h of glibc
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _THRESHOLD = -1, -3, 128 * 1024


def give_memory_back() -> None:
    """What was freed goes back to the system, in this process and from now on.

    glibc raises these limits by itself as large buffers come and go, and has a heap for each thread: with a thread for
    each download the process grew by 60 MB an hour of which nothing was in use.
    """
    with contextlib.suppress(OSError, AttributeError):  # another libc
        libc = ctypes.CDLL(None)
        for limit in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD):
            libc.mallopt(limit, _THRESHOLD)


async def in_thread(work: Callable[[], T], *, abort: Callable[[], None] | None = None, wait: bool = True) -> T:
    """The outcome of `work()`. When the task is cancelled, `abort` is to end it; its end is waited for unless `wait`
    is False: then it goes on for a while with nobody listening, and must not touch what others use."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(report: Callable[[], None]) -> None:
        if not outcome.done():
            report()

    def run() -> None:
        try:
            report = partial(outcome.set_result, work())
        except BaseException as error:  # noqa: BLE001 - raised again where the outcome is awaited
            report = partial(outcome.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits for this
            loop.call_soon_threadsafe(settle, report)

    threading.Thread(target=run, name="download", daemon=True).start()
    try:
        return await asyncio.shield(outcome)
    except asyncio.CancelledError:
        if abort is not None:
            abort()
        if wait:
            await asyncio.wait([outcome])
        if outcome.done() and not outcome.cancelled():
            outcome.exception()  # seen: nobody is left to whom it matters
        else:
            outcome.cancel()
        raise

"""What goes wrong beside the rows: a loop that stalls, a traceback in the log, an engine that dies.

Owns: noticing. Refuses: provoking it.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from types import TracebackType
from typing import Any

from vivix_tui.engine.engine import Engine

BEAT_S = 0.05
STALLED_S = 1.0


class Watch(logging.Handler):
    """While it is entered: `tracebacks` of all logs and threads, `stalls` of the engine's loop (seconds) over 1 s.

    A beat that comes late because this whole process had no processor is not counted against the loop.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.tracebacks: list[str] = []
        self.stalls: list[float] = []
        self.longest_s = 0.0
        self._engine = engine
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        logging.getLogger().addHandler(self)
        self._hooks = threading.excepthook, sys.unraisablehook
        threading.excepthook = sys.unraisablehook = self._nobody_caught
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        threading.excepthook, sys.unraisablehook = self._hooks
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or record.levelno >= logging.ERROR:
            found = record.exc_info[1] if record.exc_info else None
            self.tracebacks.append(f"{record.name}: {record.getMessage()[:200]}: {found!r:.300}")

    def _nobody_caught(self, what: Any) -> None:
        self.tracebacks.append(f"nobody caught {what.exc_value!r}")

    def _beat(self) -> None:
        beat = threading.Event()
        while not self._over.is_set():
            loop, asked = self._engine._loop, time.monotonic()
            if loop is None or loop.is_closed():
                time.sleep(BEAT_S)
                continue
            beat.clear()
            loop.call_soon_threadsafe(beat.set)
            own_s = 0.0
            while not beat.is_set() and not self._over.is_set():
                slept = time.monotonic()
                beat.wait(BEAT_S)
                own_s += max(0.0, time.monotonic() - slept - BEAT_S)
            late_s = time.monotonic() - asked - own_s
            self.longest_s = max(self.longest_s, late_s)
            if late_s > STALLED_S:
                self.stalls.append(late_s)
            time.sleep(BEAT_S)

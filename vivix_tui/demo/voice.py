"""What the server says on stdout: human lines, or JSON lines for the program that started it.

Owns the output and its patience: lines are written by a thread of their own, so a reader that stopped reading delays
nobody, and a reader that is gone ends nothing. Refuses buffered streams there: a thread that holds their lock would
break the exit of the interpreter.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import Any


class Announcer:
    """JSON lines on file descriptor 1."""

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._write, name="announcer", daemon=True).start()

    def say(self, **facts: Any) -> None:
        """Queues one line."""
        self._lines.put(json.dumps(facts).encode() + b"\n")

    def _write(self) -> None:
        while True:
            line = self._lines.get()
            try:
                while line:
                    line = line[os.write(1, line) :]
            except OSError:
                return  # the reader is gone; nobody misses the rest


def tell(lines: list[str]) -> None:
    """Prints to whoever is there."""
    try:
        print("\n".join(lines), flush=True)
    except OSError:
        # The reader is gone. The interpreter flushes stdout once more at exit and must not stumble over it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

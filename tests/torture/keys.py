"""How long it takes from a key to what it shows, on a real terminal.

Owns: the stop-watch, and how what it found is told. Refuses: saying how long is too long.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence

from tests.e2e.terminal import Terminal
from tests.torture.figures import Figures
from tests.torture.samples import percentile

ANSWER_S = 5.0


class Keys:
    """Presses keys on `terminal`. `seconds` are from a key to what it shows, by kind; `silent` showed nothing."""

    def __init__(self, terminal: Terminal, *kinds: str) -> None:
        self.seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
        self.silent: list[str] = []
        self._terminal = terminal

    def press(self, kind: str, key: str, shown: Callable[[], bool]) -> None:
        """Presses `key`, and waits until `shown`."""
        pressed = time.monotonic()
        os.write(self._terminal.fd, key.encode())
        while not shown():
            if time.monotonic() - pressed > ANSWER_S:
                self.silent.append(f"{key!r}: {self._terminal.text[:600]}")
                return
            self._terminal.read(0.01)
        self.seconds.setdefault(kind, []).append(time.monotonic() - pressed)

    def move(self, key: str) -> None:
        """A key that moves the cursor of the table; nothing where there is none."""
        before = self._row()
        if before:
            self.press("move", key, lambda: self._row() not in (before, ""))

    def _row(self) -> str:
        """The id under the cursor's bar, empty without one. Its line says less: rows come in above it meanwhile."""
        lines = self._terminal.text.split("\n")
        return next((line[2:10] for line in lines if line.startswith("▌")), "")

    def tell(self, figures: Figures, most_ms: float = math.inf) -> None:
        """The figures; the 99th percentile of all keys has to lie below `most_ms`."""
        for kind, seconds in self.seconds.items():
            shown = ", ".join(str(ms(seconds, share)) for share in (0.5, 0.99, 1.0))
            figures.tell(f"{kind}: keys; p50, p99, most ms to the screen", f"{len(seconds)}; {shown}")
        p99 = ms([s for seconds in self.seconds.values() for s in seconds], 0.99)
        figures.tell("all keys: p99 ms to the screen", p99)
        figures.promise(p99 < most_ms, f"p99 of key to screen is {p99} ms")
        figures.none("keys without an answer", self.silent)


def ms(seconds: Sequence[float], share: float) -> int:
    return round(1000 * percentile(seconds, share)) if seconds else 0

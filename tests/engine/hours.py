"""An engine in a process of its own whose clock can be set: hours pass in seconds, or at once.

Owns: that clock, on both sides, and the process. Only the machine's clock is replaced, the program and its settings
are the real ones. Sockets are not faster than they are: at 60 an answer after 3 ms took 0.2 s.
"""

from __future__ import annotations

import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from tests.conftest import KEY
from vivix_tui.config import Config
from vivix_tui.engine.engine import Engine
from vivix_tui.keys import ApiKey

REAL_MONOTONIC, REAL_TIME = time.monotonic, time.time


class Clock:
    """Seconds that pass `speed` times as fast as those of the machine; `skip` seconds at once."""

    def __init__(self) -> None:
        now = REAL_MONOTONIC()
        self._set = (now, now, 1.0, 0.0)  # real, shown, speed, skipped: one value, so that threads see all or none

    def monotonic(self) -> float:
        real, shown, speed, _ = self._set
        return shown + (REAL_MONOTONIC() - real) * speed

    def time(self) -> float:
        """The time of day does not run faster: whoever compares it with `monotonic` looks for a sleep."""
        return REAL_TIME() + self._set[3]

    @property
    def speed(self) -> float:
        return self._set[2]

    def change(self, *, speed: float, skip: float = 0.0) -> None:
        self._set = (REAL_MONOTONIC(), self.monotonic() + skip, speed, self._set[3] + skip)


class FastEngine:
    """The process, and its clock as seen from here."""

    def __init__(self, config: Config) -> None:
        told = msgspec.json.encode(config, enc_hook=str).decode()
        self.clock = Clock()
        self.process = subprocess.Popen([sys.executable, "-m", __name__, told, KEY], stdin=subprocess.PIPE, text=True)

    def change(self, *, speed: float, skip: float = 0.0) -> None:
        """Sets the clock on both sides."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{speed} {skip}\n")
        self.process.stdin.flush()
        self.clock.change(speed=speed, skip=skip)

    def passes(self, seconds: float) -> None:
        """Waits until so many of its seconds have passed."""
        end = self.clock.monotonic() + seconds
        while (left := end - self.clock.monotonic()) > 0:
            time.sleep(max(left / self.clock.speed, 0.001))


@contextmanager
def fast_engine(config: Config) -> Iterator[FastEngine]:
    """Runs at the machine's speed until told otherwise, and ends with the block."""
    engine = FastEngine(config)
    try:
        yield engine
    finally:
        engine.process.kill()
        engine.process.communicate()


def main(config_json: str, key: str) -> None:
    """The process: reads `SPEED SKIP` lines until its standard input ends."""
    clock = Clock()

    class Selector(selectors.DefaultSelector):
        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            return super().select(timeout / clock.speed if timeout else timeout)

    time.monotonic, time.time = clock.monotonic, clock.time
    selectors.DefaultSelector = Selector  # type: ignore[misc]
    config = msgspec.json.decode(config_json, type=Config, strict=False, dec_hook=lambda type, value: type(value))
    Engine(config, lambda: ApiKey(key)).start()
    for line in sys.stdin:
        speed, skip = line.split()
        clock.change(speed=float(speed), skip=float(skip))


if __name__ == "__main__":
    main(*sys.argv[1:])

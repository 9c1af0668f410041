"""One program that is measured: what to run, how to see that it is there, which keys it knows, what came out.

Owns: one round of measuring. Refuses: choosing programs and judging figures (`bench.ui`).
"""

from __future__ import annotations

import math
import os
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from bench.still import StillRows, measure_changes
from bench.terminal import Terminal

KEYS = 60
STRIDE = 10  # so many down, then so many up: short tables end
SETTLE_S = 0.7
QUIET_S = 12.0  # after so long without changes the dashboard looks for them less often


@dataclass(slots=True)
class Program:
    """What to run, how to see that it is there, and which keys it knows. Empty strings leave a figure out."""

    name: str
    command: list[str]
    painted: str
    down: str = "j"
    up: str = "k"
    quit: str = "q"
    env: dict[str, str] = field(default_factory=dict)
    columns: int = 120
    jump: str = ""
    sort: str = ""
    sorted: str = ""
    filter: str = ""
    rows: Path | None = None
    quiet_s: float = QUIET_S
    idle_s: float = 6.0
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, figure: str, value: float) -> None:
        self.figures.setdefault(figure, []).append(value)

    def add(self, earlier: Program) -> None:
        """Takes over what was measured of the same program before."""
        for figure, values in earlier.figures.items():
            self.figures[figure] = [*values, *self.figures.get(figure, ())]

    def median(self, figure: str) -> float | None:
        values = [value for value in self.figures.get(figure, ()) if not math.isnan(value)]
        return statistics.median(values) if values else None


def measure(program: Program, cwd: str) -> None:
    """One round."""
    rows = StillRows(program.rows) if program.rows is not None else None
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | program.env
    with Terminal(program.command, env, cwd, program.columns) as terminal:
        program.note("first rows ms", terminal.wait_for(program.painted) * 1000)
        terminal.settle(SETTLE_S)
        keys = [program.up if number // STRIDE % 2 else program.down for number in range(KEYS)]
        answers = [terminal.press(key) for key in keys]
        times = sorted(seconds * 1000 for seconds, count in answers if count)
        if len(times) > KEYS / 2:  # else they are answers to something else
            program.note("key ms", statistics.median(times))
            program.note("key p95 ms", times[int(len(times) * 0.95)])
            program.note("key bytes", statistics.median(count for _, count in answers))
        if program.jump:
            program.note("hold j ms", terminal.hold(program.down, seconds=5, per_s=30) * 1000)
            program.note("jump ms", terminal.press(program.jump)[0] * 1000)
        if program.filter:
            terminal.press("/")
            # The footer says what is filtered for, in the frame that shows the rows.
            program.note("filter ms", terminal.press_for(program.filter, f"[{program.filter}:") * 1000)
            terminal.press("\x1b", quiet_s=0.3)
        if program.sort:
            for key in program.sort[:-1]:
                terminal.press(key)
                terminal.settle(0.2)
            # The header says what is sorted by, in the frame that shows the rows.
            program.note("sort ms", terminal.press_for(program.sort[-1], program.sorted) * 1000)
            terminal.press("k")
            program.note("sorted jump ms", terminal.press(program.jump)[0] * 1000)
            terminal.settle(0.2)
            for key in "sa":  # what is remembered is not what the next round begins with
                terminal.press(key)
        if rows is not None:
            for figure, value in measure_changes(terminal, rows).items():
                program.note(figure, value)
            rows.close()
        terminal.idle(program.quiet_s)
        idle = terminal.idle(program.idle_s)
        program.note("idle B/s", idle.bytes_per_s)
        program.note("idle CPU %", idle.cpu_share * 100)
        program.note("RSS MB", terminal.rss_bytes() / 1e6)
        program.note("quit ms", terminal.quit(program.quit) * 1000)

"""`make bench-ui`: start, keys, thrift and exit of the dashboard, beside the least Textual program and peers.

All programs run in the same kind of pty, one after the other, several rounds interleaved, so that noise hits all of
them alike; medians and ratios are printed. Peers are measured where they are installed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.terminal import GaveUp, Terminal
from vivix_tui import verbs
from vivix_tui.domain.idlist import parse_ids
from vivix_tui.store.store import Store

KEYS = 60
SETTLE_S = 0.7
GOALS = (
    # figure, program, limit, the program it is relative to (None: absolute), unit
    ("first rows ms", "empty", 1.3, "floor"),
    ("first rows ms", "history", 1.1, "empty"),
    ("key ms", "history", 8.0, None),
    ("key p95 ms", "history", 15.0, None),
    ("key bytes", "history table", 500.0, None),
    ("key bytes", "history", 2_000.0, None),
    ("idle B/s", "empty", 0.0, None),
    ("idle CPU %", "empty", 0.3, None),
    ("idle B/s", "busy", 2_500.0, None),
    ("idle CPU %", "busy", 2.0, None),
    ("RSS MB", "history", 80.0, None),
    ("RSS MB", "empty", 65.0, None),
    ("jump ms", "history", 100.0, None),
    ("filter ms", "history", 100.0, None),
    ("sort ms", "history", 100.0, None),
    ("sorted jump ms", "history", 100.0, None),
    ("hold j ms", "history", 20.0, None),
    ("quit ms", "empty", 450.0, None),
)


@dataclass(slots=True)
class Program:
    """What to run, how to see that it is there, and which keys it knows. Empty strings leave a figure out."""

    name: str
    command: list[str]
    painted: str
    down: str = "j"
    quit: str = "q"
    env: dict[str, str] = field(default_factory=dict)
    columns: int = 120
    jump: str = ""
    filter: str = ""
    sort: str = ""
    idle_s: float = 6.0
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, figure: str, value: float) -> None:
        self.figures.setdefault(figure, []).append(value)

    def median(self, figure: str) -> float | None:
        values = [value for value in self.figures.get(figure, ()) if not math.isnan(value)]
        return statistics.median(values) if values else None


def measure(program: Program, cwd: str) -> None:
    """One round."""
    with Terminal(program.command, os.environ | program.env, cwd, program.columns) as terminal:
        program.note("first rows ms", terminal.wait_for(program.painted) * 1000)
        terminal.settle(SETTLE_S)
        answers = [terminal.press(program.down) for _ in range(KEYS)]
        times = sorted(seconds * 1000 for seconds, count in answers if count)
        if times:
            program.note("key ms", statistics.median(times))
            program.note("key p95 ms", times[int(len(times) * 0.95)])
            program.note("key bytes", statistics.median(count for _, count in answers))
        if program.jump:
            program.note("hold j ms", terminal.hold(program.down, seconds=5, per_s=30) * 1000)
            program.note("jump ms", terminal.press(program.jump)[0] * 1000)
        if program.filter:
            terminal.press("/")
            program.note("filter ms", terminal.press(program.filter, quiet_s=0.3)[0] * 1000)
            terminal.press("\x1b", quiet_s=0.3)
        if program.sort:
            for key in program.sort[:-1]:
                terminal.press(key)
            program.note("sort ms", terminal.press(program.sort[-1])[0] * 1000)
            terminal.press("k")
            program.note("sorted jump ms", terminal.press(program.jump)[0] * 1000)
            for key in "sa":  # what is remembered is not what the next round begins with
                terminal.press(key)
        terminal.settle(SETTLE_S)
        idle = terminal.idle(program.idle_s)
        program.note("idle B/s", idle.bytes_per_s)
        program.note("idle CPU %", idle.cpu_share * 100)
        program.note("RSS MB", terminal.rss_bytes() / 1e6)
        program.note("quit ms", terminal.quit(program.quit) * 1000)


@contextmanager
def demo_api(home: Path, scenario: str) -> Iterator[dict[str, str]]:
    """The simulated API in a process of its own, and the environment in which the dashboard watches it."""
    data = home / ".local/share/vivix-tui"
    # Slowly, so that the jobs of the opening stay under way for as long as is measured.
    command = [sys.executable, "-m", "vivix_tui.demo", "--announce", "--scenario", scenario, "--speed", "0.1"]
    command += ["--data", str(data)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None  # noqa: S101 - asked for above
    assert process.stdin is not None  # noqa: S101 - asked for above
    try:
        told = json.loads(process.stdout.readline())
        opening = "".join(process.stdout.readline() for _ in range(told["opening"]))
        config = home / "config.toml"
        config.write_text(f'profile = "demo"\n[profiles.demo]\nbase_url = "{told["base_url"]}"\n')
        env = {"HOME": str(home), "VIVIX_CONFIG": str(config), "VIVIX_API_KEY": told["api_key"]}
        track(data / "vivix.db", opening)
        # What the scenario submits later is not followed, but its lines have to be taken.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield env
    finally:
        process.stdin.close()
        process.wait(10)


def track(database: Path, lines: str) -> None:
    store = Store(database)
    verbs.track(store, "demo", parse_ids(lines))
    store.close()


def write_history(home: Path) -> None:
    """The demo writes its 100,000 past generations once."""
    data = home / ".local/share/vivix-tui"
    command = [sys.executable, "-m", "vivix_tui.cli.main", "demo", "--scenario", "history", "--data", str(data)]
    with Terminal(command, os.environ | {"HOME": str(home)}, str(home)) as terminal:
        terminal.wait_for("rendering", limit_s=120)
        terminal.quit("q")


def peers() -> list[Program]:
    """Other terminal programs, where they are installed."""
    known = [
        Program("htop", ["htop"], "PID", down="\x1b[B"),
        Program("tig", ["tig"], "main", down="j", quit="Q"),
        Program("harlequin", ["harlequin"], "Query", down="\x1b[B", quit="\x11"),
        Program("posting", ["posting"], "Collection", down="j", quit="\x03"),
    ]
    return [program for program in known if shutil.which(program.command[0])]


def table(programs: list[Program]) -> str:
    names = list(dict.fromkeys(name for program in programs for name in program.figures))
    lines = [f"{'':14}" + "".join(f"{name:>15}" for name in names)]
    for program in programs:
        cells = (program.median(name) for name in names)
        lines.append(f"{program.name:14}" + "".join(f"{'–' if v is None else f'{v:,.1f}':>15}" for v in cells))
    return "\n".join(lines)


def verdicts(programs: list[Program]) -> Iterator[tuple[str, bool]]:
    """Each goal in words, and whether it is met."""
    by_name = {program.name: program for program in programs}
    for figure, name, limit, relative_to in GOALS:
        value = by_name[name].median(figure)
        base = by_name[relative_to].median(figure) if relative_to else 1.0
        if value is None or not base:
            yield f"{name}: {figure} was not measured", False
            continue
        shown = value / base
        unit = f"× {relative_to}" if relative_to else ""
        yield f"{name}: {figure} {shown:,.2f} {unit} (goal ≤ {limit:g})", shown <= limit


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    dashboard: list[str] = [sys.executable, "-m", "vivix_tui.cli.main"]
    with tempfile.TemporaryDirectory(prefix="vivix-bench-") as folder:
        homes = {name: Path(folder, name) for name in ("empty", "busy", "history")}
        for home in homes.values():
            home.mkdir()
        write_history(homes["history"])
        with ExitStack() as apis:
            empty = apis.enter_context(demo_api(homes["empty"], "empty"))
            busy = apis.enter_context(demo_api(homes["busy"], "busy"))
            history = apis.enter_context(demo_api(homes["history"], "busy"))
            programs = [
                Program("floor", [sys.executable, "-m", "bench.floor"], "prompt number 1"),
                Program("empty", dashboard, "Nothing is tracked yet", env=empty),
                Program("busy", dashboard, "rendering", env=busy, idle_s=15),
                Program("history", dashboard, "rendering", env=history, jump="G", filter="forest", sort="sd"),
                Program("history table", dashboard, "rendering", env=history, columns=99),
                *peers(),
            ]
            for number in range(options.rounds):
                print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
                for program in programs:
                    try:
                        measure(program, str(Path.cwd()))
                    except GaveUp as reason:
                        print(f"{program.name}: {reason}", file=sys.stderr)
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}")
    print(table(programs))
    met = list(verdicts(programs))
    for words, good in met:
        print(f"{'met   ' if good else 'MISSED'}  {words}")
    return 0 if all(good for _, good in met) else 1


if __name__ == "__main__":
    sys.exit(main())

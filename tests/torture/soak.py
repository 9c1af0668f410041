"""`python -m tests.torture.soak`: the whole program on a terminal for long, with a stormy API and a restless user.

LIF-02, G7. The demo runs at ten times its speed, somebody presses keys at random and submits bodies, and each second
/proc is looked at. Slopes are of what comes after the warm-up. Exits 1 when a goal was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from tests.conftest import make_home
from tests.e2e.terminal import Terminal
from tests.torture.figures import Figures
from tests.torture.journal import Journal
from tests.torture.keys import Keys
from tests.torture.maker import body
from tests.torture.samples import Sample, children, is_running, look, per_hour, rise
from vivix_tui import verbs, verbs_queue
from vivix_tui.store.store import Store

PROFILE = "demo"
CONFIG = '[download]\nauto = "completed"\n'
# Nothing that quits, suspends, asks for a key, opens an editor or a browser, or spends credits.
KEYS = (
    "j", "j", "j", "k", "k", "g", "G", "\x04", "\x15", "\x1b[6~", "\r", "!", "1", "2", "3", "4", "0",
    "\x0c", " ", "U", "y", "r", "d", "x", "z",
)  # fmt: skip
SUBMIT_EACH_S = 3.0
ESCAPE_S = 0.15  # so long a terminal program waits for what may follow an escape
# Where it was raised and what it says: the log itself goes with the run's folder.
TRACEBACK = re.compile(r"^Traceback .*\n(?:[ ].*\n)*?((?:[ ].*\n){1,3}\S.*)", re.MULTILINE)
MB = 1024 * 1024
# What is never reached, however short the run. At ten times the speed some hundred calls go out in ten seconds: one
# descriptor or thread lost by each, or by each key, reaches both. LIF-06 promises that 64 descriptors are enough.
DESCRIPTORS, THREADS = 64, 24


class Soak:
    """The dashboard on a terminal, pressed and looked at."""

    def __init__(self, terminal: Terminal, folder: Path, dice: random.Random, count_file: Path) -> None:
        self._count_file = count_file
        self.samples: list[Sample] = []
        self.keys = Keys(terminal, "move", "type", "help", "palette")
        self._terminal, self._folder, self._dice = terminal, folder, dice
        self._store = Store(folder / "vivix.db")
        self._submitted = 0

    def run(self, seconds: float) -> None:
        """Presses, submits and looks."""
        end = time.monotonic() + seconds
        look_at = submit_at = time.monotonic()
        probes = (lambda: self.keys.move("j"), self._probe_filter, self._probe_help, self._probe_palette)
        with contextlib.closing(self._store):
            while time.monotonic() < end:
                self._press(self._dice.choice(KEYS))
                self._rest(0.03)
                if self._dice.random() < 0.2:
                    self._clear()
                    self._dice.choice(probes)()
                if time.monotonic() >= look_at:
                    look_at += 1.0
                    self.samples.append(look(self._terminal.pid, self._folder, self._count_file))
                if time.monotonic() >= submit_at:
                    submit_at += SUBMIT_EACH_S
                    self._submit()
            self._clear()

    def _submit(self) -> None:
        self._submitted += 1
        verbs.submit(self._store, PROFILE, [body(f"soak {self._submitted}")], check=False)
        verbs_queue.resume(self._store, PROFILE)

    def _press(self, key: str) -> None:
        os.write(self._terminal.fd, key.encode())
        self._terminal.read(0.02)

    def _clear(self) -> None:
        """Back to the table with all its rows."""
        for _ in range(3):
            self._press("\x1b")
            self._rest(ESCAPE_S)
        self._press("0")
        self._press("g")
        self._rest(ESCAPE_S)

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._terminal.read(0.02)

    def _probe_filter(self) -> None:
        self._press("/")
        for typed in ("z", "zj", "zjk"):  # were the field not there, they would do no harm
            self.keys.press("type", typed[-1], partial(self._shows, f"\n {typed}"))

    def _probe_help(self) -> None:
        self.keys.press("help", "?", partial(self._shows, "esc close"))

    def _probe_palette(self) -> None:
        """Opens it, looks for something and closes it again: Enter would choose, be it to quit."""
        self.keys.press("palette", ":", partial(self._shows, "Search for commands"))
        self._press(self._dice.choice("adrfs"))
        self._clear()

    def _shows(self, text: str) -> bool:
        return text in self._terminal.text


def run(folder: Path, *, minutes: float, seed: int, warm_up_s: float = 120.0, speed: float = 10.0) -> Figures:
    """One run; it ends what it started."""
    figures = Figures(f"LIF-02, G7: {minutes:g} min of the stormy demo at ×{speed:g}, seed {seed}")
    data = folder / "demo"
    home = make_home(folder, COUNT_FILE=str(folder / "tasks"))
    file = home.path / "config" / "vivix-tui" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG)
    arguments = ("demo", "--scenario", "stormy", "--seed", str(seed), "--speed", str(speed), "--data", str(data))
    with Terminal(home, *arguments, module="tests.torture.counted") as terminal:
        terminal.wait_for("live|retrying")
        started = children(terminal.pid)
        soak = Soak(terminal, data, random.Random(seed), folder / "tasks")
        soak.run(minutes * 60)
        figures.none("rows lost", _lost(data))
        left_at = time.monotonic()
        terminal.leave()
        code = terminal.exit_code(10)
        figures.tell("seconds to quit", time.monotonic() - left_at)
        figures.promise(code == 0, f"it ended with {code}")
        figures.none("processes left over", [pid for pid in started if is_running(pid)])
    for pid in filter(is_running, started):
        os.kill(pid, signal.SIGTERM)
    _tell(figures, soak, warm_up_s)
    log = "".join(path.read_text("utf-8", "replace") for path in data.glob("vivix.log*"))
    figures.none("tracebacks in the log", TRACEBACK.findall(log))
    return figures


def _lost(data: Path, patience_s: float = 15.0) -> list[str]:
    """Ids that the demo accepted by now and that do not come to be in the database, though their answers were told."""
    lines = [json.loads(line) for line in (data / "demo-api.jsonl").read_text("utf-8").splitlines()]
    jobs = {line["job"]["id"]: line["job"]["body"]["prompt"] for line in lines if "job" in line}
    journal = Journal(data / "vivix.db", data / "outputs")
    end = time.monotonic() + patience_s
    while True:
        doubtful = {
            json.loads(r["body"])["prompt"] for r in journal.submissions() if r["state"] in ("unknown", "sending")
        }
        lost = [i for i, prompt in jobs.items() if i not in journal.generations() and prompt not in doubtful]
        if not lost or time.monotonic() > end:
            return lost
        time.sleep(0.5)


def _tell(figures: Figures, soak: Soak, warm_up_s: float) -> None:
    samples = soak.samples
    warm = [s for s in samples if s.at - samples[0].at >= warm_up_s] or samples
    first, last = warm[0], warm[-1]
    figures.tell("samples, of which after the warm-up", f"{len(samples)}, {len(warm)}")
    figures.tell("RSS MB, first and last", f"{first.rss / MB:.1f}, {last.rss / MB:.1f}")
    slope = per_hour(warm, lambda s: s.rss / MB)
    figures.tell("RSS slope, MB an hour", slope)
    figures.tell("descriptors, median, most, rise", _three(warm, lambda s: s.descriptors))
    figures.tell("threads, median, most, rise", _three(warm, lambda s: s.threads))
    # A screen or a toast has tasks of its own while it is open: what must not rise is the least that there ever are.
    least = min(s.tasks for s in warm)
    figures.tell("tasks, least, most, rise", f"{least}, {max(s.tasks for s in warm)}, {_tasks_rise(warm):+g}")
    figures.tell("WAL MB, most", max(s.wal for s in samples) / MB)
    figures.tell("logs MB, and a day of it", f"{last.logs / MB:.2f}, {24 * per_hour(warm, lambda s: s.logs / MB):.1f}")
    figures.tell("CPU of a core, %", 100 * (last.cpu_s - first.cpu_s) / max(1.0, last.at - first.at))
    # The slope and the slowest keys of a few minutes say nothing of an hour.
    long = len(warm) >= 240
    soak.keys.tell(figures, 200 if long else math.inf)
    figures.promise(max(s.descriptors for s in samples) < DESCRIPTORS, f"{DESCRIPTORS} descriptors or more")
    figures.promise(max(s.threads for s in samples) < THREADS, f"{THREADS} threads or more")
    # A program of some seconds still opens its first connections and workers: only later is a rise a leak. In each
    # quarter of so many samples there is a moment, too, in which nothing is open.
    if len(warm) >= 40:
        figures.promise(rise(warm, lambda s: s.descriptors) <= 3, "the descriptors grow")
        figures.promise(rise(warm, lambda s: s.threads) <= 1, "the threads grow")
        figures.promise(_tasks_rise(warm) <= 3, "the tasks grow")
    figures.promise(max(s.wal for s in samples) <= 64 * MB, "the WAL exceeds 64 MB")
    figures.promise(last.logs <= 10 * MB, "the logs exceed 10 MB")
    if long:
        figures.promise(slope < 5, f"RSS grows by {slope:.1f} MB an hour")


def _tasks_rise(samples: list[Sample]) -> float:
    return rise(samples, lambda s: s.tasks, min)


def _three(samples: list[Sample], value: Callable[[Sample], float]) -> str:
    values = list(map(value, samples))
    return f"{median(values):g}, {max(values):g}, {rise(samples, value):+g}"


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.torture.soak", description=__doc__)
    arguments.add_argument("--minutes", type=float, default=10.0, metavar="N", help="how long (default 10)")
    arguments.add_argument("--seed", type=int, default=1, metavar="S", help="what chance depends on (default 1)")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="vivix-soak-") as folder:
        figures = run(Path(folder), minutes=options.minutes, seed=options.seed)
    print(figures.text())
    return 1 if figures.broken else 0


if __name__ == "__main__":
    sys.exit(main())

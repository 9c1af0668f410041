"""LIF-05: several processes on one database: the engine's holder dies and another takes over; two ask for one retry."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.conftest import Home, until
from tests.srv import GENERATE, Srv
from tests.torture.figures import Figures
from tests.torture.journal import Journal
from tests.torture.kills import check, finish, home_for
from tests.torture.maker import Maker, body
from tests.torture.processes import PROGRAM, Running

TAKEOVER_S = 2.0
ASK = """
import sys
from pathlib import Path
from vivix_tui import verbs_retry
from vivix_tui.store.store import Store
store = Store(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(verbs_retry.retry(store, "default", sys.argv[2]).done)
"""


def takeovers(folder: Path, *, kills: int, seed: int) -> Figures:
    """Two `watch` on one database, bodies coming in; either is killed, then another one started."""
    figures = Figures(f"LIF-05: two engines on one database, {kills} × either killed")
    began, dice = time.monotonic(), random.Random(seed)
    waits: list[float] = []
    standing_by = 0
    with Srv() as srv, ExitStack() as open_:
        maker = Maker(srv, seed=seed)
        home = home_for(folder, srv)
        journal = Journal.of(home)
        wished: list[list[str]] = []
        engines = [open_.enter_context(Running(home, "watch")) for _ in range(2)]
        for number in range(kills):
            wished.append([body(f"{number}-{n}") for n in range(3)])
            home.run("submit", "-", "--no-wait", stdin="\n".join(wished[-1]))
            holder = _holder(journal, engines)
            victim = holder if dice.random() < 0.7 else next(p for p in engines if p is not holder)
            victim.kill()
            killed_at = time.monotonic()
            if victim is holder:
                other = next(p for p in engines if p is not victim)
                until(partial(_holds, journal, other), 10)
                waits.append(time.monotonic() - killed_at)
            else:
                standing_by += 1
                figures.promise(_pid(journal) == holder.pid, "the engine changed hands when one stood by died")
            engines = [p for p in engines if p is not victim] + [open_.enter_context(Running(home, "watch"))]
        for process in engines:
            process.kill()
        finish(home, figures)
        figures.tell("kills of the one that stood by", standing_by)
        figures.tell("takeovers", len(waits))
        figures.tell("longest takeover in seconds", max(waits, default=0.0))
        figures.none("takeovers that took more than 2 s", [w for w in waits if w > TAKEOVER_S])
        check(home, maker, figures, wished=wished, acknowledged=[])
    figures.tell("seconds", time.monotonic() - began)
    return figures


def retries(folder: Path, *, pairs: int, seed: int) -> Figures:
    """Two processes released at once ask for the same retry: by the verb, and by the command."""
    figures = Figures(f"MON-05, LIF-05: {pairs} × two processes ask for one retry at once")
    began = time.monotonic()
    with Srv() as srv:
        maker = Maker(srv, seed=seed, think_s=0.02)
        home = home_for(folder, srv, "[api]\ntimeout_s = 5\n")
        journal = Journal.of(home)
        bodies = [body(str(n), words="[fail]") for n in range(pairs)]
        home.run("submit", "-", "--no-wait", stdin="\n".join(bodies))
        with Running(home, "watch") as watch:
            until(lambda: sum(r["status"] == "failed" for r in journal.generations().values()) == pairs, 60)
            failed = list(journal.generations())
            wishes, apart = [], []
            for number, generation_id in enumerate(failed):
                done, gap_s = _both(home, generation_id, by_command=number % 3 == 2)
                wishes.append(done)
                apart.append(gap_s)
            until(lambda: not journal.under_way(), 60)
            figures.promise(watch.alive and watch.terminate() == 0, "watch did not end with 0")
        figures.tell("longest time between the two in ms", max(apart) * 1000)
        figures.none("pairs that queued another number than one", [n for n in wishes if n != 1])
        posts = [request.body.decode() for request in srv.calls("POST", GENERATE)]
        figures.tell("POSTs", f"{len(posts)} for {2 * pairs} wishes of {pairs} retries, and {pairs} originals")
        figures.none("bodies not POSTed exactly twice", [b for b in bodies if posts.count(b) != 2])
        figures.promise(maker.counts().keys() == set(bodies), "bodies that differ from the original")
    figures.tell("seconds", time.monotonic() - began)
    return figures


def _both(home: Home, generation_id: str, *, by_command: bool) -> tuple[int, float]:
    """How many retries the two queued, and how far apart they were let go."""
    if by_command:
        command = [*PROGRAM, "retry", generation_id, "--yes", "--no-wait"]
    else:
        command = [sys.executable, "-c", ASK, str(home.database), generation_id]
    running = [
        subprocess.Popen(
            command, env=home.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    if not by_command:
        for process in running:
            assert process.stdout is not None
            process.stdout.readline()
    began = time.monotonic()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    gap_s = time.monotonic() - began
    outputs = [process.communicate(timeout=30)[0] for process in running]
    if by_command:
        return sum(bool(text.strip()) for text in outputs), gap_s
    return sum(int(text) for text in outputs), gap_s


def _pid(journal: Journal) -> int:
    found = journal.rows("SELECT pid FROM engines WHERE connection <> 'stopped'")
    return int(found[0]["pid"]) if found else 0


def _holds(journal: Journal, process: Running) -> bool:
    return _pid(journal) == process.pid


def _holder(journal: Journal, engines: list[Running]) -> Running:
    until(lambda: _pid(journal) in [p.pid for p in engines], 10)
    pid = _pid(journal)
    return next(p for p in engines if p.pid == pid)

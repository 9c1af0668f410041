"""STO-01, STO-02: what was acknowledged is there after kill -9; two writers never meet a locked database."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.torture.figures import Figures

WRITER = """
import sys
from pathlib import Path
from vivix_tui import verbs
from vivix_tui.store.store import Store
store, number = Store(Path(sys.argv[1])), 0
while True:
    verbs.track(store, "p", [(f"{sys.argv[2]}-{number}", None)])
    print(number, flush=True)
    number += 1
"""
TURNS = """
import sys
from pathlib import Path
from vivix_tui import verbs
from vivix_tui.store import accounts, query
from vivix_tui.store.store import Store
store, name, count = Store(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    before = accounts.account(store, "p").balance or 0
    assert query.generation(store, "p", f"{name}-{number}") is None
    verbs.track(store, "p", [(f"{name}-{number}", None)])
    accounts.save_balance(store, "p", before + 1)
    verbs.refresh(store, "p", f"{name}-{number}")
"""


def _start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def killed(folder: Path, *, kills: int, seed: int) -> Figures:
    """STO-01: a process that echoes each write that came back, killed again and again."""
    figures = Figures(f"STO-01: {kills} × kill -9 while writing")
    began, dice, database = time.monotonic(), random.Random(seed), folder / "vivix.db"
    acknowledged: list[str] = []
    torn = 0
    for round_ in range(kills):
        process = _start(WRITER, database, round_)
        assert process.stdout is not None
        heard = [process.stdout.readline()]
        end = time.monotonic() + dice.uniform(0, 0.05)
        while time.monotonic() < end:
            heard.append(process.stdout.readline())
        process.kill()
        # Not `communicate` alone: it passes over what `readline` has read ahead.
        heard += process.stdout.read().splitlines(keepends=True)
        process.communicate()
        torn += sum(not line.endswith("\n") for line in heard)
        acknowledged += [f"{round_}-{line.strip()}" for line in heard if line.endswith("\n")]
    with closing(sqlite3.connect(database)) as connection:
        rows = {row[0] for row in connection.execute("SELECT generation_id FROM generations")}
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    figures.tell("writes acknowledged", len(acknowledged))
    figures.tell("rows in the database", len(rows))
    figures.none("acknowledged rows lost", set(acknowledged) - rows)
    figures.promise(len(rows) - len(acknowledged) <= kills + torn, "more rows than one write each beyond the echo")
    figures.none("databases moved aside", folder.glob("*.damaged-*"))
    figures.promise(found == "ok", f"integrity_check: {found}")
    figures.tell("seconds", time.monotonic() - began)
    return figures


def two(folder: Path, *, operations: int) -> Figures:
    """STO-02: two processes that read and write in turns, as fast as they can."""
    figures = Figures(f"STO-02: {operations:,} operations by two processes on one database")
    began, database = time.monotonic(), folder / "vivix.db"
    each = operations // 4  # two processes, two writes a turn that count
    running = [_start(TURNS, database, name, each) for name in ("a", "b")]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in running]
    figures.none("processes that met an error", [text[-300:] for text in errors if text])
    figures.none("exit codes other than 0", [p.returncode for p in running if p.returncode])
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT count(*) FROM generations WHERE hurry = 1").fetchone()[0]
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    figures.tell("rows in the database", rows)
    figures.promise(rows == 2 * each, f"{rows} rows instead of {2 * each}")
    figures.promise(found == "ok", f"integrity_check: {found}")
    figures.tell("seconds", time.monotonic() - began)
    return figures

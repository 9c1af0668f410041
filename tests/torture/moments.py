"""MON-04: kill -9 at every 10 ms around a submission, from the start of the command to well after its answer.

How long a command takes to its POST depends on the machine. So every other kill is timed from the moment at which the
row says that it is being sent, in steps a fifth as long: these come before, while and after the answer is read.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.srv import Srv
from tests.torture.figures import Figures
from tests.torture.journal import Journal
from tests.torture.kills import finish, home_for
from tests.torture.maker import Maker, body
from tests.torture.processes import Running

UP_TO_S = 1.5
USERS = 3


def run(folder: Path, *, runs: int, seed: int, up_to_s: float = UP_TO_S, users: int = USERS) -> Figures:
    """`runs` commands, the n-th one killed `up_to_s` × n / runs after its start; several users side by side."""
    figures = Figures(f"MON-04: {runs} × kill -9, one each {up_to_s / runs * 1000:.0f} ms around a submission")
    began = time.monotonic()
    with Srv() as srv:
        maker = Maker(srv, seed=seed, think_s=0.25)
        moments = [up_to_s * n / runs for n in range(runs)]
        with ThreadPoolExecutor(users) as pool:
            rows = [
                pool.submit(_one_user, folder / f"user{n}", srv, n, moments[n::users], figures) for n in range(users)
            ]
            states = [row for done in rows for row in done.result()]
        _check(maker, states, figures)
    figures.tell("seconds", time.monotonic() - began)
    return figures


def _one_user(folder: Path, srv: Srv, number: int, moments: list[float], figures: Figures) -> list[dict[str, object]]:
    """Each command finds what the one before it left when it was killed; the last start is left alone."""
    folder.mkdir()
    home = home_for(folder, srv, "[api]\ntimeout_s = 5\n")
    journal = Journal.of(home)
    cut = 0
    for at, moment in enumerate(moments):
        text = body(f"{number}-{at}")
        with Running(home, "submit", "-", stdin=text) as command:
            if at % 2:
                _wait_until_sent(journal, command, text)
            end = time.monotonic() + moment / (5 if at % 2 else 1)
            while time.monotonic() < end:
                time.sleep(0.002)
            command.kill()
            cut += len(journal.rows("SELECT 1 FROM submissions WHERE body = ? AND state = 'sending'", text))
    figures.tell("being sent when they were killed", figures.values.get("being sent when they were killed", 0) + cut)
    finish(home, figures)
    figures.promise(journal.integrity() == "ok", f"integrity_check: {journal.integrity()}")
    return journal.submissions()


def _wait_until_sent(journal: Journal, command: Running, text: str) -> None:
    """Until the row of this body says that it is being sent, or more."""
    sent = "SELECT 1 FROM submissions WHERE body = ? AND state <> 'queued'"
    while command.alive and not journal.rows(sent, text):
        time.sleep(0.005)


def _check(maker: Maker, rows: list[dict[str, object]], figures: Figures) -> None:
    state = {str(row["body"]): row for row in rows}
    counts = maker.counts()
    figures.tell("submissions on record when their command was killed", len(rows))
    figures.tell("POSTs that arrived", sum(counts.values()))
    for name in ("accepted", "unknown"):
        figures.tell(f"  {name}", sum(row["state"] == name for row in rows))
    figures.none("bodies POSTed more than once", [text for text, number in counts.items() if number > 1])
    figures.none("POSTs without a row", [text for text in counts if text not in state])
    figures.none(
        "ids told, and the row neither has it nor is unknown",
        [
            i
            for i, text in maker.told.items()
            if text in state and state[text]["generation_id"] != i and state[text]["state"] != "unknown"
        ],
    )
    figures.none("rows neither accepted nor unknown", [r for r in rows if r["state"] not in ("accepted", "unknown")])

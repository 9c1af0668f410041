"""The slot queue on the demo API: many bodies, 5 slots, one kill in the middle; RAT-08, LIF-01.

The demo keeps its jobs in a file, so the most that were in flight at once is told by its own ledger; a counting wire
in between tells how often it had to say 429.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import make_home, until
from tests.torture.figures import Figures
from tests.torture.journal import Journal
from tests.torture.maker import body
from tests.torture.processes import Running
from tests.torture.proxy import Proxy

SLOTS = 5


def run(folder: Path, *, bodies: int, seed: int, speed: float = 20, timeout_s: float = 900) -> Figures:
    figures = Figures(f"{bodies} bodies, {SLOTS} slots of the demo API at speed ×{speed:g}, one kill in the middle")
    began = time.monotonic()
    command = [sys.executable, "-m", "vivix_tui.demo", "--announce", "--scenario", "empty", "--seed", str(seed)]
    command += ["--speed", str(speed), "--balance", "10000000", "--data", str(folder / "demo")]
    demo = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    assert demo.stdin is not None
    try:
        told = json.loads(demo.stdout.readline())
        with Proxy(int(told["base_url"].rpartition(":")[2])) as proxy:
            home = make_home(folder, VIVIX_API_KEY=told["api_key"], VIVIX_BASE_URL=proxy.url)
            journal = Journal.of(home)
            wished = [body(str(number)) for number in range(bodies)]
            with Running(home, "submit", "-", stdin="\n".join(wished)) as submit:
                until(lambda: journal.states()["accepted"] >= bodies // 2, timeout_s, "half of them accepted")
                figures.promise(submit.kill(), f"submit ended before its kill: {submit.errors[-300:]}")
                acknowledged = submit.output
            with Running(home, "watch") as watch:
                left = {"queued", "sending"}
                until(lambda: not left & set(journal.states()), timeout_s, "all of them sent")
                figures.tell("seconds until the last was accepted", time.monotonic() - began)
                figures.promise(watch.alive and watch.terminate() == 0, f"watch: {watch.errors[-300:]}")
            _check(journal, folder / "demo" / "demo-api.jsonl", wished, acknowledged, figures)
            for name, number in sorted(proxy.answers.items()):
                figures.tell(f"  answers {name}", number)
            # The first one finds out where the limit is; a POST that the kill cut off may hold a slot unseen.
            allowed = 1 + journal.states()["unknown"]
            figures.promise(proxy.answers["429"] <= allowed, f"{proxy.answers['429']} × 429, {allowed} to be expected")
    finally:
        demo.stdin.close()
        demo.terminate()
        demo.wait(10)
        demo.stdout.close()
    return figures


def _check(journal: Journal, ledger: Path, wished: list[str], acknowledged: list[str], figures: Figures) -> None:
    lines = [json.loads(line) for line in ledger.read_text("utf-8").splitlines()]
    jobs = [line["job"] for line in lines if "job" in line]
    states = journal.states()
    figures.tell("jobs in the demo's ledger", len(jobs))
    for name in ("accepted", "unknown"):
        figures.tell(f"  {name}", states[name])
    figures.tell("most in flight at once", _most_at_once(jobs))
    figures.promise(_most_at_once(jobs) <= SLOTS, "more in flight than there are slots")
    figures.promise(states["accepted"] + states["unknown"] == len(wished), f"states: {dict(states)}")
    figures.promise(states["unknown"] <= 1, "one kill, more than one unknown")
    prompts = [job["body"]["prompt"] for job in jobs]
    figures.none("bodies made twice", {p for p in prompts if prompts.count(p) > 1})
    known = {row["generation_id"] for row in journal.submissions()}
    unknown = {json.loads(row["body"])["prompt"] for row in journal.submissions() if row["state"] == "unknown"}
    figures.none("jobs lost", [j["id"] for j in jobs if j["id"] not in known and j["body"]["prompt"] not in unknown])
    figures.none("acknowledged ids lost", [i for i in acknowledged if i not in journal.generations()])


def _most_at_once(jobs: list[dict[str, float]]) -> int:
    ends = [(job["created_at"] + job["queue_s"] + job["render_s"], -1) for job in jobs]
    most = now = 0
    for _, step in sorted([*((job["created_at"], 1) for job in jobs), *ends]):
        now += step
        most = max(most, now)
    return most

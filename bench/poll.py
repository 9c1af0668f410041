"""`make bench-poll`: how late the program learns of an end, at what price, beside the documented interval.

Owns: arguments and printing. Refuses: measuring (`run`, `cost`, `live`) and judging (`scenes`).
"""

from __future__ import annotations

import argparse
import dataclasses
import time

from bench import cost, live
from bench.run import Run, Scene
from bench.scenes import RESTART, SCENES, Figures, Results, Verdict, agreement, figures, judge
from bench.world import WINDOWS

COLUMNS = ("window", "who", "jobs", "lag", "p95", "calls/job", "429/10min", "others' 429", "notes")
QUICK_S = 900.0


def main() -> int:
    """Prints all tables. Returns 0 if every goal is met, else 1."""
    arguments = argparse.ArgumentParser(prog="bench-poll", description="The scheduler in simulated and in real time.")
    arguments.add_argument("--seeds", type=int, default=8, help="runs of each scene (default 8)")
    arguments.add_argument("--quick", action="store_true", help="four short runs of each scene, no sockets")
    options = arguments.parse_args()
    began = time.monotonic()
    results: Results = {}
    for scene in SCENES:
        print(f"\n{scene.name}\n  " + "".join(f"{title:>13}" for title in COLUMNS))
        for window in WINDOWS:
            # Half a million refused calls a run: it is the same with and without a restart.
            for documented in (False,) if scene is RESTART else (True, False):
                played = _played(scene, window, documented, 4 if options.quick else options.seeds, options.quick)
                results[scene.name, window, documented] = played
                print("  " + _line(window, played, documented=documented), flush=True)
    tick_ms = cost.tick_ms()
    verdicts = judge(results, tuple(WINDOWS))
    verdicts.append(Verdict("cost of a tick, 20 live and 5,000 waiting ≤ 1 ms", f"{tick_ms:.2f} ms", tick_ms <= 1))
    if not options.quick:
        print("\nThe same in real time over sockets, ten times as fast (5 videos, Pro)")
        model, real = live.simulated(), live.over_sockets()
        for name, seen in (("simulated", model), ("over sockets", real)):
            print(f"  {name:13} {seen.jobs} jobs, mean lag {seen.lag_mean:.2f} s, {seen.polls_per_job:.1f} polls a job")
        verdicts += agreement(model, real)
    print("\nGoals (the worse of both windows)")
    for verdict in verdicts:
        print(f"  {'met ' if verdict.met else 'MISS'}  {verdict.goal}: {verdict.found}")
    met = sum(verdict.met for verdict in verdicts)
    print(f"\n{met} of {len(verdicts)} goals met; {time.monotonic() - began:.0f} s")
    return 0 if met == len(verdicts) else 1


def _played(scene: Scene, window: str, documented: bool, seeds: int, quick: bool) -> Figures:
    if quick:
        scene = dataclasses.replace(scene, lasts_s=scene.lasts_s if scene.imported else min(scene.lasts_s, QUICK_S))
    if documented and scene.imported:
        seeds = min(seeds, 2)
    runs = [Run(scene, documented=documented, window=window, seed=seed).play() for seed in range(1, seeds + 1)]
    return figures(scene, runs)


def _line(window: str, found: Figures, *, documented: bool) -> str:
    notes = []
    if found.drained_min is not None:
        notes.append(f"drained in {found.drained_min:.1f} min")
    if found.calls_into_outage:
        notes.append(f"{found.calls_into_outage} calls into the outage, ≤ {found.burst_after_outage}/s after it")
    values = (
        window, "documented" if documented else "this", str(found.jobs), f"{found.lag_mean:.2f}",
        f"{found.lag_p95:.2f}", f"{found.calls_per_job:.1f}", f"{found.limited:.1f}",
        f"{found.others_rejected * 100:.1f} %",
    )  # fmt: skip
    return "".join(f"{value:>13}" for value in values) + "  " + ", ".join(notes)


if __name__ == "__main__":
    raise SystemExit(main())

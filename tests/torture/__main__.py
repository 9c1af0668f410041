"""`python -m tests.torture`: keeps the promises of faults under load, prints figures, exits 1 when one is broken."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.torture import (
    calls,
    catalogue,
    downloads,
    hole,
    kills,
    moments,
    money,
    private,
    rivals,
    slots,
    stalls,
    stops,
    writers,
)
from tests.torture.figures import Figures

Part = Callable[[Path], Figures]


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    arguments.add_argument("--kills", type=int, default=100, metavar="N", help="kill -9 under full load (default 100)")
    arguments.add_argument(
        "--submits", type=int, default=500, metavar="N", help="submissions and retries (default 500)"
    )
    arguments.add_argument("--seed", type=int, default=1, metavar="S", help="what chance depends on (default 1)")
    arguments.add_argument("--bodies", type=int, default=500, metavar="N", help="bodies for the demo (default 500)")
    arguments.add_argument("--writes", type=int, default=100, metavar="N", help="kill -9 while writing (default 100)")
    arguments.add_argument("--files", type=int, default=50, metavar="N", help="files to fetch (default 50)")
    arguments.add_argument("--stops", type=int, default=50, metavar="N", help="Ctrl-Z and fg (default 50)")
    arguments.add_argument(
        "--stalled", type=float, default=120, metavar="S", help="seconds that a terminal does not read (default 120)"
    )
    arguments.add_argument(
        "--calls",
        type=int,
        default=30,
        metavar="N",
        help="calls to the system that fail, a journey; 0: all (default 30)",
    )
    arguments.add_argument("--only", nargs="*", metavar="PART", help="only these parts")
    return arguments


def main() -> int:
    options = parser().parse_args()
    parts: dict[str, Part] = {
        "kills": partial(kills.run, kills=options.kills, seed=options.seed),
        "money": partial(money.run, submits=options.submits, seed=options.seed),
    }
    parts |= {
        "slots": partial(slots.run, bodies=options.bodies, seed=options.seed),
        "moments": partial(moments.run, runs=150, seed=options.seed),
        "writes": partial(writers.killed, kills=options.writes, seed=options.seed),
        "two": partial(writers.two, operations=10_000),
        "takeovers": partial(rivals.takeovers, kills=12, seed=options.seed),
        "retries": partial(rivals.retries, pairs=15, seed=options.seed),
        "downloads": partial(downloads.run, files=options.files, seed=options.seed),
        "catalogue": partial(catalogue.run, rounds=20),
        "stops": partial(stops.run, times=options.stops, seed=options.seed),
        "private": private.run,
        "stalls": partial(stalls.run, seconds=options.stalled, usual_s=60),
        "hole": partial(hole.run, seconds=60),
        "calls": partial(calls.run, most=options.calls, seed=options.seed),
    }
    unknown = set(options.only or ()) - set(parts)
    if unknown:
        parser().error(f"there is no part {min(unknown)!r}; the parts are {', '.join(parts)}")
    chosen = {name: part for name, part in parts.items() if not options.only or name in options.only}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vivix-torture-") as folder, ThreadPoolExecutor(1) as aside:
        places = {name: Path(folder) / name for name in chosen}
        for place in places.values():
            place.mkdir()
        # The demo's budget makes this one long and idle, so that the others run meanwhile.
        long = aside.submit(chosen.pop("slots"), places["slots"]) if "slots" in chosen else None
        broken = sum(_told(part(places[name])) for name, part in chosen.items())
        broken += _told(long.result()) if long is not None else 0
    print(f"{time.monotonic() - began:.0f} s;", f"{broken} promises broken" if broken else "every promise was kept")
    return 1 if broken else 0


def _told(figures: Figures) -> int:
    print(figures.text(), flush=True)
    return len(figures.broken)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m bench.download`: large files from nginx on loopback, beside curl, wget and aria2, interleaved in one run.

Owns: rounds, figures, goals. Files are written to memory where there is room (/dev/shm), so that programs are compared
and not a disk. The others neither hash nor sync what they write; this one does both, and its time holds it.

In a virtual machine a page of memory that its host has to bring costs five times one that is there, and any run may
meet many or few of them: goals are judged by medians of many rounds, and the fastest runs are compared beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import nginx

MIB = 1024 * 1024
OURS = "vivix-tui"
PACKAGES = {"nginx": "nginx-light", "curl": "curl", "wget": "wget", "aria2c": "aria2"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One run of one program."""

    seconds: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Goal:
    """At least `share` of the speed of `rival`."""

    at_once: int
    rival: str
    share: float


GOALS = (Goal(1, "aria2c", 1.0), Goal(1, "curl", 0.7), Goal(4, "aria2c", 0.9))


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m bench.download", description=__doc__)
    arguments.add_argument("--size-mib", type=int, default=1024, metavar="N", help="bytes of a run (default 1024 MiB)")
    arguments.add_argument("--rounds", type=int, default=9, metavar="N", help="each program so often (default 9)")
    options = arguments.parse_args()
    missing = [name for name in PACKAGES if (nginx.binary() if name == "nginx" else shutil.which(name)) is None]
    if missing:
        packages = " ".join(PACKAGES[name] for name in missing)
        print(f"missing: {', '.join(missing)}; on Debian: apt-get install {packages}", file=sys.stderr)
    if "nginx" in missing:
        return 0
    size = options.size_mib * MIB
    with tempfile.TemporaryDirectory(prefix="vivix-bench-", dir=_roomy(size * 3)) as name:
        folder = Path(name)
        write_video(folder / "1.mp4", size)
        write_video(folder / "4.mp4", size // 4)
        with nginx.Nginx(folder) as server:
            found = measure(server, folder, options.rounds, [name for name in PACKAGES if name not in missing])
    return report(found, size)


Found = dict[tuple[str, int, str], list[Seen]]


def measure(server: nginx.Nginx, folder: Path, rounds: int, tools: Sequence[str]) -> Found:
    """(plain or TLS, how many at once, program) → its runs."""
    found: Found = defaultdict(list)
    for number in range(rounds):
        for kind in ("plain", "TLS"):
            for at_once in (1, 4):
                urls = [server.url(kind, f"{at_once}.mp4", host) for host in nginx.HOSTS[:at_once]]
                programs = [(name, run) for name, run in PROGRAMS.items() if name in tools or name == OURS]
                for name, run in programs[number % len(programs) :] + programs[: number % len(programs)]:
                    if name == "wget" and at_once > 1:
                        continue
                    with tempfile.TemporaryDirectory(dir=folder) as place:
                        found[kind, at_once, name].append(run(Path(place), urls, server.ca))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return found


def report(found: Found, size: int) -> int:
    """Prints the figures (median of the rounds) and the goals; 1 where one was missed."""
    gib = size / (1024 * MIB)
    speed = {key: size / 1e6 / median(run.seconds for run in runs) for key, runs in found.items()}
    best = {key: size / 1e6 / min(run.seconds for run in runs) for key, runs in found.items()}
    print(f"{'':7}{'at once':>8}  {'program':10}{'MB/s':>8}{'CPU s/GiB':>11}   slowest and fastest run, MB/s")
    for (kind, at_once, name), runs in sorted(found.items(), key=lambda pair: (pair[0][:2], -speed[pair[0]])):
        cpu = median(run.cpu_s for run in runs) / gib
        every = sorted(size / 1e6 / run.seconds for run in runs)
        mbs = speed[kind, at_once, name]
        print(f"{kind:7}{at_once:>8}  {name:10}{mbs:8.0f}{cpu:11.2f}   {every[0]:.0f} to {every[-1]:.0f}")
    missed = 0
    for kind in ("plain", "TLS"):
        for goal in GOALS:
            own, rival = (kind, goal.at_once, OURS), (kind, goal.at_once, goal.rival)
            ours, theirs = speed.get(own), speed.get(rival)
            words = f"{kind}, {goal.at_once} at once: ≥ {goal.share} × {goal.rival}"
            if not ours or not theirs:
                print(f"  not measured  {words}")
                continue
            met = ours >= goal.share * theirs
            missed += not met
            figures = f"{ours / theirs:.2f}; of the fastest {best[own] / best[rival]:.2f}"
            print(f"  {'met   ' if met else 'MISSED'}  {words}: {figures}")
    return 1 if missed else 0


def write_video(path: Path, size: int) -> None:
    """An MP4 as far as its boxes go: what is not a whole medium would not be kept."""
    head = (20).to_bytes(4, "big") + b"ftypisom" + bytes(8) + (8).to_bytes(4, "big") + b"moov"
    block = os.urandom(MIB)
    with path.open("wb") as file:
        file.write(head + (1).to_bytes(4, "big") + b"mdat" + (size - len(head)).to_bytes(8, "big"))
        while (left := size - file.tell()) > 0:
            file.write(block[:left])


def _ours(place: Path, urls: Sequence[str], ca: Path) -> Seen:
    command = [sys.executable, "-m", "bench.fetching", str(place), *urls]
    env = {**os.environ, "SSL_CERT_FILE": str(ca)}
    told = json.loads(subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout)
    if any(state != "done" for state, *_ in told["states"]):
        raise RuntimeError(f"not fetched: {told['states']}")
    return Seen(told["seconds"], told["cpu_s"])


def _curl(place: Path, urls: Sequence[str], ca: Path) -> Seen:
    outputs = [part for number, url in enumerate(urls) for part in ("-o", str(place / str(number)), url)]
    return _timed(["curl", "-sSf", "--no-progress-meter", "--cacert", str(ca), "-Z", "--parallel-max", "4", *outputs])


def _wget(place: Path, urls: Sequence[str], ca: Path) -> Seen:
    return _timed(["wget", "-q", f"--ca-certificate={ca}", "-O", str(place / "1"), *urls])


def _aria2(place: Path, urls: Sequence[str], ca: Path) -> Seen:
    entries = "".join(f"{url}\n  out={number}\n" for number, url in enumerate(urls))
    (place / "list").write_text(entries)
    options = ["-x1", "-s1", "-j4", "-q", "--no-conf", "--file-allocation=none", f"--ca-certificate={ca}"]
    return _timed(["aria2c", *options, "-d", str(place), "-i", str(place / "list")])


def _timed(command: Sequence[str]) -> Seen:
    before, began = _children_cpu_s(), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Seen(time.monotonic() - began, _children_cpu_s() - before)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _roomy(size: int) -> str | None:
    shm = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    return str(shm) if shm.is_dir() and shutil.disk_usage(shm).free > size else None


PROGRAMS: dict[str, Callable[[Path, Sequence[str], Path], Seen]] = {
    OURS: _ours,
    "curl": _curl,
    "wget": _wget,
    "aria2c": _aria2,
}

if __name__ == "__main__":
    raise SystemExit(main())

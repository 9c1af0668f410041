"""What /proc and the folder say of a running program, second by second, and how fast it grows.

Owns: reading the figures and fitting lines. Refuses: judging them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `at` in monotonic seconds, sizes in bytes, `cpu_s` since the program began; `tasks` are asyncio's."""

    at: float
    rss: int
    descriptors: int
    threads: int
    tasks: int
    cpu_s: float
    wal: int
    logs: int


def look(pid: int, folder: Path, count_file: Path) -> Sample:
    """The process `pid`, which keeps its database and log in `folder` and its number of tasks in `count_file`."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    words = {name: rest.split() for name, _, rest in (line.partition(":") for line in status)}
    return Sample(
        at=time.monotonic(),
        rss=int(words["VmRSS"][0]) * 1024,
        descriptors=len(os.listdir(f"/proc/{pid}/fd")),
        threads=int(words["Threads"][0]),
        tasks=int(count_file.read_text()) if count_file.exists() else 0,
        cpu_s=(int(fields[11]) + int(fields[12])) / TICKS_PER_S,
        wal=_size(folder.glob("*-wal")),
        logs=_size(folder.glob("vivix.log*")),
    )


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.exists())


def children(pid: int) -> list[int]:
    """The processes that `pid` started and that live."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def per_hour(samples: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    """The slope of the line of least squares through `value`, an hour long."""
    times, values = [s.at for s in samples], [value(s) for s in samples]
    middle, mean = fmean(times), fmean(values)
    spread = sum((t - middle) ** 2 for t in times)
    return sum((t - middle) * (v - mean) for t, v in zip(times, values, strict=True)) / spread * 3600 if spread else 0.0


def rise(
    samples: Sequence[Sample],
    value: Callable[[Sample], float],
    middle: Callable[[Iterable[float]], float] = median,
) -> float:
    """By how much the `middle` of the last quarter lies above that of the first."""
    quarter = max(1, len(samples) // 4)
    return middle(map(value, samples[-quarter:])) - middle(map(value, samples[:quarter]))


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

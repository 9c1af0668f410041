"""G6: large files from a host that goes wrong, and kill -9 in between: every file is right, and little comes twice.

Half of the files meet faults after which a range can go on where it was (reset, stall, cut); of these the wasted bytes
are counted. The other half meets, too, a changed file, a whole file where a range was asked for, a range of elsewhere.
"""

from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path

from tests.conftest import Home
from tests.srv import Srv, generation, json_reply
from tests.torture.figures import Figures
from tests.torture.journal import Journal, sha256
from tests.torture.kills import home_for
from tests.torture.origin import File, Origin
from tests.torture.processes import Running

CONFIG = '[api]\ntimeout_s = 5\n[download]\nauto = "completed"\nreserve_mb = 1\nparallel = 3\nstall_s = 2\n'
FAULTY = 0.3
MOST_WASTE = 0.10


def run(
    folder: Path,
    *,
    files: int,
    seed: int,
    most_mb: float = 200,
    kills: int = 12,
    pause_s: float = 2,
    mib_s: float = 0.02,
    timeout_s: float = 900,
) -> Figures:
    """`files` of sizes up to `most_mb`; the smallest are a hundredth of that. `pause_s` is the longest time from the
    first bytes after a start to the kill, `mib_s` what the host takes for a MiB: were it faster than its reader, as
    loopback is, the waste would be what the kernel's buffers held at each kill, and grow with the machine's load."""
    figures = Figures(f"G6, DOW-12: {files} downloads of up to {most_mb:g} MB, {FAULTY:.0%} of requests go wrong")
    began, dice = time.monotonic(), random.Random(seed)
    with Srv() as srv:
        hosts = [
            _host(srv, f"/out/{kind}", files // 2, dice, most_mb, spoiling=kind == "b", mib_s=mib_s) for kind in "ab"
        ]
        home = home_for(folder, srv, CONFIG)
        for host in hosts:
            for path in host.files:
                _offer(srv, path)
        ids = [_id(path) for host in hosts for path in host.files]
        home.run("track", "-", stdin="\n".join(ids))
        figures.tell("kill -9", _fetch(home, dice, len(ids), kills, pause_s, timeout_s))
        _check(home, {_id(path): file for host in hosts for path, file in host.files.items()}, figures)
        for host, words in zip(hosts, ("ranges work", "ranges are spoilt, too"), strict=True):
            _tell(host, words, figures)
        sent, size = sum(f.sent for f in hosts[0].files.values()), sum(f.size for f in hosts[0].files.values())
        figures.promise(sent <= size * (1 + MOST_WASTE), f"wasted bytes where ranges work ≤ {MOST_WASTE:.0%}")
        figures.tell("requests", srv.count("GET", "/out/*"))
    figures.tell("seconds", time.monotonic() - began)
    return figures


def _host(
    srv: Srv, folder: str, count: int, dice: random.Random, most_mb: float, *, spoiling: bool, mib_s: float
) -> Origin:
    sizes = [int(most_mb * 1e6 * 10 ** dice.uniform(-2, 0)) for _ in range(count)]
    files = {f"{folder}/{number}.mp4": File(size, dice.getrandbits(32)) for number, size in enumerate(sizes)}
    host = Origin(files, random.Random(dice.random()), FAULTY, spoiling=spoiling, pause_s=mib_s)
    srv.on("GET", f"{folder}/*", host.answer)
    return host


def _id(path: str) -> str:
    return path.removeprefix("/out/").removesuffix(".mp4").replace("/", "-")


def _offer(srv: Srv, path: str) -> None:
    value = generation(_id(path), "completed", output_urls=[srv.url + path])
    srv.on("GET", f"*/generations/{_id(path)}", json_reply(200, value))


def _fetch(home: Home, dice: random.Random, count: int, kills: int, pause_s: float, timeout_s: float) -> int:
    """Runs the engine, and kills it now and then, until nothing is under way. How often it was killed."""
    journal, killed, end = Journal.of(home), 0, time.monotonic() + timeout_s
    while time.monotonic() < end:
        with Running(home, "watch") as watch:
            lives_until, seen = end, _received(journal)
            while time.monotonic() < lives_until and watch.alive:
                if killed < kills and lives_until == end and _received(journal) > seen:
                    lives_until = time.monotonic() + dice.uniform(0, pause_s)
                over = journal.rows("SELECT 1 FROM downloads WHERE state NOT IN ('queued', 'active')")
                if len(over) == count:
                    watch.terminate()
                    return killed
                time.sleep(0.02)
            killed += watch.kill()
    return killed


def _received(journal: Journal) -> int:
    """The bytes of all parts."""
    total = 0
    for path in journal.outputs.rglob("*.part"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _check(home: Home, files: dict[str, File], figures: Figures) -> None:
    journal = Journal.of(home)
    rows = {str(row["generation_id"]): row for row in journal.rows("SELECT * FROM downloads")}
    figures.tell("files", len(files))
    figures.tell("  MB", sum(file.size for file in files.values()) / 1e6)
    figures.none("without a row", (i for i in files if i not in rows))
    open_ones = [f"{i} {row['state']} {row['error']}" for i, row in rows.items() if row["state"] != "done"]
    figures.none("not fetched", open_ones)
    done = {i: row for i, row in rows.items() if row["state"] == "done"}
    figures.none("wrong files", (i for i, row in done.items() if not _is_right(Path(str(row["path"])), files[i])))
    figures.none("wrong digests", (i for i, row in done.items() if row["sha256"] != sha256(Path(str(row["path"])))))
    named = {Path(str(row["path"])) for row in done.values()}
    figures.none("files that nobody knows", (path.name for path in journal.files() if path not in named))


def _is_right(path: Path, file: File) -> bool:
    """The bytes of one version and of no other: of the last one, or of one that was current when it was begun."""
    found = sha256(path)
    versions = (File(file.size, file.seed, version) for version in range(file.version, 0, -1))
    return any(version.sha256 == found for version in versions)


def _tell(host: Origin, words: str, figures: Figures) -> None:
    sent, size = sum(file.sent for file in host.files.values()), sum(file.size for file in host.files.values())
    faults: dict[str, int] = {}
    for file in host.files.values():
        for kind, count in file.faults.items():
            faults[kind] = faults.get(kind, 0) + count
    figures.tell(f"where {words}: faults", ", ".join(f"{kind} {count}" for kind, count in sorted(faults.items())))
    figures.tell(f"where {words}: bytes that came twice", f"{(sent - size) / size:.1%}")

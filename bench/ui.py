"""`make bench-ui`: start, keys, thrift and exit of the dashboard, beside the least Textual program and peers.

All programs run in the same kind of pty, one after the other, several rounds interleaved, so that noise hits all of
them alike; medians and ratios are printed. Peers are measured where they are installed.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.opening import demo_api, write_history
from bench.program import Program, measure
from bench.terminal import GaveUp

GOALS = (
    # figure, program, limit, the program it is relative to (None: absolute), unit
    ("first rows ms", "empty", 1.3, "floor"),
    ("first rows ms", "history", 1.1, "empty"),
    ("key ms", "history", 8.0, None),
    ("key p95 ms", "history", 15.0, None),
    ("key bytes", "history table", 500.0, None),
    ("key bytes", "history", 2_000.0, None),
    ("idle B/s", "empty", 0.0, None),
    ("idle CPU %", "empty", 0.3, None),
    ("idle B/s", "busy", 2_500.0, None),
    ("idle CPU %", "busy", 2.0, None),
    ("RSS MB", "history", 80.0, None),
    ("RSS MB", "empty", 65.0, None),
    ("jump ms", "history", 100.0, None),
    ("sort ms", "history", 100.0, None),
    ("sorted jump ms", "history", 100.0, None),
    ("filter ms", "history", 100.0, None),
    ("hold j ms", "history", 20.0, None),
    ("on screen B", "still", 250.0, None),
    ("off screen B", "still", 0.0, None),
    ("quit ms", "empty", 450.0, None),
)


def peers(folder: Path) -> list[Program]:
    """Other terminal programs, where they are installed; `folder` takes what they read and write."""
    log = folder / "peer.log"
    log.write_text("".join(f"line number {number} of a log\n" for number in range(100_000)))
    env = {"HOME": str(folder)}
    known = [
        Program("htop", ["htop"], "PID", down="\x1b[B", up="\x1b[A", env=env),
        Program("tig", ["tig"], "main", down="j", quit="Q", env=env),
        Program("toolong", ["tl", str(log)], "of a log", down="\x1b[A", up="\x1b[B", quit="\x03", env=env),
        Program("harlequin", ["harlequin"], "Query", down="\x1b[B", up="\x1b[A", quit="\x11", env=env),
        Program("posting", ["posting"], "Collection", down="j", quit="\x03", env=env),
    ]
    return [program for program in known if shutil.which(program.command[0])]


def table(programs: list[Program]) -> str:
    names = list(dict.fromkeys(name for program in programs for name in program.figures))
    lines = [f"{'':14}" + "".join(f"{name:>15}" for name in names)]
    for program in programs:
        cells = (program.median(name) for name in names)
        lines.append(f"{program.name:14}" + "".join(f"{'–' if v is None else f'{v:,.1f}':>15}" for v in cells))
    return "\n".join(lines)


def verdicts(programs: list[Program]) -> Iterator[tuple[str, bool]]:
    """Each goal in words, and whether it is met."""
    by_name = {program.name: program for program in programs}
    for figure, name, limit, relative_to in GOALS:
        value = by_name[name].median(figure)
        base = by_name[relative_to].median(figure) if relative_to else 1.0
        if value is None or not base:
            yield f"{name}: {figure} was not measured", False
            continue
        shown = value / base
        unit = f"× {relative_to}" if relative_to else ""
        yield f"{name}: {figure} {shown:,.2f} {unit} (goal ≤ {limit:g})", shown <= limit


def read_through(folder: Path) -> None:
    """What a program will read lies in memory, as its last use left it: how fast a disk is, is not asked here."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.read_bytes()


def one_round(folder: Path) -> list[Program]:
    """Measures all programs once, each in a world that has just begun."""
    dashboard: list[str] = [sys.executable, "-m", "vivix_tui.cli.main"]
    homes = {name: folder / name for name in ("empty", "busy", "history", "still", "peers")}
    for home in homes.values():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
    write_history(homes["history"])
    still_rows = homes["still"] / ".local/share/vivix-tui/vivix.db"
    still = {"HOME": str(homes["still"]), "VIVIX_CONFIG": "", "VIVIX_API_KEY": ""}
    programs = [
        Program("floor", [sys.executable, "-m", "bench.floor"], "prompt number 1"),
        Program("empty", dashboard, "Nothing is tracked yet", idle_s=20),
        Program("busy", dashboard, "Isometric cutaway", idle_s=20),
        Program(
            "history",
            dashboard,
            "Isometric cutaway",
            jump="G",
            sort="sd",
            sorted="TIME↓",
            filter="forest",
        ),
        Program("history table", dashboard, "Isometric cutaway", columns=99),
        Program("still", dashboard, "prompt number 1", env=still, rows=still_rows),
        *peers(homes["peers"]),
    ]
    watched = {"empty": ("empty", "empty"), "busy": ("busy", "busy")}
    watched |= dict.fromkeys(("history", "history table"), ("history", "busy"))
    for program in programs:
        with ExitStack() as stack:
            if program.name in watched:
                world, scenario = watched[program.name]
                # Begun for this program: a job that is under way ends after two minutes.
                program.env = stack.enter_context(demo_api(homes[world], scenario))
                read_through(homes[world])
            try:
                measure(program, str(Path.cwd()))
            except GaveUp as reason:
                print(f"{program.name}: {reason}", file=sys.stderr)
    return programs


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="vivix-bench-") as folder:
        # As pip leaves them behind: our own modules compiled, like those of the libraries.
        for package in ("vivix_tui", "bench"):
            compileall.compile_dir(package, quiet=1)
        programs: list[Program] = []
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
            latest = one_round(Path(folder))
            for earlier, program in zip(programs, latest, strict=False):
                program.add(earlier)
            programs = latest
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}")
    print(table(programs))
    met = list(verdicts(programs))
    for words, good in met:
        print(f"{'met   ' if good else 'MISSED'}  {words}")
    return 0 if all(good for _, good in met) else 1


if __name__ == "__main__":
    sys.exit(main())

"""TER-10: Ctrl-Z and fg, again and again, while files come; the shell is usable each time, and the files are right."""

from __future__ import annotations

import random
import signal
import sys
import time
from pathlib import Path

import pexpect

from tests.conftest import Home
from tests.srv import Srv, generation, json_reply
from tests.torture.figures import Figures
from tests.torture.journal import Journal, sha256
from tests.torture.kills import home_for
from tests.torture.origin import BLOCK, File, Origin

FILES = 4
CYCLE_S = 0.6  # about so long takes a stop and a start; the files are to come all the while
PIECE_S = 0.6
HOSTS = ("127.0.0.1", "localhost")  # from one host come two at a time
CONFIG = f'[download]\nauto = "completed"\nparallel = {FILES}\nreserve_mb = 1\nmax_size_mb = 0\n'
START_S = 15.0
GONE = "\x1b[?1049l"
BACK = "\x1b[?1049h"


def run(folder: Path, *, times: int, seed: int, timeout_s: float = 120) -> Figures:
    """`timeout_s` is for what is left of the files after the last stop."""
    figures = Figures(f"TER-10: {times} × Ctrl-Z and fg while {FILES} files come")
    began, dice = time.monotonic(), random.Random(seed)
    with Srv() as srv:
        size = int(times * CYCLE_S / PIECE_S) * 4 * BLOCK
        files = {f"/out/{n}.mp4": File(size, dice.getrandbits(32)) for n in range(FILES)}
        host = Origin(files, dice, 0, spoiling=False, pause_s=PIECE_S)
        srv.on("GET", "/out/*", host.answer)
        for number, path in enumerate(files):
            url = f"http://{HOSTS[number % 2]}:{srv.port}{path}"
            srv.on(
                "GET",
                f"*/generations/d{number}",
                json_reply(200, generation(f"d{number}", "completed", output_urls=[url])),
            )
        srv.on("GET", "*/generations/g*", json_reply(200, generation("g", "processing")))
        home = home_for(folder, srv, CONFIG)
        home.run("track", *(f"d{n}" for n in range(FILES)), "g")
        journal = Journal.of(home)
        with _Shell(home) as shell:
            shell.begin()
            seconds = [shell.stop_and_go(dice.uniform(0, 0.3)) for _ in range(times)]
            running = sum(row["state"] == "active" for row in journal.downloads())
            figures.tell("stops, of which with files under way", f"{times}, {shell.amid}")
            figures.tell("files still under way after the last", running)
            figures.tell("seconds of the slowest stop and start", max(seconds))
            end = time.monotonic() + timeout_s
            while time.monotonic() < end and any(row["state"] != "done" for row in journal.downloads()):
                shell.look()
            figures.promise(shell.quit() == 0, "it did not end with 0")
        done = {str(row["generation_id"]): row for row in journal.downloads() if row["state"] == "done"}
        figures.tell("files that were fetched", len(done))
        figures.promise(len(done) == FILES, f"not all were fetched: {journal.downloads()}")
        right = [file.sha256 for file in files.values()]
        figures.none("wrong files", [r["path"] for r in done.values() if sha256(Path(r["path"])) not in right])
        figures.none("parts left over", list(folder.rglob("*.part")))
        figures.promise(len({row["sha256"] for row in done.values()}) == FILES, "two names hold the same file")
        figures.promise(shell.amid > 0, "no file was under way at any stop")
        sent = sum(file.sent for file in files.values())
        figures.tell("bytes that came twice", f"{sent / (size * FILES) - 1:.1%}")
    figures.tell("seconds", time.monotonic() - began)
    return figures


class _Shell:
    """bash on a terminal, with the dashboard as its job. `amid` counts the stops while a file was under way."""

    def __init__(self, home: Home) -> None:
        self.amid = 0
        self._home, self._journal = home, Journal.of(home)
        self._child = pexpect.spawn(
            "bash", ["--norc", "--noprofile", "-i"], env=home.env | {"PS1": "READY> "}, cwd=str(home.path),
            dimensions=(36, 120), timeout=15,
        )  # fmt: skip
        self._child.delaybeforesend = None

    def __enter__(self) -> _Shell:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill(signal.SIGKILL)
        self._child.close()

    def begin(self) -> None:
        self._child.expect_exact("READY> ")
        self._child.sendline(f"{sys.executable} -m vivix_tui.cli.main")
        self._child.expect("live")
        end = time.monotonic() + START_S
        while self._under_way() < FILES and time.monotonic() < end:
            self.look()

    def stop_and_go(self, pause_s: float) -> float:
        """Ctrl-Z after a while, a command of the shell, fg, until the screen is drawn again. How long that took."""
        end = time.monotonic() + pause_s
        while time.monotonic() < end:
            self.look()
        began = time.monotonic()
        self._child.send("\x1a")
        self._child.expect_exact(GONE)
        self._child.expect("Stopped")
        self.amid += self._under_way() > 0
        self._child.sendline("echo shell-$((40 + 2))-$(stty -a | grep -c ' icanon')")
        self._child.expect_exact("shell-42-1")
        self._child.sendline("fg")
        self._child.expect_exact(BACK)
        self._child.expect("live")
        return time.monotonic() - began

    def _under_way(self) -> int:
        return sum(row["state"] == "active" for row in self._journal.downloads())

    def look(self) -> None:
        """Takes in what is drawn: a terminal that is not read stops its writer."""
        try:
            self._child.read_nonblocking(65536, timeout=0.05)
        except pexpect.TIMEOUT:
            return

    def quit(self) -> int:
        """Its exit code, as the shell tells it."""
        self._child.send("q")
        self._child.expect_exact("READY> ")
        self._child.sendline("echo code-$?")
        self._child.expect(r"code-(\d+)")
        return int(self._child.match[1])

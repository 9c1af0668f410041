"""TER-08, G9: the terminal stops reading for two minutes; polls and downloads go on, and then the screen catches up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import until
from tests.e2e.terminal import Terminal
from tests.srv import CREDITS, CREDITS_BODY, GET_GENERATION, Request, Srv, drip, generation, id_of, json_reply
from tests.torture.figures import Figures
from tests.torture.kills import home_for

IDS, DOWNLOADS = 20, 5
LEAST = 0.9
CALLS_A_MINUTE = 240
CATCHES_UP_S = 5.0
TYPES_EACH_S = 0.5
STEP, STEP_S = 20_000, 0.1
SIZE = 1_000_000_000  # more than comes in the time
HOSTS = ("127.0.0.1", "localhost", "127.0.0.2")  # from one host come two at a time
CONFIG = f'[download]\nauto = "completed"\nparallel = {DOWNLOADS}\nreserve_mb = 1\nmax_size_mb = 0\n'


def run(folder: Path, *, seconds: float, usual_s: float) -> Figures:
    """Watches the pace for `usual_s` while the terminal reads, and for `seconds` while it does not."""
    figures = Figures(f"TER-08: the terminal does not read for {seconds:g} s, {DOWNLOADS} downloads, {IDS} jobs")
    with Srv() as srv, Srv(host="127.0.0.2") as other:
        ended: set[str] = set()

        def poll(request: Request) -> bytes:
            status = "failed" if id_of(request) in ended else "processing"
            return json_reply(200, generation(id_of(request), status))

        def done(request: Request) -> bytes:
            number = int(id_of(request)[1:])
            host = HOSTS[number // 2]
            url = f"http://{host}:{(other if host == HOSTS[2] else srv).port}/out/{number}.png"
            return json_reply(200, generation(id_of(request), "completed", output_urls=[url]))

        head = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: %d\r\n\r\n\x89PNG\r\n\x1a\n" % SIZE
        for host in (srv, other):
            host.on("GET", "/out/*", lambda r: drip(head, b"x" * STEP, step=STEP, pause_s=STEP_S))
        srv.on("GET", CREDITS, json_reply(200, CREDITS_BODY | {"rate_limit": {"calls_per_minute": CALLS_A_MINUTE}}))
        srv.on("GET", GET_GENERATION, poll)
        srv.on("GET", "/api/v1/generations/d*", done)
        home = home_for(folder, srv, CONFIG)
        home.run("track", *(f"d{n}" for n in range(DOWNLOADS)), *(f"g{n}" for n in range(IDS)))
        with Terminal(home) as terminal:
            pace = _Pace(srv, other, home.path)
            terminal.wait_for("live")
            _draws(terminal, until_true=lambda: pace.begun)
            _draws(terminal, seconds=5)  # the catalogue and the first look at all of them are over
            pace.mark()
            _draws(terminal, seconds=usual_s)
            polls, received = pace.mark()
            drawn = len(terminal.raw)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                os.write(terminal.fd, b"GgjG")  # the user goes on typing, a few keys a second
                time.sleep(TYPES_EACH_S)
                if time.monotonic() > end - seconds / 2:
                    ended.add("g3")
            stalled_polls, stalled_received = pace.mark()
            began = time.monotonic()
            terminal.type("4")  # shows what failed meanwhile
            terminal.wait_for(r"g3 .*failed", 60)
            caught_up = time.monotonic() - began
            terminal.press("0")
            terminal.leave()
            figures.promise(terminal.exit_code(5) == 0, "it did not end with 0")
    figures.tell("bytes that the terminal then got", len(terminal.raw) - drawn)
    figures.tell(
        "polls a second, usually and stalled", f"{polls:.2f}, {stalled_polls:.2f}, {stalled_polls / polls:.1%}"
    )
    shown = f"{received / 1000:.0f}, {stalled_received / 1000:.0f}, {stalled_received / received:.1%}"
    figures.tell("kB a second, usually and stalled", shown)
    figures.tell("seconds until the screen had caught up", f"{caught_up:.2f}")
    figures.promise(stalled_polls >= LEAST * polls, "the polls fell behind while the terminal did not read")
    figures.promise(stalled_received >= LEAST * received, "the downloads fell behind while the terminal did not read")
    figures.promise(caught_up <= CATCHES_UP_S, f"the screen needed {caught_up:.1f} s to catch up")
    figures.promise(len(terminal.raw) - drawn > 4096, "the terminal was never full")
    return figures


class _Pace:
    """Polls, and bytes of files, a second since the last mark."""

    def __init__(self, srv: Srv, other: Srv, folder: Path) -> None:
        self._srv, self._other, self._folder = srv, other, folder
        self._at, self._polls, self._received = time.monotonic(), 0, 0

    @property
    def begun(self) -> bool:
        files = self._srv.count("GET", "/out/*") + self._other.count("GET", "/out/*")
        return files == DOWNLOADS and self._bytes() > DOWNLOADS * 100_000

    def mark(self) -> tuple[float, float]:
        at, polls, received = time.monotonic(), self._srv.count("GET", "/api/v1/generations/g*"), self._bytes()
        lasted = at - self._at
        paces = (polls - self._polls) / lasted, (received - self._received) / lasted
        self._at, self._polls, self._received = at, polls, received
        return paces

    def _bytes(self) -> int:
        return sum(part.stat().st_size for part in self._folder.rglob("*.part"))


def _draws(terminal: Terminal, *, seconds: float = 0.0, until_true: Callable[[], bool] | None = None) -> None:
    """Takes in what the program draws, for so long or until that is true."""

    def look() -> bool:
        terminal.read()
        return until_true() if until_true else time.monotonic() > end

    end = time.monotonic() + seconds
    until(look, seconds + 15)

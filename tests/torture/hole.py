"""API-04: one id of twenty is a black hole; it times out, and neither the keys nor the other ids are kept waiting."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

from tests.conftest import until
from tests.e2e.terminal import ESC, Terminal
from tests.srv import GET_GENERATION, Answer, Request, Srv, generation, id_of, json_reply, silence
from tests.torture.figures import Figures
from tests.torture.keys import Keys
from tests.torture.kills import home_for

IDS = 20
HOLE = "g7"
TIMEOUT_S = 30.0  # the default of `api.timeout_s`
LONGEST_S = 20.0  # the longest gap of the cadence, and a little
PAUSE_S = 0.03
MOST_MS = 200


def run(folder: Path, *, seconds: float, most_ms: float = MOST_MS) -> Figures:
    """Keys are pressed for so long; what they may take is `most_ms`, at the 99th percentile."""
    figures = Figures(f"API-04: one id of {IDS} is never answered, {seconds:g} s")
    with Srv() as srv:

        def answer(request: Request) -> Answer:
            return silence if id_of(request) == HOLE else json_reply(200, generation(id_of(request), "processing"))

        srv.on("GET", GET_GENERATION, answer)
        home = home_for(folder, srv, "")
        home.run("track", *(f"g{number}" for number in range(IDS)))
        with Terminal(home) as terminal:
            terminal.wait_for("live")
            until(lambda: asked(srv, HOLE), what="the black hole is asked")
            keys = Keys(terminal, "move", "type")
            began = time.monotonic()
            while time.monotonic() - began < seconds:
                _press_some(keys, terminal)
            ended = time.monotonic()
            figures.promise("live" in terminal.text, f"it does not say live: {terminal.text[:200]}")
            terminal.press("q")
            left = time.monotonic()
            figures.promise(terminal.exit_code(5) == 0, "it did not end with 0")
            figures.tell("seconds to quit", time.monotonic() - left)
    keys.tell(figures, most_ms)
    others = [asked(srv, f"g{number}") for number in range(IDS) if f"g{number}" != HOLE]
    figures.tell("polls of each other id, least and most", f"{min(map(len, others))}, {max(map(len, others))}")
    waits = [later - earlier for at in others for earlier, later in pairwise(sorted([*at, ended]))]
    figures.tell("seconds until another id was asked again, most", max(waits))
    figures.promise(max(waits) <= LONGEST_S, "another id was kept waiting")
    figures.promise(min(map(len, others)) > 0, "another id was never asked")
    at = asked(srv, HOLE)
    figures.tell("questions into the black hole", len(at))
    figures.none("asked again before it timed out", [x - w for w, x in pairwise(at) if x - w < TIMEOUT_S])
    if ended - at[0] > TIMEOUT_S + 20:  # the pause after a failure is short, others are due, too
        figures.promise(len(at) > 1, "it never timed out")
    return figures


def asked(srv: Srv, generation_id: str) -> list[float]:
    """When it was asked about."""
    return [request.at for request in srv.calls("GET", f"/api/v1/generations/{generation_id}")]


def _press_some(keys: Keys, terminal: Terminal) -> None:
    for key in "jjkjkk":
        keys.move(key)
        terminal.read(PAUSE_S)
    terminal.press("/")
    for typed in ("g", "g7"):
        keys.press("type", typed[-1], lambda typed=typed: f"\n {typed}" in terminal.text)  # type: ignore[misc]
        terminal.read(PAUSE_S)
    terminal.press(ESC)
    terminal.wait_until_gone("\n g7")
    terminal.press("0")

"""Hostile text on its whole way: answers of the API and bodies of the user, into the database, out on a real terminal.

Rows TER-01, TER-03; G4. Every byte that the program wrote is looked at.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conftest import Home
from tests.e2e.hostile import MARK, SEQUENCES, draw, steering, url
from tests.e2e.terminal import ENTER, ESC, Terminal
from tests.srv import (
    CREDITS,
    CREDITS_BODY,
    GENERATE,
    GET_GENERATION,
    MODELS,
    MODELS_BODY,
    Request,
    Srv,
    error_reply,
    generation,
    id_of,
    json_reply,
)
from tests.torture.journal import Journal
from tests.torture.kills import home_for

ROWS, QUEUED = 40, 6
STATUSES = ("pending", "processing", "completed", "failed", None)


class Stranger:
    """An API all of whose words are hostile; the same id has the same words every time."""

    def __init__(self, srv: Srv, seed: int) -> None:
        self._seed = seed
        srv.on("GET", GET_GENERATION, self._generation)
        srv.on("POST", GENERATE, self._refused)
        srv.on("GET", CREDITS, lambda _: json_reply(200, CREDITS_BODY | {"tier": self.words("tier"), "balance": 5}))
        srv.on("GET", MODELS, lambda _: json_reply(200, MODELS_BODY | {"models": [self._model(n) for n in range(5)]}))

    def words(self, about: str) -> str:
        return draw(random.Random(f"{self._seed} {about}"))

    def _model(self, number: int) -> dict[str, object]:
        words = {
            name: self.words(f"{name} {number}") for name in ("slug", "name", "category", "creator", "description")
        }
        return words | {"params": {self.words("p"): {"type": self.words("t"), "values": [self.words("v")]}}}

    def _generation(self, request: Request) -> bytes:
        asked = unquote(id_of(request))
        dice = random.Random(f"{self._seed} {asked}")
        status = dice.choice(STATUSES)
        if status is None:
            return error_reply(404, "NOT_FOUND", draw(dice), draw(dice), request_id=draw(dice))
        more = {name: draw(dice) for name in ("model", "message", "error", "next")}
        urls = [url(dice), url(dice)]
        value = generation(asked, status, output_url=urls[0], output_urls=urls, **more)
        # The header that is quoted to support: C1 controls are legal in it.
        return json_reply(200, value, {"x-request-id": f"req\x9b{MARK}m\x9d0;{MARK}\x9c"})

    def _refused(self, _: Request) -> bytes:
        return error_reply(422, self.words("code"), self.words("message"), self.words("next"))


@pytest.fixture
def told(tmp_path: Path, srv: Srv) -> Home:
    """A home with hostile rows of every kind, as the API and the user's own files brought them."""
    stranger = Stranger(srv, seed=1)
    home = home_for(tmp_path, srv, "")
    lines = [{"generation_id": f"g{n}", "body": {"model": stranger.words(f"m{n}"), "prompt": stranger.words(f"p{n}")}}
             for n in range(ROWS)]  # fmt: skip
    assert home.run("track", "-", stdin="\n".join(map(json.dumps, lines))).returncode == 0
    bodies = [{"model": "m", "prompt": stranger.words(f"q{n}")} for n in range(QUEUED)]
    home.run("submit", "-", "--no-check", "--timeout", "20", stdin="\n".join(map(json.dumps, bodies)))
    return home


@pytest.fixture
def srv() -> Iterator[Srv]:
    with Srv() as server:
        yield server


def wait_until_asked(terminal: Terminal, home: Home) -> None:
    """Until the API was asked about every row."""
    end = time.monotonic() + 30
    while not all(row["checked_at"] for row in Journal.of(home).generations().values()):
        assert time.monotonic() < end, "not all rows were asked about"
        terminal.read()


def test_ter_01_ter_03_the_dashboard_writes_nothing_of_what_steers(told: Home, srv: Srv) -> None:
    with Terminal(told) as terminal:
        terminal.wait_for("active")
        wait_until_asked(terminal, told)
        terminal.press("g")
        for _ in range(ROWS + QUEUED):
            terminal.press("j")
        for view in ("1", "3", "4", "0", "!", "!"):
            terminal.press(view, "g", "j", ENTER, "\x1b[6~", ESC)
            terminal.read(0.2)
        for key in ("y", "Y", "d", "r", " ", "U", "x", "z"):
            terminal.press(key)
        for dialog in ("R", "m", "o", "?", "K", "a", ":"):
            terminal.press("g", "j", dialog)
            terminal.read(0.3)
            terminal.press(ESC)
            terminal.read(0.3)
        srv.on("GET", "*", error_reply(401, f"KEY{SEQUENCES[0]}", SEQUENCES[3], SEQUENCES[4]))
        terminal.press("*", "r")
        terminal.wait_for("KEY␛")
        terminal.signal(15)  # whatever question is open
        assert terminal.exit_code() == 143
        written = bytes(terminal.raw)
    assert steering(written) == []
    assert MARK.encode() in written, "the words themselves are shown"
    for log in told.path.rglob("vivix.log"):
        assert "Traceback" not in log.read_text()
        assert steering(log.read_bytes()) == []


def test_ter_03_a_click_on_markup_in_a_prompt_does_nothing(tmp_path: Path, srv: Srv) -> None:
    home = home_for(tmp_path, srv, "")
    line = json.dumps({"generation_id": "g1", "body": {"model": "m", "prompt": "[@click=app.quit]press here[/]"}})
    assert home.run("track", "-", stdin=line).returncode == 0
    with Terminal(home) as terminal:
        terminal.wait_for(r"\[@click=app.quit\]press here")
        lines = terminal.text.split("\n")
        spots = [(text.rfind("press here") + 3, y + 1) for y, text in enumerate(lines) if "press here" in text]
        for x, y in spots:
            terminal.press(f"\x1b[<0;{x};{y}M", f"\x1b[<0;{x};{y}m")
        terminal.press("?")
        terminal.wait_for("esc close")
        terminal.signal(15)
        assert terminal.exit_code() == 143


COMMANDS = (
    ("list",), ("list", "--json"), ("list", "--submissions"), ("list", "--submissions", "--json"), ("show", "g1"),
    ("show", "g2"), ("show", "g3", "--json"), ("models",), ("models", "--json"), ("credits",), ("queue",), ("doctor",),
    ("wait", "g1", "g2", "--timeout", "2"), ("download", "g1", "--timeout", "2"),
    ("retry", "g1", "--yes", "--timeout", "2"), ("show", f"g{SEQUENCES[0]}"), ("track", f"g{SEQUENCES[0]}"),
    ("list", "--status", SEQUENCES[0]), (SEQUENCES[0],),
)  # fmt: skip


def test_ter_01_no_command_writes_what_steers(told: Home) -> None:
    with Terminal(told) as terminal:
        wait_until_asked(terminal, told)
        terminal.leave()
        terminal.exit_code()
    failed: dict[tuple[str, ...], list[str]] = {}
    for command in COMMANDS:
        with Terminal(told, *command) as terminal:
            code = terminal.exit_code(30)
            failed |= {command: found} if (found := steering(bytes(terminal.raw))) else {}
        assert code in range(6)
        assert "Traceback" not in terminal.text
    assert failed == {}


@pytest.mark.parametrize("sequence", [*SEQUENCES, "\x7f", "\x00", "\u202e", "\ufeff", "\x85", f"\x1b]8;;x{MARK}\x07"])
def test_what_steers_is_noticed(sequence: str) -> None:
    drawn = b"\x1b[1;1H\x1b[38;2;1;2;3mplain\x1b[0m \x1b]8;id=1;https://a.test/\x1b\\x\x1b]8;;\x1b\\\r\n"
    assert steering(drawn) == []
    assert steering(drawn + sequence.encode() + drawn)

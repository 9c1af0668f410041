"""PAR-10: thousands of models with odd names, duplicates and unknown fields; the form and its list stay quick."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import until
from tests.e2e.terminal import ENTER, ESC, Terminal
from tests.srv import MODELS, MODELS_BODY, Srv, json_reply
from tests.torture.figures import Figures
from tests.torture.journal import Journal
from tests.torture.keys import Keys
from tests.torture.kills import home_for

MANY = 5_000
TWICE = 100
DOWN = "\x1b[B"
MOST_MS = 200
LIST = "which model"
IN_LIST = 60  # a column that the list covers, and neither the field nor the edge of the dialog


def models() -> list[dict[str, object]]:
    """As many as are read of a catalogue, and some of them odd: the last one of a name counts."""
    params = {
        "prompt": {"type": "string", "required": True, "max_length": 2000},
        "aspect_ratio": {"type": "enum", "values": ["1:1", "4:5", "9:16", "16:9"], "default": "1:1"},
        "seed": {"type": "integer", "min": 0, "max": 2_147_483_647},
    }
    odd: list[dict[str, object]] = [
        {"slug": "odd-name", "name": "x" * 1_000_000},
        {"slug": "odd-letters", "name": "a b " * 2_000},
        {"slug": "odd-costs", "credits_band": {"min": None, "max": None}, "category": None, "params": None},
        {"slug": "odd-fields", "credits_band": None, "colour": {"of": ["the", "sky"]}, "params": {"prompt": 7}},
    ]
    odd += [{"slug": f"m-{number:04d}", "name": "an earlier one"} for number in range(TWICE)]
    usual = [
        {
            "slug": f"m-{number:04d}", "name": f"Model {number} (Quality)", "category": "image", "creator": "somebody",
            "params": params, "credits_band": {"min": 80 + number, "max": 211 + number}, "x": number,
        }
        for number in range(MANY - len(odd))
    ]  # fmt: skip
    return [*odd, *usual]


def run(folder: Path, *, rounds: int, most_ms: float = MOST_MS) -> Figures:
    """So many times the list is opened, typed into and left, and a prompt is typed into the form of what was chosen."""
    figures = Figures(f"PAR-10: {MANY} models, of which {TWICE} twice, names of up to a megabyte")
    with Srv() as srv:
        srv.on("GET", MODELS, json_reply(200, MODELS_BODY | {"models": models()}))
        home = home_for(folder, srv, "")
        journal = Journal.of(home)
        with Terminal(home) as terminal:
            keys = Keys(terminal, "open", "type", "down", "take", "write")
            terminal.wait_for("live")
            began = time.monotonic()
            until(lambda: len(journal.rows("SELECT 1 FROM models")) == MANY - TWICE, what="they are stored")
            figures.tell("seconds until they were stored", time.monotonic() - began)
            for number in range(rounds):
                _one_round(keys, terminal, figures, number)
            terminal.leave()
            figures.promise(terminal.exit_code(5) == 0, "it did not end with 0")
    keys.tell(figures, most_ms)
    return figures


def _one_round(keys: Keys, terminal: Terminal, figures: Figures, number: int) -> None:
    wanted = f"{number * 37 % 4_000:04d}"
    keys.press("open", "n", _shows(terminal, "The first 100 of 4,900"))
    for _ in range(3):
        before = terminal.column(IN_LIST)
        keys.press("down", DOWN, lambda before=before: terminal.column(IN_LIST) != before)  # type: ignore[misc]
    for typed in ("a", "aa", "aaa", "aaab", "aaaba", "aaabab"):
        keys.press("type", typed[-1], _shows(terminal, f"{typed} "))
    figures.promise("odd-letters" in terminal.text, f"odd-letters is not found: {terminal.text}")
    _clear(keys, terminal, 6)
    terminal.type("odd-name")
    terminal.wait_for("odd-name +price unknown · x{30,60}…")
    _clear(keys, terminal, 8)
    for at in range(1, 5):
        keys.press("type", wanted[at - 1], _shows(terminal, wanted[:at]))
    terminal.wait_for(rf"m-{wanted} +image · ")
    keys.press("take", ENTER, lambda: LIST not in terminal.text)
    terminal.wait_for("Price: ")
    for word in ("f", "fo", "fox"):
        keys.press("write", word[-1], _shows(terminal, word))
        terminal.read(0.15)  # the price is worked out once nothing is typed for a moment
    terminal.press(ESC)
    terminal.wait_for("throw it away")
    terminal.press("t")
    terminal.wait_until_gone("What is sent")


def _clear(keys: Keys, terminal: Terminal, letters: int) -> None:
    for _ in range(letters):
        before = terminal.text
        keys.press("type", "\x7f", lambda before=before: terminal.text != before)  # type: ignore[misc]


def _shows(terminal: Terminal, text: str) -> Callable[[], bool]:
    return lambda: text in terminal.text

"""A large history, prompts of all kinds, and a database of a newer program. Rows STO-07, STO-09, LIF-02."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Home
from tests.e2e.terminal import Terminal
from vivix_tui import verbs
from vivix_tui.store import query
from vivix_tui.store.store import Store

ROWS = 100_000
PROMPTS = ("\x00nul", "\U0001f98a\U0001f30a", "\u202eright to left\u2066", "a\x1b[2Jb", "plain " * 30)


@pytest.fixture
def long_history(home: Home) -> Home:
    bodies = [json.dumps({"model": "m", "prompt": prompt}, ensure_ascii=number % 2 == 0) for number, prompt in
              enumerate(PROMPTS)]  # fmt: skip
    store = Store(home.database)
    verbs.track(store, "default", [(f"g{number:06}", bodies[number % len(bodies)]) for number in range(ROWS)])
    with store.write() as connection:
        connection.execute("UPDATE generations SET status = 'completed', sort_ms = rowid")
    store.close()
    return home


def test_sto_09_a_hundred_thousand_rows_open_within_a_second(long_history: Home) -> None:
    began = time.monotonic()
    store = Store(long_history.database)
    page = query.page(store, "default", query.Filter(), offset=50_000, limit=50)
    took_s = time.monotonic() - began
    store.close()
    assert len(page) == 50
    assert took_s < 0.5
    times = []
    for _ in range(3):  # what else runs here may delay one of them
        began = time.monotonic()
        listed = long_history.run("list", "--limit", "50")
        times.append(time.monotonic() - began)
    assert min(times) < 1.0
    assert (listed.returncode, len(listed.stdout.splitlines())) == (0, 50)
    assert "\x1b" not in listed.stdout
    assert "\x00" not in listed.stdout
    began = time.monotonic()
    with Terminal(long_history) as terminal:
        terminal.wait_for("g0999")
        assert time.monotonic() - began < 4.0  # the interpreter and the terminal's emulator take their share
        terminal.press("q")
        assert terminal.exit_code() == 0


@pytest.mark.parametrize("command", [("list",), ("track", "x"), ("watch",), ("submit", "-")], ids=lambda c: c[0])
def test_sto_07_no_command_touches_a_newer_database(home: Home, command: tuple[str, ...]) -> None:
    home.database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(home.database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE later (x)")
        connection.execute("PRAGMA user_version = 999")
    before = _digest(home.database)
    done = home.run(*command, stdin='{"model": "m", "prompt": "x"}')
    assert done.returncode == 2
    assert "upgrade vivix-tui" in done.stderr
    assert done.stdout == ""
    assert _digest(home.database) == before
    with closing(sqlite3.connect(home.database)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 999
        assert [row[0] for row in connection.execute("SELECT name FROM sqlite_schema")] == ["later"]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_lif_02_a_connection_keeps_little_of_its_file_in_memory(tmp_path: Path) -> None:
    """Each has pages of its own: with SQLite's 2 MB for each the program grew for as long as its file did."""
    with closing(Store(tmp_path / "vivix.db")) as store:
        (kept,) = store.all("PRAGMA cache_size")[0]
    assert -512 <= kept < 0, "in KiB, where it is negative"

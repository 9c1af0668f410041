"""Damage, from the head of the file to its last page: the program starts, nothing is deleted, the user is told.
Row STO-04."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Home
from tests.e2e.terminal import Terminal
from vivix_tui import verbs
from vivix_tui.errors import StoreError
from vivix_tui.store import query
from vivix_tui.store.store import Store

ALL = query.Filter()
PAGE = 4096


def filled(path: Path, rows: int = 300) -> None:
    store = Store(path)
    verbs.track(store, "p", [(f"g{number:05}", '{"prompt": "' + "x" * 500 + '"}') for number in range(rows)])
    store.close()


def noise(path: Path, page: int) -> None:
    """A page (from 1) of random bytes."""
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(random.Random(page).randbytes(PAGE))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def _empty(path: Path) -> None:
    path.write_bytes(b"")
    path.with_name("vivix.db.default.lock").touch()  # an engine ran here, so there were rows


DAMAGES: dict[str, Callable[[Path], object]] = {
    "4 KB noise at page 2": lambda path: noise(path, 2),
    "noise at page 1": lambda path: noise(path, 1),
    "truncated to 100 bytes": _cut,
    "half of it": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "0 bytes": _empty,
    "garbage": lambda path: path.write_bytes(b"not a database, " * 600),
    "a head and garbage": lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 84),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_sto_04_a_damaged_database_is_moved_aside_with_its_log(tmp_path: Path, name: str) -> None:
    path = tmp_path / "vivix.db"
    filled(path)
    DAMAGES[name](path)
    before = path.read_bytes()
    path.with_name("vivix.db-wal").write_bytes(b"old wal")
    path.with_name("vivix.db-shm").write_bytes(b"old shm")
    store = Store(path)
    assert "was damaged" in (store.notice or "")
    verbs.track(store, "p", [("a", None)])
    assert query.count(store, "p", ALL) == 1
    store.close()
    (aside,) = [p for p in tmp_path.glob("*.damaged-*") if not p.name.endswith(("-wal", "-shm"))]
    assert aside.read_bytes() == before
    assert aside.name in (store.notice or "")
    assert aside.with_name(f"{aside.name}-wal").read_bytes() == b"old wal"
    assert aside.with_name(f"{aside.name}-shm").exists()
    assert aside.stat().st_mode & 0o077 == 0
    again = Store(path)
    assert again.notice is None
    again.close()


def test_sto_04_the_log_of_an_empty_file_is_kept(tmp_path: Path) -> None:
    """SQLite deletes the -wal of a database of 0 bytes; it may hold every row there was."""
    path, live = tmp_path / "vivix.db", tmp_path / "live"
    live.mkdir()
    store = Store(live / "vivix.db")
    verbs.track(store, "p", [("paid-for", None)])
    for name in ("vivix.db", "vivix.db-wal", "vivix.db-shm"):
        shutil.copy(live / name, tmp_path / name)
    store.close()
    whole = path.read_bytes()
    path.write_bytes(b"")
    Store(path).close()
    (wal,) = tmp_path.glob("*.damaged-*-wal")
    wal.with_name(wal.name.removesuffix("-wal")).write_bytes(whole)
    with closing(sqlite3.connect(wal.with_name(wal.name.removesuffix("-wal")))) as connection:
        assert connection.execute("SELECT generation_id FROM generations").fetchall() == [("paid-for",)]


def leaf_with(path: Path, text: bytes) -> int:
    """The page (from 1) of table rows that holds `text`."""
    data = path.read_bytes()
    pages = [data[at : at + PAGE] for at in range(0, len(data), PAGE)]
    return next(
        number for number, page in enumerate(pages, start=1) if page[0] == 0x0D and text in page and b"xxx" in page
    )


def test_sto_04_damage_further_inside_is_met_then_told_and_moved_aside_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "vivix.db"
    filled(path, 2_000)
    noise(path, leaf_with(path, b"g01000"))
    store = Store(path)
    assert store.notice is None, "a look at every page would make each start slow"
    with pytest.raises(StoreError) as caught:
        list(query.list_generations(store, "p"))
    assert "is damaged" in str(caught.value)
    assert "moved aside" in caught.value.hint
    store.close()
    before = path.read_bytes()
    store = Store(path)
    assert "was damaged" in (store.notice or "")
    assert query.count(store, "p", ALL) == 0
    store.close()
    (aside,) = [p for p in tmp_path.glob("*.damaged-*") if not p.name.endswith(("-wal", "-shm"))]
    assert aside.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir() if "damaged" not in p.name} == {"vivix.db"}


def test_sto_04_a_false_alarm_moves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "vivix.db"
    filled(path)
    path.with_name("vivix.db.check").touch()
    store = Store(path)
    assert store.notice is None
    assert query.count(store, "p", ALL) == 300
    store.close()
    assert [p.name for p in tmp_path.iterdir()] == ["vivix.db"]


def test_sto_04_who_still_has_the_moved_file_open_neither_writes_nor_reads_on(tmp_path: Path) -> None:
    """A wish written into the moved file would be seen by nobody, and what was sent for it forgotten."""
    path = tmp_path / "vivix.db"
    store = Store(path)
    verbs.track(store, "p", [("a", None)])
    for suffix in ("", "-wal", "-shm"):
        path.with_name(f"vivix.db{suffix}").rename(tmp_path / f"aside{suffix}")
    Store(path).close()
    with pytest.raises(StoreError) as caught:
        verbs.submit(store, "p", ['{"prompt": "x"}'])
    assert "moved" in str(caught.value)
    with pytest.raises(StoreError):
        _ = store.revision
    store.close()


def test_sto_04_who_finds_damage_while_another_acts_on_it_looks_again(tmp_path: Path) -> None:
    """Else it would move the new database of the other one aside."""
    path, healthy = tmp_path / "vivix.db", tmp_path / "healthy.db"
    filled(path)
    noise(path, 2)
    filled(healthy, 7)
    code = (
        "import sys, pathlib; from vivix_tui.store.store import Store\n"
        "print('ready', flush=True); s = Store(pathlib.Path(sys.argv[1])); print(s.notice or 'nothing to tell')"
    )
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # another process has begun to open it
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        assert list(tmp_path.glob("*.damaged-*")) == []
        time.sleep(0.02)
    path.rename(tmp_path / "set-aside.db")
    healthy.rename(path)
    os.close(folder)
    assert process.communicate(timeout=30)[0] == "nothing to tell\n"
    store = Store(path)
    assert query.count(store, "p", ALL) == 7
    store.close()


def test_sto_04_of_many_processes_that_find_it_damaged_one_moves_it(tmp_path: Path) -> None:
    path = tmp_path / "vivix.db"
    filled(path)
    noise(path, 2)
    code = (
        "import sys, pathlib; from vivix_tui import verbs; from vivix_tui.store.store import Store\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "s = Store(pathlib.Path(sys.argv[1])); verbs.track(s, 'p', [(sys.argv[2], None)]); print(s.notice or '')"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path), f"g{n}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for n in range(5)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0].strip() for process in running]
    assert len([words for words in told if words]) == 1
    store = Store(path)
    assert query.count(store, "p", ALL) == 5
    store.close()
    assert len([p for p in tmp_path.glob("*.damaged-*") if not p.name.endswith(("-wal", "-shm"))]) == 1


@pytest.mark.parametrize("name", ["4 KB noise at page 2", "truncated to 100 bytes", "0 bytes", "garbage"])
def test_sto_04_the_program_starts_and_says_so(home: Home, name: str) -> None:
    home.database.parent.mkdir(parents=True)
    filled(home.database)
    DAMAGES[name](home.database)
    listed = home.run("list")
    assert listed.returncode == 0
    assert "was damaged and is now vivix.db.damaged-" in listed.stderr
    assert home.run("list").stderr == ""


def test_sto_04_the_screen_says_so(home: Home) -> None:
    home.database.parent.mkdir(parents=True)
    filled(home.database)
    noise(home.database, 2)
    with Terminal(home) as terminal:
        terminal.wait_for("was damaged")
        terminal.press("q")
        assert terminal.exit_code() == 0

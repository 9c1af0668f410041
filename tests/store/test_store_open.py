"""Opening the database: private, migrated once, a damaged one set aside, a newer one untouched."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.conftest import until
from vivix_tui import verbs
from vivix_tui.errors import StoreError, StoreTooNew
from vivix_tui.store import query, schema
from vivix_tui.store.store import Store

ALL = query.Filter()


def test_sec_08_files_and_folder_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(tmp_path / "new" / "vivix.db")
        verbs.track(store, "p", [("a", None)])
        modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "new").iterdir()}
        assert modes == {"vivix.db": 0o600, "vivix.db-wal": 0o600, "vivix.db-shm": 0o600}
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
        store.close()
    finally:
        os.umask(before)


@pytest.mark.parametrize("damage", [b"not a database, " * 600, b"SQLite format 3\0" + b"\xff" * 84])
def test_sto_04_a_damaged_database_is_moved_aside_and_told(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "vivix.db"
    path.write_bytes(damage)
    path.with_name("vivix.db-wal").write_bytes(b"old wal")
    store = Store(path)
    assert "was damaged" in (store.notice or "")
    verbs.track(store, "p", [("a", None)])
    aside = sorted(p.name for p in tmp_path.glob("*.damaged-*"))
    assert len(aside) == 2
    assert (tmp_path / aside[0]).read_bytes() == damage
    store.close()


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "vivix.db").touch()
    store = Store(tmp_path / "vivix.db")
    assert store.notice is None
    assert query.count(store, "p", ALL) == 0
    store.close()


def test_sto_07_a_newer_database_is_refused_and_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / "vivix.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.execute("CREATE TABLE later (x)")
    connection.close()
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(StoreTooNew) as caught:
        Store(path)
    assert "upgrade" in caught.value.hint
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_many_processes_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    code = "import sys, pathlib; from vivix_tui.store.store import Store; Store(pathlib.Path(sys.argv[1])).close()"
    command = [sys.executable, "-c", code, str(tmp_path / "vivix.db")]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    assert [process.communicate(timeout=60)[1] for process in running] == [""] * 6
    store = Store(tmp_path / "vivix.db")
    assert store.one("PRAGMA user_version")[0] == schema.VERSION
    assert store.notice is None
    store.close()


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as caught:
        Store(tmp_path / "file" / "vivix.db")
    assert str(tmp_path) in str(caught.value)


def test_every_writer_raises_the_revision_and_a_write_of_nothing_does_not(tmp_path: Path) -> None:
    one, other = Store(tmp_path / "vivix.db"), Store(tmp_path / "vivix.db")
    before = other.revision
    verbs.track(one, "p", [("a", None)])
    assert other.revision > before
    before = other.revision
    verbs.forget(one, "p", ["nobody"])
    assert other.revision == before
    one.close()
    other.close()


def test_an_error_inside_a_write_leaves_nothing(store: Store) -> None:
    def half_a_write() -> None:
        with store.write(durable=True) as connection:
            connection.execute("INSERT INTO events (profile, subject, at, event) VALUES ('p', 's', 't', 'e')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_a_write()
    assert store.one("SELECT count(*) FROM events")[0] == 0
    with pytest.raises(StoreError):
        store.all("SELECT nonsense")


def test_sto_02_writers_of_several_threads_wait_for_each_other(tmp_path: Path) -> None:
    failures: list[str] = []

    def write(name: str) -> None:
        try:
            store = Store(tmp_path / "vivix.db")
            for number in range(100):
                assert query.generation(store, "p", f"{name}-{number}") is None
                verbs.track(store, "p", [(f"{name}-{number}", None)])
            store.close()
        except StoreError as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    until(lambda: not any(thread.is_alive() for thread in threads), 60, "all writers done")
    assert failures == []
    store = Store(tmp_path / "vivix.db")
    assert query.count(store, "p", ALL) == 400
    store.close()


def test_sto_01_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from vivix_tui import verbs; from vivix_tui.store.store import Store\n"
        "store = Store(Path(sys.argv[1])); n = 0\n"
        "while True:\n  verbs.track(store, 'p', [(f'{sys.argv[2]}-{n}', None)]); print(n, flush=True); n += 1\n"
    )
    for round_ in range(4):
        command = [sys.executable, "-c", code, str(tmp_path / "vivix.db"), str(round_)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(30 + round_ * 7)]
        process.kill()
        acknowledged += [int(line) for line in process.stdout.read().split()]
        process.wait()
        process.stdout.close()
        store = Store(tmp_path / "vivix.db")
        assert store.notice is None
        assert all(query.generation(store, "p", f"{round_}-{n}") for n in acknowledged)
        assert store.one("PRAGMA integrity_check")[0] == "ok"
        store.close()

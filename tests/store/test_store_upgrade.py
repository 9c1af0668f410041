"""Migrations from the past: version 1 as it was, upgraded; a copy kept until the new one was read; kill -9 in between.

The text of version 1 is kept here, whatever `schema` says today. The migrations that follow it are the real ones and,
for what real ones would be too quick, further ones appended to the list that the program applies.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import until
from vivix_tui.errors import StoreError
from vivix_tui.store import generations, schema, submissions
from vivix_tui.store.store import Store

VERSION_1 = Path(__file__).with_name("version_1.sql").read_text("utf-8")
SLOW = (
    "CREATE TABLE later (n INTEGER NOT NULL, words TEXT NOT NULL) STRICT;\n"
    "INSERT INTO later WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 80000)"
    " SELECT n, hex(randomblob(40)) FROM c;\n"
    "CREATE INDEX later_words ON later (words)"
)


def past(path: Path) -> None:
    """A database as version 1 made and filled it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(VERSION_1)
        connection.execute("PRAGMA user_version = 1")
        for number in range(50):
            connection.execute(
                "INSERT INTO generations (profile, generation_id, status, tracked_at, body, prompt, sort_ms)"
                " VALUES ('p', ?, 'completed', '2026-05-10T12:00:00Z', '{\"prompt\": \"old\"}', 'old', ?)",
                (f"g{number}", number),
            )
        for state in ("queued", "sending", "unknown", "accepted"):
            connection.execute(
                "INSERT INTO submissions (submission_id, profile, state, body, created_at, position, sort_ms)"
                " VALUES (?, 'p', ?, '{}', '2026-05-10T12:00:00Z', 1.0, 1)",
                (state, state),
            )
        connection.commit()


def rows_of(path: Path) -> tuple[int, int]:
    """(generations, submissions), read by SQLite alone."""
    with closing(sqlite3.connect(path)) as connection:
        count = [connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("generations", "submissions")]
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    return count[0], count[1]


def copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob("*-backup*"))


@pytest.fixture
def one_more(monkeypatch: pytest.MonkeyPatch) -> str:
    """A program that knows one more migration than today's."""
    return also(monkeypatch, "CREATE TABLE later (n INTEGER NOT NULL) STRICT;\nINSERT INTO later VALUES (7)")


def also(monkeypatch: pytest.MonkeyPatch, script: str) -> str:
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, script))
    monkeypatch.setattr(schema, "VERSION", len(schema.MIGRATIONS))
    return script


def test_the_first_migration_is_still_the_text_of_version_1() -> None:
    assert schema.MIGRATIONS[0] == VERSION_1


def test_a_database_of_version_1_is_upgraded_and_keeps_its_rows(tmp_path: Path, one_more: str) -> None:
    path = tmp_path / "vivix.db"
    past(path)
    store = Store(path)
    assert store.one("PRAGMA user_version")[0] == schema.VERSION == len(schema.MIGRATIONS)
    assert store.one("SELECT n FROM later")[0] == 7
    row = generations.get(store, "p", "g7")
    assert row is not None
    assert (row.status, row.prompt, row.body) == ("completed", "old", '{"prompt": "old"}')
    item = submissions.get(store, "unknown")
    assert item is not None
    assert item.state == "unknown"
    store.close()
    assert rows_of(path) == (50, 4)


def test_a_copy_is_kept_until_the_upgraded_database_was_opened_once_more(tmp_path: Path, one_more: str) -> None:
    path = tmp_path / "vivix.db"
    past(path)
    Store(path).close()
    (copy,) = copies(path)
    assert copy.name == "vivix.db.v1-backup"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert rows_of(copy) == (50, 4)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 1
    for beside in copies(path):
        if beside != copy:
            beside.unlink()  # what reading the copy left
    Store(path).close()
    assert copies(path) == []


def test_a_new_database_needs_no_copy(tmp_path: Path) -> None:
    Store(tmp_path / "vivix.db").close()
    assert [p.name for p in tmp_path.iterdir()] == ["vivix.db"]


def test_rows_in_the_log_are_in_the_copy(tmp_path: Path, one_more: str) -> None:
    """The program before was killed, its last rows are in the -wal."""
    path = tmp_path / "vivix.db"
    past(path)
    code = (
        "import os, signal, sqlite3, sys; c = sqlite3.connect(sys.argv[1])\n"
        "c.execute(\"UPDATE submissions SET state = 'accepted' WHERE submission_id = 'sending'\"); c.commit()\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=30)
    assert path.with_name("vivix.db-wal").stat().st_size > 0
    Store(path).close()
    for file in (path, copies(path)[0]):
        with closing(sqlite3.connect(file)) as connection:
            found = connection.execute("SELECT state FROM submissions WHERE submission_id = 'sending'").fetchone()[0]
        assert found == "accepted"


def test_a_migration_that_fails_leaves_the_old_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    also(monkeypatch, "CREATE TABLE later (n INTEGER);\nINSERT INTO later VALUES (nonsense)")
    path = tmp_path / "vivix.db"
    past(path)
    with pytest.raises(StoreError):
        Store(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 1
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'later'").fetchone()[0] == 0
    assert rows_of(path) == (50, 4)


def test_lif_01_a_kill_in_the_migration_leaves_it_not_begun_or_complete(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from vivix_tui.store import schema\n"
        "from vivix_tui.store.store import Store\n"
        "schema.MIGRATIONS = (*schema.MIGRATIONS, sys.argv[2]); schema.VERSION = len(schema.MIGRATIONS)\n"
        "print('begins', flush=True); Store(Path(sys.argv[1])); print('done', flush=True)"
    )
    target = len(schema.MIGRATIONS) + 1
    dice, seen = random.Random(1), set()
    path = tmp_path / "vivix.db"
    past(path)
    # How long it takes here decides when to kill.
    trial = tmp_path / "trial"
    trial.mkdir()
    past(trial / "vivix.db")
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", code, str(trial / "vivix.db"), SLOW], check=True, timeout=60)
    whole_s = time.monotonic() - began
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", code, str(path), SLOW], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        end = time.monotonic() + dice.uniform(0, whole_s)
        until(lambda end=end: time.monotonic() >= end)  # type: ignore[misc]
        process.kill()
        process.wait()
        process.stdout.close()
        with closing(sqlite3.connect(path)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            tables = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'later'").fetchone()[0]
            rows = connection.execute("SELECT count(*) FROM later").fetchone()[0] if tables else 0
        seen.add(version)
        assert (version, rows) in ((1, 0), (target, 80_000))
        assert rows_of(path) == (50, 4)
        if version == target:
            assert [c for c in copies(path) if c.name == "vivix.db.v1-backup"], "the copy outlives the migration"
            path.unlink()
            for copy in copies(path):
                copy.unlink()
            past(path)
    assert 1 in seen, "no kill came before the end"

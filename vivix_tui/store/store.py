"""One connection to the database, for one thread.

Owns: opening (private files, WAL, migrations, setting a damaged file aside), transactions, the revision that every
writer raises, and turning sqlite3's errors into ours. Refuses: knowing what the rows mean.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vivix_tui.errors import StoreError, StoreTooNew
from vivix_tui.files import make_private_folder
from vivix_tui.store import schema

BUSY_TIMEOUT_S = 5.0
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

# When any descriptor of a file is closed, POSIX drops all locks that the process holds on it, SQLite's among them;
# then the next process to close the database takes itself for the last one and deletes the log under our feet. So
# nothing but SQLite may open the file while a connection of this process has it open: (device, inode) → connections.
_opening = threading.RLock()
_open_here: Counter[tuple[int, int]] = Counter()


class Store:
    """The database as one thread sees it.

    `notice` holds what the user must be told about the opening (a damaged file was moved aside), else None.
    Raises StoreError, or StoreTooNew for a database of a newer version, which it leaves untouched.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notice: str | None = None
        with _opening:
            self._connection = self._open_or_begin_anew(path)
            self._file: tuple[int, int] | None = _identity(path)
            _open_here[self._file] += 1

    def _open_or_begin_anew(self, path: Path) -> sqlite3.Connection:
        try:
            if not _open_here[_identity(path)] and not _looks_like_sqlite(path):
                self.notice = _move_aside(path)
            return self._open()
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) not in _DAMAGED:
                raise _mapped(error, path) from error
            self.notice = _move_aside(path)
            try:
                return self._open()
            except sqlite3.Error as again:
                raise _mapped(again, path) from again
        except OSError as error:
            raise StoreError(f"cannot open the database {path}: {error.strerror}") from error

    def _open(self) -> sqlite3.Connection:
        make_private_folder(self.path.parent)
        # SQLite gives -wal and -shm the mode of the main file, so that one has to be private before it is first opened.
        if not self.path.exists():
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > schema.VERSION:
                raise StoreTooNew(
                    f"the database {self.path} was written by a newer vivix-tui (format {version})",
                    hint="upgrade vivix-tui; the file was left untouched",
                )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if version < schema.VERSION:
                _migrate(connection)
            connection.execute("SELECT revision FROM meta").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Closes the connection; committed rows are safe without it."""
        with _opening:
            self._connection.close()
            if self._file is not None:
                _open_here[self._file] -= 1
                self._file = None

    @property
    def revision(self) -> int:
        """The number that every committed change raises, in whatever process it was made."""
        return int(self.one("SELECT revision FROM meta")[0])

    def all(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """The rows of a SELECT."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise _mapped(error, self.path) from error

    def one(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Row:
        """The only row of a SELECT that always has one."""
        return self.all(sql, parameters)[0]

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its beginning; it commits at the end, or rolls back.

        A deferred transaction would fail at once when another process wrote between its first read and its first
        write, whatever the busy timeout; BEGIN IMMEDIATE waits instead. `durable` waits for the disk
        (synchronous = FULL): for what money depends on.
        """
        connection = self._connection
        try:
            if durable:
                connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                before = connection.total_changes
                yield connection
                if connection.total_changes != before:
                    connection.execute("UPDATE meta SET revision = revision + 1")
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise _mapped(error, self.path) from error
        finally:
            if durable:
                connection.execute("PRAGMA synchronous = NORMAL")


def _migrate(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another process may have migrated meanwhile.
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for script in schema.MIGRATIONS[version:]:
            for statement in script.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _identity(path: Path) -> tuple[int, int]:
    """Which file `path` names now; (0, 0) while there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_dev, found.st_ino


def _looks_like_sqlite(path: Path) -> bool:
    """Whether the file is missing, empty, or begins like a database.

    Looked at before SQLite does: opening a database with a garbled head makes it delete the -wal, which may hold
    the last rows.
    """
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        return True
    return not head or (head[:16] == b"SQLite format 3\0" and head[21:24] == b"\x40\x20\x20")


def _move_aside(path: Path) -> str:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.damaged-{stamp}{suffix}"))
    return f"the database was damaged and is now {path.name}.damaged-{stamp}; a new one was begun"


def _mapped(error: sqlite3.Error, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreError(f"the disk of {path} is full", hint="free some space; nothing that was stored is lost")
    if code == sqlite3.SQLITE_READONLY:
        return StoreError(
            f"the database {path} is read-only", hint="check the owner and mode of the file and its folder"
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(f"the database {path} was locked for {BUSY_TIMEOUT_S:.0f} s by another program")
    return StoreError(f"the database {path} cannot be used: {error}")

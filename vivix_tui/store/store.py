"""One connection to the database, for one thread.

Owns: transactions, the revision that every writer raises, who of this process has which file open, and turning
sqlite3's errors into ours. Refuses: knowing what the rows mean, and the file itself (`opening`).
"""

from __future__ import annotations

import functools
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from vivix_tui.errors import StoreError, StoreMoved
from vivix_tui.store.opening import BUSY_TIMEOUT_S, DAMAGED, code_of, mark_damaged, open_database

# When any descriptor of a file is closed, POSIX drops all locks that the process holds on it, SQLite's among them;
# then the next process to close the database takes itself for the last one and deletes the log under our feet. So
# nothing but SQLite may open the file while a connection of this process has it open: (device, inode) → connections.
_NO_UTF_8 = "Could not decode to UTF-8"  # Python's own words, which carry no code of SQLite
_opening = threading.RLock()
_open_here: Counter[tuple[int, int]] = Counter()


class Store:
    """The database as one thread sees it.

    `notice` holds what the user must be told about the opening (a damaged file was moved aside; it can only be read),
    else None. `reports` counts what this connection wrote for people alone (see `report`).

    Raises StoreError, or StoreTooNew for a database of a newer version, which it leaves untouched.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _opening:
            try:
                opened = open_database(path, busy_timeout_s=BUSY_TIMEOUT_S, untouched=_open_here[_identity(path)] > 0)
            except sqlite3.Error as error:
                raise _mapped(error, path) from error
            except OSError as error:
                raise StoreError(f"cannot open the database {path}: {error.strerror}") from error
            self._connection, self.notice, self._cure = opened.connection, opened.notice, opened.cure
            self._file: tuple[int, int] | None = _identity(path)
            self.reports = 0
            self._is_report = False
            _open_here[self._file] += 1

    def close(self) -> None:
        """Closes the connection; committed rows are safe without it."""
        with _opening:
            self._connection.close()
            if self._file is not None:
                _open_here[self._file] -= 1
                self._file = None

    @property
    def revision(self) -> int:
        """The number that every committed change raises, in whatever process it was made.

        Raises StoreMoved where another process moved the file away: what is read here no longer changes.
        """
        self._check_place()
        return int(self.one("SELECT revision FROM meta")[0])

    @property
    def news(self) -> int:
        """The revision without this connection's own reports: where it did not change there is nothing new to do."""
        return self.revision - self.reports

    def report(self) -> None:
        """What the transaction under way writes is for people to see; nobody else has to act on it."""
        self._is_report = True

    def all(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """The rows of a SELECT."""
        try:
            try:
                return self._connection.execute(sql, parameters).fetchall()
            except sqlite3.OperationalError as error:
                if not self._tolerates(error):
                    raise
                return self._connection.execute(sql, parameters).fetchall()
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise _mapped(error, self.path) from error

    def one(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Row:
        """The only row of a SELECT that always has one."""
        return self.all(sql, parameters)[0]

    def must_be_writable(self) -> None:
        """Raises StoreError where the database can only be read."""
        if self._cure is not None:
            raise StoreError(self.notice or f"the database {self.path} can only be read", hint=self._cure)

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its beginning; it commits at the end, or rolls back.

        A deferred transaction would fail at once when another process wrote between its first read and its first
        write, whatever the busy timeout; BEGIN IMMEDIATE waits instead. `durable` waits for the disk
        (synchronous = FULL): for what money depends on.
        """
        self.must_be_writable()
        connection = self._connection
        try:
            if durable:
                connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._check_place()
                self._is_report, before = False, connection.total_changes
                yield connection
                if connection.total_changes != before:
                    connection.execute("UPDATE meta SET revision = revision + 1")
                connection.execute("COMMIT")
                self.reports += self._is_report and connection.total_changes != before
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except (sqlite3.Error, UnicodeEncodeError) as error:
            if isinstance(error, sqlite3.OperationalError):
                self._tolerates(error)
            raise _mapped(error, self.path) from error
        finally:
            if durable:
                # What was committed is committed; a connection that stays at FULL is only slower.
                with suppress(sqlite3.Error):
                    connection.execute("PRAGMA synchronous = NORMAL")

    def _tolerates(self, error: sqlite3.OperationalError) -> bool:
        """Whether `error` was text that is no UTF-8, and reading goes on now.

        One such cell (a flipped bit on the disk) must not hide all other rows. Its odd bytes are read as lone
        surrogates: shown as replaced, and never sent or written, since nothing encodes them. Reading all text so is
        slower, so it begins when it is needed.
        """
        if _NO_UTF_8 not in str(error):
            return False
        self._connection.text_factory = functools.partial(str, encoding="utf-8", errors="surrogateescape")
        return True

    def _check_place(self) -> None:
        """A row written into a file that was moved aside would be seen by nobody, and what it stands for done again."""
        if _identity(self.path) != self._file:
            raise StoreMoved(
                f"the database {self.path} was moved or replaced while it was open",
                hint="start vivix-tui again; what was written before lies in the file that was moved",
            )


def _identity(path: Path) -> tuple[int, int]:
    """Which file `path` names now: (device, inode), (0, 0) while there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def _mapped(error: sqlite3.Error | UnicodeEncodeError, path: Path) -> StoreError:
    if isinstance(error, UnicodeEncodeError) or _NO_UTF_8 in str(error):
        # Not in Python's words, which quote the text; a log may be shown to strangers.
        return StoreError(f"a row of the database {path} holds text that is no UTF-8")
    code = code_of(error)
    if code in DAMAGED:
        mark_damaged(path)
        return StoreError(
            f"the database {path} is damaged: {error}",
            hint="end every vivix-tui and start again: the file is then moved aside, not deleted, and a new one begun",
        )
    if code == sqlite3.SQLITE_FULL:
        return StoreError(f"the disk of {path} is full", hint="free some space; nothing that was stored is lost")
    if code == sqlite3.SQLITE_READONLY:
        return StoreError(
            f"the database {path} is read-only", hint="check the owner and mode of the file and its folder"
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(f"the database {path} was locked for {BUSY_TIMEOUT_S:.0f} s by another program")
    return StoreError(f"the database {path} cannot be used: {error}")

"""Getting at the database file: private from the first instant, whole, of our format, one process at a time.

Owns: finding damage, setting a damaged file aside, migrations and the copy kept before one, looking without being
able to write. Refuses: transactions and rows (`store`), and deleting anything that a user wrote.

How damage is found. Opening looks at the head of the file, at every table's first row, and lets SQLite compare the
file's length with its head: a millisecond, whatever the size. Reading all pages would cost a tenth of a second for
100,000 rows at each start, so damage further inside is met when it is read: then a mark is left beside the file, and
the next opening checks every page and moves it aside. A new database begins empty: rows of a damaged one may be older
than what was sent, and sending them again costs money. What was moved keeps its -wal and -shm under matching names, so
that `sqlite3 FILE .recover` reads what is left. Processes that still have it open notice (`store`) and stop writing.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from vivix_tui.errors import StoreError, StoreTooNew
from vivix_tui.files import make_private_folder
from vivix_tui.store import schema

BUSY_TIMEOUT_S = 5.0
WAL_KEPT_BYTES = 16_000_000  # after a burst it is cut back to this at a checkpoint
PAGES_KIB = 256  # of the file that a connection keeps in memory; the system keeps the rest, once for all connections
STATEMENTS = 32  # that a connection keeps compiled, at up to 20 kB each; Python's own 128 took minutes to fill
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_CANNOT_WRITE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}
_SUFFIXES = ("", "-wal", "-shm")
log = logging.getLogger("vivix_tui.store")


class Opened(Struct, frozen=True):
    """A connection, and what the user must be told about how it came about (None: nothing).

    `cure` is what makes it writable at the next start, None where it is writable.
    """

    connection: sqlite3.Connection
    notice: str | None = None
    cure: str | None = None


def open_database(path: Path, *, busy_timeout_s: float, untouched: bool) -> Opened:
    """Opens, makes or upgrades the database; sets a damaged one aside.

    `untouched` forbids to look at the file beside SQLite, for this process has it open already. Raises StoreError,
    StoreTooNew, sqlite3.Error or OSError.
    """
    make_private_folder(path.parent)
    with _alone(path.parent):
        notice = None
        if not untouched and not (_looks_whole(path) and _reads_whole(path)):
            notice = _move_aside(path)
        try:
            opened = _connect(path, busy_timeout_s)
        except sqlite3.DatabaseError as error:
            if code_of(error) not in DAMAGED:
                raise
            notice = _move_aside(path)
            opened = _connect(path, busy_timeout_s)
    return replace(opened, notice=notice or opened.notice)


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def mark_damaged(path: Path) -> None:
    """Damage was met in the middle: the next opening looks at every page."""
    with suppress(OSError):
        os.close(os.open(_mark(path), os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two processes that find the same damage must not both act on it: the second would move the new file aside."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    end = time.monotonic() + BUSY_TIMEOUT_S
    try:
        while time.monotonic() < end:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.005)
            except OSError:
                break  # a file system without locks
        yield
    finally:
        os.close(descriptor)


def _looks_whole(path: Path) -> bool:
    """Whether the file is missing, begins like a database, or is empty as a new one is.

    Looked at before SQLite does: opening a database with a garbled or empty head makes it delete the -wal, which may
    hold the last rows.
    """
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except (FileNotFoundError, PermissionError):
        return True
    if not head:
        return not _was_used(path)
    return head[:16] == b"SQLite format 3\0" and head[21:24] == b"\x40\x20\x20"


def _reads_whole(path: Path) -> bool:
    """Whether SQLite can read it as far as is looked at each time.

    Read-only, since the last connection that could write moves the -wal into the damaged file and deletes it.
    """
    if not path.exists() or not path.stat().st_size:
        return True
    connection = sqlite3.connect(_uri(path, "mode=ro"), uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        _look_into(connection, every_page=_mark(path).exists())
    except sqlite3.DatabaseError as error:
        return code_of(error) not in DAMAGED
    finally:
        connection.close()
    with suppress(OSError):
        _mark(path).unlink(missing_ok=True)
    return True


def _was_used(path: Path) -> bool:
    """Whether an empty file lies where rows have been: a log with frames, or the lock of an engine that ran."""
    log_file = path.with_name(f"{path.name}-wal")
    return (log_file.exists() and log_file.stat().st_size > 0) or any(path.parent.glob(f"{path.name}.*.lock"))


def _move_aside(path: Path) -> str:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    aside = f"{path.name}.damaged-{stamp}"
    for suffix in _SUFFIXES:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(aside + suffix))
    _mark(path).unlink(missing_ok=True)
    log.error("the database was damaged and is now %s", aside)
    return (
        f"the database was damaged and is now {aside}; a new one was begun."
        f" `sqlite3 {aside} .recover` reads what is left of it, `vivix-tui track` follows its ids"
    )


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.check")


def _connect(path: Path, busy_timeout_s: float) -> Opened:
    if not path.exists():
        # SQLite gives -wal and -shm the mode of the main file, so that one has to be private before it is first opened.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    if os.access(path, os.W_OK):
        try:
            return Opened(_writable(path, busy_timeout_s))
        except sqlite3.OperationalError as error:
            if code_of(error) not in _CANNOT_WRITE or not path.stat().st_size:
                raise
            log.warning("the database cannot be written: %s", error)
    return _read_only(path, busy_timeout_s)


def _writable(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, cached_statements=STATEMENTS)
    try:
        version = _version(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{PAGES_KIB}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
        connection.execute("PRAGMA temp_store = MEMORY")  # a full /tmp is no reason to lose an answer
        if version < schema.VERSION:
            _migrate(connection, path)
        _look_into(connection, every_page=False)
        if version == schema.VERSION:
            _discard_copies(path)
    except BaseException:
        connection.close()
        raise
    return connection


def _read_only(path: Path, busy_timeout_s: float) -> Opened:
    """For looking: as SQLite can share it, else the bare file, where not even -shm can be made beside it."""
    full = shutil.disk_usage(path.parent).free == 0
    for mode in ("mode=ro", "immutable=1"):
        connection = sqlite3.connect(_uri(path, mode), uri=True, timeout=busy_timeout_s, isolation_level=None)
        try:
            if _version(connection, path) != schema.VERSION:
                raise StoreError(f"the database {path} has to be upgraded and cannot be written")
            _look_into(connection, every_page=False)
        except sqlite3.OperationalError as error:
            connection.close()
            if mode == "immutable=1":
                raise
            log.info("not shared: %s", error)
            continue
        except BaseException:
            connection.close()
            raise
        why = "its disk is full" if full else "the file or its folder is read-only"
        missing = path.with_name(f"{path.name}-wal")
        older = mode == "immutable=1" and missing.exists() and missing.stat().st_size > 0
        more = "; what was written last may be missing" if older else ""
        cure = (
            f"free some space on the disk of {path}" if full else f"check the owner and mode of {path} and its folder"
        )
        return Opened(
            connection,
            f"the database can only be read, {why}: nothing is asked, sent or saved{more}",
            f"{cure}, then start vivix-tui again",
        )
    raise AssertionError("one of the two returns or raises")


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(str(path.absolute()))}?{mode}"


def _version(connection: sqlite3.Connection, path: Path) -> int:
    connection.row_factory = sqlite3.Row
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > schema.VERSION:
        raise StoreTooNew(
            f"the database {path} was written by a newer vivix-tui (format {version})",
            hint="upgrade vivix-tui; the file was left untouched",
        )
    return version


def _look_into(connection: sqlite3.Connection, *, every_page: bool) -> None:
    """Raises sqlite3.DatabaseError with a code of DAMAGED where something is wrong."""
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    connection.text_factory = bytes  # a cell that is no UTF-8 is no damage of the file
    for name in names:
        connection.execute(f'SELECT * FROM "{name}" NOT INDEXED LIMIT 1').fetchone()
    connection.text_factory = str
    if every_page:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            error = sqlite3.DatabaseError(found)
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another process may have migrated meanwhile.
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if 0 < version < schema.VERSION:
            _keep_copy(path, version)
        for script in schema.MIGRATIONS[version:]:
            for statement in script.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _keep_copy(path: Path, version: int) -> None:
    """The rows as they were, on disk before the first one changes; nobody writes meanwhile."""
    copy = path.with_name(f"{path.name}.v{version}-backup")
    part = copy.with_name(f"{copy.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.rename(copy)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _discard_copies(path: Path) -> None:
    """The upgraded database was opened once more and could be read: the copies from before are no longer needed."""
    for copy in path.parent.glob(f"{path.name}.v*-backup*"):
        with suppress(OSError):
            copy.unlink()

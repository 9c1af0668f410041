"""Who runs the engine of a profile: the process that holds this lock.

Owns: a lock that the system frees when its holder dies, in whatever way. Refuses: waiting; ask again.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from vivix_tui.errors import StoreError


class EngineLock:
    """The lock of one profile of one database, a file beside it."""

    def __init__(self, database: Path, profile: str) -> None:
        self._path = database.with_name(f"{database.name}.{profile}.lock")
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Whether this process holds the lock now. Raises StoreError where the file cannot be made."""
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"cannot make the lock {self._path}: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Lets another process take over. The file stays: removing it would let two processes hold "the" lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

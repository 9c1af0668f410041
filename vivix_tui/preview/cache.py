"""Small pictures that were made before, in a folder that stays small.

Owns: names that change with the file they were made of, the size of the folder, what is thrown away first. Refuses:
errors: a cache that cannot be read or written costs time, nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from pathlib import Path

from vivix_tui.files import make_private_folder

MOST_BYTES = 32 * 1024 * 1024
_FORMAT = 2
_SUFFIX = ".frame"
log = logging.getLogger("vivix_tui.preview")


def name_of(facts: os.stat_result, width: int, height: int, slice_height: int = 0) -> str:
    """Another file, a file that was written again, and another size or form have other names."""
    parts = (_FORMAT, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, width, height, slice_height)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


class Cache:
    """`folder` None: nothing is kept. What was not looked at for longest goes first."""

    def __init__(self, folder: Path | None, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def get(self, name: str) -> bytes | None:
        if self._folder is None:
            return None
        path = self._folder / (name + _SUFFIX)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return data

    def put(self, name: str, data: bytes) -> None:
        if self._folder is None:
            return
        try:
            make_private_folder(self._folder)
            descriptor, temporary = tempfile.mkstemp(dir=self._folder, prefix=".new-")  # 0600
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(temporary).replace(self._folder / (name + _SUFFIX))
            keep_small(self._folder, self._most_bytes)
        except OSError as error:
            log.info("no thumbnail was kept: %s", error)


def keep_small(folder: Path, most_bytes: int) -> None:
    """Throws away what was not used for longest, down to three quarters, so that it is not done for each new file.
    Raises OSError."""
    with os.scandir(folder) as entries:
        kept = [(facts.st_mtime_ns, facts.st_size, e.path) for e in entries if (facts := _facts(e)) is not None]
    total = sum(size for _, size, _ in kept)
    if total <= most_bytes:
        return
    for _, size, path in sorted(kept):
        with contextlib.suppress(FileNotFoundError):
            Path(path).unlink()
        total -= size
        if total <= most_bytes * 3 // 4:
            return


def _facts(entry: os.DirEntry[str]) -> os.stat_result | None:
    """None where another process was quicker to throw it away."""
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None

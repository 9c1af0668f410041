"""The file that a download grows in, and how it gets its name.

Owns: private files, appending at a known offset, the digest of what was written, and the step from `.part` to the
final name that never replaces anything. Refuses: the network.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from vivix_tui.domain import media

_BLOCK = 1024 * 1024
MAX_SUFFIX = 999


class PartFile:
    """An open `.part` file. `size` is how many bytes it holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(path, flags, 0o600), "r+b")
        self._digest = hashlib.sha256()
        self.size = 0

    def resume(self) -> int:
        """Reads what an earlier attempt left, for the digest. Returns its size."""
        self._file.seek(0)
        while block := self._file.read(_BLOCK):
            self._digest.update(block)
            self.size += len(block)
        return self.size

    def restart(self) -> None:
        """From nothing."""
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, block: bytes) -> None:
        self._file.write(block)
        self._digest.update(block)
        self.size += len(block)

    def flush(self) -> None:
        self._file.flush()

    def head(self) -> bytes:
        """The first bytes, for telling what kind of file it is."""
        self._file.flush()
        self._file.seek(0)
        found = self._file.read(media.HEAD_BYTES)
        self._file.seek(self.size)
        return found

    def is_whole(self, kind: str) -> bool | None:
        self._file.flush()
        return media.is_whole(self._file, kind, self.size)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def close(self) -> None:
        self._file.close()

    def finish(self, target: Path) -> Path:
        """On disk for good, under `target` or, where that exists, with a suffix. Returns the final path."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        final = _link_free_name(self.path, target)
        self.path.unlink()
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return final


def _link_free_name(part: Path, target: Path) -> Path:
    """A hard link fails where the name exists, unlike a rename: nothing is ever replaced."""
    for number in range(1, MAX_SUFFIX + 1):
        name = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
        try:
            os.link(part, name)
        except FileExistsError:
            continue
        return name
    raise FileExistsError(f"{MAX_SUFFIX} files are named like {target.name}")

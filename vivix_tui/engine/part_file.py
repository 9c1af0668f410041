"""The file that a download grows in, and how it gets its name.

Owns: private files, appending at a known offset, the digest of what was written, and the step from `.part` to the
final name that never replaces anything. Refuses: the network.
"""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from vivix_tui.domain import media
from vivix_tui.files import make_private_folder

_BLOCK = 1024 * 1024
MAX_SUFFIX = 999


class PartFile:
    """An open `.part` file. `size` is how many bytes it holds, `finished_as` its final name if it already has one: in
    the same folder, or in `also_in`."""

    def __init__(self, path: Path, *, new: bool, also_in: Path | None = None) -> None:
        self.path = path
        self.size = 0
        make_private_folder(path.parent)
        self.finished_as = None if new else _twin(path, also_in or path.parent)
        if self.finished_as is None and not new and path.exists() and path.stat().st_nlink > 1:
            path.unlink()  # another name elsewhere holds these bytes: emptying them here would empty them there
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_EXCL if new else 0)
        self._file = os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
        self._digest = hashlib.sha256()

    def resume(self) -> int:
        """Reads what an earlier attempt left, for the digest. Returns its size."""
        self._file.seek(0)
        self._digest, self.size = hashlib.sha256(), 0
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

    def write(self, block: memoryview) -> int:
        """Appends what the disk takes of `block` at once; that is for the caller to have digested. Raises OSError."""
        written = self._file.write(block)
        self.size += written
        return written

    def digest(self, block: memoryview) -> None:
        """The next bytes of those that were written, in their order; may lag behind, in another thread."""
        self._digest.update(block)

    def kind(self) -> str | None:
        """What kind of file it is, by its first bytes."""
        self._file.seek(0)
        found = media.kind_of(self._file.read(media.HEAD_BYTES))
        self._file.seek(self.size)
        return found

    def is_whole(self, kind: str) -> bool | None:
        return media.is_whole(self._file, kind, self.size)

    def ends_well(self) -> bool:
        """Whether it is a medium that ends where its structure says."""
        kind = self.kind()
        return kind is not None and bool(self.is_whole(kind))

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def close(self) -> None:
        self._file.close()

    def discard(self) -> None:
        """Nothing in it is worth keeping."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def remove(self) -> bool:
        """Takes its name away, after `finish`. False where the system does not let us."""
        return removed(self.path)

    def finish(self, target: Path) -> Path:
        """On disk for good, under `target` or, where that exists, with a suffix. Returns the final path.

        The name of the part stays: it is for the caller to remove once the row knows the final one.
        """
        os.fsync(self._file.fileno())
        self._file.close()
        make_private_folder(target.parent)
        final = self.finished_as or _link_free_name(self.path, target)
        folder = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return final


def removed(path: Path) -> bool:
    """Whether the name of a part that is no longer needed is gone."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def free_part(base: Path, owner: str) -> Path:
    """A name for a new `.part` beside `base` that nothing has: what lies there is the user's.

    `owner` names the output uniquely; a digest of it keeps outputs apart whose names are alike.
    """
    digest = hashlib.sha256(owner.encode()).hexdigest()[:8]
    for number in range(1, MAX_SUFFIX + 1):
        path = base.with_name(f"{base.name}.{digest}{'' if number == 1 else f'-{number}'}.part")
        if not os.path.lexists(path):
            return path
    raise FileExistsError(f"{MAX_SUFFIX} files are named like {base.name}.{digest}.part")


def _link_free_name(part: Path, target: Path) -> Path:
    """A hard link fails where the name exists, unlike a rename: nothing is ever replaced."""
    for number in range(1, MAX_SUFFIX + 1):
        name = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
        try:
            os.link(part, name)
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
                raise
            if not _moved(part, name):
                continue
        return name
    raise FileExistsError(f"{MAX_SUFFIX} files are named like {target.name}")


def _moved(part: Path, name: Path) -> bool:
    """A rename, for file systems without hard links: it replaces only the empty file that took the name for it.

    False where the name exists. A copy would leave half a file under the right name when it is cut short.
    """
    try:
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    try:
        part.replace(name)
    except OSError:
        removed(name)
        raise
    return True


def _twin(path: Path, also_in: Path) -> Path | None:
    """Another name of the same file in one of the two folders: the program was killed between link and unlink."""
    try:
        own = path.lstat()
    except FileNotFoundError:
        return None
    if own.st_nlink < 2:
        return None
    for other in (name for folder in {path.parent, also_in} if folder.is_dir() for name in folder.iterdir()):
        found = other.lstat()
        if other != path and (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino):
            return other
    return None

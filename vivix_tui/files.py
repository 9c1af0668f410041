"""Private folders and files, private from the first instant, and paths that may be shown.

Owns: that a folder which this program makes is 0700, and each missing one above it, too; that a new file is 0600 and
there as a whole or not at all. Refuses: changing folders and files that exist: they are the user's.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def without_home(text: str) -> str:
    """`text` with the user's home as `~`: a path must not tell strangers whose it is."""
    home = str(Path("~").expanduser())
    return text.replace(home, "~") if len(home) > 1 else text


def make_private_folder(folder: Path) -> None:
    """Makes `folder` and what is missing above it. Raises OSError."""
    missing = [folder]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)


def write_new_file(path: Path, text: str) -> None:
    """Writes a file that must not exist yet: the name appears when all of it is written. Raises OSError."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)
    finally:
        with suppress(OSError):
            part.unlink()

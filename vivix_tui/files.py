"""Private folders, made private from the first instant, and paths that may be shown.

Owns: that a folder which this program makes is 0700, and each missing one above it, too. Refuses: changing folders
that exist: they are the user's.
"""

from __future__ import annotations

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

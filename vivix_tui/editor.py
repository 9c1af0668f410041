"""The user's own editor on a text.

Owns: which command that is, and a private file for it. Refuses: knowing what the text means, and the terminal: whoever
calls has to give it up meanwhile.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vivix_tui.errors import UsageError

FALLBACKS = ("nano", "vi")


def command() -> list[str]:
    """The editor's command. Raises UsageError where there is none."""
    for name in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(os.environ.get(name, ""))
        except ValueError as error:
            raise UsageError(f"{name} cannot be read as a command: {error}") from None
        if words:
            return words
    found = next(filter(None, map(shutil.which, FALLBACKS)), None)
    if found is None:
        raise UsageError("there is no editor here", hint="set EDITOR, e.g. EDITOR=nano")
    return [found]


@contextmanager
def _keys_are_the_editors() -> Iterator[None]:
    """Ctrl-C and Ctrl-\\ reach all programs of the terminal; what they mean now is the editor's affair.

    A handler, not SIG_IGN: the editor would inherit that.
    """
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def edit(text: str, name: str) -> tuple[str, str | None]:
    """What `text` became in the editor, and why it should not be used (the editor failed), None where it may.

    `name` is the file's name, whose extension tells editors what it holds. Raises UsageError where nothing was edited.
    """
    words = command()
    try:
        with tempfile.TemporaryDirectory(prefix="vivix-tui-edit-") as folder:
            path = Path(folder, name)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(text.encode())
            with _keys_are_the_editors():
                code = subprocess.run([*words, str(path)], check=False).returncode
            edited = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"{words[0]}: {error.strerror}", hint="EDITOR names the editor") from None
    return edited, f"{words[0]} ended with {code}" if code else None

"""The log file: rotating, private, without secrets.

Owns: where log lines go and that no key is among them. Refuses: the terminal; Textual draws there.
"""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path

from vivix_tui.domain.text import one_line, without_keys
from vivix_tui.files import make_private_folder, without_home

MAX_BYTES, BACKUPS = 2_000_000, 3


class _Formatter(logging.Formatter):
    """One line an event, tracebacks included line by line; text of strangers cannot forge lines or show a key,
    and no path says whose machine this is."""

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).splitlines()
        return "\n    ".join(without_home(without_keys(one_line(line))) for line in lines)


class _PrivateFile(RotatingFileHandler):
    def _open(self):  # type: ignore[no-untyped-def]  # the base class types it as a private stream
        return os.fdopen(
            os.open(self.baseFilename, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a", encoding="utf-8"
        )


def to_file(path: Path) -> None:
    """Sends the program's log to `path`. A log that cannot be written is done without."""
    try:
        make_private_folder(path.parent)
        handler: logging.Handler = _PrivateFile(path, maxBytes=MAX_BYTES, backupCount=BACKUPS)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    # asyncio tells of what nobody waited for; without a place it would go to stderr, with whose text ever.
    for name, level in (("vivix_tui", logging.INFO), ("asyncio", logging.WARNING)):
        log = logging.getLogger(name)
        log.propagate, log.handlers = False, [handler]
        log.setLevel(level)
    logging.raiseExceptions = False

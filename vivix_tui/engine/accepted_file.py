"""The last resort: a file for accepted ids that the database cannot take.

Owns: one JSON line for each, on disk before anything else happens, and reading them back. Refuses: deciding.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import asdict

from vivix_tui.domain.submission import Accepted, Submission
from vivix_tui.domain.text import json_line
from vivix_tui.files import make_private_folder

log = logging.getLogger("vivix_tui.engine.accepted_file")


def append(path: Path, item: Submission, answer: Accepted) -> None:
    """Writes the id down; where not even this works, the log has it."""
    line = json_line({"submission_id": item.submission_id} | asdict(answer))
    log.error("accepted, but the database cannot take it: %s", line)
    try:
        make_private_folder(path.parent)
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        log.exception("the file for accepted ids cannot be written")


def read(path: Path) -> Iterator[tuple[str, Accepted]]:
    """(submission id, answer) of each readable line."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        try:
            value = json.loads(line)
            yield value.pop("submission_id"), Accepted(**value)
        except (ValueError, TypeError, KeyError, AttributeError):
            log.warning("a line of %s cannot be read", path.name)

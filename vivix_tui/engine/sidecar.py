"""What a file is, in a JSON file beside it: `fox.png` is described by `fox.png.json`.

Owns: the fields, and never replacing what is not ours. A file that is moved elsewhere, or whose database is gone, still
tells its prompt, parameters and price. Refuses: failing a download over it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from pathlib import Path
from typing import Any

from vivix_tui.domain.account import parse_body
from vivix_tui.domain.download import Download
from vivix_tui.domain.generation import Generation

MOST_BYTES = 1_000_000
log = logging.getLogger("vivix_tui.engine.sidecar")


def write(item: Download, row: Generation | None) -> None:
    """Describes the finished `item`. One that lies there of the same output is replaced, at once and as a whole."""
    target = Path(f"{item.path}.json")
    fresh = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        if os.path.lexists(target) and not _is_ours(target, item):
            log.warning("a file without a description: something else has the name %s", target.name)
            return
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            json.dump(_fields(item, row), file, ensure_ascii=False, indent=2)
            file.write("\n")
        fresh.replace(target)
    except OSError as error:
        log.warning("a file without a description: %s", error)
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def _fields(item: Download, row: Generation | None) -> dict[str, Any]:
    """Under the names of the API and of the database; unknown is null."""
    fields: dict[str, Any] = {"generation_id": item.generation_id, "index": item.index, "profile": item.profile}
    if row is not None:
        body = parse_body(row.body) if row.body else None
        fields |= {
            "model": row.model,
            "prompt": row.prompt,
            "seed": (body or {}).get("seed"),
            "body": body,
            "credits_used": row.credits_used,
            "created_at": row.created_at,
            "completed_at": row.completed_at,
            "duration_ms": row.duration_ms,
        }
    return fields | {
        "url": item.url,
        "file": Path(item.path or "").name,
        "size_bytes": item.size_bytes,
        "sha256": item.sha256,
    }


def _is_ours(path: Path, item: Download) -> bool:
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    same = ("generation_id", "index", "profile")
    return isinstance(value, dict) and all(value.get(name) == getattr(item, name) for name in same)

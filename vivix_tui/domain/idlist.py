"""Generation ids as users hand them in: one a line, or several separated by blanks, mixed with JSON lines.

Owns: reading what `track -` and the dialog for new ids get. Refuses: the store.
"""

from __future__ import annotations

import json

from vivix_tui.domain.text import body_json, escape_surrogates, is_trackable_id, one_line, without_keys
from vivix_tui.errors import UsageError


def parse_ids(text: str) -> list[tuple[str, str | None]]:
    """(id, body text or None) in order. A JSON line names `generation_id` and, if known, `body` (object or text).

    Raises UsageError that names the line.
    """
    found: list[tuple[str, str | None]] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if line.lstrip().startswith("{"):
            found.append(_json_line(line, number))
            continue
        for word in line.split():
            if not is_trackable_id(word):
                raise UsageError(f"line {number}: {without_keys(one_line(word, 60))!r} cannot be a generation id")
            found.append((word, None))
    return found


def _json_line(line: str, number: int) -> tuple[str, str | None]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise UsageError(f"line {number}: not JSON: {one_line(line, 60)}") from None
    generation_id, body = value.get("generation_id"), value.get("body")
    if not isinstance(generation_id, str) or not is_trackable_id(generation_id):
        raise UsageError(f"line {number}: no usable generation_id in {without_keys(one_line(line, 60))}")
    if isinstance(body, str):
        # What `list --json` prints: the exact text of the body.
        try:
            is_object = isinstance(json.loads(body), dict)
        except (ValueError, RecursionError):
            is_object = False
        if not is_object:
            raise UsageError(f"line {number}: body is not a JSON object")
        return generation_id, escape_surrogates(body)
    if body is not None and not isinstance(body, dict):
        raise UsageError(f"line {number}: body is not a JSON object")
    if body is None:
        return generation_id, None
    try:
        return generation_id, body_json(body, separators=(",", ":"))
    except ValueError:
        raise UsageError(f"line {number}: the body holds NaN or infinity, which JSON has not") from None

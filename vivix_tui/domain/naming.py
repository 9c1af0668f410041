"""File names from a template, safe by construction.

Owns: that every part of a path is made of harmless characters, is no hidden, reserved or parent name, and fits into
255 bytes, whatever prompt, model or id it was made from. Refuses: the disk.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from pathlib import PurePosixPath

from pathvalidate import sanitize_filename

from vivix_tui.domain.text import plain_words
from vivix_tui.errors import UsageError

FIELDS = ("date", "time", "model", "prompt", "id", "id8", "index", "seed", "profile", "ext")
MAX_NAME_BYTES = 200  # leaves room for a suffix, the extension and `.part`
_UNSAFE_ID = re.compile(r"[^A-Za-z0-9._-]+")


def relative_path(template: str, values: Mapping[str, str]) -> PurePosixPath:
    """The path below the download folder, without extension unless the template names it. `values` maps FIELDS to text.

    Raises UsageError where the template names an unknown field or makes no name at all.
    """
    parts = []
    for part in template.split("/"):
        made = _filled(part, values)
        if made:
            parts.append(made)
    if not parts:
        raise UsageError(f"download.template {template!r} makes no file name")
    return PurePosixPath(*parts)


def with_extension(name: str, kind: str) -> str:
    """`name` with the extension that its content has, unless the template gave it that already."""
    return name if name.endswith(f".{kind}") else f"{name}.{kind}"


def check_template(template: str) -> None:
    """Raises UsageError where `template` cannot be used, before the first download needs it."""
    relative_path(template, dict.fromkeys(FIELDS, "x"))


def _filled(part: str, values: Mapping[str, str]) -> str:
    text = ""
    try:
        pieces = list(string.Formatter().parse(part))
    except ValueError as error:
        raise UsageError(f"download.template: {error}") from None
    for literal, field, limit, _ in pieces:
        text += literal
        if field is None:
            continue
        if field not in FIELDS:
            raise UsageError(f"download.template: unknown field {{{field}}}", hint=f"known: {', '.join(FIELDS)}")
        text += _field(field, values.get(field, ""), int(limit) if limit and limit.isdigit() else 80)
    return _safe_name(text)


def _field(name: str, value: str, limit: int) -> str:
    if name in ("id", "id8"):
        return _UNSAFE_ID.sub("_", value)[: 8 if name == "id8" else limit]
    return plain_words(value.replace(".", "_") if name == "model" else value, limit).replace(" ", "-")


def _safe_name(text: str) -> str:
    name = str(sanitize_filename(text, platform="universal", max_len=MAX_NAME_BYTES)).strip()
    name = name.lstrip(".-~ ").rstrip(". ")
    while len(name.encode()) > MAX_NAME_BYTES:
        name = name[:-1]
    return name

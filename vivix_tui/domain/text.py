"""Outside text made harmless, in one place.

Owns: the replacement of every character that could steer a terminal or disguise what is shown. Refuses: markup;
what comes out of here is still shown literally (`Content`, `markup=False`), never parsed.

Prompts, provider messages, ids and file names are written by strangers. Textual forwards control characters of such
text to the terminal (it can set the title, clear the screen or write the clipboard), so nothing from outside is drawn
or printed before it went through `one_line` or `lines`.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from typing import Any

# C0, DEL, C1; line and paragraph separators; bidi embeddings, overrides, isolates and marks; zero-width characters;
# tags and variation selectors beyond the common ones; byte-order mark; interlinear annotation; lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_C0_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_KEY = re.compile(r"vvx_[A-Za-z]+_[!-~]+|(?i:bearer\s+)[!-~]+")
MAX_SHOWN = 20_000


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    return _C0_PICTURES.get(code, "\ufffd")


def lines(text: str, limit: int = MAX_SHOWN) -> str:
    """`text` safe to draw over several lines: newlines stay, tabs become blanks, all else that steers is replaced."""
    cut = text if len(text) <= limit else text[:limit] + " …"
    parts = cut.replace("\r\n", "\n").replace("\t", "    ").split("\n")
    return "\n".join(_UNSAFE.sub(_visible, part) for part in parts)


def one_line(text: str, limit: int = 2_000) -> str:
    """`text` safe to draw in one line, runs of white space folded, at most `limit` characters."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return _UNSAFE.sub(_visible, " ".join(cut.split()))


def plain_words(text: str, limit: int = 60) -> str:
    """The letters, digits and blanks of `text`, for names; composed form, at most `limit` characters."""
    composed = unicodedata.normalize("NFC", _SURROGATE.sub("", text))
    kept = (c if unicodedata.category(c)[0] in "LNM" else " " for c in composed[: limit * 4])
    return " ".join("".join(kept).split())[:limit].rstrip()


def json_line(value: Any) -> str:
    """`value` as one JSON line with its original text: steering characters escaped, surrogates and NaN never there."""
    return _json_lines(value)[0]


def json_block(value: Any) -> str:
    """The same over several lines, to be read."""
    return "\n".join(_json_lines(value, indent=2))


def _json_lines(value: Any, indent: int | None = None) -> list[str]:
    separators = (", ", ": ") if indent is None else (",", ": ")
    text = json.dumps(_scrubbed(value), ensure_ascii=False, allow_nan=False, separators=separators, indent=indent)
    return [_UNSAFE.sub(lambda m: json.dumps(m.group())[1:-1], line) for line in text.split("\n")]


def body_json(value: Any, **layout: Any) -> str:
    """`value` as JSON in its own characters, to be stored and sent; `layout` as for `json.dumps`.

    A lone surrogate, which neither UTF-8 nor the store can hold, stays the escape that it was. Raises ValueError for
    NaN and infinities.
    """
    return escape_surrogates(json.dumps(value, ensure_ascii=False, allow_nan=False, **layout))


def escape_surrogates(text: str) -> str:
    """JSON `text` with its lone surrogates escaped: the same value."""
    return _SURROGATE.sub(lambda m: f"\\u{ord(m.group()):04x}", text)


def is_utf_8(text: str) -> bool:
    """Whether `text` can be written and sent: it holds no lone surrogate."""
    return _SURROGATE.search(text) is None


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {_scrubbed(k): _scrubbed(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(v) for v in value]
    return value


def without_keys(text: str) -> str:
    """`text` with whatever looks like an API key in it taken out."""
    return _KEY.sub("[key]", text)


def is_trackable_id(text: str) -> bool:
    """Whether `text` can be a generation id: printable, without blanks, at most 500 characters; and not a key, which
    somebody pasted into the wrong field and which would then be stored, shown and sent as a part of a path."""
    fits = 0 < len(text) <= 500 and text.isprintable() and not any(c.isspace() for c in text)
    return fits and _KEY.search(text) is None

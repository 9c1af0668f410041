"""Text that strangers might write, and what of it must never reach a terminal.

Owns: drawing such text, and finding in the raw bytes of a terminal what could only have come from it. Refuses: our
own cleaning of text.
"""

from __future__ import annotations

import random
import re

MARK = "31337"
"""Stands in every control sequence of the text drawn here; the program's own have no such parameter."""
SEQUENCES = (
    f"\x1b]0;{MARK}\x07", f"\x1b]2;{MARK}\x1b\\", f"\x1b]52;c;{MARK}\x07", f"\x1b]8;;x-{MARK}:/\x1b\\x\x1b]8;;\x1b\\",
    f"\x1b[{MARK};1H", f"\x1b[2{MARK}J", f"\x1b[?{MARK}l", f"\x1b[>{MARK}c", f"\x1bP{MARK}\x1b\\", f"\x1b_{MARK}\x1b\\",
    f"\x1b^{MARK}\x1b\\", f"\x9b{MARK}m", f"\x9d0;{MARK}\x9c", f"\x90{MARK}\x9c", f"\x1b(0{MARK}", f"\x1b#8{MARK}",
)  # fmt: skip
CONTROLS = "".join(map(chr, [*range(0x20), 0x7F, *range(0x80, 0xA0)]))
INVISIBLE = (
    "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\u061c\u2028\u2029\U000e0041"
)
SURROGATES = "\ud800\udfff\udc80"
MARKUP = (
    "[@click=app.quit]x[/]",
    "[/red]",
    "[b]",
    "[link=file:///etc]y[/link]",
    "[$primary]",
    "[on red",
    "array[0]",
    "\\[b]",
    ":smile:",
)
WORDS = (
    "a fox",
    "\u0627\u0644\u0639\u0631\u0628",
    "\u732b",
    "\U0001f98a",
    "e\u0301",
    "%s",
    "{0}",
    "~",
    "\\x1b[2J",
    "--",
    "'; x",
)
URLS = ("https://127.0.0.1:1/a", "javascript:alert(1)", "file:///etc/passwd", "http://[::1", "data:text/html,x")


def draw(dice: random.Random) -> str:
    """One text of some of all that."""
    pieces = [
        dice.choice(SEQUENCES),
        *dice.choices((*SEQUENCES, *MARKUP, *WORDS, *INVISIBLE, *CONTROLS, *SURROGATES), k=dice.randint(0, 8)),
    ]
    if dice.random() < 0.03:
        pieces.append("x" * 50_000)
    dice.shuffle(pieces)
    return "".join(pieces)


def url(dice: random.Random) -> str:
    """An address that is none, or a good one with more behind it."""
    return dice.choice(URLS) + draw(dice)


_FORBIDDEN = re.compile(
    "[\x00-\x06\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\x80-\x9f" + INVISIBLE.replace("\u2069", "\u2069\u206a-\u206f") + "]"
)
_SEQUENCE = re.compile(
    "\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\\\)|[ -/]*[0-~])"
)  # CSI; OSC, DCS, APC, PM and SOS up to their end; all others
_LINK = re.compile("\x1b\\]8;[^;]*;(https?://[!-~]*)?(?:\x07|\x1b\\\\)")


def steering(raw: bytes) -> list[str]:
    """What in `raw` can only have come from hostile text; empty where nothing did."""
    text = raw.decode("utf-8", "surrogateescape")
    sequences = _SEQUENCE.findall(text)
    found = [repr(s) for s in sequences if (MARK in s or s[1] in " #%()*+-./") and not _LINK.fullmatch(s)]
    found += [f"a link of the text: {s!r}" for s in sequences if s.startswith("\x1b]8;") and not _LINK.fullmatch(s)]
    rest = _SEQUENCE.sub("", text)
    found += [
        f"{c!r} in {rest[max(0, m.start() - 20) : m.end() + 20]!r}"
        for m in _FORBIDDEN.finditer(rest)
        for c in m.group()
    ]
    return found + [f"not UTF-8: {c!r}" for c in set(re.findall("[\ud800-\udfff]", text))]

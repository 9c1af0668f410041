"""Bodies for POST /generate as users hand them in: one JSON object, an array of them, or JSON lines.

Owns: splitting without changing a character of what will be sent; bodies on their way through an editor. Refuses:
checking what a model takes (`domain.account.complaint`).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

from vivix_tui.domain.text import body_json, one_line
from vivix_tui.errors import UsageError


def parse_bodies(data: bytes, source: str) -> list[str]:
    """The bodies in `data`, each as the exact text to send; elements of an array are written compactly.

    Raises UsageError that names `source` and the line.
    """
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UsageError(f"{source}: not UTF-8 text (byte {error.start})") from None
    if not text.strip():
        raise UsageError(f"{source}: empty", hint="it takes one JSON object, an array of them, or JSON lines")
    try:
        whole = _loads(text)
    except ValueError:
        return _lines(text, source)
    if isinstance(whole, dict):
        return [text]
    if not isinstance(whole, list):
        raise UsageError(f"{source}: not a JSON object, an array of objects, or JSON lines")
    for number, element in enumerate(whole, start=1):
        if not isinstance(element, dict):
            raise UsageError(f"{source}: element {number} of the array is not an object")
    return [body_json(element, separators=(",", ":")) for element in whole]


def _lines(text: str, source: str) -> list[str]:
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = _loads(line)
        except ValueError as error:
            raise UsageError(f"{source}, line {number}: not JSON ({one_line(str(error), 80)})") from None
        if not isinstance(value, dict):
            raise UsageError(f"{source}, line {number}: not a JSON object")
        found.append(line)
    return found


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large")
    return value


def for_editor(body: str) -> str:
    """`body` as people edit it: indented, unless that would change a number or a repeated name in it."""
    try:
        pretty = body_json(json.loads(body), indent=2)
    except ValueError:  # NaN and the like, in a body that was made elsewhere
        return body
    return pretty if _literally(pretty) == _literally(body) else body


def from_editor(body: str, text: str) -> str:
    """What to send after editing: `body` itself, to the byte, where nothing but white space changed.

    Raises UsageError where `text` is not one JSON object.
    """
    text = text.removeprefix("\ufeff").strip()
    try:
        value = _loads(text)
    except ValueError as error:
        raise UsageError(f"the edited body is not JSON: {one_line(str(error), 120)}") from None
    if not isinstance(value, dict):
        raise UsageError("the edited body is not a JSON object")
    return body if _literally(text) == _literally(body) else text


def with_seed(body: str, seed: int) -> str:
    """`body` with another `seed`, everything else as it was; written compactly."""
    return compact(_loads(body) | {"seed": seed})


def compact(value: Mapping[str, Any]) -> str:
    """`value` as the text of a body. Raises ValueError for what JSON has no word for (NaN)."""
    return body_json(value, separators=(",", ":"))


def difference(before: str, after: str) -> list[str]:
    """What changed between two bodies, as the lines of a unified diff without its head."""
    diff = difflib.unified_diff(for_editor(before).split("\n"), for_editor(after).split("\n"), lineterm="", n=1)
    return [line for line in diff if not line.startswith(("---", "+++", "@@"))]


def _literally(text: str) -> Any:
    """The value of `text` with numbers and the order of names as they were written."""
    return json.loads(text, parse_float=_Literal, parse_int=_Literal, object_pairs_hook=tuple)


class _Literal(str):
    """The digits of a number, which a string of the same digits does not equal."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Literal) and str.__eq__(self, other)

    __hash__ = str.__hash__

"""A body being filled in by hand: which fields a model has, what was entered, and the text to send.

Owns: the way from a model's `params` to fields, and from entries to a body. Refuses: judging values
(`domain.account.complaints`), and losing any: what another model has no field for waits until it has one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from vivix_tui.domain.account import NEGATIVE_PROMPT_MAX, PROMPT_MAX, Model, Parameter, parse_body
from vivix_tui.domain.bodies import compact

_PROMPT = Parameter(name="prompt", type="string", required=True, max_length=PROMPT_MAX)
_LIMITS = {"prompt": PROMPT_MAX, "negative_prompt": NEGATIVE_PROMPT_MAX}
_LONG_TEXT = 200
_WHOLE = re.compile(r"-?[0-9]{1,18}")


class Draft(Struct, frozen=True, kw_only=True):
    """A form as it stands. `entries` maps names to values as they are sent; a name that is not there is not sent.

    `original` is the body that it was filled from, and `generation_id` the generation whose body that was. `extras`
    are fields of that body which its model has no parameter for: they are sent as they were.
    """

    model: str
    entries: Mapping[str, Any] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    original: str | None = None
    generation_id: str | None = None


def fields_of(model: Model) -> list[Parameter]:
    """The fields of a model's form: the prompt first, then what is required, then the rest in the catalogue's order."""
    params = {"prompt": _PROMPT} | dict(model.params)
    found = [replace(p, required=p.required or p.name == "prompt", max_length=_limit(p)) for p in params.values()]
    return sorted(found, key=lambda p: (p.name != "prompt", p.name != "negative_prompt", not p.required))


def _limit(parameter: Parameter) -> int | None:
    known = [n for n in (parameter.max_length, _LIMITS.get(parameter.name)) if n is not None]
    return min(known, default=None)


def kind_of(parameter: Parameter) -> str:
    """How a parameter is entered: `choice`, `switch`, `number`, `text` (many lines), `line`, or `json`."""
    if parameter.values is not None:
        return "choice"
    if parameter.type == "string":
        return "text" if (parameter.max_length or 0) > _LONG_TEXT else "line"
    return {"boolean": "switch", "integer": "number"}.get(parameter.type, "json")


def value_of(parameter: Parameter, text: str) -> Any:
    """What a typed text is as a value, None for nothing; a text that is no such value stays a text, to be judged."""
    kind = kind_of(parameter)
    if kind in ("text", "line"):
        return text or None
    text = text.strip()
    if kind == "number":
        return int(text) if _WHOLE.fullmatch(text) else text or None
    try:
        value = json.loads(text)
        compact({"": value})
    except (ValueError, RecursionError):
        return text or None
    return value


def text_of(value: Any) -> str:
    """A value as it is typed."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def filled(body: str, models: Mapping[str, Model], generation_id: str | None = None) -> Draft:
    """The form filled from a body. Raises ValueError where it is not one JSON object that can be written again."""
    value = parse_body(body)
    if value is None:
        raise ValueError("it is not one JSON object")
    compact(value)
    slug = value.pop("model", None)
    draft = Draft(model=slug if isinstance(slug, str) else "", extras=value, original=body, generation_id=generation_id)
    model = models.get(draft.model)
    return for_model(draft, model) if model is not None else draft


def for_model(draft: Draft, model: Model) -> Draft:
    """The same entries for another model; fields of the body that it knows can now be changed."""
    names = {parameter.name for parameter in fields_of(model)}
    known = {name: value for name, value in draft.extras.items() if name in names}
    rest = {name: value for name, value in draft.extras.items() if name not in names}
    return replace(draft, model=model.slug, entries={**known, **draft.entries}, extras=rest)


def entered(draft: Draft, name: str, value: Any) -> Draft:
    """The form after `value` was entered; None takes the field out of the body."""
    entries = {key: old for key, old in draft.entries.items() if key != name}
    return replace(draft, entries=entries if value is None else entries | {name: value})


def body_of(draft: Draft, model: Model) -> str:
    """The text to send: the original itself, to the byte, where nothing was changed."""
    names = [parameter.name for parameter in fields_of(model)]
    sent = {"model": model.slug, **draft.extras, **{n: draft.entries[n] for n in names if n in draft.entries}}
    before = parse_body(draft.original) if draft.original is not None else None
    order = [*(name for name in before or () if name in sent), *(n for n in ("model", *names) if n in sent)]
    text = compact({name: sent[name] for name in order})
    return draft.original if before is not None and draft.original and text == compact(before) else text

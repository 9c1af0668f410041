"""An account and its catalogue: balance, limits, models, and what a body would cost.

Owns: checking a body against a model's parameters; price bands. Refuses: inventing numbers: unknown is None.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

PROMPT_MAX = 2000
NEGATIVE_PROMPT_MAX = 500


class Account(Struct, frozen=True, kw_only=True):
    """What /credits (and the headers of every answer) told; credits, calls a minute, jobs at once."""

    balance: int | None = None
    tier: str | None = None
    calls_per_minute: int | None = None
    concurrent_jobs: int | None = None
    cycle_resets_at: str | None = None
    spent_this_cycle: int | None = None
    granted_this_cycle: int | None = None


class Parameter(Struct, frozen=True, kw_only=True):
    """One entry of a model's `params`; `values`, `minimum`, `maximum`, `max_length` are None where not told."""

    name: str
    type: str
    required: bool = False
    default: Any = None
    values: tuple[Any, ...] | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    max_length: int | None = None


class Model(Struct, frozen=True, kw_only=True):
    """A model of the catalogue; `credits_min`/`credits_max` is its band for one result."""

    slug: str
    name: str | None = None
    category: str | None = None
    creator: str | None = None
    description: str | None = None
    params: Mapping[str, Parameter] = field(default_factory=dict)
    credits_min: int | None = None
    credits_max: int | None = None


def parse_body(text: str) -> dict[str, Any] | None:
    """The object that `text` holds as JSON, None where it holds none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def price_band(model: Model | None, body: Mapping[str, Any]) -> tuple[int, int] | None:
    """The (lowest, highest) credits that `body` may cost by the model's band, times `number_results`."""
    if model is None or model.credits_min is None or model.credits_max is None:
        return None
    number = body.get("number_results", 1)
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        number = 1
    return model.credits_min * number, model.credits_max * number


def complaint(body: Mapping[str, Any], models: Mapping[str, Model]) -> str | None:
    """Why the API would refuse `body`, as far as is known here; None where nothing speaks against it.

    `models` maps slugs to the catalogue; while it is empty only the documented general limits count.
    """
    return next((f"{name} {problem}" for name, problem in complaints(body, models).items()), None)


def complaints(body: Mapping[str, Any], models: Mapping[str, Model]) -> dict[str, str]:
    """Field → what is wrong with it ("is missing"), as `complaint` says it of the first one."""
    found: dict[str, str] = {}
    slug, prompt = body.get("model"), body.get("prompt")
    if not isinstance(slug, str) or not slug:
        found["model"] = "is missing; `vivix-tui models` lists them"
    if not isinstance(prompt, str) or not prompt:
        found["prompt"] = "is missing"
    elif len(prompt) > PROMPT_MAX:
        found["prompt"] = f"has {len(prompt):,} characters, the API takes {PROMPT_MAX:,}"
    negative = body.get("negative_prompt")
    if isinstance(negative, str) and len(negative) > NEGATIVE_PROMPT_MAX:
        found["negative_prompt"] = f"has {len(negative):,} characters, the API takes {NEGATIVE_PROMPT_MAX:,}"
    if not models or not isinstance(slug, str) or not slug:
        return found
    model = models.get(slug)
    if model is None:
        return found | {"model": f"{slug!r} is not in this account's catalogue; `vivix-tui models` lists it"}
    return _parameter_complaints(body, model) | found


def _parameter_complaints(body: Mapping[str, Any], model: Model) -> dict[str, str]:
    found = {}
    for name, parameter in model.params.items():
        if name in body:
            problem = _value_problem(body[name], parameter)
        else:
            problem = f"is missing; {model.slug} requires it" if parameter.required else None
        if problem:
            found[name] = problem
    return found


def _value_problem(value: Any, parameter: Parameter) -> str | None:
    if parameter.type == "boolean":
        return None if isinstance(value, bool) else f"must be true or false, not {_shown(value)}"
    if parameter.type == "integer":
        if isinstance(value, bool) or not isinstance(value, int):
            return f"must be a whole number, not {_shown(value)}"
        low, high = parameter.minimum, parameter.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            return f"is {value}, the model takes {_bounds(low, high)}"
    if parameter.values is not None and value not in parameter.values:
        return f"is {_shown(value)}, the model takes {', '.join(map(_shown, parameter.values))}"
    if parameter.type == "string":
        if not isinstance(value, str):
            return f"must be text, not {_shown(value)}"
        if parameter.max_length is not None and len(value) > parameter.max_length:
            return f"has {len(value):,} characters, the model takes {parameter.max_length:,}"
    return None


def _bounds(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"

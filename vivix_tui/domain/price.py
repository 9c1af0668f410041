"""What a body will probably cost, before it is sent.

Owns: which past charges speak for a new body, and saying a price in words. Refuses: guessing; where neither the
history nor the catalogue knows, the price is None and is said to be unknown. All numbers are credits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from vivix_tui.domain.account import Model, parse_body, price_band

# What a picture shows does not change its price; every other parameter may.
FREE_FIELDS = frozenset({"prompt", "negative_prompt", "seed", "reference_images"})


class Price(Struct, frozen=True):
    """From `low` to `high` credits, and who says so: `charged` before, the API's `estimate`, the catalogue's `band`."""

    low: int
    high: int
    source: str


def charges_by_parameters(charges: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """(body text, credits used) of completed generations, gathered by what decides a price."""
    found: dict[str, list[int]] = {}
    for text, used in charges:
        found.setdefault(_parameters(parse_body(text) or {}), []).append(used)
    return found


def price(
    body: Mapping[str, Any],
    model: Model | None,
    charges: Mapping[str, list[int]],
    *,
    estimate: int | None = None,
) -> Price | None:
    """What `body` costs by what was charged (see `charges_by_parameters`), by the API's estimate, or by the band.

    `estimate` is what the API once called the upper bound for this very body.
    """
    paid = charges.get(_parameters(body))
    if paid:
        return Price(min(paid), max(paid), "charged")
    band = price_band(model, body)
    if estimate:
        return Price(min(band[0], estimate) if band else estimate, estimate, "estimate")
    return Price(*band, "band") if band else None


def most(prices: Sequence[Price | None]) -> int | None:
    """The most that all of them may cost together; None where one of them is unknown."""
    known = [item.high for item in prices if item is not None]
    return sum(known) if len(known) == len(prices) else None


def affordable(balance: int | None, price: Price | None) -> tuple[int, int] | None:
    """How many of this price `balance` pays for: at its highest, and at its lowest; None where either is unknown."""
    if balance is None or price is None or price.high <= 0 or price.low <= 0:
        return None
    return max(0, balance) // price.high, max(0, balance) // price.low


def in_words(prices: Sequence[Price | None]) -> str:
    """What all of them cost together; an unknown price is said to be unknown."""
    known = [item for item in prices if item is not None]
    if not known:
        return "an unknown price"
    low, high = sum(item.low for item in known), sum(item.high for item in known)
    words = f"{high:,} credits" if low == high else f"{low:,} to {high:,} credits"
    unknown = len(prices) - len(known)
    return f"{words} and {unknown} of unknown price" if unknown else words


def _parameters(body: Mapping[str, Any]) -> str:
    return json.dumps({k: v for k, v in body.items() if k not in FREE_FIELDS}, sort_keys=True)

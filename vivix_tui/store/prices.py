"""What bodies will probably cost, by what is stored here.

Owns: bringing past charges and the catalogue together for `domain.price`. Refuses: deciding what a price means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vivix_tui.domain.account import Model, parse_body
from vivix_tui.domain.price import Price, charges_by_parameters, price
from vivix_tui.store import accounts, generations
from vivix_tui.store.store import Store


def prices_of(
    store: Store,
    profile: str,
    bodies: Sequence[str],
    *,
    estimates: Sequence[int | None] = (),
    models: Mapping[str, Model] | None = None,
) -> list[Price | None]:
    """What each body will probably cost; `estimates` are the API's upper bounds for them, where it named one, and
    `models` is the catalogue where that was read already."""
    models = accounts.models(store, profile) if models is None else models
    values = [parse_body(body) or {} for body in bodies]
    slugs = {str(value.get("model")) for value in values}
    charges = {slug: charges_by_parameters(generations.charges(store, profile, slug)) for slug in slugs}
    return [
        price(value, models.get(slug), charges[slug], estimate=estimate)
        for value, estimate in zip(values, estimates or [None] * len(values), strict=True)
        for slug in [str(value.get("model"))]
    ]

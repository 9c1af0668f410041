"""How long completed jobs took, as the estimates want it: for the engine that asks and the screen that shows.

Owns: which rows count (the last completed ones of a model, then those with the same duration and resolution), and
reading them seldom. Refuses: statistics (`domain.estimate`) and clocks: times are monotonic seconds, passed in.
"""

from __future__ import annotations

from vivix_tui.domain import estimate
from vivix_tui.domain.estimate import Durations
from vivix_tui.domain.generation import category_of
from vivix_tui.store import accounts
from vivix_tui.store.store import Store

SETTINGS = (
    "CASE WHEN json_valid(body) THEN json_array(json_extract(body, '$.duration'), json_extract(body, '$.resolution'))"
    " END"
)
LOOKED_AT = 100
FRESH_S = 5.0


class History:
    """One profile's durations, read again after FRESH_S at the earliest."""

    def __init__(self, store: Store, profile: str) -> None:
        self._store = store
        self._profile = profile
        self._read_at = float("-inf")
        self._categories: dict[str, str] = {}
        self._models: dict[str, Durations] = {}
        self._kinds: dict[tuple[str | None, str | None], Durations] = {}

    def durations(self, model: str | None, settings: str | None, now: float) -> Durations:
        """How long such a job takes; `settings` is the row's SETTINGS, None where the body is not known."""
        if now - self._read_at > FRESH_S:
            self._read_at = now
            self._categories = accounts.categories(self._store, self._profile)
            self._models.clear()
            self._kinds.clear()
        if model is not None and model not in self._models:
            self._read(model)
        found = self._kinds.get((model, settings)) or self._models.get(model or "")
        return found or estimate.prior(category_of(model, self._categories))

    def _read(self, model: str) -> None:
        rows = self._store.all(
            f"SELECT duration_ms, {SETTINGS} AS settings FROM generations WHERE profile = ? AND model = ?"
            " AND status = 'completed' AND duration_ms > 0 ORDER BY completed_at DESC LIMIT ?",
            (self._profile, model, LOOKED_AT),
        )
        took = [(row["duration_ms"] / 1000, row["settings"]) for row in rows]
        prior = estimate.prior(category_of(model, self._categories))
        # Jobs of the same model with other settings are the next best guess.
        whole = self._models[model] = estimate.fitted([seconds for seconds, _ in took], prior)
        for settings in {kind for _, kind in took if kind is not None}:
            same = [seconds for seconds, kind in took if kind == settings]
            self._kinds[model, settings] = estimate.fitted(same, whole)

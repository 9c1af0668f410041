"""Writes about the account, its models, and the engine that serves it.

Owns: balance and limits as the API told them, the catalogue, and the engine's own state for the header.
Refuses: estimates; what was not told stays NULL.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import MsgspecError, Struct, to_builtins
from msgspec.json import Decoder
from msgspec.structs import asdict

from vivix_tui.domain import times
from vivix_tui.domain.account import Account, Model, Parameter
from vivix_tui.store.store import Store

CATALOGUE_MAX = 5_000  # models, as many as are read of an answer
_ACCOUNT = Account.__struct_fields__


class EngineState(Struct, frozen=True, kw_only=True):
    """What the header shows of the engine.

    `connection` is one of `starting`, `live`, `retrying`, `offline`, `limited`, `rejected`, `nokey`, `stopped`;
    `until` (ISO 8601) is when the next call may go; of `unasked_of` imported generations `unasked` were not asked about
    yet, which takes about `unasked_s` seconds more; `trouble` is a sentence about a background task that was
    restarted, or about what cannot be stored.
    """

    pid: int
    connection: str
    detail: str | None = None
    hint: str | None = None
    request_id: str | None = None
    until: str | None = None
    calls_used: int | None = None
    calls_remaining: int | None = None
    unasked: int | None = None
    unasked_of: int | None = None
    unasked_s: int | None = None
    trouble: str | None = None


def save_account(store: Store, profile: str, account: Account, now: datetime) -> None:
    """What /credits or /models told; a fact that was left out stays as it was."""
    values = {name: getattr(account, name) for name in _ACCOUNT}
    with store.write() as connection:
        connection.execute(
            f"INSERT INTO accounts (profile, asked_at, {', '.join(_ACCOUNT)})"
            f" VALUES (:profile, :at, {', '.join(':' + n for n in _ACCOUNT)}) ON CONFLICT DO UPDATE SET"
            f" asked_at = :at, {', '.join(f'{n} = coalesce(excluded.{n}, {n})' for n in _ACCOUNT)}",
            values | {"profile": profile, "at": times.iso(now)},
        )


def save_balance(store: Store, profile: str, balance: int) -> None:
    """The balance that an answer's header named."""
    with store.write() as connection:
        connection.execute(
            "INSERT INTO accounts (profile, balance) VALUES (?, ?) ON CONFLICT DO UPDATE SET balance = excluded.balance"
            " WHERE balance IS NOT excluded.balance",
            (profile, balance),
        )


def account(store: Store, profile: str) -> Account:
    rows = store.all(f"SELECT {', '.join(_ACCOUNT)} FROM accounts WHERE profile = ?", (profile,))
    return Account(**dict(rows[0])) if rows else Account()


def save_models(store: Store, profile: str, models: Mapping[str, Model]) -> None:
    """Replaces the catalogue."""
    with store.write() as connection:
        connection.execute("DELETE FROM models WHERE profile = ?", (profile,))
        connection.executemany(
            "INSERT INTO models (profile, slug, category, facts) VALUES (?, ?, ?, ?)",
            [(profile, slug, model.category, json.dumps(to_builtins(model))) for slug, model in models.items()],
        )


def models(store: Store, profile: str) -> dict[str, Model]:
    """The catalogue as last seen, by slug; empty where it was never seen. An entry that cannot be read is left out."""
    rows = store.all("SELECT slug, facts FROM models WHERE profile = ? ORDER BY slug", (profile,))
    found = {row["slug"]: _model(row["facts"]) for row in rows}
    return {slug: model for slug, model in found.items() if model is not None}


def categories(store: Store, profile: str) -> dict[str, str]:
    """Slug → category, for models that have one."""
    rows = store.all("SELECT slug, category FROM models WHERE profile = ? AND category IS NOT NULL", (profile,))
    return {row["slug"]: row["category"] for row in rows}


def save_engine(store: Store, profile: str, state: EngineState, now: datetime) -> None:
    values = asdict(state) | {"profile": profile, "at": times.iso(now)}
    names = tuple(values)
    with store.write() as connection:
        before = connection.execute("SELECT connection FROM engines WHERE profile = ?", (profile,)).fetchone()
        if before is not None and before[0] == state.connection:
            store.report()
        connection.execute(
            f"INSERT OR REPLACE INTO engines ({', '.join(names)}) VALUES ({', '.join(':' + n for n in names)})",
            values,
        )


def engine_state(store: Store, profile: str) -> EngineState | None:
    names = EngineState.__struct_fields__
    rows = store.all(f"SELECT {', '.join(names)} FROM engines WHERE profile = ?", (profile,))
    return EngineState(**dict(rows[0])) if rows else None


def queue_paused(store: Store, profile: str) -> str | None:
    """Why the queue is paused, None while it is not."""
    rows = store.all("SELECT queue_paused FROM accounts WHERE profile = ?", (profile,))
    return rows[0][0] if rows else None


@functools.lru_cache(maxsize=CATALOGUE_MAX)  # the form asks for the catalogue at each pause of whoever types
def _model(text: str) -> Model | None:
    """What `save_models` wrote, None where `text` is something else."""
    try:
        return _decoder().decode(text)
    except (MsgspecError, RecursionError, UnicodeEncodeError):
        return _odd_model(text)


@functools.cache
def _decoder() -> Decoder[Model]:
    return Decoder(Model)


def _odd_model(text: str) -> Model | None:
    """One that holds what JSON does not know: a NaN, a lone surrogate."""
    try:
        facts: dict[str, Any] = json.loads(text)
        params = {}
        for name, raw in facts.pop("params").items():
            raw["values"] = tuple(raw["values"]) if raw["values"] is not None else None
            params[name] = Parameter(**raw)
        return Model(**facts, params=params)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None

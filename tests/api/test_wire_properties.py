"""Whatever JSON comes: it is read, or it is a BadReply, and what was read fits the database. Rows PAR-01, -02, -05."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import to_builtins

from vivix_tui.api import wire
from vivix_tui.domain import times
from vivix_tui.errors import BadReply

TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.sampled_from(
        [2**63, -(2**63) - 1, 1e308, "49,711", "1,23", "50%", "9999-12-31T23:59:59-12:00", "\ud800", "\x00"]
    )
)
ANY = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=8
)
NAMES = (
    *("generation_id", "status", "model", "credits_estimate", "credits_used", "elapsed_ms", "duration_ms"),
    *("created_at", "completed_at", "error", "message", "next", "request_id", "output_url", "output_urls", "balance"),
    *("needed", "credits_balance", "tier", "rate_limit", "cycle_resets_at", "spent_this_cycle", "models"),
    "granted_this_cycle",
)
LIMITS = st.fixed_dictionaries({}, optional={"calls_per_minute": ANY, "concurrent_jobs": ANY})
PARAMETER = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(["type", "required", "default", "values", "min", "max", "max_length"], ANY)
)
MODEL = st.fixed_dictionaries(
    {"slug": TEXT | ANY},
    optional=dict.fromkeys(["name", "category", "creator", "description"], ANY)
    | {
        "params": ANY | st.dictionaries(TEXT, PARAMETER | ANY, max_size=3),
        "credits_band": ANY | st.fixed_dictionaries({"min": ANY, "max": ANY}),
    },
)
RETRY_DATE = r"(Mon, )?\d{0,12}[- ](Jan|Nov)[- ]\d{0,12} \d{0,3}:?\d{0,3}:?\d{0,3} ?(GMT|[+-]\d{0,9})?"
OBJECT = st.fixed_dictionaries(
    {"generation_id": st.just("g1") | ANY, "status": TEXT | ANY},
    optional={name: ANY for name in NAMES if name not in ("generation_id", "status", "rate_limit", "models")}
    | {"rate_limit": LIMITS | ANY, "models": st.lists(MODEL | ANY, max_size=4) | ANY},
)


def read(value: Any) -> dict[str, Any]:
    """As it would come over the wire, infinities written as the numbers that overflow to them."""
    text = json.dumps(value).replace("-Infinity", "-1e999").replace("Infinity", "1e999").replace("NaN", "null")
    return wire.read_object(text.encode(), status=200, request_id=None)


def fits_the_database(facts: Mapping[str, Any]) -> None:
    connection = sqlite3.connect(":memory:")
    try:
        for value in facts.values():
            connection.execute("SELECT ?", (json.dumps(value) if isinstance(value, tuple) else value,)).fetchone()
            assert not isinstance(value, float)
    finally:
        connection.close()


@settings(deadline=None, max_examples=150)
@given(OBJECT)
def test_par_02_par_05_any_object_is_read_or_refused_and_fits_the_database(written: dict[str, Any]) -> None:
    value = read(written)
    fits_the_database(to_builtins(wire.account(value)))
    refusal = wire.refusal(value, status=500, headers={})
    assert refusal.code
    fits_the_database(vars(refusal))
    readers: tuple[Callable[[], dict[str, Any]], ...] = (
        lambda: to_builtins(wire.answer(value, "g1", request_id=None)),
        lambda: to_builtins(wire.accepted(value, request_id=None)),
    )
    for reader in readers:
        try:
            facts = reader()
        except BadReply:
            continue
        fits_the_database(facts)
        for name in ("credits_estimate", "credits_used", "elapsed_ms", "duration_ms"):
            assert facts.get(name) is None or facts[name] >= 0
        assert facts["created_at"] is None or times.parse(facts["created_at"])


@settings(deadline=None, max_examples=80)
@given(st.fixed_dictionaries({"models": st.lists(MODEL, max_size=4)}))
def test_par_10_any_catalogue_is_read_and_can_be_stored(value: dict[str, Any]) -> None:
    models = wire.models(read(value), request_id=None)
    for slug, model in models.items():
        json.loads(json.dumps(to_builtins(model)))
        fits_the_database({"slug": slug, "category": model.category, "facts": json.dumps(to_builtins(model))})


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200) | ANY.map(lambda value: json.dumps(value).encode()))
def test_par_01_any_bytes_are_an_object_or_a_bad_reply(data: bytes) -> None:
    try:
        value = wire.read_object(data, status=200, request_id=None)
    except BadReply as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert isinstance(value, dict)


@settings(deadline=None, max_examples=150)
@given(
    st.text(max_size=40)
    | st.from_regex(r"(Mon, )?\d*[- ](Jan|Nov)[- ]\d* \d*:?\d*:?\d* ?(GMT|[+-]\d*)?", fullmatch=True)
)
def test_rat_01_any_retry_after_is_seconds_or_unknown(value: str) -> None:
    wait_s = wire.retry_after_s(value, datetime(2026, 5, 10, tzinfo=UTC))
    # A date is less than 1e12 s away; a number is what it says, and whoever waits caps it.
    assert wait_s is None or 0 <= wait_s < 1e12 or wait_s == float(value)


@settings(deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"-?[0-9,]{1,12}", fullmatch=True))
def test_par_06_any_balance_is_a_number_that_was_written_or_unknown(value: str) -> None:
    amount = wire.credits_amount(value)
    if amount is not None:
        assert value.strip().replace(",", "").lstrip("-").lstrip("0") == str(abs(amount)).lstrip("0")
        assert value.strip() in (str(amount), f"{amount:,}") or value.strip().lstrip("-").startswith("0")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, True, "5", None, 2**53 + 1, [], {}])
def test_par_05_what_is_no_count_is_unknown(value: object) -> None:
    assert wire.amount(value) is None

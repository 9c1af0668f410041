"""What a body costs, what to do about a code, and bodies on their way through an editor."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivix_tui.domain import advice
from vivix_tui.domain.account import Model
from vivix_tui.domain.bodies import difference, for_editor, from_editor, parse_bodies, with_seed
from vivix_tui.domain.price import Price, charges_by_parameters, price
from vivix_tui.errors import UsageError

MODEL = Model(slug="m", credits_min=80, credits_max=211)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(st.text(max_size=8), JSON, max_size=5).map(json.dumps)


@given(BODIES)
def test_a_body_that_is_looked_at_in_an_editor_is_sent_to_the_byte(body: str) -> None:
    assert from_editor(body, for_editor(body)) == body
    assert from_editor(body, for_editor(body) + "\n") == body
    assert difference(body, body) == []


@pytest.mark.parametrize(
    "body",
    ['{"a": 1.10, "b": "\\ud83e"}', '{"a": 1e2, "b": 12345678901234567890.123}', '{"a": 1, "a": 2}', '{"a": 1.0}'],
)
def test_what_indenting_would_change_is_edited_as_it_is(body: str) -> None:
    assert from_editor(body, for_editor(body)) == body
    assert from_editor(body, body.replace("1", "3", 1)) == body.replace("1", "3", 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": 1}', '{"a": 2}'),
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": 1}', '{"a": 1.0}'),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}'),
    ],
)
def test_any_real_change_is_seen_and_shown(before: str, after: str) -> None:
    assert from_editor(before, f"\n{after}\n") == after
    assert any(line.startswith("+") for line in difference(before, after))


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', '{"a": NaN}', "not json", '{"a": 1e999}'])
def test_what_is_no_object_after_editing_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(UsageError, match="the edited body is not"):
        from_editor('{"a": 1}', text)


def test_another_seed_changes_nothing_else() -> None:
    changed = with_seed('{"prompt": "🦊 é", "cfg": 0.1, "seed": 7}', 8)
    assert changed == '{"prompt":"🦊 é","cfg":0.1,"seed":8}'
    assert parse_bodies(changed.encode(), "x") == [changed]
    assert json.loads(with_seed('{"prompt": "x"}', 8)) == {"prompt": "x", "seed": 8}
    assert with_seed('{"prompt": "é\\ud83e"}', 8) == '{"prompt":"é\\ud83e","seed":8}'


def test_a_price_comes_from_charges_for_the_same_parameters_first() -> None:
    charges = charges_by_parameters(
        [('{"model": "m", "prompt": "a", "seed": 1}', 150), ('{"prompt": "b", "model": "m"}', 180), ("x", 9)]
    )
    body = {"model": "m", "prompt": "c", "seed": 4}
    assert price(body, MODEL, charges, estimate=170) == Price(150, 180, "charged")
    assert price(body | {"resolution": "4K"}, MODEL, charges, estimate=170) == Price(80, 170, "estimate")
    assert price(body | {"resolution": "4K"}, MODEL, charges) == Price(80, 211, "band")
    assert price(body | {"number_results": 4}, MODEL, charges) == Price(320, 844, "band")
    assert price(body, None, {}, estimate=170) == Price(170, 170, "estimate")
    assert price(body, None, {}) is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("PROVIDER_ERROR", advice.RETRY),
        ("PROVIDER_DOWN", advice.WAIT),
        ("RATE_LIMITED", advice.WAIT),
        ("CONCURRENCY_LIMIT", advice.WAIT_FOR_SLOT),
        ("CONTENT_POLICY", advice.EDIT),
        ("TIER_LOCKED", advice.DO_NOT_RETRY),
        ("NOT_FOUND", advice.DO_NOT_RETRY),
    ],
)
def test_each_documented_code_has_advice(code: str, kind: str) -> None:
    found = advice.advice(code)
    assert found is not None
    assert (found.kind, advice.is_transient(code)) == (kind, kind == advice.RETRY)


@pytest.mark.parametrize("code", [None, "", "SOMETHING_NEW", "provider_error"])
def test_an_unknown_code_brings_no_advice_and_is_not_transient(code: str | None) -> None:
    assert advice.advice(code) is None
    assert not advice.is_transient(code)

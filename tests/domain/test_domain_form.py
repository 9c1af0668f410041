"""A body filled in by hand: fields from `params`, values from what was typed, and nothing lost on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vivix_tui.domain.account import Model, Parameter, complaints
from vivix_tui.domain.form import Draft, body_of, entered, fields_of, filled, for_model, kind_of, text_of, value_of
from vivix_tui.domain.price import Price, affordable


def model(slug: str, *params: Parameter) -> Model:
    return Model(slug=slug, params={p.name: p for p in params})


SEED = Parameter(name="seed", type="integer", minimum=0, maximum=9)
ASPECT = Parameter(name="aspect_ratio", type="enum", values=("1:1", "16:9"), default="1:1")
AUDIO = Parameter(name="audio", type="boolean", default=False)
DURATION = Parameter(name="duration", type="integer", required=True, minimum=2, maximum=10)
IMAGE, VIDEO = model("image", SEED, ASPECT), model("video", AUDIO, DURATION, SEED)
MODELS = {"image": IMAGE, "video": VIDEO}


def test_every_form_asks_for_the_prompt_first_and_for_what_is_required_next() -> None:
    assert [p.name for p in fields_of(VIDEO)] == ["prompt", "duration", "audio", "seed"]
    assert fields_of(VIDEO)[0].required
    assert fields_of(model("x", Parameter(name="prompt", type="string")))[0].max_length == 2000


@pytest.mark.parametrize(
    ("parameter", "kind"),
    [
        (ASPECT, "choice"),
        (AUDIO, "switch"),
        (SEED, "number"),
        (Parameter(name="prompt", type="string", max_length=2000), "text"),
        (Parameter(name="style", type="string", max_length=40), "line"),
        (Parameter(name="style", type="string"), "line"),
        (Parameter(name="cfg", type="float"), "json"),
    ],
)
def test_the_kind_of_a_field_follows_from_the_parameter(parameter: Parameter, kind: str) -> None:
    assert kind_of(parameter) == kind


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("integer", " 7 ", 7),
        ("integer", "", None),
        ("integer", "7x", "7x"),
        ("integer", "9" * 5000, "9" * 5000),
        ("string", " kept as typed ", " kept as typed "),
        ("string", "", None),
        ("float", "0.5", 0.5),
        ("float", "NaN", "NaN"),
        ("list", '["a", "b"]', ["a", "b"]),
        ("list", "[", "["),
    ],
)
def test_what_was_typed_becomes_a_value_or_stays_a_text_to_be_judged(type_: str, text: str, value: Any) -> None:
    assert value_of(Parameter(name="x", type=type_), text) == value


def test_a_value_is_shown_as_it_is_typed() -> None:
    assert [text_of(v) for v in (None, "a", 5, 0.5, ["ä"], True)] == ["", "a", "5", "0.5", '["ä"]', "true"]


def test_an_unchanged_form_sends_the_original_to_the_byte() -> None:
    body = '{ "x": 1.10, "seed":5,"prompt":"a",\t"model":"image" }'
    draft = filled(body, MODELS, "g1")
    assert (draft.generation_id, draft.extras) == ("g1", {"x": 1.1})
    assert body_of(draft, IMAGE) == body
    changed = entered(draft, "seed", 6)
    assert body_of(changed, IMAGE) == '{"x":1.1,"seed":6,"prompt":"a","model":"image"}'
    assert body_of(entered(changed, "seed", 5), IMAGE) == body


def test_true_is_not_one_to_the_form() -> None:
    body = '{"model":"video","prompt":"a","audio":1}'
    assert json.loads(body_of(entered(filled(body, MODELS), "audio", True), VIDEO))["audio"] is True


def test_what_another_model_has_no_field_for_waits_until_it_has_one() -> None:
    draft = entered(entered(Draft(model="image"), "prompt", "a"), "aspect_ratio", "16:9")
    there = for_model(draft, VIDEO)
    assert body_of(there, VIDEO) == '{"model":"video","prompt":"a"}'
    assert body_of(for_model(there, IMAGE), IMAGE) == '{"model":"image","prompt":"a","aspect_ratio":"16:9"}'


def test_extras_become_fields_where_a_model_knows_them() -> None:
    draft = filled('{"model":"image","prompt":"a","duration":5,"y":null}', MODELS)
    assert draft.extras == {"duration": 5, "y": None}
    there = for_model(draft, VIDEO)
    assert (there.extras, there.entries["duration"]) == ({"y": None}, 5)
    assert json.loads(body_of(entered(there, "duration", None), VIDEO)) == {"model": "video", "prompt": "a", "y": None}


def test_of_an_unknown_model_everything_is_kept() -> None:
    draft = filled('{"model":"gone","prompt":"a","seed":1}', MODELS)
    assert body_of(for_model(draft, IMAGE), IMAGE) == '{"model":"image","prompt":"a","seed":1}'


@pytest.mark.parametrize("body", ["[]", "{", '{"prompt":NaN}'])
def test_a_body_that_cannot_be_written_again_is_refused(body: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - three sources, one kind
        filled(body, MODELS)


def test_complaints_name_every_field_that_is_wrong() -> None:
    body = {"model": "video", "prompt": "p" * 2001, "negative_prompt": "n" * 501, "audio": "yes", "seed": 10}
    assert complaints(body, MODELS) == {
        "prompt": "has 2,001 characters, the API takes 2,000",
        "negative_prompt": "has 501 characters, the API takes 500",
        "audio": 'must be true or false, not "yes"',
        "duration": "is missing; video requires it",
        "seed": "is 10, the model takes 0 to 9",
    }
    assert complaints({"model": "nope", "prompt": "a"}, MODELS).keys() == {"model"}
    assert complaints({}, {}).keys() == {"model", "prompt"}


def test_how_many_a_balance_pays_for() -> None:
    assert affordable(1000, Price(80, 211, "band")) == (4, 12)
    assert affordable(-5, Price(80, 211, "band")) == (0, 0)
    assert affordable(None, Price(80, 211, "band")) is None
    assert affordable(1000, None) is None
    assert affordable(1000, Price(0, 0, "charged")) is None

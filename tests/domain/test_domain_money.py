"""What bodies are, what they may cost, why they would be refused, and what an outcome of a POST means."""

from __future__ import annotations

import json

import pytest

from vivix_tui.domain import submission as s
from vivix_tui.domain.account import Model, Parameter, complaint, parse_body, price_band
from vivix_tui.domain.bodies import parse_bodies
from vivix_tui.domain.idlist import parse_ids
from vivix_tui.domain.submission import verdict_on_refusal
from vivix_tui.errors import UsageError

MODEL = Model(
    slug="m",
    credits_min=80,
    credits_max=211,
    params={
        "prompt": Parameter(name="prompt", type="string", required=True, max_length=10),
        "number_results": Parameter(name="number_results", type="integer", minimum=1, maximum=4),
        "aspect_ratio": Parameter(name="aspect_ratio", type="enum", values=("1:1", "16:9")),
        "audio": Parameter(name="audio", type="boolean"),
        "duration": Parameter(name="duration", type="integer", minimum=2, required=False),
    },
)


@pytest.mark.parametrize(
    ("status", "code", "state", "pause"),
    [
        (429, "RATE_LIMITED", s.QUEUED, False),
        (429, "CONCURRENCY_LIMIT", s.QUEUED, False),
        (402, "INSUFFICIENT_CREDITS", s.QUEUED, True),
        (401, "KEY_REVOKED", s.QUEUED, False),
        (403, "TIER_LOCKED", s.REFUSED, False),
        (422, "VALIDATION_ERROR", s.REFUSED, False),
        (503, "PROVIDER_DOWN", s.REFUSED, False),
        (503, "HTTP_503", s.UNKNOWN, False),
        (500, "INTERNAL_ERROR", s.UNKNOWN, False),
        (504, "WHATEVER", s.UNKNOWN, False),
    ],
)
def test_what_each_refusal_means(status: int, code: str, state: str, pause: bool) -> None:
    verdict = verdict_on_refusal(status, code, 3.0)
    assert (verdict.state, verdict.pause) == (state, pause)
    assert verdict.state in s.LEGAL[s.SENDING]


def test_an_unknown_submission_goes_nowhere_by_itself() -> None:
    assert s.SENDING not in s.LEGAL[s.UNKNOWN]
    assert all(not s.LEGAL[state] for state in (s.ACCEPTED, s.REFUSED, s.CANCELLED))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"prompt": "x"}, "model is missing"),
        ({"model": "m"}, "prompt is missing"),
        ({"model": "m", "prompt": "x" * 2001}, "2,001 characters, the API takes 2,000"),
        ({"model": "m", "prompt": "x", "negative_prompt": "x" * 501}, "negative_prompt has 501"),
        ({"model": "other", "prompt": "x"}, "not in this account's catalogue"),
        ({"model": "m", "prompt": "x" * 11}, "prompt has 11 characters, the model takes 10"),
        ({"model": "m", "prompt": "x", "number_results": 9}, "number_results is 9, the model takes 1 to 4"),
        ({"model": "m", "prompt": "x", "number_results": True}, "must be a whole number"),
        ({"model": "m", "prompt": "x", "aspect_ratio": "3:2"}, 'the model takes "1:1", "16:9"'),
        ({"model": "m", "prompt": "x", "audio": 1}, "audio must be true or false"),
        ({"model": "m", "prompt": "x", "duration": 1}, "the model takes at least 2"),
    ],
)
def test_a_body_that_would_be_refused_is_explained(body: dict[str, object], words: str) -> None:
    assert words in (complaint(body, {"m": MODEL}) or "")


def test_a_good_body_and_an_unknown_catalogue_bring_no_complaint() -> None:
    assert complaint({"model": "m", "prompt": "x", "number_results": 4, "new": 1}, {"m": MODEL}) is None
    assert complaint({"model": "other", "prompt": "x"}, {}) is None


@pytest.mark.parametrize(
    ("body", "band"),
    [({}, (80, 211)), ({"number_results": 4}, (320, 844)), ({"number_results": "4"}, (80, 211)),
     ({"number_results": -1}, (80, 211)), ({"number_results": True}, (80, 211))],
)  # fmt: skip
def test_price_bands(body: dict[str, object], band: tuple[int, int]) -> None:
    assert price_band(MODEL, body) == band
    assert price_band(None, body) is None


def test_one_object_is_sent_as_it_stands() -> None:
    text = '{ "model": "m",\n  "prompt": "x", "seed": 0.10 }\n'
    assert parse_bodies(text.encode(), "f") == [text]


def test_json_lines_are_split_at_newlines_alone() -> None:
    lines = ['{"prompt": "a\u2028b"}', '{"prompt":  "c"}\r']
    assert parse_bodies("\n".join([*lines, "", ""]).encode(), "f") == lines


def test_elements_of_an_array_are_written_compactly() -> None:
    assert parse_bodies('[{"a": 0.1, "b": "é"}, {"c": 1}]'.encode(), "f") == ['{"a":0.1,"b":"é"}', '{"c":1}']


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "f: empty"),
        (b" \n", "f: empty"),
        (b"\xff\xfe", "f: not UTF-8 text (byte 0)"),
        (b"5", "not a JSON object"),
        (b"[{}, 5]", "element 2 of the array"),
        (b'{"a":1}\n{"b":', "f, line 2: not JSON"),
        (b'{"a":1}\n5', "f, line 2: not a JSON object"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'[{"a":1e999}]', "line 1: not JSON"),
        (b"[" * 100_000, "nested too deep"),
    ],
)
def test_bad_bodies_are_named(data: bytes, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_bodies(data, "f")
    assert words in str(caught.value)


def test_ids_and_json_lines_may_be_mixed() -> None:
    text = 'abc def\n\n{"generation_id": "g1", "body": {"prompt": "é", "x": 0.1}}\n{"generation_id":"g2"}\n'
    text += json.dumps({"generation_id": "g3", "body": '{"prompt":  "as it was"}'})
    assert parse_ids(text) == [
        ("abc", None),
        ("def", None),
        ("g1", '{"prompt":"é","x":0.1}'),
        ("g2", None),
        ("g3", '{"prompt":  "as it was"}'),
    ]


@pytest.mark.parametrize(
    "body", ['{"prompt": "a\\ud800"}', '"{\\"prompt\\": \\"a\\ud800\\"}"', '{"\\udfff": ["\\udc80é"]}']
)
def test_half_of_a_surrogate_pair_stays_the_escape_that_it_was(body: str) -> None:
    """Neither UTF-8 nor the database can hold it."""
    [(_, kept)] = parse_ids(f'{{"generation_id": "g1", "body": {body}}}')
    assert kept is not None
    assert kept.encode()
    meant = json.loads(body)
    assert json.loads(kept) == (json.loads(meant) if isinstance(meant, str) else meant)
    assert all(text.encode() for text in parse_bodies(f"[{json.dumps(json.loads(kept))}]".encode(), "f"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ok\n\x1b[2J", "line 2"),
        ('{"generation_id": "a", "body": {"x": NaN}}', "NaN"),
        ("{", "line 1: not JSON"),
        ('{"id": "x"}', "no usable generation_id"),
        ('{"generation_id": "a b"}', "no usable generation_id"),
        ('{"generation_id": "a", "body": 5}', "body is not a JSON object"),
        ('{"generation_id": "a", "body": "[]"}', "body is not a JSON object"),
    ],
)
def test_bad_ids_are_named_with_their_line(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_ids(text)
    assert words in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_body_is_an_object_or_nothing() -> None:
    assert parse_body('{"a": 1}') == {"a": 1}
    for bad in ("", "[]", "{", "[" * 100_000):
        assert parse_body(bad) is None

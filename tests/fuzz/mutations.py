"""Answers of the four endpoints, mutated: what is inside a whole HTTP answer.

Owns: the documented answers that mutation starts from, and every way their status, headers and JSON go wrong.
Refuses: judging them (`referee`); broken connections and framing (`framing`).
"""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.odd import CODES, HEADER_VALUES, LOCATIONS, NUMBERS, REFUSALS, STATUSES, TEXTS, TIMES, VALUES
from tests.srv import CREDITS_BODY, MODELS_BODY, Answer, generation, reply


@dataclass(frozen=True, slots=True)
class Draft:
    """The documented answer that a mutation starts from."""

    status: int
    value: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def body(self) -> bytes:
        return json.dumps(self.value).encode()


@dataclass(frozen=True, slots=True)
class Sent:
    """What is sent: `answer` for the wire; the rest is for the referee.

    `body` is without transfer and content encoding. Where `whole` is False no complete answer can arrive; `plain` ones
    are what the documents allow and have to be taken.
    """

    kind: str
    answer: Answer
    status: int = 0
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True
    plain: bool = False


def sent(kind: str, draft: Draft, body: bytes | None = None, *, plain: bool = False, **headers: str) -> Sent:
    """A well-framed answer with this body."""
    told = dict(draft.headers) | {name.replace("_", "-"): value for name, value in headers.items()}
    data = draft.body if body is None else body
    return Sent(kind, reply(draft.status, data, told), draft.status, data, told, plain=plain)


def documented(endpoint: str, asked: str, dice: random.Random, balance: int) -> Draft:
    """One of the answers that the documents promise, with figures of its own. `asked` is the id it is about."""
    headers = {
        "content-type": "application/json",
        "x-request-id": f"req_{dice.randrange(10**6)}",
        "x-ratelimit-remaining": str(dice.randrange(50_000, 60_000)),
        "x-credits-balance": f"{balance:,}",
    }
    if endpoint == "credits":
        value = CREDITS_BODY | {"balance": balance, "spent_this_cycle": dice.randrange(10**6)}
    elif endpoint == "models":
        value = MODELS_BODY | {"credits_balance": balance}
    elif endpoint == "generate":
        value = {"generation_id": asked, "status": "pending", "model": "m", "credits_estimate": dice.randrange(500)}
    else:
        status = dice.choices(("pending", "processing", "completed", "failed"), (3, 5, 1, 1))[0]
        value = generation(asked, status, model=f"model-{dice.randrange(100)}", credits_estimate=dice.randrange(500))
        if status == "completed":
            value |= {"output_url": "https://127.0.0.1:1/a.png", "output_urls": ["https://127.0.0.1:1/a.png"]}
    return Draft(201 if endpoint == "generate" else 200, value, headers)


Mutation = Callable[[random.Random, Draft], Sent]


def _truncated(dice: random.Random, draft: Draft) -> Sent:
    return sent("truncated", draft, draft.body[: dice.randrange(len(draft.body))])


def _wrong_type(dice: random.Random, draft: Draft) -> Sent:
    value = dict(draft.value)
    for name in dice.sample(sorted(value), dice.randint(1, 3)):
        value[name] = dice.choice(VALUES)
    return sent("wrong types", draft, json.dumps(value).encode())


def _numbers(dice: random.Random, draft: Draft) -> Sent:
    """Numbers that JSON has not, or that nobody can store; limits are spared the ones that would stop the run."""
    named = [name for name, v in draft.value.items() if isinstance(v, int)] or ["credits_estimate"]
    name, number = dice.choice(named), dice.choice(NUMBERS)
    text = json.dumps(draft.value | {name: "@"}).replace('"@"', number)
    if "rate_limit" in draft.value and dice.random() < 0.3:
        number = dice.choice(("NaN", "1e999", "-5", "0", '"240"', "null", "9223372036854775808", "[]"))
        text = json.dumps(draft.value | {"rate_limit": {"calls_per_minute": "@"}}).replace('"@"', number)
    return sent("numbers", draft, text.encode())


def _texts(dice: random.Random, draft: Draft) -> Sent:
    """Hostile text, escaped or raw, in any field but the id."""
    names = [name for name, v in draft.value.items() if isinstance(v, str) and name != "generation_id"]
    name, text = dice.choice(names or ["message"]), dice.choice(TEXTS)
    value = draft.value | {name: text, "message": dice.choice(TEXTS)}
    if dice.random() < 0.3:
        return sent("raw controls", draft, json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return sent("hostile text", draft, json.dumps(value).encode())


def _times(dice: random.Random, draft: Draft) -> Sent:
    name = dice.choice(("created_at", "completed_at", "cycle_resets_at"))
    return sent("times", draft, json.dumps(draft.value | {name: dice.choice(TIMES)}).encode())


def _wrong_id(dice: random.Random, draft: Draft) -> Sent:
    right = str(draft.value.get("generation_id", ""))
    wrong = dice.choice(
        [*VALUES, *TEXTS, right + " ", " " + right, right.upper() + "X", right[:-1], [right], {"id": right}]
    )
    return sent("wrong id", draft, json.dumps(draft.value | {"generation_id": wrong}).encode())


def _missing(dice: random.Random, draft: Draft) -> Sent:
    gone = set(dice.sample(sorted(draft.value), dice.randint(1, len(draft.value))))
    return sent("missing", draft, json.dumps({k: v for k, v in draft.value.items() if k not in gone}).encode())


def _charset(dice: random.Random, draft: Draft) -> Sent:
    text = json.dumps(draft.value | {"message": "\u00fc\u4e16"}, ensure_ascii=False)
    charset = dice.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "cp037", "bogus", "invalid"))
    if charset == "bogus":
        return sent("charset", draft, text.encode(), content_type="application/json; charset=bogus")
    data = text.encode().replace(b'"', b'"\xff\xfe', 1) if charset == "invalid" else text.encode(charset, "replace")
    return sent("charset", draft, data, content_type=f"application/json; charset={charset}")


def _duplicates(dice: random.Random, draft: Draft) -> Sent:
    name = dice.choice(sorted(draft.value))
    first = f"{{{json.dumps(name)}: {json.dumps(dice.choice([*VALUES, *TEXTS]))}, "
    rest = json.dumps(draft.value)[1:]
    if dice.random() < 0.5:
        return sent("duplicate keys", draft, (first + rest).encode())
    return sent("duplicate keys", draft, (f"{{{rest[:-1]}, " + first[1:-2] + "}").encode())


def _deep(dice: random.Random, draft: Draft) -> Sent:
    depth, (opens, closes) = dice.choice((50, 100_000)), dice.choice((("[", "]"), ('{"a":', "}")))
    inside = opens * depth + ("1" if opens != "[" else "") + closes * depth
    return sent("deep", draft, json.dumps(draft.value | {"extra": "@"}).replace('"@"', inside).encode())


def _no_object(dice: random.Random, draft: Draft) -> Sent:
    bodies = [
        *(b"", b"[]", b'"x"', b"null", b"0", b"true", b"\x00" * 50, b"{", b"}", b"{}" * 2, b"  \n", b"<"),
        *(draft.body * 2, b"[" + draft.body + b"]", bytes(dice.randrange(256) for _ in range(200))),
    ]
    return sent("no object", draft, dice.choice(bodies))


def _html(dice: random.Random, draft: Draft) -> Sent:
    page = b"<!DOCTYPE html><html><body>FUNCTION_INVOCATION_TIMEOUT " + b"x" * dice.choice((0, 20_000))
    status = dice.choice((200, 200, 403, 404, 410, 429, 500, 502, 503, 504))
    return sent("HTML", Draft(status, {}, draft.headers), page, content_type="text/html; charset=utf-8")


def _no_content(dice: random.Random, draft: Draft) -> Sent:
    return sent("no content", Draft(dice.choice((204, 205, 304)), {}, draft.headers), b"")


def _status(dice: random.Random, draft: Draft) -> Sent:
    """Another status over the right body; redirects lead anywhere."""
    status = dice.choice([*STATUSES, 301, 302, 307, 308])
    if status == 304:
        return _no_content(dice, draft)
    if 300 <= status < 400:
        where = {"location": dice.choice(LOCATIONS).encode().decode("latin-1")}
        return sent("redirect", Draft(status, draft.value, {**draft.headers, **where}))
    return sent("status", Draft(status, draft.value, draft.headers))


def _error(dice: random.Random, draft: Draft) -> Sent:
    """The API's error body: documented, or with a part of it made of something else."""
    status, code = dice.choice(REFUSALS)
    value: dict[str, Any] = {"error": code, "message": "No.", "next": "Do.", "request_id": "req_e", "balance": "49"}
    headers = dict(draft.headers)
    if status in (429, 503) and dice.random() < 0.7:
        headers["retry-after"] = dice.choice(HEADER_VALUES)
    for _ in range(dice.randint(0, 2)):
        value[dice.choice(sorted(value))] = dice.choice([*VALUES, *TEXTS])
    if dice.random() < 0.3:
        value["error"] = dice.choice(CODES)
    if dice.random() < 0.2:
        status = dice.choice(STATUSES[STATUSES.index(400) :])
    kind = "documented error" if (status, value["error"]) in REFUSALS else "unknown error"
    return sent(kind, Draft(status, value, headers))


def _headers(dice: random.Random, draft: Draft) -> Sent:
    """Odd values of the headers that are read, over the right body."""
    names = (
        "x-credits-balance",
        "x-ratelimit-remaining",
        "x-request-id",
        "retry-after",
        "content-type",
        "set-cookie",
        "date",
    )
    odd = {name: dice.choice(HEADER_VALUES) for name in dice.sample(names, dice.randint(1, 4))}
    return sent("odd headers", Draft(draft.status, draft.value, {**draft.headers, **odd}), plain=True)


def _compressed(dice: random.Random, draft: Draft) -> Sent:
    packed = gzip.compress(draft.body, 1)
    kind = dice.choice(("gzip", "deflate", "GZIP", "bomb", "cut", "garbled", "br", "twice"))
    if kind in ("gzip", "GZIP", "deflate"):
        data = zlib.compress(draft.body) if kind == "deflate" else packed
        made = sent("compressed", draft, data, content_encoding=kind)
        return Sent(made.kind, made.answer, made.status, draft.body, made.headers, plain=True)
    if kind == "bomb":
        packed = gzip.compress(b" " * 40_000_000 + draft.body, 1)
    elif kind == "cut":
        packed = packed[: len(packed) // 2]
    elif kind == "garbled":
        packed = packed[:12] + bytes(dice.randrange(256) for _ in range(30))
    elif kind == "twice":
        packed = gzip.compress(packed)
    encoding = {"br": "br", "twice": "gzip, gzip"}.get(kind, "gzip")
    made = sent("gzip bomb" if kind == "bomb" else "compressed badly", draft, packed, content_encoding=encoding)
    return Sent(made.kind, made.answer, made.status, b"", made.headers, whole=False)


def _plain(dice: random.Random, draft: Draft) -> Sent:
    """Nothing that the documents do not allow."""
    items = list(draft.value.items())
    dice.shuffle(items)
    value = dict(items) | {"unheard_of": dice.choice([*VALUES, "\u00fc"])}
    if dice.random() < 0.05:
        value["unheard_of"] = "x" * 2_000_000
    data = json.dumps(value, indent=dice.choice((None, 4)), ensure_ascii=dice.random() < 0.5).encode()
    return sent("as documented", draft, data, plain=True)


CONTENTS: dict[Mutation, int] = {
    _truncated: 10, _wrong_type: 12, _numbers: 12, _texts: 10, _times: 4, _wrong_id: 8, _missing: 5, _charset: 5,
    _duplicates: 5, _deep: 3, _no_object: 5, _html: 5, _no_content: 3, _status: 8, _error: 12, _headers: 6,
    _compressed: 4, _plain: 10,
}  # fmt: skip

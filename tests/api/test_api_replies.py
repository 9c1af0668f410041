"""What the client makes of answers: documented ones, broken ones, hostile ones. Rows PAR-*, RAT-01, MON-03."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.api.calls import FOUR, act, client_of, outcome
from tests.conftest import KEY
from tests.srv import (
    CREDITS_BODY,
    MODELS_BODY,
    Answer,
    Srv,
    cut,
    endless,
    error_reply,
    generation,
    html_reply,
    json_reply,
    reply,
)
from vivix_tui.api.client import MAX_BODY_BYTES
from vivix_tui.errors import ApiError, BadReply, Refusal, Unreachable

WHOLE = json.dumps(
    generation("g1", "completed", output_url="https://x.test/1.png", output_urls=["https://x.test/1.png"])
).encode()


async def test_documented_successes_are_read(srv: Srv) -> None:
    more = {"X-Credits-Balance": "49,711", "X-RateLimit-Remaining": "239"}
    made = {
        "generation_id": "g-new", "status": "pending", "model": "m", "credits_estimate": 120,
        "created_at": "2026-05-10T12:34:56Z",
    }  # fmt: skip
    accepted = await outcome(srv, "generate", json_reply(201, made, more))
    assert (accepted.value.generation_id, accepted.value.credits_estimate) == ("g-new", 120)
    assert accepted.value.request_id == "req_1"
    assert accepted.balance == 49711
    for status in ("pending", "processing", "completed", "failed"):
        answer = (await outcome(srv, "generation", json_reply(200, generation("g1", status)))).value
        assert (answer.status, answer.created_at) == (status, "2026-05-10T12:34:56Z")
    assert (answer.error, answer.message, answer.credits_used) == ("PROVIDER_ERROR", "It broke.", 0)
    account = (await outcome(srv, "credits", json_reply(200, CREDITS_BODY))).value
    assert (account.balance, account.concurrent_jobs, account.spent_this_cycle) == (49711, 200, 289)
    account, models = (await outcome(srv, "models", json_reply(200, MODELS_BODY))).value
    assert (account.balance, models["grok-imagine-image-quality"].credits_max) == (49711, 211)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "BAD_REQUEST"),
        (401, "UNAUTHORIZED"),
        (401, "KEY_INVALID"),
        (401, "KEY_REVOKED"),
        (402, "INSUFFICIENT_CREDITS"),
        (403, "TIER_LOCKED"),
        (403, "MODEL_NOT_ALLOWED"),
        (403, "NOT_YOURS"),
        (404, "NOT_FOUND"),
        (422, "VALIDATION_ERROR"),
        (429, "RATE_LIMITED"),
        (429, "CONCURRENCY_LIMIT"),
        (500, "INTERNAL_ERROR"),
        (503, "PROVIDER_DOWN"),
        (418, "A_CODE_NOBODY_KNOWS"),
    ],
)
@pytest.mark.parametrize("name", FOUR)
async def test_par_02_documented_and_unknown_errors_keep_all_their_words(
    srv: Srv, name: str, status: int, code: str
) -> None:
    said = await outcome(srv, name, error_reply(status, code, "Not now.", "Try later.", balance="49", needed="1,200"))
    assert isinstance(said, Refusal)
    assert (said.status, said.code, said.message, said.next_step) == (status, code, "Not now.", "Try later.")
    assert (said.request_id, said.balance, said.needed) == ("req_err", 49, 1200)


async def test_par_01_every_prefix_of_a_real_body_is_a_bad_reply(srv: Srv) -> None:
    async with client_of(srv.url) as client:
        for length in range(len(WHOLE)):
            srv.on("GET", "*", reply(200, WHOLE[:length], {"content-type": "application/json"}))
            with pytest.raises(BadReply):
                await client.generation("g1")
        srv.on("GET", "*", reply(200, WHOLE))
        assert (await client.generation("g1")).value.status == "completed"


@pytest.mark.parametrize("length", [0, 1, 57, 200])
async def test_par_01_a_body_that_is_cut_short_may_have_been_sent(srv: Srv, length: int) -> None:
    whole = reply(201, b'{"generation_id": "g1", "status": "pending"}' + b" " * 300)
    at = whole.index(b"\r\n\r\n") + 4 + length
    said = await outcome(srv, "generate", act(cut(whole[:at])))
    assert isinstance(said, Unreachable)
    assert said.sent


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe" + WHOLE,
        WHOLE.replace(b"grok", b"gr\xff\xfek"),
        WHOLE.decode().encode("utf-16"),
        WHOLE.decode().encode("utf-32-le"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"generation_id": "g1", "status": "completed", "credits_used": ' + b"9" * 5_000 + b"}",
        b"[]",
        b'"x"',
        b"null",
        b"true",
        b"1e999",
        b"",
        b" ",
        b"{}",
        b'{"generation_id": "g2", "status": "completed"}',
        b'{"generation_id": "g1"}',
        b'{"generation_id": "g1", "status": null}',
        b'{"generation_id": "g1", "status": ["completed"]}',
        b'{"generation_id": ["g1"], "status": "completed"}',
        WHOLE + WHOLE,
        WHOLE + b"\x00",
    ],
    ids=lambda body: repr(body[:14]),
)
async def test_par_01_par_02_what_is_no_answer_is_a_bad_reply(srv: Srv, body: bytes) -> None:
    assert isinstance(await outcome(srv, "generation", reply(200, body)), BadReply)


async def test_par_01_a_byte_order_mark_is_read_over_or_refused(srv: Srv) -> None:
    said = await outcome(srv, "generation", reply(200, b"\xef\xbb\xbf" + WHOLE))
    assert isinstance(said, BadReply) or said.value.status == "completed"


@pytest.mark.parametrize(
    "kind", ["application/json; charset=bogus", "application/json; charset=utf-16", "text/plain", 'é/;;="', ""]
)
async def test_par_01_the_named_charset_decides_nothing(srv: Srv, kind: str) -> None:
    said = await outcome(srv, "generation", reply(200, WHOLE, {"content-type": kind}))
    assert said.value.status == "completed"


@pytest.mark.parametrize("name", FOUR)
async def test_par_02_an_error_body_of_wrong_types_becomes_a_code_from_the_status(srv: Srv, name: str) -> None:
    said = await outcome(srv, name, json_reply(500, {"error": 42, "message": None, "next": [], "request_id": {}}))
    assert isinstance(said, Refusal)
    assert (said.code, said.message, said.next_step, said.request_id) == ("HTTP_500", None, None, "req_1")
    assert str(said) == "HTTP_500"


@pytest.mark.parametrize("name", FOUR)
@pytest.mark.parametrize(
    "answer",
    [
        html_reply(200),
        html_reply(404),
        html_reply(502),
        html_reply(504),
        reply(204),
        reply(205),
        reply(300, b"{}"),
        reply(304),
        reply(418, b"short and stout"),
        reply(600, b"{}"),
        reply(999, b"{}"),
        reply(200, b"[]"),
        reply(500, b"[]"),
        reply(503, b""),
        reply(503, b'"x"'),
        reply(403, b"null"),
    ],
    ids=lambda answer: answer[9:12].decode(),
)
async def test_par_02_undocumented_answers_are_bad_replies_without_html(srv: Srv, name: str, answer: bytes) -> None:
    said = await outcome(srv, name, answer)
    assert isinstance(said, BadReply)
    assert said.status == int(answer[9:12])
    assert "<" not in str(said)
    assert len(str(said)) < 200


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e999", "-5", '"50%"', "null", "true", "[]", "9" * 30]
)
async def test_par_05_an_impossible_number_is_unknown_and_the_rest_of_the_answer_counts(srv: Srv, value: str) -> None:
    """Otherwise a finished job would look unfinished for ever, and an accepted POST would lose its id."""
    body = b'{"generation_id": "g1", "status": "completed", "elapsed_ms": %b, "credits_used": %b}'
    said = await outcome(srv, "generation", reply(200, body % (value.encode(), value.encode())))
    assert not isinstance(said, ApiError), said
    assert (said.value.status, said.value.elapsed_ms, said.value.credits_used) == ("completed", None, None)
    made = b'{"generation_id": "g1", "credits_estimate": %b}' % value.encode()
    said = await outcome(srv, "generate", reply(201, made))
    assert not isinstance(said, ApiError), said
    assert (said.value.generation_id, said.value.credits_estimate) == ("g1", None)


@pytest.mark.parametrize(("value", "kept"), [("250", 250), ("250.6", 251), (str(2**53), 2**53), (str(2**63), None)])
async def test_par_05_large_numbers_fit_the_database_or_are_unknown(srv: Srv, value: str, kept: int | None) -> None:
    said = await outcome(srv, "generation", reply(200, WHOLE.replace(b"118", value.encode())))
    assert said.value.credits_used == kept


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("2026-05-10T12:34:56", True),
        ("2026-05-10T12:34:56.789+05:30", True),
        ("9999-12-31T00:00:00Z", True),
        ("9999-12-31T23:59:59-05:00", False),
        ("0001-01-01T00:00:00+05:00", False),
        ("2026-02-30T00:00:00Z", False),
        ("", False),
        ("yesterday", False),
        (1778416496000, False),
        (None, False),
        ("2026-05-10T12:34:56Z" + " " * 10_000, False),
    ],
)
async def test_par_05_odd_timestamps_are_kept_or_unknown(srv: Srv, value: object, kept: bool) -> None:
    said = await outcome(srv, "generation", json_reply(200, generation("g1", created_at=value)))
    assert said.value.created_at == (value if kept else None)


@pytest.mark.parametrize(
    ("header", "balance"),
    [
        ("49,711", 49711),
        ("49711", 49711),
        (" 1,234,567 ", 1234567),
        ("0", 0),
        ("-5", -5),
        ("", None),
        ("unlimited", None),
        ("1,23", None),
        ("49.711", None),
        ("49,711 credits", None),
        ("1e3", None),
        ("9" * 40, None),
        ("49,711, 49,711", None),
        (None, None),
    ],
)
async def test_par_06_the_balance_header(srv: Srv, header: str | None, balance: int | None) -> None:
    headers = {} if header is None else {"X-Credits-Balance": header}
    assert (await outcome(srv, "credits", json_reply(200, CREDITS_BODY, headers))).balance == balance


@pytest.mark.parametrize("name", FOUR)
async def test_par_08_an_endless_body_is_cut_at_the_cap(srv: Srv, name: str) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    block = b"%x\r\n%b\r\n" % (1 << 16, b"[" * (1 << 16))
    said = await outcome(srv, name, act(endless(head, block)))
    assert isinstance(said, BadReply)
    assert "endless" in str(said)


DENSE = {
    name: b'{"generation_id": "g1", "status": "completed", "x": [' + part * (7_900_000 // len(part)) + b"0]}"
    for name, part in (("lists", b"[],"), ("objects", b"{},"), ("pairs", b'{"a":0},'), ("numbers", b"1,"))
}


@pytest.mark.parametrize("name", DENSE)
async def test_par_08_a_dense_body_below_the_cap_takes_no_memory(srv: Srv, name: str) -> None:
    said = await outcome(srv, "generation", reply(200, DENSE[name]))
    assert isinstance(said, BadReply)
    assert "too many parts" in str(said)


async def test_par_08_no_answer_takes_fifty_megabytes(srv: Srv) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"[]," * (1 << 19)) for _ in range(200)) + packer.flush()
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    block = b"%x\r\n%b\r\n" % (1 << 16, b"[" * (1 << 16))
    answers: list[Answer] = [endless(head, block), reply(200, bomb, {"content-encoding": "gzip"})]
    answers += [cut(reply(200, body)) for body in DENSE.values()]
    for answer in answers:
        tracemalloc.start()
        said = await outcome(srv, "generation", act(answer))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert isinstance(said, BadReply)
        assert most < 50_000_000


async def test_par_08_a_slow_endless_body_meets_the_deadline(srv: Srv) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    def slowly(connection: Any) -> None:
        connection.send(head)
        while connection.wait(0.02):
            connection.send(b"1\r\n \r\n")

    said = await outcome(srv, "generation", act(slowly), timeout_s=0.4)
    assert isinstance(said, Unreachable)
    assert said.sent
    assert "within" in str(said)


async def test_par_08_endless_headers_and_endless_interim_answers_meet_an_end(srv: Srv) -> None:
    for first, block in ((b"HTTP/1.1 200 OK\r\n", b"x-a: b\r\n" * 500), (b"", b"HTTP/1.1 100 Continue\r\n\r\n")):
        said = await outcome(srv, "generation", act(endless(first, block)), timeout_s=0.5)
        assert isinstance(said, Unreachable)


async def test_par_08_a_normal_compressed_answer_is_read(srv: Srv) -> None:
    for name, data in (("gzip", gzip.compress(WHOLE, mtime=0)), ("deflate", zlib.compress(WHOLE))):
        said = await outcome(srv, "generation", reply(200, data, {"content-encoding": name}))
        assert said.value.status == "completed"
    assert srv.calls()[-1].headers["accept-encoding"] == "identity"


async def test_par_08_a_compressed_bomb_is_cut_at_the_cap(srv: Srv) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(10 * MAX_BODY_BYTES >> 20)) + packer.flush()
    said = await outcome(srv, "generation", reply(200, bomb, {"content-encoding": "gzip"}))
    assert isinstance(said, BadReply)
    assert "endless" in str(said)


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", b"not gzip at all"),
        ("gzip", gzip.compress(WHOLE, mtime=0)[:40]),
        ("br", WHOLE),
        ("zstd, gzip", WHOLE),
        ("\t", b""),
    ],
    ids=["no gzip", "cut gzip", "br", "two", "blank"],
)
async def test_par_01_a_broken_encoding_is_a_bad_reply(srv: Srv, encoding: str, data: bytes) -> None:
    assert isinstance(await outcome(srv, "generation", reply(200, data, {"content-encoding": encoding})), BadReply)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00" * 100,
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 099 X\r\n\r\n",
        b"HTTP/1.1 20 X\r\n\r\n",
        b"HTTP/9.9 200 X\r\n\r\n",
        b"HTTP/1.1 200 X\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 X\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        b"HTTP/1.1 200 X\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"HTTP/1.1 200 X\r\nX-Request-Id: \x1b]0;x\x07\r\n\r\n{}",
        b"HTTP/1.1 200 X\r\n : \r\n\r\n{}",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 " + b"x" * 200_000 + b"\r\n\r\n{}",
    ],
    ids=lambda raw: repr(raw[:44]),
)
async def test_par_02_broken_http_is_one_of_our_errors(srv: Srv, raw: bytes) -> None:
    said = await outcome(srv, "generate", act(cut(raw)))
    assert isinstance(said, Unreachable | BadReply)
    assert getattr(said, "sent", True), "the POST was read, so it may have been charged"


@pytest.mark.parametrize("entries", [[], [{}], [None, 3, "x"], [{"slug": None}], [{"slug": ""}], [{"slug": 7}]])
async def test_par_10_a_catalogue_without_models_is_empty(srv: Srv, entries: list[object]) -> None:
    _, models = (await outcome(srv, "models", json_reply(200, {"models": entries}))).value
    assert models == {}


async def test_par_10_a_hostile_catalogue_is_bounded(srv: Srv) -> None:
    entry: dict[str, object] = {"slug": "m", "name": "n" * 1_000_000, "credits_band": None, "params": [], "x": {"y": 1}}
    many = [entry, entry | {"name": None}, *({"slug": f"m{i}", "credits_band": {"min": None}} for i in range(6_000))]
    _, models = (await outcome(srv, "models", json_reply(200, {"models": many}))).value
    assert len(models) <= 5_000
    assert all(len(model.name or "") <= 2_000 for model in models.values())
    assert isinstance(await outcome(srv, "models", json_reply(200, {"models": None})), BadReply)


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7),
        ("7.5", 7.5, 7.5),
        (" 7 ", 7, 7),
        ("0", 1, 1),
        ("-1", 1, 10),
        ("garbage", 10, 10),
        ("", 10, 10),
        (None, 10, 10),
        ("1e9", 10, 900),
        ("999999999", 900, 900),
        ("1000000000", 900, 900),
        ("99999999999999999999", 900, 900),
        ("in 7 s", 10, 10),
        ("Mon, -Nov-99 10:00 GMT", 10, 10),
    ],
)
async def test_rat_01_retry_after_holds_every_path(srv: Srv, header: str | None, low: float, high: float) -> None:
    headers = {} if header is None else {"Retry-After": header}
    srv.on("*", "*", error_reply(429, "RATE_LIMITED", headers=headers))
    async with client_of(srv.url) as client:
        with pytest.raises(Refusal) as caught:
            await client.generation("g1")
        assert caught.value.code == "RATE_LIMITED"
        wait_s = client.gate.budget.closed_until - srv.calls()[0].at
        assert low <= wait_s <= high + 1.5  # up to a second is added by chance, so that not all come back at once
        for call in FOUR.values():
            with pytest.raises(Unreachable) as held:
                await call(client)
            assert held.value.sent is False
    assert srv.count() == 1


async def test_rat_01_an_http_date_is_understood(srv: Srv) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    srv.on("*", "*", error_reply(429, "RATE_LIMITED", headers={"Retry-After": when}))
    async with client_of(srv.url) as client:
        with pytest.raises(Refusal):
            await client.credits()
        assert 58 <= client.gate.budget.closed_until - srv.calls()[0].at <= 62


@pytest.mark.parametrize(
    "answer", [html_reply(429, headers={"Retry-After": "7"}), reply(429, b"", {"Retry-After": "7"})]
)
async def test_rat_01_a_429_without_a_readable_body_holds_as_well(srv: Srv, answer: bytes) -> None:
    srv.on("*", "*", answer)
    async with client_of(srv.url) as client:
        with pytest.raises(Refusal):
            await client.generate("{}")
        with pytest.raises(Unreachable):
            await client.credits()
        assert srv.count() == 1
        assert 7 <= client.gate.budget.closed_until - srv.calls()[0].at <= 8.5


async def test_rat_08_no_free_slot_stops_no_other_path(srv: Srv) -> None:
    srv.on("POST", "*", error_reply(429, "CONCURRENCY_LIMIT", headers={"Retry-After": "7"}))
    async with client_of(srv.url) as client:
        with pytest.raises(Refusal) as caught:
            await client.generate("{}")
        assert caught.value.retry_after_s == 7
        assert (await client.credits()).value.balance == 49711


ECHO = json_reply(
    200, generation("g1", "failed", message=f"no: {KEY}", next=f"not {KEY}"), {"x-request-id": f"r-{KEY}"}
)


@pytest.mark.parametrize("name", FOUR)
@pytest.mark.parametrize(
    "answer",
    [
        error_reply(401, f"KEY {KEY}", f"the key {KEY} is revoked", f"replace {KEY}", {"x-request-id": KEY}),
        error_reply(400, "BAD", "x", "y", {"x-request-id": f"r {KEY}"}, request_id=None),
        ECHO,
        ECHO.replace(b"failed", b"completed").replace(b"message", b"output_url"),
        json_reply(201, {"generation_id": f"g-{KEY}", "model": KEY}),
        json_reply(200, {"balance": 5, "tier": KEY, "models": [{"slug": KEY, "name": KEY}]}),
        reply(
            200, gzip.compress(b'{"generation_id": "g1", "status": "%b"}' % KEY.encode()), {"content-encoding": "gzip"}
        ),
        reply(200, b"{}", {"content-encoding": KEY}),
        f"HTTP/1.1 {KEY}\r\n\r\n".encode(),
        f"HTTP/1.1 200 X\r\n{KEY}\r\n\r\n".encode(),
    ],
    ids=lambda answer: repr(answer[9:40]),
)
async def test_sec_02_a_key_that_an_answer_repeats_is_taken_out(srv: Srv, name: str, answer: bytes) -> None:
    said = await outcome(srv, name, act(cut(answer)))
    assert KEY not in f"{said!s} {said!r} {vars(said) if isinstance(said, ApiError) else said.value!r}"


async def test_sec_02_no_error_names_the_key(srv: Srv) -> None:
    for answer in (error_reply(401, "KEY_INVALID", f"{KEY[:9]}…"), html_reply(500), reply(200, b"[]")):
        said = await outcome(srv, "credits", answer)
        assert KEY not in f"{said!s} {said!r} {vars(said)}"

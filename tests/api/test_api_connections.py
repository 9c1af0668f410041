"""The way to the API: deadlines, broken connections, what leaves this machine and to whom. Rows API-*, MON-*, SEC-*."""

from __future__ import annotations

import json
import re
import ssl
import time
from pathlib import Path

import httpx
import pytest
import trustme

from tests.api.calls import BODY, FOUR, act, client_of, outcome
from tests.certificates import BAD, GOOD, Authority, tunnel
from tests.conftest import KEY
from tests.srv import (
    Answer,
    Connection,
    Srv,
    cut,
    error_reply,
    free_port,
    generation,
    json_reply,
    reply,
    reset,
    silence,
)
from vivix_tui.api.client import Client
from vivix_tui.domain.budget import Budget
from vivix_tui.errors import ApiError, BadReply, ConfigError, Unreachable


@pytest.mark.parametrize("name", FOUR)
async def test_api_04_a_black_hole_ends_at_the_deadline(srv: Srv, name: str) -> None:
    began = time.monotonic()
    said = await outcome(srv, name, act(silence), timeout_s=0.3)
    assert isinstance(said, Unreachable)
    assert said.sent
    assert time.monotonic() - began < 1.5
    assert srv.count() == 1


async def test_api_04_a_black_hole_before_the_request_is_read(srv: Srv) -> None:
    srv.on_connect = silence
    said = await outcome(srv, "generate", reply(200), timeout_s=0.3)
    assert isinstance(said, Unreachable)
    assert said.sent, "it lies in the other side's buffers"


@pytest.mark.parametrize("name", FOUR)
async def test_mon_01_a_refused_connection_is_certainly_not_sent(name: str) -> None:
    async with client_of(f"http://127.0.0.1:{free_port()}", timeout_s=2) as client:
        with pytest.raises(Unreachable) as caught:
            await FOUR[name](client)
    assert caught.value.sent is False
    assert "no connection" in str(caught.value)


async def test_api_07_an_unknown_name_is_certainly_not_sent() -> None:
    async with client_of("https://no-such-host.invalid", timeout_s=5) as client:
        with pytest.raises(Unreachable) as caught:
            await client.generate("{}")
    assert caught.value.sent is False


@pytest.mark.parametrize("name", FOUR)
@pytest.mark.parametrize("first", [b"", b"HT", b"HTTP/1.1 201 Created\r\ncontent-length: 90\r\n\r\n{"], ids=len)
async def test_mon_02_a_reset_after_the_request_may_have_been_charged(srv: Srv, name: str, first: bytes) -> None:
    said = await outcome(srv, name, act(reset(first)))
    assert isinstance(said, Unreachable)
    assert said.sent
    assert srv.count() == 1, "nothing is repeated here"


async def test_mon_02_a_reset_before_the_request_was_read_may_have_been_charged(srv: Srv) -> None:
    def act(connection: Connection) -> None:
        connection.wait(0.2)
        connection.reset()

    srv.on_connect = act
    said = await outcome(srv, "generate", reply(200))
    assert isinstance(said, Unreachable)
    assert said.sent


async def test_mon_02_an_answer_of_nothing_may_have_been_charged(srv: Srv) -> None:
    said = await outcome(srv, "generate", act(cut(b"")))
    assert isinstance(said, Unreachable)
    assert said.sent
    assert srv.count() == 1


async def test_mon_02_no_post_goes_out_on_a_connection_that_was_used_before(srv: Srv) -> None:
    srv.on("GET", "*", json_reply(200, generation("g1")))
    srv.on("POST", "*", json_reply(201, {"generation_id": "g2"}))
    async with client_of(srv.url) as client:
        for _ in range(3):
            await client.generation("g1")
            await client.generate("{}")
    connections = [row.connection for row in srv.calls("POST")]
    assert len(set(connections)) == 3
    assert not set(connections) & {row.connection for row in srv.calls("GET")}
    assert len({row.connection for row in srv.calls("GET")}) == 1, "status questions reuse one"


async def test_lif_09_a_kept_connection_that_died_is_replaced(srv: Srv) -> None:
    srv.on("GET", "*", json_reply(200, generation("g1")))
    async with client_of(srv.url) as client:
        await client.generation("g1")
        srv.down()
        srv.up()
        assert (await client.generation("g1")).value.status == "pending"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("name", FOUR)
async def test_sec_03_a_redirect_is_not_followed_and_nobody_else_gets_the_key(srv: Srv, name: str, status: int) -> None:
    with Srv() as other:
        said = await outcome(srv, name, reply(status, b"", {"location": f"{other.url}/api/v1/credits"}))
        assert isinstance(said, BadReply)
        assert other.count() == 0
    assert srv.count() == 1


async def test_sec_03_the_gate_gives_the_key_to_one_origin(srv: Srv) -> None:
    with Srv() as other:
        async with client_of(srv.url) as client:
            await client.credits()
            for url in (other.url, srv.url.replace("127.0.0.1", "localhost"), srv.url.replace("http:", "https:")):
                with pytest.raises(httpx.UnsupportedProtocol):
                    await client.gate.handle_async_request(httpx.Request("GET", f"{url}/api/v1/credits"))
        assert other.count() == 0
    (only,) = srv.calls()
    assert only.headers["authorization"] == f"Bearer {KEY}"


async def test_api_01_without_a_key_nothing_leaves(srv: Srv) -> None:
    async with client_of(srv.url) as client:
        client.gate.key = None
        for call in FOUR.values():
            with pytest.raises(Unreachable) as caught:
                await call(client)
            assert caught.value.sent is False
    assert srv.count() == 0


@pytest.mark.parametrize(
    ("generation_id", "segment"),
    [
        ("abc123", "abc123"),
        ("a/b?c#d%", "a%2Fb%3Fc%23d%25"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("../credits", "..%2Fcredits"),
        ("%2e%2e%2f", "%252e%252e%252f"),
        ("🦊", "%F0%9F%A6%8A"),
        ("\u00e9", "%C3%A9"),
        ("e\u0301", "e%CC%81"),
        ("a\\b", "a%5Cb"),
        ("a;b=c&d+e@f:g", "a%3Bb%3Dc%26d%2Be%40f%3Ag"),
        ("x" * 500, "x" * 500),
    ],
)
async def test_sec_05_an_id_is_one_segment_of_the_path(srv: Srv, generation_id: str, segment: str) -> None:
    said = await outcome(srv, "generation", error_reply(404, "NOT_FOUND"))
    srv.on("GET", "*", json_reply(200, generation(generation_id)))
    async with client_of(srv.url) as client:
        assert (await client.generation(generation_id)).value.generation_id == generation_id
    assert srv.calls()[-1].path == f"/api/v1/generations/{segment}"
    assert isinstance(said, ApiError)


async def test_api_06_an_id_that_no_address_can_hold_is_one_of_our_errors(srv: Srv) -> None:
    """The API may hand out (or a database hold) any text as an id."""
    async with client_of(srv.url) as client:
        for generation_id in ("x" * 99_000, "🦊" * 6_000, "\x00\n"):
            with pytest.raises(ApiError):
                await client.generation(generation_id)


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        '{"prompt":"\\ud83e\\udd8a 🦊 é e\u0301 \u2028","cfg":0.1,"a":0.30000000000000004,"b":1e-7,"c":1.0,"seed":-0}',
        '{ "b" : 1 ,\r\n\t"a" : 2, "a": 3 }',
        json.dumps({"prompt": "x" * 1_000_000}),
    ],
    ids=["short", "floats and escapes", "blanks and order", "long"],
)
async def test_mon_07_the_bytes_of_a_body_are_sent_as_they_are(srv: Srv, body: str) -> None:
    srv.on("POST", "*", json_reply(201, {"generation_id": "g1"}))
    async with client_of(srv.url) as client:
        await client.generate(body)
    (post,) = srv.calls()
    assert post.body == body.encode()
    assert (post.path, post.headers["content-type"]) == ("/api/v1/generate", "application/json")
    assert post.headers["content-length"] == str(len(body.encode()))


CANNOT_CONNECT = [
    {"ALL_PROXY": "socks5://127.0.0.1:1"},
    {"all_proxy": "socks5h://127.0.0.1:1"},
    {"SSL_CERT_FILE": "/nonexistent/ca.pem"},
    {"HTTPS_PROXY": "http://[::1"},
    {"HTTPS_PROXY": "ftp://proxy.invalid:3128"},
    {"HTTPS_PROXY": "http://127.0.0.1:99999"},
    {"HTTPS_PROXY": "http://127.0.0.1:port"},
    {"HTTPS_PROXY": "127.0.0.1:1"},
    {"HTTPS_PROXY": "http://127.0.0.1:1"},
    {"NO_PROXY": "::1,[::1]"},
    {"NO_PROXY": "::1,[::1]", "HTTPS_PROXY": "http://127.0.0.1:1"},
    {"NO_PROXY": "*,[", "HTTPS_PROXY": "http://127.0.0.1:1"},
]


@pytest.mark.parametrize("environ", CANNOT_CONNECT, ids=lambda e: ",".join(f"{k}={v}" for k, v in e.items()))
async def test_api_08_hostile_surroundings_are_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises((ConfigError, Unreachable)) as caught:
        async with client_of("https://vivix.invalid", timeout_s=3) as client:
            await client.credits()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "answer",
    [reply(502), reply(407), cut(b""), cut(b"HTTP/1.1 200 OK\r\n\r\n")],
    ids=["502", "407", "cut", "no TLS behind it"],
)
async def test_mon_01_a_proxy_that_opens_no_tunnel_got_no_byte_of_the_post(
    srv: Srv, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", srv.url)
    srv.on("CONNECT", "*", lambda r: answer)
    async with client_of("https://vivix.invalid", timeout_s=3) as client:
        with pytest.raises(Unreachable) as caught:
            await client.generate("{}")
    assert not caught.value.sent
    assert [r.method for r in srv.calls()] == ["CONNECT"]


async def test_api_08_a_loopback_api_needs_no_surroundings(srv: Srv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/ca.pem")
    monkeypatch.setenv("NO_PROXY", "::1,[::1]")
    async with client_of(srv.url) as client:
        assert (await client.credits()).value.balance == 49711


@pytest.mark.parametrize(
    "base_url", ["https://xn--.com", "https://xn--zzzzzzzzzzzzz9999999.test", "https://" + "a" * 300]
)
async def test_api_08_a_base_url_that_nobody_can_use_is_told_in_one_line(base_url: str) -> None:
    with pytest.raises((ConfigError, ApiError)) as caught:
        async with client_of(base_url, timeout_s=3) as client:
            await client.credits()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", FOUR)
async def test_sec_07_a_bad_certificate_ends_it_before_the_key_is_sent_and_is_told(
    srv: Srv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    handshakes = behind_a_tunnel(srv, tmp_path, monkeypatch, kind)
    async with client_of("https://api.test", timeout_s=3) as client:
        with pytest.raises(Unreachable) as caught:
            await FOUR[name](client)
    assert caught.value.sent is False
    assert re.search(f"certificate is not trusted: .*{BAD[kind]}", str(caught.value))
    assert handshakes == ["failed"]
    assert [(r.method, "authorization" in r.headers) for r in srv.calls()] == [("CONNECT", False)]


async def test_sec_07_a_good_certificate_is_all_that_those_lack(
    srv: Srv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handshakes = behind_a_tunnel(srv, tmp_path, monkeypatch, GOOD)
    async with client_of("https://api.test", timeout_s=3) as client:
        assert (await client.credits()).value.balance == 49711
    assert handshakes == ["done"]
    assert srv.calls()[-1].headers["authorization"] == f"Bearer {KEY}"


def behind_a_tunnel(srv: Srv, folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> list[str]:
    """Makes `srv` https://api.test; what becomes of each handshake.

    A host of this machine would not do: of its surroundings nothing counts, also not whom to trust.
    """
    authority = Authority(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.setenv("HTTPS_PROXY", srv.url)
    return tunnel(srv, authority.context(kind, "api.test"))


async def test_sec_07_a_host_of_this_machine_has_to_be_trusted_too() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    with Srv(tls=tls) as srv:
        async with client_of(srv.url, timeout_s=3) as client:
            with pytest.raises(Unreachable) as caught:
                await client.credits()
    assert "certificate is not trusted" in str(caught.value)
    assert srv.count() == 0
    assert srv.failed_handshakes == 1


async def test_sec_07_plain_http_where_tls_was_expected_ends_it(srv: Srv) -> None:
    srv.on_connect = cut(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
    async with client_of(srv.url.replace("http:", "https:"), timeout_s=3) as client:
        with pytest.raises(Unreachable) as caught:
            await client.credits()
    assert caught.value.sent is False
    assert srv.count() == 0


async def test_mon_01_a_handshake_that_never_ends_is_certainly_not_sent(srv: Srv) -> None:
    """The key and the body follow the handshake, so nothing of them left, whatever `timeout_s` is."""
    srv.on_connect = silence
    async with client_of(srv.url.replace("http:", "https:"), timeout_s=0.5) as client:
        with pytest.raises(Unreachable) as caught:
            await client.generate("{}")
    assert caught.value.sent is False


async def test_sec_01_neither_client_nor_key_print_the_key(srv: Srv) -> None:
    client = Client(srv.url, Budget(), timeout_s=1)
    try:
        assert KEY not in repr(client) + repr(client.gate) + repr(vars(client.gate))
    finally:
        await client.close()


@pytest.mark.parametrize("cookie", ["a=b", "a=\xff", "a=b; Expires=Wed, 99 Xxx 0000; Max-Age=x; Path=\xff"])
async def test_par_02_an_answers_cookie_is_neither_kept_nor_in_the_way_of_later_calls(srv: Srv, cookie: str) -> None:
    srv.on("GET", "*", json_reply(200, generation("g1"), {"set-cookie": cookie}))
    async with client_of(srv.url) as client:
        for _ in range(3):
            assert (await client.generation("g1")).value.status == "pending"
    assert not any("cookie" in request.headers for request in srv.calls())

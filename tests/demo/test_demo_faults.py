"""Bad weather: about one call in eight, each kind as it looks in the wild, and honest about money."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import httpx
import pytest

from vivix_tui.demo.faults import WEATHER, forecast

from .conftest import IMAGE, Demo

Start = Callable[..., Demo]


def seed_where(kind: str, wanted: Iterable[str], calls: int, never: Iterable[str] = ("burst", "slow")) -> int:
    """A seed whose first calls of a kind meet all of `wanted` and none of `never`."""
    must, must_not = set(wanted), set(never)
    for seed in range(100_000):
        coming = {forecast(seed, kind, number) for number in range(1, calls + 1)}
        if must <= coming and not must_not & coming:
            return seed
    raise AssertionError("no such seed")


def storm(start: Start, seed: int, *more: str) -> Demo:
    return start("--scenario", "stormy", "--seed", str(seed), "--speed", "500", *more)


def test_about_twelve_of_a_hundred_calls_go_wrong() -> None:
    for kind in WEATHER:
        bad = sum(forecast(7, kind, number) is not None for number in range(20_000))
        assert 0.10 < bad / 20_000 < 0.14


def test_reads_fail_as_forecast(start: Start) -> None:
    calls = 40
    kinds = ("500", "502", "504", "cut", "reset")
    seed = seed_where("read", kinds, calls)
    demo = storm(start, seed)
    for number in range(1, calls + 1):
        coming = forecast(seed, "read", number)
        if coming in ("cut", "reset"):
            cause = httpx.RemoteProtocolError if coming == "cut" else httpx.ReadError
            words = "without sending complete message body" if coming == "cut" else "reset"
            with pytest.raises(cause, match=words):
                demo.http.get("/api/v1/credits")
        else:
            answer = demo.http.get("/api/v1/credits")
            assert answer.status_code == int(coming or 200)
            if answer.status_code >= 502:
                assert answer.headers["Content-Type"].startswith("text/html")
                assert answer.headers["x-vercel-error"]
                assert len(answer.content) > 20_000
            elif answer.status_code == 500:
                assert answer.json()["error"] == "INTERNAL_ERROR"


def test_a_burst_of_429_lasts_as_long_as_it_says(start: Start) -> None:
    seed = next(seed for seed in range(10_000) if forecast(seed, "read", 1) == "burst")
    demo = storm(start, seed)
    for _ in range(2):
        answer = demo.http.get("/api/v1/credits")
        assert (answer.status_code, answer.json()["error"]) == (429, "RATE_LIMITED")
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
    assert demo.post(IMAGE).status_code == 429


def test_faults_on_post_are_honest(start: Start, tmp_path: Path) -> None:
    calls = 20
    seed = seed_where("post", ("lost", "502", "503", "reset"), calls)
    demo = storm(start, seed, "--data", str(tmp_path))
    coming = [forecast(seed, "post", number) for number in range(1, calls + 1)]
    answered = []
    for number in range(calls):
        with contextlib.suppress(httpx.TransportError):
            answered.append(demo.post(IMAGE, prompt=f"picture {number}").status_code)
    assert answered.count(201) == coming.count(None)
    lines = [json.loads(line) for line in (tmp_path / "demo-api.jsonl").read_text().splitlines()]
    jobs = [line["job"]["body"]["prompt"] for line in lines if line.get("job", {}).get("author") == "client"]
    lost = coming.index("lost")  # a second one so soon is not lost but refused
    assert jobs == [f"picture {number}" for number in range(calls) if coming[number] is None or number == lost]


def test_a_cut_download_can_be_resumed(start: Start) -> None:
    seed = next(seed for seed in range(10_000) if forecast(seed, "output", 1) == "cut" and calm(seed))
    demo = storm(start, seed)
    url = demo.made(IMAGE)["output_url"]
    part, promised, etag = download_until_cut(url)
    assert 0.15 * promised < len(part) < 0.85 * promised
    headers = {"Range": f"bytes={len(part)}-", "If-Range": etag}
    rest = httpx.get(url, headers=headers, trust_env=False)
    assert rest.status_code == 206
    whole = part + rest.content
    assert (len(whole), hashlib.sha256(whole).hexdigest()[:32]) == (promised, etag.strip('"'))


def calm(seed: int) -> bool:
    """Whether the calls before and after the cut get through."""
    reads = [forecast(seed, "read", number) for number in range(1, 30)]
    return {*reads, forecast(seed, "post", 1), forecast(seed, "output", 2)} == {None}


def download_until_cut(url: str) -> tuple[bytes, int, str]:
    """What arrived, what was promised, and the ETag."""
    part = bytearray()
    with httpx.Client(trust_env=False) as client, client.stream("GET", url) as answer:
        with contextlib.suppress(httpx.RemoteProtocolError):
            for piece in answer.iter_raw():
                part += piece
        return bytes(part), int(answer.headers["Content-Length"]), answer.headers["ETag"]

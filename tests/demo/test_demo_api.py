"""The fields of every status, the headers of every answer, every documented error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from .conftest import IMAGE, VIDEO, Demo, wait_for

Start = Callable[..., Demo]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
ALWAYS = {"generation_id", "status", "model", "created_at"}


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body = dict(answer.json())
    assert (answer.status_code, body["error"]) == (status, code)
    assert body["message"]
    assert body["next"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


def test_accepting_answers_201_with_an_estimate(quick: Demo) -> None:
    answer = quick.post(IMAGE, resolution="2K", number_results=2)
    body = answer.json()
    assert answer.status_code == 201
    assert body.keys() == ALWAYS | {"credits_estimate"}
    assert body["status"] == "pending"
    assert body["credits_estimate"] == 264
    assert UUID.fullmatch(body["generation_id"])
    assert TIME.fullmatch(body["created_at"])


def test_successes_carry_the_three_headers(quick: Demo) -> None:
    first, second = (quick.http.get("/api/v1/credits") for _ in range(2))
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert int(first.headers["X-RateLimit-Remaining"]) - int(second.headers["X-RateLimit-Remaining"]) == 1
    assert re.fullmatch(r"\d{2},\d{3}", first.headers["X-Credits-Balance"])


def test_a_job_goes_through_its_statuses_with_their_fields(start: Start) -> None:
    demo = start("--scenario", "empty", "--speed", "16")
    posted = demo.post(IMAGE, number_results=3).json()
    seen: dict[str, dict[str, Any]] = {}

    def ended() -> bool:
        answer = demo.ask(posted["generation_id"])
        seen.setdefault(answer["status"], answer)
        return bool(answer["status"] == "completed")

    wait_for(ended)
    assert list(seen) == ["pending", "processing", "completed"]
    for status in ("pending", "processing"):
        assert seen[status].keys() == ALWAYS | {"credits_estimate", "elapsed_ms"}
        assert seen[status]["credits_estimate"] == 240
    assert 0 <= seen["pending"]["elapsed_ms"] < seen["processing"]["elapsed_ms"]
    done = seen["completed"]
    assert done.keys() == ALWAYS | {"output_url", "output_urls", "credits_used", "duration_ms", "completed_at"}
    assert len(done["output_urls"]) == 3
    assert done["output_url"] == done["output_urls"][0]
    assert done["output_url"].startswith(demo.base_url)
    assert 0 < done["credits_used"] <= 240
    assert seen["processing"]["elapsed_ms"] < done["duration_ms"] < 3_000
    assert TIME.fullmatch(done["completed_at"])


def test_a_failure_gives_the_credits_back_and_a_retry_succeeds(quick: Demo) -> None:
    before = quick.http.get("/api/v1/credits").json()["balance"]
    first = quick.made(VIDEO, prompt="a whale [fail]")
    assert first.keys() == ALWAYS | {"error", "message", "credits_used", "completed_at"}
    assert (first["status"], first["error"], first["credits_used"]) == ("failed", "PROVIDER_ERROR", 0)
    assert quick.http.get("/api/v1/credits").json()["balance"] == before
    second = quick.made(VIDEO, prompt="a whale [fail]")
    assert second["status"] == "completed"
    assert second["generation_id"] != first["generation_id"]
    assert quick.http.get("/api/v1/credits").json()["balance"] == before - second["credits_used"]


def test_moderation_refuses_every_time(quick: Demo) -> None:
    codes = [quick.made(IMAGE, prompt="[moderate] a face")["error"] for _ in range(2)]
    assert codes == ["CONTENT_POLICY", "CONTENT_POLICY"]


def test_slow_takes_five_times_as_long(quick: Demo) -> None:
    assert quick.made(IMAGE, prompt="[slow] moss")["duration_ms"] > 2 * quick.made(IMAGE)["duration_ms"]


def test_credits_add_up(quick: Demo) -> None:
    reserved = quick.post(VIDEO).json()["credits_estimate"]
    answer = quick.http.get("/api/v1/credits")
    body = answer.json()
    assert body.keys() == {
        *("balance", "tier", "cycle_resets_at", "rate_limit", "spent_this_cycle", "granted_this_cycle"),
    }
    assert body["balance"] + body["spent_this_cycle"] == body["granted_this_cycle"]
    assert body["rate_limit"] == {"calls_per_minute": 240, "concurrent_jobs": 5}
    assert (body["tier"], reserved) == ("Pro", 400)
    assert answer.headers["X-Credits-Balance"] == f"{body['balance']:,}"


def test_models_describe_themselves_well_enough_to_be_used(quick: Demo) -> None:
    body = quick.http.get("/api/v1/models").json()
    assert body.keys() == {"tier", "credits_balance", "rate_limit", "models"}
    for model in body["models"]:
        assert model.keys() == {
            *("slug", "name", "category", "creator", "description", "params", "credits_band", "example_request"),
        }
        for rule in model["params"].values():
            assert rule["type"] in {"string", "integer", "enum", "boolean"}
            assert rule["type"] != "enum" or rule["values"]
        answer = quick.post(model["example_request"])
        if answer.status_code == 201:
            band = model["credits_band"]
            results = model["example_request"].get("number_results", 1)
            assert band["min"] <= answer.json()["credits_estimate"] / results <= band["max"]
            quick.finished(answer.json()["generation_id"])
        else:
            refused(answer, 403, "TIER_LOCKED")
    bands = {model["slug"]: model["credits_band"] for model in body["models"]}
    assert bands["grok-imagine-image-quality"] == {"min": 80, "max": 211}
    assert bands["wan-2.7-text-to-video"] == {"min": 400, "max": 1440}


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "UNAUTHORIZED"),
        ("Basic dXNlcjpwYXNz", "UNAUTHORIZED"),
        ("Bearer vvx_live_" + "0" * 32, "KEY_INVALID"),
        ("Bearer vvx_live_" + "revoked0" * 4, "KEY_REVOKED"),
    ],
)
def test_keys_are_checked_on_every_endpoint(quick: Demo, authorization: str | None, code: str) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    with httpx.Client(base_url=quick.base_url, headers=headers, trust_env=False) as stranger:
        for path in ("credits", "models", "generations/x"):
            refused(stranger.get(f"/api/v1/{path}"), 401, code)
        refused(stranger.post("/api/v1/generate", json=IMAGE), 401, code)
    assert len(quick.hello["api_key"]) == 41


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"model": None}, "model"),
        ({"model": "dall-e-9"}, "model"),
        ({"prompt": "  "}, "prompt"),
        ({"prompt": "x" * 2001}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"negative_prompt": "x" * 501}, "negative_prompt"),
        ({"aspect_ratio": "3:2"}, "aspect_ratio"),
        ({"resolution": "720p"}, "resolution"),
        ({"seed": 1.5}, "seed"),
        ({"seed": True}, "seed"),
        ({"number_results": 5}, "number_results"),
        ({"duration": 4}, "duration"),
        ({"reference_images": ["https://example.org/a.png"] * 4}, "reference_images"),
        ({"reference_images": "https://example.org/a.png"}, "reference_images"),
        ({**VIDEO, "duration": 11}, "duration"),
        ({**VIDEO, "audio": "yes"}, "audio"),
        ({**VIDEO, "number_results": 2}, "number_results"),
    ],
)
def test_validation_names_the_parameter(quick: Demo, change: dict[str, Any], parameter: str) -> None:
    body = refused(quick.post(IMAGE, **change), 422, "VALIDATION_ERROR")
    assert f"`{parameter}`" in body["message"]
    assert body["parameter"] == parameter


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b"x" * 300_000, b"[" * 100_000])
def test_what_is_no_json_object_is_a_400(quick: Demo, content: bytes) -> None:
    refused(quick.http.post("/api/v1/generate", content=content), 400, "VALIDATION_ERROR")


def test_reference_images_and_odd_text_are_taken(quick: Demo) -> None:
    body = {**IMAGE, "prompt": "鶴 🐈 \ud83d", "reference_images": ["https://example.org/a.png"]}
    # The lone surrogate travels as an escape, as other programs send it.
    content = json.dumps(body).encode()
    answer = quick.http.post("/api/v1/generate", content=content)
    assert answer.status_code == 201
    assert quick.finished(answer.json()["generation_id"])["status"] == "completed"


def test_models_may_be_locked_or_not_allowed(quick: Demo) -> None:
    assert refused(quick.post(IMAGE, model="kling-3-cinema"), 403, "TIER_LOCKED")["model"] == "kling-3-cinema"
    refused(quick.post(IMAGE, model="sora-2-preview"), 403, "MODEL_NOT_ALLOWED")


def test_unknown_ids_paths_and_methods(quick: Demo) -> None:
    refused(quick.http.get("/api/v1/generations/abc123"), 404, "NOT_FOUND")
    refused(quick.http.get("/api/v1/nowhere"), 404, "NOT_FOUND")
    answer = quick.http.delete("/api/v1/credits")
    refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["Allow"]


def test_missing_and_foreign_ids_are_announced_without_a_body(start: Start) -> None:
    demo = start("--scenario", "calm", "--speed", "1", "--seed", "3")
    demo.wait_for_announcements(17)
    missing, foreign = (line for line in demo.announced if "body" not in line)
    refused(demo.http.get(f"/api/v1/generations/{missing['generation_id']}"), 404, "NOT_FOUND")
    refused(demo.http.get(f"/api/v1/generations/{foreign['generation_id']}"), 403, "NOT_YOURS")

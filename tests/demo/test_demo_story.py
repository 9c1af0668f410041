"""The past: deterministic, lazy, and known to the server of scenario `history` by id alone."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from vivix_tui.demo.story import past_generations

from .conftest import Demo

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_the_past_is_the_same_for_the_same_seed() -> None:
    one, two, other = (list(past_generations(seed, 300, NOW)) for seed in (7, 7, 8))
    assert one == two
    assert not {answer["generation_id"] for answer, _ in one} & {answer["generation_id"] for answer, _ in other}


def test_the_past_is_lazy() -> None:
    assert len(list(itertools.islice(past_generations(7, 10**9, NOW), 3))) == 3
    assert list(past_generations(7, 0, NOW)) == []


def test_a_hundred_thousand_look_like_a_life() -> None:
    began = time.monotonic()
    past = list(past_generations(7, 100_000, NOW))
    print(f"100,000 past generations in {time.monotonic() - began:.2f} s")
    assert len({answer["generation_id"] for answer, _ in past}) == 100_000
    times = [answer["created_at"] for answer, _ in past]
    assert times == sorted(times, reverse=True)
    first = datetime.fromisoformat(times[-1])
    assert timedelta(days=199) < NOW - first < timedelta(days=202)
    assert all(answer["completed_at"] < "2026-11-23T12" for answer, _ in past[:10])
    failed = [answer for answer, _ in past if answer["status"] == "failed"]
    assert 0.03 < len(failed) / len(past) < 0.05
    assert len({answer["error"] for answer in failed}) >= 4
    prompts = [body["prompt"] for _, body in past]
    assert {body["model"] for _, body in past} >= {"grok-imagine-image-quality", "wan-2.7-text-to-video"}
    assert any(len(prompt) > 600 for prompt in prompts)
    assert max(map(len, prompts)) <= 2000
    for pattern in (r"\[bold\]", "[\u4e00-\u9fff]", "[\u3040-\u30ff]", "[\U0001f300-\U0001faff]", "[\u0600-\u06ff]"):
        assert re.search(pattern, "\n".join(prompts[:20_000]))
    assert len(set(prompts)) > 20_000


def test_history_answers_for_the_past(start: Callable[..., Demo]) -> None:
    demo = start("--scenario", "history", "--seed", "7", "--speed", "10")
    now = datetime.now(UTC)
    past = list(itertools.islice(past_generations(7, 5_000, now, demo.base_url), 0, 5_000, 250))
    for answer, body in past:
        assert demo.ask(answer["generation_id"]) == answer
        assert body["model"] == answer["model"]
    done = next(answer for answer, _ in past if answer["status"] == "completed")
    assert demo.http.get(done["output_url"]).status_code == 200
    stranger = next(past_generations(8, 1, now))[0]["generation_id"]
    assert demo.http.get(f"/api/v1/generations/{stranger}").status_code == 404


def test_story_needs_no_server() -> None:
    code = "import sys, vivix_tui.demo.story; print(sorted({'starlette', 'uvicorn', 'asyncio'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=20)
    assert done.stdout.strip() == b"[]"

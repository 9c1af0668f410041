"""The ceilings: calls in a minute, jobs in flight, credits."""

from __future__ import annotations

from collections.abc import Callable

from vivix_tui.demo.limits import Window

from .conftest import IMAGE, Demo, wait_for

Start = Callable[..., Demo]


def test_the_window_closes_after_its_calls_and_says_for_how_long(start: Start) -> None:
    demo = start("--scenario", "empty")
    left = [demo.http.get("/api/v1/credits").headers.get("X-RateLimit-Remaining") for _ in range(240)]
    assert left == [str(number) for number in range(239, -1, -1)]
    answer = demo.http.get("/api/v1/models")
    assert (answer.status_code, answer.json()["error"]) == (429, "RATE_LIMITED")
    assert 50 <= int(answer.headers["Retry-After"]) <= 60
    assert demo.post(IMAGE).status_code == 429


def test_a_window_opens_again_after_a_minute() -> None:
    window = Window(2)
    assert [window.take(now) for now in (100.0, 130.0, 159.9)] == [1, 0, None]
    assert window.retry_after_s(159.9) == 1
    assert window.retry_after_s(100.5) == 60
    assert window.take(160.0) == 1


def test_slots_are_real_and_come_free(start: Start) -> None:
    demo = start("--scenario", "empty", "--speed", "25")
    ids = [demo.post(IMAGE).json()["generation_id"] for _ in range(5)]
    answer = demo.post(IMAGE)
    assert (answer.status_code, answer.json()["error"]) == (429, "CONCURRENCY_LIMIT")
    assert "Retry-After" not in answer.headers
    assert answer.json()["concurrent_jobs"] == 5
    demo.finished(ids[0])
    assert wait_for(lambda: demo.post(IMAGE).status_code == 201)


def test_credits_run_out(start: Start) -> None:
    demo = start("--scenario", "empty", "--balance", "1150")
    assert demo.http.get("/api/v1/credits").headers["X-Credits-Balance"] == "1,150"
    assert demo.post(IMAGE, resolution="4K", number_results=4).status_code == 201
    answer = demo.post(IMAGE, resolution="4K", number_results=2)
    body = answer.json()
    assert (answer.status_code, body["error"]) == (402, "INSUFFICIENT_CREDITS")
    assert (body["balance"], body["needed"]) == (306, 422)
    assert body["model"] == IMAGE["model"]


def test_the_script_leaves_slots_to_the_user(start: Start) -> None:
    demo = start("--scenario", "calm", "--speed", "4")
    answers = [demo.post(IMAGE) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]


def test_busy_is_busy_and_ultimate(start: Start) -> None:
    demo = start("--scenario", "busy")
    demo.wait_for_announcements(30)
    credits = demo.http.get("/api/v1/credits").json()
    assert credits["rate_limit"] == {"calls_per_minute": 600, "concurrent_jobs": 20}
    assert (credits["tier"], credits["balance"] > 30_000) == ("Ultimate", True)
    states = [demo.ask(line["generation_id"])["status"] for line in demo.announced if "body" in line]
    assert 16 <= sum(state in ("pending", "processing") for state in states) <= 18
    assert demo.post(IMAGE, model="kling-3-cinema", resolution="1080p").status_code == 201
    assert demo.post(IMAGE).status_code == 201

"""Polling by a whole engine: when asking ends, what an outage and a bad reply change. Rows API-*, PAR-*, RAT-*."""

from __future__ import annotations

import threading
import time

import pytest
from msgspec.structs import replace

from tests.conftest import KEY, until
from tests.engine.conftest import World, status_of
from tests.srv import (
    CREDITS,
    MODELS,
    Answer,
    Request,
    error_reply,
    generation,
    html_reply,
    id_of,
    json_reply,
    later,
    reply,
    reset,
    silence,
)
from vivix_tui.domain import budget
from vivix_tui.keys import ApiKey


def settled(world: World, generation_id: str, calls: int = 3) -> None:
    """Waits until an id was asked about `calls` more times: time for whatever should not happen."""
    before = len(world.polls(generation_id))
    until(lambda: len(world.polls(generation_id)) >= before + calls)


def test_it_is_asked_until_it_completed_and_never_again(world: World) -> None:
    steps = ["pending", "processing", "processing", "completed"]
    world.srv.on(
        "GET",
        "*/g1",
        lambda r: json_reply(200, generation("g1", steps[min(r.nth, 4) - 1], output_url="https://x.test/1")),
    )
    world.track("g1", "live")
    world.start()
    until(lambda: world.status("g1") == "completed")
    settled(world, "live", 3)
    assert len(world.polls("g1")) == 4
    row = world.row("g1")
    assert (row.credits_used, row.duration_ms, row.urls) == (118, 12_000, ("https://x.test/1",))
    assert row.note is None


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "NOT_FOUND"), (403, "NOT_YOURS"), (403, "TIER_LOCKED"), (403, "MODEL_NOT_ALLOWED"), (410, "GONE")],
)
def test_api_06_a_final_no_ends_the_asking_about_that_id_only(world: World, status: int, code: str) -> None:
    world.srv.on("GET", "*/g1", error_reply(status, code, "Not here.", "Look elsewhere."))
    world.track("g1", "live", body='{"model":"m","prompt":"kept"}')
    world.start()
    until(lambda: world.row("g1").gone)
    settled(world, "live", 3)
    assert len(world.polls("g1")) == 1
    row = world.row("g1")
    assert (row.gone, row.next, row.request_id, row.status) == (code, "Look elsewhere.", "req_err", None)
    assert row.prompt == "kept"


@pytest.mark.parametrize(
    ("status", "code"), [(404, "WHATEVER"), (403, "Not Found"), (410, "HTTP_410"), (403, "NOT_FOUND"), (404, "\x1b[2J")]
)
def test_par_02_an_unknown_no_changes_nothing_but_the_note(world: World, status: int, code: str) -> None:
    """Some proxy, or an API that is being rebuilt: whoever said that did not say that the id is gone."""
    world.srv.on(
        "GET", "*/g1", lambda r: json_reply(200, generation("g1")) if r.nth == 1 else error_reply(status, code)
    )
    world.track("g1")
    world.start()
    until(lambda: world.status("g1"))
    before = world.row("g1")
    until(lambda: world.row("g1").note)
    settled(world, "g1", 2)
    after = world.row("g1")
    assert after.note == f"{status} {code}: No."
    assert replace(after, note=None) == before


def test_api_06_an_expired_id_keeps_what_was_known(world: World) -> None:
    world.srv.on(
        "GET",
        "*/g1",
        lambda r: json_reply(200, generation("g1", "processing")) if r.nth == 1 else error_reply(404, "NOT_FOUND"),
    )
    world.track("g1")
    world.start()
    until(lambda: world.row("g1").gone)
    row = world.row("g1")
    assert (row.status, row.credits_estimate, row.model) == ("processing", 120, "grok-imagine-image-quality")


@pytest.mark.parametrize("path", [CREDITS, MODELS])
@pytest.mark.parametrize("answer", [error_reply(403, "TIER_LOCKED"), error_reply(404, "NOT_FOUND"), reply(200, b"[]")])
def test_api_06_a_refused_account_call_is_not_repeated_at_once(world: World, path: str, answer: bytes) -> None:
    """It would eat the calls a minute that the generations need."""
    world.srv.on("GET", path, answer)
    world.track("live")
    world.start()
    until(lambda: world.srv.count("GET", path))
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 1.2)
    assert world.srv.count("GET", path) <= 3


@pytest.mark.parametrize("code", ["KEY_REVOKED", "KEY_INVALID", "UNAUTHORIZED"])
def test_api_01_a_rejected_key_stops_every_call_and_a_new_one_resumes(world: World, code: str) -> None:
    new = "vvx_live_" + "new0" * 8
    revoked = threading.Event()

    def answer(request: Request) -> bytes:
        if revoked.is_set() and request.headers["authorization"] != f"Bearer {new}":
            return error_reply(401, code, "Gone.", "Make another.")
        return json_reply(200, generation(id_of(request)))

    world.answer_polls(answer)
    ids = [f"g{i}" for i in range(30)]
    world.track(*ids)
    engine = world.start()
    until(lambda: all(world.status(i) == "pending" for i in ids))
    revoked.set()
    until(lambda: world.engine_row.connection == "rejected")
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 0.2, what="time for those already under way")
    calls = world.srv.count()
    submission = world.submit('{"model":"m","prompt":"x"}')[0]
    until(lambda: time.monotonic() - began > 1.0)
    assert world.srv.count() == calls
    state = world.engine_row
    assert (state.connection, state.hint, state.request_id) == ("rejected", "Make another.", "req_err")
    assert state.detail is not None
    assert code in state.detail
    assert all(world.row(i).gone is None and world.status(i) == "pending" for i in ids)
    assert world.state(submission) == "queued"
    engine.use_key(ApiKey(new))
    until(lambda: world.srv.count() >= calls + 30)
    until(lambda: world.state(submission) == "accepted")
    until(lambda: world.engine_row.connection == "live")


def test_api_01_the_calls_after_the_first_401_are_those_already_under_way(world: World) -> None:
    world.answer_polls(lambda r: later(0.3, error_reply(401, "KEY_REVOKED")))
    world.track(*(f"g{i}" for i in range(30)))
    world.start()
    until(lambda: world.engine_row.connection == "rejected")
    first = min(r.at for r in world.polls()) + 0.3
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 0.8)
    assert [r for r in world.srv.calls() if r.at > first + 0.15] == []
    assert len(world.polls()) <= 8


@pytest.mark.parametrize("late", [json_reply(200, generation("g2")), html_reply(502), reply(200, b"[]")], ids=len)
def test_api_01_a_late_answer_does_not_hide_the_rejection(world: World, late: bytes) -> None:
    world.srv.on("GET", "*/g1", lambda r: later(0.3, error_reply(401, "KEY_REVOKED")))
    world.srv.on("GET", "*/g2", lambda r: later(0.9, late))
    world.track("g1", "g2")
    world.start()
    until(lambda: world.engine_row.connection == "rejected")
    assert len(world.polls("g2")) == 1
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 1.0)
    assert world.engine_row.connection == "rejected"


def test_api_01_two_rejected_keys_are_not_tried_in_turns(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivix_tui.engine.engine.KEY_AGAIN_S", 0.2)
    monkeypatch.setattr("vivix_tui.engine.engine.STANDBY_S", 0.05)
    world.answer_polls(error_reply(401, "KEY_REVOKED"))
    world.srv.on("GET", CREDITS, error_reply(401, "KEY_REVOKED"))
    world.srv.on("GET", MODELS, error_reply(401, "KEY_REVOKED"))
    world.track("g1")
    engine = world.start()
    until(lambda: world.engine_row.connection == "rejected")
    typed = ApiKey("vvx_live_" + "bad0" * 8)
    calls = world.srv.count()
    engine.use_key(typed)
    until(lambda: world.srv.count() > calls and world.engine_row.connection == "rejected")
    calls, began = world.srv.count(), time.monotonic()
    until(lambda: time.monotonic() - began > 1.5)
    assert world.srv.count() == calls
    engine.use_key(ApiKey("vvx_live_" + "bad0" * 8))
    until(lambda: world.srv.count() > calls, what="a key that is typed once more is tried once more")


def test_api_01_a_late_401_for_the_old_key_does_not_reject_the_new_one(world: World) -> None:
    new = "vvx_live_" + "new0" * 8

    def answer(request: Request) -> Answer:
        if request.headers["authorization"] == f"Bearer {new}":
            return json_reply(200, generation(id_of(request)))
        return later(2.0 if id_of(request) == "g2" else 0.1, error_reply(401, "KEY_REVOKED"))

    world.answer_polls(answer)
    world.track("g1", "g2")
    engine = world.start()
    until(lambda: world.engine_row.connection == "rejected")
    assert len(world.polls("g2")) == 1
    engine.use_key(ApiKey(new))
    until(lambda: world.status("g1") == "pending")
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 1.8)
    settled(world, "g1", 3)
    assert world.engine_row.connection == "live"


def test_api_01_use_key_before_any_key_was_known(world: World) -> None:
    world.track("g1")
    engine = world.start(lambda: None)
    until(lambda: world.engine_row.connection == "nokey")
    assert world.srv.count() == 0
    engine.use_key(ApiKey(KEY))
    until(lambda: world.status("g1") == "pending")


@pytest.mark.parametrize("status", [502, 504])
def test_api_02_a_gateways_page_leaves_the_row_pending_with_a_note(world: World, status: int) -> None:
    world.srv.on("GET", "*/g1", lambda r: html_reply(status) if r.nth == 1 else later(600, b""))
    world.track("g1")
    world.start()
    until(lambda: world.row("g1").note)
    row = world.row("g1")
    assert f"gateway {status}" in (row.note or "")
    assert (row.status, row.gone) == (None, None)
    until(lambda: len(world.polls("g1")) == 2, what="it is asked again")
    assert "html" not in world.dump().lower().replace("an html page", "")
    assert "FUNCTION_INVOCATION_TIMEOUT" not in world.dump()


def test_api_02_the_note_goes_with_the_next_usable_answer(world: World) -> None:
    world.srv.on("GET", "*/g1", lambda r: html_reply(504) if r.nth < 3 else json_reply(200, generation("g1")))
    world.track("g1")
    world.start()
    until(lambda: world.row("g1").note)
    until(lambda: world.status("g1") == "pending")
    assert world.row("g1").note is None


def test_api_04_one_black_hole_delays_nobody(world: World) -> None:
    world.srv.on("GET", "*/hole", lambda r: silence)
    ids = [f"g{i}" for i in range(19)]
    world.track("hole", *ids)
    world.start()
    until(lambda: all(world.status(i) == "pending" for i in ids), timeout_s=6)
    until(lambda: len(world.polls("hole")) == 1)
    began = {i: len(world.polls(i)) for i in ids}
    until(lambda: all(len(world.polls(i)) >= began[i] + 3 for i in ids), timeout_s=4)


def test_api_04_a_black_hole_is_noted_and_asked_again(world: World) -> None:
    world.set(timeout_s=0.4)
    world.srv.on("GET", "*/hole", lambda r: silence if r.nth == 1 else json_reply(200, generation("hole")))
    world.track("hole", "live")
    world.start()
    until(lambda: "within" in (world.row("hole").note or ""))
    until(lambda: world.status("hole") == "pending")
    until(lambda: world.engine_row.connection == "live")


def test_api_07_offline_then_online_recovers_without_help(world: World) -> None:
    ids = [f"g{i}" for i in range(5)]
    world.track(*ids)
    world.start()
    until(lambda: all(world.status(i) == "pending" for i in ids))
    world.srv.down()
    until(lambda: world.engine_row.connection == "offline")
    assert all((world.status(i), world.row(i).gone) == ("pending", None) for i in ids)
    world.answer_polls(status_of("completed"))
    world.srv.up()
    until(lambda: all(world.status(i) == "completed" for i in ids), timeout_s=10)
    until(lambda: world.engine_row.connection == "live")


@pytest.mark.parametrize(
    "answer", [error_reply(503, "PROVIDER_DOWN"), html_reply(502), reset()], ids=["503", "502", "RST"]
)
def test_api_07_rat_05_an_outage_is_probed_by_one_call_at_a_time(world: World, answer: Answer) -> None:
    """However many generations wait: 20 of them must not make 20 probes."""
    down = threading.Event()
    world.answer_polls(lambda r: answer if down.is_set() else json_reply(200, generation(id_of(r))))
    world.track("g0")
    world.start()
    until(lambda: world.status("g0") == "pending")
    down.set()
    until(lambda: world.engine_row.connection in ("retrying", "offline"))
    failed = len(world.polls())
    world.track(*(f"g{i}" for i in range(1, 20)))
    until(lambda: len(world.polls()) > failed, timeout_s=5)
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 0.3)
    assert len(world.polls()) - failed == 1
    down.clear()
    until(lambda: world.engine_row.connection == "live")


BAD = [
    reply(200, b'{"generation_id": "g1", "status": "comp'),
    reply(200, b"\xff\xfe\x00"),
    reply(200, b"[]"),
    reply(204),
    json_reply(200, generation("another", "completed")),
    json_reply(200, {"generation_id": "g1"}),
    html_reply(200),
    json_reply(500, {"error": 42, "message": None, "next": [], "request_id": {}}),
    error_reply(422, "ODD"),
    error_reply(404, ""),
    reply(302, b"", {"location": "https://elsewhere.test/"}),
    b"\x00garbage\r\n\r\n",
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: repr(bad[9:60]))
def test_par_01_par_02_a_bad_reply_changes_nothing_on_the_row_but_its_note(world: World, bad: bytes) -> None:
    good = json_reply(200, generation("g1", "processing", message="as it was"), {"X-Request-Id": "q"})
    world.srv.on("GET", "*/g1", lambda r: bad if r.nth > 1 else good)
    world.track("g1")
    world.start()
    until(lambda: len(world.polls("g1")) >= 2)
    until(lambda: world.row("g1").note)
    row = world.row("g1")
    assert (row.status, row.message, row.request_id, row.gone) == ("processing", "as it was", "q", None)
    assert (row.credits_estimate, row.elapsed_ms) == (120, 900)
    assert "\x00" not in (row.note or "")
    assert "<" not in (row.note or "")
    until(lambda: len(world.polls("g1")) >= 3, what="it is asked again")


def test_a_status_never_goes_back(world: World) -> None:
    """However old, wrong or late an answer is."""
    world.srv.on("GET", "*/g1", lambda r: json_reply(200, generation("g1", "processing" if r.nth == 1 else "pending")))
    world.track("g1")
    world.start()
    until(lambda: world.status("g1") == "processing")
    settled(world, "g1", 3)
    assert world.status("g1") == "processing"


def test_rat_01_a_429_on_one_of_forty_holds_all_paths(world: World) -> None:
    limited = threading.Event()
    world.track(*(f"g{i}" for i in range(40)))

    def answer(request: Request) -> bytes:
        if id_of(request) == "g7" and not limited.is_set():
            limited.set()
            return error_reply(429, "RATE_LIMITED", headers={"Retry-After": "2"})
        return json_reply(200, generation(id_of(request)))

    world.answer_polls(answer)
    world.start()
    assert limited.wait(10)
    at = next(r.at for r in world.polls("g7"))
    until(lambda: world.engine_row.connection == "limited")
    submission = world.submit('{"model":"m","prompt":"x"}')[0]
    assert world.engine_row.until is not None
    until(lambda: world.state(submission) == "accepted")
    late = [r.at - at for r in world.srv.calls() if r.at - at > 0.15]
    assert min(late) >= 2.0
    until(lambda: world.engine_row.connection == "live")


def test_rat_04_an_empty_window_slows_before_a_429_is_earned(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "EMPTY_WAIT_S", 1.0)
    world.answer_polls(lambda r: json_reply(200, generation(id_of(r)), {"X-RateLimit-Remaining": "0"}))
    world.track("g1")
    world.start()
    until(lambda: len(world.polls()) == 3)
    first, second, third = (r.at for r in world.polls())
    assert second - first >= 0.95
    assert third - second >= 0.95


def test_par_05_par_06_hostile_numbers_reach_the_database_clamped_or_unknown(world: World) -> None:
    odd = generation(
        "g1", "processing", elapsed_ms=-5, credits_estimate=2**63, created_at=1778416496000, message="\ud800"
    )
    world.srv.on("GET", "*/g1", json_reply(200, odd, {"X-Credits-Balance": "49,711"}))
    world.track("g1")
    world.start()
    until(lambda: world.status("g1") == "processing")
    row = world.row("g1")
    assert (row.elapsed_ms, row.credits_estimate, row.created_at) == (None, None, None)
    assert row.message == "?"
    assert replace(row, note=None) == row
    until(lambda: "49711" in world.dump())

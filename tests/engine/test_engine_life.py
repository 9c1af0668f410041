"""The life of an engine: one per profile, takeover, ending in time, surroundings. Rows LIF-*, API-08, SEC-*."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from tests.conftest import KEY, until
from tests.engine.conftest import PROFILE, World, made, status_of
from tests.srv import CREDITS, MODELS, Connection, Request, error_reply, generation, id_of, json_reply, silence
from vivix_tui.domain import cadence
from vivix_tui.engine.account import LONGEST_PAUSE_S, pause_s
from vivix_tui.errors import ConfigError, KeyProblem, StoreMoved
from vivix_tui.keys import ApiKey
from vivix_tui.store import accounts

BODY = '{"model":"m","prompt":"x"}'


def rest(seconds: float) -> None:
    began = time.monotonic()
    until(lambda: time.monotonic() - began > seconds)


@pytest.mark.parametrize("rest_s", [1.2, 1.8, 2.4, 3.0])
def test_lif_07_an_engine_that_is_woken_as_it_stops_ends_all_the_same(world: World, rest_s: float) -> None:
    """A wish and `q` at once: on Python 3.11 a wait with a timeout could take the wish for the end of its task."""
    engine = world.start()
    until(lambda: world.srv.count("GET", MODELS) == 1)
    rest(rest_s)
    engine.wake()
    assert engine.stop(3)


def test_lif_05_of_two_engines_one_calls_and_the_other_takes_over(world: World) -> None:
    world.track("g1")
    first = world.start()
    until(first.holds_lock.is_set)
    second = world.start()
    until(lambda: len(world.polls()) >= 3)
    submissions = world.submit(*[BODY] * 3)
    until(lambda: all(world.state(s) == "accepted" for s in submissions))
    assert not second.holds_lock.is_set()
    assert second.alive
    assert len(world.posts) == 3
    assert first.stop()
    stopped = time.monotonic()
    until(second.holds_lock.is_set, timeout_s=2)
    until(lambda: [r for r in world.polls() if r.at > stopped], timeout_s=2)
    rest(0.5)
    assert len(world.posts) == 3


def test_lif_05_two_engines_on_one_queue_post_each_body_once(world: World) -> None:
    submissions = world.submit(*(f'{{"prompt":"{i}"}}' for i in range(8)))
    world.answer_polls(lambda r: json_reply(200, generation(id_of(r), "completed")))
    engines = [world.start() for _ in range(3)]
    until(lambda: len(world.posts) >= 2)
    next(e for e in engines if e.holds_lock.is_set()).stop()
    until(lambda: all(world.state(s) == "accepted" for s in submissions), timeout_s=10)
    assert len({r.body for r in world.posts}) == len(world.posts) == 8


def test_lif_05_two_profiles_have_an_engine_each(world: World) -> None:
    world.start()
    world.config = msgspec.structs.replace(world.config, profile="other")
    other = world.start()
    until(other.holds_lock.is_set)
    until(world.engines[0].holds_lock.is_set)


def test_lif_05_an_engine_that_stands_by_ends_at_once(world: World) -> None:
    world.start()
    until(world.engines[0].holds_lock.is_set)
    second = world.start()
    rest(0.2)
    began = time.monotonic()
    assert second.stop()
    assert time.monotonic() - began < 1


def test_lif_07_it_ends_in_time_with_black_holes_and_a_stalled_download(world: World) -> None:
    def stalled(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n\x89PNG\r\n\x1a\n")
        connection.wait(600)

    world.srv.on("GET", "*/hole*", lambda r: silence)
    world.srv.on("GET", "/stalled.png", lambda r: stalled)
    world.answer_posts(lambda r: silence)
    world.track(*(f"hole{i}" for i in range(8)))
    world.submit(BODY)
    engine = world.start()
    until(lambda: world.posts and len(world.polls("hole*")) >= 6)
    world.completed("done", f"{world.srv.url}/stalled.png")
    began = time.monotonic()
    assert engine.stop(3)
    assert time.monotonic() - began < 3
    assert world.engine_row.connection == "stopped"
    assert not engine.holds_lock.is_set()


def test_lif_07_a_key_source_that_blocks_does_not_delay_the_end(world: World) -> None:
    release = threading.Event()

    def slow() -> ApiKey | None:
        release.wait(20)
        return None

    engine = world.start(slow)
    until(engine.holds_lock.is_set)
    rest(0.3)
    try:
        engine.stop()
        until(lambda: not engine.holds_lock.is_set(), timeout_s=1, what="the lock is free for another process")
        second = world.start(lambda: ApiKey(KEY))
        until(second.holds_lock.is_set, timeout_s=2)
    finally:
        release.set()


def test_api_08_a_proxy_that_cannot_be_used_is_told_and_the_store_stays_usable(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    world.set(base_url="https://vivix.invalid")
    engine = world.start()
    until(lambda: not engine.alive)
    assert isinstance(engine.failure, ConfigError)
    assert "\n" not in str(engine.failure)
    assert world.engine_row.connection == "offline"
    assert world.engine_row.detail == str(engine.failure)
    assert world.submit(BODY)


@pytest.mark.parametrize(
    "environ",
    [
        {"NO_PROXY": "::1,[::1]"},
        {"NO_PROXY": "::1,[::1]", "HTTPS_PROXY": "http://127.0.0.1:1"},
        {"HTTP_PROXY": "socks5://127.0.0.1:1"},
    ],
    ids=lambda e: ",".join(f"{k}={v}" for k, v in e.items()),
)
def test_api_08_lif_03_no_part_of_the_engine_dies_of_the_surroundings(
    world: World, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)
    world.set(base_url="https://vivix.invalid")
    engine = world.start(lambda: None)
    until(lambda: world.engine_row.connection == "nokey" or not engine.alive)
    rest(1.3)
    assert isinstance(engine.failure, ConfigError | None)
    assert world.engine_row.trouble is None


def test_sec_08_a_key_that_cannot_be_read_is_told_without_the_key(world: World) -> None:
    def broken() -> ApiKey | None:
        raise KeyProblem("api_key_command ended with code 1")

    world.track("g1")
    world.start(broken)
    until(lambda: world.engine_row.connection == "nokey")
    assert world.engine_row.detail == "api_key_command ended with code 1"
    assert world.srv.count() == 0


def test_sec_02_the_key_is_in_no_row_and_no_file(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world.answer_posts(lambda r: made(r) if r.nth == 1 else json_reply(500, {"error": r.headers["authorization"][:7]}))
    world.track("g1")
    world.submit(BODY, BODY)
    engine = world.start()
    until(lambda: len(world.posts) == 2)
    until(lambda: world.engine_row.connection != "starting")
    assert engine.stop()
    assert KEY not in world.dump()
    assert KEY not in caplog.text
    for path in world.folder.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_lif_03_a_part_that_dies_is_restarted_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue's table is gone for a moment: the poller cannot read it, comes back, and the header told."""
    world.start()
    until(lambda: world.engine_row.connection == "live")
    with world.store.write() as connection:
        connection.execute("ALTER TABLE models RENAME TO models_away")
    world.track("g1")
    until(lambda: world.engine_row.trouble, timeout_s=6)
    told = (world.engine_row.trouble or "").removeprefix("A part of the engine was restarted: ")
    assert told.startswith(("poller", "account"))
    with world.store.write() as connection:
        connection.execute("ALTER TABLE models_away RENAME TO models")
    until(lambda: world.status("g1") == "pending", timeout_s=8)


def test_lif_09_a_stopped_machine_asks_each_id_once_afterwards(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a long sleep: everything is due at once, and still no id is asked twice at a time."""
    monkeypatch.setattr(cadence, "GAP_MAX_S", 0.6)
    under_way: dict[str, int] = {}
    worst: list[int] = []
    lock = threading.Lock()

    def answer(request: Request) -> bytes:
        with lock:
            under_way[id_of(request)] = under_way.get(id_of(request), 0) + 1
            worst.append(under_way[id_of(request)])
        time.sleep(0.01)
        with lock:
            under_way[id_of(request)] -= 1
        return json_reply(200, generation(id_of(request)))

    world.answer_polls(answer)
    world.track(*(f"g{i}" for i in range(20)))
    world.start()
    until(lambda: len(world.polls()) >= 60)
    assert max(worst) == 1


def test_lif_09_a_clock_that_is_set_back_makes_no_row_deaf(world: World) -> None:
    """Every row was last asked about in a year that has not come; the clock is right again."""
    world.track("g1", "g2")
    with world.store.write() as connection:
        connection.execute(
            "UPDATE generations SET tracked_at = '2098-01-01T00:00:00.000Z', checked_at = '2098-01-01T00:00:00.000Z',"
            " status = 'pending', elapsed_ms = 900"
        )
    world.answer_polls(status_of("completed"))
    world.start()
    until(lambda: [world.status(i) for i in ("g1", "g2")] == ["completed"] * 2)


def test_an_engine_whose_database_was_moved_ends_and_leaves_the_lock_to_the_next(world: World) -> None:
    world.track("g1")
    first = world.start()
    until(world.polls)
    database = world.store.path
    database.rename(database.with_name("elsewhere.db"))
    until(lambda: not first.alive)
    assert isinstance(first.failure, StoreMoved)
    second = world.start()
    until(second.holds_lock.is_set)


def test_the_account_is_asked_once_and_kept(world: World) -> None:
    world.start()
    until(lambda: accounts.models(world.store, PROFILE))
    assert accounts.account(world.store, PROFILE).balance == 49_711
    rest(0.5)
    assert world.srv.count("GET", CREDITS) == 1


def test_sec_08_the_lock_and_the_database_are_private(world: World) -> None:
    world.start()
    until(world.engines[0].holds_lock.is_set)
    for path in Path(world.folder).glob("vivix.db*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_lif_02_the_pause_between_questions_about_the_account_stays_finite_in_a_long_outage() -> None:
    """A thousand failures in a row are four days offline."""
    assert pause_s(1) == 2.0
    assert pause_s(10_000) == LONGEST_PAUSE_S


def test_a_new_key_is_tried_at_once_though_nothing_else_is_to_be_asked(world: World) -> None:
    engine = world.start()
    until(lambda: world.srv.count("GET", "/api/v1/models") == 1)
    rest(1.0)
    before, another = world.srv.count(), ApiKey("vvx_live_" + "next" * 8)
    engine.use_key(another)
    until(lambda: engine.has_taken_up(another), what="it is taken up")
    until(lambda: world.srv.count() == before + 1, 3, "it is tried")
    until(lambda: world.engine_row.connection == "live")
    rest(1.3)
    assert world.srv.count() == before + 1


def test_a_key_that_is_given_again_is_taken_up_again(world: World) -> None:
    world.srv.on("GET", "/api/v1/credits", error_reply(401, "KEY_INVALID", "No.", "Make another."))
    engine = world.start(lambda: None)
    until(lambda: world.engine_row.connection == "nokey")
    first, same = ApiKey("vvx_live_" + "wrong000" * 4), ApiKey("vvx_live_" + "wrong000" * 4)
    engine.use_key(first)
    until(lambda: engine.has_taken_up(first))
    until(lambda: world.srv.count() == 1 and world.engine_row.connection == "rejected")
    assert not engine.has_taken_up(same)
    engine.use_key(same)
    until(lambda: engine.has_taken_up(same))
    until(lambda: world.srv.count() == 2 and world.engine_row.connection == "rejected")


MAPPED = """
import ctypes, sys
from vivix_tui.engine.threads import give_memory_back
NAMES = "arena ordblks smblks hblks rest1 rest2 rest3 rest4 rest5 rest6"
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in NAMES.split()]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
if sys.argv[1] == "back":
    give_memory_back()
bytearray(1_000_000)  # freed at once: from now on glibc would keep such buffers
before = libc.mallinfo2().hblks
kept = [bytearray(500_000) for _ in range(20)]
print(libc.mallinfo2().hblks - before)
"""


def test_lif_02_large_buffers_are_given_back_when_they_are_freed() -> None:
    """A buffer that is mapped by itself is; one that was cut out of a heap may stay for good."""

    def mapped(how: str) -> int:
        run = subprocess.run([sys.executable, "-c", MAPPED, how], check=True, timeout=60, capture_output=True)
        return int(run.stdout)

    if hasattr(ctypes.CDLL(None), "mallinfo2"):  # glibc, whose habit it is
        assert mapped("kept") == 0
        assert mapped("back") == 20

"""Calls by purpose: what a whole engine counts, and what counting costs."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.conftest import until
from tests.engine.conftest import PROFILE, World
from tests.srv import MODELS, generation, json_reply
from vivix_tui import verbs
from vivix_tui.engine.tally import WRITE_S, Tally
from vivix_tui.store import calls
from vivix_tui.store.store import Store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_every_call_is_counted_by_what_it_was_for(world: World) -> None:
    world.srv.on("GET", "*/g1", lambda r: json_reply(200, generation("g1", "completed" if r.nth > 2 else "processing")))
    world.track("g1")
    (sent,) = world.submit('{"model": "m", "prompt": "a fox"}')
    engine = world.start()
    until(lambda: world.status("g1") == "completed" and world.state(sent) == "accepted")
    verbs.refresh(world.store, PROFILE, "g1")
    until(lambda: len(world.polls("g1")) >= 4 and len(world.srv.calls("GET", MODELS)) == 1)
    assert engine.stop(5)
    made = calls.made_since(world.store, PROFILE, None)
    assert made[calls.SUBMISSION] == 1
    assert made[calls.ASKED] == 1
    assert made[calls.ACCOUNT] >= 1
    assert made[calls.MODELS] == 1
    assert sum(made.values()) == len(world.srv.ledger.rows)


def test_counting_writes_at_most_once_a_minute_and_not_at_all_where_nothing_is_called(store: Store) -> None:
    tally = Tally(store, PROFILE)
    before = store.revision
    tally.write(0)
    assert store.revision == before
    for second in range(int(WRITE_S)):
        tally.count(calls.POLL, NOW)
        tally.write(second)
    assert store.revision == before + 1
    tally.write(WRITE_S)
    assert store.revision == before + 2
    tally.write(10 * WRITE_S)
    assert store.revision == before + 2
    assert calls.made_since(store, PROFILE, None) == {calls.POLL: WRITE_S}


def test_calls_around_midnight_count_for_their_day(store: Store) -> None:
    tally = Tally(store, PROFILE)
    local = NOW.astimezone()
    tally.count(calls.POLL, local.replace(hour=23, minute=59))
    tally.count(calls.POLL, local.replace(day=24, hour=0, minute=1))
    tally.write_all()
    assert calls.made_since(store, PROFILE, local.replace(day=24).date()) == {calls.POLL: 1}
    assert calls.counted_since(store, PROFILE) == local.date()

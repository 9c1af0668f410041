"""Settings that decide over money, disk and calls are kept by the running engine."""

from __future__ import annotations

import json

import msgspec

from tests.conftest import until
from tests.engine.conftest import PROFILE, World
from tests.srv import generation, image_reply, json_reply
from vivix_tui import verbs_queue
from vivix_tui.config import History, Spend
from vivix_tui.domain.account import Model
from vivix_tui.store import accounts

BODY = '{"model": "m", "prompt": "x"}'
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU\x00\x00\x00\nIDAT"
    b"x\x9cc`\x00\x00\x00\x02\x00\x01H\xaf\xa4q\x00\x00\x00\x00IEND\xaeB`\x82"
)


def spend_at_most(world: World, credits: int) -> None:
    settings = msgspec.structs.replace(world.config.settings, spend=Spend(daily_cap=credits))
    world.config = msgspec.structs.replace(world.config, settings=settings)
    accounts.save_models(world.store, PROFILE, {"m": Model(slug="m", credits_min=50, credits_max=100)})


def test_the_daily_cap_holds_what_would_exceed_it_and_says_why(world: World) -> None:
    spend_at_most(world, 250)
    world.answer_polls(lambda r: json_reply(200, generation(r.path.rpartition("/")[2], credits_estimate=100)))
    world.answer_posts(lambda r: json_reply(201, {"generation_id": f"g{r.nth}", "credits_estimate": 100}))
    first, second, third = world.submit(BODY, BODY, BODY)
    world.start()
    until(lambda: world.submission(third).held)
    assert [world.state(i) for i in (first, second, third)] == ["accepted", "accepted", "queued"]
    held = world.submission(third)
    assert held.error == "DAILY_CAP"
    assert "250" in (held.message or "")
    assert "200 went out today" in (held.message or "")
    assert len(world.posts) == 2
    verbs_queue.release(world.store, PROFILE, [third])
    until(lambda: world.submission(third).held, what="it is held again: the cap still stands")
    assert len(world.posts) == 2


def test_under_a_cap_a_price_is_looked_up_before_anything_goes_out(world: World) -> None:
    """Queued before the catalogue was read for the first time."""
    settings = msgspec.structs.replace(world.config.settings, spend=Spend(daily_cap=300))
    world.config = msgspec.structs.replace(world.config, settings=settings)
    world.answer_posts(lambda r: json_reply(201, {"generation_id": f"g{r.nth}"}))
    ids = world.submit(*[json.dumps({"model": "grok-imagine-image-quality", "prompt": "a fox"})] * 2)
    world.start()
    until(lambda: world.submission(ids[1]).held)
    assert [world.state(i) for i in ids] == ["accepted", "queued"]
    assert "211 went out today, this one costs up to 211" in (world.submission(ids[1]).message or "")


def test_under_a_cap_a_price_that_nobody_knows_waits_for_the_users_word(world: World) -> None:
    spend_at_most(world, 250)
    (submission,) = world.submit('{"model": "new-one", "prompt": "x"}')
    world.start()
    until(lambda: world.submission(submission).held)
    assert "costs nobody knows what" in (world.submission(submission).message or "")
    verbs_queue.release(world.store, PROFILE, [submission])
    until(lambda: world.state(submission) == "accepted")


def test_without_a_cap_nothing_is_held(world: World) -> None:
    spend_at_most(world, 0)
    world.answer_posts(lambda r: json_reply(201, {"generation_id": f"g{r.nth}", "credits_estimate": 10_000}))
    ids = world.submit(BODY, BODY)
    world.start()
    until(lambda: [world.state(i) for i in ids] == ["accepted"] * 2)


def test_auto_download_fetches_what_completes(world: World) -> None:
    world.set(auto="completed")
    world.srv.on("GET", "/out/1.png", image_reply(PNG))
    done = generation("g1", "completed", output_urls=[f"{world.srv.url}/out/1.png"])
    world.answer_polls(lambda r: json_reply(200, done if r.nth > 1 else generation("g1")))
    world.track("g1")
    world.start()
    assert world.ended("g1").state == "done"


def test_the_disk_reserve_is_kept_and_the_download_paused(world: World) -> None:
    world.set(reserve_mb=10**7)
    world.srv.on("GET", "/out/1.png", image_reply(PNG))
    world.completed("g1", f"{world.srv.url}/out/1.png")
    world.start()
    item = world.ended("g1")
    assert item.state == "paused"
    assert "reserve_mb" in (item.error or "")


def test_two_unknown_outcomes_in_a_row_pause_the_queue(world: World) -> None:
    """Each further body might be charged without an answer, too."""
    world.answer_posts(lambda r: b"HTTP/1.1 504 X\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>")
    ids = world.submit(BODY, BODY, BODY)
    world.start()
    until(lambda: world.paused)
    assert [world.state(i) for i in ids] == ["unknown", "unknown", "queued"]
    assert "may have been charged" in (world.paused or "")
    world.answer_posts(lambda r: json_reply(201, {"generation_id": "g"}))
    verbs_queue.resume(world.store, PROFILE)
    until(lambda: world.state(ids[2]) == "accepted")
    assert len(world.posts) == 3


def test_history_keep_deletes_what_ended_long_ago_and_nothing_else(world: World) -> None:
    settings = msgspec.structs.replace(world.config.settings, history=History(keep="90d"))
    world.config = msgspec.structs.replace(world.config, settings=settings)
    world.track("old", "young")
    with world.store.write() as connection:
        connection.execute("UPDATE generations SET status = 'completed'")
        connection.execute(
            "UPDATE generations SET sort_ms = 0, tracked_at = '2020-01-01T00:00:00.000Z' WHERE generation_id = 'old'"
        )
    world.start()
    until(lambda: world.store.one("SELECT count(*) FROM generations")[0] == 1)
    assert world.status("young") == "completed"

"""What commands say and do where credits are spent: the price, the user's cap, and wishes of others under way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Home, until
from tests.srv import GENERATE, GET_GENERATION, Answer, Request, Srv, error_reply, generation, id_of, json_reply, later
from tests.torture.journal import Journal
from tests.torture.kills import home_for
from tests.torture.maker import body
from tests.torture.processes import Running


@pytest.fixture
def srv() -> Iterator[Srv]:
    with Srv() as server:
        server.on("GET", GET_GENERATION, lambda r: json_reply(200, generation(id_of(r), "failed")))
        server.on("POST", GENERATE, lambda r: json_reply(201, {"generation_id": f"g{server.count('POST', GENERATE)}"}))
        yield server


@pytest.fixture
def well(tmp_path: Path, srv: Srv) -> Home:
    """A home whose program talks to `srv` and knows its catalogue."""
    home = home_for(tmp_path, srv, "[api]\ntimeout_s = 20\n[spend]\ndaily_cap = 300\n")
    with Running(home, "watch") as watch:
        until(lambda: Journal.of(home).rows("SELECT 1 FROM models"))
        watch.terminate()
    return home


def test_what_it_costs_is_said_and_what_the_cap_holds_back_ends_the_wait(well: Home, srv: Srv) -> None:
    done = well.run("submit", "-", stdin=f"{body('one')}\n{body('two')}")
    assert done.returncode == 4
    assert "queued 2 submissions for 160 to 422 credits" in done.stderr
    assert "1 held: spend.daily_cap is 300, 211 went out today, this one costs up to 211" in done.stderr
    assert "queue release" in done.stderr
    assert srv.count("POST", GENERATE) == 1
    assert Journal.of(well).states() == {"accepted": 1, "queued": 1}


def test_what_was_queued_before_and_is_sent_along_is_said_with_its_price(well: Home, srv: Srv) -> None:
    (well.path / "config" / "vivix-tui" / "config.toml").write_text("")  # no cap
    alone = well.run("submit", "-", "--no-wait", stdin=f"{body('one')}\n{body('two')}")
    done = well.run("submit", "-", stdin=body("three"))
    assert done.returncode == 0
    assert "sent, too: 2 queued before, for 160 to 422 credits; `vivix-tui queue` shows them" in done.stderr
    assert "queued before" not in alone.stderr
    assert srv.count("POST", GENERATE) == 3


def test_a_body_that_the_user_holds_ends_the_wait(well: Home, srv: Srv) -> None:
    srv.on("POST", GENERATE, error_reply(429, "CONCURRENCY_LIMIT"))
    with Running(well, "submit", "-", stdin=body("one")) as command:
        until(lambda: srv.count("POST", GENERATE) == 1)
        (row,) = Journal.of(well).submissions()
        until(lambda: Journal.of(well).states() == {"queued": 1})
        well.run("queue", "hold", row["submission_id"])
        assert command.wait(10) == 4
        assert "1 held: by you" in command.errors


def test_ids_that_are_named_twice_are_one_wish(well: Home, srv: Srv) -> None:
    well.run("submit", "-", stdin=body("one"))
    assert well.run("wait", "g1").returncode == 1
    done = well.run("retry", "g1", "g1", "--again", "--yes")
    assert (done.returncode, done.stdout) == (0, "g2\n")
    assert "retry queued for 80 to 211 credits" in done.stderr
    assert srv.count("POST", GENERATE) == 2


def test_what_was_refused_is_retried_by_the_id_of_its_submission(well: Home, srv: Srv) -> None:
    srv.on("POST", GENERATE, error_reply(422, "VALIDATION_ERROR"))
    assert well.run("submit", "-", stdin=body("one")).returncode == 1
    (row,) = Journal.of(well).submissions()
    srv.on("POST", GENERATE, json_reply(201, {"generation_id": "g-again"}))
    assert well.run("retry", row["submission_id"], "--yes").stdout == "g-again\n"
    assert [request.body.decode() for request in srv.calls("POST", GENERATE)] == [body("one")] * 2


def slow_other(request: Request) -> Answer:
    pause_s = 3.5 if b"other" in request.body else 1.5
    return later(pause_s, json_reply(201, {"generation_id": f"g{request.nth}"}))


def test_mon_12_a_command_that_is_done_sees_the_post_of_another_wish_to_its_end(well: Home, srv: Srv) -> None:
    srv.on("POST", GENERATE, slow_other)
    (well.path / "config" / "vivix-tui" / "config.toml").write_text("[api]\ntimeout_s = 20\n")  # no cap
    with Running(well, "submit", "-", stdin=body("mine")) as command:
        until(lambda: srv.count("POST", GENERATE) == 1)
        well.run("submit", "-", "--no-wait", stdin=body("other"))
        assert command.wait(20) == 0
        assert command.output == ["g1"]
    assert Journal.of(well).states() == {"accepted": 2}
    assert srv.count("POST", GENERATE) == 2


def test_mon_12_a_command_that_gives_up_waits_for_the_answer_to_its_own_post(well: Home, srv: Srv) -> None:
    srv.on("POST", GENERATE, lambda r: later(4, json_reply(201, {"generation_id": "g-late"})))
    with Running(well, "submit", "-", "--timeout", "1.5", stdin=body("mine")) as command:
        assert command.wait(20) == 4
    assert Journal.of(well).states() == {"accepted": 1}


def test_mon_12_who_interrupts_that_wait_is_not_kept(well: Home, srv: Srv) -> None:
    srv.on("POST", GENERATE, lambda r: later(15, json_reply(201, {"generation_id": "g-late"})))
    with Running(well, "submit", "-", "--timeout", "1.5", stdin=body("mine")) as command:
        until(lambda: srv.count("POST", GENERATE) == 1)
        given_up = srv.calls("POST", GENERATE)[0].at + 2.5
        until(lambda: time.monotonic() > given_up)
        assert command.alive
        os.kill(command.pid, signal.SIGINT)
        assert command.wait(6) == 130
    assert Journal.of(well).states() in ({"sending": 1}, {"unknown": 1})

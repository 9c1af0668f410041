"""A row that is damaged on the disk, and only there: it is set aside, the others go on. Row LIF-03."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import Home, until
from tests.e2e.terminal import Terminal
from tests.engine.conftest import World
from vivix_tui import verbs
from vivix_tui.domain.account import Model
from vivix_tui.domain.generation import Answer
from vivix_tui.errors import StoreError
from vivix_tui.store import accounts, generations, query
from vivix_tui.store.store import Store

POISON = {
    "URLs that are no JSON": "output_urls = 'oops'",
    "URLs that are a number": "output_urls = '5'",
    "URLs that are an object": """output_urls = '{"a": 1}'""",
    "URLs of all kinds": "output_urls = '[1, null, {}, \"https://127.0.0.1:1/a.png\"]'",
    "a status that is no UTF-8": "status = CAST(x'ff41' AS TEXT)",
    "a prompt and a body that are no UTF-8": "prompt = CAST(x'ff41fe' AS TEXT), body = CAST(x'7bff' AS TEXT)",
    "a lone surrogate": "prompt = CAST(x'eda080' AS TEXT)",
    "a body that is no JSON": "body = '{\"model'",
    "times that are none": "created_at = 'x', completed_at = '9999-12-31T23:59:59Z', tracked_at = '', checked_at = '0'",
    "giant numbers": "elapsed_ms = 9223372036854775807, duration_ms = -5, credits_used = -9223372036854775808",
    "a place at the end of time": "sort_ms = 9223372036854775807",
}
ROWS = tuple(f"g{number}" for number in range(5))


def poison(database: Path, what: str, generation_id: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(f"UPDATE generations SET {what} WHERE generation_id = '{generation_id}'")
    connection.close()


@pytest.mark.parametrize("what", POISON.values(), ids=POISON)
@pytest.mark.parametrize("poisonous", ["g0", "g2"], ids=["first", "middle"])
def test_lif_03_a_poisonous_row_keeps_no_other_one_from_being_asked_about(
    world: World, what: str, poisonous: str
) -> None:
    world.track(*ROWS, body='{"model":"m","prompt":"x"}')
    poison(world.store.path, what, poisonous)
    world.start()
    until(lambda: all(world.row(i).checked_at for i in ROWS if i != poisonous))
    until(lambda: world.polls(poisonous), what="the poisonous one is asked about, too")
    assert world.engine_row.trouble is None


def test_lif_03_poisonous_rows_are_listed_and_shown_with_what_can_be_read(home: Home) -> None:
    ids = [f"g{number}" for number in range(len(POISON) + 1)]
    home.run("track", *ids)
    for generation_id, what in zip(ids, POISON.values(), strict=False):
        poison(home.database, what, generation_id)
    run = home.run("list", "--json")
    assert (run.returncode, run.stderr) == (0, "")
    assert {json.loads(line)["generation_id"] for line in run.stdout.splitlines()} == set(ids)
    for command in (("list",), *(("show", generation_id) for generation_id in ids[:3])):
        run = home.run(*command)
        assert (run.returncode, run.stderr) == (0, ""), command
    with Terminal(home) as terminal:
        for generation_id in ids:
            terminal.wait_for(rf"\b{generation_id} ")
        terminal.press("g", *("j" for _ in ids), "/")
        terminal.wait_for("filter: id")
        terminal.press("\x1b")
        terminal.wait_until_gone("filter: id")
        assert "internal error" not in terminal.text
        terminal.leave()
        assert terminal.exit_code() == 0


def test_lif_03_a_damaged_body_is_refused_unsent_and_the_queue_goes_on(world: World) -> None:
    first, second = world.submit('{"prompt":"first"}', '{"prompt":"second"}')
    with sqlite3.connect(world.store.path) as connection:
        connection.execute("UPDATE submissions SET body = CAST(x'7bff7d' AS TEXT) WHERE submission_id = ?", (first,))
    connection.close()
    world.start()
    until(lambda: world.state(second) == "accepted")
    assert world.state(first) == "refused"
    assert [post.body for post in world.posts] == [b'{"prompt":"second"}']


def test_lif_03_a_damaged_entry_of_the_catalogue_is_left_out(store: Store) -> None:
    accounts.save_models(store, "p", {name: Model(slug=name) for name in "abc"})
    with store.write() as connection:
        connection.execute("UPDATE models SET facts = 'oops' WHERE slug = 'a'")
        connection.execute("""UPDATE models SET facts = '{"params": 5}' WHERE slug = 'b'""")
    assert list(accounts.models(store, "p")) == ["c"]


def test_damaged_text_is_neither_quoted_in_an_error_nor_written_back(store: Store) -> None:
    verbs.track(store, "p", [("g", '{"prompt":"a secret fox"}')])
    with store.write() as connection:
        connection.execute("UPDATE generations SET prompt = CAST(prompt || x'ff' AS TEXT)")
    with pytest.raises(StoreError) as caught, store.write() as connection:
        connection.execute("SELECT prompt FROM generations").fetchall()
    assert "fox" not in str(caught.value)
    answer = Answer(generation_id="g", status="processing")
    assert generations.record(store, "p", answer, asked_at=datetime.now(UTC)) is not None
    row = query.generation(store, "p", "g")
    assert row is not None
    assert (row.status, row.prompt) == ("processing", "a secret fox\udcff")
    with pytest.raises(StoreError):
        store.all("SELECT ?", (row.prompt,))

"""A generation made from the form, in a real terminal, against the demo API in another process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Api, make_home, until
from tests.e2e.terminal import ENTER, ESC, Terminal
from tests.srv import MODELS, MODELS_BODY, Srv, json_reply
from tests.torture.kills import home_for
from vivix_tui.store import query
from vivix_tui.store.store import Store

CTRL_S, TAB = "\x13", "\t"
MODEL = "flux-2-pro"


def test_n_makes_a_generation_and_its_row_appears(tmp_path: Path, demo_api: Callable[..., Api]) -> None:
    api = demo_api("empty", speed=20)
    home = make_home(tmp_path, VIVIX_API_KEY=api.key, VIVIX_BASE_URL=api.base_url)
    store = Store(home.database)
    with Terminal(home) as terminal:
        terminal.wait_for("● live")
        terminal.press("n")
        terminal.wait_for(MODEL)
        terminal.type("flux")
        terminal.wait_until_gone("wan-2.7")
        terminal.press(ENTER)
        terminal.wait_for("What is sent")
        terminal.wait_for(r"Price: 40 to 180 credits")
        terminal.press(CTRL_S)
        terminal.wait_for("is missing")
        terminal.type("a fox that came from a form")
        terminal.press(TAB, TAB, TAB, TAB, TAB)
        terminal.type("2")
        terminal.wait_for(r"Price: 80 to 360 credits")
        terminal.wait_for('"number_results": 2')
        terminal.press(CTRL_S)
        terminal.wait_for("queued 1 submission")
        terminal.wait_for(r"a fox that came.*(queued|rendering|done)")
        until(lambda: [r.status for r in query.list_generations(store, "default")] == ["completed"], 60, "it is done")
        terminal.wait_for(r"✓ done")

        # Its body again, with a change: a retry of it.
        terminal.press("N")
        terminal.wait_for("Again with changes")
        terminal.type("Now: ")
        terminal.wait_for('"Now: a fox')
        terminal.press(CTRL_S)
        terminal.wait_for("retry queued")
        until(lambda: len(list(query.list_generations(store, "default"))) == 2, 60, "it was accepted")
        terminal.leave()
        assert terminal.exit_code() == 0
    newest, first = query.list_generations(store, "default")
    assert newest.retry_of == first.generation_id
    assert json.loads(first.body or "") == {
        "model": MODEL, "prompt": "a fox that came from a form", "number_results": 2,
    }  # fmt: skip
    assert json.loads(newest.body or "")["prompt"] == "Now: a fox that came from a form"
    store.close()


def test_a_burst_of_keys_never_falls_through_the_form_to_the_table(
    tmp_path: Path, demo_api: Callable[..., Api]
) -> None:
    api = demo_api("empty", speed=20)
    home = make_home(tmp_path, VIVIX_API_KEY=api.key, VIVIX_BASE_URL=api.base_url)
    home.run("submit", "-", stdin='{"model":"flux-2-pro","prompt":"the only row"}')
    store = Store(home.database)
    with Terminal(home) as terminal:
        terminal.wait_for(r"✓ done")
        # As commands these would retry the row, confirm it, forget it, confirm that, and quit.
        terminal.type("nRyxyqy!")
        terminal.wait_for("which model")
        terminal.press(ESC)
        terminal.wait_until_gone("which model")
        terminal.press("n")
        terminal.wait_for("which model.*(?s:.*)wan-2.7")
        terminal.type("flux" + ENTER + "Ryxyqy!")
        terminal.wait_for("of 2,000")
        assert [row.prompt for row in query.list_generations(store, "default")] == ["the only row"]
        assert query.queue(store, "default") == []
    store.close()


def test_par_10_a_catalogue_of_no_models_is_said(tmp_path: Path) -> None:
    with Srv() as srv:
        srv.on("GET", MODELS, json_reply(200, MODELS_BODY | {"models": []}))
        with Terminal(home_for(tmp_path, srv, "")) as terminal:
            until(lambda: srv.count("GET", MODELS), what="the catalogue is asked for")
            terminal.wait_for("● live")
            terminal.press("n")
            terminal.wait_for("No models are known yet")
            terminal.press(ENTER)
            assert "which model" in terminal.text, "there is nothing to take"
            terminal.press(ESC)
            terminal.wait_until_gone("which model")
            terminal.leave()
            assert terminal.exit_code() == 0

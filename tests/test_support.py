"""The support bundle, `doctor` and the log may be shown to strangers. Row SEC-02."""

from __future__ import annotations

import json
import logging
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import KEY, Home
from tests.e2e.terminal import Terminal
from tests.srv import GET_GENERATION, Srv, error_reply, generation, id_of, json_reply
from tests.torture.kills import home_for
from vivix_tui import logs
from vivix_tui.support import LEFT_OUT, token

PROMPT, LINK = "a private fox on a hill", "https://127.0.0.1:1/private/a.png?sig=x"
PRIVATE = (KEY, "private", "127.0.0.1", "49,711", "49711", "It broke.", "Do this.")


@pytest.fixture
def told(tmp_path: Path) -> Home:
    """A home with rows of many kinds, all of whose texts are private."""
    with Srv() as srv:
        srv.on("GET", GET_GENERATION, lambda r: json_reply(200, generation(id_of(r), "failed", next="Do this.")))
        srv.on("GET", "*/ok", json_reply(200, generation("ok", "completed", output_urls=[LINK], output_url=LINK)))
        srv.on("GET", "*/gone", error_reply(404, "NOT_FOUND", PROMPT, LINK))
        srv.on("GET", "*/odd", json_reply(200, generation("odd", "failed", error=PROMPT), {"x-request-id": LINK}))
        srv.on("POST", "*", error_reply(422, "VALIDATION_ERROR", PROMPT, "Do this."))
        home = home_for(tmp_path, srv, "")
        lines = [
            json.dumps({"generation_id": i, "body": {"model": "m", "prompt": PROMPT}}) for i in ("a", "ok", "gone")
        ]
        home.run("track", "-", stdin="\n".join([*lines, "odd", LINK]))
        home.run("download", "ok", "--no-wait")
        home.run("wait", "--timeout", "20")
        home.run("submit", "-", "--no-check", stdin=json.dumps({"prompt": PROMPT}))
        return home


def is_safe(text: str, home: Home) -> None:
    for words in (*PRIVATE, str(home.path)):
        assert words not in text, words
    assert text.isascii()
    assert not any(ord(c) < 32 and c != "\n" for c in text)


def test_sec_02_a_bundle_names_ids_codes_and_times_and_nothing_else(told: Home) -> None:
    run = told.run("doctor", "--bundle")
    assert (run.returncode, run.stderr) == (0, "")
    is_safe(run.stdout, told)
    value = json.loads(run.stdout)
    rows = {row["generation_id"]: row for row in value["generations"]}
    assert (rows["a"]["status"], rows["a"]["error"], rows["a"]["request_id"]) == ("failed", "PROVIDER_ERROR", "req_1")
    assert (rows["gone"]["gone"], rows["gone"]["request_id"]) == ("NOT_FOUND", "req_err")
    assert (rows["odd"]["error"], rows["odd"]["request_id"]) == (LEFT_OUT, LEFT_OUT)
    assert rows["a"]["checked_at"].endswith("Z")
    (refused,) = value["submissions"]
    assert (refused["state"], refused["error"], refused["request_id"]) == ("refused", "VALIDATION_ERROR", "req_err")
    assert value["downloads"][0]["generation_id"] == "ok"
    assert {"tracked", "failed", "gone"} <= {event["event"] for event in value["events"]}
    assert value["engine"]["connection"]
    assert value["program"]["version"]


def test_sec_02_one_key_writes_the_bundle_and_shows_it(told: Home) -> None:
    with Terminal(told) as terminal:
        terminal.wait_for("failed")
        terminal.press("B")
        terminal.wait_for("Support bundle")
        terminal.wait_for('"written_at"')
        terminal.press("\x1b")
        terminal.wait_until_gone("Support bundle")
        terminal.leave()
        assert terminal.exit_code() == 0
    (path,) = (told.path / "state" / "vivix-tui").glob("support-*.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    is_safe(path.read_text(), told)
    assert json.loads(path.read_text())["generations"]


def test_sec_02_doctor_and_log_name_no_home(told: Home) -> None:
    with sqlite3.connect(told.database) as connection:
        connection.execute("ALTER TABLE events RENAME TO away")
    connection.close()
    ran = told.run("track", "another")
    assert ran.returncode == 5
    for text in (told.run("doctor").stdout, (told.path / "state" / "vivix-tui" / "vivix.log").read_text()):
        assert str(told.path) not in text
        assert KEY not in text


def test_a_log_names_the_home_by_its_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    logs.to_file(tmp_path / "state" / "vivix.log")
    try:
        logging.getLogger("vivix_tui.x").warning("%s/data/vivix.db is full", tmp_path)
        assert "WARNING vivix_tui.x: ~/data/vivix.db is full" in (tmp_path / "state" / "vivix.log").read_text()
    finally:
        for name in ("vivix_tui", "asyncio"):
            for handler in logging.getLogger(name).handlers[:]:
                handler.close()
                logging.getLogger(name).removeHandler(handler)
            logging.getLogger(name).propagate = True


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("5b91a581-0000-4000-8000-000000000000", True), ("PROVIDER_ERROR", True), ("req_1", True), (None, True),
        ("2026-05-10T12:34:56.789Z", True), (7, True), ("a fox", False), ("https://x.test/a", False),
        ("/home/somebody", False), ("~/x", False), ("a@b.test", False), (KEY, False), ("x" * 81, False), ("", False),
        ("\x1b[2J", False), ("é", False), ("a\n", False), ("a/b", False), ("-rf", False),
    ],
)  # fmt: skip
def test_what_is_no_id_no_code_and_no_time_is_left_out(value: object, shown: bool) -> None:
    assert token(value) == (value if shown else LEFT_OUT)


@given(st.text())
def test_whatever_a_text_is_it_is_left_out_or_harmless(text: str) -> None:
    shown: Any = token(text)
    assert shown == LEFT_OUT or (shown.isascii() and not set(shown) & set(" /\\@\x1b\"'<>"))

"""A canary for a key, in a whole session: found where it was put, and nowhere else. Rows SEC-01, SEC-02, SEC-08."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Home, make_home
from tests.e2e.terminal import ENTER, ESC, Terminal
from tests.srv import (
    GENERATE,
    GET_GENERATION,
    Request,
    Srv,
    error_reply,
    generation,
    id_of,
    image_reply,
    json_reply,
    png,
)
from tests.torture.samples import children

CANARY, TYPED = "vvx_live_" + "canary00" * 4, "vvx_live_" + "typed000" * 4
BODY = json.dumps({"model": "grok-imagine-image-quality", "prompt": "a fox"})
COMMANDS = (
    *(("list", "--json"), ("show", "f", "--json"), ("doctor",), ("doctor", "--bundle"), ("config", "show")),
    *(("credits",), ("submit", "-", "--timeout", "3")),
)
EDITOR = """#!/bin/sh
{ tr '\\0' '\\n' < /proc/$PPID/cmdline; env; cat "$1"; } >> "$HOME/seen-by-the-editor"
"""


@pytest.fixture
def srv() -> Iterator[Srv]:
    with Srv() as server:
        yield server


@pytest.fixture
def canary(tmp_path: Path, srv: Srv) -> Home:
    """The key lies in a private file, and the API repeats it in whatever it says."""
    home = make_home(tmp_path, VIVIX_BASE_URL=srv.url, TMPDIR=str(tmp_path / "tmp"), EDITOR=str(tmp_path / "editor"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "editor").write_text(EDITOR)
    (tmp_path / "editor").chmod(0o700)
    config = tmp_path / "config" / "vivix-tui"
    config.mkdir(parents=True)
    (config / "key").write_text(CANARY)
    (config / "key").chmod(0o600)
    (config / "config.toml").write_text(f'[profiles.default]\napi_key_file = "{config / "key"}"\n')
    return home


def cmdlines(pid: int) -> str:
    """Of the program and of all that it started."""
    found = ""
    for one in (pid, *children(pid)):
        try:
            found += Path(f"/proc/{one}/cmdline").read_text() + Path(f"/proc/{one}/environ").read_text()
        except OSError:
            continue  # it ended meanwhile
    return found


def revoked(request: Request) -> bytes:
    key = request.headers["authorization"][7:]
    return error_reply(401, "KEY_REVOKED", f"{key} is revoked", f"drop {key}")


def test_sec_02_a_canary_is_found_nowhere_after_a_session(canary: Home, srv: Srv) -> None:
    with Srv() as host:
        said = f"the key {CANARY} failed"

        def answer(request: Request) -> bytes:
            urls = [f"{host.url}/{id_of(request)}.png?key={request.headers['authorization'][7:]}"]
            more = {"message": said, "next": said, "output_urls": urls, "output_url": urls[0]}
            status = "failed" if id_of(request) == "f" else "completed"
            return json_reply(200, generation(id_of(request), status, **more), {"x-request-id": said})

        host.on("GET", "*", image_reply(png(5_000)))
        srv.on("GET", GET_GENERATION, answer)
        srv.on("POST", GENERATE, error_reply(422, "BAD", said, said))
        lines = [json.dumps({"generation_id": name, "body": json.loads(BODY)}) for name in ("f", "c")]
        canary.run("track", "-", stdin="\n".join(lines))
        with Terminal(canary) as terminal:
            terminal.wait_for("1 done +1 failed")
            seen = cmdlines(terminal.pid)
            terminal.press("d", "r", "y")
            for dialog, words in (("?", "esc close"), ("B", "Support bundle"), (":", "Search for commands")):
                terminal.press(dialog)
                terminal.wait_for(words)
                terminal.press(ESC)
                terminal.wait_until_gone(words)
            terminal.press("4")
            terminal.wait_for("failed: 1")
            terminal.press("E")
            terminal.wait_for("Send the same body again")
            terminal.press(ENTER)
            terminal.wait_until_gone("Send the same body again")
            srv.on("GET", "*", revoked)
            terminal.press("0", "*", "r")
            terminal.wait_for("key rejected")
            terminal.press("K")
            terminal.wait_for("API key")
            terminal.type(TYPED)
            terminal.read(0.3)
            terminal.press(ENTER)
            terminal.read(1.5)
            seen += cmdlines(terminal.pid)
            terminal.signal(15)
            assert terminal.exit_code() == 143
        raw = bytes(terminal.raw)
        for command in COMMANDS:
            run = canary.run(*command, stdin=BODY)
            raw += (run.stdout + run.stderr).encode()
        elsewhere = "".join(f"{r.path} {r.headers} {r.body!r}" for r in host.calls())
    for key in (CANARY, TYPED):
        assert key.encode() not in raw
        assert key not in seen
        assert key not in elsewhere
        places = [p for p in canary.path.rglob("*") if p.is_file() and key.encode() in p.read_bytes()]
        assert places == ([canary.path / "config" / "vivix-tui" / "key"] if key == CANARY else [])
    assert (canary.path / "seen-by-the-editor").exists()
    assert list((canary.path / "tmp").iterdir()) == []


def test_sec_01_a_dashboard_that_fails_says_so_in_one_line_without_its_variables(tmp_path: Path, srv: Srv) -> None:
    """Somebody made the database take text where a number belongs: nothing on the screen expects that."""
    srv.on("GET", GET_GENERATION, lambda r: json_reply(200, generation(id_of(r))))
    home = make_home(tmp_path, VIVIX_BASE_URL=srv.url, VIVIX_API_KEY=CANARY)
    home.run("track", "abc")
    for statements in (
        ("PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')')"),
        ("UPDATE generations SET status = 'completed', duration_ms = 'x\x1b[2J', sort_ms = 'y', credits_used = 'z'",),
    ):
        with sqlite3.connect(home.database) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
    with Terminal(home) as terminal:
        terminal.wait_for("internal error")
        if terminal._child.isalive():
            terminal.leave()
        code = terminal.exit_code()
    assert code in (0, 1)
    assert CANARY.encode() not in terminal.raw
    for words in (b"Traceback", b"locals", b"self = "):
        assert words not in terminal.raw
    assert b"\x1b[?1049l" in terminal.raw, "the terminal was restored"
    log = (tmp_path / "state" / "vivix-tui" / "vivix.log").read_text()
    assert "Traceback" in log
    assert CANARY not in log


@pytest.mark.parametrize("umask", ["000", "022"])
def test_sec_08_whatever_the_umask_all_that_is_written_is_private(canary: Home, srv: Srv, umask: str) -> None:
    srv.on("GET", "/out/*", image_reply(png(5_000)))
    url = f"{srv.url}/out/1.png"
    srv.on("GET", GET_GENERATION, lambda r: json_reply(200, generation(id_of(r), "completed", output_urls=[url])))
    home = replace(canary, env=canary.env | {"VIVIX_CONFIG": str(canary.path / "new" / "config.toml")})
    with Terminal(home, "config", "init", through=("sh", "-c", f"umask {umask}; exec")) as terminal:
        assert terminal.exit_code() == 0
    canary.run("track", "c")
    before = set(canary.path.rglob("*"))
    with Terminal(canary, through=("sh", "-c", f"umask {umask}; exec")) as terminal:
        terminal.wait_for("1 done")
        terminal.press("d", "B")
        terminal.wait_for("Support bundle")
        terminal.press(ESC)
        terminal.wait_until_gone("Support bundle")
        terminal.wait_for("whole:")
        terminal.leave()
        assert terminal.exit_code() == 0
    made = set(canary.path.rglob("*")) - before | {
        canary.path / "new",
        canary.path / "new" / "config.toml",
    }
    assert len(made) >= 6
    assert {path: oct(path.stat().st_mode & 0o077) for path in made if path.stat().st_mode & 0o077} == {}
    assert not os.access(canary.path / "new" / "config.toml", os.X_OK)

"""A machine and a terminal that lack something: descriptors, room in /tmp, colours, a size, a way to the API.

Rows API-08, TER-09, TER-11, STO-05, SEC-07; LIF-03.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.certificates import Authority, tunnel
from tests.conftest import KEY, Home, make_home, until
from tests.e2e.terminal import Terminal
from tests.srv import GENERATE, GET_GENERATION, Connection, Srv, generation, id_of, json_reply, later, png, range_reply
from tests.store.test_store_read_only import REFUSAL
from tests.torture.journal import Journal
from tests.torture.kills import home_for

PROGRAM = [sys.executable, "-m", "vivix_tui.cli.main"]
FILE = png(300_000)
STYLE = re.compile(rb"\x1b\[([0-9;]*)m")
GREY = re.compile(rb"[34]8;2;(\d+);\1;\1")


@pytest.fixture
def srv() -> Iterator[Srv]:
    with Srv() as server:
        server.on("GET", GET_GENERATION, lambda r: json_reply(200, generation(id_of(r), "failed")))
        yield server


@pytest.mark.skipif(bool(REFUSAL), reason=f"no mounts without privileges here: {REFUSAL}")
def test_sto_05_a_full_tmp_loses_no_answer(tmp_path: Path, srv: Srv) -> None:
    home = home_for(tmp_path, srv, "")
    ids = [f"g{number}" for number in range(300)]
    assert home.run("track", *ids).returncode == 0
    small = tmp_path / "small"
    small.mkdir()
    script = 'mount -t tmpfs -o size=16k tmpfs "$TMPDIR" && { head -c 99999 /dev/zero > "$TMPDIR/x"; exec "$@"; }'
    ran = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", *PROGRAM, "wait", "--timeout", "60"],
        env=home.env | {"TMPDIR": str(small)}, cwd=home.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1, f"all of them failed: {ran.stderr[-300:]}"
    assert {row["status"] for row in Journal.of(home).generations().values()} == {"failed"}
    assert srv.count("GET", GET_GENERATION) == len(ids), "each was asked about once"
    assert (tmp_path / "state" / "vivix-tui" / "vivix.log").read_text() == ""


def test_lif_03_sixty_four_descriptors_are_enough(tmp_path: Path, srv: Srv) -> None:
    def done(name: str, nth: int) -> bytes:
        urls = [f"{srv.url}/out/{name}-{number}.png" for number in range(4)]
        return json_reply(200, generation(name, "completed" if nth > 1 else "processing", output_urls=urls))

    srv.on("GET", GET_GENERATION, lambda r: done(id_of(r), r.nth))
    srv.on("POST", GENERATE, lambda r: json_reply(201, {"generation_id": f"p{srv.count('POST', GENERATE)}"}))
    srv.on("GET", "/out/*", lambda r: later(0.1, range_reply(r, FILE, etag='"v1"')))
    home = home_for(tmp_path, srv, '[download]\nauto = "completed"\nparallel = 10\nreserve_mb = 1\n')
    home.run("track", *(f"g{number}" for number in range(12)))
    bodies = [json.dumps({"model": "grok-imagine-image-quality", "prompt": f"fox {n}"}) for n in range(4)]
    home.run("submit", "-", "--no-wait", stdin="\n".join(bodies))
    with Terminal(home, through=("bash", "-c", "ulimit -n 64; exec")) as terminal:
        end = time.monotonic() + 60
        while len(list((tmp_path / "vivix").rglob("*.png"))) < 64:
            assert time.monotonic() < end, terminal.text
            terminal.read()
        assert len(os.listdir(f"/proc/{terminal.pid}/fd")) < 64
        terminal.leave()
        assert terminal.exit_code() == 0
    assert Journal.of(home).states() == {"accepted": 4}
    assert srv.count("POST", GENERATE) == 4


# ---------------------------------------------------------------------------------------------------------- terminals


@pytest.mark.parametrize("term", ["dumb", "", None], ids=["dumb", "empty", "unset"])
def test_ter_11_a_terminal_without_a_name_gets_a_hint_at_once(home: Home, term: str | None) -> None:
    home = replace(
        home, env={k: v for k, v in home.env.items() if k != "TERM"} | ({} if term is None else {"TERM": term})
    )
    began = time.monotonic()
    with Terminal(home) as terminal:
        assert terminal.exit_code(10) == 2
        assert time.monotonic() - began < 5, "the goal is 2 s, on a machine that does nothing else"
        assert "needs a terminal" in terminal.text
        assert b"\x1b" not in terminal.raw


def test_ter_11_a_download_on_a_dumb_terminal_draws_no_bar(tmp_path: Path, srv: Srv) -> None:
    big = png(400_000)

    def slowly(connection: Connection) -> None:
        connection.send(range_head(len(big)) + big[:200_000])
        connection.wait(1.5)
        connection.send(big[200_000:])

    srv.on("GET", "/out/*", lambda r: slowly)
    facts = generation("g1", "completed", output_urls=[f"{srv.url}/out/1.png"])
    srv.on("GET", "/api/v1/generations/g1", json_reply(200, facts))
    home = home_for(tmp_path, srv, "")
    home.run("track", "g1")
    home = replace(home, env=home.env | {"TERM": "dumb"})
    with Terminal(home, "download", "g1") as terminal:
        assert terminal.exit_code(30) == 0
        assert b"\x1b" not in terminal.raw


def range_head(size: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: %d\r\n\r\n" % size


@pytest.mark.parametrize("lacks", ["stdin", "stdout", "stderr"])
def test_ter_11_of_three_streams_each_has_to_be_a_terminal(home: Home, lacks: str) -> None:
    master, slave = pty.openpty()
    try:
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), slave)
        streams[lacks] = subprocess.DEVNULL if lacks == "stdin" else subprocess.PIPE
        began = time.monotonic()
        ran = subprocess.run(PROGRAM, env=home.env, cwd=home.path, timeout=20, check=False, **streams)  # type: ignore[call-overload]
        assert ran.returncode == 2
        assert time.monotonic() - began < 5
        seen = ran.stderr or b""
        while select.select([master], [], [], 0.1)[0]:
            seen += os.read(master, 65536)
        assert b"needs a terminal" in seen
        assert b"\x1b" not in seen
    finally:
        os.close(slave)
        os.close(master)


def test_ter_11_a_closed_stream_is_no_terminal(home: Home) -> None:
    command = f"{shlex.join(PROGRAM)} <&-"
    ran = subprocess.run(
        ["sh", "-c", command], env=home.env, cwd=home.path, timeout=20, check=False, capture_output=True
    )
    assert ran.returncode == 2
    assert b"needs a terminal" in ran.stderr


def test_ter_11_no_color_writes_no_colour_and_says_every_status_in_words(tmp_path: Path, srv: Srv) -> None:
    states = {"g0": "pending", "g1": "processing", "g2": "completed", "g3": "failed"}
    srv.on("GET", GET_GENERATION, lambda r: json_reply(200, generation(id_of(r), states[id_of(r)])))
    home = home_for(tmp_path, srv, "")
    home = replace(home, env=home.env | {"NO_COLOR": "1"})
    home.run("track", *states)
    with Terminal(home) as terminal:
        for word in ("queued", "rendering", "done", "failed"):
            terminal.wait_for(rf"g\d .*{word}")
        terminal.press("j", "!", "!", "?")
        terminal.wait_for("esc close")
        terminal.press("\x1b")
        terminal.wait_until_gone("esc close")
        terminal.leave()
        assert terminal.exit_code() == 0
    styles = {GREY.sub(b"", found[1]) for found in STYLE.finditer(bytes(terminal.raw))}
    numbers = {int(number) for style in styles for number in style.split(b";") if number}
    assert all(number < 30 for number in numbers), sorted(styles)[:9]


SIZES = [(1, 1), (20, 5), (39, 9), (500, 2000), (80, 24)]


def test_ter_09_any_size_at_the_start_and_live(tmp_path: Path, srv: Srv) -> None:
    """The raw bytes alone are looked at: an emulator of a million cells would be what is measured."""
    home = home_for(tmp_path, srv, "")
    home.run("track", *(f"g{number}" for number in range(30)))
    for columns, rows in SIZES:
        with Terminal(home, columns=columns, rows=rows) as terminal:
            until(lambda: drained(terminal) and b"\x1b[?1049h" in terminal.raw)
            for other_columns, other_rows in SIZES:
                terminal._child.setwinsize(other_rows, other_columns)
                until_quiet(terminal)
            terminal._child.setwinsize(36, 120)
            until_quiet(terminal)
            os.write(terminal.fd, b"q")
            assert gone(terminal) == 0


def test_ter_09_a_storm_of_sizes_with_a_dialog_open_keeps_the_selection(tmp_path: Path, srv: Srv) -> None:
    home = home_for(tmp_path, srv, "")
    home.run("track", *(f"g{number}" for number in range(30)))
    with Terminal(home) as terminal:
        terminal.wait_for("30 failed")
        terminal.press("j", "j", "j", "j")
        terminal.wait_for(r"▌ g12 ")
        terminal.press("?")
        terminal.wait_for("esc close")
        for number in range(1000):
            terminal._child.setwinsize(5 + number % 40, 20 + number % 130)
            os.kill(terminal.pid, signal.SIGWINCH)
            drained(terminal)
        terminal.resize(120, 36)
        terminal.wait_for("^ vivix-tui .*\n", 40)
        terminal.wait_for("esc close")
        terminal.press("\x1b")
        terminal.wait_until_gone("esc close")
        terminal.wait_for(r"▌ g12 ")
        terminal.rest()
        storm = without_calls(terminal)
        terminal.press("\x0c")
        terminal.rest()
        assert without_calls(terminal) == storm, "the last frame is a fresh one"
        terminal.leave()
        assert terminal.exit_code() == 0


def without_calls(terminal: Terminal) -> str:
    """What a person sees, but for the count of calls: it goes on."""
    return re.sub(r"calls \d+", "calls …", terminal.text)


def drained(terminal: Terminal) -> bool:
    """Takes what the program wrote, without drawing it."""
    while select.select([terminal.fd], [], [], 0.005)[0]:
        try:
            terminal.raw += os.read(terminal.fd, 1 << 16)
        except OSError:
            return False
    return True


def until_quiet(terminal: Terminal) -> None:
    """Until nothing was written for a while."""
    size = -1
    while size != len(terminal.raw):
        size = len(terminal.raw)
        time.sleep(0.25)
        drained(terminal)


def gone(terminal: Terminal) -> int:
    """Its exit code, while what it writes is taken."""
    until(lambda: drained(terminal) is False or not terminal._child.isalive())
    return terminal.exit_code()


# -------------------------------------------------------------------------------------------------------- connections


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"ALL_PROXY": "socks5://127.0.0.1:1"}, "offline"),
        ({"NO_PROXY": "::1,[::1]"}, "offline|retrying"),
        ({"SSL_CERT_FILE": "/nonexistent/ca.pem"}, "offline"),
        ({"HTTPS_PROXY": "http://[::1"}, "offline"),
    ],
    ids=["ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "HTTPS_PROXY"],
)
def test_api_08_the_dashboard_opens_and_says_why_it_cannot_connect(
    tmp_path: Path, environ: dict[str, str], words: str
) -> None:
    home = make_home(tmp_path, VIVIX_API_KEY=KEY, VIVIX_BASE_URL="https://vivix.invalid", **environ)
    home.run("track", "g1")
    with Terminal(home) as terminal:
        terminal.wait_for(r"▌ g1 ")
        terminal.wait_for(words)
        terminal.leave()
        assert terminal.exit_code() == 0
        assert b"Traceback" not in terminal.raw
    run = home.run("credits")
    assert run.returncode in (2, 4)
    assert run.stderr.startswith("vivix-tui: ")
    assert run.stderr.count("\n") <= 2


def test_sec_07_the_dashboard_and_a_command_say_that_a_certificate_has_expired(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with Srv() as srv:
        handshakes = tunnel(srv, authority.context("expired", "api.test"))
        surroundings = {"HTTPS_PROXY": srv.url, "SSL_CERT_FILE": str(authority.file)}
        home = make_home(tmp_path, VIVIX_API_KEY=KEY, VIVIX_BASE_URL="https://api.test", **surroundings)
        home.run("track", "g1")
        with Terminal(home) as terminal:
            terminal.wait_for("its certificate is not trusted: certificate has expired")
            terminal.leave()
            assert terminal.exit_code() == 0
        run = home.run("credits")
        assert "its certificate is not trusted: certificate has expired" in run.stderr
        assert run.returncode == 4
        assert {r.method for r in srv.calls()} == {"CONNECT"}
        assert set(handshakes) == {"failed"}

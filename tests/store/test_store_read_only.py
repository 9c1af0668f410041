"""A folder, a file or a disk that takes no writes: looking works, and nothing is sent that cannot be written down.
Row STO-05.

Modes do not bind the superuser, so the folder and the file are mounted read-only, and the full disk is a small tmpfs,
each in a mount namespace of its own.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import KEY, Home, make_home, until
from tests.e2e.terminal import Terminal
from tests.srv import GENERATE, GET_GENERATION, Connection, Srv, error_reply, generation, json_reply
from tests.torture.journal import Journal
from tests.torture.maker import Maker, body
from tests.torture.processes import Running

MOUNTS = {
    "folder": 'mount --bind "$D" "$D" && mount -o remount,ro,bind "$D"',
    "file": 'mount --bind "$D/vivix.db" "$D/vivix.db" && mount -o remount,ro,bind "$D/vivix.db"',
    "full disk": (
        'cp -a "$D" "$D.kept" && mount -t tmpfs -o size=400k tmpfs "$D" && cp -a "$D.kept/." "$D" && rm -r "$D.kept"'
        ' && { dd if=/dev/zero of="$D/filling" bs=4k 2>/dev/null || true; }'
    ),
}
READ_ONLY = "can only be read"


def _refusal() -> str:
    """Why this system lets nobody mount, "" where it does."""
    try:
        tried = subprocess.run(
            ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        return str(error)
    return tried.stderr.strip() if tried.returncode else ""


REFUSAL = _refusal()
pytestmark = pytest.mark.skipif(bool(REFUSAL), reason=f"no mounts without privileges here: {REFUSAL}")


@pytest.fixture
def srv() -> Iterator[Srv]:
    with Srv() as server:
        yield server


@pytest.fixture
def maker(srv: Srv) -> Maker:
    return Maker(srv)


@pytest.fixture
def furnished(tmp_path: Path, maker: Maker) -> Home:
    """A home with a generation, and a body that waits to be sent."""
    home = make_home(tmp_path, VIVIX_API_KEY=KEY, VIVIX_BASE_URL=maker.srv.url)
    home.run("track", "g1")
    home.run("submit", "-", "--no-wait", stdin=body("waiting"))
    return home


def inside(home: Home, mount: str, *command: str) -> list[str]:
    """`command` behind that mount, which nothing else sees."""
    script = f"{MOUNTS[mount]} || exit 99; exec {shlex.join(command)}"
    return ["env", f"D={home.database.parent}", "unshare", "-rm", "sh", "-c", script]


def run(home: Home, mount: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = inside(home, mount, sys.executable, "-m", "vivix_tui.cli.main", *arguments)
    return subprocess.run(command, env=home.env, input=stdin, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("mount", MOUNTS)
def test_sto_05_looking_works_and_no_wish_is_taken(furnished: Home, maker: Maker, mount: str) -> None:
    listed = run(furnished, mount, "list")
    assert (listed.returncode, listed.stdout.split()[0]) == (0, "g1")
    assert READ_ONLY in listed.stderr
    assert run(furnished, mount, "list", "--submissions").stdout.split()[1] == "queued"
    assert '"g1"' in run(furnished, mount, "show", "g1", "--json").stdout
    for command in (("submit", "-"), ("track", "g2"), ("watch",), ("queue", "pause")):
        refused = run(furnished, mount, *command, stdin=body("new"))
        assert refused.returncode == 5, command
        assert "start vivix-tui again" in refused.stderr or "Read-only file system" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert maker.all() == []
    assert [row["state"] for row in Journal.of(furnished).submissions()] == ["queued"]
    submitted = furnished.run("submit", "-", stdin=body("afterwards"))
    assert submitted.returncode == 0
    until(lambda: len(maker.all()) == 2, what="what was queued goes out once all is well")
    assert len({arrival.body for arrival in maker.all()}) == 2


@pytest.mark.parametrize("mount", MOUNTS)
def test_sto_05_the_dashboard_shows_rows_and_says_why_it_cannot_write(
    furnished: Home, maker: Maker, mount: str
) -> None:
    with Terminal(furnished, through=inside(furnished, mount)) as terminal:
        terminal.wait_for(READ_ONLY)
        terminal.wait_for("g1")
        terminal.leave()
        assert terminal.exit_code() == 0
        assert b"Traceback" not in terminal.raw
    assert maker.all() == []


def test_sto_05_a_disk_that_fills_up_while_a_body_waits_sends_nothing(furnished: Home, srv: Srv, maker: Maker) -> None:
    """The 429 puts it off; when its time comes, "sending" cannot be written down, so no byte leaves."""
    limited = error_reply(429, "CONCURRENCY_LIMIT", headers={"Retry-After": "1"})
    srv.on("POST", GENERATE, lambda r: limited)
    srv.on("GET", GET_GENERATION, json_reply(200, generation("g1", "processing")))
    script = (
        'cp -a "$D" "$D.kept" && mount -t tmpfs -o size=2m tmpfs "$D" && cp -a "$D.kept/." "$D" || exit 99\n'
        f"{shlex.join((sys.executable, '-m', 'vivix_tui.cli.main', 'watch'))} & watch=$!\n"
        'read _; dd if=/dev/zero of="$D/filling" bs=4k 2>/dev/null; echo full\n'
        'read _; rm "$D/filling"; echo free\n'
        'read _; kill -TERM $watch; wait $watch; echo "ended $?"'
    )
    process = subprocess.Popen(
        ["env", f"D={furnished.database.parent}", "unshare", "-rm", "sh", "-c", script],
        env=furnished.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        until(lambda: srv.count("POST", GENERATE) == 1)
        _say(process.stdin)
        assert process.stdout.readline() == "full\n"
        first = srv.calls("POST", GENERATE)[0].at
        until(lambda: srv.calls()[-1].at > first + 2.5, what="calls go on while the disk is full")
        assert srv.count("POST", GENERATE) == 1
        _say(process.stdin)
        assert process.stdout.readline() == "free\n"
        Maker.__init__(maker, srv)
        until(lambda: srv.count("POST", GENERATE) == 2, timeout_s=40, what="it goes out when there is space")
        _say(process.stdin)
        assert process.stdout.readline() == "ended 0\n"
    finally:
        process.stdin.close()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert len(maker.all()) == 1


class FillsUp:
    """A disk that is full from the moment a POST has arrived until `free`; its answer comes in between."""

    def __init__(self, home: Home, srv: Srv) -> None:
        self._go, self._full = home.path / "go", home.path / "full"
        script = (
            'cp -a "$D" "$D.kept" && mount -t tmpfs -o size=2m tmpfs "$D" && cp -a "$D.kept/." "$D" || exit 99\n'
            f'(while [ ! -e {self._go} ]; do sleep 0.02; done; dd if=/dev/zero of="$D/filling" bs=4k 2>/dev/null\n'
            f' touch {self._full}; while [ -e {self._full} ]; do sleep 0.02; done; rm "$D/filling") &\nexec'
        )
        self.through = ["env", f"D={home.database.parent}", "unshare", "-rm", "sh", "-c", script]
        srv.on("POST", GENERATE, lambda r: self._answer)

    def _answer(self, connection: Connection) -> None:
        self._go.touch()
        until(self._full.exists)
        connection.send(json_reply(201, {"generation_id": "g-paid", "status": "pending"}))

    def free(self) -> None:
        self._full.unlink()


def test_sto_05_an_id_that_was_paid_for_stays_on_the_screen_while_the_disk_is_full(furnished: Home, srv: Srv) -> None:
    disk = FillsUp(furnished, srv)
    with Terminal(furnished, through=disk.through) as terminal:
        terminal.wait_for(r"g-paid was accepted \(req_1\)")
        assert "g-paid" in (furnished.path / "state" / "vivix-tui" / "accepted.jsonl").read_text()
        disk.free()
        terminal.wait_for(r"g-paid (?!was)")  # the row, and no banner any more
        terminal.leave()
        assert terminal.exit_code() == 0
    assert srv.count("POST", GENERATE) == 1


def test_sto_05_a_command_tells_such_an_id_at_once(furnished: Home, srv: Srv) -> None:
    disk = FillsUp(furnished, srv)
    command = shlex.join([sys.executable, "-m", "vivix_tui.cli.main", "watch"])
    through = [*disk.through[:-1], f"{disk.through[-1]} {command}"]
    process = subprocess.Popen(through, env=furnished.env, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr is not None
    try:
        told = [process.stderr.readline(), process.stderr.readline()]
        assert "g-paid was accepted (req_1) but cannot be stored" in told[1]
        disk.free()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def _say(stdin: object) -> None:
    os.write(stdin.fileno(), b"\n")  # type: ignore[attr-defined]


def test_sto_05_a_home_that_is_well_again_needs_no_hand(furnished: Home, maker: Maker) -> None:
    run(furnished, "full disk", "list")
    with Running(furnished, "watch") as watch:
        until(lambda: Journal.of(furnished).states() == {"accepted": 1})
        assert watch.terminate() == 0
    assert len(maker.all()) == 1

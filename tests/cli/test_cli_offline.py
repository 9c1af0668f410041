"""Commands that never need the network: their output, their exit codes, their errors."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.conftest import KEY, Home, make_home, until
from tests.e2e.terminal import Terminal

BODY = '{"model":"m","prompt":"a misty forest"}'


def test_version_help_and_usage(home: Home) -> None:
    assert home.run("--version").stdout == "vivix-tui 0.1.0\n"
    assert "COMMAND" in home.run("--help").stdout
    wrong = home.run("lst")
    assert wrong.returncode == 2
    assert "invalid choice" in wrong.stderr


def test_ter_11_without_a_terminal_the_dashboard_says_what_it_needs(home: Home) -> None:
    run = home.run()
    assert run.returncode == 2
    assert "needs a terminal" in run.stderr
    assert run.stdout == ""
    assert home.run("demo").returncode == 2


def test_track_list_show_and_forget_nothing(home: Home) -> None:
    assert home.run("track", "abc", "x/y?z#%").returncode == 0
    mixed = f'def\n{{"generation_id": "ghi", "body": {BODY}}}\n'
    run = home.run("track", "-", stdin=mixed)
    assert run.stderr == "vivix-tui: tracking 2 generations\n"
    assert run.stdout == ""
    rows = [json.loads(line) for line in home.run("list", "--json").stdout.splitlines()]
    assert {row["generation_id"] for row in rows} == {"abc", "x/y?z#%", "def", "ghi"}
    shown = json.loads(home.run("show", "ghi", "--json").stdout)
    assert shown["body"] == BODY
    assert shown["status"] is None
    assert shown["downloads"] == []
    assert set(shown) == {
        "generation_id", "status", "model", "credits_estimate", "credits_used", "elapsed_ms", "duration_ms",
        "created_at", "completed_at", "error", "message", "output_url", "output_urls", "profile", "tracked_at",
        "checked_at", "gone", "body", "submission_id", "retry_of", "request_id", "next", "downloads",
    }  # fmt: skip
    assert "a misty forest" in home.run("list").stdout
    assert len(home.run("list", "--limit", "1").stdout.splitlines()) == 1


def test_the_json_names_are_the_columns_of_the_tables(home: Home) -> None:
    home.run("track", "abc")
    home.run("submit", "-", "--no-wait", stdin=BODY)
    connection = sqlite3.connect(home.database)
    for command, table in ((("show", "abc"), "generations"), (("list", "--submissions"), "submissions")):
        names = set(json.loads(home.run(*command, "--json").stdout)) - {"downloads"}
        assert names <= {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    columns = {row[1] for row in connection.execute("PRAGMA table_info(downloads)")}
    assert {"index", "url", "state", "path", "size_bytes", "received_bytes", "sha256", "verified", "error"} <= columns
    connection.close()


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "words"),
    [
        (("track", "a b"), "", 2, "cannot be a generation id"),
        (("track", "-"), "\x1b[2J", 2, "line 1"),
        (("track", "-"), "", 2, "no ids were given"),
        (("show", "nobody"), "", 1, "not known"),
        (("submit", "/nonexistent"), "", 2, "/nonexistent: No such file"),
        (("submit", "-"), "{", 2, "stdin, line 1: not JSON"),
        (("retry", "nobody", "--yes"), "", 2, "not known here"),
        (("download", "nobody"), "", 2, "not known here"),
        (("wait", "nobody"), "", 1, "not known"),
        (("resolve", "nobody", "--give-up"), "", 2, "is no submission"),
        (("resolve", "x"), "", 2, "required"),
        (("queue", "hold"), "", 2, "needs the ids"),
        (("queue", "cancel", "nobody"), "", 1, "0 cancelled, 1 left as they were"),
        (("list", "--since", "soon"), "", 2, "--since 'soon' is no time"),
        (("list", "--limit", "-1"), "", 2, "below 0"),
        (("wait", "--timeout", "nan"), "", 2, "not a number above 0"),
        (("credits",), "", 3, "there is no API key"),
        (("--profile", "other", "list"), "", 2, "there is no profile 'other'"),
        (("--config", "/nonexistent.toml", "list"), "", 2, "there is no such file"),
    ],
)
def test_bad_input_is_one_clear_line(home: Home, arguments: tuple[str, ...], stdin: str, code: int, words: str) -> None:
    run = home.run(*arguments, stdin=stdin)
    assert run.returncode == code, run.stderr
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert "\x1b" not in run.stderr


@pytest.mark.parametrize(
    "arguments",
    [(KEY,), ("--key", KEY), (f"--api-key={KEY}",), ("track", KEY), ("show", KEY), ("--profile", KEY, "list"),
     ("list", "--status", f"Bearer {KEY}"), ("submit", KEY), ("retry", f"x{KEY}")],
    ids=" ".join,
)  # fmt: skip
def test_sec_08_a_key_among_the_arguments_is_refused_and_not_repeated(home: Home, arguments: tuple[str, ...]) -> None:
    run = home.run(*arguments)
    assert run.returncode == 2
    assert "an API key is no argument" in run.stderr
    assert KEY not in run.stdout + run.stderr
    assert not home.database.exists()


@pytest.mark.parametrize("line", [KEY, f"abc {KEY}", json.dumps({"generation_id": KEY}), f"Bearer {KEY}"])
def test_sec_02_a_key_that_is_pasted_as_an_id_is_refused_and_kept_nowhere(home: Home, line: str) -> None:
    run = home.run("track", "-", stdin=line)
    assert run.returncode == 2
    assert KEY not in run.stdout + run.stderr
    for path in home.path.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


def test_sec_01_an_error_that_nobody_expected_is_one_line_and_its_traceback_is_in_the_log(home: Home) -> None:
    """Here: somebody made the database take text where a number belongs."""
    home.run("track", "abc")
    for statements in (
        ("PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')')"),
        ("UPDATE generations SET duration_ms = '\x1b[2Jvvx_live_x'",),
    ):
        with sqlite3.connect(home.database) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
    run = home.run("list")
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.startswith("vivix-tui: an internal error (TypeError); more in ")
    assert run.stderr.count("\n") == 1
    log = (home.path / "state" / "vivix-tui" / "vivix.log").read_text()
    assert "Traceback" in log
    assert "vvx_live_x" not in log


def test_an_unreadable_database_ends_with_5(home: Home) -> None:
    home.database.parent.mkdir(parents=True)
    home.database.mkdir()
    run = home.run("list")
    assert run.returncode == 5
    assert str(home.database) in run.stderr


def test_a_damaged_database_is_told_on_stderr_and_kept(home: Home) -> None:
    home.database.parent.mkdir(parents=True)
    home.database.write_bytes(b"noise " * 999)
    run = home.run("track", "abc")
    assert run.returncode == 0
    assert "was damaged and is now vivix.db.damaged-" in run.stderr
    assert "damaged" not in home.run("list").stderr


def test_submissions_queue_offline_and_the_queue_is_worked_by_hand(home: Home) -> None:
    run = home.run("submit", "-", "--no-wait", stdin=f"{BODY}\n{BODY}\n")
    first, second = run.stdout.split()
    assert home.run("queue", "hold", first).returncode == 0
    assert home.run("queue", "top", second).returncode == 0
    rows = [json.loads(line) for line in home.run("queue", "--json").stdout.splitlines()]
    assert [row["submission_id"] for row in rows] == [second, first]
    assert rows[0]["body"] == BODY
    assert "held" in home.run("queue").stdout
    assert home.run("queue", "cancel", first, second).returncode == 0
    assert home.run("queue").stdout == ""
    states = [json.loads(line)["state"] for line in home.run("list", "--submissions", "--json").stdout.splitlines()]
    assert states == ["cancelled", "cancelled"]
    assert home.run("queue", "pause").returncode == 0
    assert "paused by you" in home.run("queue").stderr
    assert home.run("queue", "resume").returncode == 0


def test_config_init_writes_a_private_file_once(home: Home) -> None:
    path = Path(home.run("config", "path").stdout.strip())
    assert path == home.path / "config" / "vivix-tui" / "config.toml"
    assert home.run("config", "init").returncode == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    again = home.run("config", "init")
    assert again.returncode == 2
    assert "is left as it is" in again.stderr
    key_file = path.with_name("api-key")
    key_file.write_text(KEY)
    key_file.chmod(0o600)
    shown = home.run("config", "show")
    assert shown.returncode == 0
    assert str(key_file) in shown.stdout
    assert KEY not in shown.stdout + shown.stderr
    doctor = home.run("doctor").stdout
    assert "ok    key       found" in doctor
    assert KEY not in doctor


def test_doctor_names_what_is_wrong(home: Home) -> None:
    run = home.run("doctor")
    assert run.returncode == 1
    assert "WRONG key       there is none" in run.stdout


def test_hostile_text_is_shown_harmless_and_given_back_whole_as_json(home: Home) -> None:
    hostile = "A\x1b]0;PWNED\x07B\x1b[2J\u202eC [/red]"
    line = json.dumps({"generation_id": "abc", "body": {"model": "m", "prompt": hostile}})
    assert home.run("track", "-", stdin=line).returncode == 0
    for command in (("list",), ("show", "abc"), ("list", "--json"), ("show", "abc", "--json")):
        run = home.run(*command)
        assert run.returncode == 0
        assert not set(run.stdout) & {"\x1b", "\x07", "\u202e"}
    shown = json.loads(home.run("show", "abc", "--json").stdout)
    assert json.loads(shown["body"])["prompt"] == hostile


def test_ter_11_a_locale_without_utf_8_litters_nothing(tmp_path: Path) -> None:
    home = make_home(tmp_path, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    line = json.dumps({"generation_id": "é🌊", "body": {"prompt": "a misty forêt"}})
    assert home.run("track", "-", stdin=line).returncode == 0
    assert home.run("track", "ü-2").returncode == 0
    shown = home.run("list").stdout
    assert "é🌊" in shown
    assert "ü-2" in shown
    assert "a misty forêt" in shown
    assert "\\u" not in shown
    with Terminal(home) as terminal:
        terminal.wait_for("a misty forêt")
        terminal.wait_for("○ not asked")
        assert b"\\u" not in terminal.raw
        terminal.press("q")
        assert terminal.exit_code() == 0


def test_output_into_a_closed_pipe_is_no_error(home: Home) -> None:
    home.run("track", *(f"id-{n}" for n in range(3000)))
    process = home.start("list")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)])
def test_watch_ends_in_order(tmp_path: Path, number: signal.Signals, code: int) -> None:
    home = make_home(tmp_path, VIVIX_API_KEY=KEY, VIVIX_BASE_URL="http://127.0.0.1:9")
    process = home.start("watch")
    until(home.database.exists, what="the database")
    assert process.stderr is not None
    process.stderr.readline()
    os.kill(process.pid, number)
    assert process.wait(5) == code
    process.communicate()


def test_no_key_ends_a_waiting_command_with_3(home: Home) -> None:
    run = home.run("submit", "-", stdin=BODY)
    assert run.returncode == 3
    assert "there is no API key" in run.stderr
    assert "VIVIX_API_KEY" in run.stderr
    assert "stays queued, and goes out once there is a key" in run.stderr
    assert json.loads(home.run("queue", "--json").stdout)["state"] == "queued"


def test_wait_does_not_take_what_is_queued_for_done(tmp_path: Path) -> None:
    home = make_home(tmp_path, VIVIX_API_KEY=KEY, VIVIX_BASE_URL="http://127.0.0.1:9")
    assert home.run("wait").returncode == 0
    home.run("submit", "-", "--no-wait", stdin=BODY)
    assert home.run("wait", "--timeout", "0.5").returncode == 4
    home.run("queue", "pause")
    run = home.run("wait")
    assert run.returncode == 4
    assert "the queue is paused" in run.stderr
    assert "queue resume" in run.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--status", "done"), "pending, processing, completed, failed"), (("--status", "x", "--submissions"), "queued")],
)
def test_a_status_that_nobody_knows_is_said(home: Home, options: tuple[str, ...], words: str) -> None:
    run = home.run("list", *options)
    assert run.returncode == 2
    assert words in run.stderr
    assert home.run("list", "--status", "failed").returncode == 0


def test_a_key_file_that_is_not_there_names_the_way_out(home: Home) -> None:
    assert home.run("config", "init").returncode == 0
    run = home.run("credits")
    assert run.returncode == 3
    assert "api-key: the key cannot be read: No such file or directory" in run.stderr
    assert "put the key there" in run.stderr


def test_a_timeout_ends_a_waiting_command_with_4(tmp_path: Path) -> None:
    home = make_home(tmp_path, VIVIX_API_KEY=KEY, VIVIX_BASE_URL="http://127.0.0.1:9")
    run = home.run("submit", "-", "--timeout", "0.5", stdin=BODY)
    assert run.returncode == 4
    assert json.loads(home.run("queue", "--json").stdout)["state"] == "queued"

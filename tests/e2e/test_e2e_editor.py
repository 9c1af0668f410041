"""A body in the user's editor: a real editor process, in a real terminal and from the command line."""

from __future__ import annotations

import json
import shlex
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Home, until
from tests.e2e.terminal import ENTER, ESC, Terminal
from tests.srv import GENERATE, GET_GENERATION, Srv, generation, id_of, json_reply
from tests.torture.kills import home_for

BODY = '{"model":"grok-imagine-image-quality","prompt":"a fox","seed":7}'
EDITOR = """
import pathlib, sys
path = pathlib.Path(sys.argv[-1])
log = pathlib.Path(__file__).with_name("seen")
log.write_text(log.read_text() + path.read_text() + "\\n---\\n" if log.exists() else path.read_text() + "\\n---\\n")
log.with_name("mode").write_text(oct(path.stat().st_mode) + " " + oct(path.parent.stat().st_mode))
steps = pathlib.Path(__file__).with_name("steps").read_text().splitlines()
step, rest = steps[0], steps[1:] or steps[:1]
pathlib.Path(__file__).with_name("steps").write_text("\\n".join(rest))
if step == "break":
    path.write_text(path.read_text().replace("}", ""))
elif step == "mend":
    path.write_text(path.read_text().rstrip() + "}")
elif step == "wolf":
    path.write_text(path.read_text().replace("fox", "wolf"))
sys.exit(1 if step == "fail" else 0)
"""


class Editor:
    """An editor that does one step each time it is opened: keep, wolf, break, mend or fail."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        (folder / "editor.py").write_text(EDITOR)
        self.command = f"{sys.executable} {folder / 'editor.py'}"

    def will(self, *steps: str) -> None:
        (self._folder / "steps").write_text("\n".join(steps))

    @property
    def seen(self) -> list[str]:
        return (self._folder / "seen").read_text().split("\n---\n")[:-1]

    @property
    def modes(self) -> list[int]:
        return [stat.S_IMODE(int(mode, 8)) for mode in (self._folder / "mode").read_text().split()]


@pytest.fixture
def editor(tmp_path: Path) -> Editor:
    return Editor(tmp_path / "editor")


@pytest.fixture
def srv() -> Iterator[Srv]:
    with Srv() as server:
        server.on("GET", GET_GENERATION, lambda r: json_reply(200, generation(id_of(r), "failed")))
        server.on("POST", GENERATE, lambda r: json_reply(201, {"generation_id": f"g{server.count('POST', GENERATE)}"}))
        yield server


@pytest.fixture
def well(tmp_path: Path, srv: Srv, editor: Editor) -> Home:
    """A home with one failed generation, whose program talks to `srv` and opens `editor`."""
    home = home_for(tmp_path / "home", srv, "[api]\ntimeout_s = 20\n")
    home.env["EDITOR"] = editor.command
    home.env.pop("VISUAL", None)
    assert home.run("submit", "-", stdin=BODY).returncode == 0
    assert home.run("wait", "g1").returncode == 1
    return home


def sent(srv: Srv) -> list[str]:
    return [request.body.decode() for request in srv.calls("POST", GENERATE)]


def test_an_edited_body_is_shown_as_a_difference_and_sent_as_it_was_written(
    well: Home, srv: Srv, editor: Editor
) -> None:
    editor.will("wolf")
    with Terminal(well) as terminal:
        terminal.wait_for("✗ failed")
        terminal.press("E")
        terminal.wait_for("Send the edited body")
        terminal.wait_for(r'-\s+"prompt": "a fox"')
        terminal.wait_for(r'\+\s+"prompt": "a wolf"')
        terminal.press("y")
        until(lambda: len(sent(srv)) == 2)
        terminal.leave()
        assert terminal.exit_code() == 0
    assert json.loads(sent(srv)[1]) == json.loads(BODY) | {"prompt": "a wolf"}
    assert editor.seen == [json.dumps(json.loads(BODY), indent=2)]
    assert editor.modes == [0o600, 0o700]


def test_what_was_broken_in_the_editor_is_not_lost_and_enter_sends_nothing(
    well: Home, srv: Srv, editor: Editor
) -> None:
    editor.will("break", "mend", "keep")
    with Terminal(well) as terminal:
        terminal.wait_for("✗ failed")
        terminal.press("E")
        terminal.wait_for("the edited body is not JSON")
        terminal.press("e")
        terminal.wait_for("Nothing changed: the same body is sent again")
        assert "}" not in editor.seen[1]
        terminal.press(ENTER)
        terminal.wait_until_gone("Nothing changed")
        assert len(sent(srv)) == 1
        terminal.press("E")
        terminal.wait_for("Nothing changed")
        terminal.press("y")
        until(lambda: len(sent(srv)) == 2)
        terminal.leave()
        assert terminal.exit_code() == 0
    assert sent(srv)[1] == BODY


def test_an_editor_that_fails_sends_nothing(well: Home, srv: Srv, editor: Editor) -> None:
    editor.will("fail")
    with Terminal(well) as terminal:
        terminal.wait_for("✗ failed")
        terminal.press("E")
        terminal.wait_for("ended with 1")
        terminal.press(ENTER)
        terminal.leave()
        assert terminal.exit_code() == 0
    assert len(sent(srv)) == 1


def test_the_command_line_shows_the_difference_and_sends_what_was_edited(well: Home, srv: Srv, editor: Editor) -> None:
    editor.will("wolf")
    asked = well.run("retry", "g1", "--edit")
    assert (asked.returncode, len(sent(srv))) == (2, 1)
    assert "--yes" in asked.stderr
    done = well.run("retry", "g1", "--edit", "--yes")
    assert done.returncode == 0
    assert '+ "prompt": "a wolf"' in done.stderr
    assert json.loads(sent(srv)[1])["prompt"] == "a wolf"


@pytest.mark.parametrize(
    ("step", "words"), [("break", "the edited body is not JSON"), ("fail", "ended with 1, nothing was sent")]
)
def test_the_command_line_refuses_what_cannot_be_sent(
    well: Home, srv: Srv, editor: Editor, step: str, words: str
) -> None:
    editor.will(step)
    refused = well.run("retry", "g1", "--edit", "--yes")
    assert (refused.returncode, len(sent(srv))) == (2, 1)
    assert words in refused.stderr


def test_without_an_editor_it_says_how_to_name_one(well: Home) -> None:
    del well.env["EDITOR"]
    well.env["PATH"] = "/nonexistent"
    refused = well.run("retry", "g1", "--edit", "--yes")
    assert refused.returncode == 2
    assert "there is no editor here" in refused.stderr
    assert "set EDITOR" in refused.stderr


def test_submit_asks_above_the_users_limit_on_a_terminal_only(well: Home, srv: Srv) -> None:
    (well.path / "bodies").write_text("\n".join([BODY] * 3))
    with Terminal(well, "submit", "bodies") as terminal:
        terminal.wait_for(r"submit 3 for (240 to 633 credits|an unknown price)\? \[y/N\]")
        terminal.type("\r")
        assert terminal.exit_code() == 2
    assert len(sent(srv)) == 1
    with Terminal(well, "submit", "bodies") as terminal:
        terminal.wait_for(r"\[y/N\]")
        terminal.type("y\r")
        assert terminal.exit_code(20) == 0
    assert len(sent(srv)) == 4
    assert well.run("submit", "bodies").returncode == 0


def test_ctrl_c_in_the_editor_is_the_editors(well: Home) -> None:
    # No shell: one forgets a Ctrl-C that comes just before the command it starts.
    says_so = "import time; print('IT IS UP', flush=True); time.sleep(60)"
    well.env["EDITOR"] = shlex.join([sys.executable, "-c", says_so])
    with Terminal(well) as terminal:
        terminal.wait_for("▌ g1")
        terminal.press("E")
        terminal.wait_for("IT IS UP")
        terminal.press("\x03")
        terminal.wait_for("▌ g1")
        terminal.wait_for("ended with -2|ended with 130")
        terminal.press(ESC)
        terminal.wait_until_gone("ended with")
        terminal.leave()
        assert terminal.exit_code() == 0

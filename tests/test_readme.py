"""Every command of the README is typed as it stands there, by bash, against the demo API."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conftest import Api, make_home
from tests.e2e.terminal import ESC, Terminal

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
LINES = [
    line.partition(" #")[0].strip()
    for block in re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
    if line.partition(" #")[0].strip()
]
DASHBOARDS = [
    line for line in LINES if line == "vivix-tui" or (line.startswith("vivix-tui demo") and "--serve" not in line)
]
ELSEWHERE = ("make ", "pip install", "export ", "vivix-tui demo --serve")
COMMANDS = [line for line in LINES if line not in DASHBOARDS and not line.startswith(ELSEWHERE)]


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    assert len(README.splitlines()) < 150
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_two_commands_come_first() -> None:
    assert [line.split()[1] for line in LINES[:2]] == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text()
    for target in (line.split()[1] for line in LINES if line.startswith("make ")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_there_are_commands_to_test() -> None:
    assert len(COMMANDS) >= 6
    assert len(DASHBOARDS) >= 2


def shims(folder: Path) -> Path:
    """`vivix-tui` as the installed script would run, and the reader's own pipeline."""
    folder.mkdir()
    programs = {
        "vivix-tui": f'exec {sys.executable} -m vivix_tui.cli.main "$@"',
        "my-pipeline": """echo 'an-id'; echo '{"generation_id": "another", "body": {"prompt": "x"}}'""",
    }
    for name, line in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod((folder / name).stat().st_mode | stat.S_IXUSR)
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_works(command: str, tmp_path: Path, demo_api: Callable[..., Api]) -> None:
    api = demo_api("empty", speed=50)
    home = make_home(tmp_path, VIVIX_API_KEY=api.key, VIVIX_BASE_URL=api.base_url)
    env = home.env | {"PATH": f"{shims(tmp_path / 'bin')}{os.pathsep}{home.env['PATH']}"}
    run = subprocess.run(
        ["bash", "-euc", command], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("command", DASHBOARDS)
def test_a_dashboard_of_the_readme_opens(command: str, tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with Terminal(home, *command.split()[1:]) as terminal:
        terminal.wait_for(r"vivix-tui", 30)
        if "PROMPT" not in terminal.wait_for(r"PROMPT|VIVIX_API_KEY"):
            terminal.wait_for("Welcome to vivix-tui")
            terminal.press(ESC)
            terminal.wait_until_gone("Welcome")
        terminal.press("q")
        assert terminal.exit_code() == 0


def test_the_walk_shows_pictures_that_exist() -> None:
    walk = ROOT / "docs" / "walk.md"
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", walk.read_text())
    assert len(pictures) > 15
    for picture in pictures:
        assert (walk.parent / unquote(picture)).is_file(), picture
    assert "docs/walk.md" in README

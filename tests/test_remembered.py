"""What the dashboard remembers: private, whole at any moment, and never a reason not to start."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from vivix_tui.config import Settings
from vivix_tui.errors import StateError
from vivix_tui.remembered import Remembered, load, remember


def test_choices_come_back_private_and_each_profile_has_its_own_downloads(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state.toml"
    choices = {"theme": "vivix-light", "columns": ("id", "status"), "sort": "-credits", "bell": False, "quiet": ""}
    for name, value in choices.items():
        remember(path, "a", name, value)
    remember(path, "a", "directory", "/data/a")
    remember(path, "b", "auto", "completed")
    assert load(path, "a") == (Remembered(**choices, directory="/data/a"), None)  # type: ignore[arg-type]
    assert load(path, "b") == (Remembered(**choices, auto="completed"), None)  # type: ignore[arg-type]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    remember(path, "a", "theme", None)
    assert load(path, "a")[0].theme is None
    assert [item.name for item in path.parent.iterdir() if item.name.startswith(".")] == []


def test_what_was_chosen_stands_in_the_place_of_what_the_config_says() -> None:
    configured = Settings()
    chosen = Remembered(theme="x", bell=False, directory="/d", auto="marked", columns=("id",))
    settings = chosen.over(configured)
    assert (settings.ui.theme, settings.ui.columns, settings.notify.bell) == ("x", ("id",), False)
    assert (settings.download.directory, settings.download.auto) == ("/d", "marked")
    assert settings.notify.terminal == configured.notify.terminal
    assert Remembered().over(configured) == configured


@pytest.mark.parametrize("damage", [b"x = [", b"\xff\xfe", b"[ui]\ntheme = 1\n[ui]\n"])
def test_a_damaged_file_is_set_aside_with_one_line(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "state.toml"
    path.write_bytes(damage)
    found, told = load(path, "a")
    assert found == Remembered()
    assert told is not None
    assert "state.toml.damaged" in told
    assert "\n" not in told
    assert path.with_name("state.toml.damaged").read_bytes() == damage
    assert load(path, "a") == (Remembered(), None)
    path.write_bytes(damage)
    remember(path, "a", "theme", "vivix")
    assert load(path, "a")[0].theme == "vivix"


def test_unknown_and_wrong_keys_are_told_and_kept_and_all_else_is_used(tmp_path: Path) -> None:
    path = tmp_path / "state.toml"
    text = 'top = 1\n[ui]\ntheme = "vivix"\nfuture = 1\nsort = 5\n[notify]\nquiet = "late"\nterminal = "loud"\n'
    path.write_text(f"{text}[profiles.a]\nx = 1\n")
    found, told = load(path, "a")
    assert found == Remembered(theme="vivix")
    for name in ("top", "ui.future", "ui.sort", "notify.quiet", "notify.terminal", "profiles.x"):
        assert name in (told or "")
    remember(path, "a", "bell", False)
    assert tomllib.loads(path.read_text())["ui"]["future"] == 1
    path.write_text('ui = "x"\nprofiles = 3\n')
    assert load(path, "a")[0] == Remembered()
    remember(path, "a", "directory", "/d")
    assert load(path, "a")[0] == Remembered(directory="/d")


def test_a_folder_that_takes_no_file_is_an_error_with_words(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StateError, match="cannot be written"):
        remember(blocked / "state.toml", "a", "theme", "x")
    assert load(blocked / "state.toml", "a")[0] == Remembered()


WRITER = """
import sys
from pathlib import Path
from vivix_tui.remembered import remember
path, profile = Path(sys.argv[1]), sys.argv[2]
for number in range(60):
    remember(path, profile, "directory", f"/{profile}/{number}")
    remember(path, profile, "theme" if profile == "a" else "quiet", "vivix" if profile == "a" else "22:00-07:00")
"""


def test_two_dashboards_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "state.toml"
    command = [sys.executable, "-c", WRITER, str(path)]
    running = [subprocess.Popen([*command, name], env=os.environ) for name in ("a", "b")]
    while any(process.poll() is None for process in running):
        assert load(path, "a")[1] is None, "it is whole at any moment"
    assert [process.returncode for process in running] == [0, 0]
    assert load(path, "a")[0] == Remembered(theme="vivix", quiet="22:00-07:00", directory="/a/59")
    assert load(path, "b")[0] == Remembered(theme="vivix", quiet="22:00-07:00", directory="/b/59")

"""The first start, in a real terminal, against the demo API in another process. The key is nowhere but in its file."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Api, Home, make_home
from tests.e2e.terminal import ENTER, ESC, Terminal

StartApi = Callable[..., Api]
WRONG = "vvx_live_" + "wrong000" * 4


def paste(terminal: Terminal, text: str) -> None:
    terminal.type(f"\x1b[200~{text}\x1b[201~")


def nowhere(home: Home, terminal: Terminal, *canaries: str, but: Path | None = None) -> None:
    """No canary is among the bytes of the screen or in any file below the home."""
    for canary in canaries:
        assert canary.encode() not in terminal.raw
        for file in home.path.rglob("*"):
            if file.is_file() and file != but:
                assert canary.encode() not in file.read_bytes(), file


def test_a_good_key_is_kept_and_the_next_start_asks_for_nothing(tmp_path: Path, demo_api: StartApi) -> None:
    api = demo_api("empty", speed=20)
    home = make_home(tmp_path, VIVIX_BASE_URL=api.base_url)
    folder = tmp_path / "config" / "vivix-tui"
    with Terminal(home, columns=80, rows=24) as terminal:
        terminal.wait_for("Welcome to vivix-tui")
        paste(terminal, f"  {api.key}\n")
        terminal.wait_for("41 characters")
        terminal.press(ENTER)
        terminal.wait_for(r"The key works: \w+, [\d,]+ credits", 30)
        terminal.press("k")
        terminal.wait_for(r"\bwrote\b")
        terminal.wait_for("● live")
        terminal.press("q")
        assert terminal.exit_code() == 0
        nowhere(home, terminal, api.key, but=folder / "api-key")
    assert (folder / "api-key").read_text() == api.key + "\n"
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (folder, folder / "api-key", folder / "config.toml")]
    assert modes == [0o700, 0o600, 0o600]
    with Terminal(home) as terminal:
        terminal.wait_for("● live", 30)
        assert "Welcome" not in terminal.text
        terminal.press("q")
        assert terminal.exit_code() == 0
        nowhere(home, terminal, api.key, but=folder / "api-key")


def test_a_wrong_key_is_told_and_another_used_for_this_time(tmp_path: Path, demo_api: StartApi) -> None:
    api = demo_api("empty", speed=20)
    home = make_home(tmp_path, VIVIX_BASE_URL=api.base_url)
    with Terminal(home) as terminal:
        terminal.wait_for("Welcome to vivix-tui")
        answered = "none"
        for _ in range(2):  # the second time just the same, but for the number of the request
            paste(terminal, WRONG)
            terminal.press(ENTER)
            refused = terminal.wait_for(rf"paste it here(?s:.*)KEY_INVALID(?s:.*)req_(?!{answered})\w+", 30)
            answered = refused.rpartition("req_")[2]
        paste(terminal, api.key)
        terminal.press(ENTER)
        terminal.wait_for("The key works", 30)
        terminal.press("s")
        terminal.wait_for("● live")
        terminal.press("q")
        assert terminal.exit_code() == 0
        nowhere(home, terminal, WRONG, api.key)
    assert not (tmp_path / "config").exists()


def test_offline_a_key_can_be_kept_unchecked(tmp_path: Path) -> None:
    home = make_home(tmp_path, VIVIX_BASE_URL="http://127.0.0.1:9")
    with Terminal(home) as terminal:
        terminal.wait_for("Welcome to vivix-tui")
        terminal.type(WRONG)
        terminal.press(ENTER)
        terminal.wait_for("could not be checked", 30)
        terminal.press("k")
        terminal.wait_for(r"\bwrote\b")
        terminal.wait_for("offline")
        terminal.press("q")
        assert terminal.exit_code() == 0
        nowhere(home, terminal, WRONG, but=tmp_path / "config" / "vivix-tui" / "api-key")


def test_a_config_that_exists_is_left_as_it_is(tmp_path: Path, demo_api: StartApi) -> None:
    api = demo_api("empty", speed=20)
    home = make_home(tmp_path, VIVIX_BASE_URL=api.base_url)
    folder = tmp_path / "config" / "vivix-tui"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("[ui]\nascii = true # mine\n")
    with Terminal(home) as terminal:
        terminal.wait_for("Welcome to vivix-tui")
        paste(terminal, api.key)
        terminal.press(ENTER)
        terminal.wait_for(r"exists(?s:.*)is left as(?s:.*)api_key_file", 30)  # the path decides where a line ends
        terminal.press("k", ESC)
        terminal.wait_until_gone("Welcome")
        terminal.press("q")
        assert terminal.exit_code() == 0
        nowhere(home, terminal, api.key)
    assert [p.name for p in folder.iterdir()] == ["config.toml"]
    assert (folder / "config.toml").read_text() == "[ui]\nascii = true # mine\n"


def test_what_config_init_wrote_is_completed_by_the_welcome(tmp_path: Path, demo_api: StartApi) -> None:
    api = demo_api("empty", speed=20)
    home = make_home(tmp_path, VIVIX_BASE_URL=api.base_url)
    assert home.run("config", "init").returncode == 0
    config = tmp_path / "config" / "vivix-tui" / "config.toml"
    before = config.read_bytes()
    with Terminal(home) as terminal:
        terminal.wait_for("Welcome to vivix-tui")
        paste(terminal, api.key)
        terminal.press(ENTER)
        terminal.wait_for("The key works", 30)
        terminal.press("k")
        terminal.wait_for(r"\bwrote\b")
        terminal.press("q")
        assert terminal.exit_code() == 0
        nowhere(home, terminal, api.key, but=config.with_name("api-key"))
    assert config.read_bytes() == before
    assert home.run("doctor").returncode == 0


def test_the_welcome_opens_the_demo_and_esc_the_empty_dashboard(home: Home) -> None:
    with Terminal(home) as terminal:
        terminal.wait_for("Welcome to vivix-tui")
        terminal.press("\x14")
        terminal.wait_for(r"demo·(pro|ultimate)", 60)
        terminal.press("q")
        terminal.leave()
        assert terminal.exit_code() == 0
        assert b"\x1b[?1049l" in terminal.raw
    with Terminal(home) as terminal:
        terminal.wait_for("Welcome to vivix-tui")
        terminal.press(ESC)
        terminal.wait_for("Nothing is tracked yet")
        terminal.press("q")
        assert terminal.exit_code() == 0

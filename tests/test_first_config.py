"""Where a key is kept, by what is there already; that nothing is replaced, and everything private from the start."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import msgspec
import pytest

from tests.conftest import KEY
from vivix_tui import keys
from vivix_tui.config import Config, Paths, Profile, Settings, load
from vivix_tui.errors import ConfigError
from vivix_tui.first_config import keep_key, place_for_key, write_config

API_KEY = keys.ApiKey(KEY)
NO_ENVIRONMENT: dict[str, str] = {}


def config_in(folder: Path, **account: object) -> Config:
    paths = Paths(config=folder / "c.toml", database=folder / "db", log=folder / "log", state=folder / "state")
    return Config(settings=Settings(), profile="default", account=msgspec.convert(account, Profile), paths=paths)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_where_there_is_nothing_config_and_key_are_written_and_found(tmp_path: Path) -> None:
    config = config_in(tmp_path / "new" / "folder", base_url="http://127.0.0.1:9")
    path, key_file = config.paths.config, config.paths.config.with_name("api-key")
    assert keep_key(config, API_KEY, NO_ENVIRONMENT) == f"wrote {path} and {key_file}"
    assert [mode(p) for p in (path, key_file, path.parent, path.parent.parent)] == [0o600, 0o600, 0o700, 0o700]
    found = load(NO_ENVIRONMENT, file=path)
    assert found.account.base_url == "http://127.0.0.1:9", "it is sent where it was tried"
    assert keys.read(found.account, NO_ENVIRONMENT) == API_KEY
    assert sorted(p.name for p in path.parent.iterdir()) == ["api-key", "c.toml"]


def test_what_config_init_left_is_completed(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    write_config(config.paths)
    before = config.paths.config.read_bytes()
    config = load(NO_ENVIRONMENT, file=config.paths.config)
    assert keep_key(config, API_KEY, NO_ENVIRONMENT) == f"wrote {tmp_path / 'api-key'}"
    assert keys.read(config.account, NO_ENVIRONMENT) == API_KEY
    assert config.paths.config.read_bytes() == before


@pytest.mark.parametrize(
    ("there", "account", "environ", "says"),
    [
        (["c.toml"], {}, {}, "api_key_file = "),
        (["api-key"], {}, {}, "api-key exists and is left as it is"),
        (["c.toml", "mine"], {"api_key_file": "mine"}, {}, "mine exists and is left as it is"),
        (["c.toml"], {"api_key_command": "pass show vivix"}, {}, "takes the key from a command"),
        (["c.toml"], {"keyring": True}, {}, "takes the key from the keyring"),
        ([], {}, {"VIVIX_API_KEY": "x"}, "VIVIX_API_KEY is set and comes first"),
    ],
)
def test_what_is_there_is_never_changed_and_the_way_is_told(
    tmp_path: Path, there: list[str], account: dict[str, object], environ: dict[str, str], says: str
) -> None:
    for name in there:
        (tmp_path / name).write_text("# mine\n")
    if "api_key_file" in account:
        account = {"api_key_file": str(tmp_path / "mine")}
    config = config_in(tmp_path, **account)
    assert says in place_for_key(config, environ).obstacle
    with pytest.raises(ConfigError, match=says.split(maxsplit=1)[0]):
        keep_key(config, API_KEY, environ)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(there)
    assert all((tmp_path / name).read_text() == "# mine\n" for name in there)


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "c.toml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="exists"):
        write_config(config_in(tmp_path).paths)
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        keep_key(config_in(tmp_path / "file"), API_KEY, NO_ENVIRONMENT)
    assert os.listdir(tmp_path) == ["file"]


def test_the_first_config_names_only_what_is_known(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    key_file = write_config(config.paths)
    written = tomllib.loads(config.paths.config.read_text())
    assert written["profiles"]["default"]["api_key_file"] == str(key_file)
    assert not key_file.exists()
    with pytest.raises(ConfigError, match="exists and is left as it is"):
        write_config(config.paths)

"""Settings: the example is the code's own, errors name file, key and the nearest valid key, keys are never shown."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import msgspec
import pytest

from tests.conftest import make_home
from vivix_tui import config, keys
from vivix_tui.errors import ConfigError, KeyProblem

ROOT = Path(__file__).resolve().parents[1]
KEY = "vvx_live_" + "test" * 8


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_the_example_names_every_setting_with_its_default() -> None:
    example = tomllib.loads((ROOT / "config.example.toml").read_text())
    assert example["profiles"].pop("default") == msgspec.to_builtins(config.Profile())
    defaults = msgspec.to_builtins(config.Settings())
    for section, name in (("ui", "columns"), ("retry", "models")):
        defaults[section][name] = list(defaults[section][name])
    assert example == defaults


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[api]\ntimout_s = 3", "unknown key api.timout_s, did you mean timeout_s?"),
        ('proflie = "x"', "unknown key proflie, did you mean profile?"),
        ('[profiles.a]\nbase_urll = "x"', "unknown key profiles.a.base_urll, did you mean base_url?"),
        ('[api]\ntimeout_s = "x"', "api.timeout_s: expected `float`, got `str`"),
        ("[api]\ntimeout_s = 0", "api.timeout_s is 0, it takes 1 to 600"),
        ("[api]\ntimeout_s = nan", "api.timeout_s is nan"),
        ("[download]\nparallel = 99", "download.parallel is 99"),
        ('[history]\nkeep = "a year"', "history.keep is 'a year', it takes"),
        ('[history]\nkeep = "0d"', "history.keep is '0d'"),
        ('[download]\nauto = "yes"', "download.auto: invalid enum value 'yes'"),
        ('profile = "b"\n[profiles.abc]', "there is no profile 'b'"),
        ('profile = "../x"', "cannot be a profile's name"),
        ("x = [", "not TOML"),
        ('profiles = "x"', "profiles: expected"),
        ('[profiles.default]\nbase_url = "http://example.com"', "plain http would show the key"),
        ('[profiles.default]\nbase_url = "https://u:p@example.com"', "no user name"),
        ('[profiles.default]\nbase_url = "ftp://example.com"', "is not an https URL"),
        ('[profiles.default]\nbase_url = "https://[::1"', "is not a URL"),
        ('[profiles.default]\nbase_url = "https://h:99999"', "is not a URL"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        config.load({}, file=path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_named_file_must_exist_and_the_default_one_need_not(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        config.load({}, file=tmp_path / "none.toml")
    with pytest.raises(ConfigError):
        config.load({"VIVIX_CONFIG": str(tmp_path / "none.toml")})


def test_environment_beats_the_file_and_the_command_line_beats_both(tmp_path: Path) -> None:
    text = 'profile = "a"\n[profiles.a]\nbase_url = "https://a.example"\n[profiles.b]\n[profiles.c]\n'
    path = write(tmp_path, text)
    assert config.load({}, file=path).profile == "a"
    assert config.load({"VIVIX_PROFILE": "b"}, file=path).profile == "b"
    assert config.load({"VIVIX_PROFILE": "b"}, file=path, profile="c").profile == "c"
    loaded = config.load({"VIVIX_BASE_URL": "http://127.0.0.1:8000/"}, file=path)
    assert loaded.account.base_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.1", "http://[::1]:80", "https://h.example/x"])
def test_plain_http_is_for_this_machine_alone(url: str) -> None:
    assert config.check_base_url(url + "/", "test") == url


@pytest.mark.parametrize("raw", [KEY, f"  {KEY}\n", f'"{KEY}"', f"Bearer {KEY}", f"'bearer  {KEY}'", f'Bearer "{KEY}"'])
def test_what_people_paste_around_a_key_is_removed(raw: str) -> None:
    assert keys.clean(raw, "x").reveal() == KEY


@pytest.mark.parametrize("raw", ["", "  ", '""', f"{KEY} {KEY}", f"{KEY}é", f"{KEY}\x1b", f"{KEY}\nX: y"])
def test_sec_01_a_bad_key_is_refused_without_showing_it(raw: str) -> None:
    with pytest.raises(KeyProblem) as caught:
        keys.clean(raw, "x")
    assert "vvx_live_" not in f"{caught.value}{caught.value.hint}{caught.value!r}"


def test_a_key_does_not_show_itself() -> None:
    key = keys.clean(KEY, "x")
    assert KEY not in f"{key} {key!r} {[key]} {key.__reduce_ex__}"
    assert key == keys.ApiKey(KEY)
    assert hash(key) == hash(keys.ApiKey(KEY))


def test_where_a_key_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    from_file = config.Profile(api_key_file=str(file))
    found = keys.read(from_file, {})
    assert found is not None
    assert found.reveal() == KEY
    other = KEY.replace("test", "envi")
    from_env = keys.read(from_file, {"VIVIX_API_KEY": other})
    assert from_env is not None
    assert from_env.reveal() == other
    command = f"{sys.executable} -c \"print('{KEY}')\""
    from_command = keys.read(config.Profile(api_key_command=command, api_key_file=str(file)), {"VIVIX_API_KEY": " "})
    assert from_command is not None
    assert from_command.reveal() == KEY
    assert keys.read(config.Profile(), {}) is None


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (config.Profile(api_key_command="/nonexistent"), "cannot be run"),
        (config.Profile(api_key_command="false"), "ended with code 1"),
        (config.Profile(api_key_command="true"), "the key is empty"),
        (config.Profile(api_key_command="'"), "cannot be run"),
        (config.Profile(api_key_file="/nonexistent/key"), "cannot be read"),
    ],
)
def test_a_source_that_fails_says_so(profile: config.Profile, words: str) -> None:
    with pytest.raises(KeyProblem) as caught:
        keys.read(profile, {})
    assert words in str(caught.value)


def test_sec_08_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o640)
    with pytest.raises(KeyProblem) as caught:
        keys.read(config.Profile(api_key_file=str(file)), {})
    assert "others can read" in str(caught.value)
    assert f"chmod 600 {file}" in caught.value.hint


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("time.sleep(60)", "the keyring did not answer within 2 s"),
        ("raise RuntimeError('no D-Bus')", "the keyring cannot be read: RuntimeError"),
        ("return None", "there is no API key"),
    ],
)
def test_sec_08_a_keyring_without_a_d_bus_holds_nobody_up(tmp_path: Path, does: str, words: str) -> None:
    (tmp_path / "keyring.py").write_text(f"import time\ndef get_password(*_):\n    {does}\n")
    home = make_home(tmp_path, PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    file = tmp_path / "config" / "vivix-tui" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[profiles.default]\nkeyring = true\n")
    began = time.monotonic()
    run = home.run("credits")
    assert (run.returncode, "Traceback" in run.stderr) == (3, False)
    assert words in run.stderr
    assert time.monotonic() - began < 20


def test_the_key_is_no_argument() -> None:
    command = [sys.executable, "-m", "vivix_tui.cli.main", "--api-key", KEY, "list"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr

"""A first config, and the file of a key that somebody wants kept.

Owns: what a first config holds, and where a key that was typed in may be written. Refuses: changing or replacing a
file that exists: settings and keys that are there are the user's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from vivix_tui import keys
from vivix_tui.config import DEFAULT_BASE_URL, Config, Paths
from vivix_tui.errors import ConfigError
from vivix_tui.files import make_private_folder, write_new_file

KEY_FILE = "api-key"


class Place(Struct, frozen=True):
    """Where a key would be kept: `key_file`, and `config` where that has to be written, too.

    `obstacle` says why it cannot be kept from here, and what to do instead.
    """

    key_file: Path
    config: Path | None = None
    obstacle: str = ""


def write_config(paths: Paths, base_url: str = DEFAULT_BASE_URL) -> Path:
    """Writes a first config; returns the key file that it names, which is not there yet. Raises ConfigError."""
    import tomli_w  # noqa: PLC0415 - few need it

    key_file = paths.config.with_name(KEY_FILE)
    first = {
        "profile": "default",
        "profiles": {"default": {"base_url": base_url, "api_key_file": str(key_file)}},
        "download": {"directory": "~/vivix"},
    }
    _write(paths.config, tomli_w.dumps(first))
    return key_file


def place_for_key(config: Config, environ: Mapping[str, str] | None = None) -> Place:
    """Where a key of this profile can be kept so that it is found at the next start."""
    environ = os.environ if environ is None else environ
    account, path = config.account, config.paths.config
    key_file = Path(account.api_key_file).expanduser() if account.api_key_file else path.with_name(KEY_FILE)
    obstacle = ""
    if environ.get(keys.ENV, "").strip():
        obstacle = f"{keys.ENV} is set and comes first: put the key there."
    elif account.api_key_command:
        obstacle = f"{path} takes the key from a command: put the key where that looks."
    elif account.api_key_file and os.path.lexists(key_file):
        obstacle = f"{key_file} exists and is left as it is: put the key there."
    elif account.keyring:
        obstacle = f"{path} takes the key from the keyring: put the key there."
    elif account.api_key_file:
        return Place(key_file)
    elif os.path.lexists(path):
        obstacle = f'{path} exists and is left as it is: name a private file there, api_key_file = "{key_file}".'
    elif os.path.lexists(key_file):
        obstacle = f"{key_file} exists and is left as it is; `vivix-tui config init` writes a config that names it."
    return Place(key_file, path, obstacle)


def keep_key(config: Config, key: keys.ApiKey, environ: Mapping[str, str] | None = None) -> str:
    """Writes the key's file, and the config where there is none. Returns what was done; raises ConfigError."""
    place = place_for_key(config, environ)
    if place.obstacle:
        raise ConfigError(place.obstacle)
    # The config first: alone it is what `config init` leaves, and the key can be asked for again.
    if place.config is not None:
        write_config(config.paths, config.account.base_url)
    _write(place.key_file, key.reveal() + "\n")
    return f"wrote {place.config} and {place.key_file}" if place.config else f"wrote {place.key_file}"


def _write(path: Path, text: str) -> None:
    if os.path.lexists(path):
        raise ConfigError(f"{path} exists and is left as it is", hint="edit it, or remove it first")
    try:
        make_private_folder(path.parent)
        write_new_file(path, text)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None

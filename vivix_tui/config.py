"""Settings: the TOML file, the environment and the command line made one frozen value.

Owns: the names and defaults of all settings, where files lie, and errors that name file, key and the nearest valid
key. Refuses: reading the API key (that is `keys.py`), and anything at import time.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec
import platformdirs

from vivix_tui.domain.news import quiet_hours
from vivix_tui.domain.text import one_line
from vivix_tui.errors import ConfigError, UsageError

APP = "vivix-tui"
DEFAULT_BASE_URL = "https://vivix-atelier.vercel.app"
_NAME_HINT = "use letters, digits, - and _"
_KEEP = re.compile(r"forever|[1-9][0-9]{0,4}d")
_PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Profile(_Section, frozen=True):
    """One account. The key comes from one of the three sources, or from the environment."""

    base_url: str = DEFAULT_BASE_URL
    api_key_command: str = ""
    api_key_file: str = ""
    keyring: bool = False
    auto_download: Literal["", "off", "completed", "marked"] = ""


class Api(_Section, frozen=True):
    timeout_s: float = 30.0


class Poll(_Section, frozen=True):
    least_share: float = 0.20


class Spend(_Section, frozen=True):
    confirm_above: int = 500
    daily_cap: int = 0


class Retry(_Section, frozen=True):
    auto: bool = False
    max_attempts: int = 2
    models: tuple[str, ...] = ()


class Download(_Section, frozen=True):
    directory: str = "~/vivix"
    template: str = "{date}/{model}-{id8}-{index}"
    auto: Literal["off", "completed", "marked"] = "off"
    parallel: int = 3
    stall_s: float = 30.0
    max_size_mb: int = 0
    reserve_mb: int = 500
    bandwidth: int = 0
    sidecar: bool = True
    allow_private: bool = False


class Preview(_Section, frozen=True):
    protocol: Literal["auto", "kitty", "sixel", "half", "off"] = "auto"


class Notify(_Section, frozen=True):
    bell: bool = True
    terminal: Literal["auto", "off"] = "auto"
    quiet: str = ""


class Ui(_Section, frozen=True):
    theme: str = "auto"
    ascii: bool = False
    columns: tuple[str, ...] = ()


class History(_Section, frozen=True):
    keep: str = "forever"

    @property
    def days(self) -> int | None:
        """How long ended rows are kept; None: for ever."""
        return None if self.keep == "forever" else int(self.keep.removesuffix("d"))


class Settings(_Section, frozen=True):
    """The whole file; every key has a default."""

    profile: str = "default"
    profiles: dict[str, Profile] = {}
    api: Api = Api()
    poll: Poll = Poll()
    spend: Spend = Spend()
    retry: Retry = Retry()
    download: Download = Download()
    preview: Preview = Preview()
    notify: Notify = Notify()
    ui: Ui = Ui()
    keys: dict[str, str] = {}
    history: History = History()


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """Where this program keeps its files; folders are made when first written to."""

    config: Path
    database: Path
    log: Path
    state: Path
    thumbnails: Path | None = None

    @property
    def glimpses(self) -> Path:
        """Outputs that were fetched to be looked at; they are thrown away as others come."""
        return (self.thumbnails or self.state).with_name("glimpses")


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What a run works with: the settings, the chosen profile, the files."""

    settings: Settings
    profile: str
    account: Profile
    paths: Paths


def default_paths(environ: Mapping[str, str], config: Path | None = None) -> Paths:
    """The XDG locations. `config` (the command line) beats VIVIX_CONFIG, which beats the default."""
    dirs = platformdirs.PlatformDirs(APP, appauthor=False)
    chosen = config or (Path(environ["VIVIX_CONFIG"]) if environ.get("VIVIX_CONFIG") else None)
    return Paths(
        config=chosen.expanduser() if chosen else dirs.user_config_path / "config.toml",
        database=dirs.user_data_path / "vivix.db",
        log=dirs.user_state_path / "vivix.log",
        state=dirs.user_state_path / "state.toml",
        thumbnails=dirs.user_cache_path / "thumbnails",
    )


def load(environ: Mapping[str, str] | None = None, *, file: Path | None = None, profile: str | None = None) -> Config:
    """Reads the file (a missing one is fine unless it was named) and the environment. Raises ConfigError."""
    environ = os.environ if environ is None else environ
    paths = default_paths(environ, file)
    named = file is not None or bool(environ.get("VIVIX_CONFIG"))
    settings = _read(paths.config, must_exist=named)
    name = profile or environ.get("VIVIX_PROFILE") or settings.profile
    if not _PROFILE_NAME.fullmatch(name):
        source = (
            "--profile" if profile else "VIVIX_PROFILE" if environ.get("VIVIX_PROFILE") else f"{paths.config}: profile"
        )
        raise ConfigError(f"{source}: {one_line(name, 40)!r} cannot be a profile's name", hint=_NAME_HINT)
    if name in settings.profiles:
        account = settings.profiles[name]
    elif name == "default" and not settings.profiles:
        account = Profile()
    else:
        raise ConfigError(
            f"{paths.config}: there is no profile {name!r}{_nearest(name, settings.profiles)}",
            hint=f"add [profiles.{name}] to the file",
        )
    base_url = environ.get("VIVIX_BASE_URL") or account.base_url
    source = "VIVIX_BASE_URL" if environ.get("VIVIX_BASE_URL") else f"{paths.config}: profiles.{name}.base_url"
    account = msgspec.structs.replace(account, base_url=check_base_url(base_url, source))
    if account.auto_download:
        download = msgspec.structs.replace(settings.download, auto=account.auto_download)
        settings = msgspec.structs.replace(settings, download=download)
    return Config(settings=settings, profile=name, account=account, paths=paths)


def check_base_url(url: str, source: str) -> str:
    """`url` without a trailing slash. Raises ConfigError: https is a must, plain http is for loopback alone."""
    shown = one_line(url, 80)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"{source}: {shown!r} is not a URL ({error})") from None
    if not host or parts.scheme not in ("http", "https") or not url.isprintable() or " " in url:
        raise ConfigError(f"{source}: {shown!r} is not an https URL", hint=f"the default is {DEFAULT_BASE_URL}")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ConfigError(f"{source}: a base URL has no user name, query or fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(f"{source}: plain http would show the key to the network", hint="use https")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(path: Path, *, must_exist: bool) -> Settings:
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise ConfigError(f"{path}: there is no such file", hint="`vivix-tui config init` writes one") from None
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    _refuse_unknown_keys(raw, Settings, path, "")
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$.")
        key = where.rstrip("`") or "the file"
        raise ConfigError(f"{path}: {key}: {message[:1].lower()}{message[1:]}") from None
    _refuse_bad_values(settings, path)
    return settings


def _refuse_unknown_keys(raw: Mapping[str, Any], kind: type[msgspec.Struct], path: Path, prefix: str) -> None:
    hints = get_type_hints(kind)
    for key, value in raw.items():
        if key not in hints:
            raise ConfigError(f"{path}: unknown key {prefix}{key!s}{_nearest(key, hints)}")
        inner = hints[key]
        if key == "profiles" and isinstance(value, dict):
            for name, profile in value.items():
                if isinstance(profile, dict):
                    _refuse_unknown_keys(profile, Profile, path, f"profiles.{name}.")
        elif isinstance(inner, type) and issubclass(inner, msgspec.Struct) and isinstance(value, dict):
            _refuse_unknown_keys(value, inner, path, f"{prefix}{key}.")


def _refuse_bad_values(settings: Settings, path: Path) -> None:
    checks = {
        "api.timeout_s": (settings.api.timeout_s, 1, 600),
        "poll.least_share": (settings.poll.least_share, 0.01, 1),
        "spend.confirm_above": (settings.spend.confirm_above, 0, 10**9),
        "spend.daily_cap": (settings.spend.daily_cap, 0, 10**9),
        "retry.max_attempts": (settings.retry.max_attempts, 1, 10),
        "download.parallel": (settings.download.parallel, 1, 16),
        "download.stall_s": (settings.download.stall_s, 1, 3600),
        "download.max_size_mb": (settings.download.max_size_mb, 0, 10**7),
        "download.reserve_mb": (settings.download.reserve_mb, 0, 10**7),
        "download.bandwidth": (settings.download.bandwidth, 0, 10**12),
    }
    for key, (value, low, high) in checks.items():
        if not low <= value <= high:
            raise ConfigError(f"{path}: {key} is {value:g}, it takes {low:g} to {high:g}")
    try:
        quiet_hours(settings.notify.quiet)
    except ValueError as error:
        raise ConfigError(f"{path}: notify.quiet is {settings.notify.quiet!r}: {error}") from None
    if not _KEEP.fullmatch(settings.history.keep):
        raise ConfigError(f'{path}: history.keep is {settings.history.keep!r}, it takes "forever" or days, e.g. "90d"')
    if settings.download.template != Download().template:
        from vivix_tui.domain.naming import check_template  # noqa: PLC0415 - 25 ms, for few

        try:
            check_template(settings.download.template)
        except UsageError as error:
            raise ConfigError(f"{path}: {error}", hint=error.hint) from None
    for name in settings.profiles:
        if not _PROFILE_NAME.fullmatch(name):
            raise ConfigError(f"{path}: {name!r} cannot be a profile's name", hint=_NAME_HINT)


def _nearest(key: str, valid: Any) -> str:
    close = difflib.get_close_matches(key, list(valid), n=1, cutoff=0.4)
    return f", did you mean {close[0]}?" if close else f" (known: {', '.join(valid)})" if valid else ""

"""`config`, `doctor`, `credits`, `models`: about the surroundings and the account, not about generations.

Owns: writing a first config, and telling what is wrong with key, API, terminal and folders. Refuses: showing secrets.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import to_builtins
from msgspec.structs import asdict

from vivix_tui import __version__, first_config, keys
from vivix_tui.cli import output
from vivix_tui.config import Config, Paths
from vivix_tui.domain.budget import Budget
from vivix_tui.domain.text import one_line
from vivix_tui.errors import ConfigError, KeyProblem, Refusal, VivixError
from vivix_tui.files import without_home

if TYPE_CHECKING:
    from vivix_tui.api.client import Client, Reply

T = TypeVar("T")


def run_config_init(paths: Paths) -> int:
    """Writes a first config that names a private key file to fill in; an existing one is left alone."""
    key_file = first_config.write_config(paths)
    output.tell(f"wrote {paths.config}")
    output.tell(f"put the API key into {key_file} (chmod 600), or use api_key_command, or set {keys.ENV}")
    return 0


def run_config_show(config: Config) -> int:
    """The effective settings, without the key."""
    import tomli_w  # noqa: PLC0415

    settings = msgspec.to_builtins(config.settings)
    settings["profile"] = config.profile
    settings["profiles"] = {**settings["profiles"], config.profile: msgspec.to_builtins(config.account)}
    output.data(tomli_w.dumps(settings).rstrip())
    return 0


def run_credits(config: Config, arguments: argparse.Namespace) -> int:
    account = _ask(config, lambda client: client.credits())
    _print_object(asdict(account), as_json=arguments.json)
    return 0


def run_models(config: Config, arguments: argparse.Namespace) -> int:
    _, models = _ask(config, lambda client: client.models())
    for model in models.values():
        if arguments.json:
            output.json_data(to_builtins(model))
            continue
        band = "–" if model.credits_min is None else f"{model.credits_min:,}–{model.credits_max or 0:,}"
        output.data(f"{one_line(model.slug, 40):<40}  {one_line(model.category or '–', 8):<8}  {band:>12}")
    return 0


def run_doctor(config: Config) -> int:
    """Checks one by one; nothing it prints is secret. Exit 1 if something is wrong."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("version", lambda: f"{__version__}, Python {sys.version.split()[0]}"),
        ("config", lambda: f"{config.paths.config}{'' if config.paths.config.exists() else ' (none, defaults)'}"),
        ("profile", lambda: f"{config.profile} at {config.account.base_url}"),
        ("folders", lambda: _folders(config)),
        ("terminal", _terminal),
        ("pictures", lambda: _pictures(config.settings.preview.protocol)),
        ("key", lambda: _key(config)),
        ("API", lambda: _api(config)),
    ]
    bad = 0
    for name, check in checks:
        try:
            output.data(f"ok    {name:<9} {without_home(check())}")
        except VivixError as error:
            bad += 1
            hint = f" ({error.hint})" if error.hint else ""
            output.data(f"WRONG {name:<9} {without_home(one_line(f'{error}{hint}'))}")
    return 1 if bad else 0


def run_bundle(config: Config) -> int:
    """The support bundle on stdout: it may be shown to anybody."""
    from vivix_tui import support, wiring  # noqa: PLC0415 - the other commands here need no database

    store = wiring.open_store(config)
    try:
        output.data(support.bundle(store, config))
    finally:
        store.close()
    return 0


def _folders(config: Config) -> str:
    folders = (
        config.paths.database.parent,
        config.paths.log.parent,
        Path(config.settings.download.directory).expanduser(),
    )
    for folder in folders:
        nearest = next(p for p in (folder, *folder.parents) if p.exists())
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise ConfigError(f"{folder} cannot be written")
    return ", ".join(map(str, folders))


def _terminal() -> str:
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise ConfigError("TERM is unset or dumb", hint="the dashboard needs a real terminal; the commands do not")
    return f"{os.environ['TERM']}, {'a terminal' if sys.stdout.isatty() else 'not a terminal'}"


def _pictures(wanted: str) -> str:
    """How p shows them, and why so; and by what."""
    if find_spec("PIL") is None:
        return "none: they need pip install 'vivix-tui[images]'"
    if wanted == "off":
        return "none: preview.protocol is off"
    from vivix_tui.ui.protocol import current  # noqa: PLC0415

    chosen, _, why = current(wanted)
    videos = "ffmpeg" if all(map(shutil.which, ("ffmpeg", "ffprobe"))) else "PyAV" if find_spec("av") else "nothing"
    return f"{'half blocks' if chosen == 'half' else chosen} ({why}), videos by {videos}"


def _key(config: Config) -> str:
    if keys.read(config.account) is None:
        raise KeyProblem("there is none", hint=keys.HOW)
    return "found"


def _api(config: Config) -> str:
    began = time.monotonic()
    account = _ask(config, lambda client: client.credits())
    return f"answered in {(time.monotonic() - began) * 1000:.0f} ms, tier {one_line(account.tier or 'unknown', 30)}"


def _ask(config: Config, make: Callable[[Client], Awaitable[Reply[T]]]) -> T:
    """One call outside the engine. Raises KeyProblem where the key is missing or rejected, else ApiError."""
    from vivix_tui.api.client import Client  # noqa: PLC0415 - httpx takes 0.2 s to load

    key = keys.read(config.account)
    if key is None:
        raise KeyProblem("there is no API key", hint=keys.HOW)

    async def ask() -> T:
        client = Client(config.account.base_url, Budget(), timeout_s=config.settings.api.timeout_s)
        client.gate.key = key
        try:
            return (await make(client)).value
        finally:
            await client.close()

    try:
        return asyncio.run(ask())
    except Refusal as refusal:
        if refusal.status == 401:
            raise KeyProblem(f"the API rejected the key: {refusal.code}: {refusal}", hint=refusal.hint) from None
        raise


def _print_object(value: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.json_data(value)
    else:
        output.data(output.fields_text(value))

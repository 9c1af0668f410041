"""What the user chose in the dashboard, kept in a file of its own beside the log.

Owns: that file: its names, private mode, and that it is whole at any moment; one that is damaged is set aside. Refuses:
the user's config, which nobody but the user writes. Each choice beats the config until it is taken back.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import msgspec

from vivix_tui.config import Settings
from vivix_tui.domain.news import quiet_hours
from vivix_tui.domain.text import one_line
from vivix_tui.errors import StateError
from vivix_tui.files import make_private_folder

PROFILES = "profiles"


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """Choices; None: as the config says. `sort` is a name of `store.order`, with a leading - where it is inverted."""

    theme: str | None = None
    columns: tuple[str, ...] | None = None
    sort: str | None = None
    preview: bool | None = None
    bell: bool | None = None
    terminal: Literal["auto", "off"] | None = None
    quiet: str | None = None
    directory: str | None = None
    auto: Literal["off", "completed", "marked"] | None = None

    def over(self, settings: Settings) -> Settings:
        """`settings` with what was chosen in their place."""
        chosen = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        sections = {
            section: msgspec.structs.replace(
                getattr(settings, section), **{name: chosen[name] for name in names if name in chosen}
            )
            for section, names in _SECTIONS.items()
        }
        return msgspec.structs.replace(settings, **sections)


_SECTIONS = {
    "ui": ("theme", "columns"),
    "notify": ("bell", "terminal", "quiet"),
    "download": ("directory", "auto"),
}
# Where each choice stands in the file; those about downloads belong to an account.
_PLACES = {"sort": "ui", "preview": "ui"} | {
    name: section for section, names in _SECTIONS.items() if section != "download" for name in names
}


def load(path: Path, profile: str) -> tuple[Remembered, str | None]:
    """The choices, and one line about what of the file could not be used."""
    try:
        raw = _read(path)
    except FileNotFoundError:
        return Remembered(), None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Remembered(), f"{path} is not used: {_set_aside(path, error)}"
    good, bad = dict[str, Any](), list[str]()
    for section, values in raw.items():
        if section == PROFILES and isinstance(values, dict):
            mine = values.get(profile, {})
            names, found = _SECTIONS["download"], mine if isinstance(mine, dict) else {"": mine}
        else:
            names = tuple(name for name, place in _PLACES.items() if place == section)
            found = values if isinstance(values, dict) else {"": values}
        for name, value in found.items():
            if name in names and _fits(name, value):
                good[name] = value
            else:
                bad.append(f"{section}.{name}".rstrip("."))
    told = f"{path}: not used: {one_line(', '.join(bad), 200)}" if bad else None
    return msgspec.convert(good, Remembered), told


def remember(path: Path, profile: str, name: str, value: object) -> None:
    """Writes one choice down, None to take it back; all else in the file stays. Raises StateError.

    Whoever writes holds a lock from reading to the end, so that of two dashboards none takes back the other's choices.
    """
    try:
        make_private_folder(path.parent)
        with _alone(path):
            raw = _read_or_empty(path)
            mine = name not in _PLACES
            table = _table(_table(raw, PROFILES), profile) if mine else _table(raw, _PLACES[name])
            table.pop(name, None)
            if value is not None:
                table[name] = value
            _write(path, raw)
    except OSError as error:
        hint = "the choice holds until this program ends"
        raise StateError(f"{path} cannot be written: {error.strerror}", hint=hint) from None


def _table(raw: dict[str, Any], name: str) -> dict[str, Any]:
    """The table of this name; whatever else has it gives way."""
    if not isinstance(raw.get(name), dict):
        raw[name] = {}
    found: dict[str, Any] = raw[name]
    return found


def _fits(name: str, value: object) -> bool:
    try:
        msgspec.convert({name: value}, Remembered)
        quiet_hours(value if name == "quiet" and isinstance(value, str) else "")
    except (msgspec.ValidationError, ValueError):
        return False
    return value is not None


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def _read_or_empty(path: Path) -> dict[str, Any]:
    try:
        return _read(path)
    except FileNotFoundError:
        return {}
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        _set_aside(path, error)
        return {}


def _set_aside(path: Path, error: Exception) -> str:
    """Moves a file that cannot be read out of the way; returns what was done, in words."""
    if isinstance(error, OSError):
        return one_line(str(error.strerror), 100)
    aside = path.with_name(f"{path.name}.damaged")
    try:
        path.replace(aside)
    except OSError:
        return "it is damaged"
    return f"it is damaged, and lies in {aside.name} now"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, raw: dict[str, Any]) -> None:
    """The whole file beside the old one, on disk, and only then in its place."""
    import tomli_w  # noqa: PLC0415 - few change anything

    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(tomli_w.dumps(raw).encode())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise

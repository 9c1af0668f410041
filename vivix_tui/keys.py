"""The API key: where it comes from, and that it is never shown.

Owns: reading it from the environment, a command, a private file or the keyring, and cleaning it. Refuses: arguments
of the command line (other users see them), and printing it in any form.
"""

from __future__ import annotations

import logging
import os
import shlex
import stat
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue

from vivix_tui.config import Profile
from vivix_tui.errors import KeyProblem

ENV = "VIVIX_API_KEY"
COMMAND_TIMEOUT_S = 30.0
KEYRING_TIMEOUT_S = 2.0
log = logging.getLogger("vivix_tui.keys")
HOW = f"set {ENV}, or api_key_command / api_key_file in the config (`vivix-tui config init` writes one)"


class ApiKey:
    """A key that prints as dots: in reprs, logs and tracebacks."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The key itself, for the one header that carries it."""
        return self._text

    def __repr__(self) -> str:
        return "ApiKey(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def clean(raw: str, source: str) -> ApiKey:
    """The key in `raw` without blanks, quotes and `Bearer `. Raises KeyProblem, which never shows it."""
    text = raw.strip()
    for _ in range(2):
        if text[:7].lower() == "bearer ":
            text = text[7:].strip()
        if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
            text = text[1:-1].strip()
    if not text:
        raise KeyProblem(f"{source}: the key is empty", hint=HOW)
    if not all("!" <= c <= "~" for c in text):
        raise KeyProblem(f"{source}: the key holds blanks or characters outside printable ASCII", hint="copy it again")
    return ApiKey(text)


def read(profile: Profile, environ: Mapping[str, str] | None = None) -> ApiKey | None:
    """The profile's key, None where no source is set. Raises KeyProblem where a source fails. May take seconds."""
    environ = os.environ if environ is None else environ
    if environ.get(ENV, "").strip():
        return clean(environ[ENV], ENV)
    if profile.api_key_command:
        return _from_command(profile.api_key_command)
    if profile.api_key_file:
        return _from_file(Path(profile.api_key_file).expanduser())
    if profile.keyring:
        return _from_keyring(profile.base_url)
    return None


def _from_command(command: str) -> ApiKey:
    try:
        run = subprocess.run(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    except (OSError, ValueError) as error:
        raise KeyProblem(f"api_key_command cannot be run: {error}") from None
    except subprocess.TimeoutExpired:
        raise KeyProblem(f"api_key_command gave no key within {COMMAND_TIMEOUT_S:.0f} s") from None
    if run.returncode != 0:
        raise KeyProblem(f"api_key_command ended with code {run.returncode}")
    return clean(run.stdout.partition("\n")[0], "api_key_command")


def _from_file(path: Path) -> ApiKey:
    try:
        with path.open(encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise KeyProblem(f"{path}: others can read this key", hint=f"chmod 600 {path}")
            return clean(file.read(10_000), str(path))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no text"
        hint = f"put the key there, readable by you alone (chmod 600 {path}), or set VIVIX_API_KEY"
        raise KeyProblem(f"{path}: the key cannot be read: {why}", hint=hint) from None


def _from_keyring(service: str) -> ApiKey | None:
    try:
        import keyring  # noqa: PLC0415 - an extra, 170 ms, wanted by few
    except ImportError:
        raise KeyProblem("keyring = true needs the extra: pip install 'vivix-tui[keyring]'") from None
    answers: SimpleQueue[str | Exception | None] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(keyring.get_password("vivix-tui", service))
        except Exception as error:  # noqa: BLE001 - the edge of a thread, and of whatever backend there is
            log.warning("the keyring failed: %s", type(error).__name__)
            answers.put(error)

    # Without a D-Bus, or behind a prompt that nobody sees, some backends wait for ever.
    threading.Thread(target=ask, name="keyring", daemon=True).start()
    try:
        found = answers.get(timeout=KEYRING_TIMEOUT_S)
    except Empty:
        raise KeyProblem(f"the keyring did not answer within {KEYRING_TIMEOUT_S:g} s", hint=HOW) from None
    if isinstance(found, Exception):
        raise KeyProblem(f"the keyring cannot be read: {type(found).__name__}")
    return clean(found, "the keyring") if found else None

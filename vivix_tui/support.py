"""The support bundle: what somebody who helps needs to know, and nothing that a stranger must not see.

Owns: which facts go in, and the rule that lets a text in: only what looks like an id, a code or a time. Refuses:
prompts, bodies, messages, URLs, paths, balances and keys, wherever they come from; a field of an answer that holds one
of them in place of a code is left out like any other text.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vivix_tui import __version__
from vivix_tui.config import DEFAULT_BASE_URL, Config, is_loopback
from vivix_tui.domain import times
from vivix_tui.domain.text import without_keys
from vivix_tui.errors import UsageError
from vivix_tui.files import make_private_folder
from vivix_tui.store import query
from vivix_tui.store.store import Store

MOST = 100
LEFT_OUT = "(left out)"
# No slash, blank or @: neither a URL nor a path, a sentence or an address fits.
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,79}")
_GENERATIONS = """
SELECT generation_id, status, gone, error, request_id, note IS NOT NULL AS has_note, created_at, tracked_at, checked_at,
  completed_at, elapsed_ms, duration_ms, submission_id, retry_of
FROM generations WHERE profile = ?
ORDER BY status IS 'failed' OR gone IS NOT NULL OR note IS NOT NULL DESC, coalesce(checked_at, tracked_at) DESC LIMIT ?
"""
_SUBMISSIONS = """
SELECT submission_id, state, error, request_id, generation_id, retry_of, held, created_at, sent_at
FROM submissions WHERE profile = ? ORDER BY state IN ('unknown', 'refused', 'sending') DESC, created_at DESC LIMIT ?
"""
_DOWNLOADS = """
SELECT generation_id, "index", state, size_bytes, received_bytes, attempts, verified, wished_at, error IS NOT NULL AS
  has_error FROM downloads WHERE profile = ? ORDER BY error IS NOT NULL DESC, wished_at DESC LIMIT ?
"""
_EVENTS = "SELECT at, subject, event, detail FROM events WHERE profile = ? ORDER BY seq DESC LIMIT ?"


def bundle(store: Store, config: Config, now: datetime | None = None) -> str:
    """The bundle as JSON in ASCII. Raises StoreError."""
    profile = config.profile
    told = {
        "written_at": times.iso(now or datetime.now(UTC)),
        "program": _program(store, config),
        "account": _account(store, profile),
        "engine": _engine(store, profile),
        "rows": dict(query.counts(store, profile)),
        "generations": _rows(store, _GENERATIONS, profile),
        "submissions": _rows(store, _SUBMISSIONS, profile),
        "downloads": _rows(store, _DOWNLOADS, profile),
        "events": _rows(store, _EVENTS, profile),
    }
    return json.dumps(told, indent=1)


def write(store: Store, config: Config) -> tuple[Path, str]:
    """Writes a bundle beside the log, readable by its owner alone; where it is and what it says."""
    now = datetime.now(UTC)
    text = bundle(store, config, now)
    path = config.paths.log.with_name(f"support-{now:%Y%m%dT%H%M%S%f}.json")
    try:
        make_private_folder(path.parent)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "w") as file:
            file.write(text + "\n")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", hint="`vivix-tui doctor --bundle` prints it"
        ) from None
    return path, text


def token(value: object) -> object:
    """A number or an absent fact as it is, a text only where it can be nothing but an id, a code or a time."""
    if not isinstance(value, str):
        return value
    return value if _TOKEN.fullmatch(value) and without_keys(value) == value else LEFT_OUT


def _rows(store: Store, sql: str, profile: str) -> list[Mapping[str, Any]]:
    """Facts that are unknown are left away, so that a hundred rows stay readable."""
    rows = [{name: token(row[name]) for name in row.keys()} for row in store.all(sql, (profile, MOST))]  # noqa: SIM118
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def _program(store: Store, config: Config) -> Mapping[str, object]:
    host = urlsplit(config.account.base_url).hostname or ""
    base = "the vendor's" if config.account.base_url == DEFAULT_BASE_URL else "another"
    return {
        "version": __version__,
        "python": platform.python_version(),
        "sqlite": str(store.one("SELECT sqlite_version()")[0]),
        **{name: _version(name) for name in ("textual", "httpx")},
        "system": f"{platform.system()} {platform.machine()}",
        "api": "on this machine" if is_loopback(host) else base,
        "terminal": token(os.environ.get("TERM")),
        "in": [name.lower() for name in ("TMUX", "STY", "SSH_CONNECTION") if os.environ.get(name)],
        "key_from_environment": bool(os.environ.get("VIVIX_API_KEY")),
    }


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - 20 ms that no start should pay

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _account(store: Store, profile: str) -> Mapping[str, object]:
    found = query.account(store, profile)
    return {
        "tier": token(found.tier),
        "calls_per_minute": found.calls_per_minute,
        "concurrent_jobs": found.concurrent_jobs,
        "balance_known": found.balance is not None,
        "queue_paused": query.queue_paused(store, profile) is not None,
    }


def _engine(store: Store, profile: str) -> Mapping[str, object]:
    found = query.engine_state(store, profile)
    if found is None:
        return {}
    names = ("connection", "request_id", "until", "calls_used", "calls_remaining", "unasked", "unasked_of")
    # The code of a refusal, or the name of the task that had to be restarted: what stands before the first colon.
    words = {
        "code": found.detail.partition(":")[0] if found.detail else None,
        "restarted": found.trouble.partition(":")[0] if found.trouble else None,
    }
    return {name: token(value) for name, value in ({n: getattr(found, n) for n in names} | words).items()}

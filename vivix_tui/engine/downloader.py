"""The queue of downloads: a few at a time, again after failures, and what each failure means for the row.

Owns: order, parallelism, pauses before the next attempt, what the user stopped, where files go. Refuses: HTTP
(`fetch`).
"""

from __future__ import annotations

import asyncio
import errno
import logging
import random
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from vivix_tui.config import Config, is_loopback
from vivix_tui.domain import download as d
from vivix_tui.domain import naming, times
from vivix_tui.domain.account import parse_body
from vivix_tui.domain.download import Download
from vivix_tui.domain.text import one_line
from vivix_tui.engine import sidecar
from vivix_tui.engine.address import ForbiddenURL
from vivix_tui.engine.exchange import Failed
from vivix_tui.engine.fetch import Fetcher
from vivix_tui.engine.part_file import removed
from vivix_tui.engine.pump import Throttle
from vivix_tui.errors import StoreError, UsageError
from vivix_tui.store import downloads, generations, wishes
from vivix_tui.store.store import Store

PER_HOST = 2
MAX_FRUITLESS = 6
MAX_ATTEMPTS = 100
UNREACHABLE_S = 900.0
LONGEST_PAUSE_S = 60.0
RETRY_EVERY_S = 2.0
RETRIES_AT_ONCE = 20
STORE_AGAIN_S = 5.0
HOPELESS = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
)
log = logging.getLogger("vivix_tui.engine.downloader")

Key = tuple[str, int]


class _Trouble(Struct):
    """What went wrong with one file so far, on the monotonic clock. An attempt that brought bytes is not fruitless."""

    since: float
    attempts: int = 0
    fruitless: int = 0
    again_at: float = 0.0


class Downloader:
    """The downloads of one account. `wake` is set whenever the database changed."""

    def __init__(self, store: Store, config: Config, wake: asyncio.Event, throttle: Throttle) -> None:
        self._store = store
        self._throttle = throttle
        self._settings = config.settings.download
        self._profile = config.profile
        self._base_url = config.account.base_url
        self._wake = wake
        self._tasks: dict[Key, tuple[str, asyncio.Task[None]]] = {}
        self._troubles: dict[Key, _Trouble] = {}
        self._retry_at = 0.0

    async def run(self) -> None:
        """For ever; sleeps while nothing is wished for."""
        loopback = is_loopback(urlsplit(self._base_url).hostname or "")
        fetcher = Fetcher(self._settings, self._throttle, loopback=loopback)
        try:
            while True:
                self._obey()
                self._start(fetcher)
                await self._wake.wait()
                self._wake.clear()
        finally:
            running = [task for _, task in self._tasks.values()]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _obey(self) -> None:
        """Ends what the user paused or cancelled, and takes away parts that are of no more use."""
        for item in downloads.stopped(self._store, self._profile):
            key = (item.generation_id, item.index)
            self._troubles.pop(key, None)
            if key in self._tasks:
                self._tasks[key][1].cancel()
            elif item.state in d.OVER and removed(Path(item.part or "")):
                downloads.without_part(self._store, item)

    def _start(self, fetcher: Fetcher) -> None:
        if len(self._tasks) >= self._settings.parallel:
            return
        hosts, now = Counter(host for host, _ in self._tasks.values()), time.monotonic()
        for item in downloads.work(self._store, self._profile):
            key, host = (item.generation_id, item.index), _host(item.url)
            trouble = self._troubles.get(key)
            waits = trouble is not None and trouble.again_at > now
            if key in self._tasks or waits or hosts[host] >= PER_HOST:
                continue
            hosts[host] += 1
            task = asyncio.create_task(self._fetch(fetcher, item))
            self._tasks[key] = (host, task)
            task.add_done_callback(partial(self._ended, key))
            if len(self._tasks) >= self._settings.parallel:
                return

    def _ended(self, key: Key, task: asyncio.Task[None]) -> None:
        self._tasks.pop(key, None)
        self._wake.set()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("what came of a download could not be written down: %s", error)
            trouble = self._troubles.setdefault(key, _Trouble(time.monotonic()))
            self._again(trouble, STORE_AGAIN_S)

    async def _fetch(self, fetcher: Fetcher, item: Download) -> None:
        """One attempt. Whatever happens, the row says what came of it."""
        key, before = (item.generation_id, item.index), item.received_bytes
        item = replace(item, state=d.ACTIVE, attempts=item.attempts + 1)
        failure = await self._attempt(fetcher, item)
        if failure is None:
            self._troubles.pop(key, None)
            return
        item = self._current(item)
        if failure.dead_link and not item.link_asked:
            # The link may have expired: the generation is asked once for a fresh one, then this goes on.
            self._save(replace(item, state=d.QUEUED, error=str(failure), link_asked=downloads.ASKED))
            return
        trouble = self._troubles.setdefault(key, _Trouble(time.monotonic()))
        trouble.attempts += 1
        trouble.fruitless = 0 if item.received_bytes > before else trouble.fruitless + 1
        if failure.final or failure.dead_link or _is_hopeless(trouble, failure):
            gone = f"{d.GONE}: " if failure.dead_link else ""
            self._save(replace(item, state=d.FAILED, error=f"{gone}{failure}"))
            self._troubles.pop(key, None)
            return
        self._save(replace(item, state=d.ACTIVE, error=str(failure)))
        jitter = random.uniform(0, min(LONGEST_PAUSE_S, 2.0**trouble.fruitless))  # noqa: S311
        self._again(trouble, max(jitter, failure.after_s, self._turn_s()))

    def _again(self, trouble: _Trouble, pause_s: float) -> None:
        trouble.again_at = time.monotonic() + pause_s
        asyncio.get_running_loop().call_later(pause_s, self._wake.set)

    def _turn_s(self) -> float:
        """How long a retry has to wait for its turn: some at once, then one each RETRY_EVERY_S, over all files."""
        now = time.monotonic()
        self._retry_at = max(self._retry_at + RETRY_EVERY_S, now - RETRIES_AT_ONCE * RETRY_EVERY_S)
        return max(0.0, self._retry_at - now)

    async def _attempt(self, fetcher: Fetcher, item: Download) -> Failed | None:
        """One attempt; every way to fail as a Failed. None: it is over, well or paused."""
        try:
            await fetcher.attempt(item, partial(self._target, item), self._save)
        except Failed as failure:
            return failure
        except ForbiddenURL as error:
            return Failed(str(error), final=True)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                reason = f"disk full: {error.strerror}; free some space, then download again"
                self._save(replace(self._current(item), state=d.PAUSED, error=reason))
                return None
            return Failed(one_line(f"{error.strerror or error}", 200), final=error.errno in HOPELESS)
        except StoreError:
            raise
        except Exception:
            log.exception("a download failed")
            return Failed("an internal error, see the log", final=True)
        return None

    def _current(self, item: Download) -> Download:
        found = [x for x in downloads.of(self._store, self._profile, item.generation_id) if x.index == item.index]
        return found[0] if found else item

    def _save(self, item: Download) -> None:
        if item.state == d.DONE and item.part is not None and self._settings.sidecar:
            sidecar.write(item, generations.get(self._store, self._profile, item.generation_id))
        downloads.update(self._store, item, durable=item.state in d.OVER)

    def _target(self, item: Download, kind: str | None) -> Path:
        """The final path; without an extension as long as the content's `kind` is not known."""
        row = generations.get(self._store, self._profile, item.generation_id)
        made = (times.parse(row.created_at) or times.parse(row.tracked_at)) if row else None
        made = (made or datetime.now(UTC)).astimezone()
        body = (parse_body(row.body) if row and row.body else None) or {}
        values = {
            "date": made.strftime("%Y-%m-%d"),
            "time": made.strftime("%H%M%S"),
            "model": (row.model if row else None) or "unknown",
            "prompt": (row.prompt if row else None) or "",
            "id": item.generation_id,
            "id8": item.generation_id,
            "index": str(item.index),
            "seed": str(body.get("seed", "")),
            "profile": self._profile,
            "ext": kind or "",
        }
        wished = wishes.of(self._store, self._profile).get(wishes.DIRECTORY)
        folder = Path(item.directory or wished or self._settings.directory).expanduser().absolute()
        try:
            path = folder / naming.relative_path(self._settings.template, values)
        except UsageError:
            # What this template is made of is empty here; a file without a proper name beats no file.
            path = folder / naming.relative_path("output-{id8}-{index}", values)
        path = path if kind is None else path.with_name(naming.with_extension(path.name, kind))
        # What was begun stays where it was begun, whatever folder was chosen meanwhile.
        return Path(item.part).with_name(path.name) if item.part else path


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_hopeless(trouble: _Trouble, failure: Failed) -> bool:
    """A host that cannot be reached may be this machine's own network: that is waited for longer than an answer."""
    if failure.unreachable:
        return time.monotonic() - trouble.since > UNREACHABLE_S
    return trouble.fruitless >= MAX_FRUITLESS or trouble.attempts >= MAX_ATTEMPTS

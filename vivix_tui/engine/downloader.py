"""The queue of downloads: a few at a time, again after failures, and what each failure means for the row.

Owns: order, parallelism, retries with growing pauses, where files go. Refuses: HTTP (`fetch`).
"""

from __future__ import annotations

import asyncio
import errno
import logging
import random
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from vivix_tui.config import Config, is_loopback
from vivix_tui.domain import download as d
from vivix_tui.domain import naming, times
from vivix_tui.domain.account import parse_body
from vivix_tui.domain.download import Download
from vivix_tui.domain.text import one_line
from vivix_tui.engine.address import ForbiddenURL
from vivix_tui.engine.exchange import Failed
from vivix_tui.engine.fetch import Fetcher
from vivix_tui.engine.part_file import removed
from vivix_tui.errors import StoreError, UsageError
from vivix_tui.store import downloads, generations
from vivix_tui.store.store import Store

MAX_ATTEMPTS = 6
LONGEST_PAUSE_S = 30.0
STORE_AGAIN_S = 5.0
HOPELESS = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
)
log = logging.getLogger("vivix_tui.engine.downloader")

Key = tuple[str, int]


class Downloader:
    """The downloads of one account. `wake` is set whenever the database changed."""

    def __init__(self, store: Store, config: Config, wake: asyncio.Event) -> None:
        self._store = store
        self._settings = config.settings.download
        self._profile = config.profile
        self._base_url = config.account.base_url
        self._wake = wake
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """For ever; sleeps while nothing is wished for."""
        loopback = is_loopback(urlsplit(self._base_url).hostname or "")
        fetcher = Fetcher(self._settings, loopback=loopback)
        try:
            for item in downloads.with_leftover(self._store, self._profile):
                if removed(Path(item.part or "")):
                    self._save(replace(item, part=None))
            while True:
                self._start(fetcher)
                await self._wake.wait()
                self._wake.clear()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _start(self, fetcher: Fetcher) -> None:
        for item in downloads.work(self._store, self._profile):
            if len(self._tasks) >= self._settings.parallel:
                return
            key = (item.generation_id, item.index)
            if key not in self._tasks:
                task = asyncio.create_task(self._fetch(fetcher, item))
                self._tasks[key] = task
                task.add_done_callback(partial(self._ended, key))

    def _ended(self, key: Key, task: asyncio.Task[None]) -> None:
        self._tasks.pop(key, None)
        error = None if task.cancelled() else task.exception()
        if error is None:
            self._wake.set()
            return
        log.error("what came of a download could not be written down: %s", error)
        asyncio.get_running_loop().call_later(STORE_AGAIN_S, self._wake.set)

    async def _fetch(self, fetcher: Fetcher, item: Download) -> None:
        """All attempts at one file. Whatever happens, the row says what came of it."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            failure = await self._attempt(fetcher, replace(item, state=d.ACTIVE, attempts=attempt))
            if failure is None:
                return
            item = self._current(item)
            if failure.dead_link and not item.link_asked:
                # The link may have expired: the generation is asked once for a fresh one, then this goes on.
                self._save(replace(item, state=d.QUEUED, error=str(failure), link_asked=downloads.ASKED))
                return
            if failure.final or failure.dead_link or attempt == MAX_ATTEMPTS:
                self._save(replace(item, state=d.FAILED, error=str(failure)))
                return
            self._save(replace(item, state=d.ACTIVE, error=str(failure)))
            await asyncio.sleep(random.uniform(0, min(LONGEST_PAUSE_S, 2.0**attempt)))  # noqa: S311

    async def _attempt(self, fetcher: Fetcher, item: Download) -> Failed | None:
        """One attempt; every way to fail as a Failed. None: it is over, well or paused."""
        try:
            await fetcher.attempt(item, self._target(item), self._save)
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
        downloads.update(self._store, item, durable=item.state in d.OVER)

    def _target(self, item: Download) -> Path:
        """The final path without extension."""
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
        }
        folder = Path(item.directory or self._settings.directory).expanduser().absolute()
        try:
            return folder / naming.relative_path(self._settings.template, values)
        except UsageError:
            # What this template is made of is empty here; a file without a proper name beats no file.
            return folder / naming.relative_path("output-{id8}-{index}", values)

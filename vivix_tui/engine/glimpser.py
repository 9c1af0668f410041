"""Outputs that somebody wants to see without keeping them: a bounded fetch each, into a folder that stays small.

Owns: how much, how long, how many at once, and the words for what cannot be had. Refuses: retries and resuming, which
are for what is kept (`downloader`); HTTP (`fetch`); decoding.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from vivix_tui.config import Config, is_loopback
from vivix_tui.domain.glimpse import FETCHED, REFUSED, Glimpse
from vivix_tui.domain.text import one_line
from vivix_tui.engine.address import ForbiddenURL
from vivix_tui.engine.exchange import Failed
from vivix_tui.engine.fetch import Fetcher
from vivix_tui.engine.part_file import PartFile
from vivix_tui.engine.pump import Throttle
from vivix_tui.errors import StoreError
from vivix_tui.preview.cache import keep_small
from vivix_tui.preview.headers import PICTURES, VIDEOS
from vivix_tui.store import glimpses
from vivix_tui.store.store import Store

MOST_MB = 16
DEADLINE_S = 60.0
AT_ONCE = 2
FOLDER_BYTES = 64_000_000
log = logging.getLogger("vivix_tui.engine.glimpser")

Key = tuple[str, int]


class Glimpser:
    """The glimpses of one account. `wake` is set whenever the database changed."""

    def __init__(self, store: Store, config: Config, wake: asyncio.Event, throttle: Throttle) -> None:
        self._store = store
        self._config = config
        self._wake = wake
        self._throttle = throttle
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """For ever; sleeps while nothing is wished for."""
        loopback = is_loopback(urlsplit(self._config.account.base_url).hostname or "")
        fetcher = Fetcher(self._config.settings.download, self._throttle, loopback=loopback)
        try:
            while True:
                self._start(fetcher)
                await self._wake.wait()
                self._wake.clear()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _start(self, fetcher: Fetcher) -> None:
        for item in glimpses.wanted(self._store, self._config.profile, datetime.now(UTC)):
            key = (item.generation_id, item.index)
            if len(self._tasks) >= AT_ONCE:
                return
            if key not in self._tasks:
                self._tasks[key] = task = asyncio.create_task(self._fetch(fetcher, item))
                task.add_done_callback(partial(self._ended, key))

    def _ended(self, key: Key, task: asyncio.Task[None]) -> None:
        del self._tasks[key]
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("what came of a glimpse could not be written down: %s", task.exception())

    async def _fetch(self, fetcher: Fetcher, item: Glimpse) -> None:
        """Whatever happens, the row says what came of it."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                path = await self._bytes(fetcher, item)
            found = replace(item, state=FETCHED, path=str(path))
        except (Failed, ForbiddenURL) as failure:
            gone = " and d asks for another link" if isinstance(failure, Failed) and failure.dead_link else ""
            found = replace(item, state=REFUSED, error=f"{failure}{gone}")
        except TimeoutError:
            found = replace(item, state=REFUSED, error=f"it did not come within {DEADLINE_S:g} s")
        except OSError as error:
            found = replace(item, state=REFUSED, error=one_line(error.strerror or str(error), 200))
        except StoreError:
            raise
        except Exception:
            log.exception("a glimpse failed")
            found = replace(item, state=REFUSED, error="an internal error, see the log")
        glimpses.settle(self._store, found)

    async def _bytes(self, fetcher: Fetcher, item: Glimpse) -> Path:
        """The file that holds what came. Raises Failed, ForbiddenURL, OSError."""
        owner = f"{item.profile}/{item.generation_id}/{item.index}/{item.url}"
        target = self._config.paths.glimpses / hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()
        target.unlink(missing_ok=True)
        part = PartFile(target, new=True)
        try:
            whole = await fetcher.glimpse(item.url, part, MOST_MB)
            kind = part.kind()
            if kind not in PICTURES + VIDEOS:
                raise Failed("what came is no picture or video")
            if not whole and kind in PICTURES:  # of a video the frame that is shown lies near the beginning
                raise Failed(f"it is larger than the {MOST_MB} MB that are fetched for a look; d fetches it")
        except BaseException:
            part.discard()
            raise
        part.close()
        keep_small(target.parent, FOLDER_BYTES)
        return target

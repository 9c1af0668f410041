"""Fetches the outputs that were wished for, a few at a time.

Owns: the queue's order and parallelism, retries with growing pauses, and what each failure means for the row.
Refuses: the API's key (this client never has it), and any name that the content does not deserve.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from vivix_tui import __version__
from vivix_tui.config import Config, is_loopback
from vivix_tui.domain import download as d
from vivix_tui.domain import media, naming
from vivix_tui.domain.account import parse_body
from vivix_tui.domain.download import Download
from vivix_tui.domain.text import one_line
from vivix_tui.engine.address import ForbiddenURL, check_address, check_url
from vivix_tui.engine.part_file import PartFile
from vivix_tui.store import downloads, generations
from vivix_tui.store.store import Store

MAX_ATTEMPTS = 6
MAX_REDIRECTS = 5
PROGRESS_S = 0.5
CHUNK_BYTES = 128 * 1024
log = logging.getLogger("vivix_tui.engine.downloader")


class Failed(Exception):
    """This attempt brought no file. `final` means that another attempt would not either."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


class Downloader:
    """The downloads of one account. `wake` is set whenever the database changed."""

    def __init__(self, store: Store, config: Config, wake: asyncio.Event) -> None:
        self._store = store
        self._config = config
        self._settings = config.settings.download
        self._profile = config.profile
        self._wake = wake
        self._loopback = is_loopback(urlsplit(config.account.base_url).hostname or "")
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}

    async def run(self) -> None:
        """For ever; sleeps while nothing is wished for."""
        timeout = httpx.Timeout(self._settings.stall_s, connect=15)
        headers = {"User-Agent": f"vivix-tui/{__version__}", "Accept-Encoding": "identity"}
        async with httpx.AsyncClient(timeout=timeout, headers=headers, trust_env=not self._loopback) as client:
            try:
                while True:
                    self._start(client)
                    await self._wake.wait()
                    self._wake.clear()
            finally:
                for task in self._tasks.values():
                    task.cancel()
                await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _start(self, client: httpx.AsyncClient) -> None:
        for item in downloads.work(self._store, self._profile):
            if len(self._tasks) >= self._settings.parallel:
                return
            key = (item.generation_id, item.index)
            if key not in self._tasks:
                task = asyncio.create_task(self._fetch(client, item))
                self._tasks[key] = task
                task.add_done_callback(partial(self._ended, key))

    def _ended(self, key: tuple[str, int], _: asyncio.Task[None]) -> None:
        self._tasks.pop(key, None)
        self._wake.set()

    async def _fetch(self, client: httpx.AsyncClient, item: Download) -> None:
        """All attempts at one file. Whatever happens, the row says what came of it."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            item = replace(item, state=d.ACTIVE, attempts=attempt)
            try:
                await self._attempt(client, item)
                return
            except Failed as failure:
                reason, final = str(failure), failure.final
            except ForbiddenURL as error:
                reason, final = str(error), True
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
                stalled = isinstance(error, httpx.ReadTimeout)
                words = f"stalled for {self._settings.stall_s:g} s" if stalled else "the connection broke"
                reason, final = f"{words}: {one_line(str(error), 120) or type(error).__name__}", False
            except OSError as error:
                reason, final = f"{error.strerror or error}", True
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    self._save(item, state=d.PAUSED, error="disk full: free some space, then download again")
                    return
            except Exception:
                log.exception("a download failed")
                reason, final = "an internal error, see the log", True
            if final or attempt == MAX_ATTEMPTS:
                self._save(item, state=d.FAILED, error=reason)
                return
            self._save(item, state=d.ACTIVE, error=reason)
            item = self._current(item)
            await asyncio.sleep(random.uniform(0, min(30.0, 2.0**attempt)))  # noqa: S311

    def _current(self, item: Download) -> Download:
        found = [x for x in downloads.of(self._store, self._profile, item.generation_id) if x.index == item.index]
        return found[0] if found else item

    def _save(self, item: Download, *, state: str, error: str | None) -> None:
        now = self._current(item)
        downloads.update(self._store, replace(now, state=state, error=error, attempts=item.attempts))

    async def _attempt(self, client: httpx.AsyncClient, item: Download) -> None:
        base = self._target_base(item)
        part = PartFile(Path(item.part) if item.part else base.with_name(f"{base.name}.{item.index}.part"))
        try:
            have = part.resume() if item.part and item.etag else 0
            if not have:
                part.restart()
            headers = {"Range": f"bytes={have}-", "If-Range": item.etag or ""} if have else {}
            response = await self._open(client, item.url, headers)
            try:
                item = self._begin(item, part, response, have)
                await self._receive(item, part, response)
            finally:
                await response.aclose()
            await self._finish(item, part, base)
        finally:
            part.close()

    async def _open(self, client: httpx.AsyncClient, url: str, headers: dict[str, str]) -> httpx.Response:
        """The answer to a GET, redirects followed by hand: each address is checked before anything is sent to it."""
        for _ in range(MAX_REDIRECTS + 1):
            host, port = check_url(url, loopback=self._loopback)
            try:
                await check_address(host, port, loopback=self._loopback, private=self._settings.allow_private)
            except OSError as error:
                raise Failed(f"{one_line(host, 60)} cannot be found: {error.strerror}") from None
            response = await client.send(client.build_request("GET", url, headers=headers), stream=True)
            if not response.has_redirect_location:
                return response
            await response.aclose()
            url = urljoin(url, response.headers["location"])
        raise Failed(f"more than {MAX_REDIRECTS} redirects", final=True)

    def _begin(self, item: Download, part: PartFile, response: httpx.Response, have: int) -> Download:
        """Decides from the answer's head where the bytes go; remembers the validator before the first one is kept."""
        status = response.status_code
        if status == 206 and have:
            start, total = _content_range(response.headers.get("content-range", ""))
            if start != have:
                item = replace(item, etag=None)
                downloads.update(self._store, replace(item, received_bytes=0))
                raise Failed("the server sent another range than the one asked for")
        elif status == 200:
            part.restart()
            total = _length(response.headers.get("content-length"))
        else:
            if have and status == 416:
                downloads.update(self._store, replace(item, etag=None, received_bytes=0))
                raise Failed("what was left of an earlier attempt no longer fits")
            raise Failed(f"the server answered {status}", final=status in (400, 401, 403, 404, 410, 451))
        limit = self._settings.max_size_mb * 1_000_000
        if limit and total is not None and total > limit:
            raise Failed(f"{total:,} bytes, more than download.max_size_mb allows", final=True)
        etag = response.headers.get("etag", "")
        strong = etag if etag.startswith('"') and status == 200 else item.etag if status == 206 else None
        item = replace(item, part=str(part.path), etag=strong, size_bytes=total, received_bytes=part.size, error=None)
        downloads.update(self._store, item)
        return item

    async def _receive(self, item: Download, part: PartFile, response: httpx.Response) -> None:
        told = time.monotonic()
        limit = self._settings.max_size_mb * 1_000_000
        async for chunk in response.aiter_raw(CHUNK_BYTES):
            part.write(chunk)
            if limit and part.size > limit:
                raise Failed("more bytes than download.max_size_mb allows", final=True)
            if time.monotonic() - told > PROGRESS_S:
                told = time.monotonic()
                part.flush()
                downloads.update(self._store, replace(item, received_bytes=part.size))
        part.flush()
        downloads.update(self._store, replace(item, received_bytes=part.size))
        if item.size_bytes is not None and part.size != item.size_bytes:
            raise Failed(f"{part.size:,} of {item.size_bytes:,} bytes came")

    async def _finish(self, item: Download, part: PartFile, base: Path) -> None:
        kind = media.kind_of(part.head())
        if kind is None:
            part.restart()
            raise Failed("what came is no picture, video or sound", final=True)
        whole = part.is_whole(kind)
        if whole is False and item.size_bytes is None:
            part.restart()
            raise Failed("the file is not whole")
        size = part.size
        final = await asyncio.to_thread(part.finish, base.with_name(f"{base.name}.{kind}"))
        downloads.update(
            self._store,
            replace(
                item, state=d.DONE, path=str(final), part=None, size_bytes=size, received_bytes=size,
                sha256=part.sha256, verified=whole, error=None,
            ),
            durable=True,
        )  # fmt: skip

    def _target_base(self, item: Download) -> Path:
        """The final path without extension."""
        row = generations.get(self._store, self._profile, item.generation_id)
        made = datetime.now(UTC) if row is None else datetime.fromisoformat(row.created_at or row.tracked_at)
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
        return folder / naming.relative_path(self._settings.template, values)


def _content_range(value: str) -> tuple[int | None, int | None]:
    """(first byte, whole size) of a Content-Range, None where it does not tell."""
    unit, _, rest = value.partition(" ")
    span, _, total = rest.partition("/")
    first = span.partition("-")[0]
    if unit != "bytes" or not first.isdigit():
        return None, None
    return int(first), int(total) if total.isdigit() else None


def _length(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) < 19 else None

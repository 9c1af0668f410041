"""One attempt at one output: a request, bytes into the part file, the final name.

Owns: ranges and validators, redirects, the stall rule, and that only a whole medium gets its name. Refuses: the queue
and retries (`downloader`), and the API's key and cookies: this client never has them.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx

from vivix_tui import __version__
from vivix_tui.api.connect import transport_for
from vivix_tui.config import Download as Settings
from vivix_tui.domain import download as d
from vivix_tui.domain.download import Download
from vivix_tui.domain.text import one_line
from vivix_tui.engine.address import check_address, check_url, redirected
from vivix_tui.engine.part_file import PartFile, free_part

MAX_REDIRECTS = 5
PROGRESS_S = 0.5
CONNECT_TIMEOUT_S = 15.0
HEADERS = {"User-Agent": f"vivix-tui/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
LEAST_BYTES_PER_S = 512
DEAD_LINK = (403, 404, 410)
HOPELESS = (400, 401, 451)

Save = Callable[[Download], None]


class Failed(Exception):
    """This attempt brought no file. `final`: another one would not either; `dead_link`: a fresh URL may help."""

    def __init__(self, text: str, *, final: bool = False, dead_link: bool = False) -> None:
        super().__init__(text)
        self.final = final
        self.dead_link = dead_link


class Fetcher:
    """The downloads' own HTTP client. `loopback`: the API is on this machine, so outputs may be, too."""

    def __init__(self, settings: Settings, base_url: str, *, loopback: bool) -> None:
        self._settings = settings
        self._loopback = loopback
        # Outputs come from one kind of address, https; loopback is the demo's.
        # A bare transport: no redirect, cookie or authorization happens behind our back.
        self._transport = transport_for(
            base_url if loopback else "https://outputs.invalid",
            httpx.Limits(max_connections=32, max_keepalive_connections=4),
        )
        times = httpx.Timeout(settings.stall_s, connect=CONNECT_TIMEOUT_S)
        self._extensions = {"timeout": times.as_dict()}

    async def close(self) -> None:
        await self._transport.aclose()

    async def attempt(self, item: Download, base: Path, save: Save) -> None:
        """Fetches `item` to `base` plus the extension that its content deserves.

        `save` writes the row. Raises Failed, ForbiddenURL, httpx errors, OSError; the row says how far it came.
        """
        new = item.part is None
        if new:
            # The name is on record before the file exists: a kill leaves no file that nobody knows.
            owner = f"{item.profile}/{item.generation_id}/{item.index}"
            item = replace(item, part=str(free_part(base, owner)), etag=None, received_bytes=0)
            save(item)
        part = PartFile(Path(item.part or ""), new=new)
        try:
            if part.finished_as is None:
                item = await self._receive(item, part, save)
            else:
                part.resume()
            await self._finish(item, part, base, save)
        except Failed as failure:
            if failure.final or failure.dead_link:
                part.discard()
                save(replace(item, part=None, etag=None, received_bytes=0))
            raise
        finally:
            part.close()

    async def _receive(self, item: Download, part: PartFile, save: Save) -> Download:
        have = part.resume() if item.etag else 0
        if not have:
            part.restart()
        headers = {"Range": f"bytes={have}-", "If-Range": item.etag or ""} if have else {}
        response = await self._open(item.url, headers)
        try:
            item = self._begin(item, part, response, have, save)
            await self._read(item, part, response, save)
        finally:
            await response.aclose()
        if item.size_bytes is not None and part.size != item.size_bytes:
            raise Failed(f"{part.size:,} of {item.size_bytes:,} bytes came")
        return item

    async def _open(self, url: str, headers: dict[str, str]) -> httpx.Response:
        """The answer to a GET, redirects followed by hand: each address is checked before anything is sent to it."""
        for _ in range(MAX_REDIRECTS + 1):
            host, port = check_url(url, loopback=self._loopback)
            try:
                await check_address(host, port, loopback=self._loopback, private=self._settings.allow_private)
            except OSError as error:
                raise Failed(f"{one_line(host, 60)} cannot be found: {error.strerror}") from None
            request = httpx.Request("GET", url, headers=HEADERS | headers, extensions=self._extensions)
            response = await self._transport.handle_async_request(request)
            if not response.has_redirect_location:
                return response
            await response.aclose()
            url = redirected(url, response.headers["location"])
        raise Failed(f"more than {MAX_REDIRECTS} redirects", final=True)

    def _begin(self, item: Download, part: PartFile, response: httpx.Response, have: int, save: Save) -> Download:
        """Decides from the answer's head where the bytes go; records the validator before the first one is kept."""
        status, etag = response.status_code, response.headers.get("etag", "")
        if status == 206 and have:
            start, total = content_range(response.headers.get("content-range", ""))
            other = (etag and etag != item.etag) or (item.size_bytes is not None and total != item.size_bytes)
            if start != have or other:
                save(replace(item, etag=None, received_bytes=0))
                raise Failed("the server sent a range of something else than what was begun")
        elif status == 200:
            part.restart()
            total = _length(response.headers.get("content-length"))
            item = replace(item, etag=etag if etag.startswith('"') else None)
        elif status == 416 and have:
            save(replace(item, etag=None, received_bytes=0))
            raise Failed("what was left of an earlier attempt no longer fits")
        else:
            text = f"the server answered {status}"
            raise Failed(text, final=status in HOPELESS, dead_link=status in DEAD_LINK)
        limit = self._settings.max_size_mb * 1_000_000
        if limit and total is not None and total > limit:
            raise Failed(f"{total:,} bytes, more than download.max_size_mb allows", final=True)
        reserve = self._settings.reserve_mb * 1_000_000
        if shutil.disk_usage(part.path.parent).free - (total or 0) + part.size < reserve:
            raise OSError(errno.ENOSPC, f"less than download.reserve_mb ({reserve:,} bytes) would be left")
        item = replace(item, size_bytes=total, received_bytes=part.size, error=None)
        save(item)
        return item

    async def _read(self, item: Download, part: PartFile, response: httpx.Response, save: Save) -> None:
        told = window = time.monotonic()
        at_window = part.size
        limit = self._settings.max_size_mb * 1_000_000
        try:
            async for chunk in response.aiter_raw():
                part.write(chunk)
                now = time.monotonic()
                if limit and part.size > limit:
                    raise Failed("more bytes than download.max_size_mb allows", final=True)
                if now - window > self._settings.stall_s:
                    if part.size - at_window < LEAST_BYTES_PER_S * (now - window):
                        raise Failed(f"stalled: less than {LEAST_BYTES_PER_S} bytes a second")
                    window, at_window = now, part.size
                if now - told > PROGRESS_S:
                    told = now
                    part.flush()
                    save(replace(item, received_bytes=part.size))
        finally:
            part.flush()
            save(replace(item, received_bytes=part.size))

    async def _finish(self, item: Download, part: PartFile, base: Path, save: Save) -> None:
        kind = part.kind()
        if kind is None:
            raise Failed("what came is no picture, video or sound", dead_link=True)
        whole = part.is_whole(kind)
        if whole is False and item.size_bytes is None:
            save(replace(item, etag=None, received_bytes=0))
            raise Failed("the file is not whole")
        size = part.size
        final = await asyncio.to_thread(part.finish, base.with_name(f"{base.name}.{kind}"))
        item = replace(
            item, state=d.DONE, path=str(final), size_bytes=size, received_bytes=size,
            sha256=part.sha256, verified=whole, error=None,
        )  # fmt: skip
        # A kill before the row knows the final name must find the part, else the file is fetched once more.
        save(item)
        if part.remove():
            save(replace(item, part=None))


def content_range(value: str) -> tuple[int | None, int | None]:
    """(first byte, whole size) of a Content-Range, None where it does not tell."""
    unit, _, rest = value.partition(" ")
    span, _, total = rest.partition("/")
    first = span.partition("-")[0]
    if unit.lower() != "bytes" or not first.isdigit():
        return None, None
    return int(first), int(total) if total.isdigit() else None


def _length(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) < 19 else None

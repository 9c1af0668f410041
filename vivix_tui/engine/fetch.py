"""One attempt at one output: a request, bytes into the part file, the final name.

Owns: ranges and validators, redirects, and that only a whole medium gets its name. Refuses: the queue and retries
(`downloader`), sockets (`exchange`), and the API's key and cookies: these requests never have them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace
from msgspec.structs import replace as replace_settings

from vivix_tui import __version__
from vivix_tui.api.connect import http_proxy_for, tls_context
from vivix_tui.config import Download as Settings
from vivix_tui.domain import download as d
from vivix_tui.domain.download import Download
from vivix_tui.domain.text import one_line
from vivix_tui.engine.address import addresses_of, check_url, redirected
from vivix_tui.engine.exchange import CONNECT_TIMEOUT_S, Exchange, Failed, Head
from vivix_tui.engine.part_file import PartFile, free_part
from vivix_tui.engine.pump import Pump, Throttle, needs_room
from vivix_tui.engine.threads import in_thread
from vivix_tui.errors import ConfigError

MAX_REDIRECTS = 5
PROGRESS_S = 0.5
HEADERS = {"User-Agent": f"vivix-tui/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
REDIRECTS = (301, 302, 303, 307, 308)
DEAD_LINK = (403, 404, 410)
HOPELESS = (400, 401, 451)
LONGEST_AFTER_S = 120.0

Save = Callable[[Download], None]
Name = Callable[[str | None], Path]


class Fetcher:
    """What all attempts share. `loopback`: the API is on this machine, so outputs may be, too. Raises ConfigError."""

    def __init__(self, settings: Settings, throttle: Throttle, *, loopback: bool) -> None:
        self._settings = settings
        self._loopback = loopback
        self._tls = tls_context()
        self._throttle = throttle

    async def attempt(self, item: Download, name: Name, save: Save) -> None:
        """Fetches `item` to the name that its content deserves; until that is known the part has one without a kind.

        `save` writes the row. Raises Failed, ForbiddenURL, OSError (the disk's); the row says how far it came.
        """
        new = item.part is None
        if new:
            # The name is on record before the file exists: a kill leaves no file that nobody knows.
            owner = f"{item.profile}/{item.generation_id}/{item.index}"
            item = replace(item, part=str(free_part(name(None), owner)), etag=None, received_bytes=0)
            save(item)
        part = PartFile(Path(item.part or ""), new=new, also_in=Path(item.path).parent if item.path else None)
        try:
            if part.finished_as is None:
                item = await self._receive(item, part, save)
            else:
                await in_thread(part.resume)
            await self._finish(item, part, name, save)
        except Failed as failure:
            if failure.final or failure.dead_link:
                part.discard()
                save(replace(item, part=None, etag=None, received_bytes=0))
            raise
        finally:
            part.close()

    async def glimpse(self, url: str, part: PartFile, most_mb: int) -> bool:
        """The first `most_mb` of what lies at `url` into `part`, to be looked at and not kept: no retries, no resuming.

        Whether that is all of it. Raises Failed, ForbiddenURL, OSError.
        """
        settings = replace_settings(self._settings, max_size_mb=most_mb)
        exchange, head = await self._open(url, {})
        try:
            if head.status != 200:
                raise Failed(f"the server answered {head.status}", dead_link=head.status in DEAD_LINK)
            pump = Pump(exchange, part, settings, self._throttle)
            await in_thread(pump.run, abort=pump.stop)
        except Failed:
            if part.size <= most_mb * 1_000_000:
                raise
            return False
        finally:
            exchange.close()
        total = _number(head.headers.get("content-length"))
        if total is not None and part.size != total:
            raise Failed(f"{part.size:,} of {total:,} bytes came")
        return True

    async def _receive(self, item: Download, part: PartFile, save: Save) -> Download:
        have = await in_thread(part.resume) if item.etag else 0
        if have and have == item.size_bytes:
            if part.ends_well():
                return item  # the program ended between the last byte and the name
            have = 0
        if not have:
            part.restart()
        headers = {"Range": f"bytes={have}-", "If-Range": item.etag or ""} if have else {}
        exchange, head = await self._open(item.url, headers)
        try:
            item = self._begin(item, part, head, have, save)
            await self._read(item, part, exchange, save)
        finally:
            exchange.close()
        if item.size_bytes is not None and part.size != item.size_bytes:
            raise Failed(f"{part.size:,} of {item.size_bytes:,} bytes came")
        return item

    async def _open(self, url: str, headers: dict[str, str]) -> tuple[Exchange, Head]:
        """The answer to a GET, redirects followed by hand: each address is checked before anything is sent to it."""
        for _ in range(MAX_REDIRECTS + 1):
            exchange = Exchange(self._tls, stall_s=self._settings.stall_s)

            def ask(exchange: Exchange = exchange, url: str = url) -> Head:
                try:
                    return self._ask(exchange, url, headers)
                except BaseException:
                    exchange.close()
                    raise

            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S + self._settings.stall_s):
                    head = await in_thread(ask, abort=exchange.abort, wait=False)
            except TimeoutError:
                raise Failed(f"stalled: no answer within {CONNECT_TIMEOUT_S + self._settings.stall_s:g} s") from None
            if head.status not in REDIRECTS or "location" not in head.headers:
                return exchange, head
            exchange.close()
            url = redirected(url, head.headers["location"])
        raise Failed(f"more than {MAX_REDIRECTS} redirects", final=True)

    def _ask(self, exchange: Exchange, url: str, headers: dict[str, str]) -> Head:
        host, port = check_url(url, loopback=self._loopback)
        try:
            proxy = http_proxy_for(url)
        except ConfigError as error:
            raise Failed(str(error), final=True) from None
        try:
            addresses = addresses_of(host, port, loopback=self._loopback, private=self._settings.allow_private)
        except OSError as error:
            if proxy is None:
                raise Failed(f"{one_line(host, 60)} cannot be found: {error.strerror}", unreachable=True) from None
            addresses = []  # names are the proxy's business where only the proxy knows them
        return exchange.open(url, HEADERS | headers, addresses=addresses, proxy=proxy)

    def _begin(self, item: Download, part: PartFile, head: Head, have: int, save: Save) -> Download:
        """Decides from the answer's head where the bytes go; records the validator before the first one is kept."""
        status, etag = head.status, head.headers.get("etag", "")
        if status == 206 and have:
            start, total = content_range(head.headers.get("content-range", ""))
            other = (etag and etag != item.etag) or (item.size_bytes is not None and total != item.size_bytes)
            if start != have or other:
                save(replace(item, etag=None, received_bytes=0))
                raise Failed("the server sent a range of something else than what was begun")
        elif status == 200:
            part.restart()
            total = _number(head.headers.get("content-length"))
            item = replace(item, etag=etag if etag.startswith('"') else None)
        elif status == 416 and have:
            save(replace(item, etag=None, received_bytes=0))
            raise Failed("what was left of an earlier attempt no longer fits")
        else:
            after_s = min(_number(head.headers.get("retry-after")) or 0, LONGEST_AFTER_S)
            final, dead = status in HOPELESS, status in DEAD_LINK
            raise Failed(f"the server answered {status}", final=final, dead_link=dead, after_s=after_s)
        limit = self._settings.max_size_mb * 1_000_000
        if limit and total is not None and total > limit:
            raise Failed(f"{total:,} bytes, more than download.max_size_mb allows", final=True)
        needs_room(part.path.parent, (total or 0) - part.size, self._settings)
        item = replace(item, size_bytes=total, received_bytes=part.size, error=None)
        save(item)
        return item

    async def _read(self, item: Download, part: PartFile, exchange: Exchange, save: Save) -> None:
        """The body into the part; the row follows twice a second, and at the end, however that comes."""
        pump = Pump(exchange, part, self._settings, self._throttle)
        reading = asyncio.create_task(in_thread(pump.run, abort=pump.stop))
        saved = -1
        try:
            while not reading.done():
                await asyncio.wait([reading], timeout=PROGRESS_S)
                if pump.waits_for_s > 2 * self._settings.stall_s:
                    raise Failed("stalled: much comes, and nothing of the file")
                if part.size != saved:
                    saved = part.size
                    save(replace(item, received_bytes=saved))
            await reading
        finally:
            reading.cancel()
            # A part that a thread still writes to must not be begun anew by the next attempt.
            with contextlib.suppress(asyncio.CancelledError, Failed, OSError):
                await reading
            save(replace(item, received_bytes=part.size))

    async def _finish(self, item: Download, part: PartFile, name: Name, save: Save) -> None:
        kind = part.kind()
        if kind is None:
            raise Failed("what came is no picture, video or sound", dead_link=True)
        whole = part.is_whole(kind)
        if whole is False and item.size_bytes is None:
            save(replace(item, etag=None, received_bytes=0))
            raise Failed("the file is not whole")
        size, target = part.size, name(kind)
        if target.parent != part.path.parent:
            save(replace(item, path=str(target)))  # a kill after the link: the file is looked for there, too
        final = await in_thread(lambda: part.finish(target))
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
    if unit.lower() != "bytes":
        return None, None
    return _number(first), _number(total)


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 19 else None

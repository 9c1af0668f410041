"""`python -m bench.fetching FOLDER URL…`: this program's downloader on these URLs, in a process of its own, timed.

Owns: a database, the rows, the figures of the time from the first connection to the last file in its place, digest,
fsync and rows included, as JSON on stdout. Refuses: judging them.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from vivix_tui.config import Config, Download, Paths, Profile, Settings
from vivix_tui.domain.generation import Answer
from vivix_tui.engine.downloader import Downloader
from vivix_tui.engine.pump import Throttle
from vivix_tui.store import downloads, generations
from vivix_tui.store.store import Store

PROFILE = "bench"


def main() -> int:
    folder, urls = Path(sys.argv[1]), sys.argv[2:]
    names = {name: folder / name for name in ("config", "database", "log", "state")}
    config = Config(
        settings=Settings(download=Download(directory=str(folder), parallel=4, reserve_mb=0, sidecar=False)),
        profile=PROFILE,
        account=Profile(base_url="http://127.0.0.1:1"),
        paths=Paths(**names),
    )
    store = Store(config.paths.database)
    now = datetime.now(UTC)
    for number, url in enumerate(urls):
        answer = Answer(generation_id=f"g{number}", status="completed", output_url=url)
        with store.write() as connection:
            generations.track(connection, PROFILE, [(answer.generation_id, None)], now)
        generations.record(store, PROFILE, answer, asked_at=now, fetch=True)
    began, used = time.monotonic(), _cpu_s()
    asyncio.run(_fetch(Downloader(store, config, asyncio.Event(), Throttle(0)), store, len(urls)))
    took, cpu = time.monotonic() - began, _cpu_s() - used
    items = [item for n in range(len(urls)) for item in downloads.of(store, PROFILE, f"g{n}")]
    print(json.dumps({"seconds": took, "cpu_s": cpu, "states": [(i.state, i.error, i.size_bytes) for i in items]}))
    return 0


async def _fetch(downloader: Downloader, store: Store, count: int) -> None:
    running = asyncio.create_task(downloader.run())
    while store.one("SELECT count(*) FROM downloads WHERE state IN ('done', 'failed', 'paused')")[0] < count:
        if running.done():
            await running
        await asyncio.sleep(0.01)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())

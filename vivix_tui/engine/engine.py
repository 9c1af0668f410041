"""The engine's life: one thread, one event loop, one lock per profile.

Owns: becoming the engine when no living process is, starting the tasks, restarting one that dies, reading the key,
ending in order. Refuses: the work itself (poller, submitter, downloader, account).
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from vivix_tui.api.client import Client
from vivix_tui.config import Config
from vivix_tui.domain.budget import Budget
from vivix_tui.domain.text import one_line
from vivix_tui.engine.account import AccountReader
from vivix_tui.engine.auto_retry import AutoRetry
from vivix_tui.engine.downloader import Downloader
from vivix_tui.engine.glimpser import Glimpser
from vivix_tui.engine.link import Link
from vivix_tui.engine.lock import EngineLock
from vivix_tui.engine.poller import Poller
from vivix_tui.engine.pump import Throttle
from vivix_tui.engine.retention import keep
from vivix_tui.engine.submitter import Submitter
from vivix_tui.engine.threads import give_memory_back
from vivix_tui.errors import ConfigError, KeyProblem, StoreMoved, VivixError
from vivix_tui.keys import ApiKey
from vivix_tui.store import accounts
from vivix_tui.store.accounts import EngineState
from vivix_tui.store.store import Store

STANDBY_S = 0.5
WATCH_S = 0.5
QUIET_WATCH_S = 1.0  # where nothing was written for a while: a sleeping machine is left asleep
QUIET_AFTER_S = 10.0
PUBLISH_S = 1.0
KEY_AGAIN_S = 60.0
RESTART_MAX_S = 30.0
STOP_S = 2.5
CLOSING_S = 0.5
log = logging.getLogger("vivix_tui.engine")

KeySource = Callable[[], ApiKey | None]


class Engine:
    """Runs in its own thread until `stop`. `key_source` may block and may raise KeyProblem; it runs in a thread."""

    def __init__(self, config: Config, key_source: KeySource) -> None:
        self._config = config
        self._key_source = key_source
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._asked_to_stop = False
        self._wakes: list[asyncio.Event] = []
        self._given_key: ApiKey | None = None
        self._link: Link | None = None
        self._key_given = asyncio.Event()
        self._grace_s = STOP_S - CLOSING_S
        self._taken_up: ApiKey | None = None
        self.holds_lock = threading.Event()
        self.failure: VivixError | None = None

    def start(self) -> None:
        give_memory_back()
        self._thread.start()

    def wake(self) -> None:
        """A wish was written: look now. Safe from any thread."""
        self._call_soon(self._wake_all)

    def use_key(self, key: ApiKey) -> None:
        """Another key, typed by the user; it counts until this process ends. Safe from any thread."""
        self._given_key = key
        self._call_soon(self._key_given.set)
        self.wake()

    def has_taken_up(self, key: ApiKey) -> bool:
        """Whether calls go with this key since it was given: what the engine's row says from then on is about it."""
        return self._taken_up is key

    def stop(self, timeout_s: float = STOP_S) -> bool:
        """Asks it to end and waits. False if it did not within `timeout_s`; what it was doing is on disk anyway.

        A POST that is under way is waited for: its answer names the id.
        """
        self._grace_s = timeout_s - CLOSING_S
        self._asked_to_stop = True
        self._call_soon(self._begin_stop)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def unsaved(self) -> str | None:
        """What was paid for, or otherwise became known, and cannot be stored now. It has to be on the screen."""
        return self._link.unsaved if self._link is not None else None

    def _begin_stop(self) -> None:
        if self._stopping is not None:
            self._stopping.set()

    def _call_soon(self, action: Callable[[], object]) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(action)
            except RuntimeError:
                log.debug("the loop closed meanwhile")

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except VivixError as error:
            self.failure = error
            log.error("the engine ended: %s", error)
        except Exception:
            self.failure = VivixError("the engine ended with an internal error, see the log")
            log.exception("the engine ended")

    async def _main(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        if self._asked_to_stop:  # before there was a loop to be told
            return
        lock = EngineLock(self._config.paths.database, self._config.profile)
        while not lock.acquire():
            if await self._stops_within(STANDBY_S):
                return
        store = Store(self._config.paths.database)
        try:
            store.must_be_writable()
            self.holds_lock.set()
            await self._serve(store)
        except ConfigError as error:
            # Surroundings in which no connection can be made (a proxy, certificates): the screen has to say so.
            state = EngineState(pid=os.getpid(), connection="offline", detail=str(error), hint=error.hint or None)
            accounts.save_engine(store, self._config.profile, state, datetime.now(UTC))
            raise
        finally:
            self.holds_lock.clear()
            store.close()
            lock.release()

    async def _serve(self, store: Store) -> None:
        profile = self._config.profile
        budget = Budget(least_share=self._config.settings.poll.least_share, now=time.monotonic())
        client = Client(self._config.account.base_url, budget, timeout_s=self._config.settings.api.timeout_s)
        link = Link(store, profile, client, budget)
        link.keep_limit()
        self._link = link
        self._wakes = [asyncio.Event() for _ in range(6)]
        throttle = Throttle(self._config.settings.download.bandwidth)
        submitter = Submitter(store, profile, link, self._wakes[1], self._config)
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "poller": Poller(store, self._config, link, self._wakes[0]).run,
            "submitter": submitter.run,
            "downloader": Downloader(store, self._config, self._wakes[2], throttle).run,
            "glimpser": Glimpser(store, self._config, self._wakes[4], throttle).run,
            "account": AccountReader(store, profile, link, budget, self._wakes[5]).run,
            "keys": lambda: self._find_key(link),
            "watch": lambda: self._watch(store, link),
        }
        days = self._config.settings.history.days
        if days is not None:
            parts["retention"] = lambda: keep(store, profile, days)
        if self._config.settings.retry.auto:
            parts["retries"] = AutoRetry(store, self._config, self._wakes[3]).run
        tasks = [asyncio.create_task(self._kept_alive(name, run, link), name=name) for name, run in parts.items()]
        try:
            assert self._stopping is not None  # noqa: S101 - set by _main
            await self._stopping.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if submitter.sending is not None:
                await asyncio.wait([submitter.sending], timeout=self._grace_s)
            await client.close()
            link.stopped()

    async def _kept_alive(self, name: str, run: Callable[[], Awaitable[None]], link: Link) -> None:
        """A task that dies is restarted after a pause that grows, and the header says so."""
        pause_s = 0.5
        while True:
            began = time.monotonic()
            try:
                await run()
            except StoreMoved as error:
                # Nothing that is written here would be seen; who opens the file that is there now needs the lock.
                self.failure = error
                self._begin_stop()
                return
            except Exception as error:
                log.exception("%s died", name)
                why = one_line(str(error), 120) or type(error).__name__
                link.trouble = f"A part of the engine was restarted: {name}: {why}"
            if time.monotonic() - began > 60:
                pause_s = 0.5
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, RESTART_MAX_S)

    async def _watch(self, store: Store, link: Link) -> None:
        """Notices what other threads and processes wrote, and keeps the header's figures."""
        written, seen, changed, published = -1, -1, 0.0, 0.0
        while True:
            revision = store.revision
            if revision != written:
                written, changed = revision, time.monotonic()
            if revision - store.reports != seen:  # its `news`
                seen = revision - store.reports
                self._wake_all()
            if time.monotonic() - published >= PUBLISH_S:
                published = time.monotonic()
                link.publish()
            quiet = time.monotonic() - changed > QUIET_AFTER_S
            await asyncio.sleep(QUIET_WATCH_S if quiet else WATCH_S)

    async def _find_key(self, link: Link) -> None:
        """Reads the key; without one, or with a rejected one, looks again every minute or when one is typed in."""
        while True:
            key, complaint = self._given_key, None
            if key is None or key in link.rejected:
                try:
                    key = await asyncio.to_thread(self._key_source)
                except KeyProblem as problem:
                    complaint = str(problem)
            if key not in link.rejected:
                link.use_key(key, complaint)
            self._taken_up = key
            looked, given = time.monotonic(), self._given_key
            while self._given_key is given:
                usable = key is not None and key not in link.rejected
                if not usable and time.monotonic() - looked > KEY_AGAIN_S:
                    break
                with suppress(TimeoutError):
                    async with asyncio.timeout(KEY_AGAIN_S / 10):
                        await self._key_given.wait()
                self._key_given.clear()
            if self._given_key is not None and self._given_key is not given:
                # Whoever types a key once more wants it tried once more.
                link.rejected.discard(self._given_key)

    def _wake_all(self) -> None:
        for wake in self._wakes:
            wake.set()

    async def _stops_within(self, seconds: float) -> bool:
        assert self._stopping is not None  # noqa: S101 - set by _main
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

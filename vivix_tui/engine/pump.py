"""The bytes of one body from its connection into the part file, in a thread.

Owns: the buffer, the stall rule, the limits of size, disk and bandwidth while bytes come. Refuses: what they are.
"""

from __future__ import annotations

import errno
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from vivix_tui.config import Download as Settings
from vivix_tui.engine.exchange import Exchange, Failed
from vivix_tui.engine.part_file import PartFile

BLOCK = 256 * 1024
RING = 16
LOOK_EVERY = 64 * 1024 * 1024
LEAST_BYTES_PER_S = 512


class Throttle:
    """The bandwidth that all downloads share, in bytes a second (0: any). Safe from any thread."""

    def __init__(self, bytes_per_s: int) -> None:
        self.bytes_per_s = bytes_per_s
        self._lock = threading.Lock()
        self._free_at = 0.0

    def pause_s(self, count: int) -> float:
        """How long to wait after `count` bytes were taken."""
        if not self.bytes_per_s:
            return 0.0
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + count / self.bytes_per_s
            return self._free_at - now


class _Ring:
    """Buffers on their way round: one thread fills them, the next writes them, a third one digests them.

    At the end of `full` stands what ended the reading, None where the body did.
    """

    def __init__(self, block: int) -> None:
        self.empty: SimpleQueue[memoryview | None] = SimpleQueue()
        self.full: SimpleQueue[tuple[memoryview, int] | BaseException | None] = SimpleQueue()
        self.written: SimpleQueue[tuple[memoryview, int] | None] = SimpleQueue()
        for _ in range(RING):
            self.empty.put(memoryview(bytearray(block)))

    def digest(self, part: PartFile) -> None:
        """Until None comes."""
        while (item := self.written.get()) is not None:
            buffer, count = item
            part.digest(buffer[:count])
            self.empty.put(buffer)


class Pump:
    """`run` blocks until the body ends. Raises Failed, OSError (the disk's alone); `stop` ends it early."""

    def __init__(self, source: Exchange, part: PartFile, settings: Settings, throttle: Throttle) -> None:
        self._source, self._part = source, part
        self._settings, self._throttle = settings, throttle
        self._stopped = threading.Event()
        self._asked_at: float | None = None

    @property
    def waits_for_s(self) -> float:
        """Since when the connection has brought nothing, though bytes beside the body (sizes of chunks, trailers) may
        have come all the time: those this thread does not see while it waits."""
        asked_at = self._asked_at
        return 0.0 if asked_at is None else time.monotonic() - asked_at

    def stop(self) -> None:
        """From another thread: what came so far is kept."""
        self._stopped.set()
        self._source.abort()

    def run(self) -> None:
        room = _room(self._part.path, self._settings)
        limit = self._settings.max_size_mb * 1_000_000 or float("inf")
        looked_at = window_at = self._part.size
        window = time.monotonic()
        with self._at_work() as ring:
            while self._put_down(ring):
                now, size = time.monotonic(), self._part.size
                if size > limit:
                    raise Failed("more bytes than download.max_size_mb allows", final=True)
                if size - looked_at > min(LOOK_EVERY, room):
                    room, looked_at = _room(self._part.path, self._settings), size
                if now - window > self._settings.stall_s:
                    if size - window_at < self._least() * (now - window):
                        raise Failed(f"stalled: less than {LEAST_BYTES_PER_S} bytes a second")
                    window, window_at = now, size

    @contextmanager
    def _at_work(self) -> Iterator[_Ring]:
        """Reading, writing and digesting cost about the same each: in threads side by side, on what cores there are.
        At the end the digest has seen all that was written, and nothing reads any more."""
        ring = _Ring(self._block())
        beside = (
            threading.Thread(target=self._read, args=(ring,), name="read", daemon=True),
            threading.Thread(target=ring.digest, args=(self._part,), name="digest", daemon=True),
        )
        for thread in beside:
            thread.start()
        try:
            yield ring
        finally:
            self._source.abort()
            ring.empty.put(None)
            ring.written.put(None)
            for thread in beside:
                thread.join()

    def _read(self, ring: _Ring) -> None:
        """Fills buffers until the body ends, or nobody wants more."""
        ended: BaseException | None = None
        try:
            while (buffer := ring.empty.get()) is not None:
                self._asked_at = time.monotonic()
                count = self._source.fill(buffer)
                self._asked_at = None
                if not count:
                    break
                ring.full.put((buffer, count))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that writes
            ended = error
        ring.full.put(ended)

    def _put_down(self, ring: _Ring) -> bool:
        """Writes what came next. False at the end of the body."""
        item = ring.full.get()
        if item is None:
            return False
        if isinstance(item, BaseException):
            raise item
        (buffer, filled), kept = item, 0
        try:
            while kept < filled:
                kept += self._part.write(buffer[kept:filled])
        finally:
            ring.written.put((buffer, kept))
        self._stopped.wait(self._throttle.pause_s(filled))
        return True

    def _block(self) -> int:
        """With a limit, blocks are small enough for a few a second: the flow stays even."""
        rate = self._throttle.bytes_per_s
        return max(1024, min(BLOCK, rate // 8)) if rate else BLOCK

    def _least(self) -> float:
        """Who holds itself back must not call that a stall."""
        rate = self._throttle.bytes_per_s
        return min(LEAST_BYTES_PER_S, rate / (2 * self._settings.parallel)) if rate else LEAST_BYTES_PER_S


def needs_room(folder: Path, count: int, settings: Settings) -> None:
    """Raises OSError (ENOSPC) where `count` more bytes would leave less than the reserve."""
    reserve = settings.reserve_mb * 1_000_000
    if shutil.disk_usage(folder).free - count < reserve:
        raise OSError(errno.ENOSPC, f"less than download.reserve_mb ({reserve:,} bytes) would be left")


def _room(part: Path, settings: Settings) -> int:
    """How many bytes may be written until one has to look again, since others write, too. Raises OSError (ENOSPC)."""
    needs_room(part.parent, 0, settings)
    return max(BLOCK, (shutil.disk_usage(part.parent).free - settings.reserve_mb * 1_000_000) // 2)

"""Asks for the small picture of a file: from the cache, else from a process that is started for it.

Owns: opening the file, the process and its end, the wall clock. Refuses: decoding, and waiting in the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from vivix_tui.domain.text import one_line
from vivix_tui.errors import NotShown
from vivix_tui.preview.cache import Cache, name_of
from vivix_tui.preview.frame import Frame, most_bytes, pack, unpack
from vivix_tui.preview.limits import DEADLINE_S

# Nothing else of the environment: the API key may be in it.
_ENVIRONMENT = ("PATH", "HOME", "PYTHONPATH", "PYTHONUSERBASE", "LD_LIBRARY_PATH", "LANG", "LC_ALL")


def has_decoder() -> bool:
    """Whether Pillow is installed; it is not loaded for that."""
    return find_spec("PIL") is not None


async def frame_of(
    path: Path, width: int, height: int, cache: Cache, *, slice_height: int = 0, deadline_s: float = DEADLINE_S
) -> Frame:
    """The picture of the file in at most `width` × `height` pixels, as Sixel where slices are asked for. Raises
    NotShown with one sentence."""
    asked = width, height, slice_height
    with _opened(path) as descriptor:
        name = name_of(os.fstat(descriptor), *asked)
        kept = await asyncio.to_thread(cache.get, name)
        if kept is not None:
            with contextlib.suppress(NotShown):  # damaged: made anew
                return unpack(kept, *asked)
        frame = unpack(await _decoded(descriptor, asked, deadline_s), *asked)
    await asyncio.to_thread(cache.put, name, pack(frame))
    return frame


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The file's descriptor. Not waiting for the other end of a pipe that someone put there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotShown("the file is no longer where it was saved; d fetches it again") from None
    except OSError as error:
        raise NotShown(f"the file cannot be opened: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotShown("what lies there is no file")
        yield descriptor
    finally:
        os.close(descriptor)


async def _decoded(descriptor: int, asked: tuple[int, int, int], deadline_s: float) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "vivix_tui.preview.worker", *map(str, asked),
        stdin=descriptor, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True, env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
    )  # fmt: skip
    try:
        async with asyncio.timeout(deadline_s):
            data = await _read(process, most_bytes(*asked))
            code = await process.wait()
    except TimeoutError:
        raise NotShown(f"decoding it took longer than {deadline_s:g} s") from None
    finally:
        await _ended(process)
    if code == -signal.SIGXCPU:
        raise NotShown("decoding it takes more processor time than a preview may use")
    if code < 0:
        raise NotShown(f"the decoder crashed ({one_line(signal.Signals(-code).name)})")
    return data


async def _read(process: asyncio.subprocess.Process, most: int) -> bytes:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    data = bytearray()
    while len(data) <= most:
        chunk = await process.stdout.read(64 * 1024)
        if not chunk:
            return bytes(data)
        data += chunk
    raise NotShown("the decoder handed back more than was asked for")


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Nothing of it is left: neither the process nor one that it started and could not wait for."""
    if process.returncode is None or process.returncode < 0:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()

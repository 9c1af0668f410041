"""`python -m tests.torture.counted ARGUMENTS`: the program, and once a second how many asyncio tasks live in it.

COUNT_FILE is the file that holds the number. /proc knows threads, but no tasks; a task that is never awaited again is a
leak that only shows after weeks. Owns: the counting. Refuses: our code; it runs as it is.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import time
import weakref
from pathlib import Path
from typing import Any

_loops: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()


def main() -> None:
    from vivix_tui.cli.main import entry

    real = asyncio.BaseEventLoop.__init__

    @functools.wraps(real)
    def begin(loop: asyncio.BaseEventLoop, *arguments: Any) -> None:
        real(loop, *arguments)
        _loops.add(loop)

    asyncio.BaseEventLoop.__init__ = begin  # type: ignore[method-assign, assignment]
    threading.Thread(target=_count, args=(Path(os.environ["COUNT_FILE"]),), name="count", daemon=True).start()
    entry()


def _count(path: Path) -> None:
    new = path.with_suffix(".new")
    while True:
        new.write_text(str(sum(len(asyncio.all_tasks(loop)) for loop in list(_loops) if not loop.is_closed())))
        new.replace(path)
        time.sleep(1)


if __name__ == "__main__":
    main()

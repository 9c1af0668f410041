"""`python -m tests.e2e.frozen ARGUMENTS`: the program, whose screen something never lets run again from SIGUSR1 on.

Owns: that. Refuses: our code; it runs as it is.
"""

from __future__ import annotations

import os
import signal
import time
from types import FrameType

from vivix_tui.cli.main import entry

HANGS = b"\x1b]2;it hangs\x07"  # what it says then


def _never_come_back(_number: int, _frame: FrameType | None) -> None:
    os.write(2, HANGS)
    while True:
        time.sleep(0.01)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _never_come_back)
    entry()

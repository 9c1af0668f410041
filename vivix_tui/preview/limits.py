"""The limits a decoder lives under: memory, processor time, no files, no core dump.

Owns: their figures. Refuses: the wall clock; the one who started the process looks at that.
"""

from __future__ import annotations

import contextlib
import os
import resource

MIB = 1024 * 1024
PICTURE_MEMORY = 640 * MIB
VIDEO_MEMORY = 1536 * MIB  # ffmpeg maps some 300 MiB of libraries before it has read a byte
CPU_S = 10
DEADLINE_S = 15.0


def confine(memory_bytes: int) -> None:
    """For this process and those it starts. A system that does not know one of the limits keeps the others."""
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: CPU_S,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))
    with contextlib.suppress(OSError):
        os.nice(5)

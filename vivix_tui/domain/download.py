"""A download: one output of one generation on its way to a file.

Owns: states, and the fields of a row. Refuses: network and disk.
"""

from __future__ import annotations

from msgspec import Struct

QUEUED = "queued"
ACTIVE = "active"
PAUSED = "paused"
DONE = "done"
FAILED = "failed"
CANCELLED = "cancelled"
STATES = (QUEUED, ACTIVE, PAUSED, DONE, FAILED, CANCELLED)
OVER = frozenset({DONE, FAILED, CANCELLED})
GONE = "gone from the server"  # how the error of a failed one begins whose link is dead for good


class Download(Struct, frozen=True, kw_only=True):
    """`index` counts from 1. `size_bytes` is None until the server told it; `verified` None where nothing can tell.

    `part` is the file that is being written, `etag` the strong validator of what it holds so far.
    `link_asked` is 1 while a fresh URL is awaited from the API, 2 after that.
    """

    profile: str
    generation_id: str
    index: int
    url: str
    state: str = QUEUED
    directory: str | None = None
    path: str | None = None
    size_bytes: int | None = None
    received_bytes: int = 0
    sha256: str | None = None
    verified: bool | None = None
    error: str | None = None
    part: str | None = None
    etag: str | None = None
    attempts: int = 0
    link_asked: int = 0

"""A glimpse: an output that is fetched to be looked at, and not kept.

Owns: its states and the fields of a row. Refuses: network and disk; and being taken for a download.
"""

from __future__ import annotations

from msgspec import Struct

WANTED, FETCHED, REFUSED = "wanted", "fetched", "refused"


class Glimpse(Struct, frozen=True, kw_only=True):
    """`path` holds the bytes of a fetched one, `error` says why there are none. `index` counts from 1."""

    profile: str
    generation_id: str
    index: int
    url: str
    state: str = WANTED
    path: str | None = None
    error: str | None = None

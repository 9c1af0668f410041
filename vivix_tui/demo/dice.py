"""Chance that can be replayed: the same key always throws the same numbers.

Owns the one source of randomness of the simulation. Refuses `random.Random`: seeding one costs more than a whole past
generation may cost, and a lookup by id must throw the dice of that one id without throwing those before it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import TypeVar

Face = TypeVar("Face")

_SCALE = 1 << 32
_WORDS = struct.Struct(">16I")


class Dice:
    """A stream of numbers that is a pure function of its key (any values with a stable `repr`)."""

    __slots__ = ("_next",)

    def __init__(self, *key: object) -> None:
        self._next: Callable[[], int] = _numbers(repr(key)).__next__

    def below(self, limit: int) -> int:
        """A whole number from 0 to limit - 1; limits are far below 2**32, so the slant does not show."""
        return self._next() % limit

    def between(self, low: float, high: float) -> float:
        """A number from low to high, evenly spread."""
        return low + (high - low) * self._next() / _SCALE

    def happens(self, probability: float) -> bool:
        """True in that share of all throws."""
        return self._next() < probability * _SCALE

    def pick(self, faces: Sequence[Face]) -> Face:
        """One of the faces."""
        return faces[self._next() % len(faces)]

    def token(self) -> str:
        """16 hex digits."""
        return f"{self._next():08x}{self._next():08x}"

    def lognormal(self, median: float, sigma: float) -> float:
        """A duration around `median`: rarely much shorter, now and then much longer."""
        # The sum of four even throws is close enough to a bell curve, and needs no table.
        four = self._next() + self._next() + self._next() + self._next()
        return median * math.exp(sigma * (four / _SCALE - 2.0) * math.sqrt(3.0))


def _numbers(key: str) -> Iterator[int]:
    digest = key.encode()  # `repr` has escaped what cannot be encoded
    while True:
        digest = blake2b(digest, digest_size=64).digest()
        yield from _WORDS.unpack(digest)

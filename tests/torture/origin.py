"""A host of large files that goes wrong: what each file holds is computed, never kept in memory as a whole.

Owns: the files' bytes and versions, the faults, a count of the bytes sent for each file. Refuses: judging the client.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections import Counter
from dataclasses import dataclass, field

from tests.srv import Answer, Connection, Request, reply, stall

BLOCK = 256 * 1024
KEEPING = ("reset", "stall", "cut")
SPOILING = ("changed", "whole", "range")


@dataclass(slots=True)
class File:
    """One output. A new `version` has other bytes and another ETag."""

    size: int
    seed: int
    version: int = 1
    sent: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def etag(self) -> str:
        return f'"{self.seed}-{self.version}"'

    def bytes(self, begin: int, end: int) -> bytes:
        """An MP4 as far as its boxes go, filled with one block again and again."""
        head = (20).to_bytes(4, "big") + b"ftypisom" + bytes(8) + (8).to_bytes(4, "big") + b"moov"
        head += (self.size - len(head)).to_bytes(4, "big") + b"mdat"
        block = random.Random(f"{self.seed}-{self.version}").randbytes(BLOCK - 7)
        found = head[begin:end]
        while begin + len(found) < end:
            at = (begin + len(found) - len(head)) % len(block)
            found += block[at : at + end - begin - len(found)]
        return found

    @property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for begin in range(0, self.size, 64 * BLOCK):
            digest.update(self.bytes(begin, min(begin + 64 * BLOCK, self.size)))
        return digest.hexdigest()


class Origin:
    """Answers GETs of files; a `share` of the requests goes wrong; `spoiling`: also so that ranges are no use.

    `pause_s` is the time between two MiB."""

    def __init__(
        self, files: dict[str, File], dice: random.Random, share: float, *, spoiling: bool, pause_s: float
    ) -> None:
        self.files = files
        self._pause_s = pause_s
        self._dice, self._share = dice, share
        self._kinds = KEEPING + (SPOILING if spoiling else ())
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        file = self.files[request.path]
        with self._lock:
            fault = self._dice.choice(self._kinds) if self._dice.random() < self._share else None
            stops_at = self._dice.random()
            ranged = "range" in request.headers
            if fault == "changed":
                file.version += 1
            if fault is not None and (ranged or fault not in ("whole", "range")):
                file.faults[fault] += 1
        begin = int(request.headers["range"].removeprefix("bytes=").removesuffix("-")) if ranged else 0
        fits = ranged and request.headers.get("if-range") == file.etag and begin < file.size and fault != "whole"
        begin = begin if fits else 0
        told = {"content-type": "video/mp4", "etag": file.etag, "content-length": str(file.size - begin)}
        if fits:
            shown = begin + 4_096 if fault == "range" else begin
            told["content-range"] = f"bytes {shown}-{file.size - 1}/{file.size}"
        head = reply(206 if fits else 200, b"", told)
        end = begin + int((file.size - begin) * stops_at) if fault in KEEPING else file.size
        return self._sends(file, head, begin, end, fault)

    def _sends(self, file: File, head: bytes, begin: int, end: int, fault: str | None) -> Answer:
        def act(connection: Connection) -> None:
            connection.send(head)
            for at in range(begin, end, 4 * BLOCK):
                block = file.bytes(at, min(at + 4 * BLOCK, end))
                connection.send(block)
                with self._lock:
                    file.sent += len(block)
                connection.wait(self._pause_s)
            if fault == "stall":
                stall(b"")(connection)
            elif fault == "reset":
                connection.wait(0.05)  # what was sent arrives: it is the client's to keep
                connection.reset()

        return act

"""The API's side of the torture: it makes generations, answers polls, serves files, and keeps a ledger of it all.

Owns: which body became which id, what was answered to each POST, the right bytes of every file. Refuses: our code.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.srv import (
    GENERATE,
    GET_GENERATION,
    Act,
    Answer,
    Connection,
    Request,
    Srv,
    generation,
    id_of,
    json_reply,
    png,
)
from tests.srv import range_reply as whole_reply

PIECES = 5
MADE, LOST, REFUSED, WAITS, DOUBTFUL = "made", "made, answer lost", "refused", "not now", "doubtful"
"""How a POST ended for the API: an id that was told, an id that nobody got to know, a definite no, a no for now, and
an answer of which a client cannot tell what it means."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One POST that arrived whole."""

    at: float
    body: str
    ending: str
    generation_id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Reply:
    """How a POST is answered: the ending as the API knows it, and the bytes or act."""

    ending: str
    answer: Callable[[str], Answer]
    name: str = "201"


class Maker:
    """Stands on `srv`. `choose` says how a POST is answered (None: made and told), the poll `polls` tells the end."""

    def __init__(
        self,
        srv: Srv,
        *,
        seed: int = 1,
        think_s: float = 0.1,
        file_bytes: int = 60_000,
        polls: int = 2,
        choose: Callable[[str], Reply | None] = lambda body: None,
    ) -> None:
        self.srv = srv
        self.arrivals: list[Arrival] = []
        self.bodies: dict[str, str] = {}
        self._choose, self._think_s, self._file_bytes, self._ends_at = choose, think_s, file_bytes, polls
        self._dice = random.Random(seed)
        self._seed = seed
        self._lock = threading.Lock()
        self._polls: Counter[str] = Counter()
        srv.on("POST", GENERATE, self._post)
        srv.on("GET", GET_GENERATION, self._poll)
        srv.on("GET", "/out/*", self._file)

    @property
    def told(self) -> dict[str, str]:
        """Id → body of what was made and told whole."""
        return {a.generation_id: a.body for a in self.all() if a.ending == MADE and a.generation_id}

    def all(self) -> list[Arrival]:
        with self._lock:
            return list(self.arrivals)

    def counts(self) -> Counter[str]:
        """How often each body arrived and may have been charged: what was put off is asked again by contract."""
        return Counter(a.body for a in self.all() if a.ending != WAITS)

    def file_of(self, generation_id: str) -> bytes:
        return png(self._file_bytes + zlib.crc32(generation_id.encode()) % 1000, zlib.crc32(generation_id.encode()))

    def sha_of(self, generation_id: str) -> str:
        return hashlib.sha256(self.file_of(generation_id)).hexdigest()

    def _post(self, request: Request) -> Answer:
        body = request.body.decode()
        reply = self._choose(body) or Reply(MADE, _created)
        with self._lock:
            makes = reply.ending in (MADE, LOST)
            number = len(self.arrivals) + 1
            new = f"{number:04d}{self._dice.randrange(16**8):08x}" if makes else None
            self.arrivals.append(Arrival(request.at, body, reply.ending, new, reply.name))
            if new is not None:
                self.bodies[new] = body
            pause_s = self._dice.uniform(0, self._think_s)
        answer = reply.answer(new or "")
        return _thoughtful(pause_s, answer) if isinstance(answer, bytes) else answer

    def _poll(self, request: Request) -> Answer:
        generation_id = id_of(request)
        with self._lock:
            self._polls[generation_id] += 1
            asked, body = self._polls[generation_id], self.bodies.get(generation_id)
        if body is None:
            return json_reply(404, {"error": "NOT_FOUND", "message": "No.", "next": "", "request_id": "r"})
        if asked < self._ends_at:
            return json_reply(200, generation(generation_id, "processing"))
        if "[fail]" in body:
            return json_reply(200, generation(generation_id, "failed"))
        url = f"{self.srv.url}/out/{generation_id}.png"
        return json_reply(200, generation(generation_id, "completed", output_url=url, output_urls=[url]))

    def _file(self, request: Request) -> Answer:
        """Ranges are honoured; the bytes come in pieces, so that a kill finds files half written."""
        generation_id = id_of(request).removesuffix(".png")
        data = self.file_of(generation_id)
        return _in_pieces(whole_reply(request, data, etag=f'"{generation_id}"'))


def body(serial: str, *, words: str = "a fox", model: str = "grok-imagine-image-quality") -> str:
    """A body that no other one equals."""
    return json.dumps({"model": model, "prompt": f"{words} {serial}"})


def _created(generation_id: str) -> bytes:
    return json_reply(201, {"generation_id": generation_id, "status": "pending", "credits_estimate": 120})


def created(generation_id: str) -> bytes:
    """201 with that id."""
    return _created(generation_id)


def _thoughtful(seconds: float, answer: bytes) -> Act:
    def act(connection: Connection) -> None:
        time.sleep(seconds)
        connection.send(answer)

    return act


def _in_pieces(data: bytes) -> Act:
    def act(connection: Connection) -> None:
        step = len(data) // PIECES + 1
        for start in range(0, len(data), step):
            connection.send(data[start : start + step])
            if not connection.wait(0.02):
                return

    return act

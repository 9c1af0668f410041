"""The account's book: which jobs exist, what is left to spend. In memory, and in a file when there is a directory.

Owns the jobs, the grants and the balance, and the append-only file `demo-api.jsonl` (0600) that makes a restart
continue where it stopped. Refuses to settle anything by event: a record tells its own end, so the balance is a
function of the records and the time, and a process killed at any moment has nothing to catch up on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .jobs import Job, digest

FILE_NAME = "demo-api.jsonl"


class Ledger:
    """Jobs and credits of one account. A line is written before anything it says is true."""

    def __init__(self, directory: Path | None = None) -> None:
        self._jobs: dict[str, Job] = {}
        self._in_flight: dict[str, Job] = {}
        self._failed_bodies: set[str] = set()
        self._settled = 0
        self._granted = 0
        self._spent_before = 0
        self._resets_at: float | None = None
        self._file: int | None = None
        if directory is not None:
            self._open(directory / FILE_NAME)

    @property
    def is_new(self) -> bool:
        """Whether nobody has opened the account yet."""
        return self._resets_at is None

    def open_account(self, *, granted: int, spent_before: int, resets_at: float) -> None:
        """Writes the first line: credits of this cycle, and what was spent before the story begins."""
        self._record(
            {"account": {"granted": granted, "spent_before": spent_before, "resets_at": resets_at}},
        )

    def grant(self, credits: int) -> None:
        """Tops the account up."""
        self._record({"grant": credits})

    def add(self, job: Job) -> None:
        """Accepts a job: its estimate is reserved from now on."""
        self._record({"job": asdict(job)})

    def find(self, generation_id: str) -> Job | None:
        """The job with that id."""
        return self._jobs.get(generation_id)

    def by_author(self, author: str) -> Iterator[Job]:
        """The jobs of one author, oldest first."""
        return (job for job in self._jobs.values() if job.author == author)

    def has_failed(self, body: dict[str, Any]) -> bool:
        """Whether an identical request has failed, or is bound to."""
        return digest(body) in self._failed_bodies

    def in_flight(self, now: float) -> list[Job]:
        """The jobs that have not ended."""
        self._settle(now)
        return list(self._in_flight.values())

    def spent(self, now: float) -> int:
        """Credits taken in this cycle, reservations included: spent and balance add up to what was granted."""
        self._settle(now)
        return self._spent_before + self._settled + sum(job.estimate for job in self._in_flight.values())

    def granted(self) -> int:
        """Credits granted in this cycle."""
        return self._granted

    def balance(self, now: float) -> int:
        """Credits left."""
        return self._granted - self.spent(now)

    def resets_at(self, now: float) -> float:
        """When the next cycle begins, wall clock seconds."""
        moment = now if self._resets_at is None else self._resets_at
        while moment < now:
            moment += 30 * 86400
        return moment

    def close(self) -> None:
        """Closes the file, if there is one."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _settle(self, now: float) -> None:
        for job in [job for job in self._in_flight.values() if job.ends_at <= now]:
            self._settled += job.used
            del self._in_flight[job.id]

    def _apply(self, line: dict[str, Any]) -> None:
        if "job" in line:
            job = Job(**line["job"])
            self._jobs[job.id] = self._in_flight[job.id] = job
            if job.error:
                self._failed_bodies.add(digest(job.body))
        elif "grant" in line:
            self._granted += int(line["grant"])
        elif "account" in line:
            account = line["account"]
            self._granted += int(account["granted"])
            self._spent_before = int(account["spent_before"])
            self._resets_at = float(account["resets_at"])

    def _record(self, line: dict[str, Any]) -> None:
        self._append(line)
        self._apply(line)

    def _append(self, line: dict[str, Any]) -> None:
        if self._file is None:
            return
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        end = os.fstat(self._file).st_size
        try:
            if os.write(self._file, data) != len(data):
                raise OSError("the ledger took only part of a line")
        except OSError:
            os.ftruncate(self._file, end)  # half a line would swallow the next one
            raise

    def _open(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        whole = 0
        with open(self._file, "rb", closefd=False) as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break  # cut by a kill: the client never got an answer for it
                whole += len(line)
                try:
                    self._apply(json.loads(line))
                except (ValueError, TypeError, KeyError):
                    continue  # a line of a later version, or damage: the rest still counts
        os.ftruncate(self._file, whole)

"""Starts the simulated API as users get it: a process on a free port, spoken to over a socket."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

IMAGE = {"model": "grok-imagine-image-quality", "prompt": "a lighthouse"}
PNG = {"model": "flux-2-pro", "prompt": "a poster"}
VIDEO = {"model": "wan-2.7-text-to-video", "prompt": "a whale", "duration": 4}
WEBM = {"model": "ltx-2-fast", "prompt": "a paper boat", "duration": 2}


class Demo:
    """A running server: its announcements, and a client with the right key."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vivix_tui.demo", "--announce", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.hello: dict[str, str] = json.loads(self.process.stdout.readline())
        self.base_url = self.hello["base_url"]
        self.announced: list[dict[str, Any]] = []
        self.http = httpx.Client(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {self.hello['api_key']}"},
            trust_env=False,
            timeout=10,
        )
        self.ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):  # a kill may cut the last one
                self.announced.append(json.loads(line))

    def post(self, body: Any, **more: Any) -> httpx.Response:
        return self.http.post("/api/v1/generate", json={**body, **more} if isinstance(body, dict) else body)

    def ask(self, generation_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/api/v1/generations/{generation_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def finished(self, generation_id: str) -> dict[str, Any]:
        """Asks until it has ended."""
        return dict(wait_for(lambda: (got := self.ask(generation_id))["status"] in ("completed", "failed") and got))

    def made(self, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = self.post(body, **more)
        assert answer.status_code == 201, answer.text
        return self.finished(answer.json()["generation_id"])

    def wait_for_announcements(self, count: int) -> None:
        wait_for(lambda: len(self.announced) >= count)

    def close(self) -> int:
        """Ends it the way a parent's death does; returns the exit code."""
        self.http.close()
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait(10)
        self._tidy()
        return code

    def kill(self) -> None:
        """Ends it the quick way, when nobody asks how it ends."""
        self.http.close()
        self.process.kill()
        self.process.wait(10)
        self._tidy()

    def _tidy(self) -> None:
        self.ended = True
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        self._reader.join(5)
        self.process.stdout.close()
        assert self.process.stderr.read() == b""
        self.process.stderr.close()


def wait_for(look: Callable[[], Any], *, limit_s: float = 10, pause_s: float = 0.02) -> Any:
    """The first true thing `look` returns."""
    over_at = time.monotonic() + limit_s
    while time.monotonic() < over_at:
        if seen := look():
            return seen
        time.sleep(pause_s)
    raise AssertionError("it did not happen in time")


@pytest.fixture
def start() -> Iterator[Callable[..., Demo]]:
    """Starts servers for one test."""
    running: list[Demo] = []

    def begin(*arguments: str) -> Demo:
        running.append(Demo(*arguments))
        return running[-1]

    yield begin
    for demo in running:
        if not demo.ended:
            demo.kill()


@pytest.fixture(scope="module")
def quick() -> Iterator[Demo]:
    """An empty account, everything done in a moment."""
    demo = Demo("--scenario", "empty", "--speed", "2000")
    yield demo
    assert demo.close() == 0

"""What many tests share: a private home, the command line as a process, the demo API as another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from vivix_tui.store.store import Store

KEY = "vvx_live_" + "test" * 8
# Who starts the tests in the background of a shell has it ignored, and so would every program that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)  # with `-p no:xdist` nobody asks
def pytest_xdist_auto_num_workers() -> int:
    """How many run at once: most tests wait for a clock or a socket longer than they compute."""
    return 2 * (os.cpu_count() or 1)


@dataclass(frozen=True)
class Api:
    """A demo API that runs in a process of its own."""

    base_url: str
    key: str
    lines: IO[str]


@dataclass(frozen=True)
class Home:
    """A user's home: folders of its own, and the command line in it."""

    path: Path
    env: dict[str, str]

    @property
    def database(self) -> Path:
        return self.path / "data" / "vivix-tui" / "vivix.db"

    def run(self, *arguments: str, stdin: str = "", timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """`vivix-tui ARGUMENTS`, as a script would call it."""
        return subprocess.run(
            [sys.executable, "-m", "vivix_tui.cli.main", *arguments],
            input=stdin,
            env=self.env,
            cwd=self.path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout_s,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The same, in the background."""
        return subprocess.Popen(
            [sys.executable, "-m", "vivix_tui.cli.main", *arguments],
            env=self.env,
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path)


def make_home(path: Path, **more: str) -> Home:
    """A home below `path`; `more` is put into its environment."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LANG", "SYSTEMROOT", "COVERAGE_PROCESS_START")
        if name in os.environ
    }
    folders = {f"XDG_{name.upper()}_HOME": str(path / name) for name in ("config", "data", "state", "cache")}
    env = kept | folders | {"HOME": str(path), "TERM": "xterm-256color", "PYTHONPATH": os.pathsep.join(sys.path)}
    return Home(path, env | more)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "vivix.db")
    yield opened
    opened.close()


@pytest.fixture
def demo_api() -> Iterator[Callable[..., Api]]:
    """Starts demo APIs: `demo_api("calm", speed=20)`; they end with the test."""
    running: list[subprocess.Popen[str]] = []

    def start(scenario: str = "empty", *, speed: float = 20, seed: int = 1, data: Path | None = None) -> Api:
        command = [sys.executable, "-m", "vivix_tui.demo", "--announce", "--scenario", scenario]
        command += ["--speed", str(speed), "--seed", str(seed)] + (["--data", str(data)] if data else [])
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        return Api(told["base_url"], told["api_key"], process.stdout)

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.communicate(timeout=10)


def until(condition: Callable[[], object], timeout_s: float = 15, what: str = "the condition") -> None:
    """Waits for something that another thread or process brings about."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"{what} did not come true within {timeout_s} s"
        time.sleep(0.02)

"""Worlds for the dashboard to watch: the simulated API in a process of its own, and a database with a long past.

Owns: starting and ending them. Refuses: measuring.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.terminal import Terminal
from vivix_tui import verbs
from vivix_tui.domain.idlist import parse_ids
from vivix_tui.store.store import Store


@contextmanager
def demo_api(home: Path, scenario: str) -> Iterator[dict[str, str]]:
    """The simulated API in a process of its own, and the environment in which the dashboard watches it."""
    data = home / ".local/share/vivix-tui"
    # Slowly, so that the jobs of the opening stay under way for as long as is measured.
    command = [sys.executable, "-m", "vivix_tui.demo", "--announce", "--scenario", scenario, "--speed", "0.1"]
    command += ["--data", str(data)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None  # noqa: S101 - asked for above
    assert process.stdin is not None  # noqa: S101 - asked for above
    try:
        told = json.loads(process.stdout.readline())
        opening = "".join(process.stdout.readline() for _ in range(told["opening"]))
        config = home / "config.toml"
        config.write_text(f'profile = "demo"\n[profiles.demo]\nbase_url = "{told["base_url"]}"\n')
        env = {"HOME": str(home), "VIVIX_CONFIG": str(config), "VIVIX_API_KEY": told["api_key"]}
        track(data / "vivix.db", opening)
        # What the scenario submits later is not followed, but its lines have to be taken.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield env
    finally:
        process.stdin.close()
        process.wait(10)


def track(database: Path, lines: str) -> None:
    store = Store(database)
    verbs.track(store, "demo", parse_ids(lines))
    store.close()


def write_history(home: Path) -> None:
    """The demo writes its 100,000 past generations once."""
    data = home / ".local/share/vivix-tui"
    command = [sys.executable, "-m", "vivix_tui.cli.main", "demo", "--scenario", "history", "--data", str(data)]
    with Terminal(command, os.environ | {"HOME": str(home)}, str(home)) as terminal:
        terminal.wait_for("rendering", limit_s=120)
        terminal.quit("q")

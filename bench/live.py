"""The whole engine against the demo API over sockets, ten times as fast; and the same in simulated time.

Owns: starting engine and demo API, and what both ways measured. Refuses: judging.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

from bench.run import Run, Scene
from bench.world import Kind
from vivix_tui import verbs
from vivix_tui.config import Config, Paths, Profile, Settings
from vivix_tui.domain import times
from vivix_tui.engine.engine import Engine
from vivix_tui.keys import ApiKey
from vivix_tui.store import accounts
from vivix_tui.store.store import Store

SPEED = 10.0
LASTS_S = 55.0  # the engine counts its calls of the last minute
PROFILE = "bench"
# Equal bodies would have equal fates: every job gets a prompt of its own.
BODY = '{"model": "wan-2.7-text-to-video", "prompt": "paper boats, no. %d", "duration": 5, "resolution": "720p"}'
SCENE = Scene(
    name="5 videos",
    tier="Pro",
    slots=5,
    video_share=1,
    videos=(Kind("demo video", "video", 95.0, 0.3),),
    lasts_s=LASTS_S,
    speed=SPEED,
    round_trip_s=0.01,
    calm=True,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Jobs that ended, their lags in seconds, polls a job."""

    jobs: int
    lag_mean: float
    polls_per_job: float


def simulated(seeds: int = 8) -> Seen:
    """The model's answer."""
    runs = [Run(SCENE, documented=False, window="fixed", seed=seed).play() for seed in range(seeds)]
    jobs = [job for run in runs for job in run.jobs]
    polls = sum(len(run.calls) - len(run.jobs) - SCENE.slots for run in runs)
    return Seen(len(jobs) // seeds, mean((job.known_at or 0.0) - job.ends_at for job in jobs), polls / len(jobs))


def over_sockets() -> Seen:
    """The engine's answer: the question that brought the end, against the end in the demo's own book."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "vivix_tui.demo", "--announce", "--scenario", "empty", "--seed", "3"]
        command += ["--speed", str(SPEED), "--data", str(folder)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as demo:
            assert demo.stdout is not None  # noqa: S101 - asked for above
            told = json.loads(demo.stdout.readline())
            try:
                return _played(folder, told["base_url"], told["api_key"])
            finally:
                demo.terminate()


def _write_past(store: Store) -> None:
    """Twenty completed jobs, so that neither way begins cold."""
    dice, now = random.Random(1), datetime.now(UTC)
    with store.write() as connection:
        for number in range(20):
            took_ms = round(dice.lognormvariate(math.log(97.5 / SPEED), 0.3) * 1000)
            connection.execute(
                "INSERT INTO generations (profile, generation_id, tracked_at, sort_ms, status, model, body,"
                " duration_ms, completed_at) VALUES (?, ?, ?, 0, 'completed', 'wan-2.7-text-to-video', ?, ?, ?)",
                (PROFILE, f"past{number}", times.iso(now), BODY % number, took_ms, times.iso(now)),
            )


def _played(folder: Path, base_url: str, key: str) -> Seen:
    paths = Paths(
        config=folder / "config.toml",
        database=folder / "vivix.db",
        log=folder / "vivix.log",
        state=folder / "state.toml",
    )
    config = Config(settings=Settings(), profile=PROFILE, account=Profile(base_url=base_url), paths=paths)
    store = Store(paths.database)
    engine = Engine(config, lambda: ApiKey(key))
    try:
        _write_past(store)
        engine.start()
        verbs.submit(store, PROFILE, [BODY % number for number in range(60)], check=False)
        time.sleep(LASTS_S)
        state = accounts.engine_state(store, PROFILE)
        events = store.all("SELECT subject, at FROM events WHERE event = 'completed'")
        ends = {row["subject"]: times.parse(row["at"]) for row in events}
        posts = store.one("SELECT count(*) FROM submissions WHERE state = 'accepted'")[0]
    finally:
        engine.stop()
        store.close()
    book = [json.loads(line) for line in (folder / "demo-api.jsonl").read_text("utf-8").splitlines()]
    jobs = [line["job"] for line in book if "job" in line]
    lags = [
        moment.timestamp() - (job["created_at"] + job["queue_s"] + job["render_s"])
        for job in jobs
        if (moment := ends.get(job["id"])) is not None
    ]
    calls = (state.calls_used if state else None) or 0
    return Seen(len(lags), mean(lags), (calls - posts - 2) / len(lags))  # two: /credits and /models

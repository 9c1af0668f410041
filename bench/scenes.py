"""The scenes that are played, and what has to come out of them.

Owns: scenes, the figures of several runs taken together, the goals and their judgement. Refuses: playing and printing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean, median

from bench.live import Seen
from bench.run import IMPORT_AT_S, Measured, Scene
from bench.world import VIDEOS

_THREE = Scene(name="3 videos, Pro", tier="Pro", slots=3, video_share=1, lasts_s=3600)
_FIVE = Scene(name="5 videos, Pro", tier="Pro", slots=5, video_share=1, lasts_s=3600)
_IMAGES = Scene(name="20 images, Ultimate", video_share=0)
_MIXED = Scene(name="20 mixed, Ultimate")


def _cold(scene: Scene) -> Scene:
    return dataclasses.replace(scene, name=f"{scene.name}, cold", warm=False)


ALONE = tuple(one for scene in (_THREE, _FIVE, _IMAGES, _MIXED) for one in (scene, _cold(scene)))
IMPORT = Scene(name="20 mixed + 5,000 imported", imported=5000)
RESTART = Scene(name="the same, killed at 400 s", imported=5000, restart_at=400.0)
EATEN = {share: Scene(name=f"another program eats {share} %", others=share / 100) for share in (50, 70, 90)}
OUTAGE = Scene(name="20 mixed, 5 min outage", outage=(300.0, 600.0))
SLOWER = Scene(name="a model's time doubles", tier="Pro", slots=5, video_share=1, videos=VIDEOS[:1], slower=2.0)
SCENES = (*ALONE, IMPORT, RESTART, *EATEN.values(), OUTAGE, SLOWER)


@dataclass(frozen=True, slots=True)
class Figures:
    """Several runs of one scene, taken together. Lags in seconds, `limited` in own 429s per 10 minutes."""

    jobs: int
    lag_mean: float
    lag_p95: float
    calls_per_job: float
    limited: float
    others_rejected: float
    drained_min: float | None
    calls_into_outage: int
    burst_after_outage: int
    first_success_s: float
    eta_error: float
    eta_inside: float


def figures(scene: Scene, runs: list[Measured]) -> Figures:
    """The worst of the runs where a goal names a limit for each, else the mean of all."""
    jobs = [job for run in runs for job in run.jobs]
    lags = sorted((job.known_at or 0.0) - job.ends_at for job in jobs)
    forecasts = [forecast for run in runs for forecast in run.forecasts]
    drained = [run.drained_at for run in runs]
    slow = [at for at in drained if at is not None]
    return Figures(
        jobs=len(jobs),
        lag_mean=mean(lags),
        lag_p95=lags[int(0.95 * len(lags))],
        calls_per_job=mean(job.polls for job in jobs),
        limited=sum(len(run.limited) for run in runs) / (len(runs) * scene.lasts_s / 600),
        others_rejected=sum(run.others_rejected for run in runs) / max(1, sum(run.others_calls for run in runs)),
        drained_min=(max(slow) - IMPORT_AT_S) / 60 if len(slow) == len(drained) else None,
        calls_into_outage=max(len(run.failed) for run in runs),
        burst_after_outage=max(_burst(run.calls, scene.outage[1]) for run in runs),
        first_success_s=max((run.first_success_s or 0.0) for run in runs),
        eta_error=median(error for error, _ in forecasts) if forecasts else math.nan,
        eta_inside=mean(inside for _, inside in forecasts) if forecasts else math.nan,
    )


def _burst(calls: list[float], since: float) -> int:
    """The most calls in one second of the quarter of a minute after an outage."""
    after = [at for at in calls if since <= at < since + 15]
    return max((sum(at <= other < at + 1 for other in after) for at in after), default=0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the goals: what was wanted, what came out, and whether that is enough."""

    goal: str
    found: str
    met: bool


def agreement(model: Seen, real: Seen) -> list[Verdict]:
    """Whether the simulation may be believed: what the sockets say is about what it says."""
    ratios = {
        "mean lag": real.lag_mean / model.lag_mean,
        "polls a job": real.polls_per_job / model.polls_per_job,
    }
    return [
        Verdict(f"over sockets / simulated: {name} from 0.7 to 1.4", f"{ratio:.2f}", 0.7 <= round(ratio, 2) <= 1.4)
        for name, ratio in ratios.items()
    ]


Results = dict[tuple[str, str, bool], Figures]  # scene, window, documented


def judge(results: Results, windows: tuple[str, ...]) -> list[Verdict]:
    """Every goal, by the worse of the windows."""
    found: list[Verdict] = []

    def ours(scene: Scene, window: str) -> Figures:
        return results[scene.name, window, False]

    def ratio(scene: Scene, window: str, value: Callable[[Figures], float]) -> float:
        return value(ours(scene, window)) / value(results[scene.name, window, True])

    def worst(scene: Scene, value: Callable[[Figures], float]) -> float:
        return max(value(ours(scene, window)) for window in windows)

    def worst_ratio(scene: Scene, value: Callable[[Figures], float]) -> float:
        return max(ratio(scene, window, value) for window in windows)

    def check(goal: str, value: float, limit: float, unit: str = "") -> None:
        found.append(Verdict(f"{goal} ≤ {limit:g}{unit}", f"{value:.2f}{unit}", round(value, 2) <= limit))

    for scene in ALONE:
        check(f"{scene.name}: mean lag / documented", worst_ratio(scene, lambda f: f.lag_mean), 0.70)
        check(f"{scene.name}: p95 / documented", worst_ratio(scene, lambda f: f.lag_p95), 0.80)
        check(f"{scene.name}: calls per job / documented", worst_ratio(scene, lambda f: f.calls_per_job), 1.10)
    check("20 mixed: mean lag", worst(_MIXED, lambda f: f.lag_mean), 0.9, " s")
    check("20 mixed: p95", worst(_MIXED, lambda f: f.lag_p95), 2.2, " s")
    for scene in (_THREE, _FIVE):
        check(f"{scene.name}: mean lag", worst(scene, lambda f: f.lag_mean), 1.4, " s")
        check(f"{scene.name}: calls per job", worst(scene, lambda f: f.calls_per_job), 28)
    alone = max(worst(scene, lambda f: f.limited) for scene in (*ALONE, IMPORT, RESTART, OUTAGE, SLOWER))
    check("alone on the key, import and restart: own 429s", alone, 0)
    check("import of 5,000: drained", worst(IMPORT, lambda f: f.drained_min or math.inf), 15, " min")
    check("import of 5,000: live mean lag", worst(IMPORT, lambda f: f.lag_mean), 1.4, " s")
    for share, limited, rejected in ((50, 1, 1), (70, 3, 2), (90, 45, 12)):
        scene = EATEN[share]
        check(f"{scene.name}: own 429s per 10 min", worst(scene, lambda f: f.limited), limited)
        check(f"{scene.name}: its rejected calls", worst(scene, lambda f: f.others_rejected * 100), rejected, " %")
        check(f"{scene.name}: mean lag / documented", worst_ratio(scene, lambda f: f.lag_mean), 1.0)
    check("outage: calls into it", worst(OUTAGE, lambda f: f.calls_into_outage), 70)
    check("outage: calls in a second after it", worst(OUTAGE, lambda f: f.burst_after_outage), 10)
    check("outage: first success after it", worst(OUTAGE, lambda f: f.first_success_s), 10, " s")
    check("a model's time doubles: mean lag / documented", worst_ratio(SLOWER, lambda f: f.lag_mean), 0.85)
    check("a model's time doubles: calls / documented", worst_ratio(SLOWER, lambda f: f.calls_per_job), 1.0)
    check("ETA after 20 jobs: median error / duration", max(worst(s, lambda f: f.eta_error) for s in ALONE), 0.20)
    inside = [ours(scene, window).eta_inside for scene in (_FIVE, _IMAGES, _MIXED) for window in windows]
    low, high = min(inside) * 100, max(inside) * 100
    words = f"{low:.0f} to {high:.0f} %"
    found.append(Verdict("ETA: true end inside the 10-90 % range in 85 to 95 %", words, low >= 84.5 and high <= 95))
    return found

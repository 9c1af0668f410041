"""The stories that can be played: who the account is, what it has done, what its owner's pipeline does next.

Owns the scenarios, the scene at the start and the endless script, all of it a function of the seed. Refuses the network
and an event loop: it imports quickly, and whoever wants a past without a server asks `past_generations`.

    calm      Pro, 1 to 3 in flight, two slots always free for the user
    busy      Ultimate, about 18 in flight, two slots free
    stormy    Ultimate, about 8 in flight, and about 12 % of all calls go wrong
    history   calm, and every id of `past_generations` with the same seed is known
    empty     Pro, nothing there, nothing happens by itself, nothing fails by chance
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from . import fate
from .catalogue import MODELS
from .dice import Dice
from .jobs import Job
from .limits import PRO, ULTIMATE, Tier
from .past import past_generations, request_body
from .prompts import CLIPS, STILLS, invented

__all__ = ["SCENARIOS", "Scenario", "foreign_id", "missing_id", "next_body", "opening", "past_generations", "script_id"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """How an account lives. Gaps are seconds between submissions of the script, before speed."""

    name: str
    tier: Tier
    in_flight: tuple[int, int]  # the script keeps at least, at most
    free_slots: int  # and leaves so many to the user
    gap_s: tuple[float, float]
    failure_rate: float
    stormy: bool = False
    has_past: bool = False

    @property
    def has_script(self) -> bool:
        """Whether anything happens by itself."""
        return self.in_flight[1] > 0


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("calm", PRO, (1, 3), 2, (6.0, 20.0), 0.05),
        Scenario("busy", ULTIMATE, (16, 18), 2, (0.5, 3.0), 0.05),
        Scenario("stormy", ULTIMATE, (5, 8), 2, (3.0, 10.0), 0.08, stormy=True),
        Scenario("history", PRO, (1, 3), 2, (6.0, 20.0), 0.05, has_past=True),
        Scenario("empty", PRO, (0, 0), 5, (60.0, 60.0), 0.0),
    )
}


@dataclass(frozen=True, slots=True)
class _Scene:
    """One job of the opening: ended so many seconds ago, or somewhere along its way (0 to 1)."""

    slug: str
    prompt: str
    settings: dict[str, Any] = field(default_factory=dict)
    ended_ago_s: float | None = None
    progress: float = 0.0
    error: str | None = None
    slow: bool = False


_GROK, _WAN, _FLUX, _LTX = "grok-imagine-image-quality", "wan-2.7-text-to-video", "flux-2-pro", "ltx-2-fast"
_SCENES = (
    _Scene(_GROK, STILLS[0], {"aspect_ratio": "4:5", "resolution": "2K"}, 9_400),
    _Scene(_WAN, CLIPS[1], {"duration": 8, "resolution": "1080p"}, 7_300),
    _Scene(_FLUX, STILLS[5], {"aspect_ratio": "4:5", "negative_prompt": "gradients, photo"}, 5_900),
    _Scene(_GROK, STILLS[1], {"aspect_ratio": "1:1", "number_results": 4}, 4_100),
    _Scene(_WAN, CLIPS[7], {"duration": 10, "resolution": "1080p"}, 3_050, error="PROVIDER_ERROR"),
    _Scene(_LTX, CLIPS[2], {"duration": 4}, 2_400),
    _Scene(_GROK, STILLS[3], {"aspect_ratio": "9:16"}, 1_800),
    _Scene(_WAN, CLIPS[4], {"aspect_ratio": "9:16", "duration": 6}, 1_250, slow=True),
    _Scene(_GROK, "A famous actor shakes hands with himself, press photo", {}, 900, error="CONTENT_POLICY"),
    _Scene(_FLUX, STILLS[8], {"aspect_ratio": "16:9", "resolution": "2K", "number_results": 2}, 520),
    _Scene(_GROK, STILLS[9], {"aspect_ratio": "16:9", "resolution": "4K", "seed": 20260510}, 260),
    _Scene(_WAN, CLIPS[6], {"aspect_ratio": "1:1", "duration": 4}, 70),
    _Scene(_WAN, CLIPS[0], {"duration": 6, "resolution": "1080p"}, progress=0.55, slow=True),
    _Scene(_WAN, CLIPS[5], {"aspect_ratio": "1:1", "duration": 5}, progress=0.4),
    _Scene(_GROK, STILLS[2], {"aspect_ratio": "1:1", "number_results": 2}, progress=0.05),
)
_SCENES_IN_FLIGHT = 3


def opening(scenario: Scenario, seed: int, now: float, speed: float) -> list[Job]:
    """The jobs that exist when the curtain rises, oldest first; `now` is wall clock in seconds."""
    if not scenario.has_script:
        return []
    jobs = [_played(scene, seed, number, now, speed) for number, scene in enumerate(_SCENES)]
    for number in range(len(_SCENES), len(_SCENES) + scenario.in_flight[1] - _SCENES_IN_FLIGHT):
        dice = Dice(seed, "extra", number)
        body = next_body(seed, number)
        settings = {key: value for key, value in body.items() if key not in ("model", "prompt")}
        extra = _Scene(body["model"], body["prompt"], settings, progress=dice.between(0.05, 0.9))
        jobs.append(_played(extra, seed, number, now, speed))
    return sorted(jobs, key=lambda job: job.created_at)


def _played(scene: _Scene, seed: int, number: int, now: float, speed: float) -> Job:
    body = {"model": scene.slug, "prompt": scene.prompt, **scene.settings}
    model = MODELS[scene.slug]
    dice = Dice(seed, "scene", number)
    drawn = fate.draw(dice, model, body, speed=speed, failure_rate=0.0, error=scene.error, slow=scene.slow)
    whole_s = drawn.queue_s + drawn.render_s
    age_s = scene.progress * whole_s if scene.ended_ago_s is None else scene.ended_ago_s + whole_s
    return drawn.job(
        id=script_id(seed, number),
        author="script",
        body=body,
        created_at=now - age_s,
    )


def next_body(seed: int, number: int) -> dict[str, Any]:
    """What the script asks for in its n-th job."""
    dice = Dice(seed, "script", number)
    is_video = dice.below(10) < 4
    slug = dice.pick((_WAN, _WAN, _LTX) if is_video else (_GROK, _GROK, _GROK, _FLUX))
    own = dice.below(4) == 0
    return request_body(dice, slug, dice.pick(CLIPS if is_video else STILLS) if own else invented(dice))


def gaps_s(scenario: Scenario, seed: int) -> Iterator[float]:
    """The pauses of the script, before speed, without end."""
    number = 0
    while True:
        yield Dice(seed, "gap", number).between(*scenario.gap_s)
        number += 1


def script_id(seed: int, number: int) -> str:
    """The id of the script's n-th job: the same in every run with this seed."""
    return _stable_id(seed, f"script {number}")


def missing_id(seed: int) -> str:
    """An id the owner has in his notes and the API no longer knows: 404."""
    return _stable_id(seed, "missing")


def foreign_id(seed: int) -> str:
    """An id of another account: 403."""
    return _stable_id(seed, "foreign")


def _stable_id(seed: int, name: str) -> str:
    return str(uuid.UUID(bytes=blake2b(f"{seed}/{name}".encode(), digest_size=16).digest(), version=4))

"""Generations of long ago: any number of them, none kept in memory.

Owns ids that carry their own story: laid out like a UUIDv7, an id holds its time, its index and a check that depends on
the seed. So the server answers for each of 100,000 ids by looking at the id, and needs neither the list nor the count.
Refuses to know the ledger: what is past costs nothing any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Any

from . import fate
from .catalogue import MODELS
from .dice import Dice
from .jobs import Job
from .prompts import CLIPS, NEGATIVES, STILLS, invented

SPAN_S = 200 * 86400.0
YOUNGEST_S = 6 * 3600.0
NOWHERE = "https://demo.invalid"

_STILL = ("grok-imagine-image-quality",) * 7 + ("flux-2-pro",)
_CLIP = ("wan-2.7-text-to-video",) * 5 + ("ltx-2-fast",)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOW_30 = (1 << 30) - 1
_LOW_42 = (1 << 42) - 1


def past_generations(
    seed: int, count: int, now: datetime, base_url: str = NOWHERE
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yields (answer of GET /generations/{id}, request body) of `count` ended generations, newest first.

    They lie between 6 hours and about 200 days before `now`. `base_url` is where their output URLs point.
    """
    newest_ms = int((now.timestamp() - YOUNGEST_S) * 1000)
    step_ms = SPAN_S * 1000 / max(count, 1)
    for index in range(count):
        # Golden-ratio steps look random and never overtake: the order stays newest first.
        jitter = index * 0.6180339887 % 1.0 * 0.9
        job = _job(seed, index, newest_ms - int((index + jitter) * step_ms))
        yield job.answer(job.ends_at, base_url), job.body


def find_past(seed: int, generation_id: str) -> Job | None:
    """The past job with that id, or None when the id is not one of this seed."""
    if not _UUID.fullmatch(generation_id):
        return None
    value = int(generation_id.replace("-", ""), 16)
    created_ms = value >> 80
    index = (value >> 30 & 0xFFFFFFFF) ^ _seal(seed, created_ms)[0]
    return _job(seed, index, created_ms) if _id(seed, index, created_ms) == generation_id else None


def _id(seed: int, index: int, created_ms: int) -> str:
    mask, check = _seal(seed, created_ms)
    value = created_ms << 80 | 7 << 76 | check >> 30 << 64 | 2 << 62 | (index ^ mask) << 30 | check & _LOW_30
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _seal(seed: int, created_ms: int) -> tuple[int, int]:
    """32 bits that hide the index, 42 bits that tell our ids from all others."""
    sealed = int.from_bytes(blake2b(b"%d:%d" % (seed, created_ms), digest_size=10).digest())
    return sealed >> 48, sealed >> 6 & _LOW_42


def _job(seed: int, index: int, created_ms: int) -> Job:
    dice = Dice(seed, "past", index)
    body = _body(dice)
    model = MODELS[body["model"]]
    drawn = fate.draw(dice, model, body, speed=1.0, failure_rate=0.04, slow=dice.below(120) == 0)
    return drawn.job(
        id=_id(seed, index, created_ms),
        author="past",
        body=body,
        created_at=created_ms / 1000,
    )


def _body(dice: Dice) -> dict[str, Any]:
    is_video = dice.below(10) < 3
    own = dice.below(12) == 0
    prompt = dice.pick(CLIPS if is_video else STILLS) if own else invented(dice)
    return request_body(dice, dice.pick(_CLIP if is_video else _STILL), prompt)


def request_body(dice: Dice, slug: str, prompt: str) -> dict[str, Any]:
    """A request such as people make: few of them set everything."""
    params = MODELS[slug].params
    body: dict[str, Any] = {"model": slug, "prompt": prompt}
    body["aspect_ratio"] = dice.pick(params["aspect_ratio"]["values"])
    values = params["resolution"]["values"]
    body["resolution"] = values[(0, 0, 0, 1, 1, -1)[dice.below(6)]]
    if "duration" in params:
        rule = params["duration"]
        body["duration"] = rule["min"] + dice.below(rule["max"] - rule["min"] + 1)
    elif dice.below(5) == 0:
        body["number_results"] = 2 + dice.below(3)
    if dice.below(6) == 0:
        body["negative_prompt"] = dice.pick(NEGATIVES)
    if dice.below(4) == 0:
        body["seed"] = dice.below(2**31)
    return body

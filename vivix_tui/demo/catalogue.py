"""The models on offer: their parameters, their prices, and what makes a request acceptable.

Owns the schema that GET /models shows and the check that POST /generate makes with it: one table for both. Refuses
state: no balance, no clock.

`grok-imagine-image-quality` (JPEG) and `wan-2.7-text-to-video` (MP4) are the documented models. `flux-2-pro` (PNG),
`ltx-2-fast` (WebM) and `kling-3-cinema` (needs Ultimate) are there so that every format and refusal occurs;
`sora-2-preview` is not listed and answers MODEL_NOT_ALLOWED. `reference_images` is taken by image models although
`params` has no type for lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import refusals
from .limits import PRO, ULTIMATE, Tier

Params = dict[str, dict[str, Any]]

NOT_LISTED = ("sora-2-preview",)
_ASPECTS = ["1:1", "4:5", "9:16", "16:9"]


@dataclass(frozen=True, slots=True)
class Model:
    """One model as GET /models shows it, and its prices (credits a picture, or credits a second)."""

    slug: str
    name: str
    category: str
    creator: str
    description: str
    extension: str
    params: Params
    band: tuple[int, int]
    prices: dict[str, int]
    example_request: dict[str, Any]
    tier: Tier = PRO

    @property
    def is_video(self) -> bool:
        """Whether it renders moving pictures."""
        return self.category == "video"

    def answer(self) -> dict[str, Any]:
        """The object of this model in GET /models."""
        return {
            "slug": self.slug,
            "name": self.name,
            "category": self.category,
            "creator": self.creator,
            "description": self.description,
            "params": self.params,
            "credits_band": {"min": self.band[0], "max": self.band[1]},
            "example_request": self.example_request,
        }

    def setting(self, body: dict[str, Any], name: str) -> Any:
        """What a request asks for, or the default of the schema."""
        return body.get(name, self.params.get(name, {}).get("default"))

    def outputs(self, body: dict[str, Any]) -> int:
        """How many files the request makes."""
        return int(self.setting(body, "number_results") or 1)

    def estimate(self, body: dict[str, Any]) -> int:
        """Credits the request costs at most."""
        price = self.prices[self.setting(body, "resolution")]
        if self.is_video:
            low, high = self.band
            return min(high, max(low, price * int(self.setting(body, "duration"))))
        return price * self.outputs(body)


def _text_params() -> Params:
    return {
        "prompt": {"type": "string", "required": True, "max_length": 2000},
        "negative_prompt": {"type": "string", "max_length": 500},
    }


def _image_params() -> Params:
    return {
        **_text_params(),
        "aspect_ratio": {"type": "enum", "values": _ASPECTS, "default": "1:1"},
        "resolution": {"type": "enum", "values": ["1K", "2K", "4K"], "default": "1K"},
        "seed": {"type": "integer", "min": 0, "max": 2147483647},
        "number_results": {"type": "integer", "min": 1, "max": 4, "default": 1},
    }


def _video_params(low_s: int, high_s: int, resolutions: list[str]) -> Params:
    return {
        **_text_params(),
        "aspect_ratio": {"type": "enum", "values": _ASPECTS, "default": "16:9"},
        "resolution": {"type": "enum", "values": resolutions, "default": resolutions[0]},
        "duration": {"type": "integer", "min": low_s, "max": high_s, "default": min(5, high_s)},
        "audio": {"type": "boolean", "default": False},
        "seed": {"type": "integer", "min": 0, "max": 2147483647},
    }


MODELS: dict[str, Model] = {
    model.slug: model
    for model in (
        Model(
            slug="grok-imagine-image-quality",
            name="Grok Imagine Image (Quality)",
            category="image",
            creator="xAI",
            description="Photographic stills with careful light and legible lettering.",
            extension="jpg",
            params=_image_params(),
            band=(80, 211),
            prices={"1K": 80, "2K": 132, "4K": 211},
            example_request={
                "model": "grok-imagine-image-quality",
                "prompt": "A lighthouse at dusk, long exposure, slate sea, one lit window",
                "aspect_ratio": "4:5",
                "resolution": "2K",
            },
        ),
        Model(
            slug="wan-2.7-text-to-video",
            name="Wan 2.7 Text to Video",
            category="video",
            creator="Alibaba",
            description="Clips of 2 to 10 seconds with steady camera moves and optional sound.",
            extension="mp4",
            params=_video_params(2, 10, ["720p", "1080p", "2160p"]),
            band=(400, 1440),
            prices={"720p": 80, "1080p": 112, "2160p": 144},
            example_request={
                "model": "wan-2.7-text-to-video",
                "prompt": "Slow dolly through a rainy night market, neon in the puddles",
                "aspect_ratio": "16:9",
                "resolution": "1080p",
                "duration": 6,
            },
        ),
        Model(
            slug="flux-2-pro",
            name="FLUX.2 Pro",
            category="image",
            creator="Black Forest Labs",
            description="Graphic work, posters and patterns, delivered without loss.",
            extension="png",
            params=_image_params(),
            band=(40, 180),
            prices={"1K": 40, "2K": 90, "4K": 180},
            example_request={
                "model": "flux-2-pro",
                "prompt": "Risograph poster of a mountain railway, three inks, visible grain",
                "aspect_ratio": "1:1",
                "number_results": 2,
            },
        ),
        Model(
            slug="ltx-2-fast",
            name="LTX-2 Fast",
            category="video",
            creator="Lightricks",
            description="Quick drafts of moving scenes for storyboards.",
            extension="webm",
            params=_video_params(2, 8, ["720p", "1080p", "2160p"]),
            band=(96, 640),
            prices={"720p": 24, "1080p": 40, "2160p": 80},
            example_request={
                "model": "ltx-2-fast",
                "prompt": "Paper boats drift down a gutter after rain, handheld, daylight",
                "duration": 4,
            },
        ),
        Model(
            slug="kling-3-cinema",
            name="Kling 3 Cinema",
            category="video",
            creator="Kuaishou",
            description="Long takes with film grain and depth of field. Ultimate only.",
            extension="mp4",
            params=_video_params(5, 10, ["1080p", "2160p"]),
            band=(1050, 3000),
            prices={"1080p": 210, "2160p": 300},
            example_request={
                "model": "kling-3-cinema",
                "prompt": "A single take along a train corridor at night, passengers asleep",
                "duration": 10,
                "resolution": "2160p",
            },
            tier=ULTIMATE,
        ),
    )
}


def check(body: Any, tier: Tier) -> Model:
    """Returns the model a request asks for. Raises Refusal when the request or the tier does not allow it."""
    if not isinstance(body, dict):
        raise refusals.malformed("The body must be a JSON object.")
    slug = body.get("model")
    if not isinstance(slug, str) or not slug:
        raise refusals.invalid("model", "`model` is required: the slug of a model from GET /models.")
    if slug in NOT_LISTED:
        raise refusals.model_not_allowed(slug)
    model = MODELS.get(slug)
    if model is None:
        raise refusals.invalid("model", f"`model`: there is no model {slug!r}.")
    if model.tier.concurrent_jobs > tier.concurrent_jobs:
        raise refusals.tier_locked(slug, tier.name, model.tier.name)
    for name, rule in model.params.items():
        if rule.get("required") and not str(body.get(name) or "").strip():
            raise refusals.invalid(name, f"`{name}` is required.")
    for name, value in body.items():
        _check_parameter(model, name, value)
    return model


def _check_parameter(model: Model, name: str, value: Any) -> None:
    if name == "model":
        return
    if name == "reference_images" and not model.is_video:
        _check_references(value)
        return
    rule = model.params.get(name)
    if rule is None:
        raise refusals.invalid(name, f"`{name}` is not a parameter of {model.slug}.")
    complaint = _COMPLAINTS[rule["type"]](rule, value)
    if complaint:
        raise refusals.invalid(name, f"`{name}` {complaint}.")


def _check_references(value: Any) -> None:
    urls = value if isinstance(value, list) else None
    if urls is None or len(urls) > 3:
        raise refusals.invalid("reference_images", "`reference_images` must be a list of at most 3 URLs.")
    if not all(isinstance(url, str) and url.startswith(("https://", "http://")) for url in urls):
        raise refusals.invalid("reference_images", "`reference_images` may hold http(s) URLs only.")


def _complain_string(rule: dict[str, Any], value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be a string"
    longest = rule.get("max_length", len(value))
    return f"is too long: {len(value)} characters, at most {longest}" if len(value) > longest else None


def _complain_integer(rule: dict[str, Any], value: Any) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return "must be a whole number"
    if not rule["min"] <= value <= rule["max"]:
        return f"must be from {rule['min']} to {rule['max']}"
    return None


def _complain_enum(rule: dict[str, Any], value: Any) -> str | None:
    return None if value in rule["values"] else f"must be one of {', '.join(rule['values'])}"


def _complain_boolean(_rule: dict[str, Any], value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


_COMPLAINTS = {
    "string": _complain_string,
    "integer": _complain_integer,
    "enum": _complain_enum,
    "boolean": _complain_boolean,
}

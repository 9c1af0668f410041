"""The screen over a real store: rows written as the engine writes them, a clock that stands still, pictures."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.style import Style
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.command import CommandList
from textual.pilot import Pilot

from vivix_tui.config import Settings
from vivix_tui.domain.account import Account, Model, Parameter
from vivix_tui.domain.generation import Answer
from vivix_tui.first_config import Place
from vivix_tui.store import accounts, generations
from vivix_tui.store.accounts import EngineState
from vivix_tui.store.store import Store
from vivix_tui.ui.app import VivixApp
from vivix_tui.ui.widgets.detail_pane import DetailPane

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PROFILE = "studio"
IMAGE, VIDEO = "grok-imagine-image-quality", "wan-2.7-text-to-video"


class Svg(SingleFileSnapshotExtension):
    """Pictures in the top-level folder, one a file."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT

    @classmethod
    def dirname(cls, *, test_location: Any) -> str:
        return str(ROOT / "snapshots" / test_location.basename)


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def _no_row_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn does not depend on how long a row was looked at."""
    monkeypatch.setattr("vivix_tui.ui.widgets.detail_pane.REST_S", 3600)
    monkeypatch.setattr("vivix_tui.ui.widgets.detail_pane.BAR_S", 0.001)


class Desk:
    """Takes what looks like a key, and has it taken up at once; `kept` tells whether it was written down."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.taken_up, self.kept = True, False
        self.place: Place | None = None

    def offer_key(self, text: str) -> str | None:
        self.keys.append(text)
        return None if text.startswith("vvx_") else "that is no key"

    def key_taken_up(self) -> bool:
        return self.taken_up

    def place_for_key(self) -> Place | None:
        return self.place

    def keep_key(self) -> str:
        self.kept = True
        return "wrote the file"


class Screen:
    """A store with rows, and the app over it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.woken = 0
        self.now = NOW
        self.desk = Desk()

    def app(self, *, settings: Settings | None = None, takes_key: bool = True, state: Path | None = None) -> VivixApp:
        def wake() -> None:
            self.woken += 1

        return VivixApp(
            store=self.store,
            profile=PROFILE,
            settings=settings or Settings(),
            wake=wake,
            key_desk=self.desk if takes_key else None,
            state=state,
            clock=lambda: self.now,
        )

    def row(
        self, number: int, status: str | None, *, prompt: str | None = "a misty forest at dawn", model: str = IMAGE,
        ago_s: float = 60, **facts: Any,
    ) -> str:  # fmt: skip
        """One generation, made `ago_s` seconds ago, as the engine would have recorded it."""
        generation_id = f"{number:08x}-0000-4000-8000-000000000000"
        made = NOW - timedelta(seconds=ago_s)
        several = len(facts.get("output_urls", ()))
        value = {"model": model, "prompt": prompt, "seed": number} | ({"number_results": several} if several else {})
        body = json.dumps(value, ensure_ascii="\ud800" in prompt) if prompt else None
        with self.store.write() as connection:
            generations.track(connection, PROFILE, [(generation_id, body)], made)
        if status is not None:
            facts.setdefault("created_at", made.isoformat())
            answer = Answer(generation_id=generation_id, status=status, model=model, **facts)
            asked = facts.get("completed_at")
            when = datetime.fromisoformat(asked) if asked else NOW - timedelta(seconds=1)
            generations.record(self.store, PROFILE, answer, asked_at=when, born=made)
        return generation_id

    def account(self, connection: str = "live", **state: Any) -> None:
        facts = Account(
            balance=12_847, tier="Pro", calls_per_minute=240, concurrent_jobs=5, spent_this_cycle=2_153,
            cycle_resets_at="2026-12-04T00:00:00Z",
        )  # fmt: skip
        accounts.save_account(self.store, PROFILE, facts, NOW)
        image = Model(slug=IMAGE, category="image", credits_min=80, credits_max=211)
        video = Model(slug=VIDEO, category="video", credits_min=400, credits_max=1440)
        accounts.save_models(self.store, PROFILE, {IMAGE: image, VIDEO: video})
        state = {"pid": os.getpid(), "calls_used": 38, "calls_remaining": 200} | state
        engine = EngineState(connection=connection, **state)
        accounts.save_engine(self.store, PROFILE, engine, NOW)

    def catalogue(self) -> None:
        """The two documented models with their parameters."""
        prompt = Parameter(name="prompt", type="string", required=True, max_length=2000)
        negative = Parameter(name="negative_prompt", type="string", max_length=500)
        aspects = ("1:1", "4:5", "9:16", "16:9")
        aspect = Parameter(name="aspect_ratio", type="enum", values=aspects, default="1:1")
        seed = Parameter(name="seed", type="integer", minimum=0, maximum=2_147_483_647)
        both = (prompt, negative, aspect, seed)
        number = Parameter(name="number_results", type="integer", minimum=1, maximum=4, default=1)
        size = Parameter(name="resolution", type="enum", values=("1K", "2K", "4K"), default="1K")
        lines = Parameter(name="resolution", type="enum", values=("720p", "1080p"), default="720p")
        length = Parameter(name="duration", type="integer", required=True, minimum=2, maximum=10)
        audio = Parameter(name="audio", type="boolean", default=False)
        image = Model(
            slug=IMAGE, name="Grok Imagine Image (Quality)", category="image", creator="xAI", credits_min=80,
            credits_max=211, params={p.name: p for p in (*both, size, number)},
        )  # fmt: skip
        video = Model(
            slug=VIDEO, name="Wan 2.7 Text to Video", category="video", creator="Alibaba", credits_min=400,
            credits_max=1440, params={p.name: p for p in (*both, lines, length, audio)},
        )  # fmt: skip
        accounts.save_models(self.store, PROFILE, {IMAGE: image, VIDEO: video})

    def busy(self) -> None:
        """A morning's work: running, queued, done, failed, gone, with and without bodies."""
        self.account()
        self.row(0x7C2F90AA, "processing", prompt="neon-lit Tokyo street in the rain, slow dolly", model=VIDEO,
                 ago_s=75, elapsed_ms=62_000, credits_estimate=1440)  # fmt: skip
        self.row(0x91D0BE12, "pending", prompt="paper boats on a canal of light", model=VIDEO, ago_s=4,
                 elapsed_ms=3_000, credits_estimate=720)  # fmt: skip
        self.row(0x3AA00417, "processing", prompt="portrait, 85 mm, window light from the left", ago_s=9,
                 elapsed_ms=7_000, credits_estimate=211)  # fmt: skip
        self.row(0x0FE1C3D4, "failed", prompt="a lighthouse in a storm, long exposure", ago_s=180,
                 error="PROVIDER_ERROR", message="The underlying model returned an error.", credits_used=0,
                 credits_estimate=211, completed_at=(NOW - timedelta(seconds=175)).isoformat(),
                 request_id="req_0123456789abcdef", next="Retry the same request; it was refunded.")  # fmt: skip
        urls = tuple(f"https://cdn.vivix.example/outputs/5b91a581/{n}.jpg" for n in range(4))
        self.row(0x5B91A581, "completed", ago_s=240, credits_used=732, credits_estimate=844, duration_ms=12_400,
                 output_urls=urls, completed_at=(NOW - timedelta(seconds=225)).isoformat())  # fmt: skip
        self.row(0x44D1E002, "completed", prompt="清晨的地铁站,人流加速,时间静止", model=VIDEO, ago_s=4_000,
                 credits_used=800, duration_ms=127_000, output_url="https://cdn.vivix.example/outputs/44d1e002/0.mp4",
                 completed_at=(NOW - timedelta(seconds=3_860)).isoformat())  # fmt: skip
        self.row(0x1ABC049A, "failed", prompt=None, ago_s=9_000, error="CONTENT_POLICY",
                 message="The prompt was refused by moderation.", credits_used=0,
                 completed_at=(NOW - timedelta(seconds=8_990)).isoformat())  # fmt: skip


@pytest.fixture
def screen(store: Store) -> Screen:
    return Screen(store)


@pytest.fixture
def fixed_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Submissions get ids that are the same in every run."""
    numbers = iter(range(0xA1B2C3D4, 0xA1B2C3D4 + 1000))
    monkeypatch.setattr("uuid.uuid4", lambda: uuid.UUID(int=next(numbers) << 96))


Snap = Callable[..., Awaitable[None]]


@pytest.fixture
def snap(snapshot: SnapshotAssertion) -> Snap:
    """Compares a picture of the app after some keys; `prepare` may do more with the pilot."""
    pictures = snapshot.use_extension(Svg)

    async def check(
        app: VivixApp, *keys: str, size: tuple[int, int],
        prepare: Callable[[Pilot[int]], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        async with app.run_test(size=size, notifications=True) as pilot:
            await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            if prepare is not None:
                await prepare(pilot)
                await settled(pilot)
            picture, before = _picture(app), ""
            while picture != before:  # a busy machine may be in the middle of something
                await pilot.pause(0.05)
                await settled(pilot)
                picture, before = _picture(app), picture
            assert app.native_ansi_color or left_to_the_terminal(app) == set()
        assert picture == pictures

    return check


def _picture(app: VivixApp) -> str:
    for pane in app.screen.query(DetailPane):
        pane.rest()
    return app.export_screenshot(title="vivix-tui", simplify=True)


def left_to_the_terminal(app: VivixApp) -> set[str]:
    """The texts of which the terminal chooses how they look: its own sixteen colours, and dim."""
    strips = app.screen._compositor.render_strips()
    return {segment.text for strip in strips for segment in strip if segment.style and _chosen(segment.style)}


def _chosen(style: Style) -> bool:
    return bool(style.dim) or any(color and color.triplet is None for color in (style.color, style.bgcolor))


async def settled(pilot: Pilot[int]) -> None:
    """Until all messages and refreshes that are due were handled."""
    await pilot.pause()
    await pilot.pause()
    await pilot.pause()


async def until(pilot: Pilot[int], condition: Callable[[], object], timeout_s: float = 30) -> None:
    """Waits for what a timer or a thread of the program brings about."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"it did not come true within {timeout_s} s"
        await pilot.pause(0.02)


def found_by_the_palette(app: VivixApp) -> int:
    """How many commands its search has found, 0 while it searches."""
    found = app.screen.query(CommandList)
    return found.first().option_count if found else 0

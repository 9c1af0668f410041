"""Pictures of the states that matter, at two sizes. `make snapshots` rewrites them; look at each one that changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from tests.ui.conftest import NOW, PROFILE, VIDEO, Screen, Snap, settled
from vivix_tui import verbs, verbs_queue
from vivix_tui.config import Settings, Spend, Ui
from vivix_tui.errors import Refusal
from vivix_tui.store import downloads, submissions

SIZES = [(120, 36), (80, 24)]
two_sizes = pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
Size = tuple[int, int]


async def test_the_picture_of_the_readme(screen: Screen, snap: Snap) -> None:
    screen.busy()
    await snap(screen.app(), "j", "j", "j", size=(120, 30))


@two_sizes
async def test_empty(screen: Screen, snap: Snap, size: Size) -> None:
    screen.account()
    await snap(screen.app(), size=size)


@two_sizes
async def test_no_key(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    screen.account("nokey")
    await snap(screen.app(), size=size)


@two_sizes
async def test_busy(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), size=size)


@two_sizes
async def test_failure_open(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), "exclamation_mark", "g", "enter", size=size)


@two_sizes
async def test_completed_beside_the_table(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), "3", "g", size=size)


@two_sizes
async def test_confirm_dialog(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), "4", "g", "R", size=size)


@two_sizes
async def test_offline(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    screen.account("offline", detail="no connection: Name or service not known", until="2026-11-23T12:00:12Z")
    await snap(screen.app(), size=size)


@two_sizes
async def test_key_rejected(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    screen.account(
        "rejected", detail="KEY_REVOKED: This key was revoked.", hint="Create a new key in the settings.",
        request_id="req_feedfacecafebeef",
    )  # fmt: skip
    await snap(screen.app(), size=size)


@two_sizes
async def test_help(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), "question_mark", size=size)


@two_sizes
async def test_add_ids(screen: Screen, snap: Snap, size: Size) -> None:
    async def paste(pilot: Pilot[int]) -> None:
        area = pilot.app.screen.query_one(TextArea)
        area.text = "5b91a581\n{"
        await pilot.press("ctrl+s")
        await settled(pilot)

    screen.busy()
    await snap(screen.app(), "a", size=size, prepare=paste)


@two_sizes
async def test_submissions_in_every_state(screen: Screen, snap: Snap, size: Size, fixed_ids: None) -> None:
    screen.account()
    body = '{"model": "wan-2.7-text-to-video", "prompt": "a fox crossing fresh snow", "duration": 5}'
    queued, held, unknown = verbs.submit(screen.store, PROFILE, [body] * 3).ids
    assert queued
    verbs_queue.hold(screen.store, PROFILE, [held])
    item = submissions.get(screen.store, unknown)
    assert item is not None
    submissions.begin(screen.store, unknown, 12_847, NOW)
    lost = Refusal(status=504, code="HTTP_504", message="gateway 504: an HTML page instead of an answer")
    submissions.ended(screen.store, item, "unknown", NOW, refusal=lost)
    submissions.saw_balance(screen.store, PROFILE, 12_127)
    with screen.store.write() as connection:
        connection.execute("UPDATE submissions SET sort_ms = 1795435190000 - position")
        connection.execute("UPDATE submissions SET created_at = '2026-11-23T11:59:50.000Z'")
        connection.execute("UPDATE events SET at = '2026-11-23T11:59:50.000Z'")
    await snap(screen.app(), "j", "j", size=size)


@two_sizes
async def test_queue_menu(screen: Screen, snap: Snap, size: Size, fixed_ids: None) -> None:
    screen.account()
    verbs.submit(screen.store, PROFILE, ['{"model": "wan-2.7-text-to-video", "prompt": "a fox", "duration": 5}'])
    with screen.store.write() as connection:
        connection.execute("UPDATE submissions SET created_at = '2026-11-23T11:59:50.000Z', sort_ms = 1795435190000")
        connection.execute("UPDATE events SET at = '2026-11-23T11:59:50.000Z'")
    verbs_queue.pause(screen.store, PROFILE)
    await snap(screen.app(), "m", size=size)


@two_sizes
async def test_again_with_the_same_seed(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), "3", "g", "R", size=size)


@two_sizes
async def test_edited_body(screen: Screen, snap: Snap, size: Size, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.busy()
    monkeypatch.setattr("vivix_tui.ui.actions.money.random.randrange", lambda _: 4_711)
    settings = msgspec.structs.replace(Settings(), spend=Spend(confirm_above=100))
    await snap(screen.app(settings=settings), "3", "g", "R", "s", size=size)


@two_sizes
async def test_long_and_foreign_texts(screen: Screen, snap: Snap, size: Size) -> None:
    screen.account()
    hostile = "A\x1b]0;PWNED\x07B\x1b[2J [/red] [b]x array[0] \u202edesrever " + "very long " * 60
    screen.row(1, "failed", prompt=hostile, error="PROVIDER_ERROR", message=hostile, credits_used=0)
    screen.row(
        2, "processing", prompt="時間が止まった地下鉄駅、群衆が加速する 🌊🌊🌊🌊🌊🌊 夕焼け", model=VIDEO, elapsed_ms=9
    )
    screen.row(3, "upscaling [b]", prompt="قارب قديم", model="x" * 80, elapsed_ms=9_999_999)
    screen.row(4, "completed", prompt="free", credits_used=0, duration_ms=99_999_999, credits_estimate=1)
    await snap(screen.app(), "j", "j", "j", size=size)


@two_sizes
async def test_filter_and_marks(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), "space", "slash", *"misty", "enter", "space", size=size)


@two_sizes
async def test_ascii(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    settings = msgspec.structs.replace(Settings(), ui=Ui(ascii=True))
    await snap(screen.app(settings=settings), size=size)


FILE_STATES: dict[str, tuple[dict[str, Any], ...]] = {
    "downloading": (
        {"state": "active", "received_bytes": 1_900_000, "size_bytes": 2_400_000},
        {"state": "active", "received_bytes": 400_000, "size_bytes": 2_300_000, "attempts": 2,
         "error": "stalled: less than 512 bytes a second"},
        {"state": "active", "received_bytes": 700_000},
        {"state": "queued"},
    ),
    "done": (
        {"state": "done", "size_bytes": 2_400_000, "verified": True, "path": "vivix/2026-05-10/grok-5b91a581-1.jpg"},
        {"state": "done", "size_bytes": 2_300_000, "verified": None, "path": "vivix/2026-05-10/grok-5b91a581-2.jpg"},
        {"state": "done", "size_bytes": 2_300_000, "verified": True, "path": "vivix/moved-elsewhere.jpg"},
        {"state": "failed", "link_asked": 2, "error": "gone from the server: the server answered 404"},
    ),
    "disk-full": (
        {"state": "done", "size_bytes": 2_400_000, "verified": True, "path": "vivix/2026-05-10/grok-5b91a581-1.jpg"},
        *({"state": "paused", "received_bytes": 400_000, "size_bytes": 2_300_000,
           "error": "disk full: No space left on device; free some space, then download again"},) * 2,
        {"state": "paused"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILE_STATES)
@two_sizes
async def test_files_of_outputs(
    screen: Screen, snap: Snap, size: Size, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen.busy()
    done = "5b91a581-0000-4000-8000-000000000000"
    verbs.download(screen.store, PROFILE, done)
    for item, facts in zip(downloads.of(screen.store, PROFILE, done), FILE_STATES[name], strict=True):
        downloads.update(screen.store, replace(item, **facts))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vivix" / "2026-05-10").mkdir(parents=True)
    for number in (1, 2):
        (tmp_path / "vivix" / "2026-05-10" / f"grok-5b91a581-{number}.jpg").touch()
    await snap(screen.app(), "3", "g", *(["enter"] if size == (80, 24) else []), size=size)


@two_sizes
async def test_sort_chooser(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), "s", "c", "s", size=size)


@two_sizes
async def test_columns_dialog(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), "C", "j", "space", "J", size=size)


@two_sizes
async def test_settings(screen: Screen, snap: Snap, size: Size, tmp_path: Path) -> None:
    screen.busy()
    await snap(screen.app(state=tmp_path / "state.toml"), "S", "j", "j", "right", size=size)


@pytest.mark.parametrize("theme", ["vivix-light", "vivix-contrast", "ansi-dark", "ansi-light"])
@two_sizes
async def test_theme(screen: Screen, snap: Snap, size: Size, theme: str) -> None:
    screen.busy()
    settings = msgspec.structs.replace(Settings(), ui=Ui(theme=theme))
    await snap(screen.app(settings=settings), "j", "j", "j", "space", size=size)


@two_sizes
async def test_dialog_in_the_light(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    settings = msgspec.structs.replace(Settings(), ui=Ui(theme="vivix-light"))
    await snap(screen.app(settings=settings), "4", "g", "R", size=size)


@two_sizes
async def test_range(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), "j", "v", "j", "j", "j", size=size)


@two_sizes
async def test_help_with_own_keys(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    settings = msgspec.structs.replace(Settings(), keys={"generation.retry": "f5", "generation.forget": ""})
    await snap(screen.app(settings=settings), "question_mark", size=size)


@two_sizes
async def test_palette(screen: Screen, snap: Snap, size: Size) -> None:
    async def still(pilot: Pilot[int]) -> None:
        await pilot.press(*"down")
        pilot.app.screen.query_one(Input).cursor_blink = False
        await settled(pilot)

    screen.busy()
    await snap(screen.app(), "colon", size=size, prepare=still)


@pytest.mark.parametrize("size", [(60, 20), (40, 10), (39, 9)], ids=lambda s: f"{s[0]}x{s[1]}")
async def test_narrow(screen: Screen, snap: Snap, size: Size) -> None:
    screen.busy()
    await snap(screen.app(), "j", size=size)


async def test_narrow_details(screen: Screen, snap: Snap) -> None:
    screen.busy()
    await snap(screen.app(), "exclamation_mark", "g", "enter", size=(60, 20))

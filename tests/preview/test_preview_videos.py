"""Videos: one frame and the facts, by the system's ffmpeg or by the extra; a sentence where there is neither."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.preview.conftest import ASSETS
from tests.preview.test_preview_limits import planted
from vivix_tui.errors import NotShown
from vivix_tui.preview.cache import Cache
from vivix_tui.preview.request import frame_of

HIDDEN = (
    "import importlib.util as u\nfound = u.find_spec\n"
    "u.find_spec = lambda name, package=None: None if name == 'av' else found(name, package)"
)
BOTH = all(map(shutil.which, ("ffmpeg", "ffprobe")))


@pytest.fixture(autouse=True, params=["system", "extra"] if BOTH else ["extra"])
def _tools(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's ffmpeg where there is one; and the extra, as where there is none."""
    if request.param == "extra":
        monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "size", "codec"),
    [
        ("video-16x9-a.mp4", (960, 540), "h264"),
        ("video-9x16-a.mp4", (540, 960), "h264"),
        ("video-16x9-a.webm", (960, 540), "vp9"),
    ],
)
async def test_a_video_shows_a_frame_and_tells_its_length_and_codec(
    no_cache: Cache, name: str, size: tuple[int, int], codec: str
) -> None:
    frame = await frame_of(ASSETS / name, 46, 40, no_cache)
    assert (frame.source_width, frame.source_height, frame.codec, frame.kind) == (*size, codec, name.split(".")[1])
    assert frame.duration_ms == pytest.approx(3_000, abs=100)
    expected = (46, 26) if size[0] > size[1] else (22.5, 40)
    assert (frame.width, frame.height) == pytest.approx(expected, abs=0.6)
    assert len(set(frame.rgb)) > 20, "not one colour"


async def test_a_cut_video_shows_its_frame_where_that_is_there_and_says_so_where_it_is_not(
    tmp_path: Path, no_cache: Cache
) -> None:
    whole = (ASSETS / "video-16x9-a.mp4").read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    assert (await frame_of(tmp_path / "half.mp4", 46, 40, no_cache)).width == 46
    (tmp_path / "head.mp4").write_bytes(whole[:200])
    with pytest.raises(NotShown, match="cut off or damaged"):
        await frame_of(tmp_path / "head.mp4", 46, 40, no_cache)


def sideways(video: bytes) -> bytes:
    """The same video with the matrix that tells players to turn it by a quarter with the clock."""
    one, plain = (1 << 16).to_bytes(4, "big"), (1 << 30).to_bytes(4, "big")
    at = video.index(one + bytes(12) + one + bytes(12) + plain, video.index(b"tkhd"))
    minus = (-(1 << 16)).to_bytes(4, "big", signed=True)
    return video[:at] + bytes(4) + one + bytes(4) + minus + bytes(16) + plain + video[at + 36 :]


async def test_a_video_taken_sideways_stands_upright(tmp_path: Path, no_cache: Cache) -> None:
    plain = await frame_of(ASSETS / "video-16x9-a.mp4", 96, 54, no_cache)
    (tmp_path / "a.mp4").write_bytes(sideways((ASSETS / "video-16x9-a.mp4").read_bytes()))
    turned = await frame_of(tmp_path / "a.mp4", 54, 96, no_cache)
    assert (turned.width, turned.height, turned.source_width, turned.source_height) == (54, 96, 540, 960)
    corner = turned.rgb[3 * 53 : 3 * 54]
    assert all(abs(a - b) < 40 for a, b in zip(plain.rgb[:3], corner, strict=True)), "left becomes top"


async def test_a_playlist_that_calls_itself_a_video_opens_no_other_file(tmp_path: Path, no_cache: Cache) -> None:
    shutil.copy(ASSETS / "video-16x9-a.mp4", tmp_path / "secret.mp4")
    playlist = f"\0\0\0\x18ftypisom\n#EXTM3U\n#EXTINF:3,\nfile:{tmp_path}/secret.mp4\n#EXT-X-ENDLIST\n"
    (tmp_path / "a.mp4").write_text(playlist)
    with pytest.raises(NotShown, match="cut off or damaged"):
        await frame_of(tmp_path / "a.mp4", 46, 40, no_cache)
    (tmp_path / "a.mp4").write_text(playlist[13:])
    with pytest.raises(NotShown, match="neither a picture nor a video"):
        await frame_of(tmp_path / "a.mp4", 46, 40, no_cache)


async def test_without_ffmpeg_and_the_extra_a_sentence_stands_there(
    tmp_path: Path, no_cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    planted(tmp_path, monkeypatch, HIDDEN)
    with pytest.raises(NotShown, match=r"videos need ffmpeg on this system, or pip install 'vivix-tui\[video\]'"):
        await frame_of(ASSETS / "video-16x9-a.mp4", 46, 40, no_cache)

"""Videos: one frame by the system's ffmpeg, facts by its ffprobe, a sentence where there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.preview.conftest import ASSETS
from vivix_tui.errors import NotShown
from vivix_tui.preview.cache import Cache
from vivix_tui.preview.request import frame_of

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg") or not shutil.which("ffprobe"), reason="no ffmpeg here")


@needs_ffmpeg
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
    assert (frame.width, frame.height) == ((46, 26) if size[0] > size[1] else (23, 40))
    assert len(set(frame.rgb)) > 20, "not one colour"


@needs_ffmpeg
async def test_a_cut_video_shows_its_frame_where_that_is_there_and_says_so_where_it_is_not(
    tmp_path: Path, no_cache: Cache
) -> None:
    whole = (ASSETS / "video-16x9-a.mp4").read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    assert (await frame_of(tmp_path / "half.mp4", 46, 40, no_cache)).width == 46
    (tmp_path / "head.mp4").write_bytes(whole[:200])
    with pytest.raises(NotShown, match="cut off or damaged"):
        await frame_of(tmp_path / "head.mp4", 46, 40, no_cache)


@needs_ffmpeg
async def test_a_playlist_that_calls_itself_a_video_opens_no_other_file(tmp_path: Path, no_cache: Cache) -> None:
    shutil.copy(ASSETS / "video-16x9-a.mp4", tmp_path / "secret.mp4")
    playlist = f"\0\0\0\x18ftypisom\n#EXTM3U\n#EXTINF:3,\nfile:{tmp_path}/secret.mp4\n#EXT-X-ENDLIST\n"
    (tmp_path / "a.mp4").write_text(playlist)
    with pytest.raises(NotShown, match="cut off or damaged"):
        await frame_of(tmp_path / "a.mp4", 46, 40, no_cache)
    (tmp_path / "a.mp4").write_text(playlist[13:])
    with pytest.raises(NotShown, match="neither a picture nor a video"):
        await frame_of(tmp_path / "a.mp4", 46, 40, no_cache)


async def test_without_ffmpeg_a_sentence_stands_there(
    tmp_path: Path, no_cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotShown, match="this system has no ffprobe, which shows videos"):
        await frame_of(ASSETS / "video-16x9-a.mp4", 46, 40, no_cache)

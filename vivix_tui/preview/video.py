"""The poster frame of a video, by the system's ffmpeg; size, codec and duration by its ffprobe. In the worker alone.
Where there is none of them, `pyav` does it.

Owns: what ffmpeg may open (this one file), which containers and codecs, how large a frame. Refuses: guessing: the
container is named by the file's own first bytes, since a playlist that calls itself a video can name other files.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from typing import Any

from vivix_tui.errors import NotShown
from vivix_tui.preview.frame import Frame
from vivix_tui.preview.headers import MAX_PIXELS, check_pixels

CONTAINERS = {"mp4": "mp4", "mov": "mov", "webm": "matroska"}
_CODECS = "h264,hevc,av1,libdav1d,libaom-av1,vp8,vp9,libvpx,libvpx-vp9,mpeg4,mjpeg,prores"
_PPM = re.compile(rb"P6\s(\d{1,4})\s(\d{1,4})\s255\s")
_POSTER_AT_S = 1.0


def poster(kind: str, width: int, height: int) -> Frame:
    """The frame at the first second, of the video that is open as descriptor 0. Raises NotShown."""
    if all(map(shutil.which, ("ffmpeg", "ffprobe"))):
        return _by_ffmpeg(kind, width, height)
    if find_spec("av") is None:
        raise NotShown("videos need ffmpeg on this system, or pip install 'vivix-tui[video]'")
    from vivix_tui.preview import pyav  # noqa: PLC0415 - 100 MB, for few

    return pyav.poster(kind, CONTAINERS[kind], frozenset(_CODECS.split(",")), _POSTER_AT_S, (width, height))


def _by_ffmpeg(kind: str, width: int, height: int) -> Frame:
    facts = _probe(kind)
    check_pixels(facts["width"], facts["height"])
    duration_ms = facts["duration_ms"]
    at_s = min(_POSTER_AT_S, (duration_ms or 0) / 10_000)
    scale = f"scale=w='min({width},iw)':h='min({height},ih)':force_original_aspect_ratio=decrease:flags=area"
    image = _run(
        "ffmpeg", "-nostdin", "-threads", "1", "-max_pixels", str(MAX_PIXELS), "-ss", f"{at_s:.3f}", *_source(kind),
        "-map", "0:v:0", "-frames:v", "1", "-vf", scale, "-f", "image2pipe", "-c:v", "ppm", "-",
    )  # fmt: skip
    head = _PPM.match(image)
    if head is None:
        raise NotShown("ffmpeg found no frame in it: the file is cut off or damaged")
    return Frame(
        width=int(head[1]),
        height=int(head[2]),
        rgb=image[head.end() :],
        source_width=facts["width"],
        source_height=facts["height"],
        kind=kind,
        codec=facts["codec"],
        duration_ms=duration_ms,
    )


def _probe(kind: str) -> dict[str, Any]:
    entries = "stream=codec_name,width,height,duration:stream_side_data=rotation:format=duration"
    told = _run("ffprobe", *_source(kind), "-select_streams", "v:0", "-show_entries", entries, "-of", "json")
    try:
        value = json.loads(told)
        stream = value["streams"][0]
        width, height = int(stream["width"]), int(stream["height"])
        duration = stream.get("duration") or value.get("format", {}).get("duration")
        sideways = any(int(data.get("rotation", 0)) % 180 for data in stream.get("side_data_list", ()))
        return {
            "width": height if sideways else width,
            "height": width if sideways else height,
            "codec": re.sub(r"\W", "", str(stream.get("codec_name", "")))[:24] or None,
            "duration_ms": None if duration is None else round(float(duration) * 1000),
        }
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError):
        raise NotShown("ffprobe found no video in it: the file is cut off or damaged") from None


def _source(kind: str) -> tuple[str, ...]:
    return (
        "-protocol_whitelist", "file", "-codec_whitelist", _CODECS, "-f", CONTAINERS[kind], "-i", "file:/dev/stdin",
    )  # fmt: skip


def _run(program: str, *arguments: str) -> bytes:
    """What the program writes; its limits are this process's."""
    os.lseek(0, 0, os.SEEK_SET)
    command = [program, "-hide_banner", "-v", "error", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout

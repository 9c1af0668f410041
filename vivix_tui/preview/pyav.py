"""The poster frame of a video and its facts by PyAV (the extra `video`), where the system has no ffmpeg. In the worker.

Owns: the same limits as `video`: this one file, the container by its own first bytes, the codecs on the list, pixels
counted before one is decoded. Refuses: everything else that FFmpeg's libraries could open.
"""

from __future__ import annotations

import os
import re

import av
import av.error
from PIL import Image

from vivix_tui.errors import NotShown
from vivix_tui.preview.frame import Frame
from vivix_tui.preview.headers import check_pixels


def poster(kind: str, container: str, codecs: frozenset[str], at_s: float, size: tuple[int, int]) -> Frame:
    """The frame at `at_s`, earlier in a short video, of the one that is open as descriptor 0. Raises NotShown."""
    os.lseek(0, 0, os.SEEK_SET)
    try:
        with (
            os.fdopen(os.dup(0), "rb") as file,
            av.open(file, "r", format=container, options={"protocol_whitelist": "none"}) as opened,
        ):
            stream = opened.streams.video[0]
            name = stream.codec_context.codec.name
            codec = re.sub(r"\W", "", stream.codec_context.codec.canonical_name)[:24]
            if name not in codecs:
                raise NotShown(f"of videos in {name[:24]} no picture is shown")
            check_pixels(stream.codec_context.width, stream.codec_context.height)
            stream.codec_context.thread_count = 1
            length_s = opened.duration / av.time_base if opened.duration else None
            if length_s is not None:
                opened.seek(round(min(at_s, length_s / 10) * av.time_base))
            frame = next(opened.decode(stream))
            upright = _image(frame).rotate(frame.rotation, expand=True)
    except (av.error.FFmpegError, IndexError, StopIteration, ValueError):
        raise NotShown("no frame was found in it: the file is cut off or damaged") from None
    shown = upright.size
    upright.thumbnail(size)
    return Frame(
        width=upright.width,
        height=upright.height,
        rgb=upright.tobytes(),
        source_width=shown[0],
        source_height=shown[1],
        kind=kind,
        codec=codec,
        duration_ms=None if length_s is None else round(length_s * 1000),
    )


def _image(frame: av.VideoFrame) -> Image.Image:
    """The frame as it is stored; without numpy, and without the padding at the end of its lines."""
    check_pixels(frame.width, frame.height)
    plane = frame.reformat(format="rgb24").planes[0]
    return Image.frombuffer("RGB", (frame.width, frame.height), bytes(plane), "raw", "RGB", plane.line_size, 1)

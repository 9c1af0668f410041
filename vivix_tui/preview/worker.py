"""The process that decodes: `python -m vivix_tui.preview.worker WIDTH HEIGHT SLICE_HEIGHT <file >frame`.

Owns: the order: limits, then the kind by the first bytes, then a decoder. Refuses: paths; it is handed one open file.
"""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace

from vivix_tui.domain.media import HEAD_BYTES, kind_of
from vivix_tui.errors import NotShown
from vivix_tui.preview.frame import Frame, pack, pack_refusal
from vivix_tui.preview.headers import PICTURES, VIDEOS, checked_size
from vivix_tui.preview.limits import PICTURE_MEMORY, VIDEO_MEMORY, confine
from vivix_tui.preview.video import poster


def frame(width: int, height: int) -> Frame:
    """The small picture of the file that is open as descriptor 0. Raises NotShown."""
    with os.fdopen(0, "rb", closefd=False) as file:
        head = file.read(HEAD_BYTES)
        kind = kind_of(head)
        if kind in VIDEOS:
            confine(VIDEO_MEMORY)
            return poster(kind, width, height)
        if kind not in PICTURES:
            raise NotShown(_other(kind, head))
        confine(PICTURE_MEMORY)
        checked_size(file, kind)
        from vivix_tui.preview.picture import decode  # noqa: PLC0415 - what is refused needs no decoder

        return decode(file, kind, width, height)


def _other(kind: str | None, head: bytes) -> str:
    if kind is not None:
        return f"of {kind} files no picture is shown"
    if not head:
        return "the file is empty"
    if head.lstrip()[:1] == b"<":
        return "it is no picture but a page of text, whatever its name says"
    return "it is neither a picture nor a video, whatever its name says"


def made(width: int, height: int, slice_height: int) -> Frame:
    """The same as Sixel where slices are asked for, 0 is none. Raises NotShown."""
    found = frame(width, height)
    if not slice_height:
        return found
    from vivix_tui.preview.sixel import slices  # noqa: PLC0415 - for few

    return replace(found, rgb=b"", slice_height=slice_height, slices=slices(found, slice_height))


def main() -> int:
    try:
        answer = pack(made(*map(int, sys.argv[1:4])))
    except NotShown as reason:
        answer = pack_refusal(str(reason))
    except MemoryError:
        answer = pack_refusal("showing it takes more memory than a preview may use")
    except Exception as error:
        # Decoders raise what they like on bytes that were made to break them.
        logging.getLogger("vivix_tui.preview").exception("the decoder gave up")
        answer = pack_refusal(f"the decoder gave up ({type(error).__name__}: {error})")
    sys.stdout.buffer.write(answer)
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A picture made small with Pillow. Runs in the worker alone.

Owns: the first frame of the allowlisted formats, upright, over a checkerboard where it is transparent, never enlarged.
Refuses: every other decoder of Pillow: it has some forty.
"""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image, ImageOps

from vivix_tui.errors import NotShown
from vivix_tui.preview.frame import Frame
from vivix_tui.preview.headers import check_pixels, checked_size

_DECODERS = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "webp": "WEBP"}
_CHECK_PIXELS = 4
_DARK, _LIGHT = (64, 64, 64), (96, 96, 96)


def decode(file: BinaryIO, kind: str, width: int, height: int) -> Frame:
    """The picture in at most `width` × `height` pixels. Raises NotShown."""
    checked_size(file, kind)
    file.seek(0)
    try:
        with Image.open(file, formats=[_DECODERS[kind]]) as image:
            # Once more: the first frame of a GIF may be larger than the file's header said.
            check_pixels(*image.size)
            small, source = _small(image, width, height)
    except MemoryError:
        raise NotShown("decoding it takes more memory than a preview may use") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise NotShown(f"the file is cut off or damaged ({error})") from None
    return Frame(
        width=small.width,
        height=small.height,
        rgb=small.tobytes(),
        source_width=source[0],
        source_height=source[1],
        kind=kind,
    )


def _small(image: Image.Image, width: int, height: int) -> tuple[Image.Image, tuple[int, int]]:
    """The picture made small, and the size it has when it stands upright."""
    source, most = image.size, max(width, height)
    image.draft("RGB", (most, most))
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")  # 16 bits a pixel
    small = image.convert("RGBA" if image.has_transparency_data else "RGB")
    small.thumbnail((most, most), reducing_gap=3.0)
    upright = ImageOps.exif_transpose(small)
    if (upright.width > upright.height) != (small.width > small.height):
        source = source[1], source[0]
    upright.thumbnail((width, height))
    if upright.mode == "RGBA":
        board = _checkerboard(upright.width, upright.height)
        board.paste(upright, mask=upright)
        upright = board
    return upright, source


def _checkerboard(width: int, height: int) -> Image.Image:
    board = Image.new("RGB", (width, height), _DARK)
    for y in range(0, height, _CHECK_PIXELS):
        for x in range(y // _CHECK_PIXELS % 2 * _CHECK_PIXELS, width, 2 * _CHECK_PIXELS):
            board.paste(_LIGHT, (x, y, min(x + _CHECK_PIXELS, width), min(y + _CHECK_PIXELS, height)))
    return board

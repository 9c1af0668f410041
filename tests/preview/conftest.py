"""Files as strangers make them: whole, cut, huge when unpacked, named for what they are not."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from vivix_tui.preview.cache import Cache

ASSETS = Path(__file__).resolve().parents[2] / "vivix_tui" / "demo" / "assets"


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_bomb(path: Path, width: int, height: int, *, packed_rows: int) -> Path:
    """A valid head, and as many black rows as asked for, which pack by a factor of a thousand."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + 3 * width)
    packed = b"".join(packer.compress(row) for _ in range(packed_rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = png_chunk(b"IHDR", head) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path


def corners(width: int, height: int) -> Image.Image:
    """Red, green, blue and white quarters: what is turned, swapped or stretched can be told."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    image.paste("white", (width // 2, height // 2, width, height))
    return image


@pytest.fixture
def no_cache() -> Cache:
    return Cache(None)

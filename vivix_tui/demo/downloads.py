"""Bytes over HTTP the way a storage host serves them: whole, from a range on, or not again.

Owns Range, If-Range, If-None-Match, strong validators and the pace of a download. Refuses to know where the bytes come
from. Several ranges at once are answered with the whole file, as RFC 9110 allows.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from email.utils import formatdate

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

_RANGE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)", re.ASCII)
_CHUNK_BYTES = 65_536


class UnsatisfiableError(Exception):
    """The range lies behind the end."""


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte asked for; None means the whole file. Raises UnsatisfiableError."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if first == "":
        length = min(int(last), size)
        if length == 0:
            raise UnsatisfiableError
        return size - length, size - 1
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise UnsatisfiableError
    return start, min(int(last), size - 1) if last else size - 1


def serve(request: Request, data: bytes, *, media_type: str, modified_at: float, bytes_per_s: float | None) -> Response:
    """The answer to GET or HEAD for `data`. `bytes_per_s` slows the body down; None does not."""
    validators = {
        "ETag": f'"{hashlib.sha256(data).hexdigest()[:32]}"',
        "Last-Modified": formatdate(int(modified_at), usegmt=True),
    }
    headers = {**validators, "Accept-Ranges": "bytes", "Cache-Control": "public, max-age=31536000, immutable"}
    if validators["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    wanted = request.headers.get("range")
    condition = request.headers.get("if-range")
    if condition is not None and condition not in validators.values():
        wanted = None
    try:
        span = parse_range(wanted, len(data)) if request.method == "GET" else None
    except UnsatisfiableError:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(data)}"})
    start, last = span or (0, len(data) - 1)
    if span:
        headers["Content-Range"] = f"bytes {start}-{last}/{len(data)}"
    headers["Content-Length"] = str(last - start + 1)
    if request.method == "HEAD":
        return Response(headers=headers, media_type=media_type)
    body = _chunks(data, start, last + 1, bytes_per_s)
    return StreamingResponse(body, 206 if span else 200, headers, media_type)


async def _chunks(data: bytes, start: int, end: int, bytes_per_s: float | None) -> AsyncIterator[bytes]:
    for first in range(start, end, _CHUNK_BYTES):
        chunk = data[first : min(first + _CHUNK_BYTES, end)]
        yield chunk
        if bytes_per_s:
            await asyncio.sleep(len(chunk) / bytes_per_s)

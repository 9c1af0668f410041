"""The API over HTTP: paths, keys, headers, and errors as the documentation describes them.

Owns the routes and what every answer carries. Refuses rules: what a call means is the studio's business.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from . import downloads, media, refusals
from .jobs import Job, iso
from .refusals import Refusal
from .studio import Studio

LARGEST_BODY_BYTES = 256 * 1024
SLOW_DOWNLOAD_BYTES_PER_S = 1_500_000.0
_SLOW_UP_TO_SPEED = 2.0

Endpoint = Callable[[Request], Awaitable[Response]]
Reply = tuple[int, dict[str, Any]]


def build_app(studio: Studio, base_url: str) -> Starlette:
    """The application. `base_url` is where clients reach it: output URLs begin with it."""

    async def generate(request: Request) -> Reply:
        job = studio.accept(await _json_body(request), time.time())
        return 201, {
            "generation_id": job.id,
            "status": "pending",
            "model": job.body["model"],
            "credits_estimate": job.estimate,
            "created_at": iso(job.created_at),
        }

    async def generation(request: Request) -> Reply:
        job = studio.generation(request.path_params["id"])
        # A past job of `history` may lie behind a clock that was set back: it has ended all the same.
        now = max(time.time(), job.ends_at) if job.author == "past" else time.time()
        return 200, job.answer(now, base_url)

    async def models(_request: Request) -> Reply:
        return 200, studio.models(time.time())

    async def credits_(_request: Request) -> Reply:
        now = time.time()
        return 200, {
            "balance": studio.ledger.balance(now),
            "tier": studio.tier.name,
            "cycle_resets_at": iso(studio.ledger.resets_at(now)),
            "rate_limit": studio.tier.rate_limit(),
            "spent_this_cycle": studio.ledger.spent(now),
            "granted_this_cycle": studio.ledger.granted(),
        }

    return Starlette(
        routes=[
            Route("/api/v1/generate", _guarded(studio, generate), methods=["POST"]),
            Route("/api/v1/generations/{id}", _guarded(studio, generation), methods=["GET"]),
            Route("/api/v1/models", _guarded(studio, models), methods=["GET"]),
            Route("/api/v1/credits", _guarded(studio, credits_), methods=["GET"]),
            Route("/outputs/{id}/{name}", _outputs(studio), methods=["GET", "HEAD"]),
        ],
        exception_handlers=_exception_handlers(studio),
    )


def refusal_response(refusal: Refusal, request_id: str) -> Response:
    """An error as the API writes it."""
    headers = {"X-Request-Id": request_id, **refusal.headers}
    return JSONResponse(refusal.body(request_id), refusal.status, headers)


def _guarded(studio: Studio, reply: Callable[[Request], Awaitable[Reply]]) -> Endpoint:
    """Checks the key, counts the call, writes the headers: the same for every endpoint."""

    async def endpoint(request: Request) -> Response:
        request_id = studio.next_request_id()
        try:
            left = studio.admit(_key(request), time.monotonic())
            status, body = await reply(request)
        except Refusal as refusal:
            return refusal_response(refusal, request_id)
        headers = {
            "X-Request-Id": request_id,
            "X-RateLimit-Remaining": str(left),
            "X-Credits-Balance": f"{studio.ledger.balance(time.time()):,}",
        }
        return JSONResponse(body, status, headers)

    return endpoint


def _key(request: Request) -> str | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


async def _json_body(request: Request) -> Any:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > LARGEST_BODY_BYTES:
            raise refusals.malformed("The body is too large.")
    try:
        return json.loads(bytes(data))
    except (ValueError, RecursionError) as error:
        raise refusals.malformed("The body is not valid JSON.") from error


def _outputs(studio: Studio) -> Endpoint:
    """Public files, as from a storage host: no key, no JSON errors."""
    pace = SLOW_DOWNLOAD_BYTES_PER_S if studio.speed <= _SLOW_UP_TO_SPEED else None

    async def endpoint(request: Request) -> Response:
        name = PurePosixPath(request.path_params["name"])
        job = studio.find(request.path_params["id"])
        index = _finished_index(job, name)
        if job is None or index is None:
            return PlainTextResponse("Not found", 404)
        extension = job.model.extension
        aspect = job.model.setting(job.body, "aspect_ratio")
        # Drawing a file takes up to some 50 ms: not on the loop, other answers must not wait for it.
        data = await asyncio.to_thread(media.output, job.look, index, extension, aspect)
        media_type = media.MEDIA_TYPES[extension]
        return downloads.serve(request, data, media_type=media_type, modified_at=job.ends_at, bytes_per_s=pace)

    return endpoint


def _finished_index(job: Job | None, name: PurePosixPath) -> int | None:
    if job is None or (job.author != "past" and job.status_at(time.time()) != "completed") or job.error:
        return None
    names = [f"{index}.{job.model.extension}" for index in range(job.model.outputs(job.body))]
    return names.index(name.name) if name.name in names else None


def _exception_handlers(studio: Studio) -> dict[Any, Callable[[Request, Exception], Awaitable[Response]]]:
    async def http_error(_request: Request, error: Exception) -> Response:
        wrong_method = isinstance(error, HTTPException) and error.status_code == 405
        allowed = (error.headers or {}).get("Allow", "GET") if isinstance(error, HTTPException) else "GET"
        refusal = refusals.wrong_method(allowed) if wrong_method else refusals.not_found("path")
        return refusal_response(refusal, studio.next_request_id())

    async def crash(_request: Request, _error: Exception) -> Response:
        return refusal_response(refusals.internal_error(), studio.next_request_id())

    return {HTTPException: http_error, Exception: crash}

"""JSON and headers of the API made domain objects.

Owns: what is tolerated and what is not: a field of the wrong type counts as unknown, an answer without what makes it
an answer (the right id, a status) is a BadReply and changes nothing. Refuses: the network, and guessing.
Source of field names: the vendor's public API pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from vivix_tui.domain import times
from vivix_tui.domain.account import Account, Model, Parameter
from vivix_tui.domain.generation import Answer
from vivix_tui.domain.submission import Accepted
from vivix_tui.errors import BadReply, Refusal

MAX_INT = 2**53
MAX_TEXT = 100_000
MAX_PARTS = 500_000  # 5,000 models have fewer; 8 MB of `[],` would take 200 MB and hold up every thread for a second
_CREDITS = re.compile(r"-?(\d{1,3}(,\d{3})+|\d+)")
_DIGITS = re.compile(r"\d{1,30}(\.\d{1,9})?")


def read_object(data: bytes, *, status: int, request_id: str | None) -> dict[str, Any]:
    """The JSON object in `data`. Raises BadReply: not UTF-8, not JSON, too deep, of too many parts, or not an object.

    NaN and Infinity, which JSON does not have and some servers write, count as unknown: the rest of the answer may
    name an id that was paid for.
    """
    if sum(map(data.count, (b"[", b"{", b","))) > MAX_PARTS:
        raise BadReply(f"the answer ({status}) has too many parts", status=status, request_id=request_id)
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_unknown)
    except (ValueError, RecursionError):
        raise BadReply(_unreadable(data, status), status=status, request_id=request_id) from None
    if not isinstance(value, dict):
        raise BadReply(f"the answer ({status}) is not a JSON object", status=status, request_id=request_id)
    return value


def answer(value: Mapping[str, Any], asked_id: str, *, request_id: str | None) -> Answer:
    """A status answer about `asked_id`. Raises BadReply where it is about another id or names no status."""
    if value.get("generation_id") != asked_id:
        raise BadReply("the answer is about another generation", status=200, request_id=request_id)
    status = text(value.get("status"))
    if not status:
        raise BadReply("the answer names no status", status=200, request_id=request_id)
    urls = value.get("output_urls")
    return Answer(
        generation_id=asked_id,
        status=status,
        model=text(value.get("model")),
        credits_estimate=amount(value.get("credits_estimate")),
        credits_used=amount(value.get("credits_used")),
        elapsed_ms=amount(value.get("elapsed_ms")),
        duration_ms=amount(value.get("duration_ms")),
        created_at=_time(value.get("created_at")),
        completed_at=_time(value.get("completed_at")),
        error=text(value.get("error")),
        message=text(value.get("message")),
        output_url=text(value.get("output_url")),
        output_urls=tuple(u for u in map(text, urls) if u) if isinstance(urls, list) else (),
        request_id=request_id,
        next=text(value.get("next")),
    )


def accepted(value: Mapping[str, Any], *, request_id: str | None) -> Accepted:
    """The answer to a POST that made a job. Raises BadReply where it names no id."""
    generation_id = value.get("generation_id")
    if not isinstance(generation_id, str) or not generation_id or text(generation_id) != generation_id:
        raise BadReply("the answer names no generation_id", status=201, request_id=request_id)
    return Accepted(
        generation_id=generation_id,
        status=text(value.get("status")) or "pending",
        model=text(value.get("model")),
        credits_estimate=amount(value.get("credits_estimate")),
        created_at=_time(value.get("created_at")),
        request_id=request_id,
    )


def refusal(value: Mapping[str, Any], *, status: int, headers: Mapping[str, str]) -> Refusal:
    """The API's error body; a code that is no text becomes `HTTP_<status>`."""
    return Refusal(
        status=status,
        code=text(value.get("error")) or f"HTTP_{status}",
        message=text(value.get("message")),
        next_step=text(value.get("next")),
        request_id=text(value.get("request_id")) or text(headers.get("x-request-id")),
        retry_after_s=retry_after_s(headers.get("retry-after"), datetime.now(UTC)),
        balance=credits_amount(value.get("balance")),
        needed=credits_amount(value.get("needed")),
    )


def account(value: Mapping[str, Any]) -> Account:
    """What /credits tells, or the head of /models."""
    limits = value.get("rate_limit")
    limits = limits if isinstance(limits, dict) else {}
    balance = value.get("balance", value.get("credits_balance"))
    return Account(
        balance=credits_amount(balance),
        tier=text(value.get("tier")),
        calls_per_minute=amount(limits.get("calls_per_minute")) or None,
        concurrent_jobs=amount(limits.get("concurrent_jobs")) or None,
        cycle_resets_at=_time(value.get("cycle_resets_at")),
        spent_this_cycle=credits_amount(value.get("spent_this_cycle")),
        granted_this_cycle=credits_amount(value.get("granted_this_cycle")),
    )


def models(value: Mapping[str, Any], *, request_id: str | None) -> dict[str, Model]:
    """The catalogue by slug; entries without a slug are passed over. Raises BadReply where there is no list."""
    entries = value.get("models")
    if not isinstance(entries, list):
        raise BadReply("the answer holds no list of models", status=200, request_id=request_id)
    found = (_model(entry) for entry in entries[:5000] if isinstance(entry, dict))
    return {model.slug: model for model in found if model is not None}


def credits_amount(value: object) -> int | None:
    """Credits as a number or as text with thousands separators (`49,711`); None where it is neither."""
    if isinstance(value, str):
        found = _CREDITS.fullmatch(value.strip())
        value = int(found.group().replace(",", "")) if found and len(value) <= 30 else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_INT:
        return None
    return value


def amount(value: object) -> int | None:
    """A count that is never negative (credits, milliseconds, calls); None where `value` is no such number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_INT:
        return None
    return round(value)


def text(value: object) -> str | None:
    """Text that the store can hold (no lone surrogates, bounded); None where `value` is no text or empty."""
    if not isinstance(value, str) or not value:
        return None
    return value[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")


def remaining_calls(value: str | None) -> int | None:
    """X-RateLimit-Remaining."""
    number = credits_amount(value) if value is not None else None
    return number if number is not None and number >= 0 else None


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Retry-After in seconds (a number or an HTTP date); None where it is missing or unusable."""
    if value is None:
        return None
    if _DIGITS.fullmatch(value.strip()):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _model(entry: Mapping[str, Any]) -> Model | None:
    slug = text(entry.get("slug"))
    if slug is None:
        return None
    band = entry.get("credits_band")
    band = band if isinstance(band, dict) else {}
    params = entry.get("params")
    params = params if isinstance(params, dict) else {}
    return Model(
        slug=slug[:500],
        name=_short(entry.get("name")),
        category=_short(entry.get("category")),
        creator=_short(entry.get("creator")),
        description=_short(entry.get("description")),
        params={name: _parameter(name, raw) for name, raw in params.items() if isinstance(raw, dict)},
        credits_min=amount(band.get("min")),
        credits_max=amount(band.get("max")),
    )


def _parameter(name: str, raw: Mapping[str, Any]) -> Parameter:
    values = raw.get("values")
    scalar = (str, int, float, bool)
    return Parameter(
        name=name,
        type=text(raw.get("type")) or "",
        required=raw.get("required") is True,
        default=raw.get("default") if isinstance(raw.get("default"), scalar) else None,
        values=tuple(v for v in values if isinstance(v, scalar)) if isinstance(values, list) else None,
        minimum=_bound(raw.get("min")),
        maximum=_bound(raw.get("max")),
        max_length=amount(raw.get("max_length")),
    )


def _bound(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _short(value: object) -> str | None:
    found = text(value)
    return found[:2000] if found else None


def _time(value: object) -> str | None:
    found = text(value)
    return found if found and times.parse(found) else None


def _unknown(_: str) -> None:
    return None


def _unreadable(data: bytes, status: int) -> str:
    if data.lstrip()[:1] == b"<":
        return f"gateway {status}: an HTML page instead of an answer"
    return f"the answer ({status}) is empty" if not data else f"the answer ({status}) is not JSON"

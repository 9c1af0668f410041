"""What an answer may do to a row, by the documents: read anew here, without a line of the program's own reader.

Owns: the judgement of one answer, and the comparison of a row before and after it. Refuses: sending, and rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fuzz.mutations import Sent

Row = Mapping[str, Any]
MOST = 2**53
FINAL = {403: {"TIER_LOCKED", "MODEL_NOT_ALLOWED", "NOT_YOURS"}, 404: {"NOT_FOUND"}, 410: {"GONE"}}
RANKS = {None: 0, "pending": 1, "processing": 2, "completed": 9, "failed": 9}
NUMBERS = ("credits_estimate", "credits_used", "elapsed_ms", "duration_ms")
TEXTS = ("model", "status", "created_at", "completed_at", "error", "message", "output_url", "next")
ALWAYS_FREE = {"note", "hurry"}
"""A note says why an answer was no good, and a wish to ask now is over once it was asked."""
FREE_WHEN_USABLE = {"checked_at", "request_id", "sort_ms", "gone"}


@dataclass(frozen=True, slots=True)
class Facts:
    """Every value that a readable object told, by name: a name that comes twice tells two."""

    told: Mapping[str, list[Any]]

    def last(self, name: str) -> Any:
        return self.told.get(name, [None])[-1]

    def texts(self, name: str) -> set[str]:
        return {clean(v) for v in self.told.get(name, []) if isinstance(v, str) and v}

    def numbers(self, name: str) -> set[int]:
        found = [v for v in self.told.get(name, []) if isinstance(v, int | float) and not isinstance(v, bool)]
        return {round(v) for v in found if v == v and 0 <= v <= MOST}

    def amounts(self, name: str) -> set[int]:
        """Credits: of either sign, or written with thousands separators."""
        scalars = [v for v in self.told.get(name, []) if isinstance(v, int | float | str) and not isinstance(v, bool)]
        found = {credits_in(v) if isinstance(v, str) else v for v in scalars}
        return {int(v) for v in found if isinstance(v, int | float) and abs(v) <= MOST and v == int(v)}


def clean(text: str) -> str:
    """As a database can hold it."""
    return text[:100_000].encode("utf-8", "replace").decode()


def facts_in(body: bytes) -> Facts | None:
    """The object in `body`, None where it is no JSON object in UTF-8. NaN and the like tell nothing."""
    try:
        value = json.loads(body.decode(), object_pairs_hook=_pairs, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Facts) else None


def _pairs(pairs: list[tuple[str, Any]]) -> Facts:
    told: dict[str, list[Any]] = {}
    for name, value in pairs:
        told.setdefault(name, []).append(value)
    return Facts(told)


def usable(answer: Sent) -> Facts | None:
    """What a success tells, None where the answer is not one."""
    if not answer.whole or not 200 <= answer.status < 300 or answer.status == 204:
        return None
    return facts_in(answer.body)


def balance_of(headers: Mapping[str, str]) -> int | None:
    """X-Credits-Balance: digits, or digits in groups of three."""
    return credits_in(headers.get("x-credits-balance", ""))


def credits_in(text: str) -> int | None:
    if len(text) > 30 or not re.fullmatch(r"-?(\d{1,3}(,\d{3})+|\d+)", text.strip()):
        return None
    number = int(text.replace(",", ""))
    return number if abs(number) <= MOST else None


# --------------------------------------------------------------------------------------------- GET /generations/{id}


def about_generation(asked: str, answer: Sent) -> Facts | None:
    """The facts by which the row of `asked` may change, None where only its note may."""
    facts = usable(answer)
    if facts is None or facts.last("generation_id") != asked or not facts.texts("status"):
        return None
    return facts if isinstance(facts.last("status"), str) and facts.last("status") else None


def gone_code(answer: Sent) -> str | None:
    """The code by which the API documents that asking about an id is over."""
    facts = facts_in(answer.body) if answer.whole else None
    code = facts.last("error") if facts else None
    return code if isinstance(code, str) and code in FINAL.get(answer.status, ()) else None


def generation_faults(asked: str, answer: Sent, before: Row, after: Row) -> list[str]:
    """How `after` contradicts what `answer` may have made of `before`; empty where all is well."""
    changed = {name for name in before if before[name] != after[name]} - ALWAYS_FREE
    code, facts = gone_code(answer), about_generation(asked, answer)
    if code is not None:
        free = {"gone", "message", "next", "request_id", "checked_at", "wanted_in", "events"}
        return _told(changed - free, after)
    if facts is None:
        return _told(changed, after)
    faults = _told({name for name in changed - FREE_WHEN_USABLE if not _may_be(name, after[name], facts)}, after)
    if RANKS.get(after["status"], 2) < RANKS.get(before["status"], 2):
        faults.append(f"status went back to {after['status']!r}")
    if answer.plain and RANKS.get(facts.last("status"), 2) >= RANKS.get(before["status"], 2):
        missed = [n for n in (*NUMBERS, "status", "model") if n in facts.told and facts.last(n) != after[n]]
        faults += [f"{name} is {after[name]!r}, told was {facts.last(name)!r}" for name in missed]
    return faults


def _may_be(name: str, value: Any, facts: Facts) -> bool:
    if name == "events":
        return True
    if name in NUMBERS:
        return value in facts.numbers(name)
    if name in TEXTS:
        return value in facts.texts(name)
    if name == "output_urls":
        lists = [v for v in facts.told.get("output_urls", []) if isinstance(v, list)]
        return any(json.loads(value) == [clean(u) for u in told if isinstance(u, str) and u] for told in lists)
    return False


def _told(names: set[str], after: Row) -> list[str]:
    return [f"{name} became {str(after[name])[:80]!r}" for name in sorted(names)]


# ----------------------------------------------------------------------------------------------------- POST /generate


def post_faults(answer: Sent, after: Row) -> list[str]:
    """How the row of a submission contradicts the answer that its POST had; `after` was queued before it."""
    state, generation_id = after["state"], after["generation_id"]
    facts = usable(answer)
    told = facts.last("generation_id") if facts else None
    if isinstance(told, str) and told and clean(told) == told:
        wanted, legal = told, {"accepted"}
    elif answer.whole and 400 <= answer.status < 500:
        wanted = None
        # 408 may hide a job that was made; the other three are "not now" where the API itself says so.
        legal = {"unknown"} if answer.status == 408 else {"refused"}
        legal |= {"queued"} if answer.status in (401, 402, 429) else set()
    elif answer.whole and answer.status == 503:
        wanted, legal = None, {"refused", "unknown"}
    else:
        wanted, legal = None, {"unknown"}
    if state in legal and generation_id == wanted:
        return []
    return [f"{state} as {generation_id!r}, and may be {'/'.join(sorted(legal))} as {wanted!r}"]


# ------------------------------------------------------------------------------------------ GET /credits, GET /models


def account_faults(endpoint: str, answer: Sent, before: Row, after: Row) -> list[str]:
    """The same for the account's row; `models` in it is what the catalogue holds, slug → facts."""
    changed = {name for name in before if before[name] != after[name]}
    facts = usable(answer)
    listed = facts.last("models") if facts else None
    if facts is None or (endpoint == "models" and not isinstance(listed, list)):
        return _told(changed, after)
    limits = facts.last("rate_limit")
    names = {"calls_per_minute": limits, "concurrent_jobs": limits, "tier": facts, "cycle_resets_at": facts} | {
        "spent_this_cycle": facts, "granted_this_cycle": facts
    }  # fmt: skip
    faults = []
    for name in changed - {"asked_at", "models"}:
        source = names.get(name)
        legal = source.texts(name) | source.numbers(name) | source.amounts(name) if isinstance(source, Facts) else set()
        if after[name] not in legal:
            faults += _told({name}, after)
    slugs = {s[:500] for entry in listed or () if isinstance(entry, Facts) for s in entry.texts("slug")}
    if "models" in changed and (endpoint != "models" or not set(after["models"]) <= slugs):
        faults += _told({"models"}, after)
    return faults

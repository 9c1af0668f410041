"""What to do about an error code: the one table of codes, and what they mean for another attempt.

Owns: the advice per code. Refuses: reading messages; a code that is not known brings no advice, then only the API's
own `next` counts. Documented codes are from the API's error pages; those of failed jobs beyond PROVIDER_ERROR are the
field's usual words for the same things.
"""

from __future__ import annotations

from msgspec import Struct

RETRY = "retry"
WAIT = "wait"
WAIT_FOR_SLOT = "wait for a slot"
EDIT = "edit"
DO_NOT_RETRY = "do not retry"


class Advice(Struct, frozen=True):
    """`kind` is one of the five words above; `text` is one sentence for the user."""

    kind: str
    text: str


_RETRY = Advice(RETRY, "The cause was transient: the same body may well succeed now.")
_BUSY = Advice(WAIT, "The provider is busy or down: wait a minute, then retry.")
_LIMITED = Advice(WAIT, "Too many calls on this key: it goes on by itself when the time is over.")
_SLOT = Advice(WAIT_FOR_SLOT, "All slots are taken: it goes out by itself when one of the jobs ends.")
_CREDITS = Advice(WAIT, "The balance does not suffice: top it up, or wait for the cycle's reset.")
_CONTENT = Advice(EDIT, "The prompt or an input was refused: the same body will be refused again. Edit it.")
_INVALID = Advice(EDIT, "The body is not what the model takes: edit it.")
_TIER = Advice(DO_NOT_RETRY, "This account may not use it: take another model, or another plan.")
_UNKNOWN_ID = Advice(DO_NOT_RETRY, "The API does not know this id, or no longer: nothing says how it ended.")
_KEY = Advice(DO_NOT_RETRY, "The API key was not accepted: enter another one.")

_ADVICE = {
    "PROVIDER_ERROR": _RETRY,
    "PROVIDER_TIMEOUT": _RETRY,
    "TIMEOUT": _RETRY,
    "INTERNAL_ERROR": _BUSY,
    "PROVIDER_DOWN": _BUSY,
    "PROVIDER_OVERLOADED": _BUSY,
    "RATE_LIMITED": _LIMITED,
    "CONCURRENCY_LIMIT": _SLOT,
    "INSUFFICIENT_CREDITS": _CREDITS,
    "CONTENT_POLICY": _CONTENT,
    "CONTENT_MODERATED": _CONTENT,
    "MODERATION_FAILED": _CONTENT,
    "NSFW_DETECTED": _CONTENT,
    "VALIDATION_ERROR": _INVALID,
    "INVALID_REQUEST": _INVALID,
    "INVALID_HERE": _INVALID,
    "NOT_FAILED": Advice(DO_NOT_RETRY, "The original did not fail: say so explicitly to send its body again."),
    "TIER_LOCKED": _TIER,
    "MODEL_NOT_ALLOWED": _TIER,
    "NOT_FOUND": _UNKNOWN_ID,
    "NOT_YOURS": _UNKNOWN_ID,
    "UNAUTHORIZED": _KEY,
    "KEY_INVALID": _KEY,
    "KEY_REVOKED": _KEY,
}


def advice(code: str | None) -> Advice | None:
    """What to do about `code`, None where nobody here knows."""
    return _ADVICE.get(code or "")


def is_transient(code: str | None) -> bool:
    """Whether the same body may be sent again by itself, where the user switched that on."""
    found = advice(code)
    return found is not None and found.kind == RETRY

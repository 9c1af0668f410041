"""Every error the API documents, said once: status, code, message, what to do next.

Owns the wording. Refuses to decide when an error is due: whoever finds the cause raises it, the server writes it out.

    Refusal
      unauthorized · key_invalid · key_revoked                 401
      insufficient_credits                                     402
      tier_locked · model_not_allowed · not_yours              403
      not_found                                                404
      malformed · invalid · wrong_method                       400 · 422 · 405
      rate_limited · concurrency_limit                         429
      internal_error · provider_down                           500 · 503
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer that is an error: HTTP status, documented body, extra headers."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        next_step: str,
        *,
        headers: dict[str, str] | None = None,
        **extras: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.next_step = next_step
        self.headers = headers or {}
        self.extras = extras

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON object of the answer."""
        return {
            "error": self.code,
            "message": self.message,
            "next": self.next_step,
            "request_id": request_id,
            **self.extras,
        }


def unauthorized() -> Refusal:
    """No key came with the call."""
    return Refusal(
        401,
        "UNAUTHORIZED",
        "This call carries no API key.",
        "Send the header `Authorization: Bearer vvx_live_…`.",
    )


def key_invalid() -> Refusal:
    """A key came, but nobody owns it."""
    return Refusal(
        401,
        "KEY_INVALID",
        "No account knows this API key.",
        "Check for missing characters: a key has 41. Create a new one under Settings → API keys.",
    )


def key_revoked() -> Refusal:
    """The key was good once."""
    return Refusal(
        401,
        "KEY_REVOKED",
        "This API key was revoked by its owner.",
        "Create a new key under Settings → API keys and replace the old one.",
    )


def insufficient_credits(model: str, balance: int, needed: int) -> Refusal:
    """The account cannot pay the upper bound of the job."""
    return Refusal(
        402,
        "INSUFFICIENT_CREDITS",
        f"This generation may cost {needed:,} credits, the balance is {balance:,}.",
        "Top up the account, or choose a lower resolution or a shorter duration.",
        model=model,
        balance=balance,
        needed=needed,
    )


def tier_locked(model: str, tier: str, required: str) -> Refusal:
    """The model belongs to a higher tier."""
    return Refusal(
        403,
        "TIER_LOCKED",
        f"The model {model} needs the {required} tier, this account has {tier}.",
        f"Upgrade to {required}, or choose another model from GET /models.",
        model=model,
        tier=tier,
        required_tier=required,
    )


def model_not_allowed(model: str) -> Refusal:
    """The model exists, but not for this key."""
    return Refusal(
        403,
        "MODEL_NOT_ALLOWED",
        f"The model {model} is by invitation only and not enabled for this key.",
        "Choose a model from GET /models, or ask support for access.",
        model=model,
    )


def not_yours() -> Refusal:
    """The generation belongs to another account."""
    return Refusal(
        403,
        "NOT_YOURS",
        "This generation belongs to another account.",
        "Use a key of the account that created it.",
    )


def not_found(what: str = "generation") -> Refusal:
    """Unknown, or older than the retention window."""
    return Refusal(
        404,
        "NOT_FOUND",
        f"There is no such {what}. It may be older than the retention window.",
        "Check the id. What has expired cannot be brought back.",
    )


def malformed(message: str) -> Refusal:
    """The body is not a JSON object."""
    return Refusal(
        400, "VALIDATION_ERROR", message, "Send a JSON object with the header `Content-Type: application/json`."
    )


def invalid(parameter: str, message: str) -> Refusal:
    """One parameter breaks the model's schema."""
    return Refusal(
        422,
        "VALIDATION_ERROR",
        message,
        "Compare the request with `params` of this model in GET /models.",
        parameter=parameter,
    )


def wrong_method(allowed: str) -> Refusal:
    """The path exists, the method does not."""
    return Refusal(
        405,
        "METHOD_NOT_ALLOWED",
        "This path does not answer to that method.",
        f"Use {allowed}.",
        headers={"Allow": allowed},
    )


def rate_limited(retry_after_s: int) -> Refusal:
    """The minute window is used up."""
    return Refusal(
        429,
        "RATE_LIMITED",
        "Too many calls this minute.",
        f"Call again in {retry_after_s} s.",
        headers={"Retry-After": str(retry_after_s)},
    )


def concurrency_limit(running: int, slots: int) -> Refusal:
    """All slots of the account are taken."""
    return Refusal(
        429,
        "CONCURRENCY_LIMIT",
        f"{running} of {slots} generations of this account are in flight.",
        "Wait until one of them ends, then submit again.",
        in_flight=running,
        concurrent_jobs=slots,
    )


def internal_error() -> Refusal:
    """The service itself stumbled."""
    return Refusal(
        500,
        "INTERNAL_ERROR",
        "Something went wrong on our side.",
        "Try again with exponential backoff. Quote the request id if it persists.",
    )


def provider_down() -> Refusal:
    """Nobody renders at the moment; nothing was accepted."""
    return Refusal(
        503,
        "PROVIDER_DOWN",
        "The rendering provider does not answer at the moment. Nothing was charged.",
        "Try again in 60 s.",
    )

"""What odd answers are made of.

Owns: values alone.
"""

from __future__ import annotations

from typing import Any

TEXTS = (
    "", "\x00", "A\x1b]0;PWNED\x07B\x1b[2J", "\x1b]52;c;ZXZpbA==\x1b\\", "\x9b2J", "a\u202eb\u2066c\u200b", "\ud800",
    "x\udfff", "[@click=app.quit]x[/]", "[/red]", "\u00fc\u4e16\U0001f98a", "x" * 5_000, "y" * 200_000,
    "../../etc/passwd", "' OR 1=1 --", "javascript:alert(1)", "file:///etc/passwd", "http://[::1",
    "\r\nX-Injected: 1", "null", "NaN", "-1", "50%", "49,711",
)  # fmt: skip
NUMBERS = (
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "-5", "-0.0", "0.4", "250.5", "1e308", "1e15",
    "9007199254740993", "9223372036854775808", "-9223372036854775809", "1" + "0" * 400, "9" * 5_000, "true", '"50%"',
    '"12"', "null", "0x10", "1e", "+1", ".5",
)  # fmt: skip
TIMES = (
    "2026-05-10T12:34:56", "1778416496000", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "", "yesterday",
    "2026-13-45T99:99:99Z", "2026-05-10T12:34:56.123456789Z", "10000-01-01T00:00:00Z", "2026-05-10",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**63, 10**30, [], {}, [None], [[]], {"a": {"b": []}}, ["x", 1, None, {}], "", "x",
    1e308,
)  # fmt: skip
STATUSES = (
    199, 200, 202, 203, 206, 226, 299, 300, 301, 302, 304, 307, 308, 400, 402, 403, 404, 405, 408, 409, 410, 413, 418,
    422, 425, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 507, 511, 520, 529, 599, 600, 700, 999,
)  # fmt: skip
CODES = (
    "WHATEVER", "not found", "Not Found", "404", "", "HTTP_404", "\x1b[2J", "\ud800", "E" * 10_000,
)  # fmt: skip
LOCATIONS = (
    "http://[::1", "/elsewhere", "http://127.0.0.1:1/x", "http://xn--.com/", "http://a" + "b" * 300 + ".com/", "//",
    "http://", "javascript:1", "http://user:pw@host:99999/", "\xff\xfe", "http://\u2603.net/", "https:///x", "?", "#",
    "http://exa mple/",
)  # fmt: skip
HEADER_VALUES = (
    "", " ", "-5", "0", "1", "1e9", "NaN", "49,711", "49711", "4,9711", "unlimited", "9" * 400, "\xff", "1, 2", "0x7",
    "Wed, 21 Oct 2099 07:28:00 GMT", "Wed, 99 Xxx 0000 99:99:99 GMT", "Mon, 01 Jan 0001 00:00:00 +9999", "\t7",
    "7;q=1",
)  # fmt: skip
REFUSALS = (
    (401, "UNAUTHORIZED"), (401, "KEY_INVALID"), (401, "KEY_REVOKED"), (402, "INSUFFICIENT_CREDITS"),
    (403, "TIER_LOCKED"), (403, "MODEL_NOT_ALLOWED"), (403, "NOT_YOURS"), (404, "NOT_FOUND"), (400, "VALIDATION"),
    (422, "INVALID_BODY"), (429, "RATE_LIMITED"), (429, "CONCURRENCY_LIMIT"), (500, "INTERNAL_ERROR"),
    (503, "PROVIDER_DOWN"),
)  # fmt: skip

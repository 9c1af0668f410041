"""Spans and points of time as words. Pure.

Owns: how a span is shortened. Refuses: knowing what it is the span of.
"""

from __future__ import annotations


def seconds_text(seconds: float, *, exact: bool = False) -> str:
    """`5.0s`, `34s`, `2m05s`, `3h12m`, `4d`."""
    if seconds < 60:
        return f"{seconds:.1f}s" if exact else f"{int(seconds)}s"
    if seconds < 3600:
        return f"{int(seconds // 60)}m{int(seconds % 60):02}s"
    if seconds < 86400:
        return f"{int(seconds // 3600)}h{int(seconds % 3600 // 60):02}m"
    return f"{int(seconds // 86400)}d"

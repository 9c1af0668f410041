"""The signs that stand beside words, by what they say: one set for everybody, one for terminals that have ASCII alone.

Owns: every sign outside of text. Refuses: colours.
"""

from __future__ import annotations

GLYPHS = {
    "queued": "○", "active": "▶", "done": "✓", "failed": "✗", "gone": "∅", "warn": "!", "held": "‖", "mark": "●",
    "down": "↓", "up": "↑", "cursor": "▌", "most": "≤", "dash": "–", "cut": "…", "more": "…", "dot": "·", "live": "●",
}  # fmt: skip
ASCII = {
    "queued": "o", "active": ">", "done": "+", "failed": "x", "gone": "-", "warn": "!", "held": "=", "mark": "*",
    "down": "v", "up": "^", "cursor": ">", "most": "<", "dash": "-", "cut": "~", "more": "...", "dot": ".", "live": "*",
}  # fmt: skip

"""The house's own theme: calm, dark, readable on any terminal with colours.

Owns: these colours. Refuses: anything else; every theme of Textual can be named in the config instead.
"""

from __future__ import annotations

from textual.theme import Theme

VIVIX = Theme(
    name="vivix",
    primary="#7aa2f7",
    secondary="#7dcfff",
    accent="#bb9af7",
    foreground="#c8d0e8",
    background="#14161f",
    surface="#14161f",
    panel="#1d2030",
    success="#7fc98a",
    warning="#e0af68",
    error="#f07a86",
    dark=True,
)

"""The house's own themes: calm and dark, light, and one of high contrast; readable on any terminal with colours.

Owns: these colours, and which theme a name means. Refuses: anything else; every theme of Textual can be named, too.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

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
    error="#f4838e",
    dark=True,
)
LIGHT = Theme(
    name="vivix-light",
    primary="#2450b0",
    secondary="#00586e",
    accent="#6a34b0",
    foreground="#1b2030",
    background="#fbfbf9",
    surface="#fbfbf9",
    panel="#ecece6",
    success="#12602a",
    warning="#704800",
    error="#a81c24",
    dark=False,
)
CONTRAST = Theme(
    name="vivix-contrast",
    primary="#7cc0ff",
    secondary="#6ae4ff",
    accent="#e6b0ff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    success="#5cff96",
    warning="#ffdc6a",
    error="#ff9a9a",
    dark=True,
    variables={"border": "#ffffff"},
)
OWN = (VIVIX, LIGHT, CONTRAST)
# "textual-ansi": the terminal's own sixteen colours, as Textual called that theme before there were two of them.
OFFERED = ("auto", *(theme.name for theme in OWN), "ansi-dark", "ansi-light")
_ALIASES = {"textual-ansi": "ansi-dark"}


def theme_named(wanted: str, available: Container[str], environ: Mapping[str, str]) -> str | None:
    """The name of the theme that is meant, None where there is no such one.

    `auto` is dark, unless the terminal said in COLORFGBG that it is light: asking it would take a round trip, and what
    it answers may come in the middle of what is typed.
    """
    name = _ALIASES.get(wanted, wanted)
    if name == "auto":
        light = environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")
        return LIGHT.name if light else VIVIX.name
    return name if name in available else None

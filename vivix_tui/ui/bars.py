"""The bars around the table: header, banner, footer.

Owns: bringing together what they are made of. Refuses: their words (`present.bar`) and drawing (`widgets.bars`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivix_tui.ui.present import bar
from vivix_tui.ui.widgets.bars import Banner, Bar

if TYPE_CHECKING:
    from vivix_tui.ui.screens.main import MainScreen


def show_bars(screen: MainScreen) -> None:
    """All three as of now; what did not change is not drawn."""
    facts, glyphs, width = screen.facts, screen.glyphs, screen.size.width
    if facts is None:
        return
    gauges = bar.fitting(bar.gauges(facts, screen.clock(), glyphs), width - 2)
    screen.query_one("#status", Bar).show([(f" {gauge.text} ", gauge.role) for gauge in gauges])
    trouble = screen.trouble or screen.listing.trouble
    screen.query_one(Banner).say(bar.banner(facts, glyphs, trouble, screen.unsaved()))
    state = bar.state_words(
        screen.listing.filter,
        screen.listing.order,
        screen.listing.count,
        marked=len(screen.table.marks),
        spanned=len(screen.table.spanned),
        glyphs=glyphs,
    )
    footer = bar.footer(screen.context(), screen.rebound, state, width, glyphs)
    screen.query_one("#commands", Bar).show(footer)

"""Credits and statistics, over the whole screen.

Owns: counting in a thread of its own, so that 100,000 rows hold up no key, and counting again when something changed,
but never for more than a small share of the time. Refuses: words and plots (`present.statistics`), and SQL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from time import monotonic
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from vivix_tui.domain.text import one_line
from vivix_tui.errors import VivixError
from vivix_tui.store import query, statistics
from vivix_tui.store.store import Store
from vivix_tui.ui.commands import BY_ID, COMMANDS
from vivix_tui.ui.present.statistics import Shown, statistics_lines
from vivix_tui.ui.widgets.bars import Bar
from vivix_tui.ui.widgets.detail_pane import MARGIN, DetailPane

LOOK_S = 3.0
COST_FACTOR = 20  # counting takes at most a twentieth of the time
SCROLLBAR = 1


class StatisticsScreen(Screen[None]):
    """Of one profile; `clock` tells the time that is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "close"),
        Binding(BY_ID["view.statistics"].keys, "close", "close", id="view.statistics"),
        *(
            Binding(command.keys, f"scroll('{command.id.removeprefix('move.')}')", command.label, id=command.id)
            for command in COMMANDS
            if command.id.startswith("move.")
        ),
    ]

    def __init__(self, store: Store, profile: str, clock: Callable[[], datetime], glyphs: dict[str, str]) -> None:
        super().__init__()
        self._store, self._profile = store, profile
        self._clock, self._glyphs = clock, glyphs
        self._pane = DetailPane()
        self._found: statistics.Statistics | None = None
        self._trouble: str | None = None
        self._revision = -1
        self._counting = False
        self._not_before = 0.0

    def compose(self) -> ComposeResult:
        yield Bar("status")
        yield self._pane
        yield Bar("commands")

    def on_mount(self) -> None:
        self.query_one("#commands", Bar).show(
            [(" j k ", "key"), ("scroll ", "plain"), (" g G ", "key"), ("first, last ", "plain"),
             (" esc ", "key"), ("close", "plain")]
        )  # fmt: skip
        self._pane.focus()
        self._show()
        # What is known at once is painted before the counting begins.
        self.call_after_refresh(self._look)
        self.set_interval(LOOK_S, self._look)

    def on_resize(self, _: events.Resize) -> None:
        self._show()

    def action_close(self) -> None:
        self.dismiss(None)

    def action_scroll(self, name: str) -> None:
        if name in ("down", "up"):
            self._pane.scroll_relative(y=1 if name == "down" else -1, animate=False, immediate=True)
        else:
            self._pane.scroll_by(name)

    def _look(self) -> None:
        """Counts where something changed since the last time, and that is long enough ago."""
        if self._counting or monotonic() < self._not_before:
            return
        try:
            revision = self._store.revision
        except VivixError as error:
            self._trouble = str(error)
            self._show()
            return
        if revision != self._revision:
            self._counting = True
            self.run_worker(self._count(revision))

    async def _count(self, revision: int) -> None:
        began = monotonic()
        try:
            self._found = await asyncio.to_thread(_read, self._store, self._profile, self._clock())
            self._trouble, self._revision = None, revision
        except VivixError as error:
            self._trouble = str(error)
        finally:
            self._counting = False
            self._not_before = monotonic() + COST_FACTOR * (monotonic() - began)
        self._show()

    def _show(self) -> None:
        try:
            account = query.account(self._store, self._profile)
        except VivixError as error:
            self._trouble = str(error)
            return
        now = self._clock()
        at = f"as of {now.astimezone():%H:%M:%S}" if self._found else ""
        head = [(" Credits and statistics ", "title"), (f" {one_line(self._profile, 20)} ", "plain"), (at, "muted")]
        self.query_one("#status", Bar).show(head)
        shown = Shown(account=account, statistics=self._found, trouble=self._trouble)
        width = self.size.width - 2 * MARGIN - SCROLLBAR
        self._pane.show(statistics_lines(shown, now, self._glyphs, width), same_row=True)


def _read(store: Store, profile: str, now: datetime) -> statistics.Statistics:
    """With a connection of its own: one serves one thread."""
    with closing(Store(store.path)) as own:
        return statistics.read(own, profile, now)

"""Being told: a toast, the bell, a notification of the terminal, its title. Over SSH they reach the user's own machine.

Owns: how it is told and when not (quiet hours), several ends in one. Refuses: what ended; the store knows, and gives
each end to one dashboard only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from vivix_tui import verbs
from vivix_tui.config import Notify
from vivix_tui.domain.news import Ended, News, is_quiet, quiet_hours
from vivix_tui.domain.text import one_line
from vivix_tui.errors import VivixError
from vivix_tui.store import query

if TYPE_CHECKING:
    from vivix_tui.ui.screens.main import MainScreen

TOGETHER_S = 1.5
GAP_S = 10.0  # where one ends after the other, nobody wants a bell for each
AWAY = timedelta(minutes=5)
LONGEST = 200
TITLE = "vivix-tui"
# Terminals that know OSC 777; most others know OSC 9, or neither and ignore it.
SPEAK_777 = ("foot", "rxvt", "ghostty", "xterm-ghostty")
KEEP_TITLE, GIVE_TITLE_BACK = "\x1b[22;2t", "\x1b[23;2t"


class Teller:
    """Tells what ended; `look` is to be called whenever the store changed."""

    def __init__(self, screen: MainScreen, settings: Callable[[], Notify], clock: Callable[[], datetime]) -> None:
        self._screen, self._settings, self._clock = screen, settings, clock
        self._told_up_to: int | None = None
        self._waits = False
        self._title = ""
        self._told_at = float("-inf")
        self._seen_at, self._missed = clock(), list[Ended]()

    def look(self) -> None:
        """What ends within a moment is told in one line."""
        if self._told_up_to is None:
            self._tell(back=True)
        elif not self._waits and query.last_event(self._screen.store) != self._told_up_to:
            self._waits = True
            self._screen.set_timer(max(TOGETHER_S, self._told_at + GAP_S - monotonic()), self._tell)

    def seen(self) -> None:
        """Somebody is there: a key, the mouse, the terminal got the focus. After a while, what they missed is said."""
        missed, away = News(tuple(self._missed)), self._clock() - self._seen_at
        self._missed.clear()
        self._seen_at = self._clock()
        if missed.ends and away >= AWAY:
            self._screen.say(f"While you were away: {missed.words()}")

    def show_title(self, counts: Mapping[str, int]) -> None:
        """The terminal's title carries the counts; written when they change, not otherwise."""
        parts = [f"{counts[name]} {name}" for name in ("active", "queued", "failed") if counts[name]]
        title = f"{TITLE}: {', '.join(parts)}" if parts else TITLE
        if self._settings().terminal == "off":
            self.end()
        elif title != self._title:
            self._write(("" if self._title else KEEP_TITLE) + f"\x1b]2;{title}\x07")
            self._title = title

    def end(self) -> None:
        """The title is again what it was before."""
        if self._title:
            self._write(GIVE_TITLE_BACK)
            self._title = ""

    def _tell(self, *, back: bool = False) -> None:
        self._waits = False
        try:
            self._told_up_to = query.last_event(self._screen.store)
            found = verbs.take_news(self._screen.store, self._screen.profile)
        except VivixError:
            return  # a database that takes no writes has its own banner
        if found.ends:
            self._screen.say(f"While you were away: {found.words()}" if back else found.words())
            if not back:
                self._told_at = monotonic()
                self._missed += found.ends
                self._ring(found)

    def _ring(self, found: News) -> None:
        settings = self._settings()
        if is_quiet(quiet_hours(settings.quiet), self._clock().astimezone().time()) and not found.asked_for:
            return
        if settings.terminal != "off":
            self._write(notification(found.words(), os.environ))
        if settings.bell:
            self._screen.app.bell()

    def _write(self, sequence: str) -> None:
        driver = self._screen.app._driver  # as Textual's own clipboard does: there is no public way to the terminal
        if driver is not None and not self._screen.app.is_headless:
            driver.write(sequence)


def notification(text: str, environ: Mapping[str, str]) -> str:
    """The sequence that makes the user's terminal show `text`, through tmux if there is one. "" where none can be."""
    shown = one_line(text, LONGEST).replace(";", ",")
    if environ.get("TERM_PROGRAM", environ.get("TERM", "")).startswith(SPEAK_777):
        sequence = f"\x1b]777;notify;{TITLE};{shown}\x07"
    else:
        sequence = f"\x1b]9;{shown}\x07"
    if environ.get("TMUX"):
        return through_tmux(sequence)
    return "" if environ.get("STY") or environ.get("TERM") in ("dumb", "linux", None) else sequence


def through_tmux(sequence: str) -> str:
    """The sequence in the wrapping that tmux takes off and passes on, where its allow-passthrough is on."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"

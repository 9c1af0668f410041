"""A key from the user: at the first run, and when another one is wanted.

Owns: when somebody is greeted, and what follows from how the dialog was left. Refuses: the key; the dialog hands it to
whoever keeps it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from vivix_tui.domain.account import Account
from vivix_tui.errors import VivixError
from vivix_tui.store import query
from vivix_tui.store.accounts import EngineState
from vivix_tui.ui.screens.enter_key import TRY_DEMO, EnterKey, FirstRun

if TYPE_CHECKING:
    from vivix_tui.ui.app import VivixApp
    from vivix_tui.ui.screens.main import MainScreen


def greet(screen: MainScreen, engine: EngineState | None) -> None:
    """Welcomes somebody who has neither a key nor rows; once, and not over something that is open."""
    keyless = engine is not None and engine.connection == "nokey" and engine.pid == os.getpid()
    nothing = screen.listing.count == 0 and screen.listing.filter == query.Filter()
    if keyless and nothing and not screen.greeted and screen.app.screen is screen:
        screen.greeted = True
        enter_key(screen, FirstRun)


def enter_key(screen: MainScreen, dialog: type[EnterKey] = EnterKey) -> None:
    """Asks for a key; there it is tried, and kept if that is wanted."""
    app = cast("VivixApp", screen.app)

    def look() -> tuple[EngineState | None, Account]:
        try:
            return query.engine_state(screen.store, screen.profile), query.account(screen.store, screen.profile)
        except VivixError:
            return None, Account()  # the main screen looks at the store all the time, and its banner says what is wrong

    def left(words: str | None) -> None:
        if words == TRY_DEMO:
            app.wants_demo = True
            app.exit(return_code=0)
        elif words:
            screen.say(words)

    if app.key_desk is not None:
        screen.ask(dialog(app.key_desk, look), left)

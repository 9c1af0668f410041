"""What the keys that concern rows do, other than those that cost, fetch or arrange: adding, copying, forgetting …

Owns: dialogs before and words after a verb. Refuses: rows and SQL; the verbs write.
"""

from __future__ import annotations

import os
import webbrowser
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from vivix_tui import verbs
from vivix_tui.domain.generation import COMPLETED
from vivix_tui.domain.links import link_to
from vivix_tui.domain.text import one_line
from vivix_tui.errors import UsageError
from vivix_tui.store import query
from vivix_tui.ui.actions.files import generations
from vivix_tui.ui.navigation import unmark
from vivix_tui.ui.screens.dialogs import AddIds, Confirm, Ids
from vivix_tui.ui.screens.links import LinksScreen

if TYPE_CHECKING:
    from vivix_tui.ui.app import VivixApp
    from vivix_tui.ui.screens.main import MainScreen


def add(screen: MainScreen) -> None:
    def track(ids: Ids | None) -> None:
        if ids:
            screen.wish(lambda: verbs.track(screen.store, screen.profile, ids).text)

    screen.ask(AddIds(), track)


def copy_id(screen: MainScreen) -> None:
    ids = [row_id for _, row_id in screen.targets()]
    screen.app.copy_to_clipboard("\n".join(ids))
    screen.say(f"copied {one_line(ids[0], 60)}" if len(ids) == 1 else f"copied {len(ids)} ids")


def copy_urls(screen: MainScreen) -> None:
    urls = _urls(screen)
    screen.app.copy_to_clipboard("\n".join(urls))
    screen.say(f"copied {len(urls)} URL{'' if len(urls) == 1 else 's'}")


def open_url(screen: MainScreen) -> None:
    """In a browser where there is a display; over SSH there is none, so they are shown as links and as QR codes."""
    urls = _urls(screen)
    link = link_to(urls[0])
    if (
        link
        and any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
        and webbrowser.open(link)
    ):
        screen.say("opened in the browser")
    else:
        screen.app.push_screen(LinksScreen(urls, cast("VivixApp", screen.app).glyphs))


def refresh(screen: MainScreen) -> None:
    screen.wish(lambda: verbs.refresh(screen.store, screen.profile, *generations(screen)).text)


def tell_me(screen: MainScreen) -> None:
    screen.wish(lambda: verbs.tell_me(screen.store, screen.profile, generations(screen)).text)


def forget(screen: MainScreen) -> None:
    ids = [row_id for _, row_id in screen.targets()]
    what = f"{one_line(ids[0], 60)[:8]}" if len(ids) == 1 else f"{len(ids)} rows"

    def hide(confirmed: str | None) -> None:
        if confirmed:
            screen.wish(lambda: verbs.forget(screen.store, screen.profile, ids).text)
            screen.forgotten.append(tuple(ids))
            unmark(screen)

    text = "Hidden from the table and no longer asked about. Nothing is deleted; z brings it back."
    screen.ask(Confirm(f"Forget {what}?", text, "forget"), hide)


def undo(screen: MainScreen) -> None:
    ids = screen.forgotten[-1]
    screen.wish(lambda: verbs.restore(screen.store, screen.profile, ids).text)
    screen.forgotten.pop()


def _urls(screen: MainScreen) -> list[str]:
    found = [query.generation(screen.store, screen.profile, i) for i in generations(screen)]
    urls = [url for row in found if row is not None and row.status == COMPLETED for url in row.urls]
    if not urls:
        raise UsageError("there are no URLs yet")
    return urls


ROW_ACTIONS: dict[str, Callable[[MainScreen], None]] = {
    "generation.add": add,
    "generation.copy_id": copy_id,
    "generation.copy_urls": copy_urls,
    "generation.open": open_url,
    "generation.refresh": refresh,
    "generation.tell": tell_me,
    "generation.forget": forget,
    "generation.undo": undo,
}

"""What each command does: one small function each, called by the main screen with the rows it concerns.

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
from vivix_tui.ui.actions_compose import COMPOSE_ACTIONS
from vivix_tui.ui.actions_files import FILE_ACTIONS, generations
from vivix_tui.ui.actions_key import enter_key
from vivix_tui.ui.actions_money import MONEY_ACTIONS
from vivix_tui.ui.actions_preview import toggle_preview
from vivix_tui.ui.actions_table import TABLE_ACTIONS
from vivix_tui.ui.commands import COMMANDS, keys_of, shown_keys
from vivix_tui.ui.navigation import unmark
from vivix_tui.ui.screens.compose import Compose
from vivix_tui.ui.screens.dialogs import AddIds, Confirm, Ids, Reading
from vivix_tui.ui.screens.links import LinksScreen
from vivix_tui.ui.screens.settings import SettingsScreen
from vivix_tui.ui.screens.statistics import StatisticsScreen

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


def support_bundle(screen: MainScreen) -> None:
    """Written first, then shown: whoever passes a file on should see what is in it."""
    write = cast("VivixApp", screen.app).write_bundle
    if write is None:
        raise UsageError("there is no place for such a file here", hint="`vivix-tui doctor --bundle` prints it")
    path, text = write()
    screen.app.push_screen(Reading("Support bundle: no prompts, URLs, paths or keys", f"{path}\n\n{text}"))


def show_help(screen: MainScreen) -> None:
    text, styles, context = list[str](), dict[int, str](), screen.context()
    for command in COMMANDS:
        if command.group not in text:
            text += ["", command.group] if text else [command.group]
            styles[len(text) - 1] = "bold $secondary"
        reason = command.reason_disabled(context)
        if reason:
            styles[len(text)] = "$foreground 50%"
        keys = shown_keys(keys_of(command, screen.rebound)) or "no key"
        text.append(f"  {keys:<14} {command.help}{f'  (not now: {one_line(reason)})' if reason else ''}")
    screen.app.push_screen(Reading("Keys", "\n".join(text), styles))


def show_statistics(screen: MainScreen) -> None:
    app = cast("VivixApp", screen.app)
    screen.app.push_screen(StatisticsScreen(screen.store, screen.profile, app.clock, app.glyphs))


def quit_program(screen: MainScreen) -> None:
    """Asks only when something is under way or a form is open; what is on disk goes on next time."""
    if isinstance(screen.app.screen, Confirm):
        return  # ctrl+q reaches it from everywhere; the question that is open comes first
    waiting, sending, files = query.under_way(screen.store, screen.profile)
    entered = any(isinstance(other, Compose) and other.unsent for other in screen.app.screen_stack)
    if not waiting and not sending and not files and not entered:
        screen.app.exit(return_code=0)
        return
    parts = [f"{waiting} submission{'s' * (waiting != 1)} waiting" if waiting else ""]
    parts += [f"{files} download{'s' * (files != 1)} under way" if files else ""]
    goes_on = " and ".join(filter(None, parts))
    text = f"{goes_on}. All of it goes on when vivix-tui runs again." if goes_on else ""
    if sending:
        text += f"\n{sending} being sent: an answer that does not come within seconds leaves unknown what was charged."

    def leave(confirmed: str | None) -> None:
        if confirmed:
            screen.app.exit(return_code=0)

    if entered:
        text += "\nWhat you entered in the form was not sent, and is not kept."
    screen.ask(Confirm("Quit?", text.lstrip(), "quit"), leave)


def _urls(screen: MainScreen) -> list[str]:
    found = [query.generation(screen.store, screen.profile, i) for i in generations(screen)]
    urls = [url for row in found if row is not None and row.status == COMPLETED for url in row.urls]
    if not urls:
        raise UsageError("there are no URLs yet")
    return urls


def show_settings(screen: MainScreen) -> None:
    screen.app.push_screen(SettingsScreen(screen.choices, screen.choose, screen.themes))


ACTIONS: dict[str, Callable[[MainScreen], None]] = {
    **MONEY_ACTIONS,
    **FILE_ACTIONS,
    **COMPOSE_ACTIONS,
    **TABLE_ACTIONS,
    "generation.add": add,
    "generation.copy_id": copy_id,
    "generation.copy_urls": copy_urls,
    "generation.open": open_url,
    "generation.refresh": refresh,
    "generation.tell": tell_me,
    "generation.forget": forget,
    "generation.undo": undo,
    "view.preview": toggle_preview,
    "view.statistics": show_statistics,
    "app.key": enter_key,
    "app.help": show_help,
    "app.settings": show_settings,
    "app.support": support_bundle,
    "app.suspend": lambda screen: screen.app.action_suspend_process(),
    "app.quit": quit_program,
}

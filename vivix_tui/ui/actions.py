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
from vivix_tui.domain.text import one_line
from vivix_tui.errors import UsageError
from vivix_tui.store import query
from vivix_tui.ui.actions_compose import COMPOSE_ACTIONS
from vivix_tui.ui.actions_files import FILE_ACTIONS, generations
from vivix_tui.ui.actions_money import MONEY_ACTIONS
from vivix_tui.ui.actions_preview import toggle_preview
from vivix_tui.ui.commands import COMMANDS, keys_of, shown_keys
from vivix_tui.ui.navigation import unmark
from vivix_tui.ui.screens.dialogs import AddIds, AskLine, Confirm, Ids, Reading

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
    """In a browser where there is a display; over SSH there is none, so the URLs are shown to be selected."""
    urls = _urls(screen)
    displays = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    safe = urls[0].startswith(("https://", "http://")) and urls[0].isascii() and urls[0].isprintable()
    if safe and any(os.environ.get(name) for name in displays) and webbrowser.open(urls[0]):
        screen.say("opened in the browser")
    else:
        screen.app.push_screen(Reading("Output URLs", "\n\n".join(map(one_line, urls))))


def refresh(screen: MainScreen) -> None:
    ids = generations(screen)
    outcomes = [verbs.refresh(screen.store, screen.profile, i) for i in ids]
    screen.wish(lambda: outcomes[0].text if len(ids) == 1 else f"asking about {len(ids)}")


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


def enter_key(screen: MainScreen) -> None:
    if screen.offer_key is not None:
        text = "It is used until this program ends, and written nowhere. To keep one: vivix-tui config init"
        dialog = AskLine("API key", text, "use it", screen.offer_key, hidden=True)
        screen.ask(dialog, lambda taken: screen.say("trying it") if taken else None)


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
        keys = shown_keys(keys_of(command, screen.rebound))
        text.append(f"  {keys:<14} {command.help}{f'  (not now: {one_line(reason)})' if reason else ''}")
    screen.app.push_screen(Reading("Keys", "\n".join(text), styles))


def quit_program(screen: MainScreen) -> None:
    """Asks only when something is under way; what is on disk goes on next time."""
    sending, files = query.under_way(screen.store, screen.profile)
    if not sending and not files:
        screen.app.exit(return_code=0)
        return
    parts = [f"{sending} submission{'s' * (sending != 1)} waiting" if sending else ""]
    parts += [f"{files} download{'s' * (files != 1)} under way" if files else ""]
    text = f"{' and '.join(filter(None, parts))}. All of it goes on when vivix-tui runs again."

    def leave(confirmed: str | None) -> None:
        if confirmed:
            screen.app.exit(return_code=0)

    screen.ask(Confirm("Quit?", text, "quit"), leave)


def _urls(screen: MainScreen) -> list[str]:
    found = [query.generation(screen.store, screen.profile, i) for i in generations(screen)]
    urls = [url for row in found if row is not None and row.status == COMPLETED for url in row.urls]
    if not urls:
        raise UsageError("there are no URLs yet")
    return urls


ACTIONS: dict[str, Callable[[MainScreen], None]] = {
    **MONEY_ACTIONS,
    **FILE_ACTIONS,
    **COMPOSE_ACTIONS,
    "generation.add": add,
    "generation.copy_id": copy_id,
    "generation.copy_urls": copy_urls,
    "generation.open": open_url,
    "generation.refresh": refresh,
    "generation.tell": tell_me,
    "generation.forget": forget,
    "generation.undo": undo,
    "view.preview": toggle_preview,
    "app.key": enter_key,
    "app.help": show_help,
    "app.support": support_bundle,
    "app.suspend": lambda screen: screen.app.action_suspend_process(),
    "app.quit": quit_program,
}

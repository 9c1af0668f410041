"""What the keys that concern the program itself do: quitting, help, settings, statistics, the support bundle.

Owns: dialogs and words of these. Refuses: rows and SQL; the verbs write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from vivix_tui.domain.text import one_line
from vivix_tui.errors import UsageError
from vivix_tui.store import query
from vivix_tui.ui.actions.key import enter_key
from vivix_tui.ui.commands import COMMANDS, keys_of, shown_keys
from vivix_tui.ui.screens.compose import Compose
from vivix_tui.ui.screens.dialogs import Confirm, Reading
from vivix_tui.ui.screens.settings import SettingsScreen
from vivix_tui.ui.screens.statistics import StatisticsScreen

if TYPE_CHECKING:
    from vivix_tui.ui.app import VivixApp
    from vivix_tui.ui.screens.main import MainScreen


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


def show_settings(screen: MainScreen) -> None:
    screen.app.push_screen(SettingsScreen(screen.choices, screen.choose, screen.themes))


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


PROGRAM_ACTIONS: dict[str, Callable[[MainScreen], None]] = {
    "view.statistics": show_statistics,
    "app.key": enter_key,
    "app.help": show_help,
    "app.settings": show_settings,
    "app.support": support_bundle,
    "app.suspend": lambda screen: screen.app.action_suspend_process(),
    "app.quit": quit_program,
}

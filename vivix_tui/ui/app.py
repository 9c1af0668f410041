"""The Textual application: theme, signals, palette, and an end that shows no secrets.

Owns: what is true of every screen. Refuses: rows and keys of the main screen; they are the screen's.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual import events
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import ANSIToTruecolor, LineFilter
from textual.notifications import Notify, SeverityLevel
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import WorkerFailed

from vivix_tui.config import Settings
from vivix_tui.domain.text import one_line
from vivix_tui.errors import VivixError
from vivix_tui.store.store import Store
from vivix_tui.ui.caches import AFTER_CLOSING_S, TIDY_S, forget_what_was_drawn, remember_no_lines, tidy, untie
from vivix_tui.ui.choices import Choices
from vivix_tui.ui.commands import COMMANDS, Command, keys_of, shown_keys
from vivix_tui.ui.ending import on_continue, on_signals
from vivix_tui.ui.frames import Look, frame
from vivix_tui.ui.front_buffer import FrontBuffer
from vivix_tui.ui.keyboard import WaitingDriver
from vivix_tui.ui.keymap import NO_KEY, keymap
from vivix_tui.ui.overlay import Overlay
from vivix_tui.ui.present.glyphs import ASCII, GLYPHS
from vivix_tui.ui.present.times import utc_now
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.telling import through_tmux
from vivix_tui.ui.theme import OWN, VIVIX, theme_named
from vivix_tui.ui.toasts import Told
from vivix_tui.ui.widgets.fields import Form, Lines, awaited, done_so_far, takes_in
from vivix_tui.ui.widgets.painting import ROLES, component_class

if TYPE_CHECKING:
    from vivix_tui.ui.screens.enter_key import KeyDesk

log = logging.getLogger("vivix_tui.ui")


def _nothing() -> None:
    """What is called where nobody wants to be told."""


class CommandPalette(Provider):
    """The registry's commands, for the palette."""

    async def discover(self) -> Hits:
        for command in COMMANDS:
            yield DiscoveryHit(_named(command), self._runner(command), help=self._about(command))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in COMMANDS:
            score = matcher.match(_named(command))
            if score > 0:
                yield Hit(score, matcher.highlight(_named(command)), self._runner(command), help=self._about(command))

    def _runner(self, command: Command) -> Callable[[], None]:
        screen = self.screen
        return lambda: screen.action_command(command.id) if isinstance(screen, MainScreen) else None

    def _about(self, command: Command) -> str:
        """Its keys, and why it cannot be used now."""
        if not isinstance(self.screen, MainScreen):
            return ""
        reason = command.reason_disabled(self.screen.context())
        about = shown_keys(keys_of(command, self.screen.rebound)) + (
            f"  (not now: {one_line(reason)})" if reason else ""
        )
        return about.replace("[", "\\[")  # Textual takes it for markup


def _named(command: Command) -> str:
    return f"{command.label}: {command.help}"


class VivixApp(App[int]):
    """The dashboard of one profile. `on_ready` is called once, after the first frame.

    `wants_demo`: it ended because the user wants to see the demo.
    """

    CSS_PATH = Path(__file__).with_name("app.tcss")
    TITLE = "vivix-tui"
    COMMANDS: ClassVar = {CommandPalette}
    COMPONENT_CLASSES: ClassVar = set(map(component_class, ROLES))
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        *,
        store: Store,
        profile: str,
        settings: Settings,
        notice: str | None = None,
        on_ready: Callable[[], None] = _nothing,
        wake: Callable[[], None] = _nothing,
        unsaved: Callable[[], str | None] = _nothing,
        key_desk: KeyDesk | None = None,
        thumbnails: Path | None = None,
        state: Path | None = None,
        write_bundle: Callable[[], tuple[Path, str]] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        remember_no_lines()
        super().__init__()
        self.store, self.profile = store, profile
        self.choices = Choices(store, profile, settings, state)
        self.keymap_in_force, self._complaints = keymap(settings.keys)
        self.notice, self.clock, self.key_desk = notice, clock, key_desk
        self.wake, self.unsaved = wake, unsaved
        self.wants_demo = False
        self.glyphs = ASCII if settings.ui.ascii else GLYPHS
        self.thumbnails, self.write_bundle = thumbnails, write_bundle
        self.front_buffer = FrontBuffer[Look]()
        self.overlay = Overlay(self, self.front_buffer.forget_cells)
        self._on_ready = on_ready
        self.animation_level = "none"

    def get_driver_class(self) -> type[Driver]:
        usual = super().get_driver_class()
        return WaitingDriver if usual is LinuxDriver else usual

    def get_line_filters(self) -> list[LineFilter]:
        # Nothing here is drawn dim or in a colour that the terminal chooses. Textual looks for both in every line of
        # every widget of which a cell changed.
        return [found for found in super().get_line_filters() if not isinstance(found, ANSIToTruecolor)]

    def on_mount(self) -> None:
        for theme in OWN:
            self.register_theme(theme)
        self._show_theme()
        self.set_class(self.choices.settings.ui.ascii, "-ascii")
        self.set_keymap({name: keys or NO_KEY for name, keys in self.keymap_in_force.items()})
        loop = asyncio.get_running_loop()
        on_signals(loop, self._driver, self._ended_by_signal)
        if self._driver is not None:
            on_continue(loop, self._driver, self.redraw)
        self.push_screen(MainScreen())
        self.app_resume_signal.subscribe(self, lambda _app: self.redraw())
        try:
            self.choices.tell_engine()
        except VivixError as error:
            log.warning("the engine was not told about downloads: %s", error)
        self._complain_about_settings()
        self.set_interval(TIDY_S, self.tidy)
        self.call_after_refresh(self._on_ready)

    def tidy(self) -> None:
        """Sets memory right. A dialog, thousands of objects, must not be taken for what stays: closed, it would."""
        if isinstance(self.screen, MainScreen):
            tidy()
        else:
            forget_what_was_drawn()
            untie()

    def redraw(self) -> None:
        """Draws all of it again: something else wrote to the terminal, or it was another's for a while."""
        self.overlay.forget()
        self.front_buffer.forget()
        self.screen.refresh(repaint=True, layout=True)

    def choose(self, name: str, value: Any) -> None:
        """The user changed a setting, or took the change back (None): it holds at once, and is remembered."""
        try:
            failure: VivixError | None = self.choices.choose(name, value)
        except VivixError as error:
            failure = error
        if name == "theme":
            self._show_theme()
        for screen in self.screen_stack:
            if isinstance(screen, MainScreen):
                screen.obey(self.choices.settings)
        if failure is not None:
            self.notify(one_line(str(failure), 200), severity="warning", markup=False)

    def _show_theme(self) -> None:
        found = theme_named(self.choices.settings.ui.theme, self.available_themes, os.environ)
        self.theme = found or VIVIX.name

    def _complain_about_settings(self) -> None:
        """What the config names and nobody knows is no reason not to start, but it is said."""
        wanted = self.choices.settings.ui.theme
        if theme_named(wanted, self.available_themes, os.environ) is None:
            self._complaints.append(f"ui.theme: no theme {wanted!r}")
        if self.choices.complaint:
            self._complaints.append(self.choices.complaint)
        if self._complaints:
            self.notify(one_line("; ".join(self._complaints), 300), severity="warning", markup=False)

    async def action_quit(self) -> None:
        # Textual binds ctrl+q on every screen. It asks as `q` in the table does.
        main = next((screen for screen in self.screen_stack if isinstance(screen, MainScreen)), None)
        if main is None:
            self.exit(return_code=0)
        else:
            main.action_command("app.quit")

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Resize):
            self.front_buffer.forget()  # what a terminal leaves of the old lines is its own affair
        if isinstance(event, events.Key | events.MouseDown | events.AppFocus):
            for screen in self.screen_stack:
                if isinstance(screen, MainScreen):
                    screen.teller.seen()
        if isinstance(event, events.Key | events.Paste) and not self._exit and isinstance(self.screen, Form):
            await awaited(self.screen.formed)  # what is typed ahead of a form is for its first field
        await super().on_event(event)

    def notify(
        self, message: str, *, title: str = "", severity: SeverityLevel = "information",
        timeout: float | None = None, markup: bool = True,
    ) -> None:  # fmt: skip
        stays_s = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        self.post_message(Notify(Told(message, title, severity, stays_s, markup)))

    def copy_to_clipboard(self, text: str) -> None:
        text = text.encode(errors="replace").decode()  # what strangers wrote may hold half a character
        super().copy_to_clipboard(text)
        # tmux takes it where its set-clipboard is on, and passes the wrapped one on where its allow-passthrough is.
        if os.environ.get("TMUX") and self._driver is not None:
            coded = base64.b64encode(text.encode()).decode()
            self._driver.write(through_tmux(f"\x1b]52;c;{coded}\x07"))

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        # Textual passes a key on and looks at the next one at once. Over a slow link keys arrive in bursts, and what
        # follows `/` would not find the field but run as commands: "/Ryan" could pay for a retry. So a command is
        # done before the next key is looked at. What a field takes in goes to the field; any other key waits until the
        # field has what was typed before it, so that text after a Tab lands in the next one, and the next key waits
        # until it was obeyed, so that "/fox", Enter, "d" downloads. After the program was left nothing is opened any
        # more: it would be built on what is being torn down.
        if self._exit:
            return True
        if await self._done(key, priority):
            return True
        if not priority:
            return False
        field = self.focused
        if not isinstance(field, Input | Lines):
            return await self._done(key)
        if takes_in(field, key):
            return False
        await done_so_far(field)
        done = await self._done(key)
        for node in field.ancestors_with_self:  # what the key meant travels from one to the next
            if node is self:
                break
            await done_so_far(node)
        return done

    async def _done(self, key: str, priority: bool = False) -> bool:
        """Whether the key was a command's. One that fails must not end the dashboard and what it has under way."""
        try:
            return await super()._check_bindings(key, priority)
        except Exception as error:
            if self.is_headless:
                raise
            log.exception("the key %s failed", key)
            self._say_failed(error)
            return True

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, frame(renderable, self.front_buffer))  # type: ignore[arg-type]  # it takes any CompositorUpdate
        # A frame may have moved, covered or erased pictures; there is no public place that is told what it wrote.
        if not self.is_headless:
            self.overlay.after(renderable)

    @property
    def _background_screens(self) -> list[Screen[Any]]:
        # Textual takes the screen below for seen, even through an opaque one, and whenever something changes there it
        # paints all of the upper one again: 8 kB four times a second.
        covered = bool(self._screen_stack) and self.screen.styles.background.a == 1
        return [] if covered else super()._background_screens

    def _say_failed(self, error: BaseException) -> None:
        self.notify(f"That failed ({type(error).__name__}); the log says more.", severity="error", markup=False)

    def pop_screen(self) -> AwaitComplete:
        forget_what_was_drawn()
        self.set_timer(AFTER_CLOSING_S, untie)
        # A second Enter of the same burst closes the palette once more, and would take the main screen for it.
        return AwaitComplete() if isinstance(self.screen, MainScreen) else super().pop_screen()

    def _ended_by_signal(self, code: int) -> None:
        self.exit(return_code=code)

    def _handle_exception(self, error: Exception) -> None:
        # Textual prints a traceback with local variables, and one of them may be a key: only the kind of error is
        # shown, and the log gets the traceback without locals.
        if self.is_headless:
            super()._handle_exception(error)
            return
        if isinstance(error, WorkerFailed):
            # A task beside the screens (a search of the palette that was closed meanwhile, a preview): nothing has
            # ended but that task, and it is no reason to end polling and downloads with it.
            log.error("a task of the screen failed: %s", "".join(traceback.format_exception(error.error)))
            self._say_failed(error.error)
            return
        log.error("the dashboard ended: %s", "".join(traceback.format_exception(error)))
        self._return_code = error.exit_code if isinstance(error, VivixError) else 1
        reason = str(error) if isinstance(error, VivixError) else f"an internal error ({type(error).__name__})"
        where = next(
            (h.baseFilename for h in logging.getLogger("vivix_tui").handlers if isinstance(h, logging.FileHandler)),
            None,
        )
        more = f"; more in {one_line(where, 500)}" if where else ""
        # One line: what fails while the rest is torn down is in the log.
        self._exit_renderables[:] = self._exit_renderables[:1] or [Text(f"vivix-tui: {one_line(reason, 500)}{more}")]
        self._close_messages_no_wait()

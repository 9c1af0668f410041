"""The Textual application: theme, signals, palette, and an end that shows no secrets.

Owns: what is true of every screen. Refuses: rows and keys of the main screen; they are the screen's.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual._styles_cache import StylesCache
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen
from textual.widgets import Input, TextArea

from vivix_tui.config import Settings
from vivix_tui.domain.text import one_line
from vivix_tui.errors import VivixError
from vivix_tui.store.store import Store
from vivix_tui.ui.commands import BY_ID, COMMANDS, Command, keys_of, shown_keys
from vivix_tui.ui.ending import on_signals
from vivix_tui.ui.overlay import Overlay
from vivix_tui.ui.present import ASCII, GLYPHS, utc_now
from vivix_tui.ui.screens.main import MainScreen
from vivix_tui.ui.theme import VIVIX

log = logging.getLogger("vivix_tui.ui")


def _nothing() -> None:
    """What is called where nobody wants to be told."""


class CommandPalette(Provider):
    """The registry's commands, for the palette."""

    async def discover(self) -> Hits:
        for command in COMMANDS:
            yield DiscoveryHit(command.help, self._runner(command), help=self._keys(command))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in COMMANDS:
            score = matcher.match(f"{command.label} {command.help}")
            if score > 0:
                yield Hit(score, matcher.highlight(command.help), self._runner(command), help=self._keys(command))

    def _runner(self, command: Command) -> Callable[[], None]:
        screen = self.screen
        return lambda: screen.action_command(command.id) if isinstance(screen, MainScreen) else None

    def _keys(self, command: Command) -> str:
        rebound = self.screen.rebound if isinstance(self.screen, MainScreen) else {}
        return shown_keys(keys_of(command, rebound))


class VivixApp(App[int]):
    """The dashboard of one profile. `on_ready` is called once, after the first frame."""

    CSS_PATH = Path(__file__).with_name("app.tcss")
    TITLE = "vivix-tui"
    COMMANDS: ClassVar = {CommandPalette}
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
        offer_key: Callable[[str], str | None] | None = None,
        thumbnails: Path | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__()
        self.store, self.profile, self.settings = store, profile, settings
        self.notice, self.clock, self.wake, self.offer_key = notice, clock, wake, offer_key
        self.glyphs = ASCII if settings.ui.ascii else GLYPHS
        self.thumbnails = thumbnails
        self.overlay = Overlay(self)
        self._on_ready = on_ready
        self.animation_level = "none"

    def on_mount(self) -> None:
        self.register_theme(VIVIX)
        wanted = self.settings.ui.theme
        self.theme = wanted if wanted in self.available_themes else VIVIX.name
        self.set_class(self.settings.ui.ascii, "-ascii")
        self.set_keymap(self.settings.keys)
        on_signals(asyncio.get_running_loop(), self._ended_by_signal)
        self.push_screen(MainScreen())
        self.app_resume_signal.subscribe(self, lambda _app: self.overlay.forget())
        self._complain_about_settings()
        self.call_after_refresh(self._on_ready)

    def _complain_about_settings(self) -> None:
        """What the config names and nobody knows is no reason not to start, but it is said."""
        unknown = [f"keys.{name}" for name in self.settings.keys if name not in BY_ID]
        if self.settings.ui.theme not in ("auto", *self.available_themes):
            unknown.append(f"ui.theme {self.settings.ui.theme!r}")
        if unknown:
            self.notify(f"Not known: {one_line(', '.join(unknown), 200)}", severity="warning", markup=False)

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        # Textual passes a key on and looks at the next one at once. Over a slow link keys arrive in bursts, and what
        # follows `/` would not find the field but run as commands: "/Ryan" could pay for a retry. So a command is
        # done before the next key is looked at; keys for a field go on as ever.
        if await self._done(key, priority):
            return True
        if not priority or isinstance(self.focused, Input | TextArea):
            return False
        return await self._done(key)

    async def _done(self, key: str, priority: bool = False) -> bool:
        """Whether the key was a command's. One that fails must not end the dashboard and what it has under way."""
        try:
            return await super()._check_bindings(key, priority)
        except Exception as error:
            if self.is_headless:
                raise
            log.exception("the key %s failed", key)
            self.notify(f"That failed ({type(error).__name__}); the log says more.", severity="error", markup=False)
            return True

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # A frame may have moved, covered or erased pictures; there is no public place that is told what it wrote.
        super()._display(screen, renderable)
        if not self.is_headless:
            self.overlay.after(renderable)

    def pop_screen(self) -> AwaitComplete:
        # Textual's cache of colours keeps all that closed screens have drawn (Textualize/textual#6665).
        StylesCache.get_inner_outer.cache_clear()
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

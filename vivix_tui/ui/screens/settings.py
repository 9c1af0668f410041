"""The settings that can be changed while the dashboard runs; each takes effect at once.

Owns: the list, what can be chosen, and telling the config's value from one chosen here. Refuses: keeping and obeying
what was chosen (`choices`, and whoever it concerns).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from vivix_tui.domain.news import quiet_hours
from vivix_tui.domain.text import one_line
from vivix_tui.ui.choices import Choices
from vivix_tui.ui.screens.arranging import PickColumns
from vivix_tui.ui.screens.dialogs import AskLine, Keys, literal


class Setting(Struct, frozen=True):
    """`section` is where `Settings` has it; `values` are gone through one after the other, none are typed or picked."""

    name: str
    section: str
    label: str
    help: str
    values: tuple[Any, ...] = ()


def settings(themes: Sequence[str]) -> tuple[Setting, ...]:
    """All that can be changed here."""
    return (
        Setting("theme", "ui", "theme", "colours; ansi-… are the terminal's own sixteen", tuple(themes)),
        Setting("columns", "ui", "columns", "which columns the table has, and in which order"),
        Setting("bell", "notify", "bell", "rings when something ended", (True, False)),
        Setting("terminal", "notify", "notifications", "of the terminal, and its title", ("auto", "off")),
        Setting("quiet", "notify", "quiet hours", 'e.g. 22:00-07:00: neither bell nor notification; empty: none'),
        Setting("directory", "download", "download folder", "for what is begun from now on"),
        Setting(
            "auto", "download", "auto-download", "completed: of all that complete from now on; marked: of marked rows",
            ("off", "completed", "marked"),
        ),
    )  # fmt: skip


class SettingsScreen(ModalScreen[None]):
    """`choose` is called with a name and a value, None for the config's own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q,S,comma", "close", "close"),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
        Binding("right,l,enter,space", "change(1)", "change", priority=True),
        Binding("left,h", "change(-1)", "change back", priority=True),
        Binding("backspace,delete", "reset", "as the config says"),
    ]

    def __init__(self, choices: Choices, choose: Callable[[str, Any], None], themes: Sequence[str]) -> None:
        super().__init__()
        self._choices, self._choose = choices, choose
        self._settings = settings(themes)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog dialog-wide dialog-list"):
            yield Static(literal("Settings"), classes="dialog--title")
            yield OptionList(*map(self._line, self._settings), compact=True, markup=False)
            yield Static("", id="about", classes="dialog--keys", markup=False)
            yield Keys(("← →", "change"), ("backspace", "as the config says"), ("esc", "close"))

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self._show_about()

    def on_option_list_option_highlighted(self) -> None:
        self._show_about()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()  # a click
        self.action_change(1)

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        (options.action_cursor_down if by > 0 else options.action_cursor_up)()

    def action_change(self, by: int) -> None:
        setting = self._current
        value = self._value(setting)
        if setting.values:
            at = setting.values.index(value) if value in setting.values else -1
            self._take(setting, setting.values[(at + by) % len(setting.values)])
        elif setting.name == "columns":
            self.app.push_screen(PickColumns(value), lambda taken: self._picked(setting, taken))
        else:
            self._ask(setting, str(value))

    def action_reset(self) -> None:
        self._take(self._current, None)

    def action_close(self) -> None:
        if self.is_current:
            self.dismiss(None)

    def _picked(self, setting: Setting, taken: tuple[str, ...] | None) -> None:
        if taken is not None:
            self._take(setting, taken)

    def _ask(self, setting: Setting, value: str) -> None:
        def take(typed: str) -> str | None:
            text = typed.strip()
            complaint = _wrong_hours(text) if setting.name == "quiet" else _wrong_folder(text)
            if complaint is None:
                self._take(setting, text)
            return complaint

        self.app.push_screen(AskLine(setting.label.capitalize(), f"{setting.help}.", "take it", take, value=value))

    def _take(self, setting: Setting, value: Any) -> None:
        self._choose(setting.name, value)
        at = self._settings.index(setting)
        self.query_one(OptionList).replace_option_prompt_at_index(at, self._content(setting))
        self._show_about()

    @property
    def _current(self) -> Setting:
        return self._settings[self.query_one(OptionList).highlighted or 0]

    def _value(self, setting: Setting) -> Any:
        return getattr(getattr(self._choices.settings, setting.section), setting.name)

    def _show_about(self) -> None:
        setting = self._current
        configured = getattr(getattr(self._choices.configured, setting.section), setting.name)
        chosen = getattr(self._choices.chosen, setting.name) is not None
        source = f"The config says {_shown(setting, configured)}" if chosen else "As the config says"
        self.query_one("#about", Static).update(literal(f"{setting.help[:1].upper()}{setting.help[1:]}.\n{source}."))

    def _line(self, setting: Setting) -> Option:
        return Option(self._content(setting))

    def _content(self, setting: Setting) -> Content:
        chosen = getattr(self._choices.chosen, setting.name) is not None
        value = _shown(setting, self._value(setting))
        return Content.assemble(f" {setting.label:<17}", (value, "bold" if chosen else "$foreground 70%"))


def _shown(setting: Setting, value: Any) -> str:
    if setting.name == "columns":
        return ", ".join(value) if value else "all, by width"
    if isinstance(value, bool):
        return "on" if value else "off"
    return one_line(str(value), 60) or "none"


def _wrong_hours(text: str) -> str | None:
    try:
        quiet_hours(text)
    except ValueError as error:
        return str(error)
    return None


def _wrong_folder(text: str) -> str | None:
    try:
        folder = Path(text).expanduser()
    except RuntimeError:
        return "there is no such user"
    if not text or not folder.is_absolute():
        return "type a whole path, like ~/pictures or /data/out"
    if folder.exists() and not folder.is_dir():
        return f"{one_line(str(folder), 200)} is no folder"
    return None

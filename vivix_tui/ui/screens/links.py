"""URLs where no browser can be reached: links for the terminal, a QR code for the phone, one of them at a time.

Owns: which URL is chosen. Refuses: choosing the URLs, and drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen

from vivix_tui.domain.text import one_line
from vivix_tui.ui.commands import BY_ID
from vivix_tui.ui.present.links import cells, code_for, url_lines
from vivix_tui.ui.widgets.bars import Bar
from vivix_tui.ui.widgets.detail_pane import DetailPane
from vivix_tui.ui.widgets.qr_code import QrCode

BARS = 2
LIST_WIDTH = 24  # less beside the code is left to the code


def _bound(command_id: str, action: str) -> Binding:
    """A key of the registry, so that it is rebound here as well."""
    return Binding(BY_ID[command_id].keys, action, BY_ID[command_id].label, id=command_id)


class LinksScreen(Screen[None]):
    """At least one URL."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "close"),
        Binding("y", "copy", "copy"),
        Binding("tab,space,right", "go(1)", "next"),
        Binding("shift+tab,left", "go(-1)", "previous"),
        _bound("generation.open", "close"),
        _bound("generation.copy_urls", "copy"),
        _bound("move.down", "go(1)"),
        _bound("move.up", "go(-1)"),
        _bound("move.first", "go(-999999)"),
        _bound("move.last", "go(999999)"),
    ]

    def __init__(self, urls: Sequence[str], glyphs: dict[str, str]) -> None:
        super().__init__()
        self._urls, self._glyphs = urls, glyphs
        self._chosen = 0
        self._list, self._code = DetailPane(), QrCode()
        self._list.can_focus = False  # ↑ and ↓ choose

    def compose(self) -> ComposeResult:
        yield Bar("status")
        with Horizontal():
            yield self._list
            yield self._code
        yield Bar("commands")

    def on_resize(self, _: events.Resize) -> None:
        self._show()

    def action_close(self) -> None:
        self.dismiss(None)

    def action_go(self, by: int) -> None:
        chosen = max(0, min(len(self._urls) - 1, self._chosen + by))
        if chosen != self._chosen:
            self._chosen = chosen
            self._show()

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self._urls[self._chosen])
        self.notify("copied the URL", timeout=5)

    def _show(self) -> None:
        ascii_only = self.app.has_class("-ascii")
        width, height = self.size.width, self.size.height - BARS
        url, several = self._urls[self._chosen], len(self._urls) > 1
        code = code_for(url, width, height, ascii_only=ascii_only)
        self._code.show(code.modules)
        self._list.display = width - cells(len(code.modules), ascii_only=ascii_only)[0] >= LIST_WIDTH
        self._list.show(url_lines(self._urls, self._chosen, code.why_not, self._glyphs), same_row=True)
        number = f" {self._chosen + 1} of {len(self._urls):,} " if several else ""
        shown = "" if self._list.display else one_line(url)
        self.query_one("#status", Bar).show([(" Output URLs ", "title"), (number, "plain"), (shown, "muted")])
        keys = [(" j k ", "key"), ("next, previous ", "plain")] if several else []
        keys += [(" y ", "key"), ("copy ", "plain"), (" esc ", "key"), ("close", "plain")]
        self.query_one("#commands", Bar).show(keys)

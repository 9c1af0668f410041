"""The main screen: it composes the widgets, follows the store's revision, and hands commands to `actions`.

Owns: what is shown now: filter, zoom, marks' meaning, which rows a command concerns. Refuses: what a command does,
what a cell says, and drawing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from vivix_tui.domain.form import Draft
from vivix_tui.domain.text import one_line
from vivix_tui.errors import VivixError
from vivix_tui.store import query
from vivix_tui.ui import present_bar
from vivix_tui.ui.actions import ACTIONS
from vivix_tui.ui.actions_preview import follow_preview, preview_of
from vivix_tui.ui.commands import BY_ID, COMMANDS, Context
from vivix_tui.ui.listing import Key, Listing, key_of
from vivix_tui.ui.navigation import NAVIGATION
from vivix_tui.ui.present_detail import detail_lines
from vivix_tui.ui.telling import Teller
from vivix_tui.ui.widgets.bars import Banner, Bar
from vivix_tui.ui.widgets.detail_pane import DetailPane
from vivix_tui.ui.widgets.fields import LineField
from vivix_tui.ui.widgets.generation_table import GenerationTable
from vivix_tui.ui.widgets.notice import FIRST_STEPS, NO_MATCH, TOO_SMALL, Notice

if TYPE_CHECKING:
    from vivix_tui.ui.app import VivixApp

FOLLOW_S = 0.25
QUIET_FOLLOW_S = 1.0  # where nothing is under way and nothing changed for a while
QUIET_AFTER_S = 10.0
TICK_S = 1.0
FILTER_PAUSE_S = 0.1
WIDE = 100
LEAST_WIDTH, LEAST_HEIGHT = 40, 10
Answer = TypeVar("Answer")


class MainScreen(Screen[None]):
    """Table, detail, bars."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(command.keys, f"command('{command.id}')", command.label, show=False, id=command.id)
        for command in COMMANDS
    ]

    def __init__(self) -> None:
        super().__init__()
        app = cast("VivixApp", self.app)
        self.store, self.profile = app.store, app.profile
        self.rebound, self.spend = app.settings.keys, app.settings.spend
        self.fetches_marked = app.settings.download.auto == "marked"
        self.offer_key = app.offer_key
        self.forgotten: list[tuple[str, ...]] = []
        self._teller = Teller(self, app.settings.notify, app.clock)
        self.drafts: dict[str, Draft] = {}
        self._clock, self._glyphs, self._wake = app.clock, app.glyphs, app.wake
        self.notice = app.notice
        self.listing = Listing(app.store, app.profile)
        self.table = GenerationTable(self.listing, clock=app.clock, glyphs=app.glyphs, columns=app.settings.ui.columns)
        self.detail = DetailPane()
        self.preview = preview_of(self)
        self._detail_of: tuple[str, str] | None = None
        self._revision = -1
        self._changed_at = 0.0
        self._facts: present_bar.Facts | None = None
        self._trouble: str | None = None

    def compose(self) -> ComposeResult:
        yield Bar("status")
        yield Banner("banner")
        yield LineField(placeholder="filter: id, model, prompt, code", id="filter", select_on_focus=False)
        with Horizontal(id="middle"):
            yield self.table
            yield self.detail
        yield Notice()
        yield Bar("commands")

    def on_mount(self) -> None:
        self.query_one("#filter").display = False
        self.query_one(Banner).display = False
        self.reload()
        self.table.focus()
        self.set_timer(FOLLOW_S, self._follow)
        self.set_interval(TICK_S, self._tick)

    def on_unmount(self) -> None:
        self._teller.end()
        cast("VivixApp", self.app).overlay.forget()

    # What is shown

    def reload(self) -> None:
        """Reads what changed and repaints it."""
        revision, self._trouble = self.store.revision, None
        self.listing.reload()
        self.table.marks = dict.fromkeys(filter(None, map(self.listing.now_known_as, self.table.marks)))
        self._facts = present_bar.Facts(
            profile=self.profile,
            account=query.account(self.store, self.profile),
            engine=query.engine_state(self.store, self.profile),
            own_pid=os.getpid(),
            in_flight=query.in_flight(self.store, self.profile),
            counts=query.counts(self.store, self.profile),
            queue_paused=query.queue_paused(self.store, self.profile),
            notice=self.notice,
        )
        self._arrange()
        self.table.follow_changes()
        self._show_detail()
        # Only now: what could not be read is read again at the next look.
        self._revision = revision
        self._show_bars()
        self._teller.look()

    def _follow(self) -> None:
        """The store's revision is the one signal that something changed, here or in another process."""
        try:
            changed = self.store.revision != self._revision or self.listing.stale
            if changed or self._trouble or self.listing.trouble:
                self.reload()
                self._changed_at = monotonic()
        except VivixError as error:
            self._tell_trouble(error)
        quiet = monotonic() - self._changed_at > QUIET_AFTER_S
        self.set_timer(QUIET_FOLLOW_S if quiet else FOLLOW_S, self._follow)

    def _tick(self) -> None:
        """Numbers that run: only the cells whose text changed are drawn again."""
        self.table.repaint_changed()
        self._show_bars()
        row = self.table.selected
        if row is not None and row.phase == "active":
            self._show_detail()

    def _tell_trouble(self, error: VivixError) -> None:
        """What fails again and again is told by the banner for as long as it lasts, not by a toast each time."""
        self._trouble = str(error)
        self._show_bars()

    def _arrange(self) -> None:
        """Which of the parts are shown, by the terminal's size, the zoom and the number of rows."""
        small = self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT
        empty = self.listing.count == 0
        filtered = self.listing.filter != query.Filter()
        notice = self.query_one(Notice)
        notice.display = small or empty
        self.query_one("#middle").display = not notice.display
        if small:
            notice.say(TOO_SMALL)
        elif empty:
            notice.say(NO_MATCH if filtered else FIRST_STEPS)
        self.table.display = not self.zoomed
        self.detail.display = self.zoomed or self.size.width >= WIDE
        self.set_class(self.detail.display and self.table.display, "-divided")

    def _show_detail(self) -> None:
        row = self.table.selected
        if not self.detail.display or row is None:
            return
        try:
            found = query.detail(self.store, self.profile, row.kind, row.id)
            follow_preview(self)
        except VivixError as error:
            self._tell_trouble(error)
            return
        if found is not None:
            durations = self.listing.durations(row)
            shown = detail_lines(found, row, self._clock(), self._glyphs, durations)
            self.detail.show(shown, same_row=self._detail_of == key_of(row))
            self._detail_of = key_of(row)

    def _show_bars(self) -> None:
        if self._facts is None:
            return
        width = self.size.width
        gauges = present_bar.fitting(present_bar.gauges(self._facts, self._clock(), self._glyphs), width - 2)
        self.query_one("#status", Bar).show([(f" {gauge.text} ", gauge.role) for gauge in gauges])
        self._teller.show_title(self._facts.counts)
        trouble = self._trouble or self.listing.trouble
        self.query_one(Banner).say(present_bar.banner(self._facts, self._glyphs, trouble))
        shown = present_bar.filter_words(self.listing.filter, self.listing.count, len(self.table.marks))
        self.query_one("#commands", Bar).show(
            present_bar.footer(self.context(), self.rebound, shown, width, self._glyphs)
        )

    # What commands concern

    def targets(self) -> list[Key]:
        """The marked rows, in the order of marking, else the one under the cursor."""
        row = self.table.selected
        return list(self.table.marks) or ([key_of(row)] if row is not None else [])

    def context(self) -> Context:
        marks = self.table.marks
        return Context(
            row=self.table.selected,
            marked=len(marks),
            marked_generations=sum(kind == "generation" for kind, _ in marks),
            can_undo=bool(self.forgotten),
            takes_key=self.offer_key is not None,
            queue_paused=self._facts is not None and self._facts.queue_paused is not None,
            no_preview=self.preview.why_not,
        )

    def show_marks(self) -> None:
        """Rows were marked or unmarked."""
        self.table.repaint_changed()
        follow_preview(self)
        self._show_bars()

    def say(self, text: str, *, severity: Literal["information", "error"] = "information") -> None:
        """One line to the user, at once."""
        self.notify(one_line(text, 300), severity=severity, markup=False, timeout=5)

    def wish(self, verb: Callable[[], str]) -> None:
        """Runs a verb, tells its outcome, nudges the engine, and shows what changed."""
        text = verb()
        self._wake()
        self.say(text)
        self.reload()

    def ask(self, dialog: ModalScreen[Answer], then: Callable[[Answer | None], None]) -> None:
        """Shows a dialog; what its answer brings about may fail like any command."""
        self.app.push_screen(dialog, lambda answer: self._safely(lambda: then(answer)))

    def _safely(self, work: Callable[[], None]) -> None:
        try:
            work()
        except VivixError as error:
            self.say(f"{error}{f' ({error.hint})' if error.hint else ''}", severity="error")

    # What the user does

    def action_command(self, command_id: str) -> None:
        """Every key ends here: the reason why not, or the deed."""
        reason = BY_ID[command_id].reason_disabled(self.context()) if not command_id.startswith("move.") else None
        if reason is not None:
            self.say(f"{BY_ID[command_id].label}: {reason}")
        else:
            self._safely(lambda: (ACTIONS.get(command_id) or NAVIGATION[command_id])(self))
        if command_id.startswith("move."):
            # Not only when the table's message arrives: row and detail are painted in one frame.
            self._moved()

    def show_only(self, wanted: query.Filter) -> None:
        """Shows other rows."""
        self.listing.filter = wanted
        self._safely(self._show_filtered)
        self._show_bars()

    def _show_filtered(self) -> None:
        self.listing.reload()
        self._arrange()
        self.table.show_from_top()
        self._show_detail()

    @property
    def zoomed(self) -> bool:
        """Whether the details have the whole screen."""
        return self.has_class("-zoomed")

    def redraw(self) -> None:
        """Draws all of it again, for terminals that something else has written to."""
        cast("VivixApp", self.app).overlay.forget()
        self.refresh(repaint=True, layout=True)

    def zoom(self, zoomed: bool) -> None:
        """Gives the details the whole screen, or takes it back."""
        self.set_class(zoomed, "-zoomed")
        self._arrange()
        (self.detail if zoomed else self.table).focus()
        self.call_after_refresh(self._show_detail)

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        text = event.value
        self.set_timer(FILTER_PAUSE_S, lambda: self._filter_if_still(text))

    def _filter_if_still(self, text: str) -> None:
        if self.query_one("#filter", Input).value == text and self.listing.filter.text != text:
            self.show_only(replace(self.listing.filter, text=text))

    @on(Input.Submitted, "#filter")
    def _filter_accepted(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#filter").display = bool(event.value)
        self.show_only(replace(self.listing.filter, text=event.value))
        self.table.focus()

    @on(GenerationTable.Moved)
    def _moved(self) -> None:
        self._show_detail()
        self._show_bars()

    @on(GenerationTable.Opened)
    def _opened(self) -> None:
        self.zoom(True)

    def on_resize(self, _: events.Resize) -> None:
        self._arrange()
        self.call_after_refresh(self._show_detail)
        self._show_bars()

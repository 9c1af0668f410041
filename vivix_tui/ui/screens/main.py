"""The main screen: it composes the widgets, follows the store's revision, and hands commands to `actions`.

Owns: what is shown now: filter, zoom, marks' meaning, which rows a command concerns. Refuses: what a command does,
what a cell says, and drawing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar, cast

from msgspec.structs import replace
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from vivix_tui.config import Settings
from vivix_tui.domain.form import Draft
from vivix_tui.domain.text import one_line
from vivix_tui.errors import VivixError
from vivix_tui.store import query
from vivix_tui.store.order import Order
from vivix_tui.ui.actions.preview import follow_preview, preview_of
from vivix_tui.ui.arrangement import arrangement
from vivix_tui.ui.bars import show_bars
from vivix_tui.ui.commands import BY_ID, COMMANDS, Context
from vivix_tui.ui.concern import context_of, targets_of
from vivix_tui.ui.details import Shown, show_detail
from vivix_tui.ui.facts import read_facts
from vivix_tui.ui.listing import Key, Listing, key_of
from vivix_tui.ui.navigation import NAVIGATION, end_range, sort_by_column
from vivix_tui.ui.present.bar import Facts
from vivix_tui.ui.telling import Teller
from vivix_tui.ui.theme import OFFERED
from vivix_tui.ui.widgets.bars import Banner, Bar
from vivix_tui.ui.widgets.detail_pane import DetailPane
from vivix_tui.ui.widgets.filter_field import FilterField
from vivix_tui.ui.widgets.generation_table import GenerationTable
from vivix_tui.ui.widgets.notice import Notice

if TYPE_CHECKING:
    from vivix_tui.ui.app import VivixApp

FOLLOW_S = 0.5
QUIET_FOLLOW_S = 1.0  # where nothing is under way and nothing changed for a while
QUIET_AFTER_S = 10.0
TICK_S = 1.0
BELOW_S = 2.0
Answer = TypeVar("Answer")
log = logging.getLogger("vivix_tui.ui.screen")


class MainScreen(Screen[None]):
    """Table, detail, bars."""

    AUTO_FOCUS = ""  # Textual would choose the filter's field, hidden as it is, and keys would vanish in it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(command.keys, f"command('{command.id}')", command.label, show=False, id=command.id)
        for command in COMMANDS
    ]

    def __init__(self) -> None:
        super().__init__()
        app = cast("VivixApp", self.app)
        self.store, self.profile = app.store, app.profile
        self.choices, self.choose, self.themes = app.choices, app.choose, OFFERED
        self.rebound, self.spend = app.keymap_in_force, app.choices.configured.spend
        self.takes_key, self.greeted = app.key_desk is not None, app.key_desk is None
        self.forgotten: list[tuple[str, ...]] = []
        self.teller = Teller(self, lambda: app.choices.settings.notify, app.clock)
        self.drafts: dict[str, Draft] = {}
        self.clock, self.glyphs, self._wake, self.unsaved = app.clock, app.glyphs, app.wake, app.unsaved
        self.notice = app.notice
        self.listing = Listing(app.store, app.profile)
        self.listing.order = Order.named(app.choices.chosen.sort or "")
        columns = app.choices.settings.ui.columns
        self.table = GenerationTable(self.listing, clock=app.clock, glyphs=app.glyphs, columns=columns)
        self.detail = DetailPane()
        self.preview = preview_of(self)
        self.preview.on = bool(app.choices.chosen.preview) and self.preview.why_not is None
        self._detail_of: Shown | None = None
        self._revision = -1
        self._turn: tuple[int, str | None] = -1, None
        self._changed_at = self._ticked_at = self._painted_below_at = 0.0
        self._paints_below = False
        self._told: tuple[Facts | None, str | None] = None, None
        self.facts: Facts | None = None
        self.trouble: str | None = None

    def compose(self) -> ComposeResult:
        yield Bar("status", "screen.command('view.statistics')")
        yield Banner("banner")
        yield FilterField()
        with Horizontal(id="middle"):
            yield self.table
            yield self.detail
        yield Notice()
        yield Bar("commands")

    @on(events.Mount)
    def _begin(self) -> None:
        self.query_one(Banner).display = False
        self.reload()
        self.table.focus()
        self.set_timer(FOLLOW_S, self._beat)

    @on(events.Unmount)
    def _end(self) -> None:
        self.teller.end()
        cast("VivixApp", self.app).overlay.forget()

    # What is shown

    def reload(self) -> None:
        """Reads what changed and repaints it; of the header what does not run. The tick brings the rest."""
        troubled, revision = self.trouble or self.listing.trouble, self.store.revision
        turn = query.turn(self.store, self.profile)
        self.trouble = None
        self.listing.reload()
        self.table.marks = dict.fromkeys(filter(None, self.listing.heirs(self.table.marks).values()))
        before, self.facts = self.facts, read_facts(self.store, self.profile, self.clock(), self.notice)
        self._arrange()
        self.table.follow_changes()
        self._show_detail(ticks=False)
        # Only now: what could not be read is read again at the next look.
        self._revision, self._turn = revision, turn
        if troubled or before is None or before.still != self.facts.still:
            self._show_bars()
        self.teller.look()
        self._greet()

    def _greet(self) -> None:
        engine = self.facts.engine if self.facts is not None else None
        if not self.greeted and engine is not None and engine.connection == "nokey":
            from vivix_tui.ui.actions.key import greet  # noqa: PLC0415 - as in `action_command`

            greet(self, engine)

    def _beat(self) -> None:
        """One timer for all: waking up costs more than most looks."""
        now = monotonic()
        self._paints_below = now - self._painted_below_at > BELOW_S - FOLLOW_S / 2
        if self._paints_below:
            self._painted_below_at = now
        ticks = now - self._ticked_at > TICK_S - FOLLOW_S / 2
        self._follow(at_once=not ticks)
        if ticks:
            self._ticked_at = now
            self._tick()
        quiet = now - self._changed_at > QUIET_AFTER_S
        self.set_timer(QUIET_FOLLOW_S if quiet else FOLLOW_S, self._beat)

    @property
    def is_current(self) -> bool:
        # Where it shines through a dialog Textual draws all of the screen, twice, for each change: not at each look.
        return super().is_current and (self._paints_below or self.app.screen is self)

    def _follow(self, *, at_once: bool = False) -> None:
        """The store's revision is the one signal that something changed, here or in another process.

        `at_once` what began, ended or failed is shown; numbers that went on come with the tick, all in one frame.
        """
        try:
            changed = self.store.revision != self._revision or self.listing.stale
            changed = changed and not (at_once and self._turn == query.turn(self.store, self.profile))
            if changed or self.trouble or self.listing.trouble:
                self.reload()
                self._changed_at = monotonic()
        except Exception as error:  # noqa: BLE001 - the edge of a timer; it is logged and told
            self._tell_trouble(error)

    def _tick(self) -> None:
        """Numbers that run: only the cells whose text changed are drawn again."""
        try:
            self.table.tick()
            if self._told != (self.facts, self.unsaved()) or (self.facts is not None and self.facts.runs):
                self._show_bars()
        except Exception as error:  # noqa: BLE001 - the edge of a timer; it is logged and told
            self._tell_trouble(error)
        row = self.table.selected
        if row is not None and row.phase == "active":
            self._show_detail()

    def _tell_trouble(self, error: Exception) -> None:
        """What fails again and again is told by the banner for as long as it lasts, not by a toast each time."""
        known = isinstance(error, VivixError)
        told = str(error) if known else f"an internal error ({type(error).__name__}), see the log"
        if not known and told != self.trouble:
            log.error("the screen", exc_info=error)
        self.trouble = told
        self._show_bars()

    def _arrange(self) -> None:
        """Shows the parts that fit and make sense now."""
        filtered, empty = self.listing.filter != query.Filter(), self.listing.count == 0
        now = arrangement(self.size.width, self.size.height, zoomed=self.zoomed, empty=empty, filtered=filtered)
        notice = self.query_one(Notice)
        notice.display = now.notice is not None
        if now.notice is not None:
            notice.say(now.notice)
        self.query_one("#middle").display = not notice.display
        self.table.display, self.detail.display = now.table, now.detail
        self.table.set_class(now.detail and now.table, "-divided")
        self._keep_focus()

    def _keep_focus(self) -> None:
        """What was hidden for a while (a tiny terminal, no rows) lost the focus, and gets it back."""
        if self.focused is None and self.is_current and self.query_one("#middle").display:
            (self.detail if self.zoomed else self.table).focus()

    @on(events.ScreenResume)
    def _resumed(self) -> None:
        self._keep_focus()
        self._greet()

    def _show_detail(self, *, ticks: bool = True) -> None:
        try:
            self._detail_of = show_detail(self, self._detail_of, ticks=ticks)
        except Exception as error:  # noqa: BLE001 - one poisonous row must not take the others with it
            self._tell_trouble(error)

    def _show_bars(self) -> None:
        self._told = self.facts, self.unsaved()
        show_bars(self)
        if self.facts is not None:
            self.teller.show_title(self.facts.counts)

    # What commands concern

    def targets(self) -> list[Key]:
        return targets_of(self)

    def context(self) -> Context:
        return context_of(self)

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
        self._show_bars()

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
        """Every key ends here: the reason why not, or the deed. What concerns rows concerns a range, too."""
        from vivix_tui.ui.actions.registry import ACTIONS  # noqa: PLC0415 - its dialogs and forms are loaded after the first frame

        if command_id.startswith(("generation.", "submission.")):
            self._end_range()
        reason = BY_ID[command_id].reason_disabled(self.context()) if not command_id.startswith("move.") else None
        if reason is not None:
            self.say(f"{BY_ID[command_id].label}: {reason}")
        else:
            self._safely(lambda: (ACTIONS.get(command_id) or NAVIGATION[command_id])(self))
        if command_id.startswith("move."):
            # Not only when the table's message arrives: row and detail are painted in one frame.
            self._moved()

    def show_only(self, wanted: query.Filter) -> None:
        """Shows these rows, in the order of the listing. A range was meant for the rows that were shown."""
        self._end_range()
        self.listing.filter = wanted
        self._safely(self._show_filtered)
        self._show_bars()

    def _end_range(self) -> None:
        if self.table.span.anchor is not None:
            from vivix_tui.ui.actions.files import mark  # noqa: PLC0415 - as in `action_command`

            self._safely(lambda: mark(self, end_range))

    def obey(self, settings: Settings) -> None:
        """What was chosen takes effect."""
        self.table.show_columns(settings.ui.columns)
        self._show_bars()

    def _show_filtered(self) -> None:
        self.listing.reload()
        self.query_one(FilterField).expect(self.listing.look_s)
        self._arrange()
        self.table.show_from_top()
        self._show_detail()
        self.detail.show_extent()

    @property
    def zoomed(self) -> bool:
        """Whether the details have the whole screen."""
        return self.detail.has_class("-zoomed")

    def zoom(self, zoomed: bool) -> None:
        """Gives the details the whole screen, or takes it back."""
        self.detail.set_class(zoomed, "-zoomed")
        self._arrange()
        self.set_focus(self.detail if zoomed else self.table)
        self.call_after_refresh(self._show_detail)

    @on(FilterField.Wanted)
    def _filter_wanted(self, event: FilterField.Wanted) -> None:
        if self.listing.filter.text != event.text:
            self.show_only(replace(self.listing.filter, text=event.text))

    @on(Input.Submitted, "#filter")
    def _filter_accepted(self, event: Input.Submitted) -> None:
        event.stop()
        self.show_only(replace(self.listing.filter, text=event.value))
        self.set_focus(self.table)  # now: the next key is its

    @on(GenerationTable.SortWanted)
    def _sort_wanted(self, event: GenerationTable.SortWanted) -> None:
        sort_by_column(self, event.by)

    @on(GenerationTable.Moved)
    def _moved(self) -> None:
        row = self.table.selected
        if (
            row is None or self._detail_of is None or key_of(row) != key_of(self._detail_of.row)
        ):  # a key shows its row at once, then comes the message
            self._show_detail()
            self._show_bars()

    @on(GenerationTable.Opened)
    def _opened(self) -> None:
        self.zoom(True)

    @on(events.Resize)
    def _resized(self) -> None:
        if self.app.screen is not self:  # Textual paints a screen that is laid out anew only where it is current
            self._paints_below = True
            self.refresh()
        self._arrange()
        self.call_after_refresh(self._show_detail)
        self._show_bars()

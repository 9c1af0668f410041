"""The main screen: it composes the widgets, follows the store's revision, and hands commands to `actions`.

Owns: what is shown now: filter, zoom, marks' meaning, which rows a command concerns. Refuses: what a command does,
what a cell says, and drawing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Input

from vivix_tui.domain.text import one_line
from vivix_tui.errors import VivixError
from vivix_tui.store import query
from vivix_tui.store.query import TableRow
from vivix_tui.ui import present_bar
from vivix_tui.ui.actions import ACTIONS
from vivix_tui.ui.commands import BY_ID, COMMANDS, Context, keys_of, shown_keys
from vivix_tui.ui.listing import Listing, key_of
from vivix_tui.ui.present import fit
from vivix_tui.ui.present_detail import detail_lines
from vivix_tui.ui.widgets.bars import Banner, Bar, Piece
from vivix_tui.ui.widgets.detail_pane import DetailPane
from vivix_tui.ui.widgets.generation_table import GenerationTable
from vivix_tui.ui.widgets.notice import FIRST_STEPS, NO_MATCH, TOO_SMALL, Notice

if TYPE_CHECKING:
    from vivix_tui.ui.app import VivixApp

FOLLOW_S = 0.25
TICK_S = 1.0
FILTER_PAUSE_S = 0.1
WIDE = 100
LEAST_WIDTH, LEAST_HEIGHT = 40, 10
MARK_ALL_MOST = 10_000
FILTERS = {
    "view.failures": frozenset({"failed", "gone"}),
    "view.active": frozenset({"active"}),
    "view.queued": frozenset({"queued"}),
    "view.done": frozenset({"done"}),
    "view.failed": frozenset({"failed"}),
    "view.all": frozenset[str](),
}


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
        self.rebound = app.settings.keys
        self.offer_key = app.offer_key
        self.forgotten: list[tuple[str, ...]] = []
        self._clock, self._glyphs, self._wake = app.clock, app.glyphs, app.wake
        self._notice = app.notice
        self._listing = Listing(app.store, app.profile)
        self._table = GenerationTable(
            self._listing, clock=app.clock, glyphs=app.glyphs, columns=app.settings.ui.columns
        )
        self._detail = DetailPane()
        self._detail_of: tuple[str, str] | None = None
        self._revision = -1
        self._facts: present_bar.Facts | None = None
        self._filter_timer: object = None

    def compose(self) -> ComposeResult:
        yield Bar("status")
        yield Banner("banner")
        yield Input(placeholder="filter: id, model, prompt, code", id="filter", select_on_focus=False)
        with Horizontal(id="middle"):
            yield self._table
            yield self._detail
        yield Notice()
        yield Bar("commands")

    def on_mount(self) -> None:
        self.query_one("#filter").display = False
        self.query_one(Banner).display = False
        self.reload()
        self._table.focus()
        self.set_interval(FOLLOW_S, self._follow)
        self.set_interval(TICK_S, self._tick)

    # What is shown

    def reload(self) -> None:
        """Reads what changed and repaints it."""
        self._revision = self.store.revision
        self._listing.reload()
        self._facts = present_bar.Facts(
            profile=self.profile,
            account=query.account(self.store, self.profile),
            engine=query.engine_state(self.store, self.profile),
            own_pid=os.getpid(),
            in_flight=query.in_flight(self.store, self.profile),
            counts=query.counts(self.store, self.profile),
            queue_paused=query.queue_paused(self.store, self.profile),
            notice=self._notice,
        )
        self._arrange()
        self._table.follow_changes()
        self._show_detail()
        self._show_bars()

    def _follow(self) -> None:
        """The store's revision is the one signal that something changed, here or in another process."""
        try:
            if self.store.revision != self._revision:
                self.reload()
        except VivixError as error:
            self.say(str(error), severity="error")

    def _tick(self) -> None:
        """Numbers that run: only the lines whose text changed are drawn again."""
        self._table.repaint_changed()
        self._show_bars()
        row = self._table.selected
        if row is not None and row.phase == "active":
            self._show_detail()

    def _arrange(self) -> None:
        """Which of the parts are shown, by the terminal's size, the zoom and the number of rows."""
        small = self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT
        empty = self._listing.count == 0
        filtered = self._listing.filter != query.Filter()
        notice = self.query_one(Notice)
        notice.display = small or empty
        self.query_one("#middle").display = not notice.display
        if small:
            notice.say(TOO_SMALL)
        elif empty:
            notice.say(NO_MATCH if filtered else FIRST_STEPS)
        zoomed = self.has_class("-zoomed")
        self._table.display = not zoomed
        self._detail.display = zoomed or self.size.width >= WIDE

    def _show_detail(self) -> None:
        row = self._table.selected
        if not self._detail.display or row is None:
            return
        found = query.detail(self.store, self.profile, row.kind, row.id)
        if found is not None:
            shown = detail_lines(found, row, self._clock(), self._glyphs)
            self._detail.show(shown, same_row=self._detail_of == key_of(row))
            self._detail_of = key_of(row)

    def _show_bars(self) -> None:
        if self._facts is None:
            return
        width = self.size.width
        gauges = present_bar.fitting(present_bar.gauges(self._facts, self._clock(), self._glyphs), width - 2)
        self.query_one("#status", Bar).show([(f" {gauge.text} ", gauge.role) for gauge in gauges])
        self.query_one(Banner).say(present_bar.banner(self._facts))
        self.query_one("#commands", Bar).show(self._footer(width))

    def _footer(self, width: int) -> list[Piece]:
        context, pieces, used = self.context(), list[Piece](), 1
        state = self._filter_words()
        if state:
            pieces.append((f" {state} ", "active"))
            used += len(state) + 2
        for command in sorted((c for c in COMMANDS if c.footer), key=lambda c: c.footer):
            key, label = shown_keys(keys_of(command, self.rebound)).split(" ")[0], command.label
            used += len(key) + len(label) + 3
            if used > width:
                break
            role = "muted" if command.reason_disabled(context) else "plain"
            pieces += [(f" {key} ", "muted" if role == "muted" else "key"), (f"{label} ", role)]
        return [(fit("", 0), "plain"), *pieces]

    def _filter_words(self) -> str:
        shown = self._listing.filter
        parts = [one_line(shown.text, 30)] if shown.text else []
        parts += ["+".join(sorted(shown.phases))] if shown.phases else []
        parts += [f"{len(self._table.marks)} marked"] if self._table.marks else []
        return f"[{' · '.join(parts)}: {self._listing.count:,}]" if parts else ""

    # What commands concern

    def targets(self) -> list[TableRow]:
        """The marked rows, else the one under the cursor."""
        marks = self._table.marks
        if not marks:
            row = self._table.selected
            return [row] if row is not None else []
        rows = (self._listing.row(index) for index in range(min(self._listing.count, MARK_ALL_MOST)))
        return [row for row in rows if row is not None and key_of(row) in marks]

    def target_generations(self) -> list[str]:
        return [row.id for row in self.targets() if row.kind == "generation"]

    def context(self) -> Context:
        return Context(
            rows=tuple(self.targets()),
            marked=len(self._table.marks),
            can_undo=bool(self.forgotten),
            takes_key=self.offer_key is not None,
        )

    def say(self, text: str, *, severity: Literal["information", "error"] = "information") -> None:
        """One line to the user, at once."""
        self.notify(one_line(text, 300), severity=severity, markup=False, timeout=5)

    def wish(self, verb: Callable[[], str]) -> None:
        """Runs a verb, tells its outcome, nudges the engine, and shows what changed."""
        text = verb()
        self._wake()
        self.say(text)
        self.reload()

    # What the user does

    def action_command(self, command_id: str) -> None:
        """Every key ends here: the reason why not, or the deed."""
        reason = BY_ID[command_id].reason_disabled(self.context()) if not command_id.startswith("move.") else None
        if reason is not None:
            self.say(f"{BY_ID[command_id].label}: {reason}")
            return
        try:
            if command_id in ACTIONS:
                ACTIONS[command_id](self)
            elif command_id in FILTERS:
                self._filter(replace(self._listing.filter, phases=self._toggled(FILTERS[command_id])))
            else:
                self._navigate(command_id)
        except VivixError as error:
            self.say(f"{error}{f' ({error.hint})' if error.hint else ''}", severity="error")

    def _navigate(self, command_id: str) -> None:
        table, half = self._table, max(1, self._table.page_rows // 2)
        steps = {"down": 1, "up": -1, "half_down": half, "half_up": -half}
        steps |= {"page_down": table.page_rows, "page_up": -table.page_rows}
        steps |= {"first": -self._listing.count, "last": self._listing.count}
        group, _, name = command_id.partition(".")
        if group == "move":
            self._move(steps[name])
        elif command_id == "mark.toggle":
            self._toggle_mark()
        elif command_id == "mark.all":
            table.marks |= set(self._listing.keys(MARK_ALL_MOST))
        elif command_id == "mark.none":
            table.marks.clear()
        elif command_id == "view.filter":
            field = self.query_one("#filter", Input)
            field.display = True
            field.focus()
        elif command_id == "view.zoom":
            self._zoom(not self.has_class("-zoomed"))
        elif command_id == "view.back":
            self._back()
        elif command_id == "view.redraw":
            self.refresh(repaint=True, layout=True)
        elif command_id == "app.palette":
            self.app.action_command_palette()
        if group == "mark":
            table.repaint_changed()
            self._show_bars()

    def _move(self, rows: int) -> None:
        if self.has_class("-zoomed") and abs(rows) != 1:
            self._detail.scroll_relative(y=rows, animate=False)
        else:
            self._table.move_by(rows)

    def _toggle_mark(self) -> None:
        row = self._table.selected
        if row is not None:
            self._table.marks ^= {key_of(row)}
            self._table.move_by(1)

    def _toggled(self, phases: frozenset[str]) -> frozenset[str]:
        return frozenset() if phases == self._listing.filter.phases else phases

    def _filter(self, wanted: query.Filter) -> None:
        self._listing.filter = wanted
        self._listing.reload()
        self._arrange()
        self._table.show_from_top()
        self._show_detail()
        self._show_bars()

    def _zoom(self, zoomed: bool) -> None:
        self.set_class(zoomed, "-zoomed")
        self._arrange()
        (self._detail if zoomed else self._table).focus()
        self.call_after_refresh(self._show_detail)

    def _back(self) -> None:
        """Closes the topmost thing, one at a time."""
        field = self.query_one("#filter", Input)
        if self.has_class("-zoomed"):
            self._zoom(False)
        elif field.display or self._listing.filter != query.Filter():
            field.value = ""
            field.display = False
            self._filter(query.Filter())
            self._table.focus()
        elif self._table.marks:
            self._navigate("mark.none")

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        text = event.value
        self.set_timer(FILTER_PAUSE_S, lambda: self._filter_if_still(text))

    def _filter_if_still(self, text: str) -> None:
        if self.query_one("#filter", Input).value == text and self._listing.filter.text != text:
            self._filter(replace(self._listing.filter, text=text))

    @on(Input.Submitted, "#filter")
    def _filter_accepted(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#filter").display = bool(event.value)
        self._filter(replace(self._listing.filter, text=event.value))
        self._table.focus()

    @on(GenerationTable.Moved)
    def _moved(self) -> None:
        self._show_detail()
        self._show_bars()

    @on(GenerationTable.Opened)
    def _opened(self) -> None:
        self._zoom(True)

    def on_resize(self, _: events.Resize) -> None:
        self._arrange()
        self.call_after_refresh(self._show_detail)
        self._show_bars()

"""Takes an API key: typed into a hidden field, tried by the engine, then kept in a private file or used for now only.

Owns: the questions and what the engine's row says of the key, in words; the first run's welcome. Refuses: the key
itself: a `KeyDesk` takes it out of the field, and nothing here holds it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Protocol

from msgspec import Struct
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from vivix_tui.domain.account import Account
from vivix_tui.domain.text import one_line
from vivix_tui.errors import VivixError
from vivix_tui.store.accounts import EngineState
from vivix_tui.ui.screens.dialogs import Keys, Middle, literal, styled
from vivix_tui.ui.widgets.fields import LineField

if TYPE_CHECKING:
    from vivix_tui.first_config import Place

LOOK_S = 0.1
PATIENCE_S = 8.0
KEY_LENGTH = 41
TRY_DEMO, GOOD = "demo", "$success"
TRIED_AGAIN = "It is tried again by itself."


class KeyDesk(Protocol):
    """The side of the program that holds keys."""

    def offer_key(self, text: str) -> str | None:
        """Takes a key and has it tried; returns a complaint, or None."""

    def key_taken_up(self) -> bool:
        """Whether the engine's row is about the key that was offered last."""

    def place_for_key(self) -> Place | None:
        """Where it can be kept; None where keys are never kept."""

    def keep_key(self) -> str:
        """Writes it down; returns what was done. Raises VivixError."""


class Verdict(Struct, frozen=True):
    """What is known of the key. A `bad` one is asked for anew."""

    words: str
    role: str
    bad: bool = False


def verdict(engine: EngineState | None, account: Account, *, taken_up: bool, patient: bool) -> Verdict | None:
    """What the engine's row says of the key that was offered, None while it says nothing and one can wait for it."""
    if engine is not None and engine.pid != os.getpid() and engine.connection != "stopped":
        words = f"Process {engine.pid} makes the calls of this profile; this key is used when that one ends."
        return Verdict(words, "$warning")
    if engine is not None and taken_up:
        if engine.connection == "live":
            tier = f"{one_line(account.tier, 20)}, " if account.tier else ""
            known = "" if account.balance is None else f": {tier}{account.balance:,} credits"
            return Verdict(f"The key works{known}.", GOOD)
        if engine.connection == "rejected":
            said = (engine.detail, engine.hint, engine.request_id)
            words = "\n".join(one_line(part, 300) for part in said if part)
            return Verdict(f"The API rejects this key.\n{words}", "$error", bad=True)
        if engine.connection in ("offline", "retrying", "limited"):
            why = f": {one_line(engine.detail, 200).rstrip('.')}" if engine.detail else ""
            return Verdict(f"The key could not be checked{why}. {TRIED_AGAIN}", "$warning")
    return None if patient else Verdict(f"The key could not be checked: no answer yet. {TRIED_AGAIN}", "$warning")


class KeyField(LineField):
    """A hidden field into which a key can be pasted with the lines around it."""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.insert_text_at_cursor(next(iter(event.text.strip().splitlines()), ""))


class EnterKey(ModalScreen[str]):
    """Returns what is to be said, "" for nothing. `look` gives what the store knows of engine and account."""

    HEADING = "API key"
    ABOUT = "It is tried at once, shown nowhere, and goes to the API alone."
    MORE_KEYS: ClassVar[tuple[tuple[str, str], ...]] = ()
    LEAVE = "cancel"
    ADVISES = False  # where the key cannot be kept from here: whether to say how it can be

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "leave", "leave"), ("k", "keep", "keep"), ("s", "leave", "")]

    def __init__(self, desk: KeyDesk, look: Callable[[], tuple[EngineState | None, Account]]) -> None:
        super().__init__()
        self._desk, self._look = desk, look
        self._place = desk.place_for_key()
        self._offered_at: float | None = None
        self._verdict: Verdict | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog dialog-wide dialog-key"):
            yield Static(literal(self.HEADING), classes="dialog--title")
            with Middle(classes="dialog--question", can_focus=False):
                yield Static(literal(self.ABOUT), classes="dialog--text", id="about")
                yield KeyField(password=True, id="line", placeholder="paste it here", compact=True)
                yield Static("", id="said", markup=False)
            yield Keys()

    def on_mount(self) -> None:
        self._ask()
        self.set_interval(LOOK_S, self._follow)

    # The steps: ask, try, say how it went

    def _ask(self) -> None:
        field = self.query_one(KeyField)
        field.display, field.value = True, ""
        field.focus()
        self.query_one(Keys).show(("enter", "check it"), *self.MORE_KEYS, ("esc", self.LEAVE))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        length = len(event.value.strip())
        if length:
            # A paste that was cut short is seen although nothing of it is.
            hint = "" if length == KEY_LENGTH else f"; keys have {KEY_LENGTH}"
            self._say(f"{length} characters{hint}", "$foreground 55%")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if not self.is_active or self._offered_at is not None:  # a second Enter of the same burst
            return
        complaint = self._desk.offer_key(event.value)
        if complaint is not None:
            self._say(complaint, "$error")
            return
        self._offered_at, self._verdict = monotonic(), None
        field = self.query_one(KeyField)
        field.value, field.display, self.query_one("#about").display = "", False, False
        self.set_focus(None)
        self._say("Asking the API whether it takes this key …", "$foreground 55%")
        self.query_one(Keys).show(("esc", "do not wait"))

    def _follow(self) -> None:
        if self._offered_at is None:
            return
        engine, account = self._look()
        patient = monotonic() - self._offered_at < PATIENCE_S
        found = verdict(engine, account, taken_up=self._desk.key_taken_up(), patient=patient)
        if found is None or found == self._verdict:
            return
        self._verdict = found
        if found.bad:
            self._offered_at = None
            self._ask()
            self._say(found.words, found.role)
        else:
            self._answered(found)

    def _answered(self, found: Verdict) -> None:
        place, now = self._place, "Until vivix-tui ends it is used in any case."
        if found.role == GOOD and not self.ADVISES and (place is None or place.obstacle):
            self.dismiss(found.words)
        elif place is None:
            self._say(f"{found.words}\n\n{now}", found.role)
            self.query_one(Keys).show(("esc", "close"))
        elif place.obstacle:
            self._say(f"{found.words}\n\n{now} To keep it for the next time: {place.obstacle}", found.role)
            self.query_one(Keys).show(("esc", "close"))
        else:
            where = f"{place.config} and {place.key_file}" if place.config else f"{place.key_file}"
            text = f"{found.words}\n\n{now} Kept, it is there the next time: in {where}, which only you can read."
            self._say(text, found.role)
            self.query_one(Keys).show(("k", "keep it"), ("s", "this time only"))

    # What the user does

    def action_keep(self) -> None:
        if self._verdict is None or self._verdict.bad or self._place is None or self._place.obstacle:
            return
        try:
            done = self._desk.keep_key()
        except VivixError as error:
            self._place = self._desk.place_for_key()
            self._answered(Verdict(f"It was not kept: {error}.", "$error"))
        else:
            self.dismiss(done)

    def action_leave(self) -> None:
        self.dismiss("")

    def _say(self, text: str, role: str) -> None:
        first, _, rest = text.partition("\n\n")
        said = styled(first, dict.fromkeys(range(first.count("\n") + 1), role))
        self.query_one("#said", Static).update(said + literal(f"\n\n{rest}") if rest else said)


class FirstRun(EnterKey):
    """The first thing that somebody sees who has neither a key nor rows. May return TRY_DEMO."""

    HEADING = "Welcome to vivix-tui"
    ABOUT = """\
It follows the images and videos that you make through the Vivix API: what runs, what failed and why, what it cost.

It needs your API key (vvx_live_…), shows it nowhere and sends it to the API alone. VIVIX_API_KEY works as well.

Only looking? `vivix-tui demo` shows it on a simulated account."""
    MORE_KEYS = (("ctrl+t", "see the demo"),)
    LEAVE = "go on without"
    ADVISES = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "app.quit", "quit", priority=True),
        Binding("ctrl+t", "demo", "demo", priority=True),
    ]

    def action_demo(self) -> None:
        self.dismiss(TRY_DEMO)

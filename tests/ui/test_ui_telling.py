"""What ended is told once, in one line, by one dashboard; quiet hours; what was asked for; what happened meanwhile."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from textual.widgets._toast import Toast

from tests.ui.conftest import NOW, PROFILE, Screen, settled, until
from tests.ui.test_ui_keys import main, press, toasts
from vivix_tui import verbs
from vivix_tui.config import Notify
from vivix_tui.domain.generation import Answer
from vivix_tui.store import generations
from vivix_tui.ui.screens.dialogs import Reading
from vivix_tui.ui.telling import GAP_S, TOGETHER_S, Teller, notification
from vivix_tui.ui.toasts import LEAST_S, Told


def ends(screen: Screen, generation_id: str, status: str = "completed", **facts: Any) -> None:
    answer = Answer(generation_id=generation_id, status=status, **facts)
    generations.record(screen.store, PROFILE, answer, asked_at=NOW)


def live(screen: Screen, number: int, prompt: str = "a fox") -> str:
    return screen.row(number, "processing", prompt=prompt, elapsed_ms=1_000)


async def test_several_ends_are_one_line_and_told_once(screen: Screen) -> None:
    ids = [live(screen, n) for n in range(3)]
    verbs.take_news(screen.store, PROFILE)
    first, second = screen.app(), screen.app()
    async with first.run_test(size=(120, 36)) as pilot:
        ends(screen, ids[0])
        ends(screen, ids[1])
        ends(screen, ids[2], "failed", error="X")
        main(first).teller._tell()
        await settled(pilot)
        assert toasts(first) == ["2 done, 1 failed"]
    async with second.run_test(size=(120, 36)) as pilot:
        main(second).teller._tell()
        await settled(pilot)
        assert toasts(second) == []


async def test_what_ended_while_nobody_looked_is_told_at_the_start(screen: Screen) -> None:
    one = live(screen, 1)
    verbs.take_news(screen.store, PROFILE)
    ends(screen, one)
    app = screen.app()
    async with app.run_test(size=(120, 36)):
        assert toasts(app) == ["While you were away: 1 done"]


async def test_what_had_ended_before_it_was_followed_is_no_news(screen: Screen) -> None:
    verbs.take_news(screen.store, PROFILE)
    old = (NOW - timedelta(days=2)).isoformat()
    screen.row(1, "completed", completed_at=old, ago_s=0)
    assert verbs.take_news(screen.store, PROFILE).ends == ()
    verbs.track(screen.store, PROFILE, [("new", None)])
    ends(screen, "new", completed_at="nonsense")
    assert len(verbs.take_news(screen.store, PROFILE).ends) == 1


async def test_w_asks_for_one_by_name_and_takes_it_back(screen: Screen) -> None:
    one = live(screen, 1, "a [/b]fox")
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "w")
        assert toasts(app)[-1] == "you will be told when it ends"
        assert "you will be told" in str(main(app).detail._lines)
        await press(pilot, "w")
        assert toasts(app)[-1] == "not told by name"
        await press(pilot, "w")
        ends(screen, one)
        main(app).teller._tell()
        await settled(pilot)
        assert toasts(app)[-1] == "a [/b]fox: done"
        main(app).reload()
        await press(pilot, "3", "g", "w")
        assert toasts(app)[-1] == "tell me: it has ended"


class Rung:
    """A screen as the teller sees it, and what reached its terminal."""

    def __init__(self, screen: Screen) -> None:
        self.store, self.profile = screen.store, PROFILE
        self.app = self._driver = self
        self.is_headless = False
        self.written, self.said = "", list[str]()

    def write(self, text: str) -> None:
        self.written += text

    def bell(self) -> None:
        self.written += "\a"

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.mark.parametrize(
    ("settings", "asked", "bell", "notified"),
    [
        (Notify(), False, True, True),
        (Notify(bell=False), False, False, True),
        (Notify(terminal="off"), False, True, False),
        (Notify(quiet="00:00-23:59"), False, False, False),
        (Notify(quiet="00:00-23:59"), True, True, True),
    ],
)
def test_bell_and_notification_follow_the_settings(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, settings: Notify, asked: bool, bell: bool, notified: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("TMUX", "STY", "TERM_PROGRAM"):
        monkeypatch.delenv(name, raising=False)
    one = live(screen, 1)
    if asked:
        verbs.tell_me(screen.store, PROFILE, [one])
    verbs.take_news(screen.store, PROFILE)
    ends(screen, one)
    rung = Rung(screen)
    Teller(rung, lambda: settings, lambda: NOW)._tell()  # type: ignore[arg-type]
    assert len(rung.said) == 1
    assert ("\x1b]9;" in rung.written) is notified
    assert rung.written.endswith("\a\a" if bell and notified else "\a" if bell or notified else "")
    assert (rung.written != "") is (bell or notified)


def test_the_title_is_written_when_it_changes_and_given_back(screen: Screen) -> None:
    rung = Rung(screen)
    teller = Teller(rung, Notify, lambda: NOW)  # type: ignore[arg-type]
    counts = {"active": 3, "queued": 0, "failed": 1, "done": 7}
    teller.show_title(counts)
    teller.show_title(counts)
    teller.show_title(counts | {"active": 0, "failed": 0})
    teller.end()
    assert rung.written == ("\x1b[22;2t\x1b]2;vivix-tui: 3 active, 1 failed\x07\x1b]2;vivix-tui\x07\x1b[23;2t")


@pytest.mark.parametrize(
    ("environ", "sequence"),
    [
        ({"TERM": "xterm-256color"}, "\x1b]9;1 done, a,b\x07"),
        ({"TERM": "foot"}, "\x1b]777;notify;vivix-tui;1 done, a,b\x07"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}, "\x1b]777;notify;vivix-tui;1 done, a,b\x07"),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/x"}, "\x1bPtmux;\x1b\x1b]9;1 done, a,b\x07\x1b\\"),
        ({"TERM": "screen", "STY": "1.pts"}, ""),
        ({"TERM": "dumb"}, ""),
        ({}, ""),
    ],
)
def test_the_notification_speaks_as_the_terminal_does(environ: dict[str, str], sequence: str) -> None:
    assert notification("1 done, a;b", environ) == sequence


def test_a_notification_holds_nothing_that_steers() -> None:
    told = notification("a\x1b]0;x\x07b\x9c" + "y" * 999, {"TERM": "xterm"})
    assert told.count("\x1b") == 1
    assert told.count("\x07") == 1
    assert "\x9c" not in told
    assert len(told) < 250


def test_whoever_comes_back_after_a_while_hears_once_what_was_missed(screen: Screen) -> None:
    now = [NOW]
    rung = Rung(screen)
    teller = Teller(rung, Notify, lambda: now[0])  # type: ignore[arg-type]
    ids = [live(screen, n) for n in range(4)]
    verbs.take_news(screen.store, PROFILE)
    ends(screen, ids[0])
    teller._tell()
    now[0] += timedelta(minutes=1)
    teller.seen()
    assert rung.said == ["1 done"], "they were there"
    for generation_id, status in ((ids[1], "completed"), (ids[2], "failed")):
        now[0] += timedelta(minutes=20)
        ends(screen, generation_id, status)
        teller._tell()
    now[0] += timedelta(minutes=20)
    teller.seen()
    teller.seen()
    assert rung.said[1:] == ["1 done", "1 failed", "While you were away: 1 done, 1 failed"]


async def test_a_key_after_a_while_is_a_return(screen: Screen) -> None:
    one = live(screen, 1)
    verbs.take_news(screen.store, PROFILE)
    now = [NOW]
    app = screen.app()
    app.clock = lambda: now[0]
    async with app.run_test(size=(120, 36)) as pilot:
        ends(screen, one)
        main(app).teller._tell()
        now[0] += timedelta(hours=1)
        await press(pilot, "j")
        assert toasts(app) == ["1 done", "While you were away: 1 done"]


def test_ends_one_after_the_other_are_no_bell_each(screen: Screen) -> None:
    rung = Rung(screen)
    waits: list[float] = []
    rung.set_timer = lambda seconds, _: waits.append(seconds)  # type: ignore[attr-defined]
    teller = Teller(rung, Notify, lambda: NOW)  # type: ignore[arg-type]
    ids = [live(screen, n) for n in range(2)]
    teller.look()
    for generation_id in ids:
        ends(screen, generation_id)
        teller.look()
        teller._tell()
    assert waits[0] == TOGETHER_S
    assert waits[1] > GAP_S - 1
    assert rung.said == ["1 done", "1 done"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("step_s", [0.21, 0.26, 0.3, 0.4, 0.6])
async def test_a_toast_whose_time_is_over_while_it_is_built_holds_nothing_up(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, step_s: float
) -> None:
    readings = count()
    monkeypatch.setattr("vivix_tui.ui.toasts.monotonic", lambda: next(readings) * step_s)
    app = screen.app()
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        app.notify("1 done", timeout=1)
        await settled(pilot)
        await until(pilot, lambda: not app.screen.query(Toast))
        await pilot.press("question_mark")
        assert isinstance(app.screen, Reading), "it answers"


def test_a_toast_has_time_left_until_it_was_shown() -> None:
    late = Told("1 done", timeout=-0.001)
    assert (late.has_expired, late.time_left) == (True, LEAST_S)


async def test_a_clock_that_is_set_back_keeps_no_toast(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    app = screen.app()
    async with app.run_test(size=(120, 36)) as pilot:
        app.notify("1 done", timeout=5)
        await settled(pilot)
        monkeypatch.setattr("textual.notifications.time", lambda: 0.0)
        [told] = app._notifications
        assert 0 < told.time_left <= 5

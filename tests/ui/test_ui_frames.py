"""What is sent in few bytes shows what Textual would have shown with many."""

from __future__ import annotations

import pyte
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from vivix_tui.ui.frames import Frame, Look, frame
from vivix_tui.ui.front_buffer import FrontBuffer

WIDTH, HEIGHT, PART = 24, 4, 12  # two widgets side by side
PAIRS = ("ab", "cd", "  ", "水", "é-", "✓ ")
STYLES: tuple[dict[str, str | bool] | None, ...] = (
    {"color": "#c8d0e8", "bgcolor": "#14161f"},
    {"color": "#7fc98a", "bgcolor": "#14161f", "bold": True},
    {"color": "#7fc98a", "bgcolor": "#2d3350"},
    {"reverse": True},
    {"color": "default", "bgcolor": "default"},
    {"color": "#f07a86", "bgcolor": "#14161f", "underline": True},
    None,
)
Unit = tuple[str, int]  # two cells, number of their style

units = st.tuples(st.sampled_from(PAIRS), st.integers(0, len(STYLES) - 1))
line = st.lists(units, min_size=WIDTH // 2, max_size=WIDTH // 2)
screen = st.lists(line, min_size=HEIGHT, max_size=HEIGHT)
spans = st.lists(st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, 11), st.integers(1, 6)), min_size=1, max_size=5)
systems = st.sampled_from(["standard", "256", "truecolor"])


def strip(line: list[Unit]) -> Strip:
    """With styles of its own: Textual keeps the codes of one for the first kind of terminal that it is drawn on."""
    styles = [None if style is None else Style(**style) for style in STYLES]  # type: ignore[arg-type]
    return Strip([Segment(text, styles[number]) for text, number in line])


def layout(lines: list[list[Unit]]) -> LayoutUpdate:
    return LayoutUpdate([[strip(line[: PART // 2]), strip(line[PART // 2 :])] for line in lines], Region(0, 0, 24, 4))


def shown(terminal: pyte.Screen) -> list[list[tuple[object, ...]]]:
    signs = ("data", "fg", "bg", "bold", "underscore", "reverse")
    return [
        [tuple(getattr(terminal.buffer[y][x], name) for name in signs) for x in range(WIDTH)] for y in range(HEIGHT)
    ]


def feed(terminal: pyte.Screen, update: CompositorUpdate, console: Console) -> int:
    text = update.render_segments(console)
    pyte.Stream(terminal).feed(text.replace("\n", "\r\n"))
    return len(text.encode())


@given(old=screen, changes=st.lists(st.tuples(screen, st.none() | spans), min_size=1, max_size=4), system=systems)
def test_changes_look_as_textual_would_have_drawn_them_and_are_not_longer(
    old: list[list[Unit]], changes: list[tuple[list[list[Unit]], list[tuple[int, int, int]] | None]], system: str
) -> None:
    console = Console(color_system=system, force_terminal=True)  # type: ignore[arg-type]
    ours, theirs, buffer = pyte.Screen(WIDTH, HEIGHT), pyte.Screen(WIDTH, HEIGHT), FrontBuffer[Look]()
    before = old
    updates: list[LayoutUpdate | ChopsUpdate] = [layout(old)]
    for new, where in changes:
        update, before = (layout(new), new) if where is None else part_of(new, where, before)
        updates.append(update)
    for update in updates:
        thrifty = frame(update, buffer)
        assert isinstance(thrifty, Frame)
        few, many = feed(ours, thrifty, console), feed(theirs, update, console)
        assert shown(ours) == shown(theirs)
        assert few <= many + 4  # at most the reset, where the terminal's own ink is left behind last
        again = frame(update, buffer)
        assert isinstance(again, Frame)
        assert feed(ours, again, console) == 0


def part_of(
    new: list[list[Unit]], where: list[tuple[int, int, int]], before: list[list[Unit]]
) -> tuple[ChopsUpdate, list[list[Unit]]]:
    """The update that brings these spans of `new`, and how the lines are after it."""
    after = [list(line) for line in before]
    dirty = []
    for y, first, count in sorted(where):
        last = min(WIDTH // 2, first + count)
        after[y][first:last] = new[y][first:last]
        dirty.append((y, first * 2, last * 2))
    chops = [{0: strip(line[: PART // 2]), PART: strip(line[PART // 2 :])} for line in after]
    return ChopsUpdate(chops, dirty, [[PART, WIDTH]] * HEIGHT), after


@given(lines=screen, system=systems)
def test_a_whole_screen_looks_as_textual_would_have_drawn_it(lines: list[list[Unit]], system: str) -> None:
    console = Console(color_system=system, force_terminal=True)  # type: ignore[arg-type]
    ours, theirs = pyte.Screen(WIDTH, HEIGHT), pyte.Screen(WIDTH, HEIGHT)
    update = layout(lines)
    thrifty = frame(update, FrontBuffer())
    assert isinstance(thrifty, Frame)
    feed(ours, thrifty, console)
    feed(theirs, update, console)
    assert shown(ours) == shown(theirs)


def test_a_link_is_closed_where_it_ends() -> None:
    link = Style(link="https://example.com/fox.png")
    update = LayoutUpdate([[Strip([Segment("a fox", link), Segment(" and more")])]], Region(0, 0, 14, 1))
    thrifty = frame(update, FrontBuffer())
    assert isinstance(thrifty, Frame)
    text = thrifty.render_segments(Console(color_system="256", force_terminal=True))
    assert text.count("\x1b]8;") == 2
    assert text.index("\x1b]8;;\x1b\\") < text.index(" and more")


def test_what_is_no_update_of_the_compositor_passes_as_it_is() -> None:
    assert frame("text", FrontBuffer()) == "text"
    assert frame(None, FrontBuffer()) is None

"""Pictures in pixels lie over the text, which knows nothing of them: after each frame they are put right.

Owns: which lines of which pictures can be seen now (dialogs and toasts are in front of them), and which of them a
frame has written over. Refuses: the bytes (`pixels`), and choosing pictures (`previewing`).
"""

from __future__ import annotations

from collections.abc import Callable

from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Region
from textual.widgets._toast import Toast

from vivix_tui.ui.pixels import Painter
from vivix_tui.ui.widgets.detail_pane import DetailPane

SETTLE_S = 0.08  # a dialog that closes makes two frames, and a picture is a hundred times as many bytes


class Overlay:
    """The pictures over the frames of `app`. Where there are none it costs nothing. `drawn_over(x, y, width)` is told
    where text must be written to take one away."""

    def __init__(self, app: App[int], drawn_over: Callable[[int, int, int], None]) -> None:
        self._app = app
        self._drawn_over = drawn_over
        self._painter = Painter(self._write)
        self._frames: list[object] = []
        self._panes: list[DetailPane] = []

    def watch(self, pane: DetailPane) -> None:
        """Its pictures are drawn from now on."""
        self._panes.append(pane)

    def after(self, frame: object) -> None:
        """`frame` was just written. Pictures that may not be seen go at once; others come when frames have settled."""
        pictures = [picture for pane in self._panes for picture in pane.pictures]
        if not pictures and not self._painter.busy:
            return
        if not self._in_front():
            self._painter.paint(None, {}, nowhere)
        elif not pictures:
            self._painter.paint(pictures, {}, nowhere)
        else:
            if not self._frames:
                self._app.set_timer(SETTLE_S, self._draw)
            self._frames.append(frame)

    def _draw(self) -> None:
        frames, self._frames = self._frames, []
        if not self._in_front():
            return
        toasts = [toast.region for toast in self._app.screen.query(Toast)]
        lines = {
            (picture, row): (x, y)
            for pane in self._panes
            for picture, row, x, y in pane.picture_lines()
            if not any(toast.overlaps(Region(x, y, picture.columns, 1)) for toast in toasts)
        }

        def touched(x: int, y: int, width: int) -> bool:
            return any(written(frame, x, y, width) for frame in frames)

        self._painter.paint([picture for pane in self._panes for picture in pane.pictures], lines, touched)
        for (picture, _), (x, y) in lines.items():
            if picture.erased:
                self._drawn_over(x, y, picture.columns)

    def _in_front(self) -> list[DetailPane]:
        """Those whose screen is the topmost one."""
        return [pane for pane in self._panes if pane.is_attached and pane.screen is self._app.screen]

    def forget(self) -> None:
        """Something else wrote to the terminal, or it ends."""
        self._painter.forget()

    def _write(self, sequence: str) -> None:
        driver = self._app._driver  # as Textual's own clipboard does: there is no public way to the terminal
        if driver is not None and not self._app.is_headless:
            driver.write(sequence)


def nowhere(_x: int, _y: int, _width: int) -> bool:
    return False


def written(frame: object, x: int, y: int, width: int) -> bool:
    """Whether `frame` wrote text over any of these cells. Of an unknown kind of frame it is taken for granted."""
    if frame is None:
        return False
    if isinstance(frame, LayoutUpdate):
        return frame.region.overlaps(Region(x, y, width, 1))
    if not isinstance(frame, ChopsUpdate):
        return True
    # As `frames` writes it: of each piece of a line the cells that changed.
    return any(
        max(begin, first) < x + width and x < min(end, last)
        for line, first, last in frame.spans
        if line == y
        for end, (begin, strip) in zip(frame.chop_ends[y], frame.chops[y].items(), strict=False)
        if strip is not None and begin <= last and end > first
    )

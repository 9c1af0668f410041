"""The preview while it is on: one picture or sheet is being made at a time, for what is looked at now.

Owns: on and off, when an output is fetched to be looked at, and that a late picture never stands beside another row's
text. Refuses: choosing files (`present.preview`), the network (a wish is written), decoding (`preview.request`), and
drawing (`widgets.halfblocks`, `pixels`).
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace
from rich.color_triplet import ColorTriplet
from textual.geometry import Size

from vivix_tui.domain.text import one_line
from vivix_tui.errors import NotShown
from vivix_tui.preview.cache import Cache
from vivix_tui.preview.request import frame_of, has_decoder
from vivix_tui.ui.line import Line
from vivix_tui.ui.pixels import picture_of, share
from vivix_tui.ui.present.preview import Album, Grid, Key, Subject, facts, grid
from vivix_tui.ui.protocol import HALF, SIXEL, USUAL, Cell, current
from vivix_tui.ui.widgets.detail_pane import MARGIN, DetailPane
from vivix_tui.ui.widgets.halfblocks import Tile

PAUSE_S = 0.12  # rows that are only passed by are not decoded
SHARE = 2 / 3
FETCHING = "no picture yet: it is fetched to be looked at"
LEAST_WIDTH, LEAST_HEIGHT = 12, 4


class Start(Protocol):
    """How Textual starts a task: an exclusive one takes the last one's place in its group."""

    def __call__(self, work: Coroutine[None, None, None], /, *, group: str, exclusive: bool) -> object: ...


class Previewing:
    """`why_not` says why there is no preview at all, None where there is. Thumbnails are kept in `folder`; `ask` has
    outputs fetched that are not on disk."""

    def __init__(
        self,
        pane: DetailPane,
        start: Start,
        ask: Callable[[Sequence[Key]], None],
        *,
        protocol: str,
        folder: Path | None,
    ) -> None:
        self.on = False
        self._ask = ask
        self._asked: set[Key] = set()
        self.why_not = _why_not(protocol)
        self._pane, self._wanted = pane, protocol
        self._cache = Cache(folder)
        self._start = partial(start, group="preview", exclusive=True)
        self._shown: tuple[Album, Size] | None = None
        self._height = 0

    def switch(self) -> None:
        """On or off; what is to be shown is told by `follow`."""
        self.on = not self.on
        self._shown = None
        self._asked.clear()
        if not self.on:
            self._start(self._clear())

    def follow(self, album: Album) -> None:
        """What is looked at now is `album`. A pane that has no size yet is told again when it has."""
        wanted = album, self._pane.size
        roomy = self._pane.size.width >= LEAST_WIDTH and self._pane.size.height >= LEAST_HEIGHT
        if self.on and roomy and wanted != self._shown:
            self._shown = wanted
            self._start(self._show(album, self._pane.size))

    async def _clear(self) -> None:
        self._pane.show_picture([], Grid(1, 1, 1), [])

    async def _show(self, album: Album, size: Size) -> None:
        cells = grid(len(album.subjects), size.width - 2 * MARGIN, round(size.height * SHARE), sheet=album.sheet)
        tiles = [Tile(one_line(subject.label, cells.width)) for subject in album.subjects]
        words = [Line(album.words, "muted")] if album.words else []
        # A picture is awaited as high as the last one: for pictures of one shape the text below does not move.
        awaited = cells if album.sheet or not self._height else replace(cells, height=self._height)
        self._pane.show_picture(tiles, awaited, words, labels=album.sheet)
        if tiles:
            await asyncio.sleep(PAUSE_S)
        self._fetch(album)
        for index, subject in enumerate(album.subjects):
            tile = tiles[index] = await self._tile(subject, cells)
            if album.sheet:
                self._pane.show_picture(tiles, cells, words, labels=True)
            elif tile.frame is not None:
                self._height = tile.picture.rows if tile.picture else (tile.frame.height + 1) // 2
                self._pane.show_picture(tiles, cells, [Line(facts(tile.frame), "muted"), *words])
            else:
                role = "warn" if subject.path or subject.refused else "muted"
                self._pane.show_picture([], cells, [Line(tile.words, role), *words])

    def _fetch(self, album: Album) -> None:
        """What is missing is asked for; what was refused before, once more for each time that the preview is on."""
        missing = [s.wish for s in album.subjects if s.wish and not (s.refused and s.wish in self._asked)]
        if missing:
            self._asked.update(missing)
            self._ask(missing)

    async def _tile(self, subject: Subject, cells: Grid) -> Tile:
        label = one_line(subject.label, cells.width)
        if subject.path is None:
            return Tile(label, words=subject.words or FETCHING)
        try:
            return await self._drawn(label, subject.path, cells)
        except NotShown as reason:
            return Tile(label, words=one_line(f"no picture: {reason}", 200))

    async def _drawn(self, label: str, path: Path, cells: Grid) -> Tile:
        chosen, cell = self._protocol()
        if chosen == HALF:
            return Tile(label, await frame_of(path, cells.width, 2 * cells.height, self._cache))
        columns, lines, less = cells.width, cells.height, share(cells.width, cells.height, cell)
        if chosen == SIXEL:
            # A pixel is a pixel there: a smaller picture takes fewer cells.
            columns, lines = max(1, int(columns * less)), max(1, int(lines * less))
        else:
            cell = Cell(max(4, int(cell.width * less)), max(8, int(cell.height * less)))
        slice_height = cell.height if chosen == SIXEL else 0
        frame = await frame_of(path, columns * cell.width, lines * cell.height, self._cache, slice_height=slice_height)
        ground = self._pane.rich_style.bgcolor
        colour = ground.get_truecolor() if ground is not None else ColorTriplet(0, 0, 0)
        picture = await asyncio.to_thread(picture_of, frame, cell, colour)
        # What is sent is kept, once.
        return Tile(label, dataclasses.replace(frame, rgb=b"", slices=()), picture=picture)

    def _protocol(self) -> tuple[str, Cell]:
        """Asked anew for each picture: a larger font has other cells."""
        if self._pane.app.is_headless:
            return HALF, USUAL
        chosen, cell, _ = current(self._wanted)
        return chosen, cell


def _why_not(protocol: str) -> str | None:
    if protocol == "off":
        return 'preview.protocol is "off" in the config'
    return None if has_decoder() else "needs pip install 'vivix-tui[images]'"

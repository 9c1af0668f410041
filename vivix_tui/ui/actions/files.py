"""What the commands do that concern files: download, download to a folder, pause, cancel.

Owns: the questions and words around these verbs. Refuses: what `actions` does; the verbs write.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vivix_tui import verbs
from vivix_tui.domain import download as d
from vivix_tui.domain.text import one_line
from vivix_tui.store import query
from vivix_tui.ui import navigation
from vivix_tui.ui.screens.dialogs import AskLine, Choose

if TYPE_CHECKING:
    from vivix_tui.ui.screens.main import MainScreen


def download(screen: MainScreen) -> None:
    """Fetches, or goes on; asks about what is under way already."""
    ids = generations(screen)
    found = query.detail(screen.store, screen.profile, "generation", ids[0]) if len(ids) == 1 else None
    begun = found is not None and any(item.state in (d.QUEUED, d.ACTIVE) for item in found.downloads)
    if found is not None and (begun or found.wanted):
        _ask_to_stop(screen, ids[0], begun=begun)
    else:
        _fetch(screen, ids, None)


def download_to(screen: MainScreen) -> None:
    ids = generations(screen)
    what = one_line(ids[0], 60)[:8] if len(ids) == 1 else f"{len(ids)} generations"
    text = "All outputs are fetched into this folder, also those that lie elsewhere already."

    def take(typed: str) -> str | None:
        folder = Path(typed.strip()).expanduser()
        if not typed.strip() or not folder.is_absolute():
            return "type a whole path, like ~/pictures or /data/out"
        if folder.exists() and not folder.is_dir():
            return f"{one_line(str(folder), 200)} is no folder"
        _fetch(screen, ids, folder)
        return None

    screen.ask(AskLine(f"Download {what} to", text, "download", take), lambda _taken: None)


def _ask_to_stop(screen: MainScreen, generation_id: str, *, begun: bool) -> None:
    def stop(answer: str | None) -> None:
        if answer:
            screen.wish(
                lambda: verbs.stop_download(screen.store, screen.profile, generation_id, cancel=answer == "x").text
            )

    if begun:
        text = "Its files are being fetched. A paused file goes on where it was, with d; a cancelled one begins anew."
        dialog = Choose("Stop the download?", text, ("p", "pause"), ("x", "cancel the download"))
    else:
        text = "Its files will be fetched when it completes."
        dialog = Choose("Take the wish back?", text, ("x", "do not download"))
    screen.ask(dialog, stop)


def _fetch(screen: MainScreen, ids: list[str], directory: Path | None) -> None:
    def wish() -> str:
        outcome, reasons = verbs.download_all(screen.store, screen.profile, ids, directory=directory)
        if not outcome.ids:
            raise reasons[0]
        return outcome.text + (f"; {len(reasons):,} have no outputs" if reasons else "")

    screen.wish(wish)


def generations(screen: MainScreen) -> list[str]:
    """The marked generations, else the one under the cursor."""
    return [row_id for kind, row_id in screen.targets() if kind == "generation"]


def mark(screen: MainScreen, how: Callable[[MainScreen], None]) -> None:
    """With `download.auto = "marked"` a mark is a wish for files, and taking it away takes back what was not begun."""
    before = set(screen.table.marks)
    how(screen)
    if screen.choices.settings.download.auto != "marked":
        return
    after = set(screen.table.marks)
    new, old = (sorted(i for kind, i in keys if kind == "generation") for keys in (after - before, before - after))
    texts = []
    if new:
        # One that failed or was lost has no files; a mark is still a mark.
        outcome, _ = verbs.download_all(screen.store, screen.profile, new)
        texts += [outcome.text] if outcome.ids else []
    if old:
        outcome = verbs.unwish_downloads(screen.store, screen.profile, old)
        texts += [outcome.text] if outcome.done else []
    if texts:
        screen.wish(lambda: "; ".join(texts))


FILE_ACTIONS: dict[str, Callable[[MainScreen], None]] = {
    "generation.download": download,
    "generation.download_to": download_to,
    "mark.toggle": partial(mark, how=navigation.toggle_mark),
    "mark.range": partial(mark, how=navigation.mark_range),
    "mark.all": partial(mark, how=navigation.mark_all),
    "mark.none": partial(mark, how=navigation.unmark),
}

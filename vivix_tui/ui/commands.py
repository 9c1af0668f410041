"""The one registry of keys: id, keys, label, group, help, and the reason why a command cannot be used now.

Owns: what footer, help, palette and rebinding know about commands. Refuses: doing anything (`actions.py` does).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from vivix_tui.domain import submission as s
from vivix_tui.domain.generation import COMPLETED, FAILED
from vivix_tui.store.query import TableRow


class Context(Struct, frozen=True):
    """What decides whether a command can be used. `row` is the one under the cursor.

    While rows are marked, commands concern those; only their number is looked at here, and the verbs say the rest.
    """

    row: TableRow | None = None
    marked: int = 0
    marked_generations: int = 0
    can_undo: bool = False
    takes_key: bool = True
    queue_paused: bool = False
    no_preview: str | None = None


Reason = Callable[[Context], str | None]


def _always(_: Context) -> str | None:
    return None


def _needs_row(context: Context) -> str | None:
    return None if context.row is not None else "there is no row here"


def _needs_target(context: Context) -> str | None:
    return None if context.marked else _needs_row(context)


def _needs_generation(context: Context) -> str | None:
    if context.marked:
        return None if context.marked_generations else "no generation is marked"
    if context.row is None:
        return "there is no row here"
    return None if context.row.kind == "generation" else "it has not become a generation yet"


def _retry(context: Context) -> str | None:
    reason, row = _needs_target(context), context.row
    if reason or context.marked or row is None:
        return reason
    if row.kind == "submission" and row.status != s.REFUSED:
        return f"it is {row.status}; only what was refused or became a generation is sent again"
    return None if row.has_body else "its body is not known here, so there is nothing to send again"


def _edit(context: Context) -> str | None:
    row = context.row
    if context.marked > 1:
        return "one row at a time: unmark the others"
    if row is None:
        return "there is no row here"
    if row.kind == "submission" and row.status != s.REFUSED:
        return f"it is {row.status}; only what was refused or became a generation is edited"
    return None if row.has_body else "its body is not known here"


def _again(context: Context) -> str | None:
    if context.marked > 1:
        return "one row at a time: unmark the others"
    reason, row = _needs_target(context), context.row
    if reason or context.marked or row is None:
        return reason
    return None if row.has_body else "its body is not known here"


def _move(context: Context) -> str | None:
    if context.marked:
        return "only submissions can be moved" if context.marked_generations else None
    if context.row is None or context.row.kind == "submission" or context.queue_paused:
        return None
    return "it was sent already; this is for submissions that wait"


def _download(context: Context) -> str | None:
    reason, row = _needs_generation(context), context.row
    if reason or context.marked or row is None:
        return reason
    if row.status == FAILED:
        return "it failed, it has no outputs"
    return "the API no longer knows it" if row.gone is not None and not row.files else None


def _tell(context: Context) -> str | None:
    reason, row = _needs_generation(context), context.row
    if reason or context.marked or row is None:
        return reason
    return "it has ended" if row.status in (COMPLETED, FAILED) or row.gone is not None else None


def _urls(context: Context) -> str | None:
    reason, row = _needs_generation(context), context.row
    if reason or context.marked or row is None:
        return reason
    return None if row.files else "it has no URLs yet"


def _marks(context: Context) -> str | None:
    return None if context.marked else "nothing is marked"


def _undo(context: Context) -> str | None:
    return None if context.can_undo else "nothing was forgotten since the start"


def _key(context: Context) -> str | None:
    return None if context.takes_key else "this program was started without an engine of its own"


def _preview(context: Context) -> str | None:
    return context.no_preview


class Command(Struct, frozen=True):
    """`keys` as Textual names them, separated by commas; `footer` is its place there (0: none)."""

    id: str
    keys: str
    label: str
    group: str
    help: str
    footer: int = 0
    reason_disabled: Reason = _always


COMMANDS = (
    Command("move.down", "j,down", "down", "Move", "to the next row"),
    Command("move.up", "k,up", "up", "Move", "to the previous row"),
    Command("move.first", "g,home", "first", "Move", "to the first row"),
    Command("move.last", "G,end", "last", "Move", "to the last row"),
    Command("move.half_down", "ctrl+d", "half down", "Move", "half a page down"),
    Command("move.half_up", "ctrl+u", "half up", "Move", "half a page up"),
    Command("move.page_down", "pagedown", "page down", "Move", "a page down"),
    Command("move.page_up", "pageup", "page up", "Move", "a page up"),
    Command("view.zoom", "enter", "details", "View", "details over the whole screen", 0, _needs_row),
    Command("view.back", "escape", "back", "View", "close the topmost thing: details, filter, marks"),
    Command("view.preview", "p", "preview", "View", "pictures of the outputs, on or off", 0, _preview),
    Command("view.filter", "slash", "filter", "View", "show rows with a text in id, model, prompt or code", 3),
    Command("view.failures", "exclamation_mark", "failures", "View", "failures only", 4),
    Command("view.active", "1", "active", "View", "active rows only"),
    Command("view.queued", "2", "queued", "View", "queued rows only"),
    Command("view.done", "3", "done", "View", "completed rows only"),
    Command("view.failed", "4", "failed", "View", "failed rows only"),
    Command("view.all", "0", "all", "View", "all rows"),
    Command("view.sort", "s", "sort…", "View", "sort by age, status, model, duration, credits, …"),
    Command("view.invert", "I", "invert", "View", "turn the order round"),
    Command("view.columns", "C", "columns…", "View", "choose the columns and their order"),
    Command("view.statistics", "c", "credits", "View", "credits and statistics: what was spent, failed, and how fast"),
    Command("view.redraw", "ctrl+l", "redraw", "View", "draw the screen anew"),
    Command("generation.new", "n", "new", "Do", "a new generation, from a form; shows the price", 7),
    Command("generation.again", "N", "again…", "Do", "the same form filled with this body", 0, _again),
    Command("generation.add", "a", "add ids", "Do", "follow ids made elsewhere, pasted in", 9),
    Command("generation.download", "d", "download", "Do", "fetch all outputs; again: pause, cancel", 1, _download),
    Command("generation.download_to", "D", "download to…", "Do", "fetch all outputs into a folder", 0, _download),
    Command("generation.retry", "R", "retry…", "Do", "send the same body again; shows the price first", 2, _retry),
    Command("generation.edit", "E", "edit…", "Do", "edit the body in $EDITOR, then send it; shows the price", 0, _edit),
    Command("submission.move", "m", "queue…", "Do", "hold, release, move, cancel; settle an unknown one", 0, _move),
    Command("generation.copy_id", "y", "copy id", "Do", "copy the id", 6, _needs_target),
    Command("generation.copy_urls", "Y", "copy URLs", "Do", "copy the output URLs", 0, _urls),
    Command("generation.open", "o", "open", "Do", "open the first output URL, or show links and QR codes", 10, _urls),
    Command("generation.refresh", "r", "ask now", "Do", "ask the API about it now", 0, _needs_generation),
    Command("generation.tell", "w", "tell me", "Do", "tell me by name when this one ends; again: no", 0, _tell),
    Command("generation.forget", "x", "forget", "Do", "hide rows; nothing is deleted", 0, _needs_target),
    Command("generation.undo", "z", "undo", "Do", "bring forgotten rows back", 0, _undo),
    Command("mark.toggle", "space", "mark", "Mark", "mark this row and go on", 0, _needs_row),
    Command("mark.range", "v", "mark range", "Mark", "mark from here to where v is pressed again", 0, _needs_row),
    Command("mark.all", "asterisk", "mark all", "Mark", "mark all rows shown", 0, _needs_row),
    Command("mark.none", "U", "unmark", "Mark", "unmark all", 0, _marks),
    Command("app.key", "K", "enter key", "Program", "enter another API key", 0, _key),
    Command("app.settings", "S,comma", "settings", "Program", "theme, notifications, downloads: at once, and kept"),
    Command("app.help", "question_mark,f1", "help", "Program", "all keys, and why some are greyed out", 5),
    Command("app.support", "B", "support", "Program", "a file of ids, codes and times that strangers may see"),
    Command("app.palette", "colon,ctrl+p", "commands", "Program", "find a command by name"),
    Command("app.suspend", "ctrl+z", "suspend", "Program", "back to the shell; nothing happens until `fg`"),
    Command("app.quit", "q,ctrl+q,ctrl+c", "quit", "Program", "end; what is under way goes on next time", 8),
)
BY_ID = {command.id: command for command in COMMANDS}
_SHOWN = {
    "slash": "/", "exclamation_mark": "!", "question_mark": "?", "asterisk": "*", "escape": "esc", "colon": ":",
    "comma": ",", "pagedown": "PgDn", "pageup": "PgUp", "down": "↓", "up": "↑", "f1": "F1",
}  # fmt: skip


def shown_keys(keys: str) -> str:
    """The keys as a person reads them; "" where a command has none."""
    return " ".join(_SHOWN.get(key, key) for key in keys.split(",") if key)


def keys_of(command: Command, rebound: Mapping[str, str]) -> str:
    """The keys of a command, after the user's own bindings."""
    return rebound.get(command.id, command.keys)

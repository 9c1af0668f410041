"""Rows as cells: what one line of the table says. Pure, tested without a terminal.

Owns: words and numbers of the table. Refuses: colours (a cell names a role, the widget knows its style) and
reading the store. All text that came from outside is made harmless here.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from rich.cells import cell_len, set_cell_size

from vivix_tui.domain import submission as s
from vivix_tui.domain import times
from vivix_tui.domain.estimate import Durations
from vivix_tui.domain.generation import COMPLETED, FAILED, PENDING, PROCESSING
from vivix_tui.domain.text import one_line
from vivix_tui.store.order import Order
from vivix_tui.store.query import TableRow
from vivix_tui.ui.present.progress import table_text
from vivix_tui.ui.present.times import seconds_text


class Cell(Struct, frozen=True):
    """Text and the role that colours it: plain, muted, queued, active, done, failed, warn."""

    text: str
    role: str = "plain"
    right: bool = False


class Column(Struct, frozen=True):
    """A column of `width` cells; 0 takes what is left. A lower `rank` is dropped later."""

    id: str
    title: str
    width: int
    rank: int
    right: bool = False


COLUMNS = (
    Column("id", "ID", 8, 1),
    Column("model", "MODEL", 12, 5),
    Column("prompt", "PROMPT", 0, 2),
    Column("status", "STATUS", 12, 0),
    Column("time", "TIME", 10, 3, right=True),
    Column("credits", "CREDITS", 9, 4, right=True),
    Column("files", "FILES", 7, 6, right=True),
    Column("age", "AGE", 4, 7, right=True),
    Column("retries", "RETR", 4, 8, right=True),
)
BY_COLUMN = {column.id: column for column in COLUMNS}
# What the table is sorted by when it is sorted by a column, where that has another name.
SORTS = {"time": "duration"}
PROMPT_MIN = 20
MARGIN = 2  # the cursor bar and the mark


def columns_for(width: int, chosen: tuple[str, ...] = ()) -> list[tuple[Column, int]]:
    """The columns that fit into `width` cells, each with its width; `chosen` names the wanted ones from left to right
    (empty: all)."""
    wanted = [BY_COLUMN[name] for name in dict.fromkeys(chosen) if name in BY_COLUMN] or list(COLUMNS)
    while True:
        fixed = sum(column.width + 1 for column in wanted) + MARGIN
        flexible = any(column.width == 0 for column in wanted)
        left = width - fixed
        if len(wanted) == 1 or left >= (PROMPT_MIN if flexible else 0):
            return [(column, column.width or max(1, left)) for column in wanted]
        wanted.remove(max(wanted, key=lambda column: column.rank))


def title(column: Column, width: int, order: Order, glyphs: dict[str, str]) -> str:
    """The head of a column, in `width` cells; with an arrow where the table is sorted by it."""
    if order == Order() or SORTS.get(column.id, column.id) != order.by:
        return fit(column.title, width, right=column.right)
    return fit(column.title[: width - 1] + glyphs["down" if order.falls else "up"], width, right=column.right)


def fit(text: str, width: int, *, right: bool = False, cut: str = "…") -> str:
    """`text` in exactly `width` terminal cells; wide characters count two."""
    if cell_len(text) > width:
        text = set_cell_size(text, max(0, width - 1)) + cut
    missing = width - cell_len(text)
    return " " * missing + text if right else text + " " * missing


def cells(row: TableRow, now: datetime, glyphs: dict[str, str], durations: Durations | None = None) -> dict[str, Cell]:
    """What each column says about `row` at `now`; `durations` is how long such jobs take, where that is known."""
    role = role_of(row)
    return {
        "id": Cell(one_line(row.id, 60)[:8], "muted"),
        "model": Cell(one_line(row.model, 60) if row.model else glyphs["dash"], "muted"),
        "prompt": Cell(one_line(row.prompt, 300) if row.prompt else "", "plain"),
        "status": Cell(f"{glyphs[_glyph_of(row, role)]} {status_word(row)}", role),
        "credits": Cell(*credits_text(row, glyphs)),
        "files": Cell(*files_text(row, glyphs)),
        "retries": Cell(str(row.retries) if row.retries else "", "muted"),
        **running_cells(row, now, glyphs, durations),
    }


def running_cells(
    row: TableRow, now: datetime, glyphs: dict[str, str], durations: Durations | None = None
) -> dict[str, Cell]:
    """Those of `cells` that say something else as time passes."""
    role = "active" if role_of(row) == "active" else "plain"
    return {
        "time": Cell(progress_text(row, now, glyphs, durations), role),
        "age": Cell(age_text(row.sort_ms, now), "muted"),
    }


def role_of(row: TableRow) -> str:
    """The role of a row's status."""
    if row.kind == "submission":
        return {s.UNKNOWN: "warn", s.REFUSED: "failed", s.SENDING: "active"}.get(row.status or "", "queued")
    if row.status == COMPLETED:
        return "done"
    if row.status == FAILED:
        return "failed"
    if row.gone is not None:
        return "gone"
    return "queued" if row.status in (None, PENDING) else "active"


def _glyph_of(row: TableRow, role: str) -> str:
    return "held" if row.held and row.status == s.QUEUED else role


def status_word(row: TableRow) -> str:
    """The status in one word; a word that the documents do not know is shown as it came."""
    if row.kind == "submission":
        if row.held and row.status == s.QUEUED:
            return "held"
        if row.asks_first and row.status == s.QUEUED:
            return "asking first"
        words = {s.QUEUED: "waiting", s.UNKNOWN: "charged?"}
        return words.get(row.status or "", one_line(row.status or "", 20))
    if row.gone is not None and row.status not in (COMPLETED, FAILED):
        return {"NOT_FOUND": "not found", "NOT_YOURS": "not yours"}.get(row.gone, one_line(row.gone, 20).lower())
    if row.status is None:
        return "not asked"
    words = {PENDING: "queued", PROCESSING: "rendering", COMPLETED: "done", FAILED: "failed"}
    return words.get(row.status) or one_line(row.status, 20)


def time_text(row: TableRow, now: datetime) -> str:
    """How long it took, or has been rendering; empty where nobody knows."""
    if row.duration_ms is not None:
        return seconds_text(row.duration_ms / 1000, exact=True)
    elapsed = elapsed_s(row, now)
    return "" if elapsed is None else seconds_text(elapsed)


def progress_text(row: TableRow, now: datetime, glyphs: dict[str, str], durations: Durations | None) -> str:
    """Bar and time left of a job that is being rendered, else how long it took."""
    age_s = elapsed_s(row, now)
    if durations is None or age_s is None or row.duration_ms is not None:
        return time_text(row, now)
    return table_text(durations, int(age_s), ascii_only=glyphs["cut"].isascii())


def elapsed_s(row: TableRow, now: datetime) -> float | None:
    """Seconds since the server began, as of its last answer and the time since then."""
    checked = times.parse(row.checked_at)
    if row.kind != "generation" or role_of(row) != "active" or row.elapsed_ms is None or checked is None:
        return None
    return row.elapsed_ms / 1000 + max(0.0, (now - checked).total_seconds())


AGES = ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def age_text(sort_ms: int, now: datetime) -> str:
    """How long ago, in at most four characters; never negative."""
    seconds = _age_s(sort_ms, now)
    return next((f"{seconds // size}{unit}" for size, unit in AGES if seconds >= size), "0s")


def still_s(row: TableRow, now: datetime) -> int:
    """For how many seconds time alone changes nothing of what `cells` says."""
    if elapsed_s(row, now) is not None:
        return 0
    seconds = _age_s(row.sort_ms, now)
    return next((size - seconds % size - 1 for size, _ in AGES if seconds >= size), 0)


def _age_s(sort_ms: int, now: datetime) -> int:
    return max(0, int((now.timestamp() * 1000 - sort_ms) / 1000))


def credits_text(row: TableRow, glyphs: dict[str, str]) -> tuple[str, str, bool]:
    """`≤211` estimated, `211` used, `refunded`."""
    if row.status == FAILED and row.credits_used == 0:
        return "refunded", "muted", True
    if row.credits_used is not None:
        return f"{row.credits_used:,}", "plain", True
    if row.credits_estimate is not None:
        return f"{glyphs['most']}{row.credits_estimate:,}", "muted", True
    return glyphs["dash"] if row.kind == "generation" else "", "muted", True


def files_text(row: TableRow, glyphs: dict[str, str]) -> tuple[str, str, bool]:
    """`4` outputs, `↓ 43%` being fetched, `2/4` or `✓ 4` on disk."""
    if row.files_under_way:
        share = min(100, row.received * 100 // row.size) if row.size else None
        return f"{glyphs['down']} {'' if share is None else f'{share}%'}", "active", True
    if not row.files:
        return "", "muted", True
    if row.files_done >= row.files:
        return f"{glyphs['done']} {row.files}", "done", True
    if row.files_done:
        return f"{row.files_done}/{row.files}", "plain", True
    return str(row.files), "muted", True

"""The least that a Textual program with a table can be: the floor that `make bench-ui` compares with."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Footer, Header

ROWS = 100


class Floor(App[None]):
    """A header, a hundred rows, a footer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("j", "down", "down"),
        ("k", "up", "up"),
        ("q", "quit", "quit"),
    ]

    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable[str](cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("id", "model", "prompt", "status")
        for number in range(ROWS):
            table.add_row(f"{number:08x}", "a-model", f"prompt number {number}", "completed")

    def action_down(self) -> None:
        self.query_one(DataTable).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(DataTable).action_cursor_up()


if __name__ == "__main__":
    Floor().run()

"""What the table shows and in which order, chosen in a dialog.

Owns: these questions. Refuses: sorting (`navigation`, `store.order`) and remembering (`choices`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vivix_tui.store.order import Order
from vivix_tui.ui.navigation import sort_by
from vivix_tui.ui.screens.arranging import PickColumns, SortBy

if TYPE_CHECKING:
    from vivix_tui.ui.screens.main import MainScreen


def choose_order(screen: MainScreen) -> None:
    def sort(order: Order | None) -> None:
        if order is not None:
            sort_by(screen, order)

    screen.ask(SortBy(screen.listing.order), sort)


def choose_columns(screen: MainScreen) -> None:
    def show(columns: tuple[str, ...] | None) -> None:
        if columns is not None:
            screen.choose("columns", columns)

    screen.ask(PickColumns(screen.choices.settings.ui.columns), show)


TABLE_ACTIONS: dict[str, Callable[[MainScreen], None]] = {
    "view.sort": choose_order,
    "view.columns": choose_columns,
}

"""Which function does what a command names. Loaded after the first frame, as are the dialogs and forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vivix_tui.ui.actions.compose import COMPOSE_ACTIONS
from vivix_tui.ui.actions.files import FILE_ACTIONS
from vivix_tui.ui.actions.money import MONEY_ACTIONS
from vivix_tui.ui.actions.preview import toggle_preview
from vivix_tui.ui.actions.program import PROGRAM_ACTIONS
from vivix_tui.ui.actions.rows import ROW_ACTIONS
from vivix_tui.ui.actions.table import TABLE_ACTIONS

if TYPE_CHECKING:
    from vivix_tui.ui.screens.main import MainScreen

ACTIONS: dict[str, Callable[[MainScreen], None]] = {
    **MONEY_ACTIONS,
    **FILE_ACTIONS,
    **COMPOSE_ACTIONS,
    **TABLE_ACTIONS,
    **ROW_ACTIONS,
    "view.preview": toggle_preview,
    **PROGRAM_ACTIONS,
}

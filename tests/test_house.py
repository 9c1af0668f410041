"""The house: who loads what, seen in `sys.modules` of real processes; the static rules are import-linter's."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("textual", "rich", "httpx", "starlette", "uvicorn", "keyring", "humanize")


def loaded(code: str) -> set[str]:
    program = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("vivix_tui.domain.generation, vivix_tui.domain.naming, vivix_tui.domain.text", (*HEAVY, "sqlite3", "asyncio")),
        ("vivix_tui.store.query", (*HEAVY, "asyncio")),
        ("vivix_tui.verbs, vivix_tui.verbs_queue", (*HEAVY, "asyncio")),
        ("vivix_tui.api.client", ("textual", "sqlite3", "starlette")),
        ("vivix_tui.engine.engine", ("textual", "starlette", "uvicorn")),
        ("vivix_tui.ui.app", ("httpx", "segno", "vivix_tui.api", "vivix_tui.engine")),
        (
            "vivix_tui.demo.server",
            ("textual", "vivix_tui.api", "vivix_tui.store", "vivix_tui.domain", "vivix_tui.errors"),
        ),
        ("vivix_tui.demo.story", ("starlette", "uvicorn", "httpx")),
        ("vivix_tui.wiring", HEAVY),
        ("vivix_tui.cli.main", (*HEAVY, "sqlite3", "msgspec", "asyncio")),
    ],
)
def test_a_room_loads_only_what_it_may(module: str, never: tuple[str, ...]) -> None:
    assert loaded(f"import {module}") & set(never) == set()


def test_list_loads_neither_screen_nor_network(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("home")
    code = (
        f"import os; os.environ.update(XDG_DATA_HOME={str(folder)!r}, XDG_STATE_HOME={str(folder)!r},"
        f" XDG_CONFIG_HOME={str(folder)!r})\n"
        "from vivix_tui.cli.main import main; assert main(['list']) == 0"
    )
    assert loaded(code) & {"textual", "httpx", "asyncio", "starlette"} == set()


def test_version_loads_next_to_nothing() -> None:
    code = "from vivix_tui.cli.main import main\ntry: main(['--version'])\nexcept SystemExit: pass"
    assert loaded(code) & {*HEAVY, "sqlite3", "msgspec", "asyncio", "tomllib", "vivix_tui.config"} == set()

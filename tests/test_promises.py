"""The table of promises in tests/README.md names a proof for each row, and each proof is in the table."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parent
ROW = re.compile(r"^\| ([A-Z]{3}-\d{2}) \| (.+?) \| (.+?) \| (.*) \|$", re.MULTILINE)
PROMISED = 59


def table() -> dict[str, set[str]]:
    """Each row's id and the files that prove it."""
    rows = ROW.findall((TESTS / "README.md").read_text())
    return {row_id: set(re.findall(r"\]\(([^)]+)\)", files)) for row_id, _, _, files in rows}


def proofs() -> dict[str, set[str]]:
    """The ids in the names of tests, and the files where they are."""
    found = defaultdict[str, set[str]](set)
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for kind, number in re.findall(r"(?<![a-z])([a-z]{3})_(\d{2})(?=_)", node.name):
                    found[f"{kind.upper()}-{number}"].add(path.relative_to(TESTS).as_posix())
    return found


def test_every_promise_has_a_proof_and_every_proof_is_in_the_table() -> None:
    assert table() == proofs()
    assert len(table()) == PROMISED
    assert all(table().values()), [row_id for row_id, files in table().items() if not files]

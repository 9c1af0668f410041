"""Several connections on one database: in one process, in several. Rows STO-02, LIF-05."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from vivix_tui import verbs
from vivix_tui.store import query
from vivix_tui.store.store import Store

LOOK = "import sys; from pathlib import Path; from vivix_tui.store.store import Store; Store(Path(sys.argv[1])).close()"


def look(path: Path) -> None:
    """Another process opens the database and closes it."""
    subprocess.run([sys.executable, "-c", LOOK, str(path)], check=True, timeout=30)


def test_lif_05_a_process_with_two_connections_keeps_its_locks(tmp_path: Path) -> None:
    """POSIX drops a process's locks on a file when any descriptor of it is closed. A second connection that looked at
    the file beside SQLite let another process believe it was the last one: it deleted the log under the first."""
    path = tmp_path / "vivix.db"
    first, second = Store(path), Store(path)
    verbs.track(first, "p", [("a", None)])
    wal = path.with_name("vivix.db-wal").stat().st_ino
    look(path)
    assert path.with_name("vivix.db-wal").stat().st_ino == wal
    verbs.track(second, "p", [("b", None)])
    code = (
        "import sys; from pathlib import Path; from vivix_tui.store import query, store\n"
        "print(query.count(store.Store(Path(sys.argv[1])), 'p', query.Filter()))"
    )
    seen = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, timeout=30)
    assert seen.stdout.split() == [b"2"]
    assert query.count(first, "p", query.Filter()) == 2
    first.close()
    second.close()

"""`python -m tests.fuzz`: mutated answers of the API against the running engine; exits 1 when a promise was broken."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.run import run


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    arguments.add_argument("--n", type=int, default=5_000, metavar="N", help="mutated answers (default 5000)")
    arguments.add_argument("--seed", type=int, default=1, metavar="S", help="what chance depends on (default 1)")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="vivix-fuzz-") as folder:
        figures = run(Path(folder), cases=options.n, seed=options.seed)
    print(figures.text())
    return 1 if figures.broken else 0


if __name__ == "__main__":
    sys.exit(main())

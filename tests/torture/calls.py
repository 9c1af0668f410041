"""G5, in curl's manner: every call to the system of five journeys fails once, each in a run of its own.

Owns: the journeys, and what has to hold after each run. Refuses: how a call fails (`failing`).
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tests.srv import Srv
from tests.torture.figures import Figures
from tests.torture.journal import Journal, sha256
from tests.torture.kills import finish, home_for
from tests.torture.maker import Maker, body
from tests.torture.processes import Running

PROGRAM = (sys.executable, "-m", "tests.torture.failing")
CONFIG = '[api]\ntimeout_s = 5\n[download]\nauto = "completed"\nstall_s = 2\n'
AT_ONCE = 4
LONGEST_S = 60.0
EXIT_CODES = frozenset({0, 1, 2, 3, 4, 5})
OLD, FAILED = "00000000000000a1", "00000000000000f1"
FAILED_BODY = body("a failed one [fail]")


@dataclass(frozen=True, slots=True)
class Journey:
    """One command as a user would run it. `posts` is the body that it may send."""

    name: str
    arguments: tuple[str, ...]
    stdin: str = ""
    posts: str | None = None


SENT = body("a journey")
JOURNEYS = (
    Journey("submit", ("submit", "-", "--timeout", "20"), SENT, SENT),
    Journey("wait", ("wait", OLD, "--timeout", "20")),
    Journey("download", ("download", OLD, "--timeout", "20")),
    Journey("retry", ("retry", FAILED, "--yes", "--timeout", "20"), posts=FAILED_BODY),
    Journey("watch", ("watch",)),
)


def run(
    folder: Path, *, most: int, seed: int, journeys: Sequence[Journey] = JOURNEYS, at_once: int = AT_ONCE
) -> Figures:
    """At most `most` calls of each journey fail (0: every one), spread evenly."""
    figures = Figures(f"G5: one call to the system fails in each run of {len(journeys)} journeys")
    began = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        for journey in journeys:
            place = folder / journey.name
            place.mkdir()
            calls = _Run(journey, place / "0", 0, seed).play()
            figures.broken += calls.broken
            number = len(calls.called)
            step = max(1, -(-number // most)) if most else 1
            chosen = range(1 + seed % step, number + 1, step)
            runs = list(pool.map(lambda n, j=journey, p=place: _Run(j, p / str(n), n, seed).play(), chosen))
            figures.broken += [words for done in runs for words in done.broken]
            codes = Counter(done.code for done in runs)
            kinds = sorted(Counter(line.split()[0] for line in calls.called).items())
            figures.tell(f"{journey.name}: calls", f"{number} ({', '.join(f'{n} {kind}' for kind, n in kinds)})")
            figures.tell(f"{journey.name}: of which failed, one a run", len(runs))
            figures.tell(f"{journey.name}: exit codes", ", ".join(f"{n} × {c}" for c, n in sorted(codes.items())))
            figures.tell(f"{journey.name}: promises broken", sum(len(done.broken) for done in runs))
    figures.tell("seconds", time.monotonic() - began)
    return figures


@dataclass(slots=True)
class _Done:
    code: int
    called: list[str]
    broken: list[str]


class _Run:
    """A home, an API and a ledger of its own; the command with its `nth` call failing; then a start without a fault."""

    def __init__(self, journey: Journey, folder: Path, nth: int, seed: int) -> None:
        self._journey, self._folder, self._nth, self._seed = journey, folder, nth, seed
        self._broken = Figures("")

    def play(self) -> _Done:
        self._folder.mkdir()
        log = self._folder / "calls.log"
        with Srv() as srv:
            maker = Maker(srv, seed=self._seed, think_s=0.01, polls=1)
            maker.bodies |= {OLD: body("an old one"), FAILED: FAILED_BODY}
            home = home_for(self._folder, srv, CONFIG)
            lines = [json.dumps({"generation_id": key, "body": json.loads(text)}) for key, text in maker.bodies.items()]
            assert home.run("track", "-", stdin="\n".join(lines)).returncode == 0
            failing = replace(home, env=home.env | {"FAIL_NTH": str(self._nth), "FAIL_LOG": str(log)})
            journal = Journal.of(home)
            with Running(failing, *self._journey.arguments, stdin=self._journey.stdin, program=PROGRAM) as command:
                code = self._ended(command, journal)
                said = "\n".join([command.errors, *command.output])
            called = log.read_text().splitlines()
            self._check_words(code, said)
            finish(home, self._broken, timeout_s=LONGEST_S)
            # What the machine itself made impossible (a full disk, no more files) is told, and wished for once more.
            last = home.run("download", OLD, "--timeout", "20")
            self._broken.promise(last.returncode == 0, f"a second wish ended with {last.returncode}: {last.stderr}")
            self._check(journal, maker, code)
        name = called[self._nth - 1] if 0 < self._nth <= len(called) else "no call"
        return _Done(
            code, called, [f"{self._journey.name}, {self._nth} ({name}): {words}" for words in self._broken.broken]
        )

    def _ended(self, command: Running, journal: Journal) -> int:
        end = time.monotonic() + LONGEST_S
        if self._journey.name == "watch":
            time.sleep(1)
            while command.alive and journal.under_way() and time.monotonic() < end:
                time.sleep(0.1)
            self._broken.promise(not (command.alive and journal.under_way()), "rows did not end while it watched")
            return command.terminate() if command.alive else command.wait()
        while command.alive and time.monotonic() < end:
            time.sleep(0.05)
        self._broken.promise(not command.alive, f"it did not end within {LONGEST_S:.0f} s")
        return command.terminate() if command.alive else command.wait()

    def _check_words(self, code: int, said: str) -> None:
        broken = self._broken
        broken.promise(code in EXIT_CODES, f"exit code {code}")
        broken.promise(code == 0 or bool(said.strip()), f"it ended with {code} and said nothing")
        for words in ("Traceback", "internal error", "Exception ignored", "exception was never retrieved"):
            broken.promise(words not in said, f"it said {said[-600:]!r}")

    def _check(self, journal: Journal, maker: Maker, code: int) -> None:
        broken, posts = self._broken, self._journey.posts
        broken.promise(journal.integrity() == "ok", f"integrity_check: {journal.integrity()}")
        broken.none("databases moved aside", journal.moved_aside())
        broken.none("bodies POSTed more than once", [b for b, n in maker.counts().items() if n > 1])
        rows = journal.submissions()
        if posts is not None and code == 0:
            broken.promise([r["state"] for r in rows] == ["accepted"], f"done, and its rows are {rows}")
        broken.none("rows without an end", [r for r in rows if r["state"] not in ("accepted", "unknown")])
        told = maker.told
        broken.none("ids that the API did not tell", [r for r in rows if r["generation_id"] not in {None, *told}])
        broken.none("ids told and lost", [k for k in told if not any(r["generation_id"] in (k, None) for r in rows)])
        names = {row["path"]: row["generation_id"] for row in journal.downloads()}
        broken.none("files that are wrong or nobody's", [
            p for p in journal.files() if str(p) not in names or sha256(p) != maker.sha_of(names[str(p)])
        ])  # fmt: skip
        broken.promise(any(names), "the old one was not fetched in the end")

"""LIF-01, G1: kill -9 at random moments under full load, and start again; nothing paid for is lost or paid for twice.

Full load: commands that submit, `watch`, a dashboard on a terminal, up to three at a time on one database, so that
each kill of the one that runs the engine is a takeover, too; the API answers slowly, files come in pieces.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

from tests.conftest import KEY, Home, make_home
from tests.srv import Srv
from tests.torture.figures import Figures
from tests.torture.journal import Journal, sha256
from tests.torture.maker import Maker, body
from tests.torture.processes import Running

AT_ONCE = 3
BODIES_EACH = 4
CONFIG = '[api]\ntimeout_s = 5\n[download]\nauto = "completed"\nreserve_mb = 1\n'


def home_for(folder: Path, srv: Srv, config: str = CONFIG) -> Home:
    """A home whose program talks to `srv`, and fetches what completes."""
    home = make_home(folder, VIVIX_API_KEY=KEY, VIVIX_BASE_URL=srv.url)
    file = home.path / "config" / "vivix-tui" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(config)
    return home


def run(folder: Path, *, kills: int, seed: int, pause_s: float = 0.6) -> Figures:
    """`pause_s` is the mean time between two kills."""
    figures = Figures(f"G1, LIF-01: {kills} × kill -9 under full load")
    began = time.monotonic()
    with Srv() as srv:
        maker = Maker(srv, seed=seed)
        home = home_for(folder, srv)
        storm = Storm(home, random.Random(seed), pause_s)
        storm.run(kills)
        figures.tell("kills", storm.kills)
        figures.tell("submit commands that ended before their kill", storm.ended)
        figures.none("processes that ended with an error by themselves", storm.complaints)
        finish(home, figures)
        check(home, maker, figures, wished=storm.wished, acknowledged=storm.acknowledged)
        figures.tell("polls", srv.count("GET", "/api/v1/generations/*"))
        figures.tell("requests for files", srv.count("GET", "/out/*"))
    figures.tell("seconds", time.monotonic() - began)
    return figures


class Storm:
    """Starts processes of all kinds and kills them. `acknowledged` are ids that a command printed as accepted."""

    def __init__(self, home: Home, dice: random.Random, pause_s: float) -> None:
        self.kills = self.ended = 0
        self.wished: list[list[str]] = []
        self.acknowledged: list[str] = []
        self.complaints: list[str] = []
        self._home, self._dice, self._pause_s = home, dice, pause_s
        self._running: list[Running] = []

    def run(self, kills: int) -> None:
        try:
            while self.kills < kills:
                if len(self._running) < AT_ONCE:
                    self._running.append(self._start())
                self._rest(self._dice.expovariate(1 / self._pause_s))
                self._reap()
                if self._running:
                    victim = self._dice.choice(self._running)
                    self.kills += victim.kill()
                    self._take(victim)
        finally:
            for process in list(self._running):
                process.kill()
                self._take(process)

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for process in self._running:
                process.drain()
            time.sleep(0.01)

    def _start(self) -> Running:
        kind = self._dice.choices(["submit", "watch", "screen"], [6, 2, 2])[0]
        if kind != "submit":
            return Running(self._home, *(["watch"] if kind == "watch" else []), screen=kind == "screen")
        bodies = [body(f"{len(self.wished)}-{n}") for n in range(BODIES_EACH)]
        self.wished.append(bodies)
        return Running(self._home, "submit", "-", stdin="\n".join(bodies) + "\n")

    def _reap(self) -> None:
        for process in [p for p in self._running if not p.alive]:
            code = process.wait()
            self.ended += 1
            # 1: one of its bodies was being sent when another process was killed; it says so, and that is the truth.
            if process.arguments[:1] != ("submit",) or code not in (0, 1):
                self.complaints.append(f"{process.arguments} ended with {code}: {process.errors[-300:]}")
            self._take(process)

    def _take(self, process: Running) -> None:
        self._running.remove(process)
        if process.arguments[:1] == ("submit",):
            self.acknowledged += process.output
        with process:
            pass


def finish(home: Home, figures: Figures, timeout_s: float = 120) -> None:
    """One more start, and no kill: the program ends what is under way, with nobody's help."""
    journal = Journal.of(home)
    with Running(home, "watch") as watch:
        end = time.monotonic() + timeout_s
        # A signal that comes before it listens ends it like any other process.
        while ("watching" not in watch.errors or journal.under_way()) and time.monotonic() < end and watch.alive:
            time.sleep(0.2)
        figures.none("rows that did not end after the last start", range(journal.under_way()))
        figures.promise(watch.alive, f"the last start ended by itself: {watch.errors[-300:]}")
        figures.promise(watch.alive and watch.terminate() == 0, "the last start did not end with 0 on SIGTERM")


def check(home: Home, maker: Maker, figures: Figures, *, wished: list[list[str]], acknowledged: list[str]) -> None:
    """The API's ledger against the database and the files."""
    journal = Journal.of(home)
    rows = journal.submissions()
    by_body = {row["body"]: row for row in rows}
    generations = journal.generations()
    arrivals, told = maker.all(), maker.told
    figures.tell("bodies wished for", sum(map(len, wished)))
    figures.tell("submissions in the database", len(rows))
    figures.tell("POSTs that arrived", len(arrivals))
    for state, number in sorted(journal.states().items()):
        figures.tell(f"  {state}", number)
    figures.none("bodies POSTed more than once", [b for b, n in maker.counts().items() if n > 1])
    figures.none("POSTs of bodies that no row knows", [a.body for a in arrivals if a.body not in by_body])
    figures.none("wishes half written", [w for w in wished if 0 < sum(b in by_body for b in w) < len(w)])
    figures.none(
        "accepted generations lost",
        [
            i
            for i, b in told.items()
            if not (by_body.get(b, {}).get("state") == "unknown" or _is_stored(by_body.get(b, {}), i, generations))
        ],
    )
    figures.none("acknowledged ids lost", [i for i in acknowledged if i and i not in generations])
    figures.none("generations that the API did not make", [i for i in generations if i not in told])
    figures.none(
        "rows neither accepted nor unknown",
        [r["submission_id"] for r in rows if r["state"] not in ("accepted", "unknown")],
    )
    check_files(maker, journal, figures)
    figures.none("damaged databases", journal.moved_aside())
    figures.promise(journal.integrity() == "ok", f"integrity_check: {journal.integrity()}")
    figures.tell("integrity_check", journal.integrity())


def _is_stored(row: dict[str, object], generation_id: str, generations: dict[str, dict[str, object]]) -> bool:
    return row.get("state") == "accepted" and row.get("generation_id") == generation_id and generation_id in generations


def check_files(maker: Maker, journal: Journal, figures: Figures) -> None:
    """A final name holds the right bytes or does not exist; nothing else is left over."""
    downloads = journal.downloads()
    right = {maker.sha_of(i) for i in maker.told}
    files = journal.files()
    whole = [path for path in files if path.suffix == ".png"]
    figures.tell("files on disk", len(whole))
    figures.none("corrupt files", [p.name for p in whole if sha256(p) not in right])
    figures.none("leftovers beside the files", [p.name for p in files if p not in whole])
    figures.none(
        "downloads that are not done with the right file",
        [
            f"{row['generation_id']} {row['state']} {row['error']}"
            for row in downloads
            if row["state"] != "done"
            or row["sha256"] != maker.sha_of(row["generation_id"])
            or sha256(Path(row["path"])) != row["sha256"]
        ],
    )
    completed = [i for i, row in journal.generations().items() if row["status"] == "completed"]
    fetched = {row["generation_id"] for row in downloads}
    figures.none("completed generations without their file", [i for i in completed if i not in fetched])
    figures.none("files without a row", [p.name for p in whole if str(p) not in {r["path"] for r in downloads}])

"""G2, MON-01 to MON-03, MON-07, RAT-01, RAT-08: submissions and retries while every fifth answer goes wrong.

Each wish may be charged once at most, each unknown outcome is shown as unknown, and the API's ledger agrees with the
database. The run plays the user: it submits, retries what failed, resumes a queue that paused; it resolves nothing.
Several users run side by side, for a fault costs seconds of waiting and no work.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.srv import Answer, Connection, Srv, cut, error_reply, html_reply, json_reply, later, reply, reset, silence
from tests.torture.figures import Figures
from tests.torture.journal import Journal
from tests.torture.kills import home_for
from tests.torture.maker import DOUBTFUL, LOST, MADE, REFUSED, WAITS, Maker, Reply, body, created
from tests.torture.processes import Running

FAULT_SHARE = 0.2
RETRY_SHARE = 0.25
RETRIES_AT_ONCE = 5
USERS = 6
AGAIN_IN_1_S = {"Retry-After": "1"}
CONFIG = "[api]\ntimeout_s = 1\n"


def _slow(generation_id: str) -> Answer:
    return later(0.4, created(generation_id))


REPLIES = (
    Reply(DOUBTFUL, lambda i: reset(), "RST after the POST was read"),
    Reply(LOST, lambda i: reset(created(i)[:40]), "made, RST in the answer"),
    Reply(LOST, lambda i: cut(created(i)[:-9]), "made, answer cut"),
    Reply(LOST, lambda i: silence, "made, silence"),
    Reply(DOUBTFUL, lambda i: html_reply(502), "502 HTML"),
    Reply(LOST, lambda i: html_reply(504), "made, 504 HTML"),
    Reply(DOUBTFUL, lambda i: html_reply(503), "503 HTML"),
    Reply(LOST, lambda i: error_reply(500, "INTERNAL_ERROR"), "made, 500 JSON"),
    Reply(LOST, lambda i: json_reply(201, {"status": "pending"}), "made, 201 without id"),
    Reply(DOUBTFUL, lambda i: reply(307, b"", {"location": "/api/v1/generate"}), "307 redirect"),
    Reply(REFUSED, lambda i: error_reply(503, "PROVIDER_DOWN"), "503 PROVIDER_DOWN"),
    Reply(REFUSED, lambda i: error_reply(422, "VALIDATION_ERROR"), "422"),
    Reply(WAITS, lambda i: error_reply(429, "RATE_LIMITED", headers=AGAIN_IN_1_S), "429 RATE_LIMITED"),
    Reply(WAITS, lambda i: error_reply(429, "CONCURRENCY_LIMIT", headers=AGAIN_IN_1_S), "429 CONCURRENCY_LIMIT"),
    Reply(MADE, _slow, "made, told late"),
)
REFUSED_CONNECTION = "made, then connections refused for 0.7 s"
STATE_OF = {MADE: "accepted", LOST: "unknown", DOUBTFUL: "unknown", REFUSED: "refused"}


class Weather:
    """Which POST goes wrong, and how: every kind comes up once before one comes up again, whoever asks."""

    def __init__(self, share: float, seed: int) -> None:
        self._share, self._dice, self._lock = share, random.Random(seed), threading.Lock()
        self._left: list[Reply | None] = []

    def draw(self) -> Reply | str | None:
        """A reply, None where all is well, or words for a port that closes behind the answer."""
        with self._lock:
            if self._dice.random() >= self._share:
                return None
            if not self._left:
                self._left = [*REPLIES, None]
                self._dice.shuffle(self._left)
            return self._left.pop() or REFUSED_CONNECTION


class User:
    """One home, one API, `wishes` submissions and retries."""

    def __init__(self, folder: Path, *, wishes: int, seed: int, weather: Weather) -> None:
        self.intents: Counter[str] = Counter()
        self.resumed = self.restarted = self.outages = 0
        self.complaints: list[str] = []
        self.srv = Srv()
        self._wishes, self._weather = wishes, weather
        self._folder = folder
        self._provider_down = threading.Event()
        self._close_port = threading.Event()
        self._retried: set[str] = set()
        self._seed = seed

    def run(self) -> None:
        with self.srv:
            self.maker = Maker(self.srv, seed=self._seed, think_s=0.01, choose=self._reply)
            self.home = home_for(self._folder, self.srv, CONFIG)
            self.journal = Journal.of(self.home)
            self._submit()
            self._play()
            self.shown = self._shown()

    def _reply(self, _: str) -> Reply | None:
        drawn = self._weather.draw()
        if isinstance(drawn, str):
            return Reply(MADE, self._last_one, drawn)
        if drawn is not None and drawn.name == "503 PROVIDER_DOWN":
            self._provider_down.set()
        return drawn

    def _last_one(self, generation_id: str) -> Answer:
        """Tells the id and closes the port at once, so that the next POST finds it closed."""

        def act(connection: Connection) -> None:
            connection.send(created(generation_id))
            self.srv.refuse()
            self._close_port.set()

        return act

    def _submit(self) -> None:
        """What is not a retry; enough of it fails to be retried."""
        fail = self._wishes - round(self._wishes * RETRY_SHARE)
        bodies = [body(f"{self._seed}-{n}", words="[fail]" if n % 2 else "a fox \U0001f98a") for n in range(fail)]
        self.intents.update(bodies)
        self._cli("submit", "-", "--no-wait", stdin="\n".join(bodies) + "\n")

    def _cli(self, *arguments: str, stdin: str = "") -> str:
        done = self.home.run(*arguments, stdin=stdin)
        if done.returncode != 0:
            self.complaints.append(f"{arguments[:3]}: {done.returncode} {done.stderr[-300:]}")
        return done.stdout

    def _play(self, timeout_s: float = 400) -> None:
        """Until every wish has ended: the engine runs, the user retries and resumes, the weather changes."""
        watch = Running(self.home, "watch")
        end = time.monotonic() + timeout_s
        try:
            while time.monotonic() < end:
                time.sleep(0.1)
                if self._close_port.is_set():
                    self._outage()
                if self._provider_down.is_set():
                    # The program waits a minute then, as long as it lives; the user of this run does not.
                    self._provider_down.clear()
                    self._stop(watch)
                    watch = Running(self.home, "watch")
                    self.restarted += 1
                if self.journal.paused():
                    self._cli("queue", "resume")
                    self.resumed += 1
                if self._retry() and not self.journal.under_way():
                    break
            else:
                self.complaints.append(f"not done within {timeout_s} s: {self.journal.states()}")
            self._stop(watch)
        finally:
            with watch:
                pass

    def _stop(self, watch: Running) -> None:
        alive = watch.alive
        code = watch.terminate()
        if not alive or code != 0:
            words = "ended with" if alive else "had ended by itself with"
            self.complaints.append(f"watch {words} {code}: {watch.errors[-300:]}")

    def _outage(self) -> None:
        time.sleep(0.7)
        self.srv.listen()
        self._close_port.clear()
        self.outages += 1

    def _retry(self) -> bool:
        """Retries some of what failed. Whether all wishes were made, or nothing is left that could be retried."""
        left = self._wishes - sum(self.intents.values())
        failed = [
            row for i, row in self.journal.generations().items() if row["status"] == "failed" and i not in self._retried
        ]
        if left and (len(failed) >= min(left, RETRIES_AT_ONCE) or (failed and not self.journal.under_way())):
            chosen = failed[: min(left, RETRIES_AT_ONCE)]
            self._retried.update(row["generation_id"] for row in chosen)
            self.intents.update(row["body"] for row in chosen)
            self._cli("retry", "--yes", "--no-wait", *(row["generation_id"] for row in chosen))
            return False
        return not left or not failed

    def _shown(self) -> dict[str, tuple[str, str]]:
        """Submission → (state as JSON tells it, state as the plain list shows it)."""
        told = [json.loads(line) for line in self._cli("list", "--submissions", "--json").splitlines()]
        plain = {line.split()[0]: line.split()[1] for line in self._cli("list", "--submissions").splitlines()}
        return {item["submission_id"]: (item["state"], plain.get(item["submission_id"], "")) for item in told}


def run(folder: Path, *, submits: int, seed: int, users: int = USERS, share: float = FAULT_SHARE) -> Figures:
    """`submits` wishes in sum, a quarter of them retries."""
    figures = Figures(f"G2: {submits} submissions and retries, {share:.0%} faults, {users} users")
    began = time.monotonic()
    shares = [submits // users + (n < submits % users) for n in range(users)]
    weather = Weather(share, seed)
    crowd = [
        User(folder / f"user{n}", wishes=wishes, seed=seed * 100 + n, weather=weather)
        for n, wishes in enumerate(shares)
    ]
    for user in crowd:
        user._folder.mkdir()
    with ThreadPoolExecutor(users) as pool:
        for done in [pool.submit(user.run) for user in crowd]:
            done.result()
    check(crowd, figures)
    figures.tell("seconds", time.monotonic() - began)
    return figures


def check(crowd: list[User], figures: Figures) -> None:
    arrivals = [a for user in crowd for a in user.maker.all()]
    intents = sum(sum(user.intents.values()) for user in crowd)
    retries = sum(len(user._retried) for user in crowd)
    figures.tell("wishes", f"{intents} ({retries} of them retries)")
    figures.tell("POSTs that arrived", len(arrivals))
    for name, number in sorted(Counter(a.name for a in arrivals if a.name != "201").items()):
        figures.tell(f"  {name}", number)
    refused = "SELECT 1 FROM events WHERE event = 'queued' AND detail = 'NOT_SENT'"
    figures.tell("POSTs that met a closed port", sum(len(user.journal.rows(refused)) for user in crowd))
    figures.tell("queues resumed by the user", sum(user.resumed for user in crowd))
    figures.tell("engines started again", sum(user.restarted for user in crowd))
    figures.none("commands that failed", [c for user in crowd for c in user.complaints])
    figures.none("wishes that may have been charged twice", [b for u in crowd for b in _charged_twice(u)])
    figures.tell("  interrupted by an engine's end", sum(len(_interrupted(user)) for user in crowd))
    figures.none("bodies whose outcome differs from the ledger", [b for u in crowd for b in _differing(u)])
    figures.none("ids told and not stored, or stored and not told", [i for u in crowd for i in _ids_apart(u)])
    figures.none("unknown outcomes that are not shown as unknown", [s for u in crowd for s in _hidden(u)])
    states = sum((user.journal.states() for user in crowd), Counter[str]())
    for state, number in sorted(states.items()):
        figures.tell(f"  {state}", number)
    figures.none("wishes without an outcome", range(states["queued"] + states["sending"]))
    figures.promise(sum(states.values()) == intents, f"{intents} wishes, {sum(states.values())} rows")
    figures.none("databases that are not whole", [u.home.path for u in crowd if u.journal.integrity() != "ok"])


def _charged_twice(user: User) -> list[str]:
    counts = user.maker.counts()
    return [f"{text}: {counts[text]} POSTs for {n} wishes" for text, n in user.intents.items() if counts[text] > n]


def _outcomes(user: User) -> dict[str, tuple[Counter[str], Counter[str]]]:
    """For each body: what came of it by the ledger, and by the rows; what both say is left out."""
    ledger, rows = defaultdict[str, Counter[str]](Counter), defaultdict[str, Counter[str]](Counter)
    for arrival in user.maker.all():
        if arrival.ending != WAITS:
            ledger[arrival.body][STATE_OF[arrival.ending]] += 1
    for row in user.journal.submissions():
        rows[row["body"]][row["state"]] += 1
    apart = {text: (ledger[text] - rows[text], rows[text] - ledger[text]) for text in ledger | rows}
    return {text: two for text, two in apart.items() if any(two)}


def _interrupted(user: User) -> list[str]:
    """Bodies that met the end of an engine on their way: unknown here, whatever the ledger says."""
    return [
        t for t, (there, here) in _outcomes(user).items() if set(here) == {"unknown"} and there.total() <= here.total()
    ]


def _differing(user: User) -> list[str]:
    apart, excused = _outcomes(user), set(_interrupted(user))
    found = [f"{text}: ledger {dict(a)}, rows {dict(b)}" for text, (a, b) in apart.items() if text not in excused]
    if len(excused) > user.restarted:
        found.append(f"{len(excused)} interrupted by {user.restarted} ends of an engine")
    return found


def _ids_apart(user: User) -> list[str]:
    stored = {row["generation_id"] for row in user.journal.submissions() if row["state"] == "accepted"}
    told, interrupted = user.maker.told, set(_interrupted(user))
    missing = [i for i, text in told.items() if i not in stored and text not in interrupted]
    return missing + sorted(stored - set(told)) + sorted(stored ^ set(user.journal.generations()))


def _hidden(user: User) -> list[str]:
    unknown = {r["submission_id"]: r for r in user.journal.submissions() if r["state"] == "unknown"}
    wrong = [i for i, row in unknown.items() if user.shown.get(i) != ("unknown", "unknown") or not row["error"]]
    return wrong + [i for i, (state, _) in user.shown.items() if state == "unknown" and i not in unknown]

"""One run of the fuzzer: a whole engine in its thread, a real database, an API that answers badly, and the figures.

Owns: wishes, so that all four endpoints are asked, and the end. Refuses: answers (`api`) and judgements (`referee`).
"""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from tests.fuzz.api import Asked, MutatingApi, bodies
from tests.fuzz.ledger import Ledger
from tests.fuzz.quick import quick
from tests.fuzz.watch import Watch
from tests.srv import Srv
from tests.torture.figures import Figures
from vivix_tui import verbs, verbs_queue
from vivix_tui.config import Api, Config, Paths, Poll, Profile, Settings
from vivix_tui.engine.engine import Engine
from vivix_tui.keys import ApiKey
from vivix_tui.store.store import Store

PROFILE = "default"
TIMEOUT_S = 1.0
AT_ONCE, BAD_ANSWERS = 12, 15
POSTS_SHARE = 0.15
STEP_S = 0.03
PATIENCE_S = 60.0


def run(folder: Path, *, cases: int, seed: int, timeout_s: float = TIMEOUT_S) -> Figures:
    """`cases` mutated answers, drawn with `seed`. What arrives when depends on the threads. An answer of which the end
    does not come costs `timeout_s`; on a busy machine a short one is over before a whole answer was read."""
    figures = Figures(f"G3: {cases:,} mutated answers of the four endpoints to the running engine, seed {seed}")
    began = time.monotonic()
    with Srv() as srv, quick():
        config = _config(folder, srv, timeout_s)
        store = Store(config.paths.database)
        ledger = Ledger(config.paths.database)
        keys = itertools.count(1)
        engine = Engine(
            config, lambda: ApiKey(f"vvx_live_{next(keys):032d}")
        )  # each rejected one is followed by another
        api = MutatingApi(srv, ledger, seed=seed, cases=cases)
        with Watch(engine) as watch:
            engine.start()
            _feed(store, ledger, api, engine, figures, posts=int(cases * POSTS_SHARE))
            alive = engine.alive
            ended = engine.stop(5)
        _tell(figures, api, ledger)
        ledger.close()
        store.close()
    figures.promise(alive and engine.failure is None, f"the engine died: {engine.failure}")
    figures.promise(ended, "the engine did not end")
    figures.none("log tracebacks", watch.tracebacks)
    figures.none("stalls of the engine's loop > 1 s", [f"{s:.1f} s" for s in watch.stalls])
    figures.tell("longest beat of the loop, ms", round(watch.longest_s * 1000))
    figures.tell("seconds", time.monotonic() - began)
    return figures


def _config(folder: Path, srv: Srv, timeout_s: float) -> Config:
    names = {"config": "config.toml", "database": "vivix.db", "log": "vivix.log", "state": "state.toml"}
    return Config(
        settings=Settings(api=Api(timeout_s=timeout_s), poll=Poll(least_share=1.0)),
        profile=PROFILE,
        account=Profile(base_url=srv.url),
        paths=Paths(**{name: folder / file for name, file in names.items()}),
    )


def _feed(store: Store, ledger: Ledger, api: MutatingApi, engine: Engine, figures: Figures, *, posts: int) -> None:
    """Keeps the engine busy until all cases are out and every row that they touched was looked at."""
    bodies_to_post = bodies(posts)
    for body, submission_id in zip(
        bodies_to_post, verbs.submit(store, PROFILE, bodies_to_post, check=False).ids, strict=True
    ):
        api.submissions[body] = submission_id
    numbers = itertools.count(1)
    seen: object = None
    moved_at = time.monotonic()
    while engine.alive:
        if ledger.number("SELECT queue_paused FROM accounts") is not None:
            verbs_queue.resume(store, PROFILE)
        for generation_id in ledger.over(list(api.generations)):
            api.settle(generation_id)
        new = [] if api.done else [f"fuzz-{next(numbers)}" for _ in range(AT_ONCE - len(api.generations))]
        api.generations |= {generation_id: Asked(left=BAD_ANSWERS) for generation_id in new}
        if new:
            verbs.track(store, PROFILE, [(generation_id, None) for generation_id in new])
        waiting = ledger.number("SELECT count(*) FROM submissions WHERE state IN ('queued', 'sending')")
        if api.done and not api.generations and not waiting:
            break
        state = (api.cases, len(api.generations), waiting)
        if state != seen:
            seen, moved_at = state, time.monotonic()
        if time.monotonic() - moved_at > PATIENCE_S:
            figures.promise(False, f"nothing moves: {state}, {ledger.all('SELECT * FROM engines')}")
            break
        time.sleep(STEP_S)
    api.settle_post()


def _tell(figures: Figures, api: MutatingApi, ledger: Ledger) -> None:
    for kind, number in sorted(api.kinds.items()):
        figures.tell(f"  {kind}", number)
    for endpoint, number in sorted(api.endpoints.items()):
        figures.tell(f"cases for {endpoint}", number)
    figures.tell("answers that were taken / left alone", f"{api.applied} / {api.left_alone}")
    figures.tell("whole answers for which the deadline came first", api.too_late)
    figures.promise(api.too_late <= max(3, api.cases // 100), "so many that a good answer is worth nothing")
    figures.none("rows changed by a bad reply, or wrongly by a good one", api.faults)
    figures.none("downloads nobody wished for", ledger.all("SELECT * FROM downloads"))
    dead = ledger.all("SELECT trouble FROM engines WHERE trouble IS NOT NULL")
    figures.none("background tasks that died", dead)

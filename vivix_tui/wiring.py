"""The one place that knows every part: it builds them, joins them, and closes them in order.

Owns: who is handed what. Refuses: any behaviour of its own.
"""

from __future__ import annotations

import gc
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vivix_tui import first_config, keys, logs, support, verbs
from vivix_tui.config import Config, Paths
from vivix_tui.domain.idlist import parse_ids
from vivix_tui.domain.text import one_line
from vivix_tui.errors import KeyProblem, StoreError, UsageError, VivixError
from vivix_tui.files import make_private_folder
from vivix_tui.store.store import Store

if TYPE_CHECKING:
    from vivix_tui.engine.engine import Engine

CLOSING_S = 2.0
# So long a thread that calculates keeps the others waiting. SQLite gives way to it at each row that it reads: beside an
# engine that was busy a page of 40 rows took 0.35 to 0.7 s with Python's own 5 ms, and takes 0.01 s with this.
TURN_S = 0.0002
log = logging.getLogger("vivix_tui.wiring")


def open_store(config: Config) -> Store:
    """The database, opened for the calling thread; tells on stderr when a damaged one was moved aside."""
    store = Store(config.paths.database)
    if store.notice:
        print(f"vivix-tui: {store.notice}", file=sys.stderr)
    return store


KeySource = Callable[[], keys.ApiKey | None]


@contextmanager
def engine(config: Config) -> Iterator[Engine]:
    """The profile's engine in a thread of this process; it stands by while another process runs it.

    A command that has what it came for, or gives up, must not cut off the POST of another wish: what it was for would
    be unknown. Who is told to end (a signal, Ctrl-C) has not that much time.
    """
    running = build_engine(config, lambda: keys.read(config.account))
    running.start()
    whole_call_s = config.settings.api.timeout_s + CLOSING_S
    try:
        yield running
    except VivixError:
        running.stop(whole_call_s)
        raise
    else:
        running.stop(whole_call_s)
    finally:
        running.stop()


def build_engine(config: Config, key_source: KeySource) -> Engine:
    """The engine, not started. Importing it loads httpx, which the first frame must not wait for."""
    from vivix_tui.engine.engine import Engine  # noqa: PLC0415

    return Engine(config, key_source)


def run_dashboard(config: Config, key_source: KeySource | None = None) -> int:
    """The screen in this thread, the engine in another. Returns the exit code."""
    gc.disable()  # a tenth of loading Textual is looking for garbage that is none
    sys.setswitchinterval(TURN_S)
    from vivix_tui.ui.app import VivixApp  # noqa: PLC0415 - textual is for the dashboard alone

    logs.to_file(config.paths.log)
    store = Store(config.paths.database)
    parts = _Dashboard(config, key_source)
    app = VivixApp(
        store=store,
        profile=config.profile,
        settings=config.settings,
        notice=store.notice,
        on_ready=parts.start_engine,
        wake=parts.wake,
        unsaved=parts.unsaved,
        key_desk=parts,
        thumbnails=config.paths.thumbnails,
        state=config.paths.state,
        write_bundle=lambda: support.write(store, config),
    )
    try:
        app.run()
    finally:
        parts.close()
        store.close()
        gc.enable()
    if app.wants_demo:
        return run_demo(config, seed=1, speed=1.0, scenario="calm", data=None)
    return app.return_code or 0


class _Dashboard:
    """The engine behind one screen: started after the first frame, in a thread, since httpx takes 0.2 s to load.

    It takes keys that the user types; where they come from a `key_source` of the program's own, none is kept.
    """

    def __init__(self, config: Config, key_source: KeySource | None) -> None:
        self._config = config
        self._key_source = key_source or (lambda: keys.read(config.account))
        self._keeps = key_source is None
        self._offered: keys.ApiKey | None = None
        self._engine: Engine | None = None
        self._starter = threading.Thread(target=self._start, name="engine-start", daemon=True)

    def start_engine(self) -> None:
        self._starter.start()

    def _start(self) -> None:
        try:
            import vivix_tui.ui.actions.registry  # noqa: F401, PLC0415 - what keys need, and the first frame does not

            self._engine = build_engine(self._config, self._key_source)
            self._engine.start()
        except Exception:
            log.exception("the engine could not be started")
        finally:
            from vivix_tui.ui.caches import look_for_knots_seldom  # noqa: PLC0415 - it knows Textual

            look_for_knots_seldom()

    def wake(self) -> None:
        if self._engine is not None:
            self._engine.wake()

    def unsaved(self) -> str | None:
        """What the engine of this process knows and cannot store."""
        return self._engine.unsaved if self._engine is not None else None

    def offer_key(self, text: str) -> str | None:
        """Takes a key from the user for as long as this process lives. Returns a complaint, or None."""
        try:
            key = keys.clean(text, "what was typed")
        except KeyProblem as problem:
            return str(problem)
        if self._engine is None:
            return "the engine has not started yet"
        self._offered = key
        self._engine.use_key(key)
        return None

    def key_taken_up(self) -> bool:
        """Whether what the engine says of its connection is about the key that was offered last."""
        return self._engine is not None and self._offered is not None and self._engine.has_taken_up(self._offered)

    def place_for_key(self) -> first_config.Place | None:
        """Where the key would be kept, None where none ever is (in the demo)."""
        return first_config.place_for_key(self._config) if self._keeps else None

    def keep_key(self) -> str:
        """Writes the key that was offered last into its private file. Returns what was done; raises ConfigError."""
        if self._offered is None:
            raise UsageError("there is no key to keep")
        return first_config.keep_key(self._config, self._offered)

    def close(self) -> None:
        if self._starter.ident is not None:
            self._starter.join(2.0)
        if self._engine is not None:
            self._engine.stop()


def run_demo(config: Config, *, seed: int, speed: float, scenario: str, data: Path | None) -> int:
    """The dashboard on the built-in API: another process, real HTTP; `data` None is a throw-away folder."""
    folder = data.expanduser().absolute() if data else Path(tempfile.mkdtemp(prefix="vivix-tui-demo-"))
    try:
        make_private_folder(folder)
        demo = _demo_config(config, folder)
        with _demo_api(folder, seed=seed, speed=speed, scenario=scenario) as (base_url, key, opening, announced):
            demo = _with_api(demo, base_url)
            if scenario == "history":
                _write_past(demo, seed)
            _track(demo, opening)
            threading.Thread(target=_follow_script, args=(demo, announced), name="script", daemon=True).start()
            return run_dashboard(demo, lambda: keys.clean(key, "the demo's key"))
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}") from None
    finally:
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)


def _demo_config(config: Config, folder: Path) -> Config:
    import msgspec  # noqa: PLC0415

    settings = config.settings
    download = msgspec.structs.replace(settings.download, directory=str(folder / "outputs"))
    return msgspec.structs.replace(
        config,
        profile="demo",
        settings=msgspec.structs.replace(settings, download=download),
        paths=Paths(
            config=folder / "config.toml",
            database=folder / "vivix.db",
            log=folder / "vivix.log",
            state=folder / "state.toml",
            thumbnails=folder / "thumbnails",
        ),
    )


def _with_api(config: Config, base_url: str) -> Config:
    import msgspec  # noqa: PLC0415

    account = msgspec.structs.replace(config.account, base_url=base_url, api_key_command="", api_key_file="")
    return msgspec.structs.replace(config, account=account)


@contextmanager
def _demo_api(folder: Path, *, seed: int, speed: float, scenario: str) -> Iterator[tuple[str, str, str, Iterator[str]]]:
    """The simulated API in a process of its own; it ends with this one, whose end it sees at its standard input.

    Gives its base URL, its key, the lines about what exists at the start, and those that come later.
    """
    command = [sys.executable, "-m", "vivix_tui.demo", "--announce", "--seed", str(seed), "--speed", str(speed)]
    command += ["--scenario", scenario, "--data", str(folder)]
    log_path = folder / "demo-api.log"
    with log_path.open("ab") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )
    assert process.stdout is not None  # noqa: S101 - asked for above
    assert process.stdin is not None  # noqa: S101 - asked for above
    try:
        import vivix_tui.ui.app  # noqa: F401, PLC0415 - loaded while the other process starts

        ready = process.stdout.readline()
        if not ready:
            tail = log_path.read_text("utf-8", "replace").strip().rpartition("\n")[2]
            raise UsageError(
                f"the demo API did not start: {one_line(tail, 200)}",
                hint="it needs the extra: pip install 'vivix-tui[demo]'",
            )
        told = json.loads(ready)
        opening = "".join(process.stdout.readline() for _ in range(told["opening"]))
        yield told["base_url"], told["api_key"], opening, iter(process.stdout)
    finally:
        process.terminate()
        try:
            process.wait(2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdin.close()
        process.stdout.close()


def _follow_script(config: Config, announced: Iterator[str]) -> None:
    """Follows what the demo's imaginary pipeline submits, as `vivix-tui track -` would."""
    try:
        for line in announced:
            _track(config, line)
    except Exception:
        log.exception("the demo's script is no longer followed")


def _track(config: Config, lines: str) -> None:
    store = Store(config.paths.database)
    try:
        verbs.track(store, config.profile, parse_ids(lines))
    finally:
        store.close()


def _write_past(config: Config, seed: int, count: int = 100_000) -> None:
    """Fills a new history folder; one that is filled is used as it is."""
    from vivix_tui.api import wire  # noqa: PLC0415
    from vivix_tui.demo.story import past_generations  # noqa: PLC0415
    from vivix_tui.store import generations  # noqa: PLC0415

    store = Store(config.paths.database)
    try:
        if store.one("SELECT count(*) FROM (SELECT 1 FROM generations LIMIT 1)")[0]:
            return
        print(f"vivix-tui: writing a history of {count:,} generations …", file=sys.stderr)
        now = datetime.now(UTC)
        past = (
            (wire.answer(answer, answer["generation_id"], request_id=None), json.dumps(body, ensure_ascii=False))
            for answer, body in past_generations(seed, count, now, config.account.base_url)
        )
        with store.write() as connection:
            generations.insert_past(connection, config.profile, past, now)
    finally:
        store.close()

"""A whole engine in its thread, a real database, a scripted API: what the tests of the engine stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tests.conftest import KEY, until
from tests.srv import GENERATE, GET_GENERATION, Handler, Request, Srv, generation, id_of, json_reply
from vivix_tui import verbs
from vivix_tui.config import Api, Config, Download, Paths, Profile, Settings
from vivix_tui.domain import cadence
from vivix_tui.domain.download import Download as DownloadRow
from vivix_tui.domain.generation import Generation
from vivix_tui.domain.submission import Submission
from vivix_tui.engine.engine import Engine, KeySource
from vivix_tui.keys import ApiKey
from vivix_tui.store import accounts, downloads, generations, query, submissions
from vivix_tui.store.accounts import EngineState
from vivix_tui.store.store import Store

PROFILE = "default"
PAUSE_S = 0.02


class World:
    """One user's machine: a database, a folder for outputs, engines that can be started; and the API's side, `srv`."""

    def __init__(self, folder: Path, srv: Srv) -> None:
        self.folder = folder
        self.srv = srv
        self.outputs = folder / "outputs"
        self.config = Config(
            settings=Settings(api=Api(timeout_s=5), download=Download(directory=str(self.outputs), stall_s=5)),
            profile=PROFILE,
            account=Profile(base_url=srv.url),
            paths=Paths(
                config=folder / "config.toml",
                database=folder / "vivix.db",
                log=folder / "vivix.log",
                state=folder / "state.toml",
            ),
        )
        self.store = Store(self.config.paths.database)
        self.engines: list[Engine] = []

    def set(self, *, timeout_s: float | None = None, base_url: str | None = None, **download: Any) -> None:
        """Other settings, for engines that start after this."""
        settings = self.config.settings
        if timeout_s is not None:
            settings = msgspec.structs.replace(settings, api=Api(timeout_s=timeout_s))
        settings = msgspec.structs.replace(settings, download=msgspec.structs.replace(settings.download, **download))
        account = self.config.account if base_url is None else Profile(base_url=base_url)
        self.config = msgspec.structs.replace(self.config, settings=settings, account=account)

    def start(self, key: KeySource | None = None) -> Engine:
        """Another engine, as another process would run it."""
        engine = Engine(self.config, key or (lambda: ApiKey(KEY)))
        self.engines.append(engine)
        engine.start()
        return engine

    def close(self) -> None:
        for engine in self.engines:
            assert engine.stop(5), "the engine does not end"
        self.store.close()

    # ------------------------------------------------------------------------------------------------- wishes

    def track(self, *ids: str, body: str | None = None) -> None:
        verbs.track(self.store, PROFILE, [(generation_id, body) for generation_id in ids])

    def submit(self, *bodies: str) -> tuple[str, ...]:
        return verbs.submit(self.store, PROFILE, bodies, check=False).ids

    def completed(self, generation_id: str, *urls: str, prompt: str = "a fox", model: str = "m", **more: Any) -> None:
        """A generation that is done, and whose files are wished for."""
        body = msgspec.json.encode({"model": model, "prompt": prompt}).decode()
        self.track(generation_id, body=body)
        facts = generation(generation_id, "completed", model=model, output_urls=list(urls), **more)
        self.srv.on("GET", f"*/{generation_id}", json_reply(200, facts))
        verbs.download(self.store, PROFILE, generation_id)

    # -------------------------------------------------------------------------------------------------- facts

    def row(self, generation_id: str) -> Generation:
        found = generations.get(self.store, PROFILE, generation_id)
        assert found is not None
        return found

    def status(self, generation_id: str) -> str | None:
        return self.row(generation_id).status

    def submission(self, submission_id: str) -> Submission:
        found = submissions.get(self.store, submission_id)
        assert found is not None
        return found

    def state(self, submission_id: str) -> str:
        return self.submission(submission_id).state

    def downloads(self, generation_id: str) -> list[DownloadRow]:
        return downloads.of(self.store, PROFILE, generation_id)

    def download(self, generation_id: str) -> DownloadRow | None:
        found = self.downloads(generation_id)
        return found[0] if found else None

    def ended(self, generation_id: str, timeout_s: float = 15) -> DownloadRow:
        """Its first download, once that is over."""
        until(lambda: (x := self.download(generation_id)) and x.state in ("done", "failed", "paused"), timeout_s)
        found = self.download(generation_id)
        assert found is not None
        return found

    @property
    def engine_row(self) -> EngineState:
        return accounts.engine_state(self.store, PROFILE) or EngineState(pid=0, connection="none")

    @property
    def paused(self) -> str | None:
        return query.queue_paused(self.store, PROFILE)

    def files(self) -> list[Path]:
        """Every file below the outputs but the descriptions of outputs."""
        return sorted(path for path in self._below() if path not in self.descriptions())

    def descriptions(self) -> list[Path]:
        """The JSON files beside outputs."""
        return sorted(path for path in self._below() if path.suffix == ".json" and path.with_suffix("").exists())

    def _below(self) -> list[Path]:
        return [path for path in self.outputs.rglob("*") if path.is_file()]

    def dump(self) -> str:
        """All that the database holds, as text."""
        names = [row[0] for row in self.store.all("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return "\n".join(str(tuple(row)) for name in names for row in self.store.all(f'SELECT * FROM "{name}"'))

    # ---------------------------------------------------------------------------------------------- API's side

    def polls(self, generation_id: str = "*") -> list[Request]:
        return self.srv.calls("GET", f"/api/v1/generations/{generation_id}")

    @property
    def posts(self) -> list[Request]:
        return self.srv.calls("POST", GENERATE)

    def answer_polls(self, answer: Handler | bytes) -> None:
        self.srv.on("GET", GET_GENERATION, answer)

    def answer_posts(self, answer: Handler | bytes) -> None:
        self.srv.on("POST", GENERATE, answer)


def made(request: Request) -> bytes:
    """201, with an id of its own for every POST."""
    return json_reply(201, {"generation_id": f"new-{request.at}", "status": "pending", "credits_estimate": 120})


def status_of(status: str, **more: object) -> Handler:
    """A handler that says this status of whatever is asked about."""
    return lambda request: json_reply(200, generation(id_of(request), status, **more))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting that no test is about is short."""
    monkeypatch.setattr(cadence, "GAP_MIN_S", 0.1)
    monkeypatch.setattr(cadence, "GAP_MAX_S", 0.1)
    monkeypatch.setattr(cadence, "PAUSE_S", 0.1)
    monkeypatch.setattr("vivix_tui.engine.watchlist.FRESH_S", -1.0)
    monkeypatch.setattr("vivix_tui.engine.engine.PUBLISH_S", 0.1)
    monkeypatch.setattr("vivix_tui.engine.engine.WATCH_S", 0.05)
    monkeypatch.setattr("vivix_tui.engine.submitter.NO_CONNECTION_WAIT_S", 0.1)
    dice = SimpleNamespace(uniform=lambda low, high: PAUSE_S)
    monkeypatch.setattr("vivix_tui.engine.downloader.random", dice)


@pytest.fixture
def srv() -> Iterator[Srv]:
    with Srv() as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, srv: Srv) -> Iterator[World]:
    built = World(tmp_path, srv)
    built.answer_polls(status_of("pending"))
    built.answer_posts(made)
    yield built
    built.close()


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[Callable[[Srv], World]]:
    """For tests with a server of their own."""
    built: list[World] = []

    def make(server: Srv) -> World:
        built.append(World(tmp_path, server))
        return built[-1]

    yield make
    for one in built:
        one.close()

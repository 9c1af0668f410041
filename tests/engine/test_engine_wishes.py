"""What was chosen in a dashboard reaches an engine that runs already, in whatever process."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.conftest import until
from tests.engine.conftest import PROFILE, World
from tests.engine.test_engine_download_queue import FILE, PATH, held, part_of
from tests.srv import generation, image_reply, json_reply
from vivix_tui import verbs


def test_another_folder_holds_at_once_and_until_it_is_taken_back(world: World, tmp_path: Path) -> None:
    world.srv.on("GET", "/out/*.png", image_reply(FILE))
    world.start()
    elsewhere = tmp_path / "elsewhere"
    verbs.choose_downloads(world.store, PROFILE, directory=str(elsewhere), auto=None)
    world.completed("g1", f"{world.srv.url}{PATH}")
    item = world.ended("g1")
    assert item.path is not None
    assert Path(item.path).is_relative_to(elsewhere)
    verbs.choose_downloads(world.store, PROFILE, directory=None, auto=None)
    world.completed("g2", f"{world.srv.url}{PATH}")
    item = world.ended("g2")
    assert item.path is not None
    assert not Path(item.path).is_relative_to(elsewhere)


def test_all_that_completes_is_fetched_as_soon_as_that_is_chosen(world: World) -> None:
    world.srv.on("GET", "/out/*.png", image_reply(FILE))
    for name in ("before", "after"):
        facts = generation(name, "completed", output_urls=[f"{world.srv.url}{PATH}"])
        world.srv.on("GET", f"*/{name}", json_reply(200, facts))
    world.start()
    world.track("before")
    until(lambda: world.status("before") == "completed")
    verbs.choose_downloads(world.store, PROFILE, directory=None, auto="completed")
    world.track("after")
    assert world.ended("after").state == "done"
    assert world.download("before") is None
    verbs.choose_downloads(world.store, PROFILE, directory=None, auto="off")


def test_what_was_begun_stays_where_it_was_begun(world: World, tmp_path: Path) -> None:
    gate = threading.Event()
    held(world, gate)
    world.completed("g1", f"{world.srv.url}{PATH}")
    world.start()
    until(lambda: part_of(world))
    part = part_of(world)
    assert part is not None
    verbs.stop_download(world.store, PROFILE, "g1")
    until(lambda: not any(x.name == "download" for x in threading.enumerate()), what="nobody reads any longer")
    verbs.choose_downloads(world.store, PROFILE, directory=str(tmp_path / "elsewhere"), auto=None)
    gate.set()
    verbs.download(world.store, PROFILE, "g1")
    until(lambda: (x := world.download("g1")) and x.state == "done")
    item = world.download("g1")
    assert item is not None
    assert Path(item.path or "").parent == part.parent
    assert Path(item.path or "").read_bytes() == FILE

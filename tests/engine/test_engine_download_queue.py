"""The queue of downloads: who goes when, what the user stops, what outlasts an outage, and the file beside the file."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import until
from tests.engine.conftest import PROFILE, World
from tests.srv import Answer, Connection, Request, Srv, free_port, image_reply, png, range_reply, reply, reset
from vivix_tui import verbs

FILE = png(400_000)
PATH = "/out/1.png"


def held(world: World, gate: threading.Event) -> None:
    """Output files of which half comes at once, and the rest when the gate opens."""
    whole = image_reply(FILE, etag='"v1"')

    def answer(request: Request) -> Answer:
        if "range" in request.headers:
            return range_reply(request, FILE, etag='"v1"')

        def act(connection: Connection) -> None:
            connection.send(whole[:200_000])
            gate.wait(10)
            connection.send(whole[200_000:])

        return act

    world.srv.on("GET", "/out/*.png", answer)


def part_of(world: World, generation_id: str = "g1") -> Path | None:
    item = world.download(generation_id)
    path = Path(item.part) if item is not None and item.part else None
    return path if path is not None and path.exists() and path.stat().st_size > 0 else None


def test_what_is_paused_keeps_its_bytes_and_goes_on_where_it_was(world: World) -> None:
    gate = threading.Event()
    held(world, gate)
    world.completed("g1", f"{world.srv.url}{PATH}")
    world.start()
    until(lambda: part_of(world))
    assert verbs.stop_download(world.store, PROFILE, "g1").text == "paused 1 download"
    until(lambda: not any(x.name == "download" for x in threading.enumerate()), what="nobody reads any longer")
    part = part_of(world)
    assert part is not None
    begun = part.stat().st_size
    item = world.download("g1")
    assert item is not None
    assert (item.state, item.error) == ("paused", None)
    gate.set()
    verbs.download(world.store, PROFILE, "g1")
    assert world.ended("g1").state == "done"
    assert [path.read_bytes() == FILE for path in world.files()] == [True]
    assert world.srv.calls("GET", PATH)[-1].headers["range"] == f"bytes={begun}-"


def test_what_is_cancelled_leaves_nothing_and_others_go_on(world: World) -> None:
    gate = threading.Event()
    held(world, gate)
    for name in ("g1", "g2"):
        world.completed(name, f"{world.srv.url}{PATH}")
    world.start()
    until(lambda: part_of(world, "g1") and part_of(world, "g2"))
    assert verbs.stop_download(world.store, PROFILE, "g1", cancel=True).text == "cancelled 1 download"
    until(lambda: len(world.files()) == 1, what="its part is removed")
    item = world.download("g1")
    assert item is not None
    assert (item.state, item.path) == ("cancelled", None)
    gate.set()
    assert world.ended("g2").state == "done"
    found = world.download("g1")
    assert found is not None
    assert (found.state, found.part, found.path) == ("cancelled", None, None)
    verbs.download(world.store, PROFILE, "g1")
    until(lambda: (x := world.download("g1")) and x.state == "done")


def test_a_wish_for_files_that_do_not_exist_yet_is_taken_back(world: World) -> None:
    world.track("g1")
    verbs.download(world.store, PROFILE, "g1")
    told = verbs.stop_download(world.store, PROFILE, "g1", cancel=True).text
    assert told == "its files will not be downloaded"
    assert verbs.stop_download(world.store, PROFILE, "g1", cancel=True).text == "nothing is under way"


def test_two_at_most_come_from_one_host_and_other_hosts_do_not_wait(world: World) -> None:
    gate = threading.Event()
    world.set(parallel=4)
    held(world, gate)
    for number in range(4):
        world.completed(f"g{number}", f"{world.srv.url}/out/{number}.png")
    world.completed("other", f"http://localhost:{world.srv.port}/out/other.png")
    world.start()
    until(lambda: world.srv.count("GET", "/out/other.png"), what="the other host is not kept waiting")
    assert sum(world.srv.count("GET", f"/out/{n}.png") for n in range(4)) == 2
    gate.set()
    until(lambda: all((x := world.download(f"g{n}")) and x.state == "done" for n in range(4)))


def test_a_line_that_breaks_again_and_again_brings_the_file_as_long_as_it_brings_something(world: World) -> None:
    breaks, step = 9, len(FILE) // 10

    def answer(request: Request) -> Answer:
        whole = range_reply(request, FILE, etag='"v1"')
        body = whole.index(b"\r\n\r\n") + 4
        return reset(whole[: body + step], pause_s=0.1) if request.nth <= breaks else whole

    world.srv.on("GET", PATH, answer)
    world.completed("g1", f"{world.srv.url}{PATH}")
    world.start()
    assert world.ended("g1", 40).state == "done"
    assert hashlib.sha256(world.files()[0].read_bytes()).hexdigest() == hashlib.sha256(FILE).hexdigest()
    assert world.srv.count("GET", PATH) == breaks + 1


def test_a_host_that_is_down_for_more_attempts_than_answers_may_fail_is_waited_for(world: World) -> None:
    port = free_port()
    world.completed("g1", f"http://127.0.0.1:{port}{PATH}")
    world.start()
    until(lambda: (x := world.download("g1")) and "no connection" in (x.error or ""))
    with Srv(port=port, defaults=False) as host:
        host.on("GET", PATH, image_reply(FILE))
        assert world.ended("g1", 20).state == "done"


def test_a_host_that_names_a_pause_is_left_alone_for_so_long(world: World) -> None:
    at = list[float]()

    def answer(request: Request) -> Answer:
        at.append(time.monotonic())
        return reply(503, b"", {"retry-after": "2"}) if request.nth == 1 else image_reply(FILE)

    world.srv.on("GET", PATH, answer)
    world.completed("g1", f"{world.srv.url}{PATH}")
    world.start()
    assert world.ended("g1").state == "done"
    assert at[1] - at[0] >= 2.0


def test_the_bandwidth_of_all_downloads_together_is_kept(world: World) -> None:
    world.set(bandwidth=400_000)
    world.srv.on("GET", "/out/*.png", image_reply(FILE))
    for name in ("g1", "g2"):
        world.completed(name, f"{world.srv.url}/out/{name}.png")
    began = time.monotonic()
    world.start()
    until(lambda: all((x := world.download(n)) and x.state == "done" for n in ("g1", "g2")))
    assert time.monotonic() - began >= 1.6, "800,000 bytes at 400,000 a second"


def test_a_file_is_described_beside_it(world: World) -> None:
    world.srv.on("GET", PATH, image_reply(FILE))
    url = f"{world.srv.url}{PATH}"
    world.completed("g1", url, prompt="a fox \u202e", credits_used=211, duration_ms=12_400)
    world.start()
    item = world.ended("g1")
    (file,), (description,) = world.files(), world.descriptions()
    assert description.name == f"{file.name}.json"
    assert description.stat().st_mode & 0o777 == 0o600
    told = json.loads(description.read_text())
    assert told["generation_id"] == "g1"
    assert (told["model"], told["credits_used"], told["duration_ms"], told["index"]) == ("m", 211, 12_400, 1)
    assert (told["url"], told["sha256"], told["size_bytes"]) == (url, item.sha256, len(FILE))
    assert told["body"]["model"] == "m"
    assert told["file"] == file.name


def test_no_description_where_none_is_wanted(world: World) -> None:
    world.set(sidecar=False)
    world.srv.on("GET", PATH, image_reply(FILE))
    world.completed("g1", f"{world.srv.url}{PATH}")
    world.start()
    world.ended("g1")
    assert world.descriptions() == []


@pytest.mark.parametrize("text", ["mine", "[1]", '{"generation_id": "other", "index": 1}', ""])
def test_a_file_of_the_user_is_no_description_to_replace(world: World, text: str) -> None:
    world.srv.on("GET", PATH, image_reply(FILE))
    folder = world.outputs / "2026-05-10"
    folder.mkdir(parents=True)
    (folder / "m-g1-1.png.json").write_text(text)
    world.completed("g1", f"{world.srv.url}{PATH}")
    world.start()
    assert world.ended("g1").state == "done"
    assert (folder / "m-g1-1.png.json").read_text() == text


def test_a_link_planted_where_the_description_goes_is_not_followed(world: World, tmp_path: Path) -> None:
    world.srv.on("GET", PATH, image_reply(FILE))
    folder, secret = world.outputs / "2026-05-10", tmp_path / "secret"
    folder.mkdir(parents=True)
    secret.write_text("keep")
    (folder / "m-g1-1.png.json").symlink_to(secret)
    world.completed("g1", f"{world.srv.url}{PATH}")
    world.start()
    assert world.ended("g1").state == "done"
    assert secret.read_text() == "keep"


def test_what_is_fetched_again_is_described_again(world: World) -> None:
    world.srv.on("GET", PATH, image_reply(FILE))
    world.completed("g1", f"{world.srv.url}{PATH}")
    world.start()
    world.ended("g1")
    (file,), (description,) = world.files(), world.descriptions()
    file.unlink()
    description.write_text(description.read_text().replace("a fox", "another"))
    verbs.download(world.store, PROFILE, "g1")
    until(lambda: world.files() == [file] and (x := world.download("g1")) is not None and x.state == "done")
    assert "a fox" in description.read_text()

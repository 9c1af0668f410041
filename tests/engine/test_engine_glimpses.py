"""Outputs fetched to be looked at and not kept: bounded, private, refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import until
from tests.engine.conftest import PROFILE, World
from tests.preview.conftest import ASSETS
from tests.srv import Answer, Request, cut, endless, html_reply, image_reply, png, reply, silence
from vivix_tui import verbs
from vivix_tui.domain.glimpse import FETCHED, REFUSED, WANTED, Glimpse
from vivix_tui.store import glimpses

FILE = png(50_000)


def looked_at(world: World, answer: Answer, *, url: str | None = None) -> Glimpse:
    """What came of a wish to look at the one output of g1."""
    world.srv.on("GET", "/out/1.png", lambda _: answer)
    world.track("g1")
    world.completed("g1", url or f"{world.srv.url}/out/1.png")
    verbs.stop_download(world.store, PROFILE, "g1", cancel=True)
    if not world.engines:
        world.start()
    until(lambda: world.row("g1").status == "completed")
    verbs.glimpse(world.store, PROFILE, [("g1", 1)])
    until(lambda: glimpses.of(world.store, PROFILE, "g1")[1].state != WANTED)
    return glimpses.of(world.store, PROFILE, "g1")[1]


def in_folder(world: World) -> list[Path]:
    folder = world.config.paths.glimpses
    return list(folder.iterdir()) if folder.exists() else []


def test_an_output_is_fetched_to_be_looked_at_and_is_no_download(world: World) -> None:
    found = looked_at(world, image_reply(FILE))
    assert (found.state, found.error) == (FETCHED, None)
    assert found.path is not None
    assert Path(found.path).read_bytes() == FILE
    assert Path(found.path).stat().st_mode & 0o777 == 0o600
    assert Path(found.path).parent.stat().st_mode & 0o777 == 0o700
    assert world.downloads("g1") == []
    assert world.files() == []


def test_sec_03_no_key_and_no_cookie_on_glimpses(world: World) -> None:
    looked_at(world, image_reply(FILE, headers={"set-cookie": "a=b"}))
    verbs.glimpse(world.store, PROFILE, [("g1", 1)])
    until(lambda: len(world.srv.calls("GET", "/out/1.png")) == 2)
    for request in world.srv.calls("GET", "/out/1.png"):
        assert not {"authorization", "cookie", "proxy-authorization"} & set(request.headers)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "https://127.0.0.1.nip.invalid/1", "http://10.0.0.1/a.png"])
def test_sec_05_an_url_that_leads_elsewhere_is_not_looked_at(world: World, url: str) -> None:
    found = looked_at(world, image_reply(FILE), url=url)
    assert (found.state, found.path) == (REFUSED, None)
    assert found.error
    assert in_folder(world) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(404), "the server answered 404 and d asks for another link"),
        (reply(503), "the server answered 503"),
        (html_reply(200), "what came is no picture or video"),
        (cut(image_reply(FILE)[:-100]), "bytes came"),
        (endless(image_reply(FILE, headers={"content-length": "900000000"}), b"x" * 65_536), "larger than the 16 MB"),
    ],
)
def test_what_cannot_be_looked_at_says_why_and_leaves_nothing(world: World, answer: Answer, words: str) -> None:
    found = looked_at(world, answer)
    assert found.state == REFUSED
    assert words in (found.error or "")
    assert in_folder(world) == []


def test_of_a_long_video_the_beginning_is_enough(world: World) -> None:
    video = (ASSETS / "video-16x9-a.mp4").read_bytes()
    head = reply(200, video, {"content-type": "video/mp4", "content-length": "900000000"})
    found = looked_at(world, endless(head, b"\0" * 65_536))
    assert found.state == FETCHED
    assert found.path is not None
    assert 16_000_000 < Path(found.path).stat().st_size < 17_000_000


def test_a_second_wish_for_what_is_under_way_changes_nothing_and_an_old_one_is_dropped(world: World) -> None:
    world.track("g1")
    world.completed("g1", f"{world.srv.url}/out/1.png")
    assert verbs.glimpse(world.store, PROFILE, [("g1", 1)]).done == 0, "it has no URLs yet"
    world.srv.on("GET", "/out/1.png", image_reply(FILE))
    world.start()
    world.ended("g1")
    assert verbs.glimpse(world.store, PROFILE, [("g1", 1), ("g1", 2), ("g1", 0)]).done == 1
    with world.store.write() as connection:
        connection.execute("UPDATE glimpses SET state = 'wanted', wished_at = '2026-01-01T00:00:00+00:00'")
    seen = len(world.srv.calls("GET", "/out/1.png"))
    world.completed("g2", f"{world.srv.url}/out/1.png")
    world.ended("g2")
    assert len(world.srv.calls("GET", "/out/1.png")) <= seen + 1


def test_an_output_that_is_looked_at_leaves_downloads_their_turn(world: World) -> None:
    """A host that never answers holds two glimpses, and no download."""
    world.set(stall_s=2)

    def answer(request: Request) -> Answer:
        return image_reply(FILE) if request.nth > 1 else silence

    world.srv.on("GET", "/out/1.png", answer)
    world.completed("g1", f"{world.srv.url}/out/1.png")
    verbs.stop_download(world.store, PROFILE, "g1", cancel=True)
    world.start()
    until(lambda: world.row("g1").status == "completed")
    verbs.glimpse(world.store, PROFILE, [("g1", 1)])
    until(lambda: len(world.srv.calls("GET", "/out/1.png")) == 1)
    verbs.download(world.store, PROFILE, "g1")
    assert world.ended("g1").state == "done"

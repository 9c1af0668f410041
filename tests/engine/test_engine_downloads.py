"""Downloads by a whole engine: resuming, never mixing, never replacing, never leaking. Rows DOW-*, SEC-*."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.certificates import BAD, GOOD, Authority
from tests.conftest import until
from tests.engine.conftest import PROFILE, World
from tests.srv import (
    Answer,
    Connection,
    Handler,
    Request,
    Srv,
    chunked,
    cut,
    drip,
    endless,
    error_reply,
    generation,
    html_reply,
    image_reply,
    json_reply,
    later,
    png,
    range_reply,
    reply,
    reset,
    stall,
)
from vivix_tui import verbs
from vivix_tui.domain.download import Download
from vivix_tui.domain.naming import relative_path
from vivix_tui.engine.address import ForbiddenURL, addresses_of, check_url
from vivix_tui.store import downloads

SIZE = 1_000_000
CHUNK = 128 * 1024
FILE = png(SIZE)
OTHER = png(SIZE, seed=2)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def head(data: bytes, etag: str | None = None) -> bytes:
    """The head of an answer that promises all of `data`."""
    return image_reply(data, etag=etag).removesuffix(data)


def broken_at(part: float, data: bytes, etag: str | None = None) -> Answer:
    """Promises `data` and resets the connection on the way."""
    return reset(head(data, etag) + data[: int(len(data) * part)], pause_s=0.15)


def first_broken(then: Handler) -> Handler:
    """The first time FILE, version 1, is broken off at 60 %."""
    return lambda r: broken_at(0.6, FILE, '"v1"') if r.nth == 1 else then(r)


def fetched(world: World, answer: Callable[[Request], Answer], **more: str) -> list[Request]:
    """Wishes for one output that is answered so, waits for the end, and returns the requests."""
    world.srv.on("GET", "/out/1.png", answer)
    world.completed("g1", f"{world.srv.url}/out/1.png", **more)
    world.start()
    world.ended("g1")
    return world.srv.calls("GET", "/out/1.png")


def part_size(world: World) -> int:
    """How many bytes of the first output lie on disk so far."""
    item = world.download("g1")
    path = Path(item.part) if item is not None and item.part else None
    return path.stat().st_size if path is not None and path.exists() else 0


def is_done(world: World, data: bytes) -> None:
    """The download ended well, and its file holds exactly `data`."""
    until(lambda: (x := world.download("g1")) is None or x.state != "done" or x.part is None)
    item = world.download("g1")
    assert item is not None
    assert (item.state, item.error) == ("done", None)
    assert item.path is not None
    found = Path(item.path).read_bytes()
    assert sha(found) == sha(data) == item.sha256
    assert (item.size_bytes, item.received_bytes, item.verified) == (len(data), len(data), True)
    assert world.files() == [Path(item.path)], "nothing else is left behind"


def test_a_plain_file_arrives_private_under_a_name_of_its_own(world: World) -> None:
    old = os.umask(0o022)
    try:
        (request,) = fetched(world, lambda r: image_reply(FILE))
    finally:
        os.umask(old)
    is_done(world, FILE)
    (path,) = world.files()
    assert path.relative_to(world.outputs).as_posix() == "2026-05-10/m-g1-1.png"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "range" not in request.headers
    assert request.headers["accept-encoding"] == "identity"


def test_sec_08_the_folders_of_outputs_are_private(world: World) -> None:
    old = os.umask(0o022)
    try:
        fetched(world, lambda r: image_reply(FILE))
    finally:
        os.umask(old)
    for folder in (world.outputs, world.outputs / "2026-05-10"):
        assert folder.stat().st_mode & 0o777 == 0o700, folder


def test_four_outputs_are_four_files(world: World) -> None:
    files = [png(5_000, seed=i) for i in range(4)]
    for i, data in enumerate(files):
        world.srv.on("GET", f"/out/{i}.png", image_reply(data))
    world.completed("g1", *(f"{world.srv.url}/out/{i}.png" for i in range(4)))
    world.start()
    until(lambda: [d.state for d in world.downloads("g1")] == ["done"] * 4)
    for i, item in enumerate(world.downloads("g1")):
        assert (item.index, item.sha256) == (i + 1, sha(files[i]))
        assert Path(item.path or "").read_bytes() == files[i]
    assert len(world.files()) == 4


def test_dow_12_four_outputs_under_one_name_get_suffixes(world: World) -> None:
    world.set(template="{model}")
    files = [png(50_000, seed=i) for i in range(4)]
    for i, data in enumerate(files):
        world.srv.on("GET", f"/out/{i}.png", image_reply(data))
    world.completed("g1", *(f"{world.srv.url}/out/{i}.png" for i in range(4)))
    world.start()
    until(lambda: [d.state for d in world.downloads("g1")] == ["done"] * 4)
    for item, data in zip(world.downloads("g1"), files, strict=True):
        assert Path(item.path or "").read_bytes() == data
    assert {path.name for path in world.files()} == {"m.png", "m-2.png", "m-3.png", "m-4.png"}


def test_dow_12_generations_whose_names_are_alike_do_not_share_a_part(world: World) -> None:
    """Ids that begin alike make the same name; fetched at the same time, each file holds its own bytes."""
    files = {f"same-begin-{i}": png(400_000, seed=i) for i in range(3)}
    for generation_id, data in files.items():
        slowly = [head(data) + data[:200_000], data[200_000:]]

        def act(connection: Connection, parts: list[bytes] = slowly) -> None:
            connection.send(parts[0])
            connection.wait(0.4)
            connection.send(parts[1])

        world.srv.on("GET", f"/out/{generation_id}.png", lambda r, act=act: act)  # type: ignore[misc]
        world.completed(generation_id, f"{world.srv.url}/out/{generation_id}.png")
    world.start()
    for generation_id, data in files.items():
        item = world.ended(generation_id)
        assert (item.state, item.error) == ("done", None)
        assert sha(Path(item.path or "").read_bytes()) == item.sha256 == sha(data)
    assert len(world.files()) == 3


def test_dow_01_a_reset_at_60_percent_is_resumed_behind_what_came(world: World) -> None:
    first, second = fetched(
        world, lambda r: broken_at(0.6, FILE, '"v1"') if r.nth == 1 else range_reply(r, FILE, etag='"v1"')
    )
    is_done(world, FILE)
    assert "range" not in first.headers
    assert second.headers["if-range"] == '"v1"'
    begin = int(second.headers["range"].removeprefix("bytes=").removesuffix("-"))
    assert begin >= SIZE * 0.6 - CHUNK, "what was sent in all is at most the size and one chunk"


def test_dow_01_many_resets_are_resumed_one_after_another(world: World) -> None:
    def answer(request: Request) -> Answer:
        whole = range_reply(request, FILE, etag='"v1"')
        at = whole.index(b"\r\n\r\n") + 4
        return whole if request.nth >= 5 else reset(whole[: at + 200_000], pause_s=0.1)

    requests = fetched(world, answer)
    is_done(world, FILE)
    begins = [int(r.headers["range"].removeprefix("bytes=").removesuffix("-")) for r in requests[1:]]
    assert begins == sorted(begins)
    assert len(set(begins)) == len(begins) == 4


def test_dow_01_a_restart_of_the_engine_resumes(world: World) -> None:
    world.srv.on("GET", "/out/1.png", lambda r: stall(head(FILE, '"v1"') + FILE[:600_000]))
    world.completed("g1", f"{world.srv.url}/out/1.png")
    engine = world.start()
    until(lambda: part_size(world) >= 600_000 - CHUNK)
    assert engine.stop()
    world.srv.on("GET", "/out/1.png", lambda r: range_reply(r, FILE, etag='"v1"'))
    world.start()
    world.ended("g1")
    is_done(world, FILE)
    assert "range" in world.srv.calls("GET", "/out/1.png")[-1].headers


def test_dow_02_a_resume_that_is_answered_with_the_whole_file_begins_anew(world: World) -> None:
    first, second = fetched(
        world, lambda r: broken_at(0.6, FILE, '"v1"') if r.nth == 1 else image_reply(FILE, etag='"v1"')
    )
    assert "range" in second.headers
    is_done(world, FILE)
    assert first.nth == 1


def test_dow_03_a_changed_etag_is_never_mixed(world: World) -> None:
    fetched(world, first_broken(lambda r: range_reply(r, OTHER, etag='"v2"')))
    is_done(world, OTHER)


@pytest.mark.parametrize("size", [SIZE, SIZE + 5_000], ids=["same size", "another size"])
def test_dow_03_a_range_of_another_version_is_never_mixed(world: World, size: int) -> None:
    """A server that does not know If-Range sends the rest of the new version, with its new validator."""
    new = png(size, seed=2)

    def answer(request: Request) -> Answer:
        if request.nth == 1:
            return broken_at(0.6, FILE, '"v1"')
        if "range" not in request.headers:
            return image_reply(new, etag='"v2"')
        begin = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        told = {"etag": '"v2"', "content-range": f"bytes {begin}-{size - 1}/{size}"}
        return reply(206, new[begin:], told)

    requests = fetched(world, answer)
    is_done(world, new)
    assert len(requests) <= 4


def test_dow_03_another_size_alone_shows_another_version(world: World) -> None:
    new = png(SIZE + 5_000, seed=2)

    def answer(request: Request) -> Answer:
        if request.nth == 1:
            return broken_at(0.6, FILE, '"v1"')
        if "range" not in request.headers:
            return image_reply(new)
        begin = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        return reply(206, new[begin:], {"content-range": f"bytes {begin}-{len(new) - 1}/{len(new)}"})

    fetched(world, answer)
    is_done(world, new)


@pytest.mark.parametrize("etag", ['W/"v1"', None, "v1", ""], ids=["weak", "none", "unquoted", "empty"])
def test_dow_03_without_a_strong_validator_it_begins_anew(world: World, etag: str | None) -> None:
    requests = fetched(world, lambda r: broken_at(0.6, FILE, etag) if r.nth == 1 else range_reply(r, OTHER, etag=etag))
    is_done(world, OTHER)
    assert all("range" not in r.headers for r in requests)


def test_dow_03_a_file_that_always_changes_is_given_up_after_a_bounded_number(world: World) -> None:
    requests = fetched(world, lambda r: broken_at(0.5, png(SIZE, seed=r.nth), f'"v{r.nth}"'))
    item = world.download("g1")
    assert item is not None
    assert item.state == "failed"
    assert item.error
    assert len(requests) <= 10


@pytest.mark.parametrize(
    ("status", "value"),
    [
        (206, "bytes 0-999999/1000000"),
        (206, "bytes 700000-999999/1000000"),
        (206, "bytes */1000000"),
        (206, "items 600000-999999/1000000"),
        (206, "garbage"),
        (206, ""),
        (416, "bytes */5"),
    ],
)
def test_dow_02_a_wrong_content_range_begins_anew(world: World, status: int, value: str) -> None:
    def answer(request: Request) -> Answer:
        if request.nth == 1:
            return broken_at(0.6, FILE, '"v1"')
        if "range" in request.headers:
            return reply(status, OTHER[:400_000], {"content-range": value, "etag": '"v1"'})
        return image_reply(FILE, etag='"v1"')

    requests = fetched(world, answer)
    is_done(world, FILE)
    assert len(requests) == 3


def test_dow_02_a_206_that_nobody_asked_for_is_not_kept(world: World) -> None:
    fetched(
        world,
        lambda r: (
            reply(206, FILE[:5000], {"content-range": "bytes 0-4999/1000000"}) if r.nth == 1 else image_reply(FILE)
        ),
    )
    is_done(world, FILE)


CUTS: dict[str, Answer] = {
    "length": cut(head(FILE) + FILE[:400_000]),
    "chunked": cut(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunked(FILE[:400_000], end=False)),
    "until close": cut(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + FILE[:400_000]),
    "nothing": cut(head(FILE)),
}


@pytest.mark.parametrize("name", CUTS)
def test_dow_06_a_cut_body_is_never_done(world: World, name: str) -> None:
    gate = threading.Event()

    def answer(request: Request) -> Answer:
        if request.nth <= 2:
            return CUTS[name]
        gate.wait(10)
        return image_reply(FILE)

    world.srv.on("GET", "/out/1.png", answer)
    world.completed("g1", f"{world.srv.url}/out/1.png")
    world.start()
    until(lambda: world.srv.count("GET", "/out/1.png") == 3)
    assert [path.suffix for path in world.files()] == [".part"]
    item = world.download("g1")
    assert item is not None
    assert (item.state, item.path) == ("active", None)
    assert item.error
    gate.set()
    world.ended("g1")
    is_done(world, FILE)


@pytest.mark.parametrize("name", CUTS)
def test_dow_06_a_body_that_is_always_cut_fails_in_the_end(world: World, name: str) -> None:
    requests = fetched(world, lambda r: CUTS[name])
    item = world.download("g1")
    assert item is not None
    assert (item.state, item.path) == ("failed", None)
    assert 3 <= len(requests) <= 10
    assert [path for path in world.files() if path.suffix != ".part"] == []


NO_MEDIA: dict[str, bytes] = {
    "HTML": html_reply(200),
    "JSON": error_reply(200, "EXPIRED"),
    "text": reply(200, b"link expired"),
    "empty": reply(200, b""),
    "HTML as PNG": reply(200, b"<html>", {"content-type": "image/png"}),
    "SVG": reply(200, b'<svg xmlns="http://www.w3.org/2000/svg"/>', {"content-type": "image/svg+xml"}),
    "ELF": reply(200, b"\x7fELF" + b"\x00" * 200, {"content-type": "image/png"}),
    "204": reply(204),
    "403": error_reply(403, "EXPIRED"),
    "404": html_reply(404),
    "410": reply(410, b"gone"),
    "401": error_reply(401, "KEY_REVOKED"),
}


@pytest.mark.parametrize("name", NO_MEDIA)
def test_dow_08_what_is_no_media_is_not_saved(world: World, name: str) -> None:
    fetched(world, lambda r: NO_MEDIA[name])
    item = world.download("g1")
    assert item is not None
    assert (item.state, item.path, item.sha256) == ("failed", None, None)
    assert item.error
    assert "<" not in item.error
    assert "internal error" not in item.error
    assert [path for path in world.files() if path.suffix != ".part"] == []
    assert world.engine_row.connection != "rejected", "an output host says nothing about the key"


@pytest.mark.parametrize("name", ["HTML", "403", "410"])
def test_dow_12_a_download_that_failed_for_good_leaves_no_empty_file(world: World, name: str) -> None:
    fetched(world, lambda r: NO_MEDIA[name])
    until(lambda: world.files() == [], timeout_s=1)


@pytest.mark.parametrize("name", ["HTML", "403", "404", "410"])
def test_dow_08_a_dead_link_is_asked_for_once_more_and_the_new_one_is_fetched(world: World, name: str) -> None:
    world.srv.on("GET", "/out/old.png", NO_MEDIA[name])
    world.srv.on("GET", "/out/new.png", image_reply(FILE))
    world.completed("g1", f"{world.srv.url}/out/old.png")

    def links(request: Request) -> bytes:
        link = f"{world.srv.url}/out/{'old' if request.nth == 1 else 'new'}.png"
        return json_reply(200, generation("g1", "completed", output_urls=[link]))

    world.srv.on("GET", "*/g1", links)
    world.start()
    until(lambda: (x := world.download("g1")) and x.state == "done", timeout_s=4, what="the new link is fetched")
    is_done(world, FILE)
    assert len(world.polls("g1")) == 2


def test_dow_08_a_link_that_stays_dead_is_asked_for_once_only(world: World) -> None:
    fetched(world, lambda r: NO_MEDIA["410"])
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 0.8)
    assert len(world.polls("g1")) <= 2
    assert world.srv.count("GET", "/out/1.png") <= 2


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_dow_08_a_host_in_trouble_is_asked_again(world: World, status: int) -> None:
    requests = fetched(world, lambda r: html_reply(status) if r.nth < 3 else image_reply(FILE))
    is_done(world, FILE)
    assert len(requests) == 3


def test_dow_09_silence_in_a_body_is_a_stall_and_is_resumed(world: World) -> None:
    world.set(stall_s=1.0)
    gate = threading.Event()

    def answer(request: Request) -> Answer:
        if request.nth == 1:
            return stall(head(FILE, '"v1"') + FILE[:600_000])
        gate.wait(10)
        return range_reply(request, FILE, etag='"v1"')

    world.srv.on("GET", "/out/1.png", answer)
    world.completed("g1", f"{world.srv.url}/out/1.png")
    world.start()
    until(lambda: (x := world.download("g1")) and "stalled" in (x.error or ""))
    gate.set()
    world.ended("g1")
    is_done(world, FILE)
    assert "range" in world.srv.calls("GET", "/out/1.png")[1].headers


def test_dow_09_ten_bytes_a_second_are_a_stall(world: World) -> None:
    world.set(stall_s=0.5)
    slow = drip(head(FILE, '"v1"') + FILE[:200_000], b"\x00", pause_s=0.1)
    world.srv.on("GET", "/out/1.png", lambda r: slow if r.nth == 1 else image_reply(FILE))
    world.completed("g1", f"{world.srv.url}/out/1.png")
    world.start()
    until(lambda: world.srv.count("GET", "/out/1.png") == 2, timeout_s=4, what="the slow one is given up")
    world.ended("g1")
    is_done(world, FILE)


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
BESIDE_THE_BODY = {
    "the size of a chunk": drip(CHUNKED + chunked(FILE[:200_000], end=False), b"0", pause_s=0.05),
    "its extension": drip(CHUNKED + chunked(FILE[:200_000], end=False) + b"5;", b"x", pause_s=0.05),
    "trailers": drip(CHUNKED + chunked(FILE[:200_000], end=False) + b"0\r\n", b"x: y\r\n", pause_s=0.05),
    "trailers, fast": endless(CHUNKED + chunked(FILE[:200_000], end=False) + b"0\r\n", b"x: y\r\n" * 1000),
    "the head": drip(b"HTTP/1.1 200 OK\r\n", b"x", pause_s=0.05),
    "interim answers": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
}


@pytest.mark.parametrize("name", BESIDE_THE_BODY)
def test_dow_09_what_comes_beside_the_body_hides_no_stall(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes come all the time, but none of the file."""
    monkeypatch.setattr("vivix_tui.engine.fetch.CONNECT_TIMEOUT_S", 0.3)
    world.set(stall_s=0.4, parallel=1)
    world.srv.on("GET", "/out/1.png", lambda r: BESIDE_THE_BODY[name] if r.nth == 1 else image_reply(FILE))
    world.completed("g1", f"{world.srv.url}/out/1.png")
    world.start()
    until(lambda: world.srv.count("GET", "/out/1.png") == 2, timeout_s=8, what="it is given up and asked for again")
    world.ended("g1")
    is_done(world, FILE)


def test_dow_09_a_stalled_download_keeps_no_other_one_waiting(world: World) -> None:
    world.set(stall_s=0.4, parallel=1)
    world.srv.on("GET", "/out/hole.png", lambda r: stall(head(FILE)))
    world.srv.on("GET", "/out/1.png", image_reply(FILE))
    world.completed("hole", f"{world.srv.url}/out/hole.png")
    world.start()
    until(lambda: world.srv.count("GET", "/out/hole.png"))
    world.completed("g1", f"{world.srv.url}/out/1.png")
    assert world.ended("g1").state == "done"


def test_dow_12_an_existing_file_is_never_replaced(world: World) -> None:
    folder = world.outputs / "2026-05-10"
    folder.mkdir(parents=True)
    mine = folder / "m-g1-1.png"
    mine.write_bytes(b"mine")
    (folder / "m-g1-1-2.png").symlink_to("/nonexistent/elsewhere")
    fetched(world, lambda r: image_reply(FILE))
    item = world.download("g1")
    assert item is not None
    assert item.path == str(folder / "m-g1-1-3.png")
    assert mine.read_bytes() == b"mine"
    assert Path(item.path).read_bytes() == FILE
    assert (folder / "m-g1-1-2.png").is_symlink()


def test_dow_12_a_file_of_the_user_that_ends_with_part_is_left_alone(world: World) -> None:
    folder = world.outputs / "2026-05-10"
    folder.mkdir(parents=True)
    for name in ("m-g1-1.1.part", "m-g1-1.part", "m-g1-1.png.part"):
        (folder / name).write_bytes(b"mine")
    fetched(world, lambda r: image_reply(FILE))
    assert world.ended("g1").state == "done"
    for name in ("m-g1-1.1.part", "m-g1-1.part", "m-g1-1.png.part"):
        assert (folder / name).read_bytes() == b"mine"


def interrupted(world: World, etag: str | None = '"v1"') -> Download:
    """The engine stopped with some 600,000 bytes of the file on disk."""
    world.srv.on("GET", "/out/1.png", lambda r: stall(head(FILE, etag) + FILE[:600_000]))
    world.completed("g1", f"{world.srv.url}/out/1.png")
    engine = world.start()
    until(lambda: part_size(world) >= 600_000 - CHUNK)
    assert engine.stop()
    item = world.download("g1")
    assert item is not None
    return item


AFTER_THE_KILL = {"403": error_reply(403, "EXPIRED"), "HTML": html_reply(200), "another version": image_reply(OTHER)}


@pytest.mark.parametrize("name", AFTER_THE_KILL)
@pytest.mark.parametrize("etag", ['"v1"', None], ids=["strong", "no validator"])
def test_dow_12_a_kill_between_link_and_unlink_leaves_the_file_whole(world: World, name: str, etag: str | None) -> None:
    """`part` and the final name are then one inode: what begins the part anew must not empty the file."""
    item = interrupted(world, etag)
    assert item.part is not None
    part, final = Path(item.part), world.outputs / "2026-05-10" / "m-g1-1.png"
    part.write_bytes(FILE)
    os.link(part, final)  # as `finish` does, and then the kill
    world.srv.on("GET", "/out/1.png", AFTER_THE_KILL[name])
    world.start()
    world.ended("g1")
    assert sha(final.read_bytes()) == sha(FILE)


def test_dow_12_a_kill_before_the_part_is_removed_leaves_no_leftover_and_fetches_nothing_again(world: World) -> None:
    """The part goes away only after the row knows the final name; a kill between the two is made good at the start."""
    fetched(world, lambda r: image_reply(FILE))
    done = world.ended("g1")
    until(lambda: world.download("g1") == replace(done, part=None), what="the part is forgotten")
    assert world.engines[-1].stop()
    final = Path(done.path or "")
    part = final.with_name("m-g1-1.part")
    os.link(final, part)
    with world.store.write() as connection:
        connection.execute("UPDATE downloads SET part = ?", (str(part),))
    requests = world.srv.count("GET", "/out/*")
    world.start()
    until(lambda: world.download("g1") == replace(done, part=None), what="the leftover is removed")
    assert world.files() == [final]
    assert sha(final.read_bytes()) == sha(FILE)
    assert world.srv.count("GET", "/out/*") == requests


# -------------------------------------------------------------------------------------------------------------- URLs


def test_sec_03_no_key_and_no_cookie_on_downloads(world: World) -> None:
    """Neither to the host, nor to the next one of a redirect, nor on a later visit."""
    told = {"set-cookie": "session=secret; Path=/"}
    with Srv() as other:
        other.on("GET", "/there.png", image_reply(FILE, headers=told))
        world.srv.on("GET", "/out/1.png", reply(302, b"", told | {"location": f"{other.url}/there.png"}))
        world.completed("g1", f"{world.srv.url}/out/1.png")
        world.start()
        assert world.ended("g1").state == "done"
        world.completed("g2", f"{world.srv.url}/out/1.png")
        assert world.ended("g2").state == "done"
        requests = world.srv.calls("GET", "/out/*") + other.calls()
    assert len(requests) == 4
    for request in requests:
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers
        assert "vvx_live" not in str(request.headers)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_sec_05_five_redirects_are_followed(world: World, status: int) -> None:
    for i in range(1, 6):
        place = f"/out/{i + 1}.png" if i % 2 else f"{world.srv.url}/out/{i + 1}.png"
        world.srv.on("GET", f"/out/{i}.png", reply(status, b"", {"location": place}))
    world.srv.on("GET", "/out/6.png", image_reply(FILE))
    world.completed("g1", f"{world.srv.url}/out/1.png")
    world.start()
    world.ended("g1")
    is_done(world, FILE)


def test_sec_05_six_redirects_are_too_many(world: World) -> None:
    requests = fetched(world, lambda r: reply(302, b"", {"location": "/out/1.png"}))
    item = world.download("g1")
    assert item is not None
    assert item.state == "failed"
    assert "redirects" in (item.error or "")
    assert len(requests) == 6


REFUSED = [
    "http://10.0.0.1/x.png",
    "http://example.com/x.png",
    "https://10.0.0.1/x.png",
    "https://192.168.1.1/x.png",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fe80::1]/x.png",
    "https://[::ffff:10.0.0.1]/x.png",
    "https://0.0.0.0/x.png",
    "https://0x0a000001/x.png",
    "https://167772161/x.png",
    "https://user:pass@example.com/x.png",
    "https://user@example.com/x.png",
    "file:///etc/passwd",
    "ftp://example.com/x.png",
    "data:image/png;base64,iVBORw0KGgo=",
    "javascript:alert(1)",
    "gopher://example.com/",
    "https://",
    "https:///x.png",
    "http://[::1",
    "https://[::1]:port/x.png",
    "https://example.com:99999/x.png",
    "https://example.com/\x00.png",
    "https://example.com/a\r\nHost: x",
    "https://example.com/" + "x" * 70_000,
    "not a URL",
    "//example.com/x.png",
    "/etc/passwd",
]


@pytest.mark.parametrize("url", REFUSED, ids=lambda url: repr(url[:40]))
def test_sec_05_an_url_that_leads_elsewhere_is_refused_with_a_message(world: World, url: str) -> None:
    world.completed("g1", url)
    world.start()
    item = world.ended("g1")
    assert item.state == "failed"
    assert item.error
    assert "internal error" not in item.error
    assert len(item.error) < 300
    assert not any(ord(c) < 32 for c in item.error)
    assert item.attempts <= 1
    assert [path for path in world.files() if path.suffix != ".part"] == []


REDIRECTS = [url for url in REFUSED if url.isprintable() and len(url) < 8_000 and "://" in url] + [
    "//10.0.0.1/x",
    "http://[::1",
]


@pytest.mark.parametrize("url", REDIRECTS, ids=repr)
def test_sec_05_a_redirect_that_leads_elsewhere_is_refused_with_a_message(world: World, url: str) -> None:
    requests = fetched(world, lambda r: reply(302, b"", {"location": url}))
    item = world.download("g1")
    assert item is not None
    assert item.state == "failed"
    assert item.error
    assert "internal error" not in item.error
    readable = url not in ("http://[::1", "https://[::1]:port/x.png")
    assert len(requests) <= (1 if readable else 6)


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "172.16.0.1", "192.168.0.1", "127.0.0.1", "0.0.0.0", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.0.8", "::1", "::", "fe80::1", "fe80::1%lo", "fc00::1",
        "fec0::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::10.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b:1::10.0.0.1", "2002:a00:1::", "2002:7f00:1::", "2001:db8::1", "100::1", "127.1",
        "0x7f.1", "2130706433",
    ],
)  # fmt: skip
def test_sec_05_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(ForbiddenURL):
        addresses_of(address, 443, loopback=False, private=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_sec_05_a_public_address_is_allowed(address: str) -> None:
    addresses_of(address, 443, loopback=False, private=False)


def test_sec_05_loopback_is_for_those_whose_api_is_there() -> None:
    check_url("http://127.0.0.1:8000/x.png", loopback=True)
    for url in ("http://127.0.0.1:8000/x.png", "http://localhost/x.png"):
        with pytest.raises(ForbiddenURL):
            check_url(url, loopback=False)


def test_sec_05_multicast_and_unspecified_stay_forbidden_with_allow_private() -> None:
    addresses_of("10.0.0.1", 443, loopback=False, private=True)
    for address in ("224.0.0.1", "0.0.0.0", "::", "ff02::1"):
        with pytest.raises(ForbiddenURL):
            addresses_of(address, 443, loopback=False, private=True)


@pytest.mark.parametrize("kind", BAD)
def test_sec_07_a_bad_certificate_of_an_output_host_ends_it_and_is_told(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with Srv(tls=authority.context(kind, "127.0.0.1")) as other:
        world.completed("g1", f"{other.url}/x.png")
        world.start()
        item = world.ended("g1")
        assert item.state == "failed"
        assert re.search(f"certificate is not trusted: .*{BAD[kind]}", item.error or "")
        assert other.count() == 0
    assert world.files() == []


def test_sec_07_a_good_certificate_of_an_output_host_is_all_that_those_lack(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with Srv(tls=authority.context(GOOD, "127.0.0.1")) as other:
        other.on("GET", "/x.png", image_reply(FILE))
        world.completed("g1", f"{other.url}/x.png")
        world.start()
        assert world.ended("g1").state == "done"
        (only,) = other.calls()
        assert "authorization" not in only.headers


# ------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("template", "prompt", "model"),
    [
        ("{model}/{prompt}-{id}", "../../../etc/passwd", "../../up"),
        ("{prompt}/{model}-{id}", "..", ".hidden"),
        ("{prompt}-{id}", "\x00\x1b]0;x\x07nul", "m"),
        ("{prompt}{id}", "x" * 300, "y" * 300),
        ("{prompt:200}{model:200}{id}", "🦊" * 300, "é" * 300),
        ("{prompt}-{id}", "-rf ~ /", "~root"),
        ("{model}{id}", "x", "CON"),
        ("{prompt}/{prompt}/{id}", "a/b\\c:d*e?f", "m"),
    ],
)
def test_sec_05_hostile_prompts_and_models_make_harmless_names(
    world: World, template: str, prompt: str, model: str
) -> None:
    world.set(template=template)
    fetched(world, lambda r: image_reply(FILE), prompt=prompt, model=model)
    is_done(world, FILE)
    (path,) = world.files()
    assert path.resolve().is_relative_to(world.outputs.resolve())
    for part in path.relative_to(world.outputs).parts:
        assert part[0] not in ".-~"
        assert part.isprintable()
        assert len(part.encode()) <= 255
    assert path.suffix == ".png"


@pytest.mark.parametrize("prompt", ["", "///", "...", "\x00"])
def test_sec_05_a_template_that_makes_no_name_here_is_no_internal_error(world: World, prompt: str) -> None:
    world.set(template="{prompt}")
    fetched(world, lambda r: image_reply(FILE), prompt=prompt)
    item = world.download("g1")
    assert item is not None
    assert item.state == "done" or "internal error" not in (item.error or "")


def test_sec_05_hostile_ids_stay_below_the_folder() -> None:
    for generation_id in ("../../x", "/etc/passwd", "..", ".", "~", "-rf", "a\x00b", "x" * 500, "🦊🦊"):
        values = {"id": generation_id, "id8": generation_id, "model": "m", "index": "1", "date": "2026-05-10"}
        path = relative_path("{date}/{model}-{id8}-{index}", values)
        assert ".." not in path.parts
        assert len(path.parts) == 2


def test_dow_12_a_folder_that_cannot_be_written_fails_with_the_reason(world: World) -> None:
    world.outputs.write_text("a file where the folder should be")
    fetched(world, lambda r: image_reply(FILE))
    item = world.download("g1")
    assert item is not None
    assert item.state == "failed"
    assert "internal error" not in (item.error or "")
    assert world.outputs.read_text() == "a file where the folder should be"


def test_dow_12_a_vanished_file_is_fetched_again_when_wished_for(world: World) -> None:
    fetched(world, lambda r: image_reply(FILE))
    world.files()[0].unlink()
    verbs.download(world.store, PROFILE, "g1")
    until(lambda: world.srv.count("GET", "/out/1.png") == 2)
    until(lambda: (x := world.download("g1")) and x.state == "done")
    is_done(world, FILE)


def test_the_extension_follows_the_content(world: World) -> None:
    jpeg = b"\xff\xd8\xff\xe0" + b"x" * 2_000 + b"\xff\xd9"
    fetched(world, lambda r: later(0.1, image_reply(jpeg)))
    is_done(world, jpeg)
    assert world.files()[0].suffix == ".jpg"


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{id8}.{ext}", "g1.png"),
        ("{ext}/{id8}", "png/g1.png"),
        ("{ext}/{ext}-{index}", "png/png-1.png"),
        ("{model}/{seed}-{prompt:6}-{index}", "m/7-a-fox-1.png"),
    ],
)
def test_a_template_may_name_the_extension_that_the_content_has(world: World, template: str, name: str) -> None:
    world.set(template=template)
    world.srv.on("GET", "/out/1.jpg", image_reply(FILE))
    world.track("g1", body='{"model": "m", "prompt": "a fox", "seed": 7}')
    world.completed("g1", f"{world.srv.url}/out/1.jpg")
    world.start()
    assert world.ended("g1").state == "done"
    assert world.files() == [world.outputs / name]


def test_dow_12_a_kill_after_the_link_into_a_folder_of_the_template_fetches_nothing_again(world: World) -> None:
    world.set(template="{ext}/{id8}")
    item = interrupted(world)
    part, final = Path(item.part or ""), world.outputs / "png" / "g1.png"
    downloads.update(world.store, replace(item, path=str(final)))  # as `_finish` does, then the link, then the kill
    part.write_bytes(FILE)
    final.parent.mkdir()
    os.link(part, final)
    world.start()
    assert world.ended("g1").state == "done"
    is_done(world, FILE)
    assert world.files() == [final]
    assert len(world.srv.calls("GET", "/out/1.png")) == 1


def killed_behind(world: World, found: bytes) -> None:
    """The engine ended after it wrote `found` and before that got its name."""
    item = interrupted(world)
    Path(item.part or "").write_bytes(found)
    world.srv.on("GET", "/out/1.png", lambda r: range_reply(r, FILE, etag='"v1"'))


def test_dow_12_a_kill_behind_the_last_byte_fetches_nothing_again(world: World) -> None:
    killed_behind(world, FILE)
    world.start()
    world.ended("g1")
    is_done(world, FILE)
    assert len(world.srv.calls("GET", "/out/1.png")) == 1


def test_dow_12_what_has_the_size_but_not_the_end_of_a_file_is_begun_anew(world: World) -> None:
    """As after a power failure: a file may have its size before it has its bytes."""
    killed_behind(world, FILE[:-5_000] + bytes(5_000))
    world.start()
    world.ended("g1")
    is_done(world, FILE)
    assert ["range" in request.headers for request in world.srv.calls("GET", "/out/1.png")] == [False, False]


def test_max_size_mb_ends_a_download_that_promises_or_brings_more(world: World) -> None:
    world.set(max_size_mb=1)
    big = png(1_500_000)
    body = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunked(big[:1_200_000], end=False)
    world.srv.on("GET", "/out/2.png", lambda r: stall(body))
    world.completed("g2", f"{world.srv.url}/out/2.png")
    requests = fetched(world, lambda r: image_reply(big))
    assert len(requests) == 1
    for generation_id in ("g1", "g2"):
        item = world.ended(generation_id)
        assert item.state == "failed"
        assert "max_size_mb" in (item.error or "")

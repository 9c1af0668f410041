"""A disk that is full in the middle of a download: said, kept, and gone on with. Row DOW-11.

The outputs lie on a small tmpfs in a mount namespace of its own; the file comes without a length, so that nobody can
know beforehand that it does not fit.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import KEY, make_home
from tests.srv import Request, Srv, chunked, generation, json_reply, png, range_reply
from tests.store.test_store_read_only import REFUSAL

FILE = png(5_000_000)
PROGRAM = shlex.join([sys.executable, "-m", "vivix_tui.cli.main"])
SCRIPT = f"""
mount -t tmpfs -o size=6m tmpfs "$OUT" || exit 99
head -c 3000000 /dev/zero > "$OUT/filling"
{PROGRAM} download g1 --json; echo "exit $?"
find "$OUT" -name '*.part' -size +1M | wc -l
rm "$OUT/filling"
{PROGRAM} download g1 --json; echo "exit $?"
find "$OUT" -name '*.png' -exec sha256sum {{}} + | cut -c 1-64
"""


@pytest.mark.skipif(bool(REFUSAL), reason=f"no mounts without privileges here: {REFUSAL}")
def test_dow_11_a_full_disk_keeps_the_part_and_a_freed_one_finishes_it(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    outputs.mkdir()

    def answer(request: Request) -> bytes:
        if "range" in request.headers:
            return range_reply(request, FILE, etag='"v1"')
        head = b'HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nETag: "v1"\r\nTransfer-Encoding: chunked\r\n\r\n'
        return head + chunked(*(FILE[at : at + 50_000] for at in range(0, len(FILE), 50_000)))

    with Srv() as srv:
        home = make_home(tmp_path, VIVIX_API_KEY=KEY, VIVIX_BASE_URL=srv.url, OUT=str(outputs))
        config = home.path / "config" / "vivix-tui" / "config.toml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(f'[download]\ndirectory = "{outputs}"\nreserve_mb = 0\n')
        config.chmod(0o600)
        urls = [f"{srv.url}/out/1.png"]
        srv.on("GET", "*/g1", json_reply(200, generation("g1", "completed", output_urls=urls)))
        srv.on("GET", "/out/1.png", answer)
        home.run("track", "g1")
        ran = subprocess.run(
            ["unshare", "-rm", "sh", "-c", SCRIPT],
            env=home.env, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        ranges = [call.headers.get("range") for call in srv.calls("GET", "/out/1.png")]
    first, first_exit, parts, second, second_exit, digest = ran.stdout.splitlines()
    assert json.loads(first)["state"] == "paused", ran.stderr
    assert "disk full" in json.loads(first)["error"]
    assert (first_exit, parts) == ("exit 1", "1")
    assert (json.loads(second)["state"], second_exit) == ("done", "exit 0")
    assert digest == hashlib.sha256(FILE).hexdigest()
    assert len(ranges) == 2
    assert ranges[0] is None
    assert ranges[1] not in (None, "bytes=0-"), "what had come was kept"

"""Commands against the demo API in another process: what a script would do from submit to files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Api, make_home, until
from vivix_tui import verbs
from vivix_tui.store.store import Store

StartApi = Callable[..., Api]
FAILING = '{"model":"grok-imagine-image-quality","prompt":"[fail] a storm 🌩","seed": 7 }'


def test_an_engine_in_another_process_obeys_what_is_chosen(tmp_path: Path, demo_api: StartApi) -> None:
    api = demo_api("empty", speed=40)
    home = make_home(tmp_path, VIVIX_API_KEY=api.key, VIVIX_BASE_URL=api.base_url)
    chosen = tmp_path / "chosen"
    watch = home.start("watch")
    try:
        until(home.database.exists, what="the engine runs")
        store = Store(home.database)
        verbs.choose_downloads(store, "default", directory=str(chosen), auto="completed")
        verbs.submit(store, "default", ['{"model":"grok-imagine-image-quality","prompt":"a misty forest"}'])
        until(lambda: [file for file in chosen.rglob("*.*") if file.suffix not in (".part", ".json")], timeout_s=60)
        store.close()
    finally:
        watch.terminate()
        watch.communicate(timeout=10)


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_submit_wait_retry_download(tmp_path: Path, demo_api: StartApi) -> None:
    api = demo_api("empty", speed=40)
    home = make_home(tmp_path, VIVIX_API_KEY=api.key, VIVIX_BASE_URL=api.base_url)
    bodies = tmp_path / "bodies.jsonl"
    bodies.write_text(
        '{"model":"grok-imagine-image-quality","prompt":"a misty forest","number_results":4}\n' + FAILING + "\n"
    )
    run = home.run("submit", str(bodies))
    assert run.returncode == 0, run.stderr
    image, failing = run.stdout.split()

    queued = '{"model":"grok-imagine-image-quality","prompt":"a fox that nobody waited for"}'
    home.run("submit", "-", "--no-wait", stdin=queued)
    run = home.run("wait", "--json")
    assert run.returncode == 1
    assert {row["status"] for row in lines(run.stdout) if row["body"] == queued} >= {"completed"}
    last = {row["generation_id"]: row for row in lines(run.stdout)}
    assert last[image]["status"] == "completed"
    assert last[failing]["status"] == "failed"
    assert last[failing]["credits_used"] == 0

    assert home.run("retry", failing).returncode == 2
    run = home.run("retry", failing, "--yes")
    assert run.returncode == 0, run.stderr
    (new,) = run.stdout.split()
    again = home.run("retry", failing, "--yes")
    assert again.returncode == 2
    assert home.run("wait", new).returncode == 0
    row = json.loads(home.run("show", new, "--json").stdout)
    assert row["retry_of"] == failing
    assert row["body"] == FAILING
    assert row["status"] == "completed"

    run = home.run("download", image, "--json")
    assert run.returncode == 0, run.stderr
    files = lines(run.stdout)
    assert sorted(int(str(f["index"])) for f in files) == [1, 2, 3, 4]
    for file in files:
        path = Path(str(file["path"]))
        data = path.read_bytes()
        assert path.is_relative_to(tmp_path / "vivix")
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
        assert len(data) == file["size_bytes"] == file["received_bytes"]
        assert file["verified"] is True
        assert data[:3] == b"\xff\xd8\xff"
        assert path.stat().st_mode & 0o777 == 0o600
    assert home.run("download", image).returncode == 0
    assert len(list((tmp_path / "vivix").rglob("*.jpg"))) == 4
    assert len(list((tmp_path / "vivix").rglob("*.*"))) == 8, "each with its description"
    assert home.run("download", image, "--to", str(tmp_path / "there")).returncode == 0
    assert len(list((tmp_path / "there").rglob("*.jpg"))) == 4


def test_credits_models_doctor(tmp_path: Path, demo_api: StartApi) -> None:
    api = demo_api("empty")
    home = make_home(tmp_path, VIVIX_API_KEY=f' "Bearer {api.key}" ', VIVIX_BASE_URL=api.base_url)
    account = json.loads(home.run("credits", "--json").stdout)
    assert account["calls_per_minute"] == 240
    assert isinstance(account["balance"], int)
    slugs = {row["slug"] for row in lines(home.run("models", "--json").stdout)}
    assert {"grok-imagine-image-quality", "wan-2.7-text-to-video"} <= slugs
    assert home.run("doctor").stdout.count("ok ") >= 6


def test_a_rejected_key_ends_with_3_and_loses_nothing(tmp_path: Path, demo_api: StartApi) -> None:
    api = demo_api("empty")
    home = make_home(tmp_path, VIVIX_API_KEY="vvx_live_" + "wrong000" * 4, VIVIX_BASE_URL=api.base_url)
    for command in (("credits",), ("submit", "-")):
        run = home.run(*command, stdin=FAILING)
        assert run.returncode == 3
        assert "rejected" in run.stderr
    assert json.loads(home.run("queue", "--json").stdout)["state"] == "queued"


def test_a_body_that_no_model_takes_is_refused_before_it_costs_anything(tmp_path: Path, demo_api: StartApi) -> None:
    api = demo_api("empty", speed=40)
    home = make_home(tmp_path, VIVIX_API_KEY=api.key, VIVIX_BASE_URL=api.base_url)
    good = '{"model":"grok-imagine-image-quality","prompt":"x"}'
    assert home.run("submit", "-", stdin=good).returncode == 0
    assert home.run("wait").returncode == 0
    bad = '{"model":"grok-imagine-image-quality","prompt":"x","number_results":9}'
    run = home.run("submit", "-", stdin=bad)
    assert run.returncode == 1
    assert "1 to 4" in run.stderr


def test_unknown_foreign_and_missing_ids_end_as_gone(tmp_path: Path, demo_api: StartApi) -> None:
    api = demo_api("empty")
    home = make_home(tmp_path, VIVIX_API_KEY=api.key, VIVIX_BASE_URL=api.base_url)
    home.run("track", "no-such-id")
    run = home.run("wait", "--json", "--timeout", "20")
    assert run.returncode == 1
    assert lines(run.stdout)[-1]["gone"] == "NOT_FOUND"
    assert lines(run.stdout)[-1]["status"] is None

"""The fuzzer in small, and that it would notice. `make fuzz` sends answers by the thousand.

G3, rows PAR-01 to PAR-08.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import referee
from tests.fuzz.mutations import Sent
from tests.fuzz.run import run
from tests.srv import error_reply, generation, json_reply
from vivix_tui.store import generations
from vivix_tui.store.store import Store

BEFORE = dict.fromkeys((*referee.NUMBERS, *referee.TEXTS, "body", "note", "gone", "output_urls")) | {
    **generation("g1", "processing"), "hurry": 0, "checked_at": "x", "events": 1, "downloads": 0
}  # fmt: skip


def answered(raw: bytes, *, whole: bool = True, plain: bool = False) -> Sent:
    """These bytes as the fuzzer would have sent them."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return Sent("x", raw, int(head.split()[1]), body, whole=whole, plain=plain)


def test_par_01_par_02_a_few_hundred_mutated_answers_change_nothing_that_they_may_not(tmp_path: Path) -> None:
    figures = run(tmp_path, cases=250, seed=1, timeout_s=3.0)
    assert not figures.broken, figures.text()
    for endpoint in ("generation", "generate", "credits", "models"):
        assert figures.values[f"cases for {endpoint}"] >= 3


def test_it_notices_a_row_that_a_bad_reply_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = generations.note

    def careless(store: Store, profile: str, generation_id: str, text: str | None) -> None:
        kept(store, profile, generation_id, text)
        with store.write() as connection:
            connection.execute("UPDATE generations SET credits_used = 7 WHERE generation_id = ?", (generation_id,))

    monkeypatch.setattr(generations, "note", careless)
    figures = run(tmp_path, cases=30, seed=1)
    assert any("credits_used became '7'" in words for words in figures.broken), figures.text()


def test_it_notices_a_task_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object, **more: object) -> None:
        raise KeyError("sabotage")

    monkeypatch.setattr("vivix_tui.engine.account.accounts.save_models", fails)
    figures = run(tmp_path, cases=30, seed=1)
    assert any("sabotage" in words for words in figures.broken), figures.text()


@pytest.mark.parametrize(
    ("raw", "change"),
    [
        (b"HTTP/1.1 200 X\r\n\r\n<html>", {"status": "completed"}),
        (error_reply(500, "INTERNAL_ERROR"), {"message": "No."}),
        (error_reply(404, "WHATEVER"), {"gone": "WHATEVER"}),
        (error_reply(404, "NOT_FOUND"), {"status": "failed"}),
        (json_reply(200, generation("other", "completed")), {"status": "completed"}),
        (json_reply(200, generation("g1", "completed", credits_used="118")), {"credits_used": 118}),
        (json_reply(200, generation("g1", "processing", credits_estimate=-5)), {"credits_estimate": -5}),
        (json_reply(200, generation("g1", "pending")), {"status": "pending"}),
        (json_reply(200, generation("g1", "processing")), {"downloads": 1}),
        (json_reply(200, generation("g1", "processing")), {"body": "{}"}),
    ],
    ids=range(10),
)
def test_the_referee_objects_to_what_no_document_allows(raw: bytes, change: dict[str, object]) -> None:
    assert referee.generation_faults("g1", answered(raw), BEFORE, BEFORE | change)
    assert not referee.generation_faults("g1", answered(raw), BEFORE, BEFORE | {"note": "bad", "hurry": 1})


def test_the_referee_objects_to_an_answer_that_was_not_taken() -> None:
    told = generation("g1", "processing", credits_estimate=99)
    good = answered(json_reply(200, told), plain=True)
    assert referee.generation_faults("g1", good, BEFORE, BEFORE)
    assert not referee.generation_faults("g1", good, BEFORE, BEFORE | told)


@pytest.mark.parametrize(
    ("raw", "right", "wrong"),
    [
        (json_reply(201, {"generation_id": "n1"}), ("accepted", "n1"), ("unknown", None)),
        (json_reply(201, {"generation_id": 5}), ("unknown", None), ("accepted", "5")),
        (error_reply(500, "INTERNAL_ERROR"), ("unknown", None), ("queued", None)),
        (error_reply(422, "VALIDATION"), ("refused", None), ("queued", None)),
        (error_reply(429, "RATE_LIMITED"), ("queued", None), ("unknown", None)),
        (error_reply(408, "TIMEOUT"), ("unknown", None), ("refused", None)),
    ],
    ids=range(6),
)
def test_the_referee_knows_what_a_post_may_become(
    raw: bytes, right: tuple[str, str | None], wrong: tuple[str, str | None]
) -> None:
    names = ("state", "generation_id")
    assert not referee.post_faults(answered(raw), dict(zip(names, right, strict=True)))
    assert referee.post_faults(answered(raw), dict(zip(names, wrong, strict=True)))
    assert referee.post_faults(answered(raw, whole=False), {"state": "queued", "generation_id": None})

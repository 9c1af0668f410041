"""Charges and refunds are proved by how the balance moved, and a mismatch is flagged."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.conftest import until
from tests.engine.conftest import PROFILE, World
from tests.srv import CREDITS, CREDITS_BODY, MODELS, MODELS_BODY, Request, generation, id_of, json_reply
from vivix_tui.store import audits, query
from vivix_tui.ui.present.detail import detail_lines
from vivix_tui.ui.present.glyphs import GLYPHS

BODY = '{"model": "grok-imagine-image-quality", "prompt": "a fox", "seed": 7}'


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivix_tui.engine.account.AFTER_REFUND_S", 0.2)


class Bank:
    """An account that holds 120 credits when a job is accepted and settles when it ends."""

    def __init__(self, world: World, *, ends: str, used: int, takes: int) -> None:
        self.balance, self._ends, self._used, self._takes = 1_000, ends, used, takes
        self._polls = 0
        world.answer_posts(self._accept)
        world.answer_polls(self._poll)
        world.srv.on("GET", CREDITS, lambda _: self._told(200, CREDITS_BODY | {"balance": self.balance}))
        world.srv.on("GET", MODELS, lambda _: self._told(200, MODELS_BODY | {"credits_balance": self.balance}))

    def _told(self, status: int, value: object) -> bytes:
        return json_reply(status, value, {"X-Credits-Balance": f"{self.balance:,}"})

    def _accept(self, request: Request) -> bytes:
        self.balance -= 120
        return self._told(201, {"generation_id": f"g{request.nth}", "status": "pending", "credits_estimate": 120})

    def _poll(self, request: Request) -> bytes:
        if request.nth == 1:
            return self._told(200, generation(id_of(request), "processing"))
        if request.nth == 2:
            self.balance += 120 - self._takes
        facts = {"credits_used": self._used, "output_url": "https://x.example/1.png"}
        return self._told(200, generation(id_of(request), self._ends, **facts))


def detail_text(world: World, generation_id: str) -> str:
    found = query.detail(world.store, PROFILE, "generation", generation_id)
    assert found is not None
    (row,) = query.page(world.store, PROFILE, query.Filter(), offset=0, limit=1)
    shown = detail_lines(found, row, datetime.now(UTC), GLYPHS)
    return "\n".join(f"{line.label} {line.text}" for line in shown)


@pytest.mark.parametrize(
    ("ends", "used", "takes", "words"),
    [
        ("completed", 80, 80, "fell by 80 while 80 was charged for this: proved"),
        ("failed", 0, 0, "fell by 0 while 0 was charged for this: proved"),
        ("failed", 0, 120, "fell by 120 while 0 was charged for this: 120 more left it"),
        ("completed", 80, 30, "fell by 30 while 80 was charged for this: 50 fewer left it"),
    ],
)
def test_the_balance_proves_a_charge_or_flags_it(world: World, ends: str, used: int, takes: int, words: str) -> None:
    Bank(world, ends=ends, used=used, takes=takes)
    world.start()
    until(lambda: world.store.all("SELECT 1 FROM audits WHERE ended_at IS NULL AND jobs = 0"))
    world.submit(BODY)
    until(lambda: audits.of(world.store, PROFILE, "g1"))
    assert f"balance {words}" in detail_text(world, "g1")
    assert len(audits.unexplained(world.store, PROFILE)) == (used != takes)


def test_what_was_submitted_elsewhere_makes_a_period_unfit_for_proof(world: World) -> None:
    Bank(world, ends="completed", used=80, takes=80)
    world.start()
    until(lambda: world.store.all("SELECT 1 FROM audits"))
    world.track("theirs")
    until(lambda: world.store.all("SELECT 1 FROM audits WHERE ended_at IS NOT NULL"))
    assert audits.of(world.store, PROFILE, "theirs") is None
    assert audits.unexplained(world.store, PROFILE) == []

"""Every order of the table is what sorting the rows would give, whichever index it is read from."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import Any

import pytest

from vivix_tui import verbs, verbs_retry
from vivix_tui.domain.generation import Answer
from vivix_tui.store import generations, query
from vivix_tui.store.order import BY, RANKS, Order, order_sql
from vivix_tui.store.query import Filter, TableRow
from vivix_tui.store.store import Store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FILTERS = (
    Filter(), Filter(phases=frozenset({"done", "failed"})), Filter(text="fox"),
    Filter(text="fox", phases=frozenset({"done"})), Filter(text="%"),
)  # fmt: skip


def fill(store: Store, count: int) -> None:
    """Rows of every kind, many of them equal in what is sorted by."""
    dice = random.Random(1)
    for number in range(count):
        name, made = f"{dice.randrange(10**8):08}-{number}", NOW - timedelta(seconds=dice.randrange(40))
        body = f'{{"model": "m{dice.randrange(3)}", "prompt": "a {dice.choice(("fox", "dog"))}"}}'
        with store.write() as connection:
            generations.track(connection, "p", [(name, dice.choice((body, None)))], made)
        status = dice.choice((None, "pending", "processing", "completed", "completed", "failed"))
        if status is None:
            continue
        urls = tuple(f"https://h.example/{n}" for n in range(dice.randrange(3)))
        facts: dict[str, Any] = {
            "credits_used": dice.choice((None, 0, 80)),
            "credits_estimate": dice.choice((None, 211)),
        }
        if status == "completed":
            facts |= {"output_urls": urls, "duration_ms": dice.choice((None, 10, 20, 20))}
        answer = Answer(generation_id=name, status=status, model=dice.choice((None, "m1", "m9")), **facts)
        generations.record(store, "p", answer, asked_at=NOW, born=made)
    failed = [row.id for row in rows(store, Order()) if row.phase == "failed" and row.has_body]
    for name in failed[:5] + failed[:2]:
        verbs_retry.retry(store, "p", name, again=True)
    verbs.submit(store, "p", ['{"prompt": "a fox"}', '{"model": "m1", "prompt": "x"}'])
    verbs.forget(store, "p", [row.id for row in rows(store, Order())[10:14]])


def rows(store: Store, order: Order, shown: Filter = Filter()) -> list[TableRow]:  # noqa: B008
    return query.page(store, "p", shown, offset=0, limit=1000, order=order)


def key(row: TableRow, by: str) -> Any:
    values = {
        "status": RANKS.index(row.phase), "model": row.model, "duration": row.duration_ms,
        "credits": row.credits_used if row.credits_used is not None else row.credits_estimate,
        "files": row.files or None, "retries": row.retries or None, "id": row.id, "age": 0,
    }  # fmt: skip
    return values[by]


def sorted_rows(found: list[TableRow], order: Order) -> list[TableRow]:
    def ties(row: TableRow) -> tuple[int, int, str]:
        active = row.phase in ("active", "queued") or row.status == "unknown"
        return (0 if active else 1, -row.sort_ms, row.id)

    found = sorted(found, key=ties, reverse=order.inverted)
    known = [row for row in found if key(row, order.by) is not None]
    unknown = [row for row in found if key(row, order.by) is None]
    return sorted(known, key=lambda row: key(row, order.by), reverse=order.falls and order.by != "age") + unknown


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("by", BY)
def test_every_order_is_that_of_its_values_and_places_are_found_again(store: Store, by: str, inverted: bool) -> None:
    fill(store, 120)
    order = Order(by, inverted)
    for shown in FILTERS:
        plain = rows(store, Order(), shown)
        found = rows(store, order, shown)
        assert {row.id for row in found} == {row.id for row in plain}
        assert [row.id for row in found] == [row.id for row in sorted_rows(plain, order)], shown
        assert query.count(store, "p", shown) == len(found)
        for offset in (0, 7, len(found) - 3):
            page = query.page(store, "p", shown, offset=offset, limit=5, order=order)
            assert page == found[offset : offset + 5]
            page = query.page(store, "p", shown, offset=offset, limit=5, order=order, count=len(found))
            assert page == found[offset : offset + 5]
        for index, row in enumerate(found):
            for from_end in (False, True):
                assert query.index_of(store, "p", shown, row.kind, row.id, order, from_end=from_end) == index
        numbers = query.matches(store, "p", shown, order)
        assert query.rows_of(store, "p", numbers) == found


def test_no_order_sorts_all_rows(store: Store) -> None:
    fill(store, 30)
    for by in BY:
        for inverted, backwards in product((False, True), repeat=2):
            order = Order(by, inverted)
            ordered = f"{query._rows_sql(Filter(), order)} {order_sql(order, backwards=backwards)}"
            plan = store.all(f"EXPLAIN QUERY PLAN SELECT kind, id FROM ({ordered} LIMIT 9)", {"profile": "p"})
            steps = [row[3] for row in plan]
            for step, following in pairwise(steps):
                if "TEMP B-TREE" in following and by != "retries":
                    assert "submissions" in step, (order, steps)


def test_an_order_has_a_name() -> None:
    for order in (Order(), Order("credits", True)):
        assert Order.named(str(order)) == order
    assert Order.named("nonsense") == Order.named("-") == Order()

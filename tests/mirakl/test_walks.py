"""Walking through pages of orders while orders leave the list."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.mirakl.client import MiraklClient, Page, TooManyIds
from interlock.mirakl.exact import written
from interlock.mirakl.failures import ReadUnavailable
from interlock.mirakl.read import PagingNeverSettles, by_ids, walk_states, walk_updated
from interlock.orders.actions import Lane
from tests.mirakl.marketplace_documents import NotedBudget, client_of

SINCE = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
UNTIL = SINCE + timedelta(minutes=10)


class ShiftingList:
    """Orders in creation order; before each page after the first, the ones named for it leave."""

    def __init__(self, count: int, leaving: list[list[int]] | None = None) -> None:
        self.present = [f"C{number:05}" for number in range(count)]
        self.leaving = [[f"C{number:05}" for number in group] for group in leaving or []]
        self.left: set[str] = set()
        self.pages: list[tuple[int, int]] = []
        self.queries: list[dict[str, str]] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        params = request.url.params
        self.queries.append(dict(params))
        if self.pages and self.leaving:
            gone = set(self.leaving.pop(0))
            self.left |= gone
            self.present = [order_id for order_id in self.present if order_id not in gone]
        offset, size = int(params["offset"]), int(params["max"])
        self.pages.append((offset, size))
        rows = [{"order_id": order_id} for order_id in self.present[offset : offset + size]]
        return httpx2.Response(
            200, content=written({"orders": rows, "total_count": len(self.present)}).encode()
        )


def ids_of(walk: Callable[[], AsyncIterator[Page]]) -> list[str]:
    async def collect() -> list[str]:
        return [str(document["order_id"]) async for page in walk() for document in page.documents]

    return asyncio.run(collect())


def updated(shown: ShiftingList, budget: NotedBudget | None = None, patience: float = 0.0) -> list[str]:
    client = client_of(shown.answer, budget)
    return ids_of(lambda: walk_updated(client, SINCE, UNTIL, "TAX_INCLUDED", patience=patience))


@pytest.mark.parametrize(
    ("count", "pages"), [(0, 1), (1, 1), (100, 1), (101, 2), (190, 2), (191, 3), (1000, 11)]
)
def test_a_list_that_keeps_still_is_read_once_from_end_to_end(count: int, pages: int) -> None:
    shown = ShiftingList(count)
    assert updated(shown) == [f"C{number:05}" for number in range(count)]
    assert len(shown.pages) == pages


def test_the_window_is_frozen_and_the_mode_is_named() -> None:
    shown = ShiftingList(150)
    updated(shown)
    for query in shown.queries:
        assert query["start_update_date"] == "2026-11-02T08:00:00.000Z"
        assert query["end_update_date"] == "2026-11-02T08:10:00.000Z"
        assert query["order_tax_mode"] == "TAX_INCLUDED"


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 450),
    leaving=st.lists(st.lists(st.integers(0, 449), max_size=150, unique=True), max_size=8),
)
def test_no_order_that_stays_in_the_list_is_missed_or_given_twice(
    count: int, leaving: list[list[int]]
) -> None:
    shown = ShiftingList(count, leaving)
    found = updated(shown)
    assert len(found) == len(set(found))
    assert {f"C{number:05}" for number in range(count)} - shown.left <= set(found)


def test_a_step_of_a_hundred_would_have_missed_one() -> None:
    shown = ShiftingList(250, [list(range(60))])
    assert "C00100" in updated(shown)
    assert shown.pages[1:3] == [(90, 100), (80, 100)]


def test_a_marketplace_that_ignores_the_offset_is_given_up() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        rows = [{"order_id": f"C{number}"} for number in range(100)]
        return httpx2.Response(200, content=written({"orders": rows}).encode())

    with pytest.raises(PagingNeverSettles):
        ids_of(lambda: walk_states(client_of(answer), ["WAITING_ACCEPTANCE"], "TAX_INCLUDED"))


class SlowBudget(NotedBudget):
    """Lets one call through, makes the second wait once."""

    async def take(self, operation: str, lane: Lane) -> float:
        if len(self.taken) == 1 and self.wait:
            seconds, self.wait = self.wait, 0.0
            return seconds
        self.taken.append((operation, lane))
        return 0.0


def test_a_walk_waits_for_the_budget_between_pages_only_as_long_as_allowed() -> None:
    assert len(updated(ShiftingList(150), SlowBudget(wait=0.01), patience=1.0)) == 150
    with pytest.raises(ReadUnavailable):
        updated(ShiftingList(150), SlowBudget(wait=2.0), patience=1.0)


def test_states_are_asked_for_in_the_lane_they_belong_to() -> None:
    shown, budget = ShiftingList(3), NotedBudget()
    client = client_of(shown.answer, budget)
    found = ids_of(lambda: walk_states(client, ["WAITING_ACCEPTANCE"], "TAX_EXCLUDED", "acceptance"))
    assert len(found) == 3
    assert shown.queries[0]["order_state_codes"] == "WAITING_ACCEPTANCE"
    assert "start_update_date" not in shown.queries[0]
    assert budget.taken == [("OR11", "acceptance")]


def test_orders_by_id_are_one_call_counted_apart_and_strangers_are_dropped() -> None:
    shown, budget = ShiftingList(5), NotedBudget()
    page = asyncio.run(
        by_ids(client_of(shown.answer, budget), ["C00003", "C00001", "C00003", "X"], "TAX_INCLUDED")
    )
    assert [document["order_id"] for document in page.documents] == ["C00001", "C00003"]
    assert shown.queries[0]["order_ids"] == "C00003,C00001,X"
    assert budget.taken == [("OR11:event", "rest")]


@pytest.mark.parametrize("ids", [[], [f"C{n}" for n in range(101)], ["A,B"], [" "]])
def test_ids_that_cannot_be_asked_for_at_once_are_refused(ids: list[str]) -> None:
    with pytest.raises(TooManyIds, match="Nothing was sent"):
        asyncio.run(by_ids(client_of(ShiftingList(0).answer), ids, "TAX_INCLUDED"))


def test_an_order_that_a_page_shows_twice_is_given_once_by_id_and_twice_by_a_walk_which_counts_it() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        rows = [{"order_id": "A"}, {"order_id": "B"}, {"order_id": "A"}]
        return httpx2.Response(200, content=written({"orders": rows, "total_count": 3}).encode())

    client = client_of(answer)
    page = asyncio.run(by_ids(client, ["A", "B"], "TAX_INCLUDED"))
    assert [document["order_id"] for document in page.documents] == ["A", "B"]
    assert ids_of(lambda: walk_states(client, ["SHIPPING"], "TAX_INCLUDED")) == ["A", "B", "A"]


def test_a_row_without_an_id_is_handed_on_for_somebody_to_see() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=b'{"orders": [{"order_state": "SHIPPING"}], "total_count": 1}')

    assert len(ids_or_none(client_of(answer))) == 1


def ids_or_none(client: MiraklClient) -> list[object]:
    async def collect() -> list[object]:
        walk = walk_states(client, ["SHIPPING"], "TAX_INCLUDED")
        return [document.get("order_id") async for page in walk for document in page.documents]

    return asyncio.run(collect())

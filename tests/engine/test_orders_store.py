"""One writer per order: leases, epochs, hints, and who is due."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from interlock.orders.store import (
    LeaseLost,
    add_order,
    due_orders,
    find_orders,
    forget_fulfillment_orders,
    keep_document,
    kept_document,
    mark_dirty,
    order_by_fulfillment_order,
    orders,
    release_lease,
    remember_fulfillment_orders,
    still_mine,
    take_lease,
    wanted_documents,
)
from interlock.storage.database import Database
from tests.build import NOW
from tests.engine.rows import a_connection, a_leased_order

MINUTE = timedelta(minutes=1)
PARCEL = "gid://shopify/FulfillmentOrder/5"


@pytest.fixture
def c(database: Database) -> Iterator[Connection]:
    with database.begin() as connection:
        yield connection


def test_two_workers_cannot_hold_one_order(c: Connection) -> None:
    row = a_leased_order(c)
    assert take_lease(c, row.id, "worker-2", NOW + MINUTE / 2, NOW + 2 * MINUTE) is None


def test_two_connections_cannot_take_one_lease_at_the_same_time(database: Database) -> None:
    with database.begin() as c:
        order_id = add_order(c, a_connection(c), "M-1", "M", NOW)
    with database.begin() as first, database.begin() as second:
        assert take_lease(first, order_id, "worker-1", NOW, NOW + MINUTE) is not None
        assert take_lease(second, order_id, "worker-2", NOW, NOW + MINUTE) is None


def test_a_lease_that_ran_out_is_taken_over_with_a_higher_epoch(c: Connection) -> None:
    first = a_leased_order(c)
    second = take_lease(c, first.id, "worker-2", NOW + MINUTE, NOW + 2 * MINUTE)
    assert second is not None
    assert (first.taken_over, second.taken_over) == (False, True)
    assert second.epoch == first.epoch + 1
    still_mine(c, first.id, second.epoch)
    with pytest.raises(LeaseLost, match="This worker stops"):
        still_mine(c, first.id, first.epoch)
    with pytest.raises(LeaseLost):
        release_lease(c, first.id, first.epoch, 0, None)


def test_the_watchdog_takes_an_order_whose_lease_still_runs_once_it_is_old_enough(c: Connection) -> None:
    row = a_leased_order(c)
    now = NOW + MINUTE / 2
    assert take_lease(c, row.id, "watchdog", now, now + MINUTE, NOW - MINUTE) is None
    stolen = take_lease(c, row.id, "watchdog", now, now + MINUTE, NOW)
    assert stolen is not None
    assert stolen.epoch == row.epoch + 1


def test_giving_an_order_back_says_whether_hints_came_meanwhile(c: Connection) -> None:
    row = a_leased_order(c)
    assert release_lease(c, row.id, row.epoch, row.hints, None) is False
    again = take_lease(c, row.id, "worker-1", NOW, NOW + MINUTE)
    assert again is not None
    mark_dirty(c, row.id, "edits", NOW)
    assert release_lease(c, row.id, again.epoch, again.hints, None) is True
    assert due_orders(c, NOW, 10) == [(row.id, "edits")]


def test_a_less_urgent_hint_never_moves_a_waiting_order_to_a_slower_lane(c: Connection) -> None:
    row = a_leased_order(c)
    for lane in ("edits", "acceptance", "rest"):
        mark_dirty(c, row.id, lane, NOW)
    release_lease(c, row.id, row.epoch, 0, None)
    assert due_orders(c, NOW, 10) == [(row.id, "acceptance")]
    again = take_lease(c, row.id, "worker-1", NOW, NOW + MINUTE)
    assert again is not None
    release_lease(c, row.id, again.epoch, again.hints, None)
    mark_dirty(c, row.id, "rest", NOW)
    assert due_orders(c, NOW, 10) == [(row.id, "rest")]


def test_what_is_due_comes_acceptance_first_and_then_by_how_long_it_waits(c: Connection) -> None:
    connection_id = a_connection(c)
    ids = [add_order(c, connection_id, f"M-{n}", "M", NOW) for n in range(6)]
    late, early, asleep, urgent, hinted, leased = ids
    for order_id, look_at, lane in (
        (late, NOW - MINUTE, "rest"),
        (early, NOW - 5 * MINUTE, "edits"),
        (asleep, NOW + MINUTE, "rest"),
        (urgent, NOW, "acceptance"),
    ):
        c.execute(update(orders).where(orders.c.id == order_id).values(next_look_at=look_at, lane=lane))
    mark_dirty(c, hinted, "edits", NOW)
    mark_dirty(c, leased, "acceptance", NOW)
    assert take_lease(c, leased, "worker-1", NOW, NOW + MINUTE) is not None
    assert [order_id for order_id, _ in due_orders(c, NOW, 10)] == [urgent, hinted, early, late]
    assert [order_id for order_id, _ in due_orders(c, NOW, 2)] == [urgent, hinted]
    assert leased in [order_id for order_id, _ in due_orders(c, NOW + MINUTE, 10)]


def test_an_order_told_twice_is_one_row(c: Connection) -> None:
    connection_id = a_connection(c)
    assert add_order(c, connection_id, "M-1", "M", NOW) == add_order(c, connection_id, "M-1", "M", NOW)
    other = a_connection(c, "other", 1)
    assert add_order(c, other, "M-1", "M", NOW) != add_order(c, connection_id, "M-1", "M", NOW)


def test_an_older_marketplace_document_never_replaces_a_younger_one(c: Connection) -> None:
    order_id = add_order(c, a_connection(c), "M-1", "M", NOW)
    assert keep_document(c, order_id, NOW, NOW, "d1", b"one", "WAITING_ACCEPTANCE") is True
    assert keep_document(c, order_id, NOW - MINUTE, NOW, "d0", b"old", "STAGING") is False
    assert kept_document(c, order_id) == (NOW, b"one")
    assert keep_document(c, order_id, NOW + MINUTE, NOW, "d1", b"one", "WAITING_ACCEPTANCE") is False
    assert keep_document(c, order_id, NOW + 2 * MINUTE, NOW, "d2", b"two", "SHIPPING") is True
    assert kept_document(c, order_id) == (NOW + 2 * MINUTE, b"two")


def test_a_document_with_a_later_date_of_the_marketplace_is_younger_whatever_our_clock_says(
    c: Connection,
) -> None:
    """A list that may be two minutes behind is certain as of two minutes ago, and the order had been read by its id since."""
    order_id = add_order(c, a_connection(c), "M-1", "M", NOW)
    keep_document(c, order_id, NOW, NOW - 5 * MINUTE, "d1", b"one", "WAITING_DEBIT")
    older = NOW - MINUTE
    assert keep_document(c, order_id, older, NOW - 5 * MINUTE, "d0", b"old", "STAGING") is False
    assert keep_document(c, order_id, older, NOW - 3 * MINUTE, "d2", b"two", "SHIPPING") is True
    assert kept_document(c, order_id) == (NOW, b"two")


def test_a_document_is_wanted_until_one_young_enough_is_kept(c: Connection) -> None:
    connection_id = a_connection(c)
    order_id = add_order(c, connection_id, "M-1", "M", NOW)
    keep_document(c, order_id, NOW, NOW, "d1", b"one", "SHIPPING")
    c.execute(update(orders).where(orders.c.id == order_id).values(mirakl_wanted_since=NOW + MINUTE))
    wanted = [(order_id, "M-1", connection_id)]
    assert wanted_documents(c, [connection_id], 10) == wanted
    keep_document(c, order_id, NOW + MINUTE / 2, NOW, "d2", b"two", "SHIPPING")
    assert wanted_documents(c, [connection_id], 10) == wanted
    keep_document(c, order_id, NOW + MINUTE, NOW, "d2", b"two", "SHIPPING")
    assert wanted_documents(c, [connection_id], 10) == []


def test_a_parcel_is_of_the_order_that_has_it_linked_whoever_saw_it_first(c: Connection) -> None:
    connection_id = a_connection(c)
    first, second = (add_order(c, connection_id, name, "C-1", NOW) for name in ("M-1", "M-2"))
    remember_fulfillment_orders(c, first, [PARCEL], linked=False)
    remember_fulfillment_orders(c, second, [PARCEL], linked=False)
    assert order_by_fulfillment_order(c, PARCEL) == first
    remember_fulfillment_orders(c, second, [PARCEL])
    remember_fulfillment_orders(c, first, [PARCEL], linked=False)
    assert order_by_fulfillment_order(c, PARCEL) == second
    forget_fulfillment_orders(c, first, [PARCEL])
    assert order_by_fulfillment_order(c, PARCEL) == second
    forget_fulfillment_orders(c, second, [PARCEL])
    assert order_by_fulfillment_order(c, PARCEL) is None


def test_an_order_is_found_by_any_of_its_numbers_the_exact_one_first(c: Connection) -> None:
    connection_id = a_connection(c)
    longer = add_order(c, connection_id, "M-10", "C-2", NOW)
    exact = add_order(c, connection_id, "M-1", "C-1", NOW)
    values = {"shopify_name": "#1001", "shopify_order_id": "gid://shopify/Order/77"}
    c.execute(update(orders).where(orders.c.id == exact).values(**values))
    assert find_orders(c, " M-1 ") == [exact, longer]
    for number in ("C-1", "#1001", "1001", "77", "gid://shopify/Order/77"):
        assert find_orders(c, number) == [exact]
    assert find_orders(c, "%") == []

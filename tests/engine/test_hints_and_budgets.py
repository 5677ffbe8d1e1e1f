"""Webhooks become hints once, and call ceilings hold for every worker together."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from interlock.clock import LoopClock
from interlock.engine.budgets import MIRAKL_CEILINGS, SharedBudget
from interlock.engine.hints import note_relatives, webhook_hint
from interlock.engine.ledger import operations
from interlock.engine.store import (
    counts,
    forget_strangers,
    keep_poll,
    lead_poll,
    note_stranger,
    stranger_was_read,
    unresolved_deliveries,
    waiting_strangers,
)
from interlock.orders.memory import Kin
from interlock.orders.snapshots import Stranger
from interlock.orders.store import (
    add_order,
    claims_of,
    due_orders,
    find_orders,
    forget_kin,
    keep_lineage,
    kin_of,
    orders,
    release_lease,
    remember_fulfillment_orders,
    take_lease,
)
from interlock.orders.view import Claim
from interlock.storage.database import Database, InlineStore
from tests.build import NOW
from tests.engine.rows import Wakes, a_connection

SHOP = "shop.myshopify.com"
GID = "gid://shopify/Order/1"
FULFILLMENT = "gid://shopify/FulfillmentOrder/9"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def c(database: Database) -> Iterator[Connection]:
    with database.begin() as connection:
        yield connection


class Ingress:
    """One linked order of one connection, and deliveries about it."""

    def __init__(self, c: Connection) -> None:
        self.c = c
        self.connection_id = a_connection(c)
        self.order_id = add_order(c, self.connection_id, "M-1", "M", NOW)
        c.execute(update(orders).where(orders.c.id == self.order_id).values(shopify_order_id=GID))
        self.queue = Wakes()

    def deliver(
        self,
        webhook_id: str,
        order: str | None = GID,
        fulfillment_order: str | None = None,
        topic: str = "orders/edited",
        changed_at: datetime | None = None,
        marker: str = "",
    ) -> bool:
        ids = [self.connection_id]
        of = (order, fulfillment_order, NOW, changed_at, marker)
        return webhook_hint(self.c, self.queue, ids, SHOP, topic, webhook_id, "", *of)

    def hints(self) -> int:
        found = self.c.execute(select(orders.c.hints).where(orders.c.id == self.order_id))
        return int(found.scalar_one())


def test_a_delivery_is_one_hint_however_often_it_comes(c: Connection) -> None:
    ingress = Ingress(c)
    assert [ingress.deliver("w1"), ingress.deliver("w1"), ingress.deliver("w2")] == [True, False, True]
    assert ingress.hints() == 2
    assert ingress.queue.woken == [(ingress.order_id, "edits")] * 2
    assert counts(c)[("webhook_repeated", "orders/edited")] == 1


def test_what_the_last_snapshot_has_seen_wakes_nobody(c: Connection) -> None:
    ingress = Ingress(c)
    c.execute(update(orders).values(shopify_updated_at=NOW))
    for number, seconds in enumerate((-1, 0, 1)):
        ingress.deliver(f"w{number}", topic="orders/updated", changed_at=NOW + timedelta(seconds=seconds))
    # The same second proves nothing: several changes may share it.
    assert ingress.hints() == 2
    assert counts(c)[("webhook_seen_already", "orders/updated")] == 1


def test_the_same_id_under_another_topic_is_another_delivery(c: Connection) -> None:
    ingress = Ingress(c)
    assert ingress.deliver("w1")
    assert ingress.deliver("w1", topic="orders/updated")
    assert ingress.hints() == 2


def test_a_delivery_about_somebody_elses_order_ends_here(c: Connection) -> None:
    ingress = Ingress(c)
    assert ingress.deliver("w1", order="gid://shopify/Order/2")
    assert ingress.hints() == 0
    assert ingress.queue.woken == []
    assert unresolved_deliveries(c, [SHOP], 10) == []
    assert counts(c)[("webhook_of_other_order", "orders/edited")] == 1


def test_a_fulfillment_order_nobody_has_seen_waits_to_be_asked_about(c: Connection) -> None:
    ingress = Ingress(c)
    topic = "fulfillment_orders/hold_released"
    assert ingress.deliver("w1", order=None, fulfillment_order=FULFILLMENT, topic=topic)
    assert ingress.hints() == 0
    assert unresolved_deliveries(c, [SHOP], 10) == [(SHOP, topic, "w1", FULFILLMENT)]
    assert unresolved_deliveries(c, ["other"], 10) == []
    remember_fulfillment_orders(c, ingress.order_id, [FULFILLMENT])
    assert ingress.deliver("w2", order=None, fulfillment_order=FULFILLMENT, topic=topic)
    assert ingress.hints() == 1


def test_a_poll_has_one_leader_and_a_former_one_writes_nothing(c: Connection) -> None:
    a_connection(c)
    name = "mirakl https://atlas.example 2000"
    first = lead_poll(c, name, "worker-1", NOW, NOW + MINUTE)
    assert first is not None
    assert lead_poll(c, name, "worker-2", NOW, NOW + MINUTE) is None
    second = lead_poll(c, name, "worker-2", NOW + MINUTE, NOW + 2 * MINUTE)
    assert second is not None
    assert keep_poll(c, first, ticks=99) is False
    assert keep_poll(c, second, ticks=1) is True


def test_a_ceiling_is_shared_by_all_workers_and_slides(store: InlineStore) -> None:
    now = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    seconds = [0.0]
    clock = LoopClock(lambda: seconds[0], now)
    first, second = (SharedBudget(store, clock, "mirakl a", MIRAKL_CEILINGS) for _ in range(2))
    other = SharedBudget(store, clock, "mirakl b", MIRAKL_CEILINGS)

    async def calls() -> list[float]:
        taken = [await first.take("OR04", "rest"), await second.take("OR04", "rest")]
        taken.append(await other.take("OR04", "rest"))
        seconds[0] = 60.0
        taken.append(await second.take("OR04", "rest"))
        taken.append(await first.take("OR30", "edits"))
        return taken

    assert asyncio.run(calls()) == [0.0, 60.0, 0.0, 0.0, 0.0]


def test_a_worker_that_stood_still_while_it_counted_its_call_counts_it_anew(
    own_database: Database, store: InlineStore
) -> None:
    seconds = [0.0]
    clock = LoopClock(lambda: seconds[0], datetime(2026, 3, 2, 12, 0, tzinfo=UTC))

    class StandsStill(InlineStore):
        async def tx(self, fn: Callable[[Connection], Any]) -> Any:
            if seconds[0] == 0.0:
                seconds[0] = 100.0
            return await store.tx(fn)

    frozen = SharedBudget(StandsStill(own_database), clock, "mirakl a", MIRAKL_CEILINGS)
    other = SharedBudget(store, clock, "mirakl a", MIRAKL_CEILINGS)

    async def calls() -> list[float]:
        return [await frozen.take("OR04", "rest"), await other.take("OR04", "rest")]

    assert asyncio.run(calls()) == [0.0, 60.0]


def test_a_pause_the_platform_asked_for_ends_when_it_said(store: InlineStore) -> None:
    seconds = [0.0]
    clock = LoopClock(lambda: seconds[0], datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
    budget = SharedBudget(store, clock, "mirakl a", {})

    async def calls() -> list[float]:
        await budget.told_to_wait("OR21", 20.0)
        taken = [await budget.take("OR21", "acceptance"), await budget.take("OR30", "edits")]
        seconds[0] = 20.0
        return [*taken, await budget.take("OR21", "acceptance")]

    assert asyncio.run(calls()) == [20.0, 0.0, 0.0]


def test_a_pause_one_worker_was_asked_for_is_known_to_the_others_within_a_second(store: InlineStore) -> None:
    seconds = [0.0]
    clock = LoopClock(lambda: seconds[0], datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
    first, second, other = (SharedBudget(store, clock, name, {}) for name in ("shop a", "shop a", "shop b"))

    async def calls() -> list[float]:
        taken = [await second.take("PlaceHold", "holds")]
        await first.told_to_wait("PlaceHold", 20.0)
        seconds[0] = 1.0
        taken += [await second.take("PlaceHold", "holds"), await other.take("PlaceHold", "holds")]
        taken += [await first.take("PlaceHold", "holds"), await second.take("MarkPaid", "rest")]
        seconds[0] = 20.0
        return [*taken, await second.take("PlaceHold", "holds")]

    assert asyncio.run(calls()) == [0.0, 19.0, 0.0, 19.0, 0.0, 0.0]


SECOND = "gid://shopify/Order/2"


@pytest.mark.parametrize(
    ("marker", "linked", "noted", "hints"),
    [
        ("atlas:M-1", GID, (SECOND,), 1),
        (
            "atlas:M-1",
            None,
            (SECOND,),
            0,
        ),  # perhaps the very order that is being linked: its run reads the note
        ("atlas:M-1", SECOND, (), 1),
        ("atlas:M-2", GID, (), 0),
        ("other:M-1", GID, (), 0),
        ("atlasM-1", GID, (), 0),
        ("", GID, (), 0),
    ],
)
def test_an_unknown_order_with_our_mark_is_noted_as_a_twin(
    c: Connection, marker: str, linked: str | None, noted: tuple[str, ...], hints: int
) -> None:
    ingress = Ingress(c)
    c.execute(update(orders).values(shopify_order_id=linked))
    assert ingress.deliver("w1", order=SECOND, topic="orders/create", marker=marker) is True
    assert kin_of(c, ingress.order_id) == noted
    assert ingress.hints() == hints
    ingress.deliver("w2", order=SECOND, topic="orders/updated", marker=marker)
    assert kin_of(c, ingress.order_id) == noted
    forget_kin(c, ingress.order_id, [SECOND])
    assert kin_of(c, ingress.order_id) == ()


@pytest.mark.parametrize(
    ("marker", "kind", "state", "hints"),
    [
        ("atlas:M-1", "CreateOrder", "UNKNOWN", 1),
        ("atlas:M-1", "CreateOrder", "REJECTED TAKEN", 1),
        ("atlas:M-1", "CreateOrder", "REJECTED INVALID", 0),
        ("atlas:M-1", "CreateOrder", "IN_FLIGHT", 0),  # its run reads the note once the call has ended
        ("atlas:M-1", "CreateOrder", "CONFIRMED", 0),
        ("atlas:M-1", "CreateDraft", "UNKNOWN", 0),  # a draft is no order
        ("other:M-1", "CreateOrder", "UNKNOWN", 0),
        ("", "CreateOrder", "UNKNOWN", 0),
    ],
)
def test_an_order_with_our_mark_is_looked_at_at_once_while_it_is_unclear_whether_it_was_made(
    c: Connection, marker: str, kind: str, state: str, hints: int
) -> None:
    ingress = Ingress(c)
    c.execute(update(orders).values(shopify_order_id=None))
    _wrote(ingress, timedelta(seconds=3))
    said, _, code = state.partition(" ")
    c.execute(update(operations).values(kind=kind, state=said, code=code, done_at=None))
    ingress.deliver("w1", order=SECOND, topic="orders/create", marker=marker)
    assert ingress.hints() == hints


def test_a_cancelled_order_takes_nobodys_place(c: Connection) -> None:
    ingress = Ingress(c)
    ids = [ingress.connection_id]
    stranger = Stranger(SECOND, "#1099", marker="atlas:M-1")
    assert note_relatives(c, ids, replace(stranger, cancelled=True), NOW) == ()
    assert kin_of(c, ingress.order_id) == ()
    assert note_relatives(c, ids, stranger, NOW) == (ingress.order_id,)
    assert kin_of(c, ingress.order_id) == (SECOND,)


@pytest.mark.parametrize(
    ("stranger", "found"),
    [
        (Stranger(SECOND, "#1001A"), True),
        (Stranger(SECOND, "#10012"), False),
        (Stranger(SECOND, "#1099", order_ids=("M-1",)), True),
        (Stranger(SECOND, "#1099", words=("1001",)), True),
        (Stranger(SECOND, "#1099", words=("m-1",)), True),
        (Stranger(SECOND, "#1099", email="e1"), True),
        (Stranger(SECOND, "#1099", email="e1", marker="atlas:M-9"), True),
        (Stranger(SECOND, "#1099", address="a1"), True),
        (Stranger(SECOND, "#1099", email="e9", address="a9", words=("2", "x1")), False),
        (Stranger(SECOND, "#1099"), False),
    ],
)
def test_a_stranger_is_noted_with_the_orders_it_points_to(
    c: Connection, stranger: Stranger, found: bool
) -> None:
    ingress = Ingress(c)
    c.execute(
        update(orders).values(
            shopify_order_id=GID,
            shopify_name="#1001",
            shopify_email="e1",
            shopify_address="a1",
            mirakl_state="SHIPPING",
        )
    )
    rows = note_relatives(c, [ingress.connection_id], stranger, NOW)
    assert rows == ((ingress.order_id,) if found else ())


def test_a_stranger_with_our_number_is_noted_with_the_other_orders_of_its_person_too(c: Connection) -> None:
    """An app that merges two orders copies the number of one of them."""
    ingress = Ingress(c)
    other = add_order(c, ingress.connection_id, "M-2", "M", NOW)
    known = {"shopify_address": "a1", "mirakl_state": "SHIPPING", "shopify_name": "#1002"}
    c.execute(update(orders).where(orders.c.id == other).values(shopify_order_id="SO2", **known))
    c.execute(update(orders).where(orders.c.id == ingress.order_id).values(shopify_order_id=GID))
    merged = Stranger(SECOND, "#1004", marker="atlas:M-1", words=("1002",), address="a1")
    assert note_relatives(c, [ingress.connection_id], merged, NOW) == (ingress.order_id, other)
    copied = Stranger("SO9", "#1005", marker="atlas:M-1", words=("1002",), address="a9")
    assert note_relatives(c, [ingress.connection_id], copied, NOW) == (ingress.order_id,)


@pytest.mark.parametrize("state", ["SHIPPED", "CANCELED"])
def test_the_person_alone_says_nothing_once_the_order_has_ended(c: Connection, state: str) -> None:
    ingress = Ingress(c)
    known = {"shopify_order_id": GID, "shopify_email": "e1", "shopify_name": "#1001"}
    c.execute(update(orders).values(mirakl_state=state, **known))
    ids = [ingress.connection_id]
    assert note_relatives(c, ids, Stranger(SECOND, "#1099", email="e1"), NOW) == ()
    assert note_relatives(c, ids, Stranger(SECOND, "#1001A"), NOW) == (ingress.order_id,)


def test_a_stranger_is_read_once_and_again_when_it_changes_soon(c: Connection) -> None:
    note_stranger(c, "a.myshopify.com", SECOND, NOW)
    assert waiting_strangers(c, "a.myshopify.com", 9) == [SECOND]
    assert waiting_strangers(c, "b.myshopify.com", 9) == []
    stranger_was_read(c, SECOND, NOW)
    for later, waits in (
        (timedelta(seconds=10), []),
        (timedelta(minutes=2), [SECOND]),
    ):
        note_stranger(c, "a.myshopify.com", SECOND, NOW + later)
        assert waiting_strangers(c, "a.myshopify.com", 9) == waits
    stranger_was_read(c, SECOND, NOW + timedelta(minutes=2))
    note_stranger(c, "a.myshopify.com", SECOND, NOW + timedelta(hours=2))
    assert waiting_strangers(c, "a.myshopify.com", 9) == []
    assert forget_strangers(c, NOW + timedelta(seconds=1)) == 1


def test_a_replaced_order_still_wakes_the_marketplace_order(c: Connection) -> None:
    ingress = Ingress(c)
    c.execute(update(orders).values(shopify_order_id=SECOND))
    old = Kin(GID, "#1001", "superseded", NOW, "Interlock", "its name")
    keep_lineage(c, ingress.order_id, [old, Kin(SECOND, "#1001A", "live", NOW, "x", "y")], [], NOW)
    assert ingress.deliver("w1", order=GID, topic="refunds/create") is True
    assert ingress.hints() == 1
    assert find_orders(c, "1001") == [ingress.order_id]
    sibling = add_order(c, ingress.connection_id, "M-9", "M-9", NOW)
    for asking, same in ((sibling, True), (0, False)):
        claims = (Claim(SECOND, "M-1", "live", same), Claim(GID, "M-1", "superseded", same))
        assert claims_of(c, asking, [GID, SECOND]) == claims


def test_a_shopify_order_stands_for_one_marketplace_order_at_most(c: Connection) -> None:
    ingress = Ingress(c)
    c.execute(update(orders).values(shopify_order_id=GID))
    other = add_order(c, ingress.connection_id, "M-2", "M-2", NOW)
    with pytest.raises(IntegrityError), c.begin_nested():
        c.execute(update(orders).where(orders.c.id == other).values(shopify_order_id=GID))


ECHO_TIME = timedelta(seconds=2)


def _wrote(ingress: Ingress, ago: timedelta, platform: str = "shopify") -> None:
    ingress.c.execute(
        insert(operations).values(
            id=f"op {ago}",
            order_id=ingress.order_id,
            connection_id=ingress.connection_id,
            epoch=1,
            kind="PlaceHold",
            platform=platform,
            call_class="A",
            action={},
            digest="d",
            state="CONFIRMED",
            planned_at=NOW - ago,
            sent_at=NOW - ago,
            done_at=NOW - ago,
        )
    )


@pytest.mark.parametrize(
    ("topic", "ago", "platform", "waits"),
    [
        ("orders/updated", timedelta(seconds=3), "shopify", True),
        ("fulfillment_holds/added", timedelta(seconds=3), "shopify", True),
        ("orders/updated", timedelta(seconds=11), "shopify", False),
        ("orders/updated", timedelta(seconds=3), "mirakl", False),
        ("orders/edited", timedelta(seconds=3), "shopify", False),
        ("orders/cancelled", timedelta(seconds=3), "shopify", False),
        ("fulfillments/create", timedelta(seconds=3), "shopify", False),
        ("fulfillment_orders/order_routing_complete", timedelta(seconds=3), "shopify", False),
    ],
)
def test_echoes_of_our_own_writes_wait_for_one_look_together(
    c: Connection, topic: str, ago: timedelta, platform: str, waits: bool
) -> None:
    ingress = Ingress(c)
    _wrote(ingress, ago, platform)
    ingress.deliver("w1", topic=topic)
    assert ingress.hints() == 1
    assert bool(ingress.queue.woken) is not waits
    due = [order_id for order_id, _ in due_orders(c, NOW, 10)]
    assert due == ([] if waits else [ingress.order_id])
    assert [order_id for order_id, _ in due_orders(c, NOW + ECHO_TIME, 10)] == [ingress.order_id]


def test_an_edit_among_the_echoes_waits_for_nothing(c: Connection) -> None:
    ingress = Ingress(c)
    _wrote(ingress, timedelta(seconds=1))
    ingress.deliver("w1", topic="orders/updated")
    ingress.deliver("w2", topic="orders/edited")
    ingress.deliver("w3", topic="fulfillment_holds/added")
    assert len(ingress.queue.woken) == 1
    assert [order_id for order_id, _ in due_orders(c, NOW, 10)] == [ingress.order_id]


def test_a_run_that_ends_leaves_echoes_to_the_sweep(c: Connection) -> None:
    ingress = Ingress(c)
    _wrote(ingress, timedelta(seconds=1))
    row = take_lease(c, ingress.order_id, "worker-1", NOW, NOW + MINUTE)
    assert row is not None
    ingress.deliver("w1", topic="orders/updated")
    assert release_lease(c, row.id, row.epoch, row.hints, None, NOW) is False
    assert due_orders(c, NOW, 10) == []
    assert [order_id for order_id, _ in due_orders(c, NOW + ECHO_TIME, 10)] == [ingress.order_id]

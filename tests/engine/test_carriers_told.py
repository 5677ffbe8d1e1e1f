"""A carrier map that is put right reaches the orders that were told of with the wrong carrier, and no other."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from interlock.console import desk
from interlock.engine import ledger
from interlock.engine.carriers_told import APART, look_at_told_otherwise
from interlock.engine.store import ConnectionRow
from interlock.orders.actions import CreateShipment, SetTracking, TrackShipment
from interlock.orders.capability import Capability
from interlock.orders.codec import decode, encode
from interlock.orders.connection import CarrierMapping
from interlock.orders.store import add_order, orders
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import NOW, a_fulfillment, a_shopify_order, a_view, an_order
from tests.console.seed import connect
from tests.engine.rows import Wakes

TOLD = SetTracking("DPD", "", "RM1", "")
MINUTE = timedelta(minutes=1)


def told(
    c: Connection,
    row: ConnectionRow,
    number: str,
    *actions: Any,
    carrier: str = "Parcel",
    state: str = "SHIPPED",
    call: str = "CONFIRMED",
    age: timedelta = MINUTE,
    country: str = "FR",
) -> int:
    """An order with one parcel, of which the marketplace was told by these calls."""
    order_id = add_order(c, row.id, number, "", NOW - age)
    parcel = a_fulfillment(carrier=carrier, tracking_number="RM 1")
    view = a_view(mirakl=an_order(state, country=country), shopify=a_shopify_order(fulfillments=(parcel,)))
    values = {"last_view": encode(view), "mirakl_state": state, "next_look_at": NOW + 9 * MINUTE}
    c.execute(update(orders).where(orders.c.id == order_id).values(**values))
    for place, action in enumerate(actions):
        c.execute(
            insert(ledger.operations).values(
                id=f"{number}-{place}",
                order_id=order_id,
                connection_id=row.id,
                epoch=1,
                kind=type(action).__name__,
                platform=action.platform,
                call_class=action.call_class,
                action=encode(action),
                digest=ledger.digest_of(action),
                state=call,
                planned_at=NOW - MINUTE,
                ended_at=NOW - MINUTE + timedelta(seconds=place),
                done_at=NOW,
            )
        )
    return order_id


@pytest.fixture
def row(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        found = connect(c, keyring)
        desk.map_carrier_names(c, Wakes(), found, [CarrierMapping("Parcel", "DPD")], "Ada", NOW)
        return found


def test_only_orders_that_were_told_otherwise_are_looked_at_one_after_the_other(
    database: Database, row: ConnectionRow
) -> None:
    right = SetTracking("RM24", "", "RM1", "")
    wakes = Wakes()
    with database.begin() as c:
        wrong = [
            told(c, row, "A", TOLD),
            told(c, row, "B", right, TOLD),
            told(c, row, "C", CreateShipment("IL-1", (), "DPD", "", "RM1"), state="SHIPPING"),
            told(c, row, "D", TrackShipment("S1", "DPD", "", "RM1", ""), state="TO_COLLECT"),
        ]
        others = [
            told(c, row, "E", TOLD, right),
            told(c, row, "F", SetTracking("DPD", "", "OTHER", "")),
            told(c, row, "G", TOLD, carrier="DPD"),
            told(c, row, "H", TOLD, carrier="Pigeon"),
            told(c, row, "I", TOLD, state="RECEIVED"),
            told(c, row, "J", TOLD, call="REJECTED"),
            told(c, row, "K", TOLD, age=timedelta(days=31)),
            told(c, row, "L"),
        ]
        now = NOW + MINUTE
        desk.map_carrier_names(c, wakes, row, [CarrierMapping("Parcel", "RM24")], "Bob", now)
        at = {r.id: r.next_look_at for r in c.execute(select(orders.c.id, orders.c.next_look_at))}
        again = look_at_told_otherwise(c, Wakes(), row.id, decode(Capability, row.capability), now)

    assert wakes.woken == [(wrong[0], "rest")]
    assert [at[order_id] for order_id in wrong[1:]] == [now + APART, now + 2 * APART, now + 3 * APART]
    assert {at[order_id] for order_id in others} == {NOW + 9 * MINUTE}
    assert list(again) == wrong


def test_a_narrow_mapping_that_is_taken_away_counts_too(database: Database, row: ConnectionRow) -> None:
    with database.begin() as c:
        narrow = CarrierMapping("Parcel", "RM24", country="GB")
        desk.map_carrier_names(c, Wakes(), row, [narrow], "Ada", NOW)
        order_id = told(c, row, "A", SetTracking("RM24", "", "RM1", ""), country="GB")
        assert look_at_told_otherwise(c, Wakes(), row.id, decode(Capability, row.capability), NOW) == ()
        wakes = Wakes()
        desk.unmap_carrier_name(c, wakes, row, "Parcel", "Bob", "wrong", NOW + MINUTE, country="GB")

    assert wakes.woken == [(order_id, "rest")]

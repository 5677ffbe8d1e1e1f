"""Which orders a change of the carrier map concerns after the fact: the marketplace was told of a parcel with a carrier
that its name does not lead to any more."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from interlock.engine.hints import hint
from interlock.engine.ledger import ACTION, TRACKING, operations
from interlock.engine.queue import Queue
from interlock.engine.store import one_connection
from interlock.orders.actions import CreateShipment, SetTracking, TrackShipment
from interlock.orders.capability import Capability
from interlock.orders.codec import decode
from interlock.orders.connection import ConnectionRules
from interlock.orders.snapshots import Fulfillment
from interlock.orders.store import orders
from interlock.shipping.carriers import CarrierChoice, resolve
from interlock.shipping.store import carrier_map
from interlock.shipping.tracking import sent_number
from interlock.shipping.vanished import LOOKED_BACK

ON_THEIR_WAY = ("SHIPPING", "SHIPPED", "TO_COLLECT")
"""The states in which a carrier that was told still matters to the customer."""
APART = timedelta(milliseconds=500)
"""So far apart these orders are looked at: a map that is put right may concern a whole day's parcels."""


def look_at_told_otherwise(
    c: Connection, queue: Queue, connection_id: int, capability: Capability, now: datetime
) -> tuple[int, ...]:
    """Have every young order on its way looked at, the first at once and the others one after the other, of which the
    marketplace took a tracking number with another carrier than the parcel leads to by now. Returns their row ids in that
    order."""
    rules = replace(
        one_connection(c, connection_id).rules,
        carriers=capability.carriers,
        unregistered_carriers=capability.unregistered_carriers is not False,
        carrier_mappings=carrier_map(c, connection_id),
    )
    rows = c.execute(
        select(orders.c.id, orders.c.last_view, operations.c.action)
        .join(operations, operations.c.order_id == orders.c.id)
        .where(
            orders.c.connection_id == connection_id,
            orders.c.mirakl_state.in_(ON_THEIR_WAY),
            orders.c.created_at >= now - LOOKED_BACK,
            orders.c.last_view.is_not(None),
            operations.c.kind.in_((*TRACKING, "CreateShipment")),
            operations.c.state == "CONFIRMED",
        )
        .order_by(orders.c.id, operations.c.ended_at, operations.c.id)
    ).all()
    views = {row.id: row.last_view for row in rows}
    told: dict[int, dict[str, tuple[str, str]]] = {}
    for row in rows:
        action = decode(ACTION, row.action)
        if isinstance(action, SetTracking | TrackShipment | CreateShipment):
            told.setdefault(row.id, {})[action.number] = (action.carrier_code, action.carrier_name)
    found = tuple(order_id for order_id, view in views.items() if _otherwise(rules, view, told[order_id]))
    for order_id in found[:1]:
        hint(c, queue, order_id, "rest", now)
    for place, order_id in enumerate(found[1:], start=1):
        at = now + place * APART
        c.execute(
            update(orders)
            .where(orders.c.id == order_id)
            .values(next_look_at=func.least(func.coalesce(orders.c.next_look_at, at), at))
        )
    return found


def _otherwise(rules: ConnectionRules, view: Mapping[str, Any], told: Mapping[str, tuple[str, str]]) -> bool:
    """Whether a parcel of the order as it was seen last leads to another carrier than its number was `told` with."""
    mirakl, shopify = view.get("mirakl") or {}, view.get("shopify") or {}
    parcels: tuple[Fulfillment, ...] = decode(tuple[Fulfillment, ...], shopify.get("fulfillments", []))
    country, service = mirakl.get("country", ""), mirakl.get("shipping_type_code", "")
    for parcel in parcels:
        before = told.get(sent_number(parcel.tracking_number))
        if before is None or not parcel.live:
            continue
        choice = resolve(rules, parcel.carrier, parcel.tracking_url, country, service)
        if isinstance(choice, CarrierChoice) and (choice.code, choice.name) != before:
            return True
    return False

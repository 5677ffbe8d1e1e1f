"""Which orders a change of the carrier map concerns after the fact: the marketplace was told of a parcel with a carrier
that its name does not lead to any more."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, text, update

from interlock.engine.hints import hint
from interlock.engine.queue import Queue
from interlock.engine.store import one_connection
from interlock.orders.capability import Capability
from interlock.orders.codec import decode
from interlock.orders.connection import ConnectionRules
from interlock.orders.snapshots import Fulfillment
from interlock.orders.store import orders
from interlock.shipping.carriers import CarrierChoice, resolve
from interlock.shipping.store import carrier_map
from interlock.shipping.vanished import LOOKED_BACK

APART = timedelta(milliseconds=500)
"""So far apart these orders are looked at: a map that is put right may concern a whole day's parcels."""
SOME_URL = "https://carrier.example/"
"""Stands for a parcel's own address, which only says whether an unregistered carrier may be named, not which."""

_TOLD = """
    FROM (
        SELECT DISTINCT ON (orders.id, action ->> 'number') orders.id AS order_id, last_view,
            action ->> 'number' AS number,
            coalesce(action ->> 'carrier_code', '') AS code, coalesce(action ->> 'carrier_name', '') AS name
        FROM orders JOIN operations ON operations.order_id = orders.id
        WHERE orders.connection_id = :connection_id AND orders.mirakl_state IN ('SHIPPING', 'SHIPPED', 'TO_COLLECT')
            AND orders.created_at >= :since
            AND operations.kind IN ('SetTracking', 'TrackShipment', 'CreateShipment') AND operations.state = 'CONFIRMED'
        ORDER BY orders.id, action ->> 'number', operations.ended_at DESC, operations.id DESC
    ) AS told
    CROSS JOIN LATERAL jsonb_array_elements(last_view -> 'shopify' -> 'fulfillments') AS parcel
    WHERE regexp_replace(parcel ->> 'tracking_number', '\\s', '', 'g') = number
"""
"""Each parcel of a young order on its way with what the marketplace took last for its number (OR23, ST01, ST23)."""
_HOW = """
    coalesce(parcel ->> 'carrier', '') AS carrier, coalesce(last_view -> 'mirakl' ->> 'country', '') AS country,
    coalesce(last_view -> 'mirakl' ->> 'shipping_type_code', '') AS service, code, name
"""
_WAYS = text(f"SELECT DISTINCT {_HOW} {_TOLD} ORDER BY 1, 2, 3, 4, 5")
_PARCELS = text(f"""
    SELECT * FROM (SELECT order_id, parcel, {_HOW} {_TOLD}) AS parcels
    WHERE (carrier, country, service, code, name) IN (SELECT * FROM unnest(
        CAST(:carriers AS text[]), CAST(:countries AS text[]), CAST(:services AS text[]),
        CAST(:codes AS text[]), CAST(:names AS text[])))
""")


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
    about = {"connection_id": connection_id, "since": now - LOOKED_BACK}
    # Most parcels share a few names and were told of alike: what those lead to now says which orders have to be read.
    suspects = [row for row in c.execute(_WAYS, about) if _leads_elsewhere(rules, row, row.carrier, SOME_URL)]
    if not suspects:
        return ()
    told = {
        "carriers": [one.carrier for one in suspects],
        "countries": [one.country for one in suspects],
        "services": [one.service for one in suspects],
        "codes": [one.code for one in suspects],
        "names": [one.name for one in suspects],
    }
    found = set()
    for row in c.execute(_PARCELS, {**about, **told}):
        parcel = decode(Fulfillment, row.parcel)
        if parcel.live and _leads_elsewhere(rules, row, parcel.carrier, parcel.tracking_url):
            found.add(row.order_id)
    ids = tuple(sorted(found))
    for order_id in ids[:1]:
        hint(c, queue, order_id, "rest", now)
    for place, order_id in enumerate(ids[1:], start=1):
        at = now + place * APART
        c.execute(
            update(orders)
            .where(orders.c.id == order_id)
            .values(next_look_at=func.least(func.coalesce(orders.c.next_look_at, at), at))
        )
    return ids


def _leads_elsewhere(rules: ConnectionRules, told: Row[Any], carrier: str, url: str) -> bool:
    """Whether a parcel of this carrier, for the destination and the shipping method of `told`, leads to another carrier by now
    than the marketplace was told."""
    choice = resolve(rules, carrier, url, told.country, told.service)
    return isinstance(choice, CarrierChoice) and (choice.code, choice.name) != (told.code, told.name)

"""The warehouse of a rehearsal: a picker who does not wait, labels that are bought and given back, and fulfilment services."""

import asyncio
import random
from functools import partial

from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.themes import Theme
from interlock.rehearsal.world import CARRIER_NAMES, World
from interlock.simulator.shopify.state import FulfillmentOrder, Order, Service

REQUESTABLE = ("UNSUBMITTED", "REJECTED", "CANCELLATION_ACCEPTED")


def open_warehouse(rng: random.Random, world: World, theme: Theme) -> None:
    """Now and then everything is shipped by a fulfilment service, which stops when it is asked, refuses, or ignores it."""
    location = next(iter(world.shopify.shop.locations.values()))
    if theme.service is not None:
        world.shopify.run_service(location, theme.service)
        return
    if rng.random() >= 0.2:
        return
    world.shopify.run_service(
        location,
        Service(
            auto_request=rng.random() < 0.3,
            accepts=rng.random() < 0.9,
            answers_after=rng.choice((5.0, 60.0)),
            cancellation=rng.choice(("accepts", "accepts", "rejects", "ignores")),
            cancellation_after=rng.choice((5.0, 120.0)),
            ships_after=rng.choice((600.0, 1800.0)),
        ),
    )


async def pick_for_ever(crowd: Crowd) -> None:
    """The picker makes a label for whatever nobody holds, now and then, and asks nobody."""
    number = 0
    while True:
        await asyncio.sleep(crowd.temper.picker_every * crowd.rng.uniform(0.5, 1.5))
        if not crowd.picking:
            continue
        for found in list(crowd.world.shopify.shop.orders.values()):
            if found.cancelled_at is not None or crowd.rng.random() > crowd.temper.picker_chance:
                continue
            _void_a_label(crowd, found)
            company: str | None = crowd.rng.choice(CARRIER_NAMES[:3])
            if crowd.rng.random() < crowd.temper.unknown_carrier:
                company = CARRIER_NAMES[3]
            if crowd.rng.random() < crowd.temper.tracking_missing:
                company = None
            for item in found.fulfillment_orders:
                if item.status not in ("OPEN", "IN_PROGRESS") or not item.remaining:
                    continue
                number += 1
                _label(crowd, item, company, number)


def _label(crowd: Crowd, item: FulfillmentOrder, company: str | None, number: int) -> None:
    shopify = crowd.world.shopify
    if item.location.fulfillment_service:
        if item.request in REQUESTABLE:
            crowd.attempt("fulfilment requested", partial(shopify.request_fulfillment, item))
        return
    if item.label_pending:
        return
    code = f"PARCEL{number:06d}"
    if company is not None and crowd.rng.random() < crowd.temper.label_bought:
        blind = crowd.rng.choice((0.0, 20.0, 90.0))
        crowd.attempt(
            "label bought",
            partial(shopify.buy_label, item, blind_seconds=blind, company=company, number=code),
        )
        return
    crowd.attempt(
        "label printed",
        partial(
            shopify.fulfill,
            item,
            company=company,
            number=None if company is None else code,
            display_status="LABEL_PRINTED",
        ),
    )


def _void_a_label(crowd: Crowd, found: Order) -> None:
    """A label is given back before the carrier has the parcel."""
    for shipment in found.fulfillments:
        live = shipment.status != "CANCELLED" and shipment.display_status in (
            "LABEL_PURCHASED",
            "LABEL_PRINTED",
        )
        if live and crowd.active and crowd.rng.random() < crowd.temper.label_voided:
            crowd.attempt("label voided", partial(crowd.world.shopify.void_label, shipment))

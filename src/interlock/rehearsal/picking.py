"""The warehouse of a rehearsal: a picker who does not wait, labels that are bought and given back, and fulfilment services."""

import asyncio
import random
from functools import partial

from sqlalchemy.exc import OperationalError

from interlock.engine.labels import LabelCheck, LabelRefused
from interlock.engine.run import EngineParts
from interlock.rehearsal import late_numbers
from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.judging.evidence import LabelAsked
from interlock.rehearsal.processes import ProcessStore
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
    """The picker makes a label for whatever nobody holds, now and then; some ask the label check first, some nobody."""
    number = 0
    printer = LabelPrinter(crowd)
    voided = random.Random(f"{crowd.world.plan.seed}:voided labels")
    without = late_numbers.leaves_without(crowd.world.plan.seed)
    while True:
        await asyncio.sleep(crowd.temper.picker_every * crowd.rng.uniform(0.5, 1.5))
        if not crowd.picking:
            continue
        for found in list(crowd.world.shopify.shop.orders.values()):
            if found.cancelled_at is not None or crowd.rng.random() > crowd.temper.picker_chance:
                continue
            _void_a_label(crowd, found)
            _go_on_after_a_void(crowd, found, voided)
            company: str | None = crowd.rng.choice(CARRIER_NAMES[:3])
            if crowd.rng.random() < crowd.temper.unknown_carrier:
                company = CARRIER_NAMES[3]
            if crowd.rng.random() < crowd.temper.tracking_missing:
                company = None
            if without is not None and without.random() < late_numbers.LEAVES_WITHOUT:
                company = None
            for item in found.fulfillment_orders:
                if item.status not in ("OPEN", "IN_PROGRESS") or not item.remaining:
                    continue
                number += 1
                if crowd.rng.random() >= crowd.temper.asks_first or await printer.may_print(item):
                    _label(crowd, item, company, number)


class LabelPrinter:
    """A label printer that asks the web process before it prints. No answer is a no."""

    def __init__(self, crowd: Crowd) -> None:
        world = crowd.world
        self._crowd = crowd
        self._clock = world.clock
        process = world.process_world
        store = ProcessStore(world.database, world.outage)
        engine = EngineParts(
            store=store,
            clock=world.service_clock,
            identifiers=process.identifiers,
            queue=world.wakeups,
            connections=process.connections_for(store, world.service_clock),
            keyring=world.keyring,
            worker="web",
        )
        self._check = LabelCheck(store, world.service_clock, world.wakeups, engine)

    async def may_print(self, item: FulfillmentOrder) -> bool:
        """Whether the check says yes; what it says of a marketplace's order is kept for the judge."""
        if self._crowd.world.web_away:
            return False
        try:
            said = await self._check.check(item.gid)
        except (LabelRefused, OperationalError):
            self._crowd.did["label check without an answer"] += 1
            return False
        yes = said.label.yes
        asked = LabelAsked(self._clock.now(), item.order.gid, item.gid, yes, said.source)
        self._crowd.asked.append(asked)
        self._crowd.did[f"label check said {'yes' if yes else 'no'}"] += 1
        self._crowd.did[f"label check answered: {said.source}"] += 1
        return yes

    async def print_anyway(self, item: FulfillmentOrder, who: str, why: str) -> bool:
        """Have the next check of this parcel say yes, once. False where the check has no objection, or nobody took the
        word."""
        if self._crowd.world.web_away:
            return False
        try:
            await self._check.override(item.gid, "", who, why, "rehearsal")
        except LabelRefused as refused:
            self._crowd.did[f"print anyway not taken: {refused.code}"] += 1
            return False
        except OperationalError:
            self._crowd.did["print anyway met an outage"] += 1
            return False
        self._crowd.did["check overridden"] += 1
        return True


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


def _go_on_after_a_void(crowd: Crowd, found: Order, rng: random.Random) -> None:
    """A fulfillment that stands without its label gets another one, is cancelled, or is forgotten for a while."""
    for shipment in found.fulfillments:
        if shipment.status == "CANCELLED" or shipment.display_status != "LABEL_VOIDED" or not crowd.active:
            continue
        if shipment.gid in crowd.gone_all_the_same:
            continue
        chance = rng.random()
        if chance < 0.4:
            number = f"ANEW{rng.randrange(10**6):06d}"
            company = next((item.company for item in shipment.tracking if item.company), CARRIER_NAMES[0])
            anew = partial(crowd.world.shopify.update_tracking, shipment, company=company, number=number)
            crowd.attempt("another label for a voided one", anew)
        elif chance < 0.6:
            crowd.attempt(
                "voided fulfillment cancelled", partial(crowd.world.shopify.cancel_fulfillment, shipment)
            )

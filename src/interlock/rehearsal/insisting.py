"""Packers who know better than the service: somebody prints a label although the label check says no, with name and reason, or
says that a parcel left under the number of a label that was given back.

Everything is drawn from a stream of its own, so that a history without it stays the history it was.
"""

import asyncio
import random
from collections.abc import Sequence
from functools import partial

from sqlalchemy import select

from interlock.cases.store import CannotAnswer, cases
from interlock.console.desk import answer_case
from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.drawing import first_choice_falls
from interlock.rehearsal.picking import LabelPrinter
from interlock.rehearsal.world import CARRIER_NAMES
from interlock.simulator.shopify.state import FulfillmentOrder

INSISTED = ((0.0175, 0.0665), (0.1, 0.135), (0.5855, 0.627), (0.9195, 0.955))
"""Between these the first choice of a history with such packers falls: every sixth one, and none of the seeds that were
committed before there were any."""
WHO = "Paul Packer"
WHY = "The customer rang and wants it as it is."
GIVEN_BACK = 0.5
"""The chance, each time a packer does something, that a label is given back although its parcel goes all the same."""
SAYS_SO = 0.7
"""The chance, each time, that somebody says of a case about a label given back that its parcel left."""
STATUSES = ("OPEN", "IN_PROGRESS", "ON_HOLD")


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:packers insist")


def is_drawn(seed: int) -> bool:
    """Whether there are such packers in this history."""
    return first_choice_falls(stream(seed), *INSISTED)


async def insist_for_ever(seed: int, crowd: Crowd) -> None:
    """A packer wants a parcel out now and then: asks the check, overrides a no, takes the hold off where one is on, and
    prints. Besides a label is given back of a parcel that goes all the same, and somebody says so when asked."""
    rng = stream(seed)
    rng.random()
    printer = LabelPrinter(crowd)
    number = 0
    while True:
        await asyncio.sleep(rng.choice((60.0, 150.0, 400.0)) * rng.uniform(0.5, 1.5))
        back, says, chosen = rng.random() < GIVEN_BACK, rng.random() < SAYS_SO, rng.random()
        frees, later = rng.random() < 0.6, rng.uniform(1, 40)
        if not crowd.active or crowd.world.outage.down:
            continue
        number += 1
        if back:
            _give_a_label_back(crowd, chosen, number)
        if says:
            _say_what_left(crowd)
        await _print_anyway(crowd, printer, chosen, frees, later, number)


def _waiting(crowd: Crowd, statuses: Sequence[str]) -> list[FulfillmentOrder]:
    """The parcels somebody could make a label for."""
    return [
        item
        for _, _, shown in crowd.not_left()
        for item in shown.fulfillment_orders
        if item.status in statuses
        and item.remaining
        and not item.label_pending
        and not item.location.fulfillment_service
    ]


# -- although the check says no ----------------------------------------------------------------------------


async def _print_anyway(
    crowd: Crowd, printer: LabelPrinter, chosen: float, frees: bool, later: float, number: int
) -> None:
    waiting = _waiting(crowd, STATUSES)
    if not waiting:
        return
    item = waiting[int(chosen * len(waiting))]
    if not await printer.print_anyway(item, WHO, WHY):
        return
    await asyncio.sleep(later)
    if frees and item.holds:
        crowd.attempt("hold taken off to print", partial(crowd.world.shopify.release_holds, item.order))
    if await printer.may_print(item):
        _print(crowd, item, number)


def _print(crowd: Crowd, item: FulfillmentOrder, number: int) -> None:
    made = partial(
        crowd.world.shopify.fulfill,
        item,
        company=CARRIER_NAMES[number % 3],
        number=f"ANYWAY{number:06d}",
        display_status="LABEL_PRINTED",
    )
    crowd.attempt("label printed anyway", made)


# -- under a label that was given back ---------------------------------------------------------------------


def _give_a_label_back(crowd: Crowd, chosen: float, number: int) -> None:
    """A label is made and given back in one go, and the parcel goes with it all the same."""
    waiting = _waiting(crowd, ("OPEN", "IN_PROGRESS"))
    if not waiting:
        return
    item, shopify = waiting[int(chosen * len(waiting))], crowd.world.shopify

    def act() -> None:
        label = shopify.fulfill(
            item,
            company=CARRIER_NAMES[number % 3],
            number=f"BACK{number:06d}",
            display_status="LABEL_PRINTED",
        )
        shopify.void_label(label)
        crowd.gone_all_the_same.add(label.gid)

    crowd.attempt("label given back of a parcel that went", act)


def _say_what_left(crowd: Crowd) -> None:
    """Whoever is asked about a label that was given back says that the parcel left under the number it shows."""
    world = crowd.world
    asked = select(cases.c.id).where(
        cases.c.closed_at.is_(None),
        cases.c.reason == Reason.LABEL_GIVEN_BACK.value,
        cases.c.order_id.is_not(None),
    )
    with world.database.begin() as c:
        numbers = list(c.execute(asked.order_by(cases.c.id)).scalars())
    for case_id in numbers:
        option, now = Option.LEFT_UNDER_NUMBER.value, world.service_clock.now()
        try:
            with world.database.begin() as c:
                answer_case(c, world.wakeups, case_id, option, WHO, "The carrier has it.", now, None)
        except CannotAnswer:
            crowd.did[f"answer {option} not taken"] += 1
        else:
            crowd.did[f"answered {option}"] += 1

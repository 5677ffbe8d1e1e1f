"""Edits made in Shopify, and what they must never do to a parcel."""

import asyncio

from interlock.orders.reasons import Reason
from interlock.rehearsal.scenarios import Stage
from tests.stories.stage import Theatre, marketplace


async def _impatient_picker(stage: Stage, first: float, last: float) -> None:
    second = first
    while second < last:
        await stage.until(second)
        stage.world.shopify.pick(company="UPS", number="PARCEL1")
        second += 10


def test_an_edit_reaches_the_marketplace_before_the_label(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(330)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await _impatient_picker(stage, 335, 800)

    told = theatre.tell(story, marketplace("automatic"), 1200)
    (cancelled,) = told.marketplace_effects("cancelation")
    (label,) = told.shopify_effects("fulfillment_created")
    assert cancelled < label
    assert told.stage.order.state == "SHIPPED"
    assert [line.live_quantity for line in told.stage.order.lines] == [1, 1]
    assert [line.fulfilled for line in told.live_orders[0].lines] == [1, 1]
    assert "2 unit(s) on 1 line(s) cancelled at the marketplace: confirmed." in told.timeline
    held = told.timeline.index("Parcel put on hold: confirmed.")
    agreed = told.timeline.index("cancelled at the marketplace: confirmed.")
    released = told.timeline.rindex("Hold released: the parcel may leave: confirmed.")
    assert held < agreed < released


def test_an_edit_after_the_parcel_left_is_a_case(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.pick(company="UPS", number="PARCEL1")
        await stage.until(700)
        stage.world.shopify.edit(stage.shopify_order(), add=[("LAMP-OAK", 1)])

    told = theatre.tell(story, marketplace("all-or-nothing"), 1100)
    assert told.stage.order.state == "SHIPPED"
    assert told.open_reasons == [Reason.EDIT_CANNOT_BE_EXPRESSED.value]
    (case,) = told.of(Reason.EDIT_CANNOT_BE_EXPRESSED)
    assert "LAMP-OAK" in case.sentence
    assert case.sentence in told.timeline
    assert told.marketplace_calls("OR30") == 0


def test_a_label_printed_on_an_edit_nobody_carried_across_yet_is_an_incident(theatre: Theatre) -> None:
    """Staff lift every hold and ship more than the marketplace agreed to: nothing is reported as shipped."""

    async def story(stage: Stage) -> None:
        await stage.until(400)
        order = stage.shopify_order()
        stage.world.shopify.edit(order, add=[("LAMP-OAK", 1)])
        await asyncio.sleep(60)
        stage.world.shopify.release_holds(order)
        for _ in order.fulfillment_orders:
            stage.world.shopify.pick(order, company="UPS", number="PARCEL1")

    told = theatre.tell(story, marketplace("all-or-nothing"), 1000)
    assert Reason.SHIPPED_ON_DISAGREEMENT.value in told.open_reasons
    assert told.stage.order.state == "SHIPPING"
    assert told.marketplace_calls("OR24") == 0
    assert "which was never sold there" in told.timeline

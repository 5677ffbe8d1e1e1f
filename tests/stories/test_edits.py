"""Edits made in Shopify, and what they must never do to a parcel."""

import asyncio

from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.scenarios import Stage
from tests.stories.stage import Theatre, answer_case, marketplace, open_cases


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
    assert "2 units on 1 line cancelled at the marketplace: confirmed." in told.timeline
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


def test_units_the_operator_cancels_are_taken_out_of_shopify_before_the_label(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(330)
        mugs = stage.order.lines[0]
        stage.marketplace.cancel_line(stage.order.id, mugs.id, quantity=2)
        await stage.until(600)
        await _impatient_picker(stage, 605, 1000)

    told = theatre.tell(story, marketplace("automatic"), 1400)
    (order,) = told.live_orders
    assert [line.current_quantity for line in order.lines] == [1, 1]
    assert told.of(Reason.MARKETPLACE_CHANGED) == []
    assert told.marketplace_calls("OR30") == 0
    assert "Interlock takes the units out of the Shopify order too" in told.timeline
    (label,) = told.shopify_effects("fulfillment_created")
    assert told.timeline.index("Parcel put on hold") < told.timeline.index(
        "Shopify order edited by Interlock"
    )
    assert max(told.marketplace_effects("cancelation")) < label
    assert told.stage.order.state == "SHIPPED"
    assert told.open_reasons == []


def test_a_swap_is_never_half_cancelled_and_ships_as_edited_on_a_persons_word(theatre: Theatre) -> None:
    before: list[object] = []

    async def story(stage: Stage) -> None:
        await stage.until(330)
        order = stage.shopify_order()
        stage.world.shopify.edit(order, add=[("LAMP-OAK", 1)], quantities=[("KETTLE-1L", 0)])
        await _impatient_picker(stage, 335, 600)
        before.extend([told_calls(stage, "OR30"), len(stage.shopify_order().fulfillments)])
        answer_case(stage, Reason.EDIT_CANNOT_BE_EXPRESSED, Option.SHIP_AS_EDITED)
        await _impatient_picker(stage, 605, 1000)

    told = theatre.tell(story, marketplace("automatic"), 1400)
    assert before == [0, 0]
    (order,) = told.live_orders
    assert {line.sku: line.fulfilled for line in order.lines} == {
        "MUG-BLUE": 3,
        "KETTLE-1L": 0,
        "LAMP-OAK": 1,
    }
    assert "Ada Agent decided to ship the order as it was edited" in told.timeline
    assert told.marketplace_calls("OR30") == 0
    assert told.stage.order.state == "SHIPPED"
    assert told.of(Reason.SHIPPED_ON_DISAGREEMENT) == []


def told_calls(stage: Stage, operation: str) -> int:
    return sum(call.operation == operation for call in stage.marketplace.record.calls)


def test_an_edit_that_never_arrived_says_why(theatre: Theatre) -> None:
    """It waits visibly while the marketplace collects the payment; the payment fails, and it is dropped with a reason."""
    before: list[object] = []

    async def story(stage: Stage) -> None:
        await stage.until(200)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(500)
        before.extend(row.reason for row in open_cases(stage))
        stage.marketplace.fail_payment(stage.order.id)

    told = theatre.tell(story, marketplace("all-or-nothing", debit_delay=3600.0), 1100)
    assert before == [Reason.EDIT_WAITING.value]
    (waiting,) = told.of(Reason.EDIT_WAITING)
    assert waiting.closed_at is not None
    assert "the state SHIPPING" in str(waiting.facts)
    assert "The edit in Shopify that waited is dropped and nothing of it was sent" in told.timeline
    assert told.timeline.count("is dropped") == 1
    assert told.marketplace_calls("OR30") == told.marketplace_calls("OR28") == 0
    assert told.live_orders == []

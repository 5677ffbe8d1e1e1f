"""Trouble around a dispatch, an address and money: each reaches its case in the simulated world and closes as its kind says."""

from datetime import timedelta
from decimal import Decimal

from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.scenarios import Stage
from tests.stories.stage import Theatre, answer_case, look_again, marketplace, open_cases


def reasons(stage: Stage) -> list[str]:
    return [row.reason for row in open_cases(stage)]


def test_a_sku_of_two_variants_stops_the_order_until_it_is_one(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        twin = stage.world.shopify.add_variant("MUG-BLUE", "12.00", 5, title="The old mug")
        await stage.until(400)
        assert reasons(stage) == [Reason.SKU_AMBIGUOUS.value]
        assert stage.order.state == "WAITING_ACCEPTANCE"
        twin.sku = "MUG-BLUE-OLD"
        look_again(stage)

    told = theatre.tell(story, marketplace("all-or-nothing"), 900)
    assert len(told.live_orders) == 1
    assert told.open_reasons == []


def test_a_shipping_deadline_that_comes_near_is_told_and_closes_with_the_dispatch(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        stage.order.shipping_deadline = stage.world.clock.now() + timedelta(minutes=40)
        await stage.until(1700)
        assert reasons(stage) == [Reason.SHIPPING_DEADLINE_NEAR.value]
        stage.world.shopify.pick(company="UPS", number="PARCEL1")

    told = theatre.tell(story, marketplace("all-or-nothing"), 2300)
    assert told.stage.order.state == "SHIPPED"
    assert told.open_reasons == []
    (case,) = told.of(Reason.SHIPPING_DEADLINE_NEAR)
    assert case.damage_at == case.due_at


def test_a_part_that_left_alone_is_told_after_two_hours(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        shopify = stage.world.shopify
        (item,) = [fo for fo in stage.shopify_order().fulfillment_orders if fo.status == "OPEN"]
        shopify.fulfill(item, company="UPS", number="PARCEL1", units=[("MUG-BLUE", 3)])
        await stage.until(8000)
        assert reasons(stage) == [Reason.PARTIAL_SHIPMENT.value]
        shopify.pick(company="UPS", number="PARCEL2")

    told = theatre.tell(story, marketplace("all-or-nothing"), 8600)
    assert told.stage.order.state == "SHIPPED"
    assert told.open_reasons == []


def test_a_label_given_back_and_bought_anew_before_anybody_looked_leaves_by_a_persons_word(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        shop = stage.world.shopify
        shop.switches.set("voided_label", "fulfillment_stays")
        (waiting,) = [one for one in stage.shopify_order().fulfillment_orders if one.remaining]
        label = shop.fulfill(waiting, company="UPS", number="PARCEL1", display_status="LABEL_PURCHASED")
        shop.void_label(label)
        shop.update_tracking(label, company="UPS", number="PARCEL2")
        await stage.until(2000)
        assert reasons(stage) == [Reason.LABEL_GIVEN_BACK.value]
        assert stage.order.state == "SHIPPING"
        answer_case(stage, Reason.LABEL_GIVEN_BACK, Option.LEFT_UNDER_NUMBER)

    told = theatre.tell(story, marketplace("all-or-nothing"), 2300)
    assert told.stage.order.state == "SHIPPED"
    assert told.stage.order.tracking_number == "PARCEL2"
    assert told.open_reasons == []


def test_done_in_the_portal_closes_nothing_before_the_marketplace_shows_it(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        assert stage.order.debited is not None
        stage.world.shopify.cancel_order(stage.shopify_order())
        await stage.until(1200)
        assert reasons(stage) == [Reason.REFUND_TASK.value]
        answer_case(stage, Reason.REFUND_TASK, Option.DONE_IN_PORTAL)
        await stage.until(1400)
        (case,) = open_cases(stage)
        assert "closes by itself when the marketplace shows it" in case.sentence
        for line in stage.order.lines:
            fees = dict(line.refundable().fees)
            stage.marketplace.refund_line(stage.order.id, line.id, quantity=line.quantity, fees=fees)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1800)
    assert told.open_reasons == []
    assert told.marketplace_calls("OR29") == 0


def test_a_parcel_that_comes_back_after_the_dispatch_is_an_incident(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.pick(company="UPS", number="PARCEL1")
        await stage.until(700)
        assert stage.order.state == "SHIPPED"
        (shipment,) = stage.shopify_order().fulfillments
        stage.world.shopify.cancel_fulfillment(shipment)
        await stage.until(1100)
        assert Reason.FULFILLMENT_CANCELLED.value in reasons(stage)
        answer_case(stage, Reason.FULFILLMENT_CANCELLED, Option.DISMISS)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1400)
    (case,) = told.of(Reason.FULFILLMENT_CANCELLED)
    assert case.kind == "incident"
    assert case.closed_at is not None


def test_an_incomplete_address_holds_the_parcel_until_it_is_whole(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        whole = dict(stage.order.shipping_address or {})
        stage.order.shipping_address = {**whole, "city": "", "zip_code": ""}
        await stage.until(600)
        assert Reason.ADDRESS_INCOMPLETE.value in reasons(stage)
        stage.order.shipping_address = whole
        stage.marketplace.touch(stage.order, stage.world.clock.now())

    told = theatre.tell(story, marketplace("all-or-nothing"), 1200)
    assert Reason.ADDRESS_INCOMPLETE.value not in told.open_reasons


def test_money_only_the_marketplace_gave_back_is_a_task_until_shopify_records_it(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.pick(company="UPS", number="PARCEL1")
        await stage.until(700)
        stage.marketplace.refund_line(stage.order.id, stage.order.lines[0].id, amount=Decimal("5.00"))
        await stage.until(1000)
        assert reasons(stage) == [Reason.REFUND_ONLY_AT_MARKETPLACE.value]
        stage.world.shopify.refund(stage.shopify_order(), money="5.00")

    told = theatre.tell(story, marketplace("all-or-nothing"), 1400)
    assert told.open_reasons == []
    assert told.marketplace_calls("OR28") == 0
    (case,) = told.of(Reason.REFUND_ONLY_AT_MARKETPLACE)
    assert case.kind == "task"
    assert told.of(Reason.REFUND_TASK) == []

"""Carriers, refunds, addresses, SKUs, holds and editing apps: what people do, and what becomes of it."""

from decimal import Decimal

from interlock.imports.store import map_skus
from interlock.orders.connection import CarrierMapping
from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.scenarios import Stage
from interlock.shipping.store import map_carriers
from tests.stories.stage import Theatre, answer_case, look_again, marketplace, open_cases


def test_an_unknown_carrier_is_mapped_once_and_the_waiting_parcel_ships_by_itself(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.pick(company="Express Bike", number="PARCEL1")
        await stage.until(700)
        assert [row.subject for row in open_cases(stage)] == ["Express Bike"]
        (connection_id,) = stage.world.connection_ids.values()
        with stage.world.database.begin() as c:
            now = stage.world.service_clock.now()
            map_carriers(c, connection_id, [CarrierMapping("Express Bike", "DHL")], "Otto Ops", now)
        look_again(stage)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1000)
    assert told.stage.order.state == "SHIPPED"
    assert (told.stage.order.carrier_code, told.stage.order.tracking_number) == ("DHL", "PARCEL1")
    assert len(told.of(Reason.CARRIER_UNKNOWN)) == 1
    assert told.open_reasons == []
    assert told.marketplace_calls("OR23") == 1
    assert told.timeline.index("Express Bike") < told.timeline.index(
        "Tracking sent to the marketplace (carrier DHL)"
    )


def test_the_case_of_an_unknown_carrier_says_what_was_chosen_for_a_similar_name(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        (connection_id,) = stage.world.connection_ids.values()
        with stage.world.database.begin() as c:
            now = stage.world.service_clock.now()
            map_carriers(c, connection_id, [CarrierMapping("Express Bikes", "LOCAL")], "Otto Ops", now)
        stage.world.shopify.pick(company="Express Bike", number="PARCEL1")
        await stage.until(700)
        (case,) = open_cases(stage)
        first = dict(case.facts)["Sounds like 1"]
        assert first.startswith("Local courier (LOCAL)")
        name = stage.marketplace.profile.name
        assert first.endswith(f"chosen for “Express Bikes” before ({name})")

    theatre.tell(story, marketplace("all-or-nothing"), 800)


def test_a_refund_in_shopify_becomes_one_task_and_closes_itself(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.pick(company="UPS", number="PARCEL1")
        await stage.until(700)
        stage.world.shopify.refund(stage.shopify_order(), money="5.00")
        await stage.until(1000)
        assert [row.reason for row in open_cases(stage)] == [Reason.REFUND_TASK.value]
        stage.marketplace.refund_line(stage.order.id, stage.order.lines[0].id, amount=Decimal("5.00"))

    profile = marketplace("all-or-nothing", refund_contact_delay=60.0, refund_payment_delay=120.0)
    told = theatre.tell(story, profile, 2000)
    (task,) = told.of(Reason.REFUND_TASK)
    assert task.kind == "task"
    assert task.owner == "finance"
    assert task.closed_at is not None
    assert told.open_reasons == []
    assert told.marketplace_calls("OR28") == 0
    assert "5.00" in task.sentence
    assert task.sentence in told.timeline


def test_a_hidden_address_never_gets_a_placeholder(theatre: Theatre) -> None:
    before: list[object] = []

    async def story(stage: Stage) -> None:
        await stage.until(300)
        shop = stage.world.shopify.shop
        (draft,) = shop.drafts.values()
        before.extend([draft.shipping_address, draft.billing_address, len(shop.orders), stage.order.state])

    told = theatre.tell(story, marketplace("hidden-address", debit_delay=600.0), 1200)
    assert before == [None, None, 0, "WAITING_DEBIT_PAYMENT"]
    (order,) = told.live_orders
    shown = told.stage.order.shipping_address
    assert shown is not None
    assert order.shipping_address is not None
    assert order.shipping_address.address1 == shown["street_1"]
    assert order.shipping_address.zip == shown["zip_code"]
    assert told.timeline.index("Order accepted at the marketplace") < told.timeline.index(
        "Draft order completed: the Shopify order exists: confirmed."
    )


def test_an_unknown_sku_never_drops_a_line(theatre: Theatre) -> None:
    before: list[object] = []

    async def story(stage: Stage) -> None:
        await stage.until(600)
        shop = stage.world.shopify.shop
        before.extend([len(shop.orders), len(shop.drafts), [row.reason for row in open_cases(stage)]])
        (connection_id,) = stage.world.connection_ids.values()
        with stage.world.database.begin() as c:
            now = stage.world.service_clock.now()
            map_skus(c, connection_id, {"NOT-IN-THE-SHOP": "LAMP-OAK"}, "Otto Ops", now)
        look_again(stage)
        await stage.until(700)
        # It is not sold at the lamp's price, which somebody has to see before it is accepted.
        assert stage.order.state == "WAITING_ACCEPTANCE"
        answer_case(stage, Reason.PRICE_DISCREPANCY, Option.ACCEPT_ANYWAY)

    told = theatre.tell(
        story, marketplace("all-or-nothing"), 1000, skus=("MUG-BLUE", "NOT-IN-THE-SHOP"), quantities=(3, 2)
    )
    assert before == [0, 0, [Reason.SKU_UNKNOWN.value]]
    (order,) = told.live_orders
    assert [(line.sku, line.current_quantity) for line in order.lines] == [("MUG-BLUE", 3), ("LAMP-OAK", 2)]
    assert told.stage.order.state == "SHIPPING"
    assert told.open_reasons == []
    assert "NOT-IN-THE-SHOP" in told.timeline


def test_staff_releasing_our_hold_is_answered_once_and_is_then_an_incident(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(200)
        assert stage.world.shopify.release_holds(stage.shopify_order()) == 1
        await stage.until(500)
        assert stage.world.shopify.release_holds(stage.shopify_order()) == 1

    told = theatre.tell(story, marketplace("all-or-nothing", debit_delay=5000.0), 1000)
    assert len(told.shopify_effects("hold_placed", "api:")) == 2
    assert told.open_reasons == [Reason.HOLD_RELEASED_BY_OTHERS.value]
    assert "it is placed once more" in told.timeline
    assert "it is left to people now" in told.timeline
    (order,) = told.live_orders
    assert [hold for item in order.fulfillment_orders for hold in item.holds] == []

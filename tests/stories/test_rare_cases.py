"""Cases that few orders ever meet, each played through: how it opens, and how it ends."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from interlock.console.flows import pause_flow, resume_flow
from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.switches import Switches
from tests.stories.stage import RULES, Theatre, answer_case, marketplace, open_cases

AUTOMATIC = replace(RULES, reduction_after_debit="automatic", refund_cap=Decimal("500.00"))


def reasons(stage: Stage) -> list[str]:
    return [row.reason for row in open_cases(stage)]


def pause_edits(stage: Stage) -> None:
    world = stage.world
    (connection_id,) = world.connection_ids.values()
    now = world.service_clock.now()
    with world.database.begin() as c:
        pause_flow(c, world.wakeups, connection_id, "edits", "60", "Ada", "Stocktaking.", now)


def resume_edits(stage: Stage) -> None:
    world = stage.world
    (connection_id,) = world.connection_ids.values()
    with world.database.begin() as c:
        resume_flow(c, world.wakeups, connection_id, "edits", "Ben", world.service_clock.now())


def test_a_paused_flow_says_so_on_every_order_it_stops_and_goes_on_when_the_pause_ends(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(200)
        world = stage.world
        pause_edits(stage)
        assert reasons(stage) == []
        world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(500)
        assert reasons(stage) == [Reason.FLOW_PAUSED.value]
        assert stage.order.lines[0].cancelations == []
        resume_edits(stage)

    told = theatre.tell(story, marketplace("automatic"), 900)
    assert [part.quantity for part in told.stage.order.lines[0].cancelations] == [2]
    assert told.open_reasons == []
    (paused,) = told.of(Reason.FLOW_PAUSED)
    assert "by Ada: Stocktaking." in paused.sentence


def test_a_pause_that_ended_is_asked_about_no_more_although_the_shopify_order_is_gone(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(200)
        world = stage.world
        pause_edits(stage)
        order = world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(500)
        assert reasons(stage) == [Reason.FLOW_PAUSED.value]
        world.shopify.archive(order)
        world.shopify.delete_order(order)
        resume_edits(stage)

    told = theatre.tell(story, marketplace("automatic"), 1200)
    assert told.open_reasons == [Reason.SHOPIFY_ORDER_MISSING.value]


def test_figures_that_tell_nothing_are_no_order_until_they_add_up(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        # Units go before the order is first read, and its total fits neither way of showing what is left.
        world = stage.marketplace
        order = stage.order
        order.shown_instead = {"total_price": 12.34}
        mugs = order.lines[0]
        world.cancel_line(order.id, mugs.id, quantity=1, by="operator")
        await stage.until(300)
        assert reasons(stage) == [Reason.TOTALS_DIFFER.value]
        assert not stage.world.shopify.shop.orders
        order.shown_instead = {}
        world.touch(order, stage.world.clock.now())

    told = theatre.tell(story, marketplace("all-or-nothing"), 700)
    assert told.open_reasons == []
    (order,) = told.live_orders
    assert [line.current_quantity for line in order.lines] == [2, 1]


def test_a_parcel_that_cannot_be_held_while_the_sides_differ(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(200)
        shop = stage.world.shopify
        (parcel,) = stage.shopify_order().fulfillment_orders
        shop.schedule_fulfillment_order(parcel, 600)
        shop.edit(stage.shopify_order(), quantities=[("MUG-BLUE", 4)])
        await stage.until(500)
        assert Reason.CANNOT_HOLD.value in reasons(stage)
        shop.set_quantity(stage.shopify_order(), "MUG-BLUE", 3)

    switches = Switches(SHOPIFY_SWITCHES, {"scheduled_holdable": "no"})
    told = theatre.tell(story, marketplace("all-or-nothing"), 1300, shopify_switches=switches)
    assert told.open_reasons == []
    assert "Tell the warehouse to wait" in told.of(Reason.CANNOT_HOLD)[0].sentence


def test_a_tracking_number_that_is_none_is_not_sent_and_a_corrected_one_is(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        shop = stage.world.shopify
        parcel = shop.pick(company="UPS", number="-- -- --")
        assert parcel is not None
        await stage.until(600)
        assert reasons(stage) == [Reason.TRACKING_UNUSABLE.value]
        assert stage.order.tracking_number is None
        shop.update_tracking(parcel, company="UPS", number="1Z999AA10123456784")

    told = theatre.tell(story, marketplace("all-or-nothing"), 900)
    assert told.open_reasons == []
    assert told.stage.order.tracking_number == "1Z999AA10123456784"
    assert told.stage.order.state == "SHIPPED"


def test_a_refund_that_only_waits_for_the_operator_is_a_case_until_it_is_shown(theatre: Theatre) -> None:
    slow = {"refund_approval_delay": 2500.0, "refund_contact_delay": 60.0, "refund_payment_delay": 120.0}

    async def story(stage: Stage) -> None:
        stage.marketplace.switches.set("or28_lands_as", "request")
        await stage.until(400)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(1700)
        assert Reason.REFUND_NOT_PAID.value in reasons(stage)
        assert [refund.state for refund in stage.order.lines[0].refunds] == ["REQUESTED"]

    profile = marketplace("all-or-nothing", **slow)
    told = theatre.tell(story, profile, 4200, rules=AUTOMATIC)
    assert told.of(Reason.REFUND_NOT_PAID)[0].closed_at is not None
    assert told.stage.order.lines[0].refunds[0].state == "REFUNDED"
    assert told.marketplace_calls("OR28") == 1


def test_a_refund_that_somebody_makes_a_second_time_is_noticed_as_damage(theatre: Theatre) -> None:
    quick = {"refund_contact_delay": 60.0, "refund_payment_delay": 120.0}

    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 2)
        await stage.until(700)
        (ours,) = stage.order.lines[0].refunds
        mugs = stage.order.lines[0]
        stage.marketplace.refund_line(
            stage.order.id,
            mugs.id,
            amount=ours.amounts.product + ours.amounts.taxes["MWST19"],
            shipping_amount=ours.amounts.shipping + ours.amounts.shipping_taxes["MWST19"],
        )
        await stage.until(1000)
        assert Reason.REFUND_MISMATCH.value in reasons(stage)
        answer_case(stage, Reason.REFUND_MISMATCH, Option.DISMISS)

    told = theatre.tell(story, marketplace("all-or-nothing", **quick), 1400, rules=AUTOMATIC)
    (double,) = told.of(Reason.REFUND_MISMATCH)
    assert "was refunded twice" in double.sentence
    assert double.closed_at is not None
    assert told.marketplace_calls("OR28") == 1


def test_a_debit_that_the_workflow_never_tells_of_stops_the_edit_until_it_is_gone(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(300)
        order, world = stage.order, stage.world
        debited = (world.clock.now() - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        order.shown_instead = {"customer_debited_date": debited}
        stage.marketplace.touch(order, world.clock.now())
        world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(700)
        assert Reason.IMPOSSIBLE_COMBINATION.value in reasons(stage)
        assert order.lines[0].cancelations == []
        order.shown_instead = {}
        stage.marketplace.touch(order, world.clock.now())

    told = theatre.tell(
        story, marketplace("all-or-nothing", payment_workflow="NO_CUSTOMER_PAYMENT_CONFIRMATION"), 1300
    )
    assert told.of(Reason.IMPOSSIBLE_COMBINATION)[0].closed_at is not None

"""How cases open and end that no other story follows to their end: by what the platforms show, or by a person with a
reason. `tests/cases/test_reached.py` holds all stories together against the catalogue."""

import asyncio
from dataclasses import asdict, replace
from decimal import Decimal

from sqlalchemy import delete

from interlock.orders.reasons import Option, Reason
from interlock.orders.store import plans
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.faults import Fault
from interlock.simulator.shopify.state import Order
from tests.stories.stage import RULES, Broken, Theatre, Told, answer_case, look_again, marketplace, open_cases
from tests.stories.test_labels_and_services import Printer

SWITCHED = marketplace("automatic")
WAITS = marketplace("all-or-nothing")


def reasons(stage: Stage) -> list[str]:
    return [row.reason for row in open_cases(stage)]


def closed(told: Told, reason: Reason) -> bool:
    """Whether the case of this reason was there and is closed, every one of them."""
    found = told.of(reason)
    return bool(found) and all(row.closed_at is not None for row in found)


# -- what the platforms refuse -----------------------------------------------------------------------------


def test_a_creation_shopify_refuses_is_made_once_the_cause_is_gone(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        app = stage.world.shopify.main_app
        all_of_them = app.scopes
        app.scopes = tuple(scope for scope in all_of_them if scope != "write_draft_orders")
        await stage.until(300)
        assert Reason.IMPORT_REFUSED.value in reasons(stage)
        assert not stage.world.shopify.shop.drafts
        app.scopes = all_of_them
        answer_case(stage, Reason.IMPORT_REFUSED, Option.SEND_AGAIN)

    told = theatre.tell(story, WAITS, 900)
    assert closed(told, Reason.IMPORT_REFUSED)
    assert len(told.live_orders) == 1


def test_a_creation_shopify_refuses_is_over_once_the_order_is_refused(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        app = stage.world.shopify.main_app
        app.scopes = tuple(scope for scope in app.scopes if scope != "write_draft_orders")
        await stage.until(300)
        assert Reason.IMPORT_REFUSED.value in reasons(stage)
        stage.marketplace.portal_decide(stage.order.id, False)

    told = theatre.tell(story, WAITS, 700)
    assert closed(told, Reason.IMPORT_REFUSED)
    assert told.live_orders == []


def _allowed(stage: Stage, *denied: str) -> None:
    key = stage.marketplace.keys[stage.marketplace.api_key]
    stage.marketplace.keys[stage.marketplace.api_key] = replace(key, denied=denied)


def test_an_acceptance_the_marketplace_refuses_is_over_once_somebody_accepts_in_the_portal(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        _allowed(stage, "OR21")
        await stage.until(300)
        assert Reason.ACCEPTANCE_REFUSED.value in reasons(stage)
        assert stage.order.state == "WAITING_ACCEPTANCE"
        stage.marketplace.portal_decide(stage.order.id, True)

    told = theatre.tell(story, WAITS, 900)
    assert closed(told, Reason.ACCEPTANCE_REFUSED)
    assert told.stage.order.state == "SHIPPING"


def test_a_reduction_the_marketplace_refuses_is_over_once_both_sides_agree_again(theatre: Theatre) -> None:
    refuses = Broken(Fault("server_error", status=400), "OR30")

    async def story(stage: Stage) -> None:
        await stage.until(330)
        refuses.active = True
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(600)
        assert Reason.REDUCTION_REFUSED.value in reasons(stage)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 3)

    told = theatre.tell(story, SWITCHED, 1200, mirakl_faults=refuses)
    assert closed(told, Reason.REDUCTION_REFUSED)
    assert [line.live_quantity for line in told.stage.order.lines] == [3, 1]


def test_a_refund_the_balance_does_not_allow_is_over_once_the_edit_is_undone(theatre: Theatre) -> None:
    rules = replace(RULES, reduction_after_debit="automatic", refund_cap=Decimal("500.00"))

    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.marketplace.change_profile({"pending_adjustment": -100_000})
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(700)
        assert reasons(stage) == [Reason.REFUND_REFUSED.value]
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 3)

    told = theatre.tell(story, WAITS, 1200, rules=rules)
    assert closed(told, Reason.REFUND_REFUSED)
    assert told.stage.order.lines[0].refunds == []


def test_a_call_that_stays_unclear_is_over_once_a_person_says_why(theatre: Theatre) -> None:
    refuses = Broken(Fault("server_error", status=503), "OR30")

    async def story(stage: Stage) -> None:
        await stage.until(400)
        refuses.active = True
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(1800)
        assert Reason.OUTCOME_UNCLEAR.value in reasons(stage)
        refuses.active = False
        answer_case(stage, Reason.OUTCOME_UNCLEAR, Option.SEND_AGAIN)

    told = theatre.tell(story, SWITCHED, 3600, mirakl_faults=refuses)
    assert closed(told, Reason.OUTCOME_UNCLEAR)
    assert [line.live_quantity for line in told.stage.order.lines] == [1, 1]
    assert told.open_reasons == []


# -- what the marketplace shows ----------------------------------------------------------------------------


def test_an_edit_waits_while_an_incident_is_open_and_the_case_ends_with_it(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        mugs = stage.order.lines[0]
        stage.marketplace.open_incident(stage.order.id, mugs.id)
        await stage.until(700)
        assert reasons(stage) == [Reason.INCIDENT_OPEN.value]
        assert stage.world.shopify.pick(company="UPS", number="PARCEL1") is None
        stage.marketplace.close_incident(stage.order.id, mugs.id)

    told = theatre.tell(story, WAITS, 1200)
    assert closed(told, Reason.INCIDENT_OPEN)
    assert told.open_reasons == []


def test_an_order_that_cannot_be_read_is_a_case_until_it_can(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.marketplace.show_instead(stage.order.id, {"order_lines": "three"})
        await stage.until(700)
        (case,) = open_cases(stage)
        assert (case.reason, case.subject) == (Reason.UNREADABLE_ORDER.value, stage.order.id)
        stage.marketplace.show_instead(stage.order.id, {})

    told = theatre.tell(story, WAITS, 1200)
    assert closed(told, Reason.UNREADABLE_ORDER)


def test_an_order_of_another_centre_is_ours_once_the_marketplace_says_so(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        stage.order.static["fulfillment"] = {"center": {"code": "CENTRAL-7"}}
        await stage.until(400)
        assert reasons(stage) == [Reason.NOT_OURS_TO_SHIP.value]
        stage.order.static["fulfillment"] = {"center": {"code": "DEFAULT"}}
        stage.marketplace.touch(stage.order, stage.world.clock.now())

    told = theatre.tell(story, WAITS, 900)
    assert closed(told, Reason.NOT_OURS_TO_SHIP)
    assert len(told.live_orders) == 1


def test_a_carrier_code_that_the_marketplace_takes_away_is_a_case_until_it_is_back(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(200)
        world, market = stage.world, stage.marketplace
        all_of_them = [asdict(carrier) for carrier in market.profile.carriers]
        market.change_profile({"carriers": [one for one in all_of_them if one["code"] != "DHL"]})
        await world.read_capability(market.profile.name)
        assert reasons(stage) == [Reason.CARRIER_GONE.value]
        market.change_profile({"carriers": all_of_them})
        await world.read_capability(market.profile.name)

    told = theatre.tell(story, WAITS, 400)
    assert closed(told, Reason.CARRIER_GONE)


def test_a_carrier_found_by_its_very_name_that_is_called_otherwise_is_a_case_before_the_next_parcel(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        world, market = stage.world, stage.marketplace
        world.shopify.pick(company="local-courier", number="PARCEL1")
        await stage.until(800)
        assert stage.order.state == "SHIPPED"
        all_of_them = [asdict(carrier) for carrier in market.profile.carriers]
        others = [one for one in all_of_them if one["code"] != "LOCAL"]
        renamed = next(one for one in all_of_them if one["code"] == "LOCAL") | {"label": "Town riders"}
        market.change_profile({"carriers": [*others, renamed]})
        await world.read_capability(market.profile.name)
        (case,) = open_cases(stage)
        assert (case.reason, case.subject) == (Reason.CARRIER_GONE.value, "LOCAL")
        assert "calls the carrier LOCAL otherwise now" in case.sentence
        assert "One parcel of the orders" in case.sentence
        market.change_profile({"carriers": all_of_them})
        await world.read_capability(market.profile.name)

    told = theatre.tell(story, WAITS, 1000)
    assert closed(told, Reason.CARRIER_GONE)


def test_a_line_that_both_sides_change_at_once_is_asked_until_they_show_the_same(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(330)
        mugs = stage.order.lines[0]
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        stage.marketplace.cancel_line(stage.order.id, mugs.id, quantity=1)
        await stage.until(600)
        assert Reason.BOTH_SIDES_CHANGED.value in reasons(stage)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 2)

    told = theatre.tell(story, SWITCHED, 1200)
    assert closed(told, Reason.BOTH_SIDES_CHANGED)
    assert told.open_reasons == []


# -- what people did in Shopify ----------------------------------------------------------------------------


def test_a_parcel_without_a_carrier_is_told_of_once_it_has_one(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        shop = stage.world.shopify
        parcel = shop.pick(company=None, number="PARCEL1")
        assert parcel is not None
        await stage.until(700)
        assert reasons(stage) == [Reason.TRACKING_MISSING.value]
        assert stage.order.state == "SHIPPING"
        shop.update_tracking(parcel, company="UPS", number="PARCEL1")

    told = theatre.tell(story, WAITS, 1200)
    assert closed(told, Reason.TRACKING_MISSING)
    assert told.stage.order.state == "SHIPPED"


def test_an_order_cancelled_after_the_debit_is_over_once_every_line_is_refunded(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.cancel_order(stage.shopify_order())
        await stage.until(1500)
        assert reasons(stage) == [Reason.REFUND_TASK.value]
        for line in stage.order.lines:
            left = line.refundable()
            stage.marketplace.refund_line(
                stage.order.id,
                line.id,
                amount=left.product + sum(left.taxes.values()),
                shipping_amount=left.shipping + sum(left.shipping_taxes.values()),
                fees=dict(left.fees),
            )

    told = theatre.tell(
        story, marketplace("all-or-nothing", refund_contact_delay=60.0, refund_payment_delay=120.0), 2600
    )
    assert closed(told, Reason.REFUND_TASK)
    assert Reason.CONFIRM_WITHDRAWN.value not in told.open_reasons


async def _delete(stage: Stage, cancelled: Order) -> None:
    """Staff delete an order in Shopify a moment after it was last seen."""
    await asyncio.sleep(20)
    stage.world.shopify.delete_order(cancelled)
    look_again(stage)


def test_an_order_cancelled_in_shopify_and_deleted_there_is_cancelled_at_the_marketplace(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(300)
        await _delete(stage, stage.world.shopify.cancel_order(stage.shopify_order()))

    told = theatre.tell(story, marketplace("automatic", debit_request_delay=9000.0), 2400)
    assert told.marketplace_calls("OR29") == 1
    assert told.stage.order.state == "CANCELED"
    assert told.open_reasons == []
    assert "is not shown by Shopify any more. It counts as cancelled" in told.timeline


def test_what_was_paid_for_an_order_that_was_cancelled_and_deleted_meanwhile_is_asked_back(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(200)
        assert stage.order.state == "WAITING_DEBIT_PAYMENT"
        cancelled = stage.world.shopify.cancel_order(stage.shopify_order())
        await stage.until(900)
        assert reasons(stage) == [Reason.CANCELLED_IN_SHOPIFY.value]
        await _delete(stage, cancelled)

    told = theatre.tell(story, marketplace("all-or-nothing", debit_delay=1500.0), 3000)
    assert told.stage.order.debited is not None
    assert closed(told, Reason.CANCELLED_IN_SHOPIFY)
    assert told.open_reasons == [Reason.REFUND_TASK.value]
    # Nothing is written to what is not there.
    deleted = told.shopify_effects("deleted")[0]
    calls = [c for c in told.stage.world.shopify.record.calls if c.at > deleted and c.status != 200]
    assert calls == []


def _forget_plans(stage: Stage) -> None:
    """Nothing is kept any more of what the order showed."""
    with stage.world.database.begin() as c:
        c.execute(delete(plans))


def test_an_order_that_was_cancelled_and_deleted_long_ago_is_asked_about_and_ends_by_the_answer(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(300)
        cancelled = stage.world.shopify.cancel_order(stage.shopify_order())
        await stage.until(310)
        _forget_plans(stage)
        await _delete(stage, cancelled)
        await stage.until(900)
        assert reasons(stage) == [Reason.SHOPIFY_ORDER_MISSING.value]
        assert stage.order.state == "SHIPPING"
        answer_case(stage, Reason.SHOPIFY_ORDER_MISSING, Option.CANCEL_AT_MARKETPLACE)

    told = theatre.tell(story, marketplace("automatic", debit_request_delay=9000.0), 3000)
    assert told.marketplace_calls("OR29") == 1
    assert told.stage.order.state == "CANCELED"
    assert told.open_reasons == []


async def _archived_and_deleted(stage: Stage) -> None:
    """Staff delete an order that nobody cancelled; Shopify lets them once it is archived."""
    order = stage.shopify_order()
    stage.world.shopify.archive(order)
    await _delete(stage, order)


def test_a_deleted_order_that_nobody_cancelled_is_asked_about_and_counts_as_cancelled_by_the_answer(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(300)
        await _archived_and_deleted(stage)
        await stage.until(500)
        assert reasons(stage) == []
        await stage.until(900)
        assert reasons(stage) == [Reason.SHOPIFY_ORDER_MISSING.value]
        assert stage.order.state == "SHIPPING"
        answer_case(stage, Reason.SHOPIFY_ORDER_MISSING, Option.CANCEL_AT_MARKETPLACE)

    told = theatre.tell(story, marketplace("automatic", debit_request_delay=9000.0), 3000)
    assert told.marketplace_calls("OR29") == 1
    assert told.stage.order.state == "CANCELED"
    assert closed(told, Reason.SHOPIFY_ORDER_MISSING)
    assert told.open_reasons == []


def test_an_order_that_shopify_hides_for_a_while_is_asked_about_until_it_is_shown_again(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(300)
        order, shop = stage.shopify_order(), stage.world.shopify.shop
        del shop.orders[order.number]
        look_again(stage)
        await stage.until(900)
        assert reasons(stage) == [Reason.SHOPIFY_ORDER_MISSING.value]
        shop.orders[order.number] = order
        look_again(stage)

    told = theatre.tell(story, marketplace("automatic"), 2400)
    assert closed(told, Reason.SHOPIFY_ORDER_MISSING)
    assert told.marketplace_calls("OR29") == 0
    assert Reason.SHOPIFY_ORDER_MISSING.value not in told.open_reasons


def test_a_deleted_order_whose_sale_ends_at_the_marketplace_is_asked_about_no_more(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(300)
        await _archived_and_deleted(stage)
        await stage.until(900)
        assert reasons(stage) == [Reason.SHOPIFY_ORDER_MISSING.value]
        stage.marketplace.cancel_order(stage.order.id)

    told = theatre.tell(story, marketplace("automatic", debit_request_delay=9000.0), 2400)
    assert closed(told, Reason.SHOPIFY_ORDER_MISSING)
    assert told.open_reasons == []


def test_an_order_shipped_in_the_portal_and_cancelled_in_shopify_is_over_once_every_line_is_refunded(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.marketplace.portal_ship(stage.order.id)
        stage.world.shopify.cancel_order(stage.shopify_order())
        await stage.until(1500)
        assert reasons(stage) == [Reason.CANCELLED_IN_SHOPIFY.value]
        for line in stage.order.lines:
            fees = dict(line.refundable().fees)
            stage.marketplace.refund_line(stage.order.id, line.id, quantity=line.quantity, fees=fees)

    told = theatre.tell(
        story, marketplace("all-or-nothing", refund_contact_delay=60.0, refund_payment_delay=120.0), 2600
    )
    assert closed(told, Reason.CANCELLED_IN_SHOPIFY)


def test_an_order_written_to_again_and_again_is_parked_until_the_hour_is_over(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        # Another app takes our mark off the order as often as it is put on.
        await stage.until(3610)
        for _ in range(40):
            stage.world.shopify.delete_marker(stage.shopify_order())
            look_again(stage)
            await asyncio.sleep(40)
            if Reason.TOO_MANY_CYCLES.value in reasons(stage):
                break
        assert reasons(stage) == [Reason.TOO_MANY_CYCLES.value]

    told = theatre.tell(story, SWITCHED, 7800)
    assert closed(told, Reason.TOO_MANY_CYCLES)
    assert told.open_reasons == []


def test_a_hold_that_staff_released_twice_is_over_once_somebody_says_why(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(200)
        assert stage.world.shopify.release_holds(stage.shopify_order()) == 1
        await stage.until(500)
        assert stage.world.shopify.release_holds(stage.shopify_order()) == 1
        await stage.until(800)
        assert reasons(stage) == [Reason.HOLD_RELEASED_BY_OTHERS.value]
        answer_case(stage, Reason.HOLD_RELEASED_BY_OTHERS, Option.DISMISS)

    told = theatre.tell(story, marketplace("all-or-nothing", debit_delay=5000.0), 1200)
    assert closed(told, Reason.HOLD_RELEASED_BY_OTHERS)


def test_a_label_on_an_edit_stays_two_incidents_until_a_person_closes_both(theatre: Theatre) -> None:
    both = (Reason.LABEL_BEFORE_AGREEMENT, Reason.SHIPPED_ON_DISAGREEMENT)

    async def story(stage: Stage) -> None:
        await stage.until(400)
        order = stage.shopify_order()
        stage.world.shopify.edit(order, add=[("LAMP-OAK", 1)])
        await asyncio.sleep(60)
        stage.world.shopify.release_holds(order)
        for _ in order.fulfillment_orders:
            stage.world.shopify.pick(order, company="UPS", number="PARCEL1")
        await stage.until(1000)
        for reason in both:
            assert reason.value in reasons(stage)
            answer_case(stage, reason, Option.DISMISS)

    told = theatre.tell(story, WAITS, 1500)
    assert [closed(told, reason) for reason in both] == [True, True]


def test_a_parcel_of_an_order_that_ended_stays_an_incident_until_a_person_closes_it(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(330)
        # A carrier the marketplace does not know: it is not told of the parcel, and cancels.
        assert stage.world.shopify.pick(company="Express Bike", number="PARCEL1") is not None
        await stage.until(400)
        stage.marketplace.cancel_order(stage.order.id)
        await stage.until(1500)
        assert reasons(stage) == [Reason.ENDED_AFTER_PICKING.value]
        answer_case(stage, Reason.ENDED_AFTER_PICKING, Option.DISMISS)

    told = theatre.tell(story, SWITCHED, 2000)
    assert told.stage.order.state == "CANCELED"
    assert closed(told, Reason.ENDED_AFTER_PICKING)
    assert told.open_reasons == []


def test_a_unit_added_to_an_order_that_left_and_ended_is_a_case_until_it_is_taken_out(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(330)
        assert stage.world.shopify.pick(company="Express Bike", number="PARCEL1") is not None
        await stage.until(400)
        stage.marketplace.cancel_order(stage.order.id)
        await stage.until(700)
        answer_case(stage, Reason.ENDED_AFTER_PICKING, Option.DISMISS)
        order = stage.shopify_order()
        stage.world.shopify.edit(order, add=[("LAMP-OAK", 1)])
        await stage.until(1500)
        assert reasons(stage) == [Reason.ENDED_WITH_REST.value]
        assert stage.world.shopify.pick(order, company="UPS", number="PARCEL2") is None
        stage.world.shopify.edit(order, quantities=[("LAMP-OAK", 0)])

    told = theatre.tell(story, SWITCHED, 2500)
    assert closed(told, Reason.ENDED_WITH_REST)
    assert told.open_reasons == []


def test_a_label_printed_against_the_check_is_an_incident_until_a_person_closes_it(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        printer = Printer(stage)
        await stage.until(330)
        order = stage.shopify_order()
        stage.world.shopify.edit(order, add=[("LAMP-OAK", 1)])
        await stage.until(400)
        parcel = next(item for item in order.fulfillment_orders if item.open)
        await printer.override(parcel.gid)
        await stage.until(700)
        assert Reason.LABEL_OVERRIDDEN.value in reasons(stage)
        answer_case(stage, Reason.LABEL_OVERRIDDEN, Option.DISMISS)

    told = theatre.tell(story, SWITCHED, 1200)
    assert closed(told, Reason.LABEL_OVERRIDDEN)


def test_two_orders_for_one_are_over_once_a_person_says_why(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(600)
        shopify.switches.set("copied_note_attributes", "yes")
        shopify.copy_order(stage.shopify_order(), app=shopify.main_app)
        await stage.until(900)
        assert reasons(stage) == [Reason.TWO_LIVE_ORDERS.value]
        answer_case(stage, Reason.TWO_LIVE_ORDERS, Option.DISMISS)

    told = theatre.tell(story, SWITCHED, 1400)
    assert closed(told, Reason.TWO_LIVE_ORDERS)


# -- orders without a Shopify order ------------------------------------------------------------------------


def test_the_ladder_ends_when_somebody_accepts_in_the_portal(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(1.3 * 3600)
        assert Reason.ACCEPTANCE_RUNNING_OUT.value in reasons(stage)
        stage.marketplace.portal_decide(stage.order.id, True)

    told = theatre.tell(
        story,
        marketplace("all-or-nothing", acceptance_window_hours=2.0),
        5400,
        skus=("MUG-BLUE", "NOT-IN-THE-SHOP"),
        poll_seconds=120.0,
    )
    assert closed(told, Reason.ACCEPTANCE_RUNNING_OUT)


def test_an_order_accepted_without_a_shopify_order_is_over_once_a_person_says_why(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(1.3 * 3600)
        answer_case(stage, Reason.ACCEPTANCE_RUNNING_OUT, Option.ACCEPT_WITHOUT_ORDER)
        await stage.until(5400)
        assert Reason.ACCEPTED_WITHOUT_ORDER.value in reasons(stage)
        answer_case(stage, Reason.ACCEPTED_WITHOUT_ORDER, Option.DISMISS)

    told = theatre.tell(
        story,
        marketplace("all-or-nothing", acceptance_window_hours=2.0),
        6000,
        skus=("MUG-BLUE", "NOT-IN-THE-SHOP"),
        poll_seconds=120.0,
    )
    assert closed(told, Reason.ACCEPTED_WITHOUT_ORDER)


def test_an_order_shipped_without_a_shopify_order_is_over_once_a_person_says_why(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(300)
        stage.marketplace.portal_decide(stage.order.id, True)
        await stage.until(900)
        stage.marketplace.portal_ship(stage.order.id)
        await stage.until(1500)
        assert reasons(stage) == [Reason.SHIPPED_WITHOUT_ORDER.value]
        answer_case(stage, Reason.SHIPPED_WITHOUT_ORDER, Option.DISMISS)

    told = theatre.tell(story, WAITS, 2000, skus=("MUG-BLUE", "NOT-IN-THE-SHOP"))
    assert closed(told, Reason.SHIPPED_WITHOUT_ORDER)
    assert told.open_reasons == []


# -- replacements ------------------------------------------------------------------------------------------


def test_a_split_is_over_once_one_part_is_left(theatre: Theatre) -> None:
    made: list[Order] = []

    async def story(stage: Stage) -> None:
        await stage.until(400)
        shopify = stage.world.shopify
        shopify.switches.set("copied_tags", "yes")
        shopify.split_order(stage.shopify_order(), [("KETTLE-1L", 1)])
        await stage.until(1800)
        assert Reason.REPLACEMENT_SPLIT.value in reasons(stage)
        made.extend(order for order in shopify.shop.orders.values() if order.cancelled_at is None)
        shopify.cancel_order(made[-1])

    told = theatre.tell(story, SWITCHED, 3000)
    assert closed(told, Reason.REPLACEMENT_SPLIT)


def test_a_merge_is_over_once_its_order_is_cancelled(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        second = stage.marketplace.create_generated(skus=["LAMP-OAK"], quantities=[2])
        second.shipping_address = stage.order.shipping_address
        await stage.until(500)
        shopify = stage.world.shopify
        shopify.switches.set("copied_note_attributes", "yes")
        both = [order for order in shopify.shop.orders.values() if order.cancelled_at is None]
        merged = shopify.merge_orders(both)
        await stage.until(2400)
        assert set(reasons(stage)) == {Reason.REPLACEMENT_MERGED.value}
        shopify.cancel_order(merged)

    told = theatre.tell(story, SWITCHED, 4200)
    assert closed(told, Reason.REPLACEMENT_MERGED)


def test_an_acceptance_that_was_refused_is_over_once_it_shows_although_the_shopify_order_is_gone(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        _allowed(stage, "OR21")
        await stage.until(300)
        assert reasons(stage) == [Reason.ACCEPTANCE_REFUSED.value]
        await _archived_and_deleted(stage)
        stage.marketplace.portal_decide(stage.order.id, True)
        await stage.until(900)
        assert reasons(stage) == [Reason.SHOPIFY_ORDER_MISSING.value]

    told = theatre.tell(story, WAITS, 1000)
    assert closed(told, Reason.ACCEPTANCE_REFUSED)

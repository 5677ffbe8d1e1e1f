"""Around a dispatch: a deadline that comes near, a part that left alone, a parcel that came back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlock.orders.memory import LabelSeen, Memory
from interlock.orders.plan import Part
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import MiraklOrder, Shipment, ShopifyOrder
from interlock.shipping.watch import MAY_SHIP_WITHIN, REST_FOLLOWS_WITHIN, watched
from tests.build import (
    LINES,
    NOW,
    a_fulfillment,
    a_fulfillment_order,
    a_memory,
    a_refund,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_order,
    some_rules,
)

DAY = timedelta(days=1)
BEGAN = NOW - DAY


def an_order_to_ship(gone: float, **changes: Any) -> MiraklOrder:
    """Debited a day ago, with so much of the time to ship gone."""
    return an_order(**{"debited_at": BEGAN, "shipping_deadline": BEGAN + DAY / gone, **changes})


def shipped(mugs: int = 2, lamps: int = 1, **changes: Any) -> ShopifyOrder:
    lines = (
        a_shopify_line(fulfilled_quantity=mugs),
        a_shopify_line("S2", "LAMP", 1, "30.00", "L2", fulfilled_quantity=lamps),
    )
    return a_shopify_order(**{"lines": lines, "fulfillments": (a_fulfillment(),), **changes})


def seen(mirakl: MiraklOrder, shopify: ShopifyOrder | None = None, **changes: Any) -> Part:
    memory = changes.pop("memory", a_memory())
    return watched(a_view(**{"mirakl": mirakl, "shopify": shopify or a_shopify_order(), **changes}), memory)


@pytest.mark.parametrize(
    ("gone", "severity"),
    [(0.59, None), (0.6, "today"), (0.74, "today"), (0.75, "urgent"), (1.0, "urgent"), (2.0, "urgent")],
)
def test_a_deadline_that_comes_near_is_told_and_then_urgent(gone: float, severity: str | None) -> None:
    part = seen(an_order_to_ship(gone))

    assert [case.how_severe for case in part.cases] == ([] if severity is None else [severity])
    assert all(case.reason is Reason.SHIPPING_DEADLINE_NEAR for case in part.cases)


def test_the_next_rung_is_looked_at_and_an_order_without_a_deadline_is_left_alone() -> None:
    assert seen(an_order_to_ship(0.5)).look_at == BEGAN + 1.2 * DAY
    assert seen(an_order_to_ship(2.0)).look_at is None
    assert seen(an_order(shipping_deadline=None)) == Part(a_memory())


@pytest.mark.parametrize("state", ["WAITING_ACCEPTANCE", "WAITING_DEBIT_PAYMENT", "SHIPPED", "CANCELED"])
def test_only_an_order_that_may_ship_has_a_deadline(state: str) -> None:
    cases = seen(an_order_to_ship(2.0, state=state)).cases

    assert Reason.SHIPPING_DEADLINE_NEAR not in [case.reason for case in cases]


def test_the_case_says_whether_a_parcel_has_left() -> None:
    (nothing,) = seen(an_order_to_ship(0.7)).cases
    (parcel,) = seen(an_order_to_ship(0.7), shipped()).cases

    assert "Nothing of the order has left" in nothing.sentence
    assert "has not been told of the whole order" in parcel.sentence


PART = shipped(lamps=0)
LATER = NOW + REST_FOLLOWS_WITHIN


def test_a_part_that_left_alone_is_a_case_after_two_hours() -> None:
    far = an_order(shipping_deadline=NOW + 30 * DAY)

    early = seen(far, PART)
    assert early.cases == ()
    assert early.look_at == LATER
    (case,) = seen(far, PART, now=LATER).cases
    assert case.reason is Reason.PARTIAL_SHIPMENT
    assert case.facts[0] == ("LAMP", "1 still here")


def test_before_the_order_is_late_there_is_time_to_do_something_about_a_part() -> None:
    """Not only after two hours: as soon as the time to ship comes near."""
    soon = an_order_to_ship(0.6)

    assert Reason.PARTIAL_SHIPMENT in [case.reason for case in seen(soon, PART).cases]
    assert Reason.PARTIAL_SHIPMENT not in [case.reason for case in seen(an_order_to_ship(0.5), PART).cases]


@pytest.mark.parametrize(
    ("order", "rules", "words"),
    [
        ({"debited_at": BEGAN}, {}, "so it is refunded"),
        ({}, {"partial_cancelation": True}, "cancelled at the marketplace (OR30)"),
        ({}, {}, "taken out of the Shopify order by itself"),
        ({}, {"mirror_marketplace_changes": False}, "ask its operator to cancel the rest."),
    ],
)
def test_a_part_that_left_alone_says_what_can_become_of_the_rest(
    order: dict[str, Any], rules: dict[str, Any], words: str
) -> None:
    far = an_order(shipping_deadline=NOW + 30 * DAY, **order)

    (case,) = seen(far, PART, now=LATER, rules=some_rules(**rules)).cases

    assert words in dict(case.facts)["If it cannot be sent"]


# -- the operator's own logistics --------------------------------------------------------------------------

QUARTER_LATER = NOW + MAY_SHIP_WITHIN


def test_a_parcel_the_shop_may_not_ship_is_a_case_after_a_quarter_of_an_hour() -> None:
    theirs = an_order(can_ship=False)

    early = seen(theirs, shipped())
    assert (early.cases, early.look_at) == ((), QUARTER_LATER)
    (case,) = seen(theirs, shipped(), now=QUARTER_LATER).cases
    assert case.reason is Reason.OPERATOR_SHIPS


@pytest.mark.parametrize(
    ("mirakl", "told"),
    [
        (an_order(), False),
        # the customer's payment is awaited there, unless the operator has made the shipment
        (an_order(can_ship=False, payment_workflow="PAY_ON_SHIPMENT"), False),
        (
            an_order(
                can_ship=False, payment_workflow="PAY_ON_SHIPMENT", shipments=(Shipment("X", "SHIPPING", ()),)
            ),
            True,
        ),
        (an_order("SHIPPED", can_ship=False), False),
    ],
)
def test_only_an_order_the_shop_may_not_ship_is_the_operators(mirakl: MiraklOrder, told: bool) -> None:
    reasons = [case.reason for case in seen(mirakl, shipped(), now=QUARTER_LATER).cases]

    assert (Reason.OPERATOR_SHIPS in reasons) is told


@pytest.mark.parametrize(
    ("shopify", "rules"),
    [
        (shipped(), some_rules()),
        (a_shopify_order(), some_rules()),
        (PART, some_rules(multi_shipment=True)),
        (replace(PART, cancelled_at=NOW), some_rules()),
    ],
)
def test_what_is_whole_or_may_be_told_in_parts_is_no_case(shopify: ShopifyOrder, rules: Any) -> None:
    far = an_order(shipping_deadline=NOW + 30 * DAY)

    assert seen(far, shopify, now=LATER, rules=rules).cases == ()


BACK = shipped(0, 0, fulfillments=(a_fulfillment(live=False),))
TOLD = an_order("SHIPPED")


def came_back(mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory | None = None) -> Memory:
    return seen(mirakl, shopify, memory=memory or a_memory()).memory


def test_a_parcel_that_came_back_is_an_incident_once() -> None:
    memory = came_back(TOLD, BACK)
    (incident,) = memory.incidents
    assert (incident.reason, incident.subject) == (Reason.FULFILLMENT_CANCELLED, "F1")

    assert came_back(TOLD, BACK, memory) == memory


def test_it_closes_when_everything_left_anew_or_was_refunded() -> None:
    memory = came_back(TOLD, BACK)
    again = shipped(fulfillments=(a_fulfillment(live=False), a_fulfillment("F2")))
    refunded = an_order(
        "SHIPPED",
        lines=tuple(replace(line, refunds=(a_refund(1, str(line.price)),)) for line in LINES),
    )

    assert came_back(TOLD, again, memory).incidents[0].closed_at == NOW
    assert came_back(refunded, BACK, memory).incidents[0].closed_at == NOW


OPEN = a_shopify_order(fulfillment_orders=(a_fulfillment_order(holds=()),))
HELD = a_shopify_order()


@pytest.mark.parametrize("state", ["SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"])
@pytest.mark.parametrize(
    ("shopify", "since", "here"),
    [
        pytest.param(OPEN, timedelta(hours=2), "2 of MUG, 1 of LAMP", id="nothing left two hours later"),
        pytest.param(OPEN, timedelta(minutes=119), "", id="it may be packed right now"),
        pytest.param(HELD, timedelta(0), "2 of MUG, 1 of LAMP", id="held"),
        pytest.param(replace(PART, fulfillment_orders=()), timedelta(hours=2), "1 of LAMP", id="a part left"),
        pytest.param(shipped(), timedelta(hours=2), "", id="everything left"),
        pytest.param(replace(HELD, cancelled_at=NOW), timedelta(hours=2), "", id="cancelled in Shopify"),
        pytest.param(
            replace(OPEN, lines=(a_shopify_line(current_quantity=0),)),
            timedelta(hours=2),
            "",
            id="taken out of it",
        ),
        pytest.param(BACK, timedelta(hours=2), "", id="it came back, which is an incident"),
        pytest.param(replace(OPEN, id="SO9"), timedelta(hours=2), "", id="another Shopify order"),
    ],
)
def test_units_the_marketplace_counts_as_sent_and_that_are_still_here_are_a_case(
    state: str, shopify: ShopifyOrder, since: timedelta, here: str
) -> None:
    part = seen(an_order(state), shopify, memory=a_memory(sent_seen_at=NOW - since))

    assert [case.reason for case in part.cases] == ([Reason.STILL_HERE] if here else [])
    assert all(f"In Shopify {here} have not left" in case.sentence for case in part.cases)
    assert all(("hold is still on" in case.sentence) is (shopify is HELD) for case in part.cases)


def test_it_is_looked_at_when_the_two_hours_are_over() -> None:
    assert seen(TOLD, OPEN, memory=a_memory(sent_seen_at=NOW)).look_at == NOW + timedelta(hours=2)


def test_what_a_person_decided_to_ship_and_left_is_not_still_here() -> None:
    """The marketplace agreed to two mugs; Shopify shows one, and it left."""
    lines = (
        a_shopify_line(current_quantity=1, fulfilled_quantity=1),
        a_shopify_line("S2", "LAMP", 1, "30.00", "L2", fulfilled_quantity=1),
    )

    as_left = shipped(lines=lines, fulfillment_orders=())
    assert seen(TOLD, as_left, memory=a_memory(sent_seen_at=NOW - DAY)).cases == ()


def test_what_was_refunded_in_full_is_not_asked_about() -> None:
    refunded = an_order(
        "SHIPPED", lines=tuple(replace(line, refunds=(a_refund(1, str(line.price)),)) for line in LINES)
    )

    assert seen(refunded, HELD).cases == ()


VOIDED = a_fulfillment(display_status="LABEL_VOIDED")
LABEL = (LabelSeen("F1", "RM1"),)


def test_a_label_given_back_after_the_dispatch_is_an_incident_until_it_has_another_one() -> None:
    memory = came_back(TOLD, shipped(fulfillments=(VOIDED,)), a_memory(labels_seen=LABEL))
    (incident,) = memory.incidents
    assert (incident.reason, incident.subject) == (Reason.FULFILLMENT_CANCELLED, "F1 RM1")
    assert "its label given back" in incident.sentence

    anew = came_back(TOLD, shipped(fulfillments=(replace(VOIDED, tracking_number="RM2"),)), memory)
    assert anew.incidents[0].closed_at == NOW

    again = replace(anew, labels_seen=(LabelSeen("F1", "RM2"),))
    once_more = came_back(TOLD, shipped(fulfillments=(replace(VOIDED, tracking_number="RM2"),)), again)
    assert [(one.subject, one.closed_at is None) for one in once_more.incidents] == [
        ("F1 RM1", False),
        ("F1 RM2", True),
    ]


def test_a_fulfillment_cancelled_after_its_label_was_given_back_is_the_same_incident() -> None:
    memory = came_back(TOLD, shipped(fulfillments=(VOIDED,)), a_memory(labels_seen=LABEL))

    after = came_back(TOLD, BACK, replace(memory, labels_seen=()))

    assert after.incidents == memory.incidents


def test_the_deadline_says_that_a_label_was_given_back() -> None:
    (case,) = seen(an_order_to_ship(0.7), shipped(fulfillments=(VOIDED,))).cases
    cancelled = replace(VOIDED, live=False)
    (packed_anew,) = seen(an_order_to_ship(0.7), shipped(0, 0, fulfillments=(cancelled,))).cases

    assert "Nothing of the order has left" in case.sentence
    assert "buy another one for its fulfillment" in case.sentence
    assert "given back" not in packed_anew.sentence


@pytest.mark.parametrize(
    "shopify", [shipped(), shipped(0, 0, fulfillments=()), replace(BACK, cancelled_at=NOW)]
)
def test_without_a_parcel_that_came_back_there_is_no_incident(shopify: ShopifyOrder) -> None:
    assert came_back(TOLD, shopify).incidents == ()

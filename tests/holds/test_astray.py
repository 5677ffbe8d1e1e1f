"""A parcel that goes to another address than its order, or to none, is a person's case after a few minutes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlock.decide import decide as whole
from interlock.holds.astray import ELSEWHERE as ANOTHER
from interlock.holds.astray import FOLLOWS_WITHIN, LOOK_AGAIN, NOWHERE
from interlock.orders.memory import Memory
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import NO_ADDRESS, Address, ShopifyOrder
from tests.build import (
    ELSEWHERE,
    NOW,
    a_fulfillment_order,
    a_memory,
    a_shopify_order,
    a_view,
    an_order,
)

SINCE = NOW - FOLLOWS_WITHIN
DUE = NOW + timedelta(days=2)


def going_to(address: Address, **changes: Any) -> ShopifyOrder:
    return a_shopify_order(fulfillment_orders=(a_fulfillment_order(destination=address, **changes),))


def looked(shopify: ShopifyOrder, memory: Memory, **changes: Any) -> tuple[Any, Any]:
    """The plan for such an order, and its case."""
    mirakl = changes.pop("mirakl", an_order(shipping_deadline=DUE))
    plan = whole(a_view(shopify=shopify, memory=memory, mirakl=mirakl, **changes))
    return plan, next((case for case in plan.cases if case.reason is Reason.DESTINATION_DIFFERS), None)


def test_shopify_is_given_a_few_minutes_to_carry_the_address_on() -> None:
    plan, case = looked(going_to(ELSEWHERE), a_memory())

    assert case is None
    assert plan.memory.astray_since == NOW
    assert plan.look_at == NOW + FOLLOWS_WITHIN
    a_second_short = a_memory(astray_since=SINCE + timedelta(seconds=1))
    assert looked(going_to(ELSEWHERE), a_second_short)[1] is None


@pytest.mark.parametrize(("address", "said"), [(ELSEWHERE, ANOTHER), (NO_ADDRESS, NOWHERE)])
def test_then_operations_are_asked_until_the_shipping_deadline(address: Address, said: str) -> None:
    plan, case = looked(going_to(address), a_memory(astray_since=SINCE))

    assert case is not None
    assert case.sentence.startswith(said)
    assert "not released before they agree" in case.sentence
    assert (case.due_at, case.options) == (DUE, ())
    assert plan.memory.astray_since == SINCE
    assert plan.look_at == NOW + LOOK_AGAIN
    assert plan.actions == ()


def test_a_parcel_that_was_released_before_can_leave_like_this_and_the_case_says_so() -> None:
    released = a_memory(released_at=NOW - timedelta(hours=1), astray_since=SINCE)
    _, case = looked(going_to(ELSEWHERE, holds=()), released)

    assert case is not None
    assert "tell the warehouse to wait" in case.sentence


def test_an_order_that_is_not_to_ship_yet_has_its_case_all_the_same() -> None:
    waiting = an_order("WAITING_DEBIT_PAYMENT", shipping_deadline=DUE)
    assert looked(going_to(NO_ADDRESS), a_memory(astray_since=SINCE), mirakl=waiting)[1] is not None


@pytest.mark.parametrize(
    ("shopify", "changes"),
    [
        pytest.param(a_shopify_order(), {}, id="it agrees"),
        pytest.param(going_to(NO_ADDRESS, delivery="PICK_UP"), {}, id="the customer fetches it"),
        pytest.param(going_to(ELSEWHERE, status="CLOSED"), {}, id="nothing is left"),
        pytest.param(replace(going_to(ELSEWHERE), address=NO_ADDRESS), {}, id="the order has none either"),
        pytest.param(going_to(ELSEWHERE), {"mirakl": an_order("CANCELED")}, id="nothing may leave any more"),
    ],
)
def test_nothing_goes_astray_and_the_time_begins_anew(shopify: ShopifyOrder, changes: dict[str, Any]) -> None:
    plan, case = looked(shopify, a_memory(astray_since=SINCE), **changes)

    assert case is None
    assert plan.memory.astray_since is None


def test_a_marketplace_that_is_not_read_changes_nothing() -> None:
    plan, case = looked(going_to(ELSEWHERE), a_memory(astray_since=SINCE), mirakl=None)

    assert case is None
    assert plan.memory.astray_since == SINCE

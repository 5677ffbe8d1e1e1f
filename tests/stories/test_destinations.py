"""Shopify prints the address of the fulfillment order on the label: a hold waits until that is the order's."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from interlock.orders.reasons import Reason
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.switches import Switches
from tests.stories.stage import RULES, Theatre, Told, marketplace, open_cases

FOLLOWS = "address_change_reaches_fulfillment_orders"
ORDER_ROUTE = replace(RULES, import_route="order")


def reasons(stage: Stage) -> list[str]:
    return [row.reason for row in open_cases(stage)]


def destinations(stage: Stage) -> list[bool]:
    """Whether each open fulfillment order shows an address."""
    return [
        parcel.destination is not None for parcel in stage.shopify_order().fulfillment_orders if parcel.open
    ]


def releases(told: Told) -> Sequence[object]:
    return told.shopify_effects("hold_released", "api:")


def test_an_order_made_before_its_address_was_shown_is_released_when_its_parcel_goes_there(
    theatre: Theatre,
) -> None:
    """The order route: held, completed by an update, and asked about when Shopify does not carry the address on."""
    corrected: list[datetime] = []

    async def story(stage: Stage) -> None:
        await stage.until(900)
        order = stage.shopify_order()
        assert stage.order.state == "SHIPPING"
        assert order.shipping_address is not None
        assert destinations(stage) == [False]
        assert [bool(parcel.holds) for parcel in order.fulfillment_orders if parcel.open] == [True]
        assert reasons(stage) == [Reason.DESTINATION_DIFFERS.value]
        # somebody saves the address in the admin, and there it reaches the fulfillment order
        stage.world.shopify.switches.set(FOLLOWS, "open_ones")
        stage.world.shopify.change_address(order, order.shipping_address)
        corrected.append(stage.world.clock.now())

    told = theatre.tell(
        story,
        marketplace("hidden-address"),
        1200,
        rules=ORDER_ROUTE,
        shopify_switches=Switches(SHOPIFY_SWITCHES, {FOLLOWS: "never"}),
    )
    (case,) = told.of(Reason.DESTINATION_DIFFERS)
    assert "shows no address to go to" in case.sentence
    assert case.owner == "operations"
    assert told.open_reasons == []
    (released,) = told.shopify_effects("hold_released", "api:")
    assert timedelta(0) <= released - corrected[0] < timedelta(seconds=30)


def test_where_the_address_reaches_the_fulfillment_order_nobody_is_asked(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(600)
        assert destinations(stage) == [True]

    told = theatre.tell(
        story,
        marketplace("hidden-address"),
        900,
        rules=ORDER_ROUTE,
        shopify_switches=Switches(SHOPIFY_SWITCHES, {FOLLOWS: "open_ones"}),
    )
    assert told.of(Reason.DESTINATION_DIFFERS) == []
    assert len(releases(told)) == 1


@pytest.mark.parametrize("moved", ["new_id", "same_id"])
def test_a_fulfillment_order_that_is_moved_may_be_a_new_one_with_the_right_address(
    theatre: Theatre, moved: str
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(900)
        assert reasons(stage) == [Reason.DESTINATION_DIFFERS.value]
        shop = stage.world.shopify
        (parcel,) = [p for p in stage.shopify_order().fulfillment_orders if p.open]
        shop.move_fulfillment_order(parcel, shop.add_location("Second warehouse"))

    told = theatre.tell(
        story,
        marketplace("hidden-address"),
        1500,
        rules=ORDER_ROUTE,
        shopify_switches=Switches(SHOPIFY_SWITCHES, {FOLLOWS: "never", "moved_fulfillment_order": moved}),
    )
    new = moved == "new_id"
    assert told.open_reasons == ([] if new else [Reason.DESTINATION_DIFFERS.value])
    assert bool(releases(told)) is new

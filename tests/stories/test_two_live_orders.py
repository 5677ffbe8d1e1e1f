"""A second Shopify order that stands for the same marketplace order: both wait, and one of them is cancelled by a person."""

import pytest

from interlock.orders.reasons import Reason
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.shopify.state import Order
from interlock.simulator.shopify.webhooks import WebhookWeather
from tests.stories.stage import Theatre, marketplace, open_cases

SWITCHED = marketplace("automatic")


def _ours(order: Order) -> list[str]:
    return [hold.handle or "" for item in order.fulfillment_orders if item.open for hold in item.holds]


def _second_of_ours(stage: Stage) -> Order:
    """A second order that carries our mark and was made by the app that made the first: our own, it seems."""
    shopify = stage.world.shopify
    shopify.switches.set("copied_note_attributes", "yes")
    return shopify.copy_order(stage.shopify_order(), app=shopify.main_app)


@pytest.mark.parametrize(
    ("weather", "seconds"),
    [
        pytest.param(WebhookWeather(), 60.0, id="told by a webhook"),
        pytest.param(WebhookWeather(lost=1.0), 700.0, id="found by the sweep"),
    ],
)
def test_both_are_held_until_a_person_cancels_one(
    theatre: Theatre, weather: WebhookWeather, seconds: float
) -> None:
    held: list[list[str]] = []

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(600)
        linked = stage.shopify_order()
        assert _ours(linked) == []
        twin = _second_of_ours(stage)
        await stage.until(600 + seconds)
        held.extend([_ours(linked), _ours(twin)])
        (case,) = open_cases(stage)
        assert (case.reason, case.subject) == (Reason.TWO_LIVE_ORDERS.value, twin.gid)
        assert linked.name in case.sentence
        assert twin.name in case.sentence
        shopify.cancel_order(twin)
        await stage.until(600 + 2 * seconds)
        assert _ours(linked) == []

    told = theatre.tell(story, SWITCHED, 2600, weather=weather)
    ours = f"interlock:{SWITCHED.name}"
    assert held == [[ours], [ours]]
    (incident,) = told.of(Reason.TWO_LIVE_ORDERS)
    assert incident.closed_at is not None
    assert told.open_reasons == []
    assert [order.name for order in told.live_orders] == [told.stage.shopify_order().name]
    assert told.shopify_effects("order_cancelled", "api:") == []


def test_nothing_is_cancelled_when_one_of_the_two_has_left(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(600)
        twin = _second_of_ours(stage)
        shopify.fulfill(twin.fulfillment_orders[0])

    told = theatre.tell(story, SWITCHED, 1500)
    assert told.open_reasons == [Reason.TWO_LIVE_ORDERS.value]
    assert "already have a label" in told.of(Reason.TWO_LIVE_ORDERS)[0].sentence
    assert len(told.live_orders) == 2
    assert _ours(told.stage.shopify_order()) == [f"interlock:{SWITCHED.name}"]


def test_the_second_takes_over_when_the_first_is_cancelled_a_moment_later(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(600)
        linked = stage.shopify_order()
        _second_of_ours(stage)
        await stage.until(610)
        shopify.cancel_order(linked)

    told = theatre.tell(story, SWITCHED, 900)
    assert told.of(Reason.TWO_LIVE_ORDERS) == []
    (left,) = told.live_orders
    assert told.stage.shopify_order() is left
    assert "takes over from" in told.timeline

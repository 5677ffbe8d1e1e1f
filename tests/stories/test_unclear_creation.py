"""Shopify made the order and did not say so: it is held as soon as it tells of itself."""

from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.orders.reasons import Reason
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.faults import Fault
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.switches import Switches
from tests.stories.stage import RULES, Broken, Theatre, marketplace

BEHIND = {"index_lag": "minutes", "custom_id_lookup": "lags"}
"""Neither a search nor the look-up by our marker shows an order at once (Shopify reference 5.1, 5.5)."""


@pytest.mark.parametrize("kind", ["reply_lost", "late_apply", "server_error_after", "truncated"])
def test_an_order_that_was_made_unheard_is_held_when_its_webhook_comes(theatre: Theatre, kind: str) -> None:
    trouble = Broken(Fault(kind, seconds=20.0), "orderCreate", times=1)

    async def story(stage: Stage) -> None:
        trouble.active = True

    told = theatre.tell(
        story,
        marketplace("all-or-nothing"),
        1200,
        rules=replace(RULES, import_route="order"),
        shopify_faults=trouble,
        shopify_switches=Switches(SHOPIFY_SWITCHES, BEHIND),
    )
    (order,) = told.stage.world.shopify.shop.orders.values()
    held = told.shopify_effects("hold_placed")[0]
    (created,) = told.shopify_effects("order_created")
    assert held - created < timedelta(seconds=15)
    assert order.indexed[0][0] > held, (
        "the look-up by our marker showed it before, and the story tells nothing"
    )
    assert told.stage.order.state == "SHIPPING"
    assert told.of(Reason.TWO_LIVE_ORDERS) == []

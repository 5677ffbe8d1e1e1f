"""Orders that are not ours, values nobody knows, and a database that is not the current one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from interlock.console.lineage import create_after_all
from interlock.engine.store import connections
from interlock.orders.connection import ImportRoute
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders
from interlock.rehearsal.scenarios import Stage
from tests.stories.stage import RULES, Theatre, answer_case, marketplace, open_cases


def reasons(stage: Stage) -> list[str]:
    return [row.reason for row in open_cases(stage)]


def test_an_order_the_marketplace_ships_itself_is_left_alone(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        stage.order.static["fulfillment"] = {"center": {"code": "CENTRAL-7"}}
        await stage.until(400)
        assert reasons(stage) == [Reason.NOT_OURS_TO_SHIP.value]

    told = theatre.tell(story, marketplace("all-or-nothing"), 500)
    assert told.live_orders == []
    assert told.marketplace_calls("OR21") == 0


def test_a_state_nobody_knows_stops_every_write_until_it_is_gone(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        known = stage.order.state
        stage.order.state = "ON_THE_MOON"
        stage.marketplace.touch(stage.order, stage.world.clock.now())
        await stage.until(700)
        assert reasons(stage) == [Reason.UNKNOWN_VALUE.value]
        stage.order.state = known
        stage.marketplace.touch(stage.order, stage.world.clock.now())

    told = theatre.tell(story, marketplace("all-or-nothing"), 1100)
    assert told.open_reasons == []


# -- orders from before a connection went live -----------------------------------------------------------------


def accepted_before(stage: Stage) -> None:
    """The order was accepted in the portal, and the connection goes live only now."""
    stage.marketplace.portal_decide(stage.order.id, True)
    with stage.world.database.begin() as c:
        live_since = stage.world.service_clock.now() + timedelta(seconds=1)
        c.execute(update(connections).values(live_since=live_since))


def test_an_order_that_others_accepted_before_going_live_is_never_created_twice(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        accepted_before(stage)
        await stage.until(600)
        assert reasons(stage) == [Reason.OLDER_THAN_CONNECTION.value]
        answer_case(stage, Reason.OLDER_THAN_CONNECTION, Option.IN_SHOP_ALREADY)
        await stage.until(900)
        assert reasons(stage) == []
        stage.marketplace.portal_ship(stage.order.id)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1500)
    assert (told.live_orders, told.open_reasons) == ([], [])
    assert told.stage.world.shopify.shop.drafts == {}
    assert "so Interlock leaves it alone" in told.timeline


def test_an_order_that_is_not_in_the_shop_after_all_is_created_once(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        accepted_before(stage)
        await stage.until(600)
        answer_case(stage, Reason.OLDER_THAN_CONNECTION, Option.IN_SHOP_ALREADY)
        await stage.until(900)
        assert not stage.world.shopify.shop.orders
        with stage.world.database.begin() as c:
            (row,) = c.execute(select(orders.c.id)).scalars()
            now = stage.world.service_clock.now()
            create_after_all(c, stage.world.wakeups, row, "Ada", "Looked at the wrong day.", now)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1800)
    assert (len(told.live_orders), told.open_reasons) == (1, [])
    assert "does not have this order after all, so it is created: Looked at the wrong day." in told.timeline


def test_an_order_from_before_going_live_that_has_left_asks_nothing_any_more(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        accepted_before(stage)
        await stage.until(600)
        assert reasons(stage) == [Reason.OLDER_THAN_CONNECTION.value]
        stage.marketplace.portal_ship(stage.order.id)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1500)
    assert (told.live_orders, told.open_reasons) == ([], [])


@pytest.mark.parametrize("route", ["draft", "order"])
def test_an_order_from_before_going_live_is_created_once_a_person_says_so(
    theatre: Theatre, route: ImportRoute
) -> None:
    async def story(stage: Stage) -> None:
        accepted_before(stage)
        await stage.until(600)
        answer_case(stage, Reason.OLDER_THAN_CONNECTION, Option.CREATE_ORDER)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1500, rules=replace(RULES, import_route=route))
    assert (len(told.live_orders), told.open_reasons) == (1, [])

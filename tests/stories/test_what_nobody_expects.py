"""Orders that are not ours, values nobody knows, and a database that is not the current one."""

from interlock.orders.reasons import Reason
from interlock.rehearsal.scenarios import Stage
from tests.stories.stage import Theatre, marketplace, open_cases


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

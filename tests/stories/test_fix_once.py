"""One answer frees every order its cause stops, on simulated platforms from the click to the dispatch."""

from interlock.cases.replays import progress
from interlock.console import desk
from interlock.engine.store import one_connection
from interlock.orders.connection import CarrierMapping
from interlock.orders.reasons import Reason
from interlock.rehearsal.scenarios import Stage
from tests.stories.stage import Theatre, marketplace, open_cases

ORDERS = 5


def test_one_mapping_frees_every_order_of_the_carrier(theatre: Theatre) -> None:
    begun: list[int] = []

    async def story(stage: Stage) -> None:
        for _ in range(ORDERS - 1):
            stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[1])
        await stage.until(500)
        for number in range(ORDERS):
            assert stage.world.shopify.pick(company="Express Bike", number=f"PARCEL{number}") is not None
        await stage.until(900)
        assert [row.reason for row in open_cases(stage)] == [Reason.CARRIER_UNKNOWN.value] * ORDERS
        (connection_id,) = stage.world.connection_ids.values()
        with stage.world.database.begin() as c:
            mapped = desk.map_carrier_names(
                c,
                stage.world.wakeups,
                one_connection(c, connection_id),
                [CarrierMapping("Express Bike", "DHL")],
                "Otto Ops",
                stage.world.service_clock.now(),
            )
        assert mapped.orders == ORDERS
        assert mapped.replay is not None
        begun.append(mapped.replay)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1500)
    with told.stage.world.database.begin() as c:
        found = progress(c, begun[0])
    assert found is not None
    assert (found.total, found.done, found.blocked, found.ended) == (ORDERS, ORDERS, 0, True)
    assert {order.state for order in told.stage.marketplace.orders.values()} == {"SHIPPED"}
    assert told.open_reasons == []


def test_one_mapping_sends_the_number_that_waits_for_it_after_the_dispatch(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        stage.marketplace.switches.set("or23_after_shipped", "allowed")
        stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[1])
        await stage.until(500)
        shop = stage.world.shopify
        parcel = shop.pick(company="DHL Express", number="OLD")
        assert parcel is not None
        assert shop.pick(company="Express Bike", number="OTHER") is not None
        await stage.until(900)
        shop.update_tracking(parcel, company="Express bike ", number="NEW")
        await stage.until(1200)
        waiting = {row.reason: row.cause for row in open_cases(stage)}
        assert waiting == {
            Reason.CARRIER_UNKNOWN.value: "express bike",
            Reason.TRACKING_NOT_CORRECTED.value: "express bike",
        }
        (connection_id,) = stage.world.connection_ids.values()
        with stage.world.database.begin() as c:
            connection = one_connection(c, connection_id)
            now = stage.world.service_clock.now()
            mapping = [CarrierMapping("Express Bike", "DHL")]
            mapped = desk.map_carrier_names(c, stage.world.wakeups, connection, mapping, "Otto Ops", now)
        assert mapped.orders == len(waiting)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1500)
    shown = {(order.state, order.tracking_number) for order in told.stage.marketplace.orders.values()}
    assert shown == {("SHIPPED", "NEW"), ("SHIPPED", "OTHER")}
    assert told.open_reasons == []

"""One answer frees every order its cause stops, on simulated platforms from the click to the dispatch."""

import html
import re
from collections import Counter
from datetime import timedelta

from interlock.cases.replays import MOST_AT_ONCE
from interlock.console import desk
from interlock.engine.store import one_connection
from interlock.orders.connection import CarrierMapping
from interlock.orders.reasons import Reason
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.faults import Fault
from tests.stories.fix_once import free_them_all, looking_at, map_carrier, refused_for_haste
from tests.stories.stage import Broken, Theatre, marketplace, open_cases

ORDERS = 100
WAITS_LONGER = timedelta(seconds=5)
"""So much more than before the replay an order may wait for its acceptance while it runs."""


def test_one_mapping_frees_every_order_of_the_carrier(theatre: Theatre) -> None:
    """Its number is said before the click, its progress while it runs; the process dies in the middle of it; another order
    is accepted meanwhile as quickly as ever; and neither platform is asked more than it allows."""
    freed, told = free_them_all(theatre, ORDERS)

    assert f"It frees {ORDERS} orders." in html.unescape(freed.case_page)
    assert {row.reason for row in told.cases} == {Reason.CARRIER_UNKNOWN.value}
    assert f"{freed.half_way} of {ORDERS} orders are free" in freed.half_way_page
    last = freed.seen[-1]
    assert (last.total, last.done, last.blocked, freed.kills) == (ORDERS, ORDERS, 0, 1)
    assert [one.done for one in freed.seen] == sorted(one.done for one in freed.seen)
    assert max(one.under_way for one in freed.seen) <= MOST_AT_ONCE
    # Nothing was told twice, although the process died with orders on their way.
    shipped = {order.id: order for order in told.stage.marketplace.orders.values() if order.tracking_number}
    assert Counter(order.state for order in shipped.values()) == {"SHIPPED": ORDERS}
    calls = told.stage.marketplace.record.calls
    assert Counter(call.operation for call in calls)["OR24"] == ORDERS
    assert refused_for_haste([*calls, *told.stage.world.shopify.record.calls]) == []
    assert freed.waited_meanwhile <= freed.waited_before + WAITS_LONGER, freed
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


def test_one_answer_sends_every_refused_dispatch_again(theatre: Theatre) -> None:
    """The marketplace refuses every dispatch with one code; once that is put right, nothing but an answer helps."""
    refusing = Broken(Fault("server_error", status=403), "OR24")

    async def story(stage: Stage) -> None:
        for _ in range(2):
            stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[1])
        await stage.until(500)
        refusing.active = True
        while stage.world.shopify.pick(company="DHL Express", number="JD01") is not None:
            pass
        await stage.until(700)
        refusing.active = False
        waiting = open_cases(stage)
        assert {row.reason for row in waiting} == {Reason.SHIPPING_REFUSED.value}
        assert len(waiting) == 3
        with looking_at(stage) as person:
            case = f"/cases/{waiting[0].id}"
            page = (await person.get(case)).text
            assert "Look at 3 orders again" not in page
            assert "Send again for 3 orders" in page
            token = re.search(r'name="token" value="([^"]+)"', page)
            assert token is not None
            form = {
                "token": html.unescape(token[1]),
                "option": "send_again",
                "why": "They have lifted the ban.",
            }
            begun = await person.post(f"{case}/answer-all", data=form)
            assert begun.status_code == 303
            await stage.until(760)
            progress = (await person.get(begun.headers["location"])).text
            assert "3 of 3 orders are free" in progress
            assert "who answered “Send it again” to each of them" in html.unescape(progress)
            history = html.unescape((await person.get(case)).text)
            assert "Answered “Send it again”. <q>They have lifted the ban.</q>" in history

    told = theatre.tell(story, marketplace("all-or-nothing"), 900, mirakl_faults=refusing)
    assert [order.state for order in told.stage.marketplace.orders.values()] == ["SHIPPED"] * 3
    assert told.open_reasons == []


def test_a_replay_waits_while_the_shop_cannot_be_read(theatre: Theatre) -> None:
    away = Broken(Fault("server_error", status=503), "*")

    async def story(stage: Stage) -> None:
        away.active = False
        for _ in range(2):
            stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[1])
        await stage.until(500)
        while stage.world.shopify.pick(company="Express Bike", number="JD01") is not None:
            pass
        await stage.until(900)
        waiting = len(open_cases(stage))
        assert waiting > 1
        away.active = True
        (connection_id,) = stage.world.connection_ids.values()
        with looking_at(stage) as person:
            replay = await map_carrier(person, connection_id, "Express Bike", "DHL")
            await stage.until(960)
            page = (await person.get(f"/cases/replays/{replay}")).text
            assert f"<dt>Being looked at</dt><dd>{waiting}</dd>" in page
            assert "<dt>Still blocked</dt><dd>0</dd>" in page
            away.active = False
            await stage.until(1100)
            page = (await person.get(f"/cases/replays/{replay}")).text
            assert f"{waiting} of {waiting} orders are free" in page

    told = theatre.tell(story, marketplace("all-or-nothing"), 1200, shopify_faults=away)
    assert {order.state for order in told.stage.marketplace.orders.values()} == {"SHIPPED"}
    assert told.open_reasons == []

"""No stock is offered that is not there: figures travel from the shop to every offer, one file at a time."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from interlock.cases.store import cases, open_connection_case
from interlock.console.desk import answer_case as answer
from interlock.console.desk import map_sku_names
from interlock.console.stock import set_locations
from interlock.engine.ledger import operations
from interlock.engine.store import counts
from interlock.inventory.store import figure_of, latest_imports
from interlock.offers.store import want_offers
from interlock.orders.reasons import Reason
from interlock.orders.store import orders
from interlock.rehearsal.scenarios import Stage
from interlock.rehearsal.stock import learn_offers
from interlock.simulator.faults import Fault
from interlock.simulator.mirakl import mirakl_switches
from interlock.simulator.mirakl.generate import CatalogueItem
from interlock.simulator.shopify.inventory import (
    close_location,
    count_stock,
    delete_location,
    serve_online,
    stock_again,
    stop_stocking,
)
from interlock.simulator.shopify.webhooks import WebhookWeather
from tests.stories.stage import RULES, Broken, Theatre, Told, marketplace, open_cases

PUBLISHES = replace(RULES, publish_stock=True)


def count(stage: Stage, sku: str, units: int) -> None:
    """Somebody counts a SKU at the shop's first location."""
    shopify = stage.world.shopify
    variant = next(one for one in shopify.shop.variants.values() if one.sku == sku)
    count_stock(shopify, variant, units, next(iter(shopify.shop.locations.values())))


def shown(stage: Stage, sku: str) -> int:
    """What the marketplace's customers see."""
    stage.marketplace.tick()
    return stage.marketplace.offers.offers[sku].quantity


def test_a_count_in_the_shop_reaches_the_offer_by_a_stock_file(theatre: Theatre) -> None:
    seen: dict[str, int] = {}

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        await stage.until(900)
        seen["before"] = shown(stage, "LAMP-OAK")
        count(stage, "LAMP-OAK", 7)
        await stage.until(1800)
        seen["after"] = shown(stage, "LAMP-OAK")

    told = theatre.tell(story, marketplace("all-or-nothing"), 2400, rules=PUBLISHES, subscribed=True)
    assert seen == {"before": 100, "after": 7}
    with told.stage.world.database.begin() as c:
        connection_id = told.stage.world.connection_ids["all-or-nothing"]
        row = figure_of(c, connection_id, "LAMP-OAK")
        assert row is not None
        assert (row.target, row.published, row.confirmed, row.believed) == (7, 7, 7, 7)
        assert all(one.state == "complete" for one in latest_imports(c, connection_id))
        sent = c.execute(select(operations).where(operations.c.kind == "PublishStock")).all()
        assert sent
        assert {row.state for row in sent} == {"CONFIRMED"}
    assert told.marketplace_calls("OF24") == 0


def column(told: Told, sku: str, name: str) -> object:
    """One figure of an offer when the story is over."""
    with told.stage.world.database.begin() as c:
        row = figure_of(c, told.stage.world.connection_ids["all-or-nothing"], sku)
    return None if row is None else getattr(row, name)


def states(told: Told) -> list[str]:
    """What became of every stock file, the oldest first."""
    with told.stage.world.database.begin() as c:
        found = latest_imports(c, told.stage.world.connection_ids["all-or-nothing"], 100)
    return [one.state for one in reversed(found)]


def test_a_sale_is_taken_off_at_once_and_claimed_once(theatre: Theatre) -> None:
    """The order is off every offer from the moment it is known; when Shopify has claimed its units it is not taken off
    twice."""

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)

    told = theatre.tell(story, marketplace("all-or-nothing"), 3000, rules=PUBLISHES, subscribed=True)
    assert told.stage.order.state == "SHIPPING"
    (variant,) = (one for one in told.stage.world.shopify.shop.variants.values() if one.sku == "MUG-BLUE")
    assert variant.available == 97
    assert column(told, "MUG-BLUE", "target") == 97
    assert column(told, "MUG-BLUE", "unclaimed") == 0
    assert shown(told.stage, "MUG-BLUE") == 97


def test_a_buffer_is_held_back(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        learn_offers(stage.world)

    rules = replace(PUBLISHES, stock_buffer=95)
    told = theatre.tell(story, marketplace("all-or-nothing"), 1500, rules=rules, subscribed=True)
    assert shown(told.stage, "MUG-BLUE") == 2


def test_an_offer_that_a_refusal_zeroed_is_told_again(theatre: Theatre) -> None:
    """A person refuses an order in the portal, and the operator sets the offer to zero."""
    seen: dict[str, int] = {}

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        await stage.until(1200)
        order = stage.marketplace.create_generated(lines=1, skus=["LAMP-OAK"], quantities=[200])
        await stage.until(1400)
        stage.marketplace.portal_decide(order.id, False)
        seen["refused"] = shown(stage, "LAMP-OAK")

    told = theatre.tell(story, marketplace("all-or-nothing"), 3000, rules=PUBLISHES, subscribed=True)
    assert seen == {"refused": 0}
    assert shown(told.stage, "LAMP-OAK") == 100
    zero = "Since the refusal the marketplace shows 0 of LAMP-OAK, of which 100 may be offered."
    taken = "The offer LAMP-OAK, that showed 0 after the refusal, was told again: the marketplace took 100."
    assert told.timeline.count(zero) == told.timeline.count(taken) == 1
    assert told.timeline.index(zero) < told.timeline.index(taken)
    assert counted(told, "offer_zeroed_by_refusal") == counted(told, "offer_repaired_after_refusal") == 1


def test_a_unit_that_was_sold_and_not_read_yet_is_not_offered_again(theatre: Theatre) -> None:
    """The last unit is sold while orders cannot be read; the export shows it first. The operator lowers another offer."""
    unread = Broken(Fault("server_error", status=503), "OR11")
    unread.active = False
    seen: dict[str, object] = {}

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        await stage.until(300)
        count(stage, "LAMP-OAK", 1)
        await stage.until(1500)
        seen["before"] = shown(stage, "LAMP-OAK")
        unread.active = True
        stage.marketplace.create_generated(lines=1, skus=["LAMP-OAK"], quantities=[1])
        offers, now = stage.marketplace.offers, stage.marketplace.clock.now()
        offers.set_quantity("BOARD-L", 60, now, "operator", "portal")
        (connection_id,) = stage.world.connection_ids.values()
        with stage.world.database.begin() as c:
            want_offers(c, connection_id, stage.world.service_clock.now())
        await stage.until(2150)
        seen["unread"] = shown(stage, "LAMP-OAK"), shown(stage, "BOARD-L")
        unread.active = False

    told = theatre.tell(
        story, marketplace("all-or-nothing"), 3600, rules=PUBLISHES, subscribed=True, mirakl_faults=unread
    )
    assert seen == {"before": 1, "unread": (0, 60)}
    changes = [one for one in told.stage.marketplace.offers.changes if one.sku == "LAMP-OAK"]
    sold = next(place for place, one in enumerate(changes) if one.why == "sale")
    assert {one.after for one in changes[sold:]} == {0}
    assert shown(told.stage, "BOARD-L") == 100


def counted(told: Told, name: str) -> int:
    """How often the service counted this, for the one connection of the story."""
    with told.stage.world.database.begin() as c:
        return counts(c).get((name, "all-or-nothing"), 0)


def test_an_offer_whose_product_is_called_otherwise_shows_nothing_until_it_is_mapped(
    theatre: Theatre,
) -> None:
    """The SKU of a variant is changed in Shopify; the next comparison takes the link away and opens the case."""
    seen: dict[str, object] = {}

    async def story(stage: Stage) -> None:
        world = stage.world
        learn_offers(world)
        await stage.until(900)
        seen["before"] = shown(stage, "LAMP-OAK")
        lamp = next(one for one in world.shopify.shop.variants.values() if one.sku == "LAMP-OAK")
        lamp.sku = "LAMP-OAK-2"
        await world.compare("all-or-nothing")
        await stage.until(2200)
        seen["renamed"] = shown(stage, "LAMP-OAK")
        seen["case"] = [(row.reason, row.subject) for row in open_cases(stage) if row.subject == "LAMP-OAK"]
        row = world.connection_row("all-or-nothing")
        with world.database.begin() as c:
            now = world.service_clock.now()
            map_sku_names(c, world.wakeups, row, [("LAMP-OAK", "LAMP-OAK-2")], "Ada", now)

    told = theatre.tell(story, marketplace("all-or-nothing"), 3600, rules=PUBLISHES, subscribed=True)
    assert seen["before"] == 100
    assert seen["renamed"] == 0
    assert seen["case"] == [(Reason.OFFER_WITHOUT_VARIANT.value, "LAMP-OAK")]
    assert shown(told.stage, "LAMP-OAK") == 100
    assert Reason.OFFER_WITHOUT_VARIANT.value not in told.open_reasons


def test_a_file_of_which_nobody_knows_whether_it_arrived_is_waited_for(theatre: Theatre) -> None:
    """The first file breaks off on its way. No other leaves until it is too late for it to be worked off."""
    lost = Broken(Fault("server_error", status=503), "STO01", times=1)

    async def story(stage: Stage) -> None:
        lost.active = True
        learn_offers(stage.world)
        await stage.until(600)
        count(stage, "LAMP-OAK", 7)

    told = theatre.tell(
        story, marketplace("all-or-nothing"), 3000, rules=PUBLISHES, subscribed=True, mirakl_faults=lost
    )
    calls = [call for call in told.stage.marketplace.record.calls if call.operation == "STO01"]
    sent = [(call.at - calls[0].at).total_seconds() for call in calls]
    assert sent[1] >= 900
    assert states(told)[0] == "lost"
    assert set(states(told)[1:]) == {"complete"}
    assert shown(told.stage, "LAMP-OAK") == 7


def test_a_file_whose_answer_was_lost_settles_when_the_marketplace_shows_its_figures(
    theatre: Theatre,
) -> None:
    """Read back by the differential export (OF52 to OF54), so that nobody waits longer than needed."""
    lost = Broken(Fault("reply_lost"), "STO01", times=1)

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        await stage.until(900)
        lost.active = True
        count(stage, "LAMP-OAK", 7)
        (connection_id,) = stage.world.connection_ids.values()
        with stage.world.database.begin() as c:
            said, now = "A file before it was refused whole.", stage.world.service_clock.now()
            open_connection_case(c, connection_id, Reason.STOCK_FILE_REFUSED, "file", said, now)

    told = theatre.tell(
        story, marketplace("all-or-nothing"), 3600, rules=PUBLISHES, subscribed=True, mirakl_faults=lost
    )
    with told.stage.world.database.begin() as c:
        found = latest_imports(c, told.stage.world.connection_ids["all-or-nothing"], 100)
    (seen,) = [one for one in found if one.words == "the marketplace shows its figures"]
    (case,) = told.of(Reason.STOCK_FILE_REFUSED)
    assert case.closed_at == seen.settled_at
    assert "lost" not in states(told)
    assert shown(told.stage, "LAMP-OAK") == 7


def test_a_line_that_was_refused_in_a_file_whose_answer_was_lost_is_told_again(theatre: Theatre) -> None:
    """That the file arrived proves nothing about its other lines: what was refused is in a report nobody can ask for."""
    lost = Broken(Fault("reply_lost"), "STO01", times=1)

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        await stage.until(900)
        lost.active = True
        stage.marketplace.stock_imports.refused_skus["MUG-GREEN"] = "The offer is being checked"
        count(stage, "LAMP-OAK", 7)
        count(stage, "MUG-GREEN", 5)
        await stage.until(1080)
        assert (shown(stage, "LAMP-OAK"), shown(stage, "MUG-GREEN")) == (7, 100)
        del stage.marketplace.stock_imports.refused_skus["MUG-GREEN"]

    told = theatre.tell(
        story, marketplace("all-or-nothing"), 3600, rules=PUBLISHES, subscribed=True, mirakl_faults=lost
    )
    assert "lost" not in states(told)
    assert (shown(told.stage, "LAMP-OAK"), shown(told.stage, "MUG-GREEN")) == (7, 5)


def test_a_line_the_marketplace_does_not_take_is_a_case_and_the_others_are_taken(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        stage.marketplace.stock_imports.refused_skus["LAMP-OAK"] = "The offer is being checked"
        await stage.until(900)
        count(stage, "MUG-GREEN", 5)
        await stage.until(1500)
        (case,) = [row for row in open_cases(stage) if row.reason == Reason.STOCK_LINE_REFUSED.value]
        assert case.subject == "LAMP-OAK"
        assert "The offer is being checked" in case.sentence
        del stage.marketplace.stock_imports.refused_skus["LAMP-OAK"]
        count(stage, "LAMP-OAK", 9)

    told = theatre.tell(story, marketplace("all-or-nothing"), 3000, rules=PUBLISHES, subscribed=True)
    assert shown(told.stage, "MUG-GREEN") == 5
    assert shown(told.stage, "LAMP-OAK") == 9
    assert told.open_reasons == []


def test_an_offer_whose_sku_can_stand_in_no_file_is_a_case_until_it_is_taken_down(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        market = stage.marketplace
        broken = CatalogueItem("LAMP\nOAK", "Oak lamp", Decimal("39.00"))
        market.offers.add(broken, 3, market.clock.now())
        await stage.world.compare("all-or-nothing")
        await stage.until(900)
        found = [row for row in open_cases(stage) if row.reason == Reason.OFFER_SKU_UNUSABLE.value]
        assert [row.subject for row in found] == [broken.sku]
        assert "LAMPU+000AOAK" in found[0].sentence
        market.offers.change(broken.sku, market.clock.now(), deleted=True)
        (connection_id,) = stage.world.connection_ids.values()
        with stage.world.database.begin() as c:
            want_offers(c, connection_id, stage.world.service_clock.now())
        await stage.world.compare("all-or-nothing")

    told = theatre.tell(story, marketplace("all-or-nothing"), 2700, rules=PUBLISHES, subscribed=True)
    assert Reason.OFFER_SKU_UNUSABLE.value not in told.open_reasons


def test_a_file_that_was_worked_off_holds_nothing_up_where_its_report_cannot_be_read(
    theatre: Theatre,
) -> None:
    """It can overwrite nothing any more; what it left open is read back and told again."""
    unread = Broken(Fault("server_error", status=503), "STO03")

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        await stage.until(900)
        unread.active = True
        stage.marketplace.stock_imports.refused_skus["MUG-GREEN"] = "The offer is being checked"
        count(stage, "LAMP-OAK", 9)
        count(stage, "MUG-GREEN", 5)
        await stage.until(1000)
        stage.marketplace.stock_imports.refused_skus.clear()
        count(stage, "LAMP-OAK", 0)
        await stage.until(1800)
        assert (shown(stage, "LAMP-OAK"), shown(stage, "MUG-GREEN")) == (0, 5)

    told = theatre.tell(
        story, marketplace("all-or-nothing"), 1900, rules=PUBLISHES, subscribed=True, mirakl_faults=unread
    )
    assert "lost" in states(told)
    assert unread.injected["server_error"]


def test_a_file_that_is_rejected_whole_loses_nothing(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        stage.marketplace.stock_imports.failures_armed = 2
        await stage.until(420)
        assert Reason.STOCK_FILE_REFUSED.value in [row.reason for row in open_cases(stage)]
        count(stage, "LAMP-OAK", 9)

    told = theatre.tell(story, marketplace("all-or-nothing"), 3000, rules=PUBLISHES, subscribed=True)
    assert states(told)[:2] == ["refused", "refused"]
    assert shown(told.stage, "LAMP-OAK") == 9
    assert told.open_reasons == []


def test_a_line_that_was_refused_is_nobodys_case_once_its_offer_is_deleted(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        market, world = stage.marketplace, stage.world
        learn_offers(world)
        market.stock_imports.refused_skus["LAMP-OAK"] = "The offer is being checked"
        await stage.until(900)
        assert Reason.STOCK_LINE_REFUSED.value in [row.reason for row in open_cases(stage)]
        market.offers.change("LAMP-OAK", market.clock.now(), deleted=True)
        with world.database.begin() as c:
            want_offers(c, world.connection_ids["all-or-nothing"], world.service_clock.now())
        await world.compare("all-or-nothing")
        count(stage, "MUG-GREEN", 5)

    told = theatre.tell(story, marketplace("all-or-nothing"), 3600, rules=PUBLISHES, subscribed=True)
    (case,) = told.of(Reason.STOCK_LINE_REFUSED)
    assert case.closed_because == "There is no such offer any more."


def test_a_file_that_is_not_worked_off_is_a_case(theatre: Theatre) -> None:
    slow = mirakl_switches()

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        await stage.until(300)
        for one in stage.marketplace.stock_imports.imports.values():
            one.due = one.due.replace(year=one.due.year + 1)
        await stage.until(3600)
        assert Reason.STOCK_IMPORT_STUCK.value in [row.reason for row in open_cases(stage)]
        for one in stage.marketplace.stock_imports.imports.values():
            one.due = stage.marketplace.clock.now()

    slow.set("stock_import_takes", "600")
    told = theatre.tell(
        story, marketplace("all-or-nothing"), 4200, rules=PUBLISHES, subscribed=True, mirakl_switches=slow
    )
    assert told.open_reasons == []
    assert told.marketplace_calls("STO01") >= 1


def test_a_location_that_is_closed_is_not_offered_and_somebody_is_told(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        shopify = stage.world.shopify
        second = shopify.add_location("Second")
        variant = next(one for one in shopify.shop.variants.values() if one.sku == "LAMP-OAK")
        count_stock(shopify, variant, 30, second)
        first = next(iter(shopify.shop.locations.values()))
        row, now = stage.world.connection_row("all-or-nothing"), stage.world.service_clock.now()
        with stage.world.database.begin() as c:
            places = (str(first.number), second.gid)
            set_locations(c, stage.world.wakeups, row, places, "Ada", "two warehouses", now)
        await stage.until(900)
        assert shown(stage, "LAMP-OAK") == 130
        close_location(shopify, second)
        await stage.until(1800)
        assert shown(stage, "LAMP-OAK") == 100
        (case,) = [row for row in open_cases(stage) if row.reason == Reason.STOCK_LOCATION_GONE.value]
        assert case.subject == second.gid
        second.active = True

    told = theatre.tell(story, marketplace("all-or-nothing"), 3000, rules=PUBLISHES, subscribed=True)
    assert told.open_reasons == []
    assert shown(told.stage, "LAMP-OAK") == 130


def test_a_location_that_is_gone_from_the_shop_is_not_offered_and_somebody_is_told(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        shopify = stage.world.shopify
        second = shopify.add_location("Second")
        variant = next(one for one in shopify.shop.variants.values() if one.sku == "LAMP-OAK")
        count_stock(shopify, variant, 30, second)
        first = next(iter(shopify.shop.locations.values()))
        row, now = stage.world.connection_row("all-or-nothing"), stage.world.service_clock.now()
        with stage.world.database.begin() as c:
            places = (first.gid, second.gid)
            set_locations(c, stage.world.wakeups, row, places, "Ada", "two warehouses", now)
        await stage.until(900)
        assert shown(stage, "LAMP-OAK") == 130
        delete_location(shopify, second)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1800, rules=PUBLISHES, subscribed=True)
    (case,) = told.of(Reason.STOCK_LOCATION_GONE)
    assert "is gone from the shop" in case.sentence
    assert (case.closed_at, shown(told.stage, "LAMP-OAK")) == (None, 100)


@pytest.mark.parametrize(
    ("weather", "seconds"),
    [
        pytest.param(WebhookWeather(), 180, id="told by a webhook"),
        pytest.param(WebhookWeather(lost=1.0), 600, id="found by the sweep"),
    ],
)
def test_an_article_that_a_location_stocks_no_more_comes_off_the_offer_and_back(
    theatre: Theatre, weather: WebhookWeather, seconds: float
) -> None:
    seen: dict[str, int] = {}

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        shopify = stage.world.shopify
        second = shopify.add_location("Second")
        variant = next(one for one in shopify.shop.variants.values() if one.sku == "LAMP-OAK")
        count_stock(shopify, variant, 30, second)
        await stage.until(900)
        seen["both"] = shown(stage, "LAMP-OAK")
        stop_stocking(shopify, variant, second)
        await stage.until(900 + seconds)
        seen["stopped"] = shown(stage, "LAMP-OAK")
        stock_again(shopify, variant, second)
        await stage.until(900 + 2 * seconds)
        seen["nothing counted yet"] = shown(stage, "LAMP-OAK")
        count_stock(shopify, variant, 12, second)

    told = theatre.tell(
        story, marketplace("all-or-nothing"), 3900, rules=PUBLISHES, subscribed=True, weather=weather
    )
    assert seen == {"both": 130, "stopped": 100, "nothing counted yet": 100}
    assert shown(told.stage, "LAMP-OAK") == 112
    assert told.open_reasons == []


def test_what_lies_at_a_counter_is_offered_once_it_serves_online_orders(theatre: Theatre) -> None:
    """Nothing is offered that the check before acceptance then misses: a store without online orders counts for neither."""
    seen: dict[str, object] = {}

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        shopify = stage.world.shopify
        counter = shopify.add_location("Store", online=False)
        variant = next(one for one in shopify.shop.variants.values() if one.sku == "LAMP-OAK")
        count(stage, "LAMP-OAK", 2)
        count_stock(shopify, variant, 5, counter)
        await stage.until(900)
        seen["offered"] = shown(stage, "LAMP-OAK")
        sold = stage.marketplace.create_generated(lines=1, skus=["LAMP-OAK"], quantities=[2])
        await stage.until(1500)
        seen["accepted"] = sold.state != "WAITING_ACCEPTANCE"
        seen["left"] = shown(stage, "LAMP-OAK")
        serve_online(shopify, counter, True)
        await stage.until(2400)
        seen["online"] = shown(stage, "LAMP-OAK")
        more = stage.marketplace.create_generated(lines=1, skus=["LAMP-OAK"], quantities=[3])
        await stage.until(3000)
        seen["accepted too"] = more.state != "WAITING_ACCEPTANCE"
        serve_online(shopify, counter, False)

    told = theatre.tell(story, marketplace("all-or-nothing"), 4200, rules=PUBLISHES, subscribed=True)
    assert seen == {"offered": 2, "accepted": True, "left": 0, "online": 5, "accepted too": True}
    assert shown(told.stage, "LAMP-OAK") == 0
    assert told.open_reasons == []


def test_an_order_is_checked_against_the_locations_that_are_named(theatre: Theatre) -> None:
    seen: dict[str, object] = {}

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        shopify = stage.world.shopify
        first = next(iter(shopify.shop.locations.values()))
        second = shopify.add_location("Second")
        variant = next(one for one in shopify.shop.variants.values() if one.sku == "LAMP-OAK")
        count_stock(shopify, variant, 30, second)
        count(stage, "LAMP-OAK", 1)
        row, now = stage.world.connection_row("all-or-nothing"), stage.world.service_clock.now()
        with stage.world.database.begin() as c:
            set_locations(
                c, stage.world.wakeups, row, (first.gid,), "Ada", "the second one is for the shop", now
            )
        await stage.until(900)
        seen["offered"] = shown(stage, "LAMP-OAK")
        sold = stage.marketplace.create_generated(lines=1, skus=["LAMP-OAK"], quantities=[2])
        await stage.until(1500)
        seen["waits"] = [(sold.state, row.reason) for row in open_cases(stage) if row.subject == "LAMP-OAK"]
        count(stage, "LAMP-OAK", 2)

    told = theatre.tell(story, marketplace("all-or-nothing"), 3600, rules=PUBLISHES, subscribed=True)
    assert seen["offered"] == 1
    assert ("WAITING_ACCEPTANCE", Reason.STOCK_SHORT.value) in seen["waits"]  # type: ignore[operator]
    assert told.open_reasons == []


def test_a_stock_that_nobody_can_have_raises_no_offer(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        await stage.until(900)
        count(stage, "LAMP-OAK", 40_063_813)
        await stage.until(1800)
        assert Reason.STOCK_ABSURD.value in [row.reason for row in open_cases(stage)]
        assert shown(stage, "LAMP-OAK") == 100
        count(stage, "LAMP-OAK", 12)

    told = theatre.tell(story, marketplace("all-or-nothing"), 2700, rules=PUBLISHES, subscribed=True)
    assert shown(told.stage, "LAMP-OAK") == 12
    assert told.open_reasons == []


def test_who_loses_is_refused_early_and_the_other_order_is_served(theatre: Theatre) -> None:
    seen: dict[str, object] = {}

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        await stage.until(900)
        count(stage, "KNIFE-20", 1)
        both = [
            stage.marketplace.create_generated(lines=1, skus=["KNIFE-20"], quantities=[2]) for _ in range(2)
        ]
        await stage.until(2400)
        loses, waits = both
        with stage.world.database.begin() as c:
            own = c.execute(
                select(cases.c.id, cases.c.options)
                .join(orders, orders.c.id == cases.c.order_id)
                .where(orders.c.mirakl_order_id == loses.id, cases.c.closed_at.is_(None))
            ).one()
            seen["offered by its own case"] = list(own.options)
            now = stage.world.service_clock.now()
            answer(c, stage.world.wakeups, own.id, "refuse_order", "Ada Agent", "The other was first.", now)
        await stage.until(3000)
        seen["after"] = loses.state, waits.state
        count(stage, "KNIFE-20", 2)
        await stage.until(5000)
        seen["end"] = loses.state, waits.state

    theatre.tell(story, marketplace("all-or-nothing"), 5400, rules=PUBLISHES, subscribed=True)
    assert seen == {
        "offered by its own case": ["refuse_order"],
        "after": ("REFUSED", "WAITING_ACCEPTANCE"),
        "end": ("REFUSED", "SHIPPING"),
    }


def test_accepted_orders_of_which_one_cannot_be_sent_are_somebodys_case_until_stock_comes(
    theatre: Theatre,
) -> None:
    seen: dict[str, object] = {}

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        await stage.until(900)
        count(stage, "KNIFE-20", 2)
        both = [
            stage.marketplace.create_generated(lines=1, skus=["KNIFE-20"], quantities=[1]) for _ in range(2)
        ]
        await stage.until(1800)
        seen["accepted"] = [one.state != "WAITING_ACCEPTANCE" for one in both]
        count(stage, "KNIFE-20", -1)
        await stage.until(2700)
        (case,) = [row for row in open_cases(stage) if row.reason == Reason.OVERSOLD.value]
        seen["named"] = [one.id in case.sentence for one in both]
        count(stage, "KNIFE-20", 0)

    told = theatre.tell(story, marketplace("all-or-nothing"), 3900, rules=PUBLISHES, subscribed=True)
    assert seen == {"accepted": [True, True], "named": [True, True]}
    assert Reason.OVERSOLD.value not in told.open_reasons


def test_more_was_sold_than_there_is(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        await stage.until(900)
        count(stage, "KNIFE-20", 1)
        for _ in range(2):
            stage.marketplace.create_generated(lines=1, skus=["KNIFE-20"], quantities=[2])
        await stage.until(2400)
        (case,) = [row for row in open_cases(stage) if row.reason == Reason.OVERSOLD.value]
        assert case.subject == "KNIFE-20"
        assert (
            "4 units of KNIFE-20 were sold on marketplaces and wait for stock, and 1 are there."
            in case.sentence
        )
        assert shown(stage, "KNIFE-20") == 0
        count(stage, "KNIFE-20", 10)

    told = theatre.tell(story, marketplace("all-or-nothing"), 3600, rules=PUBLISHES, subscribed=True)
    assert Reason.OVERSOLD.value not in told.open_reasons
    assert shown(told.stage, "KNIFE-20") == 6

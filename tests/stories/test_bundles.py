"""A marketplace sells a set as one item; the shop stocks, packs and ships its articles."""

from dataclasses import replace

from sqlalchemy import select

from interlock.engine.store import connections
from interlock.offers.matching import Component
from interlock.offers.store import keep_bundle
from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.judge import Verdict, i23_the_mapping_can_be_rebuilt
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.shopify.state import Order
from tests.stories.stage import RULES, Theatre, answer_case, marketplace, open_cases
from tests.stories.test_parcels_one_by_one import leave, told

ANY_PRICE = replace(RULES, price_tolerance=None)
PICNIC = (Component("KETTLE-1L", 1), Component("CANDLE-03", 4))


def is_a_set(stage: Stage, *parts: Component) -> None:
    """Somebody says that MUG-BLUE is sold as a set of these articles."""
    with stage.world.database.begin() as c:
        (connection_id,) = c.execute(select(connections.c.id)).scalars()
        keep_bundle(
            c, connection_id, "MUG-BLUE", parts or PICNIC, "Ada Agent", stage.world.service_clock.now()
        )


def units(order: Order) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in order.lines:
        sku = line.sku or ""
        found[sku] = found.get(sku, 0) + line.current_quantity
    return found


def take_out(stage: Stage, **articles: int) -> None:
    """Staff take these units of the set's articles out in one edit, or put them back."""
    order = stage.shopify_order()
    of_set = [line for line in order.lines if ("_mirakl_line_id", stage.order.lines[0].id) in line.attributes]
    wanted = []
    for name, count in articles.items():
        line = next(
            one for one in of_set if one.sku == name.replace("_", "-") and one.current_quantity >= count
        )
        wanted.append((line.gid, line.current_quantity - count))
    stage.world.shopify.edit(order, quantities=wanted)


def free(stage: Stage, sku: str) -> int:
    variant = next(one for one in stage.world.shopify.shop.variants.values() if one.sku == sku)
    return sum(level.available for level in variant.levels.values())


def test_a_set_is_created_as_its_articles_and_ships_as_one(theatre: Theatre) -> None:
    reserved: list[int] = []

    async def story(stage: Stage) -> None:
        is_a_set(stage)
        await stage.until(400)
        reserved.extend(free(stage, sku) for sku in ("MUG-BLUE", "KETTLE-1L", "CANDLE-03"))
        leave(stage, "1Z1")

    seen = theatre.tell(story, marketplace("all-or-nothing"), 900, rules=ANY_PRICE)

    (order,) = seen.live_orders
    assert units(order) == {"KETTLE-1L": 4, "CANDLE-03": 12}
    assert reserved == [100, 96, 88]
    assert seen.stage.order.state == "SHIPPED"
    assert seen.cases == []
    assert (seen.marketplace_calls("OR24"), seen.marketplace_calls("OR30")) == (1, 0)


def test_a_set_that_is_found_again_after_everything_was_lost_is_still_a_set(theatre: Theatre) -> None:
    verdict = Verdict()

    async def story(stage: Stage) -> None:
        is_a_set(stage)
        await stage.until(400)
        await i23_the_mapping_can_be_rebuilt(stage.world, verdict)

    seen = theatre.tell(story, marketplace("all-or-nothing"), 1400, rules=ANY_PRICE)

    assert (verdict.checked["I23"], verdict.broken) == (1, [])
    assert "of MUG-BLUE, more than" not in seen.timeline
    assert [case for case in seen.cases if case.reason != Reason.QUARANTINE.value] == []


def test_a_whole_set_taken_out_reaches_the_marketplace(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        is_a_set(stage)
        await stage.until(400)
        take_out(stage, KETTLE_1L=1, CANDLE_03=4)

    seen = theatre.tell(story, marketplace("automatic"), 1000, rules=ANY_PRICE)

    (mugs,) = [line for line in seen.stage.order.lines if line.sku == "MUG-BLUE"]
    assert mugs.live_quantity == 2
    assert seen.marketplace_calls("OR30") == 1
    assert seen.cases == []


def test_a_whole_set_taken_out_once_paid_is_the_refund_of_one_unit(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        is_a_set(stage)
        await stage.until(400)
        take_out(stage, KETTLE_1L=1, CANDLE_03=4)

    seen = theatre.tell(story, marketplace("all-or-nothing"), 1000, rules=ANY_PRICE)

    (task,) = seen.cases
    assert task.reason == Reason.REFUND_TASK.value
    assert "1 of MUG-BLUE with 12.90 EUR" in task.sentence


def test_an_article_taken_out_of_a_set_is_held_and_asked_about(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        is_a_set(stage)
        await stage.until(400)
        take_out(stage, CANDLE_03=1)
        await stage.until(800)
        (case,) = open_cases(stage)
        assert case.reason == Reason.EDIT_CANNOT_BE_EXPRESSED.value
        assert "11 of 12 CANDLE-03" in case.sentence
        assert stage.order.state == "SHIPPING"
        take_out(stage, CANDLE_03=-1)

    seen = theatre.tell(story, marketplace("all-or-nothing"), 1200, rules=ANY_PRICE)

    assert seen.open_reasons == []
    assert seen.marketplace_calls("OR30") == 0


def test_interlock_undoes_a_set_that_was_taken_apart(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        is_a_set(stage)
        await stage.until(400)
        order = stage.shopify_order()
        candles = [line.gid for line in order.lines if line.sku == "CANDLE-03"]
        stage.world.shopify.edit(order, quantities=[(line, 0) for line in candles])
        await stage.until(700)
        answer_case(stage, Reason.EDIT_CANNOT_BE_EXPRESSED, Option.UNDO_BY_INTERLOCK)

    seen = theatre.tell(story, marketplace("all-or-nothing"), 1200, rules=ANY_PRICE)

    (order,) = seen.live_orders
    assert units(order) == {"KETTLE-1L": 4, "CANDLE-03": 12}
    assert seen.marketplace_calls("OR30") == 0
    assert seen.open_reasons == []


def test_sets_the_operator_cancels_are_taken_out_article_by_article(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        is_a_set(stage)
        await stage.until(400)
        stage.marketplace.cancel_line(stage.order.id, stage.order.lines[0].id, quantity=2)

    seen = theatre.tell(story, marketplace("automatic"), 1000, rules=ANY_PRICE)

    (order,) = seen.live_orders
    assert units(order) == {"KETTLE-1L": 2, "CANDLE-03": 4}
    assert seen.open_reasons == []


def test_a_set_in_two_parcels_is_told_of_with_the_one_that_makes_it_whole(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        is_a_set(stage)
        await stage.until(400)
        leave(stage, "1Z1", CANDLE_03=1)
        await stage.until(700)
        assert told(stage) == []
        leave(stage, "1Z2")

    seen = theatre.tell(story, marketplace("all-or-nothing", multi_shipment=True), 1200, rules=ANY_PRICE)

    assert told(seen.stage) == [("SHIPPED", "UPS", "1Z2", {"MUG-BLUE": 3, "KETTLE-1L": 1})]
    assert seen.stage.order.state == "SHIPPED"
    assert seen.cases == []


def test_a_set_of_which_an_article_is_missing_waits_and_goes_on_when_it_is_told_anew(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        is_a_set(stage, Component("NO-SUCH-THING", 1))
        await stage.until(400)
        (case,) = open_cases(stage)
        assert (case.reason, case.subject) == (Reason.SKU_UNKNOWN.value, "MUG-BLUE")
        assert "its article NO-SUCH-THING is not in the shop" in case.sentence
        is_a_set(stage)

    seen = theatre.tell(story, marketplace("all-or-nothing"), 1200, rules=ANY_PRICE)

    (order,) = seen.live_orders
    assert units(order) == {"KETTLE-1L": 4, "CANDLE-03": 12}
    assert seen.open_reasons == []


def test_more_articles_than_the_shop_has_is_a_case(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        is_a_set(stage, Component("CANDLE-03", 34))
        await stage.until(400)

    seen = theatre.tell(story, marketplace("all-or-nothing"), 500, rules=ANY_PRICE)

    assert seen.live_orders == []
    (case,) = seen.cases
    assert case.reason == Reason.STOCK_SHORT.value
    assert "needs 102 of its article CANDLE-03, but the shop has 100" in case.sentence

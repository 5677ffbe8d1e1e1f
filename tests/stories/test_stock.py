"""No stock is offered that is not there: figures travel from the shop to every offer, one file at a time."""

from dataclasses import replace

from sqlalchemy import select

from interlock.engine.ledger import operations
from interlock.inventory.store import figure_of, latest_imports
from interlock.rehearsal.scenarios import Stage
from interlock.rehearsal.stock import learn_offers
from interlock.simulator.shopify.inventory import count_stock
from tests.stories.stage import RULES, Theatre, marketplace

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

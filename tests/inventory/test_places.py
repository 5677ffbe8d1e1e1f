"""The units that are offered and the units an order is checked against are those of the same locations."""

from functools import partial
from itertools import chain, combinations

from interlock.inventory import store
from interlock.shopify import read
from interlock.simulator.shopify.inventory import close_location, count_stock, serve_online
from interlock.storage.database import Database
from tests.build import NOW
from tests.shopify.test_against_the_simulator import Setting
from tests.shopify.test_stock_reads import listed


def test_both_sums_are_the_same_whichever_locations_are_named(database: Database) -> None:
    """A warehouse, a store without online orders, a closed hall with stock, and a place where more was sold than there was."""
    setting = Setting()
    world = setting.world
    warehouse = next(iter(world.shop.locations.values()))
    counter = world.add_location("Store", online=False)
    hall, oversold = world.add_location("Old hall"), world.add_location("Second warehouse")
    for place, units in ((counter, 20), (hall, 300), (oversold, -4)):
        count_stock(world, setting.lamp, units, place)
    close_location(world, hall)
    shop, lamp = world.shop.domain, setting.lamp.item_gid
    (shown,) = setting.use(listed)
    with database.begin() as c:
        store.shop_stock(c, shop)
        store.keep_items(c, shop, shown, NOW)
    every = [place.gid for place in (warehouse, counter, hall, oversold)]
    sums: dict[tuple[str, ...], int | None] = {}
    for named in chain.from_iterable(combinations(every, n) for n in range(5)):
        (checked,) = setting.use(partial(read.offers, skus=("LAMP",), locations=named))
        with database.begin() as c:
            (offered,) = store.items_at(c, shop, named, [lamp])
        assert offered.available == checked.available, named
        sums[named] = checked.available
    assert sums[()] == 10 - 4
    assert sums[(counter.gid,)] == 20
    assert sums[(hall.gid,)] == 0
    assert sums[tuple(every)] == 10 + 20 - 4


def test_a_location_that_serves_online_orders_no_more_moves_the_figures(database: Database) -> None:
    setting = Setting()
    world = setting.world
    second = world.add_location("Second warehouse")
    count_stock(world, setting.lamp, 4, second)
    shop, lamp = world.shop.domain, setting.lamp.item_gid
    (shown,) = setting.use(listed)
    with database.begin() as c:
        store.shop_stock(c, shop)
        store.keep_items(c, shop, shown, NOW)
        before = store.shop_stock(c, shop).changes
        assert next(store.items_at(c, shop, (), [lamp])).available == 14
    serve_online(world, second, False)
    changed = setting.use(lambda client: read.stock_changed_at(client, second.gid, NOW))
    assert changed is not None
    with database.begin() as c:
        store.keep_places(c, shop, {second.gid: changed.online})
        assert store.shop_stock(c, shop).changes == before + 1
        assert next(store.items_at(c, shop, (), [lamp])).available == 10
        store.keep_places(c, shop, {second.gid: changed.online})
        assert store.shop_stock(c, shop).changes == before + 1

"""Stock as the adapter reads it from the simulated shop (reference 14)."""

from datetime import timedelta

import pytest

from interlock.inventory.observed import ChangedAt, ShownItem, ShownLevel
from interlock.shopify import read
from interlock.shopify.client import ShopifyClient
from interlock.simulator.shopify.inventory import (
    close_location,
    count_stock,
    delete_location,
    stock_again,
    stop_stocking,
)
from tests.shopify.test_against_the_simulator import Setting


async def listed(client: ShopifyClient) -> list[tuple[ShownItem, ...]]:
    return [page async for page in read.stock_listed(client)]


def test_every_variant_is_listed_with_its_levels() -> None:
    setting = Setting()
    world = setting.world
    here = next(iter(world.shop.locations.values()))
    there = world.add_location("Second")
    count_stock(world, setting.lamp, 4, there)
    ((lamp, rug),) = setting.use(listed)
    assert lamp == ShownItem(
        setting.lamp.item_gid,
        setting.lamp.gid,
        "LAMP",
        True,
        (ShownLevel(here.gid, 10, True), ShownLevel(there.gid, 4, True)),
    )
    assert rug.sku == "RUG"
    (again,) = setting.use(lambda client: read.stock_of_items(client, [lamp.item_id]))
    assert again.levels == lamp.levels


def test_what_changed_at_a_location_is_found_and_a_location_that_is_gone_says_so() -> None:
    setting = Setting()
    world = setting.world
    here = next(iter(world.shop.locations.values()))
    since = world.clock.now() + timedelta(minutes=30)
    world.clock.advance(3600)
    count_stock(world, setting.lamp, 3, here)
    item_id = setting.lamp.item_gid
    changed = setting.use(lambda client: read.stock_changed_at(client, here.gid, since))
    assert changed == ChangedAt(here.name, True, (item_id,))
    close_location(world, here)
    closed = setting.use(lambda client: read.stock_changed_at(client, here.gid, since))
    assert closed == ChangedAt(here.name, False, (item_id,))
    (item,) = setting.use(lambda client: read.stock_of_items(client, [item_id]))
    assert item.levels == (ShownLevel(here.gid, 3, False),)
    delete_location(world, here)
    assert setting.use(lambda client: read.stock_changed_at(client, here.gid, since)) is None
    (item,) = setting.use(lambda client: read.stock_of_items(client, [item_id]))
    assert item.levels == ()


@pytest.mark.parametrize(("moves", "found"), [("yes", True), ("no", False)])
def test_a_level_that_is_stocked_no_more_is_shown_by_no_read_and_found_where_it_changed(
    moves: str, found: bool
) -> None:
    setting = Setting()
    world, item_id = setting.world, setting.lamp.item_gid
    world.switches.set("stocking_end_moves_updated_at", moves)
    here, there = next(iter(world.shop.locations.values())), world.add_location("Second")
    count_stock(world, setting.lamp, 4, there)
    since = world.clock.now() + timedelta(minutes=30)
    world.clock.advance(3600)
    stop_stocking(world, setting.lamp, there)
    (item,) = setting.use(lambda client: read.stock_of_items(client, [item_id]))
    assert item.levels == (ShownLevel(here.gid, 10, True),)
    changed = setting.use(lambda client: read.stock_changed_at(client, there.gid, since))
    assert changed == ChangedAt("Second", True, (item_id,) if found else ())
    stock_again(world, setting.lamp, there)
    (item,) = setting.use(lambda client: read.stock_of_items(client, [item_id]))
    assert item.levels == (ShownLevel(here.gid, 10, True), ShownLevel(there.gid, 0, True))

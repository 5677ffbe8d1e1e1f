"""What people do to stock itself: counting it, and closing or deleting the places where it lies (reference 14)."""

from interlock.simulator.shopify import stock
from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.state import Actor, Location, Variant
from interlock.simulator.shopify.world import ShopifyWorld


def count_stock(world: ShopifyWorld, variant: Variant, available: int, location: Location) -> None:
    """Somebody counts what is there: `available` is set and `inventory_levels/update` goes out."""
    act = Act(world, world.shop, Actor("staff"))
    level = stock.level_of(variant, location)
    level.counted_in += available - level.available
    level.available = available
    stock.changed(act, level)
    act.effect("stock counted", "", sku=variant.sku, location=location.number, available=available)
    act.finish()


def change_sku(world: ShopifyWorld, variant: Variant, sku: str) -> None:
    """Staff change a variant's SKU. Lines of orders keep the one they were sold under; apps that have not subscribed to
    `products/update` are told nothing."""
    act = Act(world, world.shop, Actor("staff"))
    was, variant.sku = variant.sku or "", sku
    act.effect("sku_changed", "", variant=variant.gid, was=was, now=sku)
    act.finish()


def close_location(world: ShopifyWorld, location: Location) -> None:
    """The location is deactivated: its levels stay readable and are not active any more. Nothing announces it to an app
    that has not subscribed to `locations/deactivate`."""
    location.active = False
    act = Act(world, world.shop, Actor("staff"))
    act.effect("location closed", "", location=location.number)
    act.finish()


def serve_online(world: ShopifyWorld, location: Location, online: bool) -> None:
    """Staff switch on or off that the location fulfils online orders. Its levels stay as they are, and nothing announces it
    to an app that has not subscribed to `locations/update`."""
    location.fulfills_online_orders = online
    act = Act(world, world.shop, Actor("staff"))
    act.effect("location serves online", "", location=location.number, online=online)
    act.finish()


def delete_location(world: ShopifyWorld, location: Location) -> None:
    """The location is gone with its levels; `location(id:)` gives null."""
    del world.shop.locations[location.number]
    for variant in world.shop.items.values():
        variant.levels.pop(location.number, None)
    act = Act(world, world.shop, Actor("staff"))
    act.effect("location deleted", "", location=location.number)
    act.finish()

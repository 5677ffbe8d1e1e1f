"""What people do to stock itself: counting it, stocking it somewhere or no more, and closing or deleting the places where
it lies (reference 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock.simulator.shopify import payloads, stock
from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import Actor, Location, Variant

if TYPE_CHECKING:
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


def stop_stocking(world: ShopifyWorld, variant: Variant, location: Location) -> None:
    """Staff stop stocking the variant at the location, as `inventoryDeactivate` does: what was available there is gone, the
    level is inactive, and `inventory_levels/disconnect` goes out, not `/update`. Raises Refused where Shopify would (the
    codes of InventoryBulkToggleActivationUserErrorCode): units are committed or reserved there, or no other location
    stocks the variant."""
    act = Act(world, world.shop, Actor("staff"))
    level = variant.levels.get(location.number)
    if level is None or not level.stocked:
        raise Refused("This item is not stocked at this location.", None, "FAILED_TO_UNSTOCK_FROM_LOCATION")
    others = [one for one in variant.levels.values() if one is not level and one.stocked]
    for forbids, code, why in (
        (level.committed, "COMMITTED_INVENTORY_AT_LOCATION", "it has committed quantities"),
        (level.reserved, "RESERVED_INVENTORY_AT_LOCATION", "it has unavailable quantities"),
        (not others, "CANNOT_DEACTIVATE_FROM_ONLY_LOCATION", "no other location stocks it"),
    ):
        if forbids:
            raise Refused(f"This item can't be unstocked from this location, because {why}.", None, code)
    level.counted_in -= level.available
    level.available, level.stocked = 0, False
    level.past.append((world.clock.now(), 0))
    if world.switches["stocking_end_moves_updated_at"] == "yes":
        level.updated_at = act.now
    act.announce("INVENTORY_LEVELS_DISCONNECT", "", lambda _app: payloads.inventory_level_gone(level))
    act.effect("stocking ended", "", sku=variant.sku, location=location.number)
    act.finish()


def stock_again(world: ShopifyWorld, variant: Variant, location: Location) -> None:
    """Staff stock the variant at the location, as `inventoryActivate` without quantities does: nothing is available there
    until somebody counts it, and `inventory_levels/connect` goes out. A variant that is stocked there stays as it is."""
    known = variant.levels.get(location.number)
    if known is not None and known.stocked:
        return
    act = Act(world, world.shop, Actor("staff"))
    level = stock.level_of(variant, location)
    level.updated_at = act.now
    level.past.append((world.clock.now(), level.available))
    act.announce("INVENTORY_LEVELS_CONNECT", "", lambda _app: payloads.inventory_level(level, act.shop))
    act.effect("stocking began", "", sku=variant.sku, location=location.number)
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

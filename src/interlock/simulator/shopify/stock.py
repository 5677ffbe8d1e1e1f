"""What orders and drafts do to stock (reference 14)."""

from interlock.simulator.shopify import payloads
from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.state import Level, LineItem, Location, Shop, Variant


def changed(act: Act, level: Level) -> None:
    """One inventory_levels/update per item and location (reference 9.4)."""
    level.updated_at = act.now
    level.past.append((act.world.clock.now(), level.available))
    act.announce("INVENTORY_LEVELS_UPDATE", "", lambda _app: payloads.inventory_level(level, act.shop))


def level_of(variant: Variant, location: Location) -> Level:
    """The level at which something is about to move: a location that does not stock the item stocks it from then on."""
    level = variant.levels.get(location.number)
    if level is None:
        level = variant.levels[location.number] = Level(variant, location, 0)
    level.stocked = True
    return level


def primary_location(shop: Shop) -> Location:
    active = [location for location in shop.locations.values() if location.active]
    return next((location for location in active if location.fulfills_online_orders), active[0])


def route(shop: Shop, variant: Variant | None, units: int) -> Location:
    """A stocked active location that fulfils online orders, not necessarily the default one (reference 5.1, 14.1)."""
    if variant is None:
        return primary_location(shop)
    stocked = [
        level for level in variant.levels.values() if _serves_orders(level) and level.location.ships_inventory
    ]
    for level in stocked:
        if level.available >= units:
            return level.location
    return stocked[0].location if stocked else primary_location(shop)


def can_take(variant: Variant | None, units: int) -> bool:
    """Whether the variant's own policy lets so many units go."""
    if variant is None or not variant.tracked or variant.oversell:
        return True
    return any(level.available >= units for level in variant.levels.values() if _serves_orders(level))


def _serves_orders(level: Level) -> bool:
    return level.active and level.location.fulfills_online_orders


def claim(act: Act, line: LineItem, units: int, location: Location) -> None:
    """available falls, committed rises, on_hand stays (reference 14.1)."""
    if line.variant is None or not line.variant.tracked or units == 0:
        return
    level = level_of(line.variant, location)
    level.available -= units
    level.committed += units
    line.claims[location.number] = line.claims.get(location.number, 0) + units
    changed(act, level)


def claimed(line: LineItem) -> int:
    return sum(line.claims.values())


def release(act: Act, line: LineItem, units: int, *, restock: bool, location: Location | None = None) -> None:
    """Units leave an order before they were shipped (reference 14.4, switches)."""
    variant = line.variant
    if variant is None or not variant.tracked:
        return
    left = units
    for number in list(line.claims):
        taken = min(left, line.claims[number])
        if taken == 0:
            continue
        left -= taken
        level = variant.levels[number]
        if restock:
            level.committed -= taken
            level.available += taken
        elif act.world.switches["removal_without_restock"] == "on_hand_falls":
            level.committed -= taken
        line.claims[number] -= taken
        changed(act, level)
    if left and restock and act.world.switches["restock_of_unclaimed_units"] == "inflates":
        level = level_of(variant, location or route(act.shop, variant, 0))
        level.available += left
        changed(act, level)


def ship(act: Act, line: LineItem, units: int) -> None:
    """committed and on_hand fall. Units that were never claimed leave stock untouched."""
    left = units
    for number in list(line.claims):
        taken = min(left, line.claims[number])
        if taken == 0 or line.variant is None:
            continue
        left -= taken
        level = line.variant.levels[number]
        level.committed -= taken
        level.shipped += taken
        line.claims[number] -= taken
        changed(act, level)


def unship(act: Act, line: LineItem, units: int, location: Location) -> None:
    """A cancelled fulfilment puts its units back into the commitment."""
    if line.variant is None or not line.variant.tracked:
        return
    level = level_of(line.variant, location)
    level.committed += units
    level.shipped -= units
    line.claims[location.number] = line.claims.get(location.number, 0) + units
    changed(act, level)


def put_back(act: Act, variant: Variant | None, units: int, location: Location) -> None:
    """Returned goods become available again."""
    if variant is None or not variant.tracked:
        return
    level = level_of(variant, location)
    level.available += units
    level.shipped -= units
    changed(act, level)


def reserve(act: Act, variant: Variant, units: int) -> dict[int, int]:
    """A draft's reservation: available falls, reserved rises. Returns units by location."""
    location = route(act.shop, variant, units)
    level = level_of(variant, location)
    level.available -= units
    level.reserved += units
    changed(act, level)
    return {location.number: units}


def unreserve(act: Act, variant: Variant, reserved: dict[int, int]) -> None:
    for number, units in reserved.items():
        level = variant.levels[number]
        level.available += units
        level.reserved -= units
        changed(act, level)
    reserved.clear()


def commit_reserved(act: Act, line: LineItem, reserved: dict[int, int]) -> None:
    """The reservation of a completed draft becomes the order's commitment."""
    if line.variant is None:
        return
    for number, units in reserved.items():
        level = line.variant.levels[number]
        level.reserved -= units
        level.committed += units
        line.claims[number] = line.claims.get(number, 0) + units
        changed(act, level)
    reserved.clear()

"""What staff do to the stock of one SKU at one location, and what an app is told and shown of it."""

import json
from typing import Any

import pytest

from interlock.simulator.shopify import Refused, ShopifyWorld
from interlock.simulator.shopify.inventory import count_stock, stock_again, stop_stocking
from interlock.simulator.shopify.state import Location
from tests.simulator.shopify.conftest import Client, Receiver, settle
from tests.simulator.shopify.test_warehouse import subscribed

TOPICS = tuple(f"INVENTORY_LEVELS_{name}" for name in ("CONNECT", "DISCONNECT", "UPDATE"))
LEVELS = (
    "query($id: ID!, $all: Boolean!) { inventoryItem(id: $id) { inventoryLevels(first: 5, includeInactive: $all) {"
    ' nodes { isActive location { name } quantities(names: ["available"]) { quantity } } } } }'
)


@pytest.fixture
def second(world: ShopifyWorld) -> Location:
    made = world.add_location("Second")
    count_stock(world, world.variant("SKU-A"), 4, made)
    return made


def levels(client: Client, *, inactive: bool = False) -> list[tuple[bool, int]]:
    """Of SKU-A, at the first and the second location: whether the level is active, and the units available."""
    item = client.world.variant("SKU-A").item_gid
    found = client.data(LEVELS, id=item, all=inactive)["inventoryItem"]["inventoryLevels"]["nodes"]
    return [(one["isActive"], one["quantities"][0]["quantity"]) for one in found]


def told(receiver: Receiver) -> list[tuple[str, dict[str, Any]]]:
    return [(headers["X-Shopify-Topic"], json.loads(body)) for _, headers, body in receiver.got]


def test_a_location_stocks_an_article_no_more_and_again_with_nothing(
    world: ShopifyWorld, client: Client, receiver: Receiver, second: Location
) -> None:
    subscribed(client, *TOPICS)
    variant = world.variant("SKU-A")
    assert levels(client) == [(True, 10), (True, 4)]
    stop_stocking(world, variant, second)
    settle(world)
    assert (levels(client), levels(client, inactive=True)) == ([(True, 10)], [(True, 10), (False, 0)])
    assert variant.available == 10
    which = {"inventory_item_id": variant.item_number, "location_id": second.number}
    assert told(receiver) == [("inventory_levels/disconnect", which)]
    stock_again(world, variant, second)
    stock_again(world, variant, second)
    settle(world)
    assert levels(client) == [(True, 10), (True, 0)]
    ((topic, body),) = told(receiver)[1:]
    assert (topic, body["inventory_item_id"], body["available"]) == (
        "inventory_levels/connect",
        variant.item_number,
        0,
    )


def test_what_is_committed_or_reserved_somewhere_or_stocked_nowhere_else_stays_stocked(
    world: ShopifyWorld, client: Client, receiver: Receiver, second: Location
) -> None:
    first, variant = next(iter(world.shop.locations.values())), world.variant("SKU-A")
    client.create_order()
    subscribed(client, *TOPICS)

    def refused(location: Location) -> str | None:
        with pytest.raises(Refused) as raised:
            stop_stocking(world, variant, location)
        return raised.value.code

    assert refused(first) == "COMMITTED_INVENTORY_AT_LOCATION"
    level = variant.levels[second.number]
    level.reserved = 1
    assert refused(second) == "RESERVED_INVENTORY_AT_LOCATION"
    level.reserved = 0
    stop_stocking(world, variant, second)
    assert refused(second) == "FAILED_TO_UNSTOCK_FROM_LOCATION"
    variant.levels[first.number].committed = 0
    assert refused(first) == "CANNOT_DEACTIVATE_FROM_ONLY_LOCATION"
    settle(world)
    assert receiver.topics() == ["inventory_levels/disconnect"]


def test_an_order_is_routed_to_no_location_that_stocks_the_article_no_more(
    world: ShopifyWorld, client: Client, second: Location
) -> None:
    first, variant = next(iter(world.shop.locations.values())), world.variant("SKU-A")
    stop_stocking(world, variant, first)
    client.create_order()
    assert levels(client) == [(True, 2)]
    assert variant.levels[second.number].committed == 2


def test_staff_stop_and_begin_stocking_at_control_endpoints(
    world: ShopifyWorld, client: Client, second: Location
) -> None:
    given = {"sku": "SKU-A", "location": "Second"}
    assert client.post("/_sim/staff/unstock", given).json() == {"sku": "SKU-A", "available": 10}
    again = client.post("/_sim/staff/unstock", given)
    assert (again.status_code, again.json()["code"]) == (409, "FAILED_TO_UNSTOCK_FROM_LOCATION")
    assert client.post("/_sim/staff/stock", {**given, "location": second.gid}).status_code == 200
    assert levels(client) == [(True, 10), (True, 0)]

"""Order-editing apps as they are known (reference 13), bundles, and edits that meet each other."""

from collections.abc import Callable

import pytest

from interlock.simulator.shopify import ShopifyWorld
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import Order
from tests.simulator.shopify.conftest import Client, draft_order_of, settle

MakeWorld = Callable[..., ShopifyWorld]
COPIED = {
    "copied_note_attributes": "yes",
    "copied_line_properties": "yes",
    "copied_tags": "yes",
    "copied_source_identifier": "yes",
    "copied_note": "yes",
}
BARE = dict.fromkeys(COPIED, "no")


def units(order: Order) -> dict[str | None, int]:
    return {line.sku: line.current_quantity for line in order.lines if line.current_quantity}


def test_a_native_edit_by_an_app_leaves_its_tags_and_its_name_in_the_agreement(
    world: ShopifyWorld, client: Client
) -> None:
    order = draft_order_of(client)
    world.edit_natively(order, quantities=[("SKU-A", 1), ("SKU-B", 0)])
    assert {"orderediting", "orderediting:quantity", "orderediting:product_removed"} <= set(order.tags)
    last = order.agreements[-1]
    assert last.actor.app is not None
    assert (last.kind, last.actor.app.name) == ("ORDER_EDIT", "Order Editing")


def test_a_buyer_edits_through_the_app(world: ShopifyWorld, client: Client) -> None:
    order = draft_order_of(client)
    world.buyer_edits(order, add=[("SKU-B", 1)])
    assert "orderediting:product_added" in order.tags
    assert world.record.effects[-1].actor == "buyer"


def test_a_recreated_order_takes_the_next_letter_each_time(world: ShopifyWorld, client: Client) -> None:
    """Cleverific, advanced mode (reference 13): #1031, #1031A, #1031B."""
    order = draft_order_of(client)
    first = world.replace_order(order, lines=[("SKU-A", 1)])
    second = world.replace_order(first, lines=[("SKU-A", 3)])
    assert [first.name, second.name] == [f"{order.name}A", f"{order.name}B"]
    assert "Edit Order - Cancelled" in first.tags
    assert "Edit Order" in second.tags
    assert [item.cancelled_at is None for item in (order, first, second)] == [False, False, True]


@pytest.mark.parametrize("switched", [COPIED, BARE], ids=["everything", "nothing"])
def test_what_a_recreated_order_copies_is_a_switch_each(
    make_world: MakeWorld, switched: dict[str, str]
) -> None:
    """No app documents what it copies (reference 13, 17.8)."""
    world = make_world(switched=switched)
    client = Client(world)
    order = draft_order_of(client)
    order.note, order.source_identifier = "Ring twice", "M-1"
    copy = world.copy_order(order)
    whole = switched is COPIED
    assert dict(copy.attributes) == ({"mirakl_order_id": "M-1"} if whole else {})
    assert [dict(line.attributes) for line in copy.lines if line.sku == "SKU-A"] == [
        {"_mirakl_line_id": "L1"} if whole else {}
    ]
    assert ("mirakl" in copy.tags, copy.note, copy.source_identifier) == (
        (True, "Ring twice", "M-1") if whole else (False, None, None)
    )
    assert copy.metafields == {}


def test_a_copy_comes_first_and_its_original_is_cancelled_later_or_never(
    world: ShopifyWorld, client: Client
) -> None:
    """Editify and LionApps (reference 13): the app as maker is all that tells."""
    order = draft_order_of(client)
    copy = world.copy_order(order, lines=[("SKU-A", 1)], cancel_after=1800)
    assert (order.cancelled_at, copy.name.startswith(f"{order.name}A")) == (None, False)
    assert copy.app is not None
    assert copy.app.name == "Editify"
    settle(world)
    assert order.cancelled_at is not None
    other = draft_order_of(client)
    world.copy_order(other)
    settle(world)
    assert other.cancelled_at is None


def test_a_cancel_that_comes_too_late_is_told(world: ShopifyWorld, client: Client) -> None:
    """An app that finds its original cancelled, or with a parcel, can only leave both standing (reference 7.4)."""
    order = draft_order_of(client)
    world.copy_order(order, cancel_after=60)
    world.cancel_order(order)
    settle(world)
    [told] = [effect for effect in world.record.effects if effect.kind == "app_cancel_refused"]
    assert (told.order_id, told.actor) == (order.gid, "app:Editify")


def test_the_admins_duplicate_has_no_link_at_all(world: ShopifyWorld, client: Client) -> None:
    order = draft_order_of(client)
    made = world.duplicate_as_draft(order)
    assert made is not None
    assert (made.attributes, made.metafields, made.tags) == ([], {}, [])
    assert made.app is not world.main_app
    assert units(made) == units(order)


def test_a_merging_app_holds_what_it_made_of_two_orders(world: ShopifyWorld, client: Client) -> None:
    one, two = draft_order_of(client), draft_order_of(client)
    merged = world.merge_orders([one, two])
    assert units(merged) == {"SKU-A": 4, "SKU-B": 2}
    assert "om:edit-order-hold" in merged.tags
    (hold,) = merged.fulfillment_orders[0].holds
    assert hold.notes == "Order in edit window"
    assert one.cancelled_at is not None
    assert two.cancelled_at is not None


def test_a_splitting_app_takes_units_off_and_makes_an_order_of_them(
    world: ShopifyWorld, client: Client
) -> None:
    order = draft_order_of(client)
    made = world.split_order(order, [("SKU-A", 1)])
    assert (units(made), units(order)) == ({"SKU-A": 1}, {"SKU-A": 1, "SKU-B": 1})
    with pytest.raises(Refused):
        world.split_order(order, [("SKU-A", 2)])


def test_components_of_a_bundle_are_lines_of_one_group(world: ShopifyWorld, client: Client) -> None:
    """Reference 15.17."""
    order = draft_order_of(client)
    world.add_bundle(order, "Set", [("SKU-A", 1), ("SKU-B", 2)])
    found = client.data(
        "query($id: ID!) { order(id: $id) { lineItems(first: 9) { nodes { sku lineItemGroup { id title } } } } }",
        id=order.gid,
    )["order"]["lineItems"]["nodes"]
    groups = [None if line["lineItemGroup"] is None else line["lineItemGroup"]["title"] for line in found]
    assert groups == [None, None, "Set", "Set"]


def test_a_changed_shipping_price_is_an_edit_of_its_own(world: ShopifyWorld, client: Client) -> None:
    order = draft_order_of(
        client,
        shippingLine={"title": "Standard", "priceWithCurrency": {"amount": "4.00", "currencyCode": "CAD"}},
    )
    world.edit(order, shipping="9.00")
    assert format(order.shipping_total(), "f") == "9.00"
    assert order.agreements[-1].sales[0].line_type == "SHIPPING"


# Two edits at once (reference 7.2)


@pytest.mark.parametrize(("value", "committed"), [("merged", True), ("session_ended", False)])
def test_staff_save_while_the_apps_session_is_open(
    make_world: MakeWorld, value: str, committed: bool
) -> None:
    world = make_world(switched={"commit_on_edited_order": value})
    client = Client(world)
    order = draft_order_of(client)
    begun = client.data(
        "mutation($id: ID!) { orderEditBegin(id: $id) { calculatedOrder { id } userErrors { message } } }",
        id=order.gid,
    )["orderEditBegin"]["calculatedOrder"]["id"]
    client.data(
        "mutation($id: ID!, $line: ID!) { orderEditSetQuantity(id: $id, lineItemId: $line, quantity: 1) {"
        " userErrors { message } } }",
        id=begun,
        line=f"gid://shopify/CalculatedLineItem/{order.lines[0].number}",
    )
    world.set_quantity(order, "SKU-B", 0)
    answer = client.data(
        "mutation($id: ID!) { orderEditCommit(id: $id) { order { id } userErrors { message } } }", id=begun
    )["orderEditCommit"]
    assert (answer["userErrors"] == []) is committed
    assert units(order) == ({"SKU-A": 1} if committed else {"SKU-A": 2})


def test_an_open_session_blocks_others_only_while_it_lives(make_world: MakeWorld) -> None:
    world = make_world(switched={"second_edit_session": "refused", "edit_session_lifetime": "five_minutes"})
    order = draft_order_of(Client(world))
    world.begin_edit(order, actor=world.as_app(world.main_app))
    with pytest.raises(Refused):
        world.set_quantity(order, "SKU-A", 1)
    world.advance(301)
    world.set_quantity(order, "SKU-A", 1)
    assert units(order)["SKU-A"] == 1


@pytest.mark.parametrize(("value", "back"), [("yes", True), ("not_listed", False)])
def test_whether_a_removed_line_can_be_raised_again_is_a_switch(
    make_world: MakeWorld, value: str, back: bool
) -> None:
    world = make_world(switched={"removed_line_in_edit": value})
    order = draft_order_of(Client(world))
    world.remove_line(order, "SKU-A")
    if back:
        world.set_quantity(order, "SKU-A", 2)
        assert units(order) == {"SKU-A": 2, "SKU-B": 1}
    else:
        with pytest.raises(Refused):
            world.set_quantity(order, "SKU-A", 2)

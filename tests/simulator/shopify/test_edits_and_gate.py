"""Native edits, holds, fulfilments and refunds (reference 7, 8, 10, 11, 12)."""

from collections.abc import Callable
from dataclasses import astuple, replace

import pytest

from interlock.simulator.shopify import Refused, ShopifyWorld
from interlock.simulator.shopify.fulfillment import goes_astray
from tests.simulator.shopify.conftest import Client, draft_order_of

RELEASE = (
    "mutation($id: ID!, $ids: [ID!]) { fulfillmentOrderReleaseHold(id: $id, holdIds: $ids) {"
    " fulfillmentOrder { status } userErrors { field message code } } }"
)


def test_staff_and_foreign_apps_cannot_edit_an_order_made_by_order_create(client: Client) -> None:
    """Reference 1.1, 8."""
    order = client.world.order(client.create_order()["order"]["id"])
    with pytest.raises(Refused, match="cannot be edited"):
        client.world.set_quantity(order, "SKU-A", 1)
    with pytest.raises(Refused, match="cannot be edited"):
        client.world.edit_natively(order, quantities=[("SKU-A", 1)])


def test_its_own_app_edits_an_order_create_order_through_a_session(client: Client) -> None:
    """Reference 7.1, 8."""
    order = client.create_order()["order"]
    begun = client.data(
        "mutation($id: ID!) { orderEditBegin(id: $id) { calculatedOrder { id lineItems(first: 5)"
        " { nodes { id quantity } } } userErrors { message } } }",
        id=order["id"],
    )["orderEditBegin"]["calculatedOrder"]
    line = begun["lineItems"]["nodes"][0]["id"]
    assert line.rpartition("/")[2] == order["lineItems"]["nodes"][0]["id"].rpartition("/")[2]
    commit = "mutation($id: ID!) { orderEditCommit(id: $id) { successMessages userErrors { message } } }"
    assert client.data(commit, id=begun["id"])["orderEditCommit"]["userErrors"][0]["message"] == (
        "There must be at least one change to be made."
    )
    client.data(
        "mutation($id: ID!, $l: ID!) { orderEditSetQuantity(id: $id, lineItemId: $l, quantity: 1, restock: true)"
        " { userErrors { message } } }",
        id=begun["id"],
        l=line,
    )
    assert client.data(commit, id=begun["id"])["orderEditCommit"]["successMessages"] == ["Order updated"]
    assert client.world.order(order["id"]).lines[0].current_quantity == 1


def test_a_removal_keeps_the_line_and_its_quantity_and_writes_a_refund_without_money(client: Client) -> None:
    """Reference 1.5, 1.7, 7.3."""
    order = draft_order_of(client)
    client.world.remove_line(order, "SKU-A")
    line = order.lines[0]
    assert (line.quantity, line.current_quantity) == (2, 0)
    assert order.refunds[0].money == 0
    assert order.refunds[0].lines[0].restock_type == "CANCEL"
    assert order.outstanding < 0
    assert client.world.variant("SKU-A").available == 10
    agreement = order.agreements[-1]
    assert (agreement.kind, agreement.sales[0].quantity, agreement.actor.label) == ("ORDER_EDIT", -2, "staff")


@pytest.mark.parametrize(
    ("absorbs", "lands", "statuses"),
    [
        ("no", "new_fulfillment_order", ["ON_HOLD", "OPEN"]),
        ("no", "open_fulfillment_order", ["ON_HOLD", "OPEN"]),
        ("yes", "new_fulfillment_order", ["ON_HOLD"]),
    ],
)
def test_where_an_addition_to_a_held_order_lands_is_a_switch(
    make_world: Callable[..., ShopifyWorld], absorbs: str, lands: str, statuses: list[str]
) -> None:
    """Reference 1.9, 7.3, 17.4."""
    client = Client(make_world(switched={"held_absorbs_additions": absorbs, "edit_addition": lands}))
    order = draft_order_of(client)
    client.hold(order.fulfillment_orders[0].gid)
    client.world.set_quantity(order, "SKU-A", 3)
    assert [item.status for item in order.fulfillment_orders] == statuses
    assert sum(item.remaining for item in order.fulfillment_orders) == 4


def test_the_fulfillment_order_that_an_edit_empties_closes_then_and_no_later_edit_changes_that(
    make_world: Callable[..., ShopifyWorld],
) -> None:
    """Reference 7.3."""
    client = Client(make_world(switched={"held_absorbs_additions": "no"}))
    order = draft_order_of(client)
    client.hold(order.fulfillment_orders[0].gid)
    client.world.set_quantity(order, "SKU-A", 3)
    first, added = order.fulfillment_orders
    assert (first.closed_at, added.closed_at) == (None, None)
    client.world.set_quantity(order, "SKU-A", 2)
    emptied = added.closed_at
    assert (added.open, added.remaining, first.closed_at) == (False, 0, None)
    assert emptied is not None
    assert emptied <= client.world.clock.now()
    client.world.clock.advance(60)
    client.world.set_quantity(order, "SKU-A", 1)
    assert (first.open, added.closed_at) == (True, emptied)


def test_a_repeated_hold_with_the_same_handle_is_refused_with_its_code(client: Client) -> None:
    """Reference 1.11, 10.2."""
    order = draft_order_of(client)
    gid = order.fulfillment_orders[0].gid
    assert client.hold(gid)["fulfillmentOrder"]["status"] == "ON_HOLD"
    assert client.hold(gid)["userErrors"][0]["code"] == "DUPLICATE_FULFILLMENT_HOLD_HANDLE"


def test_an_app_has_ten_holds_on_a_fulfillment_order(client: Client) -> None:
    """Reference 1.11, 10.1."""
    gid = draft_order_of(client).fulfillment_orders[0].gid
    codes = [client.hold(gid, f"h{index}")["userErrors"] for index in range(11)]
    assert codes[:10] == [[]] * 10
    assert codes[10][0]["code"] == "FULFILLMENT_ORDER_HOLD_LIMIT_REACHED"


def test_releasing_without_ids_releases_everybodys_holds(client: Client) -> None:
    """Reference 1.10, 10.3."""
    order = draft_order_of(client)
    target = order.fulfillment_orders[0]
    client.world.place_hold(target, actor=client.world.as_app(client.world.editing_app()))
    ours = client.hold(target.gid)["fulfillmentHold"]["id"]
    released = client.data(RELEASE, id=target.gid, ids=[ours])["fulfillmentOrderReleaseHold"]
    assert released["fulfillmentOrder"]["status"] == "ON_HOLD"
    client.hold(target.gid)
    released = client.data(RELEASE, id=target.gid)["fulfillmentOrderReleaseHold"]
    assert released["fulfillmentOrder"]["status"] == "OPEN"


def test_a_picker_takes_what_nobody_holds_and_is_refused_what_is_held(client: Client) -> None:
    """Reference 10.4."""
    order = draft_order_of(client)
    target = order.fulfillment_orders[0]
    client.hold(target.gid)
    assert client.world.pick(order) is None
    with pytest.raises(Refused, match="unfulfillable status= on_hold"):
        client.world.fulfill(target)
    client.world.release_holds(order)
    shipment = client.world.pick(order)
    assert shipment is not None
    assert shipment.display_status == "LABEL_PRINTED"
    assert order.fulfillment_status == "FULFILLED"


def test_a_cancelled_fulfillment_reopens_its_units_in_a_new_fulfillment_order(client: Client) -> None:
    """Reference 11."""
    order = draft_order_of(client)
    shipment = client.world.pick(order)
    assert shipment is not None
    client.world.cancel_fulfillment(shipment)
    assert [item.status for item in order.fulfillment_orders] == ["CLOSED", "OPEN"]
    assert order.lines[0].unfulfilled_quantity == 2


def test_shipped_units_cannot_be_edited_away(client: Client) -> None:
    """Reference 7.2."""
    order = draft_order_of(client)
    client.world.pick(order)
    with pytest.raises(Refused, match="fulfilled quantity"):
        client.world.set_quantity(order, "SKU-A", 0)


def test_a_refund_needs_an_idempotency_key_and_repeats_its_result(client: Client) -> None:
    """Reference 1.18, 4.5, 12."""
    order = draft_order_of(client)
    given = {
        "orderId": order.gid,
        "transactions": [
            {
                "orderId": order.gid,
                "parentId": order.transactions[0].gid,
                "kind": "REFUND",
                "gateway": "x",
                "amount": "5.00",
            }
        ],
    }
    bare = client.ask("mutation($i: RefundInput!) { refundCreate(input: $i) { refund { id } } }", i=given)
    assert bare["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    keyed = (
        "mutation($i: RefundInput!, $k: String!) { refundCreate(input: $i) @idempotent(key: $k)"
        " { refund { id } userErrors { message } } }"
    )
    first = client.data(keyed, i=given, k="key-1")["refundCreate"]["refund"]["id"]
    again = client.data(keyed, i=given, k="key-1")["refundCreate"]["refund"]["id"]
    assert first == again
    assert len(order.refunds) == 1
    assert order.financial_status == "PARTIALLY_REFUNDED"


def test_no_more_money_goes_back_than_was_received(client: Client) -> None:
    """Reference 12."""
    with pytest.raises(Refused, match="greater than net payment received"):
        client.world.refund(draft_order_of(client), money="999.00")


def test_an_editing_app_that_recreates_leaves_its_marks_and_no_link(client: Client) -> None:
    """Reference 1.8, 13."""
    original = draft_order_of(client)
    made = client.world.replace_order(original, lines=[("SKU-A", 1)])
    assert made.name == f"{original.name}A"
    assert "Edit Order" in made.tags
    assert "Edit Order - Cancelled" in original.tags
    assert original.cancelled_at is not None
    assert made.attributes == []


def test_an_address_change_is_no_edit(client: Client) -> None:
    """Reference 8."""
    order = draft_order_of(client)
    address = client.world.change_address(order)
    assert order.edited is False
    assert (address.last_name or "").startswith("CANARY-")
    destination = order.fulfillment_orders[0].destination
    assert destination is not None
    assert destination.zip == address.zip


def test_another_telephone_number_is_no_edit_and_no_other_place(client: Client) -> None:
    """Reference 8: the number is a member of the shipping address (orderUpdate, MailingAddressInput.phone)."""
    order = draft_order_of(client)
    before = order.shipping_address
    assert before is not None
    changed = client.world.change_telephone(order, "+49 30 1")
    assert astuple(changed) == astuple(replace(before, phone="+49 30 1"))
    assert order.edited is False
    assert not any(goes_astray(parcel) for parcel in order.fulfillment_orders)
    (effect,) = [e for e in client.world.record.effects if e.kind == "telephone_changed"]
    assert effect.detail == {"was": before.phone or "", "now": "+49 30 1"}


def test_a_parcel_whose_destination_is_not_the_orders_address_goes_astray(world: ShopifyWorld) -> None:
    """Reference 15.16: a fulfilment order's destination is a snapshot of its own."""
    world.switches.set("address_change_reaches_fulfillment_orders", "never")
    order = draft_order_of(Client(world))
    (parcel,) = order.fulfillment_orders
    assert not goes_astray(parcel)
    world.change_address(order)
    assert goes_astray(parcel)
    parcel.destination = None
    assert goes_astray(parcel)
    for item in parcel.lines:
        item.line.requires_shipping = False
    assert not goes_astray(parcel)


def test_a_parcel_for_the_same_place_without_its_province_goes_not_astray(world: ShopifyWorld) -> None:
    """Street, postcode, city and country name the place; either side may lack the province."""
    order = draft_order_of(Client(world))
    (parcel,) = order.fulfillment_orders
    assert parcel.destination is not None
    parcel.destination = replace(parcel.destination, province="Ontario", province_code="ON")
    assert not goes_astray(parcel)
    parcel.destination = replace(parcel.destination, zip="M5H 2M8")
    assert goes_astray(parcel)


CUSTOMER = "query($id: ID!) { order(id: $id) { id customer { defaultEmailAddress { marketingState } } } }"


def test_consent_is_the_customers_and_leaves_the_order_as_it_was(world: ShopifyWorld) -> None:
    """Reference 5.1: an e-mail address alone makes a customer, whose consent is set elsewhere."""
    order = draft_order_of(Client(world))
    assert Client(world).data(CUSTOMER, id=order.gid)["order"]["customer"] is None
    world.set_email(order, "one@relay.example")
    seen = order.updated_at
    world.set_consent(order)
    answer = Client(world).data(CUSTOMER, id=order.gid)
    assert answer["order"]["customer"]["defaultEmailAddress"]["marketingState"] == "SUBSCRIBED"
    assert order.updated_at == seen
    world.set_email(order, None)
    with pytest.raises(ValueError, match="no e-mail address"):
        world.set_consent(order)


def test_a_customer_needs_a_scope_of_its_own(world: ShopifyWorld) -> None:
    """Reference 2.2 and 1.17: the rest of the order is answered beside the error."""
    order = draft_order_of(Client(world))
    world.set_email(order, "one@relay.example")
    poor = world.add_app("Poor", scopes=("read_orders",))
    world.install(poor)
    document = Client(world, poor).ask(CUSTOMER, id=order.gid)
    assert document["data"]["order"] == {"id": order.gid, "customer": None}
    assert document["errors"][0]["path"] == ["order", "customer"]
    assert "read_customers" in document["errors"][0]["message"]


def test_a_missing_scope_hides_fulfillment_orders_silently(world: ShopifyWorld) -> None:
    """Reference 1.13."""
    order = draft_order_of(Client(world))
    poor = world.add_app("Poor", scopes=("read_orders",))
    world.install(poor)
    query = "query($id: ID!) { order(id: $id) { fulfillmentOrders(first: 5) { nodes { id } } } }"
    assert Client(world, poor).data(query, id=order.gid)["order"]["fulfillmentOrders"]["nodes"] == []
    assert len(Client(world).data(query, id=order.gid)["order"]["fulfillmentOrders"]["nodes"]) == 1

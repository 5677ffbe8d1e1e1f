"""Creating orders by both routes (reference 5)."""

from collections.abc import Callable

import pytest

from interlock.simulator.shopify import Refused, ShopifyWorld
from tests.simulator.shopify.conftest import Client, draft_order_of, settle

MARKER = {"namespace": "$app", "key": "mirakl_order_id", "type": "id"}
DEFINE = (
    "mutation($d: MetafieldDefinitionInput!) { metafieldDefinitionCreate(definition: $d) {"
    " createdDefinition { id namespace } userErrors { field message code } } }"
)
FIND = (
    "query($v: String!) { orderByIdentifier(identifier: {customId:"
    ' {namespace: "$app", key: "mirakl_order_id", value: $v}}) { id } }'
)


def define_marker(client: Client) -> None:
    definition = {
        "ownerType": "ORDER",
        "namespace": "$app",
        "key": "mirakl_order_id",
        "type": "id",
        "name": "M",
    }
    client.data(DEFINE, d=definition)


def test_an_order_claims_no_stock_unless_asked(client: Client) -> None:
    """Reference 1.3: inventoryBehaviour defaults to BYPASS."""
    client.create_order(options={})
    assert client.world.variant("SKU-A").available == 10


def test_claiming_obeying_policy_fails_when_stock_is_short_and_makes_no_order(client: Client) -> None:
    """Reference 5.1: INVENTORY_CLAIM_FAILED."""
    variant = client.world.variant("SKU-A")
    client.world.set_stock(variant, 1, next(iter(client.world.shop.locations.values())))
    payload = client.create_order()
    assert payload["order"] is None
    assert payload["userErrors"][0]["code"] == "INVENTORY_CLAIM_FAILED"
    assert not client.world.shop.orders


@pytest.mark.parametrize(("value", "ships"), [("false", False), ("variant", True)])
def test_an_omitted_requires_shipping_follows_the_switch(
    make_world: Callable[..., ShopifyWorld], value: str, ships: bool
) -> None:
    """Reference 5.1: [?] schema default or the variant's value."""
    client = Client(make_world(switched={"omitted_requires_shipping": value}))
    line = {"variantId": client.world.variant("SKU-A").gid, "quantity": 1}
    order = client.create_order(lineItems=[line])["order"]
    assert order["lineItems"]["nodes"][0]["requiresShipping"] is ships


def test_the_same_creation_sent_twice_makes_two_orders_of_one_name(client: Client) -> None:
    """Reference 1.2, 5.1: no idempotency, duplicate names accepted."""
    names = [client.create_order(name="M-1", sourceIdentifier="M-1")["order"]["name"] for _ in range(2)]
    assert names == ["M-1", "M-1"]
    assert len(client.world.shop.orders) == 2


def test_a_development_store_takes_five_orders_a_minute(make_world: Callable[..., ShopifyWorld]) -> None:
    """Reference 1.19, 5.1."""
    client = Client(make_world(plan="development"))
    line = [{"title": "Thing", "quantity": 1}]
    errors = [client.create_order(lineItems=line)["userErrors"] for _ in range(6)]
    assert errors[:5] == [[]] * 5
    assert errors[5][0]["message"] == "Too many attempts. Please try again later."
    client.world.advance(61)
    assert client.create_order(lineItems=line)["userErrors"] == []


@pytest.mark.parametrize(
    ("value", "orders"), [("refused_whole", 1), ("order_left_behind", 2), ("dropped_silently", 2)]
)
def test_a_taken_id_metafield_in_order_create_follows_the_switch(
    make_world: Callable[..., ShopifyWorld], value: str, orders: int
) -> None:
    """Reference 5.5, 17.2."""
    client = Client(make_world(switched={"duplicate_marker_in_order_create": value}))
    define_marker(client)
    marker = [{**MARKER, "value": "mkt:1"}]
    first = client.create_order(metafields=marker)["order"]
    second = client.create_order(metafields=marker)
    assert len(client.world.shop.orders) == orders
    assert bool(second["userErrors"]) is (value != "dropped_silently")
    assert client.data(FIND, v="mkt:1")["orderByIdentifier"]["id"] == first["id"]


def test_a_completed_draft_is_paid_claims_stock_and_copies_tags_and_attributes(client: Client) -> None:
    """Reference 5.4."""
    order = draft_order_of(client)
    assert order.financial_status == "PAID"
    assert order.transactions[0].gateway == "manual"
    assert order.tags == ["mirakl"]
    assert order.attributes == [("mirakl_order_id", "M-1")]
    assert order.lines[0].attributes == [("_mirakl_line_id", "L1")]
    assert client.world.variant("SKU-A").available == 8


def test_completing_a_draft_twice_gives_the_same_order_and_says_so(client: Client) -> None:
    """Reference 5.4: completion is idempotent."""
    draft = client.create_draft()["draftOrder"]["id"]
    first = client.complete(draft)
    second = client.complete(draft)
    assert second["draftOrder"]["order"]["id"] == first["draftOrder"]["order"]["id"]
    assert second["userErrors"][0]["message"] == "This order has been paid"
    assert len(client.world.shop.orders) == 1


def test_a_draft_ignores_a_given_title_and_price_but_takes_a_price_override(client: Client) -> None:
    """Reference 5.4: catalogue values win."""
    line = {
        "variantId": client.world.variant("SKU-A").gid,
        "quantity": 1,
        "title": "Mine",
        "originalUnitPriceWithCurrency": {"amount": "1.00", "currencyCode": "CAD"},
    }
    assert (
        client.create_draft(lineItems=[line])["draftOrder"]["totalPriceSet"]["shopMoney"]["amount"] == "24.5"
    )
    priced = {**line, "priceOverride": {"amount": "3.99", "currencyCode": "CAD"}}
    assert (
        client.create_draft(lineItems=[priced])["draftOrder"]["totalPriceSet"]["shopMoney"]["amount"]
        == "3.99"
    )


def test_the_platform_taxes_a_draft_that_is_not_exempt(client: Client) -> None:
    """Reference 5.4: Shopify computes taxes."""
    order = draft_order_of(client, taxExempt=False)
    assert str(order.tax_total(current=True)) == "7.02"


def test_a_reservation_takes_stock_until_it_expires(client: Client) -> None:
    """Reference 5.4, 14.1."""
    client.create_draft(reserveInventoryUntil="2026-11-02T09:00:00Z")
    assert client.world.variant("SKU-A").available == 8
    settle(client.world, 2 * 3600)
    assert client.world.variant("SKU-A").available == 10


def test_a_reservation_becomes_the_commitment_of_the_completed_order(client: Client) -> None:
    order = draft_order_of(client, reserveInventoryUntil="2026-11-02T09:00:00Z")
    level = next(iter(client.world.variant("SKU-A").levels.values()))
    assert (level.available, level.reserved, level.committed) == (8, 0, 2)
    assert order.number in client.world.shop.orders


def test_deleting_a_draft_gives_its_reservation_back(client: Client) -> None:
    draft = client.create_draft(reserveInventoryUntil="2026-11-02T09:00:00Z")["draftOrder"]["id"]
    client.data(
        "mutation($i: DraftOrderDeleteInput!) { draftOrderDelete(input: $i) { deletedId } }", i={"id": draft}
    )
    assert client.world.variant("SKU-A").available == 10


@pytest.mark.parametrize(("value", "copied"), [("yes", True), ("no", False)])
def test_whether_draft_metafields_are_copied_is_a_switch(
    make_world: Callable[..., ShopifyWorld], value: str, copied: bool
) -> None:
    """Reference 5.4, 17.16."""
    client = Client(make_world(switched={"draft_metafields_copied": value}))
    field = {"namespace": "custom", "key": "x", "type": "single_line_text_field", "value": "1"}
    order = draft_order_of(client, metafields=[field])
    assert bool(order.metafields) is copied


def test_search_lags_behind_creation_while_reading_by_id_does_not(
    make_world: Callable[..., ShopifyWorld],
) -> None:
    """Reference 5.1, 15.1."""
    client = Client(make_world(switched={"index_lag": "minutes"}))
    order = client.create_order(sourceIdentifier="M-1")["order"]["id"]
    search = (
        "query($q: String, $id: ID!) { orders(first: 5, query: $q) { nodes { id } } order(id: $id) { id } }"
    )
    found = client.data(search, id=order, q="source_identifier:'M-1'")
    assert found["order"]["id"] == order
    assert found["orders"]["nodes"] == []
    client.world.advance(601)
    assert client.data(search, id=order, q="source_identifier:'M-1'")["orders"]["nodes"] == [{"id": order}]


def test_an_unknown_filter_is_ignored_with_a_warning_and_returns_everything(client: Client) -> None:
    """Reference 1.16, 4.4."""
    client.create_order()
    document = client.ask("{ orders(first: 5, query: \"source_identifer:'nothing'\") { nodes { id } } }")
    assert len(document["data"]["orders"]["nodes"]) == 1
    assert document["extensions"]["search"][0]["warnings"][0]["code"] == "invalid_field"


def test_search_is_tokenised_so_a_longer_number_is_found_too(client: Client) -> None:
    """Reference 5.5: compare the returned field exactly."""
    client.create_order(sourceIdentifier="12345-A-1")
    found = client.data("{ orders(first: 5, query: \"source_identifier:'12345-a'\") { nodes { id } } }")
    assert len(found["orders"]["nodes"]) == 1


def test_pages_by_update_time_continue_where_they_ended(client: Client) -> None:
    """Reference 15.10."""
    for _ in range(5):
        client.create_order(options={})
    query = (
        "query($a: String) { orders(first: 2, sortKey: UPDATED_AT, after: $a) { nodes { id }"
        " pageInfo { hasNextPage endCursor } } }"
    )
    seen: list[str] = []
    after = None
    while True:
        found = client.data(query, a=after)["orders"]
        seen += [node["id"] for node in found["nodes"]]
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    assert len(seen) == len(set(seen)) == 5


def test_cancelling_is_a_job_that_archives_closes_and_restocks(client: Client) -> None:
    """Reference 7.4, 15.21."""
    order = draft_order_of(client)
    client.data(
        "mutation($id: ID!) { orderCancel(orderId: $id, reason: OTHER, restock: true, refund: true) {"
        " job { id done } orderCancelUserErrors { message code } } }",
        id=order.gid,
    )
    assert client.world.order(order.gid).fulfillment_orders[0].status == "OPEN"
    settle(client.world)
    assert order.cancelled_at is not None
    assert order.closed_at == order.cancelled_at
    assert [item.status for item in order.fulfillment_orders] == ["CLOSED"]
    assert [line.current_quantity for line in order.lines] == [0, 0]
    assert client.world.variant("SKU-A").available == 10
    assert str(order.refunds[0].money) == "54.00"
    with pytest.raises(Refused, match="already been canceled"):
        client.world.cancel_order(order)


def test_a_deleted_order_is_shown_no_more_and_told_of_by_its_id_alone(client: Client) -> None:
    """Reference 6.4, 9.4: `order(id:)` gives null then."""
    order = draft_order_of(client)
    with pytest.raises(Refused, match="cancelled or archived"):
        client.world.delete_order(order)
    client.world.cancel_order(order)
    client.world.delete_order(order)
    assert client.data("query($id: ID!) { order(id: $id) { id } }", id=order.gid)["order"] is None
    assert client.data('{ orders(first: 5, query: "") { nodes { id } } }')["orders"]["nodes"] == []
    assert [e.kind for e in client.world.record.effects if e.order_id == order.gid][-1] == "deleted"
    with pytest.raises(Refused, match="was deleted"):
        client.world.archive(order)


def test_nothing_leaves_of_an_order_that_was_deleted(client: Client) -> None:
    """Its label may have been under way."""
    order = draft_order_of(client)
    (parcel,) = order.fulfillment_orders
    client.world.buy_label(parcel, blind_seconds=60.0)
    client.world.archive(order)
    client.world.delete_order(order)
    settle(client.world)

    assert order.fulfillments == []
    for leave in (client.world.fulfill, client.world.buy_label):
        with pytest.raises(Refused, match="was deleted"):
            leave(parcel)


def test_marking_a_pending_order_as_paid_pays_what_is_outstanding(client: Client) -> None:
    order = client.create_order(financialStatus="PENDING", transactions=[])["order"]["id"]
    mark = "mutation($i: OrderMarkAsPaidInput!) { orderMarkAsPaid(input: $i) { order { displayFinancialStatus } userErrors { message } } }"
    assert client.data(mark, i={"id": order})["orderMarkAsPaid"]["order"]["displayFinancialStatus"] == "PAID"
    assert client.data(mark, i={"id": order})["orderMarkAsPaid"]["userErrors"]


def test_a_metafield_is_written_only_while_its_digest_is_current(client: Client) -> None:
    """Reference 16.7: compareDigest as an optimistic lock."""
    define_marker(client)
    order = client.create_order()["order"]["id"]
    write = (
        "mutation($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) {"
        " metafields { compareDigest } userErrors { code } } }"
    )
    field = {"ownerId": order, "namespace": "$app", "key": "mirakl_order_id", "type": "id"}
    first = client.data(write, m=[{**field, "value": "a", "compareDigest": None}])["metafieldsSet"]
    digest = first["metafields"][0]["compareDigest"]
    stale = client.data(write, m=[{**field, "value": "b", "compareDigest": None}])["metafieldsSet"]
    assert stale["userErrors"][0]["code"] == "STALE_OBJECT"
    good = client.data(write, m=[{**field, "value": "b", "compareDigest": digest}])["metafieldsSet"]
    assert good["userErrors"] == []

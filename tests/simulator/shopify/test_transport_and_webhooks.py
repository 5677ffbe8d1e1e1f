"""Tokens, costs, errors, faults and deliveries (reference 2, 4, 9)."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta

import httpx2
import pytest

from interlock.simulator.faults import ArmedFaults, Fault
from interlock.simulator.shopify import ShopifyWorld, WebhookWeather
from interlock.simulator.shopify.costs import size_factor
from tests.simulator.shopify.conftest import Client, Receiver, draft_order_of, settle

SUBSCRIBE = (
    "mutation($t: WebhookSubscriptionTopic!, $s: WebhookSubscriptionInput!) { webhookSubscriptionCreate("
    "topic: $t, webhookSubscription: $s) { webhookSubscription { id topic } userErrors { field message } } }"
)
URI = "https://hooks.example/shopify"


def subscribe(client: Client, *topics: str) -> None:
    for topic in topics:
        client.data(SUBSCRIBE, t=topic, s={"uri": URI})


def grant(client: Client, secret: str) -> httpx2.Response:
    body = {"client_id": client.app.client_id, "client_secret": secret, "grant_type": "client_credentials"}
    return client.post("/admin/oauth/access_token", body)


def test_client_credentials_give_a_token_that_expires(client: Client) -> None:
    """Reference 2.1."""
    answer = grant(client, client.app.secrets[0])
    assert answer.json()["expires_in"] == 86399
    client.token = answer.json()["access_token"]
    assert client.data("{ shop { myshopifyDomain } }")["shop"]["myshopifyDomain"] == client.world.shop.domain
    client.world.advance(86400)
    path = "/admin/api/2026-10/graphql.json"
    refused = client.post(path, {"query": "{ shop { id } }"}, {"X-Shopify-Access-Token": client.token})
    assert refused.status_code == 401
    assert isinstance(refused.json()["errors"], str)


def test_a_wrong_secret_is_an_invalid_client(client: Client) -> None:
    """Reference 2.1."""
    answer = grant(client, "wrong")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_what_is_not_modelled_reads_like_a_field_that_is_not_there(client: Client) -> None:
    """Reference 4.4: undefinedField."""
    error = client.ask('{ order(id: "gid://shopify/Order/1") { riskLevel } }')["errors"][0]
    assert error["message"] == "Field 'riskLevel' doesn't exist on type 'Order'"
    assert error["extensions"]["code"] == "undefinedField"


def test_a_foreign_kind_of_id_is_an_error_and_a_missing_order_is_null(client: Client) -> None:
    """Reference 4.4, 6.4."""
    assert client.data('{ order(id: "gid://shopify/Order/1") { id } }')["order"] is None
    error = client.ask('{ order(id: "gid://shopify/Product/1") { id } }')["errors"][0]
    assert error["extensions"]["code"] == "RESOURCE_NOT_FOUND"


def test_a_missing_scope_on_a_nested_field_leaves_the_rest_of_the_data(client: Client) -> None:
    """Reference 1.17, 2.2: heldByApp needs read_apps."""
    order = draft_order_of(client)
    document = client.ask(
        'mutation($id: ID!) { fulfillmentOrderHold(id: $id, fulfillmentHold: {reason: OTHER, handle: "h"}) {'
        " fulfillmentHold { id heldByApp { id } } userErrors { message } } }",
        id=order.fulfillment_orders[0].gid,
    )
    assert document["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert document["data"]["fulfillmentOrderHold"]["fulfillmentHold"]["id"]
    assert order.fulfillment_orders[0].status == "ON_HOLD"


def test_an_empty_bucket_throttles_with_http_200_and_refills(client: Client) -> None:
    """Reference 4.1."""
    bucket = client.world.bucket(client.world.shop, client.app)
    bucket.available = 0
    document = client.ask("{ orders(first: 250) { nodes { id } } }")
    assert document["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert document["extensions"]["cost"]["requestedQueryCost"] == 13
    client.world.advance(1)
    assert "errors" not in client.ask("{ orders(first: 250) { nodes { id } } }")


def test_page_sizes_cost_what_was_recorded() -> None:
    """Reference 4.2; 25 is the size of the history query of 16.3, which is said to cost 124 points."""
    sizes = (1, 5, 10, 20, 25, 50, 100, 200, 250)
    assert [size_factor(size) for size in sizes] == [1, 3, 4, 5, 6, 7, 9, 10, 11]


def test_a_query_above_a_thousand_points_is_refused(client: Client) -> None:
    """Reference 4.1: MAX_COST_EXCEEDED."""
    text = (
        "{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { id variant { id } } }"
        " fulfillmentOrders(first: 250) { nodes { lineItems(first: 250) { nodes { id } } } } } } }"
    )
    assert client.ask(text)["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


def test_a_lost_reply_was_still_applied_and_is_in_the_call_log(
    make_world: Callable[..., ShopifyWorld],
) -> None:
    faults = ArmedFaults()
    client = Client(make_world(faults=faults))
    client.headers = {"X-Client-Reference": "op-1"}
    faults.arm("draftOrderCreate", Fault("reply_lost"))
    with pytest.raises(httpx2.ReadError):
        client.create_draft()
    assert len(client.world.shop.drafts) == 1
    call = client.world.record.calls[-1]
    assert (call.operation, call.reference, call.fault) == ("draftOrderCreate", "op-1", "reply_lost")
    assert client.world.record.effects[-1].reference == "op-1"


def test_a_call_that_came_late_says_when_it_was_sent(make_world: Callable[..., ShopifyWorld]) -> None:
    faults = ArmedFaults()
    client = Client(make_world(faults=faults))
    client.create_draft()
    undisturbed = client.world.record.calls[-1]
    assert undisturbed.sent_at == undisturbed.at
    faults.arm("draftOrderCreate", Fault("slow", 0.05))
    client.create_draft()
    call = client.world.record.calls[-1]
    assert (call.fault, call.at - call.sent_at) == ("slow", timedelta(seconds=0.05))


def test_a_delivery_is_signed_over_its_raw_body_with_the_oldest_secret(
    client: Client, receiver: Receiver
) -> None:
    """Reference 2.1, 9.1."""
    subscribe(client, "ORDERS_EDITED")
    oldest = client.app.secrets[0]
    client.world.add_secret(client.app)
    order = draft_order_of(client)
    client.world.set_quantity(order, "SKU-A", 1)
    settle(client.world)
    url, headers, body = receiver.got[0]
    assert url == URI
    expected = base64.b64encode(hmac.new(oldest.encode(), body, hashlib.sha256).digest()).decode()
    assert headers["X-Shopify-Hmac-Sha256"] == expected
    edit = json.loads(body)["order_edit"]
    assert edit["line_items"] == {"additions": [], "removals": [{"id": order.lines[0].number, "delta": 1}]}
    assert edit["user_id"] == client.world.shop.staff[0].number


def test_one_removal_announces_edit_update_and_refund_in_one_event(
    client: Client, receiver: Receiver
) -> None:
    """Reference 9.1, 15.3."""
    order = draft_order_of(client)
    subscribe(client, "ORDERS_EDITED", "ORDERS_UPDATED", "REFUNDS_CREATE")
    client.world.remove_line(order, "SKU-A")
    settle(client.world)
    assert sorted(receiver.topics()) == ["orders/edited", "orders/updated", "refunds/create"]
    assert len({headers["X-Shopify-Event-Id"] for _, headers, _ in receiver.got}) == 1
    assert len({headers["X-Shopify-Webhook-Id"] for _, headers, _ in receiver.got}) == 3


def test_eight_failed_retries_remove_the_subscription(client: Client, receiver: Receiver) -> None:
    """Reference 9.1: eight retries over four hours with the original payload."""
    subscribe(client, "ORDERS_CREATE")
    receiver.status = 500
    draft_order_of(client)
    settle(client.world, 5 * 3600)
    assert len(receiver.got) == 9
    assert len({body for _, _, body in receiver.got}) == 1
    assert client.world.shop.subscriptions == {}
    assert any(effect.kind == "subscription_removed" for effect in client.world.record.effects)


def test_lost_and_repeated_deliveries_follow_the_weather(
    make_world: Callable[..., ShopifyWorld], receiver: Receiver
) -> None:
    lossy = Client(make_world(weather=WebhookWeather(lost=1.0)))
    subscribe(lossy, "ORDERS_CREATE")
    draft_order_of(lossy)
    settle(lossy.world)
    assert receiver.got == []
    repeating = Client(make_world(weather=WebhookWeather(repeated=1.0)))
    subscribe(repeating, "ORDERS_CREATE")
    draft_order_of(repeating)
    settle(repeating.world)
    assert len(receiver.got) == 2
    assert receiver.got[0][1]["X-Shopify-Webhook-Id"] == receiver.got[1][1]["X-Shopify-Webhook-Id"]


def test_the_same_address_for_a_topic_is_taken(client: Client) -> None:
    """Reference 9.2."""
    subscribe(client, "ORDERS_CREATE")
    again = client.data(SUBSCRIBE, t="ORDERS_CREATE", s={"uri": URI})["webhookSubscriptionCreate"]
    assert again["userErrors"][0]["message"] == "Address for this topic has already been taken"


def test_routing_may_come_after_creation(make_world: Callable[..., ShopifyWorld]) -> None:
    """Reference 5.1, 17.3."""
    client = Client(make_world(switched={"routing": "after_minutes"}))
    order = draft_order_of(client)
    assert order.fulfillment_orders == []
    settle(client.world)
    assert len(order.fulfillment_orders) == 1


def test_the_control_endpoints_let_staff_edit_and_show_the_order(client: Client) -> None:
    order = draft_order_of(client)
    answer = client.post(
        "/_sim/staff/edit", {"order": order.name, "quantities": [{"line": "SKU-A", "quantity": 1}]}
    )
    assert answer.json()["lines"][0]["current_quantity"] == 1
    refused = client.post("/_sim/staff/edit", {"order": order.name})
    assert (refused.status_code, refused.json()["refused"]) == (
        409,
        "There must be at least one change to be made.",
    )


def test_while_it_runs_a_world_delivers_by_itself(
    make_world: Callable[..., ShopifyWorld], receiver: Receiver
) -> None:
    """Reference 9.1: deliveries are side by side; one that hangs does not delay another."""
    world = make_world(weather=WebhookWeather(delay_mean=0.0))
    client = Client(world)
    subscribe(client, "ORDERS_CREATE", "ORDERS_PAID")
    draft_order_of(client)

    async def live() -> None:
        running = asyncio.ensure_future(world.run())
        for _ in range(5):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(live())
    assert sorted(receiver.topics()) == ["orders/create", "orders/paid"]


def test_the_same_seed_gives_the_same_world(make_world: Callable[..., ShopifyWorld]) -> None:
    def history() -> list[str]:
        client = Client(make_world(seed=11))
        order = draft_order_of(client)
        client.world.set_quantity(order, "SKU-A", 1)
        settle(client.world)
        return [repr(effect) for effect in client.world.record.effects]

    assert history() == history()

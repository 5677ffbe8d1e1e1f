"""The connection: tokens, budgets, versions, and what broken answers mean."""

import asyncio
from typing import Any

import httpx2
import pytest

from interlock.orders.actions import Lane
from interlock.orders.outcomes import Refused, Unavailable, Unknown
from interlock.shopify.account import ShopAddressRefused, ShopifyShop
from interlock.shopify.classify import CallFailed
from interlock.shopify.client import MAX_ANSWER_BYTES, CostBucket, ShopifyClient
from interlock.shopify.read import order_state
from tests.shopify.orders import NOW
from tests.shopify.shop import Shop, data

ID = "gid://shopify/Order/9"
STATE = data(
    order={"id": ID, "name": "#1", "cancelledAt": None, "fullyPaid": True, "displayFinancialStatus": "PAID"}
)


def outcome_of(shop: Shop) -> Any:
    with pytest.raises(CallFailed) as raised:
        asyncio.run(order_state(shop.client(), ID))
    assert "shpss_secret" not in str(raised.value)
    return raised.value.outcome


@pytest.mark.parametrize(
    ("domain", "base", "loopback"),
    [
        ("demo.example.com", "https://demo.example.com", False),
        ("Demo.myshopify.com", "https://Demo.myshopify.com", False),
        ("demo.myshopify.com.evil.org", "https://demo.myshopify.com.evil.org", False),
        ("demo.myshopify.com", "https://other.myshopify.com", False),
        ("demo.myshopify.com", "http://demo.myshopify.com", True),
        ("demo.myshopify.com", "http://127.0.0.1:8000", False),
        ("demo.myshopify.com", "http://10.0.0.1:8000", True),
        ("demo.myshopify.com", "https://x:y@demo.myshopify.com", False),
        ("demo.myshopify.com", "https://demo.myshopify.com/elsewhere", False),
        ("demo.myshopify.com", "https://demo.myshopify.com:8443", False),
    ],
)
def test_credentials_go_to_the_shops_own_host_only(domain: str, base: str, loopback: bool) -> None:
    with pytest.raises(ShopAddressRefused, match="No credential was sent"):
        ShopifyShop(domain, base, "app", "shpss_secret", loopback)


def test_a_simulator_on_this_machine_may_be_reached_when_switched_on() -> None:
    for base in ("http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"):
        assert ShopifyShop("demo.myshopify.com", base, "app", "shpss_secret", True).base_url == base


def test_the_secret_is_shown_by_no_repr() -> None:
    client = Shop({}).client()
    assert "shpss_secret" not in repr(client.shop) + repr(client) + repr(vars(client))


def test_a_call_carries_token_reference_and_document() -> None:
    shop = Shop({"OrderState": [STATE]})
    asyncio.run(shop.client().order_state(id=ID, lane="holds", reference="op-1/1"))
    name, variables, headers = shop.requests[0]
    assert (name, variables) == ("OrderState", {"id": ID})
    assert headers["x-shopify-access-token"] == "shpat_1"
    assert headers["x-client-reference"] == "op-1/1"
    assert shop.budget.taken == [("OrderState", "holds")]


def test_ten_calls_at_once_ask_for_one_token() -> None:
    shop = Shop({"OrderState": [STATE]})

    async def ten() -> None:
        client = shop.client()
        await asyncio.gather(*(order_state(client, ID) for _ in range(10)))

    asyncio.run(ten())
    assert (shop.tokens, len(shop.requests)) == (1, 10)


def test_a_token_is_renewed_at_four_fifths_of_its_life() -> None:
    shop = Shop({"OrderState": [STATE]})
    client = shop.client()

    async def use() -> None:
        await order_state(client, ID)

    asyncio.run(use())
    shop.pass_time(seconds=86399 * 0.79)
    asyncio.run(use())
    assert shop.tokens == 1
    shop.pass_time(seconds=86399 * 0.02)
    asyncio.run(use())
    assert shop.tokens == 2


def test_a_refused_token_is_replaced_once_and_the_call_repeated() -> None:
    shop = Shop({"OrderState": [httpx2.Response(401, json={"errors": "Invalid"}), STATE]})
    assert asyncio.run(order_state(shop.client(), ID)) is not None
    assert shop.tokens == 2
    assert shop.requests[1][2]["x-shopify-access-token"] == "shpat_2"


def test_a_token_refused_again_is_unavailable() -> None:
    shop = Shop({"OrderState": [httpx2.Response(401, json={"errors": "Invalid"})]})
    assert isinstance(outcome_of(shop), Unavailable)
    assert len(shop.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(400, json={"error": "invalid_client"}),
        httpx2.Response(503, text="<html>"),
        httpx2.Response(200, text="<html>"),
        {"access_token": "", "expires_in": 10},
        {"access_token": "x"},
        {"access_token": "x", "expires_in": 0},
        httpx2.ReadTimeout("late"),
    ],
)
def test_without_a_token_the_call_never_leaves(answer: Any) -> None:
    shop = Shop({"OrderState": [STATE]}, token_answer=lambda _: answer)
    assert isinstance(outcome_of(shop), Unavailable)
    assert shop.requests == []


@pytest.mark.parametrize(
    "error", [httpx2.ConnectError("x"), httpx2.ConnectTimeout("x"), httpx2.PoolTimeout("x")]
)
def test_a_call_that_never_left_is_unavailable(error: Exception) -> None:
    assert isinstance(outcome_of(Shop({"OrderState": [error]})), Unavailable)


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.ReadTimeout("x"),
        httpx2.ReadError("x"),
        httpx2.WriteError("x"),
        httpx2.RemoteProtocolError("x"),
        httpx2.Response(500, text="oops", headers={"X-Request-Id": "r-1"}),
        httpx2.Response(200, text="<html>"),
        httpx2.Response(200, text='{"data":'),
        httpx2.Response(200, json=[1]),
        httpx2.Response(200, json={}),
        httpx2.Response(200, json={"data": 3}),
        httpx2.Response(200, text="[" * 100_000),
        httpx2.Response(
            200, json={"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}
        ),
    ],
)
def test_an_end_that_proves_nothing_is_unknown(answer: Any) -> None:
    assert isinstance(outcome_of(Shop({"OrderState": [answer]})), Unknown)


def test_an_unclear_end_names_the_platforms_request() -> None:
    shop = Shop({"OrderState": [httpx2.Response(500, headers={"X-Request-Id": "r-1\x7f"})]})
    assert "(request r-1)" in outcome_of(shop).why


def test_a_redirect_is_not_followed() -> None:
    shop = Shop({"OrderState": [httpx2.Response(302, headers={"Location": "https://evil.example"})]})
    assert isinstance(outcome_of(shop), Unavailable)
    assert len(shop.requests) == 1


def test_throttling_is_told_to_the_budget_with_the_seconds_the_shop_needs() -> None:
    throttled = {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {
            "cost": {
                "requestedQueryCost": 131,
                "throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": 31, "restoreRate": 50},
            }
        },
    }
    shop = Shop({"OrderState": [throttled]})
    assert outcome_of(shop).retry_after == 2.0
    assert shop.budget.waits == [("OrderState", 2.0)]


def test_a_limit_by_status_is_told_to_the_budget() -> None:
    shop = Shop({"OrderState": [httpx2.Response(429, headers={"Retry-After": "3"})]})
    assert outcome_of(shop) == Unavailable("too many requests (HTTP 429)", 3.0)
    assert shop.budget.waits == [("OrderState", 3.0)]


def test_a_short_wait_for_the_budget_is_waited_and_a_long_one_reported() -> None:
    shop = Shop({"OrderState": [STATE]})
    shop.budget.answers = [0.01, 0.0]
    assert asyncio.run(order_state(shop.client(), ID)) is not None
    shop.budget.answers = [30.0]
    assert outcome_of(shop) == Unavailable("our call budget for this shop is used up", 30.0)


def test_another_version_in_the_answer_is_counted() -> None:
    shop = Shop(
        {
            "OrderState": [
                httpx2.Response(200, json=STATE, headers={"X-Shopify-API-Version": "2027-01"}),
                STATE,
            ]
        }
    )
    client = shop.client()
    asyncio.run(order_state(client, ID))
    asyncio.run(order_state(client, ID))
    assert client.counters.version_mismatches == 1


def test_the_bucket_leaves_room_for_urgent_lanes() -> None:
    bucket = CostBucket()
    assert bucket.wait("Poll", "rest", NOW) == 0.0
    bucket.learn(
        "Poll",
        {
            "cost": {
                "requestedQueryCost": 100,
                "throttleStatus": {"maximumAvailable": 1000, "currentlyAvailable": 200, "restoreRate": 50},
            }
        },
        NOW,
    )
    assert bucket.wait("Poll", "holds", NOW) == 0.0
    assert bucket.wait("Poll", "rest", NOW) == pytest.approx(3.0)
    bucket.spend("Poll")
    lanes: tuple[Lane, ...] = ("holds", "acceptance", "edits", "shipping", "rest")
    assert [bucket.wait("Poll", lane, NOW) for lane in lanes] == pytest.approx([0.0, 1.0, 2.0, 2.0, 5.0])
    bucket.spend("Poll")
    assert bucket.wait("Poll", "holds", NOW) == pytest.approx(2.0)


def test_an_answer_that_is_too_long_is_not_read_to_its_end() -> None:
    shop = Shop({"OrderState": [httpx2.Response(200, content=b" " * (MAX_ANSWER_BYTES + 1))]})
    assert "longer than" in outcome_of(shop).why


def test_a_refusal_before_execution_is_a_refusal() -> None:
    shop = Shop(
        {"OrderState": [{"errors": [{"message": "No", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}]}
    )
    assert outcome_of(shop) == Refused("MAX_COST_EXCEEDED", "No")


def test_clients_of_two_shops_have_different_accounts() -> None:
    client: ShopifyClient = Shop({}).client()
    assert client.shop.account == "shopify:demo.myshopify.com:app-1"

"""OR43: a message on an order; ST12: what remains to ship; and a marketplace that changes its rules in mid-life."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from interlock.simulator.transport import ClockedASGITransport
from tests.simulator.mirakl.seller import Seller

THREAD: dict[str, Any] = {
    "topic": {"type": "FREE_TEXT", "value": "Your order"},
    "body": "Grüße: two mugs, not three.",
    "to": ["CUSTOMER"],
}


def post(seller: Seller, order_id: str, part: Any, name: str = "thread_input") -> httpx2.Response:
    """OR43 as multipart/form-data with one JSON part."""

    async def send() -> httpx2.Response:
        transport = ClockedASGITransport(seller.world.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://market.example") as client:
            files = {name: (None, json.dumps(part), "application/json")}
            headers = {"Authorization": seller.key}
            return await client.post(f"/api/orders/{order_id}/threads", files=files, headers=headers)

    return asyncio.run(send())


# -- OR43 ------------------------------------------------------------------------------------------------


def test_a_message_opens_a_thread_and_a_repeat_opens_another() -> None:
    """Sections 5 OR43 and 1.9."""
    seller = Seller()
    order = seller.world.create_generated()

    answers = [post(seller, order.id, THREAD) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["thread_id"] for answer in answers}) == 2
    assert [thread.body for thread in order.threads] == [THREAD["body"]] * 2
    assert order.threads[0].to == ("CUSTOMER",)
    assert seller.kinds(order)[-2:] == ["message", "message"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"body": "no"},
        {"body": "x" * 50_001},
        {"body": None},
        {"to": []},
        {"to": ["SHOP"]},
        {"to": ["EVERYBODY"]},
        {"topic": {"type": "FREE_TEXT", "value": " "}},
        {"topic": {"type": "REASON_CODE", "value": "99"}},
        {"topic": "Your order"},
    ],
)
def test_a_message_that_cannot_be_sent_is_400(wrong: dict[str, Any]) -> None:
    """Section 5 OR43: 3 to 50,000 characters; a shop cannot address itself."""
    seller = Seller()
    order = seller.world.create_generated()

    assert post(seller, order.id, {**THREAD, **wrong}).status_code == 400
    assert order.threads == []


@pytest.mark.parametrize("length", [3, 50_000])
def test_the_shortest_and_the_longest_message_go(length: int) -> None:
    """Section 5 OR43: 3 to 50,000 characters."""
    seller = Seller()
    order = seller.world.create_generated()

    assert post(seller, order.id, {**THREAD, "body": "x" * length}).status_code == 201


def test_a_reason_of_the_operators_list_may_be_the_topic() -> None:
    """RE01 type ORDER_MESSAGING."""
    seller = Seller()
    order = seller.world.create_generated()
    topic = {"type": "REASON_CODE", "value": "26"}

    answer = post(seller, order.id, {**THREAD, "topic": topic, "to": ["OPERATOR", "CUSTOMER"]})

    assert answer.status_code == 201


def test_a_message_needs_its_part_its_form_and_its_order() -> None:
    """Section 5 OR43 (multipart/form-data, part `thread_input`) and 1.7 (404, 415)."""
    seller = Seller()
    order = seller.world.create_generated()

    assert post(seller, order.id, THREAD, name="message").status_code == 400
    assert seller.call("POST", f"/api/orders/{order.id}/threads", THREAD).status_code == 415
    assert post(seller, "nowhere", THREAD).status_code == 404


# -- ST12 ------------------------------------------------------------------------------------------------


def shown(seller: Seller, *order_ids: str) -> dict[str, list[int]]:
    answer = seller.get("/api/shipments/items_to_ship", order_id=list(order_ids))
    assert answer.status_code == 200, answer.text
    return {
        row["order_id"]: [line["quantity"] for line in row["shipment_lines"]] for row in answer.json()["data"]
    }


def test_items_to_ship_are_404_where_multi_shipment_is_off() -> None:
    """Section 6."""
    assert Seller().get("/api/shipments/items_to_ship").status_code == 404


def test_items_to_ship_count_cancelled_and_withdrawn_units_out() -> None:
    """Sections 6 and 15.2."""
    seller = Seller(multi_shipment=True)
    order = seller.world.create_generated(lines=2, quantities=[4, 1])
    other = seller.world.create_generated(lines=1)
    seller.cancel(order.lines[0].id, 1)
    seller.world.debit_now(order.id)
    seller.world.refund_line(order.id, order.lines[0].id, quantity=1, excluded_from_shipment=True)
    seller.world.refund_line(order.id, order.lines[1].id, quantity=1)

    assert shown(seller, order.id) == {order.id: [2, 1]}
    assert set(shown(seller, order.id, other.id)) == {order.id, other.id}
    seller.put(f"/api/orders/{order.id}/ship")
    assert shown(seller, order.id) == {}


@pytest.mark.parametrize(
    ("switch", "left"), [("st12_reflects_cancelations", 3), ("st12_reflects_withdrawn", 3)]
)
def test_what_items_to_ship_reflect_is_a_switch(switch: str, left: int) -> None:
    """Section 15.2."""
    seller = Seller(multi_shipment=True, switches={switch: "no"})
    order = seller.world.create_generated(lines=1, quantities=[4])
    seller.cancel(order.lines[0].id, 1)
    seller.world.debit_now(order.id)
    seller.world.refund_line(order.id, order.lines[0].id, quantity=1, excluded_from_shipment=True)

    assert shown(seller, order.id) == {order.id: [left]}


def test_items_to_ship_come_in_pages() -> None:
    """Section 1.3, seek pagination: the token carries the whole question."""
    seller = Seller(multi_shipment=True)
    orders = {seller.world.create_generated(lines=1).id for _ in range(5)}
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2, "order_id": sorted(orders)}
    while True:
        page = seller.get("/api/shipments/items_to_ship", **params).json()
        seen += [row["order_id"] for row in page["data"]]
        if not page.get("next_page_token"):
            break
        params = {"limit": 2, "page_token": page["next_page_token"]}

    assert sorted(seen) == sorted(orders)


# -- a marketplace that changes its rules ------------------------------------------------------------------


def test_every_answer_about_what_is_allowed_follows_the_profile_at_once() -> None:
    """Section 10: PC01, RE01, SH12, SH21."""
    seller = Seller()
    before = [seller.get(path).json() for path in _CAPABILITY]

    fields = {
        "multi_shipment": True,
        "order_acceptance": "AUTOMATIC" if seller.world.profile.order_acceptance != "AUTOMATIC" else "BOTH",
        "alternative_carrier": False,
        "reasons": [{"type": "REFUND", "code": "77", "label": "New", "is_shop_right": True}],
        "carriers": [{"code": "GLS", "label": "GLS", "standard_code": None, "tracking_url": None}],
        "shipping_types": [
            {"code": "NEW", "label": "New", "standard_code": None, "mandatory_tracking": True}
        ],
    }
    assert seller.call("POST", "/_sim/profile", {"fields": fields}).status_code == 200
    pc01, re01, sh12, sh21 = (seller.get(path).json() for path in _CAPABILITY)

    assert [pc01, re01, sh12, sh21] != before
    assert pc01["features"]["shipment"]["multi_shipment"] is True
    assert pc01["features"]["disable_seller_alternative_carrier"] is True
    assert [reason["code"] for reason in re01["reasons"]] == ["77"]
    assert [(kind["code"], kind["mandatory_tracking"]) for kind in sh12["shipping_types"]] == [("NEW", True)]
    assert [carrier["code"] for carrier in sh21["carriers"]] == ["GLS"]
    assert seller.get("/api/shipments/items_to_ship").status_code == 200


_CAPABILITY = (
    "/api/platform/configuration",
    "/api/reasons",
    "/api/shipping/types",
    "/api/shipping/carriers",
)

"""Control endpoints, faults in front of the platform, logs, and the marketplace standing alone."""

import asyncio
import io
import json
from typing import Any

import httpx2
import pytest

from interlock.simulator.faults import Fault
from interlock.simulator.mirakl.standalone import UnknownProfile, serve
from interlock.simulator.transport import ClockedASGITransport
from tests.simulator.mirakl.seller import Seller


class Heard(io.StringIO):
    """Standard output that says when something was printed."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = asyncio.Event()

    def flush(self) -> None:
        super().flush()
        self.heard.set()


DOCUMENT = {
    "order_id": "W-77-A",
    "commercial_id": "W-77",
    "order_state": "WAITING_ACCEPTANCE",
    "order_tax_mode": "TAX_INCLUDED",
    "payment_workflow": "PAY_ON_ACCEPTANCE",
    "customer": {"customer_id": "c", "firstname": "f", "lastname": "l", "shipping_address": {"city": "x"}},
    "order_lines": [
        {
            "offer_sku": "S-1",
            "quantity": 2,
            "price_unit": 12,
            "price": 24,
            "shipping_price": 6,
            "taxes": [{"code": "T", "amount": 4, "rate": 20}],
            "shipping_taxes": [{"code": "T", "amount": 1}],
        }
    ],
}


def test_an_order_is_created_from_a_document_in_its_own_tax_mode() -> None:
    seller = Seller("all-or-nothing")
    answer = seller.call("POST", "/_sim/orders", {"document": DOCUMENT})
    assert answer.status_code == 200, answer.text
    order = seller.world.orders["W-77-A"]
    assert seller.read(order, order_tax_mode="TAX_EXCLUDED")["price"] == 20
    shown = seller.read(order)
    assert (shown["price"], shown["total_price"]) == (24, 30)
    assert shown["order_lines"][0]["price_unit"] == 12
    assert seller.accept(order).status_code == 204


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/_sim/orders", {"document": {"order_lines": [{"quantity": 0}]}}, "order_lines[0].quantity"),
        ("/_sim/orders", {"document": {**DOCUMENT, "order_state": "OPEN"}}, "order_state"),
        ("/_sim/orders", {"lines": 0}, "lines"),
        ("/_sim/orders", {"lnes": 1}, "lnes"),
        ("/_sim/orders/release", {"order_id": "nowhere"}, "order_id"),
        ("/_sim/orders/cancel", {}, "order_id"),
        ("/_sim/clock/advance", {"seconds": -1}, "seconds"),
        ("/_sim/orders/address", {"order_id": "nowhere"}, "order_id"),
        ("/_sim/orders/address", {"order_id": "nowhere", "address": {"city": 7}}, "address"),
        ("/_sim/faults", {"operation": "OR11", "kind": "gremlin"}, "kind"),
        ("/_sim/switches", {"values": {"nope": "1"}}, "nope"),
        ("/_sim/profile", {"fields": {"tax_mode": "GROSS"}}, "tax_mode"),
        ("/_sim/profile", {"fields": {"debit_delay": "soon"}}, "debit_delay"),
    ],
)
def test_a_wrong_control_request_names_the_field(path: str, body: Any, field: str) -> None:
    answer = Seller().call("POST", path, body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_whole_day_through_the_control_endpoints() -> None:
    seller = Seller("all-or-nothing")

    def act(path: str, **body: Any) -> dict[str, Any]:
        answer = seller.call("POST", f"/_sim{path}", body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    made = act("/orders", skus=["KETTLE-1L", "KETTLE-1L"], quantities=[2, 1], staging=True)
    order_id, line_id = made["order_id"], made["lines"][0]["order_line_id"]
    assert act("/orders/release", order_id=order_id)["order_state"] == "WAITING_ACCEPTANCE"
    assert act("/orders/decide", order_id=order_id, accepted=True)["order_state"] == "WAITING_DEBIT"
    act("/lines/recalculate", order_id=order_id, line_id=line_id, taxes="0.5")
    assert act("/orders/debit", order_id=order_id)["order_state"] == "SHIPPING"
    act("/orders/address", order_id=order_id, address={"street_2": None})
    act("/lines/cancel", order_id=order_id, line_id=line_id, quantity=1, by="customer")
    act("/lines/refund", order_id=order_id, line_id=line_id, quantity=1, excluded_from_shipment=True)
    act("/lines/incident", order_id=order_id, line_id=line_id, open=True)
    act("/lines/incident", order_id=order_id, line_id=line_id, open=False)
    inner = seller.get(f"/_sim/orders/{order_id}").json()
    assert [line["live"] for line in inner["lines"]] == [0, 1]
    act("/profile", fields={"partial_acceptance": True})
    act("/switches", values={"error_body": "bare"})
    act("/orders/cancel", order_id=order_id)
    assert seller.get("/_sim/state").json()["orders"] == {order_id: "CANCELED"}
    kinds = [entry["kind"] for entry in seller.get("/_sim/effects").json()["entries"]]
    for kind in (
        "created",
        "accepted",
        "debited",
        "cancelation",
        "refund",
        "incident",
        "state",
        "address_changed",
        "recalculated",
    ):
        assert kind in kinds


def test_every_call_is_logged_with_operation_caller_and_reference() -> None:
    seller = Seller("automatic")
    order = seller.world.create_generated()
    seller.call("PUT", f"/api/orders/{order.id}/cancel", headers={"X-Client-Reference": "op-1"})
    call = seller.world.record.calls[-1]
    assert (call.operation, call.caller, call.reference) == ("OR29", "shop", "op-1")
    assert (call.status, call.order_ids, call.fault) == (204, (order.id,), None)
    effect = seller.world.record.effects[-1]
    assert (effect.actor, effect.reference) == ("api:shop", "op-1")


def test_a_lost_reply_happened_and_a_refused_call_did_not() -> None:
    seller = Seller("automatic")
    first, second = (seller.world.create_generated() for _ in range(2))
    seller.world.armed.arm("OR29", Fault("refused_before"))
    assert seller.put(f"/api/orders/{first.id}/cancel").status_code == 503
    seller.world.armed.arm("OR29", Fault("reply_lost"))
    with pytest.raises(httpx2.ReadError):
        seller.put(f"/api/orders/{second.id}/cancel")
    assert (first.state, second.state) == ("SHIPPING", "CANCELED")
    assert [call.fault for call in seller.world.record.calls] == ["refused_before", "reply_lost"]


def test_a_slow_answer_times_out_and_still_happens() -> None:
    """The transport gives up on the loop's clock; the platform goes on."""

    async def run() -> tuple[str, str]:
        seller = Seller("automatic")
        order = seller.world.create_generated()
        seller.world.armed.arm("OR29", Fault("slow", 0.05))
        transport = ClockedASGITransport(seller.world.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://m.example") as client:
            with pytest.raises(httpx2.ReadTimeout):
                await client.put(
                    f"/api/orders/{order.id}/cancel", headers={"Authorization": seller.key}, timeout=0.01
                )
            before = order.state
            await transport.drain()
        assert transport.failures == []
        return before, order.state

    assert asyncio.run(run()) == ("SHIPPING", "CANCELED")


def test_alone_it_prints_one_line_and_serves_over_http() -> None:
    async def run() -> None:
        out = Heard()
        task = asyncio.get_running_loop().create_task(serve(0, 1, "automatic", 1.0, out))
        await out.heard.wait()
        (line,) = out.getvalue().splitlines()
        found = json.loads(line)
        assert found["platform"] == "mirakl"
        headers = {"Authorization": found["api_key"]}
        async with httpx2.AsyncClient(base_url=found["base_url"], headers=headers) as client:
            made = await client.post("/_sim/orders", json={"lines": 1})
            answer = await client.get("/api/orders", params={"shop_id": found["shop_id"]})
            assert answer.json()["orders"][0]["order_id"] == made.json()["order_id"]
            await client.post("/_sim/faults", json={"operation": "OR11", "kind": "reply_lost"})
            with pytest.raises(httpx2.TransportError):
                await client.get("/api/orders")
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(run())


def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(UnknownProfile, match="automatic"):
        asyncio.run(serve(0, 1, "nope"))

"""What each action sends to the marketplace."""

import asyncio
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jsonschema import Draft4Validator

from interlock.mirakl.perform import perform
from interlock.orders.actions import (
    AnswerAcceptance,
    CancelMiraklOrder,
    CancelQuantities,
    CreateShipment,
    DeleteShipment,
    LineCancelation,
    LineRefund,
    MiraklAction,
    RefundLines,
    SendMessage,
    SetSellerReference,
    SetTracking,
    ShipOrder,
    TrackShipment,
    ValidateShipment,
)
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unknown
from interlock.orders.ports import OrderContext
from interlock.orders.snapshots import Fee, Tax
from tests.mirakl.marketplace_documents import NotedBudget, client_of

CONTEXT = OrderContext("conn", "C7-A", "conn:C7-A", "interlock", "op-9/1", None)
LINES = (
    LineCancelation("C7-A-1", 2, 1, Decimal("10.00"), Decimal("1.05"), (Tax("VAT", Decimal("2.00")),), ()),
    LineCancelation("C7-A-2", 1, 1, Decimal("0.99"), Decimal(0), (), ()),
)


def sent(
    action: MiraklAction, status: int = 204, answer: bytes = b"", context: OrderContext = CONTEXT
) -> tuple[Outcome, str, Any, httpx2.Request]:
    requests: list[httpx2.Request] = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(status, content=answer)

    budget = NotedBudget()
    outcome = asyncio.run(perform(client_of(reply, budget), action, context))
    (request,) = requests
    ((_, lane),) = budget.taken
    assert lane == action.lane
    assert request.headers["x-client-reference"] == "op-9/1"
    is_json = request.headers.get("content-type", "").startswith("application/json")
    body = json.loads(request.content, parse_float=str) if is_json else None
    return outcome, f"{request.method} {request.url.path}", body, request


def test_acceptance_answers_every_line() -> None:
    outcome, call, body, _ = sent(AnswerAcceptance((("C7-A-1", True), ("C7-A-2", False))))
    assert outcome == Confirmed()
    assert call == "PUT /api/orders/C7-A/accept"
    assert body == {"order_lines": [{"id": "C7-A-1", "accepted": True}, {"id": "C7-A-2", "accepted": False}]}


def test_a_reference_is_put_on_the_order() -> None:
    answer = b'{"updated_orders": [{"order_id": "C7-A", "updated": {}, "errors": []}]}'
    outcome, call, body, _ = sent(SetSellerReference("#1001"), 200, answer)
    assert outcome == Confirmed()
    assert call == "PUT /api/orders"
    assert body == {"orders": [{"order_id": "C7-A", "references": {"order_reference_for_seller": "#1001"}}]}


def test_a_cancelation_sends_the_action_s_own_amounts_mode_and_currency() -> None:
    answer = json.dumps(
        {
            "cancelations": [
                {"order_line_id": "C7-A-1", "cancelation_id": "5"},
                {"order_line_id": "C7-A-2", "cancelation_id": "6"},
            ]
        }
    ).encode()
    action = CancelQuantities(LINES, "EUR", "TAX_EXCLUDED", "34", send_taxes=True)
    outcome, call, body, _ = sent(action, 200, answer)
    assert outcome == Confirmed((("cancelation_id:C7-A-1", "5"), ("cancelation_id:C7-A-2", "6")))
    assert call == "PUT /api/orders/cancel"
    assert body == {
        "order_tax_mode": "TAX_EXCLUDED",
        "cancelations": [
            {
                "order_line_id": "C7-A-1",
                "quantity": 1,
                "amount": "10.00",
                "shipping_amount": "1.05",
                "reason_code": "34",
                "currency_iso_code": "EUR",
                "taxes": [{"code": "VAT", "amount": "2.00"}],
                "shipping_taxes": [],
            },
            {
                "order_line_id": "C7-A-2",
                "quantity": 1,
                "amount": "0.99",
                "shipping_amount": 0,
                "reason_code": "34",
                "currency_iso_code": "EUR",
                "taxes": [],
                "shipping_taxes": [],
            },
        ],
    }


REFUND = RefundLines(
    "edit:1",
    (
        LineRefund(
            "C7-A-1",
            1,
            Decimal("10.00"),
            Decimal("1.05"),
            (Tax("VAT", Decimal("2.00")),),
            (),
            True,
            ("R0",),
            (Fee("DEPOSIT", Decimal("0.25")),),
        ),
        LineRefund("C7-A-2", 0, Decimal("0.99"), Decimal(0), (), (), False, (), (), "19"),
    ),
    "EUR",
    "TAX_EXCLUDED",
    "15",
)
ECHO = [
    {"order_line_id": "C7-A-2", "refund_id": "8", "amount": "0.99", "shipping_amount": 0},
    {"order_line_id": "C7-A-1", "refund_id": "7", "amount": 10, "shipping_amount": 1.05},
]


def test_a_refund_sends_the_task_s_own_figures_and_reads_the_answer_item_by_item() -> None:
    outcome, call, body, _ = sent(REFUND, 200, json.dumps({"refunds": ECHO}).encode())

    assert outcome == Confirmed((("refund_id:C7-A-1", "7"), ("refund_id:C7-A-2", "8")))
    assert call == "PUT /api/orders/refund"
    assert body == {
        "order_tax_mode": "TAX_EXCLUDED",
        "refunds": [
            {
                "order_line_id": "C7-A-1",
                "quantity": 1,
                "amount": "10.00",
                "shipping_amount": "1.05",
                "reason_code": "15",
                "currency_iso_code": "EUR",
                "taxes": [{"code": "VAT", "amount": "2.00"}],
                "shipping_taxes": [],
                "fees": [{"code": "DEPOSIT", "amount": "0.25"}],
                "excluded_from_shipment": True,
            },
            {
                "order_line_id": "C7-A-2",
                "quantity": 0,
                "amount": "0.99",
                "shipping_amount": 0,
                "reason_code": "19",
                "currency_iso_code": "EUR",
                "taxes": [],
                "shipping_taxes": [],
                "fees": [],
                "excluded_from_shipment": False,
            },
        ],
    }


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"{}",
        json.dumps({"refunds": ECHO[:1]}).encode(),
        json.dumps({"refunds": [{**ECHO[0], "amount": 1}, ECHO[1]]}).encode(),
        json.dumps({"refunds": [{**ECHO[0], "shipping_amount": None}, ECHO[1]]}).encode(),
        json.dumps({"refunds": [{**ECHO[0], "refund_id": None}, ECHO[1]]}).encode(),
        json.dumps({"refunds": [{**ECHO[0], "order_line_id": "C7-A-9"}, ECHO[1]]}).encode(),
    ],
)
def test_an_answer_that_does_not_hold_every_refund_with_its_amount_is_unclear(answer: bytes) -> None:
    assert isinstance(sent(REFUND, 200, answer)[0], Unknown)


MESSAGE = SendMessage("t1", "Your order", ("CUSTOMER", "OPERATOR"))


def told(text: str) -> OrderContext:
    return OrderContext("conn", "C7-A", "conn:C7-A", "interlock", "op-9/1", None, text=text)


def test_a_message_is_a_new_thread_with_the_approved_text() -> None:
    answer = json.dumps({"thread_id": "T", "message_id": "M"}).encode()
    outcome, call, _, request = sent(MESSAGE, 201, answer, told("Grüße: two mugs."))

    assert outcome == Confirmed((("thread_id", "T"), ("message_id", "M")))
    assert call == "POST /api/orders/C7-A/threads"
    assert request.headers["content-type"].startswith("multipart/form-data")
    content = request.content.decode()
    assert 'name="thread_input"' in content
    assert "application/json" in content
    part = json.loads(content[content.index("{") : content.rindex("}") + 1])
    assert part == {
        "topic": {"type": "FREE_TEXT", "value": "Your order"},
        "body": "Grüße: two mugs.",
        "to": ["CUSTOMER", "OPERATOR"],
    }


@pytest.mark.parametrize(("status", "answer"), [(201, b"{}"), (201, b""), (500, b""), (200, b"not json")])
def test_a_message_without_its_ids_in_the_answer_is_unclear(status: int, answer: bytes) -> None:
    assert isinstance(sent(MESSAGE, status, answer, told("Hello."))[0], Unknown)


@pytest.mark.parametrize("text", ["", "no", "x" * 50_001])
def test_a_text_the_marketplace_would_not_take_is_not_sent(text: str) -> None:
    calls: list[httpx2.Request] = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        calls.append(request)
        return httpx2.Response(201)

    outcome = asyncio.run(perform(client_of(reply, NotedBudget()), MESSAGE, told(text)))

    assert isinstance(outcome, Refused)
    assert outcome.code == "MESSAGE_LENGTH"
    assert calls == []


def test_taxes_that_must_be_absent_are_absent() -> None:
    _, _, body, _ = sent(CancelQuantities(LINES, "EUR", "TAX_EXCLUDED", "34", send_taxes=False), 500)
    assert all("taxes" not in entry and "shipping_taxes" not in entry for entry in body["cancelations"])


@pytest.mark.parametrize(
    ("action", "path"),
    [(CancelMiraklOrder(), "/api/orders/C7-A/cancel"), (ShipOrder(), "/api/orders/C7-A/ship")],
)
def test_whole_order_calls_have_no_body_and_say_so(action: MiraklAction, path: str) -> None:
    outcome, call, body, request = sent(action)
    assert outcome == Confirmed()
    assert (call, body) == (f"PUT {path}", None)
    assert request.headers["content-length"] == "0"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (SetTracking("UPS", "", "1Z", ""), {"carrier_code": "UPS", "tracking_number": "1Z"}),
        (
            SetTracking("UPS", "United", "1Z", "https://x.example"),
            {"carrier_code": "UPS", "tracking_number": "1Z"},
        ),
        (
            SetTracking("", "Van & Co", "7", "https://van.example/7"),
            {"carrier_name": "Van & Co", "tracking_number": "7", "carrier_url": "https://van.example/7"},
        ),
    ],
)
def test_tracking_names_a_registered_carrier_by_code_and_another_by_name_and_url(
    action: SetTracking, expected: dict[str, str]
) -> None:
    _, call, body, _ = sent(action)
    assert call == "PUT /api/orders/C7-A/tracking"
    assert body == expected


def test_tracking_without_any_carrier_is_refused_before_it_is_sent() -> None:
    budget = NotedBudget()
    client = client_of(lambda request: httpx2.Response(204), budget)
    outcome = asyncio.run(perform(client, SetTracking("", "", "1Z", ""), CONTEXT))
    assert isinstance(outcome, Refused)
    assert budget.taken == []


PARCEL = CreateShipment("IL-1", (("C7-A-1", 2), ("C7-A-2", 1)), "UPS", "", "1Z", "", "MAIN")


def test_a_shipment_carries_its_marker_its_units_and_where_it_leaves_from() -> None:
    answer = json.dumps({"shipment_success": [{"id": "X1", "order_id": "C7-A"}]}).encode()
    outcome, call, body, _ = sent(PARCEL, 201, answer)

    assert (outcome, call) == (Confirmed((("shipment_id", "X1"),)), "POST /api/shipments")
    (shipment,) = body["shipments"]
    assert shipment == {
        "order_id": "C7-A",
        "shipment_lines": [
            {"order_line_id": "C7-A-1", "quantity": 2},
            {"order_line_id": "C7-A-2", "quantity": 1},
        ],
        "shipped": False,
        "invoice_reference": "IL-1",
        "tracking": {"carrier_code": "UPS", "tracking_number": "1Z"},
        "shipping_from": {"warehouse": {"code": "MAIN"}},
    }


def test_a_shipment_without_tracking_or_origin_names_neither() -> None:
    _, _, body, _ = sent(CreateShipment("IL-1", (("C7-A-1", 1),)), 500)

    assert set(body["shipments"][0]) == {"order_id", "shipment_lines", "shipped", "invoice_reference"}


@pytest.mark.parametrize(
    ("action", "call", "entry"),
    [
        (
            TrackShipment("X1", "", "Van & Co", "7", "https://van.example/7"),
            "POST /api/shipments/tracking",
            {
                "id": "X1",
                "tracking": {
                    "carrier_name": "Van & Co",
                    "tracking_number": "7",
                    "tracking_url": "https://van.example/7",
                },
            },
        ),
        (ValidateShipment("X1"), "PUT /api/shipments/ship", {"id": "X1"}),
        (DeleteShipment("X1"), "PUT /api/shipments/delete", {"id": "X1"}),
    ],
)
def test_what_is_done_to_one_shipment_names_it(action: MiraklAction, call: str, entry: Any) -> None:
    answer = json.dumps({"shipment_success": [{"id": "X1"}]}).encode()
    outcome, made, body, _ = sent(action, 200, answer)

    assert (outcome, made) == (Confirmed((("shipment_id", "X1"),)), call)
    assert body == {"shipments": [entry]}


def test_a_tracking_of_a_shipment_without_any_carrier_is_refused_before_it_is_sent() -> None:
    budget = NotedBudget()
    client = client_of(lambda request: httpx2.Response(200), budget)
    outcome = asyncio.run(perform(client, TrackShipment("X1", "", "", "1Z", ""), CONTEXT))
    assert isinstance(outcome, Refused)
    assert budget.taken == []


def test_references_of_many_orders_are_one_call_with_an_outcome_each() -> None:
    answer = json.dumps(
        {
            "updated_orders": [
                {"order_id": "A", "errors": []},
                {"order_id": "B", "errors": [{"code": "ORDER_NOT_FOUND", "message": "Gone"}]},
            ]
        }
    ).encode()
    client = client_of(lambda request: httpx2.Response(200, content=answer))
    outcomes = asyncio.run(
        client.set_seller_references([("A", "#1"), ("B", "#2"), ("C", "#3")], "rest", "batch-1")
    )
    assert outcomes["A"] == Confirmed()
    assert outcomes["B"] == Refused("ORDER_NOT_FOUND", "Gone")
    assert type(outcomes["C"]).__name__ == "Unknown"


@pytest.mark.contract
@pytest.mark.parametrize(
    ("action", "path"),
    [
        (AnswerAcceptance((("C7-A-1", True),)), "/api/orders/{order_id}/accept"),
        (SetSellerReference("#1001"), "/api/orders"),
        (CancelQuantities(LINES, "EUR", "TAX_EXCLUDED", "34", send_taxes=True), "/api/orders/cancel"),
        (CancelQuantities(LINES, "EUR", "TAX_EXCLUDED", "34", send_taxes=False), "/api/orders/cancel"),
        (SetTracking("UPS", "", "1Z", ""), "/api/orders/{order_id}/tracking"),
        (SetTracking("", "Van & Co", "7", "https://van.example/7"), "/api/orders/{order_id}/tracking"),
        (PARCEL, "/api/shipments"),
        (TrackShipment("X1", "UPS", "", "1Z", ""), "/api/shipments/tracking"),
        (ValidateShipment("X1"), "/api/shipments/ship"),
        (DeleteShipment("X1"), "/api/shipments/delete"),
    ],
)
def test_what_is_sent_is_what_the_contract_asks_for(action: MiraklAction, path: str) -> None:
    named = os.environ.get("INTERLOCK_MIRAKL_OPENAPI")
    if not named:
        pytest.skip("INTERLOCK_MIRAKL_OPENAPI does not name Mirakl's own document")
    contract = json.loads(Path(named).read_text(encoding="utf-8"))
    _, _, _, request = sent(action, 500)
    body = contract["paths"][path][request.method.lower()]["requestBody"]["content"]["application/json"]
    schema = {**body["schema"], "components": contract["components"]}
    found = [error.message for error in Draft4Validator(schema).iter_errors(json.loads(request.content))]
    assert found == []

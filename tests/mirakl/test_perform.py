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
    LineCancelation,
    MiraklAction,
    SetSellerReference,
    SetTracking,
    ShipOrder,
)
from interlock.orders.outcomes import Confirmed, Outcome, Refused
from interlock.orders.ports import OrderContext
from interlock.orders.snapshots import Tax
from tests.mirakl.marketplace_documents import NotedBudget, client_of

CONTEXT = OrderContext("conn", "C7-A", "conn:C7-A", "interlock", "op-9/1", None)
LINES = (
    LineCancelation("C7-A-1", 2, 1, Decimal("10.00"), Decimal("1.05"), (Tax("VAT", Decimal("2.00")),), ()),
    LineCancelation("C7-A-2", 1, 1, Decimal("0.99"), Decimal(0), (), ()),
)


def sent(
    action: MiraklAction, status: int = 204, answer: bytes = b""
) -> tuple[Outcome, str, Any, httpx2.Request]:
    requests: list[httpx2.Request] = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(status, content=answer)

    budget = NotedBudget()
    outcome = asyncio.run(perform(client_of(reply, budget), action, CONTEXT))
    (request,) = requests
    ((_, lane),) = budget.taken
    assert lane == action.lane
    assert request.headers["x-client-reference"] == "op-9/1"
    body = json.loads(request.content, parse_float=str) if request.content else None
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
    ],
)
def test_what_is_sent_is_what_the_contract_asks_for(action: MiraklAction, path: str) -> None:
    named = os.environ.get("INTERLOCK_MIRAKL_OPENAPI")
    if not named:
        pytest.skip("INTERLOCK_MIRAKL_OPENAPI does not name Mirakl's own document")
    contract = json.loads(Path(named).read_text(encoding="utf-8"))
    body = contract["paths"][path]["put"]["requestBody"]["content"]["application/json"]
    schema = {**body["schema"], "components": contract["components"]}
    _, _, _, request = sent(action, 500)
    found = [error.message for error in Draft4Validator(schema).iter_errors(json.loads(request.content))]
    assert found == []

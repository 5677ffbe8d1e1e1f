"""Documents as a marketplace sends them, written by hand, and a marketplace that answers what a test tells it."""

from collections.abc import Callable
from typing import Any

import httpx2

from interlock.mirakl.account import MiraklAccount
from interlock.mirakl.client import MiraklClient
from interlock.mirakl.exact import parsed
from interlock.orders.actions import Lane

ORIGIN = "https://brand.mirakl.example"
KEY = "aaaa-bbbb-cccc"


class NotedBudget:
    """A budget that always says go unless told otherwise, and remembers what it was told."""

    def __init__(self, wait: float = 0.0) -> None:
        self.wait = wait
        self.taken: list[tuple[str, Lane]] = []
        self.told: list[tuple[str, float]] = []

    async def take(self, operation: str, lane: Lane) -> float:
        if self.wait == 0.0:
            self.taken.append((operation, lane))
        return self.wait

    async def told_to_wait(self, operation: str, seconds: float) -> None:
        self.told.append((operation, seconds))


def client_of(
    answer: Callable[[httpx2.Request], httpx2.Response], budget: NotedBudget | None = None
) -> MiraklClient:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    return MiraklClient(MiraklAccount(ORIGIN, KEY, "2005"), http, budget or NotedBudget())


def order_document(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = parsed(ORDER.encode())
    document.update(changes)
    return document


def line_document(**changes: Any) -> dict[str, Any]:
    line: dict[str, Any] = order_document()["order_lines"][0]
    line.update(changes)
    return line


ORDER = """
{
  "order_id": "C7-A", "commercial_id": "C7", "order_state": "SHIPPING",
  "created_date": "2026-11-02T08:00:00Z", "last_updated_date": "2026-11-02T09:30:00.250Z",
  "acceptance_decision_date": "2026-11-02T08:05:00Z", "customer_debited_date": null,
  "shipping_deadline": "2026-11-04T22:59:59.999Z",
  "payment_workflow": "PAY_ON_SHIPMENT", "currency_iso_code": "EUR", "order_tax_mode": "TAX_INCLUDED",
  "price": 30, "shipping_price": "4.90", "total_price": 34.90,
  "can_cancel": true, "can_shop_ship": true, "has_incident": false, "customer_directly_pays_seller": false,
  "shipping_type_code": "STD", "shipping_carrier_code": null, "shipping_company": null, "shipping_tracking": null,
  "references": {"order_reference_for_customer": null, "order_reference_for_seller": "#1001"},
  "fulfillment": {"center": {"code": "DEFAULT"}},
  "customer": {
    "customer_id": "anna@example.org", "firstname": "Anna", "lastname": "Kowal",
    "shipping_address": {
      "firstname": "Anna", "lastname": "Kowal", "company": null, "street_1": "Rue de l'Étoile 5", "street_2": null,
      "zip_code": "75 017", "city": "Paris", "state": "Île-de-France", "country": "Frankreich",
      "country_iso_code": "FRA", "phone": "+33 1 23 45 67 89", "additional_info": "2nd door"
    }
  },
  "order_lines": [{
    "order_line_id": "C7-A-1", "order_line_state": "SHIPPING", "offer_sku": "MUG", "product_title": "Mug",
    "quantity": 3, "price_unit": 10, "price": 30, "shipping_price": 4.90, "can_refund": false, "debited_date": null,
    "taxes": [{"code": "TVA20", "amount": 5.00, "rate": 20, "tax_calculation_rule": "PROPORTIONAL_TO_AMOUNT"}],
    "shipping_taxes": null,
    "cancelations": [{"id": 81, "quantity": 1, "amount": 10, "shipping_amount": 0, "taxes": [], "reason_code": 34,
                      "created_date": "2026-11-02T09:30:00Z"}],
    "refunds": [{"id": "90", "quantity": 0, "amount": 1.50, "shipping_amount": null, "reason_code": "15",
                 "refund_state": "WAITING_REFUND", "state": "WAITING_REFUND"}]
  }]
}
"""

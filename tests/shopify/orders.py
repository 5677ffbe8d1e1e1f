"""Actions, contexts and answers the tests of the Shopify adapter share."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from interlock.orders.actions import CreateDraft, CreateOrder, ImportLine
from interlock.orders.ports import OrderContext
from interlock.orders.snapshots import Tax

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
KEY = b"k" * 32

ADDRESS = {
    "firstname": "Jane",
    "lastname": "Doe",
    "company": "Elm",
    "company_2": "& Sons",
    "street_1": "12 Elm Street",
    "street_2": "Flat 3",
    "city": "Toronto",
    "state": "on",
    "zip_code": "M5H 2M9",
    "country": "Kanada",
    "country_iso_code": "CAN",
    "phone": "+1 416 555 0199",
}


def document(**changes: Any) -> dict[str, Any]:
    return {
        "order_id": "12345-A",
        "customer_notification_email": "abc@notification.mirakl.net",
        "shipping_type_code": "STD",
        "shipping_type_label": "Standard",
        "customer": {"customer_id": "c-1", "shipping_address": ADDRESS},
    } | changes


def context(shown: dict[str, Any] | None = None, order_id: str = "12345-A", text: str = "") -> OrderContext:
    return OrderContext(
        connection="mkt-ca",
        order_id=order_id,
        marker=f"mkt-ca:{order_id}",
        hold_handle="interlock:mkt-ca",
        reference="op-1/1",
        document=document() if shown is None else shown,
        text=text,
    )


HST = Tax("HST", Decimal("5.20"), Decimal("13"))
LAMP = ImportLine("L1", "LAMP", "Lamp", "gid://shopify/ProductVariant/1", 2, Decimal("22.60"), (HST,))
RUG = ImportLine("L2", "RUG", "Rug", "", 1, Decimal("10.00"))


def create_draft(*lines: ImportLine, with_address: bool = True) -> CreateDraft:
    return CreateDraft(lines or (LAMP, RUG), Decimal("4.00"), "CAD", with_address)


def create_order(
    *lines: ImportLine, taxes_included: bool = True, pending: bool = True, with_address: bool = True
) -> CreateOrder:
    return CreateOrder(
        lines or (LAMP, RUG), Decimal("4.00"), (), "CAD", taxes_included, with_address, pending
    )


def bag(amount: str) -> dict[str, Any]:
    return {"presentmentMoney": {"amount": amount, "currencyCode": "CAD"}}


def no_more() -> dict[str, Any]:
    return {"hasNextPage": False, "endCursor": None}


POSTAL = {
    "firstName": "Jane",
    "lastName": "Doe",
    "company": "Elm & Sons",
    "address1": "12 Elm Street",
    "address2": "Flat 3",
    "city": "Toronto",
    "province": "Ontario",
    "zip": "m5h2m9",
}


def line(number: int, quantity: int = 2, current: int = 2, mirakl: str | None = None) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "sku": f"SKU-{number}",
        "title": "Thing",
        "quantity": quantity,
        "currentQuantity": current,
        "requiresShipping": True,
        "customAttributes": [] if mirakl is None else [{"key": "_mirakl_line_id", "value": mirakl}],
        "variant": {"id": f"gid://shopify/ProductVariant/{number}"},
        "lineItemGroup": None,
        "discountedUnitPriceAfterAllDiscountsSet": bag("10.0"),
    }


def to_ship(number: int, *lines: tuple[int, int], **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/FulfillmentOrder/{number}",
        "status": "OPEN",
        "requestStatus": "UNSUBMITTED",
        "supportedActions": [{"action": "CREATE_FULFILLMENT"}, {"action": "HOLD"}, {"action": "TELEPORT"}],
        "fulfillmentHolds": [],
        "assignedLocation": {"location": {"id": "gid://shopify/Location/1", "isFulfillmentService": False}},
        "merchantRequests": {"nodes": []},
        "deliveryMethod": {"methodType": "SHIPPING"},
        "destination": POSTAL | {"countryCode": "CA"},
        "lineItems": {
            "nodes": [
                {
                    "id": f"gid://shopify/FulfillmentOrderLineItem/{number}{line_id}",
                    "remainingQuantity": left,
                    "lineItem": {"id": f"gid://shopify/LineItem/{line_id}"},
                }
                for line_id, left in lines
            ],
            "pageInfo": no_more(),
        },
    } | changes


def order(**changes: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/Order/9",
        "name": "#1001",
        "createdAt": "2026-11-20T09:00:00Z",
        "updatedAt": "2026-11-20T09:30:00Z",
        "cancelledAt": None,
        "closed": False,
        "edited": False,
        "merchantEditable": True,
        "merchantEditableErrors": [],
        "note": None,
        "customAttributes": [],
        "presentmentCurrencyCode": "CAD",
        "fullyPaid": False,
        "displayFinancialStatus": "PENDING",
        "tags": ["mirakl"],
        "marker": {"value": "mkt-ca:12345-A"},
        "lineage": None,
        "status": None,
        "email": None,
        "sourceIdentifier": None,
        "app": None,
        "currentTotalPriceSet": bag("44.0"),
        "currentShippingPriceSet": bag("4.0"),
        "shippingAddress": POSTAL | {"countryCodeV2": "CA", "phone": "+1 416 555 0199"},
        "lineItems": {"nodes": [line(1, mirakl="L1"), line(2, mirakl="L2"), line(3)], "pageInfo": no_more()},
        "fulfillmentOrders": {"nodes": [to_ship(5, (1, 2), (2, 2), (3, 2))], "pageInfo": no_more()},
        "fulfillments": [],
        "refunds": [],
    } | changes


def shipment(number: int, status: str, *lines: tuple[int, int], tracking: Any = ()) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Fulfillment/{number}",
        "status": status,
        "displayStatus": "FULFILLED",
        "createdAt": "2026-11-20T09:10:00Z",
        "location": {"id": "gid://shopify/Location/1"},
        "trackingInfo": list(tracking),
        "fulfillmentLineItems": {
            "nodes": [
                {"quantity": count, "lineItem": {"id": f"gid://shopify/LineItem/{line_id}"}}
                for line_id, count in lines
            ],
            "pageInfo": no_more(),
        },
    }


def refund(number: int, transactions: list[tuple[str, str, str]], *lines: tuple[int, int]) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Refund/{number}",
        "createdAt": None,
        "refundLineItems": {
            "nodes": [
                {"quantity": count, "lineItem": {"id": f"gid://shopify/LineItem/{line_id}"}}
                for line_id, count in lines
            ],
            "pageInfo": no_more(),
        },
        "transactions": {
            "nodes": [
                {"kind": kind, "status": status, "amountSet": bag(amount)}
                for kind, status, amount in transactions
            ],
            "pageInfo": no_more(),
        },
    }

"""Webhook bodies in the shapes of reference 9.4: REST-like, numeric ids, money as text."""

from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from interlock.simulator.shopify.money import Bag, payload_amount
from interlock.simulator.shopify.state import (
    Address,
    App,
    Draft,
    Fulfillment,
    FulfillmentOrder,
    Hold,
    Level,
    LineItem,
    Location,
    MerchantRequest,
    Order,
    Refund,
    Shop,
    TaxLine,
    Transaction,
)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def moment(at: datetime | None, shop: Shop) -> str | None:
    """Payload times carry the shop's own offset."""
    return None if at is None else at.astimezone(_zone(shop.timezone)).isoformat(timespec="seconds")


def money_set(bag: Bag) -> dict[str, Any]:
    return {
        "shop_money": {
            "amount": payload_amount(bag.shop.amount, bag.shop.currency),
            "currency_code": bag.shop.currency,
        },
        "presentment_money": {
            "amount": payload_amount(bag.presentment.amount, bag.presentment.currency),
            "currency_code": bag.presentment.currency,
        },
    }


def address(value: Address | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {
        "first_name": value.first_name,
        "last_name": value.last_name,
        "company": value.company,
        "address1": value.address1,
        "address2": value.address2,
        "city": value.city,
        "province": value.province,
        "province_code": value.province_code,
        "zip": value.zip,
        "country_code": value.country_code,
        "phone": value.phone,
        "name": value.name,
    }


def _taxes(order_: Order, taxes: list[TaxLine]) -> list[dict[str, Any]]:
    return [
        {
            "title": tax.title,
            "rate": float(tax.rate),
            "price": payload_amount(tax.amount, order_.presentment_currency),
            "price_set": money_set(order_.bag(tax.amount)),
            "channel_liable": tax.channel_liable,
        }
        for tax in taxes
    ]


def line_item(line: LineItem) -> dict[str, Any]:
    held = line.held_quantity()
    variant = line.variant
    if line.unfulfilled_quantity == 0 and line.fulfilled:
        status: str | None = "fulfilled"
    else:
        status = "partial" if line.fulfilled else None
    return {
        "id": line.number,
        "admin_graphql_api_id": line.gid,
        "quantity": line.quantity,
        "current_quantity": line.current_quantity,
        "fulfillable_quantity": max(0, line.unfulfilled_quantity - held),
        "fulfillment_status": status,
        "fulfillment_service": "manual",
        "sku": line.sku,
        "name": line.name,
        "title": line.title,
        "variant_title": line.variant_title,
        "variant_id": None if variant is None or variant.deleted else variant.number,
        "product_id": None if variant is None or variant.deleted else variant.product_number,
        "product_exists": variant is not None and not variant.deleted,
        "requires_shipping": line.requires_shipping,
        "taxable": line.taxable,
        "gift_card": line.gift_card,
        "grams": 0,
        "price": payload_amount(line.unit_price, line.order.presentment_currency),
        "price_set": money_set(line.order.bag(line.unit_price)),
        "total_discount_set": money_set(line.order.bag(line.discount_per_unit * line.quantity)),
        "discount_allocations": [],
        "tax_lines": _taxes(line.order, line.taxes),
        "duties": [],
        "properties": [{"name": name, "value": value} for name, value in line.attributes],
        "vendor": line.vendor,
        "attributed_staffs": [],
    }


def _transaction(value: Transaction, order_: Order) -> dict[str, Any]:
    return {
        "id": value.number,
        "admin_graphql_api_id": value.gid,
        "order_id": order_.number,
        "kind": value.kind.lower(),
        "status": value.status.lower(),
        "amount": payload_amount(value.amount, order_.presentment_currency),
        "currency": order_.presentment_currency,
        "gateway": value.gateway,
        "parent_id": None if value.parent is None else value.parent.number,
        "processed_at": moment(value.at, order_.shop),
        "test": value.test,
        "error_code": None,
        "message": None,
    }


def refund(value: Refund) -> dict[str, Any]:
    """refunds/create."""
    order_ = value.order
    lines = [
        {
            "id": item.number,
            "quantity": item.quantity,
            "line_item_id": item.line.number,
            "location_id": None if item.location is None else item.location.number,
            "restock_type": item.restock_type.lower(),
            "subtotal_set": money_set(order_.bag(item.subtotal)),
            "total_tax_set": money_set(order_.bag(item.tax)),
            "line_item": line_item(item.line),
        }
        for item in value.lines
    ]
    adjustments = []
    if value.adjustment:
        adjustments.append(
            {
                "id": value.number + 1,
                "kind": "refund_discrepancy",
                "reason": value.adjustment_reason,
                "amount_set": money_set(order_.bag(value.adjustment)),
                "refund_id": value.number,
                "order_id": order_.number,
            }
        )
    return {
        "id": value.number,
        "admin_graphql_api_id": value.gid,
        "order_id": order_.number,
        "created_at": moment(value.at, order_.shop),
        "processed_at": moment(value.at, order_.shop),
        "note": value.note,
        "user_id": None if value.staff is None else value.staff.number,
        "restock": any(item.restocked for item in value.lines),
        "duties": [],
        "return": None,
        "refund_shipping_lines": [],
        "order_adjustments": adjustments,
        "refund_line_items": lines,
        "transactions": [_transaction(item, order_) for item in value.transactions],
    }


def fulfillment(value: Fulfillment) -> dict[str, Any]:
    """fulfillments/create and /update."""
    numbers = [item.number for item in value.tracking if item.number]
    urls = [item.url for item in value.tracking if item.url]
    return {
        "id": value.number,
        "admin_graphql_api_id": value.gid,
        "order_id": value.order.number,
        "name": f"{value.order.name}.{value.order.fulfillments.index(value) + 1}",
        "status": value.status.lower(),
        "shipment_status": None,
        "service": "manual",
        "tracking_company": value.tracking[0].company if value.tracking else None,
        "tracking_number": numbers[0] if numbers else None,
        "tracking_numbers": numbers,
        "tracking_url": urls[0] if urls else None,
        "tracking_urls": urls,
        "location_id": value.location.number,
        "line_items": [{**line_item(item.line), "quantity": item.quantity} for item in value.lines],
        "created_at": moment(value.created_at, value.order.shop),
        "updated_at": moment(value.updated_at, value.order.shop),
    }


_FULFILLMENT_STATUS = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}


def order(value: Order) -> dict[str, Any]:
    """orders/create, updated, cancelled, paid: one shape. Level-2 personal data included, as for an approved app."""
    shop = value.shop
    financial = value.financial_status
    return {
        "id": value.number,
        "admin_graphql_api_id": value.gid,
        "name": value.name,
        "number": value.sequence - 1000,
        "order_number": value.sequence,
        "app_id": None if value.app is None else value.app.number,
        "source_name": value.source_name,
        "source_identifier": value.source_identifier,
        "source_url": value.source_url,
        "po_number": value.po_number,
        "note": value.note,
        "note_attributes": [{"name": key, "value": text} for key, text in value.attributes],
        "tags": ", ".join(sorted(value.tags)),
        "test": value.test,
        "confirmed": True,
        "cancelled_at": moment(value.cancelled_at, shop),
        "cancel_reason": None if value.cancel_reason is None else value.cancel_reason.lower(),
        "closed_at": moment(value.closed_at, shop),
        "created_at": moment(value.created_at, shop),
        "updated_at": moment(value.updated_at, shop),
        "processed_at": moment(value.processed_at, shop),
        "currency": value.currency,
        "presentment_currency": value.presentment_currency,
        "financial_status": None if financial is None else financial.lower(),
        "fulfillment_status": _FULFILLMENT_STATUS.get(value.fulfillment_status),
        "current_total_price_set": money_set(value.bag(value.total(current=True))),
        "current_subtotal_price_set": money_set(value.bag(value.subtotal(current=True))),
        "current_total_tax_set": money_set(value.bag(value.tax_total(current=True))),
        "current_shipping_price_set": money_set(value.bag(value.shipping_total())),
        "total_outstanding": payload_amount(value.bag(value.outstanding).shop.amount, value.currency),
        "total_price_set": money_set(value.bag(value.total(current=False))),
        "taxes_included": value.taxes_included,
        "email": value.email or "",
        "phone": value.phone,
        "shipping_address": address(value.shipping_address),
        "billing_address": address(value.billing_address),
        "payment_gateway_names": list(dict.fromkeys(item.gateway for item in value.transactions)),
        "user_id": None if value.created_by.staff is None else value.created_by.staff.number,
        "line_items": [line_item(item) for item in value.lines],
        "shipping_lines": [
            {
                "id": item.number,
                "title": item.title,
                "code": item.code,
                "source": item.source,
                "price_set": money_set(value.bag(item.price)),
                "is_removed": item.removed,
                "tax_lines": _taxes(value, item.taxes),
            }
            for item in value.shipping_lines
        ],
        "refunds": [refund(item) for item in value.refunds],
        "fulfillments": [fulfillment(item) for item in value.fulfillments],
        "returns": [],
        "discount_applications": [],
    }


def order_edit(
    value: Order,
    *,
    number: int,
    app: App | None,
    staff_number: int | None,
    begun_at: datetime,
    committed_at: datetime,
    notify: bool,
    note: str | None,
    additions: list[tuple[int, int]],
    removals: list[tuple[int, int]],
    discounts: list[dict[str, Any]],
) -> dict[str, Any]:
    """orders/edited: deltas only, positive in both lists; no SKU, price or name."""
    return {
        "order_edit": {
            "id": number,
            "order_id": value.number,
            "app_id": None if app is None else app.number,
            "user_id": staff_number,
            "created_at": moment(begun_at, value.shop),
            "committed_at": moment(committed_at, value.shop),
            "notify_customer": notify,
            "staff_note": note or "",
            "line_items": {
                "additions": [{"id": line, "delta": delta} for line, delta in additions],
                "removals": [{"id": line, "delta": delta} for line, delta in removals],
            },
            "discounts": {"line_item": {"additions": discounts, "removals": []}},
            "shipping_lines": {"additions": [], "removals": []},
        }
    }


def _hold(value: Hold, receiver: App | None) -> dict[str, Any]:
    return {
        "id": value.gid,
        "handle": value.handle or None,
        "reason": value.reason.lower(),
        "reason_notes": value.notes,
        "held_by_requesting_app": value.app is not None and value.app is receiver,
        "held_by_app": None if value.app is None else {"id": value.app.gid},
    }


def placed_on_hold(
    value: FulfillmentOrder, created: Hold, receiver: App | None, rest: FulfillmentOrder | None
) -> dict[str, Any]:
    """fulfillment_orders/placed_on_hold; carries the order id only in `remaining_fulfillment_order`."""
    return {
        "fulfillment_order": {
            "id": value.gid,
            "status": value.status.lower(),
            "fulfillment_holds": [_hold(item, receiver) for item in value.holds],
        },
        "created_fulfillment_hold": _hold(created, receiver),
        "held_fulfillment_order_line_items": [
            {"id": item.gid, "quantity": item.remaining} for item in value.lines if item.remaining
        ],
        "remaining_fulfillment_order": None
        if rest is None
        else {"id": rest.number, "order_id": rest.order.number, "status": rest.status.lower()},
    }


def fulfillment_order(value: FulfillmentOrder) -> dict[str, Any]:
    """hold_released, order_routing_complete, cancelled: `{id, status}` and nothing else."""
    return {"fulfillment_order": {"id": value.gid, "status": value.status.lower()}}


def _requested(value: FulfillmentOrder, now: datetime) -> dict[str, Any]:
    return {
        "id": value.gid,
        "status": value.status.lower(),
        "request_status": value.request_status(now).lower(),
    }


def _merchant_request(value: MerchantRequest) -> dict[str, Any]:
    return {"id": value.gid, "message": value.message}


def fulfillment_request_submitted(value: FulfillmentOrder, asked: MerchantRequest) -> dict[str, Any]:
    """The whole fulfilment order was submitted, so original and submitted are one."""
    shown = _requested(value, asked.sent_at)
    return {
        "original_fulfillment_order": shown,
        "submitted_fulfillment_order": shown,
        "fulfillment_order_merchant_request": _merchant_request(asked),
    }


def cancellation_request_submitted(value: FulfillmentOrder, asked: MerchantRequest) -> dict[str, Any]:
    return {
        "fulfillment_order": _requested(value, asked.sent_at),
        "fulfillment_order_merchant_request": _merchant_request(asked),
    }


def request_answered(value: FulfillmentOrder, now: datetime) -> dict[str, Any]:
    """fulfillment_request_accepted, _rejected, cancellation_request_accepted, _rejected."""
    return {"fulfillment_order": _requested(value, now), "message": ""}


def _with_order(value: FulfillmentOrder) -> dict[str, Any]:
    return {"id": value.number, "order_id": value.order.number, "status": value.status.lower()}


def fulfillment_order_split(value: FulfillmentOrder, made: FulfillmentOrder) -> dict[str, Any]:
    return {
        "fulfillment_order": {"id": value.gid, "status": value.status.lower()},
        "remaining_fulfillment_order": _with_order(made),
        "replacement_fulfillment_order": None,
        "split_line_items": [{"id": item.gid, "quantity": item.remaining} for item in made.lines],
    }


def fulfillment_order_moved(
    value: FulfillmentOrder, moved: FulfillmentOrder, source: Location
) -> dict[str, Any]:
    def shown(order: FulfillmentOrder) -> dict[str, Any]:
        return {
            "id": order.gid,
            "status": order.status.lower(),
            "assigned_location_id": order.location.gid,
        }

    return {
        "original_fulfillment_order": shown(value),
        "moved_fulfillment_order": shown(moved),
        "destination_location_id": moved.location.gid,
        "source_location": {"id": source.gid},
        "fulfillment_order_line_items_requested": [],
    }


def fulfillment_orders_merged(value: FulfillmentOrder, merged: list[FulfillmentOrder]) -> dict[str, Any]:
    return {
        "fulfillment_order_merges": {"fulfillment_order": {"id": value.gid, "status": value.status.lower()}},
        "merge_intents": [{"fulfillment_order_id": item.gid} for item in merged],
    }


def fulfillment_order_rescheduled(value: FulfillmentOrder) -> dict[str, Any]:
    at = moment(value.scheduled_for, value.order.shop)
    return {"fulfillment_order": {"id": value.gid, "status": value.status.lower(), "fulfill_at": at}}


def fulfillment_order_progress(value: FulfillmentOrder, before: str) -> dict[str, Any]:
    return {
        "fulfillment_order": {"id": value.gid, "status": value.status.lower()},
        "initial_status": before.lower(),
    }


def hold_event(value: FulfillmentOrder, hold: Hold, receiver: App | None) -> dict[str, Any]:
    """fulfillment_holds/added and /released."""
    return {"fulfillment_order": {"id": value.gid}, "fulfillment_hold": _hold(hold, receiver)}


def inventory_level(value: Level, shop: Shop) -> dict[str, Any]:
    """inventory_levels/update and /connect."""
    return {
        "inventory_item_id": value.variant.item_number,
        "location_id": value.location.number,
        "available": value.available,
        "updated_at": moment(value.updated_at, shop),
        "admin_graphql_api_id": value.gid,
    }


def inventory_level_gone(value: Level) -> dict[str, Any]:
    """inventory_levels/disconnect: which item at which location, and no figure."""
    return {"inventory_item_id": value.variant.item_number, "location_id": value.location.number}


def draft(value: Draft) -> dict[str, Any]:
    """draft_orders/create, update: the fields an app needs to find the draft again."""
    return {
        "id": value.number,
        "admin_graphql_api_id": value.gid,
        "name": value.name,
        "status": value.status.lower(),
        "tags": ", ".join(sorted(value.tags)),
        "note": value.note,
        "note_attributes": [{"name": key, "value": text} for key, text in value.attributes],
        "order_id": None if value.order is None else value.order.number,
        "created_at": moment(value.created_at, value.shop),
        "updated_at": moment(value.updated_at, value.shop),
        "completed_at": moment(value.completed_at, value.shop),
    }


def shop(value: Shop) -> dict[str, Any]:
    """app/uninstalled: the shop; the token is already dead."""
    return {
        "id": value.number,
        "name": value.name,
        "myshopify_domain": value.domain,
        "currency": value.currency,
    }

"""Webhook deliveries: whether they come from the shop, and which order they are about. Nothing else is believed."""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from interlock.shopify.names import ORDER_ATTRIBUTE
from interlock.storage.text import storable_document

# Orders of several hundred lines stay below this; with our `includeFields` deliveries are a few hundred bytes.
MAX_BODY_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 40
_LONGEST_ID = 40
_LONGEST_MARKER = 300
_LONGEST_NAME = 100

Kind = Literal[
    "order", "edit", "cancel", "delete", "refund", "fulfillment", "gate", "inventory", "app", "privacy"
]


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: its name in the API, what it is about, where its ids stand in the payload (reference 9.4), and the
    fields we ask for, so that no personal data is delivered where Shopify lets us choose."""

    name: str
    kind: Kind
    order_at: tuple[str, ...] = ()
    fulfillment_order_at: tuple[str, ...] = ()
    include_fields: tuple[str, ...] = ()
    item_at: tuple[str, ...] = ()


# `note_attributes` tell whether an order we do not know carries our mark, and nothing else of them is read; `name` may
# continue the name of one of ours.
_ORDER_FIELDS = ("id", "admin_graphql_api_id", "updated_at", "name", "note_attributes")
_PART_FIELDS = ("id", "order_id", "created_at")
_GATE = ("fulfillment_order", "id")
_WHOLE = ("original_fulfillment_order", "id")
_MERGED = ("fulfillment_order_merges", "fulfillment_order", "id")


def _stock(name: str) -> Topic:
    """About one item at one location. The item is enough, as all its levels are read again; `inventory_levels/disconnect`
    tells no figure (reference 9.4)."""
    at = ("inventory_item_id",)
    return Topic(f"INVENTORY_LEVELS_{name}", "inventory", include_fields=at, item_at=at)


def _gate(name: str, at: tuple[str, ...] = _GATE) -> Topic:
    return Topic(f"FULFILLMENT_ORDERS_{name}", "gate", (), at)


# What we subscribe to, by the header's form of the topic.
TOPICS: dict[str, Topic] = {
    "orders/create": Topic("ORDERS_CREATE", "order", ("id",), (), _ORDER_FIELDS),
    "orders/updated": Topic("ORDERS_UPDATED", "order", ("id",), (), _ORDER_FIELDS),
    "orders/edited": Topic("ORDERS_EDITED", "edit", ("order_edit", "order_id")),
    "orders/cancelled": Topic("ORDERS_CANCELLED", "cancel", ("id",), (), _ORDER_FIELDS),
    "orders/delete": Topic("ORDERS_DELETE", "delete", ("id",)),
    "refunds/create": Topic("REFUNDS_CREATE", "refund", ("order_id",), (), _PART_FIELDS),
    "fulfillments/create": Topic("FULFILLMENTS_CREATE", "fulfillment", ("order_id",), (), _PART_FIELDS),
    "fulfillments/update": Topic("FULFILLMENTS_UPDATE", "fulfillment", ("order_id",), (), _PART_FIELDS),
    "fulfillment_orders/order_routing_complete": Topic(
        "FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE", "gate", (), _GATE
    ),
    "fulfillment_orders/placed_on_hold": Topic("FULFILLMENT_ORDERS_PLACED_ON_HOLD", "gate", (), _GATE),
    "fulfillment_orders/hold_released": Topic("FULFILLMENT_ORDERS_HOLD_RELEASED", "gate", (), _GATE),
    "fulfillment_orders/cancelled": Topic("FULFILLMENT_ORDERS_CANCELLED", "gate", (), _GATE),
    "fulfillment_orders/split": _gate("SPLIT"),
    "fulfillment_orders/merged": _gate("MERGED", _MERGED),
    "fulfillment_orders/moved": _gate("MOVED", _WHOLE),
    "fulfillment_orders/rescheduled": _gate("RESCHEDULED"),
    "fulfillment_orders/scheduled_fulfillment_order_ready": _gate("SCHEDULED_FULFILLMENT_ORDER_READY"),
    "fulfillment_orders/progress_reported": _gate("PROGRESS_REPORTED"),
    "fulfillment_orders/fulfillment_request_submitted": _gate("FULFILLMENT_REQUEST_SUBMITTED", _WHOLE),
    "fulfillment_orders/fulfillment_request_accepted": _gate("FULFILLMENT_REQUEST_ACCEPTED"),
    "fulfillment_orders/fulfillment_request_rejected": _gate("FULFILLMENT_REQUEST_REJECTED"),
    "fulfillment_orders/cancellation_request_accepted": _gate("CANCELLATION_REQUEST_ACCEPTED"),
    "fulfillment_orders/cancellation_request_rejected": _gate("CANCELLATION_REQUEST_REJECTED"),
    "fulfillment_holds/added": Topic("FULFILLMENT_HOLDS_ADDED", "gate", (), _GATE),
    "fulfillment_holds/released": Topic("FULFILLMENT_HOLDS_RELEASED", "gate", (), _GATE),
    "inventory_levels/update": _stock("UPDATE"),
    "inventory_levels/connect": _stock("CONNECT"),
    "inventory_levels/disconnect": _stock("DISCONNECT"),
    "app/uninstalled": Topic("APP_UNINSTALLED", "app"),
    "app/scopes_update": Topic("APP_SCOPES_UPDATE", "app"),
}
# Set up in the app's own configuration, not by subscription; every app has to take them.
PRIVACY_TOPICS = ("customers/data_request", "customers/redact", "shop/redact")

_GID = re.compile(r"gid://shopify/(Order|FulfillmentOrder|InventoryItem)/(\d{1,20})(\?.*)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,20}", re.ASCII)
_FRACTION = re.compile(r"(\.\d{6})\d+")


class UnreadableDelivery(ValueError):
    """A delivery that came from the shop cannot be understood. `field` names what was wrong: a header or a place in the
    body; the body's content is not repeated."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(
            f"The delivery's {field} {why}. No order was looked at because of it; "
            "the sweep will find the change if there was one."
        )
        self.field = field
        self.why = why


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a delivery hints at. `order_id` and `fulfillment_order_id` are GraphQL ids; for kind `gate` usually only the
    latter is known. `triggered_at` may be hours old: retries carry the original. `updated_at` is the order's, where
    the payload has it: a snapshot with a later one has seen this change. `marker` is our order attribute's value, empty
    without one, and `name` the order's. `item_id` is the inventory item whose stock changed."""

    topic: str
    shop: str
    webhook_id: str
    triggered_at: datetime | None
    order_id: str | None
    fulfillment_order_id: str | None
    kind: Kind
    updated_at: datetime | None = None
    marker: str = ""
    name: str = ""
    item_id: str = ""


def verify(raw: bytes, header: str, secrets: Sequence[bytes]) -> bool:
    """Whether `raw`, exactly as received, was signed with one of the app's secrets (X-Shopify-Hmac-Sha256, base64 of
    HMAC-SHA256). Every secret is tried, in constant time each: during a rotation the older one still signs."""
    try:
        given = base64.b64decode(header.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(given) != hashlib.sha256().digest_size:
        return False
    valid = False
    for secret in secrets:
        if secret:
            valid |= hmac.compare_digest(hmac.new(secret, raw, hashlib.sha256).digest(), given)
    return valid


def read_delivery(topic: str, shop: str, webhook_id: str, triggered_at: str, raw: bytes) -> Delivery:
    """What a verified delivery is about. Everything but `raw` comes from headers, and headers are not signed: the
    caller has checked that `shop` is one of its own. Raises UnreadableDelivery naming the field."""
    known = TOPICS.get(topic)
    if known is None and topic not in PRIVACY_TOPICS:
        raise UnreadableDelivery("X-Shopify-Topic", f"{topic[:80]!r} is not a topic we subscribe to")
    if not webhook_id or len(webhook_id) > 200 or not webhook_id.isprintable():
        raise UnreadableDelivery("X-Shopify-Webhook-Id", "is missing or not an id")
    triggered = _moment(triggered_at)
    if len(raw) > MAX_BODY_BYTES:
        raise UnreadableDelivery("body", f"is longer than {MAX_BODY_BYTES} bytes")
    document = _parsed(raw)
    if known is None:
        return Delivery(topic, shop, webhook_id, triggered, None, None, "privacy")
    order_id = _id_at(document, known.order_at, "Order") if known.order_at else None
    fulfillment_order_id = None
    if known.fulfillment_order_at:
        fulfillment_order_id = _id_at(document, known.fulfillment_order_at, "FulfillmentOrder")
        order_id = _order_of_rest(document)
    whole = known.include_fields == _ORDER_FIELDS
    updated_at = _updated_at(document) if whole else None
    marker, name = (_marker(document), _name(document)) if whole else ("", "")
    return Delivery(
        topic,
        shop,
        webhook_id,
        triggered,
        order_id,
        fulfillment_order_id,
        known.kind,
        updated_at,
        marker,
        name,
        _id_at(document, known.item_at, "InventoryItem") if known.item_at else "",
    )


def _parsed(raw: bytes) -> Mapping[str, Any]:
    try:
        document = storable_document(json.loads(raw), raw)
    except UnicodeDecodeError:
        raise UnreadableDelivery("body", "is not UTF-8") from None
    except RecursionError:
        raise UnreadableDelivery("body", f"is nested more than {MAX_DEPTH} deep") from None
    except ValueError:
        raise UnreadableDelivery("body", "is not JSON") from None
    if not isinstance(document, dict):
        raise UnreadableDelivery("body", "is not a JSON object")
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value)
            if isinstance(item, dict | list)
        ]
        if not level:
            return document
    raise UnreadableDelivery("body", f"is nested more than {MAX_DEPTH} deep")


def _id_at(document: Mapping[str, Any], path: tuple[str, ...], kind: str) -> str:
    """The GraphQL id at `path`: given as such, or as the number it ends with."""
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    where = ".".join(path)
    if value is None:
        raise UnreadableDelivery(where, "is missing")
    found = _gid(value, kind)
    if found is None:
        raise UnreadableDelivery(where, f"is not the id of a {kind}")
    return found


def _order_of_rest(document: Mapping[str, Any]) -> str | None:
    """Partial holds carry a further fulfillment order in the older shape, which names its order (reference 9.4)."""
    rest = document.get("remaining_fulfillment_order")
    return _gid(rest.get("order_id"), "Order") if isinstance(rest, Mapping) else None


def _gid(value: Any, kind: str) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        text = str(value) if 0 < value < 10**20 else ""
    else:
        text = value if isinstance(value, str) and len(value) <= _LONGEST_ID + 60 else ""
    if _NUMBER.fullmatch(text) and int(text) > 0:
        return f"gid://shopify/{kind}/{text}"
    match = _GID.fullmatch(text)
    return text if match is not None and match.group(1) == kind else None


def _marker(document: Mapping[str, Any]) -> str:
    """Our order attribute among the order's `note_attributes`; empty where it is missing or odd."""
    attributes = document.get("note_attributes")
    for item in attributes if isinstance(attributes, list) else ():
        if isinstance(item, Mapping) and item.get("name") == ORDER_ATTRIBUTE:
            value = item.get("value")
            return value if isinstance(value, str) and len(value) <= _LONGEST_MARKER else ""
    return ""


def _name(document: Mapping[str, Any]) -> str:
    """The order's name; empty where it is missing or odd."""
    name = document.get("name")
    return name if isinstance(name, str) and len(name) <= _LONGEST_NAME else ""


def _updated_at(document: Mapping[str, Any]) -> datetime | None:
    """The order's own time of change; None where it is missing or odd, so that the order is looked at in any case."""
    value = document.get("updated_at")
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _moment(header: str) -> datetime | None:
    """X-Shopify-Triggered-At (RFC 3339, up to nanoseconds) in UTC; None when the header is missing."""
    if not header:
        return None
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r"\1", header))
        # The first and the last hours there are have no counterpart in UTC.
        in_utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableDelivery("X-Shopify-Triggered-At", "is not a moment") from None
    if moment.tzinfo is None:
        raise UnreadableDelivery("X-Shopify-Triggered-At", "has no zone")
    return in_utc

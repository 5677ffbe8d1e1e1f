"""Who changed a Shopify order, with which app, and what its variants cost: read once per change, kept beside the order."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from interlock.orders.snapshots import ShopifyOrder

OURSELVES = "Interlock"
STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change of a Shopify order (Order.agreements, Shopify reference 6.3).

    `by` is `Interlock`, an app's title, or `staff`, who are never named. `kind` is ORDER (it was placed), ORDER_EDIT,
    REFUND or RETURN. `lines` are (Shopify line id, units): added units are positive, removed or refunded ones negative,
    and 0 means that only the line's price changed.
    """

    id: str
    at: datetime
    by: str
    kind: str
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class VariantPrice:
    """What the shop asks for one unit of a variant today (ProductVariant.price), in the shop's currency.
    `taxes_included` says whether the shop's prices contain taxes (Shop.taxesIncluded)."""

    variant_id: str
    price: Decimal
    currency: str
    taxes_included: bool


@dataclass(frozen=True, slots=True)
class History:
    """What was read of one Shopify order when its content last changed. `content` is `content_of` at that time."""

    shopify_order_id: str
    content: str
    changes: tuple[Change, ...] = ()
    prices: tuple[VariantPrice, ...] = ()


def content_of(order: ShopifyOrder) -> str:
    """A digest (32 hexadecimal digits) of what agreements tell about: lines, quantities, prices, shipping, refunds."""
    told = hashlib.blake2b(digest_size=16)
    for line in order.lines:
        told.update(f"{line.id} {line.current_quantity} {line.unit_price} {line.variant_id}\n".encode())
    told.update(f"{order.shipping_total} {order.cancelled_at}\n".encode())
    for refund in order.refunds:
        told.update(f"{refund.id} {refund.money}\n".encode())
    return told.hexdigest()


def never_changed(order: ShopifyOrder) -> bool:
    """Whether the order stands as it was placed, so that there is nothing to read about it."""
    return not order.edited and not order.refunds and order.cancelled_at is None

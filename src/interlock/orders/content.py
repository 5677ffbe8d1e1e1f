"""What an edit can change of a Shopify order, as one fingerprint."""

import hashlib
from decimal import Decimal

from interlock.orders.snapshots import ShopifyOrder


def content_of(shopify: ShopifyOrder) -> str:
    """A digest of what an edit can change: quantities, prices, SKUs, shipping charge, address with telephone
    number, cancelation."""
    parts = [
        f"{line.id} {line.sku} {line.current_quantity} {_plain(line.unit_price)}" for line in shopify.lines
    ]
    address = shopify.address
    parts += [_plain(shopify.shipping_total), address.digest, address.contact, str(shopify.live)]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def _plain(amount: Decimal) -> str:
    """The amount without trailing zeros, which platforms add and drop at will."""
    return format(amount.normalize(), "f")

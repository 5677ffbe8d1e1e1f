"""The names under which Interlock's marks stand in Shopify: metafield, attributes and tags."""

import hashlib

MARKER_NAMESPACE = "$app"
MARKER_KEY = "mirakl_order_id"
# The same value without being unique: it stays on every order that ever stood for the marketplace order.
LINEAGE_KEY = "mirakl_lineage"
INSTANCE_KEY = "instance_mark"
# Where the order stands, for staff and for Shopify Flow.
STATUS_KEY = "order_status"
ORDER_ATTRIBUTE = "mirakl_order_id"
# Where the customer fetches the parcel: the label has to be made for that point.
PICKUP_ATTRIBUTE = "Pick-up point"
# The marketplace's code of the shipping method (SH12): the shipping line of a draft has no place for it.
METHOD_ATTRIBUTE = "Shipping method"
OWN_ATTRIBUTES = (ORDER_ATTRIBUTE, PICKUP_ATTRIBUTE, METHOD_ATTRIBUTE)
LINE_ATTRIBUTE = "_mirakl_line_id"
TAXES_ATTRIBUTE = "_mirakl_taxes"
TAG = "mirakl"
ORDER_TAG = "mirakl-order:"
# How long a tag of an order may be is not documented; up to this length it is safe (reference 15.14).
LONGEST_TAG = 40


def order_tag(order_id: str) -> str:
    """The tag under which a draft or order of this Mirakl order is searched: `mirakl-order:<order id>`."""
    return _short(ORDER_TAG, order_id)


def order_tags(connection: str, order_id: str) -> tuple[str, ...]:
    """Every tag of ours: for all marketplaces, for this connection, for this order."""
    return (TAG, _short("mirakl:", connection), order_tag(order_id))


def _short(prefix: str, value: str) -> str:
    """`prefix` and `value`, or a digest of the value where both would be too long or would not be one tag (Shopify
    takes a comma for the end of a tag)."""
    tag = prefix + value
    if len(tag) <= LONGEST_TAG and "," not in value and value == value.strip():
        return tag
    room = LONGEST_TAG - len(prefix)
    return prefix + hashlib.sha256(value.encode()).hexdigest()[:room]

"""What a Shopify order says to staff about where it stands: the words, and the tag they make."""

from enum import StrEnum

from interlock.orders.snapshots import ShopifyOrder

TAG_PREFIX = "Interlock: "


class ShownStatus(StrEnum):
    """Everything an order may say. None of it is about a person, and with the prefix none is longer than a tag may be
    (40 characters are safe, Shopify reference 15.14)."""

    IN_SYNC = "in sync"
    NEEDS_DECISION = "needs decision"
    NOT_ACCEPTED = "held: not accepted yet"
    MARKETPLACE_WAITS = "held: marketplace not ready"
    ADDRESS_MISSING = "held: address missing"
    EDIT_ON_ITS_WAY = "held: edit on its way"
    EDIT_WINDOW = "held: edit window open"
    BEING_CHECKED = "held: being checked"
    REPLACED = "replaced"


def status_tag(status: str) -> str:
    """The tag that says this status."""
    return TAG_PREFIX + status


def status_tags(shopify: ShopifyOrder) -> tuple[str, ...]:
    """Every status tag on the order, ours or copied by an app from another order."""
    return tuple(tag for tag in shopify.tags if tag.casefold().startswith(TAG_PREFIX.casefold()))


def says_something(shopify: ShopifyOrder) -> bool:
    """Whether metafield or tags say anything of ours to staff."""
    return bool(shopify.status or status_tags(shopify))


def shows(shopify: ShopifyOrder, status: str) -> bool:
    """Whether metafield and tag both say this status, and no tag says another. Tags are unique ignoring case."""
    wanted = status_tag(status).casefold()
    return shopify.status == status and [tag.casefold() for tag in status_tags(shopify)] == [wanted]

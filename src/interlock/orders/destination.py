"""Where the parcel goes according to each side, and whether that is agreed: addresses are compared as digests."""

from dataclasses import replace

from interlock.orders.memory import Memory
from interlock.orders.snapshots import MiraklOrder, ShopifyOrder


def is_same(mirakl: MiraklOrder, shopify: ShopifyOrder) -> bool:
    """Whether both sides show the same complete address now."""
    return mirakl.address.complete and mirakl.address.digest == shopify.address.digest


def moved_there(mirakl: MiraklOrder, memory: Memory) -> bool:
    """Whether the marketplace names another address than the one of its own that was agreed last. An address it hides,
    or shows in part only, is no other address."""
    there = mirakl.address
    return there.complete and bool(memory.agreed_address) and there.digest != memory.agreed_address


def moved_here(shopify: ShopifyOrder, memory: Memory) -> bool:
    """Whether the Shopify order shows another address than the one of its own that was agreed last."""
    agreed = memory.agreed_address_here or memory.agreed_address
    here = shopify.address.digest
    return bool(here) and bool(agreed) and here != agreed


def has_another_contact(mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory) -> bool:
    """Whether somebody changed the telephone number of the Shopify order's address alone. Shopify is compared with its own
    past; a number it does not show says nothing (it may be hidden from the app), and one the marketplace gives as well is
    agreed."""
    here = shopify.address
    return (
        bool(here.contact)
        and bool(memory.agreed_contact)
        and here.digest == memory.contact_of
        and here.contact not in (memory.agreed_contact, mirakl.address.contact)
    )


def with_contact(mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory) -> Memory:
    """The memory with the telephone number that goes with an agreed address: the first one shown with it, or the one both
    sides show now."""
    here = shopify.address
    new = not memory.agreed_contact or here.digest != memory.contact_of
    if (
        here.contact
        and is_agreed(mirakl, shopify, memory)
        and (new or here.contact == mirakl.address.contact)
    ):
        return replace(memory, agreed_contact=here.contact, contact_of=here.digest)
    return memory


def is_agreed(mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory) -> bool:
    """Whether both addresses are the same, or a person said that exactly these two stand."""
    decided = memory.agreed_address_here == shopify.address.digest and bool(memory.agreed_address_here)
    return is_same(mirakl, shopify) or (decided and memory.agreed_address == mirakl.address.digest)

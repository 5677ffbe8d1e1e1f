"""Which Shopify order an import of unclear outcome has made, among those that already told us of themselves."""

from collections.abc import Sequence

from interlock.orders.memory import Memory
from interlock.orders.snapshots import OPEN_DRAFT, Draft, ShopifyOrder


def made_for(marker: str, noted: Sequence[ShopifyOrder]) -> ShopifyOrder | None:
    """The order that the import made, if it is among those noted as pointing to this sale; None while it is not.

    Its own `id` metafield says so, `<connection>:<Mirakl order id>`, which is unique in the shop and written by our app
    alone: the very evidence of the look-up by it (orderByIdentifier), which may be minutes behind (Shopify reference
    5.5), while a read by id is not. Our attribute, our tag or a name prove nothing here, as a copy carries them too: such
    an order beside the one that is found is judged as a twin or a replacement.
    """
    return next((order for order in noted if order.marker == marker), None)


def that_count(drafts: Sequence[Draft], memory: Memory) -> tuple[Draft, ...]:
    """The drafts that may still become this sale's order, have become it, or are to be deleted: not one that was given up
    because it was completed and no order came of it."""
    return tuple(
        draft
        for draft in drafts
        if draft.order_id or draft.status in OPEN_DRAFT or draft.id not in memory.drafts_gone
    )

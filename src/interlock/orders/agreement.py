"""What the two sides agree on per Mirakl line, and what Shopify shows instead: quantities, nothing else."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from interlock.orders.memory import LineLink, Memory, OrderedLine
from interlock.orders.money import rounded
from interlock.orders.shares import sum_of
from interlock.orders.snapshots import DEAD, MiraklLine, MiraklOrder, ShopifyLine, ShopifyOrder

Quantities = tuple[tuple[str, int], ...]


def as_ordered(mirakl: MiraklOrder) -> tuple[OrderedLine, ...]:
    """What was sold on each line before any cancelation, as far as one snapshot can tell: for the first sight.

    Nobody documents whether a line's `quantity` and `price` shrink with its cancelations (OR11, OR30). Where they
    have shrunk, what was cancelled is put back; otherwise they are taken as they stand. In doubt (see
    `is_doubtful`) that can only make the agreed quantity too low, never too high.
    """
    shrunk = _reading(mirakl) == "shrunk"
    return tuple(_ordered(line, shrunk, mirakl.currency) for line in mirakl.lines)


def is_doubtful(mirakl: MiraklOrder) -> bool:
    """Whether the snapshot cannot tell how many units its cancelations have left: nothing may be imported from it."""
    return _reading(mirakl) == "doubtful"


def _reading(mirakl: MiraklOrder) -> Literal["whole", "shrunk", "doubtful"]:
    """How this marketplace shows lines that were cancelled in part, told from one order.

    Nobody can have cancelled more units than a line that did not shrink shows. Otherwise the order's `total_price`
    (prices, shipping and fees; known to be net of cancelations) adds up in one of the two readings only.
    """
    alive = [line for line in mirakl.lines if line.state not in DEAD]
    taken = sum(
        (c.amount + c.shipping_amount + sum_of(c.fees) for line in alive for c in line.cancelations),
        Decimal(0),
    )
    if any(sum(c.quantity for c in line.cancelations) > line.quantity for line in alive):
        return "shrunk"
    if taken <= 0:
        return "whole"
    shown = sum((line.price + line.shipping_price + sum_of(line.fees) for line in alive), Decimal(0))
    if shown - taken == mirakl.total_price:
        return "whole"
    return "shrunk" if shown == mirakl.total_price else "doubtful"


def _ordered(line: MiraklLine, shrunk: bool, currency: str) -> OrderedLine:
    quantity, price, shipping = line.quantity, line.price, line.shipping_price
    if shrunk:
        price += sum((c.amount for c in line.cancelations), Decimal(0))
        shipping += sum((c.shipping_amount for c in line.cancelations), Decimal(0))
        # Some marketplaces may shrink the price only: then the full price already matches the quantity.
        if rounded(line.price_unit * quantity, currency) != rounded(price, currency):
            quantity += sum(c.quantity for c in line.cancelations)
    return OrderedLine(
        line_id=line.id,
        sku=line.sku,
        title=line.title,
        quantity=quantity,
        price_unit=line.price_unit,
        price=price,
        shipping_price=shipping,
        taxes=line.taxes,
        shipping_taxes=line.shipping_taxes,
        fees=line.fees,
    )


def ordered_of(mirakl: MiraklOrder, memory: Memory) -> tuple[OrderedLine, ...]:
    """The sold lines: as remembered from first sight, else as this snapshot tells. One per Mirakl line."""
    known = {line.line_id: line for line in memory.ordered}
    if all(line.id in known for line in mirakl.lines):
        return tuple(known[line.id] for line in mirakl.lines)
    return tuple(known.get(line.line_id, line) for line in as_ordered(mirakl))


def agreed_quantities(mirakl: MiraklOrder, memory: Memory) -> Quantities:
    """Units per Mirakl line that the marketplace agrees to: ordered − cancelled − withdrawn, never below 0.

    A REFUSED or CANCELED line counts 0. A cancelation of quantity 0 took money only. What the marketplace shows
    as the line's quantity after a cancelation does not matter, because it starts from what was first seen.
    """
    agreed = []
    for line, ordered in zip(mirakl.lines, ordered_of(mirakl, memory), strict=True):
        if line.state in DEAD or mirakl.state in DEAD:
            agreed.append((line.id, 0))
            continue
        cancelled = sum(c.quantity for c in line.cancelations)
        withdrawn = sum(w.quantity for w in memory.withdrawn if w.line_id == line.id)
        agreed.append((line.id, max(0, ordered.quantity - cancelled - withdrawn)))
    return tuple(agreed)


def refunded_in_full(mirakl: MiraklOrder) -> bool:
    """Whether the marketplace has refunded every line that neither ended nor was cancelled."""
    alive = [line for line in mirakl.lines if line.state not in DEAD]
    return bool(alive) and all(
        line.state == "REFUNDED"
        or sum((refund.amount for refund in line.refunds), Decimal(0))
        >= line.price - sum((c.amount for c in line.cancelations), Decimal(0))
        > 0
        for line in alive
    )


def link_of(line: ShopifyLine, memory: Memory) -> LineLink | None:
    """The remembered link of a Shopify line, if any."""
    for link in memory.links:
        if link.shopify_line_id == line.id:
            return link
    return None


def mirakl_line_id_of(line: ShopifyLine, memory: Memory) -> str:
    """The Mirakl line a Shopify line stands for: by remembered link, else by its own attribute; empty for none."""
    link = link_of(line, memory)
    return link.mirakl_line_id if link is not None else line.mirakl_line_id


def shopify_quantities(shopify: ShopifyOrder, memory: Memory) -> Quantities:
    """Units per Mirakl line that the customer is to get: `currentQuantity` of every Shopify line linked to it.

    Several Shopify lines may stand for one Mirakl line. Only lines that are linked appear, each Mirakl line once.
    """
    return _sums((mirakl_line_id_of(line, memory), line.current_quantity) for line in shopify.lines)


def fulfilled_quantities(shopify: ShopifyOrder, memory: Memory) -> Quantities:
    """Units per Mirakl line in live Shopify fulfillments; each linked Mirakl line once."""
    return _sums((mirakl_line_id_of(line, memory), line.fulfilled_quantity) for line in shopify.lines)


def unlinked(shopify: ShopifyOrder, memory: Memory) -> tuple[ShopifyLine, ...]:
    """Shopify lines with units that stand for nothing the marketplace sold."""
    return tuple(
        line for line in shopify.lines if line.current_quantity > 0 and not mirakl_line_id_of(line, memory)
    )


def _sums(pairs: Iterable[tuple[str, int]]) -> Quantities:
    sums: dict[str, int] = {}
    for line_id, quantity in pairs:
        if line_id:
            sums[line_id] = sums.get(line_id, 0) + quantity
    return tuple(sums.items())

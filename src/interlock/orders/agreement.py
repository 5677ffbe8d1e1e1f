"""What the two sides agree on per Mirakl line, and what Shopify shows instead: quantities, nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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


def is_untaken(line: MiraklLine) -> bool:
    """Whether nothing was cancelled or refunded of the line, so that its figures are those of all its units."""
    return line.state not in DEAD and not line.cancelations and not line.refunds


def recalculated(line: MiraklLine, ordered: OrderedLine) -> OrderedLine:
    """The sold line with the figures the marketplace shows of it now."""
    return replace(
        ordered,
        price_unit=line.price_unit,
        price=line.price,
        shipping_price=line.shipping_price,
        taxes=line.taxes,
        shipping_taxes=line.shipping_taxes,
        fees=line.fees,
        recalculated=True,
    )


def as_sold(mirakl: MiraklOrder, memory: Memory) -> MiraklOrder:
    """The order with the figures last agreed instead of those recalculated since, for lines of which nothing was taken."""
    lines = []
    for line in mirakl.lines:
        ordered = memory.ordered_line(line.id)
        if ordered is not None and is_untaken(line):
            line = replace(
                line,
                price_unit=ordered.price_unit,
                price=ordered.price,
                shipping_price=ordered.shipping_price,
                taxes=ordered.taxes,
                shipping_taxes=ordered.shipping_taxes,
                fees=ordered.fees,
            )
        lines.append(line)
    return replace(mirakl, lines=tuple(lines))


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


def link_of(line: ShopifyLine, memory: Memory) -> LineLink | None:
    """The remembered link of a Shopify line, if any."""
    for link in memory.links:
        if link.shopify_line_id == line.id:
            return link
    return None


def one_more(
    line: ShopifyLine, mirakl_line_id: str, part: str, evidence: str, memory: Memory
) -> LineLink | None:
    """The link of a further Shopify line that stands for this Mirakl line too, of a bundle for this article of it. The price
    agreed for it is its own where a line of that kind has it, else the first one's. None where nothing is linked so."""
    alike = [link for link in memory.links if link.mirakl_line_id == mirakl_line_id and link.part == part]
    if not alike:
        return None
    first = next((link for link in alike if link.unit_price == line.unit_price), alike[0])
    return replace(first, shopify_line_id=line.id, evidence=evidence)


def mirakl_line_id_of(line: ShopifyLine, memory: Memory) -> str:
    """The Mirakl line a Shopify line stands for: by remembered link, else by its own attribute; empty for none, and for a
    line that names a bundle of which it is no article."""
    link = link_of(line, memory)
    if link is not None:
        return link.mirakl_line_id
    return "" if parts_of(line.mirakl_line_id, memory) else line.mirakl_line_id


def parts_of(mirakl_line_id: str, memory: Memory) -> dict[str, int]:
    """The articles of a Mirakl line that was imported as a bundle: how many of each variant are in one unit of it. Empty
    for any other line."""
    return {
        link.part: link.per_unit
        for link in memory.links
        if link.part and link.mirakl_line_id == mirakl_line_id
    }


def shopify_quantities(shopify: ShopifyOrder, memory: Memory) -> Quantities:
    """Units per Mirakl line that the customer is to get: `currentQuantity` of every Shopify line linked to it.

    Several Shopify lines may stand for one Mirakl line. Only lines that are linked appear, each Mirakl line once. Of a
    bundle only whole ones count: see `broken_bundles` for the rest.
    """
    return units_sold(((line, line.current_quantity) for line in shopify.lines), memory)


def fulfilled_quantities(shopify: ShopifyOrder, memory: Memory) -> Quantities:
    """Units per Mirakl line in live Shopify fulfillments; each linked Mirakl line once. A unit of a bundle has left once
    all its articles have."""
    return units_sold(((line, line.fulfilled_quantity) for line in shopify.lines), memory)


def standing_quantities(shopify: ShopifyOrder, memory: Memory) -> Quantities:
    """Units per Mirakl line that the customer has or is to get: what the Shopify order shows, and what has left although it
    was refunded since. Such units cannot be taken out again, so refunding them is money and no edit.

    What is still here of the same line counts along with them, as far as it was ordered: a unit added in place of one that
    left and was refunded is not more than what was sold.
    """
    shown, left = dict(shopify_quantities(shopify, memory)), dict(fulfilled_quantities(shopify, memory))
    to_come = dict(units_sold(((line, shopify.to_come(line)) for line in shopify.lines), memory))
    ordered = {line.line_id: line.quantity for line in memory.ordered}
    return tuple(
        (line_id, max(units, left.get(line_id, 0), min(to_come[line_id], ordered.get(line_id, 0))))
        for line_id, units in shown.items()
    )


def units_sold(counts: Iterable[tuple[ShopifyLine, int]], memory: Memory) -> Quantities:
    """Units per Mirakl line, given units of Shopify lines; what stands for nothing that was sold is left out. Articles of a
    bundle count as far as they make whole ones."""
    sums: dict[str, int] = {}
    articles: dict[str, dict[str, int]] = {}
    for line, count in counts:
        link = link_of(line, memory)
        line_id = mirakl_line_id_of(line, memory) if link is None else link.mirakl_line_id
        if not line_id:
            continue
        if link is not None and link.part:
            of_line = articles.setdefault(line_id, {})
            of_line[link.part] = of_line.get(link.part, 0) + count
            sums.setdefault(line_id, 0)
        else:
            sums[line_id] = sums.get(line_id, 0) + count
    for line_id, of_line in articles.items():
        sums[line_id] += whole_bundles(of_line, parts_of(line_id, memory))
    return tuple(sums.items())


def whole_bundles(articles: Mapping[str, int], parts: Mapping[str, int]) -> int:
    """How many whole bundles these units per variant make; `parts` is how many of each one bundle needs."""
    return min(articles.get(part, 0) // per_unit for part, per_unit in parts.items())


def beyond_return(mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory) -> tuple[OrderedLine, ...]:
    """Sold lines that are still agreed and that no order edit can bring back: all their units were removed, and Shopify names
    no variant to add (LineItem.variant is null for a custom line and for a product that was deleted)."""
    agreed, standing = dict(agreed_quantities(mirakl, memory)), dict(standing_quantities(shopify, memory))
    to_raise_or_add = {
        mirakl_line_id_of(line, memory)
        for line in shopify.lines
        if line.current_quantity > 0 or line.variant_id
    }
    return tuple(
        ordered
        for ordered in ordered_of(mirakl, memory)
        if agreed[ordered.line_id] > standing.get(ordered.line_id, 0)
        and ordered.line_id not in to_raise_or_add
        and not parts_of(ordered.line_id, memory)
    )


@dataclass(frozen=True, slots=True)
class BrokenBundle:
    """A bundle of which the Shopify order shows articles that make no whole one. `most` is the number of bundles that would
    be needed to hold all of them, `shown` are (SKU, units, units in one bundle)."""

    line_id: str
    whole: int
    most: int
    shown: tuple[tuple[str, int, int], ...]


def broken_bundles(shopify: ShopifyOrder, memory: Memory) -> tuple[BrokenBundle, ...]:
    """The bundles whose articles are not in step, by Mirakl line id. What has left counts also after it was refunded."""
    found = []
    skus = {part.variant_id: part.sku for bundle in memory.bundles for part in bundle.parts}
    for line_id in sorted({link.mirakl_line_id for link in memory.links if link.part}):
        parts = parts_of(line_id, memory)
        units = dict.fromkeys(parts, 0)
        for line in shopify.lines:
            link = link_of(line, memory)
            if link is not None and link.mirakl_line_id == line_id and link.part:
                units[link.part] += shopify.to_come(line)
        whole = whole_bundles(units, parts)
        most = max(-(-units[part] // per_unit) for part, per_unit in parts.items())
        if whole != most:
            shown = tuple((skus.get(part, part), units[part], per_unit) for part, per_unit in parts.items())
            found.append(BrokenBundle(line_id, whole, most, shown))
    return tuple(found)


def unlinked(shopify: ShopifyOrder, memory: Memory) -> tuple[ShopifyLine, ...]:
    """Shopify lines with units that stand for nothing the marketplace sold."""
    return tuple(
        line for line in shopify.lines if line.current_quantity > 0 and not mirakl_line_id_of(line, memory)
    )

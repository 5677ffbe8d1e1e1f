"""What differs between Shopify, what was agreed, and the marketplace: the comparison of three sides."""

from dataclasses import replace

from interlock.orders.agreement import (
    agreed_quantities,
    broken_bundles,
    fulfilled_quantities,
    is_untaken,
    link_of,
    mirakl_line_id_of,
    ordered_of,
    standing_quantities,
    unlinked,
)
from interlock.orders.destination import has_another_contact, is_same, moved_here, moved_there
from interlock.orders.differences import (
    AddressChanged,
    AddressMoved,
    BundleBroken,
    Difference,
    LineAdded,
    LineCancelled,
    LineRefunded,
    LineRefused,
    LineRemoved,
    PriceChanged,
    QuantityIncreased,
    QuantityReduced,
    ShippingChanged,
    SkuReplaced,
    TotalsRecalculated,
)
from interlock.orders.memory import Memory, OrderedLine
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import refund_subject, taken_so_far
from interlock.orders.snapshots import (
    GONE_OUT,
    TO_SHIP,
    Fee,
    MiraklLine,
    MiraklOrder,
    ShopifyOrder,
    Tax,
)
from interlock.orders.unasked import units_paid_for
from interlock.orders.view import View


def differences(view: View, memory: Memory) -> tuple[Difference, ...]:
    """Every way in which the live Shopify order differs from what was agreed, quantities first, by Mirakl line id: the
    same differences are the same value, in whatever order the platforms list their lines.

    Empty while one side is missing, before the Shopify order is linked, and once it is cancelled: the ending of
    a whole order is decided elsewhere.
    """
    mirakl, shopify = view.mirakl, view.shopify
    if mirakl is None or shopify is None or not shopify.live or not memory.shopify_order_id:
        return ()
    return (
        *_quantities(mirakl, shopify, memory),
        *_prices(shopify, memory),
        *_shipping(shopify, memory),
        *_address(mirakl, shopify, memory),
        *_refunded(mirakl, shopify, memory),
        *_recalculated(mirakl, memory),
    )


def _quantities(mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory) -> tuple[Difference, ...]:
    agreed = dict(agreed_quantities(mirakl, memory))
    standing = dict(standing_quantities(shopify, memory))
    settled = dict(memory.settled)
    refused = {line.id for line in mirakl.lines if line.state == "REFUSED"}
    broken = {bundle.line_id: bundle for bundle in broken_bundles(shopify, memory)}
    less: list[QuantityReduced | LineRemoved] = []
    more: list[QuantityIncreased | LineCancelled | LineRefused | BundleBroken] = []
    for line in sorted(ordered_of(mirakl, memory), key=lambda line: line.line_id):
        now = standing.get(line.line_id, 0)
        wanted = agreed[line.line_id]
        bundle = broken.get(line.line_id)
        if bundle is not None:
            before = settled.get(line.line_id, line.quantity)
            if now < wanted or (bundle.most > before and line.line_id not in refused):
                more.append(BundleBroken(line.line_id, line.sku, wanted, bundle.whole, bundle.shown))
                continue
            now = bundle.most  # the marketplace took units out; what is left of each article goes with them
        if 0 < now < wanted:
            less.append(QuantityReduced(line.line_id, line.sku, wanted, now))
        elif now < wanted:
            less.append(LineRemoved(line.line_id, line.sku, wanted))
        elif now > wanted:
            # Before both sides ever agreed, what was imported is what was ordered.
            if line.line_id in refused:
                more.append(LineRefused(line.line_id, line.sku, now))
            elif now <= settled.get(line.line_id, line.quantity):
                more.append(LineCancelled(line.line_id, line.sku, wanted, now))
            else:
                more.append(QuantityIncreased(line.line_id, line.sku, wanted, now))
    # A line whose attribute names a Mirakl line the order does not have stands for nothing that was sold.
    strangers = [
        line
        for line in shopify.lines
        if line.current_quantity > 0
        and mirakl_line_id_of(line, memory)
        and mirakl_line_id_of(line, memory) not in agreed
    ]
    added = [
        LineAdded(line.id, line.sku, line.title, shopify.to_come(line))
        for line in sorted((*unlinked(shopify, memory), *strangers), key=lambda line: line.id)
    ]
    pairs = min(len(less), len(added))
    return (
        *(_replaced(old, new) for old, new in zip(less[:pairs], added[:pairs], strict=True)),
        *less[pairs:],
        *more,
        *added[pairs:],
    )


def _replaced(old: QuantityReduced | LineRemoved, new: LineAdded) -> SkuReplaced:
    now = old.now if isinstance(old, QuantityReduced) else 0
    return SkuReplaced(old.line_id, old.sku, old.agreed, now, new.shopify_line_id, new.sku, new.quantity)


def _prices(shopify: ShopifyOrder, memory: Memory) -> tuple[Difference, ...]:
    found = []
    for line in sorted(shopify.lines, key=lambda line: line.id):
        link = link_of(line, memory)
        if link is not None and line.current_quantity > 0 and not link.accepts(line.unit_price):
            found.append(PriceChanged(link.mirakl_line_id, line.sku, link.unit_price, line.unit_price))
    return tuple(found)


def _shipping(shopify: ShopifyOrder, memory: Memory) -> tuple[Difference, ...]:
    agreed = memory.agreed_shipping
    if agreed is None or memory.accepts_shipping(shopify.shipping_total):
        return ()
    return (ShippingChanged(agreed, shopify.shipping_total),)


def _address(mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory) -> tuple[Difference, ...]:
    """Each side is compared with its own past; where both show the same now, nothing differs whoever changed what."""
    # After the dispatch a number changes nothing any more.
    contact = has_another_contact(mirakl, shopify, memory) and mirakl.state not in GONE_OUT
    if is_same(mirakl, shopify):
        return (AddressChanged(contact_only=True),) if contact else ()
    here = moved_here(shopify, memory)
    if moved_there(mirakl, memory):
        return (AddressMoved(here),)
    return (AddressChanged(contact_only=not here),) if here or contact else ()


def _refunded(mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory) -> tuple[Difference, ...]:
    """Whole units that the marketplace refunded before they left, without a task of ours and without a word of a
    person: nobody knows whether they ship. Where Shopify shows fewer units, the refund belongs to that edit."""
    if mirakl.state not in TO_SHIP:
        return ()
    standing, left = dict(standing_quantities(shopify, memory)), dict(fulfilled_quantities(shopify, memory))
    found: list[Difference] = []
    quantities = dict(agreed_quantities(mirakl, memory))
    for line in sorted(mirakl.lines, key=lambda line: line.id):
        line_id, agreed = line.id, quantities[line.id]
        ordered = memory.ordered_line(line_id)
        if ordered is None or agreed == 0 or standing.get(line_id, 0) < agreed:
            continue
        for refund in sorted(line.refunds, key=lambda refund: refund.id):
            others = replace(line, refunds=tuple(one for one in line.refunds if one.id != refund.id))
            here = agreed - left.get(line_id, 0)
            units = units_paid_for(refund, ordered, taken_so_far(others, memory), here, mirakl.currency)
            if units and not _explained(refund.id, memory):
                found.append(LineRefunded(line_id, line.sku, units, refund.id))
    return tuple(found)


def _explained(refund_id: str, memory: Memory) -> bool:
    """Whether the refund answers a task of ours, counts as withdrawn, or a person said that it is money alone."""
    said = memory.decision(Reason.CONFIRM_WITHDRAWN, refund_subject(refund_id))
    return (
        any(refund_id in task.settled_by for task in memory.refund_tasks if not task.asks)
        or any(refund_id in (made.refund_id for made in task.made) for task in memory.refund_tasks)
        or any(withdrawn.refund_id == refund_id for withdrawn in memory.withdrawn)
        or (said is not None and said.option is Option.DISMISS)
    )


def _recalculated(mirakl: MiraklOrder, memory: Memory) -> tuple[Difference, ...]:
    """Lines of which nothing was taken and that have other figures than those last agreed: prices, shipping charges and
    taxes may change until the order ships (OR21)."""
    found: list[Difference] = []
    for line in sorted(mirakl.lines, key=lambda line: line.id):
        ordered = memory.ordered_line(line.id)
        if ordered is None or not is_untaken(line):
            continue
        one = TotalsRecalculated(
            line.id, line.sku, ordered.price, line.price, ordered.shipping_price, line.shipping_price
        )
        if not one.taxes_only or _besides(line) != _besides(ordered):
            found.append(one)
    return tuple(found)


def _besides(line: MiraklLine | OrderedLine) -> tuple[tuple[Tax | Fee, ...], ...]:
    """What is charged besides price and shipping, in whatever order the platform lists it."""
    return tuple(
        tuple(sorted(charges, key=lambda charge: (charge.code, charge.amount)))
        for charges in (line.taxes, line.shipping_taxes, line.fees)
    )

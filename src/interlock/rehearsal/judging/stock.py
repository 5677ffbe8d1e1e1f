"""I25 to I27: stock is conserved, no figure is published that exceeds what was there, and at rest every offer shows what it
may."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from interlock.orders.reasons import Reason
from interlock.orders.snapshots import ENDED, GONE_OUT
from interlock.rehearsal.judging.evidence import Evidence, Marketplace
from interlock.rehearsal.judging.rest import at_rest_after
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.mirakl import SimOrder
from interlock.simulator.mirakl.orders import SimLine
from interlock.simulator.shopify.state import Level, Order, Variant

CLOCKS_DIFFER = timedelta(minutes=6)
"""So far a worker's clock may have been wrong when it noted when it asked the shop."""
EXPORT_REPEATED = timedelta(hours=1)
"""So long a marketplace may answer with the same export again (switch `offer_export_duplicate`)."""
STOCK_SETTLES = timedelta(minutes=25)
"""A stock file of unclear outcome is waited for, then another one leaves and is worked off."""

REFUSED_SENT_AGAIN = timedelta(hours=1)
"""A figure whose line the marketplace refused is somebody's case, and goes again so much later."""


def i25_claims_are_what_is_left_to_ship(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I25: an order that was replaced or cancelled claims nothing, and the order that stands claims no more of a variant
    than it has still to ship; a unit that left does not come out of that when it is refunded. Units somebody else took off
    without putting them back may stay committed: that is Shopify's to say, so such orders are not judged."""
    for gid in truth.gids:
        shopify = evidence.shopify_orders.get(gid)
        if shopify is None or _taken_without_restock(evidence, gid):
            continue
        verdict.checked["I25"] += 1
        for line in shopify.lines:
            claimed = sum(line.claims.values())
            left = 0 if shopify.cancelled_at is not None else line.unfulfilled_quantity
            if claimed > max(left, 0):
                verdict.violation(
                    "I25",
                    truth.id,
                    evidence.now,
                    f"{shopify.name} claims {claimed} units of {line.sku} and has {left} to ship.",
                )


def _taken_without_restock(evidence: Evidence, gid: str) -> bool:
    return any(
        effect.kind == "cancelled" and effect.actor != evidence.us and not effect.detail.get("restock", True)
        for effect in evidence.shopify_effects_of.get(gid, [])
    )


def i25_stock_is_conserved(evidence: Evidence, verdict: Verdict) -> None:
    """I25: of every variant there is what was ever counted in, on hand and shipped together: nothing was put back twice
    and nothing that was taken off an order went missing. What is committed is what orders claim."""
    for variant in evidence.shop.variants.values():
        for number, level in variant.levels.items():
            verdict.checked["I25"] += 1
            there = level.on_hand + level.shipped
            if there != level.counted_in:
                verdict.violation(
                    "I25",
                    "",
                    evidence.now,
                    f"Of {variant.sku} {level.counted_in} were counted in, and there are {level.on_hand} on hand and "
                    f"{level.shipped} shipped.",
                )
            claimed = sum(
                line.claims.get(number, 0)
                for shopify in evidence.shopify_orders.values()
                for line in shopify.lines
                if line.variant is variant
            )
            if claimed != level.committed:
                verdict.violation(
                    "I25",
                    "",
                    evidence.now,
                    f"Of {variant.sku} {level.committed} are committed, and orders claim {claimed}.",
                )


# -- what is published -------------------------------------------------------------------------------------


def i26_no_figure_exceeds_what_was_there(evidence: Evidence, verdict: Verdict) -> None:
    """I26: no published figure exceeds the target computed from what had been observed when it was sent: the most that the
    shop had available for online orders since the stock was read, less the units of every order known then for which no claim had been asked
    for, less the buffer. Of a bundle that is as many as its scarcest article makes."""
    marketplaces = {one.connection_id: one for one in evidence.marketplaces if one.rules.publish_stock}
    sold = list(_known_orders(evidence))
    for line in evidence.stock_lines:
        marketplace, articles = marketplaces.get(line.connection_id), _articles(evidence, line.sku)
        if marketplace is None or not articles or line.observed_at is None:
            continue
        verdict.checked["I26"] += 1
        verdict.checked["I26 bundle"] += int(line.sku in evidence.bundles)
        if not line.quantity:
            continue
        since = line.observed_at - CLOCKS_DIFFER
        free: list[int] = []
        facts = [f"available since {since:%H:%M:%S}"]
        nowhere = _leads_nowhere(evidence, marketplace, line.sku, since, line.sent_at)
        verdict.checked["I26 renamed"] += int(nowhere)
        for variant, sku, each in articles:
            most = sum(
                _most_available(level, since, line.sent_at)
                for level in variant.levels.values()
                if level.location.fulfills_online_orders
            )
            unclaimed = sum(
                _units(evidence, order, sku)
                for row, order in sold
                if row.id <= line.orders_known and _waits_for_a_claim(evidence, row, order, line.sent_at)
            )
            free.append((most - unclaimed) // each)
            facts.append(f"{sku}: at most {most} available, {unclaimed} sold and not claimed")
        buffer = evidence.buffer_of(marketplace, line.sku)
        allowed = 0 if nowhere else max(min(free) - buffer, 0)
        if line.quantity > allowed:
            verdict.violation(
                "I26",
                "",
                line.sent_at,
                f"{line.quantity} units of {line.sku} were offered at {marketplace.name}, and {allowed} were there to offer.",
                *facts,
                f"buffer {buffer}",
            )


def i27_every_offer_shows_its_target(evidence: Evidence, verdict: Verdict) -> None:
    """I27, at rest: every offer shows exactly what the shop has available at its active locations that fulfil online
    orders, less what living orders have sold without a claim, less the buffer; a bundle as many as its scarcest article makes."""
    if any(row.reason == Reason.QUARANTINE.value and row.closed_at is None for row in evidence.cases):
        return
    unclaimed_orders = list(_without_a_claim(evidence))
    refused = {
        (case.connection_id, case.subject)
        for case in evidence.cases
        if case.reason == Reason.STOCK_LINE_REFUSED.value and case.closed_at is None
    }
    for marketplace in evidence.marketplaces:
        if not marketplace.rules.publish_stock:
            continue
        marketplace.world.tick()
        for sku, offer in marketplace.world.offers.offers.items():
            articles = _articles(evidence, sku)
            if offer.deleted or not articles or not all(variant.tracked for variant, _, _ in articles):
                continue
            skus = [article for _, article, _ in articles]
            waiting = [
                one for one in unclaimed_orders if any(_sells(evidence, one.order, sku) for sku in skus)
            ]
            stock_moved = max(
                *(_stock_moved(marketplace, variant) for variant, _, _ in articles),
                _led_elsewhere(evidence, marketplace, sku),
                *(one.order.updated for one in waiting),
                *_pauses_ended(evidence, marketplace),
                marketplace.world.started,
            )
            changed = _offer_changed(marketplace, sku)
            moved = max(stock_moved, changed)
            needed = at_rest_after(evidence.poll, evidence.ahead) + STOCK_SETTLES
            if evidence.now - moved < needed + evidence.unavailable(moved, evidence.now):
                continue
            if marketplace.world.switches["offer_export_duplicate"] == "within_an_hour":
                # What the marketplace did to an offer cannot be read back before; what the shop did can.
                needed += EXPORT_REPEATED
                if evidence.now - changed < needed + evidence.unavailable(changed, evidence.now):
                    continue
            if (marketplace.connection_id, sku) in refused and evidence.now < _asked_again(
                evidence, marketplace, sku
            ):
                continue
            verdict.checked["I27"] += 1
            verdict.checked["I27 bundle"] += int(sku in evidence.bundles)
            free: list[int] = []
            facts: list[str] = []
            for variant, article, each in articles:
                there = sum(
                    level.available
                    for level in variant.levels.values()
                    if level.location.active and level.location.fulfills_online_orders
                )
                unclaimed = sum(
                    _units(evidence, one.order, article, one.lines)
                    for one in waiting
                    if one.order.state not in ENDED
                )
                free.append((there - unclaimed) // each)
                facts.append(f"{article}: {there} available, {unclaimed} sold and not claimed")
            buffer = evidence.buffer_of(marketplace, sku)
            nowhere = _leads_nowhere(evidence, marketplace, sku, evidence.now, evidence.now)
            verdict.checked["I27 renamed"] += int(nowhere)
            target = 0 if nowhere else max(min(free) - buffer, 0)
            if offer.quantity != target:
                verdict.violation(
                    "I27",
                    "",
                    evidence.now,
                    f"The offer {sku} at {marketplace.name} shows {offer.quantity} at rest and may show {target}.",
                    *facts,
                    f"buffer {buffer}; nothing moved since {moved:%H:%M:%S}",
                )


def _asked_again(evidence: Evidence, marketplace: Marketplace, sku: str) -> datetime:
    """By when the figure that the marketplace refused must have been sent again and answered."""
    sent = [
        line.sent_at
        for line in evidence.stock_lines
        if line.connection_id == marketplace.connection_id and line.sku == sku
    ]
    return evidence.due_after(max(sent), REFUSED_SENT_AGAIN + STOCK_SETTLES)


def _articles(evidence: Evidence, sku: str) -> list[tuple[Variant, str, int]]:
    """The variants behind an offer, each with its SKU as marketplaces write it and how many units of it one unit of the
    offer is. Empty where one of them is missing or carried by several. What was renamed is found by its former SKU."""
    found = []
    for article, each in evidence.bundles.get(sku, {sku: 1}).items():
        renamed = evidence.renamed.get(article)
        carriers = evidence.carriers.get(article if renamed is None else renamed.detail["now"], ())
        if len(carriers) != 1:
            return []
        found.append((carriers[0], article, each))
    return found


def _pauses_ended(evidence: Evidence, marketplace: Marketplace) -> Iterator[datetime]:
    """When people's pauses of the stock of a marketplace ended, or will: nothing is told of it before."""
    return (
        pause.ended
        for pause in evidence.paused
        if (pause.connection_id, pause.flow) == (marketplace.connection_id, "stock")
    )


def _leads_nowhere(
    evidence: Evidence, marketplace: Marketplace, sku: str, read_by: datetime, at: datetime
) -> bool:
    """Whether the offer's SKU was renamed in the shop, that had been read at the one time, and nobody had mapped it at the
    other."""
    renamed, read_at = evidence.renamed.get(sku), evidence.variants_read_at
    if renamed is None or read_at is None or not renamed.at < read_at < read_by:
        return False
    place = (marketplace.connection_id, sku)
    mapped = evidence.mapped_skus.get(place)
    return mapped is None or evidence.first_mapped.get(place, mapped[1]) - CLOCKS_DIFFER > at


def _known_orders(evidence: Evidence) -> Iterator[tuple[Row[Any], SimOrder]]:
    """Every marketplace order we have a row of."""
    for marketplace in evidence.marketplaces:
        for order in marketplace.orders.values():
            row = evidence.row_of.get((marketplace.connection_id, order.id))
            if row is not None:
                yield row, order


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """An order of which Shopify claims no stock: of all of it, or of the lines with these SKUs alone."""

    order: SimOrder
    lines: frozenset[str] | None = None


def _without_a_claim(evidence: Evidence) -> Iterator[Unclaimed]:
    """The orders that stand for something nobody has reserved: without a Shopify order or draft; with one that was
    cancelled while nothing took its place; with custom lines, which reserve nothing."""
    for row, order in _known_orders(evidence):
        if row.shopify_order_id is None and row.draft_id is None:
            yield Unclaimed(order)
            continue
        if row.ended_at is not None or order.state in GONE_OUT:
            if row.ended_at is None and row.mirakl_state not in GONE_OUT:
                yield Unclaimed(order, frozenset())  # its units are let go of once it is read
            continue
        shopify = evidence.shopify_orders.get(row.shopify_order_id or "")
        if shopify is not None and _was_gone_before_it_was_seen(evidence, row, shopify):
            continue
        custom = frozenset((row.memory or {}).get("custom_line_skus") or ())
        if shopify is not None and shopify.cancelled_at is not None:
            yield Unclaimed(order)
        elif custom:
            yield Unclaimed(order, custom)


def _was_gone_before_it_was_seen(evidence: Evidence, row: Row[Any], shopify: Order) -> bool:
    """Whether an order was cancelled and deleted before its cancelation could be read: it counts as it was seen last."""
    return shopify.gid in evidence.deleted and not (row.memory or {}).get("shopify_cancelled_seen_at")


def _units(evidence: Evidence, order: SimOrder, sku: str, lines: frozenset[str] | None = None) -> int:
    """Units of an article that the order has sold and not lost again, alone and in bundles; of the lines with these SKUs
    where some are named."""
    return sum(
        _each(evidence, line, sku) * (line.quantity - sum(part.quantity for part in line.cancelations))
        for line in order.lines
        if line.state not in ("REFUSED", "CANCELED") and (lines is None or line.sku in lines)
    )


def _sells(evidence: Evidence, order: SimOrder, sku: str) -> bool:
    return any(_each(evidence, line, sku) for line in order.lines)


def _each(evidence: Evidence, line: SimLine, sku: str) -> int:
    """How many units of an article are in one unit of the line."""
    return evidence.bundles.get(line.sku, {line.sku: 1}).get(sku, 0)


def _waits_for_a_claim(evidence: Evidence, row: Row[Any], order: SimOrder, at: datetime) -> bool:
    """Whether an order was known and alive then, and nothing had been asked of Shopify for it. An order that has lost units
    since, or ended, is left out: what it wanted then is not looked up."""
    first_seen = (row.memory or {}).get("first_seen_at")
    # Within one instant the two logs do not tell whether the order was looked at or the file left first.
    if first_seen is None or datetime.fromisoformat(first_seen) - evidence.ahead >= at:
        return False
    if order.state in ENDED or any(line.cancelations for line in order.lines):
        return False
    asked = [
        one.planned_at
        for one in evidence.operations_of.get(row.id, [])
        if one.kind in ("CreateDraft", "CreateOrder")
    ]
    linked = [moment for moment, _ in evidence.links.get(row.id, [])]
    return not any(moment <= at for moment in (*asked, *linked))


def _most_available(level: Level, since: datetime, until: datetime) -> int:
    """The most units this level had available in that time."""
    before = [units for at, units in level.past if at <= since]
    within = [units for at, units in level.past if since < at <= until]
    return max((*before[-1:], *within), default=0)


def _stock_moved(marketplace: Marketplace, variant: Variant) -> datetime:
    """When stock of the shop last moved."""
    moments = [at for level in variant.levels.values() for at, _ in level.past[-1:]]
    return max(moments, default=marketplace.world.started)


def _led_elsewhere(evidence: Evidence, marketplace: Marketplace, sku: str) -> datetime:
    """When the offer last came to stand for something else, or for nothing, as far as we could know: its SKU was renamed in
    the shop, which the next read of all variants shows, or mapped."""
    moments = [marketplace.world.started]
    renamed, read_at = evidence.renamed.get(sku), evidence.variants_read_at
    if renamed is not None:
        moments.append(read_at if read_at is not None and read_at > renamed.at else evidence.now)
        mapped = evidence.mapped_skus.get((marketplace.connection_id, sku))
        moments += [mapped[1]] if mapped is not None else []
    return max(moments)


def _offer_changed(marketplace: Marketplace, sku: str) -> datetime:
    """When the offer last changed otherwise than by a file of ours."""
    moments = [
        change.at
        for change in marketplace.world.offers.changes
        if change.sku == sku and change.why != "import"
    ]
    return max(moments, default=marketplace.world.started)

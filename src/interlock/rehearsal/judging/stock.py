"""I25: stock is conserved: what our orders claim is what they still have to ship, and nothing is put back twice."""

from interlock.rehearsal.judging.evidence import Evidence
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict


def i25_claims_are_what_is_left_to_ship(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I25: an order that was replaced or cancelled claims nothing, and the order that stands claims no more of a variant
    than it has still to ship. Units somebody else took off without putting them back may stay committed: that is
    Shopify's to say, so such orders are not judged."""
    for gid in truth.gids:
        shopify = evidence.shopify_orders.get(gid)
        if shopify is None or _taken_without_restock(evidence, gid):
            continue
        verdict.checked["I25"] += 1
        for line in shopify.lines:
            claimed = sum(line.claims.values())
            left = 0 if shopify.cancelled_at is not None else line.current_quantity - line.fulfilled
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
                for shopify in evidence.shop.orders.values()
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

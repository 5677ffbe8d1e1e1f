"""I6 for what an order is worth: the Shopify order we make is what the customer paid, and a price is called wrong only where
it is."""

from datetime import datetime
from decimal import Decimal

from interlock.orders.reasons import Reason
from interlock.rehearsal.judging.evidence import Evidence
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.mirakl import CATALOGUE

TAKEN_OFF = ("cancelation", "refund")
ASKED = {item.sku: item.price for item in CATALOGUE}


def i6_the_order_is_worth_what_was_paid(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I6: an order we make in Shopify is worth what its lines and their shipping cost with all taxes at the marketplace, to
    the cent, whichever of the two shows its prices with taxes. Judged where nothing had changed the figures before."""
    for gid in truth.made_by_us:
        for effect in evidence.shopify_effects_of.get(gid, []):
            if effect.kind != "order_created" or _figures_changed(truth, effect.at):
                continue
            sold = truth.at(effect.at).agreed
            if any(sold.get(line.id) != line.quantity for line in truth.order.lines):
                continue
            verdict.checked["I6 total"] += 1
            paid = sum(
                (
                    line.ordered.product_with_tax + line.ordered.shipping_with_tax
                    for line in truth.order.lines
                ),
                Decimal(0),
            )
            if Decimal(effect.detail["total"]) != paid:
                verdict.violation(
                    "I6",
                    truth.id,
                    effect.at,
                    "The Shopify order is not worth what the customer paid.",
                    f"{effect.detail['total']} of {paid}",
                )


def i24_no_price_is_called_wrong_that_is_right(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I24: no case says that prices differ where every line was sold at the price the shop asks, however each side shows
    its taxes."""
    shop = "TAX_INCLUDED" if evidence.shop.taxes_included else "TAX_EXCLUDED"
    if truth.marketplace.world.profile.catalogue_prices != shop:
        return
    as_asked = all(
        [variant.price for variant in evidence.carriers.get(line.sku, [])] == [ASKED.get(line.sku)]
        for line in truth.order.lines
    )
    if not as_asked or _figures_changed(truth, evidence.now):
        return
    verdict.checked["I24 price"] += 1
    for case in evidence.cases_of(truth.row, Reason.PRICE_DISCREPANCY.value):
        verdict.violation(
            "I24",
            truth.id,
            case.opened_at,
            "A price is said to differ that is the one the shop asks.",
            case.sentence,
        )


def _figures_changed(truth: Truth, by: datetime) -> bool:
    """Whether anything was taken off by then; figures that were ever computed anew are not known as they were before."""
    return any(
        effect.order_id == truth.id
        and (effect.kind == "recalculated" or (effect.kind in TAKEN_OFF and effect.at <= by))
        for effect in truth.marketplace.record.effects
    )

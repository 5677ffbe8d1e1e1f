"""I4, I5 and I6: what we told the marketplace was shipped, what we cancelled there, and to the cent for how much."""

from datetime import timedelta
from decimal import Decimal

from interlock.orders.actions import CancelQuantities, LineCancelation
from interlock.orders.agreement import ordered_of, standing_quantities
from interlock.orders.codec import decode
from interlock.orders.reasons import Option
from interlock.rehearsal.judging.evidence import Evidence, Reference
from interlock.rehearsal.judging.truth import WITHDRAWN, Truth
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.record import Effect

JUST_CHANGED = timedelta(seconds=60)
ZERO = Decimal(0)


def _ours(truth: Truth, kind: str) -> list[Effect]:
    return [
        effect
        for effect in truth.marketplace.record.effects
        if effect.order_id == truth.id and effect.kind == kind and effect.actor == truth.marketplace.us
    ]


def i4_only_what_left_is_shipped(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I4: when our OR24 ships the order, the units that left in Shopify equal the agreed units on every line.

    A change within the last minute (a label cancelled or given back, a line cancelled by the operator) is bounded.
    """
    for effect in _ours(truth, "shipped"):
        verdict.checked["I4"] += 1
        moment = truth.at(effect.at)
        wrong = [
            f"{line}: {moment.left.get(line, 0)} left, {agreed} agreed"
            for line, agreed in moment.agreed.items()
            if moment.left.get(line, 0) != agreed
        ]
        if moment.as_decided:
            # A person decided to ship exactly what Shopify shows: all of that must have left.
            wrong = [f"{moment.still_here} units are still here"] if moment.still_here else []
        elif moment.left.get("", 0):
            wrong.append(f"{moment.left['']} units left that were never sold there")
        if not wrong:
            continue
        changed = [
            m.at
            for m in truth.moments
            if m.at <= effect.at
            and m.kind
            in (
                "cancelation",
                "fulfillment_cancelled",
                "fulfillment_created",
                "display_status_changed",
                "tracking_updated",
                WITHDRAWN,
            )
            and m.actor != truth.marketplace.us
        ]
        sentence = "The whole order was reported as shipped although not exactly the agreed units had left."
        room = JUST_CHANGED + evidence.unavailable(effect.at - JUST_CHANGED, effect.at)
        if changed and effect.at - changed[-1] <= room and changed[-1] != effect.at:
            verdict.bound("I4", truth.id, effect.at, sentence, *wrong)
        else:
            verdict.violation("I4", truth.id, effect.at, sentence, *wrong, f"call {effect.reference}")


def i5_never_below_what_shopify_shows(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I5: units we cancel on a line never exceed ordered minus the lowest Shopify quantity ever true, and no plan
    cancels below the Shopify quantity of its own view. A whole order that a person decided to cancel is theirs."""
    by_line: dict[str, int] = {}
    last: dict[str, Effect] = {}
    for effect in _ours(truth, "cancelation"):
        if evidence.kind_of(effect.reference) == "CancelMiraklOrder" and _decided(evidence, truth):
            continue
        line = effect.detail["line"]
        by_line[line] = by_line.get(line, 0) + effect.detail["quantity"]
        last[line] = effect
    for line, units in by_line.items():
        verdict.checked["I5"] += 1
        most = truth.ordered(line) - truth.lowest_shown(line)
        if units > most:
            verdict.violation(
                "I5",
                truth.id,
                last[line].at,
                f"Interlock cancelled {units} units of line {line}; Shopify never asked for more than {most}.",
                f"ordered {truth.ordered(line)}, lowest Shopify quantity {truth.lowest_shown(line)}",
                f"last call {last[line].reference}",
            )
    if truth.row is None:
        return
    for plan in evidence.plans:
        if plan.order_id != truth.row.id:
            continue
        for action in plan.plan.actions:
            if isinstance(action, CancelQuantities):
                verdict.checked["I5"] += 1
                memory, mirakl, shopify = plan.plan.memory, plan.view.mirakl, plan.shopify
                if mirakl is None or shopify is None:
                    verdict.violation(
                        "I5", truth.id, plan.at, "A cancelation was planned without having seen both sides."
                    )
                    continue
                ordered = {line.line_id: line.quantity for line in ordered_of(mirakl, memory)}
                shown = dict(standing_quantities(shopify, memory)) if shopify.live else {}
                for part in action.lines:
                    left = ordered.get(part.line_id, 0) - part.cancelled_total
                    if left < shown.get(part.line_id, 0):
                        verdict.violation(
                            "I5",
                            truth.id,
                            plan.at,
                            f"A plan leaves {left} units of line {part.line_id} at the marketplace while Shopify "
                            f"shows {shown.get(part.line_id, 0)}.",
                        )


def _decided(evidence: Evidence, truth: Truth) -> bool:
    """Whether a person decided to cancel the whole order at the marketplace."""
    whole = (Option.CANCEL_AT_MARKETPLACE, Option.CANCEL_AND_MESSAGE)
    said = any(decision.option in whole for decision in truth.memory.decisions)
    return said or bool(evidence.answers_of(truth.row, *(option.value for option in whole)))


def i6_cancelled_to_the_cent(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I6: our app moves no money in Shopify; amounts we cancel are exact decimals, are what the ledger says, have no
    negative part, and never exceed the line. Refunds of ours at the marketplace are judged in `refunds`."""
    for effect in truth.effects(evidence):
        if (
            effect.kind == "refund_created"
            and effect.actor == evidence.us
            and Decimal(effect.detail["money"])
        ):
            verdict.violation(
                "I6", truth.id, effect.at, "Interlock moved money in Shopify.", f"call {effect.reference}"
            )
    for effect in _ours(truth, "cancelation"):
        verdict.checked["I6"] += 1
        _amounts_as_asked(evidence, truth, verdict, effect)
    for line in truth.order.lines:
        taken = [e for e in _ours(truth, "cancelation") if e.detail["line"] == line.id]
        money = sum((e.detail["amount_with_tax"] for e in taken), ZERO)
        shipping = sum((e.detail["shipping_amount_with_tax"] for e in taken), ZERO)
        if money > line.ordered.product_with_tax or shipping > line.ordered.shipping_with_tax:
            verdict.violation(
                "I6",
                truth.id,
                taken[-1].at,
                f"Interlock cancelled more money than line {line.id} had.",
                f"{money} of {line.ordered.product_with_tax}",
                f"shipping {shipping} of {line.ordered.shipping_with_tax}",
            )


def _amounts_as_asked(evidence: Evidence, truth: Truth, verdict: Verdict, effect: Effect) -> None:
    amounts = [
        effect.detail[name]
        for name in ("amount", "shipping_amount", "amount_with_tax", "shipping_amount_with_tax")
    ]
    if not all(isinstance(amount, Decimal) and amount >= ZERO for amount in amounts):
        verdict.violation(
            "I6", truth.id, effect.at, "A cancelation carries an amount that is no exact, positive figure."
        )
        return
    reference = Reference.of(effect.reference)
    row = None if reference is None else evidence.operation_of.get(reference.operation)
    if row is None or row.kind != "CancelQuantities":
        return
    action = decode(CancelQuantities, row.action)
    asked = next((part for part in action.lines if part.line_id == effect.detail["line"]), None)
    if asked is None:
        verdict.violation(
            "I6",
            truth.id,
            effect.at,
            f"Line {effect.detail['line']} was cancelled, which the ledger does not name.",
        )
        return
    included = action.tax_mode == "TAX_INCLUDED"
    made = (
        (effect.detail["amount_with_tax"], effect.detail["shipping_amount_with_tax"])
        if included
        else (effect.detail["amount"], effect.detail["shipping_amount"])
    )
    wanted = (asked.amount, asked.shipping_amount)
    if made != wanted or effect.detail["quantity"] != asked.quantity:
        verdict.violation(
            "I6",
            truth.id,
            effect.at,
            "What the marketplace took is not what the ledger says was asked.",
            f"asked {asked.quantity} for {wanted[0]} and {wanted[1]} shipping",
            f"taken {effect.detail['quantity']} for {made[0]} and {made[1]} shipping",
        )
    if included and not _parts_fit(asked):
        verdict.violation(
            "I6", truth.id, effect.at, "The taxes of a cancelation exceed the amount that includes them."
        )


def _parts_fit(asked: LineCancelation) -> bool:
    taxes = sum((tax.amount for tax in asked.taxes), ZERO)
    shipping_taxes = sum((tax.amount for tax in asked.shipping_taxes), ZERO)
    return taxes <= asked.amount and shipping_taxes <= asked.shipping_amount

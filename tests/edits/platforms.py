"""A small pure model of both platforms: what they show once a plan's actions have been carried out. For properties of the
rules; it knows nothing of calls, time-outs or refusals."""

from dataclasses import replace
from datetime import timedelta

from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    CancelMiraklOrder,
    CancelQuantities,
    CancelShopifyOrder,
    EditShopifyOrder,
    FillOrderAddress,
    MarkOrder,
    MarkPaid,
    PlaceHold,
    RefundLines,
    ReleaseHold,
    SetSellerReference,
)
from interlock.orders.plan import Plan
from interlock.orders.snapshots import Hold, MiraklOrder, Reduction, ShopifyOrder
from interlock.orders.view import RefundMade, View
from tests.build import MARKER, a_shopify_line

STEP = timedelta(seconds=90)
"""Long enough for the quiet period and for a fresh reading of both sides."""


class NotModelled(AssertionError):
    """The rules asked for something this model does not carry out."""


def after(view: View, plan: Plan) -> View:
    """The next view: everything the plan asked for has happened, and both sides were read anew a while later."""
    assert view.mirakl is not None
    assert view.shopify is not None
    now = view.now + STEP
    mirakl, shopify, made = view.mirakl, view.shopify, view.refunds_made
    for action in plan.actions:
        mirakl, shopify = _at_mirakl(mirakl, action), _at_shopify(shopify, action)
        if isinstance(action, RefundLines):
            ids = tuple((line.line_id, f"{action.subject}:{line.line_id}") for line in action.lines)
            made = (*made, RefundMade(action, now, ids))
    return replace(
        view,
        now=now,
        mirakl=replace(mirakl, observed_at=now),
        shopify=replace(shopify, observed_at=now),
        memory=plan.memory,
        refunds_made=made,
        answers=(),
    )


def _at_mirakl(mirakl: MiraklOrder, action: Action) -> MiraklOrder:
    match action:
        case CancelMiraklOrder():
            return replace(mirakl, state="CANCELED", can_cancel=False, can_ship=False)
        case CancelQuantities(lines):
            taken = {line.line_id: line for line in lines}
            cancelled = tuple(
                replace(
                    line,
                    cancelations=(
                        *line.cancelations,
                        Reduction(
                            f"ours:{line.id}:{len(line.cancelations)}",
                            taken[line.id].quantity,
                            taken[line.id].amount,
                            taken[line.id].shipping_amount,
                            taken[line.id].taxes,
                            taken[line.id].shipping_taxes,
                            "OUT",
                            None,
                        ),
                    ),
                )
                if line.id in taken
                else line
                for line in mirakl.lines
            )
            return replace(mirakl, lines=cancelled)
        case RefundLines(subject, lines):
            refunds = {line.line_id: line for line in lines}
            refunded = tuple(
                replace(
                    line,
                    refunds=(
                        *line.refunds,
                        Reduction(
                            f"{subject}:{line.id}",
                            refunds[line.id].quantity,
                            refunds[line.id].amount,
                            refunds[line.id].shipping_amount,
                            refunds[line.id].taxes,
                            refunds[line.id].shipping_taxes,
                            "WISH",
                            mirakl.observed_at,
                            "REFUNDED",
                        ),
                    ),
                )
                if line.id in refunds
                else line
                for line in mirakl.lines
            )
            return replace(mirakl, lines=refunded)
        case AnswerAcceptance(lines):
            state = "WAITING_DEBIT" if all(yes for _, yes in lines) else "REFUSED"
            return replace(mirakl, state=state)
        case SetSellerReference(value):
            return replace(mirakl, seller_reference=value)
        case _:
            return mirakl


def _at_shopify(shopify: ShopifyOrder, action: Action) -> ShopifyOrder:
    match action:
        case EditShopifyOrder(_, _, quantities, added):
            wanted = dict(quantities)
            lines = tuple(
                replace(line, current_quantity=wanted.get(line.id, line.current_quantity))
                for line in shopify.lines
            )
            new = tuple(
                a_shopify_line(
                    f"new:{len(lines) + n}",
                    one.variant_id.removeprefix("V-"),
                    one.quantity,
                    line_id=one.mirakl_line_id,
                )
                for n, one in enumerate(added)
            )
            return replace(shopify, lines=(*lines, *new))
        case PlaceHold(fulfillment_order_id):
            hold = Hold(f"ours:{fulfillment_order_id}", "interlock:atlas", True, "")
            held = tuple(
                replace(fo, holds=(*fo.holds, hold), status="ON_HOLD")
                if fo.id == fulfillment_order_id
                else fo
                for fo in shopify.fulfillment_orders
            )
            return replace(shopify, fulfillment_orders=held)
        case ReleaseHold(fulfillment_order_id, hold_ids):
            freed = tuple(
                replace(fo, holds=tuple(h for h in fo.holds if h.id not in hold_ids), status="OPEN")
                if fo.id == fulfillment_order_id
                else fo
                for fo in shopify.fulfillment_orders
            )
            return replace(shopify, fulfillment_orders=freed)
        case CancelShopifyOrder():
            return replace(shopify, cancelled_at=shopify.observed_at, fulfillment_orders=())
        case FillOrderAddress(_, digest):
            return replace(shopify, address=replace(shopify.address, digest=digest, complete=True))
        case MarkOrder():
            return replace(shopify, marker=MARKER)
        case MarkPaid():
            return replace(shopify, paid=True)
        case (
            CancelQuantities()
            | CancelMiraklOrder()
            | RefundLines()
            | AnswerAcceptance()
            | SetSellerReference()
        ):
            return shopify
        case _:
            raise NotModelled(type(action).__name__)

"""Money that the marketplace gave back and Shopify knows nothing of."""

from decimal import Decimal

from interlock.orders.memory import Memory
from interlock.orders.money import Money
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.shares import total_of
from interlock.orders.snapshots import GONE_OUT, MiraklLine, MiraklOrder, Reduction, ShopifyRefund
from interlock.orders.view import View
from interlock.refunds import damage
from interlock.refunds.answers import known_refunds


def decide(view: View, memory: Memory) -> Part:
    """A task for each refund of the marketplace that answers none of ours, once the order has left (before that, units
    are at stake and other cases ask) and unless it looks like one made twice, which is damage. A refund in Shopify of the same money closes it: it finds its answer in this one."""
    mirakl, shopify = view.mirakl, view.shopify
    if mirakl is None or shopify is None or mirakl.state not in GONE_OUT or not shopify.live:
        return Part(memory)
    asked_about = damage.asked_about(mirakl, memory)
    cases = tuple(
        _case(mirakl, line, refund)
        for line, refund in only_there(mirakl, memory)
        if refund.id not in asked_about
    )
    return Part(memory, cases=cases)


def only_there(mirakl: MiraklOrder, memory: Memory) -> tuple[tuple[MiraklLine, Reduction], ...]:
    """The refunds of the marketplace that answer no task of ours and that nobody has spoken about."""
    return tuple(
        (line, refund)
        for line in mirakl.lines
        for refund in line.refunds
        if refund.id not in known_refunds(memory) and not _is_answered(memory, refund)
    )


def recorded_by(
    mirakl: MiraklOrder, memory: Memory, refund: ShopifyRefund
) -> tuple[MiraklLine, Reduction] | None:
    """The earlier refund of the marketplace that this one in Shopify only records: exactly its money, on an order that
    has left."""
    if mirakl.state not in GONE_OUT:
        return None
    for line, there in only_there(mirakl, memory):
        earlier = there.created_at is not None and there.created_at < refund.created_at
        if earlier and _given_back(mirakl, there) == refund.money:
            return line, there
    return None


def _given_back(mirakl: MiraklOrder, refund: Reduction) -> Decimal:
    """What the customer got, in the order's currency: taxes and fees included, whatever the tax mode."""
    taxes = (*refund.taxes, *refund.shipping_taxes)
    return total_of(refund.amount, refund.shipping_amount, taxes, mirakl.tax_mode, refund.fees)


def _is_answered(memory: Memory, refund: Reduction) -> bool:
    said = memory.decision(Reason.REFUND_ONLY_AT_MARKETPLACE, refund.id)
    return said is not None and said.option is Option.DISMISS


def _case(mirakl: MiraklOrder, line: MiraklLine, refund: Reduction) -> Case:
    amount = str(Money(_given_back(mirakl, refund), mirakl.currency))
    return Case(
        Reason.REFUND_ONLY_AT_MARKETPLACE,
        refund.id,
        f"The marketplace refunded {amount} of {line.sku} to the customer, and Shopify shows no such refund: the books of the "
        "two differ. Record the refund in Shopify, without sending money a second time, or close this with the reason.",
        (Option.DISMISS,),
        (
            ("SKU", line.sku),
            ("Line", line.id),
            ("Refunded at the marketplace", amount),
            ("Refund", refund.id),
            ("Reason code", refund.reason_code),
        ),
    )

"""Money that the marketplace gave back and Shopify knows nothing of."""

from interlock.orders.memory import Memory
from interlock.orders.money import Money
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import GONE_OUT, MiraklLine, MiraklOrder, Reduction
from interlock.orders.view import View
from interlock.refunds import damage
from interlock.refunds.answers import given_back, known_refunds


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
        if refund.id not in known_refunds(memory) and not is_spoken_about(memory, refund)
    )


def is_spoken_about(memory: Memory, refund: Reduction) -> bool:
    """Whether a person said that this refund of the marketplace is in the books as it is."""
    said = memory.decision(Reason.REFUND_ONLY_AT_MARKETPLACE, refund.id)
    return said is not None and said.option is Option.DISMISS


def _case(mirakl: MiraklOrder, line: MiraklLine, refund: Reduction) -> Case:
    amount = str(Money(given_back(mirakl, refund), mirakl.currency))
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

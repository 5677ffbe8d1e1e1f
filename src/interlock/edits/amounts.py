"""The exact figures of a partial cancelation: product, shipping and tax shares of some units of a line."""

from interlock.orders.actions import LineCancelation
from interlock.orders.memory import Memory, OrderedLine
from interlock.orders.refund_tasks import taken_so_far
from interlock.orders.shares import portion_of, to_send
from interlock.orders.snapshots import MiraklLine


def cancelation_of(
    ordered: OrderedLine,
    line: MiraklLine,
    units: int,
    currency: str,
    memory: Memory,
    *,
    reason_code: str = "",
    proportional_taxes: bool = True,
) -> LineCancelation:
    """What OR30 is sent to cancel `units` more units of a line, in the tax mode the line was read in.

    Amounts drive OR30 and quantities only inform it (Mirakl reference, section 7), so every figure is a share of
    the sold line, less what cancelations and refunds took before: parts add up to the whole to the smallest unit
    of the currency, and the last unit takes what is left. `proportional_taxes` is the connection's setting (see
    `to_send`).
    """
    portion = portion_of(ordered, taken_so_far(line, memory), units, currency)
    return LineCancelation(
        line_id=line.id,
        cancelled_total=sum(c.quantity for c in line.cancelations) + units,
        quantity=units,
        amount=portion.amount,
        shipping_amount=portion.shipping_amount,
        taxes=to_send(portion.taxes, proportional_taxes),
        shipping_taxes=to_send(portion.shipping_taxes, proportional_taxes),
        # A fee charged on units that nobody gets is taken back with them (OR30 `fees`).
        fees=tuple(fee for fee in portion.fees if fee.amount),
        reason_code=reason_code,
    )

"""What a refund in Shopify becomes: a task, the answer to one, or a question."""

from dataclasses import replace
from decimal import Decimal

from interlock.orders.agreement import ordered_of, shopify_quantities, standing_quantities, units_sold
from interlock.orders.memory import Memory, RefundDue, RefundTask
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import (
    SUPERSEDED,
    closed,
    covered,
    due_for,
    is_a_share,
    is_open,
    line_of,
    seen_before,
    with_task,
)
from interlock.orders.snapshots import MiraklOrder, ShopifyRefund
from interlock.orders.view import View
from interlock.refunds.made_already import Already, Units, already, dues_there
from interlock.refunds.sending import awaits_a_call

ZERO = Decimal(0)


def opened(view: View, mirakl: MiraklOrder, memory: Memory, refund: ShopifyRefund) -> Memory:
    """The memory in which the refund has its task. It takes the place of a question about the same refund."""
    said = memory.decision(Reason.REFUND_MADE_ALREADY, refund.id)
    units = _units(view, memory, refund)
    left = _that_left(view, memory, refund, units)
    known = None
    if said is None or said.option is not Option.ANOTHER_REFUND:
        others = tuple(task for task in memory.refund_tasks if task.subject != refund.id)
        # Units that had left were taken out by no edit.
        alone = bool(units) and all(line_id in left for line_id, _ in units)
        known = already(
            mirakl, replace(memory, refund_tasks=others), refund, units, beside_removals=not alone
        )
    if known is None:
        return _asked_for(view, mirakl, memory, refund, units, left)
    if not _is_settled(view, mirakl, known, refund) and (said is None or said.option is not Option.DISMISS):
        return _asked_about(view, mirakl, memory, refund, units, left, known)
    if known.there:
        dues = _marked(dues_there(mirakl, memory, known.there, refund, units), left)
        ids = tuple(one.refund.id for one in known.there)
        recorded = RefundTask(refund.id, view.now, dues, settled_by=ids, settled_at=view.now)
        return with_task(memory, recorded)
    if len(known.removals) == 1 and not _is_paid_back_by_us(view, known.removals[0]):
        # The money follows a removal that a task asks for already: one task, now under the refund's own id.
        task = known.removals[0]
        answered_no_more = replace(task, settled_by=(), settled_at=None, paid_at=None)
        memory = closed(memory, answered_no_more, f"{SUPERSEDED} by {refund.id}")
        return with_task(memory, replace(task, subject=refund.id, money=_other(mirakl, refund, task.lines)))
    # A task of its own would ask for the same money once more.
    return covered(memory, known.removals, refund.id, view.now)


def _is_settled(view: View, mirakl: MiraklOrder, known: Already, refund: ShopifyRefund) -> bool:
    """Whether nobody has to be asked. Money that has begun to go back is compared: where it is another amount, Shopify may
    mean another refund of the same units."""
    if not known.certain:
        return False
    begun = (
        task
        for task in known.removals
        if task.settled_by or not is_open(task) or _is_paid_back_by_us(view, task)
    )
    return all(is_a_share(refund.money, task.lines, mirakl) for task in begun) or len(known.removals) > 1


def _is_paid_back_by_us(view: View, task: RefundTask) -> bool:
    return task.made_at is not None or awaits_a_call(view, task)


def _units(view: View, memory: Memory, refund: ShopifyRefund) -> Units:
    """Refunded units per Mirakl line; refunded lines that stand for nothing the marketplace sold are left out, and so are
    articles that make no whole bundle: of those only the money is known."""
    orders = () if view.shopify is None else (view.shopify, *view.kin)
    lines = {line.id: line for order in orders for line in order.lines}
    counts = ((lines[line_id], quantity) for line_id, quantity in refund.lines if line_id in lines)
    return tuple((line_id, quantity) for line_id, quantity in units_sold(counts, memory) if quantity > 0)


def _asked_for(
    view: View,
    mirakl: MiraklOrder,
    memory: Memory,
    refund: ShopifyRefund,
    units: Units,
    left: frozenset[str],
) -> Memory:
    ordered = {line.line_id: line for line in ordered_of(mirakl, memory)}
    dues = []
    for line_id, quantity in units:
        line = line_of(mirakl, line_id)
        if line is not None and ordered[line_id].quantity > 0:
            dues.append(due_for(ordered[line_id], line, quantity, mirakl.currency, memory, refund.created_at))
    if not dues:
        return with_task(memory, RefundTask(refund.id, view.now, (_money_of(mirakl, refund),)))
    lines = _marked(tuple(dues), left)
    return with_task(memory, RefundTask(refund.id, view.now, lines, money=_other(mirakl, refund, lines)))


def _that_left(view: View, memory: Memory, refund: ShopifyRefund, units: Units) -> frozenset[str]:
    """The Mirakl lines whose refunded units had left: what may still leave of them is as much as without this refund, after
    the earlier ones."""
    if view.shopify is None:
        return frozenset()
    shown = dict(shopify_quantities(view.shopify, memory))
    standing = dict(standing_quantities(view.shopify, memory))
    earlier: dict[str, int] = {}
    for task in memory.refund_tasks:
        for due in task.lines:
            if due.left and task.subject != refund.id:
                earlier[due.line_id] = earlier.get(due.line_id, 0) + due.quantity
    return frozenset(
        line_id
        for line_id, quantity in units
        if quantity <= standing.get(line_id, 0) - shown.get(line_id, 0) - earlier.get(line_id, 0)
    )


def _marked(dues: tuple[RefundDue, ...], left: frozenset[str]) -> tuple[RefundDue, ...]:
    return tuple(replace(due, left=due.quantity > 0 and due.line_id in left) for due in dues)


def _other(mirakl: MiraklOrder, refund: ShopifyRefund, lines: tuple[RefundDue, ...]) -> Decimal | None:
    """Shopify's money where it is not that of these units: a fee was kept back, a flaw paid for, a goodwill added."""
    return None if is_a_share(refund.money, lines, mirakl) else refund.money


def _asked_about(
    view: View,
    mirakl: MiraklOrder,
    memory: Memory,
    refund: ShopifyRefund,
    units: Units,
    left: frozenset[str],
    known: Already,
) -> Memory:
    """A question. Beside a refund of the marketplace it stands for the units that this one gave back, so that no edit asks
    for them again; beside a removal, whose task stands for them, for the money alone."""
    before = next((task for task in memory.refund_tasks if task.subject == refund.id), None)
    asked_at = view.now if before is None else before.opened_at
    if known.there:
        dues = _marked(dues_there(mirakl, memory, known.there, refund, units), left)
        ids = tuple(one.refund.id for one in known.there)
        return with_task(memory, RefundTask(refund.id, asked_at, dues, settled_by=ids, asks=ids))
    asks = tuple(task.subject for task in known.removals)
    return with_task(memory, RefundTask(refund.id, asked_at, (_money_of(mirakl, refund),), asks=asks))


def _money_of(mirakl: MiraklOrder, refund: ShopifyRefund) -> RefundDue:
    seen = tuple(i for line in mirakl.lines for i in seen_before(line, refund.created_at))
    return RefundDue("", 0, refund.money, ZERO, (), (), seen)

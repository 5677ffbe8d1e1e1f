"""Whether a refund task may be carried out by Interlock itself (OR28), and how many people have to approve it.

The setting `reduction_after_debit` decides: `task` leaves every refund to a person in the portal, `approve` asks one
person (above `refund_limit` two), `automatic` asks nobody up to `refund_cap` while the order is to ship. Only tasks of an
edit qualify, and of a cancelled order, which somebody always approves: a refund made in Shopify always stays a task.
"""

from decimal import Decimal

from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Decision, Memory, RefundDue, RefundTask, same_person
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import is_of_an_edit, is_open, kind_of_edit, line_of
from interlock.orders.shares import ZERO, total_of
from interlock.orders.snapshots import GONE_OUT, TO_SHIP, MiraklLine, MiraklOrder

REFUND_REASONS = (Reason.REFUND_APPROVAL, Reason.REFUND_REFUSED, Reason.REFUND_TASK)


def customers_total(task: RefundTask, tax_mode: str) -> Decimal:
    """What the customer gets back for the whole task, taxes and fees included. Limits are measured by it, because it
    is never less than what the refund costs the seller."""
    return sum(
        (
            total_of(due.amount, due.shipping_amount, (*due.taxes, *due.shipping_taxes), tax_mode, due.fees)
            for due in task.lines
        ),
        ZERO,
    )


def refunded_besides(mirakl: MiraklOrder, memory: Memory, task: RefundTask) -> Decimal:
    """What Interlock refunded of this order besides, or may refund before this task: customers' totals. The limits are of
    an order, because an order that loses one unit after the other costs as much as one that loses all at once."""
    subjects = [one.subject for one in memory.refund_tasks]
    earlier = subjects[: subjects.index(task.subject)] if task.subject in subjects else subjects
    return sum(
        (
            customers_total(one, mirakl.tax_mode)
            for one in memory.refund_tasks
            if one.subject != task.subject
            and is_of_an_edit(one)
            and (
                one.made_at is not None
                or (one.subject in earlier and is_open(one) and taken_over_by(memory, one) is None)
            )
        ),
        ZERO,
    )


def approvals_needed(rules: ConnectionRules, mirakl: MiraklOrder, memory: Memory, task: RefundTask) -> int:
    """How many different people have to approve this refund, judged with what Interlock refunds of the order besides. After
    dispatch at least one has to: whether units that Shopify does not show as sent are here is for somebody to see.
    So it is for a whole order that was cancelled."""
    total = customers_total(task, mirakl.tax_mode) + refunded_besides(mirakl, memory, task)
    if (
        rules.reduction_after_debit == "automatic"
        and rules.refund_cap is not None
        and total <= rules.refund_cap
        and mirakl.state in TO_SHIP
        and not task.ending
    ):
        return 0
    return 2 if rules.refund_limit is not None and total > rules.refund_limit else 1


def approvals(memory: Memory, task: RefundTask) -> tuple[Decision, ...]:
    """The approvals of this task, one per person: nobody counts twice, however the name is written."""
    found: list[Decision] = []
    for decision in memory.decisions:
        if (
            decision.reason is Reason.REFUND_APPROVAL
            and decision.subject == task.subject
            and decision.option is Option.APPROVE_REFUND
            and not any(same_person(decision.who, other.who) for other in found)
        ):
            found.append(decision)
    return tuple(found)


def taken_over_by(memory: Memory, task: RefundTask) -> Decision | None:
    """Who said last that this refund is settled in the portal or not due: Interlock then keeps its hands off it."""
    said = [d for d in memory.decisions if d.reason in REFUND_REASONS and d.subject == task.subject]
    last = said[-1] if said else None
    return last if last is not None and last.option in (Option.DONE_IN_PORTAL, Option.DISMISS) else None


def is_asked_about(memory: Memory, task: RefundTask) -> bool:
    """Whether a person is asked if a refund in Shopify is the money of this task."""
    return any(is_open(other) and task.subject in other.asks for other in memory.refund_tasks)


def obstacle(rules: ConnectionRules, mirakl: MiraklOrder, memory: Memory, task: RefundTask) -> str:
    """Why Interlock may not make this refund itself, as a whole sentence; empty where it may (Mirakl reference, OR28:
    debited lines, SHIPPING to RECEIVED, a reason code of the shop, and never more than what is left)."""
    if mirakl.state not in (*TO_SHIP, *GONE_OUT) or mirakl.state == "CLOSED":
        return f"The marketplace takes no refund while its order is {mirakl.state}."
    if mirakl.has_incident:
        return "The order has an open incident, so its refunds are settled in the portal."
    if mirakl.customer_pays_seller:
        return "The customer pays the shop directly, so the marketplace cannot give money back."
    if task.settled_by and not task.made:
        return "Somebody has begun to refund it at the marketplace, so the rest is made there too."
    if is_asked_about(memory, task):
        return "Somebody has to say first whether a refund in Shopify is the money of this removal."
    for due in task.lines:
        line = line_of(mirakl, due.line_id)
        if line is None:
            return "It belongs to no line of the marketplace order."
        if line.debited_at is None and mirakl.debited_at is None and not line.can_refund:
            return "The marketplace has not charged the customer for it yet."
        if not rules.refund_reason_for(kind_of_edit(memory, due)):
            return "No refund reason is set for this connection (`--refund-reason`), and the marketplace demands one."
        if not _is_left(line, due, memory):
            return "Less is left on the line at the marketplace than this task asks for."
    return ""


def _is_left(line: MiraklLine, due: RefundDue, memory: Memory) -> bool:
    """Whether the due fits into what cancelations and refunds have left of the line, figure by figure."""
    sold = memory.ordered_line(line.id)
    price = line.price if sold is None else sold.price
    shipping = line.shipping_price if sold is None else sold.shipping_price
    taken = (*line.cancelations, *line.refunds)
    return due.amount <= price - sum(
        (r.amount for r in taken), ZERO
    ) and due.shipping_amount <= shipping - sum((r.shipping_amount for r in taken), ZERO)


def is_ours(rules: ConnectionRules, task: RefundTask) -> bool:
    """Whether Interlock is to make this refund at all, by the connection's setting."""
    return rules.reduction_after_debit != "task" and is_of_an_edit(task) and is_open(task)


def may_be_sent(rules: ConnectionRules, mirakl: MiraklOrder, memory: Memory, task: RefundTask) -> bool:
    """Whether everybody who has to has approved, nothing stands in the way, and nobody took it over by hand."""
    return (
        is_ours(rules, task)
        and task.made_at is None
        and taken_over_by(memory, task) is None
        and len(approvals(memory, task)) >= approvals_needed(rules, mirakl, memory, task)
        and not obstacle(rules, mirakl, memory, task)
    )

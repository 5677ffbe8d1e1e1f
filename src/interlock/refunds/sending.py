"""A refund task that Interlock may carry out becomes one call to the marketplace (OR28), as long as the edit asks for it.

It is asked after the edits, so that a task whose edit was undone or changed in the meantime is closed already.
"""

from interlock.orders.actions import LineRefund, RefundLines
from interlock.orders.agreement import fulfilled_quantities
from interlock.orders.differences import Difference, LineRemoved, QuantityReduced
from interlock.orders.lineage import waits_for_successor_until
from interlock.orders.memory import Memory, RefundDue, RefundTask
from interlock.orders.plan import Case, Part, latest
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import covered_units, is_open, kind_of_edit, line_of
from interlock.orders.shares import to_send
from interlock.orders.snapshots import TO_SHIP, MiraklOrder
from interlock.orders.view import OpenOperation, View
from interlock.refunds.policy import is_ours, may_be_sent, taken_over_by

# What the classes of a refusal mean and what helps (Mirakl reference, OR28: frequent rejections).
WHAT_HELPS = {
    "REFUND_BALANCE_TOO_LOW": "The shop's balance at the marketplace is too low for it. Ask the operator to push the "
    "refund, or send it again once sales have come in.",
    "REFUND_NOT_DEBITED": "The marketplace says that the customer has not been charged for it. Send it again once the "
    "order shows the payment.",
    "REFUND_RUNNING": "Another refund is still being paid there. Look at the order in the portal: if it is this one, "
    "mark it as done; otherwise send it again when the other one is paid.",
    "REFUND_REASON_UNKNOWN": "The marketplace does not take the reason code. Choose another refund reason for the "
    "connection; the refund is then sent anew by itself.",
    "REFUND_AMOUNT_TOO_HIGH": "The marketplace says that less is left than was asked for. Compare the line in the portal.",
    "REFUND_WRONG_STATE": "The marketplace takes no refund in the state the order is in. Refund it in the portal, or "
    "send it again when the order has moved on.",
    "REFUND_NOT_PERMITTED": "The API key's role may not refund. Ask the marketplace for the role, or refund it in the "
    "portal.",
}
OTHERWISE = "Refund it in the portal, or send it again once the reason is gone."


def decide(view: View, memory: Memory, differences: tuple[Difference, ...]) -> Part:
    """The refunds to be made now. Nothing is sent beside an unclear one, nor for an edit that may still go on."""
    part = Part(memory)
    if view.mirakl is None or view.shopify is None:
        return part
    for task in memory.refund_tasks:
        if not is_ours(view.rules, task) or task.made_at is not None:
            continue
        part = _with(part, _one(view, view.mirakl, memory, task, differences))
    return part


def _with(one: Part, other: Part) -> Part:
    return Part(
        one.memory,
        (*one.actions, *other.actions),
        (*one.cases, *other.cases),
        because=(*one.because, *other.because),
        look_at=min((m for m in (one.look_at, other.look_at) if m is not None), default=None),
        mirakl_since=latest(one.mirakl_since, other.mirakl_since),
    )


def _one(
    view: View,
    mirakl: MiraklOrder,
    memory: Memory,
    task: RefundTask,
    differences: tuple[Difference, ...],
) -> Part:
    operation = operation_of(view, task)
    if operation is not None and operation.state in ("IN_FLIGHT", "UNKNOWN"):
        # Wanted on unchanged, so that the ledger reads it back; it never sends it again without a person.
        if taken_over_by(memory, task) is not None:
            return Part(memory)
        if _asked_again(memory, operation) and not _still_asked_for(view, memory, task, differences):
            # Let go of: what it may have done is still looked for, and it is closed where the marketplace shows nothing.
            because = "The refund is not sent again, because the edit does not ask for it any more."
            return Part(memory, because=(because,), mirakl_since=view.mirakl_written_at)
        because = "Our refund is on its way; its outcome is read back before anything else is done about it."
        return Part(memory, (operation.action,), because=(because,), mirakl_since=view.mirakl_written_at)
    if not may_be_sent(view.rules, mirakl, memory, task):
        return Part(memory)
    action = refund_of(view, mirakl, memory, task)
    if operation is not None and operation.state == "REJECTED" and operation.action == action:
        # Before anything is waited for: a refusal that nobody wants any more would be forgotten, and sent again.
        return _refused(view, memory, task, action, operation)
    wait = _not_yet(view, mirakl, memory, task, differences)
    if wait is not None:
        return wait
    units = ", ".join(f"{due.quantity} of {_sku(memory, due)}" for due in task.lines)
    return Part(memory, (action,), because=(f"The marketplace is asked to refund {units}.",))


def _asked_again(memory: Memory, operation: OpenOperation) -> bool:
    """Whether a person who compared both platforms has the unclear refund sent again."""
    return any(
        said.reason is Reason.OUTCOME_UNCLEAR
        and said.subject == operation.id
        and operation.is_sent_again_by(said)
        for said in memory.decisions
    )


def operation_of(view: View, task: RefundTask) -> OpenOperation | None:
    """The open call that carries out this task, the latest if there are several."""
    found = [
        operation
        for operation in view.operations
        if isinstance(operation.action, RefundLines) and operation.action.subject == task.subject
    ]
    return found[-1] if found else None


def _not_yet(
    view: View,
    mirakl: MiraklOrder,
    memory: Memory,
    task: RefundTask,
    differences: tuple[Difference, ...],
) -> Part | None:
    """Why money may not be sent at this moment: the edit goes on or asks for something else, or the snapshot is old."""
    since = memory.content_since
    until = None if since is None else since + view.quiet_period_of(memory)
    if until is not None and view.now < until:
        return Part(memory, look_at=until, because=("The edit may still be going on; the refund waits.",))
    if not _still_asked_for(view, memory, task, differences):
        because = (
            "The edit asks for something else by now than this refund; nothing is sent until that is settled."
        )
        return Part(memory, because=(because,))
    wanted = latest(task.opened_at, since)
    if not view.mirakl_is_current or (wanted is not None and mirakl.observed_at < wanted):
        because = "The marketplace is read once more before money is sent."
        return Part(memory, because=(because,), mirakl_since=latest(wanted, view.mirakl_written_at))
    return None


def _still_asked_for(
    view: View, memory: Memory, task: RefundTask, differences: tuple[Difference, ...]
) -> bool:
    """Whether the edit is a plain reduction and tasks stand for exactly what it takes off each line of this task; of the end
    of the whole order, whether it is still cancelled and nothing may replace it."""
    if task.ending:
        waits = memory.candidates or waits_for_successor_until(view, memory) is not None
        return view.shopify is not None and not view.shopify.live and not waits
    asked = {
        d.line_id: d.agreed - (d.now if isinstance(d, QuantityReduced) else 0)
        for d in differences
        if isinstance(d, QuantityReduced | LineRemoved)
    }
    plain = all(isinstance(d, QuantityReduced | LineRemoved) for d in differences)
    return plain and all(
        asked.get(due.line_id, 0) == covered_units(memory, due.line_id) for due in task.lines
    )


def refund_of(view: View, mirakl: MiraklOrder, memory: Memory, task: RefundTask) -> RefundLines:
    """What OR28 is sent for the task: its own figures, and units that have not left are taken out of the parcel."""
    rules = view.rules
    lines = tuple(
        LineRefund(
            line_id=due.line_id,
            quantity=due.quantity,
            amount=due.amount,
            shipping_amount=due.shipping_amount,
            taxes=to_send(due.taxes, rules.proportional_taxes),
            shipping_taxes=to_send(due.shipping_taxes, rules.proportional_taxes),
            excluded_from_shipment=_stays_here(view, mirakl, memory, due),
            seen_refunds=_seen(mirakl, due),
            fees=tuple(fee for fee in due.fees if fee.amount),
            reason_code=rules.refund_reason_for(kind_of_edit(memory, due)),
        )
        for due in task.lines
    )
    return RefundLines(task.subject, lines, mirakl.currency, mirakl.tax_mode, rules.refund_reason)


def _seen(mirakl: MiraklOrder, due: RefundDue) -> tuple[str, ...]:
    line = line_of(mirakl, due.line_id)
    return () if line is None else tuple(refund.id for refund in line.refunds)


def _stays_here(view: View, mirakl: MiraklOrder, memory: Memory, due: RefundDue) -> bool:
    """Whether the units can still be kept out of the parcel: the order is to ship, and they have not left."""
    if mirakl.state not in TO_SHIP or view.shopify is None or due.quantity < 1:
        return False
    ordered = memory.ordered_line(due.line_id)
    left = dict(fulfilled_quantities(view.shopify, memory)).get(due.line_id, 0)
    withdrawn = sum(w.quantity for w in memory.withdrawn if w.line_id == due.line_id)
    line = line_of(mirakl, due.line_id)
    cancelled = 0 if line is None else sum(c.quantity for c in line.cancelations)
    sold = 0 if ordered is None else ordered.quantity
    return left <= sold - withdrawn - cancelled - due.quantity


def _refused(
    view: View, memory: Memory, task: RefundTask, action: RefundLines, operation: OpenOperation
) -> Part:
    answer = memory.decision(Reason.REFUND_REFUSED, task.subject)
    # The action stays wanted so that the ledger keeps the refusal in sight; it does not send it again by itself.
    if answer is not None and operation.is_sent_again_by(answer):
        return Part(memory, (action,), because=(f"{answer.who} asked to send the refused refund again.",))
    words = operation.words or operation.code or "no reason given"
    case = Case(
        Reason.REFUND_REFUSED,
        task.subject,
        f"The marketplace refused our refund: “{words}”. {_what_moved(operation)} and the parcel {view.hold.is_held}. "
        f"{WHAT_HELPS.get(operation.code, OTHERWISE)}{view.hold.lacking}",
        (Option.SEND_AGAIN, Option.DONE_IN_PORTAL, Option.DISMISS),
        (("Code", operation.code), ("The marketplace's words", words), *_earlier(operation)),
    )
    return Part(memory, (action,), cases=(case,))


def _earlier(operation: OpenOperation) -> tuple[tuple[str, str], ...]:
    """That it was sent before: each such refund is a case of its own, which nobody answers together with others."""
    return (("Earlier attempts", str(operation.attempt - 1)),) if operation.attempt > 1 else ()


def _what_moved(operation: OpenOperation) -> str:
    """What a refusal proves: of an earlier attempt whose answer was lost it says nothing, and a refund that waits for the
    operator's approval stands nowhere that can be read (Mirakl reference 15.5)."""
    if operation.attempt < 2:
        return "No money moved"
    return (
        "This attempt moved no money, but an earlier one may still wait for the operator's approval: look in the portal "
        "before you decide,"
    )


def awaits_a_call(view: View, task: RefundTask) -> bool:
    """Whether a call for the task is under way or was refused, so that no other case is to be shown for it."""
    operation = operation_of(view, task)
    return is_open(task) and operation is not None and operation.state in ("IN_FLIGHT", "UNKNOWN", "REJECTED")


def _sku(memory: Memory, due: RefundDue) -> str:
    ordered = memory.ordered_line(due.line_id)
    return ordered.sku if ordered is not None and ordered.sku else due.line_id

"""What becomes of an edit: a cancelation at the marketplace, a refund task, a wait, or a person's decision."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from interlock.edits.amounts import cancelation_of
from interlock.edits.sentences import sentence_of, why_impossible
from interlock.orders.actions import CancelMiraklOrder, CancelQuantities
from interlock.orders.agreement import agreed_quantities, ordered_of, shopify_quantities
from interlock.orders.codec import encode
from interlock.orders.connection import KindOfEdit
from interlock.orders.differences import Difference, LineCancelled, LineRemoved, QuantityReduced
from interlock.orders.memory import Memory, RefundTask
from interlock.orders.plan import Case, Part, earliest, latest
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import (
    SUPERSEDED,
    UNDONE,
    closed,
    covered_units,
    due_for,
    is_of_an_edit,
    is_open,
    line_of,
    next_edit_subject,
    with_task,
)
from interlock.orders.shares import rounding_of
from interlock.orders.snapshots import (
    BEFORE_ACCEPTANCE,
    BEFORE_DEBIT_DONE,
    DEAD,
    GONE_OUT,
    TO_SHIP,
    MiraklOrder,
    ShopifyOrder,
)
from interlock.orders.view import OpenOperation, View

Reduced = QuantityReduced | LineRemoved
Cancelation = CancelQuantities | CancelMiraklOrder
INCIDENT = "The marketplace has an open incident on this order; the parcel waits until it is resolved."


@dataclass(frozen=True, slots=True)
class _Edit:
    """What every rule below looks at."""

    view: View
    mirakl: MiraklOrder
    shopify: ShopifyOrder
    differences: tuple[Difference, ...]

    @property
    def reduced(self) -> tuple[Reduced, ...]:
        return tuple(d for d in self.differences if isinstance(d, QuantityReduced | LineRemoved))

    @property
    def cut(self) -> tuple[LineCancelled, ...]:
        return tuple(d for d in self.differences if isinstance(d, LineCancelled))

    @property
    def impossible(self) -> tuple[Difference, ...]:
        return tuple(d for d in self.differences if why_impossible(d))

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(sentence_of(d, self.mirakl.currency) for d in self.differences)

    @property
    def subject(self) -> str:
        """The same edit has the same subject; another edit asks anew."""
        return "edit:" + _digest((*(encode(d) for d in self.differences), self.shopify.address.digest))

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        return tuple((f"Change {n}", sentence) for n, sentence in enumerate(self.sentences, start=1))


def decide(view: View, memory: Memory, differences: tuple[Difference, ...]) -> Part:
    """The edit room's part: keeps the parcel held while anything differs, and says or does what comes next."""
    mirakl, shopify = view.mirakl, view.shopify
    if mirakl is None or shopify is None or not shopify.live or not memory.shopify_order_id:
        return Part(memory)
    incident = (INCIDENT,) if mirakl.has_incident else ()
    tasks = memory.refund_tasks
    if not differences:
        memory = replace(_without_edit_tasks(memory, UNDONE), disagreeing_since=None)
        part = Part(memory, keep_held=incident)
    else:
        memory = replace(memory, disagreeing_since=memory.disagreeing_since or view.now)
        edit = _Edit(view, mirakl, shopify, differences)
        if memory.withdrawn != view.memory.withdrawn:
            # Just confirmed: what was compared before is no longer what is agreed.
            part = Part(memory, look_at=view.now)
        else:
            part = _answer(edit, memory)
        part = replace(part, keep_held=(*edit.sentences, *incident, *part.keep_held))
    if incident and mirakl.state not in (*DEAD, *GONE_OUT):
        case = Case(
            Reason.INCIDENT_OPEN,
            "order",
            f"{INCIDENT} Settle it with the customer in the marketplace portal; the parcel is released by itself then.",
        )
        part = replace(part, cases=(*part.cases, case))
    if part.memory.refund_tasks != tasks:
        # The tasks are shown by the room that owns them, on the next look.
        part = replace(part, look_at=earliest(part.look_at, view.now))
    return part


def _without_edit_tasks(memory: Memory, why: str) -> Memory:
    """Open tasks of edits that nobody has begun to carry out are closed."""
    for task in memory.refund_tasks:
        if is_open(task) and is_of_an_edit(task) and not task.settled_by:
            memory = closed(memory, task, why)
    return memory


def _answer(edit: _Edit, memory: Memory) -> Part:
    mirakl = edit.mirakl
    if mirakl.state in DEAD:
        return Part(memory, because=("The marketplace ended this order, so no edit can reach it any more.",))
    if edit.impossible:
        return _cannot_be_expressed(edit, _without_edit_tasks(memory, SUPERSEDED))
    if edit.cut:
        return _marketplace_changed(edit, memory)
    if mirakl.state in BEFORE_ACCEPTANCE or mirakl.state in BEFORE_DEBIT_DONE:
        return Part(memory, because=(_waiting_for(mirakl.state),))
    if mirakl.state in TO_SHIP:
        return _reduce(edit, memory)
    if mirakl.state in GONE_OUT:
        return _after_dispatch(edit, memory)
    return Part(
        memory,
        because=(f"The marketplace shows the unknown state {mirakl.state}; nothing is sent on a guess.",),
    )


def _waiting_for(state: str) -> str:
    reached = "accepted and paid" if state in BEFORE_ACCEPTANCE else "paid"
    return (
        f"The marketplace order is in {state} and takes no cancelation now. The reduction waits, with the parcel "
        f"held, until the order is {reached} and in SHIPPING."
    )


# -- what the marketplace cannot take ----------------------------------------------------------------------


def _cannot_be_expressed(edit: _Edit, memory: Memory) -> Part:
    reasons = _once(why_impossible(d) for d in edit.impossible)
    mixed = (
        (
            "The reductions of the same edit wait with it, because half an edit could leave the customer short.",
        )
        if edit.reduced
        else ()
    )
    options = [Option.UNDO_IN_SHOPIFY, Option.DONE_IN_PORTAL]
    if _may_be_cancelled_whole(edit.mirakl):
        options.insert(1, Option.CANCEL_AT_MARKETPLACE)
    todo = (
        "Undo the change in Shopify and the parcel is released by itself"
        + (", cancel the whole order at the marketplace" if len(options) == 3 else "")
        + ", or settle it with the marketplace operator in the portal."
    )
    case = Case(
        Reason.EDIT_CANNOT_BE_EXPRESSED,
        edit.subject,
        " ".join((*edit.sentences, *reasons, *mixed, "The parcel is held.", todo)),
        tuple(options),
        edit.facts,
    )
    return _with_decision(edit, memory, case)


def _marketplace_changed(edit: _Edit, memory: Memory) -> Part:
    memory = _without_edit_tasks(memory, SUPERSEDED) if not edit.reduced else memory
    cases = tuple(
        Case(
            Reason.MARKETPLACE_CHANGED,
            cut.line_id,
            f"{sentence_of(cut, edit.mirakl.currency)} Units were cancelled there, by the customer, the operator or "
            f"in the portal. Remove {cut.shopify - cut.agreed} of {cut.sku} from the Shopify order; the parcel is "
            "held until then.",
            facts=(
                ("SKU", cut.sku),
                ("Marketplace", str(cut.agreed)),
                ("Shopify", str(cut.shopify)),
                ("Remove in Shopify", str(cut.shopify - cut.agreed)),
            ),
        )
        for cut in edit.cut
    )
    because = (
        ("The reduction made in Shopify waits until the units the marketplace cancelled are removed too.",)
        if edit.reduced
        else ()
    )
    return Part(memory, cases=cases, because=because)


# -- reductions --------------------------------------------------------------------------------------------


def _reduce(edit: _Edit, memory: Memory) -> Part:
    """The order is SHIPPING and Shopify only shows less than agreed."""
    mirakl = edit.mirakl
    lines = [line_of(mirakl, d.line_id) for d in edit.reduced]
    debited = mirakl.debited_at is not None or any(line and line.debited_at for line in lines)
    if debited:
        return _refund(edit, memory)
    if mirakl.can_cancel:
        return _cancel(edit, _without_edit_tasks(memory, SUPERSEDED))
    if all(line is not None and line.can_refund for line in lines):
        return _refund(edit, memory)
    return _not_allowed(
        edit,
        memory,
        "The marketplace allows neither a cancelation nor a refund of this order at the moment.",
    )


def _cancel(edit: _Edit, memory: Memory) -> Part:
    rules, mirakl = edit.view.rules, edit.mirakl
    shown = dict(shopify_quantities(edit.shopify, memory))
    if all(shown.get(line_id, 0) == 0 for line_id, agreed in agreed_quantities(mirakl, memory) if agreed > 0):
        return _send(edit, memory, CancelMiraklOrder())
    if not rules.partial_cancelation:
        return _not_allowed(
            edit,
            memory,
            "This marketplace lets a shop cancel only the whole order, not a part of it.",
        )
    reasons = {d.line_id: rules.cancelation_reason_for(_kind(d)) for d in edit.reduced}
    if not all(reasons.values()):
        return _not_allowed(
            edit,
            memory,
            "No cancelation reason is set for this connection (setting cancelation_reason), and the marketplace "
            "demands one. Set it and the cancelation is sent by itself.",
        )
    ordered = {line.line_id: line for line in ordered_of(mirakl, memory)}
    lines = []
    roundings = []
    for reduced in edit.reduced:
        line = line_of(mirakl, reduced.line_id)
        if line is not None:
            units = _units(reduced)
            cancelation = cancelation_of(
                ordered[line.id],
                line,
                units,
                mirakl.currency,
                memory,
                reason_code="" if reasons[line.id] == rules.cancelation_reason else reasons[line.id],
                proportional_taxes=rules.proportional_taxes,
            )
            lines.append(cancelation)
            roundings.append(rounding_of(ordered[line.id], units, mirakl.currency))
    part = _send(
        edit,
        memory,
        CancelQuantities(
            lines=tuple(lines),
            currency=mirakl.currency,
            tax_mode=mirakl.tax_mode,
            reason_code=rules.cancelation_reason,
            # With order-level taxes the arrays have to be left out in TAX_EXCLUDED (OR30).
            send_taxes=not (rules.order_level_tax and mirakl.tax_mode == "TAX_EXCLUDED"),
        ),
    )
    return replace(part, because=(*part.because, *_once(r for r in roundings if r and part.actions)))


def _send(edit: _Edit, memory: Memory, action: Cancelation) -> Part:
    """Want the cancelation, unless one is on its way, it was refused, the edit may go on, or Mirakl is not fresh."""
    view = edit.view
    for operation in view.operations:
        if isinstance(operation.action, Cancelation) and operation.state in ("IN_FLIGHT", "UNKNOWN"):
            return _on_its_way(view, memory, action, operation)
    wait = _not_yet(view, edit.mirakl, edit.shopify, memory)
    if wait is not None:
        return wait
    for operation in view.operations:
        # A refusal counts for what was sent: other figures or another reason code are a new attempt.
        if operation.state == "REJECTED" and operation.action == action:
            return _refused(edit, memory, action, operation)
    return Part(memory, actions=(action,), because=(_what(edit, action),))


def _on_its_way(view: View, memory: Memory, action: Cancelation, operation: OpenOperation) -> Part:
    # An unclear cancelation is wanted on as long as it would do what the edit still asks for: the ledger then
    # reads it back before it may be sent again. Once the edit asks for something else it must not be repeated.
    if _same_target(operation.action, action):
        because = "A cancelation is on its way; its outcome is read back before anything else is sent."
        actions: tuple[Cancelation, ...] = (action,) if operation.action == action else ()
    else:
        because = "An earlier cancelation is on its way; the changed edit follows once its outcome is known."
        actions = ()
    return Part(memory, actions=actions, because=(because,), mirakl_since=view.mirakl_written_at)


def _same_target(one: object, other: object) -> bool:
    if isinstance(one, CancelQuantities) and isinstance(other, CancelQuantities):
        return _targets(one) == _targets(other)
    return isinstance(one, CancelMiraklOrder) and isinstance(other, CancelMiraklOrder)


def _targets(action: CancelQuantities) -> list[tuple[str, int]]:
    return sorted((line.line_id, line.cancelled_total) for line in action.lines)


def _not_yet(view: View, mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory) -> Part | None:
    """Why nothing irreversible may be sent at this moment: the edit may go on, or the marketplace's side is old."""
    since = memory.content_since or shopify.updated_at
    # What our own desk made is complete: its person has seen it as a whole before.
    quiet = timedelta(0) if memory.made_at_our_desk else view.rules.quiet_period
    until = since + quiet
    fresh = view.mirakl_is_current and mirakl.observed_at >= since
    wanted = None if fresh else latest(since, view.mirakl_written_at)
    if view.now < until:
        seconds = int(quiet.total_seconds())
        because = f"The edit may still be going on: nothing is sent until {seconds} seconds have passed without a change."
        return Part(memory, look_at=until, mirakl_since=wanted, because=(because,))
    if not fresh:
        because = "The marketplace is read once more before anything is sent, because what it last showed is older than the edit."
        return Part(memory, mirakl_since=wanted, because=(because,))
    return None


def _what(edit: _Edit, action: Cancelation) -> str:
    if isinstance(action, CancelMiraklOrder):
        return "Everything was removed in Shopify, so the whole order is cancelled at the marketplace."
    skus = ", ".join(f"{_units(d)} of {d.sku}" for d in edit.reduced)
    return f"The marketplace is asked to cancel {skus}, because Shopify no longer shows them."


def _refused(edit: _Edit, memory: Memory, action: Cancelation, operation: OpenOperation) -> Part:
    subject = "cancelation:" + _digest(encode(action))
    answer = memory.decision(Reason.REDUCTION_REFUSED, subject)
    # The action stays wanted so that the ledger keeps the refusal in sight; it is the ledger that does not resend.
    if (
        answer is not None
        and answer.option is Option.SEND_AGAIN
        and (operation.ended_at is None or answer.at > operation.ended_at)
    ):
        because = f"{answer.who} asked to send the refused cancelation again."
        return Part(memory, actions=(action,), because=(because,))
    words = operation.words or operation.code or "no reason given"
    options = [Option.SEND_AGAIN, Option.UNDO_IN_SHOPIFY, Option.DONE_IN_PORTAL]
    case = Case(
        Reason.REDUCTION_REFUSED,
        subject,
        f"{' '.join(edit.sentences)} The marketplace refused the cancelation: {words}. Nothing was cancelled and "
        "the parcel is held. Cancel it in the portal, undo the change in Shopify, or send it again once the reason "
        "is gone.",
        tuple(options),
        (*edit.facts, ("The marketplace's words", words)),
    )
    return Part(memory, actions=(action,), cases=(case,))


def _not_allowed(edit: _Edit, memory: Memory, why: str) -> Part:
    options = [Option.UNDO_IN_SHOPIFY, Option.DONE_IN_PORTAL]
    if _may_be_cancelled_whole(edit.mirakl):
        options.insert(1, Option.CANCEL_AT_MARKETPLACE)
    case = Case(
        Reason.REDUCTION_NOT_ALLOWED,
        edit.subject,
        f"{' '.join(edit.sentences)} {why} The parcel is held. Undo the change in Shopify"
        + (", cancel the whole order at the marketplace" if len(options) == 3 else "")
        + ", or settle it with the marketplace operator in the portal.",
        tuple(options),
        edit.facts,
    )
    return _with_decision(edit, memory, case)


def _may_be_cancelled_whole(mirakl: MiraklOrder) -> bool:
    """OR29 is legal where the flag says so (Mirakl reference 3.5); states do not decide."""
    return mirakl.can_cancel and mirakl.state not in (*DEAD, *GONE_OUT)


def _with_decision(edit: _Edit, memory: Memory, case: Case) -> Part:
    """Carry out what a person answered to this very edit; the case stays until the sides agree."""
    answer = memory.decision(case.reason, case.subject)
    if answer is None:
        return Part(memory, cases=(case,))
    shipped = any(line.fulfilled_quantity > 0 for line in edit.shopify.lines)
    match answer.option:
        case Option.CANCEL_AT_MARKETPLACE if _may_be_cancelled_whole(edit.mirakl) and not shipped:
            part = _send(edit, memory, CancelMiraklOrder())
            because = f"{answer.who} decided to cancel the whole order at the marketplace."
            return replace(part, cases=(case, *part.cases), because=(because, *part.because))
        case Option.CANCEL_AT_MARKETPLACE:
            because = f"{answer.who} decided to cancel the whole order, but the marketplace does not allow it any more."
        case Option.DONE_IN_PORTAL:
            because = (
                f"{answer.who} settled it in the portal; the parcel is held until the marketplace shows it."
            )
        case Option.UNDO_IN_SHOPIFY:
            because = f"{answer.who} is undoing the change in Shopify; the parcel is released once both sides agree."
        case _:
            return Part(memory, cases=(case,))
    return Part(memory, cases=(case,), because=(because,))


# -- after the customer has paid ---------------------------------------------------------------------------


def _refund(edit: _Edit, memory: Memory) -> Part:
    """A reduction after debit is money to give back: one open task with the exact figures, made by a person."""
    mirakl = edit.mirakl
    missing = {d.line_id: _units(d) for d in edit.reduced}
    if all(covered_units(memory, line_id) == units for line_id, units in missing.items()) and not _strays(
        memory, missing
    ):
        return Part(memory, because=(_REFUND_AWAITED,))
    wait = _not_yet(edit.view, mirakl, edit.shopify, memory)
    if wait is not None:
        return wait
    dismissed = _dismissed_by_a_person(memory, missing)
    if dismissed is not None:
        return _not_allowed(
            edit,
            memory,
            f"The refund task for it was closed by hand ({dismissed.dismissed_by}), so the marketplace still agrees "
            "to more than Shopify shows.",
        )
    memory = _without_edit_tasks(memory, SUPERSEDED)
    ordered = {line.line_id: line for line in ordered_of(mirakl, memory)}
    dues = []
    too_much = []
    for line_id, units in missing.items():
        line = line_of(mirakl, line_id)
        rest = units - covered_units(memory, line_id)
        if line is not None and rest > 0:
            since = memory.content_since
            dues.append(due_for(ordered[line_id], line, rest, mirakl.currency, memory, since))
        elif rest < 0:
            too_much.append(ordered[line_id].sku)
    if dues:
        task = RefundTask(next_edit_subject(memory), edit.view.now, tuple(dues))
        memory = with_task(memory, task)
    because = [_REFUND_AWAITED] if dues or not too_much else []
    if too_much:
        because.append(
            f"More units of {', '.join(too_much)} are in refund tasks than Shopify shows as removed; see the tasks."
        )
    return Part(memory, because=tuple(because))


_REFUND_AWAITED = (
    "The customer has already paid, so the reduction is a refund at the marketplace. The parcel is held until the "
    "marketplace shows the refund and it is sure that the units stay here."
)


def _strays(memory: Memory, missing: dict[str, int]) -> bool:
    """Whether an open task of an edit is about a line that the edit no longer touches."""
    return any(
        due.line_id not in missing
        for task in memory.refund_tasks
        if is_open(task) and is_of_an_edit(task) and not task.settled_by
        for due in task.lines
    )


def _dismissed_by_a_person(memory: Memory, missing: dict[str, int]) -> RefundTask | None:
    """The latest task for exactly these units, if a person closed it without a refund."""
    for task in reversed(memory.refund_tasks):
        if {due.line_id: due.quantity for due in task.lines} == missing:
            by_hand = task.dismissed_by and not task.dismissed_by.startswith((SUPERSEDED, UNDONE))
            return task if by_hand and task.settled_at is None else None
    return None


def _after_dispatch(edit: _Edit, memory: Memory) -> Part:
    """The marketplace has shipped the order: what Shopify shows less is a return or a refund, never a cancelation."""
    if all(_accounted_for(memory, d) for d in edit.reduced):
        return Part(memory, because=("The order has left; the smaller quantity belongs to a refund.",))
    case = Case(
        Reason.REDUCTION_NOT_ALLOWED,
        edit.subject,
        f"{' '.join(edit.sentences)} The order has been dispatched at the marketplace, so nothing can be cancelled "
        "any more. If the customer is to get money back, refund it in the portal; then mark this as done.",
        (Option.DONE_IN_PORTAL, Option.UNDO_IN_SHOPIFY),
        edit.facts,
    )
    answer = memory.decision(case.reason, case.subject)
    if answer is not None and answer.option is Option.DONE_IN_PORTAL:
        # Nothing the marketplace shows could ever close it: after dispatch quantities do not change there.
        return Part(memory, because=(f"{answer.who} settled the reduction after dispatch in the portal.",))
    return Part(memory, cases=(case,))


def _accounted_for(memory: Memory, reduced: Reduced) -> bool:
    asked = sum(
        due.quantity
        for task in memory.refund_tasks
        for due in task.lines
        if due.line_id == reduced.line_id and not task.dismissed_by.startswith((SUPERSEDED, UNDONE))
    )
    return asked >= _units(reduced)


# -- words -------------------------------------------------------------------------------------------------


def _units(reduced: Reduced) -> int:
    return reduced.agreed - (reduced.now if isinstance(reduced, QuantityReduced) else 0)


def _kind(reduced: Reduced) -> KindOfEdit:
    return "quantity_reduced" if isinstance(reduced, QuantityReduced) else "line_removed"


def _once(sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentences))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]

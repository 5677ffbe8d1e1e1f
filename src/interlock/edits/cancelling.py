"""A reduction as a cancelation at the marketplace (OR30, OR29): when it may be sent, and what follows a refusal."""

from dataclasses import replace

from interlock.edits.amounts import cancelation_of
from interlock.edits.reading import Edit, Reduced, digest, kind_of, units_of
from interlock.orders.actions import CancelMiraklOrder, CancelQuantities
from interlock.orders.agreement import ordered_of
from interlock.orders.codec import encode
from interlock.orders.memory import Memory
from interlock.orders.plan import Case, Part, latest
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import line_of
from interlock.orders.shares import rounding_of
from interlock.orders.view import OpenOperation

Cancelation = CancelQuantities | CancelMiraklOrder


def cancel_quantities(edit: Edit, memory: Memory, reduced: tuple[Reduced, ...]) -> Part:
    """Cancel these units, all lines in one call, with exact figures (OR30)."""
    rules, mirakl = edit.view.rules, edit.mirakl
    ordered = {line.line_id: line for line in ordered_of(mirakl, memory)}
    lines, roundings = [], []
    for one in reduced:
        line, units = line_of(mirakl, one.line_id), units_of(one)
        if line is not None:
            reason = rules.cancelation_reason_for(kind_of(one))
            cancelation = cancelation_of(
                ordered[line.id],
                line,
                units,
                mirakl.currency,
                memory,
                reason_code="" if reason == rules.cancelation_reason else reason,
                proportional_taxes=rules.proportional_taxes,
            )
            lines.append(cancelation)
            roundings.append(rounding_of(ordered[line.id], units, mirakl.currency))
    skus = ", ".join(f"{units_of(one)} of {one.sku}" for one in reduced)
    part = send(
        edit,
        memory,
        CancelQuantities(
            lines=tuple(lines),
            currency=mirakl.currency,
            tax_mode=mirakl.tax_mode,
            reason_code=rules.cancelation_reason,
            # With order-level taxes the arrays have to be left out in TAX_EXCLUDED (OR30).
            send_taxes=not (
                (rules.order_level_tax or mirakl.order_level_tax) and mirakl.tax_mode == "TAX_EXCLUDED"
            ),
        ),
        f"The marketplace is asked to cancel {skus}, because Shopify no longer shows them.",
    )
    explained = tuple(dict.fromkeys(r for r in roundings if r and part.actions))
    return replace(part, because=(*part.because, *explained))


def send(edit: Edit, memory: Memory, action: Cancelation, because: str) -> Part:
    """Want the cancelation, unless one is on its way, it was refused, the edit may go on, or Mirakl is not fresh."""
    view = edit.view
    for operation in view.operations:
        if isinstance(operation.action, Cancelation) and operation.state in ("IN_FLIGHT", "UNKNOWN"):
            return _on_its_way(edit, memory, action, operation)
    # A refusal counts for what was sent: other figures or another reason code are a new attempt.
    refused = [op for op in view.operations if op.state == "REJECTED" and op.action == action]
    if refused and not _sent_again(edit, memory, action, refused[-1]):
        return Part(memory, (action,), (_refused_case(edit, action, refused[-1]),))
    wait = not_yet(edit, memory)
    if wait is not None:
        # What was refused stays in sight until it has really gone out once more.
        return replace(wait, cases=tuple(_refused_case(edit, action, op) for op in refused[-1:]))
    if refused:
        asked = memory.decision(Reason.REDUCTION_REFUSED, _subject_of(edit, action))
        because = f"{'Somebody' if asked is None else asked.who} asked to send the refused cancelation again."
    return Part(_remembered(memory, action), actions=(action,), because=(because,))


def _remembered(memory: Memory, action: Cancelation) -> Memory:
    """What we asked for is nobody else's change when the marketplace shows it."""
    if isinstance(action, CancelMiraklOrder):
        return memory
    asked = dict(memory.asked_cancelled)
    for line in action.lines:
        asked[line.line_id] = max(asked.get(line.line_id, 0), line.cancelled_total)
    return replace(memory, asked_cancelled=tuple(asked.items()))


def _on_its_way(edit: Edit, memory: Memory, action: Cancelation, operation: OpenOperation) -> Part:
    # An unclear cancelation is wanted on as long as it would do what the edit still asks for: the ledger then
    # reads it back before it may be sent again. Once the edit asks for something else it must not be repeated.
    if _same_target(operation.action, action):
        because = "A cancelation is on its way; its outcome is read back before anything else is sent."
        actions: tuple[Cancelation, ...] = (action,) if operation.action == action else ()
    else:
        because = "An earlier cancelation is on its way; the changed edit follows once its outcome is known."
        actions = ()
    return Part(memory, actions=actions, because=(because,), mirakl_since=edit.view.mirakl_written_at)


def _same_target(one: object, other: object) -> bool:
    if isinstance(one, CancelQuantities) and isinstance(other, CancelQuantities):
        return _targets(one) == _targets(other)
    return isinstance(one, CancelMiraklOrder) and isinstance(other, CancelMiraklOrder)


def _targets(action: CancelQuantities) -> list[tuple[str, int]]:
    return sorted((line.line_id, line.cancelled_total) for line in action.lines)


def not_yet(edit: Edit, memory: Memory) -> Part | None:
    """Why nothing irreversible may be sent at this moment: the edit may go on, or the marketplace's side is old."""
    view = edit.view
    since = memory.content_since or edit.shopify.updated_at
    until = since + view.quiet_period_of(memory)
    if view.now < until:
        seconds = int(view.rules.quiet_period.total_seconds())
        because = f"The edit may still be going on: nothing is sent until {seconds} seconds have passed without a change."
        return Part(memory, look_at=until, because=(because,))
    # Read after the wait, not in it: meanwhile the customer or the operator may have cut the same line.
    if not view.mirakl_is_current or edit.mirakl.observed_at < until:
        because = "The marketplace is read once more before anything is sent, because what it last showed is older than the edit."
        return Part(memory, mirakl_since=latest(until, view.mirakl_written_at), because=(because,))
    return None


def _subject_of(edit: Edit, action: Cancelation) -> str:
    """The refused call of this edit: another edit may want the very same call, and is asked about anew."""
    return "cancelation:" + digest([encode(action), edit.subject])


def _sent_again(edit: Edit, memory: Memory, action: Cancelation, operation: OpenOperation) -> bool:
    """Whether a person has asked since the refusal to send it once more."""
    return operation.is_sent_again_by(memory.decision(Reason.REDUCTION_REFUSED, _subject_of(edit, action)))


def _refused_case(edit: Edit, action: Cancelation, operation: OpenOperation) -> Case:
    # The action stays wanted beside it, so that the ledger keeps the refusal in sight; it is the ledger that does not
    # resend.
    words = operation.words or operation.code or "no reason given"
    undo = (Option.UNDO_BY_INTERLOCK,) if edit.may_be_undone_by_us else ()
    return Case(
        Reason.REDUCTION_REFUSED,
        _subject_of(edit, action),
        f"{' '.join(edit.sentences)} The marketplace refused the cancelation: {words}. Nothing was cancelled and "
        f"the parcel {edit.hold.is_held}. Cancel it in the portal, undo the change in Shopify, or send it again once the "
        f"reason is gone.{edit.hold.lacking}",
        (Option.SEND_AGAIN, Option.UNDO_IN_SHOPIFY, *undo, Option.DONE_IN_PORTAL),
        (
            *edit.table,
            ("The marketplace's words", words),
            ("Call", "OR30" if isinstance(action, CancelQuantities) else "OR29"),
            *((("code", operation.code),) if operation.code else ()),
        ),
    )

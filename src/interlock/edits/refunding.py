"""A reduction after the customer has paid: money to give back, asked for as one task with the exact figures."""

from dataclasses import replace

from interlock.edits.cancelling import not_yet
from interlock.edits.reading import Edit
from interlock.orders.agreement import ordered_of
from interlock.orders.memory import Memory, RefundTask
from interlock.orders.plan import Part
from interlock.orders.refund_tasks import (
    SUPERSEDED,
    closed,
    covered_units,
    due_for,
    is_begun,
    is_of_an_edit,
    is_open,
    line_of,
    next_edit_subject,
    with_task,
)
from interlock.orders.unasked import paid_already
from interlock.orders.view import View


def refund(edit: Edit, memory: Memory, because: str) -> Part:
    """Open one task for the units no task covers yet. Who pays it out (a person, a person's click, Interlock) is what
    `reduction_after_debit` says, and the refund room's work."""
    wait = not_yet(edit, memory)
    if wait is not None:
        return wait
    mirakl = edit.mirakl
    memory = without_edit_tasks(edit.view, memory, SUPERSEDED)
    ordered = {line.line_id: line for line in ordered_of(mirakl, memory)}
    dues = []
    there: list[str] = []
    too_much = []
    for line_id, units in edit.missing.items():
        line = line_of(mirakl, line_id)
        rest = units - covered_units(memory, line_id)
        if line is not None and rest > 0:
            # Whoever refunds a unit in the portal and then takes it off in Shopify, or the other way round, means one refund.
            paid = tuple(one.refund.id for one in paid_already(mirakl, memory, line_id, rest))
            unpaid = replace(line, refunds=tuple(one for one in line.refunds if one.id not in paid))
            since = memory.content_since
            dues.append(due_for(ordered[line_id], unpaid, rest, mirakl.currency, memory, since))
            there += paid
        elif rest < 0:
            too_much.append(ordered[line_id].sku)
    if dues:
        task = RefundTask(next_edit_subject(memory), edit.view.now, tuple(dues), settled_by=tuple(there))
        memory = with_task(memory, task)
    said = [because] if dues or not too_much else []
    if too_much:
        said.append(
            f"More units of {', '.join(too_much)} are in refund tasks than Shopify shows as removed; see the tasks."
        )
    if there:
        said.append(f"The marketplace gave money back for these units already ({', '.join(there)}).")
    # What is there already is compared with what is asked for at once.
    return Part(memory, because=tuple(said), look_at=edit.view.now if there else None)


def without_edit_tasks(view: View, memory: Memory, why: str) -> Memory:
    """Open tasks of edits that nobody has begun to carry out are closed."""
    for task in memory.refund_tasks:
        if is_open(task) and is_of_an_edit(task) and not is_begun(task, view.operations):
            memory = closed(memory, task, why)
    return memory

"""Every refund of money in Shopify becomes one task, and every task closes on what the marketplace shows."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from interlock.orders.agreement import (
    agreed_quantities,
    fulfilled_quantities,
    mirakl_line_id_of,
    ordered_of,
)
from interlock.orders.memory import Decision, Memory, RefundDue, RefundTask, Withdrawn
from interlock.orders.money import Money
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import (
    SUPERSEDED,
    awaits_confirmation,
    closed,
    due_for,
    is_of_an_edit,
    is_open,
    line_of,
    seen_before,
    with_task,
)
from interlock.orders.shares import total_of
from interlock.orders.snapshots import DEAD, TO_SHIP, MiraklLine, MiraklOrder, Reduction, ShopifyRefund
from interlock.orders.view import View

ZERO = Decimal(0)
CANCELLED = "the marketplace cancelled the units instead"


def decide(view: View, memory: Memory) -> Part:
    """The refund room's part: opens, answers, confirms and shows the refund tasks of one order."""
    memory = _dismissed(memory)
    if view.mirakl is not None:
        if view.shopify is not None and view.shopify.id == memory.shopify_order_id:
            for refund in view.shopify.refunds:
                if refund.money > 0 and _task(memory, refund.id) is None:
                    memory = _opened(view, view.mirakl, memory, refund)
        memory = _answered(view.mirakl, memory, view.now)
    before = memory.withdrawn
    memory = _withdrawn(view, memory)
    cases = (*_refund_cases(view, memory), *_confirmations(view, memory))
    because = tuple(
        f"{w.confirmed_by} confirmed that {w.quantity} refunded unit(s) of {_sku(memory, w.line_id)} do not ship."
        for w in memory.withdrawn[len(before) :]
    )
    # What is withdrawn changes what is agreed, so the other rooms have to look again.
    return Part(memory, cases=cases, because=because, look_at=view.now if because else None)


def _task(memory: Memory, subject: str) -> RefundTask | None:
    for task in memory.refund_tasks:
        if task.subject == subject:
            return task
    return None


def _dismissed(memory: Memory) -> Memory:
    for task in memory.refund_tasks:
        answer = memory.decision(Reason.REFUND_TASK, task.subject)
        if (
            is_open(task)
            and answer is not None
            and answer.option is Option.DISMISS
            and answer.who
            and answer.why
            and answer.at >= task.opened_at
        ):
            memory = closed(memory, task, f"{answer.who}: {answer.why}")
    return memory


# -- opening -----------------------------------------------------------------------------------------------


def _opened(view: View, mirakl: MiraklOrder, memory: Memory, refund: ShopifyRefund) -> Memory:
    units = _units(view, memory, refund)
    twin = _task_of_the_same_edit(mirakl, memory, refund, units)
    if twin is not None:
        # The money follows a removal that a task asks for already: one task, now under the refund's own id.
        memory = closed(memory, twin, f"{SUPERSEDED} by {refund.id}")
        return with_task(memory, replace(twin, subject=refund.id, dismissed_by=""))
    ordered = {line.line_id: line for line in ordered_of(mirakl, memory)}
    dues = []
    for line_id, quantity in units:
        line = line_of(mirakl, line_id)
        if line is not None and quantity > 0 and ordered[line_id].quantity > 0:
            dues.append(due_for(ordered[line_id], line, quantity, mirakl.currency, memory, refund.created_at))
    if not dues:
        seen = tuple(i for line in mirakl.lines for i in seen_before(line, refund.created_at))
        dues.append(RefundDue("", 0, refund.money, ZERO, (), (), seen))
    return with_task(memory, RefundTask(refund.id, view.now, tuple(dues)))


def _units(view: View, memory: Memory, refund: ShopifyRefund) -> tuple[tuple[str, int], ...]:
    """Refunded units per Mirakl line; refunded lines that stand for nothing the marketplace sold are left out."""
    lines = () if view.shopify is None else view.shopify.lines
    stands_for = {line.id: mirakl_line_id_of(line, memory) for line in lines}
    units: dict[str, int] = {}
    for shopify_line_id, quantity in refund.lines:
        line_id = stands_for.get(shopify_line_id, "")
        if line_id:
            units[line_id] = units.get(line_id, 0) + quantity
    return tuple(units.items())


def _task_of_the_same_edit(
    mirakl: MiraklOrder, memory: Memory, refund: ShopifyRefund, units: tuple[tuple[str, int], ...]
) -> RefundTask | None:
    """The task that an edit opened for what this Shopify refund pays back: the same units, or, where the refund
    names no units, exactly its money (with or without the shipping share)."""
    for task in memory.refund_tasks:
        if not is_of_an_edit(task) or task.dismissed_by:
            continue
        if units:
            if {due.line_id: due.quantity for due in task.lines} == dict(units):
                return task
        elif refund.money in (
            _total(task.lines, mirakl.tax_mode),
            _total(task.lines, mirakl.tax_mode, shipping=False),
        ):
            return task
    return None


def _total(dues: tuple[RefundDue, ...], tax_mode: str, shipping: bool = True) -> Decimal:
    return sum(
        (
            total_of(
                due.amount,
                due.shipping_amount if shipping else ZERO,
                (*due.taxes, *due.shipping_taxes) if shipping else due.taxes,
                tax_mode,
            )
            for due in dues
        ),
        ZERO,
    )


# -- answers of the marketplace ----------------------------------------------------------------------------


def _answered(mirakl: MiraklOrder, memory: Memory, now: datetime) -> Memory:
    """Give every new refund of the marketplace to the one task it answers: an exact match first, then the oldest.

    Open tasks are judged anew each time, so that a small goodwill refund seen first does not spoil the exact one."""
    for task in memory.refund_tasks:
        if is_open(task) and task.settled_by:
            memory = with_task(memory, replace(task, settled_by=()))
    for exactly in (True, False):
        for task in memory.refund_tasks:
            if is_open(task):
                for due in task.lines:
                    found = _new(mirakl, memory, task, due)
                    if exactly:
                        found = tuple(r for r in found if _value(mirakl, r, due) == due.amount)[:1]
                    if found and not _reached(mirakl, task, due):
                        ids = (*task.settled_by, *(r.id for r in found))
                        task = replace(task, settled_by=ids)
                        memory = with_task(memory, task)
    for task in memory.refund_tasks:
        if is_open(task):
            memory = _settled(mirakl, memory, task, now)
    return memory


def _settled(mirakl: MiraklOrder, memory: Memory, task: RefundTask, now: datetime) -> Memory:
    if all(_is_cancelled(mirakl, due) or _paid(mirakl, task, due) == due.amount for due in task.lines):
        by_cancelation = any(
            _is_cancelled(mirakl, due) or _answers_are_cancelations(mirakl, task, due) for due in task.lines
        )
        # Cancelled units are out of the agreed quantity already and must not be withdrawn once more.
        return with_task(
            memory, replace(task, settled_at=now, dismissed_by=CANCELLED if by_cancelation else "")
        )
    return memory


def _is_cancelled(mirakl: MiraklOrder, due: RefundDue) -> bool:
    """Whether nobody was or will be charged for the line: it ended as refused or cancelled, undebited."""
    lines = _lines(mirakl, due)
    return bool(lines) and all(
        (line.state in DEAD or mirakl.state in DEAD) and line.debited_at is None and mirakl.debited_at is None
        for line in lines
    )


def _lines(mirakl: MiraklOrder, due: RefundDue) -> tuple[MiraklLine, ...]:
    """The Mirakl lines a due is about: its own, or all of them where only money is due."""
    return tuple(line for line in mirakl.lines if not due.line_id or line.id == due.line_id)


def _new(mirakl: MiraklOrder, memory: Memory, task: RefundTask, due: RefundDue) -> tuple[Reduction, ...]:
    """Refunds and cancelations of the due's lines that came after it arose and answer no task yet."""
    given = [i for other in memory.refund_tasks for i in other.settled_by]
    return tuple(
        reduction
        for line in _lines(mirakl, due)
        for reduction in (*line.refunds, *line.cancelations)
        if reduction.id not in due.seen_refunds and reduction.id not in given
    )


def _answers(mirakl: MiraklOrder, task: RefundTask, due: RefundDue) -> tuple[Reduction, ...]:
    return tuple(
        reduction
        for line in _lines(mirakl, due)
        for reduction in (*line.refunds, *line.cancelations)
        if reduction.id in task.settled_by
    )


def _answers_are_cancelations(mirakl: MiraklOrder, task: RefundTask, due: RefundDue) -> bool:
    cancelations = [c.id for line in _lines(mirakl, due) for c in line.cancelations]
    return any(r.id in cancelations for r in _answers(mirakl, task, due))


def _value(mirakl: MiraklOrder, reduction: Reduction, due: RefundDue) -> Decimal:
    """What a reduction counts against a due: its product amount, or all its money where only money is due."""
    if due.line_id:
        return reduction.amount
    taxes = (*reduction.taxes, *reduction.shipping_taxes)
    return total_of(reduction.amount, reduction.shipping_amount, taxes, mirakl.tax_mode)


def _paid(mirakl: MiraklOrder, task: RefundTask, due: RefundDue) -> Decimal:
    return sum((_value(mirakl, r, due) for r in _answers(mirakl, task, due)), ZERO)


def _reached(mirakl: MiraklOrder, task: RefundTask, due: RefundDue) -> bool:
    return bool(_answers(mirakl, task, due)) and _paid(mirakl, task, due) >= due.amount


# -- units that will not ship ------------------------------------------------------------------------------


def _withdrawn(view: View, memory: Memory) -> Memory:
    """Count refunded units as withdrawn once a person has said that they stay here."""
    if view.mirakl is None or view.mirakl.state not in TO_SHIP:
        return memory
    for task in memory.refund_tasks:
        word = _word(memory, task)
        for due in task.lines:
            if word is not None and awaits_confirmation(memory, task, due) and _still_here(view, memory, due):
                answers = [r.id for r in _answers(view.mirakl, task, due)]
                withdrawn = Withdrawn(
                    due.line_id, due.quantity, answers[-1] if answers else task.subject, word.who, view.now
                )
                memory = replace(memory, withdrawn=(*memory.withdrawn, withdrawn))
    return memory


def _still_here(view: View, memory: Memory, due: RefundDue) -> bool:
    """Whether the refunded units can still be kept back: a refund of units that have left is money alone."""
    if view.mirakl is None or view.shopify is None:
        return True
    agreed = dict(agreed_quantities(view.mirakl, memory)).get(due.line_id, 0)
    return dict(fulfilled_quantities(view.shopify, memory)).get(due.line_id, 0) <= agreed - due.quantity


def _word(memory: Memory, task: RefundTask) -> Decision | None:
    """The person's word that the task's units will not ship: said on its own, or with the refund made."""
    confirmed = memory.decision(Reason.CONFIRM_WITHDRAWN, task.subject)
    if confirmed is not None and confirmed.option in (Option.CONFIRM_WITHDRAWN, Option.DONE_IN_PORTAL):
        return confirmed
    done = memory.decision(Reason.REFUND_TASK, task.subject)
    if confirmed is None and done is not None and done.option is Option.DONE_IN_PORTAL:
        return done
    return None


def _confirmations(view: View, memory: Memory) -> tuple[Case, ...]:
    if view.mirakl is not None and view.mirakl.state not in TO_SHIP:
        return ()
    cases = []
    for task in memory.refund_tasks:
        waiting = [
            due
            for due in task.lines
            if awaits_confirmation(memory, task, due) and _still_here(view, memory, due)
        ]
        if waiting:
            units = ", ".join(f"{due.quantity} of {_sku(memory, due.line_id)}" for due in waiting)
            cases.append(
                Case(
                    Reason.CONFIRM_WITHDRAWN,
                    task.subject,
                    f"The marketplace refunded the full price of {units} before dispatch. Confirm that these units "
                    "stay here, and they no longer count as agreed; if they ship all the same, dismiss this and put "
                    "them back into the Shopify order. The parcel is held until then.",
                    (Option.CONFIRM_WITHDRAWN, Option.DISMISS),
                    tuple((_sku(memory, due.line_id), f"{due.quantity} unit(s)") for due in waiting),
                )
            )
    return tuple(cases)


# -- what a person sees ------------------------------------------------------------------------------------


def _refund_cases(view: View, memory: Memory) -> tuple[Case, ...]:
    return tuple(_refund_case(view, memory, task) for task in memory.refund_tasks if is_open(task))


def _refund_case(view: View, memory: Memory, task: RefundTask) -> Case:
    mirakl = view.mirakl
    if mirakl is None:
        currency = view.shopify.currency if view.shopify is not None else ""
        tax_mode = view.rules.tax_mode
    else:
        currency, tax_mode = mirakl.currency, mirakl.tax_mode
    why = (
        "Units were removed in Shopify after the customer had paid."
        if is_of_an_edit(task)
        else "Money was refunded in Shopify, which does not reach the marketplace by itself."
    )
    total = _money(_total(task.lines, tax_mode), currency)
    sentences = [why, f"Refund {total} in the marketplace portal: {_figures(memory, task, currency)}."]
    if any(other.dismissed_by == f"{SUPERSEDED} by {task.subject}" for other in memory.refund_tasks):
        sentences.append("It is the refund of the removal in Shopify too: make it once.")
    if mirakl is not None:
        sentences.append(_progress(mirakl, task, currency))
    answer = memory.decision(Reason.REFUND_TASK, task.subject)
    if answer is not None and answer.option is Option.DONE_IN_PORTAL:
        sentences.append(
            f"{answer.who} said it was done; the task closes by itself when the marketplace shows it."
        )
    return Case(
        Reason.REFUND_TASK,
        task.subject,
        " ".join(sentence for sentence in sentences if sentence),
        (Option.DONE_IN_PORTAL, Option.DISMISS),
        _facts(view, memory, task, currency, total),
    )


def _figures(memory: Memory, task: RefundTask, currency: str) -> str:
    figures = []
    for due in task.lines:
        if not due.line_id:
            figures.append("an amount that belongs to no particular line, taxes included")
            continue
        shipping = f" and {_money(due.shipping_amount, currency)} shipping" if due.shipping_amount else ""
        figures.append(
            f"{due.quantity} of {_sku(memory, due.line_id)} with {_money(due.amount, currency)}{shipping}"
        )
    return ", ".join(figures)


def _progress(mirakl: MiraklOrder, task: RefundTask, currency: str) -> str:
    paid = sum((_paid(mirakl, task, due) for due in task.lines), ZERO)
    if any(_paid(mirakl, task, due) > due.amount for due in task.lines):
        return (
            f"The marketplace shows {_money(paid, currency)} refunded, which is more than asked for: compare both "
            "sides, correct what is wrong, and dismiss this with the reason."
        )
    if paid:
        asked = sum((due.amount for due in task.lines), ZERO)
        return f"So far the marketplace shows {_money(paid, currency)} of {_money(asked, currency)} product amount."
    if mirakl.state in DEAD:
        return "The marketplace order has ended; check there whether the customer ever paid."
    if mirakl.debited_at is None and all(line.debited_at is None for line in mirakl.lines):
        return (
            "The marketplace has not charged the customer yet, so a refund may only be possible later; if the units "
            "are cancelled there instead, this closes by itself."
        )
    return ""


def _facts(
    view: View, memory: Memory, task: RefundTask, currency: str, total: str
) -> tuple[tuple[str, str], ...]:
    facts = []
    for due in task.lines:
        name = _sku(memory, due.line_id) if due.line_id else "Any line"
        if due.line_id:
            facts.append((f"{name}: line", due.line_id))
            facts.append((f"{name}: units", str(due.quantity)))
        facts.append((f"{name}: amount", _money(due.amount, currency)))
        facts.append((f"{name}: shipping", _money(due.shipping_amount, currency)))
        facts += [(f"{name}: tax {tax.code}", _money(tax.amount, currency)) for tax in due.taxes]
        facts += [
            (f"{name}: shipping tax {tax.code}", _money(tax.amount, currency)) for tax in due.shipping_taxes
        ]
        if view.mirakl is not None:
            facts.append((f"{name}: refunded so far", _money(_paid(view.mirakl, task, due), currency)))
    facts.append(("Total for the customer", total))
    facts.append(("Currency", currency))
    if view.shopify is not None:
        for refund in view.shopify.refunds:
            if refund.id == task.subject:
                facts.append(("Refunded in Shopify", _money(refund.money, view.shopify.currency)))
    facts.append(("Reason", "edit in Shopify" if is_of_an_edit(task) else "refund in Shopify"))
    return tuple(facts)


def _money(amount: Decimal, currency: str) -> str:
    return str(Money(amount, currency)) if currency else str(amount)


def _sku(memory: Memory, line_id: str) -> str:
    line = memory.ordered_line(line_id)
    return line.sku if line is not None and line.sku else line_id

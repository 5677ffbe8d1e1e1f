"""Which refunds and cancelations of the marketplace answer a refund task, and how far they come to what it asks for.

Money is compared figure by figure: product amount, shipping, fees, and the taxes where they come on top. In
TAX_INCLUDED they are inside the amounts, so that equal amounts are the same money (Mirakl reference 1.6, OR11).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from interlock.orders.memory import Memory, RefundDue, RefundTask
from interlock.orders.money import smallest_unit
from interlock.orders.refund_tasks import answering, is_open, shares, with_task
from interlock.orders.shares import merged, sum_of
from interlock.orders.snapshots import MiraklLine, MiraklOrder, Reduction

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Figures:
    """Money of one line, in the order's currency and tax mode. `taxes` are product and shipping taxes together."""

    amount: Decimal
    shipping: Decimal
    taxes: Decimal
    fees: Decimal

    def total(self, tax_mode: str) -> Decimal:
        """What the customer pays or gets for it."""
        return self.amount + self.shipping + self.fees + (self.taxes if tax_mode == "TAX_EXCLUDED" else ZERO)


def asked_for(due: RefundDue) -> Figures:
    """What a task asks for on one line. Where only money is due it is all in `amount`, taxes included."""
    taxes = sum_of((*due.taxes, *due.shipping_taxes))
    return Figures(due.amount, due.shipping_amount, taxes, sum_of(due.fees))


def given_by(reductions: Iterable[Reduction]) -> Figures:
    """What these refunds or cancelations come to."""
    found = tuple(reductions)
    return Figures(
        sum((r.amount for r in found), ZERO),
        sum((r.shipping_amount for r in found), ZERO),
        sum((sum_of((*r.taxes, *r.shipping_taxes)) for r in found), ZERO),
        sum((sum_of(r.fees) for r in found), ZERO),
    )


def given_back(mirakl: MiraklOrder, refund: Reduction) -> Decimal:
    """What the customer got with one refund, in the order's currency: taxes and fees included, whatever the tax mode."""
    return given_by((refund,)).total(mirakl.tax_mode)


def lines_of(mirakl: MiraklOrder, due: RefundDue) -> tuple[MiraklLine, ...]:
    """The Mirakl lines a due is about: its own, or all of them where only money is due."""
    return tuple(line for line in mirakl.lines if not due.line_id or line.id == due.line_id)


def known_refunds(memory: Memory) -> frozenset[str]:
    """The refunds that are explained: they answer a task, Interlock made them, or a person confirmed the units."""
    return answering(memory) | {withdrawn.refund_id for withdrawn in memory.withdrawn}


def only_records(task: RefundTask, due: RefundDue) -> bool:
    """Whether what settled the task had been given back before it: Shopify's books were only brought up to it. Such a due
    names no units, or had seen its answer when it arose."""
    money_alone = bool(due.line_id) and not due.quantity
    return money_alone or (bool(task.settled_by) and set(task.settled_by) <= set(due.seen_refunds))


def answers(mirakl: MiraklOrder, task: RefundTask, due: RefundDue) -> tuple[Reduction, ...]:
    """The refunds and cancelations on the due's lines that were given to the task."""
    return tuple(
        reduction
        for line in lines_of(mirakl, due)
        for reduction in (*line.refunds, *line.cancelations)
        if reduction.id in task.settled_by
    )


def answers_are_cancelations(mirakl: MiraklOrder, task: RefundTask, due: RefundDue) -> bool:
    """Whether units were cancelled instead: nobody was charged for them, so only the product amount counts."""
    cancelations = [c.id for line in lines_of(mirakl, due) for c in line.cancelations]
    return any(i in cancelations for i in task.settled_by)


def shown_for(mirakl: MiraklOrder, task: RefundTask, due: RefundDue) -> Figures:
    """What the marketplace shows on one line as answer to the task."""
    return given_by(answers(mirakl, task, due))


def comes_to(mirakl: MiraklOrder, task: RefundTask) -> Decimal:
    """What the customer got with all that was given to the task, in the order's currency."""
    given = (
        reduction
        for line in mirakl.lines
        for reduction in (*line.refunds, *line.cancelations)
        if reduction.id in task.settled_by
    )
    return given_by(given).total(mirakl.tax_mode)


def share_of(mirakl: MiraklOrder, task: RefundTask) -> Decimal:
    """What all that the task asks for comes to at the marketplace."""
    return shares(task.lines, mirakl.tax_mode)[0]


def is_whole(mirakl: MiraklOrder, task: RefundTask, due: RefundDue) -> bool:
    """Whether what was given to the task comes to exactly what it asks for on this line.

    Of a refund that Interlock made, and of cancelled units, the product amount settles it; another shipping amount in
    ours is damage of its own."""
    given = answers(mirakl, task, due)
    if due.line_id and (task.made or answers_are_cancelations(mirakl, task, due)):
        return given_by(given).amount == due.amount
    return _is_the_money(mirakl, due, given_by(given), len(given))


def is_short(mirakl: MiraklOrder, task: RefundTask, due: RefundDue) -> bool:
    """Whether something of the line is still missing."""
    given = answers(mirakl, task, due)
    shown, asked = given_by(given), asked_for(due)
    if not due.line_id:
        return shown.total(mirakl.tax_mode) < due.amount
    if answers_are_cancelations(mirakl, task, due):
        return shown.amount < asked.amount
    short_of_taxes = mirakl.tax_mode == "TAX_EXCLUDED" and shown.taxes < asked.taxes - _rounding(
        mirakl, due, len(given)
    )
    return (
        shown.amount < asked.amount
        or shown.shipping < asked.shipping
        or shown.fees < asked.fees
        or short_of_taxes
    )


def is_over(mirakl: MiraklOrder, task: RefundTask, due: RefundDue) -> bool:
    """Whether the marketplace gave more money of any kind for the line than the task asks for."""
    given = answers(mirakl, task, due)
    shown, asked = given_by(given), asked_for(due)
    if not due.line_id:
        return shown.total(mirakl.tax_mode) > due.amount
    if answers_are_cancelations(mirakl, task, due):
        return shown.amount > asked.amount
    over_in_taxes = mirakl.tax_mode == "TAX_EXCLUDED" and shown.taxes > asked.taxes + _rounding(
        mirakl, due, len(given)
    )
    return (
        shown.amount > asked.amount
        or shown.shipping > asked.shipping
        or shown.fees > asked.fees
        or over_in_taxes
    )


def _is_the_money(mirakl: MiraklOrder, due: RefundDue, shown: Figures, refunds: int) -> bool:
    asked = asked_for(due)
    if not due.line_id:
        return shown.total(mirakl.tax_mode) == due.amount
    if (shown.amount, shown.shipping, shown.fees) != (asked.amount, asked.shipping, asked.fees):
        return False
    on_top = mirakl.tax_mode == "TAX_EXCLUDED"
    return not on_top or abs(shown.taxes - asked.taxes) <= _rounding(mirakl, due, refunds)


def _rounding(mirakl: MiraklOrder, due: RefundDue, refunds: int) -> Decimal:
    """By how much taxes may differ and still be the same: the marketplace computes proportional ones itself, per refund,
    and may round each of them otherwise than our shares do (Mirakl reference, OR28)."""
    entries = len(merged(due.taxes)) + len(merged(due.shipping_taxes))
    return smallest_unit(mirakl.currency) * entries * max(refunds, 1)


# -- giving -------------------------------------------------------------------------------------------------


def given(mirakl: MiraklOrder, memory: Memory) -> Memory:
    """Give every new refund of the marketplace to the one open task it answers: one of exactly its money first, then one
    of its product amount, then those that fit into what is missing, and at last whatever is there.

    Open tasks are judged anew each time, so that a small goodwill refund seen first does not spoil the exact one. What
    answers a task that Interlock carried out is known by its id, so nothing else is taken for it."""
    for task in memory.refund_tasks:
        if is_open(task) and not task.asks and (task.settled_by or task.made):
            memory = with_task(memory, replace(task, settled_by=of_ours(mirakl, task)))
    for choose in (_exact, _of_the_amount, _that_fit, _all):
        for task in memory.refund_tasks:
            if is_open(task) and not task.asks and not task.made:
                for due in task.lines:
                    found = choose(mirakl, task, due, _new(mirakl, memory, due))
                    if found:
                        task = replace(task, settled_by=(*task.settled_by, *(r.id for r in found)))
                        memory = with_task(memory, task)
    return memory


def of_ours(mirakl: MiraklOrder, task: RefundTask) -> tuple[str, ...]:
    """The refunds that Interlock made for the task, as far as the marketplace shows them on their lines."""
    made = {(one.line_id, one.refund_id) for one in task.made}
    return tuple(r.id for line in mirakl.lines for r in line.refunds if (line.id, r.id) in made)


def _new(mirakl: MiraklOrder, memory: Memory, due: RefundDue) -> tuple[Reduction, ...]:
    """Refunds and cancelations of the due's lines that came after it arose and answer no task yet."""
    known = {*due.seen_refunds, *answering(memory)}
    return tuple(
        reduction
        for line in lines_of(mirakl, due)
        for reduction in (*line.refunds, *line.cancelations)
        if reduction.id not in known
    )


def _exact(
    mirakl: MiraklOrder, task: RefundTask, due: RefundDue, new: tuple[Reduction, ...]
) -> tuple[Reduction, ...]:
    if answers(mirakl, task, due):
        return ()
    if task.money is not None and len(task.lines) == 1:
        as_in_shopify = next((r for r in new if given_back(mirakl, r) == task.money), None)
        if as_in_shopify is not None:
            return (as_in_shopify,)
    cancelations = {c.id for line in lines_of(mirakl, due) for c in line.cancelations}
    for reduction in new:
        cancelled = bool(due.line_id) and reduction.id in cancelations
        same = (
            reduction.amount == due.amount
            if cancelled
            else _is_the_money(mirakl, due, given_by((reduction,)), 1)
        )
        if same:
            return (reduction,)
    return ()


def _of_the_amount(
    mirakl: MiraklOrder, task: RefundTask, due: RefundDue, new: tuple[Reduction, ...]
) -> tuple[Reduction, ...]:
    if answers(mirakl, task, due) or not due.line_id:
        return ()
    return tuple(r for r in new if r.amount == due.amount and r.amount)[:1]


def _that_fit(
    mirakl: MiraklOrder, task: RefundTask, due: RefundDue, new: tuple[Reduction, ...]
) -> tuple[Reduction, ...]:
    mode, asked = mirakl.tax_mode, asked_for(due)
    chosen: tuple[Reduction, ...] = ()
    there = answers(mirakl, task, due)
    for reduction in new:
        before, then = given_by((*there, *chosen)), given_by((*there, *chosen, reduction))
        if task.money is not None:
            so_far = comes_to(mirakl, task) + given_by(chosen).total(mode)
            most = max(task.money, share_of(mirakl, task))
            fits = so_far != task.money and so_far + given_back(mirakl, reduction) <= most
        elif due.line_id:
            fits = then.amount <= asked.amount and then.shipping <= asked.shipping
        else:
            fits = then.total(mode) <= due.amount
        if fits and then.total(mode) > before.total(mode):
            chosen = (*chosen, reduction)
    return chosen


def _all(
    mirakl: MiraklOrder, task: RefundTask, due: RefundDue, new: tuple[Reduction, ...]
) -> tuple[Reduction, ...]:
    shown = shown_for(mirakl, task, due)
    if task.money is not None:
        return () if comes_to(mirakl, task) >= task.money else new
    reached = bool(answers(mirakl, task, due)) and (
        shown.amount >= due.amount if due.line_id else shown.total(mirakl.tax_mode) >= due.amount
    )
    return () if reached else new

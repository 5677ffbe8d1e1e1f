"""A refund that a person made in the portal and that is not the money of its task: both figures are shown, and a person
says whether it is right as it is."""

from datetime import datetime
from decimal import Decimal

from interlock.orders.memory import Memory, RefundDue, RefundTask
from interlock.orders.money import Money
from interlock.orders.plan import Case, earliest
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import is_open
from interlock.orders.snapshots import MiraklOrder
from interlock.orders.view import View
from interlock.refunds.answers import (
    Figures,
    answers,
    asked_for,
    comes_to,
    is_over,
    is_whole,
    share_of,
    shown_for,
)
from interlock.refunds.damage import EXPLAINED_WITHIN
from interlock.refunds.policy import taken_over_by


def is_accepted(memory: Memory, task: RefundTask) -> bool:
    """Whether a person takes what was refunded for the task as it is."""
    said = memory.decision(Reason.REFUND_MISMATCH, task.subject)
    return said is not None and said.option is Option.DISMISS and bool(task.settled_by)


def mismatch_at(view: View, memory: Memory) -> datetime | None:
    """When the next open task is to be looked at for a refund of another amount."""
    moments = (_differs_from(view, memory, task) for task in memory.refund_tasks)
    coming = (moment for moment in moments if moment is not None and moment > view.now)
    return min(coming, default=None)


def mismatch_case(view: View, memory: Memory, task: RefundTask) -> Case | None:
    """The case of an open task whose refunds in the portal do not come to its money; None while they do, or while the rest
    may still be on its way."""
    mirakl, since = view.mirakl, _differs_from(view, memory, task)
    if mirakl is None or since is None or since > view.now:
        return None
    asked = [_in_words(mirakl, memory, due, asked_for(due)) for due in task.lines]
    shown = [_in_words(mirakl, memory, due, shown_for(mirakl, task, due)) for due in task.lines]
    more = any(is_over(mirakl, task, due) for due in task.lines)
    wants = f"The task asks for {', '.join(asked)}"
    if task.money is not None:
        more = comes_to(mirakl, task) > task.money
        wants = f"Shopify refunded {_money(mirakl, task.money)}, and the marketplace's share is {', '.join(asked)}"
    help = (
        "Money that was given too much comes back only through the operator."
        if more
        else "Refund the rest in the portal, and this closes by itself."
    )
    return Case(
        Reason.REFUND_MISMATCH,
        task.subject,
        f"{wants}; the marketplace shows {', '.join(shown)} ({', '.join(task.settled_by)}). "
        f"{help} If it is right as it is, dismiss this with the reason, and the task counts as done with what was refunded.",
        (Option.DISMISS,),
        _facts(mirakl, memory, task),
    )


def _differs_from(view: View, memory: Memory, task: RefundTask) -> datetime | None:
    """From when on the refunds of an open task count as of another amount: at once where they are more, after a person
    said that all is done, or where the product amount is whole and the rest did not follow in time."""
    mirakl = view.mirakl
    if mirakl is None or not is_open(task) or task.asks or task.made:
        return None
    wrong = [due for due in task.lines if answers(mirakl, task, due) and not is_whole(mirakl, task, due)]
    if task.money is not None:
        return _differs_from_both(mirakl, memory, task, task.money)
    if any(is_over(mirakl, task, due) for due in wrong):
        return task.opened_at
    found: datetime | None = None
    said = taken_over_by(memory, task)
    for due in wrong:
        if said is not None and said.option is Option.DONE_IN_PORTAL and mirakl.observed_at > said.at:
            found = earliest(found, said.at)
        elif due.line_id and shown_for(mirakl, task, due).amount == due.amount:
            made = (r.created_at for r in answers(mirakl, task, due) if r.created_at is not None)
            found = earliest(found, max(made, default=task.opened_at) + EXPLAINED_WITHIN)
    return found


def _differs_from_both(
    mirakl: MiraklOrder, memory: Memory, task: RefundTask, money: Decimal
) -> datetime | None:
    """Of a task of which Shopify moved another amount than the marketplace's share: the one settles it, the other does where
    a person says that it is done, and whatever else is there is asked about."""
    total, share = comes_to(mirakl, task), share_of(mirakl, task)
    if not task.settled_by or total == money:
        return None
    if total > max(money, share):
        return task.opened_at
    said = taken_over_by(memory, task)
    if said is not None and said.option is Option.DONE_IN_PORTAL:
        return said.at if mirakl.observed_at > said.at and total != share else None
    if total != share:
        return None
    made = (
        r.created_at for due in task.lines for r in answers(mirakl, task, due) if r.created_at is not None
    )
    return max(made, default=task.opened_at) + EXPLAINED_WITHIN


def _in_words(mirakl: MiraklOrder, memory: Memory, due: RefundDue, figures: Figures) -> str:
    if not due.line_id:
        return f"{_money(mirakl, figures.total(mirakl.tax_mode))} on any line, taxes included"
    parts = [f"{_money(mirakl, figures.amount)} of {_sku(memory, due.line_id)}"]
    other = asked_for(due)
    if figures.shipping or other.shipping:
        parts.append(f"{_money(mirakl, figures.shipping)} shipping")
    if mirakl.tax_mode == "TAX_EXCLUDED" and (figures.taxes or other.taxes):
        parts.append(f"{_money(mirakl, figures.taxes)} taxes")
    if figures.fees or other.fees:
        parts.append(f"{_money(mirakl, figures.fees)} fees")
    return " and ".join(parts)


def _facts(mirakl: MiraklOrder, memory: Memory, task: RefundTask) -> tuple[tuple[str, str], ...]:
    facts: list[tuple[str, str]] = []
    for due in task.lines:
        name = _sku(memory, due.line_id) if due.line_id else "Any line"
        asked, shown = asked_for(due), shown_for(mirakl, task, due)
        for what, wanted, found in (
            ("amount", asked.amount, shown.amount),
            ("shipping", asked.shipping, shown.shipping),
            ("taxes", asked.taxes, shown.taxes),
            ("fees", asked.fees, shown.fees),
            ("total", asked.total(mirakl.tax_mode), shown.total(mirakl.tax_mode)),
        ):
            if wanted or found:
                facts.append((f"{name}: {what} asked for", _money(mirakl, wanted)))
                facts.append((f"{name}: {what} refunded", _money(mirakl, found)))
    return tuple(facts)


def _money(mirakl: MiraklOrder, amount: Decimal) -> str:
    return str(Money(amount, mirakl.currency))


def _sku(memory: Memory, line_id: str) -> str:
    line = memory.ordered_line(line_id)
    return line.sku if line is not None and line.sku else line_id

"""When an unanswered case begins to cost something, and how much money that may be."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from interlock.orders.memory import Memory, RefundTask
from interlock.orders.plan import Case
from interlock.orders.prices import compared
from interlock.orders.reasons import CATALOGUE, DamageTime
from interlock.orders.shares import total_of
from interlock.orders.snapshots import BEFORE_ACCEPTANCE, MiraklOrder

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Stake:
    """What is at stake with one case. `at` is None where no deadline is known yet; `money` is in `currency`, the
    order's, and None where nothing can be counted."""

    at: datetime | None
    money: Decimal | None = None
    currency: str = ""


def stake_of(
    case: Case, opened_at: datetime, mirakl: MiraklOrder | None = None, memory: Memory | None = None
) -> Stake:
    """What the case puts at stake. A due time of its own goes before the rule of the catalogue."""
    at = case.due_at or _by_rule(case, opened_at, mirakl, memory)
    money = _money(case, mirakl, memory)
    return Stake(at, money, mirakl.currency if mirakl is not None and money is not None else "")


def _by_rule(
    case: Case, opened_at: datetime, mirakl: MiraklOrder | None, memory: Memory | None
) -> datetime | None:
    damage = CATALOGUE[case.reason].damage
    match damage.when:
        case DamageTime.AT_ONCE:
            return opened_at
        case DamageTime.AFTER_OPENING:
            return opened_at if damage.after is None else opened_at + damage.after
        case DamageTime.ACCEPTANCE_DEADLINE | DamageTime.SHIPPING_DEADLINE:
            if mirakl is None:
                return None
            if mirakl.state in BEFORE_ACCEPTANCE:
                # What stops an order before it is accepted stops the acceptance, whatever the case is about.
                return None if memory is None else memory.acceptance_due_at
            return mirakl.shipping_deadline
        case _:
            assert_never(damage.when)


def _money(case: Case, mirakl: MiraklOrder | None, memory: Memory | None) -> Decimal | None:
    if mirakl is None or memory is None:
        return None
    at_risk = CATALOGUE[case.reason].damage.at_risk
    match at_risk:
        case "order":
            return mirakl.total_price
        case "refund":
            tasks = [task for task in memory.refund_tasks if task.subject == case.subject]
            return _task_money(tasks[0], mirakl.tax_mode) if tasks else _refund_money(case.subject, mirakl)
        case "difference":
            prices = memory.questioned_prices or memory.shop_prices
            return sum((one.apart * one.quantity for one in compared(mirakl, prices)), ZERO)
        case "nothing":
            return None
        case _:
            assert_never(at_risk)


def _task_money(task: RefundTask, tax_mode: str) -> Decimal:
    """What the customer gets back: product, shipping, taxes and fees of every line, or what Shopify moved instead."""
    if task.money is not None:
        return task.money
    return sum(
        (
            total_of(due.amount, due.shipping_amount, (*due.taxes, *due.shipping_taxes), tax_mode, due.fees)
            for due in task.lines
        ),
        ZERO,
    )


def _refund_money(subject: str, mirakl: MiraklOrder) -> Decimal | None:
    """What the customer got with the refund that went wrong: of a double one the second, whose number comes last; of one on
    another line, or of another amount, the one whose number comes first."""
    shown = {refund.id: refund for line in mirakl.lines for refund in line.refunds}
    first, _, last = subject.rpartition(":")
    refund = shown.get(last) or shown.get(first)
    if refund is None:
        return None
    taxes = (*refund.taxes, *refund.shipping_taxes)
    return total_of(refund.amount, refund.shipping_amount, taxes, mirakl.tax_mode, refund.fees)

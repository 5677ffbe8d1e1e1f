"""Whether a refund in Shopify is money that is asked for, or was given back, already: that of units an edit took out, or
one that was made in the portal first. Taken for another one it would be paid a second time, so what is not certain is
asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from interlock.orders.memory import Memory, RefundDue, RefundTask
from interlock.orders.money import Money
from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import (
    is_a_share,
    is_covered,
    is_of_an_edit,
    is_open,
    refund_subject,
    seen_before,
    shares,
)
from interlock.orders.snapshots import TO_SHIP, MiraklOrder, ShopifyRefund
from interlock.orders.timeline import counted
from interlock.orders.unasked import MOST, There, of_these_units, some_of, unasked, withdrawn_with
from interlock.orders.view import View
from interlock.refunds.answers import given_back
from interlock.refunds.elsewhere import is_spoken_about

ZERO = Decimal(0)
Units = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Already:
    """What the Shopify refund is the money of: tasks of edits (`removals`), or refunds of the marketplace (`there`). Unless it
    is `certain`, a person says so first."""

    removals: tuple[RefundTask, ...] = ()
    there: tuple[There, ...] = ()
    certain: bool = True


def already(
    mirakl: MiraklOrder,
    memory: Memory,
    refund: ShopifyRefund,
    units: Units,
    beside_removals: bool = True,
) -> Already | None:
    """What the refund is the money of; None where it is another one. `units` are those it names, per marketplace line;
    without `beside_removals` it is not that of units which an edit took out."""
    removals = tuple(
        task
        for task in memory.refund_tasks
        if beside_removals and is_of_an_edit(task) and not task.dismissed_by and not is_covered(memory, task)
    )[-MOST:]
    same = _whose_money_it_is(mirakl, removals, refund.money, units)
    there = _given_back_before(mirakl, memory, refund, units)
    # Of a removal whose money went back long ago nobody asks to record anything; of a refund that nobody asked for a case does.
    recorded = there is not None and there.certain and not any(is_open(task) for task in same)
    if same and not recorded:
        return Already(removals=same)
    if there is not None:
        return there
    near = _nearest(mirakl, removals, refund.money, units)
    return Already(removals=near, certain=False) if near else None


# -- units that an edit took out ----------------------------------------------------------------------------


def _whose_money_it_is(
    mirakl: MiraklOrder, removals: tuple[RefundTask, ...], money: Decimal, units: Units
) -> tuple[RefundTask, ...]:
    """The fewest tasks that have exactly this money and, where it names units, exactly these; or one of these units."""
    for rounded in (False, True):
        for some in some_of(removals):
            if (not units or _units(some) == dict(units)) and is_a_share(money, _dues(some), mirakl, rounded):
                return some
    return next(((task,) for task in removals if units and _units((task,)) == dict(units)), ())


def _nearest(
    mirakl: MiraklOrder, removals: tuple[RefundTask, ...], money: Decimal, units: Units
) -> tuple[RefundTask, ...]:
    """The tasks whose money comes nearest to it: where it names units, of those that ask for a line of them."""
    named = {line_id for line_id, _ in units}
    possible = tuple(task for task in removals if not units or named & _units((task,)).keys())
    return min(
        some_of(possible),
        key=lambda some: min(abs(money - share) for share in shares(_dues(some), mirakl.tax_mode)),
        default=(),
    )


def _dues(tasks: Iterable[RefundTask]) -> tuple[RefundDue, ...]:
    return tuple(due for task in tasks for due in task.lines)


def _units(tasks: Iterable[RefundTask]) -> dict[str, int]:
    found: dict[str, int] = {}
    for due in _dues(tasks):
        found[due.line_id] = found.get(due.line_id, 0) + due.quantity
    return found


# -- refunds that were made in the portal first ----------------------------------------------------------------


def _given_back_before(
    mirakl: MiraklOrder, memory: Memory, refund: ShopifyRefund, units: Units
) -> Already | None:
    """Earlier refunds of the marketplace that answer no task, matched by line and units or by their money, last those whose
    units were taken out here: the shop's books know of them by that. Certain where the money is the same and nobody has said
    that it stands in the books already."""
    earlier = unasked(mirakl, memory, refund.created_at)
    there = tuple(sorted(earlier, key=lambda one: withdrawn_with(memory, one.refund) is not None))
    if units:
        choices = [of_these_units(there, line_id, count) for line_id, count in units]
        found = [tuple(one for choice in some for one in choice) for some in product(*choices)]
        if found:
            best = min(found, key=lambda some: abs(refund.money - _total(mirakl, some)))
            return Already(there=best, certain=_is_certain(mirakl, memory, best, refund))
        there = tuple(one for one in there if one.line.id in dict(units))
    alone = [(one,) for one in there if given_back(mirakl, one.refund) == refund.money]
    if alone:
        best = next((one for one in alone if _is_certain(mirakl, memory, one, refund)), alone[0])
        return Already(there=best, certain=_is_certain(mirakl, memory, best, refund))
    together = (some for some in some_of(there) if _total(mirakl, some) == refund.money)
    some = next(together, None)
    return None if some is None else Already(there=some, certain=False)


def _is_certain(mirakl: MiraklOrder, memory: Memory, there: tuple[There, ...], refund: ShopifyRefund) -> bool:
    return _total(mirakl, there) == refund.money and not any(
        is_spoken_about(memory, one.refund) for one in there
    )


def _total(mirakl: MiraklOrder, there: Iterable[There]) -> Decimal:
    return sum((given_back(mirakl, one.refund) for one in there), ZERO)


def dues_there(
    mirakl: MiraklOrder, memory: Memory, there: tuple[There, ...], refund: ShopifyRefund, units: Units
) -> tuple[RefundDue, ...]:
    """What these refunds gave back, line by line. They count among those seen before, which shows that the Shopify refund only
    records them: no other due is answered by one of those."""
    lines = {one.line.id: one.line for one in there}
    dues = []
    for line_id, line in lines.items():
        here = [one for one in there if one.line.id == line_id]
        quantity = dict(units).get(line_id) or sum(_still_undecided(mirakl, memory, one) for one in here)
        dues.append(
            RefundDue(
                line_id,
                quantity,
                sum((one.refund.amount for one in here), ZERO),
                sum((one.refund.shipping_amount for one in here), ZERO),
                tuple(tax for one in here for tax in one.refund.taxes),
                tuple(tax for one in here for tax in one.refund.shipping_taxes),
                seen_before(line, refund.created_at),
                tuple(fee for one in here for fee in one.refund.fees),
            )
        )
    return tuple(dues)


def _still_undecided(mirakl: MiraklOrder, memory: Memory, there: There) -> int:
    """Of a refund that names no units in Shopify: the units of which nobody has said yet whether they ship."""
    said = memory.decision(Reason.CONFIRM_WITHDRAWN, refund_subject(there.refund.id))
    here = mirakl.state in TO_SHIP and said is None and withdrawn_with(memory, there.refund) is None
    return there.units if here else 0


# -- the question ------------------------------------------------------------------------------------------


def question(view: View, memory: Memory, task: RefundTask) -> Case:
    """Asks whether the Shopify refund is the money of what it is compared with. Both amounts are said, and neither is due."""
    mirakl = view.mirakl
    currency = "" if mirakl is None else mirakl.currency
    tax_mode = view.rules.tax_mode if mirakl is None else mirakl.tax_mode
    refund = _in_shopify(view, task.subject)
    moved = "money" if refund is None else _money(refund.money, currency)
    removals = tuple(one for one in memory.refund_tasks if one.subject in task.asks)
    other = _money(shares(_dues(removals) or task.lines, tax_mode)[0], currency)
    if removals:
        units = _in_words(memory, _dues(removals))
        state = "is asked for" if any(is_open(one) for one in removals) else "was given back"
        what = (
            f"Shopify refunded {moved}. Units were removed there too, {units}, for which {other} {state} at the marketplace. "
            "If it is the money of that removal, dismiss this with the reason, and nothing more is asked for."
        )
    else:
        ids, units = ", ".join(task.asks), _in_words(memory, task.lines)
        what = (
            f"Shopify refunded {moved}. The marketplace had given back {other} before ({ids}) of {units}, which no task "
            "asked for. If Shopify only records that, dismiss this with the reason, and nothing more is refunded."
        )
    return Case(
        Reason.REFUND_MADE_ALREADY,
        task.subject,
        f"{what} If it is another refund, say so, and a task asks for its money. Until then refund nothing for it.",
        (Option.ANOTHER_REFUND, Option.DISMISS),
        (
            ("Refunded in Shopify", moved),
            ("Asked for with the removal" if removals else "Refunded at the marketplace", other),
        ),
    )


def _in_shopify(view: View, refund_id: str) -> ShopifyRefund | None:
    orders = () if view.shopify is None else (view.shopify, *view.kin)
    return next((one for order in orders for one in order.refunds if one.id == refund_id), None)


def _in_words(memory: Memory, dues: Iterable[RefundDue]) -> str:
    return ", ".join(
        f"{counted(due.quantity, 'unit')} of {_sku(memory, due.line_id)}"
        if due.quantity
        else _sku(memory, due.line_id)
        for due in dues
    )


def _money(amount: Decimal, currency: str) -> str:
    return str(Money(amount, currency)) if currency else str(amount)


def _sku(memory: Memory, line_id: str) -> str:
    line = memory.ordered_line(line_id)
    return line.sku if line is not None and line.sku else line_id

"""Whether a refund in Shopify is money that is asked for, or was given back, already: that of units an edit took out, or
one that was made in the portal first. Taken for another one it would be paid a second time, so what is not certain is
asked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations, product
from typing import TypeVar

from interlock.orders.agreement import ordered_of
from interlock.orders.memory import Memory, OrderedLine, RefundDue, RefundTask, Withdrawn
from interlock.orders.money import Money, smallest_unit
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
    taken_so_far,
)
from interlock.orders.shares import portion_of
from interlock.orders.snapshots import TO_SHIP, MiraklLine, MiraklOrder, Reduction, ShopifyRefund
from interlock.orders.timeline import counted
from interlock.orders.view import View
from interlock.refunds.answers import given_back
from interlock.refunds.elsewhere import is_spoken_about

ZERO = Decimal(0)
# Of more than so many, only the latest are put together: an order with that many refunds is looked at by people anyway.
MOST = 8

Units = tuple[tuple[str, int], ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class There:
    """A refund of the marketplace that answers no task, with its line and the whole units of it that it pays for."""

    line: MiraklLine
    refund: Reduction
    units: int


@dataclass(frozen=True, slots=True)
class Already:
    """What the Shopify refund is the money of: tasks of edits (`removals`), or refunds of the marketplace (`there`). Unless it
    is `certain`, a person says so first."""

    removals: tuple[RefundTask, ...] = ()
    there: tuple[There, ...] = ()
    certain: bool = True


def already(mirakl: MiraklOrder, memory: Memory, refund: ShopifyRefund, units: Units) -> Already | None:
    """What the refund is the money of; None where it is another one. `units` are those it names, per marketplace line."""
    removals = tuple(
        task
        for task in memory.refund_tasks
        if is_of_an_edit(task) and not task.dismissed_by and not is_covered(memory, task)
    )[-MOST:]
    same = _whose_money_it_is(mirakl, removals, refund.money, units)
    if same:
        return Already(removals=same)
    there = _given_back_before(mirakl, memory, refund, units)
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
        for some in _some_of(removals):
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
        _some_of(possible),
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


def _some_of(things: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    """Every choice of at least one of the latest, the smallest first."""
    latest = things[-MOST:]
    for size in range(1, len(latest) + 1):
        yield from combinations(latest, size)


# -- refunds that were made in the portal first ----------------------------------------------------------------


def _given_back_before(
    mirakl: MiraklOrder, memory: Memory, refund: ShopifyRefund, units: Units
) -> Already | None:
    """Earlier refunds of the marketplace that answer no task, matched by line and units or by their money. Certain where the
    money is the same and nobody has said that it stands in the books already."""
    there = _unasked(mirakl, memory, refund)
    if units:
        choices = [_of_these_units(there, line_id, count) for line_id, count in units]
        found = [tuple(one for choice in some for one in choice) for some in product(*choices)]
        if found:
            best = min(found, key=lambda some: abs(refund.money - _total(mirakl, some)))
            return Already(there=best, certain=_is_certain(mirakl, memory, best, refund))
        there = tuple(one for one in there if one.line.id in dict(units))
    alone = [(one,) for one in there if given_back(mirakl, one.refund) == refund.money]
    if alone:
        best = next((one for one in alone if _is_certain(mirakl, memory, one, refund)), alone[0])
        return Already(there=best, certain=_is_certain(mirakl, memory, best, refund))
    together = (some for some in _some_of(there) if _total(mirakl, some) == refund.money)
    some = next(together, None)
    return None if some is None else Already(there=some, certain=False)


def _unasked(mirakl: MiraklOrder, memory: Memory, refund: ShopifyRefund) -> tuple[There, ...]:
    """The refunds of the marketplace made before this one that answer no task; those whose units a person confirmed to stay
    here are among them."""
    answering = {
        *(i for task in memory.refund_tasks for i in task.settled_by),
        *(made.refund_id for task in memory.refund_tasks for made in task.made),
    }
    ordered = {one.line_id: one for one in ordered_of(mirakl, memory)}
    found = []
    for line in mirakl.lines:
        new = [one for one in line.refunds if one.id not in answering]
        rest = replace(line, refunds=tuple(one for one in line.refunds if one.id in answering))
        for one in new:
            if one.created_at is not None and one.created_at < refund.created_at:
                units = _units_paid_for(mirakl, memory, ordered[line.id], rest, one)
                found.append(There(line, one, units))
    return tuple(found)


def _units_paid_for(
    mirakl: MiraklOrder, memory: Memory, ordered: OrderedLine, rest: MiraklLine, refund: Reduction
) -> int:
    """How many whole units the product amount pays for, give or take one smallest unit of the currency each; 0 where it is
    some other amount. `rest` is the line without the refunds that answer no task."""
    withdrawn = _withdrawn_with(memory, refund)
    if withdrawn is not None:
        return withdrawn.quantity
    taken, smallest = taken_so_far(rest, memory), smallest_unit(mirakl.currency)
    for units in range(1, ordered.quantity + 1):
        amount = portion_of(ordered, taken, units, mirakl.currency).amount
        if amount and abs(amount - refund.amount) <= smallest * units:
            return units
    return 0


def _withdrawn_with(memory: Memory, refund: Reduction) -> Withdrawn | None:
    return next((one for one in memory.withdrawn if one.refund_id == refund.id), None)


def _of_these_units(there: tuple[There, ...], line_id: str, count: int) -> list[tuple[There, ...]]:
    possible = tuple(one for one in there if one.line.id == line_id and one.units)
    return [some for some in _some_of(possible) if sum(one.units for one in some) == count]


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
    here = mirakl.state in TO_SHIP and said is None and _withdrawn_with(memory, there.refund) is None
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

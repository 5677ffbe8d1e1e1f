"""Refunds of the marketplace that nobody here asked for: they answer no task, and may be the money of units all the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import combinations
from typing import TypeVar

from interlock.orders.agreement import ordered_of
from interlock.orders.memory import Memory, OrderedLine, Withdrawn
from interlock.orders.money import smallest_unit
from interlock.orders.reasons import Reason
from interlock.orders.refund_tasks import answering, refund_subject, taken_so_far
from interlock.orders.shares import Portion, portion_of
from interlock.orders.snapshots import MiraklLine, MiraklOrder, Reduction

# Of more than so many, only the latest are put together: an order with that many refunds is looked at by people anyway.
MOST = 8

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class There:
    """A refund of the marketplace that answers no task, with its line and the whole units of it that it pays for."""

    line: MiraklLine
    refund: Reduction
    units: int


def unasked(mirakl: MiraklOrder, memory: Memory, before: datetime | None = None) -> tuple[There, ...]:
    """The refunds of the marketplace that answer no task, of those made before a moment where one is given; those whose units
    a person confirmed to stay here are among them."""
    answers = answering(memory)
    ordered = {one.line_id: one for one in ordered_of(mirakl, memory)}
    found = []
    for line in mirakl.lines:
        new = [one for one in line.refunds if one.id not in answers]
        rest = replace(line, refunds=tuple(one for one in line.refunds if one.id in answers))
        for one in new:
            if before is None or (one.created_at is not None and one.created_at < before):
                units = _units_of(one, ordered[line.id], rest, mirakl.currency, memory)
                found.append(There(line, one, units))
    return tuple(found)


def _units_of(
    refund: Reduction, ordered: OrderedLine, rest: MiraklLine, currency: str, memory: Memory
) -> int:
    """The units that a person confirmed with the refund, else those it pays for. `rest` is the line without the refunds that
    answer no task."""
    withdrawn = withdrawn_with(memory, refund)
    if withdrawn is not None:
        return withdrawn.quantity
    return units_paid_for(refund, ordered, taken_so_far(rest, memory), ordered.quantity, currency)


def units_paid_for(
    refund: Reduction, ordered: OrderedLine, taken: Sequence[Portion], most: int, currency: str
) -> int:
    """How many whole units of a line, `most` of them, the refund's product amount pays for, after what is `taken` or at the
    price of the line as it was ordered, which is another one where less or more than their share was given for units before: to
    the cent, else give or take one smallest unit of the currency for each, since whoever typed it in the portal may have
    rounded the price of one. 0 where it is some other amount. What a refund says of its quantity informs only (OR28)."""
    amounts = [
        (units, portion_of(ordered, before, units, currency).amount)
        for before in (taken, ())
        for units in range(1, most + 1)
    ]
    for off in (Decimal(0), smallest_unit(currency)):
        for units, amount in amounts:
            if amount > 0 and refund.amount > 0 and abs(amount - refund.amount) <= off * units:
                return units
    return 0


def withdrawn_with(memory: Memory, refund: Reduction) -> Withdrawn | None:
    """The units that a person confirmed to stay here because of this refund; None where nobody did."""
    return next((one for one in memory.withdrawn if one.refund_id == refund.id), None)


def of_these_units(there: tuple[There, ...], line_id: str, count: int) -> list[tuple[There, ...]]:
    """Every choice among these refunds that pays for exactly so many units of the line."""
    possible = tuple(one for one in there if one.line.id == line_id and one.units)
    return [some for some in some_of(possible) if sum(one.units for one in some) == count]


def paid_already(mirakl: MiraklOrder, memory: Memory, line_id: str, units: int) -> tuple[There, ...]:
    """The refunds that pay for units which an edit removes, as many of these `units` as there are: made in the portal by
    whoever removed them, before or after. One of which a person said that its units ship, or stay here, is none of them."""
    possible = tuple(
        one
        for one in unasked(mirakl, memory)
        if one.line.id == line_id
        and one.units
        and withdrawn_with(memory, one.refund) is None
        and memory.decision(Reason.CONFIRM_WITHDRAWN, refund_subject(one.refund.id)) is None
    )
    fitting = (some for some in some_of(possible) if sum(one.units for one in some) <= units)
    return max(fitting, key=lambda some: sum(one.units for one in some), default=())


def some_of(things: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    """Every choice of at least one of the latest, the smallest first."""
    latest = things[-MOST:]
    for size in range(1, len(latest) + 1):
        yield from combinations(latest, size)

"""More was sold than there is: which orders lose is a person's decision, and this proposes one."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from interlock.orders.reasons import Reason

IMPORT_WAITS = (Reason.STOCK_SHORT, Reason.SKU_UNKNOWN, Reason.SKU_AMBIGUOUS)
"""The reasons for which an order was not created in Shopify, with nothing under way that might still create it."""


@dataclass(frozen=True, slots=True)
class Sold:
    """One marketplace order that wants units of an article. `due_at` is when it has to be accepted or shipped, `value`
    what the customer paid for it, in the order's `currency`. `claimed` is whether Shopify has taken its units off what is
    available already: it has a Shopify order, which has not left."""

    order_id: int
    marketplace: str
    name: str
    units: int
    due_at: datetime | None
    value: Decimal
    currency: str = ""
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """Which orders get the units that there are, in this order, and which lose."""

    served: tuple[Sold, ...]
    losing: tuple[Sold, ...]


def proposal(sold: tuple[Sold, ...], available: int) -> Proposal | None:
    """How to divide `available` units among orders that want more, or None where there is enough.

    The nearest deadline goes first, since a late order counts against the seller; of the same deadline the more valuable
    one, and then the one known for longer. An order that what is left cannot serve whole loses, and a smaller one behind
    it may still be served.
    """
    if sum(order.units for order in sold) <= max(available, 0):
        return None
    left = max(available, 0)
    served: list[Sold] = []
    losing: list[Sold] = []
    for order in sorted(sold, key=_first):
        if order.units <= left:
            served.append(order)
            left -= order.units
        else:
            losing.append(order)
    return Proposal(tuple(served), tuple(losing))


def _first(order: Sold) -> tuple[bool, float, Decimal, int]:
    due = order.due_at
    return due is None, 0.0 if due is None else due.timestamp(), -order.value, order.order_id


def may_lose(reason: str, mirakl_state: str | None, in_shopify: bool, accepted_by_marketplace: bool) -> bool:
    """Whether an order in question may be refused at once, however much of its time to accept is left: who loses is decided
    when somebody knows, not when the time runs out. `reason` is of the case for which its import waits, `in_shopify` whether
    an order or a draft of it is there, `accepted_by_marketplace` whether the marketplace accepts by itself, where nothing
    can be refused."""
    waits = mirakl_state == "WAITING_ACCEPTANCE" and not accepted_by_marketplace
    return waits and not in_shopify and reason in IMPORT_WAITS


def sentence(sku: str, available: int, found: Proposal, marketplace: str) -> str:
    """What a person of this marketplace is asked, with the proposal and its reasons. Orders of other marketplaces are
    counted and not named: not everybody who works on one may see the others."""
    total = sum(order.units for order in (*found.served, *found.losing))
    served = _listed(found.served, marketplace) or "none"
    losing = _listed(found.losing, marketplace)
    if any(order.claimed for order in (*found.served, *found.losing)):
        return (
            f"More of {sku} was sold than there is: Shopify shows less than nothing available. {total} units are owed to "
            f"marketplace orders that have not left, and at most {max(available, 0)} are there for them. By deadline and then by "
            f"value, these would be served: {served}; and these would not: {losing}. Put stock in, or cancel in Shopify what "
            "cannot be sent before it is late; an order that is not in Shopify yet is answered on the page of this case."
        )
    return (
        f"{total} units of {sku} were sold on marketplaces and wait for stock, and {max(available, 0)} are there. Somebody "
        f"loses. By deadline and then by value, these would be served: {served}; and these would not: {losing}. Choose on the "
        "page of this case, or put stock in: then everything goes on by itself."
    )


def _listed(sold: tuple[Sold, ...], marketplace: str) -> str:
    own = [_named(order) for order in sold if order.marketplace == marketplace]
    others = [order.units for order in sold if order.marketplace != marketplace]
    if others:
        orders = "1 order" if len(others) == 1 else f"{len(others)} orders"
        own.append(f"{orders} of other marketplaces ({sum(others)})")
    return ", ".join(own)


def _named(order: Sold) -> str:
    until = "" if order.due_at is None else f", due {order.due_at:%d %B %H:%M} UTC"
    paid = f"{order.value} {order.currency}".strip()
    return f"{order.name} on {order.marketplace} ({order.units}{until}, {paid})"

"""What people said about accepting an order, as the rooms that import it and answer the marketplace both have to know."""

from decimal import Decimal

from interlock.orders.memory import Memory
from interlock.orders.prices import Compared, discrepancies, subject_of
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import MiraklOrder

# Sending a call again is none of them: it repeats what was said before, to whatever case it is answered.
ABOUT_ACCEPTANCE = (
    Option.REFUSE_ORDER,
    Option.ACCEPT_WITHOUT_ORDER,
    Option.CREATE_WITH_CUSTOM_LINE,
    Option.MAP_SKU,
)


def said_about_acceptance(memory: Memory) -> Option | None:
    """The answer that settles the acceptance, whichever case it was given to: the latest, except that mapping a SKU
    afterwards does not take back the permission to accept."""
    said = [decision.option for decision in memory.decisions if decision.option in ABOUT_ACCEPTANCE]
    if Option.ACCEPT_WITHOUT_ORDER in said and said[-1] is not Option.REFUSE_ORDER:
        return Option.ACCEPT_WITHOUT_ORDER
    return said[-1] if said else None


def is_refused_by_a_person(memory: Memory) -> bool:
    """Whether the marketplace is to be told no."""
    return said_about_acceptance(memory) is Option.REFUSE_ORDER


def questioned_prices(mirakl: MiraklOrder, memory: Memory, tolerance: Decimal | None) -> tuple[Compared, ...]:
    """The lines whose prices are too far from the shop's and of which nobody has said yet that they stand. `tolerance` is in
    per cent. An order that a person refuses has no such question, for as long as the refusal stands."""
    found = discrepancies(mirakl, memory.shop_prices, tolerance)
    if not found or is_refused_by_a_person(memory):
        return ()
    said = memory.decision(Reason.PRICE_DISCREPANCY, subject_of(found))
    return () if said is not None and said.option is Option.ACCEPT_ANYWAY else found

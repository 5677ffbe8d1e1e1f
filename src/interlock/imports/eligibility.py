"""Which marketplace orders are for us to ship, and which we cannot judge."""

from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Memory
from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT, KNOWN_STATES, MiraklOrder


def unknown_values(mirakl: MiraklOrder) -> tuple[str, ...]:
    """Values of decision fields this version does not know, as `field=value`, the order state included."""
    state = f"state={mirakl.state}"
    if mirakl.state in KNOWN_STATES or state in mirakl.unknown:
        return mirakl.unknown
    return (*mirakl.unknown, state)


def unknown_value_case(mirakl: MiraklOrder) -> Case | None:
    """The case of an order that carries a value we do not know: nothing but holds is written for it."""
    unknown = unknown_values(mirakl)
    if not unknown:
        return None
    return Case(
        Reason.UNKNOWN_VALUE,
        "order",
        f"The marketplace sent a value that this version does not know ({', '.join(unknown)}). Nothing is written "
        "for this order except holds. Find out what the value means and update Interlock; handle urgent steps in "
        "the marketplace portal.",
        facts=tuple((entry.partition("=")[0], entry.partition("=")[2]) for entry in unknown),
    )


def is_ours(mirakl: MiraklOrder, rules: ConnectionRules) -> bool:
    """Whether the shop ships the order and the marketplace pays it (OR11 `fulfillment.center`,
    `customer_directly_pays_seller`). Any other is left alone."""
    return mirakl.fulfillment_center in rules.own_fulfillment_centers and not mirakl.customer_pays_seller


def not_ours_case(mirakl: MiraklOrder, rules: ConnectionRules, memory: Memory) -> Case | None:
    """The case of an order that is not ours, for as long as it could still be lost by that: until it has left or ended, or a
    person has said that it is in order."""
    if mirakl.state in (*GONE_OUT, *DEAD):
        return None
    case = _not_ours(mirakl, rules, memory)
    said = None if case is None else memory.decision(case.reason, case.subject)
    return None if said is not None and said.option is Option.DISMISS else case


def _not_ours(mirakl: MiraklOrder, rules: ConnectionRules, memory: Memory) -> Case | None:
    """One case for each ground: who says that the one is in order has not been asked about the other."""
    waiting = mirakl.state == "WAITING_ACCEPTANCE"
    if mirakl.fulfillment_center not in rules.own_fulfillment_centers:
        return Case(
            Reason.NOT_OURS_TO_SHIP,
            f"centre {mirakl.fulfillment_center}",
            f"The marketplace ships this order from its own fulfilment centre {mirakl.fulfillment_center}. "
            "Interlock creates no Shopify order for it. If it is yours to ship after all, add the centre to the "
            "connection's own centres.",
            (Option.DISMISS,),
            (("Fulfilment centre", mirakl.fulfillment_center),),
            due_at=memory.acceptance_due_at if waiting else None,
        )
    if mirakl.customer_pays_seller:
        return Case(
            Reason.NOT_OURS_TO_SHIP,
            "paid to the shop",
            "The customer of this order pays you directly, outside the marketplace. Interlock creates no Shopify "
            "order for it and does not accept it. Handle it in the marketplace portal.",
            (Option.DISMISS,),
            (("Paid to", "the shop"),),
            due_at=memory.acceptance_due_at if waiting else None,
            severity="urgent" if waiting else None,
        )
    return None

"""An order is accepted as soon as it exists in Shopify, and nobody is left unaware while it is not."""

from dataclasses import replace
from datetime import timedelta

from interlock.acceptance.window import Window, window_of
from interlock.orders.actions import AnswerAcceptance
from interlock.orders.agreement import agreed_quantities
from interlock.orders.answered import questioned_prices, said_about_acceptance
from interlock.orders.memory import Incident, Memory
from interlock.orders.plan import Case, Part, earliest
from interlock.orders.prices import as_facts, in_words, not_compared, subject_of
from interlock.orders.reasons import Option, Reason, Severity
from interlock.orders.snapshots import DEAD, MiraklOrder
from interlock.orders.view import OpenOperation, View

WATCH = timedelta(seconds=30)
"""How soon an answer that is not confirmed yet is looked at again."""


REFUSALS = {
    "ORDER_FULFILLED_UNAUTHORIZED": "the marketplace ships this order itself, so it is not ours to accept",
    "ORDER_LINE_ACCEPTANCE_DECISION_MISSING": "the order has a line that our answer did not name",
    "ORDER_LINE_DUPLICATE_ID": "our answer named a line twice",
    "ORDER_LINE_NOT_FOUND": "our answer named a line that the order does not have any more",
    "ORDER_LINE_NULL_ELEMENT": "our answer contained an empty line",
    "ORDER_NOT_FOUND": "the marketplace does not know this order under our key",
    "ORDER_PARTIAL_ACCEPTANCE_DISABLED": "this marketplace takes one answer for the whole order only",
    "VALIDATION_ERROR": "the marketplace found our answer malformed",
}
"""What the codes of OR21 mean for a person."""


def decide(view: View, memory: Memory, import_blocked: bool = False) -> Part:
    """The answer to the marketplace, if one is due, and the ladder of warnings until it is confirmed.

    `import_blocked` says that a case keeps the Shopify order from coming into being.
    """
    mirakl = view.mirakl
    if mirakl is None:
        return Part(memory)
    memory = _incident_settled(view, memory, mirakl)
    if mirakl.state != "WAITING_ACCEPTANCE":
        return Part(memory)
    if view.rules.accepts_by_itself:
        return Part(
            memory,
            because=(
                "This marketplace accepts orders by itself; what counts is that the Shopify order exists soon.",
            ),
        )
    if not any(units for _, units in agreed_quantities(mirakl, memory)):
        return Part(memory, because=("Every unit of the order was cancelled before it could be accepted.",))
    answer, memory, because = _answer(view, memory, mirakl, import_blocked)
    prices = priced_wrongly(view, memory, mirakl)
    refused = None if answer is None else _refusal(view, answer)
    window = window_of(view.rules, memory)
    ladder = _ladder(view, memory, window, answer, prices is not None)
    cases = ladder.cases if prices is None else (*ladder.cases, prices)
    mirakl_since = None
    if refused is not None:
        if refused.code == "ORDER_INVALID_STATE":
            # Somebody else decided in the meantime: look, do not fail.
            mirakl_since = refused.ended_at
            because = "The marketplace says the acceptance was already decided; its order is read again."
        elif refused.code not in REFUSALS and not _seen_since(mirakl, refused):
            # The same answer may have arrived before: a second one is refused for that, and no order waits.
            mirakl_since = refused.ended_at
            because = "The marketplace did not take our answer and gave no reason that is known; its order is read again."
        elif answer == _no(mirakl):
            cases = (*cases, _refused_no_case(refused, memory))
        else:
            cases = (*cases, _refusal_case(refused, memory, _late(view, window)))
    return Part(
        ladder.memory,
        (answer,) if answer is not None else (),
        cases,
        because=(because, *not_compared(mirakl, memory.shop_prices, view.rules.price_tolerance)),
        look_at=earliest(ladder.look_at, view.now + WATCH if answer is not None else None),
        mirakl_since=mirakl_since,
    )


def _answer(
    view: View, memory: Memory, mirakl: MiraklOrder, import_blocked: bool
) -> tuple[AnswerAcceptance | None, Memory, str]:
    yes = AnswerAcceptance(tuple((line.id, True) for line in mirakl.lines))
    said = said_about_acceptance(memory)
    if said is Option.REFUSE_ORDER:
        return (
            _no(mirakl),
            memory,
            "A person decided to refuse this order; the refusal is sent to the marketplace.",
        )
    if priced_wrongly(view, memory, mirakl) is not None:
        because = "The marketplace sold at other prices than the shop's; the order is accepted once a person says so."
        return None, memory, because
    if _exists(view, memory):
        return yes, memory, "The Shopify order exists, so the marketplace order is accepted."
    if memory.shopify_cancelled_seen_at is not None:
        return None, memory, "The Shopify order is cancelled, so the marketplace order is not accepted."
    if said is Option.ACCEPT_WITHOUT_ORDER:
        incident = Incident(
            Reason.ACCEPTED_WITHOUT_ORDER,
            "order",
            view.now,
            "A person decided to accept this order although no Shopify order exists. The customer now expects a "
            "parcel that no warehouse knows of: create the Shopify order at once.",
        )
        return yes, memory.with_incident(incident), "A person decided to accept without a Shopify order."
    draft = next((draft for draft in view.drafts if draft.id == memory.draft_id), None)
    if not mirakl.address.complete and draft is not None and not import_blocked:
        if draft.status == "OPEN" and draft.reserved:
            return (
                yes,
                memory,
                "The stock is reserved and the address is still hidden, so the order is accepted.",
            )
        return None, memory, "The draft order holds no stock yet, so the order is not accepted."
    return None, memory, "The order is accepted as soon as its Shopify order exists."


def _no(mirakl: MiraklOrder) -> AnswerAcceptance:
    return AnswerAcceptance(tuple((line.id, False) for line in mirakl.lines))


def priced_wrongly(view: View, memory: Memory, mirakl: MiraklOrder) -> Case | None:
    """The case about prices that are too far from the shop's, until a person accepts them or refuses the order."""
    found = questioned_prices(mirakl, memory, view.rules.price_tolerance)
    if not found:
        return None
    return Case(
        Reason.PRICE_DISCREPANCY,
        subject_of(found),
        f"{in_words(found, mirakl.currency)} The order is not accepted before somebody has looked: accept it at these "
        "prices, or refuse it. Correct the price where it is wrong, or the next order is sold at it too.",
        (Option.ACCEPT_ANYWAY, Option.REFUSE_ORDER),
        as_facts(found, mirakl.currency),
        memory.acceptance_due_at,
    )


def _exists(view: View, memory: Memory) -> bool:
    """Whether a live Shopify order is linked. While Shopify cannot be read, what was last seen counts, and before the
    first look what Shopify confirmed when it made the order: an outage of one platform must not lose the order on the
    other."""
    if not memory.shopify_order_id or memory.shopify_cancelled_seen_at is not None:
        return False
    if view.shopify is not None:
        return view.shopify.live
    known = bool(memory.links) or view.made_order_id == memory.shopify_order_id
    return view.shopify_unreadable and known


def _incident_settled(view: View, memory: Memory, mirakl: MiraklOrder) -> Memory:
    if memory.shopify_order_id and view.shopify is not None and view.shopify.live:
        why = "The Shopify order exists now."
    elif mirakl.state in DEAD:
        why = "The marketplace order has ended."
    else:
        return memory
    return memory.with_incidents_closed(Reason.ACCEPTED_WITHOUT_ORDER, view.now, why)


# -- the ladder --------------------------------------------------------------------------------------------


def _late(view: View, window: Window | None) -> bool:
    return window is None or view.now >= window.at(60)


def _ladder(
    view: View, memory: Memory, window: Window | None, answer: AnswerAcceptance | None, prices_asked: bool
) -> Part:
    if window is None:
        return Part(memory)
    reached = window.reached(view.now)
    news = tuple(str(percent) for percent in reached if str(percent) not in memory.rungs)
    if news:
        memory = replace(memory, rungs=(*memory.rungs, *news))
    cases = (_running_out(view, memory, window, reached, answer, prices_asked),) if 25 in reached else ()
    return Part(memory, cases=cases, look_at=window.next_rung(view.now))


def _running_out(
    view: View,
    memory: Memory,
    window: Window,
    reached: tuple[int, ...],
    answer: AnswerAcceptance | None,
    prices_asked: bool,
) -> Case:
    if answer is not None:
        why = "Our answer has not been confirmed by the marketplace yet."
    elif memory.shopify_cancelled_seen_at is not None:
        why = "Its Shopify order is cancelled."
    elif prices_asked:
        why = (
            "Nobody has said yet whether its prices stand; that has to be answered before it can be accepted."
        )
    elif memory.shopify_order_id:
        why = "Its Shopify order has not been seen yet."
    else:
        why = "No Shopify order could be created for it yet."
    if 100 in reached:
        what = "The time to accept this order is over; the marketplace may refuse it at any moment."
    else:
        what = f"At least {reached[-1]} % of the time to accept this order is gone."
    options: tuple[Option, ...] = ()
    if _late(view, window):
        options = (Option.REFUSE_ORDER,)
        if not memory.shopify_order_id and not prices_asked:
            options = (Option.ACCEPT_WITHOUT_ORDER, Option.REFUSE_ORDER)
    severity: Severity = "urgent" if 40 in reached else "today"
    advice = (
        "Clear the other cases of this order, or accept it in the marketplace portal; otherwise the marketplace "
        "refuses it by itself and the sale is lost."
    )
    if memory.shopify_cancelled_seen_at is not None:
        advice = (
            "Refuse it, or link the Shopify order that is to be delivered in its place, on the order's page; an order that is only "
            "accepted in the portal is cancelled there again."
        )
    return Case(
        Reason.ACCEPTANCE_RUNNING_OUT,
        "order",
        f"{what} {why} {advice}",
        options,
        (("rung", f"{reached[-1]} %"),),
        window.due_at,
        severity,
    )


# -- refusals ----------------------------------------------------------------------------------------------


def _refusal(view: View, answer: AnswerAcceptance) -> OpenOperation | None:
    """The latest refusal of exactly this answer: what was said of another one is over with it."""
    refused = [op for op in view.operations if op.state == "REJECTED" and op.action == answer]
    return max(refused, key=lambda op: (op.ended_at or op.planned_at, op.id), default=None)


def _seen_since(mirakl: MiraklOrder, refused: OpenOperation) -> bool:
    return refused.ended_at is not None and mirakl.observed_at >= refused.ended_at


def _said(refused: OpenOperation) -> str:
    return REFUSALS.get(refused.code) or (
        f"it said “{refused.words}”" if refused.words else "it gave no reason"
    )


def _refusal_case(refused: OpenOperation, memory: Memory, late: bool) -> Case:
    options = (Option.SEND_AGAIN, Option.REFUSE_ORDER) if late else (Option.SEND_AGAIN,)
    return Case(
        Reason.ACCEPTANCE_REFUSED,
        "order",
        f"The marketplace did not take our acceptance: {_said(refused)}. The order still waits and its time runs. Accept "
        "it in the marketplace portal, or put the cause right and send the acceptance again.",
        options,
        (("code", refused.code), ("words", refused.words)),
        memory.acceptance_due_at,
    )


def _refused_no_case(refused: OpenOperation, memory: Memory) -> Case:
    return Case(
        Reason.ACCEPTANCE_REFUSED,
        "order",
        f"The marketplace did not take our refusal of this order: {_said(refused)}. A person decided to refuse it, and it is not accepted. "
        "Refuse it in the marketplace portal, or put the cause right and send the refusal again.",
        (Option.SEND_AGAIN,),
        (("code", refused.code), ("words", refused.words)),
        memory.acceptance_due_at,
    )

"""What a person may answer to a case about an edit, and what becomes of the answer: carried out, or refused in words.

An answer belongs to the very edit it was given for. It is carried out as long as it is legal, which is asked anew on
every look.
"""

from dataclasses import replace

from interlock.edits.cancelling import cancel_quantities, send
from interlock.edits.reading import Edit, Reduced, kind_of
from interlock.edits.rules import rule_for
from interlock.edits.table import Answer, Change
from interlock.orders.actions import CancelMiraklOrder, SendMessage
from interlock.orders.differences import (
    AddressChanged,
    Difference,
    LineRemoved,
    QuantityReduced,
    SkuReplaced,
)
from interlock.orders.memory import Decision, Memory
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT
from interlock.orders.view import View

ABOUT_EDITS = (
    Reason.EDIT_CANNOT_BE_EXPRESSED,
    Reason.REDUCTION_NOT_ALLOWED,
    Reason.BOTH_SIDES_CHANGED,
)
TOPIC = "Your order was cancelled"
REFUSED: dict[Option, str] = {
    Option.UNDO_BY_INTERLOCK: "Shopify does not let Interlock take this edit back any more",
    Option.CANCEL_LINE: "the marketplace does not take a cancelation of these units any more",
    Option.CANCEL_AT_MARKETPLACE: "the marketplace does not allow the cancelation of the whole order any more",
    Option.CANCEL_AND_MESSAGE: "the marketplace does not allow the cancelation of the whole order any more",
    Option.KEEP_ADDRESS: "more than the telephone number differs",
    Option.SHIP_AS_EDITED: "only an item swapped for another may be shipped as edited",
}
"""Why an answer is not carried out, where it is no longer legal."""


def options_for(edit: Edit, memory: Memory) -> tuple[Option, ...]:
    """What a person may answer now: only what is legal at this moment."""
    whole = may_be_cancelled_whole(edit)
    legal = {
        Option.UNDO_IN_SHOPIFY: True,
        Option.UNDO_BY_INTERLOCK: edit.may_be_undone_by_us,
        Option.CANCEL_LINE: may_cancel_units(edit),
        Option.CANCEL_AT_MARKETPLACE: whole,
        Option.CANCEL_AND_MESSAGE: whole and edit.view.rules.messages,
        Option.SHIP_AS_EDITED: is_a_swap(edit),
        Option.KEEP_ADDRESS: edit.by_shopify == (AddressChanged(contact_only=True),),
        Option.DONE_IN_PORTAL: True,
    }
    return tuple(option for option, possible in legal.items() if possible)


def both_options(edit: Edit, difference: Difference | None) -> tuple[Option, ...]:
    """What may be answered where both sides changed one line. Its units are cancelled only when the rest of the edit is a
    plain reduction too, because half an edit could leave the customer short."""
    plain = isinstance(difference, QuantityReduced | LineRemoved) and len(edit.reduced) == len(
        edit.differences
    )
    units = (Option.CANCEL_LINE,) if plain and may_cancel_units(edit) else ()
    return (Option.UNDO_IN_SHOPIFY, *units, Option.DONE_IN_PORTAL)


def in_words(edit: Edit, options: tuple[Option, ...]) -> tuple[str, ...]:
    """The options in a sentence that says what can be done; a second one where the customer cannot be told from here."""
    told = ", with or without a message to the customer" if Option.CANCEL_AND_MESSAGE in options else ""
    said = {
        Option.UNDO_IN_SHOPIFY: "undo the change in Shopify and the parcel is released by itself",
        Option.UNDO_BY_INTERLOCK: "let Interlock undo it",
        Option.CANCEL_LINE: "cancel the removed units alone",
        Option.CANCEL_AT_MARKETPLACE: f"cancel the whole order at the marketplace{told}",
        Option.SHIP_AS_EDITED: "ship it as it is at our own risk, if the customer agreed",
        Option.KEEP_ADDRESS: "say that the new number stands",
        Option.DONE_IN_PORTAL: "settle it with the marketplace operator in the portal",
    }
    clauses = [said[option] for option in options if option in said]
    whole = ", ".join(clauses[:-1]) + f", or {clauses[-1]}." if len(clauses) > 1 else f"{clauses[0]}."
    return (whole[0].upper() + whole[1:], *_why_no_message(edit))


def _why_no_message(edit: Edit) -> tuple[str, ...]:
    rules = edit.view.rules
    if rules.messages or not may_be_cancelled_whole(edit):
        return ()
    refused = rules.refuted_by("messages")
    why = f"the marketplace took none: {refused}" if refused else "the settings of the connection say so"
    return (f"No message can be sent to the customer from here ({why}); write in the marketplace portal.",)


def may_be_cancelled_whole(edit: Edit) -> bool:
    """OR29 is legal where the flag says so (Mirakl reference 3.5); states do not decide. Nothing may have left."""
    return (
        edit.mirakl.can_cancel
        and edit.mirakl.state not in (*DEAD, *GONE_OUT)
        and not any(line.fulfilled_quantity for line in edit.shopify.lines)
    )


def may_cancel_units(edit: Edit) -> bool:
    """Whether the units the edit takes away could be cancelled if nothing else had changed: the rules say so."""
    taken = units_taken_away(edit)
    facts = replace(
        edit.facts(None),
        reason_code=all(edit.view.rules.cancelation_reason_for(kind_of(d)) for d in taken),
        rest_impossible=False,
        both_changed=False,
        marketplace_changed=False,
        everything_gone=False,
    )
    return bool(taken) and rule_for(Change.QUANTITY_DOWN, facts).answer is Answer.CANCEL_QUANTITY


def units_taken_away(edit: Edit) -> tuple[Reduced, ...]:
    """The reductions of the edit, those inside a swap included."""
    swapped: list[Reduced] = []
    for d in edit.differences:
        if isinstance(d, SkuReplaced):
            left = QuantityReduced(d.line_id, d.sku, d.agreed, d.now) if d.now else None
            swapped.append(left or LineRemoved(d.line_id, d.sku, d.agreed))
    return (*edit.reduced, *swapped)


def is_a_swap(edit: Edit) -> bool:
    """Whether items were swapped and nothing else: then the customer may have agreed to exactly this."""
    return bool(edit.differences) and all(isinstance(d, SkuReplaced) for d in edit.differences)


def is_answered(memory: Memory, case: Case, option: Option) -> bool:
    """Whether a person answered this to the case, and it is still legal."""
    answer = memory.decision(case.reason, case.subject)
    return answer is not None and answer.option is option and option in case.options


def with_decision(edit: Edit, memory: Memory, case: Case, units: tuple[Reduced, ...] | None = None) -> Part:
    """Carry out what a person answered to this very edit; the case stays until the sides agree. `units` are those that
    CANCEL_LINE takes; all that the edit takes away where none are named."""
    answer = memory.decision(case.reason, case.subject)
    if answer is None:
        return Part(memory, cases=(case,), because=_answers_to_other_edits(edit, case))
    if answer.option not in case.options:
        return Part(memory, cases=(case,), because=(_refused(edit, answer),))
    match answer.option:
        case Option.CANCEL_AT_MARKETPLACE | Option.CANCEL_AND_MESSAGE:
            decided = f"{answer.who} decided to cancel the whole order at the marketplace."
            memory = replace(memory, telling=answer.text_id)
            return _and_case(send(edit, memory, CancelMiraklOrder(), decided), case, decided)
        case Option.CANCEL_LINE:
            decided = f"{answer.who} decided to cancel the removed units at the marketplace."
            taken = units_taken_away(edit) if units is None else units
            return _and_case(cancel_quantities(edit, memory, taken), case, decided)
        case Option.SHIP_AS_EDITED:
            decided = (
                f"{answer.who} decided to ship the order as it was edited, although the marketplace sold something else: "
                f"{answer.why}"
            )
            return Part(memory, because=(decided,), as_decided=decided)
        case Option.KEEP_ADDRESS:
            here = edit.shopify.address
            stands = replace(memory, agreed_contact=here.contact, contact_of=here.digest)
            decided = f"{answer.who} says that the telephone number in Shopify stands: {answer.why}"
            return Part(stands, because=(decided,), look_at=edit.view.now)
        case Option.DONE_IN_PORTAL:
            because = f"{answer.who} settled it in the portal; the parcel {edit.hold.is_held} until the marketplace shows it."
        case Option.UNDO_BY_INTERLOCK:
            because = f"{answer.who} asked Interlock to undo the change in Shopify."
        case Option.UNDO_IN_SHOPIFY:
            because = f"{answer.who} is undoing the change in Shopify; the parcel is released once both sides agree."
        case _:
            return Part(memory, cases=(case,))
    return Part(memory, cases=(case,), because=(because,))


def _and_case(part: Part, case: Case, decided: str) -> Part:
    because = tuple(dict.fromkeys((decided, *part.because)))
    return replace(part, cases=(case, *part.cases), because=because)


def _refused(edit: Edit, answer: Decision) -> str:
    why = REFUSED.get(answer.option, "that answer does not exist for this case")
    if answer.option is Option.CANCEL_AND_MESSAGE and may_be_cancelled_whole(edit):
        why = "the marketplace takes no message from this shop; cancel the order without one"
    return f"{answer.who} answered “{answer.option.value}”, which is not carried out: {why}."


def _answers_to_other_edits(edit: Edit, case: Case) -> tuple[str, ...]:
    """An answer that arrives after the edit has changed applies to nothing; it is said once, as it arrives."""
    return tuple(
        f"{answer.who}'s answer was given for an edit that has changed since; it is asked anew."
        for answer in edit.view.answers
        if answer.reason is case.reason and answer.subject != case.subject
    )


def with_message_forgotten(view: View, memory: Memory) -> Memory:
    """The memory without the message to the customer, whose answer has to stand anew on every look: one that was overruled,
    or whose edit is gone, tells nobody anything. What is on its way to the marketplace goes with its message."""
    on_its_way = any(
        isinstance(op.action, CancelMiraklOrder) and op.state in ("IN_FLIGHT", "UNKNOWN")
        for op in view.operations
    )
    return memory if on_its_way or not view.mirakl_is_current else replace(memory, telling="")


def messages(view: View, memory: Memory) -> Part:
    """The message to the customer goes out once the marketplace shows the cancelation it tells of (OR43)."""
    text_id = memory.telling
    if view.mirakl is None or view.mirakl.state != "CANCELED" or not text_id or text_id in view.messages_sent:
        return Part(memory)
    because = "The customer is told through the marketplace that the order was cancelled."
    return Part(memory, (SendMessage(text_id, TOPIC, ("CUSTOMER",)),), because=(because,))

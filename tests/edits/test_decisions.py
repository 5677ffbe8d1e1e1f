"""What people may answer to a case about an edit: only what is legal now, carried out or refused in words."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.decide import decide as decide_all
from interlock.edits import decisions
from interlock.edits.decide import decide
from interlock.edits.diff import differences
from interlock.orders.actions import (
    CancelMiraklOrder,
    CancelQuantities,
    EditShopifyOrder,
    ReleaseHold,
    SendMessage,
    ShipOrder,
)
from interlock.orders.connection import Carrier, CarrierMapping
from interlock.orders.memory import Kin, Memory
from interlock.orders.outcomes import OperationState
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Address, ShopifyLine, Tax
from interlock.orders.view import View
from tests.build import (
    ELSEWHERE,
    HIDDEN,
    HOME,
    LINES,
    NOW,
    a_cancelation,
    a_decision,
    a_fulfillment,
    a_fulfillment_order,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_operation,
    an_order,
    ordered,
    some_rules,
)

EDITED = NOW - timedelta(seconds=61)
RULES = some_rules(partial_cancelation=True, cancelation_reason="15")
LAMP = a_shopify_line("S2", "LAMP", 1, "30.00", "L2")
CARD = a_shopify_line("S3", "CARD", 2, "10.00", "")
SWAP = (a_shopify_line(current_quantity=0), LAMP, CARD)
MIXED = (a_shopify_line(current_quantity=1), replace(LAMP, unit_price=Decimal("25.00")))
NO_MORE = an_order(can_cancel=False)


def look(lines: tuple[ShopifyLine, ...] = SWAP, **changes: Any) -> View:
    values: dict[str, Any] = {
        "rules": RULES,
        "shopify": a_shopify_order(lines=lines),
        "memory": a_memory(content_since=EDITED),
    }
    return a_view(**{**values, **changes})


def asked(view: View, memory: Memory | None = None) -> Part:
    memory = memory or view.memory
    return decide(view, memory, differences(view, memory))


def the_case(view: View) -> Case:
    (case,) = asked(view).cases
    return case


def answering(view: View, option: Option, **changes: Any) -> Memory:
    case = the_case(view)
    decision = replace(a_decision(case.reason, case.subject, option), **changes)
    return replace(view.memory, decisions=(decision,))


# -- what is offered ---------------------------------------------------------------------------------------

UNDO, BY_US, LINE = Option.UNDO_IN_SHOPIFY, Option.UNDO_BY_INTERLOCK, Option.CANCEL_LINE
ORDER, TELL = Option.CANCEL_AT_MARKETPLACE, Option.CANCEL_AND_MESSAGE
SHIP, DONE = Option.SHIP_AS_EDITED, Option.DONE_IN_PORTAL


@pytest.mark.parametrize(
    ("view", "options"),
    [
        (look(), (UNDO, BY_US, LINE, ORDER, TELL, SHIP, DONE)),
        (look(mirakl=NO_MORE), (UNDO, BY_US, SHIP, DONE)),
        (look(rules=some_rules()), (UNDO, BY_US, ORDER, TELL, SHIP, DONE)),
        (look(rules=replace(RULES, cancelation_reason="")), (UNDO, BY_US, ORDER, TELL, SHIP, DONE)),
        (look(MIXED), (UNDO, LINE, ORDER, TELL, DONE)),
        (look((*SWAP, replace(CARD, id="S4"))), (UNDO, BY_US, LINE, ORDER, TELL, DONE)),
        (
            look(shopify=a_shopify_order(lines=SWAP, editable=False)),
            (UNDO, LINE, ORDER, TELL, SHIP, DONE),
        ),
        (
            look(shopify=a_shopify_order(address=ELSEWHERE)),
            (UNDO, BY_US, ORDER, TELL, DONE),
        ),
        (look((replace(LAMP, fulfilled_quantity=1), *SWAP[::2])), (UNDO, LINE, SHIP, DONE)),
        (look(tuple(replace(line, variant_id="") for line in SWAP)), (UNDO, LINE, ORDER, TELL, SHIP, DONE)),
    ],
)
def test_only_what_is_legal_now_is_offered(view: View, options: tuple[Option, ...]) -> None:
    case = the_case(view)

    assert case.options == options
    for option, clause in ((BY_US, "let Interlock undo"), (SHIP, "own risk"), (LINE, "units alone")):
        assert (clause in case.sentence) is (option in options)


WITHOUT = replace(RULES, messages=False)
TOLD_WHY = "No message can be sent to the customer from here"


@pytest.mark.parametrize(
    ("view", "options", "why"),
    [
        (
            look(rules=replace(WITHOUT, refuted=(("messages", "OR43 was refused (HTTP_403)"),))),
            (UNDO, BY_US, LINE, ORDER, SHIP, DONE),
            "(the marketplace took none: OR43 was refused (HTTP_403)); write in the marketplace portal.",
        ),
        (
            look(rules=WITHOUT),
            (UNDO, BY_US, LINE, ORDER, SHIP, DONE),
            "(the settings of the connection say so)",
        ),
        (look(MIXED, rules=WITHOUT), (UNDO, LINE, ORDER, DONE), "(the settings of the connection say so)"),
        (look(mirakl=NO_MORE, rules=WITHOUT), (UNDO, BY_US, SHIP, DONE), ""),
    ],
)
def test_no_message_is_offered_where_the_marketplace_takes_none_and_the_case_says_why(
    view: View, options: tuple[Option, ...], why: str
) -> None:
    case = the_case(view)

    assert case.options == options
    assert "with or without a message" not in case.sentence
    assert (TOLD_WHY in case.sentence) is bool(why)
    assert why in case.sentence


def test_an_answer_with_a_message_is_refused_in_words_once_no_message_is_taken() -> None:
    memory = answering(look(), TELL)
    part = asked(look(rules=WITHOUT), memory)

    assert part.actions == ()
    assert "the marketplace takes no message from this shop; cancel the order without one" in part.because[0]
    assert asked(look(), memory).actions == (CancelMiraklOrder(),)


# -- carried out -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", [ORDER, TELL])
def test_the_whole_order_is_cancelled(option: Option) -> None:
    view = look()
    part = asked(view, answering(view, option))

    assert part.actions == (CancelMiraklOrder(),)
    assert part.keep_held


def test_the_removed_units_alone_are_cancelled_although_the_rest_waits() -> None:
    for view, units in ((look(), 2), (look(MIXED), 1)):
        (action,) = asked(view, answering(view, LINE)).actions
        assert isinstance(action, CancelQuantities)
        assert [(line.line_id, line.quantity) for line in action.lines] == [("L1", units)]


def test_a_swap_ships_as_edited_by_exactly_that_decision() -> None:
    view = look()
    part = asked(view, answering(view, SHIP, why="the customer wants cards"))

    assert (part.cases, part.keep_held, part.actions) == ((), (), ())
    assert "Ada" in part.as_decided
    assert "the customer wants cards" in part.as_decided


def test_a_decision_for_an_edit_that_changed_since_does_not_apply() -> None:
    memory = answering(look(), SHIP)
    changed = look((*SWAP[:2], replace(CARD, quantity=3, current_quantity=3)))
    part = asked(replace(changed, answers=memory.decisions), memory)

    assert part.as_decided == ""
    assert part.keep_held
    assert "has changed since" in part.because[0]


RAISED = (a_shopify_line(current_quantity=3), LAMP)
MORE = (a_shopify_line(current_quantity=4), LAMP)
AS_SOLD = (a_shopify_line(), LAMP)
DAY = timedelta(days=1)


def looks(memory: Memory, *contents: tuple[ShopifyLine, ...], **changes: Any) -> Part:
    """One look a day at each content, the first of them now; the last look's part."""
    part = Part(memory)
    for day, lines in enumerate(contents):
        at = NOW + day * DAY
        view = look(lines, now=at, mirakl=an_order(observed_at=at), memory=part.memory, **changes)
        part = asked(view)
    return part


def answered_to(lines: tuple[ShopifyLine, ...], option: Option, **changes: Any) -> Memory:
    """The memory after a person answered this edit, which has stood since now."""
    part = looks(a_memory(content_since=EDITED), lines, **changes)
    (case,) = part.cases
    return replace(part.memory, decisions=(a_decision(case.reason, case.subject, option),))


@pytest.mark.parametrize(
    ("lines", "option"),
    [
        *((RAISED, option) for option in (UNDO, BY_US, ORDER, TELL, DONE)),
        (SWAP, LINE),
        (SWAP, SHIP),
    ],
)
@pytest.mark.parametrize("between", [AS_SOLD, MORE])
def test_an_answer_is_of_the_edit_its_person_saw_and_of_no_later_one_that_looks_the_same(
    lines: tuple[ShopifyLine, ...], option: Option, between: tuple[ShopifyLine, ...]
) -> None:
    memory = answered_to(lines, option)
    unasked = looks(a_memory(content_since=EDITED), lines)

    stands = looks(memory, lines, lines)
    assert stands.because != unasked.because

    again = looks(memory, lines, between, lines)
    assert (again.actions, again.as_decided) == ((), "")
    assert again.because == unasked.because
    assert len(again.cases) == 1
    assert again.memory.decision(again.cases[0].reason, again.cases[0].subject) is None


def test_an_answer_stays_while_the_edit_stands_whatever_else_is_looked_at() -> None:
    memory = answered_to(SWAP, SHIP)
    unread = asked(look(SWAP, now=NOW + DAY, mirakl=None, memory=memory)).memory
    hidden = asked(look(SWAP, now=NOW + DAY, shopify=None, memory=unread)).memory
    taxed = an_order(
        observed_at=NOW + DAY,
        lines=tuple(replace(line, taxes=(Tax("VAT", Decimal("1.00")),)) for line in LINES),
    )
    recalculated = asked(look(SWAP, now=NOW + DAY, mirakl=taxed, memory=hidden)).memory

    assert recalculated.ordered != memory.ordered
    assert looks(recalculated, tuple(reversed(SWAP))).as_decided


def test_an_answer_stays_when_the_hidden_address_is_completed() -> None:
    shopify = a_shopify_order(lines=SWAP, address=HIDDEN)
    unknown = a_memory(content_since=EDITED, agreed_address="")
    hidden = asked(look(shopify=shopify, mirakl=an_order(address=HIDDEN), memory=unknown))
    (case,) = hidden.cases
    memory = replace(hidden.memory, decisions=(a_decision(case.reason, case.subject, SHIP),))

    shown = asked(look(SWAP, now=NOW + DAY, mirakl=an_order(observed_at=NOW + DAY), memory=memory))

    assert shown.as_decided


def test_an_answer_about_an_address_is_not_one_about_the_next() -> None:
    moved = a_shopify_order(address=ELSEWHERE)
    first = asked(look(shopify=moved))
    (case,) = first.cases
    memory = replace(first.memory, decisions=(a_decision(case.reason, case.subject, ORDER),))

    assert asked(look(shopify=moved, memory=memory)).actions == (CancelMiraklOrder(),)
    other = asked(look(shopify=replace(moved, address=Address("c4t", True)), memory=memory))
    assert other.actions == ()
    assert other.cases[0].subject != case.subject


def test_an_answer_about_a_shopify_order_is_not_one_about_the_order_that_takes_its_place() -> None:
    memory = answered_to(SWAP, SHIP)
    copy = a_shopify_order(id="gid://shopify/Order/2", lines=SWAP)

    assert asked(look(shopify=copy, memory=memory)).as_decided == ""


def test_an_edit_that_is_taken_back_and_made_again_while_another_order_may_take_over_asks_anew() -> None:
    kin = Kin("gid://shopify/Order/2", "#1002", "candidate", NOW, "Interlock", "it looks alike")
    memory = replace(answered_to(SWAP, SHIP), lineage=(kin,))
    undone = decide_all(look(AS_SOLD, now=NOW + DAY, memory=memory)).memory
    again = decide_all(look(now=NOW + 2 * DAY, memory=undone)).memory

    assert asked(look(now=NOW + 2 * DAY, memory=replace(again, lineage=()))).as_decided == ""
    stood = decide_all(look(now=NOW + DAY, memory=memory)).memory
    assert asked(look(now=NOW + DAY, memory=replace(stood, lineage=()))).as_decided


@pytest.mark.parametrize("option", [LINE, ORDER, TELL])
def test_an_option_that_is_no_longer_legal_is_refused_in_words(option: Option) -> None:
    memory = answering(look(), option)
    part = asked(look(mirakl=NO_MORE), memory)

    assert part.actions == ()
    assert len(part.cases) == 1
    assert option.value in part.because[0]
    assert "any more" in part.because[0]


def test_an_incident_holds_what_is_shipped_as_edited() -> None:
    view = look()
    part = asked(look(mirakl=an_order(has_incident=True)), answering(view, SHIP))

    assert ["incident" in sentence for sentence in part.keep_held] == [True]


def test_where_both_sides_changed_a_line_the_rest_may_be_cancelled_by_a_person() -> None:
    three = (replace(LINES[0], quantity=3, price=Decimal("30.00")), LINES[1])
    cut = (replace(three[0], cancelations=(a_cancelation(1, "10.00"),)), LINES[1])
    lines = (a_shopify_line(quantity=3, current_quantity=1), LAMP)
    memory = a_memory(content_since=EDITED, ordered=ordered(three), settled=(("L1", 3), ("L2", 1)))
    view = look(lines, mirakl=an_order(lines=cut), memory=memory)

    assert the_case(view).options == (UNDO, LINE, DONE)
    (action,) = asked(view, answering(view, LINE)).actions
    assert isinstance(action, CancelQuantities)
    assert action.lines[0].cancelled_total == 2


@pytest.mark.parametrize(
    ("lamps", "lines"),
    [(UNDO, ["L1"]), (DONE, ["L1"]), (LINE, ["L1", "L2"]), (None, ["L1"])],
)
def test_an_answer_for_one_line_cancels_no_other_that_both_sides_changed(
    lamps: Option | None, lines: list[str]
) -> None:
    sold = (
        replace(LINES[0], quantity=4, price=Decimal("40.00")),
        replace(LINES[1], quantity=3, price=Decimal("90.00")),
    )
    there = (
        replace(sold[0], cancelations=(a_cancelation(1, "10.00"),)),
        replace(sold[1], cancelations=(a_cancelation(1, "30.00", "C2"),)),
    )
    here = (a_shopify_line(quantity=4, current_quantity=2), replace(LAMP, quantity=3, current_quantity=1))
    memory = a_memory(content_since=EDITED, ordered=ordered(sold), settled=(("L1", 4), ("L2", 3)))
    view = look(here, mirakl=an_order(lines=there), memory=memory)
    first, second = asked(view).cases
    said = [a_decision(first.reason, first.subject, LINE)]
    said += [a_decision(second.reason, second.subject, lamps)] if lamps else []

    part = asked(view, replace(memory, decisions=tuple(said)))

    (action,) = part.actions
    assert isinstance(action, CancelQuantities)
    assert [line.line_id for line in action.lines] == lines
    assert len(part.cases) == 2


# -- the message -------------------------------------------------------------------------------------------


def test_the_customer_is_told_once_the_marketplace_shows_the_cancelation_and_only_once() -> None:
    memory = asked(look(), answering(look(), TELL, text_id="text-1")).memory

    def messages(state: str, **changes: Any) -> tuple[Any, ...]:
        return decisions.messages(a_view(mirakl=an_order(state), **changes), memory).actions

    assert messages("SHIPPING") == messages("REFUSED") == ()
    assert messages("CANCELED") == (SendMessage("text-1", decisions.TOPIC, ("CUSTOMER",)),)
    assert messages("CANCELED", messages_sent=("text-1",)) == ()
    ended = a_view(mirakl=an_order("CANCELED"), shopify=a_shopify_order(cancelled_at=NOW), memory=memory)
    assert decide_all(ended).actions == messages("CANCELED")


def told_after(memory: Memory, *looks: View) -> list[str]:
    """The messages that go out when the marketplace shows the order cancelled after these looks."""
    for view in looks:
        memory = asked(replace(view, memory=memory), memory).memory
    ended = a_view(mirakl=an_order("CANCELED"), memory=memory)
    return [action.text_id for action in decide_all(ended).actions if isinstance(action, SendMessage)]


def test_only_the_message_of_the_answer_that_stands_is_told() -> None:
    first = answering(look(), TELL, text_id="text-1")

    def then(option: Option, text_id: str = "") -> Memory:
        more = replace(first.decisions[0], option=option, text_id=text_id, who="Bob")
        return replace(first, decisions=(*first.decisions, more))

    assert told_after(first, look()) == ["text-1"]
    assert told_after(then(TELL, "text-2"), look()) == ["text-2"]
    assert told_after(then(ORDER), look()) == []
    assert told_after(then(UNDO), look()) == []
    stood = asked(look(), first).memory
    assert told_after(replace(stood, decisions=then(UNDO).decisions), look()) == []
    assert told_after(stood, look(AS_SOLD)) == []
    assert told_after(stood, look(mirakl=NO_MORE)) == []
    assert told_after(stood, look(shopify=replace(SHOPIFY, cancelled_at=NOW))) == []


@pytest.mark.parametrize("state", ["IN_FLIGHT", "UNKNOWN"])
def test_a_cancelation_on_its_way_goes_with_its_message(state: OperationState) -> None:
    stood = asked(look(), answering(look(), TELL, text_id="text-1")).memory
    on_its_way = look(AS_SOLD, operations=(an_operation(CancelMiraklOrder(), state),))
    not_seen_yet = look(AS_SOLD, mirakl_written_at=NOW)

    assert told_after(stood, on_its_way) == ["text-1"]
    assert told_after(stood, not_seen_yet) == ["text-1"]


# -- through the whole router ------------------------------------------------------------------------------

PARCEL = a_fulfillment_order(remaining=(("S2", 1), ("S3", 2)))
SHOPIFY = a_shopify_order(lines=SWAP, fulfillment_orders=(PARCEL,))


def decided(option: Option) -> View:
    view = look(shopify=SHOPIFY)
    first = decide_all(view)
    (case,) = (c for c in first.cases if c.reason is Reason.EDIT_CANNOT_BE_EXPRESSED)
    answer = a_decision(case.reason, case.subject, option)
    memory = replace(first.memory, content_since=EDITED, decisions=(answer,))
    return replace(view, memory=memory)


def test_the_hold_comes_off_for_a_swap_shipped_as_edited_and_for_no_other_edit() -> None:
    view = decided(SHIP)
    assert decide_all(view).actions == (ReleaseHold("FO1", ("H1",)),)

    more = replace(SHOPIFY, lines=(*SWAP, replace(CARD, id="S4")))
    assert decide_all(replace(view, shopify=more)).actions == ()
    assert decide_all(replace(view, mirakl=an_order(can_ship=False))).actions == ()


def test_a_swap_shipped_as_edited_is_reported_once_all_of_it_has_left() -> None:
    rules = replace(
        RULES, carriers=(Carrier("rm", "RM"),), carrier_mappings=(CarrierMapping("Royal Mail 24", "rm"),)
    )
    lines = tuple(replace(line, fulfilled_quantity=line.current_quantity) for line in SWAP)
    parcel = a_fulfillment(lines=(("S2", 1), ("S3", 2)))
    shopify = replace(SHOPIFY, lines=lines, fulfillments=(parcel,), fulfillment_orders=())
    mirakl = an_order(tracking_carrier_code="rm", tracking_number="RM1")
    view = replace(decided(SHIP), rules=rules, shopify=shopify, mirakl=mirakl)

    plan = decide_all(view)
    assert plan.actions == (ShipOrder(),)
    assert plan.memory.incidents == ()

    partly = replace(shopify, lines=(lines[0], replace(lines[1], fulfilled_quantity=0), lines[2]))
    assert decide_all(replace(view, shopify=partly)).actions == ()


def test_interlock_undoes_an_edit_by_an_edit_of_its_own_desk_and_only_once_for_each_answer() -> None:
    view = decided(BY_US)
    begun = decide_all(view)
    (edit,) = begun.memory.desk_edits
    assert (edit.kind, edit.who, edit.ended) == ("undo", "Ada", "")
    assert begun.look_at == NOW

    going = decide_all(replace(view, memory=begun.memory))
    (action,) = going.actions
    assert isinstance(action, EditShopifyOrder)
    assert dict(action.quantities)["S3"] == 0
    assert [(new.variant_id, new.quantity, new.mirakl_line_id) for new in action.added] == [
        ("V-MUG", 2, "L1")
    ]
    assert len(going.memory.desk_edits) == 1


ASKED = Reason.EDIT_CANNOT_BE_EXPRESSED
NOT_UNDONE = "Interlock was asked to undo it and has not:"


def test_an_undo_that_cannot_be_made_is_said_and_may_be_asked_for_again() -> None:
    moved = look(
        shopify=a_shopify_order(address=ELSEWHERE),
        mirakl=an_order(address=HIDDEN),
        memory=a_memory(content_since=EDITED, agreed_address=HOME.digest),
    )
    (case,) = (c for c in decide_all(moved).cases if c.reason is Reason.EDIT_CANNOT_BE_EXPRESSED)
    assert BY_US in case.options
    memory = replace(moved.memory, decisions=(a_decision(case.reason, case.subject, BY_US),))
    plan = decide_all(replace(moved, memory=memory))

    [edit] = plan.memory.desk_edits
    assert (edit.kind, edit.ended) == ("undo", "refused")
    assert "does not show its address" in edit.because
    assert any("was not undone: The marketplace does not show" in said for said in plan.because)
    [told] = [c for c in plan.cases if c.subject == case.subject]
    assert f"{NOT_UNDONE} The marketplace does not show its address" in told.sentence

    later = decide_all(replace(moved, memory=plan.memory))
    assert later.memory.desk_edits == plan.memory.desk_edits
    again = a_decision(case.reason, case.subject, BY_US, NOW + timedelta(minutes=1))
    shown = replace(moved, mirakl=an_order(), memory=plan.memory, answers=(again,))
    assert decide_all(shown).memory.desk_edits[-1].ended == ""


def test_an_undo_that_was_given_up_is_said_in_the_case() -> None:
    view = decided(BY_US)
    begun = decide_all(view).memory
    (edit,) = begun.desk_edits
    (case,) = (c for c in decide_all(replace(view, memory=begun)).cases if c.reason is ASKED)
    assert NOT_UNDONE not in case.sentence

    over = replace(edit, ended="given up", ended_at=NOW, because="Bob gave it up: too late")
    plan = decide_all(replace(view, memory=replace(begun, desk_edits=(over,))))
    (case,) = (c for c in plan.cases if c.reason is ASKED)
    assert f"{NOT_UNDONE} Bob gave it up: too late. Undo it in Shopify, or answer again." in case.sentence
    assert plan.memory.desk_edits == (over,)


def test_what_comes_back_at_another_price_is_said() -> None:
    begun = decide_all(decided(BY_US)).memory
    back = a_shopify_line("S9", quantity=2, price="12.00", line_id="")
    undone = replace(SHOPIFY, lines=(SWAP[0], LAMP, replace(CARD, current_quantity=0), back))
    plan = decide_all(look(shopify=undone, memory=begun))

    assert "MUG came back at 12.00 EUR a unit; the marketplace sold it at 10.00 EUR." in plan.because
    assert plan.memory.desk_edits[0].shown_at == NOW

"""An edit from our desk: held first, then made by us, then carried to the marketplace, whatever happens in between."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.decide import decide
from interlock.desk.requests import Wish, as_edited, resolved
from interlock.holds.decide import NOTES
from interlock.orders.actions import (
    Action,
    CancelMiraklOrder,
    CancelQuantities,
    CancelShopifyOrder,
    EditShopifyOrder,
    FillOrderAddress,
    PlaceHold,
    ReleaseHold,
    SetOrderAddress,
)
from interlock.orders.memory import DeskEdit, LineLink, Rehold
from interlock.orders.outcomes import OperationState
from interlock.orders.plan import Plan
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import ShopifyOrder, Traces
from interlock.orders.view import View
from tests.build import (
    CREATED,
    ELSEWHERE,
    MARKER,
    NOW,
    a_cancelation,
    a_decision,
    a_fulfillment_order,
    a_line,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_operation,
    an_order,
    some_rules,
)

MUG, LAMP = a_shopify_line(), a_shopify_line("S2", "LAMP", 1, "30.00", "L2")
RULES = some_rules(partial_cancelation=True, cancelation_reason="15")
FREE = a_shopify_order(fulfillment_orders=(a_fulfillment_order(holds=()),))
HELD = a_shopify_order()


def agreed(shopify: ShopifyOrder = FREE, **changes: Any) -> View:
    """Both sides agree and the parcel was released, as seen once before."""
    view = a_view(shopify=shopify, rules=RULES, memory=a_memory(released_at=NOW - timedelta(minutes=1)))
    return replace(view, memory=decide(view).memory, **changes)


def wanted(view: View, text_id: str = "", **wish: Any) -> DeskEdit:
    return replace(resolved(view, Wish(**wish), "e1", "Ada", "by phone", NOW), text_id=text_id)


def ask(view: View, edit: DeskEdit) -> Plan:
    return decide(replace(view, requests=(edit,)))


def next_look(view: View, plan: Plan, **changes: Any) -> Plan:
    return decide(replace(view, memory=plan.memory, requests=(), **changes))


def kinds(plan: Plan) -> list[type[Action]]:
    return [type(action) for action in plan.actions]


LESS: dict[str, Any] = {"quantities": (("MUG", 1),)}


def test_the_parcel_is_held_before_anything_is_edited() -> None:
    view = agreed()

    plan = ask(view, wanted(view, **LESS))

    assert kinds(plan) == [PlaceHold]
    assert plan.memory.desk_edits[0].taken_at == NOW


def test_a_reduction_travels_from_hold_to_release_without_a_quiet_period() -> None:
    view = agreed()
    asked = ask(view, wanted(view, **LESS))

    editing = next_look(view, asked, shopify=HELD)
    assert editing.actions == (
        EditShopifyOrder("SO1", "e1", (("S1", 1),), (), "Interlock: edit asked for by Ada"),
    )
    assert editing.memory.desk_edits[0].held_at == NOW

    after = as_edited(HELD, editing.memory.desk_edits[0], NOW)
    shown = next_look(view, editing, shopify=after, mirakl=an_order(observed_at=NOW))
    assert kinds(shown) == [CancelQuantities]
    assert shown.memory.desk_edits[0].shown_at == NOW

    lines = (a_line(cancelations=(a_cancelation(1, "10.00"),)), a_line("L2", "LAMP", 1, "30.00", "0"))
    done = next_look(view, shown, shopify=after, mirakl=an_order(lines=lines, observed_at=NOW))
    assert kinds(done) == [ReleaseHold]
    assert done.memory.desk_edits[0].ended == "done"


def test_nothing_is_edited_twice_once_shopify_shows_it() -> None:
    view = agreed(HELD)
    edit = wanted(view, **LESS)
    asked = ask(view, edit)
    after = as_edited(HELD, edit, NOW)

    shown = next_look(view, asked, shopify=after)

    assert EditShopifyOrder not in kinds(shown)
    assert (
        next_look(view, shown, shopify=after).memory
        == next_look(view, next_look(view, shown, shopify=after), shopify=after).memory
    )


def test_somebody_elses_edit_at_the_same_time_keeps_its_quiet_period() -> None:
    view = agreed(HELD)
    edit = wanted(view, **LESS)
    asked = ask(view, edit)
    after = as_edited(HELD, edit, NOW)
    both = replace(after, lines=(after.lines[0], replace(LAMP, current_quantity=0)))

    shown = next_look(view, asked, shopify=both, mirakl=an_order(observed_at=NOW))

    assert shown.memory.desk_edits[0].shown_at == NOW
    assert not shown.memory.made_at_our_desk
    assert kinds(shown) == []


def test_an_order_changed_by_others_before_our_edit_is_left_to_them() -> None:
    view = agreed(HELD)
    asked = ask(view, wanted(view, **LESS))
    theirs = a_shopify_order(lines=(MUG, replace(LAMP, current_quantity=0)))

    plan = next_look(view, asked, shopify=theirs)

    assert plan.memory.desk_edits[0].ended == "overtaken"
    assert EditShopifyOrder not in kinds(plan)
    assert any("changed by somebody else" in said for said in plan.because)


def test_a_stale_request_is_refused_and_changes_nothing() -> None:
    view = agreed(HELD)
    stale = replace(wanted(view, **LESS), version="another")

    plan = ask(view, stale)

    assert plan.actions == decide(view).actions
    assert plan.memory.desk_edits[0].ended == "refused"
    assert any("look at a new preview" in said for said in plan.because)


def test_a_request_waits_while_a_side_is_missing() -> None:
    view = agreed(HELD)
    edit = wanted(view, **LESS)

    assert ask(replace(view, mirakl=None), edit).memory.desk_edits == ()
    assert ask(replace(view, shopify=None, shopify_unreadable=True), edit).memory.desk_edits == ()


def test_a_cancel_goes_to_the_marketplace_without_waiting_for_a_successor() -> None:
    view = agreed(HELD)
    asked = ask(view, wanted(view, cancel=True))
    assert CancelShopifyOrder in kinds(asked)

    gone = a_shopify_order(cancelled_at=NOW, fulfillment_orders=())
    shown = next_look(view, asked, shopify=gone)
    assert kinds(shown) == [CancelMiraklOrder]

    done = next_look(view, shown, shopify=gone, mirakl=an_order("CANCELED"))
    assert done.memory.desk_edits[0].ended == "done"


def test_an_address_travels_as_a_text_and_is_answered_with_the_edit() -> None:
    view = agreed(HELD)
    edit = wanted(view, "t1", address=ELSEWHERE, decision=Option.DONE_IN_PORTAL)
    asked = ask(view, edit)
    assert SetOrderAddress("SO1", "t1", ELSEWHERE.digest) in asked.actions
    assert asked.memory.texts == {"t1"}

    shown = next_look(view, asked, shopify=a_shopify_order(address=ELSEWHERE))
    answer = shown.memory.decisions[-1]

    assert (answer.reason, answer.option, answer.who) == (
        Reason.EDIT_CANNOT_BE_EXPRESSED,
        Option.DONE_IN_PORTAL,
        "Ada",
    )


PHONED = replace(ELSEWHERE, contact="c0de")


def moved_with(decision: Option, **changes: Any) -> tuple[View, Plan]:
    """An edit of the address that brings its answer, and the look at which Shopify shows it."""
    view = agreed(HELD)
    asked = ask(view, wanted(view, "t1", address=ELSEWHERE, decision=decision))
    return view, next_look(view, asked, **{"shopify": a_shopify_order(address=PHONED), **changes})


def test_an_answer_that_came_with_an_edit_is_given_once_and_a_later_edit_asks_anew() -> None:
    view, shown = moved_with(Option.DONE_IN_PORTAL)
    assert [answer.option for answer in shown.memory.decisions] == [Option.DONE_IN_PORTAL]
    assert shown.memory.desk_edits[0].answered_at == NOW

    raised = (replace(MUG, current_quantity=3), LAMP)
    more = a_shopify_order(address=PHONED, lines=raised)
    later = next_look(view, shown, shopify=more, now=NOW + timedelta(minutes=5))
    assert later.memory.decisions == shown.memory.decisions
    [case] = [case for case in later.cases if case.reason is Reason.EDIT_CANNOT_BE_EXPRESSED]
    assert later.memory.decision(case.reason, case.subject) is None


@pytest.mark.parametrize(
    ("changes", "decision", "why"),
    [
        pytest.param(
            {"shopify": a_shopify_order(address=PHONED, lines=(replace(MUG, current_quantity=3), LAMP))},
            Option.DONE_IN_PORTAL,
            "others have changed the order besides",
            id="others edited in the same moment",
        ),
        pytest.param(
            {"mirakl": an_order(can_cancel=False)},
            Option.CANCEL_AT_MARKETPLACE,
            "the case does not offer it",
            id="no longer legal",
        ),
    ],
)
def test_an_answer_that_does_not_fit_is_not_given_and_that_is_said_once(
    changes: dict[str, Any], decision: Option, why: str
) -> None:
    view, shown = moved_with(decision, **changes)

    assert shown.memory.decisions == ()
    [said] = [said for said in shown.because if "does not count" in said]
    assert why in said
    assert "The case asks anew." in said
    again = next_look(view, shown, **{"shopify": a_shopify_order(address=PHONED), **changes})
    assert again.memory.decisions == ()
    assert not any("does not count" in said for said in again.because)


def test_undoing_links_the_line_that_came_back() -> None:
    shopify = a_shopify_order(lines=(MUG, replace(LAMP, current_quantity=0)))
    view = a_view(shopify=shopify, rules=RULES, mirakl=an_order("WAITING_DEBIT"))
    view = replace(view, memory=decide(view).memory)
    asked = ask(view, wanted(view, undo=True))
    assert EditShopifyOrder in kinds(asked)

    back = replace(shopify, lines=(*shopify.lines, a_shopify_line("S3", "LAMP", 1, "31.00", "")))
    shown = next_look(view, asked, shopify=back)

    assert shown.memory.links[-1] == LineLink("L2", "S3", Decimal("31.00"), "Ada")
    done = next_look(view, shown, shopify=back)
    assert done.memory.disagreeing_since is None
    assert done.memory.desk_edits[0].ended == "done"


def test_undoing_an_address_writes_the_marketplaces() -> None:
    view = a_view(shopify=a_shopify_order(address=ELSEWHERE), rules=RULES)
    view = replace(view, memory=decide(view).memory)

    plan = ask(view, wanted(view, undo=True))

    assert FillOrderAddress("SO1", "a11ce") in plan.actions


# -- the order is replaced or cancelled by others ----------------------------------------------------------

WITHOUT_THE_LAMP: dict[str, Any] = {"quantities": (("LAMP", 0),)}
GONE = a_shopify_order(
    cancelled_at=NOW,
    lines=(replace(MUG, current_quantity=0), replace(LAMP, current_quantity=0)),
    fulfillment_orders=(),
    traces=Traces(attribute=MARKER, app="Interlock", email="e1"),
)
COPIED = a_shopify_order(
    id="SO2",
    name="#1001A",
    marker="",
    created_at=NOW - timedelta(seconds=30),
    tags=("Edit Order",),
    lines=(a_shopify_line("N1", line_id=""), a_shopify_line("N2", "LAMP", 1, "30.00", "")),
    fulfillment_orders=(a_fulfillment_order("FO2", holds=()),),
    traces=Traces(app="Cleverific", email="e1"),
)


@pytest.mark.parametrize(("was_shown", "said"), [(False, "was not made"), (True, "is not followed any more")])
def test_an_edit_of_an_order_that_is_replaced_is_over_and_never_done(was_shown: bool, said: str) -> None:
    view = agreed(HELD)
    edit = wanted(view, **WITHOUT_THE_LAMP)
    plan = ask(view, edit)
    if was_shown:
        plan = next_look(view, plan, shopify=as_edited(HELD, edit, NOW), mirakl=an_order("WAITING_DEBIT"))
        assert plan.memory.desk_edits[0].shown_at == NOW

    taken_over = next_look(view, plan, shopify=GONE, kin=(COPIED,))
    assert taken_over.memory.shopify_order_id == "SO2"
    [left] = taken_over.memory.desk_edits
    assert (left.ended, left.agreed_at) == ("overtaken", None)
    assert "#1001A has taken the place" in left.because
    assert any(said in sentence and "ask again" in sentence for sentence in taken_over.because)
    later = next_look(view, taken_over, shopify=COPIED, kin=(GONE,))
    assert later.memory.desk_edits == (left,)


@pytest.mark.parametrize(
    ("state", "ours"),
    [(None, True), ("UNKNOWN", True), ("IN_FLIGHT", True), ("PLANNED", False), ("REJECTED", False)],
)
def test_a_cancel_that_was_never_sent_does_not_claim_the_cancel_of_somebody_else(
    state: OperationState | None, ours: bool
) -> None:
    view = agreed(HELD)
    asked = ask(view, wanted(view, cancel=True))
    [action] = [action for action in asked.actions if isinstance(action, CancelShopifyOrder)]
    operations = () if state is None else (an_operation(action, state),)

    plan = next_look(view, asked, shopify=GONE, operations=operations)

    assert plan.memory.cancelled_at_our_desk is ours
    assert plan.memory.desk_edits[0].ended == ("" if ours else "overtaken")


def test_a_cancel_that_waits_for_its_hold_does_not_claim_the_cancel_of_somebody_else() -> None:
    view = agreed()
    asked = ask(view, wanted(view, cancel=True))
    assert kinds(asked) == [PlaceHold]

    plan = next_look(view, asked, shopify=GONE)

    assert not plan.memory.cancelled_at_our_desk
    assert CancelMiraklOrder not in kinds(plan)
    assert any("Somebody else cancelled the Shopify order first" in said for said in plan.because)


# -- refused -----------------------------------------------------------------------------------------------


def refused_by_shopify() -> tuple[View, Plan]:
    view = agreed(HELD)
    asked = ask(view, wanted(view, **LESS))
    (edit,) = [action for action in asked.actions if isinstance(action, EditShopifyOrder)]
    said = an_operation(edit, "REJECTED", words="The order cannot be edited.")
    return replace(view, operations=(said,)), asked


def test_a_refused_edit_is_a_case_with_a_way_on_and_a_way_out() -> None:
    view, asked = refused_by_shopify()

    plan = next_look(view, asked)

    (case,) = plan.cases
    assert (case.reason, case.subject) == (Reason.DESK_EDIT_STUCK, "e1")
    assert case.options == (Option.SEND_AGAIN, Option.GIVE_UP)
    assert "The order cannot be edited." in case.sentence
    assert EditShopifyOrder in kinds(plan)


LESS_MUGS = replace(MUG, current_quantity=1)
MOVED = replace(HELD.address, digest=ELSEWHERE.digest)


def both_halves() -> tuple[View, Plan]:
    """Fewer units and another address were asked for, which Shopify takes in two calls."""
    view = agreed(HELD)
    edit = replace(wanted(view, **LESS), address_digest=ELSEWHERE.digest, text_id="T1")
    asked = ask(view, edit)
    assert kinds(asked) == [EditShopifyOrder, SetOrderAddress]
    return view, asked


@pytest.mark.parametrize(
    ("shown", "then"),
    [
        pytest.param({"lines": (LESS_MUGS, LAMP)}, SetOrderAddress, id="the lines came through"),
        pytest.param({"address": MOVED}, EditShopifyOrder, id="the address came through"),
    ],
)
def test_the_half_that_came_through_is_ours_and_only_the_other_is_asked_for(
    shown: dict[str, Any], then: type[Action]
) -> None:
    view, asked = both_halves()

    plan = next_look(view, asked, shopify=a_shopify_order(**shown))

    wanted_again = [kind for kind in kinds(plan) if kind in (EditShopifyOrder, SetOrderAddress)]
    assert wanted_again == [then]
    assert plan.memory.desk_edits[0].ended == ""
    assert ReleaseHold not in kinds(plan)


@pytest.mark.parametrize("state", ["IN_FLIGHT", "UNKNOWN"])
def test_an_unclear_half_goes_on_beside_the_one_that_came_through(state: OperationState) -> None:
    view, asked = both_halves()
    address = next(action for action in asked.actions if isinstance(action, SetOrderAddress))
    unclear = replace(view, operations=(an_operation(address, state),))

    plan = next_look(unclear, asked, shopify=a_shopify_order(lines=(LESS_MUGS, LAMP)))

    assert address in plan.actions
    assert plan.memory.desk_edits[0].ended == ""


def test_half_an_edit_that_others_changed_too_says_which_half_was_made() -> None:
    view, asked = both_halves()

    plan = next_look(
        view, asked, shopify=a_shopify_order(lines=(LESS_MUGS, replace(LAMP, current_quantity=0)))
    )

    assert plan.memory.desk_edits[0].ended == "overtaken"
    assert any("only the lines were made: " in said and "somebody else" in said for said in plan.because)


@pytest.mark.parametrize("address_shown", [False, True])
def test_what_came_back_is_what_was_sold_although_the_address_went_elsewhere_meanwhile(
    address_shown: bool,
) -> None:
    gone = replace(LAMP, current_quantity=0)
    view = a_view(shopify=a_shopify_order(lines=(MUG, gone)), rules=RULES)
    undo = wanted(view, undo=True)
    assert [(new.variant_id, new.mirakl_line_id) for new in undo.added] == [("V-LAMP", "L2")]
    asked = ask(view, replace(undo, address_digest=ELSEWHERE.digest, text_id="T1"))
    back = a_shopify_line("S9", "LAMP", 1, "30.00", "")
    third = replace(HELD.address, digest=ELSEWHERE.digest if address_shown else "th1rd")

    plan = next_look(view, asked, shopify=a_shopify_order(lines=(MUG, gone, back), address=third))

    assert plan.memory.desk_edits[0].ended == ("" if address_shown else "overtaken")
    assert [(link.mirakl_line_id, link.shopify_line_id) for link in plan.memory.links][-1:] == [("L2", "S9")]


@pytest.mark.parametrize(
    ("shown", "so_far"),
    [
        pytest.param({}, "Nothing was changed on either side", id="nothing"),
        pytest.param({"lines": (LESS_MUGS, LAMP)}, "Only the lines were changed in Shopify", id="the lines"),
    ],
)
def test_a_refused_half_says_what_was_made(shown: dict[str, Any], so_far: str) -> None:
    view, asked = both_halves()
    address = next(action for action in asked.actions if isinstance(action, SetOrderAddress))
    refused = replace(view, operations=(an_operation(address, "REJECTED", words="Not a country."),))

    plan = next_look(refused, asked, shopify=a_shopify_order(**shown))

    [case] = [case for case in plan.cases if case.reason is Reason.DESK_EDIT_STUCK]
    assert so_far in case.sentence
    assert case.options == (Option.SEND_AGAIN, Option.GIVE_UP)


def test_giving_up_ends_the_edit_and_releases_the_parcel() -> None:
    view, asked = refused_by_shopify()
    answer = a_decision(Reason.DESK_EDIT_STUCK, "e1", Option.GIVE_UP)

    plan = next_look(view, asked, answers=(answer,))

    assert plan.cases == ()
    assert kinds(plan) == [ReleaseHold]
    assert plan.memory.desk_edits[0].ended == "given up"


def test_a_parcel_that_cannot_be_held_is_not_edited_under() -> None:
    view = agreed(
        a_shopify_order(
            fulfillment_orders=(a_fulfillment_order(holds=(), can_hold=False, status="IN_PROGRESS"),)
        )
    )

    plan = ask(view, wanted(view, **LESS))

    assert EditShopifyOrder not in kinds(plan)
    assert Reason.DESK_EDIT_STUCK in [case.reason for case in plan.cases]


def not_ready(**memory: Any) -> View:
    """An order that the marketplace still collects the money for and whose parcel has no hold, as seen once before."""
    view = a_view(mirakl=an_order("WAITING_DEBIT"), shopify=FREE, rules=RULES)
    seen = replace(decide(view).memory, content_since=CREATED)
    return replace(view, memory=replace(seen, **memory))


FREED_TWICE = not_ready(reholds=(Rehold("FO1", NOW - timedelta(minutes=1), 2),))
REFUSED_HOLD = replace(
    not_ready(), operations=(an_operation(PlaceHold("FO1", NOTES), "REJECTED", words="Ten holds at most."),)
)


@pytest.mark.parametrize(
    ("view", "why"),
    [
        pytest.param(FREED_TWICE, "make it in Shopify", id="others took it off twice"),
        pytest.param(REFUSED_HOLD, "Ten holds at most.", id="Shopify refuses it"),
    ],
)
def test_an_edit_whose_parcel_gets_no_hold_can_be_given_up(view: View, why: str) -> None:
    asked = ask(view, wanted(view, **LESS))

    [case] = [case for case in asked.cases if case.reason is Reason.DESK_EDIT_STUCK]
    assert (case.subject, case.options) == ("e1", (Option.GIVE_UP,))
    assert why in case.sentence
    answer = a_decision(Reason.DESK_EDIT_STUCK, "e1", Option.GIVE_UP)
    over = next_look(view, asked, answers=(answer,))
    assert over.memory.desk_edits[0].ended == "given up"
    assert all(case.reason is not Reason.DESK_EDIT_STUCK for case in over.cases)


def test_an_edit_whose_hold_is_being_placed_is_not_stuck() -> None:
    released = replace(FREED_TWICE.memory, released_at=CREATED)
    for view in (not_ready(), replace(FREED_TWICE, memory=released)):
        asked = ask(view, wanted(view, **LESS))

        assert PlaceHold in kinds(asked)
        assert all(case.reason is not Reason.DESK_EDIT_STUCK for case in asked.cases)


def test_who_takes_the_hold_off_under_a_waiting_edit_makes_it_stuck_at_once() -> None:
    view = not_ready(held=("FO1",), reholds=(Rehold("FO1", CREATED, 1),))
    first = ask(view, wanted(view, **LESS))

    assert first.look_at == NOW
    then = next_look(view, first)
    assert Reason.DESK_EDIT_STUCK in [case.reason for case in then.cases]


@pytest.mark.parametrize("state", ["IN_FLIGHT", "UNKNOWN"])
def test_an_unclear_edit_is_never_given_up_or_sent_over_others(state: OperationState) -> None:
    view, asked = refused_by_shopify()
    (operation,) = view.operations
    unclear = replace(view, operations=(replace(operation, state=state),))
    theirs = a_shopify_order(lines=(MUG, replace(LAMP, current_quantity=0)))

    plan = next_look(unclear, asked, shopify=theirs)

    assert EditShopifyOrder not in kinds(plan)
    assert plan.memory.desk_edits[0].ended == ""
    assert plan.memory.released_at is None

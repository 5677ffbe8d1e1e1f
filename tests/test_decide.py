"""The router: facts are noticed once, rooms hand the memory on, and one plan comes out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.decide import decide, noticed
from interlock.orders.actions import (
    AnswerAcceptance,
    CancelQuantities,
    CancelShopifyOrder,
    CompleteDraft,
    CreateDraft,
    FillDraftAddress,
    MarkOrder,
    PlaceHold,
    ReleaseHold,
    SetSellerReference,
)
from interlock.orders.content import content_of
from interlock.orders.memory import Incident, Memory
from interlock.orders.plan import Plan
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import NO_ADDRESS, MiraklOrder, Traces
from interlock.orders.view import View
from tests.build import (
    CREATED,
    ELSEWHERE,
    HIDDEN,
    HOME,
    MARKER,
    NOW,
    OFFERS,
    OUR_HOLD,
    a_cancelation,
    a_decision,
    a_draft,
    a_fulfillment,
    a_fulfillment_order,
    a_line,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_offer,
    an_operation,
    an_order,
    not_imported,
    some_rules,
)

WAITING = an_order("WAITING_ACCEPTANCE", seller_reference="", address=HIDDEN)
EDITED = (a_shopify_line(current_quantity=1), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))


def kinds(plan: Plan) -> set[type]:
    return {type(action) for action in plan.actions}


def reasons(plan: Plan) -> list[Reason]:
    return [case.reason for case in plan.cases]


# -- from when the time to accept counts --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "begins"),
    [
        (("WAITING_ACCEPTANCE",), CREATED),
        (("STAGING", "WAITING_ACCEPTANCE"), NOW + timedelta(hours=1)),
        (("SOMETHING_NEW", "WAITING_ACCEPTANCE"), CREATED),
        (("STAGING", "SOMETHING_NEW", "WAITING_ACCEPTANCE"), NOW + timedelta(hours=1)),
        (("SOMETHING_NEW", "STAGING", "WAITING_ACCEPTANCE"), NOW + timedelta(hours=2)),
    ],
)
def test_the_time_to_accept_counts_from_the_earliest_moment_the_order_may_have_waited(
    seen: tuple[str, ...], begins: datetime
) -> None:
    """One look an hour. Behind a state that nobody knows the order may wait; in STAGING it does not."""
    memory = Memory()
    for hours, state in enumerate(seen):
        unknown = (f"state={state}",) if state == "SOMETHING_NEW" else ()
        view = a_view(mirakl=an_order(state, unknown=unknown), shopify=None, memory=memory, offers=OFFERS)
        memory = decide(replace(view, now=NOW + timedelta(hours=hours))).memory
    assert memory.acceptance_due_at == begins + timedelta(days=2)


# -- the thin path -----------------------------------------------------------------------------------------


def test_an_order_travels_from_first_sight_to_its_release() -> None:
    view = a_view(mirakl=WAITING, shopify=None, memory=Memory(), offers=OFFERS)
    first = decide(view)
    assert kinds(first) == {CreateDraft}
    assert first.memory.acceptance_due_at == CREATED + timedelta(days=2)

    draft = a_draft(address=NO_ADDRESS)
    reserved = decide(replace(view, memory=first.memory, drafts=(draft,)))
    assert kinds(reserved) == {AnswerAcceptance}
    assert reserved.memory.draft_id == "D1"

    shown = replace(view, mirakl=an_order(seller_reference=""), drafts=(draft,), memory=reserved.memory)
    assert kinds(decide(shown)) == {FillDraftAddress}
    filled = replace(shown, drafts=(a_draft(),))
    assert kinds(decide(filled)) == {CompleteDraft}

    born = a_shopify_order(marker="", fulfillment_orders=(a_fulfillment_order(holds=()),))
    completed = (a_draft(status="COMPLETED", order_id="SO1"),)
    linked = decide(replace(filled, drafts=completed, shopify=born, memory=decide(filled).memory))
    assert kinds(linked) >= {MarkOrder, SetSellerReference}
    assert linked.memory.settled == (("L1", 2), ("L2", 1))
    assert [link.evidence for link in linked.memory.links] == ["attribute", "attribute"]

    held = a_view(memory=linked.memory)
    assert kinds(decide(held)) == {ReleaseHold}


def test_marker_reference_and_hold_come_in_one_plan() -> None:
    born = a_shopify_order(marker="", fulfillment_orders=(a_fulfillment_order(holds=()),))
    memory = not_imported(shopify_order_id="SO1", linked_at=NOW)
    visible = an_order("WAITING_ACCEPTANCE", seller_reference="")
    plan = decide(a_view(mirakl=visible, shopify=born, memory=memory))
    assert kinds(plan) == {AnswerAcceptance, MarkOrder, SetSellerReference, PlaceHold}


def test_an_agreeing_released_order_needs_nothing() -> None:
    parcels = (a_fulfillment_order(holds=()),)
    shopify = a_shopify_order(fulfillment_orders=parcels, status="in sync", tags=("Interlock: in sync",))
    plan = decide(a_view(shopify=shopify))
    assert (plan.actions, plan.cases) == ((), ())
    assert plan.agreed == (("L1", 2), ("L2", 1))


# -- what is noticed -----------------------------------------------------------------------------------------


def test_an_order_found_by_its_marker_is_linked() -> None:
    memory = noticed(a_view(memory=not_imported()))
    assert (memory.shopify_order_id, memory.linked_at, memory.shopify_order_name) == ("SO1", NOW, "#1001")


def test_an_order_that_shopify_confirmed_having_made_is_linked_before_it_was_read() -> None:
    unseen = a_view(memory=not_imported(draft_id="D1"), shopify=None, made_order_id="SO1")
    for view in (unseen, replace(unseen, shopify_unreadable=True)):
        memory = noticed(view)
        assert (memory.shopify_order_id, memory.linked_at, memory.links) == ("SO1", NOW, ())
    taken_over = a_memory(shopify_order_id="SO2")
    assert noticed(replace(unseen, memory=taken_over)).shopify_order_id == "SO2"


def test_content_changes_start_the_quiet_period_anew() -> None:
    before = noticed(a_view())
    edited = a_shopify_order(lines=EDITED, observed_at=NOW + timedelta(minutes=1))
    after = noticed(a_view(memory=before, shopify=edited))
    assert after.content_since == NOW + timedelta(minutes=1)
    assert noticed(a_view(memory=before)).content_since == before.content_since


def test_trailing_zeros_are_no_change_of_content() -> None:
    lines = (
        replace(a_shopify_line(), unit_price=Decimal("10.0")),
        a_shopify_line("S2", "LAMP", 1, "30", "L2"),
    )
    assert content_of(a_shopify_order(lines=lines)) == content_of(a_shopify_order())


def test_an_address_edited_in_shopify_before_the_first_look_is_not_agreed() -> None:
    memory = noticed(a_view(memory=a_memory(agreed_address=""), shopify=a_shopify_order(address=ELSEWHERE)))
    assert memory.agreed_address == HOME.digest


def test_quantities_are_settled_only_on_a_current_marketplace_order() -> None:
    assert noticed(a_view(memory=a_memory(settled=()))).settled == (("L1", 2), ("L2", 1))
    assert noticed(a_view(memory=a_memory(settled=()), mirakl_written_at=NOW)).settled == ()


def test_the_first_sight_of_a_cancelled_shopify_order_is_dated() -> None:
    memory = noticed(a_view(shopify=a_shopify_order(cancelled_at=CREATED)))
    assert memory.shopify_cancelled_seen_at == NOW


def test_answers_are_kept_once_and_ask_for_another_look() -> None:
    answer = a_decision(Reason.SKU_UNKNOWN, "MUG", Option.MAP_SKU)
    plan = decide(a_view(answers=(answer,), memory=a_memory(custom_line_skus=("MUG",))))
    assert plan.memory.decisions == (answer,)
    assert plan.memory.custom_line_skus == ()
    assert plan.look_at == NOW
    assert noticed(a_view(answers=(answer,), memory=plan.memory)).decisions == (answer,)


def test_an_order_with_another_total_leaves_on_a_persons_word() -> None:
    held = a_view(
        shopify=a_shopify_order(
            total=Decimal("60.00"), fulfillment_orders=(a_fulfillment_order(holds=(OUR_HOLD,)),)
        )
    )
    first = decide(held)
    assert reasons(first) == [Reason.TOTALS_DIFFER]
    assert ReleaseHold not in kinds(first)

    said = a_decision(Reason.TOTALS_DIFFER, first.cases[0].subject, Option.SHIP_WITH_DIFFERENCE)
    taken = decide(replace(held, memory=first.memory, answers=(said,)))
    after = decide(replace(held, memory=taken.memory))

    assert ReleaseHold in kinds(after)
    assert after.cases == ()
    assert after.label is not None
    assert not after.label.yes  # until the hold is off


def test_an_incident_stays_open_until_a_person_dismisses_it() -> None:
    incident = Incident(Reason.LABEL_BEFORE_AGREEMENT, "F1", CREATED, "A label exists.")
    memory = a_memory(incidents=(incident,))
    assert reasons(decide(a_view(memory=memory))) == [Reason.LABEL_BEFORE_AGREEMENT]
    answer = a_decision(Reason.LABEL_BEFORE_AGREEMENT, "F1", Option.DISMISS)
    plan = decide(a_view(memory=memory, answers=(answer,)))
    assert plan.cases == ()
    assert plan.memory.incidents[0].closed_because == "Ada: because"


# -- who is asked --------------------------------------------------------------------------------------------


def test_an_unknown_value_leaves_only_holds_and_the_ladder() -> None:
    unheld = a_shopify_order(marker="", fulfillment_orders=(a_fulfillment_order(holds=()),))
    late = CREATED + timedelta(hours=30)
    strange = replace(WAITING, unknown=("payment_workflow=PAY_LATER",))
    plan = decide(a_view(mirakl=strange, shopify=unheld, now=late))
    assert kinds(plan) == {PlaceHold}
    assert set(reasons(plan)) == {Reason.UNKNOWN_VALUE, Reason.ACCEPTANCE_RUNNING_OUT}


def test_an_order_that_is_not_ours_is_left_alone() -> None:
    plan = decide(a_view(mirakl=replace(WAITING, fulfillment_center="FBM"), shopify=None, memory=Memory()))
    assert (plan.actions, reasons(plan)) == ((), [Reason.NOT_OURS_TO_SHIP])


@pytest.mark.parametrize(
    ("mirakl", "judged"),
    [
        pytest.param(an_order(), True, id="as usual"),
        pytest.param(an_order("NEW_STATE"), False, id="a state that is not known"),
        pytest.param(an_order(fulfillment_center="FBM"), False, id="not ours any more"),
        pytest.param(an_order("SHIPPED", fulfillment_center="FBM"), False, id="not ours, and it has left"),
        pytest.param(an_order("CLOSED", fulfillment_center="FBM"), True, id="not ours, and it has ended"),
    ],
)
def test_an_order_that_is_not_looked_at_settles_no_case(mirakl: MiraklOrder, judged: bool) -> None:
    assert decide(a_view(mirakl=mirakl)).judged is judged


@pytest.mark.parametrize("state", ["SHIPPED", "CLOSED", "REFUSED"])
def test_an_order_that_is_not_ours_is_left_alone_when_it_has_left_or_ended_too(state: str) -> None:
    """What its own centre shipped is not missing in Shopify."""
    memory = Memory(first_seen_at=CREATED)
    plan = decide(a_view(mirakl=an_order(state, fulfillment_center="FBM"), shopify=None, memory=memory))
    assert (plan.actions, plan.cases, plan.memory.incidents) == ((), (), ())


def test_the_parcel_of_an_order_that_is_not_ours_any_more_is_the_work_of_somebody() -> None:
    """Also once a person has said that the order is in order: nothing of it settles by itself."""
    foreign = a_view(mirakl=an_order(fulfillment_center="FBM"))
    (case,) = [case for case in decide(foreign).cases if case.reason is Reason.NOT_OURS_TO_SHIP]
    memory = replace(foreign.memory, decisions=(a_decision(case.reason, case.subject, Option.DISMISS),))

    label = decide(replace(foreign, memory=memory)).label

    assert label is not None
    assert (label.yes, label.who) == (False, "operations")


def test_an_order_that_never_was_ours_has_no_other_case() -> None:
    plan = decide(a_view(mirakl=an_order(fulfillment_center="FBM"), shopify=None, memory=Memory()))
    assert plan.judged


def test_nothing_is_read_into_a_missing_marketplace_order() -> None:
    plan = decide(a_view(mirakl=None, memory=a_memory(held=("FO1",))))
    assert (plan.actions, plan.cases) == ((), ())


def test_a_dead_order_is_not_edited_any_more() -> None:
    plan = decide(a_view(mirakl=an_order("CANCELED"), shopify=a_shopify_order(lines=EDITED)))
    assert CancelQuantities not in kinds(plan)
    assert CancelShopifyOrder in kinds(plan)


def test_an_order_of_which_every_unit_was_cancelled_ends_instead_of_being_edited() -> None:
    lines = (
        a_line(cancelations=(a_cancelation(2, "20.00"),)),
        a_line("L2", "LAMP", 1, "30.00", "0", cancelations=(a_cancelation(1, "30.00", "C2"),)),
    )
    plan = decide(a_view(mirakl=an_order(lines=lines)))
    assert kinds(plan) == {CancelShopifyOrder}
    assert plan.cases == ()


def test_a_shopify_cancel_is_no_removal_of_lines() -> None:
    empty = tuple(replace(line, current_quantity=0) for line in a_shopify_order().lines)
    plan = decide(a_view(shopify=a_shopify_order(lines=empty, cancelled_at=NOW)))
    assert plan.actions == ()


def test_an_edit_keeps_the_parcel_held() -> None:
    unheld = a_shopify_order(lines=EDITED, fulfillment_orders=(a_fulfillment_order(holds=()),))
    plan = decide(a_view(shopify=unheld, memory=a_memory(released_at=CREATED)))
    assert PlaceHold in kinds(plan)


def test_a_snapshot_older_than_our_last_write_is_asked_for_again() -> None:
    plan = decide(a_view(mirakl_written_at=NOW))
    assert plan.mirakl_since is not None
    assert plan.mirakl_since > NOW


def test_a_refused_call_without_a_room_of_its_own_is_the_engineers() -> None:
    shopify = a_shopify_order(marker="")
    plan = decide(a_view(shopify=shopify, operations=(an_operation(MarkOrder("SO1"), words="no scope"),)))
    [case] = plan.cases
    assert (case.reason, case.subject) == (Reason.PLATFORM_REFUSED, "MarkOrder")
    assert MarkOrder("SO1") in plan.actions


# -- properties ----------------------------------------------------------------------------------------------

STATES = [
    "STAGING",
    "WAITING_ACCEPTANCE",
    "WAITING_DEBIT",
    "WAITING_DEBIT_PAYMENT",
    "SHIPPING",
    "SHIPPED",
    "CLOSED",
    "REFUSED",
    "CANCELED",
    "ODD",
]
RELEASE = ReleaseHold("FO1", ("H1",))
REPLACEMENT = a_shopify_order(
    id="SO2",
    name="#1001A",
    marker="",
    fulfillment_orders=(a_fulfillment_order("FO2"),),
    traces=Traces(attribute=MARKER, app="Editor"),
)
ANSWERS = [
    a_decision(reason, subject, option)
    for reason, subject, option in (
        (Reason.SKU_UNKNOWN, "MUG", Option.CREATE_WITH_CUSTOM_LINE),
        (Reason.SKU_UNKNOWN, "MUG", Option.MAP_SKU),
        (Reason.STOCK_SHORT, "MUG", Option.ACCEPT_WITHOUT_ORDER),
        (Reason.ACCEPTANCE_RUNNING_OUT, "order", Option.REFUSE_ORDER),
        (Reason.POSSIBLE_SUCCESSOR, "SO2", Option.NO_SUCCESSOR),
        (Reason.LABEL_BEFORE_AGREEMENT, "F1", Option.DISMISS),
    )
]


@st.composite
def views(draw: Callable[[Any], Any]) -> View:
    """Any combination of what the two platforms, people and the ledger may show."""
    one = st.sampled_from
    mug = draw(one([a_line(), a_line(cancelations=(a_cancelation(1, "10.00"),)), a_line(state="REFUSED")]))
    mirakl = an_order(
        draw(one(STATES)),
        (mug, a_line("L2", "LAMP", 1, "30.00", "0")),
        address=draw(one([HOME, HIDDEN])),
        can_ship=draw(st.booleans()),
        can_cancel=draw(st.booleans()),
        seller_reference=draw(one(["", "#1001"])),
    )
    fos = tuple(
        a_fulfillment_order(
            f"FO{n}",
            holds=draw(one([(), (OUR_HOLD,)])),
            can_hold=draw(st.booleans()),
            destination=draw(one([HOME, NO_ADDRESS, ELSEWHERE])),
        )
        for n in range(1, draw(st.integers(0, 2)) + 1)
    )
    lamp = a_shopify_line("S2", "LAMP", 1, "30.00", "L2")
    added = a_shopify_line("S3", "VASE", 1, "5.00", "")
    shopify = a_shopify_order(
        lines=draw(
            one([a_shopify_order().lines, EDITED, (*EDITED, added), (a_shopify_line(price="9"), lamp)])
        ),
        address=draw(one([HOME, ELSEWHERE, NO_ADDRESS])),
        cancelled_at=draw(one([None, None, CREATED])),
        paid=draw(st.booleans()),
        marker=draw(one(["", "atlas:M-1001-A"])),
        fulfillment_orders=fos,
        fulfillments=draw(one([(), (a_fulfillment(),), (a_fulfillment(live=False),)])),
    )
    memory = draw(
        one(
            [
                Memory(),
                not_imported(),
                not_imported(draft_id="D1"),
                a_memory(),
                a_memory(held=("FO1", "FO2")),
                a_memory(released_at=CREATED, custom_line_skus=("MUG",)),
                a_memory(shopify_cancelled_seen_at=CREATED),
            ]
        )
    )
    return a_view(
        now=NOW + draw(one([timedelta(0), timedelta(hours=20), timedelta(days=3)])),
        rules=some_rules(
            import_route=draw(one(["draft", "order"])),
            partial_cancelation=draw(st.booleans()),
            accepts_by_itself=draw(st.booleans()),
            cancelation_reason="OUT",
            edit_window=draw(one([None, timedelta(minutes=6)])),
        ),
        mirakl=draw(one([mirakl, mirakl, mirakl, None])),
        shopify=draw(one([shopify, shopify, shopify, None])),
        memory=memory,
        drafts=draw(
            one([(), (a_draft(),), (a_draft(), a_draft("D2", created_at=NOW)), (a_draft(order_id="SO1"),)])
        ),
        offers=draw(
            one(
                [
                    (),
                    OFFERS,
                    (an_offer(matches=0), an_offer("LAMP")),
                    (an_offer(available=1), an_offer("LAMP")),
                ]
            )
        ),
        kin=draw(one([(), (REPLACEMENT,), (replace(REPLACEMENT, cancelled_at=NOW),)])),
        operations=draw(one([(), (an_operation(RELEASE, "UNKNOWN"),), (an_operation(MarkOrder("SO1")),)])),
        answers=tuple(draw(st.lists(one(ANSWERS), max_size=2, unique=True))),
        mirakl_written_at=draw(one([None, NOW])),
        shopify_unreadable=draw(st.booleans()),
        made_order_id=draw(one(["", "SO1"])),
    )


@given(views())
def test_the_same_view_gives_the_same_plan(view: View) -> None:
    assert decide(view) == decide(view)


@given(views())
def test_deciding_again_remembers_nothing_new(view: View) -> None:
    once = decide(view).memory
    assert decide(replace(view, memory=once)).memory == once


@given(views())
def test_a_release_needs_both_sides_in_full_agreement(view: View) -> None:
    plan = decide(view)
    # Releases on other orders of the lineage only say that those are none of ours.
    linked = [a for a in plan.actions if isinstance(a, ReleaseHold) and a.fulfillment_order_id == "FO1"]
    if not linked:
        return
    assert view.mirakl is not None
    assert view.shopify is not None
    assert (view.mirakl.state, view.mirakl.can_ship) == ("SHIPPING", True)
    assert view.mirakl.address.complete
    assert view.mirakl_is_current
    goes_to = {fo.id: fo.destination for fo in view.shopify.fulfillment_orders}
    assert goes_to["FO1"].digest == view.shopify.address.digest
    assert plan.memory.settled == plan.agreed
    assert not any("parcel is held" in sentence for sentence in plan.because)
    assert not any(isinstance(a, PlaceHold) and a.fulfillment_order_id == "FO1" for a in plan.actions)


@given(views())
def test_an_acceptance_is_only_sent_to_an_order_that_waits_for_it(view: View) -> None:
    for action in decide(view).actions:
        if isinstance(action, AnswerAcceptance):
            assert view.mirakl is not None
            assert view.mirakl.state == "WAITING_ACCEPTANCE"
            assert [line_id for line_id, _ in action.lines] == [line.id for line in view.mirakl.lines]
            assert len({yes for _, yes in action.lines}) == 1


@given(views())
def test_a_missing_platform_opens_no_gate_and_ends_nothing(view: View) -> None:
    for missing in (replace(view, mirakl=None), replace(view, shopify=None)):
        assert not kinds(decide(missing)) & {ReleaseHold, CancelShopifyOrder, CancelQuantities}


@pytest.mark.parametrize("state", ["SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"])
@given(views())
def test_holds_rest_once_the_parcel_is_gone(state: str, view: View) -> None:
    plan = decide(replace(view, mirakl=an_order(state)))
    assert not kinds(plan) & {PlaceHold, ReleaseHold}


# -- accepted before the connection went live ----------------------------------------------------------------

LIVE_SINCE = CREATED + timedelta(hours=1)


def older(state: str = "SHIPPING", **changes: Any) -> View:
    """An order from before the connection went live, of which nothing stands in Shopify that we know of."""
    order = an_order(state, seller_reference="#900")
    given: dict[str, Any] = {"mirakl": order, "shopify": None, "offers": OFFERS, "memory": Memory()}
    return a_view(**{**given, "live_since": LIVE_SINCE, **changes})


def told_older(option: Option) -> Memory:
    return Memory(decisions=(a_decision(Reason.OLDER_THAN_CONNECTION, "order", option),))


@pytest.mark.parametrize("state", ["WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING"])
def test_an_order_that_others_accepted_before_the_connection_went_live_is_asked_about(state: str) -> None:
    plan = decide(older(state))

    assert (plan.actions, reasons(plan)) == ((), [Reason.OLDER_THAN_CONNECTION])
    assert plan.cases[0].options == (Option.IN_SHOP_ALREADY, Option.CREATE_ORDER)
    assert plan.memory.left_alone is False
    assert reasons(decide(older(state, memory=plan.memory))) == [Reason.OLDER_THAN_CONNECTION]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"live_since": None}, id="nobody noted when it went live"),
        pytest.param({"live_since": CREATED}, id="it was made afterwards"),
        pytest.param({"memory": not_imported()}, id="it still waited for acceptance when it was first seen"),
        pytest.param({"memory": told_older(Option.CREATE_ORDER)}, id="a person said so"),
    ],
)
def test_every_other_order_is_created(changes: dict[str, Any]) -> None:
    plan = decide(older(**changes))

    assert {type(action) for action in plan.actions} == {CreateDraft}
    assert Reason.OLDER_THAN_CONNECTION not in reasons(plan)


def test_an_older_order_that_still_waits_for_acceptance_is_created_and_stays_so() -> None:
    waiting = decide(older("WAITING_ACCEPTANCE"))
    assert {type(action) for action in waiting.actions} == {CreateDraft}

    later = decide(older("WAITING_DEBIT", memory=waiting.memory))

    assert {type(action) for action in later.actions} == {CreateDraft}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"shopify": a_shopify_order()}, id="our mark found it"),
        pytest.param({"drafts": (a_draft(),)}, id="a draft of ours"),
        pytest.param({"made_order_id": "SO1"}, id="Shopify confirmed it"),
        pytest.param({"operations": (an_operation(CompleteDraft("D1"), state="UNKNOWN"),)}, id="under way"),
        pytest.param({"shopify_unreadable": True}, id="nobody could look"),
        pytest.param({"mirakl": an_order("STAGING")}, id="not with the shop yet"),
    ],
)
def test_where_something_of_ours_stands_or_nobody_could_look_it_is_not_asked(changes: dict[str, Any]) -> None:
    plan = decide(older(**changes))

    assert Reason.OLDER_THAN_CONNECTION not in reasons(plan)
    assert plan.memory.left_alone is False


def test_an_older_order_that_is_in_the_shop_already_is_left_alone_for_good() -> None:
    plan = decide(older(memory=told_older(Option.IN_SHOP_ALREADY)))
    assert (plan.actions, plan.cases, plan.memory.left_alone) == ((), (), True)
    assert "leaves it alone" in plan.because[0]

    left = decide(older("SHIPPED", memory=plan.memory))

    assert (left.actions, left.cases, left.memory.incidents) == ((), (), ())


def test_an_older_order_that_is_not_in_the_shop_after_all_is_created_and_left_alone_no_more() -> None:
    alone = decide(older(memory=told_older(Option.IN_SHOP_ALREADY))).memory
    after_all = a_decision(Reason.OLDER_THAN_CONNECTION, "order", Option.CREATE_ORDER)
    memory = replace(alone, decisions=(*alone.decisions, after_all))

    plan = decide(older(memory=memory))

    assert {type(action) for action in plan.actions} == {CreateDraft}
    assert plan.memory.left_alone is False
    assert "not have this order after all" in " ".join(plan.because)
    assert "after all" not in " ".join(decide(older(memory=plan.memory)).because)


@pytest.mark.parametrize("state", ["SHIPPED", "RECEIVED", "CANCELED"])
def test_an_older_order_that_others_ended_without_an_answer_is_no_question_any_more(state: str) -> None:
    plan = decide(older(state, memory=decide(older()).memory))

    assert (plan.actions, plan.cases, plan.memory.incidents) == ((), (), ())
    assert plan.memory.left_alone is True

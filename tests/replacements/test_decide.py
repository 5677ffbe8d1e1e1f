"""One order takes another's place: by itself when it is certain, by a person's word when it is not, never in a circle."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.decide import decide
from interlock.orders.actions import (
    AskServiceToStop,
    CancelMiraklOrder,
    CancelQuantities,
    CancelShopifyOrder,
    ClearMarker,
    MarkOrder,
    PlaceHold,
    ReleaseHold,
    SetSellerReference,
)
from interlock.orders.lineage import waits_for_successor_until
from interlock.orders.memory import Decision, Kin, Memory, Rehold
from interlock.orders.plan import Plan
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import ShopifyOrder, ShopifyRefund, Traces
from interlock.orders.view import Claim, View
from interlock.replacements import decide as replacements
from interlock.replacements.decide import CLAIMS_SETTLE, COPY_FIRST_SETTLES
from tests.build import (
    ELSEWHERE,
    FOREIGN_HOLD,
    HOME,
    MARKER,
    NOW,
    OUR_HOLD,
    a_decision,
    a_fulfillment,
    a_fulfillment_order,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_operation,
    an_order,
    some_rules,
)

OURS = Traces(attribute=MARKER, app="Interlock", email="e1")
LIVE = a_shopify_order(traces=OURS)
GONE = replace(
    LIVE,
    cancelled_at=NOW - timedelta(seconds=20),
    total=Decimal(0),
    lines=tuple(replace(line, current_quantity=0) for line in LIVE.lines),
    fulfillment_orders=(),
)
OPEN = a_fulfillment_order("FO2", holds=(), remaining=(("N1", 2), ("N2", 1)))
HELD = replace(OPEN, holds=(OUR_HOLD,), status="ON_HOLD")
LINES = (a_shopify_line("N1", line_id=""), a_shopify_line("N2", "LAMP", 1, "30.00", ""))
LOOKING = Reason.POSSIBLE_SUCCESSOR
TAKEN_OFF: dict[str, Any] = {"reholds": (Rehold("FO2", NOW, 2),)}


def a_copy(**changes: Any) -> ShopifyOrder:
    """What an app that renames and tags leaves: certain."""
    copy = a_shopify_order(
        id="SO2",
        name="#1001A",
        marker="",
        created_at=NOW - timedelta(seconds=30),
        tags=("Edit Order",),
        lines=LINES,
        fulfillment_orders=(OPEN,),
        traces=Traces(app="Cleverific", email="e1"),
    )
    return replace(copy, **changes)


def a_duplicate(**changes: Any) -> ShopifyOrder:
    """What the admin's Duplicate leaves, no link at all: likely."""
    traces = Traces(app="Draft Orders", email="e1")
    return replace(a_copy(name="#1042", tags=(), traces=traces), **changes)


def seen(kin: tuple[ShopifyOrder, ...], memory: Memory | None = None, **changes: Any) -> Plan:
    return decide(view_of(kin, memory, **changes))


def view_of(kin: tuple[ShopifyOrder, ...], memory: Memory | None = None, **changes: Any) -> View:
    return a_view(**{"shopify": GONE, "kin": kin, "memory": memory or a_memory(), **changes})


def reasons(plan: Plan) -> list[tuple[Reason, str]]:
    return [(case.reason, case.subject) for case in plan.cases]


def roles(plan: Plan) -> dict[str, str]:
    return {kin.name: kin.role for kin in plan.memory.lineage}


def says(option: Option, who: str = "SO2", reason: Reason = LOOKING, **at: Any) -> Decision:
    return a_decision(reason, who, option, **at)


# -- certain -----------------------------------------------------------------------------------------------


def test_a_certain_replacement_of_a_cancelled_order_takes_over_by_itself() -> None:
    plan = seen((a_copy(),))
    assert plan.memory.shopify_order_id == "SO2"
    assert plan.memory.shopify_order_name == "#1001A"
    assert roles(plan) == {"#1001": "superseded", "#1001A": "live"}
    assert set(plan.actions) >= {ClearMarker("SO1"), SetSellerReference("#1001A")}
    assert not {type(action) for action in plan.actions} & {CancelMiraklOrder, CancelQuantities}
    assert "takes over from #1001" in " ".join(plan.because)


def test_the_marker_moves_only_once_it_has_left_the_old_order() -> None:
    plan = seen((a_copy(),))
    assert MarkOrder("SO2") not in plan.actions
    memory = replace(plan.memory, linked_at=NOW)
    later = decide(a_view(shopify=a_copy(), kin=(replace(GONE, marker=""),), memory=memory))
    assert MarkOrder("SO2") in later.actions
    assert not any(isinstance(action, ClearMarker) for action in later.actions)


def test_lines_are_linked_by_attribute_else_by_goods() -> None:
    lines = (
        a_shopify_line("N1", "MUG", 1, "12.00", ""),
        a_shopify_line("N2", "LAMP", 1, "30.00", "L2"),
        a_shopify_line("N3", "VASE", 1, "5.00", ""),
    )
    plan = seen((a_copy(lines=lines),))
    links = {k.shopify_line_id: (k.mirakl_line_id, k.unit_price, k.evidence) for k in plan.memory.links}
    assert links["N1"] == ("L1", Decimal("10.00"), "sku")
    assert links["N2"] == ("L2", Decimal("30.00"), "attribute")
    assert "N3" not in links
    assert Reason.EDIT_CANNOT_BE_EXPRESSED in [case.reason for case in plan.cases]


def test_what_the_new_order_lacks_is_an_edit_like_any_other() -> None:
    quiet = NOW - timedelta(minutes=5)
    only = a_copy(lines=(replace(LINES[0], quantity=1, current_quantity=1), LINES[1]), observed_at=quiet)
    rules = some_rules(partial_cancelation=True, cancelation_reason="15")
    first = seen((only,), rules=rules)
    over = NOW + timedelta(minutes=5)
    later = decide(
        a_view(shopify=only, kin=(replace(GONE, marker=""),), memory=first.memory, now=over, rules=rules)
    )
    assert [type(a) for a in later.actions if isinstance(a, CancelQuantities)] == [CancelQuantities]


def test_a_copy_first_app_is_waited_for_and_then_a_person_is_asked() -> None:
    plan = seen((a_copy(),), shopify=LIVE)
    assert plan.memory.shopify_order_id == "SO1"
    assert any(isinstance(a, PlaceHold) and a.fulfillment_order_id == "FO2" for a in plan.actions)
    assert not any(isinstance(a, ReleaseHold) for a in plan.actions)
    assert plan.cases == ()
    assert plan.look_at == a_copy().created_at + COPY_FIRST_SETTLES
    later = seen((a_copy(fulfillment_orders=(HELD,)),), plan.memory, shopify=LIVE, now=plan.look_at)
    [case] = later.cases
    assert (case.reason, case.subject) == (Reason.ORIGINAL_NOT_CANCELLED, "SO2")
    assert case.options == (Option.CANCEL_ORIGINAL, Option.NO_SUCCESSOR)
    assert not any(isinstance(a, CancelShopifyOrder) for a in later.actions)


def test_interlock_cancels_the_original_when_a_person_says_so() -> None:
    said = says(Option.CANCEL_ORIGINAL, reason=Reason.ORIGINAL_NOT_CANCELLED)
    later = NOW + timedelta(minutes=5)
    plan = seen((a_copy(),), a_memory(decisions=(said,)), shopify=LIVE, now=later)
    assert CancelShopifyOrder("SO1", "Replaced by #1001A.") in plan.actions
    shipped = replace(LIVE, fulfillments=(a_fulfillment(),))
    plan = seen((a_copy(),), a_memory(decisions=(said,)), shopify=shipped, now=later)
    assert not any(isinstance(a, CancelShopifyOrder) for a in plan.actions)
    assert (Reason.ORIGINAL_NOT_CANCELLED, "SO2") in reasons(plan)


def test_nothing_is_carried_across_while_a_replacement_is_unsettled() -> None:
    emptied = replace(
        LIVE, lines=tuple(replace(line, current_quantity=0) for line in LIVE.lines), updated_at=NOW
    )
    plan = seen((a_copy(),), shopify=emptied, now=NOW + timedelta(minutes=10))
    assert not any(isinstance(a, (CancelQuantities, CancelMiraklOrder)) for a in plan.actions)
    assert not any(case.reason is Reason.REDUCTION_NOT_ALLOWED for case in plan.cases)


# -- likely ------------------------------------------------------------------------------------------------


def test_a_likely_replacement_is_held_and_asked_with_both_side_by_side() -> None:
    plan = seen((a_duplicate(),), a_memory(shopify_cancelled_seen_at=NOW - timedelta(hours=1)))
    [case] = plan.cases
    assert (case.reason, case.subject) == (LOOKING, "SO2")
    assert case.options == (Option.TAKE_OVER, Option.NO_SUCCESSOR)
    assert dict(case.facts)["#1001: lines"] == dict(case.facts)["#1042: lines"] == "1 × LAMP, 2 × MUG"
    assert dict(case.facts)["it has the same e-mail address"] == "+40"
    assert PlaceHold("FO2", plan.actions[0].notes) in plan.actions  # type: ignore[union-attr]
    assert CancelMiraklOrder() not in plan.actions


HOLD_OF_A_CANDIDATE = PlaceHold("FO2", replacements.NOTES)


@pytest.mark.parametrize(
    ("parcel", "memory", "operations", "held"),
    [
        pytest.param(OPEN, {}, (), True, id="the hold is being placed"),
        pytest.param(HELD, {}, (), True, id="held"),
        pytest.param(replace(OPEN, holds=(FOREIGN_HOLD,)), TAKEN_OFF, (), True, id="held by somebody else"),
        pytest.param(OPEN, TAKEN_OFF, (), False, id="taken off twice"),
        pytest.param(
            OPEN, {}, (an_operation(HOLD_OF_A_CANDIDATE, "REJECTED", words="no"),), False, id="refused"
        ),
        pytest.param(replace(OPEN, can_hold=False), {}, (), False, id="not offered"),
    ],
)
def test_a_case_says_that_a_candidate_is_held_only_where_it_is(
    parcel: Any, memory: dict[str, Any], operations: Any, held: bool
) -> None:
    waited = {"shopify_cancelled_seen_at": NOW - timedelta(hours=1)}
    plan = seen(
        (a_duplicate(fulfillment_orders=(parcel,)),), a_memory(**waited, **memory), operations=operations
    )

    [case] = [case for case in plan.cases if case.reason is LOOKING]
    assert ("It is held." in case.sentence) is held
    assert ("A parcel of #1042 has no hold now" in case.sentence) is not held


def test_what_a_person_wrote_of_a_candidate_without_a_hold_is_quoted_as_they_wrote_it() -> None:
    said = replace(says(Option.TAKE_OVER), why="It is held at the counter")
    memory = a_memory(decisions=(said,), **TAKEN_OFF)
    [case] = seen((a_duplicate(),), memory, shopify=LIVE).cases
    assert "(It is held at the counter)" in case.sentence
    assert "Both should be held" in case.sentence
    assert case.sentence.endswith("A parcel of #1042 has no hold now: tell the warehouse not to ship it.")


@pytest.mark.parametrize(
    ("parcels", "with_service", "without"),
    [
        pytest.param((replace(OPEN, request_status="SUBMITTED", can_hold=False),), True, False, id="no hold"),
        pytest.param((replace(HELD, request_status="SUBMITTED"),), True, False, id="held all the same"),
        pytest.param(
            (
                replace(OPEN, request_status="ACCEPTED", can_hold=False),
                replace(OPEN, id="FO3", can_hold=False),
            ),
            True,
            True,
            id="another one in our warehouse",
        ),
        pytest.param(
            (replace(HELD, request_status="ACCEPTED", stop_request="ACCEPTED"),),
            False,
            False,
            id="given back",
        ),
    ],
)
def test_a_candidate_that_a_fulfilment_service_has_is_not_said_to_be_held(
    parcels: tuple[Any, ...], with_service: bool, without: bool
) -> None:
    waited = {"shopify_cancelled_seen_at": NOW - timedelta(hours=1)}
    plan = seen((a_duplicate(fulfillment_orders=parcels),), a_memory(**waited))

    [case] = [case for case in plan.cases if case.reason is LOOKING]
    rung = "A fulfilment service has a parcel of #1042, which Interlock cannot stop: ring the service."
    assert ("It is held." in case.sentence) is not (with_service or without)
    assert (rung in case.sentence) is with_service
    assert ("A parcel of #1042 has no hold now" in case.sentence) is without
    assert not any(isinstance(action, AskServiceToStop) for action in plan.actions)


def test_the_word_of_a_person_lets_it_take_over() -> None:
    plan = seen((a_duplicate(),), a_memory(decisions=(says(Option.TAKE_OVER),)))
    assert plan.memory.shopify_order_id == "SO2"
    kin = plan.memory.kin("SO2")
    assert kin is not None
    assert (kin.role, kin.who, kin.why) == ("live", "Ada", "because")


def test_an_order_that_takes_over_waits_while_another_may_take_its_place() -> None:
    """A part of it stands in the other order: what differs is not judged before that is settled, and nothing moves."""
    parts = (
        a_copy(lines=(LINES[0],), fulfillment_orders=(replace(HELD, remaining=(("N1", 2),)),)),
        a_copy(id="SO3", name="#1001B", lines=(LINES[1],), fulfillment_orders=(replace(HELD, id="FO3"),)),
    )
    plan = seen(parts, a_memory(decisions=(says(Option.TAKE_OVER),)))
    assert plan.memory.shopify_order_id == "SO2"
    assert roles(plan)["#1001B"] == "candidate"
    assert not [action for action in plan.actions if isinstance(action, ReleaseHold)]
    assert "Order #1001B may replace this one; both wait until that is settled." in " ".join(plan.because)


def test_the_word_of_a_person_rules_it_out_and_frees_it() -> None:
    waited = NOW - timedelta(minutes=11)
    candidate = Kin("SO2", "#1042", "candidate", waited, "Interlock", "it has the same e-mail address")
    memory = a_memory(
        shopify_cancelled_seen_at=waited, lineage=(candidate,), decisions=(says(Option.NO_SUCCESSOR),)
    )
    plan = seen((a_duplicate(fulfillment_orders=(HELD,)),), memory)
    assert roles(plan) == {"#1042": "unlinked"}
    again = seen((a_duplicate(fulfillment_orders=(HELD,)),), plan.memory)
    assert ReleaseHold("FO2", ("H1",)) in again.actions
    assert CancelMiraklOrder() in again.actions
    assert roles(again) == {"#1042": "unlinked"}


def test_nobody_elses_hold_comes_off_and_no_hold_that_may_be_another_sales() -> None:
    candidate = Kin("SO2", "#1042", "unlinked", NOW, "Ada", "no")
    theirs = replace(HELD, holds=(FOREIGN_HOLD,))
    plan = seen((a_duplicate(fulfillment_orders=(theirs,)),), a_memory(lineage=(candidate,)))
    assert not any(isinstance(a, ReleaseHold) for a in plan.actions)
    claimed = (Claim("SO2", "M-2", "live"),)
    plan = seen((a_duplicate(fulfillment_orders=(HELD,)),), a_memory(lineage=(candidate,)), claims=claimed)
    assert not any(isinstance(a, ReleaseHold) for a in plan.actions)


def test_our_hold_comes_off_what_is_another_connections_as_its_holds_have_another_handle() -> None:
    candidate = Kin("SO2", "#1042", "unlinked", NOW, "Ada", "no")
    claimed = (Claim("SO2", "M-2", "live", same_connection=False),)
    plan = seen((a_duplicate(fulfillment_orders=(HELD,)),), a_memory(lineage=(candidate,)), claims=claimed)
    assert ReleaseHold("FO2", ("H1",)) in plan.actions


def test_an_innocent_order_is_left_alone() -> None:
    innocent = a_duplicate(address=ELSEWHERE, traces=Traces(app="Online Store", email="e9"))
    memory = a_memory(shopify_cancelled_seen_at=NOW - timedelta(minutes=11))
    plan = seen((innocent,), memory)
    assert plan.memory.lineage == ()
    assert plan.actions == (CancelMiraklOrder(),)


def test_a_candidate_that_is_cancelled_is_one_no_more() -> None:
    candidate = Kin("SO2", "#1001A", "candidate", NOW, "Interlock", "its name")
    plan = seen((a_copy(cancelled_at=NOW),), a_memory(lineage=(candidate,)))
    assert plan.memory.lineage == ()
    assert plan.memory.shopify_order_id == "SO1"


# -- chains, circles, splits, merges -----------------------------------------------------------------------


def chained() -> Memory:
    """#1001 was replaced by #1001A, which stands now."""
    return seen((a_copy(),)).memory


def test_a_chain_of_three() -> None:
    second = a_copy(cancelled_at=NOW, fulfillment_orders=(), marker=MARKER)
    third = a_copy(id="SO3", name="#1001B", fulfillment_orders=(replace(OPEN, id="FO3"),))
    plan = decide(a_view(shopify=second, kin=(replace(GONE, marker=""), third), memory=chained()))
    assert plan.memory.shopify_order_id == "SO3"
    assert roles(plan) == {"#1001": "superseded", "#1001A": "superseded", "#1001B": "live"}
    assert ClearMarker("SO2") in plan.actions


def test_a_lineage_never_goes_in_a_circle() -> None:
    second = a_copy(cancelled_at=NOW, marker=MARKER)
    risen = replace(LIVE, marker="")
    memory = replace(chained(), decisions=(says(Option.TAKE_OVER, "SO1", at=NOW + timedelta(seconds=1)),))
    plan = decide(a_view(shopify=second, kin=(risen,), memory=memory, now=NOW + timedelta(seconds=2)))
    assert plan.memory.shopify_order_id == "SO2"
    assert "never goes in a circle" in " ".join(plan.because)


def test_parts_that_together_have_the_lines_are_asked_never_linked() -> None:
    parts = (
        a_copy(lines=(LINES[0],)),
        a_copy(id="SO3", name="#1001B", lines=(LINES[1],), fulfillment_orders=(replace(OPEN, id="FO3"),)),
    )
    plan = seen(parts, a_memory(shopify_cancelled_seen_at=NOW - timedelta(hours=1)))
    assert plan.memory.shopify_order_id == "SO1"
    assert set(reasons(plan)) == {
        (Reason.REPLACEMENT_SPLIT, "SO2"),
        (Reason.REPLACEMENT_SPLIT, "SO3"),
    }
    assert {a.fulfillment_order_id for a in plan.actions if isinstance(a, PlaceHold)} == {"FO2", "FO3"}
    assert CancelMiraklOrder() not in plan.actions


@pytest.mark.parametrize(
    ("role", "lines", "asked"),
    [
        ("live", LINES, True),
        ("superseded", LINES, True),
        # It has our lines and more: two orders in one.
        ("noted", (*LINES, a_shopify_line("N3", "VASE", 4, "5.00", "")), True),
        # The other marketplace order shares the customer, and nothing else.
        ("noted", LINES, False),
    ],
)
def test_an_order_for_two_marketplace_orders_is_asked_never_linked(
    role: str, lines: tuple[Any, ...], asked: bool
) -> None:
    plan = seen((a_copy(lines=lines),), claims=(Claim("SO2", "M-2", role),))
    assert ((Reason.REPLACEMENT_MERGED, "SO2") in reasons(plan)) is asked
    assert (plan.memory.shopify_order_id == "SO2") is not asked
    if role == "live":
        assert not any(isinstance(a, PlaceHold) for a in plan.actions)


MORE = (*LINES, a_shopify_line("N3", "VASE", 4, "5.00", ""))


def test_an_order_with_more_than_ours_takes_over_only_once_others_could_have_claimed_it() -> None:
    young = a_copy(lines=MORE)
    plan = seen((young,))
    assert plan.memory.shopify_order_id == "SO1"
    assert reasons(plan) == []
    assert plan.look_at == young.created_at + CLAIMS_SETTLE
    assert not any(isinstance(action, CancelMiraklOrder) for action in plan.actions)
    assert any(isinstance(action, PlaceHold) for action in plan.actions)
    later = seen((replace(young, created_at=NOW - CLAIMS_SETTLE),))
    assert later.memory.shopify_order_id == "SO2"


def test_an_order_that_carries_the_number_of_another_one_and_has_our_lines_besides_is_asked() -> None:
    """A merging app copies the attributes of the first of two orders; this is the second one."""
    other = Traces(app="Order Merger", attribute="atlas:M-2")
    merged = a_duplicate(lines=MORE, traces=other, created_at=NOW)
    for claims in ((Claim("SO2", "M-2", "candidate"),), (Claim("SO2", "M-2", "live"),)):
        assert reasons(seen((merged,), claims=claims)) == [(Reason.REPLACEMENT_MERGED, "SO2")]
    for innocent in (
        replace(merged, address=ELSEWHERE),
        replace(merged, lines=LINES),
        replace(merged, traces=replace(other, app="")),
    ):
        assert reasons(seen((innocent,), claims=(Claim("SO2", "M-2", "live"),))) == []


def test_a_tag_alone_does_not_choose_between_two_marketplace_orders() -> None:
    tagged = a_duplicate(tags=("orderediting:duplicated",))
    assert seen((tagged,)).memory.shopify_order_id == "SO2"
    plan = seen((tagged,), claims=(Claim("SO2", "M-2", "noted"),))
    assert reasons(plan) == [(Reason.REPLACEMENT_MERGED, "SO2")]


# -- people ------------------------------------------------------------------------------------------------


def test_a_manual_link_of_any_live_order() -> None:
    stranger = a_duplicate(address=ELSEWHERE, traces=Traces(app="Online Store", email="e9"))
    plan = seen((stranger,), a_memory(decisions=(says(Option.TAKE_OVER),)))
    assert plan.memory.shopify_order_id == "SO2"


@pytest.mark.parametrize(
    ("changes", "claims", "why"),
    [
        ({"currency": "SEK"}, (), "it is in SEK, the marketplace order in EUR"),
        ({"cancelled_at": NOW}, (), "it is cancelled"),
        ({}, (Claim("SO2", "M-2", "live"),), "stands or stood for marketplace order M-2"),
    ],
)
def test_a_manual_link_that_cannot_be_is_refused_in_words(
    changes: dict[str, Any], claims: tuple[Claim, ...], why: str
) -> None:
    plan = seen((a_duplicate(**changes),), a_memory(decisions=(says(Option.TAKE_OVER),)), claims=claims)
    assert plan.memory.shopify_order_id == "SO1"
    assert why in " ".join(plan.because)


@pytest.mark.parametrize(
    ("memory", "why"),
    [
        pytest.param(a_memory(shopify_order_name="#1001"), "Shopify does not show #1001", id="not shown"),
        pytest.param(Memory(), "no Shopify order stands for this sale", id="there is none"),
    ],
)
def test_a_link_is_answered_in_words_where_nothing_is_there_to_take_over_from(
    memory: Memory, why: str
) -> None:
    plan = decide(a_view(shopify=None, memory=memory, answers=(says(Option.TAKE_OVER),)))

    assert plan.memory.shopify_order_id == memory.shopify_order_id
    assert f"asked to link SO2, but {why}" in " ".join(plan.because)


def test_an_order_nobody_can_see_is_refused_in_words() -> None:
    plan = seen((), answers=(says(Option.TAKE_OVER, "SO9"),))
    assert "the shop shows no such order" in " ".join(plan.because)


def test_undoing_a_take_over_brings_the_order_before_back_and_asks_again() -> None:
    later = NOW + timedelta(minutes=1)
    memory = replace(chained(), decisions=(says(Option.UNDO_TAKE_OVER, at=later),))
    plan = decide(a_view(shopify=a_copy(marker=MARKER), kin=(GONE,), memory=memory, now=later))
    assert plan.memory.shopify_order_id == "SO1"
    assert roles(plan) == {"#1001": "live", "#1001A": "candidate"}
    again = seen((a_copy(marker=MARKER),), plan.memory, now=later + timedelta(minutes=20))
    assert again.memory.shopify_order_id == "SO1"
    assert reasons(again) == [(LOOKING, "SO2")]
    assert CancelMiraklOrder() not in again.actions


def test_a_line_keeps_its_link_when_the_order_takes_over_a_second_time() -> None:
    """Whatever its lines carry by then: an app may write the first line's number on both."""
    later = NOW + timedelta(minutes=1)
    undone = replace(chained(), decisions=(says(Option.UNDO_TAKE_OVER, at=later),))
    back = decide(a_view(shopify=a_copy(marker=MARKER), kin=(GONE,), memory=undone, now=later)).memory
    once_more = replace(
        back, decisions=(*back.decisions, says(Option.TAKE_OVER, at=later + timedelta(minutes=1)))
    )
    same = tuple(replace(line, mirakl_line_id="L1") for line in a_copy().lines)

    memory = seen((a_copy(lines=same),), once_more, now=later + timedelta(minutes=2)).memory

    assert memory.shopify_order_id == "SO2"
    linked = [link.shopify_line_id for link in memory.links]
    assert len(linked) == len(set(linked))
    assert memory.links == back.links


@pytest.mark.parametrize("shipment_status", ["LABEL_PRINTED", "IN_TRANSIT"])
def test_a_replacement_whose_parcel_may_have_left_is_not_unlinked(shipment_status: str) -> None:
    later = NOW + timedelta(minutes=30)
    parcel = a_fulfillment(lines=(("N1", 2), ("N2", 1)), display_status=shipment_status)
    gone_out = a_copy(marker=MARKER, fulfillments=(parcel,), fulfillment_orders=())
    memory = replace(chained(), decisions=(says(Option.NO_SUCCESSOR, at=later),))
    plan = decide(a_view(shopify=gone_out, kin=(GONE,), memory=memory, now=later))
    assert roles(plan) == {"#1001": "superseded", "#1001A": "live"}
    assert any("3 of its units have a label or left already" in said for said in plan.because)
    much_later = later + timedelta(days=1)
    after = decide(a_view(shopify=gone_out, kin=(GONE,), memory=plan.memory, now=much_later))
    assert plan.memory.shopify_order_id == after.memory.shopify_order_id == "SO2"
    assert not any("asked to unlink" in said for said in after.because)

    undone = replace(after.memory, decisions=(*memory.decisions, says(Option.UNDO_TAKE_OVER, at=much_later)))
    back = decide(a_view(shopify=gone_out, kin=(GONE,), memory=undone, now=much_later))
    asked = seen((gone_out,), back.memory, now=much_later)
    [case] = [case for case in asked.cases if case.reason is LOOKING]
    assert "3 of its units have a label or left already; the rest is held." in case.sentence


def test_a_refused_unlink_leaves_every_other_order_as_it_was() -> None:
    later = NOW + timedelta(minutes=30)
    parcel = a_fulfillment(lines=(("N1", 1),), display_status="LABEL_PRINTED")
    stands = a_copy(marker=MARKER, fulfillments=(parcel,), fulfillment_orders=(HELD,))
    third = a_duplicate(id="SO3", name="#1043", fulfillment_orders=(replace(HELD, id="FO3"),))
    view = a_view(shopify=stands, kin=(GONE, third), memory=chained(), now=later)
    asked = decide(view)
    assert "SO3" in [subject for _, subject in reasons(asked)]

    refused = decide(
        replace(view, memory=replace(asked.memory, decisions=(says(Option.NO_SUCCESSOR, at=later),)))
    )

    assert any("Nothing was changed" in said for said in refused.because)
    assert reasons(refused) == reasons(asked)
    assert refused.actions == asked.actions


@pytest.mark.parametrize(("subject", "waits"), [("SO2", True), ("SO3", False)])
def test_a_word_about_the_linked_order_does_not_say_that_none_follows_it(subject: str, waits: bool) -> None:
    """It asked for another order in its place, and was refused."""
    cancelled_at = NOW - timedelta(minutes=1)
    memory = replace(
        chained(),
        shopify_cancelled_seen_at=cancelled_at,
        decisions=(says(Option.NO_SUCCESSOR, subject, at=NOW),),
    )
    view = a_view(shopify=a_copy(cancelled_at=cancelled_at), memory=memory)

    assert (waits_for_successor_until(view, memory) is not None) is waits


def test_unlinking_rules_the_replacement_out_and_the_cancelation_waits_anew() -> None:
    later = NOW + timedelta(minutes=30)
    memory = replace(chained(), decisions=(says(Option.NO_SUCCESSOR, at=later),))
    seen_at = later + timedelta(milliseconds=500)
    plan = decide(a_view(shopify=a_copy(marker=MARKER), kin=(GONE,), memory=memory, now=seen_at))
    assert roles(plan) == {"#1001": "live", "#1001A": "unlinked"}
    again = seen((a_copy(marker=MARKER),), plan.memory, now=later + timedelta(seconds=1))
    assert ClearMarker("SO2") in again.actions
    assert CancelMiraklOrder() not in again.actions
    over = seen((a_copy(),), again.memory, now=later + timedelta(minutes=11))
    assert CancelMiraklOrder() in over.actions


def test_a_carried_out_word_is_not_carried_out_again() -> None:
    memory = seen((a_duplicate(),), a_memory(decisions=(says(Option.TAKE_OVER),))).memory
    plan = decide(a_view(shopify=a_duplicate(marker=MARKER), kin=(replace(GONE, marker=""),), memory=memory))
    assert plan.memory.lineage == memory.lineage


# -- the marketplace and money -----------------------------------------------------------------------------


def test_a_replacement_of_an_ended_order_is_held_and_asked() -> None:
    plan = seen((a_copy(),), mirakl=an_order("CANCELED"))
    assert plan.memory.shopify_order_id == "SO1"
    assert (LOOKING, "SO2") in reasons(plan)
    assert any(isinstance(a, PlaceHold) for a in plan.actions)
    told = seen((a_copy(),), a_memory(decisions=(says(Option.TAKE_OVER),)), mirakl=an_order("CANCELED"))
    assert CancelShopifyOrder("SO2", "The marketplace order is cancelled.") in told.actions


NUMBERED = a_copy(name="#1042", tags=(), traces=Traces(attribute=MARKER, app="Editify"))
SENT = an_order("SHIPPED", tracking_number="RM1")
LEFT = replace(
    LIVE,
    lines=tuple(replace(line, fulfilled_quantity=line.current_quantity) for line in LIVE.lines),
    fulfillment_orders=(),
    fulfillments=(a_fulfillment(),),
)
ASKED = a_memory(lineage=(Kin("SO2", "#1042", "candidate", NOW, "Interlock", "the same e-mail"),))


@pytest.mark.parametrize(
    ("copy", "memory", "more", "asked", "held"),
    [
        pytest.param(a_copy(), a_memory(), {}, True, True, id="a name and a tag that tie"),
        pytest.param(NUMBERED, a_memory(), {}, True, True, id="our number"),
        pytest.param(
            NUMBERED, a_memory(), {"shopify": GONE}, True, True, id="our number, and the first is cancelled"
        ),
        pytest.param(
            replace(NUMBERED, fulfillment_orders=(), fulfillments=(a_fulfillment("F2"),)),
            a_memory(),
            {},
            True,
            False,
            id="our number, and it left too",
        ),
        pytest.param(a_duplicate(), a_memory(), {}, False, False, id="a customer who buys again"),
        pytest.param(a_duplicate(), ASKED, {}, True, True, id="alike, and asked about before"),
        pytest.param(replace(NUMBERED, cancelled_at=NOW), a_memory(), {}, False, False, id="cancelled"),
        pytest.param(
            NUMBERED,
            a_memory(),
            {"claims": (Claim("SO2", "M-2", "live"),)},
            False,
            False,
            id="another sale's",
        ),
        pytest.param(
            NUMBERED, a_memory(decisions=(says(Option.TAKE_OVER),)), {}, True, True, id="asked to take over"
        ),
        pytest.param(
            NUMBERED, a_memory(decisions=(says(Option.SECOND_DELIVERY),)), {}, False, False, id="agreed"
        ),
        pytest.param(
            NUMBERED, a_memory(decisions=(says(Option.NO_SUCCESSOR),)), {}, False, False, id="ruled out"
        ),
    ],
)
def test_a_copy_of_an_order_that_has_left_is_held_until_a_person_decides(
    copy: ShopifyOrder, memory: Memory, more: dict[str, Any], asked: bool, held: bool
) -> None:
    plan = seen((copy,), memory, **{"shopify": LIVE, "mirakl": SENT, **more})
    found = [case for case in plan.cases if case.reason is LOOKING]
    assert bool(found) is asked
    assert any(isinstance(a, PlaceHold) and a.fulfillment_order_id == "FO2" for a in plan.actions) is held
    assert plan.memory.shopify_order_id == "SO1"
    assert not {type(action) for action in plan.actions} & {CancelMiraklOrder, CancelShopifyOrder}
    for case in found:
        assert case.options == (Option.SECOND_DELIVERY, Option.NO_SUCCESSOR)


@pytest.mark.parametrize(
    ("age", "looks_after"),
    [(5, timedelta(seconds=2)), (600, timedelta(seconds=30)), (3600, None)],
)
def test_parcels_that_shopify_has_not_made_yet_are_looked_for(
    age: int, looks_after: timedelta | None
) -> None:
    unrouted = replace(NUMBERED, fulfillment_orders=(), created_at=NOW)
    now = NOW + timedelta(seconds=age)
    plan = seen((unrouted,), shopify=LEFT, mirakl=SENT, now=now)
    assert reasons(plan) == [(LOOKING, "SO2")]
    assert plan.look_at == (None if looks_after is None else now + looks_after)


@pytest.mark.parametrize("option", [Option.SECOND_DELIVERY, Option.NO_SUCCESSOR])
def test_the_answer_releases_the_copy_and_it_is_not_asked_about_again(option: Option) -> None:
    waiting = replace(NUMBERED, fulfillment_orders=(HELD,))
    first = seen((waiting,), shopify=LEFT, mirakl=SENT)
    told = replace(first.memory, decisions=(says(option, at=NOW + timedelta(minutes=1)),))
    later = {"shopify": LEFT, "mirakl": SENT, "now": NOW + timedelta(minutes=2)}
    after = seen((waiting,), told, **later)
    assert roles(after)["#1042"] == "unlinked"
    freed = seen((waiting,), after.memory, **later)
    assert ReleaseHold("FO2", (OUR_HOLD.id,)) in freed.actions
    assert reasons(freed) == []


def test_a_copy_of_a_labelled_order_offers_a_second_delivery_before_the_marketplace_is_told() -> None:
    labelled = replace(LIVE, fulfillments=(a_fulfillment(),))
    plan = seen((NUMBERED,), shopify=labelled, now=NOW + timedelta(minutes=10))
    [case] = [case for case in plan.cases if case.subject == "SO2"]
    assert case.options == (Option.SECOND_DELIVERY, Option.NO_SUCCESSOR)


def a_money_refund(minutes: int, id: str = "R1") -> ShopifyRefund:
    return ShopifyRefund(id, NOW + timedelta(minutes=minutes), Decimal("54.00"), (("S1", 2), ("S2", 1)))


def test_the_refund_of_a_replaced_order_waits_and_is_never_a_task() -> None:
    refunded = replace(GONE, refunds=(a_money_refund(-1),))
    waiting = seen((), shopify=refunded)
    assert waiting.memory.refund_tasks == ()
    taken = seen((a_copy(),), shopify=refunded)
    assert taken.memory.refund_tasks == ()
    later = decide(
        a_view(shopify=a_copy(), kin=(refunded,), memory=taken.memory, now=NOW + timedelta(hours=1))
    )
    assert later.memory.refund_tasks == ()


def test_the_refund_of_an_order_without_successor_becomes_a_task() -> None:
    refunded = replace(GONE, refunds=(a_money_refund(-1),))
    memory = a_memory(shopify_cancelled_seen_at=NOW - timedelta(minutes=11))
    assert [task.subject for task in seen((), memory, shopify=refunded).memory.refund_tasks] == ["R1"]


def test_a_refund_made_on_the_replaced_order_later_is_one_of_this_sale() -> None:
    memory = chained()
    refunded = replace(GONE, marker="", refunds=(a_money_refund(30, "R2"),))
    now = NOW + timedelta(hours=1)
    read = an_order(observed_at=now)
    plan = decide(a_view(mirakl=read, shopify=a_copy(), kin=(refunded,), memory=memory, now=now))
    assert [task.subject for task in plan.memory.refund_tasks] == ["R2"]
    assert {due.line_id for due in plan.memory.refund_tasks[0].lines} == {"L1", "L2"}


def test_a_second_order_of_our_own_making_is_no_replacement_while_the_first_lives() -> None:
    twin = a_copy(name="#1002", tags=(), traces=OURS, created_at=NOW - timedelta(minutes=5))
    plan = seen((twin,), shopify=LIVE)
    assert plan.memory.lineage == ()
    assert reasons(plan) == [(Reason.TWO_LIVE_ORDERS, "SO2")]
    gone = seen((twin,), plan.memory)
    assert gone.memory.shopify_order_id == "SO2"
    assert reasons(gone) == []


def test_two_live_orders_is_no_incident_inside_a_replacement() -> None:
    copied = a_copy(traces=Traces(attribute=MARKER, app="Editify"))
    plan = seen((copied,), shopify=LIVE, now=NOW + timedelta(minutes=10))
    assert reasons(plan) == [(Reason.ORIGINAL_NOT_CANCELLED, "SO2")]
    assert plan.memory.incidents == ()


def test_deciding_again_changes_nothing() -> None:
    for kin, shopify in (((a_copy(fulfillment_orders=(HELD,)),), LIVE), ((a_duplicate(),), GONE)):
        first = seen(kin, shopify=shopify)
        assert seen(kin, first.memory, shopify=shopify).memory == first.memory


def test_the_address_is_compared_with_what_was_agreed() -> None:
    plan = seen((a_copy(address=ELSEWHERE),))
    assert plan.memory.agreed_address == HOME.digest
    assert Reason.EDIT_CANNOT_BE_EXPRESSED in [case.reason for case in plan.cases]


# -- candidates out of sight -------------------------------------------------------------------------------


@pytest.mark.parametrize("original", [GONE, LIVE], ids=["cancelled", "live"])
def test_a_candidate_that_shopify_does_not_show_any_more_is_asked_about_and_releases_nothing(
    original: ShopifyOrder,
) -> None:
    first = seen((a_duplicate(),), shopify=original)
    assert roles(first)["#1042"] == "candidate"

    plan = seen((), first.memory, shopify=original, now=NOW + timedelta(days=2))

    [case] = [case for case in plan.cases if case.reason is LOOKING]
    assert (case.subject, case.options) == ("SO2", (Option.NO_SUCCESSOR,))
    assert "does not show it any more" in case.sentence
    assert not {type(action) for action in plan.actions} & {ReleaseHold, CancelMiraklOrder}
    assert roles(plan)["#1042"] == "candidate"


@pytest.mark.parametrize(("original", "then"), [(GONE, CancelMiraklOrder), (LIVE, ReleaseHold)])
def test_a_person_rules_out_a_candidate_that_is_out_of_sight(
    original: ShopifyOrder, then: type[CancelMiraklOrder | ReleaseHold]
) -> None:
    first = seen((a_duplicate(),), shopify=original)
    at = NOW + timedelta(days=2)
    answers = (says(Option.NO_SUCCESSOR, at=at),)

    plan = seen((), first.memory, shopify=original, now=at, answers=answers)
    later = seen((), plan.memory, shopify=original, now=at, mirakl=an_order(observed_at=at))

    assert roles(plan)["#1042"] == "unlinked"
    assert "has nothing to do with this sale" in " ".join(plan.because)
    assert then in {type(action) for action in later.actions}
    assert later.cases == ()


def test_a_candidate_that_shows_again_is_weighed_again() -> None:
    first = seen((a_duplicate(),))
    hidden = seen((), first.memory)
    again = seen((a_duplicate(),), hidden.memory)

    assert reasons(again) == reasons(first)
    assert again.cases[0].options == first.cases[0].options


# -- the linked order is not shown ---------------------------------------------------------------------------


def _beside_the_unseen(**changes: Any) -> Plan:
    kin = Kin("SO2", "#1001A", "candidate", NOW, "Interlock", "it names the order")
    given: dict[str, Any] = {"shopify": None, "kin": (a_copy(),), "memory": a_memory(lineage=(kin,))}
    return decide(a_view(**{**given, **changes}))


def test_a_candidate_waits_and_is_asked_about_while_the_order_beside_it_is_not_shown() -> None:
    plan = _beside_the_unseen()
    assert [a.fulfillment_order_id for a in plan.actions if isinstance(a, PlaceHold)] == ["FO2"]
    (asked,) = (case for case in plan.cases if case.reason is LOOKING)
    assert asked.options == (Option.NO_SUCCESSOR,)
    assert "Shopify does not show #1001 any more" in asked.sentence


def test_it_is_held_and_not_asked_about_while_shopify_cannot_be_read() -> None:
    plan = _beside_the_unseen(shopify_unreadable=True)
    assert any(isinstance(a, PlaceHold) for a in plan.actions)
    assert not any(case.reason is LOOKING for case in plan.cases)


def test_a_person_may_rule_it_out_all_the_same() -> None:
    kin = Kin("SO2", "#1001A", "candidate", NOW - timedelta(minutes=5), "Interlock", "it names the order")
    said = a_decision(LOOKING, "SO2", Option.NO_SUCCESSOR)
    plan = _beside_the_unseen(
        memory=a_memory(lineage=(kin,), decisions=(said,)), kin=(a_copy(fulfillment_orders=(HELD,)),)
    )
    assert [a.fulfillment_order_id for a in plan.actions if isinstance(a, ReleaseHold)] == ["FO2"]
    assert not any(case.reason is LOOKING for case in plan.cases)
    found = plan.memory.kin("SO2")
    assert found is not None
    assert found.role == "unlinked"


def test_nothing_is_held_for_a_sale_that_was_cancelled() -> None:
    assert not _beside_the_unseen(mirakl=an_order("CANCELED")).actions

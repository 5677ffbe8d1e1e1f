"""Where the marketplace knows single parcels: what it hears of each, and what it never hears."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.edits.diff import differences
from interlock.orders.actions import CreateShipment, DeleteShipment, TrackShipment, ValidateShipment
from interlock.orders.connection import Carrier, CarrierMapping, ShippingOrigin
from interlock.orders.memory import LabelSeen, Memory, ParcelSeen
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Fulfillment, MiraklOrder, Shipment, ShopifyOrder
from interlock.orders.view import View
from interlock.shipping.decide import decide
from interlock.shipping.parcels import marker_of
from tests.build import (
    LINES,
    NOW,
    a_cancelation,
    a_decision,
    a_fulfillment,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_operation,
    an_order,
    some_rules,
)

RULES = some_rules(
    multi_shipment=True,
    carriers=(Carrier("RM24", "Royal Mail 24"), Carrier("DPD", "DPD")),
    carrier_mappings=(CarrierMapping("Royal Mail 24", code="RM24"), CarrierMapping("Van", name="Our van")),
)
SEEN = NOW - timedelta(seconds=5)


def parcel(id: str = "F1", mugs: int = 2, lamps: int = 1, **changes: Any) -> Fulfillment:
    lines = tuple((line, count) for line, count in (("S1", mugs), ("S2", lamps)) if count)
    return a_fulfillment(id, lines, **{"tracking_number": f"RM-{id}", **changes})


def left(*parcels: Fulfillment, **changes: Any) -> ShopifyOrder:
    """The Shopify order with these parcels, and its lines as they leave them."""
    live = [dict(one.lines) for one in parcels if one.live]
    lines = (
        a_shopify_line(fulfilled_quantity=sum(one.get("S1", 0) for one in live)),
        a_shopify_line(
            "S2", "LAMP", 1, "30.00", "L2", fulfilled_quantity=sum(one.get("S2", 0) for one in live)
        ),
    )
    return a_shopify_order(**{"lines": lines, "fulfillments": parcels, **changes})


def shipment(
    of: str = "F1", state: str = "SHIPPING", mugs: int = 2, lamps: int = 1, **changes: Any
) -> Shipment:
    lines = tuple((line, count) for line, count in (("L1", mugs), ("L2", lamps)) if count)
    known = {"marker": marker_of(of), "carrier_code": "RM24", "tracking_number": f"RM-{of}"} if of else {}
    return Shipment(f"X-{of or 'portal'}", state, lines, **{**known, **changes})


def knows(*shipments: Shipment, state: str = "SHIPPING", **changes: Any) -> MiraklOrder:
    return an_order(state, **{"shipments": shipments, **changes})


def told(mirakl: MiraklOrder, shopify: ShopifyOrder, **changes: Any) -> Part:
    """What the room says; every parcel was seen a moment before the marketplace was."""
    seen = tuple(ParcelSeen(one.id, SEEN) for one in shopify.fulfillments)
    memory: Memory = changes.pop("memory", a_memory())
    decided = changes.pop("as_decided", False)
    memory = replace(memory, parcels_seen=seen)
    view: View = a_view(**{"mirakl": mirakl, "shopify": shopify, "rules": RULES, "memory": memory, **changes})
    return decide(view, memory, differences(view, memory), decided)


MADE = CreateShipment("IL-F1", (("L1", 2), ("L2", 1)), "RM24", "", "RM-F1", "")


def test_the_marker_names_the_parcel_in_letters_the_field_takes() -> None:
    assert marker_of("gid://shopify/Fulfillment/4411") == "IL-4411"
    assert marker_of("F 1/é") == "IL--"


def test_a_parcel_gets_a_shipment_then_the_word_that_it_left_and_then_nothing() -> None:
    assert told(knows(), left(parcel())).actions == (MADE,)
    assert told(knows(shipment()), left(parcel())).actions == (ValidateShipment("X-F1"),)
    assert told(knows(shipment(state="SHIPPED"), state="SHIPPED"), left(parcel())).actions == ()
    assert told(knows(shipment(state="SHIPMENT_PREPARED")), left(parcel())).actions == ()


def test_several_parcels_are_told_of_each_for_itself() -> None:
    part = told(
        knows(shipment("F1", "SHIPPED", 1, 0)),
        left(parcel("F1", 1, 0), parcel("F2", 1, 0), parcel("F3", 0, 1)),
    )

    assert part.actions == (
        CreateShipment("IL-F2", (("L1", 1),), "RM24", "", "RM-F2", ""),
        CreateShipment("IL-F3", (("L2", 1),), "RM24", "", "RM-F3", ""),
    )


def test_nothing_is_told_before_it_is_known_what_the_marketplace_knows() -> None:
    blind = an_order()

    part = told(blind, left(parcel()))

    assert part.actions == ()
    assert part.mirakl_since is not None
    assert part.mirakl_since > blind.observed_at


def test_what_was_seen_before_the_parcel_says_nothing_of_it() -> None:
    """Somebody may have told of it in the portal meanwhile."""
    memory = a_memory()
    view = a_view(mirakl=knows(), shopify=left(parcel()), rules=RULES, memory=memory)

    part = decide(view, memory, ())

    assert (part.actions, part.mirakl_since) == ((), NOW)
    assert part.memory.parcels_seen == (ParcelSeen("F1", NOW),)


def test_a_snapshot_older_than_our_last_write_decides_nothing() -> None:
    part = told(knows(), left(parcel()), mirakl_written_at=NOW)

    assert (part.actions, part.mirakl_since) == ((), NOW)


def test_an_order_without_parcels_asks_for_nothing() -> None:
    assert told(an_order(), a_shopify_order()) == Part(a_memory())


def test_where_multi_shipment_turns_out_to_be_off_the_order_is_told_of_as_a_whole() -> None:
    part = told(an_order(shipments_hidden="off"), left(parcel()))

    assert [type(action).__name__ for action in part.actions] == ["SetTracking"]


def test_a_key_that_may_not_read_shipments_is_a_case_and_sends_nothing() -> None:
    part = told(an_order(shipments_hidden="forbidden"), left(parcel()))

    assert (part.actions, [case.reason for case in part.cases]) == ((), [Reason.SHIPMENTS_HIDDEN])


@pytest.mark.parametrize(
    "mirakl", [knows(can_ship=False), knows(state="WAITING_DEBIT"), knows(state="CLOSED")]
)
def test_nothing_is_told_unless_the_marketplace_lets_the_shop_ship(mirakl: MiraklOrder) -> None:
    assert told(mirakl, left(parcel())).actions == ()


# -- who told of what --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("portal", "parcels", "expected"),
    [
        # all of the parcel was told of there
        ((2, 1), (parcel(),), ()),
        # a part of it: the rest is ours to tell
        ((1, 0), (parcel(),), (CreateShipment("IL-F1", (("L1", 1), ("L2", 1)), "RM24", "", "RM-F1", ""),)),
        # the first parcel takes what is there, the second is told of
        (
            (1, 0),
            (parcel("F1", 1, 0), parcel("F2", 1, 0)),
            (CreateShipment("IL-F2", (("L1", 1),), "RM24", "", "RM-F2", ""),),
        ),
        # more than has left yet
        ((2, 1), (parcel("F1", 1, 0),), ()),
    ],
)
def test_what_was_told_in_the_portal_is_not_told_again(
    portal: tuple[int, int], parcels: tuple[Fulfillment, ...], expected: tuple[Any, ...]
) -> None:
    elsewhere = shipment("", "SHIPPED", *portal)

    assert told(knows(elsewhere), left(*parcels)).actions == expected


def test_a_shipment_whose_units_somebody_told_of_meanwhile_is_taken_back() -> None:
    """One mug left; ours was made, and before its word somebody made and validated another in the portal."""
    ours, elsewhere = shipment("F1", mugs=1, lamps=0), shipment("", "SHIPPED", 1, 0)

    assert told(knows(ours, elsewhere), left(parcel("F1", 1, 0))).actions == (DeleteShipment("X-F1"),)
    assert told(knows(elsewhere), left(parcel("F1", 1, 0))).actions == ()


def test_what_a_parcel_left_to_the_portal_is_used_up() -> None:
    """The portal told of one mug and our shipment of F1 of the rest of it; F2 holds another mug, which is news."""
    mirakl = knows(shipment("", "SHIPPED", 1, 0), shipment("F1", "SHIPPED", 0, 1))

    part = told(mirakl, left(parcel("F1", 1, 1), parcel("F2", 1, 0)))

    assert part.actions == (CreateShipment("IL-F2", (("L1", 1),), "RM24", "", "RM-F2", ""),)


def test_a_shipment_of_others_that_nobody_validated_is_a_case() -> None:
    part = told(knows(shipment("", "SHIPPING", 1, 0)), left(parcel("F1", 1, 0)))

    assert (part.actions, [case.reason for case in part.cases]) == ((), [Reason.SHIPMENT_IN_PORTAL])
    assert "1 of MUG" in part.cases[0].sentence


def test_a_shipment_that_was_cancelled_counts_for_nothing() -> None:
    assert told(knows(shipment("F1", "CANCELED")), left(parcel())).actions == (MADE,)


# -- never more than agreed --------------------------------------------------------------------------------

CUT = (replace(LINES[0], cancelations=(a_cancelation(1, "10.00"),)), LINES[1])


def test_a_parcel_with_a_cancelled_unit_is_not_told_of_and_others_are() -> None:
    part = told(knows(lines=CUT), left(parcel("F1", 2, 0), parcel("F2", 0, 1)))

    assert part.actions == (CreateShipment("IL-F2", (("L2", 1),), "RM24", "", "RM-F2", ""),)
    assert [incident.reason for incident in part.memory.incidents] == [Reason.SHIPPED_ON_DISAGREEMENT]


def test_a_parcel_with_something_that_was_never_sold_is_not_told_of() -> None:
    extra = a_shopify_line("S3", "CARD", 1, "1.00", "", fulfilled_quantity=1)
    one = replace(parcel("F1", 1, 0), lines=(("S1", 1), ("S3", 1)))
    shopify = left(one)

    part = told(knows(), replace(shopify, lines=(*shopify.lines, extra)))

    assert part.actions == ()
    assert "CARD, which was never sold there" in part.memory.incidents[0].sentence


def test_a_shipment_whose_units_were_cancelled_in_time_is_taken_back() -> None:
    assert told(knows(shipment(mugs=2, lamps=0), lines=CUT), left(parcel("F1", 2, 0))).actions == (
        DeleteShipment("X-F1"),
    )


def test_a_line_the_two_sides_disagree_about_waits_and_another_does_not() -> None:
    fewer = replace(left(parcel("F1", 1, 0), parcel("F2", 0, 1)))
    edited = (replace(fewer.lines[0], current_quantity=1), fewer.lines[1])

    part = told(knows(), replace(fewer, lines=edited, fulfillment_orders=()))

    assert part.actions == (CreateShipment("IL-F2", (("L2", 1),), "RM24", "", "RM-F2", ""),)
    assert any("disagree" in sentence for sentence in part.because)


def test_another_address_makes_every_parcel_wait() -> None:
    assert told(knows(), left(parcel(), shipping_total=LINES[0].price)).actions == ()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=4),
    st.integers(0, 2),
    st.tuples(st.integers(0, 2), st.integers(0, 1)),
)
def test_the_marketplace_never_hears_of_more_than_it_agreed_to(
    parcels: list[tuple[int, int]], cancelled: int, portal: tuple[int, int]
) -> None:
    made = [parcel(f"F{n}", *units) for n, units in enumerate(parcels) if any(units)]
    lines = (replace(LINES[0], cancelations=(a_cancelation(cancelled, "10.00"),)), LINES[1])
    elsewhere = (shipment("", "SHIPPED", *portal),) if any(portal) else ()

    part = told(knows(*elsewhere, lines=lines), left(*made))

    heard = {"L1": portal[0], "L2": portal[1]}
    sent = {"L1": 0, "L2": 0}
    for action in part.actions:
        assert isinstance(action, CreateShipment)
        for line, count in action.lines:
            heard[line] += count
            sent[line] += count
    agreed = {"L1": 2 - cancelled, "L2": 1}
    fulfilled = {"L1": sum(mugs for mugs, _ in parcels), "L2": sum(lamps for _, lamps in parcels)}
    assert all(heard[line] <= agreed[line] for line in agreed if sent[line])
    assert all(sent[line] <= fulfilled[line] for line in agreed)


# -- tracking ----------------------------------------------------------------------------------------------


def test_a_tracking_that_changed_goes_first_while_the_parcel_is_not_told_of() -> None:
    part = told(knows(shipment()), left(parcel(tracking_number="NEW 1")))

    assert part.actions == (TrackShipment("X-F1", "RM24", "", "NEW1", ""),)


@pytest.mark.parametrize("state", ["SHIPPED", "TO_COLLECT"])
def test_a_tracking_that_changed_later_follows_the_parcel(state: str) -> None:
    part = told(
        knows(shipment(state=state), state=state),
        left(parcel(tracking_number="NEW")),
        memory=a_memory(carried_numbers=("RM-F1",)),
    )

    assert part.actions == (TrackShipment("X-F1", "RM24", "", "NEW", ""),)
    assert "changed after it was told of" in part.because[0]


def test_a_refused_correction_is_a_case_of_its_own_that_can_be_sent_again() -> None:
    action = TrackShipment("X-F1", "RM24", "", "NEW", "")
    shopify, mirakl = left(parcel(tracking_number="NEW")), knows(shipment(state="SHIPPED"), state="SHIPPED")
    refused = (an_operation(action, words="Too late"),)

    part = told(mirakl, shopify, operations=refused, memory=a_memory(carried_numbers=("RM-F1",)))
    answer = a_decision(
        Reason.TRACKING_NOT_CORRECTED, action.subject, Option.SEND_AGAIN, NOW + timedelta(minutes=1)
    )
    known = a_memory(decisions=(answer,), carried_numbers=("RM-F1",))
    again = told(mirakl, shopify, operations=refused, memory=known)

    assert [(case.reason, case.subject) for case in part.cases] == [
        (Reason.TRACKING_NOT_CORRECTED, action.subject)
    ]
    assert (again.cases, again.actions) == ((), (action,))


@pytest.mark.parametrize("state", ["SHIPPED", "TO_COLLECT"])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"carrier": "Gone", "tracking_number": "NEW"}, "the code OLD, which the marketplace does not have"),
        ({"carrier": "Pigeon", "tracking_number": "NEW"}, "is not mapped"),
        ({"tracking_number": "📦"}, "cannot be sent"),
        ({"carrier": "Gone"}, ""),
        ({"carrier": "Gone", "tracking_number": " RM-F 1 "}, ""),
    ],
)
def test_a_changed_number_that_cannot_follow_its_parcel_is_a_case(
    state: str, changes: dict[str, Any], said: str
) -> None:
    """The marketplace was told of the parcel; then it renamed the carrier, or the new tracking is none."""
    gone = CarrierMapping("Gone", code="OLD")
    rules = replace(RULES, carrier_mappings=(*RULES.carrier_mappings, gone), tracking_mandatory_for=("STD",))

    mirakl = knows(shipment(state=state), state=state)
    part = told(mirakl, left(parcel(**changes)), rules=rules, memory=a_memory(carried_numbers=("RM-F1",)))

    assert part.actions == ()
    assert [(case.reason, case.subject) for case in part.cases] == (
        [(Reason.TRACKING_NOT_CORRECTED, "F1")] if said else []
    )
    assert all(said in case.sentence for case in part.cases)


RIGHT = TrackShipment("X-F1", "RM24", "", "RM-F1", "")


@pytest.mark.parametrize(
    ("shown", "changes", "known", "told_before", "sent"),
    [
        pytest.param("PORTAL", {}, (), (MADE,), False, id="put right in the portal, told with the shipment"),
        pytest.param("PORTAL", {}, (), (MADE, RIGHT), False, id="put right in the portal, told after it"),
        pytest.param("PORTAL", {}, ("PORTAL",), (MADE,), False, id="another parcel's number, given there"),
        pytest.param("PORTAL", {"tracking_number": ""}, (), (MADE,), False, id="and taken out in Shopify"),
        pytest.param("PORTAL", {"carrier": "Pigeon"}, (), (MADE,), False, id="its carrier leads nowhere"),
        pytest.param("OLD", {}, ("OLD",), (), True, id="a parcel carried it before"),
        pytest.param(
            "OLD", {}, ("OLD",), (replace(MADE, marker="IL-F9"),), True, id="what was told of another parcel"
        ),
    ],
)
def test_a_parcels_number_that_somebody_gave_in_the_portal_stays(
    shown: str,
    changes: dict[str, Any],
    known: tuple[str, ...],
    told_before: tuple[CreateShipment | TrackShipment, ...],
    sent: bool,
) -> None:
    mirakl = knows(shipment(state="SHIPPED", tracking_number=shown), state="SHIPPED")

    part = told(
        mirakl, left(parcel(**changes)), trackings_told=told_before, memory=a_memory(carried_numbers=known)
    )

    assert part.cases == ()
    assert part.actions == ((RIGHT,) if sent else ())


@pytest.mark.parametrize(
    ("answer", "asked", "sent"),
    [
        (None, True, False),
        (Option.DISMISS, False, False),
        (Option.SEND_NUMBER, False, True),
    ],
)
@pytest.mark.parametrize("told_before", [(MADE,), (MADE, RIGHT)])
def test_a_parcels_number_put_right_on_both_sides_to_different_ones_is_asked_about(
    answer: Option | None,
    asked: bool,
    sent: bool,
    told_before: tuple[CreateShipment | TrackShipment, ...],
) -> None:
    mirakl = knows(shipment(state="SHIPPED", tracking_number="PORTAL"), state="SHIPPED")
    said = a_decision(Reason.TRACKING_NOT_CORRECTED, "F1 PORTAL NEW", answer, NOW) if answer else None

    part = told(
        mirakl,
        left(parcel(tracking_number="NEW")),
        trackings_told=told_before,
        memory=a_memory(carried_numbers=("RM-F1",), decisions=(said,) if said else ()),
    )

    assert [(case.reason, case.subject, case.options) for case in part.cases] == (
        [(Reason.TRACKING_NOT_CORRECTED, "F1 PORTAL NEW", (Option.SEND_NUMBER, Option.DISMISS))]
        if asked
        else []
    )
    assert part.actions == ((replace(RIGHT, number="NEW"),) if sent else ())


@pytest.mark.parametrize("mandatory", [(), ("STD",)])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tracking_number": ""}, "no tracking number any more"),
        ({"tracking_number": "", "carrier": ""}, "no tracking number any more"),
        ({"tracking_number": "NEW", "carrier": ""}, "a number without a carrier"),
    ],
)
def test_tracking_taken_out_of_shopify_after_its_parcel_was_told_of_is_a_case(
    changes: dict[str, Any], said: str, mandatory: tuple[str, ...]
) -> None:
    mirakl = knows(shipment(state="SHIPPED"), state="SHIPPED")
    before = told(mirakl, left(parcel()))

    part = told(
        mirakl,
        left(parcel(**changes)),
        memory=before.memory,
        rules=replace(RULES, tracking_mandatory_for=mandatory),
    )

    assert before.memory.carried_numbers == ("RM-F1",)
    ((case,), actions) = (part.cases, part.actions)
    assert (case.reason, case.subject, said in case.sentence, actions) == (
        Reason.TRACKING_NOT_CORRECTED,
        "F1",
        True,
        (),
    )


def test_a_refused_shipment_is_a_case_of_its_parcel() -> None:
    part = told(knows(), left(parcel()), operations=(an_operation(MADE, words="No such carrier"),))

    assert [(case.reason, case.subject) for case in part.cases] == [
        (Reason.SHIPPING_REFUSED, "shipment IL-F1")
    ]
    assert part.actions == (MADE,)


def test_a_refusal_stays_a_case_while_the_marketplace_was_not_seen_after_it() -> None:
    part = told(knows(), left(parcel()), operations=(an_operation(MADE, words="No"),), mirakl_written_at=NOW)

    assert (part.actions, [case.reason for case in part.cases]) == ((), [Reason.SHIPPING_REFUSED])


@pytest.mark.parametrize(
    ("changes", "mandatory", "reason"),
    [
        ({"carrier": "Pigeon"}, (), Reason.CARRIER_UNKNOWN),
        ({"tracking_number": "📦"}, (), Reason.TRACKING_UNUSABLE),
        ({"tracking_number": "9" * 500}, (), Reason.TRACKING_UNUSABLE),
        ({"tracking_number": ""}, ("STD",), Reason.TRACKING_MISSING),
        ({"carrier": "Van", "tracking_url": "ftp://van.example/1"}, (), Reason.TRACKING_UNUSABLE),
        ({"carrier": "Van", "tracking_url": "javascript:alert(1)"}, (), Reason.TRACKING_UNUSABLE),
    ],
)
def test_a_parcel_that_cannot_be_told_of_stops_itself_alone(
    changes: dict[str, Any], mandatory: tuple[str, ...], reason: Reason
) -> None:
    rules = replace(RULES, tracking_mandatory_for=mandatory)

    part = told(knows(), left(parcel("F1", 1, 0, **changes), parcel("F2", 1, 0)), rules=rules)

    assert [case.reason for case in part.cases] == [reason]
    assert [action.marker for action in part.actions if isinstance(action, CreateShipment)] == ["IL-F2"]


def test_a_parcel_without_tracking_goes_where_none_is_demanded() -> None:
    part = told(knows(), left(parcel(carrier="", tracking_number="")))

    assert part.actions == (CreateShipment("IL-F1", (("L1", 2), ("L2", 1))),)
    assert told(
        knows(shipment(carrier_code="", tracking_number="")), left(parcel(carrier="", tracking_number=""))
    ).actions == (ValidateShipment("X-F1"),)


@pytest.mark.parametrize("mandatory", [(), ("STD",)])
def test_a_number_without_the_name_of_a_carrier_goes_with_the_default(mandatory: tuple[str, ...]) -> None:
    default = CarrierMapping("*", code="RM24")
    rules = replace(
        RULES, carrier_mappings=(*RULES.carrier_mappings, default), tracking_mandatory_for=mandatory
    )

    part = told(knows(), left(parcel(carrier="")), rules=rules)

    assert part.actions == (CreateShipment("IL-F1", (("L1", 2), ("L2", 1)), "RM24", "", "RM-F1", ""),)
    assert "the default carrier of this connection is sent" in part.because[0]


def test_without_a_default_the_parcel_goes_without_its_number_and_a_case_asks_for_the_carrier() -> None:
    nameless = left(parcel(carrier=""))
    bare = shipment(carrier_code="", tracking_number="", state="SHIPPED")
    before = told(knows(), nameless)
    after = told(knows(bare, state="SHIPPED"), nameless)
    named = told(knows(bare, state="SHIPPED"), left(parcel()))

    assert before.actions == (CreateShipment("IL-F1", (("L1", 2), ("L2", 1))),)
    assert "it does not go along" in before.because[0]
    ((case,), actions) = (after.cases, after.actions)
    assert (case.reason, case.subject, actions) == (Reason.TRACKING_NOT_CORRECTED, "F1", ())
    assert "The customer has no number to follow" in case.sentence
    assert (named.cases, named.actions) == ((), (TrackShipment("X-F1", "RM24", "", "RM-F1", ""),))


@pytest.mark.parametrize("state", ["SHIPPING", "SHIPPED"])
def test_a_marketplace_that_calls_the_carrier_otherwise_is_told_once(state: str) -> None:
    tracked = TrackShipment("X-F1", "RM24", "", "RM-F1", "")
    mirakl = knows(shipment(state=state, carrier_code="ROYAL_MAIL"), state=state)

    assert told(mirakl, left(parcel())).actions == (tracked,)
    after = told(mirakl, left(parcel()), trackings_told=(tracked,))
    assert after.actions == (() if state == "SHIPPED" else (ValidateShipment("X-F1"),))
    # What was told of another shipment says nothing of this one.
    other = replace(tracked, shipment_id="X-F2")
    assert told(mirakl, left(parcel()), trackings_told=(tracked, other)).actions == after.actions
    assert told(mirakl, left(parcel()), trackings_told=(other,)).actions == (tracked,)


def test_an_unregistered_carrier_travels_by_name_with_its_url() -> None:
    van = parcel(carrier="van", tracking_number="7", tracking_url="https://v/7")
    shown = shipment(carrier_code="", carrier_name="Our van", tracking_number="7")

    assert told(knows(), left(van)).actions == (
        CreateShipment("IL-F1", (("L1", 2), ("L2", 1)), "", "Our van", "7", "https://v/7"),
    )
    assert told(knows(shown), left(van)).actions == (ValidateShipment("X-F1"),)


@pytest.mark.parametrize("state", ["SHIPPING", "SHIPPED"])
def test_a_tracking_url_of_an_unregistered_carrier_that_is_put_right_follows_once(state: str) -> None:
    van = parcel(carrier="van", tracking_number="7", tracking_url="https://v/right")
    shown = shipment(
        state=state,
        carrier_code="",
        carrier_name="Our van",
        tracking_number="7",
        tracking_url="https://v/wrong",
    )
    right = TrackShipment("X-F1", "", "Our van", "7", "https://v/right")
    afterwards = () if state == "SHIPPED" else (ValidateShipment("X-F1"),)

    assert told(knows(shown, state=state), left(van)).actions == (right,)
    assert told(knows(shown, state=state), left(van), trackings_told=(right,)).actions == afterwards
    as_told = replace(shown, tracking_url="https://v/right")
    assert told(knows(as_told, state=state), left(van)).actions == afterwards


def test_a_shipment_names_the_warehouse_of_the_place_it_leaves_from() -> None:
    """ST01 `shipping_from.warehouse.code`; a location without a code names none."""
    rules = replace(RULES, shipping_origins=(ShippingOrigin("LOC-1", "SOUTH"),))
    parcels = (parcel("F1", 1, 0, location_id="LOC-1"), parcel("F2", 1, 0, location_id="LOC-2"))

    made = told(knows(), left(*parcels), rules=rules).actions

    assert [action.warehouse for action in made if isinstance(action, CreateShipment)] == ["SOUTH", ""]


# -- a parcel that came back -------------------------------------------------------------------------------


def test_a_parcel_cancelled_before_it_was_told_of_takes_its_shipment_along() -> None:
    back = parcel("F1", 1, 0, live=False)

    part = told(knows(shipment("F1", "SHIPPING", 1, 0)), left(back, parcel("F2", 1, 0)))

    # The units are free once the shipment is gone.
    assert part.actions == (DeleteShipment("X-F1"),)


def test_a_parcel_cancelled_after_it_was_told_of_is_an_incident_until_as_much_left_anew() -> None:
    mirakl = knows(shipment("F1", "SHIPPED", 1, 0))
    back = parcel("F1", 1, 0, live=False)

    gone = told(mirakl, left(back))
    anew = told(mirakl, left(back, parcel("F2", 1, 0)), memory=gone.memory)

    assert [(i.reason, i.closed_at) for i in gone.memory.incidents] == [(Reason.FULFILLMENT_CANCELLED, None)]
    assert anew.memory.incidents[0].closed_at == NOW
    # The parcel that takes its place gets its shipment, with the number that is right now.
    assert anew.actions == (TrackShipment("X-F1", "RM24", "", "RM-F2", ""),)


def test_a_label_given_back_takes_its_shipment_along_or_is_an_incident() -> None:
    back = parcel("F1", 1, 0, display_status="LABEL_VOIDED")
    memory = a_memory(labels_seen=(LabelSeen("F1", "RM-F1"),), carried_numbers=("RM-F1",))
    told_of = knows(shipment("F1", "SHIPPED", 1, 0))

    before = told(knows(shipment("F1", "SHIPPING", 1, 0)), left(back), memory=memory)
    after = told(told_of, left(back), memory=memory)
    anew = told(told_of, left(replace(back, tracking_number="RM-9")), memory=after.memory)

    assert told(knows(), left(back), memory=memory).actions == ()
    assert before.actions == (DeleteShipment("X-F1"),)
    assert [(i.reason, i.closed_at) for i in after.memory.incidents] == [(Reason.FULFILLMENT_CANCELLED, None)]
    assert anew.memory.incidents[0].closed_at == NOW
    assert anew.actions == (TrackShipment("X-F1", "RM24", "", "RM-9", ""),)


def test_the_shipment_of_a_cancelled_parcel_is_taken_over_once() -> None:
    """Two mugs left anew in two parcels, and the marketplace was told of one: the other is news, whoever comes first."""
    mirakl = knows(shipment("F0", "SHIPPED", 1, 0))
    back, first, second = parcel("F0", 1, 0, live=False), parcel("F1", 1, 1), parcel("F2", 1, 0)

    actions = told(mirakl, left(back, first, second)).actions

    assert actions == (
        TrackShipment("X-F0", "RM24", "", "RM-F2", ""),
        CreateShipment("IL-F1", (("L1", 1), ("L2", 1)), "RM24", "", "RM-F1", ""),
    )


def test_what_a_told_parcel_used_up_is_news_of_no_other_and_keeps_no_dead_number() -> None:
    """F1 was told of without the mug that the marketplace knew from F0; F2 holds another mug, which is news."""
    mirakl = knows(shipment("F0", "SHIPPED", 1, 0), shipment("F1", "SHIPPED", 0, 1))
    back, first, second = parcel("F0", 1, 0, live=False), parcel("F1", 1, 1), parcel("F2", 1, 0)

    assert told(mirakl, left(back, first, second)).actions == (
        TrackShipment("X-F0", "RM24", "", "RM-F1", ""),
        CreateShipment("IL-F2", (("L1", 1),), "RM24", "", "RM-F2", ""),
    )


BACK = parcel("F1", 2, 1, live=False)
TOLD = shipment("F1", "SHIPPED", 2, 1)
UNSENT = {"tracking_number": "", "carrier": ""}


@pytest.mark.parametrize(
    ("shipments", "parcels", "actions", "asked"),
    [
        pytest.param(
            (TOLD,),
            (parcel("F2", 2, 0), parcel("F3", 0, 1)),
            (TrackShipment("X-F1", "RM24", "", "RM-F2", ""),),
            ("F3",),
            id="anew in two parcels",
        ),
        pytest.param(
            (replace(TOLD, tracking_number="RM-F2"),),
            (parcel("F2", 2, 0), parcel("F3", 0, 1)),
            (),
            ("F3",),
            id="the number of one of them is there",
        ),
        pytest.param(
            (replace(TOLD, tracking_number="RM-F3"),),
            (parcel("F2", 2, 0), parcel("F3", 0, 1)),
            (),
            ("F2",),
            id="the number of the other is there",
        ),
        pytest.param(
            (TOLD,),
            (parcel("F2", 2, 0),),
            (TrackShipment("X-F1", "RM24", "", "RM-F2", ""),),
            (),
            id="a part has left anew",
        ),
        pytest.param(
            (TOLD,),
            (parcel("F2", 2, 0, **UNSENT), parcel("F3", 0, 1)),
            (TrackShipment("X-F1", "RM24", "", "RM-F3", ""),),
            (),
            id="only one has a number",
        ),
        pytest.param(
            (TOLD,),
            (parcel("F2", 2, 0, carrier="Pigeon"), parcel("F3", 0, 1, carrier="Pigeon")),
            (),
            ("F2", "F3"),
            id="nobody mapped their carrier",
        ),
        pytest.param(
            (shipment("F1", "SHIPPED", 1, 0),),
            (parcel("F2", 2, 0),),
            (
                TrackShipment("X-F1", "RM24", "", "RM-F2", ""),
                CreateShipment("IL-F2", (("L1", 1),), "RM24", "", "RM-F2", ""),
            ),
            (),
            id="in a bigger parcel",
        ),
        pytest.param(
            (shipment("F1", "SHIPPED", 1, 0), shipment("F2", "SHIPPED", 1, 0)),
            (parcel("F2", 2, 0),),
            (TrackShipment("X-F1", "RM24", "", "RM-F2", ""),),
            (),
            id="in a bigger parcel of which the rest was told",
        ),
        pytest.param(
            (shipment("F1", "SHIPPED", 1, 0), shipment("", "SHIPPED", 1, 0, tracking_number="RM-F2")),
            (parcel("F2", 1, 0),),
            (),
            (),
            id="told of in the portal under its own number",
        ),
        pytest.param(
            (shipment("F1", "SHIPPED", 1, 0), shipment("", "SHIPPED", 1, 0)),
            (parcel("F2", 1, 0, created_at=BACK.created_at - timedelta(hours=1)), parcel("F3", 0, 1)),
            (CreateShipment("IL-F3", (("L2", 1),), "RM24", "", "RM-F3", ""),),
            (),
            id="an older parcel is not one that left anew",
        ),
    ],
)
def test_units_of_a_cancelled_parcel_that_left_anew_get_a_number_that_leads_somewhere(
    shipments: tuple[Shipment, ...],
    parcels: tuple[Fulfillment, ...],
    actions: tuple[object, ...],
    asked: tuple[str, ...],
) -> None:
    gone = replace(BACK, lines=tuple((line.replace("L", "S"), count) for line, count in shipments[0].lines))

    part = told(knows(*shipments), left(gone, *parcels))

    assert part.actions == actions
    assert [case.subject for case in part.cases if case.reason is Reason.TRACKING_NOT_CORRECTED] == list(
        asked
    )


# -- as a person decided -----------------------------------------------------------------------------------


def test_what_was_decided_to_ship_as_edited_closes_the_order_with_its_last_parcel() -> None:
    swapped = a_shopify_line("S3", "CUP", 1, "30.00", "", fulfilled_quantity=1)
    shopify = left(parcel("F1", 2, 0), replace(parcel("F2"), lines=(("S3", 1),)))
    lines = (shopify.lines[0], replace(shopify.lines[1], current_quantity=0), swapped)

    part = told(knows(shipment("F1", "SHIPPED", 2, 0)), replace(shopify, lines=lines), as_decided=True)

    assert part.actions == (CreateShipment("IL-F2", (("L2", 1),), "RM24", "", "RM-F2", ""),)


def test_what_was_decided_waits_until_everything_shopify_shows_has_left() -> None:
    part = told(knows(), left(parcel("F1", 1, 0)), as_decided=True)

    assert part.actions == ()
    assert any("1 of 2 of MUG have left" in sentence for sentence in part.because)

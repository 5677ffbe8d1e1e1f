"""The dispatch is reported once exactly what was agreed has left: tracking first, then the order."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.edits.diff import differences
from interlock.orders.actions import SetTracking, ShipOrder
from interlock.orders.connection import Carrier, CarrierMapping, EarlierChoice
from interlock.orders.memory import Incident, LabelSeen, Memory, Withdrawn
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Fulfillment, MiraklOrder, ShopifyOrder
from interlock.orders.view import View
from interlock.shipping.decide import decide
from interlock.shipping.telling import carriers_asked_about
from tests.build import (
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
    some_rules,
)

RULES = some_rules(
    carriers=(Carrier("RM24", "Royal Mail 24"), Carrier("RM48", "Royal Mail 48")),
    carrier_mappings=(CarrierMapping("Royal Mail 24", code="RM24"), CarrierMapping("Van", name="Our van")),
)
TRACKING = SetTracking("RM24", "", "RM1", "")
TOLD = an_order(tracking_carrier_code="RM24", tracking_number="RM1")


def shipped(
    mugs: int = 2, lamps: int = 1, fulfillments: tuple[Fulfillment, ...] | None = None, **changes: Any
) -> ShopifyOrder:
    lines = (
        a_shopify_line(fulfilled_quantity=mugs),
        a_shopify_line("S2", "LAMP", 1, "30.00", "L2", fulfilled_quantity=lamps),
    )
    made = (a_fulfillment(),) if fulfillments is None else fulfillments
    return a_shopify_order(**{"lines": lines, "fulfillments": made, **changes})


def look(mirakl: MiraklOrder | None = None, shopify: ShopifyOrder | None = None, **changes: Any) -> View:
    values = {"mirakl": mirakl or an_order(), "shopify": shopify or shipped(), "rules": RULES}
    return a_view(**{**values, **changes})


def asked(view: View, memory: Memory | None = None) -> Part:
    memory = memory or view.memory
    return decide(view, memory, differences(view, memory))


def test_the_tracking_goes_first_and_the_dispatch_follows_once_the_marketplace_shows_it() -> None:
    assert asked(look()).actions == (TRACKING,)
    assert asked(look(TOLD)).actions == (ShipOrder(),)


@pytest.mark.parametrize(
    "shown",
    [
        {"tracking_carrier_code": "RM24", "tracking_number": "OTHER"},
        {"tracking_carrier_code": "RM48", "tracking_number": "RM1"},
        {"tracking_number": "RM1"},
    ],
)
def test_another_tracking_at_the_marketplace_is_overwritten(shown: dict[str, Any]) -> None:
    assert asked(look(an_order(**shown))).actions == (TRACKING,)


def test_a_carrier_shown_by_its_label_is_the_one_we_sent() -> None:
    shown = an_order(tracking_carrier_name="Royal Mail 24", tracking_number="RM1")

    assert asked(look(shown)).actions == (ShipOrder(),)


def test_an_unregistered_carrier_travels_by_name_with_its_url() -> None:
    van = shipped(
        fulfillments=(a_fulfillment(carrier="van", tracking_number="7", tracking_url="https://v/7"),)
    )
    shown = an_order(tracking_carrier_name="Our van", tracking_number="7")

    assert asked(look(shopify=van)).actions == (SetTracking("", "Our van", "7", "https://v/7"),)
    assert asked(look(shown, van)).actions == (ShipOrder(),)


@pytest.mark.parametrize(
    "mirakl",
    [
        an_order("CLOSED"),
        an_order("CANCELED"),
        an_order("WAITING_DEBIT"),
        an_order(can_ship=False),
    ],
)
def test_nothing_is_reported_unless_the_marketplace_lets_the_shop_ship(mirakl: MiraklOrder) -> None:
    assert asked(look(mirakl)).actions == ()


def test_nothing_is_reported_on_a_snapshot_older_than_our_last_write() -> None:
    part = asked(look(mirakl_written_at=NOW))

    assert (part.actions, part.mirakl_since) == ((), NOW)


def test_nothing_is_reported_before_anything_left() -> None:
    assert asked(look(shopify=a_shopify_order())) == Part(a_memory())


def test_a_part_that_left_waits_for_the_rest() -> None:
    part = asked(look(shopify=shipped(mugs=1)))

    assert part.actions == ()
    assert "1 of 2 of MUG have left" in part.because[0]


def test_nothing_is_reported_while_the_two_sides_differ() -> None:
    part = asked(look(shopify=shipped(shipping_total=Decimal("1.00"))))

    assert part.actions == ()
    assert "disagree" in part.because[0]


def test_withdrawn_units_are_not_waited_for() -> None:
    lines = (
        a_shopify_line(current_quantity=1, fulfilled_quantity=1),
        a_shopify_line("S2", "LAMP", 1, "30.00", "L2", fulfilled_quantity=1),
    )
    memory = a_memory(withdrawn=(Withdrawn("L1", 1, "R1", "Ada", NOW),))

    assert asked(look(TOLD, shipped(lines=lines, fulfillment_orders=())), memory).actions == (ShipOrder(),)


# -- too much ----------------------------------------------------------------------------------------------

CUT = (replace(LINES[0], cancelations=(a_cancelation(1, "10.00"),)), LINES[1])


def test_more_than_agreed_is_an_incident_and_nothing_is_reported() -> None:
    part = asked(look(an_order(lines=CUT)))

    (incident,) = part.memory.incidents
    assert (incident.reason, incident.subject) == (Reason.SHIPPED_ON_DISAGREEMENT, "F1")
    assert "2 of MUG instead of 1" in incident.sentence
    assert part.actions == ()


def test_more_than_agreed_after_it_was_put_right_is_an_incident_again() -> None:
    found = asked(look(an_order(lines=CUT))).memory
    right = asked(look(an_order()), found).memory
    again = asked(look(an_order(lines=CUT)), right).memory

    assert [(i.subject, i.closed_at is None) for i in again.incidents] == [("F1", False), ("F1 2", True)]


def test_still_more_than_somebody_dealt_with_is_an_incident_again() -> None:
    found = asked(look(an_order(lines=CUT))).memory
    dealt_with = replace(
        found, incidents=(replace(found.incidents[0], closed_at=NOW, closed_because="Ada: it came back"),)
    )
    assert asked(look(an_order(lines=CUT)), dealt_with).memory.incidents == dealt_with.incidents
    none_left = (replace(LINES[0], cancelations=(a_cancelation(2, "20.00"),)), LINES[1])

    more = asked(look(an_order(lines=none_left)), dealt_with).memory.incidents

    assert [i.subject for i in more] == ["F1", "F1 2"]
    assert "2 of MUG instead of 0" in more[1].sentence


@pytest.mark.parametrize("current", [1, 0])
def test_goods_the_marketplace_never_sold_are_an_incident_too(current: int) -> None:
    extra = a_shopify_line("S3", "CARD", 1, "1.00", "", current_quantity=current, fulfilled_quantity=1)
    shopify = shipped()

    part = asked(look(TOLD, replace(shopify, lines=(*shopify.lines, extra))))

    assert "CARD, which was never sold there" in part.memory.incidents[0].sentence
    assert part.actions == ()


def test_the_incident_is_recorded_once_and_closes_on_its_own_evidence() -> None:
    first = asked(look(an_order(lines=CUT))).memory
    later = asked(look(an_order(lines=CUT), now=NOW + timedelta(hours=1)), first).memory
    undone = asked(look(TOLD), first)

    assert later.incidents == first.incidents
    assert undone.memory.incidents[0].closed_at == NOW
    assert undone.actions == (ShipOrder(),)


def test_an_incident_closed_by_a_person_still_ships_nothing() -> None:
    first = asked(look(an_order(lines=CUT))).memory
    closed = replace(first, incidents=(replace(first.incidents[0], closed_at=NOW),))

    part = asked(look(an_order(lines=CUT)), closed)

    assert part.memory.incidents == closed.incidents
    assert part.actions == ()


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2), st.integers(0, 1))
def test_the_dispatch_is_only_ever_reported_for_exactly_what_is_live(
    mugs: int, current: int, cancelled: int, lamps: int
) -> None:
    lines = (replace(LINES[0], cancelations=(a_cancelation(cancelled, "10.00"),)), LINES[1])
    shopify = shipped(
        lines=(
            a_shopify_line(current_quantity=current, fulfilled_quantity=mugs),
            a_shopify_line("S2", "LAMP", 1, "30.00", "L2", fulfilled_quantity=lamps),
        ),
        fulfillment_orders=(a_fulfillment_order(remaining=(("S1", max(current - mugs, 0)),)),),
    )
    part = asked(look(replace(TOLD, lines=lines), shopify))

    assert bool(part.actions) is (mugs == 2 - cancelled and current <= mugs and lamps == 1)


# -- tracking and carriers ---------------------------------------------------------------------------------


def test_an_unmapped_carrier_is_a_case_and_ships_by_itself_once_mapped() -> None:
    parcel = shipped(fulfillments=(a_fulfillment(carrier=" Royal Mail 48h "),))
    part = asked(look(shopify=parcel))
    mapping = CarrierMapping("royal mail 48H", code="RM48")
    mapped = replace(RULES, carrier_mappings=(mapping,))

    (case,) = part.cases
    assert (case.reason, case.subject) == (Reason.CARRIER_UNKNOWN, "Royal Mail 48h")
    assert case.options == (Option.MAP_CARRIER,)
    assert dict(case.facts)["Sounds like 1"].startswith("Royal Mail 48 (RM48): ")
    assert part.actions == ()
    assert asked(look(shopify=parcel, rules=mapped)).actions == (SetTracking("RM48", "", "RM1", ""),)


def test_what_people_chose_before_is_a_ranked_reason_of_the_case() -> None:
    parcel = shipped(fulfillments=(a_fulfillment(carrier="Our van"),))
    view = replace(
        look(shopify=parcel), earlier_carriers=(EarlierChoice("our-vans", "Royal Mail 48", "beta"),)
    )

    (case,) = asked(view).cases
    assert dict(case.facts)["Sounds like 1"] == (
        "Royal Mail 48 (RM48): spelt alike: “Royal Mail 48”; chosen for “our-vans” before (beta)"
    )


@pytest.mark.parametrize(
    ("mappings", "carriers", "names"),
    [
        ((), ("Pigeon", "royal mail 48", "Pigeon"), ("Pigeon",)),
        ((CarrierMapping("Pigeon", code="RM48"),), ("Pigeon",), ()),
        ((CarrierMapping("*", code="RM48"),), ("Pigeon",), ()),
        ((), ("", "  "), ()),
    ],
)
def test_only_names_that_lead_nowhere_are_asked_about(
    mappings: tuple[CarrierMapping, ...], carriers: tuple[str, ...], names: tuple[str, ...]
) -> None:
    parcels = tuple(a_fulfillment(id=f"F{n}", carrier=carrier) for n, carrier in enumerate(carriers))
    view = look(shopify=shipped(fulfillments=parcels), rules=replace(RULES, carrier_mappings=mappings))

    assert carriers_asked_about(view.rules, view.mirakl, view.shopify) == names


@pytest.mark.parametrize(
    ("parcel", "left_out"),
    [
        ({"tracking_number": ""}, False),
        ({"carrier": ""}, True),
        ({"carrier": "", "tracking_number": ""}, False),
    ],
)
def test_without_complete_tracking_it_depends_on_the_shipping_method(
    parcel: dict[str, Any], left_out: bool
) -> None:
    shopify = shipped(fulfillments=(a_fulfillment(**parcel),))

    free = asked(look(shopify=shopify))
    demanded = asked(look(shopify=shopify, rules=replace(RULES, tracking_mandatory_for=("STD",))))

    assert free.actions == (ShipOrder(),)
    assert ("it does not go along" in free.because[0]) is left_out
    assert demanded.actions == ()
    (case,) = demanded.cases
    assert case.reason is Reason.TRACKING_MISSING
    assert ("set a default carrier" in case.sentence) is left_out


@pytest.mark.parametrize("mandatory", [(), ("STD",)])
@pytest.mark.parametrize(
    ("default", "sent"),
    [
        (CarrierMapping("*", code="RM48"), True),
        # A default that leads nowhere itself takes no number.
        (CarrierMapping("*", code="GONE"), False),
        (CarrierMapping("*", name="Free Riders"), False),
        (CarrierMapping("*", code="RM48", country="FR"), False),
    ],
)
def test_a_number_without_the_name_of_a_carrier_goes_with_the_default(
    default: CarrierMapping, sent: bool, mandatory: tuple[str, ...]
) -> None:
    rules = replace(
        RULES, carrier_mappings=(*RULES.carrier_mappings, default), tracking_mandatory_for=mandatory
    )
    part = asked(
        look(shopify=shipped(fulfillments=(a_fulfillment(carrier=" ", tracking_url=""),)), rules=rules)
    )

    if sent:
        assert part.actions == (SetTracking("RM48", "", "RM1", ""),)
        assert "names no carrier; the default carrier of this connection is sent" in part.because[0]
    else:
        assert part.actions == (() if mandatory else (ShipOrder(),))
        assert [case.reason for case in part.cases] == ([Reason.TRACKING_MISSING] if mandatory else [])


def test_of_several_parcels_the_first_complete_tracking_is_sent_and_it_is_said() -> None:
    parcels = (
        a_fulfillment("F3", tracking_number="RM3", created_at=NOW + timedelta(minutes=2)),
        a_fulfillment("F2", tracking_number="RM2", created_at=NOW + timedelta(minutes=1)),
        a_fulfillment("F1", tracking_number="", created_at=NOW),
        a_fulfillment("F0", tracking_number="RM0", live=False),
    )
    part = asked(look(shopify=shipped(fulfillments=parcels)))

    assert part.actions == (SetTracking("RM24", "", "RM2", ""),)
    assert "one tracking number" in part.because[0]


# -- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mirakl", "action", "subject"), [(an_order(), TRACKING, "tracking RM1"), (TOLD, ShipOrder(), "dispatch")]
)
def test_a_refusal_is_a_case_that_a_person_may_answer_with_another_attempt(
    mirakl: MiraklOrder, action: Any, subject: str
) -> None:
    view = look(mirakl, operations=(an_operation(action, words="No such carrier"),))
    later = a_decision(Reason.SHIPPING_REFUSED, subject, Option.SEND_AGAIN, at=NOW + timedelta(minutes=1))

    (case,) = asked(view).cases
    again = asked(view, a_memory(decisions=(later,)))

    assert (case.reason, case.subject) == (Reason.SHIPPING_REFUSED, subject)
    assert "No such carrier" in case.sentence
    assert asked(view).actions == (action,)
    assert (again.cases, again.actions) == ((), (action,))


@pytest.mark.parametrize(
    ("state", "number", "action", "reason"),
    [
        ("SHIPPING", "RM1", TRACKING, Reason.SHIPPING_REFUSED),
        ("SHIPPING", "RM1", ShipOrder(), Reason.SHIPPING_REFUSED),
        ("SHIPPING", "RM2", TRACKING, None),
        ("SHIPPED", "RM1", TRACKING, None),
        ("SHIPPED", "RM2", SetTracking("RM24", "", "RM2", ""), Reason.TRACKING_NOT_CORRECTED),
        ("SHIPPED WITHOUT", "RM1", TRACKING, Reason.TRACKING_NOT_CORRECTED),
    ],
)
def test_a_refusal_the_marketplace_was_not_seen_after_is_said_a_minute_later(
    state: str, number: str, action: Any, reason: Reason | None
) -> None:
    told = {
        "SHIPPING": an_order(),
        "SHIPPED": an_order("SHIPPED", tracking_carrier_code="RM24", tracking_number="RM1"),
        "SHIPPED WITHOUT": an_order("SHIPPED"),
    }[state]
    parcel = shipped(fulfillments=(a_fulfillment(tracking_number=number),))
    written = NOW + timedelta(seconds=1)
    at_once, later, again = (
        asked(
            look(
                told,
                parcel,
                now=now,
                mirakl_written_at=written,
                operations=(an_operation(action, words="No", ended_at=written),),
            ),
            a_memory(decisions=decisions),
        )
        for now, decisions in (
            (written, ()),
            (written + timedelta(minutes=1), ()),
            (
                written + timedelta(minutes=1),
                (
                    a_decision(
                        reason or Reason.SHIPPING_REFUSED,
                        "tracking RM1",
                        Option.SEND_AGAIN,
                        at=written + timedelta(seconds=5),
                    ),
                ),
            ),
        )
    )

    assert (at_once.actions, at_once.cases) == ((), ())
    assert [case.reason for case in later.cases] == ([] if reason is None else [reason])
    if reason is not None:
        assert at_once.look_at == written + timedelta(minutes=1)
        assert at_once.mirakl_since == later.mirakl_since == written
    if action == TRACKING and reason is not None:
        assert again.cases == ()


def test_corrected_tracking_leaves_the_refusal_behind() -> None:
    view = look(operations=(an_operation(SetTracking("RM24", "", "WRONG", "")),))

    assert (asked(view).cases, asked(view).actions) == ((), (TRACKING,))


@pytest.mark.parametrize(("number", "reasons"), [("NEW", [Reason.TRACKING_NOT_CORRECTED]), ("RM1", [])])
def test_a_number_changed_after_the_dispatch_whose_carrier_leads_nowhere_is_a_case(
    number: str, reasons: list[Reason]
) -> None:
    told = an_order("SHIPPED", tracking_carrier_code="RM24", tracking_number="RM1")
    parcels = (a_fulfillment(carrier="Pigeon", tracking_number=number),)

    part = asked(look(told, shipped(fulfillments=parcels)), a_memory(carried_numbers=("RM1",)))

    assert (part.actions, [case.reason for case in part.cases]) == ((), reasons)


@pytest.mark.parametrize("state", ["SHIPPED", "TO_COLLECT"])
@pytest.mark.parametrize(
    ("changes", "known", "said", "mapped_helps"),
    [
        ({"tracking_number": ""}, True, "no tracking number any more", False),
        ({"tracking_number": " ", "carrier": ""}, True, "no tracking number any more", False),
        ({"tracking_number": "NEW", "carrier": ""}, True, "a number without a carrier", False),
        ({"tracking_number": "📦"}, True, "no tracking number has", False),
        ({"tracking_number": "NEW", "carrier": "Pigeon"}, True, "“Pigeon” is not mapped", True),
        ({"tracking_number": "NEW", "carrier": "Free"}, True, "takes only carriers of its own list", True),
        ({"carrier": ""}, True, "", False),
        ({"carrier": "Pigeon"}, True, "", False),
        # The marketplace's number was never one of Shopify's: somebody gave it in the portal.
        ({"tracking_number": "", "carrier": ""}, False, "", False),
        ({"tracking_number": "NEW", "carrier": ""}, False, "", False),
    ],
)
def test_tracking_changed_after_the_dispatch_that_cannot_be_sent_is_a_case(
    state: str, changes: dict[str, Any], known: bool, said: str, mapped_helps: bool
) -> None:
    told = an_order(state, tracking_carrier_code="RM24", tracking_number="RM1")
    free = CarrierMapping("Free", name="Free Riders")
    rules = replace(RULES, carrier_mappings=(*RULES.carrier_mappings, free), unregistered_carriers=False)
    memory = a_memory(carried_numbers=("RM1",) if known else ())

    part = asked(look(told, shipped(fulfillments=(a_fulfillment(**changes),)), rules=rules), memory)

    assert part.actions == ()
    assert [(case.reason, case.subject) for case in part.cases] == (
        [(Reason.TRACKING_NOT_CORRECTED, "F1")] if said else []
    )
    assert all(said in case.sentence for case in part.cases)
    assert all((Option.MAP_CARRIER in case.options) is mapped_helps for case in part.cases)


PORTAL = an_order("SHIPPED", tracking_carrier_code="RM24", tracking_number="PORTAL")


@pytest.mark.parametrize(
    ("shown", "changes", "known", "told", "sent"),
    [
        pytest.param("PORTAL", {}, (), (TRACKING,), False, id="put right in the portal after we told it"),
        pytest.param(
            "PORTAL", {}, ("PORTAL",), (TRACKING,), False, id="another parcel's number, given there"
        ),
        pytest.param("PORTAL", {}, (), (), False, id="told in the portal alone"),
        pytest.param("PORTAL", {"tracking_number": ""}, (), (TRACKING,), False, id="taken out in Shopify"),
        pytest.param("PORTAL", {"tracking_number": "RM2"}, (), (), False, id="told there alone, another one"),
        pytest.param("PORTAL", {"carrier": "Pigeon"}, (), (TRACKING,), False, id="its carrier leads nowhere"),
        pytest.param("RM1", {"tracking_number": "RM2"}, ("RM1",), (), True, id="a parcel carried it before"),
    ],
)
def test_a_number_that_somebody_gave_in_the_portal_stays(
    shown: str, changes: dict[str, Any], known: tuple[str, ...], told: tuple[SetTracking, ...], sent: bool
) -> None:
    view = look(
        replace(PORTAL, tracking_number=shown),
        shipped(fulfillments=(a_fulfillment(**changes),)),
        trackings_told=told,
    )

    part = asked(view, a_memory(carried_numbers=known))

    assert part.cases == ()
    assert part.actions == ((replace(TRACKING, number="RM2"),) if sent else ())


SHOPIFYS = replace(TRACKING, number="RM2")


@pytest.mark.parametrize(
    ("shown", "changes", "answer", "offered", "sent"),
    [
        pytest.param(
            "PORTAL", {"tracking_number": "RM 2"}, None, (Option.SEND_NUMBER, Option.DISMISS), (), id="asked"
        ),
        pytest.param(
            "PORTAL",
            {"tracking_number": "RM2", "carrier": "Pigeon"},
            None,
            (Option.DISMISS,),
            (),
            id="Shopify's cannot be sent",
        ),
        pytest.param(
            "PORTAL",
            {"tracking_number": "RM2", "carrier": "Pigeon"},
            Option.SEND_NUMBER,
            (Option.DISMISS,),
            (),
            id="cannot be sent any more",
        ),
        pytest.param(
            "PORTAL", {"tracking_number": "RM2"}, Option.DISMISS, None, (), id="the portal's is kept"
        ),
        pytest.param(
            "PORTAL",
            {"tracking_number": "RM2"},
            Option.SEND_NUMBER,
            None,
            (SHOPIFYS,),
            id="Shopify's is sent",
        ),
        pytest.param(
            "PORTAL",
            {"tracking_number": "RM3"},
            Option.DISMISS,
            (Option.SEND_NUMBER, Option.DISMISS),
            (),
            id="changed again in Shopify",
        ),
        pytest.param(
            "PORTAL2",
            {"tracking_number": "RM2"},
            Option.SEND_NUMBER,
            (Option.SEND_NUMBER, Option.DISMISS),
            (),
            id="changed again in the portal",
        ),
        pytest.param("RM2", {"tracking_number": "RM2"}, None, None, (), id="both agree"),
    ],
)
def test_a_number_put_right_on_both_sides_to_different_ones_is_asked_about(
    shown: str,
    changes: dict[str, Any],
    answer: Option | None,
    offered: tuple[Option, ...] | None,
    sent: tuple[SetTracking, ...],
) -> None:
    said = a_decision(Reason.TRACKING_NOT_CORRECTED, "F1 PORTAL RM2", answer, NOW) if answer else None
    view = look(
        replace(PORTAL, tracking_number=shown),
        shipped(fulfillments=(a_fulfillment(**changes),)),
        trackings_told=(TRACKING,),
    )

    part = asked(view, a_memory(carried_numbers=("RM1",), decisions=(said,) if said else ()))

    number = changes["tracking_number"].replace(" ", "")
    assert part.actions == sent
    assert [case.options for case in part.cases] == ([] if offered is None else [offered])
    for case in part.cases:
        assert (case.reason, case.subject) == (Reason.TRACKING_NOT_CORRECTED, f"F1 {shown} {number}")
        assert f"its portal shows {shown}, Shopify {number}." in case.sentence


def test_the_number_of_a_cancelled_parcel_that_was_told_in_the_portal_gives_way_to_the_next_one() -> None:
    parcels = (
        a_fulfillment(tracking_number="PORTAL", live=False),
        a_fulfillment("F2", tracking_number="RM2"),
    )

    assert asked(look(PORTAL, shipped(fulfillments=parcels))).actions == (replace(TRACKING, number="RM2"),)


def test_nothing_is_said_of_tracking_while_the_marketplace_was_not_seen_since() -> None:
    told = an_order("SHIPPED", tracking_carrier_code="RM24", tracking_number="RM1")
    bare = shipped(fulfillments=(a_fulfillment(tracking_number=""),))
    view = look(told, bare, mirakl_written_at=NOW + timedelta(seconds=1))

    part = asked(view, a_memory(carried_numbers=("RM1",)))

    assert (part.cases, part.mirakl_since) == ((), view.mirakl_written_at)


@pytest.mark.parametrize(
    ("numbers", "before", "after"),
    [
        pytest.param((" RM 1 ",), (), ("RM1",), id="as it is sent"),
        pytest.param(("",), ("RM1",), ("RM1",), id="taken away in Shopify"),
        pytest.param(("NEW",), ("RM1",), ("RM1", "NEW"), id="changed in Shopify"),
        pytest.param(("RM1", "RM2"), (), ("RM1", "RM2"), id="of every parcel"),
    ],
)
@pytest.mark.parametrize("state", ["SHIPPING", "SHIPPED"])
def test_every_number_that_a_parcel_carried_is_remembered(
    numbers: tuple[str, ...], before: tuple[str, ...], after: tuple[str, ...], state: str
) -> None:
    parcels = tuple(
        a_fulfillment(f"F{place}", tracking_number=number, live=place == 1)
        for place, number in enumerate(numbers, start=1)
    )
    view = look(an_order(state), shipped(fulfillments=parcels))

    assert asked(view, a_memory(carried_numbers=before)).memory.carried_numbers == after


# -- what was not there when the dispatch was told ---------------------------------------------------------------


@pytest.mark.parametrize("state", ["SHIPPED", "TO_COLLECT"])
def test_a_number_that_lands_after_the_dispatch_follows_it_once(state: str) -> None:
    told = an_order(state)
    part = asked(look(told))
    again = asked(look(told, trackings_told=(TRACKING,)))
    other = asked(look(told, trackings_told=(replace(TRACKING, number="WRONG"),)))

    assert part.actions == (TRACKING,)
    assert "was not there when the dispatch was told" in part.because[0]
    # The marketplace took it and shows none all the same: sending it for ever would help nobody.
    assert (again.actions, again.cases) == ((), ())
    assert other.actions == (TRACKING,)


def test_nothing_is_sent_of_a_parcel_that_still_has_no_number() -> None:
    part = asked(look(an_order("SHIPPED"), shipped(fulfillments=(a_fulfillment(tracking_number=" "),))))

    assert (part.actions, part.cases) == ((), ())


def test_of_several_parcels_of_a_shipped_order_the_first_with_a_number_is_sent() -> None:
    parcels = (
        a_fulfillment("F1", tracking_number="", created_at=NOW),
        a_fulfillment("F2", tracking_number="RM2", created_at=NOW + timedelta(minutes=1)),
        a_fulfillment("F3", tracking_number="RM3", created_at=NOW + timedelta(minutes=2)),
    )
    second = replace(TRACKING, number="RM2")
    part = asked(look(an_order("SHIPPED"), shipped(fulfillments=parcels)))

    assert part.actions == (second,)
    assert "one tracking number" in part.because[0]
    # When the first one gets its number too, the customer keeps the one that was told.
    late = (replace(parcels[0], tracking_number="RM1"), *parcels[1:])
    shown = an_order("SHIPPED", tracking_carrier_code="RM24", tracking_number="RM2")
    assert asked(look(shown, shipped(fulfillments=late), trackings_told=(second,))).actions == ()


@pytest.mark.parametrize(
    ("changes", "said", "mapped_helps"),
    [
        ({"carrier": "Pigeon"}, "“Pigeon” is not mapped", True),
        ({"carrier": ""}, "or set a default carrier for this connection", False),
        ({"tracking_number": "📦"}, "no tracking number has", False),
    ],
)
def test_a_number_the_customer_will_not_get_is_a_case_after_the_dispatch(
    changes: dict[str, Any], said: str, mapped_helps: bool
) -> None:
    part = asked(look(an_order("SHIPPED"), shipped(fulfillments=(a_fulfillment(**changes),))))

    (case,) = part.cases
    assert (part.actions, case.reason, case.subject) == ((), Reason.TRACKING_NOT_CORRECTED, "F1")
    assert said in case.sentence
    assert "The customer has no number to follow" in case.sentence
    assert (Option.MAP_CARRIER in case.options) is mapped_helps


@pytest.mark.parametrize(
    ("shown", "parcel", "told", "said"),
    [
        ("", "RM1", (), "has no number to follow"),
        ("RM1", "RM2", (), "still follows the old number"),
        ("RM1", "RM1", (replace(TRACKING, carrier_code="RM48"),), "at the old carrier"),
    ],
)
def test_tracking_refused_after_the_dispatch_is_a_case_in_its_own_words(
    shown: str, parcel: str, told: tuple[SetTracking, ...], said: str
) -> None:
    wanted = replace(TRACKING, number=parcel)
    order = an_order("SHIPPED", tracking_carrier_code="RM48" if shown else "", tracking_number=shown)
    part = asked(
        look(
            order,
            shipped(fulfillments=(a_fulfillment(tracking_number=parcel),)),
            trackings_told=told,
            operations=(an_operation(wanted, words="No"),),
        ),
        a_memory(carried_numbers=("RM1",)),
    )

    (case,) = part.cases
    assert (part.actions, case.reason) == ((wanted,), Reason.TRACKING_NOT_CORRECTED)
    assert said in case.sentence


# -- a carrier put right after the dispatch -----------------------------------------------------------------------

WRONG = SetTracking("RM48", "", "RM1", "")


@pytest.mark.parametrize(
    ("shown", "carrier", "told", "sent"),
    [
        pytest.param("RM48", "Royal Mail 24", (WRONG,), True, id="the map was put right"),
        pytest.param(
            "RM24", "Royal Mail 24", (WRONG,), False, id="the marketplace has the right one already"
        ),
        pytest.param("RM48", "Royal Mail 24", (WRONG, TRACKING), False, id="told once, however it is shown"),
        pytest.param(
            "RM48", "Royal Mail 48", (WRONG, TRACKING), False, id="the map was put back, and it is shown"
        ),
        pytest.param(
            "XXX", "Royal Mail 48", (WRONG, TRACKING), True, id="the map was put back, and it is not shown"
        ),
        pytest.param("XXX", "Royal Mail 48", (WRONG,), False, id="shown otherwise than it was sent"),
        pytest.param("RM48", "Royal Mail 24", (), False, id="given in the portal"),
        pytest.param(
            "RM48",
            "Royal Mail 24",
            (replace(WRONG, number="OLD"),),
            False,
            id="this number was given in the portal",
        ),
        pytest.param("RM48", "Pigeon", (WRONG,), False, id="the carrier leads nowhere"),
    ],
)
def test_a_carrier_put_right_after_the_dispatch_follows_once(
    shown: str, carrier: str, told: tuple[SetTracking, ...], sent: bool
) -> None:
    order = an_order("SHIPPED", tracking_carrier_code=shown, tracking_number="RM1")
    parcel = shipped(fulfillments=(a_fulfillment(carrier=carrier),))
    part = asked(look(order, parcel, trackings_told=told))

    assert part.cases == ()
    right = replace(TRACKING, carrier_code="RM48" if carrier == "Royal Mail 48" else "RM24")
    assert part.actions == ((right,) if sent else ())
    assert ("The carrier is another one" in "".join(part.because)) is sent


VAN = SetTracking("", "Our van", "7", "https://v/right")
OLD_URL = replace(VAN, url="https://v/wrong")


@pytest.mark.parametrize(
    ("url", "told", "sent"),
    [
        pytest.param("https://v/wrong", (OLD_URL,), True, id="put right"),
        pytest.param("", (OLD_URL,), True, id="put right, and the marketplace shows no URL"),
        pytest.param("https://v/right", (OLD_URL,), False, id="put right in the portal too"),
        pytest.param("https://m.example/7", (VAN,), False, id="shown otherwise than it was sent"),
        pytest.param("https://v/right", (VAN,), False, id="as it was told"),
        pytest.param("", (VAN,), False, id="as it was told, and the marketplace shows no URL"),
    ],
)
def test_a_tracking_url_of_an_unregistered_carrier_that_is_put_right_follows_once(
    url: str, told: tuple[SetTracking, ...], sent: bool
) -> None:
    shown = an_order(tracking_carrier_name="Our van", tracking_number="7", tracking_url=url)
    parcel = shipped(fulfillments=(a_fulfillment(carrier="Van", tracking_number="7", tracking_url=VAN.url),))

    before = asked(look(shown, parcel, trackings_told=told))
    after = asked(look(replace(shown, state="SHIPPED"), parcel, trackings_told=told))

    assert before.actions == ((VAN,) if sent else (ShipOrder(),))
    assert after.actions == ((VAN,) if sent else ())
    assert ("The tracking URL was changed" in "".join(after.because)) is sent


def test_a_tracking_url_that_only_the_portal_told_is_left_alone_after_the_dispatch() -> None:
    shown = an_order(
        "SHIPPED", tracking_carrier_name="Our van", tracking_number="7", tracking_url="https://v/portal"
    )
    parcel = shipped(fulfillments=(a_fulfillment(carrier="Van", tracking_number="7", tracking_url=VAN.url),))

    assert asked(look(shown, parcel)).actions == ()


def test_a_tracking_url_the_marketplace_refuses_after_the_dispatch_is_named() -> None:
    shown = an_order(
        "SHIPPED", tracking_carrier_name="Our van", tracking_number="7", tracking_url=OLD_URL.url
    )
    parcel = shipped(fulfillments=(a_fulfillment(carrier="Van", tracking_number="7", tracking_url=VAN.url),))
    refused = an_operation(VAN, "REJECTED", words="No.")

    (case,) = asked(look(shown, parcel, trackings_told=(OLD_URL,), operations=(refused,))).cases

    assert case.reason is Reason.TRACKING_NOT_CORRECTED
    assert "The tracking URL of a parcel was changed" in case.sentence


def test_a_marketplace_that_calls_the_carrier_otherwise_hears_of_the_dispatch_all_the_same() -> None:
    shown = an_order(tracking_carrier_code="ROYAL_MAIL", tracking_number="RM1")

    assert asked(look(shown)).actions == (TRACKING,)
    assert asked(look(shown, trackings_told=(TRACKING,))).actions == (ShipOrder(),)


# -- a label that was given back -------------------------------------------------------------------------------

VOIDED = a_fulfillment(display_status="LABEL_VOIDED")
LABEL = (LabelSeen("F1", "RM1"),)


@pytest.mark.parametrize("as_decided", [False, True])
@pytest.mark.parametrize("mirakl", [an_order(), TOLD])
def test_a_label_that_was_given_back_is_not_reported_as_dispatched(
    mirakl: MiraklOrder, as_decided: bool
) -> None:
    view = look(mirakl, shipped(fulfillments=(VOIDED,)))

    part = decide(view, a_memory(labels_seen=LABEL), (), as_decided)

    assert (part.actions, part.cases) == ((), ())
    assert "given back" in part.because[0]


@pytest.mark.parametrize(
    ("minutes", "mirakl", "changes", "asked_about"),
    [
        pytest.param(9, None, {}, False, id="another label may be bought yet"),
        pytest.param(10, None, {}, True, id="nobody bought one"),
        pytest.param(
            10, an_order("SHIPPED", tracking_number="RM1"), {}, False, id="told, and its incident asks"
        ),
        pytest.param(
            10,
            None,
            {"incidents": (Incident(Reason.FULFILLMENT_CANCELLED, "F1 RM1", NOW, "It came back."),)},
            False,
            id="told of as a parcel, and its incident asks",
        ),
        pytest.param(
            10,
            None,
            {"decisions": (a_decision(Reason.LABEL_GIVEN_BACK, "F1 RM1", Option.LEFT_UNDER_NUMBER),)},
            False,
            id="a person says that it left",
        ),
    ],
)
def test_a_label_that_was_given_back_and_not_bought_anew_is_asked_about(
    minutes: int, mirakl: MiraklOrder | None, changes: dict[str, Any], asked_about: bool
) -> None:
    since = NOW - timedelta(minutes=minutes)
    memory = a_memory(**{"labels_seen": (LabelSeen("F1", "RM1", since),), **changes})

    part = asked(look(mirakl, shipped(fulfillments=(VOIDED,))), memory)

    assert [case.reason for case in part.cases] == ([Reason.LABEL_GIVEN_BACK] if asked_about else [])
    assert part.look_at == (since + timedelta(minutes=10) if minutes < 10 else None)
    said = "decisions" in changes
    assert [type(action) for action in part.actions] == ([SetTracking] if said else [])


@pytest.mark.parametrize(
    "parcel",
    [
        pytest.param(replace(VOIDED, tracking_number="RM2"), id="another number"),
        pytest.param(
            replace(VOIDED, display_status="LABEL_PURCHASED", tracking_number="RM2"), id="another label"
        ),
    ],
)
def test_once_it_has_another_label_it_is_reported_with_that(parcel: Fulfillment) -> None:
    part = asked(look(shopify=shipped(fulfillments=(parcel,))), a_memory(labels_seen=LABEL))

    assert part.actions == (SetTracking("RM24", "", "RM2", ""),)


def test_a_label_given_back_of_several_makes_the_order_wait_for_its_units() -> None:
    lamp = replace(VOIDED, id="F2", lines=(("S2", 1),))
    view = look(shopify=shipped(fulfillments=(a_fulfillment(lines=(("S1", 2),)), lamp)))

    part = asked(view)

    assert part.actions == ()
    assert any("0 of 1 of LAMP have left" in sentence for sentence in part.because)


def test_after_the_dispatch_the_other_label_follows_as_a_correction() -> None:
    told = an_order("SHIPPED", tracking_carrier_code="RM24", tracking_number="RM1")
    memory = a_memory(labels_seen=LABEL, carried_numbers=("RM1",))

    back = asked(look(told, shipped(fulfillments=(VOIDED,))), memory)
    anew = asked(look(told, shipped(fulfillments=(replace(VOIDED, tracking_number="RM2"),))), memory)

    assert (back.actions, back.cases, back.because) == ((), (), ())
    assert anew.actions == (SetTracking("RM24", "", "RM2", ""),)


def test_too_much_in_a_parcel_is_made_good_by_giving_its_label_back() -> None:
    too_many = shipped(mugs=3, fulfillments=(a_fulfillment(lines=(("S1", 3), ("S2", 1))),))
    wrong = asked(look(shopify=too_many)).memory
    given_back = replace(
        too_many, fulfillments=(replace(too_many.fulfillments[0], display_status="LABEL_VOIDED"),)
    )

    right = asked(look(shopify=given_back), wrong).memory

    assert [(i.reason, i.closed_at) for i in wrong.incidents] == [(Reason.SHIPPED_ON_DISAGREEMENT, None)]
    assert right.incidents[0].closed_at == NOW


# -- what is foreseen, and what cannot be sent ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("parcel", "mandatory", "reason"),
    [
        (a_fulfillment(carrier="Pigeon"), (), Reason.CARRIER_UNKNOWN),
        (a_fulfillment(tracking_number=""), ("STD",), Reason.TRACKING_MISSING),
        (a_fulfillment(carrier="", tracking_number=""), ("STD",), Reason.TRACKING_MISSING),
        (a_fulfillment(carrier="", tracking_number=""), (), None),
        (a_fulfillment(tracking_number="📦📦"), (), Reason.TRACKING_UNUSABLE),
        (a_fulfillment(), ("STD",), None),
    ],
)
def test_what_will_stop_the_dispatch_is_said_with_the_first_parcel(
    parcel: Fulfillment, mandatory: tuple[str, ...], reason: Reason | None
) -> None:
    first = shipped(mugs=1, lamps=0, fulfillments=(parcel,))
    part = asked(look(shopify=first, rules=replace(RULES, tracking_mandatory_for=mandatory)))

    assert part.actions == ()
    assert [case.reason for case in part.cases] == ([] if reason is None else [reason])


@pytest.mark.parametrize("number", ["X" * 500, "📦 123", "Sendung-Nr. läuft", "---"])
def test_a_number_that_can_be_none_is_a_case_and_nothing_is_sent(number: str) -> None:
    parcel = a_fulfillment(tracking_number=number)
    part = asked(look(shopify=shipped(fulfillments=(parcel,))))

    (case,) = part.cases
    assert (case.reason, case.subject) == (Reason.TRACKING_UNUSABLE, parcel.id)
    assert part.actions == ()


def test_blanks_between_the_groups_of_a_number_are_left_out() -> None:
    parcel = shipped(fulfillments=(a_fulfillment(tracking_number=" RM 1 "),))

    assert asked(look(shopify=parcel)).actions == (TRACKING,)
    assert asked(look(TOLD, parcel)).actions == (ShipOrder(),)


def test_a_parcel_that_can_be_told_of_goes_before_one_that_cannot() -> None:
    parcels = (
        a_fulfillment(tracking_number="📦"),
        replace(a_fulfillment(), id="F2", created_at=NOW + timedelta(minutes=1)),
    )

    assert asked(look(shopify=shipped(fulfillments=parcels))).actions == (TRACKING,)


def test_a_name_nobody_mapped_goes_by_itself_when_it_is_a_registered_carriers() -> None:
    parcel = shipped(fulfillments=(a_fulfillment(carrier="Royal-Mail 48"),))
    part = asked(look(shopify=parcel))

    assert part.actions == (SetTracking("RM48", "", "RM1", ""),)
    assert "name of a carrier in the marketplace's own list" in part.because[0]


def test_the_default_is_used_last_and_the_order_says_so() -> None:
    rules = replace(RULES, carrier_mappings=(*RULES.carrier_mappings, CarrierMapping("*", code="RM48")))
    parcel = shipped(fulfillments=(a_fulfillment(carrier="Pigeon"),))
    part = asked(look(shopify=parcel, rules=rules))

    assert part.actions == (SetTracking("RM48", "", "RM1", ""),)
    assert "the default carrier of this connection is sent" in part.because[0]


def test_where_the_parcel_goes_decides_between_two_mappings() -> None:
    rules = replace(
        RULES,
        carrier_mappings=(
            CarrierMapping("DPD", code="RM24"),
            CarrierMapping("DPD", code="RM48", country="FR"),
        ),
    )
    parcel = shipped(fulfillments=(a_fulfillment(carrier="DPD"),))
    told = {
        country: asked(look(an_order(country=country), parcel, rules=rules)).actions
        for country in ("FR", "DE", "")
    }

    assert told == {
        "FR": (SetTracking("RM48", "", "RM1", ""),),
        "DE": (SetTracking("RM24", "", "RM1", ""),),
        "": (SetTracking("RM24", "", "RM1", ""),),
    }

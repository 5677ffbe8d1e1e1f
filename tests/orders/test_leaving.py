"""Which fulfillments mean that something left: a label that was given back has not, until it shows another number."""

from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.orders.leaving import as_it_left, stays_here, with_labels_seen
from interlock.orders.memory import LabelSeen
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Fulfillment
from tests.build import NOW, a_decision, a_fulfillment, a_memory, a_shopify_line, a_shopify_order

VOIDED = a_fulfillment(display_status="LABEL_VOIDED", tracking_number="RM 1")
SEEN = (LabelSeen("F1", "RM1"),)
BACK = (LabelSeen("F1", "RM1", NOW),)
EARLIER = (LabelSeen("F1", "RM1", NOW - timedelta(minutes=9)),)


@pytest.mark.parametrize(
    ("parcel", "seen", "here"),
    [
        pytest.param(VOIDED, SEEN, True, id="given back"),
        pytest.param(VOIDED, (), True, id="given back before anybody saw the label"),
        pytest.param(replace(VOIDED, tracking_number="RM2"), SEEN, False, id="another number"),
        pytest.param(replace(VOIDED, tracking_number=""), SEEN, True, id="its number taken out"),
        pytest.param(
            replace(VOIDED, tracking_number="RM2"),
            (LabelSeen("F1", ""),),
            False,
            id="a number where there was none",
        ),
        pytest.param(
            replace(VOIDED, tracking_number="RM2"),
            (LabelSeen("F2", "RM2"),),
            True,
            id="another parcel's number",
        ),
        pytest.param(replace(VOIDED, display_status="LABEL_PURCHASED"), SEEN, False, id="another label"),
        pytest.param(replace(VOIDED, display_status="IN_TRANSIT"), SEEN, False, id="on its way all the same"),
        pytest.param(replace(VOIDED, live=False), SEEN, False, id="cancelled, so it does not stand"),
        pytest.param(a_fulfillment(), (), False, id="an ordinary parcel"),
    ],
)
def test_nothing_leaves_under_a_label_that_was_given_back(
    parcel: Fulfillment, seen: tuple[LabelSeen, ...], here: bool
) -> None:
    memory = a_memory(labels_seen=seen)
    shopify = a_shopify_order(
        lines=(
            a_shopify_line(fulfilled_quantity=2),
            a_shopify_line("S2", "LAMP", 1, "30.00", "L2", fulfilled_quantity=1),
        ),
        fulfillments=(parcel, a_fulfillment("F9", lines=())),
    )

    left = as_it_left(shopify, memory)

    assert stays_here(parcel, memory) is here
    assert [line.fulfilled_quantity for line in left.lines] == ([0, 0] if here else [2, 1])
    assert [f.live for f in left.fulfillments] == [parcel.live and not here, True]
    assert (left is shopify) is not here


@pytest.mark.parametrize(("number", "here"), [("RM1", False), ("RM2", True)])
def test_a_person_may_say_that_a_parcel_left_under_the_number_it_shows(number: str, here: bool) -> None:
    said = a_decision(Reason.LABEL_GIVEN_BACK, f"F1 {number}", Option.LEFT_UNDER_NUMBER)

    assert stays_here(VOIDED, a_memory(labels_seen=BACK, decisions=(said,))) is here


def test_units_in_other_parcels_of_the_same_line_have_left() -> None:
    first = a_fulfillment("F1", lines=(("S1", 1),))
    second = replace(VOIDED, id="F2", lines=(("S1", 1),))
    shopify = a_shopify_order(lines=(a_shopify_line(fulfilled_quantity=2),), fulfillments=(first, second))

    assert as_it_left(shopify, a_memory()).lines[0].fulfilled_quantity == 1


@pytest.mark.parametrize(
    ("before", "parcel", "after"),
    [
        pytest.param((), replace(VOIDED, display_status="LABEL_PURCHASED"), SEEN, id="a label"),
        pytest.param(SEEN, VOIDED, BACK, id="given back"),
        pytest.param(
            SEEN,
            replace(VOIDED, tracking_number="RM2"),
            (*BACK, LabelSeen("F1", "RM2", NOW)),
            id="its number changed and given back since the last look, in whichever order",
        ),
        pytest.param(
            EARLIER,
            replace(VOIDED, tracking_number="RM2"),
            EARLIER,
            id="given back a while ago, another number",
        ),
        pytest.param(
            (LabelSeen("F1", "", NOW - timedelta(minutes=9)),),
            replace(VOIDED, tracking_number="RM2"),
            (LabelSeen("F1", "", NOW - timedelta(minutes=9)),),
            id="given back a while ago without a number, a number now",
        ),
        pytest.param((), VOIDED, BACK, id="given back before it was seen"),
        pytest.param(EARLIER, VOIDED, EARLIER, id="given back a while ago"),
        pytest.param(
            SEEN,
            replace(VOIDED, display_status="LABEL_PRINTED", tracking_number="RM2"),
            (LabelSeen("F1", "RM2"),),
            id="another label",
        ),
        pytest.param(SEEN, replace(VOIDED, display_status="IN_TRANSIT"), (), id="on its way"),
        pytest.param(SEEN, replace(VOIDED, live=False), (), id="cancelled"),
    ],
)
def test_the_number_of_a_label_is_remembered_from_before_it_was_given_back(
    before: tuple[LabelSeen, ...], parcel: Fulfillment, after: tuple[LabelSeen, ...]
) -> None:
    memory = with_labels_seen(a_memory(labels_seen=before), a_shopify_order(fulfillments=(parcel,)), NOW)

    assert memory.labels_seen == after

"""The parcel moves only when everything agrees; our holds, and only ours, say so."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from interlock.holds.decide import NOTES, decide, on_sight
from interlock.orders.actions import MarkPaid, PlaceHold, ReleaseHold
from interlock.orders.memory import Incident, Memory, Rehold
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import NO_ADDRESS, ShopifyOrder
from tests.build import (
    ELSEWHERE,
    FOREIGN_HOLD,
    HIDDEN,
    LINES,
    NOW,
    OUR_HOLD,
    a_cancelation,
    a_fulfillment,
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

PLACE = PlaceHold("FO1", NOTES)
RELEASE = ReleaseHold("FO1", ("H1",))
UNHELD = a_shopify_order(fulfillment_orders=(a_fulfillment_order(holds=()),))
EDITED = (a_shopify_line(current_quantity=1), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
WHY = ("The mugs differ.",)


def gate(memory: Memory | None = None, keep_held: tuple[str, ...] = (), **changes: Any) -> Part:
    memory = memory if memory is not None else a_memory(held=("FO1",))
    return decide(a_view(**{"memory": memory, **changes}), memory, keep_held)


# -- open --------------------------------------------------------------------------------------------------


def test_the_hold_comes_off_when_everything_agrees() -> None:
    part = gate()
    assert part.actions == (RELEASE,)
    assert (part.memory.released_at, part.memory.held) == (NOW, ())


def test_the_hold_comes_off_when_an_added_line_was_taken_away_again() -> None:
    gone = a_shopify_line("S9", "BOARD", 1, line_id="", current_quantity=0)
    shopify = a_shopify_order()
    view = a_view(shopify=replace(shopify, lines=(*shopify.lines, gone)))
    assert decide(view, view.memory, ()).actions == (ReleaseHold("FO1", ("H1",)),)


def test_only_our_own_hold_under_our_handle_is_released() -> None:
    ours_elsewhere = replace(OUR_HOLD, id="H2", handle="interlock:other")
    stolen_handle = replace(OUR_HOLD, id="H3", ours=False)
    fo = a_fulfillment_order(holds=(FOREIGN_HOLD, OUR_HOLD, ours_elsewhere, stolen_handle))
    assert gate(shopify=a_shopify_order(fulfillment_orders=(fo,))).actions == (RELEASE,)


def test_an_open_gate_with_nothing_held_does_nothing() -> None:
    assert gate(a_memory(released_at=NOW), shopify=UNHELD).actions == ()


# -- closed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"mirakl": an_order("WAITING_ACCEPTANCE")},
        {"mirakl": an_order("WAITING_DEBIT_PAYMENT")},
        {"mirakl": an_order("CANCELED")},
        {"mirakl": an_order(can_ship=False)},
        {"rules": some_rules(edit_window=timedelta(minutes=6))},
        {"keep_held": WHY},
        {"shopify": replace(UNHELD, lines=EDITED)},
    ],
)
def test_evidence_closes_the_gate_even_after_a_release(changes: dict[str, Any]) -> None:
    part = gate(a_memory(released_at=NOW - timedelta(minutes=1)), **{"shopify": UNHELD, **changes})
    assert part.actions == (PLACE,)
    assert part.memory.released_at is None
    held = replace(changes.get("shopify", UNHELD), fulfillment_orders=(a_fulfillment_order(),))
    assert gate(**{**changes, "shopify": held}).actions == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"mirakl": None},
        {"mirakl": an_order(address=HIDDEN)},
        {"shopify": a_shopify_order(address=NO_ADDRESS)},
        {"mirakl_written_at": NOW},
        {"shopify": a_shopify_order(fulfillment_orders=(a_fulfillment_order(destination=ELSEWHERE),))},
        {"shopify": a_shopify_order(fulfillment_orders=(a_fulfillment_order(destination=NO_ADDRESS),))},
        {
            "rules": some_rules(import_route="order"),
            "shopify": a_shopify_order(fulfillment_orders=(a_fulfillment_order(destination=NO_ADDRESS),)),
        },
        {
            "shopify": a_shopify_order(
                fulfillment_orders=(
                    a_fulfillment_order(),
                    a_fulfillment_order("FO2", remaining=(("S2", 1),), destination=NO_ADDRESS),
                )
            )
        },
        {
            "shopify": a_shopify_order(
                fulfillment_orders=(a_fulfillment_order(destination=NO_ADDRESS, delivery="LOCAL"),)
            )
        },
    ],
)
def test_missing_data_never_releases_a_hold(changes: dict[str, Any]) -> None:
    assert gate(**changes).actions == ()


NOTHING_TO_SEND = tuple(replace(line, requires_shipping=False) for line in a_shopify_order().lines)


@pytest.mark.parametrize(
    ("fo", "lines"),
    [
        pytest.param({"destination": NO_ADDRESS, "delivery": "PICK_UP"}, None, id="the customer fetches it"),
        pytest.param({"destination": ELSEWHERE, "delivery": "PICK_UP"}, None, id="it is fetched elsewhere"),
        pytest.param({"destination": NO_ADDRESS, "delivery": "RETAIL"}, None, id="sold over the counter"),
        pytest.param({"destination": NO_ADDRESS, "delivery": "NONE"}, NOTHING_TO_SEND, id="nothing to send"),
        pytest.param({"delivery": "LOCAL"}, None, id="a local delivery with its address"),
    ],
)
def test_what_goes_to_no_address_needs_none(fo: dict[str, Any], lines: Any) -> None:
    shopify = a_shopify_order(fulfillment_orders=(a_fulfillment_order(**fo),))
    assert gate(shopify=replace(shopify, lines=lines or shopify.lines)).actions == (RELEASE,)


def test_a_part_of_which_nothing_is_left_goes_nowhere() -> None:
    left = a_fulfillment_order("FO2", status="CLOSED", destination=ELSEWHERE)
    shopify = a_shopify_order(fulfillment_orders=(a_fulfillment_order(), left))
    assert gate(shopify=shopify).actions == (RELEASE,)


@pytest.mark.parametrize(
    "changes", [{"mirakl": None}, {"mirakl": an_order(address=HIDDEN)}, {"mirakl_written_at": NOW}]
)
def test_missing_data_holds_nothing_that_was_released(changes: dict[str, Any]) -> None:
    assert gate(a_memory(released_at=NOW), **{"shopify": UNHELD, **changes}).actions == ()
    assert gate(a_memory(), **{"shopify": UNHELD, **changes}).actions == (PLACE,)


def test_the_edit_window_wakes_the_order_when_it_ends() -> None:
    part = gate(rules=some_rules(edit_window=timedelta(minutes=6)))
    assert part.look_at == NOW + timedelta(minutes=1)


def test_every_open_fulfillment_order_is_held() -> None:
    shopify = a_shopify_order(
        fulfillment_orders=(
            a_fulfillment_order(),
            a_fulfillment_order("FO2", holds=(FOREIGN_HOLD,)),
            a_fulfillment_order("FO3", holds=(), status="CLOSED"),
            a_fulfillment_order("FO4", holds=(), remaining=(("S1", 0),)),
        )
    )
    part = gate(keep_held=WHY, shopify=shopify)
    assert part.actions == (PlaceHold("FO2", NOTES),)
    assert part.memory.held == ("FO1",)


@pytest.mark.parametrize("state", ["SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED"])
def test_a_shipped_order_is_neither_held_nor_released(state: str) -> None:
    assert gate(mirakl=an_order(state)).actions == ()
    assert gate(mirakl=an_order(state), shopify=UNHELD, keep_held=WHY).actions == ()


LAMP_TAKEN_BACK = an_order(
    "SHIPPED",
    lines=(a_line("L1"), a_line("L2", "LAMP", 1, "30.00", "0", cancelations=(a_cancelation(1, "30.00"),))),
)
MUGS_LEFT = replace(
    UNHELD,
    lines=(a_shopify_line(fulfilled_quantity=2), a_shopify_line("S2", "LAMP", 1, "30.00", "L2")),
    fulfillments=(a_fulfillment(lines=(("S1", 2),)),),
    fulfillment_orders=(
        a_fulfillment_order(holds=(), remaining=(("S2", 1),)),
        a_fulfillment_order("FO2", holds=(), remaining=(("S1", 1),)),
    ),
)
STRANGER = replace(
    MUGS_LEFT,
    lines=(*MUGS_LEFT.lines[:1], a_shopify_line("S2", "EXTRA", 1, line_id="")),
)


@pytest.mark.parametrize("shopify", [MUGS_LEFT, STRANGER])
def test_units_beyond_what_was_sold_are_held_after_the_dispatch_too(shopify: ShopifyOrder) -> None:
    """The lamp was cancelled at the marketplace, which then counts the order as shipped: the lamp must not follow."""
    part = gate(a_memory(released_at=NOW), mirakl=LAMP_TAKEN_BACK, shopify=shopify)

    assert part.actions == (PLACE,)
    assert part.label is not None
    assert not part.label.yes


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"mirakl": an_order("SHIPPED")}, id="it was sold"),
        pytest.param({"mirakl_written_at": NOW}, id="the marketplace was not seen since our last call"),
        pytest.param(
            {"shopify": replace(MUGS_LEFT, fulfillment_orders=MUGS_LEFT.fulfillment_orders[1:])},
            id="none is open",
        ),
        pytest.param(
            {
                "shopify": replace(
                    MUGS_LEFT,
                    lines=(MUGS_LEFT.lines[0], replace(MUGS_LEFT.lines[1], fulfilled_quantity=1)),
                )
            },
            id="it left already",
        ),
        pytest.param(
            {
                "shopify": replace(
                    MUGS_LEFT,
                    fulfillment_orders=(a_fulfillment_order(remaining=(("S2", 1),)),),
                )
            },
            id="it is held already",
        ),
    ],
)
def test_after_the_dispatch_nothing_else_is_held(changes: dict[str, Any]) -> None:
    assert gate(**{"mirakl": LAMP_TAKEN_BACK, "shopify": MUGS_LEFT, **changes}).actions == ()


def test_what_a_person_decided_to_ship_is_not_held_after_the_dispatch() -> None:
    view = a_view(mirakl=LAMP_TAKEN_BACK, shopify=MUGS_LEFT)

    assert decide(view, view.memory, (), as_decided="Ada decided to ship it.").actions == ()


def test_a_cancelled_order_is_not_held() -> None:
    assert gate(shopify=replace(UNHELD, cancelled_at=NOW), keep_held=WHY).actions == ()


# -- the payment lock --------------------------------------------------------------------------------------


def test_the_order_is_marked_paid_before_the_first_release() -> None:
    rules = some_rules(import_route="order")
    assert gate(rules=rules, shopify=a_shopify_order(paid=False)).actions == (MarkPaid("SO1"),)
    assert gate(rules=rules).actions == (RELEASE,)


def test_an_order_that_must_wait_is_not_marked_paid() -> None:
    rules = some_rules(import_route="order")
    assert gate(rules=rules, shopify=a_shopify_order(paid=False), keep_held=WHY).actions == ()


# -- holds that cannot be placed ---------------------------------------------------------------------------


def test_a_parcel_that_cannot_be_held_is_an_urgent_case() -> None:
    fo = a_fulfillment_order(holds=(), can_hold=False)
    part = gate(a_memory(), WHY, shopify=a_shopify_order(fulfillment_orders=(fo,)))
    assert part.actions == ()
    assert [(case.reason, case.subject, case.how_severe) for case in part.cases] == [
        (Reason.CANNOT_HOLD, "FO1", "urgent")
    ]
    assert part.cases[0].options == ()  # there is no call that could be sent again


def test_a_refused_hold_is_a_case_and_stays_wanted() -> None:
    part = gate(a_memory(), WHY, shopify=UNHELD, operations=(an_operation(PLACE, words="limit reached"),))
    assert part.actions == (PLACE,)
    assert "limit reached" in part.cases[0].sentence
    assert part.cases[0].options == (Option.SEND_AGAIN,)


# -- holds that others take off ----------------------------------------------------------------------------


def test_a_hold_that_others_released_is_placed_once_more() -> None:
    part = gate(keep_held=WHY, shopify=UNHELD)
    assert part.actions == (PLACE,)
    assert part.memory.reholds == (Rehold("FO1", NOW, 1),)
    assert part.memory.incidents == ()


def test_the_second_time_it_is_left_to_people() -> None:
    memory = a_memory(held=("FO1",), reholds=(Rehold("FO1", NOW - timedelta(hours=1), 1),))
    part = gate(memory, WHY, shopify=UNHELD)
    assert part.actions == ()
    assert part.memory.incident(Reason.HOLD_RELEASED_BY_OTHERS, "FO1") is not None
    assert gate(part.memory, WHY, shopify=UNHELD).actions == ()


def test_a_later_edit_is_a_new_reason_to_hold() -> None:
    rehold = Rehold("FO1", NOW - timedelta(hours=1), 2)
    assert gate(a_memory(reholds=(rehold,), content_since=NOW), WHY, shopify=UNHELD).actions == (PLACE,)


def released_and_dealt_with(content_since: datetime = NOW) -> Memory:
    """Others took our hold off twice, somebody closed the incident, and a later edit had us hold the parcel once more."""
    then = NOW - timedelta(days=1)
    incident = Incident(
        Reason.HOLD_RELEASED_BY_OTHERS, "FO1", then, "It was released.", then, "Ada: told the warehouse"
    )
    return a_memory(
        held=("FO1",),
        reholds=(Rehold("FO1", then, 2),),
        incidents=(incident,),
        content_since=content_since,
    )


def test_after_a_closed_incident_a_new_release_is_answered_like_the_first() -> None:
    memory = released_and_dealt_with(NOW - timedelta(hours=1))
    once = gate(memory, WHY, shopify=UNHELD)
    assert once.actions == (PLACE,)
    assert once.memory.reholds == (Rehold("FO1", NOW, 1, earlier=2),)
    assert once.memory.incidents == memory.incidents

    twice = gate(replace(once.memory, held=("FO1",)), WHY, shopify=UNHELD)
    assert twice.actions == ()
    assert [(i.subject, i.closed_at is None) for i in twice.memory.incidents] == [
        ("FO1", False),
        ("FO1 2", True),
    ]
    assert "left to people" in twice.because[0]


def test_while_an_incident_is_open_a_further_release_is_the_same_one() -> None:
    memory = released_and_dealt_with(NOW - timedelta(hours=1))
    still_open = replace(memory.incidents[0], closed_at=None, closed_because="")
    part = gate(replace(memory, incidents=(still_open,)), WHY, shopify=UNHELD)
    assert part.actions == ()
    assert part.memory.incidents == (still_open,)
    assert part.memory.reholds == (Rehold("FO1", NOW, 3),)


def test_what_the_marketplace_changes_after_the_parcel_was_let_go_is_a_new_reason_to_hold() -> None:
    long_ago = NOW - timedelta(days=2)
    memory = replace(released_and_dealt_with(long_ago), held=(), released_at=NOW - timedelta(hours=2))
    part = gate(memory, WHY, shopify=UNHELD)
    assert part.actions == (PLACE,)
    assert part.memory.reholds[0].times == 0
    assert gate(part.memory, WHY, shopify=UNHELD).actions == (PLACE,)
    seen = a_view(shopify=UNHELD, mirakl=an_order("WAITING_DEBIT"), memory=memory)
    assert on_sight(seen) == (PLACE,)


def test_our_own_release_is_not_blamed_on_others() -> None:
    opened = gate().memory
    assert gate(opened, WHY, shopify=UNHELD).memory.reholds == ()
    unclear = an_operation(RELEASE, "UNKNOWN")
    assert gate(keep_held=WHY, shopify=UNHELD, operations=(unclear,)).memory.reholds == ()


def test_a_fulfillment_order_out_of_sight_is_nobodys_release() -> None:
    part = gate(keep_held=WHY, shopify=a_shopify_order(fulfillment_orders=()))
    assert part.memory.reholds == ()


# -- labels that came too early ----------------------------------------------------------------------------


def test_a_label_before_the_marketplace_is_ready_is_an_incident_once() -> None:
    shopify = a_shopify_order(fulfillments=(a_fulfillment(),))
    part = gate(mirakl=an_order("WAITING_DEBIT"), shopify=shopify)
    assert [(i.reason, i.subject) for i in part.memory.incidents] == [(Reason.LABEL_BEFORE_AGREEMENT, "F1")]
    again = gate(part.memory, mirakl=an_order("WAITING_DEBIT"), shopify=shopify)
    assert again.memory.incidents == part.memory.incidents


def labelled(lines: tuple[tuple[str, int], ...] = (("S1", 2), ("S2", 1)), **changes: Any) -> ShopifyOrder:
    """The order of which one mug less is shown than was sold, with a fulfillment of these lines."""
    return a_shopify_order(lines=EDITED, fulfillments=(a_fulfillment(lines=lines, **changes),))


def closed_by_ada(memory: Memory) -> Memory:
    return replace(
        memory,
        incidents=tuple(
            replace(one, closed_at=NOW, closed_because="Ada: the parcel was stopped")
            for one in memory.incidents
        ),
    )


@pytest.mark.parametrize("dismissed", [True, False])
def test_another_label_of_a_fulfillment_is_damage_of_its_own(dismissed: bool) -> None:
    """The first one was voided: what was found of it, and said of it, is over with it."""
    first = gate(keep_held=WHY, shopify=labelled()).memory
    first = closed_by_ada(first) if dismissed else first
    voided = gate(first, WHY, shopify=labelled(display_status="LABEL_VOIDED")).memory

    again = gate(voided, WHY, shopify=labelled(tracking_number="RM2")).memory

    assert [(i.subject, i.closed_at is None) for i in again.incidents] == [("F1", False), ("F1 2", True)]


def test_a_label_that_was_in_order_says_nothing_of_the_next_one() -> None:
    agreed = gate(keep_held=WHY, shopify=a_shopify_order(fulfillments=(a_fulfillment(),))).memory
    assert agreed.labels_agreed == ("F1",)
    voided = a_shopify_order(lines=EDITED, fulfillments=(a_fulfillment(display_status="LABEL_VOIDED"),))

    again = gate(gate(agreed, WHY, shopify=voided).memory, WHY, shopify=labelled(tracking_number="RM2"))

    assert [i.reason for i in again.memory.incidents] == [Reason.LABEL_BEFORE_AGREEMENT]


def test_a_further_line_under_the_same_label_is_told_after_somebody_dealt_with_the_first() -> None:
    shopify = labelled()
    dealt_with = closed_by_ada(gate(keep_held=WHY, shopify=shopify).memory)
    assert gate(dealt_with, WHY, shopify=shopify).memory.incidents == dealt_with.incidents
    without_lamp = (LINES[0], replace(LINES[1], cancelations=(a_cancelation(1, "30.00"),)))

    part = gate(dealt_with, WHY, shopify=shopify, mirakl=an_order(lines=without_lamp))

    assert part.memory.incidents[-1].subject == "F1 2"
    assert "of LAMP" in part.memory.incidents[-1].sentence
    assert gate(part.memory, WHY, shopify=shopify).memory.incidents == part.memory.incidents


def test_a_label_counts_only_on_lines_that_disagree() -> None:
    def incidents(line: str) -> int:
        fulfillment = a_fulfillment(lines=((line, 1),))
        shopify = a_shopify_order(lines=EDITED, fulfillments=(fulfillment,))
        return len(gate(keep_held=WHY, shopify=shopify).memory.incidents)

    assert incidents("S1") == 1
    assert incidents("S2") == 0


def test_a_label_in_agreement_is_no_incident() -> None:
    part = gate(keep_held=WHY, shopify=a_shopify_order(fulfillments=(a_fulfillment(),)))
    assert part.memory.incidents == ()


def test_what_left_before_an_edit_is_no_wrong_label() -> None:
    """One of three mugs has left in agreement; then the order is edited down."""
    first = a_fulfillment(lines=(("S1", 1),))
    before = gate(shopify=a_shopify_order(fulfillments=(first,))).memory
    assert before.labels_agreed == ("F1",)

    edited = a_shopify_order(lines=EDITED, fulfillments=(first,))
    after = gate(replace(before, released_at=None), WHY, shopify=edited)
    assert after.memory.incidents == ()

    second = a_fulfillment("F2", lines=(("S1", 1),))
    wrong = gate(after.memory, WHY, shopify=replace(edited, fulfillments=(first, second)))
    assert [incident.subject for incident in wrong.memory.incidents] == ["F2"]


def test_a_label_older_than_our_sight_of_the_marketplaces_change_is_wrong() -> None:
    """We saw the label while the sides seemed to agree; the marketplace had cancelled a mug already."""
    label = a_fulfillment(lines=(("S1", 2),))
    shopify = a_shopify_order(fulfillments=(label,))
    before = gate(shopify=shopify).memory
    cancelled = an_order(
        lines=(a_line(cancelations=(a_cancelation(1, "10.00"),)), a_line("L2", "LAMP", 1, "30.00", "0"))
    )
    after = gate(before, WHY, shopify=shopify, mirakl=cancelled)
    assert [incident.subject for incident in after.memory.incidents] == ["F1"]


@pytest.mark.parametrize("voided", [{"live": False}, {"display_status": "LABEL_VOIDED"}])
def test_a_voided_label_makes_its_incident_good(voided: dict[str, Any]) -> None:
    label = a_fulfillment(lines=(("S1", 1),))
    wrong = gate(keep_held=WHY, shopify=a_shopify_order(lines=EDITED, fulfillments=(label,))).memory
    after = a_shopify_order(lines=EDITED, fulfillments=(replace(label, **voided),))
    [incident] = gate(wrong, WHY, shopify=after).memory.incidents
    assert (incident.closed_at, "voided" in incident.closed_because) == (NOW, True)


def test_a_label_out_of_sight_is_not_a_voided_one() -> None:
    label = a_fulfillment(lines=(("S1", 1),))
    wrong = gate(keep_held=WHY, shopify=a_shopify_order(lines=EDITED, fulfillments=(label,))).memory
    [incident] = gate(wrong, WHY, shopify=a_shopify_order(lines=EDITED)).memory.incidents
    assert incident.closed_at is None


# -- fulfillment orders that change under us ---------------------------------------------------------------

HALF = (("S1", 1), ("S2", 1))


@pytest.mark.parametrize(
    ("parcels", "placed"),
    [
        # split: the units that moved are in a new one
        ((a_fulfillment_order(remaining=HALF), a_fulfillment_order("FO2", (), (("S1", 1),))), ("FO2",)),
        # moved: closed here, open there
        ((a_fulfillment_order(holds=(), status="CLOSED"), a_fulfillment_order("FO2", ())), ("FO2",)),
        # merged: what is left is held already, or is not
        ((a_fulfillment_order(), a_fulfillment_order("FO2", (), (("S1", 0),), status="CLOSED")), ()),
        ((a_fulfillment_order(holds=(), status="CLOSED"), a_fulfillment_order("FO2")), ()),
        # added by an edit
        ((a_fulfillment_order(), a_fulfillment_order("FO2", (), (("S9", 1),))), ("FO2",)),
        # in progress and scheduled ones are no exception
        ((a_fulfillment_order("FO2", (), status="IN_PROGRESS"),), ("FO2",)),
        ((a_fulfillment_order("FO2", (), status="SCHEDULED"),), ("FO2",)),
    ],
)
@pytest.mark.parametrize("before", [("FO1",), ("FO1", "FO0"), ()])
def test_every_open_part_is_held_whatever_became_of_the_others(
    parcels: Any, placed: tuple[str, ...], before: tuple[str, ...]
) -> None:
    part = gate(a_memory(held=before), WHY, shopify=a_shopify_order(fulfillment_orders=parcels))

    assert part.actions == tuple(PlaceHold(id, NOTES) for id in placed)
    assert part.memory.reholds == ()
    assert part.memory.incidents == ()


def test_a_hold_that_an_edit_took_off_is_nobodys_release() -> None:
    memory = a_memory(held=("FO1",), content_since=NOW)
    part = gate(memory, WHY, shopify=replace(UNHELD, lines=EDITED))
    assert part.actions == (PLACE,)
    assert part.memory.reholds == ()


# -- on sight ----------------------------------------------------------------------------------------------

RELEASED = a_memory(released_at=NOW)


def seen(memory: Memory = RELEASED, **changes: Any) -> tuple[PlaceHold, ...]:
    return on_sight(a_view(**{"memory": memory, "shopify": UNHELD, **changes}))


def test_an_order_in_agreement_is_not_held_again_on_sight() -> None:
    assert seen() == ()
    assert seen(mirakl=None) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"lines": EDITED},
        {"lines": (a_shopify_line(price="9.00"), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))},
        {"lines": (*a_shopify_order().lines, a_shopify_line("S3", "VASE", 1, line_id=""))},
        {"address": ELSEWHERE},
    ],
)
def test_an_edit_is_held_on_sight(change: dict[str, Any]) -> None:
    assert seen(shopify=replace(UNHELD, **change)) == (PLACE,)


def test_an_order_is_held_from_birth() -> None:
    assert seen(Memory(), mirakl=an_order("WAITING_ACCEPTANCE")) == (PLACE,)
    assert seen(Memory(), mirakl=None) == (PLACE,)


def test_a_null_address_is_no_edit() -> None:
    assert seen(shopify=replace(UNHELD, address=NO_ADDRESS)) == ()


def test_a_held_or_shipped_order_needs_no_hold_on_sight() -> None:
    assert seen(Memory(), shopify=a_shopify_order()) == ()
    assert seen(Memory(), mirakl=an_order("SHIPPED")) == ()


def test_an_order_whose_parcels_are_not_routed_yet_is_looked_at_again_soon() -> None:
    memory = a_memory(linked_at=NOW)
    view = a_view(shopify=a_shopify_order(fulfillment_orders=()), mirakl=an_order("WAITING_DEBIT"))
    assert decide(view, memory, ()).look_at == NOW + timedelta(seconds=2)
    old = a_memory(linked_at=NOW - timedelta(minutes=5))
    assert decide(view, old, ()).look_at == NOW + timedelta(seconds=30)


def test_nothing_is_said_of_a_hold_once_every_parcel_has_left() -> None:
    gone = tuple(replace(line, fulfilled_quantity=line.current_quantity) for line in a_shopify_order().lines)
    closed = a_fulfillment_order(holds=(), remaining=(("S1", 0), ("S2", 0)))
    view = a_view(shopify=a_shopify_order(lines=gone, fulfillment_orders=(closed,)))
    assert decide(view, view.memory, ()).because == ()
    assert decide(view, view.memory, ("The sides differ.",)).because == ()

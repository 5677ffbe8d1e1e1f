"""What a label printer is told, on every kind of view; and that the holds ask the same rule."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlock.decide import decide as whole
from interlock.holds.decide import NOTES, decide, on_sight
from interlock.orders.actions import PlaceHold, ReleaseHold
from interlock.orders.content import content_of
from interlock.orders.label import BY_ITSELF, THE_MARKETPLACE, Label
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import NO_ADDRESS, ShopifyOrder
from interlock.orders.view import Unread
from tests.build import (
    ELSEWHERE,
    FOREIGN_HOLD,
    HIDDEN,
    NOW,
    a_decision,
    a_fulfillment,
    a_fulfillment_order,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_order,
    some_rules,
)

UNHELD = a_shopify_order(fulfillment_orders=(a_fulfillment_order(holds=()),))
RELEASED = a_memory(released_at=NOW)
FEWER = (a_shopify_line(current_quantity=1), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
MORE = (a_shopify_line(quantity=5), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))


LONG_UNREAD = Unread(NOW - timedelta(minutes=20), NOW - timedelta(minutes=5))


def label(**changes: Any) -> Label:
    found = whole(a_view(**{"memory": RELEASED, "shopify": UNHELD, **changes})).label
    assert found is not None
    return found


def test_a_label_may_be_printed_once_both_sides_agree_and_no_hold_is_on() -> None:
    assert label() == Label(
        True, "Both sides agree and the marketplace waits for the parcel.", "", parcels=("FO1",)
    )


@pytest.mark.parametrize(
    ("changes", "reason", "who"),
    [
        ({"shopify": a_shopify_order()}, "our hold comes off", BY_ITSELF),
        (
            {"shopify": a_shopify_order(fulfillment_orders=(a_fulfillment_order(holds=(FOREIGN_HOLD,)),))},
            "Somebody else's hold",
            "operations",
        ),
        ({"mirakl": an_order("WAITING_DEBIT_PAYMENT")}, "WAITING_DEBIT_PAYMENT", THE_MARKETPLACE),
        ({"mirakl": an_order(can_ship=False)}, "does not let the shop ship", THE_MARKETPLACE),
        ({"mirakl": an_order("SHIPPED")}, "counts the whole order as sent", "operations"),
        ({"mirakl": an_order(has_incident=True)}, "open incident", "CX"),
        ({"quarantined": True}, "Cannot confirm. Interlock is in quarantine", "engineer"),
        ({"mirakl": None}, "Cannot confirm. The marketplace order cannot be read", BY_ITSELF),
        ({"mirakl": an_order(address=HIDDEN)}, "does not show a complete address", THE_MARKETPLACE),
        ({"mirakl_written_at": NOW}, "asked again after our last change", BY_ITSELF),
        (
            {"unread": LONG_UNREAD},
            "Cannot confirm. The marketplace could not be read since 11:40 UTC",
            "engineer",
        ),
        ({"unread": LONG_UNREAD, "mirakl": an_order("CANCELED")}, "it says CANCELED", THE_MARKETPLACE),
        ({"shopify": replace(UNHELD, address=NO_ADDRESS)}, "no complete address", "CX"),
        (
            {
                "shopify": replace(
                    UNHELD, fulfillment_orders=(a_fulfillment_order(holds=(), destination=ELSEWHERE),)
                )
            },
            "still goes to another address",
            "operations",
        ),
        (
            {
                "shopify": replace(
                    UNHELD, fulfillment_orders=(a_fulfillment_order(holds=(), destination=NO_ADDRESS),)
                )
            },
            "shows no address to go to",
            "operations",
        ),
        ({"shopify": replace(UNHELD, lines=FEWER)}, "MUG", "CX"),
        (
            {
                "shopify": replace(UNHELD, lines=FEWER),
                "rules": some_rules(partial_cancelation=True, cancelation_reason="34"),
            },
            "MUG",
            BY_ITSELF,
        ),
        ({"shopify": replace(UNHELD, lines=MORE)}, "MUG", "CX"),
        ({"shopify": replace(UNHELD, cancelled_at=NOW)}, "cancelled in Shopify", "CX"),
        ({"shopify": replace(UNHELD, fulfillment_orders=())}, "Nothing of this order is left", "operations"),
        ({"rules": some_rules(edit_window=timedelta(minutes=6))}, "edit window is open until", BY_ITSELF),
        (
            {"rules": some_rules(import_route="order"), "shopify": replace(UNHELD, paid=False)},
            "marked paid first",
            BY_ITSELF,
        ),
    ],
)
def test_a_no_says_why_and_who_can_change_it(changes: dict[str, Any], reason: str, who: str) -> None:
    found = label(**changes)

    assert not found.yes
    assert reason in found.reason
    assert found.who == who


def test_the_rest_of_an_order_may_leave_although_what_left_before_was_refunded() -> None:
    part_left = a_shopify_order(
        lines=(
            a_shopify_line(),
            a_shopify_line("S2", "LAMP", 1, "30.00", "L2", current_quantity=0, fulfilled_quantity=1),
        ),
        fulfillments=(a_fulfillment(lines=(("S2", 1),)),),
        fulfillment_orders=(a_fulfillment_order(holds=(), remaining=(("S1", 2),)),),
    )
    assert label(shopify=part_left).yes
    memory = replace(RELEASED, settled=(("L1", 2), ("L2", 1)))
    assert on_sight(a_view(shopify=part_left, memory=memory)) == ()
    still_here = replace(
        part_left, lines=(part_left.lines[0], replace(part_left.lines[1], fulfilled_quantity=0))
    )
    assert not label(shopify=still_here).yes
    assert len(on_sight(a_view(shopify=still_here, memory=memory))) == 1


def test_without_a_look_at_shopify_there_is_no_answer() -> None:
    assert whole(a_view(shopify=None, memory=RELEASED)).label is None


def test_missing_data_takes_no_release_back_but_prints_nothing_either() -> None:
    plan = whole(a_view(mirakl=None, memory=RELEASED, shopify=UNHELD))
    assert plan.actions == ()
    assert plan.memory.released_at == NOW
    assert plan.label is not None
    assert not plan.label.yes


def test_no_hold_comes_off_while_the_marketplace_was_not_read_for_long_and_it_is_asked_for() -> None:
    plan = whole(a_view(memory=a_memory(released_at=None), unread=LONG_UNREAD))

    assert not any(isinstance(action, ReleaseHold) for action in plan.actions)
    assert plan.mirakl_since == LONG_UNREAD.old_at
    agreed = whole(a_view(memory=a_memory(released_at=None)))
    assert any(isinstance(action, ReleaseHold) for action in agreed.actions)


def test_what_was_released_before_stays_released_but_no_label_is_printed() -> None:
    plan = whole(a_view(memory=RELEASED, shopify=UNHELD, unread=LONG_UNREAD))

    assert plan.actions == ()
    assert plan.memory.released_at == NOW
    assert plan.label is not None
    assert not plan.label.yes


@pytest.mark.parametrize("lines", [FEWER, MORE])
@pytest.mark.parametrize("state", ["SHIPPING", "WAITING_DEBIT", "SHIPPED", "CANCELED"])
@pytest.mark.parametrize("holds", [(), (FOREIGN_HOLD,)])
def test_no_label_is_ever_allowed_where_the_holds_would_not_be_released(
    lines: Any, state: str, holds: Any
) -> None:
    for some in (lines, UNHELD.lines):
        parcels = (a_fulfillment_order(holds=holds),)
        view = a_view(
            memory=RELEASED,
            mirakl=an_order(state),
            shopify=replace(UNHELD, lines=some, fulfillment_orders=parcels),
        )
        plan = whole(view)
        assert plan.label is not None
        if plan.label.yes:
            assert not any(isinstance(action, PlaceHold) for action in plan.actions)
            assert plan.memory.released_at is not None


# -- shipped as edited, because a person decided so ----------------------------------------------------------

SAID = "Ada decided to ship what Shopify shows: the customer agreed to a swap."
EDITED = replace(a_shopify_order(), lines=MORE)


def test_a_decision_to_ship_as_edited_opens_the_gate_for_this_edit() -> None:
    part = decide(a_view(shopify=EDITED), a_memory(), (), as_decided=SAID)

    assert part.actions == (ReleaseHold("FO1", ("H1",)),)
    assert part.because == (SAID,)
    assert part.memory.released_as == content_of(EDITED)
    unheld = replace(EDITED, fulfillment_orders=UNHELD.fulfillment_orders)
    after = decide(a_view(shopify=unheld), part.memory, (), as_decided=SAID)
    assert after.label == Label(True, SAID, "", ("FO1",))
    assert on_sight(a_view(shopify=unheld, memory=part.memory)) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"mirakl": an_order("WAITING_DEBIT")},
        {"mirakl": an_order(can_ship=False)},
        {"mirakl": an_order(address=HIDDEN)},
        {"mirakl": None},
        {"rules": some_rules(edit_window=timedelta(minutes=6))},
    ],
)
def test_it_opens_nothing_else(changes: dict[str, Any]) -> None:
    assert decide(a_view(**{"shopify": EDITED, **changes}), a_memory(), (), as_decided=SAID).actions == ()
    assert decide(a_view(shopify=EDITED), a_memory(), ("Another reason.",), as_decided=SAID).actions == ()


def test_another_edit_closes_it_again() -> None:
    released = decide(a_view(shopify=EDITED), a_memory(), (), as_decided=SAID).memory
    other = (a_shopify_line(quantity=6), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
    shopify = replace(UNHELD, lines=other)

    assert on_sight(a_view(shopify=shopify, memory=released)) == (PlaceHold("FO1", NOTES),)
    part = decide(a_view(shopify=shopify, memory=released), released, ("The mugs differ.",))
    assert part.actions == (PlaceHold("FO1", NOTES),)
    assert (part.memory.released_at, part.memory.released_as) == (None, "")


def swapped(sku: str = "CUP") -> ShopifyOrder:
    """Staff took the lamp off and put another item on in its place."""
    lines = (
        a_shopify_line(),
        a_shopify_line("S2", "LAMP", 1, "30.00", "L2", current_quantity=0),
        a_shopify_line("S3", sku, 1, "30.00", ""),
    )
    parcels = (a_fulfillment_order(remaining=(("S1", 2), ("S3", 1))),)
    return a_shopify_order(lines=lines, fulfillment_orders=parcels)


def test_the_answer_to_a_swap_opens_the_gate_for_exactly_that_swap() -> None:
    asked = whole(a_view(shopify=swapped()))
    [case] = [one for one in asked.cases if Option.SHIP_AS_EDITED in one.options]
    assert not any(isinstance(action, ReleaseHold) for action in asked.actions)
    answer = a_decision(case.reason, case.subject, Option.SHIP_AS_EDITED)

    plan = whole(a_view(shopify=swapped(), memory=replace(asked.memory, decisions=(answer,))))
    assert ReleaseHold("FO1", ("H1",)) in plan.actions
    assert plan.label is not None
    assert not plan.label.yes  # our hold is still on
    free = replace(swapped(), fulfillment_orders=(a_fulfillment_order(holds=(), remaining=(("S3", 1),)),))
    after = whole(a_view(shopify=free, memory=plan.memory)).label
    assert after is not None
    assert after.yes
    assert "Ada decided to ship the order as it was edited" in after.reason
    assert "because" in after.reason

    other = replace(swapped("VASE"), fulfillment_orders=free.fulfillment_orders)
    again = whole(a_view(shopify=other, memory=plan.memory))
    assert PlaceHold("FO1", NOTES) in again.actions
    assert again.label is not None
    assert not again.label.yes


def test_its_labels_are_no_incident() -> None:
    shopify = replace(EDITED, fulfillments=(a_fulfillment(),))
    part = decide(a_view(shopify=shopify), a_memory(), (), as_decided=SAID)
    assert part.memory.incident(Reason.LABEL_BEFORE_AGREEMENT, "F1") is None


@pytest.mark.parametrize("state", ["WAITING_ACCEPTANCE", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT"])
def test_a_label_of_it_before_the_marketplace_is_ready_is_one_all_the_same(state: str) -> None:
    view = a_view(mirakl=an_order(state), shopify=replace(EDITED, fulfillments=(a_fulfillment(),)))
    part = decide(view, a_memory(), (), as_decided=SAID)
    assert part.memory.incident(Reason.LABEL_BEFORE_AGREEMENT, "F1") is not None


EDITED = a_shopify_order(edited=True)


@pytest.mark.parametrize(
    ("shopify", "changes"),
    [
        (EDITED, {"content_since": NOW}),
        (
            a_shopify_order(),
            {"decisions": (a_decision(Reason.REFUND_TASK, "edit:1", Option.DONE_IN_PORTAL),)},
        ),
    ],
)
def test_a_hold_comes_off_only_on_a_marketplace_seen_after_the_last_edit_and_the_last_word_from_the_portal(
    shopify: ShopifyOrder, changes: dict[str, Any]
) -> None:
    memory = a_memory(content=content_of(shopify), **changes)
    old = decide(a_view(memory=memory, shopify=shopify), memory, ())
    assert not [action for action in old.actions if isinstance(action, ReleaseHold)]
    assert old.mirakl_since == NOW
    seen = an_order(observed_at=NOW + timedelta(seconds=1))
    young = decide(a_view(memory=memory, shopify=shopify, mirakl=seen), memory, ())
    assert [type(action) for action in young.actions] == [ReleaseHold]

"""Where the parcel goes: each side against its own past, and nothing moves while the two sides name different places."""

from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.decide import decide, noticed
from interlock.edits.diff import differences
from interlock.holds.decide import on_sight
from interlock.orders.actions import CompleteDraft, EditShopifyOrder, FillOrderAddress, PlaceHold, ReleaseHold
from interlock.orders.codec import decode, encode
from interlock.orders.differences import AddressChanged, AddressMoved, Difference
from interlock.orders.memory import Memory
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Address, MiraklOrder, ShopifyOrder
from tests.build import (
    ELSEWHERE,
    HIDDEN,
    HOME,
    LINES,
    NOW,
    a_cancelation,
    a_decision,
    a_draft,
    a_fulfillment,
    a_fulfillment_order,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_operation,
    an_order,
    not_imported,
    some_rules,
)

THIRD = Address("c0ffee", True)
MOVED = an_order(address=ELSEWHERE)
FREE = a_fulfillment_order(holds=())


def a_released_view(**changes: object):  # type: ignore[no-untyped-def]
    """Everything agreed and the hold is off; then something changes."""
    shopify = a_shopify_order(fulfillment_orders=(FREE,))
    return a_view(**{"shopify": shopify, "memory": a_memory(released_at=NOW), **changes})


def test_an_address_changed_at_the_marketplace_holds_at_once_and_goes_into_the_shopify_order() -> None:
    plan = decide(a_released_view(mirakl=MOVED))

    assert FillOrderAddress("SO1", ELSEWHERE.digest) in plan.actions
    assert [a.fulfillment_order_id for a in plan.actions if isinstance(a, PlaceHold)] == ["FO1"]
    assert plan.label is not None
    assert not plan.label.yes
    assert plan.cases == ()


def test_it_is_never_released_while_the_addresses_differ_and_once_they_are_the_same_it_goes_on_by_itself() -> (
    None
):
    held = decide(a_view(mirakl=MOVED))
    shown = a_shopify_order(
        address=ELSEWHERE, fulfillment_orders=(a_fulfillment_order(destination=ELSEWHERE),)
    )
    later = decide(a_view(mirakl=MOVED, shopify=shown, memory=held.memory))

    assert not any(isinstance(action, ReleaseHold) for action in held.actions)
    assert any(isinstance(action, ReleaseHold) for action in later.actions)
    assert later.cases == ()
    assert later.memory.agreed_address == ELSEWHERE.digest


def test_an_address_changed_in_shopify_is_agreed_once_the_marketplace_shows_the_same() -> None:
    here = a_shopify_order(
        address=ELSEWHERE, fulfillment_orders=(a_fulfillment_order(destination=ELSEWHERE),)
    )
    asked = decide(a_view(shopify=here))
    settled = decide(a_view(shopify=here, mirakl=MOVED, memory=asked.memory))

    assert [case.reason for case in asked.cases] == [Reason.EDIT_CANNOT_BE_EXPRESSED]
    assert settled.cases == ()
    assert any(isinstance(action, ReleaseHold) for action in settled.actions)


def test_without_mirroring_a_person_is_asked_and_no_address_stands_in_the_case() -> None:
    plan = decide(a_released_view(mirakl=MOVED, rules=some_rules(mirror_marketplace_changes=False)))

    (case,) = plan.cases
    assert (case.reason, case.options) == (Reason.MARKETPLACE_CHANGED, (Option.KEEP_ADDRESS,))
    assert "changed the delivery address" in case.sentence
    assert ELSEWHERE.digest not in f"{case.sentence} {case.subject} {case.facts}"
    assert not any(isinstance(action, FillOrderAddress) for action in plan.actions)
    assert any(isinstance(action, PlaceHold) for action in plan.actions)


def test_an_address_that_both_sides_changed_is_a_persons_to_decide() -> None:
    here = a_shopify_order(address=THIRD, fulfillment_orders=(a_fulfillment_order(destination=THIRD),))
    view = a_view(mirakl=MOVED, shopify=here)
    assert differences(view, view.memory) == (AddressMoved(also_here=True),)
    first = decide(view)
    (case,) = first.cases
    assert case.reason is Reason.MARKETPLACE_CHANGED
    assert not any(isinstance(action, FillOrderAddress) for action in first.actions)

    said = a_decision(case.reason, case.subject, Option.KEEP_ADDRESS)
    taken = decide(replace(view, memory=first.memory, answers=(said,)))
    after = decide(replace(view, memory=taken.memory))
    assert after.cases == ()
    assert any(isinstance(action, ReleaseHold) for action in after.actions)


def test_an_address_that_may_differ_is_asked_about_again_when_the_marketplace_comes_back_to_it() -> None:
    memory = a_memory()
    for day, there in enumerate((ELSEWHERE, THIRD, ELSEWHERE)):
        rules = some_rules(mirror_marketplace_changes=False)
        at = NOW + timedelta(days=day)
        view = a_view(now=at, rules=rules, mirakl=an_order(address=there), memory=memory)
        plan = decide(view)
        (case,) = plan.cases
        said = a_decision(case.reason, case.subject, Option.KEEP_ADDRESS)
        memory = decide(replace(view, memory=plan.memory, answers=(said,))).memory

    assert memory.agreed_address == ELSEWHERE.digest


def test_what_a_person_let_stand_is_asked_anew_when_either_side_changes_again() -> None:
    stands = a_memory(agreed_address=ELSEWHERE.digest, agreed_address_here=HOME.digest)

    def found(there: Address, here: Address) -> object:
        view = a_view(mirakl=an_order(address=there), shopify=a_shopify_order(address=here), memory=stands)
        return differences(view, stands)

    assert found(ELSEWHERE, HOME) == ()
    assert found(THIRD, HOME) == (AddressMoved(),)
    assert found(ELSEWHERE, THIRD) == (AddressChanged(),)
    assert found(THIRD, THIRD) == ()


@pytest.mark.parametrize("hidden", [HIDDEN, Address("d00d", False)])
def test_an_address_the_marketplace_hides_or_shows_in_part_is_no_other_address(hidden: Address) -> None:
    view = a_view(mirakl=an_order(address=hidden))
    assert differences(view, view.memory) == ()


def test_where_units_have_left_customer_service_is_asked_and_nothing_is_written() -> None:
    gone = a_shopify_order(
        lines=(
            a_shopify_line(fulfilled_quantity=2),
            a_shopify_line("S2", "LAMP", 1, "30.00", "L2"),
        ),
        fulfillments=(a_fulfillment(lines=(("S1", 2),)),),
        fulfillment_orders=(a_fulfillment_order(holds=(), remaining=(("S2", 1),)),),
    )
    plan = decide(a_released_view(mirakl=MOVED, shopify=gone))

    (case,) = [case for case in plan.cases if case.reason is Reason.MARKETPLACE_CHANGED]
    assert "have left for the old address" in case.sentence
    assert not any(isinstance(action, FillOrderAddress) for action in plan.actions)
    assert any(isinstance(action, PlaceHold) for action in plan.actions)


@pytest.mark.parametrize(("state", "asked"), [("SHIPPED", True), ("RECEIVED", False), ("CLOSED", False)])
def test_after_dispatch_it_is_told_until_the_parcel_has_arrived(state: str, asked: bool) -> None:
    plan = decide(a_view(mirakl=an_order(state, address=ELSEWHERE), memory=a_memory(released_at=NOW)))
    assert (Reason.MARKETPLACE_CHANGED in [case.reason for case in plan.cases]) is asked


def test_a_refused_change_of_ours_is_asked_about() -> None:
    refused = an_operation(FillOrderAddress("SO1", ELSEWHERE.digest))
    plan = decide(a_view(mirakl=MOVED, operations=(refused,)))
    assert Reason.MARKETPLACE_CHANGED in [case.reason for case in plan.cases]


def test_on_sight_a_released_order_is_held_when_the_marketplace_was_last_seen_with_another_address() -> None:
    assert on_sight(a_released_view()) == ()
    assert [hold.fulfillment_order_id for hold in on_sight(a_released_view(mirakl=MOVED))] == ["FO1"]


def test_the_address_of_a_completed_draft_is_agreed_before_the_order_is_first_seen() -> None:
    """Otherwise an address that changes in between looks as if somebody had edited the Shopify order."""
    plan = decide(a_view(shopify=None, drafts=(a_draft(),), memory=not_imported(draft_id="D1"), offers=()))
    assert CompleteDraft("D1") in plan.actions
    memory = noticed(a_view(mirakl=MOVED, memory=plan.memory))
    assert differences(a_view(mirakl=MOVED, memory=memory), memory) == (AddressMoved(),)


def test_a_memory_stored_before_there_were_two_addresses_still_loads() -> None:
    stored = encode(a_memory())
    stored.pop("agreed_address_here", None)
    assert decode(Memory, stored) == a_memory()


def test_units_and_the_address_that_changed_there_together_are_both_carried_over_and_both_asked_about() -> (
    None
):
    """Our edit of the units does not come through for long, and the address is another one too."""
    cut = replace(LINES[0], cancelations=(a_cancelation(1, "10.00"),))
    both = replace(MOVED, lines=(cut, LINES[1]))
    since = NOW - timedelta(hours=1)
    seen = decide(a_view(mirakl=both)).memory

    plan = decide(a_view(mirakl=both, memory=replace(seen, disagreeing_since=since, content_since=since)))

    assert {type(action) for action in plan.actions} == {EditShopifyOrder, FillOrderAddress}
    assert [case.reason for case in plan.cases] == [Reason.MARKETPLACE_CHANGED] * 2
    assert [case.subject.partition(":")[0] for case in plan.cases] == ["L1", "address"]


# -- the telephone number ----------------------------------------------------------------------------------

OLD, NEW, OTHER = "phone-1", "phone-2", "phone-3"
KNOWN = a_memory(agreed_address=HOME.digest, agreed_contact=OLD, contact_of=HOME.digest)


def called(contact: str, address: Address = HOME, **changes: object):  # type: ignore[no-untyped-def]
    shown = replace(address, contact=contact)
    parcel = a_fulfillment_order(destination=address)
    return a_shopify_order(**{"address": shown, "fulfillment_orders": (parcel,), **changes})


@pytest.mark.parametrize(
    ("shopify", "mirakl", "memory", "found"),
    [
        (called(NEW), an_order(), KNOWN, (AddressChanged(contact_only=True),)),
        (called(OLD), an_order(), KNOWN, ()),
        # A number that is not shown, or was not shown before, says nothing.
        (called(""), an_order(), KNOWN, ()),
        (called(NEW), an_order(), replace(KNOWN, agreed_contact=""), ()),
        # The marketplace's own number is never compared with Shopify's, but where it is the same it is agreed.
        (called(OLD), an_order(address=replace(HOME, contact=OTHER)), KNOWN, ()),
        (
            called(NEW),
            an_order(address=replace(HOME, contact=OTHER)),
            KNOWN,
            (AddressChanged(contact_only=True),),
        ),
        (called(NEW), an_order(address=replace(HOME, contact=NEW)), KNOWN, ()),
        # With another address the number is part of that change.
        (called(NEW, ELSEWHERE), an_order(), KNOWN, (AddressChanged(),)),
        (called(NEW, ELSEWHERE), MOVED, KNOWN, ()),
        (called(NEW), MOVED, KNOWN, (AddressMoved(),)),
        # Hidden by the marketplace, the address that was agreed still stands.
        (called(NEW), an_order(address=HIDDEN), KNOWN, (AddressChanged(contact_only=True),)),
        *((called(NEW), an_order(state), KNOWN, ()) for state in ("SHIPPED", "RECEIVED", "CLOSED")),
    ],
)
def test_a_number_changed_in_shopify_alone_is_a_change_of_the_contact(
    shopify: ShopifyOrder, mirakl: MiraklOrder, memory: Memory, found: tuple[Difference, ...]
) -> None:
    view = a_view(shopify=shopify, mirakl=mirakl, memory=memory)

    assert differences(view, memory) == found


def test_the_first_number_shown_with_an_agreed_address_is_the_agreed_one() -> None:
    memory = noticed(a_view(shopify=called(OLD)))
    assert (memory.agreed_contact, memory.contact_of) == (OLD, HOME.digest)
    assert noticed(a_view(shopify=called(NEW), memory=memory)).agreed_contact == OLD
    assert noticed(a_view(shopify=called(""), memory=memory)).agreed_contact == OLD
    there = an_order(address=replace(HOME, contact=NEW))
    assert noticed(a_view(shopify=called(NEW), mirakl=there, memory=memory)).agreed_contact == NEW

    moved = noticed(a_view(shopify=called(NEW, ELSEWHERE), mirakl=MOVED, memory=memory))
    assert (moved.agreed_contact, moved.contact_of) == (NEW, ELSEWHERE.digest)
    not_agreed = noticed(a_view(shopify=called(NEW, ELSEWHERE), memory=memory))
    assert (not_agreed.agreed_contact, not_agreed.contact_of) == (OLD, HOME.digest)


def test_another_number_holds_the_parcel_until_a_person_says_that_it_stands() -> None:
    view = a_view(shopify=called(NEW), memory=KNOWN)
    first = decide(view)
    (case,) = first.cases

    assert case.reason is Reason.EDIT_CANNOT_BE_EXPRESSED
    assert Option.KEEP_ADDRESS in case.options
    assert Option.UNDO_BY_INTERLOCK not in case.options
    assert "The telephone number in the delivery address was changed in Shopify." in case.sentence
    assert "say that the new number stands" in case.sentence
    assert not any(isinstance(action, ReleaseHold) for action in first.actions)

    said = a_decision(case.reason, case.subject, Option.KEEP_ADDRESS)
    taken = decide(replace(view, memory=first.memory, answers=(said,)))
    after = decide(replace(view, memory=taken.memory))
    assert (after.cases, after.memory.agreed_contact) == ((), NEW)
    assert any(isinstance(action, ReleaseHold) for action in after.actions)

    third = decide(replace(view, shopify=called(OTHER), memory=after.memory))
    (again,) = third.cases
    assert again.subject != case.subject
    undone = decide(replace(view, shopify=called(OLD), memory=first.memory))
    assert undone.cases == ()

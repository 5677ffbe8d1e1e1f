"""What the Shopify order says to staff: the status of each situation, when it is written, and when it is left alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlock.orders.actions import (
    Action,
    ClearMarker,
    ClearStatus,
    PlaceHold,
    SetSellerReference,
    ShowStatus,
)
from interlock.orders.memory import Kin, Memory
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Reason
from interlock.orders.shown_status import TAG_PREFIX, ShownStatus, shows, status_tag
from interlock.orders.snapshots import MiraklOrder
from interlock.orders.targets import is_reached
from interlock.orders.view import Claim
from interlock.shop_status.decide import (
    DECISION_SETTLES,
    HELD_SETTLES,
    IMPORT_SETTLES,
    TOLD_AGAIN_AFTER,
    decide,
    status_of,
)
from tests.build import (
    HIDDEN,
    NOW,
    a_memory,
    a_shopify_order,
    a_view,
    an_operation,
    an_order,
    some_rules,
)

URGENT = Case(Reason.CANNOT_HOLD, "FO1", "The parcel cannot be held.")
NOTE = Case(Reason.EDIT_WAITING, "L1", "An edit waits.", severity="note")
TOLD = a_shopify_order(status="in sync", tags=("mirakl", "Interlock: in sync"))
UNTOLD = a_shopify_order(tags=("mirakl",))
AGREED = a_memory(released_at=NOW)
HELD = a_memory(held=("FO1",), released_at=None)
SECOND = timedelta(seconds=1)
RULES = some_rules(show_status=True)


def look(
    memory: Memory,
    cases: tuple[Case, ...] = (),
    actions: tuple[Action, ...] = (),
    **changes: Any,
) -> Part:
    view = a_view(**{"rules": RULES, "shopify": TOLD, "memory": memory, **changes})
    return decide(view, memory, cases, actions)


def standing_for(memory: Memory, status: str, seconds: timedelta) -> Memory:
    """The memory of an order that should say `status` since that long ago."""
    return replace(memory, status_wanted=status, status_since=NOW - seconds)


# -- which status ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("memory", "mirakl", "shopify", "cases", "rules", "status"),
    [
        (AGREED, an_order(), TOLD, (), {}, "in sync"),
        (a_memory(), an_order("WAITING_ACCEPTANCE"), TOLD, (), {}, "held: not accepted yet"),
        (a_memory(), an_order(), TOLD, (), {}, "held: being checked"),
        (a_memory(), an_order("SHIPPED"), TOLD, (), {}, "in sync"),
        (AGREED, an_order(), TOLD, (NOTE,), {}, "in sync"),
        (AGREED, an_order(), TOLD, (URGENT,), {}, "needs decision"),
        (HELD, an_order(), TOLD, (URGENT,), {}, "needs decision"),
        (HELD, an_order("WAITING_ACCEPTANCE"), TOLD, (), {}, "held: not accepted yet"),
        (HELD, an_order("WAITING_DEBIT_PAYMENT"), TOLD, (), {}, "held: marketplace not ready"),
        (HELD, replace(an_order(), address=HIDDEN), TOLD, (), {}, "held: address missing"),
        (HELD, an_order(), replace(TOLD, address=HIDDEN), (), {}, "held: address missing"),
        (replace(HELD, disagreeing_since=NOW), an_order(), TOLD, (), {}, "held: edit on its way"),
        (replace(HELD, unsent_edit="an edit"), an_order(), TOLD, (), {}, "held: edit on its way"),
        (HELD, an_order(), TOLD, (), {"edit_window": timedelta(hours=1)}, "held: edit window open"),
        (HELD, an_order(), TOLD, (), {}, "held: being checked"),
        (HELD, an_order(), replace(TOLD, cancelled_at=NOW), (), {}, "in sync"),
    ],
)
def test_a_persons_work_comes_first_then_our_hold_and_what_is_neither_is_in_sync(
    memory: Memory,
    mirakl: MiraklOrder,
    shopify: Any,
    cases: tuple[Case, ...],
    rules: dict[str, Any],
    status: str,
) -> None:
    view = a_view(memory=memory, mirakl=mirakl, shopify=shopify, rules=some_rules(**rules))

    assert status_of(view, memory, mirakl, shopify, cases) == status


def test_every_status_fits_into_a_tag_and_no_tag_ends_early() -> None:
    for status in ShownStatus:
        assert len(status_tag(status)) <= 40
        assert "," not in status_tag(status)


# -- when it is written ------------------------------------------------------------------------------------


def test_an_order_that_says_it_already_is_left_alone() -> None:
    assert look(AGREED) == Part(AGREED)


def test_an_order_that_came_in_sync_says_so_at_once() -> None:
    part = look(AGREED, shopify=UNTOLD)

    assert part.actions == (ShowStatus("SO1", "in sync", ()),)
    assert (part.memory.status_told, part.memory.status_told_at) == ("in sync", NOW)


@pytest.mark.parametrize(
    ("memory", "cases", "shopify", "settles"),
    [
        (AGREED, (URGENT,), TOLD, DECISION_SETTLES),
        (HELD, (), TOLD, HELD_SETTLES),
        (HELD, (), UNTOLD, IMPORT_SETTLES),
    ],
)
def test_what_may_pass_soon_is_written_only_once_it_has_stood_for_a_while(
    memory: Memory, cases: tuple[Case, ...], shopify: Any, settles: timedelta
) -> None:
    first = look(memory, cases, shopify=shopify)
    early = look(
        standing_for(first.memory, first.memory.status_wanted, settles - SECOND), cases, shopify=shopify
    )
    late = look(standing_for(first.memory, first.memory.status_wanted, settles), cases, shopify=shopify)

    assert (first.actions, first.look_at) == ((), NOW + settles)
    assert (early.actions, early.look_at) == ((), NOW + SECOND)
    assert [type(action) for action in late.actions] == [ShowStatus]


def test_another_status_begins_its_own_time() -> None:
    memory = standing_for(AGREED, "held: being checked", timedelta(hours=1))

    assert look(memory, (URGENT,)).look_at == NOW + DECISION_SETTLES


def test_what_is_over_before_it_was_written_is_never_written() -> None:
    memory = standing_for(AGREED, "held: edit on its way", timedelta(seconds=90))

    part = look(memory)

    assert part.actions == ()
    assert (part.memory.status_wanted, part.memory.status_since) == ("", None)


def test_the_status_waits_until_nothing_else_is_to_be_sent() -> None:
    hold = PlaceHold("FO1", "")

    assert look(AGREED, (), (hold,), shopify=UNTOLD).actions == ()
    assert (
        look(AGREED, (), (hold,), shopify=UNTOLD, operations=(an_operation(hold, "PLANNED"),)).actions == ()
    )


@pytest.mark.parametrize("state", ["REJECTED", "UNKNOWN"])
def test_what_was_refused_or_is_unclear_waits_for_itself_and_keeps_no_status_back(state: Any) -> None:
    hold = PlaceHold("FO1", "")

    part = look(AGREED, (), (hold,), shopify=UNTOLD, operations=(an_operation(hold, state),))

    assert [type(action) for action in part.actions] == [ShowStatus]


def test_the_reference_at_the_marketplace_travels_by_itself_and_keeps_no_status_back() -> None:
    assert look(AGREED, (), (SetSellerReference("#1001"),), shopify=UNTOLD).actions


def test_tags_of_an_earlier_status_go_whoever_wrote_them() -> None:
    shopify = replace(UNTOLD, tags=("mirakl", "INTERLOCK: needs decision", "Interlock: held: being checked"))

    (action,) = look(AGREED, shopify=shopify).actions

    assert action == ShowStatus(
        "SO1", "in sync", ("INTERLOCK: needs decision", "Interlock: held: being checked")
    )


def test_a_status_that_somebody_takes_off_is_put_back_once_an_hour() -> None:
    told = replace(AGREED, status_told="in sync", status_told_at=NOW - timedelta(minutes=59))
    long_ago = replace(told, status_told_at=NOW - TOLD_AGAIN_AFTER)

    assert (look(told, shopify=UNTOLD).actions, look(told, shopify=UNTOLD).look_at) == (
        (),
        NOW + timedelta(minutes=1),
    )
    assert look(long_ago, shopify=UNTOLD).actions


def test_a_status_on_its_way_stays_wanted() -> None:
    told = replace(
        AGREED, status_wanted="in sync", status_since=NOW, status_told="in sync", status_told_at=NOW
    )
    under_way = an_operation(ShowStatus("SO1", "in sync", ()), "UNKNOWN")

    assert look(told, shopify=UNTOLD, operations=(under_way,)).actions == (under_way.action,)


def test_what_was_never_sent_does_not_count_as_told() -> None:
    memory = replace(
        standing_for(AGREED, "needs decision", DECISION_SETTLES),
        status_told="in sync",
        status_told_at=NOW - SECOND,
    )

    assert look(memory, shopify=UNTOLD).actions


# -- when nothing is written -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"rules": some_rules(show_status=False)},
        {"shopify": None},
        {"mirakl": None},
        {"shopify_unreadable": True},
        {"shopify": replace(UNTOLD, id="SO2")},
        {"mirakl": an_order("SHIPPED")},
        {"mirakl": an_order("CANCELED")},
        {"shopify": replace(UNTOLD, cancelled_at=NOW)},
    ],
)
def test_switched_off_unseen_or_over_nothing_is_written(changes: dict[str, Any]) -> None:
    part = look(standing_for(AGREED, "in sync", timedelta(hours=1)), **{"shopify": UNTOLD, **changes})

    assert (part.actions, part.look_at, part.memory) == ((), None, AGREED)


def test_an_order_that_needed_somebody_says_when_it_does_no_more_even_after_it_left() -> None:
    shopify = a_shopify_order(status="needs decision", tags=("Interlock: needs decision",))

    (action,) = look(AGREED, shopify=shopify, mirakl=an_order("SHIPPED")).actions

    assert action == ShowStatus("SO1", "in sync", ("Interlock: needs decision",))


# -- an order that was replaced ----------------------------------------------------------------------------

BEFORE = a_shopify_order(
    id="SO0",
    name="#1000",
    cancelled_at=NOW,
    status="needs decision",
    tags=("mirakl", "Interlock: needs decision"),
)
SAYS_REPLACED = ShowStatus("SO0", "replaced", ("Interlock: needs decision",))


def lineage_with(role: Any) -> Memory:
    return replace(AGREED, lineage=(Kin("SO0", "#1000", role, NOW, "Interlock", "a copy"),))


@pytest.mark.parametrize(
    ("before", "role", "actions"),
    [
        pytest.param(BEFORE, "superseded", (SAYS_REPLACED,), id="replaced"),
        pytest.param(
            replace(BEFORE, cancelled_at=None), "superseded", (SAYS_REPLACED,), id="replaced and still alive"
        ),
        pytest.param(
            replace(BEFORE, status="replaced", tags=("Interlock: replaced",)), "superseded", (), id="says it"
        ),
        pytest.param(
            replace(BEFORE, status="replaced", tags=()), "superseded", (), id="somebody took the tag off"
        ),
        pytest.param(replace(BEFORE, status="", tags=()), "superseded", (), id="never said anything"),
        pytest.param(BEFORE, "candidate", (), id="may take over"),
    ],
)
def test_an_order_that_was_replaced_says_so_once(before: Any, role: str, actions: tuple[Action, ...]) -> None:
    assert look(lineage_with(role), kin=(before,)).actions == actions


def test_that_an_order_was_replaced_waits_for_everything_else_and_for_the_setting() -> None:
    memory = lineage_with("superseded")

    assert look(memory, (), (ClearMarker("SO0"),), kin=(BEFORE,)).actions == ()
    assert look(memory, kin=(BEFORE,), rules=some_rules(show_status=False)).actions == ()
    assert look(memory, kin=(BEFORE,), shopify_unreadable=True).actions == ()
    assert look(memory, kin=()).actions == ()
    elsewhere = Claim("SO0", "M9", "live")
    assert look(memory, kin=(BEFORE,), claims=(elsewhere,)).actions == ()
    replaced_there = Claim("SO0", "M9", "superseded")
    assert look(memory, kin=(BEFORE,), claims=(replaced_there,)).actions == (SAYS_REPLACED,)


def test_that_an_order_was_replaced_is_read_back_on_that_order() -> None:
    said = replace(BEFORE, status="replaced", tags=("Interlock: replaced",))

    assert is_reached(SAYS_REPLACED, a_view(shopify=TOLD, kin=(said,)))
    assert not is_reached(SAYS_REPLACED, a_view(shopify=TOLD, kin=(BEFORE,)))


# -- an order that was unlinked ----------------------------------------------------------------------------

CLEARED = ClearStatus("SO0", ("Interlock: needs decision",))


@pytest.mark.parametrize(
    ("before", "role", "claims", "actions"),
    [
        pytest.param(BEFORE, "unlinked", (), (CLEARED,), id="unlinked"),
        pytest.param(replace(BEFORE, cancelled_at=None), "unlinked", (), (CLEARED,), id="and still alive"),
        pytest.param(replace(BEFORE, status=""), "unlinked", (), (CLEARED,), id="a tag that an app copied"),
        pytest.param(replace(BEFORE, tags=()), "unlinked", (), (ClearStatus("SO0", ()),), id="no tag"),
        pytest.param(replace(BEFORE, status="", tags=("mirakl",)), "unlinked", (), (), id="says nothing"),
        pytest.param(BEFORE, "candidate", (), (), id="may take over"),
        pytest.param(BEFORE, "unlinked", (Claim("SO0", "M9", "live"),), (), id="stands for another sale"),
        pytest.param(BEFORE, "unlinked", (Claim("SO0", "M9", "superseded"),), (), id="stood for another"),
        pytest.param(BEFORE, "unlinked", (Claim("SO0", "M9", "candidate"),), (CLEARED,), id="may do so"),
    ],
)
def test_an_order_that_was_unlinked_says_nothing_any_more(
    before: Any, role: str, claims: tuple[Claim, ...], actions: tuple[Action, ...]
) -> None:
    assert look(lineage_with(role), kin=(before,), claims=claims).actions == actions


def test_what_an_unlinked_order_says_goes_after_everything_else_and_with_the_setting() -> None:
    memory = lineage_with("unlinked")

    assert look(memory, (), (ClearMarker("SO0"),), kin=(BEFORE,)).actions == ()
    assert look(memory, kin=(BEFORE,), rules=some_rules(show_status=False)).actions == ()
    assert look(memory, kin=(BEFORE,), shopify_unreadable=True).actions == ()


def test_that_an_unlinked_order_says_nothing_is_read_back_on_that_order() -> None:
    assert is_reached(CLEARED, a_view(shopify=TOLD, kin=(replace(BEFORE, status="", tags=("mirakl",)),)))
    assert not is_reached(CLEARED, a_view(shopify=UNTOLD, kin=(BEFORE,)))
    assert not is_reached(CLEARED, a_view(shopify=UNTOLD, kin=(replace(BEFORE, status=""),)))


# -- reading it back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "tags", "there"),
    [
        ("in sync", ("mirakl", "Interlock: in sync"), True),
        ("in sync", ("interlock: IN SYNC",), True),
        ("in sync", (), False),
        ("", ("Interlock: in sync",), False),
        ("in sync", ("Interlock: in sync", "Interlock: needs decision"), False),
        ("needs decision", ("Interlock: in sync",), False),
    ],
)
def test_a_status_is_shown_when_metafield_and_tag_say_it_and_no_tag_says_another(
    status: str, tags: tuple[str, ...], there: bool
) -> None:
    shopify = a_shopify_order(status=status, tags=tags)

    assert shows(shopify, "in sync") is there
    assert is_reached(ShowStatus("SO1", "in sync", ()), a_view(shopify=shopify)) is there


def test_nothing_an_order_says_is_about_a_person() -> None:
    words = {word for status in ShownStatus for word in status.value.replace(":", "").split()}

    assert TAG_PREFIX == "Interlock: "
    assert words == {
        *("in", "sync", "needs", "decision", "held", "not", "accepted", "yet", "marketplace", "ready"),
        *("address", "missing", "edit", "on", "its", "way", "window", "open", "being", "checked"),
        "replaced",
    }

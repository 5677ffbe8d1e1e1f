"""The linked Shopify order is not shown, and was not cancelled when it was seen last."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from interlock.cancellations import missing
from interlock.orders.connection import Pause
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from tests.build import NOW, a_decision, a_memory, a_shopify_order, a_view, an_order, some_rules

MINUTE = timedelta(minutes=1)
GONE = Reason.SHOPIFY_ORDER_MISSING


@pytest.mark.parametrize(
    ("shown", "unreadable", "linked", "since", "then"),
    [
        pytest.param(False, False, "SO1", None, NOW, id="from now on"),
        pytest.param(False, False, "SO1", NOW - MINUTE, NOW - MINUTE, id="since it was first missed"),
        pytest.param(True, False, "SO1", NOW - MINUTE, None, id="shown again"),
        pytest.param(False, True, "SO1", NOW - MINUTE, NOW - MINUTE, id="unreadable says nothing"),
        pytest.param(False, True, "SO1", None, None, id="unreadable begins nothing"),
        pytest.param(False, False, "", None, None, id="nothing is linked"),
    ],
)
def test_since_when_it_is_missing(
    shown: bool, unreadable: bool, linked: str, since: datetime | None, then: datetime | None
) -> None:
    memory = a_memory(shopify_order_id=linked, missing_since=since)
    shopify = a_shopify_order() if shown else None
    noted = missing.noted(a_view(memory=memory, shopify=shopify, shopify_unreadable=unreadable), memory)
    assert noted.missing_since == then


@pytest.mark.parametrize(
    ("state", "since", "cancelled", "asked"),
    [
        pytest.param("SHIPPING", NOW - 5 * MINUTE, None, True, id="long enough"),
        pytest.param("WAITING_ACCEPTANCE", NOW - 5 * MINUTE, None, True, id="before acceptance"),
        pytest.param("SHIPPING", NOW - 4 * MINUTE, None, False, id="a moment ago"),
        pytest.param(
            "SHIPPING", NOW - 5 * MINUTE, NOW - 9 * MINUTE, True, id="cancelled, and nothing is kept"
        ),
        pytest.param("SHIPPED", NOW - 5 * MINUTE, None, False, id="it has left"),
        pytest.param("CANCELED", NOW - 5 * MINUTE, None, False, id="it has ended"),
        pytest.param("SHIPPING", None, None, False, id="shown"),
    ],
)
def test_who_is_asked(state: str, since: datetime | None, cancelled: datetime | None, asked: bool) -> None:
    memory = a_memory(missing_since=since, shopify_cancelled_seen_at=cancelled)
    part = missing.decide(a_view(memory=memory, shopify=None, mirakl=an_order(state)), memory)
    assert [(case.reason, case.options) for case in part.cases] == (
        [(GONE, (Option.CANCEL_AT_MARKETPLACE,))] if asked else []
    )
    waits = since == NOW - 4 * MINUTE
    assert part.look_at == (NOW + MINUTE if waits else None)


def test_nobody_is_asked_again_who_said_that_it_is_gone() -> None:
    said = a_decision(GONE, "SO1", Option.CANCEL_AT_MARKETPLACE, NOW - MINUTE)
    memory = a_memory(missing_since=NOW - 8 * MINUTE, shopify_cancelled_seen_at=NOW, decisions=(said,))
    assert missing.decide(a_view(memory=memory, shopify=None), memory) == Part(memory)


def test_the_case_says_whether_it_was_cancelled_when_it_was_seen_last() -> None:
    memory = a_memory(missing_since=NOW - 5 * MINUTE)
    [case] = missing.decide(a_view(memory=memory, shopify=None), memory).cases
    assert "was not cancelled when it was seen last" in case.sentence
    memory = replace(memory, shopify_cancelled_seen_at=NOW - 9 * MINUTE)
    [case] = missing.decide(a_view(memory=memory, shopify=None), memory).cases
    assert "nothing is kept of what it showed then" in case.sentence


@pytest.mark.parametrize(
    ("said", "option", "cancelled"),
    [
        pytest.param(NOW - MINUTE, Option.CANCEL_AT_MARKETPLACE, NOW, id="gone for good"),
        pytest.param(NOW - 9 * MINUTE, Option.CANCEL_AT_MARKETPLACE, None, id="said of an earlier time"),
        pytest.param(NOW - MINUTE, Option.DISMISS, None, id="something else"),
    ],
)
def test_by_a_persons_word_it_counts_as_cancelled_until_it_shows_again(
    said: datetime, option: Option, cancelled: datetime | None
) -> None:
    memory = a_memory(missing_since=NOW - 8 * MINUTE, decisions=(a_decision(GONE, "SO1", option, said),))
    noted = missing.noted(a_view(memory=memory, shopify=None), memory)
    assert noted.shopify_cancelled_seen_at == cancelled
    shown = missing.noted(a_view(memory=noted, shopify=a_shopify_order()), noted)
    assert (shown.shopify_cancelled_seen_at, shown.missing_since) == (None, None)


def test_what_is_gone_stands_as_a_cancelled_order() -> None:
    memory = a_memory(shopify_cancelled_seen_at=NOW)
    order = missing.as_cancelled(a_shopify_order(), memory)
    assert (order.cancelled_at, order.live, order.fulfillment_orders) == (NOW, False, ())
    assert {line.current_quantity for line in order.lines} == {0}
    seen = replace(a_shopify_order(), cancelled_at=NOW - MINUTE)
    assert missing.as_cancelled(seen, memory) == seen


PAUSED = Pause("edits", NOW - MINUTE, NOW + MINUTE, "Ada", "Stocktaking.")
ACCEPTANCE = {Reason.ACCEPTANCE_RUNNING_OUT, Reason.ACCEPTANCE_REFUSED}


@pytest.mark.parametrize(
    ("given", "over", "not_over"),
    [
        pytest.param({"mirakl": None}, set(), {GONE, *ACCEPTANCE, Reason.FLOW_PAUSED}, id="nothing was read"),
        pytest.param({}, {GONE, *ACCEPTANCE, Reason.FLOW_PAUSED, Reason.INCIDENT_OPEN}, set(), id="accepted"),
        pytest.param({"shopify_unreadable": True}, ACCEPTANCE, {GONE}, id="Shopify cannot be read"),
        pytest.param({"mirakl": an_order("WAITING_ACCEPTANCE")}, {GONE}, ACCEPTANCE, id="it waits for us"),
        pytest.param({}, set(), {Reason.CARRIER_UNKNOWN}, id="it is still to be told of"),
        pytest.param(
            {"mirakl": an_order("SHIPPED")},
            {Reason.CARRIER_UNKNOWN, Reason.TRACKING_MISSING},
            set(),
            id="told",
        ),
        pytest.param(
            {"mirakl": an_order("SHIPPING", has_incident=True)},
            set(),
            {Reason.INCIDENT_OPEN},
            id="an incident",
        ),
        pytest.param({"mirakl": an_order("SHIPPING")}, {Reason.EDIT_WAITING}, set(), id="it takes edits"),
        pytest.param(
            {"mirakl": an_order("SHIPPING", has_incident=True)},
            set(),
            {Reason.EDIT_WAITING},
            id="it takes none",
        ),
        pytest.param(
            {"mirakl": an_order("WAITING_DEBIT_PAYMENT")},
            set(),
            {Reason.EDIT_WAITING},
            id="it collects the payment",
        ),
        pytest.param({"rules": some_rules(pauses=(PAUSED,))}, ACCEPTANCE, {Reason.FLOW_PAUSED}, id="paused"),
        pytest.param(
            {}, set(), {Reason.EDIT_CANNOT_BE_EXPRESSED, Reason.CANNOT_HOLD}, id="of what Shopify shows"
        ),
    ],
)
def test_what_is_over_although_the_order_is_not_shown(
    given: dict[str, Any], over: set[Reason], not_over: set[Reason]
) -> None:
    said = set(missing.seen_without_the_order(a_view(**{"shopify": None, **given})))
    assert over <= said
    assert not said & not_over

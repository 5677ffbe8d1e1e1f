"""The study's shipping ladder (5.2) by the order's own time to ship: real rules, kept in the real tables, alerts read
from them quarter of an hour by quarter of an hour."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from interlock.cases.store import sync_cases
from interlock.decide import decide as decide_order
from interlock.engine.store import ConnectionRow
from interlock.monitoring.decide import Situation, decide
from interlock.monitoring.standings import case_standings
from interlock.orders.actions import SetTracking
from interlock.orders.connection import Carrier
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import MiraklOrder, Shipment
from interlock.orders.store import add_order
from interlock.orders.view import View
from interlock.storage.database import Database
from tests.build import (
    NOW,
    a_fulfillment,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_operation,
    an_order,
    some_rules,
)

WINDOW = timedelta(hours=48)
QUARTER = timedelta(minutes=15)
Said = tuple[str, float, str, tuple[str, ...]]
"""Which case, at which per cent of the time to ship, how loudly, and to whom."""


def to_ship(**changes: object) -> MiraklOrder:
    """Paid a day after it was accepted, with 48 hours to ship from then on (OR11 `shipping_deadline`)."""
    return replace(
        an_order(
            acceptance_decided_at=NOW - timedelta(days=1), debited_at=NOW, shipping_deadline=NOW + WINDOW
        ),
        **changes,  # type: ignore[arg-type]
    )


LEFT = a_shopify_order(
    lines=(
        a_shopify_line(fulfilled_quantity=2),
        a_shopify_line("S2", "LAMP", 1, "30.00", "L2", fulfilled_quantity=1),
    ),
    fulfillments=(a_fulfillment(created_at=NOW + timedelta(hours=1)),),
    fulfillment_orders=(),
)
MAPPED = some_rules(carriers=(Carrier("RM24", "Royal Mail 24"),))


def heard(
    c: Connection,
    connection: ConnectionRow,
    view: View,
    length: timedelta = WINDOW,
    step: timedelta = QUARTER,
    at: Callable[[View], View] = lambda view: view,
) -> list[Said]:
    """What people hear of the order while nobody does anything, each alert once, from the payment to the deadline."""
    order_id = add_order(c, connection.id, view.order_id, "", NOW)
    heard: dict[str, Said] = {}
    for number in range(round(length / step) + 1):
        now = NOW + number * step
        mirakl = None if view.mirakl is None else replace(view.mirakl, observed_at=now)
        seen = at(replace(view, now=now, mirakl=mirakl))
        plan = decide_order(seen)
        sync_cases(c, order_id, connection.id, plan.cases, now, True, seen.mirakl, plan.memory)
        for alert in decide(Situation(now, cases=case_standings(c, now))):
            gone = 100 * (now - NOW) / length
            heard.setdefault(alert.key, (alert.reason, gone, alert.severity, alert.teams))
    return list(heard.values())


OPERATIONS, LEAD = ("operations",), ("operations", "engineer")


def test_an_order_that_nobody_sends_climbs_by_its_time_to_ship(
    database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        said = heard(c, connection, a_view(mirakl=to_ship()))

    near = Reason.SHIPPING_DEADLINE_NEAR.value
    assert said == [
        (near, 60.0 + 100 * timedelta(minutes=12) / WINDOW, "message", OPERATIONS),
        (near, 75.0, "page", OPERATIONS),
        (near, 80.0 + 100 * timedelta(minutes=6) / WINDOW, "page", LEAD),
        (near, 100.0, "page", LEAD),
    ]


def test_without_a_payment_the_time_to_ship_begins_with_the_acceptance(
    database: Database, connection: ConnectionRow
) -> None:
    order = to_ship(debited_at=None, acceptance_decided_at=NOW)

    with database.begin() as c:
        said = heard(c, connection, a_view(mirakl=order))

    assert [(round(gone), severity) for _, gone, severity, _ in said] == [
        (60, "message"),
        (75, "page"),
        (80, "page"),
        (100, "page"),
    ]


def test_a_refused_dispatch_climbs_in_the_place_of_the_deadline(
    database: Database, connection: ConnectionRow
) -> None:
    tracking = SetTracking("RM24", "", "RM1", "")
    refused = an_operation(tracking, ended_at=NOW + timedelta(hours=2), words="This is not a number.")

    def then(view: View) -> View:
        since = refused.ended_at
        return replace(view, operations=(refused,)) if since is not None and view.now >= since else view

    with database.begin() as c:
        view = a_view(mirakl=to_ship(), shopify=LEFT, rules=MAPPED)
        said = heard(c, connection, view, at=then)

    assert [(reason, round(gone), severity, teams) for reason, gone, severity, teams in said] == [
        ("shipping_refused", 4, "message", OPERATIONS),
        ("shipping_refused", 5, "message", OPERATIONS),  # not taken up for a quarter of an hour
        ("shipping_refused", 60, "message", OPERATIONS),
        ("shipping_refused", 75, "page", OPERATIONS),
        ("shipping_refused", 80, "page", LEAD),
        ("shipping_refused", 100, "page", LEAD),
    ]


def test_an_unknown_carrier_is_a_ticket_and_a_page_once_half_the_time_to_ship_is_gone(
    database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        said = heard(c, connection, a_view(mirakl=to_ship(), shopify=LEFT))

    assert [
        (reason, gone if gone <= 50 else round(gone), severity, teams)
        for reason, gone, severity, teams in said
    ] == [
        ("carrier_unknown", 0.0, "ticket", OPERATIONS),
        ("carrier_unknown", 50.0, "page", OPERATIONS),
        ("carrier_unknown", 75, "page", OPERATIONS),
        ("carrier_unknown", 80, "page", LEAD),
        ("carrier_unknown", 100, "page", LEAD),
    ]


def test_missing_tracking_climbs_too_though_its_case_is_for_today(
    database: Database, connection: ConnectionRow
) -> None:
    parcel = a_fulfillment(tracking_number="", created_at=NOW + timedelta(hours=1))
    rules = some_rules(tracking_mandatory_for=("STD",))

    with database.begin() as c:
        view = a_view(mirakl=to_ship(), shopify=replace(LEFT, fulfillments=(parcel,)), rules=rules)
        said = heard(c, connection, view)

    assert [(reason, round(gone), severity) for reason, gone, severity, _ in said] == [
        ("tracking_missing", 0, "ticket"),
        ("tracking_missing", 60, "message"),
        ("tracking_missing", 75, "page"),
        ("tracking_missing", 80, "page"),
        ("tracking_missing", 100, "page"),
    ]


THEIRS = Shipment(
    "SH1",
    state="SHIPPING",
    marker="",
    carrier_code="",
    carrier_name="",
    tracking_number="",
    lines=(("L1", 2), ("L2", 1)),
)


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("shipments_hidden", {"shipments_hidden": "forbidden"}),
        ("shipment_in_portal", {"shipments": (THEIRS,)}),
    ],
)
def test_parcels_that_are_told_of_one_by_one_climb_too(
    database: Database, connection: ConnectionRow, reason: str, changes: dict[str, object]
) -> None:
    """Multi-shipment: a key that may not read shipments (ST11), and a shipment that somebody made in the portal."""
    rules = replace(MAPPED, multi_shipment=True)

    with database.begin() as c:
        said = heard(c, connection, a_view(mirakl=to_ship(**changes), shopify=LEFT, rules=rules))

    assert [(one, round(gone), severity) for one, gone, severity, _ in said if gone > 50] == [
        (reason, 60, "message"),
        (reason, 75, "page"),
        (reason, 80, "page"),
        (reason, 100, "page"),
    ]


def test_a_page_leaves_half_an_hour_however_short_the_time_to_ship_is(
    database: Database, connection: ConnectionRow
) -> None:
    hour = timedelta(hours=1)

    with database.begin() as c:
        order = to_ship(shipping_deadline=NOW + hour)
        said = heard(c, connection, a_view(mirakl=order), hour, timedelta(minutes=5))

    assert next(gone for _, gone, severity, _ in said if severity == "page") == 50.0


@pytest.mark.parametrize("state", ["SHIPPED", "RECEIVED", "CANCELED", "WAITING_ACCEPTANCE"])
@pytest.mark.parametrize("changes", [{}, {"shipments_hidden": "forbidden"}])
def test_an_order_that_is_not_to_be_shipped_has_no_time_to_ship(
    database: Database, connection: ConnectionRow, state: str, changes: dict[str, object]
) -> None:
    view = a_view(mirakl=to_ship(state=state, **changes), rules=replace(MAPPED, multi_shipment=bool(changes)))

    with database.begin() as c:
        said = heard(c, connection, replace(view, shopify=LEFT))

    assert [one for one in said if one[1] >= 50] == []

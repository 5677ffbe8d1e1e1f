"""Keeping a marketplace's profile: what changed is decided anew, and reason codes have a case of the connection."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from interlock.cases.store import cases, sync_cases
from interlock.console import desk
from interlock.console.list_changes import list_changes
from interlock.engine.capabilities import keep_capability, keep_observation, keep_rules
from interlock.engine.store import ConnectionRow, connections, counts, one_connection
from interlock.marketplaces.observed import Observation
from interlock.marketplaces.store import observations_of, observe
from interlock.orders.capability import Capability
from interlock.orders.codec import encode
from interlock.orders.connection import Carrier, CarrierMapping
from interlock.orders.memory import Memory
from interlock.orders.plan import Case
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import Fulfillment
from interlock.orders.store import add_order, orders
from interlock.shipping.store import map_carriers
from interlock.storage.database import Database
from interlock.wiring import rules_of
from tests.build import CREATED, NOW, a_shopify_order, a_view
from tests.engine.rows import Wakes, a_connection
from tests.marketplaces.test_profile import FRAUD, OUT, WISH, a_capability


@pytest.fixture
def c(database: Database) -> Iterator[Connection]:
    with database.begin() as connection:
        yield connection


@pytest.fixture
def row(c: Connection) -> ConnectionRow:
    return one_connection(c, a_connection(c, cancelation_reason="34", partial_cancelation=True))


def reason_cases(c: Connection) -> list[tuple[str, bool]]:
    rows = c.execute(
        select(cases.c.subject, cases.c.closed_at)
        .where(cases.c.reason == Reason.REASON_CODE_MISSING.value)
        .order_by(cases.c.id)
    )
    return [(subject, closed_at is None) for subject, closed_at in rows]


def waiting_orders(c: Connection, row: ConnectionRow) -> list[int]:
    """Orders that wait: one with an open case, one whose edit is not settled; and one that rests."""
    with_case = add_order(c, row.id, "M-1-A", "M-1", NOW)
    sync_cases(c, with_case, row.id, [Case(Reason.CARRIER_UNKNOWN, "Pony", "Not mapped.")], NOW, True)
    differing = add_order(c, row.id, "M-2-A", "M-2", NOW)
    resting = add_order(c, row.id, "M-3-A", "M-3", NOW)
    c.execute(orders.update().values(next_look_at=None))
    c.execute(
        orders.update()
        .where(orders.c.id == differing)
        .values(memory=encode(Memory(disagreeing_since=CREATED)))
    )
    assert resting not in (with_case, differing)
    return [with_case, differing]


def test_a_changed_profile_decides_the_waiting_orders_anew_and_leaves_the_others_alone(
    c: Connection, row: ConnectionRow
) -> None:
    queue = Wakes()
    first = keep_capability(c, queue, row, a_capability(), CREATED)
    waiting = waiting_orders(c, row)
    row = one_connection(c, row.id)

    same = keep_capability(c, queue, row, a_capability(), NOW)
    changed = keep_capability(c, queue, row, a_capability(multi_shipment=True), NOW)

    assert (first.changes, same.changes, changed.changes) == ((), (), ("multi_shipment",))
    assert [order_id for order_id, _ in queue.woken] == waiting
    assert changed.hinted == 2
    assert one_connection(c, row.id).capability_read_at == NOW


def test_a_withdrawn_reason_code_is_one_case_until_another_is_set(c: Connection, row: ConnectionRow) -> None:
    queue = Wakes()
    gone = a_capability(cancelation_reasons=(OUT, FRAUD))
    keep_capability(c, queue, row, a_capability(), CREATED)
    assert reason_cases(c) == []

    for _ in range(2):
        keep_capability(c, queue, one_connection(c, row.id), gone, NOW)
    assert reason_cases(c) == [("cancelation 34", True)]

    waiting = waiting_orders(c, row)
    row = one_connection(c, row.id)
    kept = keep_rules(c, queue, row, replace(row.rules, cancelation_reason="35"), NOW)

    assert reason_cases(c) == [("cancelation 34", False)]
    assert kept.changes == ("cancelation_reason",)
    assert [order_id for order_id, _ in queue.woken[-2:]] == waiting
    assert one_connection(c, row.id).rules.cancelation_reason == "35"


def test_a_code_that_comes_back_closes_its_case(c: Connection, row: ConnectionRow) -> None:
    keep_capability(c, Wakes(), row, a_capability(cancelation_reasons=(OUT,)), CREATED)
    keep_capability(c, Wakes(), one_connection(c, row.id), a_capability(cancelation_reasons=(WISH,)), NOW)

    assert reason_cases(c) == [("cancelation 34", False)]


def test_an_observation_is_news_once_and_again_when_it_is_refuted(c: Connection, row: ConnectionRow) -> None:
    allowed = Observation("partial_cancelation", True, "OR30 cancelled part of an order")
    refused = Observation("partial_cancelation", False, "OR30 was refused (HTTP_403)")

    news = [observe(c, row.id, seen, at) for seen, at in ((allowed, CREATED), (allowed, NOW), (refused, NOW))]

    assert news == [True, False, True]
    assert observations_of(c, row.id) == {"partial_cancelation": (refused, NOW)}


def refuted_cases(c: Connection) -> list[tuple[str, bool]]:
    rows = c.execute(
        select(cases.c.subject, cases.c.closed_at)
        .where(cases.c.reason == Reason.SETTING_REFUTED.value)
        .order_by(cases.c.id)
    )
    return [(subject, closed_at is None) for subject, closed_at in rows]


NO_UNITS = Observation("partial_cancelation", False, "OR30 was refused (HTTP_403)")
UNITS = Observation("partial_cancelation", True, "OR30 cancelled part of an order")


def test_a_refused_right_takes_effect_at_once_and_comes_back_when_it_is_seen_again(
    c: Connection, row: ConnectionRow
) -> None:
    queue = Wakes()
    waiting = waiting_orders(c, row)

    assert keep_observation(c, queue, row.id, NO_UNITS, CREATED)
    refused = one_connection(c, row.id)
    assert not rules_of(refused, ()).partial_cancelation
    assert refused.rules.partial_cancelation
    assert [order_id for order_id, _ in queue.woken] == waiting
    assert refuted_cases(c) == [("partial_cancelation", True)]

    assert not keep_observation(c, queue, row.id, NO_UNITS, NOW)
    assert len(queue.woken) == 2
    assert keep_observation(c, queue, row.id, UNITS, NOW)
    assert rules_of(one_connection(c, row.id), ()).partial_cancelation
    assert [order_id for order_id, _ in queue.woken[2:]] == waiting
    assert refuted_cases(c) == [("partial_cancelation", False)]


def test_what_a_person_says_anew_is_tried_anew_and_what_agrees_is_no_case(
    c: Connection, row: ConnectionRow
) -> None:
    queue = Wakes()
    keep_observation(c, queue, row.id, NO_UNITS, CREATED)
    waiting = waiting_orders(c, row)
    row = one_connection(c, row.id)

    other = keep_rules(c, queue, row, replace(row.rules, cancelation_reason="35"), NOW)
    assert other.changes == ("cancelation_reason",)
    assert not rules_of(one_connection(c, row.id), ()).partial_cancelation
    row = one_connection(c, row.id)
    again = keep_rules(c, queue, row, row.rules, NOW, ("partial_cancelation", "messages"))
    assert again.changes == ("partial_cancelation",)
    assert rules_of(one_connection(c, row.id), ()).partial_cancelation
    assert [order_id for order_id, _ in queue.woken[-2:]] == waiting
    assert refuted_cases(c) == [("partial_cancelation", False)]

    row = one_connection(c, row.id)
    keep_rules(c, queue, row, replace(row.rules, partial_cancelation=False), NOW, ("partial_cancelation",))
    assert not keep_observation(c, queue, row.id, NO_UNITS, NOW)
    assert refuted_cases(c) == [("partial_cancelation", False)]
    assert "refuted" not in str(c.execute(select(connections.c.rules)).scalar_one())


def test_a_time_to_accept_that_is_said_anew_has_proved_nothing_yet(c: Connection, row: ConnectionRow) -> None:
    for allowed in (False, True):
        keep_observation(c, Wakes(), row.id, Observation("acceptance_window", allowed, "48 h"), NOW)
        assert refuted_cases(c) == [("acceptance_window", not allowed)]
    keep_rules(c, Wakes(), row, row.rules, NOW, ("acceptance_window",))

    assert observations_of(c, row.id) == {}


def test_a_carrier_the_marketplace_drops_is_a_case_before_a_parcel_needs_it(
    c: Connection, row: ConnectionRow
) -> None:
    def gone() -> list[tuple[str, bool]]:
        rows = c.execute(
            select(cases.c.subject, cases.c.closed_at)
            .where(cases.c.reason == Reason.CARRIER_GONE.value)
            .order_by(cases.c.id)
        )
        return [(subject, closed_at is None) for subject, closed_at in rows]

    known = a_capability(carriers=(Carrier("RM24", "Royal Mail 24"), Carrier("DPD", "DPD")))
    fewer = replace(known, carriers=(Carrier("RMT24", "Royal Mail Tracked 24"), Carrier("DPD", "DPD")))
    map_carriers(c, row.id, [CarrierMapping("RM 24", "RM24"), CarrierMapping("dpd", "DPD")], "Ada", NOW)

    keep_capability(c, Wakes(), row, known, NOW)
    assert gone() == []
    row = one_connection(c, row.id)
    kept = keep_capability(c, Wakes(), row, fewer, NOW)
    keep_capability(c, Wakes(), row, fewer, NOW)
    assert "carriers" in kept.changes
    assert gone() == [("RM24", True)]
    desk.map_carrier_names(
        c, Wakes(), one_connection(c, row.id), [CarrierMapping("RM 24", "RMT24")], "Ada", NOW
    )
    assert gone() == [("RM24", False)]


def gone_cases(c: Connection) -> list[tuple[str, bool]]:
    rows = c.execute(
        select(cases.c.subject, cases.c.closed_at)
        .where(cases.c.reason == Reason.CARRIER_GONE.value)
        .order_by(cases.c.id)
    )
    return [(subject, closed_at is None) for subject, closed_at in rows]


def a_parcel_by_name(c: Connection, row: ConnectionRow, number: str, carrier: str, at: datetime) -> None:
    """An order of the marketplace with one parcel in the shop whose carrier is named like that."""
    order_id = add_order(c, row.id, f"{number}-A", number, at)
    parcel = Fulfillment("F1", True, at, (("1", 1),), carrier, "TR1", "")
    seen = a_view(shopify=a_shopify_order(fulfillments=(parcel,)))
    c.execute(orders.update().where(orders.c.id == order_id).values(last_view=encode(seen)))


def test_a_carrier_that_parcels_found_by_its_very_name_is_a_case_until_it_is_mapped_or_back(
    c: Connection, row: ConnectionRow
) -> None:
    known = a_capability(carriers=(Carrier("RM24", "Royal Mail 24"), Carrier("DPD", "DPD")))
    fewer = replace(known, carriers=(Carrier("RMT24", "Royal Mail Tracked 24"), Carrier("DPD", "DPD")))
    for number, carrier in (("M-1", "royal mail 24"), ("M-2", "Royal Mail-24"), ("M-3", "DPD")):
        a_parcel_by_name(c, row, number, carrier, NOW - timedelta(days=1))
    a_parcel_by_name(c, row, "M-4", "Royal Mail 24", NOW - timedelta(days=60))

    def read(capability: Capability, at: datetime = NOW) -> None:
        keep_capability(c, Wakes(), one_connection(c, row.id), capability, at)

    read(known)
    assert gone_cases(c) == []
    read(fewer)
    read(fewer, NOW + timedelta(days=1))
    assert gone_cases(c) == [("RM24", True)]
    sentence = c.execute(select(cases.c.sentence).where(cases.c.subject == "RM24")).scalar_one()
    assert "2 parcels of the orders" in sentence

    read(known, NOW + timedelta(days=2))
    assert gone_cases(c) == [("RM24", False)]
    read(fewer, NOW + timedelta(days=3))
    assert gone_cases(c) == [("RM24", True)]
    mapping = CarrierMapping("Royal Mail 24", "RMT24")
    desk.map_carrier_names(c, Wakes(), one_connection(c, row.id), [mapping], "Ada", NOW)
    assert gone_cases(c) == [("RM24", False)]


def test_a_mapping_for_a_method_the_marketplace_drops_is_a_case_until_it_is_mapped_anew(
    c: Connection, row: ConnectionRow
) -> None:
    known = a_capability(carriers=(Carrier("DPD", "DPD"),), shipping_types=("STD", "EXP"))
    keep_capability(c, Wakes(), row, known, NOW)
    mapping = CarrierMapping("DPD", "DPD", service="EXP")
    desk.map_carrier_names(c, Wakes(), one_connection(c, row.id), [mapping], "Ada", NOW)
    assert gone_cases(c) == []

    dropped = replace(known, shipping_types=("STD", "EXPRESS"))
    keep_capability(c, Wakes(), one_connection(c, row.id), dropped, NOW)
    assert gone_cases(c) == [("shipping method EXP", True)]

    heir = replace(mapping, service="EXPRESS")
    desk.map_carrier_names(c, Wakes(), one_connection(c, row.id), [heir], "Ada", NOW)
    assert gone_cases(c) == [("shipping method EXP", False)]


def test_what_the_marketplace_changes_in_its_lists_is_kept_and_counted(
    c: Connection, row: ConnectionRow
) -> None:
    known = a_capability(carriers=(Carrier("A", "Able"), Carrier("B", "Best")), shipping_types=("STD", "EXP"))
    other = a_capability(carriers=(Carrier("B", "Better"), Carrier("C", "Calm")), shipping_types=("STD",))

    keep_capability(c, Wakes(), row, known, CREATED)
    assert list_changes(c, row.id) == ()
    for _ in range(2):
        keep_capability(c, Wakes(), one_connection(c, row.id), other, NOW)

    changes = [(one.kind, one.code, one.what, one.former, one.present) for one in list_changes(c, row.id)]
    assert changes == [
        ("shipping method", "EXP", "gone", "EXP", ""),
        ("carrier", "C", "new", "", "Calm"),
        ("carrier", "B", "renamed", "Best", "Better"),
        ("carrier", "A", "gone", "Able", ""),
    ]
    assert counts(c)[("marketplace_carriers_changed", "atlas")] == 3
    assert counts(c)[("marketplace_shipping_methods_changed", "atlas")] == 1

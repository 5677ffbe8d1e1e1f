"""What is one line of the queue: every reason says whether one cause may open it for many orders, and by what it is
known."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from interlock.cases.causes import cause_of
from interlock.cases.replays import open_causes
from interlock.cases.store import sync_cases
from interlock.console.case_list import folded_page
from interlock.console.lists import Asked
from interlock.console.mappings import waiting_carriers
from interlock.decide import decide
from interlock.engine.store import ConnectionRow
from interlock.orders.actions import PlaceHold
from interlock.orders.connection import Carrier, Pause
from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason
from interlock.orders.restraint import restrained
from interlock.orders.store import add_order
from interlock.orders.view import View
from interlock.shipping.telling import NO_CARRIER
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import (
    NOW,
    a_fulfillment,
    a_fulfillment_order,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_offer,
    an_operation,
    an_order,
    not_imported,
    some_rules,
)
from tests.console.seed import CLOCK, connect

ORDER = "its own order"

HOW: dict[Reason, str] = {
    Reason.SKU_UNKNOWN: "the SKU",
    Reason.SKU_AMBIGUOUS: "the SKU",
    Reason.STOCK_SHORT: "the SKU",
    Reason.PRICE_DISCREPANCY: "the SKU",
    Reason.CARRIER_UNKNOWN: "the carrier",
    Reason.TRACKING_NOT_CORRECTED: "the carrier, or that none is named, or call and code",
    Reason.TRACKING_MISSING: "the shipping method, and that only the carrier is missing",
    Reason.OPERATOR_SHIPS: "the shipping method",
    Reason.SHIPMENTS_HIDDEN: "the right the key lacks",
    Reason.SHIPPING_REFUSED: "call and code",
    Reason.REDUCTION_REFUSED: "call and code",
    Reason.PLATFORM_REFUSED: "call and code",
    Reason.ACCEPTANCE_REFUSED: "the code",
    Reason.IMPORT_REFUSED: "the code",
    Reason.REFUND_REFUSED: "the code",
    Reason.CANNOT_HOLD: "the code",
    Reason.REFUND_NOT_PAID: "the state the refunds stay in",
    Reason.UNKNOWN_VALUE: "the value",
    Reason.IMPOSSIBLE_COMBINATION: "state and workflow",
    Reason.NOT_OURS_TO_SHIP: "the centre, or who is paid",
    Reason.OLDER_THAN_CONNECTION: "the moment its connection went live",
    Reason.TOTALS_DIFFER: "the currencies, where they differ",
    Reason.FLOW_PAUSED: "the flow",
    Reason.EMAIL_NOT_RELAY: "the address's digest, or that there is none",
    Reason.MARKETING_POSSIBLE: "the tag, or the consent",
    # each is about one order, parcel, customer or connection
    Reason.TWO_LIVE_ORDERS: ORDER,
    Reason.ACCEPTANCE_RUNNING_OUT: ORDER,
    Reason.ACCEPTED_WITHOUT_ORDER: ORDER,
    Reason.SHIPPED_WITHOUT_ORDER: ORDER,
    Reason.DRAFT_WITHOUT_STOCK: ORDER,
    Reason.EDIT_CANNOT_BE_EXPRESSED: ORDER,
    Reason.REDUCTION_NOT_ALLOWED: ORDER,
    Reason.REFUND_TASK: ORDER,
    Reason.CONFIRM_WITHDRAWN: ORDER,
    Reason.MARKETPLACE_CHANGED: ORDER,
    Reason.INCIDENT_OPEN: ORDER,
    Reason.HOLD_RELEASED_BY_OTHERS: ORDER,
    Reason.LABEL_BEFORE_AGREEMENT: ORDER,
    Reason.SHIPPED_ON_DISAGREEMENT: ORDER,
    Reason.SERVICE_DOES_NOT_STOP: ORDER,
    Reason.SERVICE_TO_ASK_AGAIN: ORDER,
    Reason.LABEL_OVERRIDDEN: ORDER,
    Reason.TRACKING_UNUSABLE: ORDER,
    Reason.CARRIER_GONE: ORDER,
    Reason.CANCELLED_IN_SHOPIFY: ORDER,
    Reason.SHOPIFY_ORDER_MISSING: ORDER,
    Reason.POSSIBLE_SUCCESSOR: ORDER,
    Reason.ENDED_AFTER_PICKING: ORDER,
    Reason.ENDED_WITH_REST: ORDER,
    Reason.DESK_EDIT_STUCK: ORDER,
    Reason.ORIGINAL_NOT_CANCELLED: ORDER,
    Reason.REPLACEMENT_SPLIT: ORDER,
    Reason.REPLACEMENT_MERGED: ORDER,
    Reason.UNREADABLE_ORDER: ORDER,
    Reason.OUTCOME_UNCLEAR: ORDER,
    Reason.TOO_MANY_CYCLES: ORDER,
    Reason.REFUND_APPROVAL: ORDER,
    Reason.REFUND_MISMATCH: ORDER,
    Reason.REASON_CODE_MISSING: ORDER,
    Reason.SETTING_REFUTED: ORDER,
    Reason.QUARANTINE: ORDER,
    Reason.DIFFERENCE_AFTER_QUARANTINE: ORDER,
    Reason.EDIT_WAITING: ORDER,
    Reason.BOTH_SIDES_CHANGED: ORDER,
    Reason.CREDENTIAL_REFUSED: ORDER,
    Reason.SCOPE_MISSING: ORDER,
    Reason.SUBSCRIPTION_MISSING: ORDER,
    Reason.POLLER_STALE: ORDER,
    Reason.BUDGET_EXHAUSTED: ORDER,
    Reason.OPERATION_UNCLEAR: ORDER,
    Reason.POISON_ORDER: ORDER,
    Reason.CLOCK_SKEW: ORDER,
    Reason.SHIPPING_DEADLINE_NEAR: ORDER,
    Reason.PARTIAL_SHIPMENT: ORDER,
    Reason.FULFILLMENT_CANCELLED: ORDER,
    Reason.STILL_HERE: ORDER,
    Reason.LABEL_GIVEN_BACK: ORDER,
    Reason.SHIPMENT_IN_PORTAL: ORDER,
    Reason.ADDRESS_INCOMPLETE: ORDER,
    Reason.DESTINATION_DIFFERS: ORDER,
    Reason.REFUND_ONLY_AT_MARKETPLACE: ORDER,
    Reason.REFUND_MADE_ALREADY: ORDER,
    Reason.AUDIT_LOG_BROKEN: ORDER,
    Reason.BACKUP_OLD: ORDER,
    Reason.CANARY_IN_LOG: ORDER,
    Reason.HEARTBEAT_MISSING: ORDER,
    Reason.INGRESS_REDIRECTS: ORDER,
    Reason.OFFER_WITHOUT_VARIANT: ORDER,
    Reason.OFFER_AMBIGUOUS: ORDER,
    Reason.OFFER_DELETED: ORDER,
    Reason.OFFER_SKU_UNUSABLE: ORDER,
    Reason.VARIANT_WITHOUT_OFFER: ORDER,
    Reason.STOCK_LOCATION_GONE: ORDER,
    Reason.STOCK_FILE_REFUSED: ORDER,
    Reason.STOCK_LINE_REFUSED: ORDER,
    Reason.STOCK_IMPORT_STUCK: ORDER,
    Reason.STOCK_ABSURD: ORDER,
    Reason.OVERSOLD: ORDER,
}
"""By what the cases of a reason are folded, or that each stays on its own. A new reason has to say it."""


def of(reason: Reason, subject: str = "order", *facts: tuple[str, str], **values: Any) -> Case:
    return Case(reason, subject, "Something happened.", facts=facts, **values)


SHARED: tuple[tuple[Case, str], ...] = (
    (of(Reason.SKU_UNKNOWN, "LAMP"), "lamp"),
    (of(Reason.SKU_AMBIGUOUS, "LAMP"), "lamp"),
    (of(Reason.STOCK_SHORT, "LAMP"), "lamp"),
    (of(Reason.STOCK_SHORT, "order"), ""),
    (of(Reason.PRICE_DISCREPANCY, "x", ("A:1: marketplace", "9 EUR"), ("A:1: shop", "5 EUR")), "a:1"),
    (of(Reason.PRICE_DISCREPANCY, "x", ("MUG: shop", "9 EUR"), ("LAMP: shop", "5 EUR")), ""),
    (of(Reason.CARRIER_UNKNOWN, "Royal Mail 24"), "royal mail 24"),
    (
        of(
            Reason.TRACKING_NOT_CORRECTED,
            "F1",
            ("Carrier in Shopify", "DPD"),
            options=(Option.MAP_CARRIER,),
        ),
        "dpd",
    ),
    (of(Reason.TRACKING_NOT_CORRECTED, "F1", ("Carrier in Shopify", "DPD")), ""),
    (
        of(Reason.TRACKING_NOT_CORRECTED, "F1", ("Carrier in Shopify", "none"), NO_CARRIER),
        "the name of a carrier",
    ),
    (of(Reason.TRACKING_MISSING, "F1", ("Shipping method", "STD"), NO_CARRIER), "std the name of a carrier"),
    (of(Reason.TRACKING_NOT_CORRECTED, "F1", ("Call", "OR23"), ("code", "HTTP_403")), "or23 http_403"),
    (of(Reason.TRACKING_MISSING, "order", ("Shipping method", "STD")), "std"),
    (of(Reason.OPERATOR_SHIPS, "order", ("Shipping method", "STD")), "std"),
    (of(Reason.OPERATOR_SHIPS), ""),
    (of(Reason.SHIPMENTS_HIDDEN), "shipments hidden"),
    (of(Reason.SHIPPING_REFUSED, "dispatch", ("Call", "OR24"), ("code", "HTTP_403")), "or24 http_403"),
    (of(Reason.SHIPPING_REFUSED, "dispatch", ("Call", "OR24")), ""),
    (of(Reason.REDUCTION_REFUSED, "c", ("Call", "OR30"), ("code", "HTTP_403")), "or30 http_403"),
    (of(Reason.PLATFORM_REFUSED, "MarkPaid", ("code", "ACCESS_DENIED")), "markpaid access_denied"),
    (of(Reason.ACCEPTANCE_REFUSED, "order", ("code", "HTTP_403")), "http_403"),
    (of(Reason.IMPORT_REFUSED, "order", ("code", "INVALID")), "invalid"),
    (of(Reason.IMPORT_REFUSED, "order", ("code", "TAKEN")), ""),
    (of(Reason.REFUND_REFUSED, "task", ("Code", "REFUND_BALANCE_TOO_LOW")), "refund_balance_too_low"),
    (of(Reason.REFUND_REFUSED, "task", ("Code", "HTTP_400"), ("Earlier attempts", "1")), ""),
    (of(Reason.CANNOT_HOLD, "FO1", ("status", "OPEN"), ("code", "ACCESS_DENIED")), "access_denied"),
    (of(Reason.CANNOT_HOLD, "FO1", ("status", "OPEN")), ""),
    (of(Reason.REFUND_NOT_PAID, "task", ("R1", "not shown"), ("R2", "not shown")), "not shown"),
    (of(Reason.REFUND_NOT_PAID, "task", ("R1", "not shown"), ("R2", "WAITING_REFUND")), ""),
    (of(Reason.UNKNOWN_VALUE, "order", ("state", "MOON")), "state=moon"),
    (
        of(
            Reason.IMPOSSIBLE_COMBINATION,
            "order",
            ("Marketplace state", "SHIPPING"),
            ("Payment workflow", "PAY_ON_ACCEPTANCE"),
            ("Debited", "no"),
        ),
        "shipping pay_on_acceptance",
    ),
    (of(Reason.NOT_OURS_TO_SHIP, "order", ("Fulfilment centre", "DC1")), "dc1"),
    (of(Reason.NOT_OURS_TO_SHIP, "order", ("Paid to", "the shop")), "the shop"),
    (
        of(Reason.OLDER_THAN_CONNECTION, "order", ("Sold", "27 Nov 2026"), ("Live since", "28 Nov 2026")),
        "28 nov 2026",
    ),
    (of(Reason.TOTALS_DIFFER, "order", ("Currencies", "USD instead of EUR")), "usd instead of eur"),
    (of(Reason.TOTALS_DIFFER, "order", ("Shopify", "1 EUR"), ("marketplace", "2 EUR")), ""),
    (of(Reason.FLOW_PAUSED, "shipping"), "shipping"),
    (of(Reason.EMAIL_NOT_RELAY, "no address"), "no address"),
    (of(Reason.MARKETING_POSSIBLE, "tag newsletter"), "tag newsletter"),
)


def test_every_reason_says_whether_one_cause_may_open_it_for_many_orders() -> None:
    assert set(HOW) == set(Reason)
    assert {case.reason for case, cause in SHARED if cause} == {r for r, how in HOW.items() if how != ORDER}


@pytest.mark.parametrize(("case", "cause"), SHARED)
def test_cases_of_one_cause_share_its_name(case: Case, cause: str) -> None:
    assert cause_of(case) == cause


@pytest.mark.parametrize("reason", sorted(reason for reason, how in HOW.items() if how == ORDER))
def test_other_cases_stay_on_their_own(reason: Reason) -> None:
    case = of(reason, "shared", ("code", "HTTP_403"), ("Call", "OR24"), ("Shipping method", "STD"))

    assert cause_of(case) == ""


@pytest.mark.parametrize(
    "reason", [Reason.SHIPPING_REFUSED, Reason.PLATFORM_REFUSED, Reason.REFUND_REFUSED, Reason.CANNOT_HOLD]
)
def test_words_that_somebody_wrote_are_never_a_cause(reason: Reason) -> None:
    told = "Jane Doe, 1 High Street"

    found = cause_of(of(reason, "x", ("Call", "OR24"), ("code", told), ("The marketplace's words", told)))

    assert "jane" not in found


# -- through the real rules --------------------------------------------------------------------------------


def a_different(view: View, number: int) -> View:
    """The same trouble of another order."""
    order_id = f"M-{number}"
    mirakl = None if view.mirakl is None else replace(view.mirakl, order_id=order_id)
    shopify, memory = view.shopify, view.memory
    if shopify is not None:
        shopify = replace(shopify, id=f"SO{number}", name=f"#{number}", marker=f"atlas:{order_id}")
        memory = replace(memory, shopify_order_id=f"SO{number}", shopify_order_name=f"#{number}")
        memory = replace(memory, referenced=f"#{number}")
        mirakl = mirakl and replace(mirakl, seller_reference=f"#{number}")
    return replace(view, order_id=order_id, mirakl=mirakl, shopify=shopify, memory=memory)


def opened(c: Connection, connection: ConnectionRow, view: View) -> None:
    """Decide on the order and keep its cases, as a run does."""
    plan = restrained(decide(view), view)
    order_id = add_order(c, connection.id, view.order_id, "", NOW)
    sync_cases(c, order_id, connection.id, plan.cases, NOW, True, view.mirakl, plan.memory)


def left(**changes: Any) -> View:
    lines = (
        a_shopify_line(fulfilled_quantity=2),
        a_shopify_line("S2", "LAMP", 1, "30.00", "L2", fulfilled_quantity=1),
    )
    shopify = a_shopify_order(
        lines=lines,
        fulfillments=(a_fulfillment(created_at=NOW - timedelta(hours=1)),),
        fulfillment_orders=(),
    )
    memory = a_memory(released_at=NOW - timedelta(hours=2))
    return a_view(
        **{
            "shopify": shopify,
            "memory": memory,
            "rules": some_rules(carriers=(Carrier("RM24", "Royal Mail 24"),)),
            **changes,
        }
    )


def paused() -> View:
    pause = Pause("shipping", NOW - timedelta(hours=1), NOW + timedelta(hours=3), "Ada", "Stocktaking.")
    view = left()
    return replace(view, rules=replace(view.rules, pauses=(pause,)))


def hidden() -> View:
    view = left(mirakl=an_order(shipments_hidden="forbidden"))
    return replace(view, rules=replace(view.rules, multi_shipment=True))


def refused(code: str) -> Callable[[], View]:
    def made() -> View:
        (action,) = decide(left()).actions
        return left(operations=(an_operation(action, ended_at=NOW, code=code, words="Jane Doe may not."),))

    return made


def theirs() -> View:
    return left(mirakl=an_order(can_ship=False))


def cannot_hold() -> View:
    shopify = a_shopify_order(
        lines=(a_shopify_line(quantity=5), a_shopify_line("S2", "LAMP", 1, "30.00", "L2")),
        fulfillment_orders=(a_fulfillment_order(holds=()),),
    )
    view = a_view(shopify=shopify)
    (hold,) = [action for action in decide(view).actions if isinstance(action, PlaceHold)]
    return replace(view, operations=(an_operation(hold, code="ACCESS_DENIED", words="no"),))


def too_dear() -> View:
    return a_view(
        mirakl=an_order("WAITING_ACCEPTANCE"),
        shopify=None,
        memory=not_imported(),
        rules=some_rules(price_tolerance=Decimal(10)),
        offers=(
            an_offer("MUG"),
            replace(an_offer("LAMP"), unit_price=Decimal("99"), currency="EUR", taxes_included=True),
        ),
    )


def from_their_centre() -> View:
    return a_view(
        mirakl=an_order("WAITING_ACCEPTANCE", fulfillment_center="DC1"), shopify=None, memory=not_imported()
    )


def in_dollars() -> View:
    memory = a_memory()
    return a_view(shopify=a_shopify_order(currency="USD"), memory=memory)


def without_relay() -> View:
    return a_view(mirakl=an_order(relay="d1ge57"), rules=some_rules(customer_mail="shipping"))


@pytest.mark.parametrize(
    ("reason", "made", "cause"),
    [
        (Reason.FLOW_PAUSED, paused, "shipping"),
        (Reason.SHIPMENTS_HIDDEN, hidden, "shipments hidden"),
        (Reason.SHIPPING_REFUSED, refused("HTTP_403"), "or23 http_403"),
        (Reason.OPERATOR_SHIPS, theirs, "std"),
        (Reason.CANNOT_HOLD, cannot_hold, "access_denied"),
        (Reason.PRICE_DISCREPANCY, too_dear, "lamp"),
        (Reason.NOT_OURS_TO_SHIP, from_their_centre, "dc1"),
        (Reason.TOTALS_DIFFER, in_dollars, "usd instead of eur"),
        (Reason.EMAIL_NOT_RELAY, without_relay, "no address"),
    ],
)
def test_one_cause_of_many_orders_is_one_line_of_the_queue(
    database: Database, keyring: Keyring, reason: Reason, made: Callable[[], View], cause: str
) -> None:
    with database.begin() as c:
        connection = connect(c, keyring)
        for number in range(1, 4):
            opened(c, connection, a_different(made(), number))
        lines, _ = folded_page(c, Asked("/cases", extra=(("reason", reason.value),)), "", CLOCK)

    assert [(line.first.cause, line.count) for line in lines] == [(cause, 3)]
    assert "3 orders" in lines[0].title


def test_refusals_without_a_code_stay_on_their_own(database: Database, keyring: Keyring) -> None:
    with database.begin() as c:
        connection = connect(c, keyring)
        for number in range(1, 3):
            opened(c, connection, a_different(refused("")(), number))
        asked = Asked("/cases", extra=(("reason", Reason.SHIPPING_REFUSED.value),))
        lines, _ = folded_page(c, asked, "", CLOCK)

    assert [line.count for line in lines] == [1, 1]


def test_a_refused_correction_waits_for_no_carrier(database: Database, keyring: Keyring) -> None:
    """Its cause is a call and a code: it stands neither in the carrier map nor among what a mapping frees."""
    renamed = of(
        Reason.TRACKING_NOT_CORRECTED, "F1", ("Carrier in Shopify", "DPD"), options=(Option.MAP_CARRIER,)
    )
    refusal = of(
        Reason.TRACKING_NOT_CORRECTED,
        "tracking RM2",
        ("The marketplace's words", "Not allowed."),
        ("Call", "OR23"),
        ("code", "HTTP_403"),
        options=(Option.SEND_AGAIN,),
    )

    with database.begin() as c:
        connection = connect(c, keyring)
        for number, case in enumerate((renamed, refusal)):
            order_id = add_order(c, connection.id, f"M-{number}", "", NOW)
            sync_cases(c, order_id, connection.id, (case,), NOW, True)
        waiting = waiting_carriers(c, connection.id)
        causes = open_causes(c, connection.id, Reason.TRACKING_NOT_CORRECTED, Option.MAP_CARRIER)

    assert waiting == [("DPD", 1)]
    assert causes == ("dpd",)

"""Short builders of the values the rules look at: an order of two lines, agreed and ready to ship unless told otherwise."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from interlock.orders.actions import Action
from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Decision, LineLink, Memory, OrderedLine
from interlock.orders.outcomes import OperationState
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import (
    Address,
    Draft,
    Fulfillment,
    FulfillmentOrder,
    Hold,
    MiraklLine,
    MiraklOrder,
    Offer,
    Reduction,
    ShopifyLine,
    ShopifyOrder,
    Tax,
)
from interlock.orders.view import OpenOperation, View

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CREATED = NOW - timedelta(minutes=5)
HOME = Address("a11ce", True)
ELSEWHERE = Address("b0b", True)
HIDDEN = Address("", False)
ORDER_ID = "M-1001-A"
HANDLE = "interlock:atlas"
MARKER = f"atlas:{ORDER_ID}"


def some_rules(**changes: Any) -> ConnectionRules:
    """A connection with a window of two days, the draft route and no waiting."""
    rules = ConnectionRules(name="atlas", hold_handle=HANDLE, acceptance_window=timedelta(days=2))
    return replace(rules, **changes)


def a_tax(amount: str, code: str = "VAT", rule: str | None = None) -> Tax:
    return Tax(code, Decimal(amount), rule=rule)


def a_line(
    id: str = "L1",
    sku: str = "MUG",
    quantity: int = 2,
    price: str = "20.00",
    shipping: str = "4.00",
    **changes: Any,
) -> MiraklLine:
    """A marketplace line; `price` is for all its units."""
    line = MiraklLine(
        id=id,
        sku=sku,
        title=sku.title(),
        state="SHIPPING",
        quantity=quantity,
        price_unit=Decimal(price) / quantity if quantity else Decimal(0),
        price=Decimal(price),
        shipping_price=Decimal(shipping),
        taxes=(),
        shipping_taxes=(),
        can_refund=False,
        debited_at=None,
    )
    return replace(line, **changes)


def a_cancelation(quantity: int, amount: str, id: str = "C1", shipping: str = "0") -> Reduction:
    return Reduction(id, quantity, Decimal(amount), Decimal(shipping), (), (), "OUT", NOW)


def a_refund(quantity: int, amount: str, id: str = "R1", shipping: str = "0") -> Reduction:
    return Reduction(id, quantity, Decimal(amount), Decimal(shipping), (), (), "WISH", NOW, "REFUNDED")


LINES = (a_line(), a_line("L2", "LAMP", 1, "30.00", "0"))


def an_order(
    state: str = "SHIPPING", lines: Iterable[MiraklLine] | None = None, **changes: Any
) -> MiraklOrder:
    """A marketplace order of two mugs at 10.00 and one lamp at 30.00, shipping 4.00."""
    taken = tuple(LINES if lines is None else lines)
    order = MiraklOrder(
        order_id=ORDER_ID,
        commercial_id="M-1001",
        state=state,
        created_at=CREATED,
        updated_at=CREATED,
        observed_at=NOW - timedelta(seconds=1),
        payment_workflow="PAY_ON_DELIVERY",
        currency="EUR",
        tax_mode="TAX_INCLUDED",
        total_price=sum((line.price + line.shipping_price for line in taken), Decimal(0)),
        can_cancel=state == "SHIPPING",
        can_ship=state == "SHIPPING",
        has_incident=False,
        debited_at=None,
        acceptance_decided_at=None,
        shipping_deadline=None,
        shipping_type_code="STD",
        tracking_carrier_code="",
        tracking_carrier_name="",
        tracking_number="",
        seller_reference="#1001",
        fulfillment_center="",
        customer_pays_seller=False,
        address=HOME,
        lines=taken,
    )
    return replace(order, **changes)


def a_shopify_line(
    id: str = "S1",
    sku: str = "MUG",
    quantity: int = 2,
    price: str = "10.00",
    line_id: str = "L1",
    **changes: Any,
) -> ShopifyLine:
    line = ShopifyLine(
        id=id,
        sku=sku,
        title=sku.title(),
        variant_id=f"V-{sku}",
        quantity=quantity,
        current_quantity=quantity,
        fulfilled_quantity=0,
        unit_price=Decimal(price),
        requires_shipping=True,
        mirakl_line_id=line_id,
    )
    return replace(line, **changes)


OUR_HOLD = Hold("H1", HANDLE, True, "")
FOREIGN_HOLD = Hold("H9", "warehouse", False, "")


def a_fulfillment_order(
    id: str = "FO1",
    holds: tuple[Hold, ...] = (OUR_HOLD,),
    remaining: tuple[tuple[str, int], ...] = (("S1", 2), ("S2", 1)),
    **changes: Any,
) -> FulfillmentOrder:
    order = FulfillmentOrder(
        id=id,
        status="ON_HOLD" if holds else "OPEN",
        request_status="UNSUBMITTED",
        can_hold=True,
        holds=holds,
        remaining=remaining,
        destination=HOME,
        location_id="LOC",
    )
    return replace(order, **changes)


def a_fulfillment(
    id: str = "F1", lines: tuple[tuple[str, int], ...] = (("S1", 2), ("S2", 1)), **changes: Any
) -> Fulfillment:
    fulfillment = Fulfillment(
        id=id,
        live=True,
        created_at=NOW,
        lines=lines,
        carrier="Royal Mail 24",
        tracking_number="RM1",
        tracking_url="https://track.example/RM1",
    )
    return replace(fulfillment, **changes)


def a_shopify_order(**changes: Any) -> ShopifyOrder:
    """The Shopify order that stands for `an_order()`, marked, paid and held."""
    order = ShopifyOrder(
        id="SO1",
        name="#1001",
        created_at=CREATED,
        updated_at=CREATED,
        observed_at=NOW,
        cancelled_at=None,
        closed=False,
        editable=True,
        currency="EUR",
        total=Decimal("54.00"),
        shipping_total=Decimal("4.00"),
        paid=True,
        marker=MARKER,
        tags=(),
        address=HOME,
        lines=(a_shopify_line(), a_shopify_line("S2", "LAMP", 1, "30.00", "L2")),
        fulfillment_orders=(a_fulfillment_order(),),
        fulfillments=(),
        refunds=(),
    )
    return replace(order, **changes)


def a_draft(id: str = "D1", **changes: Any) -> Draft:
    draft = Draft(
        id=id,
        status="OPEN",
        created_at=CREATED,
        observed_at=NOW,
        order_id="",
        total=Decimal("54.00"),
        currency="EUR",
        reserved=True,
        address=HOME,
    )
    return replace(draft, **changes)


def an_offer(sku: str = "MUG", available: int | None = 9, matches: int = 1) -> Offer:
    return Offer(sku, f"V-{sku}" if matches == 1 else "", matches, available, None)


OFFERS = (an_offer(), an_offer("LAMP"))


def ordered(lines: Iterable[MiraklLine] = LINES) -> tuple[OrderedLine, ...]:
    """What is remembered of these lines from first sight."""
    return tuple(
        OrderedLine(
            line.id,
            line.sku,
            line.title,
            line.quantity,
            line.price_unit,
            line.price,
            line.shipping_price,
            line.taxes,
            line.shipping_taxes,
        )
        for line in lines
    )


def a_memory(**changes: Any) -> Memory:
    """What is remembered of `an_order()` once it is imported, linked and agreed."""
    memory = Memory(
        first_seen_at=CREATED,
        acceptance_due_at=CREATED + timedelta(days=2),
        ordered=ordered(),
        draft_id="D1",
        shopify_order_id="SO1",
        shopify_order_name="#1001",
        linked_at=CREATED,
        links=(
            LineLink("L1", "S1", Decimal("10.00"), "attribute"),
            LineLink("L2", "S2", Decimal("30.00"), "attribute"),
        ),
        marked=True,
        referenced="#1001",
        agreed_address=HOME.digest,
        agreed_shipping=Decimal("4.00"),
        settled=(("L1", 2), ("L2", 1)),
        accepted_seen_at=CREATED,
    )
    return replace(memory, **changes)


def not_imported(**changes: Any) -> Memory:
    """What is remembered of `an_order()` before anything was created for it."""
    memory = Memory(first_seen_at=CREATED, acceptance_due_at=CREATED + timedelta(days=2), ordered=ordered())
    return replace(memory, **changes)


def a_decision(reason: Reason, subject: str, option: Option, at: datetime = NOW) -> Decision:
    return Decision(reason, subject, option, "Ada", "because", at)


def an_operation(action: Action, state: OperationState = "REJECTED", **changes: Any) -> OpenOperation:
    operation = OpenOperation("op1", action, state, 1, NOW, NOW, "", "")
    return replace(operation, **changes)


def a_view(**changes: Any) -> View:
    """Both sides as they are when everything agrees."""
    view = View(
        now=NOW,
        rules=some_rules(),
        order_id=ORDER_ID,
        mirakl=an_order(),
        shopify=a_shopify_order(),
        memory=a_memory(),
    )
    return replace(view, **changes)

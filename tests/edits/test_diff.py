"""Three sides compared: every kind of difference is recognised, and nothing else is."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from interlock.edits.diff import differences
from interlock.orders.differences import (
    AddressChanged,
    Difference,
    LineAdded,
    LineCancelled,
    LineRefunded,
    LineRefused,
    LineRemoved,
    PriceChanged,
    QuantityIncreased,
    QuantityReduced,
    ShippingChanged,
    SkuReplaced,
    TotalsRecalculated,
)
from interlock.orders.memory import RefundDue, RefundTask, Withdrawn
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import ShopifyLine
from tests.build import (
    ELSEWHERE,
    HIDDEN,
    LINES,
    NOW,
    a_cancelation,
    a_decision,
    a_fulfillment_order,
    a_memory,
    a_refund,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_order,
)

LAMP = a_shopify_line("S2", "LAMP", 1, "30.00", "L2")
CARD = a_shopify_line("S3", "CARD", 1, "1.00", "")


def mugs(units: int, **changes: Any) -> ShopifyLine:
    return a_shopify_line(current_quantity=units, **changes)


def gone(line: ShopifyLine) -> ShopifyLine:
    return replace(line, current_quantity=0)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ((mugs(2), LAMP), ()),
        ((mugs(1), LAMP), (QuantityReduced("L1", "MUG", 2, 1),)),
        ((mugs(2), gone(LAMP)), (LineRemoved("L2", "LAMP", 1),)),
        ((mugs(2),), (LineRemoved("L2", "LAMP", 1),)),
        ((mugs(3), LAMP), (QuantityIncreased("L1", "MUG", 2, 3),)),
        ((mugs(2), LAMP, CARD), (LineAdded("S3", "CARD", "Card", 1),)),
        ((mugs(2), LAMP, gone(CARD)), ()),
        ((mugs(1), LAMP, CARD), (SkuReplaced("L1", "MUG", 2, 1, "S3", "CARD", 1),)),
        (
            (mugs(0), gone(LAMP), CARD),
            (SkuReplaced("L1", "MUG", 2, 0, "S3", "CARD", 1), LineRemoved("L2", "LAMP", 1)),
        ),
        (
            (mugs(1), LAMP, CARD, replace(CARD, id="S4")),
            (SkuReplaced("L1", "MUG", 2, 1, "S3", "CARD", 1), LineAdded("S4", "CARD", "Card", 1)),
        ),
        (
            (mugs(2, unit_price=Decimal("9.00")), LAMP),
            (PriceChanged("L1", "MUG", Decimal("10.00"), Decimal("9.00")),),
        ),
        ((mugs(1), a_shopify_line("S9", quantity=1), LAMP), ()),
        ((mugs(2), LAMP, replace(CARD, mirakl_line_id="L9")), (LineAdded("S3", "CARD", "Card", 1),)),
        ((mugs(0, fulfilled_quantity=2), LAMP), ()),
    ],
)
def test_lines_are_compared_with_what_was_agreed(
    lines: tuple[ShopifyLine, ...], found: tuple[Difference, ...]
) -> None:
    view = a_view(shopify=a_shopify_order(lines=lines))

    assert differences(view, view.memory) == found


@pytest.mark.parametrize(
    ("lines", "to_ship", "found"),
    [
        pytest.param(
            (mugs(1, fulfilled_quantity=1), LAMP), (("S1", 1),), (), id="the other one is still here"
        ),
        pytest.param(
            (mugs(1, fulfilled_quantity=1), LAMP),
            (),
            (QuantityReduced("L1", "MUG", 2, 1),),
            id="the other one was taken out",
        ),
        pytest.param(
            (mugs(0, fulfilled_quantity=1), LAMP),
            (),
            (QuantityReduced("L1", "MUG", 2, 1),),
            id="one left and was refunded, the other one was taken out",
        ),
        pytest.param(
            (mugs(0, fulfilled_quantity=2), a_shopify_line("S9"), LAMP),
            (("S9", 2),),
            (),
            id="both left, were refunded and are sent again",
        ),
    ],
)
def test_a_refund_of_what_left_takes_nothing_from_what_is_still_here(
    lines: tuple[ShopifyLine, ...], to_ship: Any, found: tuple[Difference, ...]
) -> None:
    parcels = (a_fulfillment_order(remaining=(*to_ship, ("S2", 1))),)
    view = a_view(shopify=a_shopify_order(lines=lines, fulfillment_orders=parcels))

    assert differences(view, view.memory) == found


def test_shipping_and_address_are_compared_with_what_was_agreed() -> None:
    shopify = a_shopify_order(shipping_total=Decimal("1.00"), address=ELSEWHERE)
    view = a_view(shopify=shopify)

    assert differences(view, view.memory) == (
        ShippingChanged(Decimal("4.00"), Decimal("1.00")),
        AddressChanged(),
    )


@pytest.mark.parametrize(
    ("shopify", "memory"),
    [
        (a_shopify_order(address=HIDDEN), a_memory()),
        (a_shopify_order(address=ELSEWHERE), a_memory(agreed_address="")),
        (a_shopify_order(shipping_total=Decimal("9.00")), a_memory(agreed_shipping=None)),
        (a_shopify_order(shipping_total=Decimal("4.0")), a_memory()),
    ],
)
def test_what_is_missing_or_equal_is_no_difference(shopify: Any, memory: Any) -> None:
    assert differences(a_view(shopify=shopify, memory=memory), memory) == ()


@pytest.mark.parametrize("settled", [(("L1", 2), ("L2", 1)), ()])
def test_units_the_marketplace_took_away_are_its_own_change(settled: Any) -> None:
    cut = (replace(LINES[0], cancelations=(a_cancelation(1, "10.00"),)), LINES[1])
    view = a_view(mirakl=an_order(lines=cut))

    assert differences(view, a_memory(settled=settled)) == (LineCancelled("L1", "MUG", 1, 2),)


def test_units_put_back_after_our_cancelation_are_an_increase() -> None:
    cut = (replace(LINES[0], cancelations=(a_cancelation(1, "10.00"),)), LINES[1])
    view = a_view(mirakl=an_order(lines=cut))

    assert differences(view, a_memory(settled=(("L1", 1), ("L2", 1)))) == (
        QuantityIncreased("L1", "MUG", 1, 2),
    )


def test_withdrawn_units_are_not_missed() -> None:
    view = a_view(shopify=a_shopify_order(lines=(mugs(1), LAMP)))
    memory = a_memory(withdrawn=(Withdrawn("L1", 1, "R1", "Ada", NOW),))

    assert differences(view, memory) == ()


@pytest.mark.parametrize(
    "missing",
    [
        {"mirakl": None},
        {"shopify": None},
        {"shopify": a_shopify_order(lines=(), cancelled_at=NOW)},
        {"shopify": a_shopify_order(lines=()), "memory": a_memory(shopify_order_id="")},
    ],
)
def test_nothing_differs_while_a_side_is_missing_unlinked_or_cancelled(missing: dict[str, Any]) -> None:
    view = a_view(**missing)

    assert differences(view, view.memory) == ()


# -- what the marketplace did besides cancelling -----------------------------------------------------------


def refunded(amount: str, quantity: int = 1, **changes: Any) -> Any:
    line = replace(LINES[0], refunds=(a_refund(quantity, amount),), **changes)
    return a_view(mirakl=an_order(lines=(line, LINES[1]), debited_at=NOW, can_cancel=False))


@pytest.mark.parametrize(
    ("amount", "quantity", "units"),
    [
        ("10.00", 1, 1),
        ("20.00", 2, 2),
        ("10.00", 0, 1),  # the quantity informs only
        ("9.99", 1, 1),  # whoever typed it may have rounded the price of one
        ("19.98", 2, 2),
        ("20.02", 2, 2),
        ("9.98", 1, 0),
        ("20.03", 2, 0),
        ("0.00", 1, 0),
    ],
)
def test_a_refund_of_whole_units_is_told_give_or_take_a_cent_each(
    amount: str, quantity: int, units: int
) -> None:
    view = refunded(amount, quantity)

    assert differences(view, view.memory) == ((LineRefunded("L1", "MUG", units, "R1"),) if units else ())


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        pytest.param("10.00", 1, id="the price of one as ordered"),
        pytest.param("15.00", 1, id="the share of what is left"),
        pytest.param("11.00", 0, id="neither"),
    ],
)
def test_units_are_refunded_at_their_price_also_after_less_was_given_for_one(amount: str, units: int) -> None:
    """A cancelation of another amount than its share makes what is left dearer; the price of one is still one."""
    view = refunded(amount, cancelations=(a_cancelation(1, "5.00"),))

    found = [one for one in differences(view, view.memory) if isinstance(one, LineRefunded)]

    assert found == ([LineRefunded("L1", "MUG", units, "R1")] if units else [])


DUE = RefundDue("L1", 1, Decimal("10.00"), Decimal("2.00"), (), (), ())


@pytest.mark.parametrize(
    "memory",
    [
        a_memory(refund_tasks=(RefundTask("edit:1", NOW, (DUE,), settled_by=("R1",)),)),
        a_memory(withdrawn=(Withdrawn("L1", 0, "R1", "Ada", NOW),)),
        a_memory(decisions=(a_decision(Reason.CONFIRM_WITHDRAWN, "refund:R1", Option.DISMISS),)),
    ],
)
def test_a_refund_that_is_explained_is_no_difference(memory: Any) -> None:
    assert differences(refunded("10.00"), memory) == ()


def test_a_refund_belongs_to_the_edit_that_took_the_units_out_and_to_no_parcel_that_left() -> None:
    view = refunded("10.00")
    edited = replace(view, shopify=a_shopify_order(lines=(mugs(1), LAMP)))
    left = replace(view, shopify=a_shopify_order(lines=(mugs(2, fulfilled_quantity=2), LAMP)))

    assert differences(edited, view.memory) == (QuantityReduced("L1", "MUG", 2, 1),)
    assert differences(left, view.memory) == ()


def test_a_line_refused_at_the_marketplace_is_its_own_change() -> None:
    refused = (replace(LINES[0], state="REFUSED"), LINES[1])
    view = a_view(mirakl=an_order(lines=refused))

    assert differences(view, view.memory) == (LineRefused("L1", "MUG", 2),)


def test_a_price_that_the_marketplace_changed_is_told_where_nothing_else_explains_it() -> None:
    dearer = replace(LINES[0], price_unit=Decimal("11.00"), price=Decimal("22.00"))
    view = a_view(mirakl=an_order(lines=(dearer, LINES[1])))
    assert differences(view, view.memory) == (
        TotalsRecalculated("L1", "MUG", Decimal(20), Decimal(22), Decimal(4), Decimal(4)),
    )
    cut = replace(dearer, cancelations=(a_cancelation(0, "1.00"),))
    assert differences(a_view(mirakl=an_order(lines=(cut, LINES[1]))), view.memory) == ()

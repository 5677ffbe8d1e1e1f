"""Shares of a line always add up, in every currency, in any order of cancelations."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.edits.amounts import cancelation_of
from interlock.orders.actions import LineCancelation
from interlock.orders.memory import Memory, OrderedLine, RefundDue, RefundTask
from interlock.orders.money import smallest_unit
from interlock.orders.snapshots import MiraklLine, Reduction, Tax
from tests.build import NOW, a_line, a_memory, a_refund, a_tax, ordered

CURRENCIES = ("JPY", "EUR", "KWD")
FIELDS = ("amount", "shipping_amount")


def sold(quantity: int, price: str, shipping: str = "0", taxes: tuple[Tax, ...] = ()) -> OrderedLine:
    line = a_line(quantity=quantity, price=price, shipping=shipping, taxes=taxes, shipping_taxes=taxes)
    return ordered([line])[0]


def after(line: MiraklLine, *parts: LineCancelation) -> MiraklLine:
    """The line once these cancelations have happened."""
    done = tuple(
        Reduction(f"C{n}", p.quantity, p.amount, p.shipping_amount, p.taxes, p.shipping_taxes, "", NOW)
        for n, p in enumerate(parts, start=len(line.cancelations))
    )
    return replace(line, cancelations=(*line.cancelations, *done))


def figures(parts: list[LineCancelation]) -> list[Decimal]:
    """Product, shipping, and each tax, summed over the parts."""
    sums = [sum((getattr(p, name) for p in parts), Decimal(0)) for name in FIELDS]
    for taxes in ("taxes", "shipping_taxes"):
        codes = {tax.code: None for p in parts for tax in getattr(p, taxes)}
        sums += [
            sum((t.amount for p in parts for t in getattr(p, taxes) if t.code == code), Decimal(0))
            for code in codes
        ]
    return sums


def whole(line: OrderedLine) -> list[Decimal]:
    return [
        line.price,
        line.shipping_price,
        *(t.amount for t in line.taxes),
        *(t.amount for t in line.shipping_taxes),
    ]


@st.composite
def lines(draw: st.DrawFn) -> tuple[OrderedLine, MiraklLine, str]:
    currency = draw(st.sampled_from(CURRENCIES))
    amount = st.integers(0, 100_000).map(lambda n: n * smallest_unit(currency))
    taxes = tuple(
        Tax(code, draw(amount), None, draw(st.sampled_from([None, "NONE", "PROPORTIONAL_TO_AMOUNT"])))
        for code in draw(st.sampled_from([(), ("VAT",), ("VAT", "ECO")]))
    )
    line = a_line(
        quantity=draw(st.integers(1, 12)),
        price=str(draw(amount)),
        shipping=str(draw(amount)),
        taxes=taxes,
        shipping_taxes=taxes,
    )
    return ordered([line])[0], line, currency


@given(lines(), st.data())
def test_parts_in_any_cut_add_up_to_the_whole(
    case: tuple[OrderedLine, MiraklLine, str], data: st.DataObject
) -> None:
    was, line, currency = case
    parts: list[LineCancelation] = []
    left = was.quantity
    while left:
        units = data.draw(st.integers(1, left))
        part = cancelation_of(was, line, units, currency, Memory())
        parts.append(part)
        line = after(line, part)
        left -= units

    assert figures(parts) == whole(was)
    assert parts[-1].cancelled_total == was.quantity


@given(lines(), st.data())
def test_single_units_take_as_much_as_all_of_them_at_once(
    case: tuple[OrderedLine, MiraklLine, str], data: st.DataObject
) -> None:
    was, line, currency = case
    units = data.draw(st.integers(1, was.quantity))
    at_once = cancelation_of(was, line, units, currency, Memory())
    singles = []
    for _ in range(units):
        part = cancelation_of(was, line, 1, currency, Memory())
        singles.append(part)
        line = after(line, part)

    assert figures(singles) == figures([at_once])


@given(lines(), st.data())
def test_no_sequence_of_cancelations_ever_takes_more_than_is_left(
    case: tuple[OrderedLine, MiraklLine, str], data: st.DataObject
) -> None:
    was, line, currency = case
    left = was.quantity
    gone = was.price * 0
    for n in range(data.draw(st.integers(1, 6))):
        if data.draw(st.booleans()):
            # somebody else takes money, with or without units
            amount = data.draw(st.integers(0, int(was.price - gone))) * Decimal(1)
            units = data.draw(st.integers(0, max(left - 1, 0)))
            line = replace(
                line,
                cancelations=(
                    *line.cancelations,
                    Reduction(f"X{n}", units, amount, Decimal(0), (), (), "", NOW),
                ),
            )
        elif left:
            units = data.draw(st.integers(1, left))
            part = cancelation_of(was, line, units, currency, Memory())
            assert 0 <= part.amount <= was.price - gone
            assert 0 <= part.shipping_amount <= was.shipping_price
            amount = part.amount
            line = after(line, part)
        else:
            break
        gone += amount
        left -= units
    if left:
        rest = cancelation_of(was, line, left, currency, Memory())
        assert gone + rest.amount == was.price


@pytest.mark.parametrize(
    ("currency", "price", "shares"),
    [
        ("EUR", "10.00", ["3.33", "3.34", "3.33"]),
        ("JPY", "100", ["33", "34", "33"]),
        ("KWD", "1.000", ["0.333", "0.334", "0.333"]),
    ],
)
def test_the_odd_cent_falls_where_the_running_total_puts_it(
    currency: str, price: str, shares: list[str]
) -> None:
    was, line = sold(3, price), a_line(quantity=3, price=price)
    taken = []
    for _ in range(3):
        part = cancelation_of(was, line, 1, currency, Memory())
        taken.append(str(part.amount))
        line = after(line, part)

    assert taken == shares


def test_money_taken_without_units_lowers_the_price_of_every_unit() -> None:
    was = sold(3, "30.00")
    goodwill = Reduction("C1", 0, Decimal("6.00"), Decimal(0), (), (), "", NOW)
    line = a_line(quantity=3, price="30.00", cancelations=(goodwill,))

    assert cancelation_of(was, line, 1, "EUR", Memory()).amount == Decimal("8.00")
    assert cancelation_of(was, line, 3, "EUR", Memory()).amount == Decimal("24.00")


def test_a_line_that_shrank_at_the_marketplace_is_still_measured_from_what_was_sold() -> None:
    was = sold(3, "10.00", "1.00")
    first = cancelation_of(was, a_line(quantity=3), 1, "EUR", Memory())
    shrunk = after(a_line(quantity=2, price="6.67", shipping="0.67"), first)

    second = cancelation_of(was, shrunk, 1, "EUR", Memory())

    assert (second.amount, second.shipping_amount, second.cancelled_total) == (
        Decimal("3.34"),
        Decimal("0.34"),
        2,
    )


def test_taxes_with_the_same_code_are_sent_as_one() -> None:
    was = sold(2, "10.00", taxes=(a_tax("1.00"), a_tax("1.00")))

    part = cancelation_of(was, a_line(quantity=2), 1, "EUR", Memory())

    assert [(t.code, t.amount) for t in part.taxes] == [("VAT", Decimal("1.00"))]


def test_a_refund_that_answered_a_task_took_its_units_and_any_other_took_money_alone() -> None:
    was = sold(3, "30.00")
    line = a_line(quantity=3, price="30.00", refunds=(a_refund(1, "10.00"),))
    due = RefundDue("L1", 1, Decimal("10.00"), Decimal(0), (), (), ())
    task = RefundTask("edit:1", NOW, (due,), ("R1",), NOW)

    answered = cancelation_of(was, line, 1, "EUR", a_memory(refund_tasks=(task,)))
    goodwill = cancelation_of(was, line, 1, "EUR", a_memory())

    assert answered.amount == Decimal("10.00")
    assert goodwill.amount == Decimal("6.67")


def test_no_units_are_no_cancelation() -> None:
    with pytest.raises(ValueError, match="no portion of 0"):
        cancelation_of(sold(1, "1.00"), a_line(), 0, "EUR", Memory())

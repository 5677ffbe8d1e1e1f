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
from interlock.orders.refund_tasks import due_for, with_task
from interlock.orders.shares import operators_part, rounding_of, total_of
from interlock.orders.snapshots import Fee, MiraklLine, Reduction, Tax
from tests.build import NOW, a_line, a_memory, a_refund, a_tax, ordered

CURRENCIES = ("JPY", "EUR", "KWD")
FIELDS = ("amount", "shipping_amount")


def sold(
    quantity: int,
    price: str,
    shipping: str = "0",
    taxes: tuple[Tax, ...] = (),
    fees: tuple[Fee, ...] = (),
) -> OrderedLine:
    line = a_line(quantity=quantity, price=price, shipping=shipping, taxes=taxes, shipping_taxes=taxes)
    return replace(ordered([line])[0], fees=fees)


def after(line: MiraklLine, *parts: LineCancelation) -> MiraklLine:
    """The line once these cancelations have happened."""
    done = tuple(
        Reduction(
            f"C{n}",
            p.quantity,
            p.amount,
            p.shipping_amount,
            p.taxes,
            p.shipping_taxes,
            "",
            NOW,
            fees=p.fees,
        )
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
    fees: dict[str, Decimal] = {}
    for part in parts:
        for fee in part.fees:
            fees[fee.code] = fees.get(fee.code, Decimal(0)) + fee.amount
    return [*sums, *(amount for _, amount in sorted(fees.items()) if amount)]


def whole(line: OrderedLine) -> list[Decimal]:
    return [
        line.price,
        line.shipping_price,
        *(t.amount for t in line.taxes),
        *(t.amount for t in line.shipping_taxes),
        *(fee.amount for fee in sorted(line.fees, key=lambda fee: fee.code) if fee.amount),
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
        fees=tuple(
            Fee(code, draw(amount)) for code in draw(st.sampled_from([(), ("CARD",), ("CARD", "DEPOSIT")]))
        ),
    )
    return replace(ordered([line])[0], fees=line.fees), line, currency


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


# -- cancelations and refunds of one line, in any order ------------------------------------------------------


def _cut(data: st.DataObject, quantity: int) -> list[int]:
    """Some way to cut a quantity into parts."""
    parts = []
    while quantity:
        parts.append(data.draw(st.integers(1, quantity)))
        quantity -= parts[-1]
    return parts


@given(lines(), st.data())
def test_the_order_in_which_units_go_changes_no_running_total(
    case: tuple[OrderedLine, MiraklLine, str], data: st.DataObject
) -> None:
    """Any two ways to take the same number of units have taken the same money."""
    was, start, currency = case
    cut = _cut(data, was.quantity)
    totals: list[dict[int, list[Decimal]]] = []
    for units in (cut, data.draw(st.permutations(cut))):
        line, taken, gone, seen = start, [], 0, {}
        for n in units:
            part = cancelation_of(was, line, n, currency, Memory())
            line = after(line, part)
            taken.append(part)
            gone += n
            seen[gone] = figures(taken)
        totals.append(seen)

    first, second = totals
    assert all(first[gone] == second[gone] for gone in first.keys() & second.keys())
    assert first[was.quantity] == whole(was)


@given(lines(), st.data())
def test_cancelations_and_refunds_share_one_line_to_the_last_unit_of_money(
    case: tuple[OrderedLine, MiraklLine, str], data: st.DataObject
) -> None:
    """Some units are cancelled, the others refunded, one part after the other: nothing is left and nothing is missing."""
    was, line, currency = case
    memory = Memory(ordered=(was,))
    parts: list[LineCancelation] = []
    for n, units in enumerate(_cut(data, was.quantity)):
        if data.draw(st.booleans()):
            part = cancelation_of(was, line, units, currency, memory)
            line = after(line, part)
        else:
            due = due_for(was, line, units, currency, memory, NOW)
            part = LineCancelation(
                line.id,
                0,
                units,
                due.amount,
                due.shipping_amount,
                due.taxes,
                due.shipping_taxes,
                tuple(fee for fee in due.fees if fee.amount),
            )
            done = Reduction(
                f"R{n}",
                units,
                due.amount,
                due.shipping_amount,
                due.taxes,
                due.shipping_taxes,
                "",
                NOW,
                "REFUNDED",
                due.fees,
            )
            line = replace(line, refunds=(*line.refunds, done))
            memory = with_task(memory, RefundTask(f"edit:{n}", NOW, (due,), (f"R{n}",), NOW))
        parts.append(part)
        assert all(figure >= 0 for figure in figures([part]))

    assert figures(parts) == whole(was)


@given(lines(), st.data())
def test_two_tasks_that_wait_at_the_same_time_promise_no_money_twice(
    case: tuple[OrderedLine, MiraklLine, str], data: st.DataObject
) -> None:
    was, line, currency = case
    memory = Memory(ordered=(was,))
    promised = Decimal(0)
    for n, units in enumerate(_cut(data, was.quantity)):
        due = due_for(was, line, units, currency, memory, NOW)
        memory = with_task(memory, RefundTask(f"edit:{n}", NOW, (due,)))
        promised += due.amount

    assert promised == was.price


# -- tax modes, rules, fees, and taxes of the operator -------------------------------------------------------


def test_with_taxes_on_top_every_tax_has_its_own_share() -> None:
    was = sold(3, "10.00", taxes=(a_tax("2.00"), a_tax("0.55", "CITY", "NONE")))

    part = cancelation_of(was, a_line(quantity=3), 1, "EUR", Memory())

    assert [(t.code, t.amount, t.rule) for t in part.taxes] == [
        ("VAT", Decimal("0.67"), None),
        ("CITY", Decimal("0.18"), "NONE"),
    ]
    assert total_of(part.amount, part.shipping_amount, part.taxes, "TAX_EXCLUDED") == Decimal("4.18")
    assert total_of(part.amount, part.shipping_amount, part.taxes, "TAX_INCLUDED") == Decimal("3.33")


@pytest.mark.parametrize(("wanted", "codes"), [(True, ["VAT", "CITY", "OLD"]), (False, ["CITY", "OLD"])])
def test_proportional_taxes_are_sent_unless_the_connection_says_otherwise(
    wanted: bool, codes: list[str]
) -> None:
    """OR28, OR30: a NONE tax that is not sent is not given back; one of unknown rule is sent to be sure."""
    taxes = (a_tax("2.00", rule="PROPORTIONAL_TO_AMOUNT"), a_tax("0.50", "CITY", "NONE"), a_tax("1", "OLD"))

    part = cancelation_of(
        sold(2, "10.00", taxes=taxes), a_line(quantity=2), 1, "EUR", Memory(), proportional_taxes=wanted
    )

    assert [t.code for t in part.taxes] == codes
    assert [t.code for t in part.shipping_taxes] == codes


def test_fees_go_with_the_units_they_were_charged_on_and_count_for_the_customer() -> None:
    was = sold(2, "10.00", fees=(Fee("DEPOSIT", Decimal("0.50")), Fee("CARD", Decimal(0))))

    part = cancelation_of(was, a_line(quantity=2), 1, "EUR", Memory())

    assert part.fees == (Fee("DEPOSIT", Decimal("0.25")),)
    assert total_of(part.amount, part.shipping_amount, part.taxes, "TAX_INCLUDED", part.fees) == Decimal(
        "5.25"
    )


def test_a_tax_the_operator_collects_is_sent_and_left_out_of_the_sellers_part() -> None:
    state = replace(a_tax("0.80", "STATE"), operator_collected=True)
    was = sold(2, "10.00", taxes=(state, a_tax("0.20", "CITY")))

    part = cancelation_of(was, a_line(quantity=2), 1, "EUR", Memory())

    assert [(t.code, t.amount) for t in part.taxes] == [("STATE", Decimal("0.40")), ("CITY", Decimal("0.10"))]
    assert operators_part(part.taxes) == Decimal("0.40")


@pytest.mark.parametrize(
    ("currency", "price", "units", "said"),
    [
        ("EUR", "10.00", 1, "10.00 EUR for 3 units"),
        ("JPY", "100", 2, "100 JPY for 3 units"),
        ("KWD", "1.000", 1, "1.000 KWD for 3 units"),
        ("EUR", "9.99", 1, ""),
        ("KWD", "1.002", 2, ""),
        ("EUR", "10.00", 3, ""),
    ],
)
def test_rounding_is_told_in_one_sentence_where_there_is_any(
    currency: str, price: str, units: int, said: str
) -> None:
    sentence = rounding_of(sold(3, price), units, currency)

    assert said in sentence
    assert bool(sentence) is bool(said)

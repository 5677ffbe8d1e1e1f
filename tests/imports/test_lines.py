"""The Shopify lines of an import add up to the marketplace's figures."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from interlock.imports.lines import (
    active_lines,
    expected_total,
    import_lines,
    shipping_of,
    shipping_taxes_of,
    split,
)
from interlock.orders.memory import Memory
from interlock.orders.money import smallest_unit
from tests.build import a_cancelation, a_line, a_tax, an_order, ordered

amounts = st.integers(0, 10_000_000)


@given(amounts, st.integers(1, 500), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_a_split_total_adds_up_exactly_with_neighbouring_prices(
    steps: int, quantity: int, currency: str
) -> None:
    step = smallest_unit(currency)
    pairs = split(steps * step, quantity, currency)
    assert sum(units * price for units, price in pairs) == steps * step
    assert sum(units for units, _ in pairs) == quantity
    assert len(pairs) <= 2
    assert max(price for _, price in pairs) - min(price for _, price in pairs) in (0, step)


@given(
    st.lists(st.tuples(amounts, st.integers(1, 9), amounts, amounts, amounts), min_size=1, max_size=4),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.sampled_from(["TAX_INCLUDED", "TAX_EXCLUDED"]),
)
def test_an_import_equals_the_marketplace_order_to_the_smallest_unit(
    drawn: list[tuple[int, int, int, int, int]], currency: str, tax_mode: str
) -> None:
    step = smallest_unit(currency)
    lines = [
        a_line(
            f"L{n}",
            f"SKU{n}",
            quantity,
            str(price * step),
            str(shipping * step),
            taxes=(a_tax(str(tax * step)),),
            shipping_taxes=(a_tax(str(shipping_tax * step)),),
        )
        for n, (price, quantity, shipping, tax, shipping_tax) in enumerate(drawn)
    ]
    order = an_order(lines=lines, currency=currency, tax_mode=tax_mode)
    active = active_lines(order, Memory())
    created = import_lines(active, currency, {})
    due = sum((line.price + line.shipping_price for line in lines), Decimal(0))
    if tax_mode == "TAX_EXCLUDED":
        due += sum((t.amount for line in lines for t in (*line.taxes, *line.shipping_taxes)), Decimal(0))
    assert sum(line.quantity * line.unit_price for line in created) + shipping_of(active) == due
    assert expected_total(active) == due
    for line in lines:
        halves = [half for half in created if half.mirakl_line_id == line.id]
        assert sum(half.quantity for half in halves) == line.quantity
        assert sum(tax.amount for half in halves for tax in half.taxes) == line.taxes[0].amount


def test_refused_and_cancelled_units_are_not_imported() -> None:
    lines = (
        a_line("L1", quantity=3, price="30.00", shipping="3.00", cancelations=(a_cancelation(1, "10.00"),)),
        a_line("L2", "LAMP", state="REFUSED"),
    )
    active = active_lines(an_order(lines=lines), Memory(ordered=ordered(lines)))
    assert [(line.line_id, line.quantity, line.total) for line in active] == [("L1", 2, Decimal("20.00"))]


def test_a_marketplace_that_shrinks_its_lines_is_not_reduced_twice() -> None:
    sold = a_line("L1", quantity=3, price="30.00", shipping="0")
    shrunk = a_line("L1", quantity=3, price="20.00", shipping="0", cancelations=(a_cancelation(1, "10.00"),))
    active = active_lines(an_order(lines=[shrunk]), Memory(ordered=ordered([sold])))
    assert [(line.quantity, line.total) for line in active] == [(2, Decimal("20.00"))]


def test_shipping_taxes_of_the_same_code_become_one() -> None:
    lines = (
        a_line("L1", shipping_taxes=(a_tax("1"),)),
        a_line("L2", shipping_taxes=(a_tax("2"), a_tax("3", "ECO"))),
    )
    taxes = shipping_taxes_of(active_lines(an_order(lines=lines), Memory()))
    assert [(tax.code, tax.amount) for tax in taxes] == [("VAT", Decimal(3)), ("ECO", Decimal(3))]

"""Shopify lines are linked to marketplace lines on evidence, at the price that was agreed."""

from dataclasses import replace
from decimal import Decimal

from interlock.imports.lines import active_lines, import_lines
from interlock.imports.links import is_untouched, links_of
from interlock.orders.actions import ImportLine
from interlock.orders.memory import Memory
from tests.build import a_line, a_memory, a_shopify_line, a_shopify_order, an_order


def expected(*prices: tuple[str, int, str]) -> tuple[ImportLine, ...]:
    lines = [a_line(f"L{n}", sku, units, total, "0") for n, (sku, units, total) in enumerate(prices, 1)]
    return import_lines(active_lines(an_order(lines=lines), Memory()), "EUR", {})


def test_an_attribute_links_a_line() -> None:
    links = links_of(a_shopify_order(), Memory(), expected(("MUG", 2, "20.00"), ("LAMP", 1, "30.00")))
    assert [(link.mirakl_line_id, link.shopify_line_id, link.evidence) for link in links] == [
        ("L1", "S1", "attribute"),
        ("L2", "S2", "attribute"),
    ]


def test_a_line_that_lost_its_attribute_is_known_by_what_was_imported() -> None:
    shopify = a_shopify_order(lines=(a_shopify_line(line_id=""),))
    links = links_of(shopify, Memory(), expected(("MUG", 2, "20.00")))
    assert [(link.mirakl_line_id, link.evidence) for link in links] == [("L1", "import")]


def test_both_halves_of_a_split_line_keep_their_own_price() -> None:
    shopify = a_shopify_order(
        lines=(a_shopify_line("S2", quantity=1, price="3.34"), a_shopify_line("S1", quantity=2, price="3.33"))
    )
    links = links_of(shopify, Memory(), expected(("MUG", 3, "10.00")))
    assert [(link.shopify_line_id, link.unit_price) for link in links] == [
        ("S2", Decimal("3.34")),
        ("S1", Decimal("3.33")),
    ]


def test_a_price_edited_before_the_first_look_is_not_taken_as_agreed() -> None:
    shopify = a_shopify_order(lines=(a_shopify_line(price="8.00"),))
    links = links_of(shopify, Memory(), expected(("MUG", 2, "20.00")))
    assert [link.unit_price for link in links] == [Decimal("10.00")]


def test_a_line_added_later_without_our_attribute_stays_unlinked() -> None:
    shopify = a_shopify_order(lines=(*a_shopify_order().lines, a_shopify_line("S3", line_id="")))
    assert len(links_of(shopify, a_memory(), expected(("MUG", 2, "20.00")))) == 2


def test_a_line_re_created_later_with_our_attribute_joins_at_the_agreed_price() -> None:
    shopify = a_shopify_order(lines=(*a_shopify_order().lines, a_shopify_line("S3", price="1.00")))
    links = links_of(shopify, a_memory(), ())
    assert (links[-1].mirakl_line_id, links[-1].unit_price) == ("L1", Decimal("10.00"))


def test_an_order_is_untouched_until_a_line_price_or_unit_changes() -> None:
    order = a_shopify_order()
    assert is_untouched(order, a_memory())
    less = replace(order.lines[0], current_quantity=1)
    dearer = replace(order.lines[0], unit_price=Decimal(11))
    for changed in (less, dearer):
        assert not is_untouched(replace(order, lines=(changed, order.lines[1])), a_memory())

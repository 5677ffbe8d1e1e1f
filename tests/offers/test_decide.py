"""What is wrong between both sides: given offers and variants, the findings."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from interlock.offers.decide import MOST_CASES, OTHERS, Deleted, Finding, Sides, findings, without_offer
from interlock.offers.matching import Component, Offered, Variant, match
from interlock.orders.reasons import Reason
from tests.build import NOW

SKUS = ("A", "B", "C", "D", "E", "F")
VARIANTS = tuple(Variant(f"V{sku}", sku, f"I{sku}", price=Decimal(5)) for sku in SKUS)
OFFERS = tuple(Offered(number, sku, 3) for number, sku in enumerate(SKUS))


def found(
    offers: tuple[Offered, ...] = OFFERS,
    variants: tuple[Variant, ...] = VARIANTS,
    table: dict[str, str] | None = None,
    bundles: dict[str, tuple[Component, ...]] | None = None,
    deleted: tuple[Deleted, ...] = (),
) -> list[tuple[Reason, str]]:
    return [(one.reason, one.subject) for one in all_of(offers, variants, table, bundles, deleted)]


def all_of(
    offers: tuple[Offered, ...] = OFFERS,
    variants: tuple[Variant, ...] = VARIANTS,
    table: dict[str, str] | None = None,
    bundles: dict[str, tuple[Component, ...]] | None = None,
    deleted: tuple[Deleted, ...] = (),
) -> tuple[Finding, ...]:
    offered = [offer for offer in offers if not offer.deleted]
    matches = match(offered, variants, table or {}, bundles or {})
    return findings(Sides("atlas", offers, variants, matches, deleted), NOW)


def test_two_sides_that_agree_have_no_finding() -> None:
    assert found() == []


def test_an_offer_without_a_variant_is_one_until_it_is_mapped() -> None:
    offers = (*OFFERS, Offered(9, "a", 1))
    assert found(offers) == [(Reason.OFFER_WITHOUT_VARIANT, "a")]
    assert found(offers, table={"a": "A"}) == []
    told: dict[str, tuple[Component, ...]] = {"a": (Component("A", 2),)}
    assert found(offers, bundles=told) == []


def test_an_offer_that_leads_to_a_bundle_product_is_one_until_somebody_says_what_it_contains() -> None:
    offers, variants = (*OFFERS, Offered(9, "SET", 1)), (*VARIANTS, Variant("V9", "SET", bundle=True))
    assert found(offers, variants) == [(Reason.OFFER_WITHOUT_VARIANT, "SET")]
    assert "nobody said what they are" in all_of(offers, variants)[0].sentence
    assert found(offers, variants, bundles={"SET": (Component("A", 2),)}) == []


def test_an_offer_nobody_can_buy_stops_no_order() -> None:
    assert found((*OFFERS, Offered(9, "X", 0, active=False))) == []


def test_an_offer_without_a_product_that_we_hold_at_zero_is_one_until_it_is_mapped() -> None:
    offers = (*OFFERS, Offered(9, "X", 0, active=False))

    def held(
        variants: tuple[Variant, ...] = VARIANTS, table: dict[str, str] | None = None
    ) -> list[tuple[Reason, str]]:
        sides = Sides(
            "atlas", offers, variants, match(offers, variants, table or {}, {}), (), frozenset({"X"})
        )
        return [(one.reason, one.subject) for one in findings(sides, NOW)]

    assert held() == [(Reason.OFFER_WITHOUT_VARIANT, "X")]
    assert held(table={"X": "A"}) == []
    # retired: the zero is meant to stay
    assert held((*VARIANTS, Variant("V9", "X", gone=True))) == []
    # two products carry it: a zero may be their smaller stock
    assert held((*VARIANTS, Variant("V8", "X", "I8"), Variant("V9", "X", "I9"))) == []


@pytest.mark.parametrize(
    ("sku", "shown"),
    [("A\nB", "“AU+000AB”"), ("A" * 101, f"“{'A' * 100}…”")],
)
def test_a_sku_that_can_stand_in_no_file_is_one_where_its_stock_is_published(sku: str, shown: str) -> None:
    offered = (Offered(9, sku, 3), Offered(10, "off", 0, active=False))
    matches = match(offered, (Variant("V9", sku),), {}, {})
    sides = Sides("atlas", offered[:1], (Variant("V9", sku),), matches[:1], unusable=frozenset({sku, "off"}))
    (one,) = findings(sides, NOW)
    assert (one.reason, one.subject) == (Reason.OFFER_SKU_UNUSABLE, sku)
    assert shown in one.sentence
    assert findings(replace(sides, unusable=frozenset()), NOW) == ()


def test_a_table_that_leads_nowhere_is_said_with_the_sku_it_leads_to() -> None:
    one = all_of(table={"A": "GONE"})[0]
    assert (one.reason, one.subject) == (Reason.OFFER_WITHOUT_VARIANT, "A")
    assert "It is looked for under GONE." in one.sentence


def test_a_product_that_left_the_shop_is_said_so() -> None:
    variants = tuple(replace(one, gone=one.sku == "A") for one in VARIANTS)
    (one,) = all_of(variants=variants)
    assert "has it no more" in one.sentence


def test_two_variants_of_one_sku_are_one_cause_for_all_its_offers() -> None:
    variants = (*VARIANTS, Variant("V9", "A", "I9"))
    (one,) = all_of((*OFFERS, Offered(8, "a")), variants, {"a": "A"})
    assert (one.reason, one.subject) == (Reason.OFFER_AMBIGUOUS, "A")
    assert one.sentence.startswith(
        "2 products of the shop carry SKU A, so it is not known which one A, a means."
    )


def test_a_deleted_offer_is_one_while_the_shop_sells_the_product_and_for_two_weeks() -> None:
    offers = OFFERS[1:]
    seen = (Deleted("A", NOW - timedelta(days=1)),)
    assert (Reason.OFFER_DELETED, "A") in found(offers, deleted=seen)
    assert (Reason.OFFER_DELETED, "A") not in found(offers, deleted=(Deleted("A", NOW - timedelta(days=15)),))
    assert found(OFFERS, deleted=seen) == []
    archived = tuple(replace(one, archived=one.sku == "A") for one in VARIANTS)
    assert found(offers, archived, deleted=seen) == []


def test_products_without_offer_are_one_note_unless_the_marketplace_sells_a_selection() -> None:
    assert found(OFFERS[1:]) == [(Reason.VARIANT_WITHOUT_OFFER, "products")]
    assert found(OFFERS[2:]) == []
    assert found(()) == []
    assert [one.sku for one in without_offer(VARIANTS, match(OFFERS[2:], VARIANTS, {}, {}))] == ["A", "B"]


def test_many_causes_of_a_kind_fold_into_one_case_with_their_number() -> None:
    offers = (*OFFERS, *(Offered(100 + n, f"X{n:03d}") for n in range(MOST_CASES + 15)))
    one = all_of(offers)
    assert [finding.subject for finding in one] == [*(f"X{n:03d}" for n in range(MOST_CASES)), OTHERS]
    assert one[-1].sentence.startswith("15 more offers have no product in the shop at atlas: X020, X021")
    assert "and 5 more" in one[-1].sentence

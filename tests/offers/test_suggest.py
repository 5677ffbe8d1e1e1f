"""Which products a marketplace SKU could mean: given a shop, the first suggestion and why."""

from functools import partial

import pytest

from interlock.offers.matching import Variant
from interlock.offers.suggest import EarlierChoice, shop_of, sku_key, suggest
from tests.effort import calls_made

SHOP = (
    Variant("V1", "MUG-BLUE", barcode="4006381333931", title="Stoneware mug, blue"),
    Variant("V2", "MUG-GREEN", barcode="0036000291452", title="Stoneware mug, green"),
    Variant("V3", "00123", title="Enamel kettle, 1 l"),
    Variant("V4", "TWIN", title="Linen towel"),
    Variant("V5", "TWIN", title="Linen towel, large"),
    Variant("V6", "OLD-LAMP", title="Oak desk lamp", archived=True),
    Variant("V7", "GONE-1", title="Gone", gone=True),
    Variant("V8", "", title="Without a SKU", barcode="99"),
)


@pytest.mark.parametrize(
    ("sku", "known", "first", "reason"),
    [
        ("mug-blue", {}, "MUG-BLUE", "the same but for case, blanks and punctuation"),
        ("MUG BLUE", {}, "MUG-BLUE", "the same but for case, blanks and punctuation"),
        ("123", {}, "00123", "the same but for leading zeros"),
        ("0000123", {}, "00123", "the same but for leading zeros"),
        ("MUG-BLUE-FR", {}, "MUG-BLUE", "one is part of the other: MUG-BLUE"),
        ("MUG-BLEU", {}, "MUG-BLUE", "spelt alike: MUG-BLUE"),
        ("X-1", {"product_ids": ("4006381333931",)}, "MUG-BLUE", "the same barcode: 4006381333931"),
        # an EAN-13 has one zero more than the UPC
        ("X-1", {"product_ids": ("036000291452",)}, "MUG-GREEN", "the same barcode: 0036000291452"),
        ("4006381333931", {}, "MUG-BLUE", "the same barcode: 4006381333931"),
        ("X-1", {"title": "stoneware mug, green"}, "MUG-GREEN", "the same name"),
        ("X-1", {"earlier": (EarlierChoice("X-1", "00123", "atlas"),)}, "00123", "chosen for this SKU before (atlas)"),
        ("TWIN", {}, "TWIN", "2 products carry this SKU"),
        ("OLD-LAMP-2", {}, "OLD-LAMP", "its product is archived"),
    ],
)  # fmt: skip
def test_the_likeliest_comes_first_with_its_reason(sku, known, first, reason) -> None:  # type: ignore[no-untyped-def]
    found = suggest(sku, shop_of(SHOP), **known)
    assert found[0].shop_sku == first
    assert reason in found[0].reasons


@pytest.mark.parametrize("sku", ["ZZZZ", "", "GONE-1", "日本"])
def test_what_nothing_speaks_for_is_not_suggested(sku: str) -> None:
    assert suggest(sku, shop_of(SHOP)) == ()


def test_a_barcode_goes_before_likeness_and_both_before_a_name() -> None:
    found = suggest(
        "MUG-BLEU", shop_of(SHOP), title="Enamel kettle, 1 l", product_ids=("0036000291452",), limit=3
    )
    assert [one.shop_sku for one in found] == ["MUG-GREEN", "00123", "MUG-BLUE"]


def test_a_key_has_no_case_accents_blanks_and_punctuation() -> None:
    assert sku_key(" Mug_Bléu/01 ") == "mugbleu01"


def test_thirty_skus_of_a_large_shop_are_searched_in_few_steps_for_each_variant() -> None:
    variants = [Variant(f"V{n}", f"SKU-{n:06d}", title=f"Product number {n}") for n in range(50_000)]
    shop, made = calls_made(lambda: shop_of(variants))
    assert made < 100 * len(variants)
    for number in range(30):
        found, made = calls_made(
            partial(suggest, f"sku {number:06d}", shop, title=f"Product number {number}")
        )
        assert found[0].shop_sku == f"SKU-{number:06d}"
        assert made < 5 * len(variants)

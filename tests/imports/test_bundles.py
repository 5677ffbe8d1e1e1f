"""An order with a bundle: what the shop has of it, its lines to the cent, and what is counted as one of it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.decide import noticed
from interlock.desk.requests import Wish, resolved
from interlock.imports.bundles import bundle_of, offer_of_bundle
from interlock.imports.decide import decide
from interlock.imports.lines import active_lines, import_lines
from interlock.imports.links import links_of
from interlock.orders.actions import AddedLine, CreateDraft, ImportLine
from interlock.orders.agreement import (
    broken_bundles,
    fulfilled_quantities,
    mirakl_line_id_of,
    shopify_quantities,
    unlinked,
)
from interlock.orders.memory import Bundle, BundlePart, Memory
from interlock.orders.money import smallest_unit
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import Offer, ShopifyOrder
from interlock.orders.view import View
from interlock.preview import preview
from interlock.replacements.links import links_of_replacement
from tests.build import (
    NOW,
    a_line,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_tax,
    a_view,
    an_order,
    not_imported,
    ordered,
)

MUG = Offer("MUG", "V1", 1, 40, Decimal("10.00"), "EUR")
LID = Offer("LID", "V2", 1, 9, Decimal("2.50"), "EUR")
FOUND = {"MUG": MUG, "LID": LID}
SET = (("LID", 1), ("MUG", 4))


def test_a_bundle_is_there_as_often_as_its_scarcest_article_and_costs_what_they_cost() -> None:
    offer = offer_of_bundle("SET", SET, FOUND)
    assert (offer.matches, offer.available, offer.unit_price, offer.currency) == (
        1,
        9,
        Decimal("42.50"),
        "EUR",
    )
    assert bundle_of(offer) == Bundle(
        "SET", (BundlePart("LID", "V2", 1, 250), BundlePart("MUG", "V1", 4, 4000))
    )


@pytest.mark.parametrize(
    ("lid", "matches", "price"),
    [
        (replace(LID, variant_id="", matches=0, available=None, unit_price=None, currency=""), 0, None),
        (replace(LID, variant_id="", matches=2, available=None, unit_price=None, currency=""), 2, None),
        (replace(LID, unit_price=None), 1, None),
        (replace(LID, currency="GBP"), 1, None),
    ],
)
def test_what_is_not_known_of_an_article_is_not_known_of_the_bundle(
    lid: Offer, matches: int, price: Decimal | None
) -> None:
    offer = offer_of_bundle("SET", SET, FOUND | {"LID": lid})
    assert (offer.matches, offer.unit_price) == (matches, price)
    assert [part.weight for part in bundle_of(offer).parts] == [1, 4]


def test_one_variant_under_two_skus_is_one_article() -> None:
    offer = offer_of_bundle("SET", SET, {"MUG": MUG, "LID": replace(LID, variant_id="V1")})
    assert [(part.variant_id, part.units) for part in bundle_of(offer).parts] == [("V1", 5)]


@given(
    st.integers(0, 10_000_000),
    st.integers(0, 10_000_000),
    st.integers(1, 9),
    st.lists(st.tuples(st.integers(1, 12), st.integers(0, 100_000)), min_size=1, max_size=5),
    st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_the_articles_of_a_bundle_add_up_to_what_was_paid_for_it(
    paid: int, tax: int, quantity: int, drawn: list[tuple[int, int]], currency: str
) -> None:
    step = smallest_unit(currency)
    found = {
        f"P{n}": Offer(f"P{n}", f"V{n}", 1, None, price * step, currency)
        for n, (_, price) in enumerate(drawn)
    }
    offer = offer_of_bundle("SET", [(f"P{n}", units) for n, (units, _) in enumerate(drawn)], found)
    line = a_line("L1", "SET", quantity, str(paid * step), "0", taxes=(a_tax(str(tax * step)),))
    order = an_order(lines=(line,), currency=currency)
    made = import_lines(active_lines(order, Memory()), currency, {}, (bundle_of(offer),))

    assert sum((one.unit_price * one.quantity for one in made), Decimal(0)) == paid * step
    assert sum((t.amount for one in made for t in one.taxes), Decimal(0)) == tax * step
    assert all(one.unit_price >= 0 and one.mirakl_line_id == "L1" for one in made)
    units = {f"V{n}": quantity * each for n, (each, _) in enumerate(drawn)}
    for variant, count in units.items():
        assert sum(one.quantity for one in made if one.variant_id == variant) == count


SOLD = an_order(lines=(a_line("L1", "SET", 2, "80.00"), a_line("L2", "MUG", 1, "10.00")))


def test_an_order_with_a_bundle_is_created_as_its_articles() -> None:
    offers = (offer_of_bundle("SET", SET, FOUND), MUG)
    part = decide(a_view(mirakl=SOLD, shopify=None, offers=offers), not_imported(ordered=ordered(SOLD.lines)))
    (action,) = part.actions
    assert isinstance(action, CreateDraft)
    made: dict[tuple[str, str, str, int], int] = {}
    for one in action.lines:
        key = (one.mirakl_line_id, one.sku, one.variant_id, one.per_unit)
        made[key] = made.get(key, 0) + one.quantity
    assert made == {("L1", "LID", "V2", 1): 2, ("L1", "MUG", "V1", 4): 8, ("L2", "MUG", "V1", 0): 1}
    assert part.memory.bundles == (bundle_of(offers[0]),)


@pytest.mark.parametrize(
    ("mug", "lid", "reason", "words"),
    [
        (
            MUG,
            replace(LID, matches=0, variant_id=""),
            Reason.SKU_UNKNOWN,
            "its article LID is not in the shop",
        ),
        (MUG, replace(LID, matches=3, variant_id=""), Reason.SKU_AMBIGUOUS, "carried by 3 variants"),
        (
            MUG,
            replace(LID, available=1),
            Reason.STOCK_SHORT,
            "needs 2 of its article LID, but the shop has 1",
        ),
        # the single mug of the order needs one too
        (replace(MUG, available=8), LID, Reason.STOCK_SHORT, "needs 9 of its article MUG"),
    ],
)
def test_an_article_that_is_missing_or_short_is_a_case_of_the_bundle(
    mug: Offer, lid: Offer, reason: Reason, words: str
) -> None:
    offers = (offer_of_bundle("SET", SET, {"MUG": mug, "LID": lid}), mug)
    part = decide(a_view(mirakl=SOLD, shopify=None, offers=offers), not_imported(ordered=ordered(SOLD.lines)))
    assert part.actions == ()
    (case,) = part.cases
    assert (case.reason, case.subject) == (reason, "SET")
    assert words in case.sentence


# -- what is counted ---------------------------------------------------------------------------------------

MADE = (
    ImportLine("L1", "LID", "Set", "V2", 2, Decimal("2.35"), (), 1),
    ImportLine("L1", "MUG", "Set", "V1", 8, Decimal("9.41"), (), 4),
)
BUNDLES = (Bundle("SET", (BundlePart("LID", "V2", 1, 1), BundlePart("MUG", "V1", 4, 4))),)


def shown(lids: int, mugs: int, left: tuple[int, int] = (0, 0)) -> ShopifyOrder:
    return a_shopify_order(
        lines=(
            a_shopify_line(
                "S1",
                "LID",
                2,
                "2.35",
                "L1",
                current_quantity=lids,
                fulfilled_quantity=left[0],
                variant_id="V2",
            ),
            a_shopify_line(
                "S2",
                "MUG",
                8,
                "9.41",
                "L1",
                current_quantity=mugs,
                fulfilled_quantity=left[1],
                variant_id="V1",
            ),
        )
    )


def test_an_order_that_was_cancelled_before_we_saw_it_live_still_tells_what_its_successor_holds() -> None:
    sold = an_order(lines=(a_line("L1", "SET", 2),))
    cancelled = replace(shown(0, 0), cancelled_at=NOW)
    successor = a_shopify_order(
        id="SO2",
        lines=(
            a_shopify_line("S8", "LID", 2, "2.35", "L1", variant_id="V2"),
            a_shopify_line("S9", "MUG", 8, "9.41", "L1", variant_id="V1"),
        ),
    )
    memory = replace(not_imported(), bundles=BUNDLES)

    memory = noticed(a_view(mirakl=sold, shopify=cancelled, memory=memory))
    memory = replace(memory, links=(*memory.links, *links_of_replacement(successor, cancelled, memory)))

    assert shopify_quantities(successor, memory) == (("L1", 2),)


def remembered() -> Memory:
    return Memory(links=links_of(shown(2, 8), Memory(), MADE), bundles=BUNDLES)


@pytest.mark.parametrize(
    ("lids", "mugs", "whole", "broken"),
    [
        (2, 8, 2, ()),
        (1, 4, 1, ()),
        (0, 0, 0, ()),
        (2, 7, 1, ((("LID", 2, 1), ("MUG", 7, 4)),)),
        (1, 8, 1, ((("LID", 1, 1), ("MUG", 8, 4)),)),
        (0, 8, 0, ((("LID", 0, 1), ("MUG", 8, 4)),)),
        (2, 9, 2, ((("LID", 2, 1), ("MUG", 9, 4)),)),
    ],
)
def test_articles_count_as_far_as_they_make_whole_bundles(
    lids: int, mugs: int, whole: int, broken: tuple[object, ...]
) -> None:
    order = shown(lids, mugs)
    assert shopify_quantities(order, remembered()) == (("L1", whole),)
    assert tuple(one.shown for one in broken_bundles(order, remembered())) == broken


def test_a_bundle_has_left_when_all_its_articles_have() -> None:
    assert fulfilled_quantities(shown(2, 8, (2, 7)), remembered()) == (("L1", 1),)
    assert fulfilled_quantities(shown(2, 8, (0, 8)), remembered()) == (("L1", 0),)


def test_a_line_that_comes_again_is_an_article_only_by_its_variant() -> None:
    again = a_shopify_line("S3", "MUG", 1, "9.41", "L1", variant_id="V1")
    other = a_shopify_line("S4", "CUP", 1, "9.41", "L1", variant_id="V7")
    order = replace(shown(2, 7), lines=(*shown(2, 7).lines, again, other))
    memory = replace(remembered(), links=links_of(order, remembered(), MADE))
    assert shopify_quantities(order, memory) == (("L1", 2),)
    assert broken_bundles(order, memory) == ()
    assert [mirakl_line_id_of(line, memory) for line in order.lines] == ["L1", "L1", "L1", ""]
    assert unlinked(order, memory) == (other,)


def test_a_replacement_carries_the_articles_over() -> None:
    new = replace(
        shown(2, 8),
        id="SO2",
        lines=(
            a_shopify_line("N1", "LID", 2, "2.35", "", variant_id="V2"),
            a_shopify_line("N2", "MUG", 8, "9.41", "", variant_id="V1"),
        ),
    )
    links = links_of_replacement(new, shown(2, 8), remembered())
    assert [(link.mirakl_line_id, link.part, link.per_unit) for link in links] == [
        ("L1", "V2", 1),
        ("L1", "V1", 4),
    ]
    memory = replace(remembered(), links=(*remembered().links, *links))
    assert shopify_quantities(new, memory) == (("L1", 2),)
    without_lids = replace(new, lines=new.lines[1:])
    assert shopify_quantities(without_lids, memory) == (("L1", 0),)
    (broken,) = broken_bundles(without_lids, memory)
    assert broken.shown == (("LID", 0, 1), ("MUG", 8, 4))


# -- at the edit desk --------------------------------------------------------------------------------------


def at_the_desk(order: ShopifyOrder) -> View:
    sold = an_order(lines=(a_line("L1", "SET", 2, "80.00"),))
    memory = a_memory(
        ordered=ordered(sold.lines), links=remembered().links, bundles=BUNDLES, settled=(("L1", 2),)
    )
    return a_view(mirakl=sold, shopify=order, memory=memory)


@pytest.mark.parametrize("name", ["L1", "SET"])
def test_fewer_bundles_are_fewer_of_each_article(name: str) -> None:
    edit = resolved(at_the_desk(shown(2, 8)), Wish(quantities=((name, 1),)), "E1", "Ada", "why", NOW)
    assert edit.quantities == (("S1", 1), ("S2", 4))


def test_a_bundle_that_was_taken_apart_is_put_together_again() -> None:
    undo = Wish(undo=True)
    assert resolved(at_the_desk(shown(2, 5)), undo, "E1", "Ada", "why", NOW).quantities == (("S2", 8),)
    edit = resolved(at_the_desk(shown(0, 8)), undo, "E1", "Ada", "why", NOW)
    assert edit.quantities == ()
    assert edit.added == (AddedLine("V2", 2, "L1"),)


def test_what_an_edit_of_a_bundle_does_is_said_before() -> None:
    view = at_the_desk(shown(2, 8))
    whole = preview(view, resolved(view, Wish(quantities=(("SET", 1),)), "E1", "Ada", "why", NOW), NOW)
    assert [(line.sku, line.shopify_now, line.shopify_then) for line in whole.lines] == [("SET", 2, 1)]
    part = preview(view, resolved(view, Wish(quantities=(("MUG", 7),)), "E1", "Ada", "why", NOW), NOW)
    assert [case.reason for case in part.cases] == [Reason.EDIT_CANNOT_BE_EXPRESSED]
    assert part.calls == ()

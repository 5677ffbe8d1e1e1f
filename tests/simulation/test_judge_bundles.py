"""The judge knows what a bundle is: it finds planted breaches about one, and nothing in a clean history that sells some."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.orders.connection import ConnectionRules
from interlock.rehearsal.bundles import are_sold
from interlock.rehearsal.history import draw_plan
from interlock.rehearsal.judge import judge_evidence
from interlock.rehearsal.judging.evidence import LabelAsked
from interlock.rehearsal.judging.truth import Truth, truths
from interlock.rehearsal.stock import learn_offers
from interlock.rehearsal.world import SoldBundle, World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE
from interlock.simulator.record import Effect
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer
from tests.simulation.bench import NAME, PROFILE, Bench
from tests.simulation.living import lived
from tests.simulation.runner import regressions

RULES = ConnectionRules(NAME, f"interlock:{NAME}", publish_stock=True, stock_buffer=2)
PICNIC = SoldBundle("SET-1", "Picnic", Decimal("81.95"), (("KETTLE-1L", 1), ("CANDLE-03", 4)))
BEFORE_BUNDLES = 50
"""How many seeds had been committed when bundles came in."""


async def _an_afternoon(database: Database) -> World:
    """Three bundles are sold, staff take one whole one out, and two leave. Two more are sold in an order that nobody can
    import, so that their articles stay unclaimed."""
    plan = WorldPlan(
        seed=7, marketplaces=(PROFILE,), rules=RULES, processes=1, subscribed=True, bundles=(PICNIC,)
    )
    world = World(plan, database, Keyring([new_key()]))
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    await world.start()
    learn_offers(world)
    await asyncio.sleep(300)
    world.mirakl[NAME].create_generated(lines=1, skus=["SET-1"], quantities=[3])
    await asyncio.sleep(900)
    (order,) = world.shopify.shop.orders.values()
    units = {"KETTLE-1L": 2, "CANDLE-03": 8}
    world.shopify.edit(order, quantities=[(line.gid, units[line.sku or ""]) for line in order.lines])
    await asyncio.sleep(900)
    assert world.shopify.pick(order, company="DHL Express", number="PARCEL1") is not None
    await asyncio.sleep(900)
    world.mirakl[NAME].create_generated(lines=2, skus=["SET-1", "NOT-IN-THE-SHOP"], quantities=[2, 1])
    await asyncio.sleep(9000)
    await world.stop()
    return world


@pytest.fixture(scope="module")
def finished(server: ThrowawayServer) -> Iterator[World]:
    """The clean history, lived once for all tests of this file."""
    with lived(server, 7, _an_afternoon) as told:
        yield told


def truth_of(bench: Bench) -> Truth:
    return next(truth for truth in truths(bench.evidence()) if truth.id == bench.order.id)


def sentences(bench: Bench) -> str:
    return "\n".join(str(finding) for finding in bench.judge().broken)


def shows(bench: Bench, effect: Effect, **units: int) -> list[dict[str, Any]]:
    """The lines of an effect with other units of some articles."""
    articles = bench.evidence().variant_skus
    wanted = {name.replace("_", "-"): count for name, count in units.items()}
    return [
        {**line, "quantity": wanted.get(articles[line["line_id"]], line["quantity"])}
        for line in effect.detail["lines"]
    ]


def another_edit(bench: Bench, after: float, **units: int) -> Effect:
    """Somebody edits the Shopify order again, so many seconds after the edit there was."""
    edited = bench.effects("edited")[0]
    lines = shows(bench, edited, **units)
    return bench.happen(edited, at=edited.at + timedelta(seconds=after), detail={"lines": lines})


# -- the clean history -------------------------------------------------------------------------------------


def test_a_clean_history_with_bundles_is_clean_and_was_judged(bench: Bench) -> None:
    verdict = bench.judge()
    assert [str(finding) for finding in verdict.broken] == []
    assert [str(finding) for finding in verdict.bounded] == []
    for name in ("I4", "I5", "I8", "I26 bundle", "I27 bundle", "label", "undone"):
        assert verdict.checked[name], name
    counters = verdict.counters
    assert counters["bundle sold"] == counters["bundle edited"] == counters["bundle left"] == 1
    assert counters["bundle cut by Interlock"] == 1
    assert counters["bundle taken apart"] == 0


def test_a_judge_that_knows_nothing_of_bundles_finds_the_same_history_wrong(bench: Bench) -> None:
    evidence = replace(bench.evidence(), bundles={})
    evidence.load(bench.connection)
    found = {finding.invariant for finding in judge_evidence(evidence, bench.connection, True).broken}
    assert found == {"I5", "I8", "I27", "undone"}


def test_the_truth_counts_whole_bundles(bench: Bench) -> None:
    truth = truth_of(bench)
    (line,) = bench.order.lines
    stood = [moment for moment in truth.moments if moment.exists]
    assert [stood[0].shown, stood[-1].shown] == [{line.id: 3}, {line.id: 2}]
    assert sorted(stood[0].own.values()) == [3, 12]
    assert stood[-1].fulfilled == {line.id: 2}
    assert (stood[0].unfulfilled, stood[-1].unfulfilled) == (15, 0)
    assert all(not moment.broken for moment in stood)


def test_the_truth_sees_a_bundle_that_is_not_whole(bench: Bench) -> None:
    another_edit(bench, 300, CANDLE_03=7)
    (line,) = bench.order.lines
    moment = truth_of(bench).at(bench.edit_at() + timedelta(seconds=301))
    assert (moment.shown, moment.broken, moment.agrees) == ({line.id: 1}, {line.id: 2}, False)


def test_articles_beyond_the_bundles_are_a_difference_although_as_many_whole_ones_are_shown(
    bench: Bench,
) -> None:
    another_edit(bench, 300, CANDLE_03=9)
    (line,) = bench.order.lines
    moment = truth_of(bench).at(bench.edit_at() + timedelta(seconds=301))
    assert (moment.shown, moment.agreed) == ({line.id: 2}, {line.id: 2})
    assert (moment.broken, moment.agrees) == ({line.id: 3}, False)


# -- holds and labels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("candles", [7, 9])
def test_i8_a_label_for_a_bundle_that_is_not_whole(bench: Bench, candles: int) -> None:
    another_edit(bench, 300, CANDLE_03=candles)
    assert "I8" in bench.broken()
    assert "A label" in sentences(bench)


def test_i8_an_edit_that_changes_nothing_of_the_bundle_is_none(bench: Bench) -> None:
    another_edit(bench, 300)
    assert bench.broken() == set()


@pytest.mark.parametrize(("candles", "broken"), [(8, False), (7, True)])
def test_a_printer_is_not_told_yes_for_a_bundle_that_is_not_whole(
    bench: Bench, candles: int, broken: bool
) -> None:
    edit = another_edit(bench, 200, CANDLE_03=candles)
    bench.asked.append(
        LabelAsked(edit.at + timedelta(seconds=400), bench.shopify_gid, "parcel", True, "stored")
    )
    assert ("label check" in bench.broken()) == broken


# -- what the marketplace is told --------------------------------------------------------------------------


@pytest.mark.parametrize(("kettles", "candles", "broken"), [(2, 8, False), (3, 8, True), (2, 12, True)])
def test_nothing_of_a_bundle_is_cancelled_while_some_of_its_articles_are_still_there(
    bench: Bench, kettles: int, candles: int, broken: bool
) -> None:
    edited, cut = bench.effects("edited")[0], bench.effects("cancelation", ours=True)[0]
    lines = shows(bench, edited, KETTLE_1L=kettles, CANDLE_03=candles)
    bench.unhappen(*bench.effects("refund_created"), edited)
    bench.happen(edited, detail={"lines": lines})
    bench.unhappen(cut)
    bench.happen(cut, at=edited.at + timedelta(seconds=200))
    assert ("undone" in bench.broken()) == broken


def test_i5_more_bundles_cancelled_than_whole_ones_were_taken_out(bench: Bench) -> None:
    cut = bench.effects("cancelation", ours=True)[0]
    bench.happen(cut, at=cut.at + timedelta(seconds=60), detail={"id": "again"})
    assert "I5" in bench.broken()


@pytest.mark.parametrize(("candles", "broken"), [(8, False), (7, True), (9, True)])
def test_i4_the_whole_order_is_told_of_when_exactly_all_articles_have_left(
    bench: Bench, candles: int, broken: bool
) -> None:
    label = bench.effects("fulfillment_created")[0]
    bench.unhappen(label)
    # Two minutes sooner, so that the marketplace's word does not come with the parcel.
    at = label.at - timedelta(seconds=120)
    bench.happen(label, at=at, detail={"lines": shows(bench, label, CANDLE_03=candles)})
    assert ("I4" in bench.broken()) == broken


# -- stock -------------------------------------------------------------------------------------------------

LAST_LINE = """
    UPDATE stock_import_lines SET quantity = :units WHERE (import_no, line) = (
        SELECT import_no, line FROM stock_import_lines WHERE sku = :sku ORDER BY import_no DESC LIMIT 1
    )
"""


@pytest.mark.parametrize(
    ("sku", "units", "found"),
    [
        # 100 candles, 8 left in two bundles and 8 are sold in two more: 21 bundles of four, 2 held back
        ("SET-1", 19, set()),
        ("SET-1", 20, {"I26"}),
        ("SET-1", 0, set()),
        # the candle alone: 84 that nobody has bought, 2 held back
        ("CANDLE-03", 82, set()),
        ("CANDLE-03", 83, {"I26"}),
    ],
)
def test_i26_a_bundle_is_offered_as_often_as_its_scarcest_article_allows(
    bench: Bench, sku: str, units: int, found: set[str]
) -> None:
    bench.sql(LAST_LINE, sku=sku, units=units)
    assert bench.broken() == found


@pytest.mark.parametrize("sku", ["SET-1", "CANDLE-03", "KETTLE-1L"])
@pytest.mark.parametrize(("by", "found"), [(0, set()), (1, {"I27"}), (-1, {"I27"})])
def test_i27_the_offer_of_a_bundle_and_of_its_articles_shows_exactly_what_there_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, sku: str, by: int, found: set[str]
) -> None:
    offers = bench.mirakl.offers.offers
    assert [offers[one].quantity for one in ("SET-1", "CANDLE-03", "KETTLE-1L")] == [19, 82, 94]
    monkeypatch.setattr(offers[sku], "quantity", offers[sku].quantity + by)
    assert bench.broken() == found


# -- which histories sell some -----------------------------------------------------------------------------


def test_about_every_sixth_history_sells_bundles_and_no_other_has_any() -> None:
    sold = [seed for seed in range(600) if are_sold(seed)]
    assert 80 <= len(sold) <= 125
    assert all(bool(draw_plan(seed).bundles) == are_sold(seed) for seed in range(60))
    assert draw_plan(sold[0]).bundles == draw_plan(sold[0]).bundles
    assert all(not draw_plan(seed, calm=True).bundles for seed in sold[:5])


def test_the_seeds_that_were_committed_before_are_the_histories_they_were() -> None:
    assert [seed for seed in regressions()[:BEFORE_BUNDLES] if are_sold(seed)] == []


def test_a_bundle_is_several_units_of_what_the_shop_sells_under_a_name_it_has_not() -> None:
    skus = {item.sku for item in CATALOGUE}
    made = [bundle for seed in range(400) if are_sold(seed) for bundle in draw_plan(seed).bundles]
    assert {len(bundle.articles) for bundle in made} == {1, 2, 3}
    for bundle in made:
        assert bundle.sku not in skus
        assert {sku for sku, _ in bundle.articles} <= skus
        assert sum(units for _, units in bundle.articles) > 1

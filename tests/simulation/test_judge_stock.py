"""The judge finds planted violations of I26 and I27, and nothing in a history of stock that is clean."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from interlock.engine.offers import VARIANTS_EVERY
from interlock.orders.connection import ConnectionRules
from interlock.rehearsal.judge import Verdict, judge_evidence
from interlock.rehearsal.judging.evidence import gather
from interlock.rehearsal.stock import learn_offers
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE, PROFILES
from interlock.simulator.record import Effect
from interlock.simulator.shopify.inventory import count_stock
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer
from tests.simulation.living import lived

NAME = "hidden-address"
RULES = ConnectionRules(NAME, f"interlock:{NAME}", publish_stock=True, stock_buffer=2)
SKU = "LAMP-OAK"


async def _a_quiet_afternoon(database: Database) -> World:
    """A lamp is counted; two orders of mugs come in, of which one nobody can import, so that its units stay unclaimed."""
    profile = PROFILES[NAME].changed({"debit_delay": 60.0})
    plan = WorldPlan(seed=9, marketplaces=(profile,), rules=RULES, processes=1, subscribed=True)
    world = World(plan, database, Keyring([new_key()]))
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    await world.start()
    learn_offers(world)
    await asyncio.sleep(900)
    lamp = next(one for one in world.shopify.shop.variants.values() if one.sku == SKU)
    count_stock(world.shopify, lamp, 40, next(iter(world.shopify.shop.locations.values())))
    world.mirakl[NAME].create_generated(lines=1, skus=["MUG-BLUE"], quantities=[3])
    world.mirakl[NAME].create_generated(lines=2, skus=["MUG-GREEN", "NOT-IN-THE-SHOP"], quantities=[4, 1])
    await asyncio.sleep(9000)
    await world.stop()
    return world


@pytest.fixture(scope="module")
def finished(server: ThrowawayServer) -> Iterator[World]:
    """The clean history, lived once for all tests of this file."""
    with lived(server, 9, _a_quiet_afternoon) as told:
        yield told


class _TakenBack(Exception):
    """Nothing of a test stays."""


@pytest.fixture
def c(finished: World) -> Iterator[Connection]:
    """A connection whose changes are taken back."""
    with suppress(_TakenBack), finished.database.begin() as connection:
        yield connection
        raise _TakenBack


def judged(world: World, c: Connection) -> Verdict:
    poll = timedelta(seconds=world.plan.poll_seconds)
    evidence = gather(world.mirakl, world.connection_ids, world.shopify, c, poll, (), ())
    return judge_evidence(evidence, c, True)


def broken(world: World, c: Connection) -> set[str]:
    return {finding.invariant for finding in judged(world, c).broken}


def change(c: Connection, statement: str, **values: Any) -> None:
    assert c.execute(text(statement), values).rowcount > 0, "the planted change touched no row"


LAST_LINE = """
    UPDATE stock_import_lines SET quantity = :units WHERE (import_no, line) = (
        SELECT import_no, line FROM stock_import_lines WHERE sku = :sku ORDER BY import_no DESC LIMIT 1
    )
"""


def test_the_clean_history_is_clean_and_was_judged(finished: World, c: Connection) -> None:
    verdict = judged(finished, c)
    assert [str(finding) for finding in verdict.broken] == []
    assert verdict.checked["I26"] >= len(CATALOGUE)
    assert verdict.checked["I27"] >= len(CATALOGUE)
    offers = finished.mirakl[NAME].offers.offers
    assert (offers[SKU].quantity, offers["MUG-BLUE"].quantity, offers["MUG-GREEN"].quantity) == (38, 95, 94)


@pytest.mark.parametrize(
    ("sku", "units", "found"),
    [
        # 100 there, 2 are held back
        ("KETTLE-1L", 98, set()),
        ("KETTLE-1L", 99, {"I26"}),
        # 100 there, 4 sold without a claim, 2 held back
        ("MUG-GREEN", 94, set()),
        ("MUG-GREEN", 95, {"I26"}),
        # 40 were counted a moment before, and clocks differ: the 100 of before may still have been seen
        (SKU, 98, set()),
        (SKU, 99, {"I26"}),
        (SKU, 0, set()),
    ],
)
def test_i26_a_figure_that_exceeds_what_was_there(
    finished: World, c: Connection, sku: str, units: int, found: set[str]
) -> None:
    change(c, LAST_LINE, sku=sku, units=units)
    assert broken(finished, c) == found


def test_i26_an_order_that_was_not_known_yet_is_not_held_against_a_file(
    finished: World, c: Connection
) -> None:
    change(c, LAST_LINE, sku="MUG-GREEN", units=98)
    assert "I26" in broken(finished, c)
    change(c, "UPDATE stock_imports SET orders_known = 0")
    assert "I26" not in broken(finished, c)


@pytest.mark.parametrize(("by", "found"), [(0, set()), (1, {"I27"}), (-1, {"I27"})])
def test_i27_an_offer_that_shows_something_else(
    finished: World, c: Connection, monkeypatch: pytest.MonkeyPatch, by: int, found: set[str]
) -> None:
    offer = finished.mirakl[NAME].offers.offers[SKU]
    monkeypatch.setattr(offer, "quantity", offer.quantity + by)
    assert broken(finished, c) == found


def test_i27_an_offer_that_has_just_moved_is_not_judged(
    finished: World, c: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = finished.mirakl[NAME].offers
    moved = replace(book.changes[-1], sku=SKU, why="sale", at=finished.clock.now())
    monkeypatch.setattr(book.offers[SKU], "quantity", 1)
    monkeypatch.setattr(book, "changes", [*book.changes, moved])
    assert broken(finished, c) == set()


@pytest.mark.parametrize(
    ("known_as", "minutes_ago", "found"),
    [("SHIPPING", 0, False), ("SHIPPING", 120, True), ("CLOSED", 0, True)],
)
def test_i27_units_of_an_order_that_ended_a_moment_ago_may_still_be_kept_back(
    finished: World,
    c: Connection,
    monkeypatch: pytest.MonkeyPatch,
    known_as: str,
    minutes_ago: int,
    found: bool,
) -> None:
    order = next(one for one in finished.mirakl[NAME].orders.values() if one.lines[0].sku == "MUG-BLUE")
    (shopify,) = (
        one for one in finished.shopify.shop.orders.values() if one.lines[0].sku == order.lines[0].sku
    )
    now = finished.clock.now()
    monkeypatch.setattr(order, "state", "CLOSED")
    monkeypatch.setattr(order, "updated", now - timedelta(minutes=minutes_ago))
    monkeypatch.setattr(shopify, "cancelled_at", now - timedelta(hours=2))
    monkeypatch.setattr(finished.mirakl[NAME].offers.offers["MUG-BLUE"], "quantity", 92)
    change(
        c, "UPDATE orders SET mirakl_state = :state WHERE mirakl_order_id = :id", state=known_as, id=order.id
    )

    assert ("I27" in broken(finished, c)) is found


REFUSED = """
    WITH planted AS (
        INSERT INTO cases (connection_id, kind, reason, subject, owner, severity, sentence, options, facts,
            first_opened_at, opened_at)
        SELECT id, 'condition', 'stock_line_refused', :sku, 'operations', 'high', 'planted', '[]', '[]', :at, :at
        FROM connections RETURNING *
    )
    INSERT INTO case_events (case_id, at, who, what) SELECT id, opened_at, 'Interlock', 'opened' FROM planted
"""


@pytest.mark.parametrize(
    ("sent", "case", "found"),
    [(60, SKU, set()), (60, "KETTLE-1L", {"I27"}), (84, SKU, set()), (86, SKU, {"I27"})],
)
def test_i27_a_figure_the_marketplace_refused_has_its_case_and_an_hour(
    finished: World, c: Connection, monkeypatch: pytest.MonkeyPatch, sent: int, case: str, found: set[str]
) -> None:
    now = finished.clock.now()
    change(c, REFUSED, sku=case, at=now - timedelta(minutes=sent))
    change(c, "UPDATE stock_imports SET sent_at = :at", at=now - timedelta(minutes=sent))
    monkeypatch.setattr(finished.mirakl[NAME].offers.offers[SKU], "quantity", 1)
    assert broken(finished, c) == found


@pytest.mark.parametrize(
    ("export", "why", "found"),
    [
        ("while_pending", "portal", {"I27"}),
        ("within_an_hour", "portal", set()),
        ("within_an_hour", "import", {"I27"}),
    ],
)
def test_i27_an_export_that_is_repeated_for_an_hour_hides_only_what_the_marketplace_did(
    finished: World, c: Connection, monkeypatch: pytest.MonkeyPatch, export: str, why: str, found: set[str]
) -> None:
    world = finished.mirakl[NAME]
    before = world.switches["offer_export_duplicate"]
    world.switches.set("offer_export_duplicate", export)
    book = world.offers
    moved = replace(book.changes[-1], sku=SKU, why=why, at=finished.clock.now() - timedelta(minutes=80))
    monkeypatch.setattr(book.offers[SKU], "quantity", 1)
    monkeypatch.setattr(book, "changes", [*book.changes, moved])
    try:
        assert broken(finished, c) == found
    finally:
        world.switches.set("offer_export_duplicate", before)


OWN_BUFFER = """
    INSERT INTO stock_buffers (connection_id, sku, units, changed_by, changed_at)
    SELECT id, :sku, :units, 'Ada', now() FROM connections
"""


@pytest.mark.parametrize(
    ("units", "found"), [(2, set()), (1, {"I27"}), (0, {"I27"}), (3, {"I26", "I27"}), (8, {"I26", "I27"})]
)
def test_the_buffer_of_a_sku_goes_before_the_connections(
    finished: World, c: Connection, units: int, found: set[str]
) -> None:
    change(c, OWN_BUFFER, sku="KETTLE-1L", units=units)
    assert broken(finished, c) == found


def test_i27_what_lies_in_a_closed_location_is_not_offered(
    finished: World, c: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    (location,) = finished.shopify.shop.locations.values()
    assert broken(finished, c) == set()
    monkeypatch.setattr(location, "active", False)
    assert broken(finished, c) == {"I27"}


# -- what was renamed in the shop ----------------------------------------------------------------------------


@pytest.fixture
def renamed(finished: World) -> Iterator[str]:
    """The kettle got its SKU at the beginning only, before the shop's variants were read: its offer is to show nothing."""
    variant = next(one for one in finished.shopify.shop.variants.values() if one.sku == "KETTLE-1L")
    detail = {"variant": variant.gid, "was": variant.sku, "now": variant.sku}
    began = finished.mirakl[NAME].started + timedelta(milliseconds=1)
    effects = finished.shopify.record.effects
    effects.insert(0, Effect(began, "staff", "sku_changed", "", None, detail))
    yield "KETTLE-1L"
    del effects[0]


def _variants_read(c: Connection, at: datetime) -> None:
    due = at + VARIANTS_EVERY
    change(c, "UPDATE duties SET due_at = :due WHERE name LIKE 'variants %'", due=due)


def _mapped(finished: World, c: Connection, sku: str, at: datetime) -> None:
    change(
        c,
        "INSERT INTO sku_mappings (connection_id, mirakl_sku, shop_sku, changed_by, changed_at) "
        "VALUES (:connection, :sku, :sku, 'Ada', :at)",
        connection=finished.connection_ids[NAME],
        sku=sku,
        at=at,
    )


def test_i26_and_i27_an_offer_that_leads_nowhere_shows_units(
    finished: World, c: Connection, renamed: str
) -> None:
    read_at = finished.mirakl[NAME].started + timedelta(minutes=2)
    _variants_read(c, read_at)
    verdict = judged(finished, c)
    assert {finding.invariant for finding in verdict.broken} == {"I27"}
    assert verdict.checked["I27 renamed"] == 1
    late = finished.clock.now() - timedelta(minutes=30)
    change(c, "UPDATE stock_import_lines SET observed_at = :at WHERE sku = :sku", sku=renamed, at=late)
    change(c, "UPDATE stock_imports SET sent_at = :at", at=late)
    assert broken(finished, c) == {"I26", "I27"}


def test_i27_an_offer_that_was_mapped_again_shows_units(finished: World, c: Connection, renamed: str) -> None:
    _variants_read(c, finished.mirakl[NAME].started + timedelta(minutes=2))
    _mapped(finished, c, renamed, finished.mirakl[NAME].started + timedelta(minutes=5))
    verdict = judged(finished, c)
    assert verdict.broken == []
    assert verdict.checked["I27 renamed"] == 0


@pytest.mark.parametrize("said_before", [False, True])
def test_i26_what_a_sku_stands_for_counts_from_when_it_was_first_said(
    finished: World, c: Connection, renamed: str, said_before: bool
) -> None:
    began = finished.mirakl[NAME].started
    _variants_read(c, began + timedelta(minutes=2))
    _mapped(finished, c, renamed, finished.clock.now())
    if said_before:
        change(
            c,
            "INSERT INTO map_changes (connection_id, map, name, former, present, who, why, at) "
            "VALUES (:connection, 'skus', :sku, '', :sku, 'Ada', '', :at)",
            connection=finished.connection_ids[NAME],
            sku=renamed,
            at=began + timedelta(minutes=5),
        )
    late = finished.clock.now() - timedelta(minutes=30)
    change(c, "UPDATE stock_import_lines SET observed_at = :at WHERE sku = :sku", sku=renamed, at=late)
    change(c, "UPDATE stock_imports SET sent_at = :at", at=late)
    assert ("I26" in broken(finished, c)) is not said_before


def test_i27_a_sku_that_was_renamed_after_the_last_look_at_the_shop_is_not_judged(
    finished: World, c: Connection, renamed: str
) -> None:
    _variants_read(c, finished.mirakl[NAME].started)
    assert judged(finished, c).broken == []

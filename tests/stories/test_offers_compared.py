"""Reading offers and variants from simulated platforms and comparing them, with what goes wrong on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from interlock.cases.store import cases
from interlock.console.skus import suggestions
from interlock.engine.store import counts
from interlock.imports.store import sku_map
from interlock.offers.store import keep_offer_read, known_offers, links, offer_read, want_offers
from interlock.orders.connection import ConnectionRules
from interlock.rehearsal.history import on_virtual_time
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.faults import Fault
from interlock.simulator.mirakl import CATALOGUE, PROFILES
from interlock.simulator.mirakl.switches import mirakl_switches
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.witnessed import witness

NAME = "all-or-nothing"
HOUR = timedelta(hours=1)


def lived(
    database: Database,
    keyring: Keyring,
    story: Callable[[World], Awaitable[None]],
    switches: dict[str, str] | None = None,
) -> None:
    """A world without service processes, in which the story reads and compares."""

    async def live() -> None:
        plan = WorldPlan(
            seed=3,
            marketplaces=(PROFILES[NAME].changed({"call_tolerance": 1000}),),
            rules=ConnectionRules("marketplace", "interlock:marketplace"),
            processes=0,
            mirakl_switches=mirakl_switches(switches),
        )
        world = World(plan, database, keyring)
        for item in CATALOGUE:
            world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
        await world.start()
        try:
            await story(world)
            witness(database)
        finally:
            await world.stop()

    on_virtual_time(3, live)


def open_cases(world: World) -> list[tuple[str, str]]:
    with world.database.begin() as c:
        rows = c.execute(
            select(cases.c.reason, cases.c.subject)
            .where(cases.c.closed_at.is_(None), cases.c.order_id.is_(None))
            .order_by(cases.c.reason, cases.c.subject)
        )
        return [(row.reason, row.subject) for row in rows]


def test_both_sides_are_read_and_what_differs_is_a_case_until_it_is_put_right(
    database: Database, keyring: Keyring
) -> None:
    async def story(world: World) -> None:
        market = world.mirakl[NAME]
        now = market.clock.now()
        market.offers.set_quantity("MUG-BLUE", 7, now, "staff", "portal")
        kettle = next(one for one in world.shopify.shop.variants.values() if one.sku == "KETTLE-1L")
        kettle.sku = "KETTLE"
        await world.compare(NAME)
        row = world.connection_row(NAME)
        with database.begin() as c:
            shown = {offer.sku: offer for offer in known_offers(c, row.id)}
            linked = {link.offer_sku for link in links(c, row.id)}
        assert (shown["MUG-BLUE"].quantity, shown["MUG-BLUE"].price) == (7, Decimal("12.90"))
        assert linked == {item.sku for item in CATALOGUE} - {"KETTLE-1L"}
        assert open_cases(world) == [
            ("offer_without_variant", "KETTLE-1L"),
            ("variant_without_offer", "products"),
        ]
        # a second variant of one SKU, the kettle put right, an offer deleted
        world.shopify.add_variant("MUG-BLUE", "12.90", 1)
        kettle.sku = "KETTLE-1L"
        await asyncio.sleep(600)
        market.offers.change("LAMP-OAK", market.clock.now(), deleted=True)
        with database.begin() as c:
            want_offers(c, row.id, world.service_clock.now())
        await world.compare(NAME)
        assert open_cases(world) == [
            ("offer_ambiguous", "MUG-BLUE"),
            ("offer_deleted", "LAMP-OAK"),
            ("variant_without_offer", "products"),
        ]
        # and everything is put right
        next(
            one for one in list(world.shopify.shop.variants.values())[::-1] if one.sku == "MUG-BLUE"
        ).sku = ""
        await asyncio.sleep(600)
        market.offers.change("LAMP-OAK", market.clock.now(), deleted=False)
        with database.begin() as c:
            want_offers(c, row.id, world.service_clock.now())
        await world.compare(NAME)
        assert open_cases(world) == []

    lived(database, keyring, story)


def test_a_sale_is_seen_by_the_differential_export_and_a_failed_export_is_asked_for_again(
    database: Database, keyring: Keyring
) -> None:
    async def story(world: World) -> None:
        market = world.mirakl[NAME]
        await world.compare(NAME)
        market.create_generated(skus=["BOARD-L"], quantities=[3])
        await asyncio.sleep(600)
        market.offers.failures_armed = 1
        row = world.connection_row(NAME)
        with database.begin() as c:
            want_offers(c, row.id, world.service_clock.now())
        await world.compare(NAME)
        with database.begin() as c:
            assert known_offers(c, row.id, ["BOARD-L"])[0].quantity == 97
            assert counts(c)[("offer_export_failed", NAME)] == 1
            assert offer_read(c, row.id).tracking_id == ""
        since = [export.since for export in market.offers.exports.values()]
        assert since[0] is None
        assert all(moment is not None for moment in since[1:])

    lived(database, keyring, story)


@pytest.mark.parametrize("operation", ["OF53", "OF54"])
def test_an_answer_that_breaks_off_does_not_cost_the_one_export_of_all_offers_a_day(
    database: Database, keyring: Keyring, operation: str
) -> None:
    """All offers may be asked for once a day: whoever dropped that export would see no offer until the next."""

    async def story(world: World) -> None:
        market = world.mirakl[NAME]
        market.armed.arm(operation, Fault("truncated"))
        row = world.connection_row(NAME)
        async with asyncio.timeout(HOUR.total_seconds()):
            await world.compare(NAME)
        with database.begin() as c:
            assert offer_read(c, row.id).read_whole_at is not None
            assert counts(c)[("offers_unread", NAME)] == 1
        assert len(market.offers.exports) == 1

    lived(database, keyring, story)


def test_an_export_that_stays_unreadable_is_given_up(database: Database, keyring: Keyring) -> None:
    async def story(world: World) -> None:
        world.mirakl[NAME].armed.arm("OF53", Fault("truncated"), 20)
        row = world.connection_row(NAME)
        # each looks for a hundred minutes
        await world.compare(NAME)
        with database.begin() as c:
            during = offer_read(c, row.id)
        await world.compare(NAME)
        with database.begin() as c:
            after = offer_read(c, row.id)
        assert (during.tracking_id != "", after.tracking_id) == (True, "")

    lived(database, keyring, story)


def test_an_export_the_marketplace_gives_again_says_nothing_new(database: Database, keyring: Keyring) -> None:
    async def story(world: World) -> None:
        row = world.connection_row(NAME)
        await world.compare(NAME)
        with database.begin() as c:
            before = offer_read(c, row.id)
            # as if a day had passed for us, while the marketplace still has the export
            keep_offer_read(c, row.id, read_whole_at=world.service_clock.now() - timedelta(hours=25))
        await asyncio.sleep(60)
        comparing = asyncio.create_task(world.compare(NAME))
        await asyncio.sleep(600)
        with database.begin() as c:
            after = offer_read(c, row.id)
        comparing.cancel()
        assert after.read_at == before.read_at
        assert after.not_before is not None

    lived(database, keyring, story, {"offer_export_duplicate": "within_an_hour"})


@pytest.mark.parametrize("trouble", ["the request is lost", "the answer is lost", "the export fails"])
def test_a_lost_export_of_all_offers_does_not_leave_the_read_back_without_one(
    database: Database, keyring: Keyring, trouble: str
) -> None:
    """All offers may be asked for once a day only; what changed is read meanwhile, and all of them once they may be."""

    async def story(world: World) -> None:
        market = world.mirakl[NAME]
        began = market.clock.now()
        match trouble:
            case "the request is lost":
                market.armed.arm("OF52", Fault("refused_before"))
            case "the answer is lost":
                market.armed.arm("OF52", Fault("reply_lost"))
            case _:
                market.offers.failures_armed = 1
        row = world.connection_row(NAME)
        market.create_generated(skus=["BOARD-L"], quantities=[3])
        async with asyncio.timeout(HOUR.total_seconds()):
            await world.compare(NAME)
        with database.begin() as c:
            read = offer_read(c, row.id)
            assert known_offers(c, row.id, ["BOARD-L"])[0].quantity == 97
        assert (read.whole, read.read_whole_at) == (False, None)
        assert open_cases(world) == []  # until all was read nothing is missing
        await asyncio.sleep((began + 21 * HOUR - market.clock.now()).total_seconds())
        async with asyncio.timeout(HOUR.total_seconds()):
            await world.compare(NAME)
        with database.begin() as c:
            read = offer_read(c, row.id)
            assert read.read_whole_at is not None
            assert {offer.sku for offer in known_offers(c, row.id)} == {item.sku for item in CATALOGUE}
        assert read.whole_not_before is None
        whole = [export.since is None for export in market.offers.exports.values()]
        assert whole[-1]
        assert not all(whole)
        assert ("OF52", 429) not in [(call.operation, call.status) for call in market.record.calls]

    lived(database, keyring, story)


def test_the_barcode_of_an_unknown_sku_is_looked_up_and_suggests_the_product(
    database: Database, keyring: Keyring
) -> None:
    async def story(world: World) -> None:
        market = world.mirakl[NAME]
        kettle = next(one for one in world.shopify.shop.variants.values() if one.sku == "KETTLE-1L")
        kettle.sku, kettle.title, kettle.barcode = "4711", "Something else", "04006381333931"
        market.offers.offers["KETTLE-1L"].ean = "4006381333931"
        await world.compare(NAME)
        row = world.connection_row(NAME)
        with database.begin() as c:
            (shown,) = known_offers(c, row.id, ["KETTLE-1L"])
            assert shown.product_ids == ("P-KETTLE-1L", "4006381333931")
            (first, *_) = suggestions(c, row, ["KETTLE-1L"])["KETTLE-1L"]
            assert sku_map(c, row.id) == {}
        assert (first.shop_sku, first.reasons) == ("4711", ("the same barcode: 04006381333931",))
        assert open_cases(world)[0] == ("offer_without_variant", "KETTLE-1L")
        # it was looked at, so a day later nobody asks again
        looks = sum(call.operation == "OF21" for call in market.record.calls)
        with database.begin() as c:
            want_offers(c, row.id, world.service_clock.now())
        await asyncio.sleep(600)
        await world.compare(NAME)
        assert (looks, sum(call.operation == "OF21" for call in market.record.calls)) == (1, 1)

    lived(database, keyring, story)


def test_a_refused_look_at_an_offer_leaves_what_was_read(database: Database, keyring: Keyring) -> None:
    async def story(world: World) -> None:
        market = world.mirakl[NAME]
        kettle = next(one for one in world.shopify.shop.variants.values() if one.sku == "KETTLE-1L")
        kettle.sku = "4711"
        market.armed.arm("OF21", Fault("server_error"))
        await world.compare(NAME)
        with database.begin() as c:
            assert offer_read(c, world.connection_row(NAME).id).read_at is not None
            assert counts(c)[("offer_look_failed", NAME)] == 1
        assert ("offer_without_variant", "KETTLE-1L") in open_cases(world)

    lived(database, keyring, story)

"""Figures from what is kept: bundles, two variants of one SKU, closed locations, claims, and what is not believed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert, select, update

from interlock.cases.store import cases
from interlock.engine.offers import keep_all_variants, keep_export
from interlock.engine.stock_figures import ground, keep_figures, wanted_too_much
from interlock.engine.stock_reading import fold_sold, selling_from, units_of
from interlock.engine.store import ConnectionRow, connections, polls
from interlock.inventory import store
from interlock.inventory.observed import ShownItem
from interlock.offers.matching import Component, Offered, Variant, match
from interlock.offers.reading import OfferRead
from interlock.offers.store import (
    bundle_components,
    keep_links,
    keep_offers,
    keep_variants,
    offers,
    unseen_are_gone,
)
from interlock.orders.reasons import Reason
from interlock.orders.store import orders
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import NOW
from tests.console.seed import connect
from tests.inventory.seed import HERE, THERE, item, stocked

MINUTE = timedelta(minutes=1)


@pytest.fixture
def row(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        made = connect(c, keyring)
        c.execute(update(connections).values(live=True))
    return made


def target(c: Connection, row: ConnectionRow, sku: str) -> int | None:
    found = store.figure_of(c, row.id, sku)
    assert found is not None
    units: int | None = found.target
    return units


def an_order_of(c: Connection, row: ConnectionRow, sku: str, units: int, **columns: object) -> int:
    """A marketplace order that somebody has looked at."""
    memory = {"ordered": [{"line_id": "L1", "sku": sku, "quantity": units}]}
    shown = {"mirakl": {"lines": [{"id": "L1", "state": "SHIPPING"}]}}
    values = {"mirakl_state": "WAITING_ACCEPTANCE", "memory": memory, "last_view": shown, **columns}
    return int(
        c.execute(
            insert(orders)
            .values(
                **{
                    "connection_id": row.id,
                    "mirakl_order_id": f"M-{sku}-{units}",
                    "created_at": NOW,
                    **values,
                }
            )
            .returning(orders.c.id)
        ).scalar_one()
    )


def a_view_of(reserved: bool | None = True, order_id: str = "") -> dict[str, object]:
    """What was last seen of an order with a draft, or of one whose draft was not there (None)."""
    draft = {"id": "draft", "reserved": reserved, "order_id": order_id}
    lines = {"mirakl": {"lines": [{"id": "L1", "state": "SHIPPING"}]}}
    return {**lines, "drafts": [] if reserved is None else [draft]}


def again(c: Connection, row: ConnectionRow, minutes: int) -> None:
    """What the desk does at a later moment."""
    now = NOW + minutes * MINUTE
    selling = selling_from(c, row.shopify_shop)
    store.was_read(c, row.shopify_shop, read_at=now)
    c.execute(polls.update().values(last_ok_at=now))
    fold_sold(c, selling, now)
    keep_figures(c, selling, row.id, now)


def test_a_bundle_is_limited_by_its_scarcest_article(database: Database, row: ConnectionRow) -> None:
    bundle: dict[str, tuple[Component, ...]] = {"TEA-SET": (Component("CUP", 4), Component("POT", 1))}
    with database.begin() as c:
        stocked(
            c,
            row,
            (item("CUP", 10), item("POT", 5)),
            NOW,
            bundles=bundle,
            offers=("TEA-SET", "CUP", "POT"),
        )
        assert (target(c, row, "TEA-SET"), target(c, row, "CUP"), target(c, row, "POT")) == (2, 10, 5)
        an_order_of(c, row, "TEA-SET", 1)
        again(c, row, 1)
        assert (target(c, row, "TEA-SET"), target(c, row, "CUP"), target(c, row, "POT")) == (1, 6, 4)


def test_what_another_marketplace_sold_counts_and_no_other_of_its_offers_is_read(
    database: Database, keyring: Keyring, row: ConnectionRow
) -> None:
    bundle: dict[str, tuple[Component, ...]] = {"TEA-SET": (Component("CUP", 4),)}
    shown = (item("CUP", 10), item("POT", 5))
    with database.begin() as c:
        beta = connect(c, keyring, "beta", shop_id=2002)
        stocked(c, beta, shown, NOW, bundles=bundle, offers=("TEA-SET", "POT"))
        stocked(c, row, shown, NOW)
        an_order_of(c, beta, "TEA-SET", 2)
        again(c, row, 1)

        assert (target(c, row, "CUP"), target(c, row, "POT")) == (2, 5)
        articles = ground(c, selling_from(c, row.shopify_shop), row.id, NOW).articles
        assert set(articles[beta.id].linked) == {"TEA-SET"}
        assert set(articles[row.id].linked) == {"CUP", "POT"}


def test_units_of_an_order_that_is_left_alone_are_claimed_by_an_order_of_the_shop(
    database: Database, row: ConnectionRow
) -> None:
    with database.begin() as c:
        stocked(c, row, (item("CUP", 10),), NOW)
        order_id = an_order_of(c, row, "CUP", 4)
        again(c, row, 1)
        assert target(c, row, "CUP") == 6
    with database.begin() as c:
        memory = {"ordered": [{"line_id": "L1", "sku": "CUP", "quantity": 4}], "left_alone": True}
        c.execute(update(orders).where(orders.c.id == order_id).values(memory=memory))
        again(c, row, 2)
        assert target(c, row, "CUP") == 10


def test_two_variants_with_one_sku_offer_the_smaller_stock(database: Database, row: ConnectionRow) -> None:
    with database.begin() as c:
        stocked(c, row, (item("MUG", 7), item("MUG", 4, number=2)), NOW)
        assert target(c, row, "MUG") == 4


def test_what_the_shop_has_no_more_is_offered_no_more_with_or_without_its_link(
    database: Database, row: ConnectionRow
) -> None:
    offered, lamp = (Offered(1, "MUG", 0), Offered(2, "LAMP", 0)), item("LAMP", 3)
    with database.begin() as c:
        stocked(c, row, (item("MUG", 7), lamp), NOW - MINUTE)
        shop = row.shopify_shop
        # a listing leaves it out: it is asked for by name, and offered until that was answered
        store.keep_items(c, shop, (lamp,), NOW)
        store.was_read(c, shop, listed_at=NOW)
        assert store.items_unseen(c, shop, NOW) == [item("MUG").item_id]
        again(c, row, 1)
        assert target(c, row, "MUG") == 7
        store.items_gone(c, shop, [item("MUG").item_id])
        again(c, row, 2)
        assert (target(c, row, "MUG"), target(c, row, "LAMP")) == (0, 3)
        # the daily comparison takes the link away
        assert unseen_are_gone(c, shop, NOW) == 2
        variants = (Variant(lamp.variant_id, "LAMP", lamp.item_id),)
        keep_variants(c, shop, variants, NOW)
        keep_links(c, row.id, match(offered, variants, {}, {}), NOW)
        again(c, row, 3)
        assert (target(c, row, "MUG"), target(c, row, "LAMP")) == (0, 3)


def test_an_offer_that_was_published_and_lost_its_product_to_another_sku_shows_nothing_until_it_is_back(
    database: Database, row: ConnectionRow
) -> None:
    offered = (Offered(1, "MUG", 0), Offered(2, "LAMP", 0))
    mug, lamp = item("MUG", 7), item("LAMP", 3)
    renamed = ShownItem(mug.item_id, mug.variant_id, "MUG-NEW", True, mug.levels)

    def shop_shows(c: Connection, *items: ShownItem) -> None:
        variants = tuple(Variant(one.variant_id, one.sku, one.item_id) for one in items)
        keep_variants(c, row.shopify_shop, variants, NOW)
        store.keep_items(c, row.shopify_shop, items, NOW + MINUTE)
        keep_links(c, row.id, match(offered, variants, {}, {}), NOW)

    with database.begin() as c:
        stocked(c, row, (mug, lamp), NOW - MINUTE)
        c.execute(update(store.stock_figures).where(store.stock_figures.c.sku == "MUG").values(published=7))
        shop_shows(c, renamed, lamp)
        again(c, row, 2)
        assert (target(c, row, "MUG"), target(c, row, "LAMP")) == (0, 3)
        said = store.figure_of(c, row.id, "MUG")
        assert said is not None
        assert "With care: no product of the shop carries this SKU any more." in said.because

        shop_shows(c, mug, lamp)
        again(c, row, 4)
        assert target(c, row, "MUG") == 7
        # what was never published is somebody else's figure
        c.execute(update(store.stock_figures).values(published=None))
        shop_shows(c, renamed, lamp)
        again(c, row, 6)
        assert store.figure_of(c, row.id, "MUG") is None


def test_an_article_that_is_called_otherwise_since_has_its_stock_read_again(
    database: Database, row: ConnectionRow
) -> None:
    """A new SKU moves no level, so nothing else would tell that what is kept stands under the old one."""
    mug, lamp = item("MUG", 7), item("LAMP", 3)
    shown = (
        Variant(mug.variant_id, "MUG-NEW", mug.item_id),
        Variant(lamp.variant_id, "LAMP", lamp.item_id),
    )
    with database.begin() as c:
        stocked(c, row, (mug, lamp), NOW - MINUTE)
        assert store.hinted_items(c, row.shopify_shop, 9) == ()
        keep_all_variants(c, row.shopify_shop, shown, "EUR", NOW, NOW)
        assert store.hinted_items(c, row.shopify_shop, 9) == (mug.item_id,)


KIT: dict[str, tuple[Component, ...]] = {"KIT": (Component("A", 2), Component("B", 1))}


def relinked(c: Connection, row: ConnectionRow, skus: tuple[str, ...], *items: ShownItem) -> None:
    """What the daily comparison makes of the offers with these SKUs once the shop shows these items."""
    offered = tuple(Offered(number, sku, 0) for number, sku in enumerate(skus, start=1))
    variants = tuple(Variant(one.variant_id, one.sku, one.item_id) for one in items)
    keep_links(c, row.id, match(offered, variants, {}, KIT), NOW)


def a_kit(c: Connection, row: ConnectionRow) -> None:
    """A kit of two A and one B, five of it sold: 100 A and 40 B are there."""
    for sku, units in (("A", 2), ("B", 1)):
        c.execute(
            bundle_components.insert().values(
                connection_id=row.id,
                mirakl_sku="KIT",
                shop_sku=sku,
                units=units,
                changed_by="Ada",
                changed_at=NOW,
            )
        )
    stocked(c, row, (item("A", 100), item("B", 40)), NOW, bundles=KIT, offers=("KIT", "B"))
    an_order_of(c, row, "KIT", 5, mirakl_state="STAGING")
    again(c, row, 1)
    c.execute(update(store.stock_figures).values(published=35, believed=35))


@pytest.mark.parametrize(
    "happens", ["an article is renamed", "an article gets a twin", "its offer is deleted"]
)
def test_what_was_sold_of_a_bundle_counts_also_once_it_leads_nowhere(
    database: Database, row: ConnectionRow, happens: str
) -> None:
    a, b = item("A", 100), item("B", 40)
    with database.begin() as c:
        a_kit(c, row)
        assert (target(c, row, "KIT"), target(c, row, "B")) == (35, 35)
        match happens:
            case "an article is renamed":
                a = ShownItem(a.item_id, a.variant_id, "A-NEW", True, a.levels)
                relinked(c, row, ("KIT", "B"), a, b)
            case "an article gets a twin":
                twin = item("A", 30, number=2)
                store.keep_items(c, row.shopify_shop, (twin,), NOW + MINUTE)
                relinked(c, row, ("KIT", "B"), a, twin, b)
            case _:
                c.execute(update(offers).where(offers.c.sku == "KIT").values(deleted=True))
                relinked(c, row, ("B",), a, b)
        store.keep_items(c, row.shopify_shop, (a, b), NOW + 2 * MINUTE)
        again(c, row, 3)
        assert target(c, row, "B") == 35
        kit = store.figure_of(c, row.id, "KIT")
        expected = {"an article is renamed": 0, "an article gets a twin": 10}
        assert (None if kit is None else kit.target) == expected.get(happens)


def test_a_bundle_that_was_published_keeps_its_figure_although_the_shop_has_a_product_with_its_sku(
    database: Database, row: ConnectionRow
) -> None:
    a, b, kit = item("A", 100), item("B", 40), item("KIT", 9)
    renamed = ShownItem(a.item_id, a.variant_id, "A-NEW", True, a.levels)
    with database.begin() as c:
        a_kit(c, row)
        relinked(c, row, ("KIT", "B"), renamed, b, kit)
        store.keep_items(c, row.shopify_shop, (renamed, b, kit), NOW + MINUTE)
        again(c, row, 2)
        assert target(c, row, "KIT") == 0


def test_a_twin_that_is_given_its_own_sku_leaves_the_figure_of_the_other_one(
    database: Database, row: ConnectionRow
) -> None:
    """The level is read at once, the map of offers a day later."""
    one, two = item("S", 7), item("S", 0, number=2)
    with database.begin() as c:
        stocked(c, row, (one, two), NOW)
        c.execute(update(store.stock_figures).values(published=7, believed=7))
        away = ShownItem(one.item_id, one.variant_id, "S-OTHER", True, one.levels)
        store.keep_items(c, row.shopify_shop, (away,), NOW + MINUTE)
        again(c, row, 2)
        assert target(c, row, "S") == 0


def test_an_offer_that_nothing_ever_stood_behind_is_left_alone(
    database: Database, row: ConnectionRow
) -> None:
    with database.begin() as c:
        stocked(c, row, (item("MUG", 7),), NOW, offers=("MUG", "THEIRS"))
        assert store.figure_of(c, row.id, "THEIRS") is None


def test_an_article_linked_since_the_last_listing_is_waited_for(
    database: Database, row: ConnectionRow
) -> None:
    with database.begin() as c:
        stocked(c, row, (item("MUG", 7),), NOW)
        new = Variant("variant NEW", "NEW", "gid://shopify/InventoryItem/NEW")
        offered = (Offered(1, "MUG", 0), Offered(2, "NEW", 5))
        keep_offers(c, row.id, offered, NOW + MINUTE)
        keep_variants(c, row.shopify_shop, (new,), NOW + MINUTE)
        mug = Variant(item("MUG").variant_id, "MUG", item("MUG").item_id)
        keep_links(c, row.id, match(offered, (mug, new), {}, {}), NOW + MINUTE)
        again(c, row, 2)
        assert (target(c, row, "MUG"), target(c, row, "NEW")) == (7, None)


def test_a_closed_location_counts_no_more(database: Database, row: ConnectionRow) -> None:
    with database.begin() as c:
        stocked(c, row, (item("MUG", 7, 3),), NOW)
        assert target(c, row, "MUG") == 10
        assert store.close_locations(c, row.shopify_shop, (THERE,))
        again(c, row, 1)
        assert target(c, row, "MUG") == 7
        assert store.known_locations(c, row.shopify_shop) == (HERE, THERE)


@pytest.mark.parametrize(
    ("shown", "offered"),
    [
        ((7, 3), 10),
        ((7,), 7),
        ((), 0),
        ((0, 3), 3),
    ],
)
def test_a_location_that_a_complete_read_shows_no_level_of_has_none(
    database: Database, row: ConnectionRow, shown: tuple[int, ...], offered: int
) -> None:
    """And counts again once it is shown again."""
    with database.begin() as c:
        stocked(c, row, (item("MUG", 7, 3),), NOW)
        store.keep_items(c, row.shopify_shop, (item("MUG", *shown),), NOW + MINUTE)
        again(c, row, 1)
        assert target(c, row, "MUG") == offered
        assert len(store.levels_of(c, row.shopify_shop, [item("MUG").item_id])) == len(shown)
        store.keep_items(c, row.shopify_shop, (item("MUG", 7, 5),), NOW + 2 * MINUTE)
        again(c, row, 2)
        assert target(c, row, "MUG") == 12


def test_a_claim_counts_once_before_and_after_it_is_confirmed(database: Database, row: ConnectionRow) -> None:
    """10 there, 3 sold: 7 while the order waits; 7 after the claim, although the level was read before it; 7 once the
    level shows it."""
    with database.begin() as c:
        stocked(c, row, (item("MUG", 10),), NOW)
        order_id = an_order_of(c, row, "MUG", 3)
        again(c, row, 1)
        assert target(c, row, "MUG") == 7
    with database.begin() as c:
        c.execute(
            update(orders).where(orders.c.id == order_id).values(draft_id="draft", last_view=a_view_of())
        )
        again(c, row, 2)
        assert target(c, row, "MUG") == 7
        assert store.hinted_items(c, row.shopify_shop, 9) == (item("MUG").item_id,)
        store.keep_items(c, row.shopify_shop, (item("MUG", 7),), NOW + 3 * MINUTE)
        again(c, row, 4)
        assert target(c, row, "MUG") == 7


@pytest.mark.parametrize(
    ("reserved", "order_id", "unreadable", "offered"),
    [
        (True, "", False, 10),
        (False, "gid://shopify/Order/1", False, 10),
        # deleted, or its reservation is over: the shop shows its units as free
        (None, "", False, 7),
        (False, "", False, 7),
        # what could not be seen is as it was
        (None, "", True, 10),
    ],
)
def test_a_draft_claims_what_it_was_last_seen_to_reserve(
    database: Database,
    row: ConnectionRow,
    reserved: bool | None,
    order_id: str,
    unreadable: bool,
    offered: int,
) -> None:
    with database.begin() as c:
        stocked(c, row, (item("MUG", 10),), NOW)
        number = an_order_of(c, row, "MUG", 3, draft_id="draft", last_view=a_view_of())
        again(c, row, 1)
    shown = a_view_of(reserved, order_id) | {"shopify_unreadable": unreadable}
    with database.begin() as c:
        c.execute(update(orders).where(orders.c.id == number).values(last_view=shown))
        store.keep_items(c, row.shopify_shop, (item("MUG", 10),), NOW + 2 * MINUTE)
        again(c, row, 3)
        assert target(c, row, "MUG") == offered


def test_a_claim_that_was_made_between_two_ticks_is_not_missed(
    database: Database, row: ConnectionRow
) -> None:
    """The order came and was claimed while nobody looked; the kept level is older."""
    with database.begin() as c:
        stocked(c, row, (item("MUG", 10),), NOW)
        an_order_of(c, row, "MUG", 3, shopify_order_id="gid://shopify/Order/1")
        again(c, row, 1)
        assert target(c, row, "MUG") == 7


def test_units_of_a_custom_line_are_sold_although_an_order_exists(
    database: Database, row: ConnectionRow
) -> None:
    """None were there when it was created; the shop gets 10 again, of which 3 are promised, until they have left."""
    memory = {"ordered": [{"line_id": "L1", "sku": "MUG", "quantity": 3}], "custom_line_skus": ["MUG"]}
    with database.begin() as c:
        stocked(c, row, (item("MUG", 0),), NOW)
        order_id = an_order_of(c, row, "MUG", 3, memory=memory, shopify_order_id="gid://shopify/Order/1")
        again(c, row, 1)
        store.keep_items(c, row.shopify_shop, (item("MUG", 10),), NOW + 3 * MINUTE)
        again(c, row, 4)
        assert target(c, row, "MUG") == 7
    with database.begin() as c:
        c.execute(update(orders).where(orders.c.id == order_id).values(mirakl_state="SHIPPED"))
        again(c, row, 5)
        assert target(c, row, "MUG") == 10


def test_a_cancelled_shopify_order_claims_nothing_while_the_marketplace_wants_its_units(
    database: Database, row: ConnectionRow
) -> None:
    """10 there, 3 of them put back by the cancelation; a successor that takes its place claims them again."""
    gid = "gid://shopify/Order/1"
    shown = {
        "mirakl": {"lines": [{"id": "L1", "state": "SHIPPING"}]},
        "shopify": {"id": gid, "cancelled_at": None},
    }
    cancelled = {**shown, "shopify": {"id": gid, "cancelled_at": "2026-01-05T12:00:00Z"}}
    with database.begin() as c:
        stocked(c, row, (item("MUG", 7),), NOW)
        order_id = an_order_of(
            c, row, "MUG", 3, mirakl_state="SHIPPING", shopify_order_id=gid, last_view=shown
        )
        again(c, row, 1)
        store.keep_items(c, row.shopify_shop, (item("MUG", 7),), NOW + 2 * MINUTE)
        again(c, row, 3)
        assert target(c, row, "MUG") == 7
    mine = update(orders).where(orders.c.id == order_id)
    with database.begin() as c:
        c.execute(mine.values(last_view=cancelled))
        store.keep_items(c, row.shopify_shop, (item("MUG", 10),), NOW + 4 * MINUTE)
        again(c, row, 5)
        assert target(c, row, "MUG") == 7
    with database.begin() as c:
        c.execute(mine.values(shopify_order_id="gid://shopify/Order/2"))
        again(c, row, 6)
        store.keep_items(c, row.shopify_shop, (item("MUG", 7),), NOW + 7 * MINUTE)
        again(c, row, 8)
        assert target(c, row, "MUG") == 7


def test_a_refusal_gives_back_what_was_sold_and_has_the_offer_told_again(
    database: Database, row: ConnectionRow
) -> None:
    with database.begin() as c:
        stocked(c, row, (item("MUG", 10),), NOW)
        order_id = an_order_of(c, row, "MUG", 3)
        again(c, row, 1)
        c.execute(update(store.stock_figures).values(believed=7))
        ended = {"mirakl_state": "REFUSED", "ended_at": NOW + 2 * MINUTE}
        c.execute(update(orders).where(orders.c.id == order_id).values(**ended))
        again(c, row, 2)
        assert target(c, row, "MUG") == 10
        figure = store.figure_of(c, row.id, "MUG")
        assert figure is not None
        assert figure.believed is None
        assert store.sold_orders(c, [row.id]) == {}


def test_while_orders_are_not_read_no_figure_rises(database: Database, row: ConnectionRow) -> None:
    with database.begin() as c:
        stocked(c, row, (item("MUG", 10), item("LAMP", 10)), NOW)
        c.execute(update(store.stock_figures).values(believed=10, published=10))
        shop, later = row.shopify_shop, NOW + 60 * MINUTE
        store.keep_items(c, shop, (item("MUG", 30), item("LAMP", 2)), later)
        store.was_read(c, shop, read_at=later)
        keep_figures(c, selling_from(c, shop), row.id, later)
        assert (target(c, row, "MUG"), target(c, row, "LAMP")) == (10, 2)


def test_an_article_that_changed_and_cannot_be_read_raises_nothing_although_the_shop_is_looked_through(
    database: Database, row: ConnectionRow
) -> None:
    """Both are said to have changed; one is read. The other one is said so again and again, which is no answer."""
    with database.begin() as c:
        stocked(c, row, (item("MUG", 10), item("LAMP", 10)), NOW)
        c.execute(update(store.stock_figures).values(believed=3, published=3))
        shop, mug, lamp = row.shopify_shop, item("MUG").item_id, item("LAMP").item_id
        store.stock_hint(c, shop, [mug], NOW + MINUTE)
        store.stock_hint(c, shop, [lamp], NOW + 2 * MINUTE)
        again(c, row, 11)
        assert (target(c, row, "MUG"), target(c, row, "LAMP")) == (10, 10)
        store.hints_answered(c, shop, [lamp], NOW + 3 * MINUTE)
        store.stock_hint(c, shop, [mug, lamp], NOW + 10 * MINUTE)
        assert store.hinted_items(c, shop, 9) == (mug, lamp)
        again(c, row, 12)
        assert (target(c, row, "MUG"), target(c, row, "LAMP")) == (3, 10)
        figure = store.figure_of(c, row.id, "MUG")
        assert figure is not None
        assert any("could not be read since" in said for said in figure.because)
        assert store.stock_known_to(c) == {shop: NOW + MINUTE}
        store.hints_answered(c, shop, [mug], NOW + 9 * MINUTE)
        # said once more while the read was under way
        assert store.hinted_items(c, shop, 9) == (lamp, mug)
        again(c, row, 13)
        assert target(c, row, "MUG") == 10
        store.hints_answered(c, shop, [mug, lamp], NOW + 10 * MINUTE)
        assert store.stock_known_to(c) == {shop: NOW + 13 * MINUTE}


@pytest.mark.parametrize(
    ("known", "stays"),
    [
        # a file that was refused, or was lost: what was shown before it is shown still, as far as anybody knows
        ({"published": 10, "shown_before": 2}, 2),
        # a sale moved the marketplace's own figure since; what it took last was another one than what was told last
        ({"published": 10, "confirmed": 2}, 2),
        ({"published": 2, "confirmed": 10}, 2),
        # it was read after the last file
        ({"published": 10, "confirmed": 10, "published_at": NOW, "shown": 4, "shown_at": NOW + MINUTE}, 4),
        ({"published": 10, "confirmed": 10, "published_at": NOW + MINUTE, "shown": 4, "shown_at": NOW}, 10),
    ],
)
def test_while_an_input_is_not_believed_no_figure_rises_above_the_lowest_that_may_be_shown(
    database: Database, row: ConnectionRow, known: dict[str, object], stays: int
) -> None:
    with database.begin() as c:
        stocked(c, row, (item("MUG", 30),), NOW)
        c.execute(update(store.stock_figures).values(believed=None, **known))
        keep_figures(c, selling_from(c, row.shopify_shop), row.id, NOW + 60 * MINUTE)
        assert target(c, row, "MUG") == stays


def test_an_order_nobody_has_looked_at_holds_every_rise_back(database: Database, row: ConnectionRow) -> None:
    with database.begin() as c:
        stocked(c, row, (item("MUG", 10),), NOW)
        c.execute(update(store.stock_figures).values(believed=4, published=4))
        order_id = an_order_of(c, row, "MUG", 3, memory={}, last_view=None)
        again(c, row, 1)
        assert target(c, row, "MUG") == 4
    with database.begin() as c:
        c.execute(
            update(orders)
            .where(orders.c.id == order_id)
            .values(
                memory={"ordered": [{"line_id": "L1", "sku": "MUG", "quantity": 3}]},
                last_view={"mirakl": {"lines": []}},
            )
        )
        again(c, row, 2)
        assert target(c, row, "MUG") == 7


def test_an_older_answer_of_the_shop_overwrites_nothing(database: Database, row: ConnectionRow) -> None:
    with database.begin() as c:
        stocked(c, row, (item("MUG", 10),), NOW)
        assert store.keep_items(c, row.shopify_shop, (item("MUG", 99),), NOW - MINUTE) == 0
        again(c, row, 1)
        assert target(c, row, "MUG") == 10


@pytest.mark.parametrize("units", [1_000_001, -1_000_001])
def test_an_absurd_stock_is_a_case_until_it_is_put_right(
    database: Database, row: ConnectionRow, units: int
) -> None:
    with database.begin() as c:
        stocked(c, row, (item("MUG", units),), NOW)
        found = [one.reason for one in c.execute(cases.select()).all()]
        assert found == ["stock_absurd"]
        store.keep_items(c, row.shopify_shop, (item("MUG", 5),), NOW + MINUTE)
        again(c, row, 1)
        assert [one for one in c.execute(cases.select()).all() if one.closed_at is None] == []


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ([], (("A", 3),)),
        ([{"id": "L1", "state": "SHIPPING", "cancelations": [{"quantity": 1}]}], (("A", 2),)),
        ([{"id": "L1", "state": "CANCELED"}], ()),
        ([{"id": "L1", "state": "SHIPPING", "cancelations": [{"quantity": 5}]}], ()),
    ],
)
def test_units_an_order_still_wants(lines: list[dict[str, object]], wanted: object) -> None:
    assert units_of([{"line_id": "L1", "sku": "A", "quantity": 3}], lines) == wanted


def test_less_than_nothing_is_a_case_of_the_orders_that_have_claimed_and_have_not_left(
    database: Database, row: ConnectionRow
) -> None:
    """One mug, two orders of one each, both claimed: the shop shows -1 and somebody loses, until stock comes or one has left."""

    def said(c: Connection) -> list[str]:
        found = select(cases.c.sentence).where(
            cases.c.reason == Reason.OVERSOLD.value, cases.c.closed_at.is_(None)
        )
        return list(c.execute(found).scalars())

    with database.begin() as c:
        stocked(c, row, (item("MUG", 1),), NOW)
        total = {"total_price": "20.00", "currency": "EUR"}
        ids = [an_order_of(c, row, "MUG", 1, draft_id="draft", mirakl_order_id=f"M-{n}") for n in (1, 2)]
        shown = {**a_view_of(), "mirakl": {"lines": [{"id": "L1", "state": "SHIPPING"}], **total}}
        c.execute(update(orders).values(mirakl_state="SHIPPING", last_view=shown))
        again(c, row, 5)
        assert said(c) == []
        store.keep_items(c, row.shopify_shop, (item("MUG", -1),), NOW + 6 * MINUTE)
        again(c, row, 7)
        (sentence,) = said(c)
        assert (
            "2 units are owed to marketplace orders that have not left, and at most 1 are there" in sentence
        )
        assert (
            "these would be served: M-1 on atlas (1, 20.00 EUR); and these would not: M-2 on atlas"
            in sentence
        )
        found = wanted_too_much(c, row.id, "MUG", NOW + 7 * MINUTE)
        assert found is not None
        assert [(order.order_id, order.claimed) for order in (*found[1].served, *found[1].losing)] == [
            (ids[0], True),
            (ids[1], True),
        ]
    for happens in ("left", "stock"):
        with database.begin() as c:
            if happens == "left":
                c.execute(update(orders).values(mirakl_state="SHIPPED"))
            else:
                c.execute(update(orders).values(mirakl_state="SHIPPING"))
                again(c, row, 9)
                assert len(said(c)) == 1
                store.keep_items(c, row.shopify_shop, (item("MUG", 0),), NOW + 10 * MINUTE)
            again(c, row, 11)
            assert said(c) == []


@pytest.mark.parametrize(
    ("known", "shown", "lowered"),
    [
        ({"believed": 5}, 3, True),
        ({"believed": 5}, 5, False),
        ({"believed": 5}, 7, False),
        # an order has touched it, so that what it shows was not known: 9 may be offered
        ({"published": 10}, 8, True),
        ({"published": 10}, 9, False),
        # it was never told anything
        ({"published": None}, 0, False),
    ],
)
def test_an_offer_that_shows_fewer_than_it_was_told_is_kept_with_the_moment_of_the_read(
    database: Database, row: ConnectionRow, known: dict[str, object], shown: int, lowered: bool
) -> None:
    with database.begin() as c:
        stocked(c, row, (item("MUG", 9),), NOW)
        c.execute(update(store.stock_figures).values(known))
        store.keep_shown(c, row.id, {"MUG": shown}, NOW, NOW + MINUTE)
        figure = store.figure_of(c, row.id, "MUG")
        assert figure is not None
        assert (figure.believed, figure.lowered_at) == (shown, NOW + MINUTE if lowered else None)


def test_a_quantity_that_cannot_be_read_is_no_zero_and_its_offer_stays(
    database: Database, row: ConnectionRow
) -> None:
    """An export of all offers, that shows of one of them something that is no quantity."""
    with database.begin() as c:
        rules = replace(row.rules, publish_stock=True)
        stocked(c, row, (item("MUG", 7), item("LAMP", 7)), NOW - MINUTE)
        c.execute(update(store.stock_figures).values(believed=7, published=7))
        shown = (Offered(1, "MUG", quantity_known=False), Offered(2, "LAMP", 5))
        read = OfferRead(asked_at=NOW, whole=True)
        keep_export(c, replace(row, rules=rules), read, shown, NOW)

        believed = {sku: figure.believed for sku, figure in store.figures(c, row.id).items()}
        assert believed == {"MUG": 7, "LAMP": 5}
        assert set(c.execute(select(offers.c.sku).where(~offers.c.deleted)).scalars()) == {"MUG", "LAMP"}

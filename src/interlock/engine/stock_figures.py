"""What every offer of a connection may show, computed from what is kept of the shop and of what was sold, and the cases
about stock that follow from the same figures."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, select

from interlock.cases.store import close_connection_cases, open_connection_case
from interlock.engine.capabilities import open_subjects
from interlock.engine.stock_reading import Articles, Selling, articles_sold, selling_from
from interlock.engine.store import ConnectionRow, count, one_connection, poll_of
from interlock.engine.walking import LISTS_MAY_LAG, stale_after
from interlock.inventory import store
from interlock.inventory.decide import Figure
from interlock.inventory.files import usable_sku
from interlock.inventory.oversell import Proposal, Sold, proposal, sentence
from interlock.inventory.store import FigureKept, KeptItem, SoldOrder, stock_figures
from interlock.inventory.target import ABSURD, Caution, Part, Stock, Target, to_offer
from interlock.offers.store import is_linked, known_offers, skus_gone
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import GONE_OUT
from interlock.orders.store import orders

LEVELS_STALE = timedelta(minutes=30)
ITEM_STALE = timedelta(minutes=10)
"""So long after the shop said that an item's stock changed, what was read before is not believed any more. It is usually read within
seconds."""
IMPORT_TAKES = timedelta(minutes=2)
"""An order that is younger may still be on its way into Shopify."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything the figures of one connection are computed from. `articles` are of every offer of it, and of each other
    connection's offers that living orders have sold. `unclaimed` are units by item; `published_unlinked` are offers of which
    a figure was published and that lead to no product now, `waiting` items whose stock changed a while ago and was not read
    since."""

    selling: Selling
    row: ConnectionRow
    items: Mapping[str, KeptItem]
    articles: Mapping[int, Articles]
    sold: tuple[SoldOrder, ...]
    unclaimed: Counter[str]
    cautions: tuple[Caution, ...]
    buffers: Mapping[str, int]
    gone_skus: frozenset[str]
    listed_at: datetime | None
    read_at: datetime | None = None
    published_unlinked: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()


def ground(c: Connection, selling: Selling, connection_id: int, now: datetime) -> Ground:
    """Read what the figures of this connection come from."""
    row = next(row for row in selling.rows if row.id == connection_id)
    shop = store.shop_stock(c, selling.shop)
    items = {item.item_id: item for item in store.items_at(c, selling.shop, row.rules.stock_locations)}
    sold = tuple(store.sold_orders(c, selling.ids).values())
    articles = articles_sold(c, selling, sold, whole=connection_id)
    return Ground(
        selling,
        row,
        items,
        articles,
        sold,
        _unclaimed(sold, items, articles),
        _cautions(c, selling, row, shop, any(not one.state for one in sold), now),
        store.buffers(c, connection_id),
        skus_gone(c, selling.shop),
        shop.listed_at,
        shop.read_at,
        _published_unlinked(c, connection_id),
        store.items_waiting(c, selling.shop, now - ITEM_STALE),
    )


def keep_figures(c: Connection, selling: Selling, connection_id: int, now: datetime) -> int:
    """Compute what each offer of a connection may show, keep what differs from before, and say what a person must know.
    Returns how many figures differ."""
    on = ground(c, selling, connection_id, now)
    before = store.figures(c, connection_id)
    shown = {sku: store.most_shown(row) for sku, row in before.items()}
    changed: list[FigureKept] = []
    seen: set[str] = set()
    for sku, target in targets(c, on, shown):
        seen.add(sku)
        row = before.get(sku)
        kept = None
        if row is not None:
            kept = (
                row.target,
                row.available,
                row.unclaimed,
                row.buffer,
                tuple(row.because),
                row.observed_at,
            )
        observed_at = min(
            (
                on.items[item].observed_at
                for item, _ in on.articles[connection_id].of(sku)
                if item in on.items
            ),
            default=None,
        )
        made = (
            target.quantity,
            target.available,
            target.unclaimed,
            target.buffer,
            target.because,
            observed_at,
        )
        if kept != made:
            changed.append(FigureKept(sku, *made))
    store.keep_targets(c, connection_id, changed, now)
    store.forget_figures(c, connection_id, [sku for sku in before if sku not in seen])
    _say_absurd(c, on, now)
    _say_oversold(c, on, now)
    return len(changed)


def targets(c: Connection, on: Ground, shown: Mapping[str, int | None]) -> Iterator[tuple[str, Target]]:
    """What each offer of the connection may show. `shown` is what its marketplace shows, as far as it is known."""
    rules = on.row.rules
    for offer in known_offers(c, on.row.id):
        if offer.deleted or not usable_sku(offer.sku):
            continue
        buffer = on.buffers.get(offer.sku, rules.stock_buffer)
        if rules.stock_zeroed:
            yield offer.sku, Target(0, None, 0, buffer, (f"Zero for now: {rules.stock_zeroed}",))
            continue
        parts = parts_of(on, offer.sku)
        if parts:
            believed = shown.get(offer.sku, offer.quantity)
            yield offer.sku, to_offer(parts, buffer, on.cautions, believed, on.read_at)


def walk_began_at(c: Connection, mirakl_account: str) -> datetime | None:
    """When the last walk over all changes of this marketplace's orders began that was read whole. Reads by id and walks over
    what waits for acceptance show only some of them."""
    poll = poll_of(c, mirakl_account)
    return None if poll is None else poll.cursor


def told_of(row: Row[Any]) -> Figure:
    """What is to be known of an offer to tell its figure, of a row of its figures."""
    walk_after = None if row.lowered_at is None else row.lowered_at + LISTS_MAY_LAG
    return Figure(row.sku, row.target, row.believed, row.refused, row.refused_at, row.shown, walk_after)


def parts_of(on: Ground, sku: str) -> tuple[Part, ...]:
    """The articles an offer is made of, with their stock; none where nothing stands behind it, or ever has."""
    articles = on.articles[on.row.id]
    linked = articles.linked.get(sku)
    if linked is not None:
        return tuple(_part(on, (item_id,), units) for item_id, units in linked)
    wanted = articles.looked_for(sku)
    lost = [one for one in wanted if one.shop_sku in on.gone_skus]
    if lost:
        return tuple(Part(one.shop_sku, one.units, (), gone=True) for one in lost)
    carriers = [articles.by_sku.get(one.shop_sku, ()) for one in wanted]
    if sku not in on.published_unlinked and not (all(carriers) and max(map(len, carriers)) > 1):
        # The map has not been made yet, or nothing stands behind it: what was never published is somebody else's figure.
        return ()
    # Of an article that is called otherwise now, or was mapped to what is not there, nobody can say what is left.
    return tuple(
        _part(on, there, one.units) if there else Part(one.shop_sku, one.units, (), gone=True)
        for one, there in zip(wanted, carriers, strict=True)
    )


def _published_unlinked(c: Connection, connection_id: int) -> frozenset[str]:
    return frozenset(
        c.execute(
            select(stock_figures.c.sku).where(
                stock_figures.c.connection_id == connection_id,
                stock_figures.c.published.is_not(None),
                ~is_linked(stock_figures.c.connection_id, stock_figures.c.sku),
            )
        ).scalars()
    )


def _is_gone(on: Ground, item_id: str) -> bool:
    """Whether the shop has this item no more: it was linked before the last whole listing, and it is not there."""
    linked_at = on.articles[on.row.id].linked_at.get(item_id)
    return (
        item_id not in on.items
        and linked_at is not None
        and on.listed_at is not None
        and linked_at < on.listed_at
    )


def _part(on: Ground, carriers: tuple[str, ...], units: int) -> Part:
    there = [on.items[item_id] for item_id in carriers if item_id in on.items]
    return Part(
        sku=there[0].sku or carriers[0] if there else carriers[0],
        per_unit=units,
        variants=tuple((Stock("", item.available),) for item in there),
        unclaimed=max(on.unclaimed[item_id] for item_id in carriers),
        tracked=any(item.tracked for item in there) or not there,
        gone=all(_is_gone(on, item_id) for item_id in carriers),
        waits=any(item_id in on.waiting for item_id in carriers),
    )


def _unclaimed(
    sold: Sequence[SoldOrder], items: Mapping[str, KeptItem], articles: Mapping[int, Articles]
) -> Counter[str]:
    """Units of each item that living orders have sold and its kept level does not show as claimed: no claim is confirmed,
    it was confirmed after the level was read, or it does not cover them."""
    found: Counter[str] = Counter()
    for one in sold:
        uncovered = dict(one.unreserved)
        for sku, units in one.units:
            for item_id, per_unit in articles[one.connection_id].of(sku):
                item = items.get(item_id)
                claimed = (
                    one.claimed_at is not None and item is not None and item.observed_at > one.claimed_at
                )
                found[item_id] += (uncovered.get(sku, 0) if claimed else units) * per_unit
    return found


# -- what is not believed ----------------------------------------------------------------------------------


def _cautions(
    c: Connection, selling: Selling, row: ConnectionRow, known: store.ShopStock, unread: bool, now: datetime
) -> tuple[Caution, ...]:
    found: list[Caution] = []
    if unread or any(_orders_are_stale(c, each, now) for each in selling.rows if each.live):
        found.append("orders_stale")
    if known.read_at is None or now - known.read_at > LEVELS_STALE:
        found.append("levels_stale")
    if set(row.rules.stock_locations) & set(known.closed):
        found.append("location_gone")
    return tuple(found)


def _orders_are_stale(c: Connection, row: ConnectionRow, now: datetime) -> bool:
    """Whether this marketplace's orders were not read for too long: units may be sold that are not known."""
    poll = poll_of(c, row.mirakl_account)
    allowed = stale_after(timedelta(seconds=row.poll_seconds))
    return poll is None or poll.last_ok_at is None or now - poll.last_ok_at > allowed


# -- cases -------------------------------------------------------------------------------------------------


def _say_absurd(c: Connection, on: Ground, now: datetime) -> None:
    """A case for each item whose stock nobody can have."""
    absurd = {
        item.sku or item.item_id: item.available
        for item in on.items.values()
        if item.tracked and abs(item.available) > ABSURD
    }
    name = on.row.name
    said = {
        sku: f"The shop shows {available} units of {sku} at the locations of {name}. Nobody has so many, so the figure raises "
        "no offer: what the marketplace shows stays, or falls. Correct the stock in Shopify."
        for sku, available in absurd.items()
    }
    _say(c, on.row.id, Reason.STOCK_ABSURD, said, "The shop shows a stock that can be.", now)


def _say_oversold(c: Connection, on: Ground, now: datetime) -> None:
    """A case for each item of which orders want more than there is, with a proposal which of them lose."""
    found = _divided(c, on.selling, on.items, on.articles, on.sold, now)
    said = {
        sku: sentence(sku, available, divided, on.row.name)
        for sku, (available, divided) in found.items()
        if _concerns(divided, on.row.name)
    }
    opened = _say(c, on.row.id, Reason.OVERSOLD, said, "The orders that are left can be served.", now)
    if opened:
        count(c, "oversold", on.row.name, opened)


def wanted_too_much(
    c: Connection, connection_id: int, sku: str, now: datetime
) -> tuple[int, Proposal] | None:
    """How the orders that want this article would be served now: the units there are at the connection's locations, and
    the proposal; None where there are enough."""
    row = one_connection(c, connection_id)
    selling = selling_from(c, row.shopify_shop)
    sold = tuple(store.sold_orders(c, selling.ids).values())
    articles = articles_sold(c, selling, sold)
    item_ids = {
        item_id
        for one in sold
        for name, _ in one.units
        for item_id, _ in articles[one.connection_id].of(name)
    }
    items = {
        item.item_id: item for item in store.items_at(c, selling.shop, row.rules.stock_locations, item_ids)
    }
    return _divided(c, selling, items, articles, sold, now).get(sku)


def _divided(
    c: Connection,
    selling: Selling,
    items: Mapping[str, KeptItem],
    articles: Mapping[int, Articles],
    sold: Sequence[SoldOrder],
    now: datetime,
) -> dict[str, tuple[int, Proposal]]:
    """By SKU, the units that are there and the proposal, for each item of which orders want more: those that wait for a claim,
    and, where the shop shows less than nothing, those that have one and have not left. What they claimed is off the level
    already, so it is there for them."""
    wanted: dict[str, list[tuple[int, int]]] = {}
    claiming: set[int] = set()
    for one in sold:
        uncovered = dict(one.unreserved)
        for sku, units in one.units:
            for item_id, per_unit in articles[one.connection_id].of(sku):
                if one.claimed_at is None:
                    wanted.setdefault(item_id, []).append((one.order_id, units * per_unit))
                elif _is_short_of(one, items.get(item_id)) and units > uncovered.get(sku, 0):
                    claiming.add(one.order_id)
                    covered = units - uncovered.get(sku, 0)
                    wanted.setdefault(item_id, []).append((one.order_id, covered * per_unit))
    found: dict[str, tuple[int, Proposal]] = {}
    for item_id, each in wanted.items():
        item = items.get(item_id)
        if item is None or not item.tracked or sum(n for _, n in each) <= max(item.available, 0):
            continue
        asked = _asked(c, selling, each, claiming, now)
        there = item.available + sum(order.units for order in asked if order.claimed)
        divided = proposal(asked, there)
        if divided is not None:
            found[item.sku or item_id] = (there, divided)
    return found


def _is_short_of(one: SoldOrder, item: KeptItem | None) -> bool:
    """Whether the shop shows less than nothing of an item after it took off what this order claims, which has not left."""
    return (
        item is not None
        and item.available < 0
        and one.claimed_at is not None
        and item.observed_at > one.claimed_at
        and one.state not in GONE_OUT
    )


def _asked(
    c: Connection,
    selling: Selling,
    wanted: Sequence[tuple[int, int]],
    claiming: Collection[int],
    now: datetime,
) -> tuple[Sold, ...]:
    """The orders that have waited longer than an import takes, with their deadline and value."""
    units = Counter[int]()
    for order_id, n in wanted:
        units[order_id] += n
    names = {row.id: row.name for row in selling.rows}
    shown = orders.c.last_view["mirakl"]
    rows = c.execute(
        select(
            orders.c.id,
            orders.c.connection_id,
            orders.c.mirakl_order_id,
            orders.c.acceptance_due_at,
            shown["shipping_deadline"].astext.label("ship_until"),
            shown["total_price"].astext.label("total"),
            shown["currency"].astext.label("currency"),
        )
        .where(orders.c.id.in_(sorted(units)), orders.c.created_at <= now - IMPORT_TAKES)
        .order_by(orders.c.id)
    )
    found = []
    for row in rows:
        ship_until = None if row.ship_until is None else datetime.fromisoformat(row.ship_until)
        claimed = row.id in claiming
        waits = row.acceptance_due_at is not None and not claimed
        due_at = row.acceptance_due_at if waits else ship_until
        found.append(
            Sold(
                row.id,
                names[row.connection_id],
                row.mirakl_order_id,
                units[row.id],
                due_at,
                Decimal(row.total or 0),
                row.currency or "",
                claimed,
            )
        )
    return tuple(found)


def _concerns(divided: Proposal, marketplace: str) -> bool:
    return any(order.marketplace == marketplace for order in (*divided.served, *divided.losing))


def _say(
    c: Connection, connection_id: int, reason: Reason, said: Mapping[str, str], because: str, now: datetime
) -> int:
    """Open a case for each subject that is said, close those that are not any more; returns how many were opened."""
    for subject in open_subjects(c, connection_id, reason):
        if subject not in said:
            close_connection_cases(c, connection_id, reason, subject, now, because)
    return sum(
        open_connection_case(c, connection_id, reason, subject, sentence, now)
        for subject, sentence in said.items()
    )

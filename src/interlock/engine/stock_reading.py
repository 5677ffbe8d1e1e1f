"""What the shop has and what marketplaces have sold of it, kept up to date: deliveries name items, sweeps find what
deliveries lost, and living orders tell what is sold and not claimed yet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Text, literal_column, or_, select

from interlock.cases.store import close_connection_cases, open_connection_case
from interlock.engine.gateways import ConnectedPlatforms
from interlock.engine.refused_offers import watch_refused
from interlock.engine.run import EngineParts
from interlock.engine.store import ConnectionRow, all_connections, beat, count, keep_poll, lead_duty
from interlock.engine.troubles import note_trouble
from interlock.imports.store import sku_map
from interlock.inventory import store
from interlock.inventory.observed import ChangedAt
from interlock.inventory.refusals import refused_skus
from interlock.inventory.store import SoldOrder
from interlock.offers.matching import Component
from interlock.offers.store import bundles, links
from interlock.orders.ports import ReadFailed
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import BEFORE_ACCEPTANCE, DEAD, GONE_OUT
from interlock.orders.store import orders

LEAD_FOR = timedelta(seconds=120)
SWEEP_EVERY = timedelta(minutes=5)
OVERLAP = timedelta(minutes=10)
LIST_EVERY = timedelta(hours=24)
GONE_ASKED_EVERY = timedelta(hours=24)
"""A location the shop does not have is asked for so often, or once an item is shown there."""
MOST_ITEMS = 1000
"""Items read again in one tick."""
CLAIM_WAITS = timedelta(hours=1)
"""So long an ended order is remembered for a level that was not read since its claim."""
_VERSION = literal_column("orders.xmin::text", Text)


@dataclass(frozen=True, slots=True)
class Selling:
    """The connections that sell from one shop, and the locations whose stock they offer; empty for every one that
    fulfils online orders."""

    shop: str
    rows: tuple[ConnectionRow, ...]

    @property
    def ids(self) -> list[int]:
        return [row.id for row in self.rows]

    @property
    def publishes(self) -> bool:
        return any(row.live and row.rules.publish_stock for row in self.rows)


def selling_from(c: Connection, shop: str) -> Selling:
    """Every connection that sells from this shop."""
    return Selling(shop, tuple(row for row in all_connections(c) if row.shopify_shop == shop))


async def read_shop(parts: EngineParts, platforms: ConnectedPlatforms, shop: str) -> bool:
    """One tick over a shop's stock: fold in what was sold, list or sweep where it is time, and read again what was hinted.
    True when something was done; nothing is where no connection of the shop publishes stock, or another worker leads."""
    now = parts.clock.now()
    name = f"stock {shop}"

    def begin(c: Connection) -> tuple[Selling, store.ShopStock] | None:
        selling = selling_from(c, shop)
        if not selling.publishes:
            return None
        poll = lead_duty(c, name, parts.worker, now, now + LEAD_FOR)
        if poll is None or (poll.next_at is not None and poll.next_at > now):
            return None
        known = store.shop_stock(c, shop)
        fold_sold(c, selling, now)
        return selling, known

    begun = await parts.store.tx(begin)
    if begun is None:
        return False
    selling, known = begun
    try:
        if known.listed_at is None or now - known.listed_at >= LIST_EVERY:
            await _list(parts, platforms, shop)
        elif known.read_at is None or now - known.read_at >= SWEEP_EVERY:
            await _sweep(parts, platforms, selling, known.read_at or now)
        await _read_hinted(parts, platforms, shop)
    except ReadFailed as failed:
        trouble, pause = failed.trouble, timedelta(seconds=failed.retry_after or 30.0)

        def unread(c: Connection) -> None:
            count(c, "stock_unread", shop)
            note_trouble(c, name, trouble, now)
            poll = lead_duty(c, name, parts.worker, now, now + LEAD_FOR)
            if poll is not None:
                keep_poll(c, poll, next_at=now + pause)

        await parts.store.tx(unread)
    return True


# -- what the shop shows -----------------------------------------------------------------------------------


async def _list(parts: EngineParts, platforms: ConnectedPlatforms, shop: str) -> None:
    """Every variant of the shop with its levels, page by page. What it does not show any more is asked for by name before
    it counts as gone: pages of a shop that is being edited may leave something out."""
    began = asked_at = parts.clock.now()
    async for page in platforms.shopify.stock_listed():
        at, items = asked_at, page
        await parts.store.tx(lambda c, at=at, items=items: store.keep_items(c, shop, items, at))  # type: ignore[misc]
        asked_at = parts.clock.now()

    def end(c: Connection) -> None:
        store.stock_hint(c, shop, store.items_unseen(c, shop, began), began)
        store.was_read(c, shop, listed_at=began, read_at=began)
        beat(c, f"stock {shop}", began)

    await parts.store.tx(end)


async def _sweep(
    parts: EngineParts, platforms: ConnectedPlatforms, selling: Selling, read_at: datetime
) -> None:
    """Hint every item that changed at a location since the last sweep, and look whether the locations are still there."""
    began = parts.clock.now()
    shop = selling.shop
    places, gone = await parts.store.tx(lambda c: (_locations(c, selling), store.places_gone(c, shop)))
    found: dict[str, ChangedAt | None] = {}
    asked: list[str] = []
    for place in places:
        found[place] = None
        if place not in gone or began - gone[place] >= GONE_ASKED_EVERY:
            found[place] = await platforms.shopify.stock_changed_at(place, read_at - OVERLAP)
            asked.append(place)
    closed = tuple(place for place, changed in found.items() if changed is None or not changed.active)

    def keep(c: Connection) -> None:
        hinted = [item for changed in found.values() if changed is not None for item in changed.item_ids]
        store.stock_hint(c, shop, hinted, began)
        online = {place: changed.online for place, changed in found.items() if changed is not None}
        store.keep_places(c, shop, online)
        store.keep_places_gone(c, shop, [place for place in asked if found[place] is None], began)
        if store.close_locations(c, shop, closed):
            # Which items lay there, or lie there again, a whole listing tells.
            store.list_again(c, shop)
        store.was_read(c, shop, read_at=began)
        beat(c, f"stock {shop}", began)
        # The settings may be others than before the shop was asked.
        _say_closed(c, selling_from(c, shop), found, began)

    await parts.store.tx(keep)


def _locations(c: Connection, selling: Selling) -> list[str]:
    """The locations at which something may change: those the connections name, and every one the shop has shown, also where
    it stocks nothing at the moment."""
    named = {place for row in selling.rows for place in row.rules.stock_locations}
    return sorted(named | set(store.places(c, selling.shop)))


def _say_closed(
    c: Connection, selling: Selling, found: Mapping[str, ChangedAt | None], now: datetime
) -> None:
    """A case for each location a connection names that is closed or gone; closed again when it is back. `found` is what the
    shop showed of those that are looked after; of a location that was named since nothing is known yet."""
    for row in selling.rows:
        if not row.rules.publish_stock:
            continue
        for place in row.rules.stock_locations:
            if place not in found:
                continue
            changed = found[place]
            if changed is not None and changed.active:
                because = "The location is open again."
                close_connection_cases(c, row.id, Reason.STOCK_LOCATION_GONE, place, now, because)
                continue
            what = "is gone from the shop" if changed is None else f"({changed.name}) is closed"
            open_connection_case(
                c,
                row.id,
                Reason.STOCK_LOCATION_GONE,
                place,
                f"{row.name}: the location {place} whose stock is offered there {what}. Its units are not offered any more; "
                "those of the other locations are. Open it again in Shopify, or take it out of the connection's stock "
                "locations with `interlock stock locations`.",
                now,
            )


async def _read_hinted(parts: EngineParts, platforms: ConnectedPlatforms, shop: str) -> None:
    wanted = await parts.store.tx(lambda c: store.hinted_items(c, shop, MOST_ITEMS))
    if not wanted:
        return
    asked_at = parts.clock.now()
    items = await platforms.shopify.stock_of_items(wanted)

    def keep(c: Connection) -> None:
        store.keep_items(c, shop, items, asked_at)
        shown = {item.item_id for item in items}
        store.items_gone(c, shop, [item_id for item_id in wanted if item_id not in shown])
        store.hints_answered(c, shop, wanted, asked_at)

    await parts.store.tx(keep)


# -- what was sold -----------------------------------------------------------------------------------------


def fold_sold(c: Connection, selling: Selling, now: datetime) -> None:
    """Bring what the stock knows of living marketplace orders up to date.

    An order counts from the moment it is known, in whatever state, until Shopify has confirmed a claim: a linked order that
    lives, or a draft with its reservation. Its custom lines reserve nothing and count until it has left. Whatever changes of an order may have moved the marketplace's own figure of its offers,
    so those are told again.
    """
    known = store.sold_orders(c, selling.ids)
    there = _living(c, selling.ids, list(known))
    kept: list[SoldOrder] = []
    gone: list[int] = []
    touched: dict[int, set[str]] = {}
    publishes = {one.id: one.live and one.rules.publish_stock for one in selling.rows}
    claimed: list[SoldOrder] = []
    ended: list[SoldOrder] = []
    for row in there:
        before = known.pop(row.id, None)
        if before is not None and before.digest == row.version and row.ended_at is None:
            continue
        found = _sold(row, before, now)
        if before is None or _what_counts(before) != _what_counts(found):
            units = (*found.units, *(() if before is None else before.units))
            touched.setdefault(row.connection_id, set()).update(sku for sku, _ in units)
            if before is not None:
                refused = refused_skus(
                    before.units, found.units, row.ordered or (), row.lines or (), row.mirakl_state or ""
                )
                if publishes[row.connection_id]:
                    watch_refused(c, row.connection_id, row.id, refused, now)
        if found.claimed_at == now:
            claimed.append(found)
        if row.ended_at is None:
            kept.append(found)
        else:
            ended.append(found)
    gone.extend(known)
    moved = bool(touched or claimed)
    if claimed or ended:
        items = _items_of(c, selling, (*claimed, *ended))
        store.stock_hint(c, selling.shop, [item for one in claimed for item in items[one.order_id]], now)
        unread = store.unread_since(
            c, selling.shop, {one.order_id: (one.claimed_at, items[one.order_id]) for one in ended}
        )
        for one in ended:
            waits = (
                one.claimed_at is not None and one.order_id in unread and now < one.claimed_at + CLAIM_WAITS
            )
            if waits:
                kept.append(one)
            else:
                gone.append(one.order_id)
                moved = True
    store.keep_sold(c, kept)
    store.forget_sold(c, gone)
    for connection_id, skus in sorted(touched.items()):
        store.touch(c, connection_id, skus, now)
    if moved or gone:
        store.note_change(c, selling.shop)


def _living(c: Connection, connection_ids: Sequence[int], known: Sequence[int]) -> list[Row[Any]]:
    return list(
        c.execute(
            select(
                orders.c.id,
                orders.c.connection_id,
                orders.c.mirakl_state,
                orders.c.shopify_order_id,
                orders.c.draft_id,
                orders.c.ended_at,
                orders.c.memory["ordered"].label("ordered"),
                orders.c.memory["custom_line_skus"].label("custom_line_skus"),
                orders.c.memory["left_alone"].as_boolean().label("left_alone"),
                orders.c.last_view["mirakl"]["lines"].label("lines"),
                orders.c.last_view["drafts"].label("drafts"),
                orders.c.last_view["shopify_unreadable"].label("unreadable"),
                orders.c.last_view["shopify"]["id"].astext.label("shown_id"),
                orders.c.last_view["shopify"]["cancelled_at"].astext.label("cancelled_at"),
                _VERSION.label("version"),
            )
            .where(
                orders.c.connection_id.in_(connection_ids),
                or_(orders.c.ended_at.is_(None), orders.c.id.in_(known)),
            )
            .order_by(orders.c.id)
        )
    )


def _sold(row: Row[Any], before: SoldOrder | None, now: datetime) -> SoldOrder:
    # Of an order that is left alone the units are in an order of the shop's own, which has claimed them.
    wanted = row.mirakl_state not in DEAD and not row.left_alone
    units = units_of(row.ordered or (), row.lines or ()) if wanted else ()
    has_claim = bool(row.shopify_order_id) or _is_reserved(row, before)
    unreserved: tuple[tuple[str, int], ...] = ()
    if row.mirakl_state not in (*DEAD, *GONE_OUT):
        # A Shopify order that was cancelled has given its stock back, while the marketplace still wants the units.
        has_claim = has_claim and not _is_cancelled(row)
        unreserved = tuple(pair for pair in units if pair[0] in (row.custom_line_skus or ()))
    claimed_at = None if before is None else before.claimed_at
    if has_claim and claimed_at is None:
        claimed_at = now
    elif not has_claim:
        claimed_at = None
    # An order nobody has looked at yet has sold something that is not known.
    state = "" if row.lines is None and row.mirakl_state not in DEAD else row.mirakl_state or ""
    return SoldOrder(row.id, row.connection_id, row.version, state, units, claimed_at, unreserved)


def _is_reserved(row: Row[Any], before: SoldOrder | None) -> bool:
    """Whether the draft that stands for it was last seen to hold its stock, or to have become an order. Where Shopify could not
    be read, what was known before still stands."""
    if row.draft_id is None:
        return False
    if row.unreadable:
        return before is not None and before.claimed_at is not None
    return any(
        draft["id"] == row.draft_id and bool(draft["reserved"] or draft["order_id"])
        for draft in row.drafts or ()
    )


def _is_cancelled(row: Row[Any]) -> bool:
    """Whether the Shopify order that stands for it was cancelled, as it was last seen."""
    return (
        row.shopify_order_id is not None and row.shown_id == row.shopify_order_id and bool(row.cancelled_at)
    )


def units_of(ordered: Sequence[Any], lines: Sequence[Any]) -> tuple[tuple[str, int], ...]:
    """Units by SKU that an order still wants, from what is remembered of it and what it last showed: what was ordered less
    what was cancelled or refused."""
    shown = {line["id"]: line for line in lines}
    found: dict[str, int] = {}
    for line in ordered:
        now = shown.get(line["line_id"], {})
        if now.get("state") in DEAD:
            continue
        cancelled = sum(part["quantity"] for part in now.get("cancelations", ()))
        left = max(line["quantity"] - cancelled, 0)
        if left:
            found[line["sku"]] = found.get(line["sku"], 0) + left
    return tuple(sorted(found.items()))


def _what_counts(one: SoldOrder) -> tuple[object, ...]:
    """What of an order moves figures: its units, the phase it is in, and what of it is claimed."""
    return _phase(one.state), one.units, one.unreserved, one.claimed_at is None


def _phase(state: str) -> str:
    """The part of an order's life in which a marketplace moves an offer's quantity by itself."""
    if state in BEFORE_ACCEPTANCE:
        return "before"
    return "dead" if state in DEAD else "after"


def _items_of(c: Connection, selling: Selling, sold: Sequence[SoldOrder]) -> dict[int, tuple[str, ...]]:
    """The inventory items each of these orders takes units of."""
    articles = articles_sold(c, selling, sold)
    return {
        one.order_id: tuple(
            item_id for sku, _ in one.units for item_id, _ in articles[one.connection_id].of(sku)
        )
        for one in sold
    }


@dataclass(frozen=True, slots=True)
class Articles:
    """What one unit of an offer of one connection takes from the shop: by its link, or by the SKUs that are looked for behind
    it where it has none."""

    linked: Mapping[str, tuple[tuple[str, int], ...]]
    bundles: Mapping[str, tuple[Component, ...]]
    mapped: Mapping[str, str]
    by_sku: Mapping[str, tuple[str, ...]]
    linked_at: Mapping[str, datetime]

    @staticmethod
    def read(c: Connection, shop: str, connection_id: int, skus: Collection[str] | None = None) -> "Articles":
        """Of every offer of the connection, or of those with these SKUs."""
        if skus is not None and not skus:
            return Articles({}, {}, {}, {}, {})
        linked: dict[str, tuple[tuple[str, int], ...]] = {}
        linked_at: dict[str, datetime] = {}
        for link in links(c, connection_id, offer_skus=skus):
            linked[link.offer_sku] = (*linked.get(link.offer_sku, ()), (link.item_id, link.units))
            linked_at[link.item_id] = min(linked_at.get(link.item_id, link.linked_at), link.linked_at)
        mapped = sku_map(c, connection_id)
        made_of = bundles(c, connection_id, skus)
        found = Articles(linked, made_of, mapped, {}, linked_at)
        wanted = None if skus is None else [one.shop_sku for sku in skus for one in found.looked_for(sku)]
        return replace(found, by_sku=store.items_by_sku(c, shop, wanted))

    def looked_for(self, sku: str) -> tuple[Component, ...]:
        """What the offer map looks for in the shop behind this offer: the components somebody named, or one SKU."""
        return self.bundles.get(sku) or (Component(self.mapped.get(sku, sku)),)

    def of(self, sku: str) -> tuple[tuple[str, int], ...]:
        """(item, units) for one unit of the offer. Where it has no link: every item that carries what is looked for."""
        found = self.linked.get(sku)
        if found is not None:
            return found
        return tuple(
            (item_id, one.units)
            for one in self.looked_for(sku)
            for item_id in self.by_sku.get(one.shop_sku, ())
        )


def articles_sold(
    c: Connection, selling: Selling, sold: Sequence[SoldOrder], whole: int | None = None
) -> dict[int, Articles]:
    """By connection, what one unit of each offer takes from the shop that these orders have sold there, and of the connection
    `whole` every offer: of a shop with many marketplaces nobody reads all offers of all of them for the figures of one."""
    skus: dict[int, set[str]] = {each: set() for each in selling.ids}
    for one in sold:
        skus[one.connection_id].update(sku for sku, _ in one.units)
    return {
        each: Articles.read(c, selling.shop, each, None if each == whole else skus[each])
        for each in selling.ids
    }

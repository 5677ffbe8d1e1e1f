"""Everything we read from a shop, paged to the end, as snapshots. Reads change nothing and may be repeated."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from interlock.inventory.observed import ChangedAt, ShownItem
from interlock.offers.matching import Variant
from interlock.orders.actions import Lane
from interlock.orders.changes import Change, VariantPrice
from interlock.orders.outcomes import Refused, Unavailable, Unknown
from interlock.orders.snapshots import Draft, Offer, ShopifyOrder, Stranger
from interlock.shopify import translate
from interlock.shopify.classify import CallFailed
from interlock.shopify.client import API_VERSION, ShopifyClient, understood
from interlock.shopify.generated.fragments import FulfillmentOrderFields, RequestState, StockFields
from interlock.shopify.generated.input_types import OrderIdentifierInput, UniqueMetafieldValueInput
from interlock.shopify.generated.order_snapshot import (
    OrderSnapshotOrder,
    OrderSnapshotOrderFulfillments,
    OrderSnapshotOrderRefunds,
)
from interlock.shopify.generated.stock_of_items import StockOfItemsNodesInventoryItem
from interlock.shopify.generated.variant_prices import VariantPricesNodesProductVariant
from interlock.shopify.generated.variants_by_sku import VariantsBySkuProductVariantsNodes
from interlock.shopify.names import (
    INSTANCE_KEY,
    LINEAGE_KEY,
    MARKER_KEY,
    MARKER_NAMESPACE,
    ORDER_ATTRIBUTE,
    ORDER_TAG,
    STATUS_KEY,
    order_tag,
)

# How many fulfillments and refunds are asked for at first. Shopify gives them as plain lists without a cursor, so a
# full list is asked for again with more.
_LISTED = (5, 50, 250)
# An order that changes between two of its pages is read again from the start, so often.
_FRESH_STARTS = 3
_SKUS_PER_SEARCH = 15
_IDS_PER_READ = 250

REQUIRED_SCOPES = (
    "read_orders",
    "write_orders",
    "write_order_edits",
    "read_draft_orders",
    "write_draft_orders",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "read_third_party_fulfillment_orders",
    "write_third_party_fulfillment_orders",
    "read_assigned_fulfillment_orders",
    "read_fulfillments",
    "read_products",
    "read_inventory",
    "read_locations",
)


@dataclass(frozen=True, slots=True)
class VariantPage:
    """Variants of the shop, the shop's currency, and where the next page begins; None after the last."""

    variants: tuple[Variant, ...]
    currency: str
    after: str | None


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """A Shopify order seen in a list or found by our marker. `marker` is our metafield or, in lists, our order
    attribute: what an editing app may have copied."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime | None
    cancelled: bool
    marker: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of a sweep. `after` continues it and is None on the last page."""

    orders: tuple[FoundOrder, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Owner:
    """Which order a fulfillment order belongs to, and our holds on it as (id, handle)."""

    fulfillment_order_id: str
    status: str
    order_id: str
    order_name: str
    our_holds: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Location:
    """A place the shop ships from."""

    id: str
    name: str
    active: bool
    fulfillment_service: bool
    ships_online_orders: bool


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the start-up check found. `missing_scopes` must be empty before anything is written; without them
    fulfillment orders are hidden without a word."""

    shop_domain: str
    name: str
    currency: str
    taxes_included: bool
    timezone: str
    plan: str
    development_store: bool
    version: str
    version_supported: bool
    scopes: tuple[str, ...]
    missing_scopes: tuple[str, ...]
    sees_all_orders: bool
    sees_customers: bool
    locations: tuple[Location, ...]

    @property
    def services(self) -> tuple[str, ...]:
        """Names of the active fulfilment services: once they have a parcel, no hold stops its label."""
        return tuple(place.name for place in self.locations if place.active and place.fulfillment_service)

    @property
    def ready(self) -> bool:
        return not self.missing_scopes and self.version_supported


@dataclass(frozen=True, slots=True)
class InstanceMark:
    """The mark an installation left at the app's own installation in the shop (AppInstallation.metafield). `value` and
    `digest` are empty while there is none; `digest` is the compareDigest for the next write."""

    installation_id: str
    value: str
    digest: str


@dataclass(frozen=True, slots=True)
class OrderState:
    """The few facts that tell whether a refused write had already been made."""

    id: str
    name: str
    cancelled: bool
    paid: bool


async def order(
    client: ShopifyClient,
    order_id: str,
    address_key: bytes,
    observed_at: datetime,
    *,
    lane: Lane = "rest",
    numbers: tuple[str, ...] = (),
    mirakl_order_id: str = "",
) -> ShopifyOrder | None:
    """The order by id, which reads its own writes; None when the shop shows none (deleted, out of sight, or an id
    it does not know). `observed_at` is the moment before the call. `numbers`, and our tag of `mirakl_order_id`, are
    looked for in what it says of its origin. Raises CallFailed."""
    tag = order_tag(mirakl_order_id) if mirakl_order_id else ""
    for _ in range(_FRESH_STARTS):
        read = await _order_once(client, order_id, lane)
        if read is None:
            return None
        if await _page_to_the_end(client, read, lane):
            return translate.order(read, address_key, observed_at, numbers, tag)
    raise CallFailed("OrderSnapshot", Unavailable("the order changed while its pages were read", 1.0))


async def instance_mark(client: ShopifyClient, *, lane: Lane = "rest") -> InstanceMark:
    """Which installation wrote to this shop last, as far as it said so. Raises CallFailed."""
    with understood("InstanceMark"):
        read = (
            await client.instance_mark(namespace=MARKER_NAMESPACE, key=INSTANCE_KEY, lane=lane)
        ).current_app_installation
    if read.mark is None:
        return InstanceMark(read.id, "", "")
    return InstanceMark(read.id, read.mark.value, read.mark.compare_digest)


async def stranger(
    client: ShopifyClient, order_id: str, address_key: bytes, *, lane: Lane = "rest"
) -> Stranger | None:
    """What an order that is none of ours says of where it came from; None when the shop shows none. Raises
    CallFailed."""
    try:
        with understood("Stranger"):
            read = (
                await client.stranger(id=order_id, namespace=MARKER_NAMESPACE, lineage=LINEAGE_KEY, lane=lane)
            ).order
    except CallFailed as failed:
        if _no_such_id(failed):
            return None
        raise
    return None if read is None else translate.stranger(read, address_key, ORDER_TAG)


async def order_state(client: ShopifyClient, order_id: str, *, lane: Lane = "rest") -> OrderState | None:
    """Whether the order is cancelled or paid; None when the shop shows no such order. Raises CallFailed."""
    try:
        with understood("OrderState"):
            read = (await client.order_state(id=order_id, lane=lane)).order
    except CallFailed as failed:
        if _no_such_id(failed):
            return None
        raise
    if read is None:
        return None
    paid = read.fully_paid or read.display_financial_status in ("PAID", "PARTIALLY_REFUNDED", "REFUNDED")
    return OrderState(read.id, read.name, read.cancelled_at is not None, paid)


async def draft(
    client: ShopifyClient,
    draft_id: str,
    address_key: bytes,
    observed_at: datetime,
    *,
    lane: Lane = "rest",
) -> Draft | None:
    """The draft by id; None when there is none (any more). Raises CallFailed."""
    try:
        with understood("DraftSnapshot"):
            read = (await client.draft_snapshot(id=draft_id, lane=lane)).draft_order
    except CallFailed as failed:
        if _no_such_id(failed):
            return None
        raise
    return None if read is None else translate.draft(read, address_key, observed_at)


async def drafts_by_tag(
    client: ShopifyClient,
    mirakl_order_id: str,
    marker: str,
    address_key: bytes,
    observed_at: datetime,
    *,
    lane: Lane = "rest",
) -> tuple[Draft, ...]:
    """Drafts made for this order, oldest first. The search is served by an index that lags, so an empty answer
    proves nothing; every hit's order attribute is compared exactly. Raises CallFailed."""
    found: list[Draft] = []
    after: str | None = None
    while True:
        with understood("DraftsByTag"):
            page = (
                await client.drafts_by_tag(
                    search=f"tag:{_quoted(order_tag(mirakl_order_id))}", after=after, lane=lane
                )
            ).draft_orders
        for node in page.nodes:
            if any(item.key == ORDER_ATTRIBUTE and item.value == marker for item in node.custom_attributes):
                found.append(translate.draft(node, address_key, observed_at))
        after = _next(page.page_info.has_next_page, page.page_info.end_cursor, after)
        if after is None:
            return tuple(sorted(found, key=lambda draft: (draft.created_at, draft.id)))


async def order_by_marker(client: ShopifyClient, marker: str, *, lane: Lane = "rest") -> FoundOrder | None:
    """The one order whose `id` metafield has this value (orderByIdentifier), not through the search index.
    Raises CallFailed."""
    identifier = OrderIdentifierInput(
        customId=UniqueMetafieldValueInput(namespace=MARKER_NAMESPACE, key=MARKER_KEY, value=marker)
    )
    with understood("OrderByMarker"):
        read = (
            await client.order_by_marker(
                identifier=identifier, namespace=MARKER_NAMESPACE, key=MARKER_KEY, lane=lane
            )
        ).order_by_identifier
    if read is None or read.marker is None or read.marker.value != marker:
        return None
    return FoundOrder(
        read.id, read.name, read.created_at, None, read.cancelled_at is not None, read.marker.value
    )


async def offers(
    client: ShopifyClient,
    skus: tuple[str, ...],
    locations: tuple[str, ...] = (),
    *,
    lane: Lane = "rest",
) -> tuple[Offer, ...]:
    """What the shop offers under each SKU, in the given order, each SKU once. The search ignores case, so hits are
    matched exactly; a SKU of several variants has no variant id and their number in `matches`. Stock is
    summed over `locations` (ids), or over every one that fulfils online orders. Raises CallFailed."""
    wanted = tuple(dict.fromkeys(sku for sku in skus if sku))
    carriers: dict[str, list[VariantsBySkuProductVariantsNodes]] = {sku: [] for sku in wanted}
    currency, taxes_included = "", False
    for start in range(0, len(wanted), _SKUS_PER_SEARCH):
        search = " OR ".join(f"sku:{_quoted(sku)}" for sku in wanted[start : start + _SKUS_PER_SEARCH])
        after: str | None = None
        while True:
            with understood("VariantsBySku"):
                answer = await client.variants_by_sku(search=search, after=after, lane=lane)
            page, currency = answer.product_variants, answer.shop.currency_code
            taxes_included = answer.shop.taxes_included
            for node in page.nodes:
                known = carriers.get(node.sku or "")
                if known is not None and all(other.id != node.id for other in known):
                    await _all_levels(client, node.inventory_item, lane)
                    known.append(node)
            after = _next(page.page_info.has_next_page, page.page_info.end_cursor, after)
            if after is None:
                break
    client.counters.ambiguous_skus += sum(1 for found in carriers.values() if len(found) > 1)
    return tuple(translate.offer(sku, carriers[sku], locations, currency, taxes_included) for sku in wanted)


async def all_variants(
    client: ShopifyClient, after: str | None = None, *, lane: Lane = "rest"
) -> VariantPage:
    """One page of up to 250 variants of the shop, whatever their product's status, by id: not a search, so nothing of
    it lags (productVariants without a query). Raises CallFailed."""
    with understood("AllVariants"):
        answer = await client.all_variants(after=after, lane=lane)
    page = answer.product_variants
    return VariantPage(
        tuple(
            Variant(
                id=node.id,
                sku=node.sku or "",
                item_id=node.inventory_item.id,
                barcode=node.barcode or "",
                title=translate.variant_title(node.product.title, node.title),
                price=node.price,
                archived=node.product.status == "ARCHIVED",
                bundle=node.requires_components,
            )
            for node in page.nodes
        ),
        answer.shop.currency_code,
        _next(page.page_info.has_next_page, page.page_info.end_cursor, after),
    )


async def orders_updated_since(
    client: ShopifyClient, since: datetime, after: str | None = None, *, lane: Lane = "rest"
) -> OrderPage:
    """One page of up to 100 orders updated at or after `since`, oldest update first. The index lags: overlap the
    window. Raises CallFailed, also when the shop ignored our filter."""
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with understood("OrdersUpdatedSince"):
        page = (
            await client.orders_updated_since(search=f"updated_at:>='{moment}'", after=after, lane=lane)
        ).orders
    found = tuple(
        FoundOrder(
            id=node.id,
            name=node.name,
            created_at=node.created_at,
            updated_at=node.updated_at,
            cancelled=node.cancelled_at is not None,
            marker=next(
                (item.value or "" for item in node.custom_attributes if item.key == ORDER_ATTRIBUTE), ""
            ),
            tags=tuple(node.tags),
        )
        for node in page.nodes
    )
    return OrderPage(found, _next(page.page_info.has_next_page, page.page_info.end_cursor, after))


async def fulfillment_order_owner(
    client: ShopifyClient, fulfillment_order_id: str, *, lane: Lane = "rest"
) -> Owner | None:
    """The order of a fulfillment order; None when the shop shows none, which also happens when our scopes do not
    cover it (fact 13). Raises CallFailed."""
    try:
        with understood("FulfillmentOrderOwner"):
            read = (
                await client.fulfillment_order_owner(id=fulfillment_order_id, lane=lane)
            ).fulfillment_order
    except CallFailed as failed:
        if _no_such_id(failed):
            return None
        raise
    if read is None:
        return None
    ours = tuple(
        (hold.id, hold.handle or "") for hold in read.fulfillment_holds if hold.held_by_requesting_app
    )
    return Owner(read.id, read.status, read.order_id, read.order_name, ours)


def asked_to_stop(request: RequestState) -> bool:
    """Whether the fulfilment service was asked to cancel, whatever it answered (reference 10.1)."""
    return bool(translate.stop_request(request, request.request_status))


async def changes(client: ShopifyClient, order_id: str, *, lane: Lane = "rest") -> tuple[Change, ...]:
    """Every committed change of the order, oldest first (Order.agreements, reference 6.3): who changed what. Only the
    first 50 sales of one change are listed. Raises CallFailed."""
    found: list[Change] = []
    after: str | None = None
    while True:
        with understood("OrderAgreements"):
            answer = await client.order_agreements(id=order_id, after=after, lane=lane)
        read, ours = answer.order, answer.current_app_installation.app.id
        if read is None:
            return ()
        found.extend(translate.change(node, ours) for node in read.agreements.nodes)
        info = read.agreements.page_info
        after = _next(info.has_next_page, info.end_cursor, after)
        if after is None:
            return tuple(sorted(found, key=lambda change: (change.at, change.id)))


async def variant_prices(
    client: ShopifyClient, variant_ids: Sequence[str], *, lane: Lane = "rest"
) -> tuple[VariantPrice, ...]:
    """What the shop asks for these variants today, each once; variants that are gone are left out. Read by id, so no
    search index is involved (reference 14.2). Raises CallFailed."""
    found: list[VariantPrice] = []
    wanted = tuple(dict.fromkeys(variant_ids))
    for start in range(0, len(wanted), _IDS_PER_READ):
        with understood("VariantPrices"):
            read = await client.variant_prices(ids=list(wanted[start : start + _IDS_PER_READ]), lane=lane)
        shop = read.shop
        for node in read.nodes:
            if isinstance(node, VariantPricesNodesProductVariant):
                found.append(VariantPrice(node.id, node.price, shop.currency_code, shop.taxes_included))
    return tuple(found)


async def stock_listed(client: ShopifyClient, *, lane: Lane = "rest") -> AsyncIterator[tuple[ShownItem, ...]]:
    """The stock of every variant of the shop, up to 250 variants a page, in no order that means anything (reference 14.2).
    Raises CallFailed."""
    after: str | None = None
    while True:
        with understood("StockListed"):
            page = (await client.stock_listed(after=after, lane=lane)).product_variants
        yield tuple(
            [await _stock(client, node.inventory_item, node.id, node.sku or "", lane) for node in page.nodes]
        )
        after = _next(page.page_info.has_next_page, page.page_info.end_cursor, after)
        if after is None:
            return


async def stock_of_items(
    client: ShopifyClient, item_ids: Sequence[str], *, lane: Lane = "rest"
) -> tuple[ShownItem, ...]:
    """The stock of these inventory items; those that are gone are left out. Read by id, so no search index is involved
    (reference 14.2). Raises CallFailed."""
    found: list[ShownItem] = []
    wanted = tuple(dict.fromkeys(item_ids))
    for start in range(0, len(wanted), _IDS_PER_READ):
        with understood("StockOfItems"):
            read = await client.stock_of_items(ids=list(wanted[start : start + _IDS_PER_READ]), lane=lane)
        for node in read.nodes:
            if isinstance(node, StockOfItemsNodesInventoryItem):
                found.append(await _stock(client, node, "", node.sku or "", lane))
    return tuple(found)


async def stock_changed_at(
    client: ShopifyClient, location_id: str, since: datetime, *, lane: Lane = "rest"
) -> ChangedAt | None:
    """Which items changed at a location since then (`updated_at` of its levels, a search: it may lag, so overlap the
    window), among them those that it does not stock any more (Location.inventoryLevels with `includeInactive`); None where
    the shop has no such location any more. Raises CallFailed."""
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    search, after = f"updated_at:>='{moment}'", None
    items: list[str] = []
    while True:
        with understood("StockChangedAt"):
            place = (
                await client.stock_changed_at(location=location_id, search=search, after=after, lane=lane)
            ).location
        if place is None:
            return None
        page = place.inventory_levels
        items += [node.item.id for node in page.nodes]
        after = _next(page.page_info.has_next_page, page.page_info.end_cursor, after)
        if after is None:
            item_ids = tuple(dict.fromkeys(items))
            return ChangedAt(place.name, place.is_active, item_ids, place.fulfills_online_orders)


async def _stock(
    client: ShopifyClient, item: StockFields, variant_id: str, sku: str, lane: Lane
) -> ShownItem:
    await _all_levels(client, item, lane)
    levels = tuple(translate.shown_level(level) for level in item.inventory_levels.nodes)
    return ShownItem(item.id, variant_id, sku, item.tracked, levels)


async def startup(client: ShopifyClient, *, lane: Lane = "rest") -> Readiness:
    """Scopes, version, currency and locations of the shop. Raises CallFailed."""
    with understood("StartupCheck"):
        read = await client.startup_check(lane=lane)

    async def locations(after: str) -> _Page | None:
        with understood("StartupCheck"):
            return (await client.startup_check(after=after, lane=lane)).locations

    await _to_the_end(read.locations, locations)
    scopes = tuple(sorted(scope.handle for scope in read.current_app_installation.access_scopes))
    missing = tuple(scope for scope in REQUIRED_SCOPES if not _granted(scope, scopes))
    return Readiness(
        shop_domain=read.shop.myshopify_domain,
        name=read.shop.name,
        currency=read.shop.currency_code,
        taxes_included=read.shop.taxes_included,
        timezone=read.shop.iana_timezone,
        plan=read.shop.plan.public_display_name,
        development_store=read.shop.plan.partner_development,
        version=API_VERSION,
        version_supported=any(item.handle == API_VERSION for item in read.public_api_versions),
        scopes=scopes,
        missing_scopes=missing,
        sees_all_orders="read_all_orders" in scopes,
        sees_customers=_granted("read_customers", scopes),
        locations=tuple(
            Location(
                place.id,
                place.name,
                place.is_active,
                place.is_fulfillment_service,
                place.fulfills_online_orders,
            )
            for place in read.locations.nodes
        ),
    )


async def _order_once(client: ShopifyClient, order_id: str, lane: Lane) -> OrderSnapshotOrder | None:
    """The order with all its fulfillments and refunds; other lists may have further pages. Where the shop keeps its
    customers or their telephone numbers from us (no read_customers, or no approval) it is read without, now and from
    then on."""
    if client.sees_customers:
        try:
            return await _order_listed(client, order_id, lane)
        except CallFailed as failed:
            if not _customers_withheld(failed):
                raise
            client.sees_customers = False
    return await _order_listed(client, order_id, lane)


async def _order_listed(client: ShopifyClient, order_id: str, lane: Lane) -> OrderSnapshotOrder | None:
    for listed in _LISTED:
        try:
            with understood("OrderSnapshot"):
                read = (
                    await client.order_snapshot(
                        id=order_id,
                        namespace=MARKER_NAMESPACE,
                        key=MARKER_KEY,
                        lineage=LINEAGE_KEY,
                        status=STATUS_KEY,
                        listed=listed,
                        customer=client.sees_customers,
                        lane=lane,
                    )
                ).order
        except CallFailed as failed:
            if _no_such_id(failed):
                return None
            raise
        if read is None or (len(read.fulfillments) < listed and len(read.refunds) < listed):
            return read
    words = f"It has {_LISTED[-1]} fulfillments or refunds or more, which is more than can be read."
    raise CallFailed("OrderSnapshot", Refused("ORDER_TOO_LARGE", words))


async def _page_to_the_end(client: ShopifyClient, read: OrderSnapshotOrder, lane: Lane) -> bool:
    """Fetch what did not fit into the first answer. False when the order changed meanwhile."""

    async def lines(after: str) -> _Page | None:
        with understood("OrderLinesAfter"):
            more = (await client.order_lines_after(id=read.id, after=after, lane=lane)).order
        return more.line_items if more is not None and more.updated_at == read.updated_at else None

    async def fulfillment_orders(after: str) -> _Page | None:
        with understood("OrderFulfillmentOrdersAfter"):
            more = (await client.order_fulfillment_orders_after(id=read.id, after=after, lane=lane)).order
        return more.fulfillment_orders if more is not None and more.updated_at == read.updated_at else None

    if not await _to_the_end(read.line_items, lines):
        return False
    if not await _to_the_end(read.fulfillment_orders, fulfillment_orders):
        return False
    for fulfillment_order in read.fulfillment_orders.nodes:
        if not await _all_to_ship(client, fulfillment_order, lane):
            return False
    for fulfillment in read.fulfillments:
        if not await _all_shipped(client, fulfillment, lane):
            return False
    for refund in read.refunds:
        if not await _all_refunded(client, refund, lane):
            return False
    return True


async def _all_to_ship(client: ShopifyClient, read: FulfillmentOrderFields, lane: Lane) -> bool:
    async def lines(after: str) -> _Page | None:
        with understood("FulfillmentOrderLinesAfter"):
            answer = await client.fulfillment_order_lines_after(id=read.id, after=after, lane=lane)
        return answer.fulfillment_order.line_items if answer.fulfillment_order is not None else None

    return await _to_the_end(read.line_items, lines)


async def _all_shipped(client: ShopifyClient, read: OrderSnapshotOrderFulfillments, lane: Lane) -> bool:
    async def lines(after: str) -> _Page | None:
        with understood("FulfillmentLinesAfter"):
            answer = await client.fulfillment_lines_after(id=read.id, after=after, lane=lane)
        return answer.fulfillment.fulfillment_line_items if answer.fulfillment is not None else None

    return await _to_the_end(read.fulfillment_line_items, lines)


async def _all_refunded(client: ShopifyClient, read: OrderSnapshotOrderRefunds, lane: Lane) -> bool:
    async def lines(after: str) -> _Page | None:
        with understood("RefundLinesAfter"):
            answer = await client.refund_lines_after(id=read.id, after=after, lane=lane)
        return answer.refund.refund_line_items if answer.refund is not None else None

    async def transactions(after: str) -> _Page | None:
        with understood("RefundTransactionsAfter"):
            answer = await client.refund_transactions_after(id=read.id, after=after, lane=lane)
        return answer.refund.transactions if answer.refund is not None else None

    return await _to_the_end(read.refund_line_items, lines) and await _to_the_end(
        read.transactions, transactions
    )


class _Stocked(Protocol):
    """A generated inventory item with the first page of its levels."""

    @property
    def id(self) -> str: ...

    @property
    def inventory_levels(self) -> Any: ...


async def _all_levels(client: ShopifyClient, item: _Stocked, lane: Lane) -> None:
    async def levels(after: str) -> _Page | None:
        with understood("InventoryLevelsAfter"):
            answer = await client.inventory_levels_after(id=item.id, after=after, lane=lane)
        return answer.inventory_item.inventory_levels if answer.inventory_item is not None else None

    if not await _to_the_end(item.inventory_levels, levels):
        raise CallFailed("InventoryLevelsAfter", Unavailable("the item went away while it was read", 1.0))


class _Page(Protocol):
    """A generated connection. Further pages have classes of their own with the same fields."""

    @property
    def nodes(self) -> Any: ...

    @property
    def page_info(self) -> Any: ...


async def _to_the_end(page: _Page, fetch: Callable[[str], Awaitable[_Page | None]]) -> bool:
    """Append every further page to `page`; False when `fetch` found the parent changed or gone."""
    after: str | None = None
    while (after := _next(page.page_info.has_next_page, page.page_info.end_cursor, after)) is not None:
        more = await fetch(after)
        if more is None:
            return False
        page.nodes.extend(more.nodes)
        page.page_info.has_next_page = more.page_info.has_next_page
        page.page_info.end_cursor = more.page_info.end_cursor
    return True


def _next(has_next: bool, cursor: str | None, asked: str | None) -> str | None:
    """The cursor of the next page, None after the last. A shop that says there is more but not where is not read
    any further: CallFailed, because a part must not pass for the whole."""
    if not has_next:
        return None
    if not cursor or cursor == asked:
        raise CallFailed("a further page", Unknown("the shop says there is more, but gives no new cursor"))
    return cursor


def _no_such_id(failed: CallFailed) -> bool:
    return isinstance(failed.outcome, Refused) and failed.outcome.code == "RESOURCE_NOT_FOUND"


def _customers_withheld(failed: CallFailed) -> bool:
    """Whether the one thing we may not see is the order's customer or a telephone number: a missing scope or a missing
    approval (reference 2.2, 2.3). Both are said in words beside the rest of the answer."""
    match failed.outcome:
        case Refused(words=said) | Unknown(why=said):
            told = said.lower()
            personal = "customer" in told or "phone" in told
            return personal and ("access denied" in told or "not approved" in told)
        case _:
            return False


def _granted(scope: str, granted: tuple[str, ...]) -> bool:
    """Writing includes reading."""
    return scope in granted or (scope.startswith("read_") and f"write_{scope[5:]}" in granted)


def _quoted(term: str) -> str:
    """A search term in quotes, in which only quote and backslash mean something else."""
    escaped = term.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"

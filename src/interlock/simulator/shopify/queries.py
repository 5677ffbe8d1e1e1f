"""Reading: a resolver for every field of schema.graphql that is not a plain attribute."""

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from interlock.simulator.shopify import edits, fulfillment, metafields, search
from interlock.simulator.shopify.asking import Asking, Info
from interlock.simulator.shopify.gids import tail
from interlock.simulator.shopify.money import ZERO
from interlock.simulator.shopify.refusals import TopLevelRefusal, invalid_id
from interlock.simulator.shopify.state import (
    Agreement,
    AppData,
    Customer,
    Draft,
    DraftLine,
    EditSession,
    Fulfillment,
    FulfillmentLine,
    FulfillmentOrder,
    FulfillmentOrderLine,
    Hold,
    Job,
    Level,
    LineGroup,
    LineItem,
    Location,
    MerchantRequest,
    Metafield,
    MetafieldDefinition,
    Order,
    Refund,
    Sale,
    ShippingLine,
    StagedLine,
    Subscription,
    TaxLine,
    Transaction,
    Variant,
)
from interlock.simulator.shopify.webhooks import API_VERSION

Resolver = Callable[..., Any]
PAGE_LIMIT = 250

ORDER_FILTERS = {
    "id": "number",
    "name": "text",
    "tag": "tag",
    "source_identifier": "text",
    "po_number": "text",
    "email": "text",
    "sku": "text",
    "status": "status",
    "test": "bool",
    "created_at": "time",
    "updated_at": "time",
    "processed_at": "time",
    "financial_status": "exact",
    "fulfillment_status": "exact",
}
DRAFT_FILTERS = {
    "id": "number",
    "name": "text",
    "tag": "tag",
    "status": "status",
    "po_number": "text",
    "email": "text",
    "created_at": "time",
    "updated_at": "time",
}
VARIANT_FILTERS = {"sku": "text", "id": "number", "title": "text", "barcode": "text"}


@dataclass(slots=True)
class Page:
    """A connection: its nodes, their cursors, and whether there is more."""

    nodes: Sequence[Any]
    cursors: Callable[[Any], str]
    has_next: bool = False
    has_previous: bool = False


def cursor_of(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def page(
    items: Sequence[Any], args: dict[str, Any], key: Callable[[Any], str] = lambda item: str(id(item))
) -> Page:
    """One page of a list. Raises BAD_REQUEST without `first` or `last`, or above 250 (reference 4.3)."""
    first, last = args.get("first"), args.get("last")
    size = first if first is not None else last
    if size is None:
        raise TopLevelRefusal("you must provide one of first or last", "BAD_REQUEST")
    if size > PAGE_LIMIT or size < 0:
        raise TopLevelRefusal(f"first must be between 0 and {PAGE_LIMIT}", "BAD_REQUEST")
    if args.get("reverse"):
        items = list(reversed(items))

    def cursor(item: Any) -> str:
        return cursor_of(key(item))

    start, end = 0, len(items)
    if args.get("after") is not None:
        start = _place(items, args["after"], cursor) + 1
    if args.get("before") is not None:
        end = max(start, _place(items, args["before"], cursor))
    window = items[start:end]
    if first is not None:
        return Page(window[:first], cursor, len(window) > first, start > 0)
    kept = window[-last:] if last else []
    return Page(kept, cursor, end < len(items), len(window) > len(kept))


def _place(items: Sequence[Any], wanted: str, cursor: Callable[[Any], str]) -> int:
    for index, item in enumerate(items):
        if cursor(item) == wanted:
            return index
    raise TopLevelRefusal(f"Invalid cursor: {wanted}", "BAD_REQUEST")


def _by_number(item: Any) -> str:
    return str(item.number)


def by_number(items: Sequence[Any], args: dict[str, Any]) -> Page:
    return page(items, args, _by_number)


def _page_info(value: Page, _info: Info) -> dict[str, Any]:
    return {
        "hasNextPage": value.has_next,
        "hasPreviousPage": value.has_previous,
        "startCursor": value.cursors(value.nodes[0]) if value.nodes else None,
        "endCursor": value.cursors(value.nodes[-1]) if value.nodes else None,
    }


def _edges(value: Page, _info: Info) -> list[dict[str, Any]]:
    return [{"node": node, "cursor": value.cursors(node)} for node in value.nodes]


CONNECTION: dict[str, Resolver] = {
    "nodes": lambda value, _info: value.nodes,
    "edges": _edges,
    "pageInfo": _page_info,
}


# Searching


def _indexed(documents: list[tuple[datetime, dict[str, Any]]], now: datetime) -> dict[str, Any] | None:
    for visible, document in reversed(documents):
        if visible <= now:
            found: dict[str, Any] = document
            return found
    return None


_SORT = {
    "CREATED_AT": "created_at",
    "UPDATED_AT": "updated_at",
    "PROCESSED_AT": "processed_at",
    "NAME": "name",
}


def _searched(
    ask: Asking,
    info: Info,
    owners: Iterable[Any],
    args: dict[str, Any],
    filters: dict[str, str],
    sort: str,
) -> Page:
    query = _parsed(ask, info, args, filters)
    now = ask.world.clock.now()
    found: list[tuple[Any, int, Any]] = []
    for owner in owners:
        document = _indexed(owner.indexed, now)
        if document is not None and query.matches(document):
            found.append((document.get(sort, owner.number), owner.number, owner))
    found.sort(key=lambda item: (item[0], item[1]))
    return _keyset(found, args)


def _keyset(found: list[tuple[Any, int, Any]], args: dict[str, Any]) -> Page:
    """Pages continue after the last seen (sort value, id), wherever that row has moved meanwhile."""
    if args.get("reverse"):
        found.reverse()
    keys = {owner.number: f"{_text(value)}|{number:020d}" for value, number, owner in found}
    first, last = args.get("first"), args.get("last")
    if first is None and last is None:
        raise TopLevelRefusal("you must provide one of first or last", "BAD_REQUEST")
    if (first or last or 0) > PAGE_LIMIT:
        raise TopLevelRefusal(f"first must be between 0 and {PAGE_LIMIT}", "BAD_REQUEST")
    rows = [owner for _, _, owner in found]
    whole = len(rows)
    if args.get("after") is not None:
        after = base64.urlsafe_b64decode(args["after"]).decode()
        if args.get("reverse"):
            rows = [owner for owner in rows if keys[owner.number] < after]
        else:
            rows = [owner for owner in rows if keys[owner.number] > after]

    def cursor(owner: Any) -> str:
        return cursor_of(keys[owner.number])

    if first is None:
        kept = rows[-last:] if last else []
        return Page(kept, cursor, False, len(rows) > len(kept))
    return Page(rows[:first], cursor, len(rows) > first, len(rows) < whole)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return f"{value:020d}" if isinstance(value, int) else str(value)


def _parsed(ask: Asking, info: Info, args: dict[str, Any], filters: dict[str, str]) -> search.Query:
    query = search.parse(args.get("query"), filters)
    if query.warnings:
        ask.search.append(
            {
                "path": [str(part) for part in info.path.as_list()],
                "query": query.text,
                "parsed": {"field": None},
                "warnings": [
                    {"field": item.field, "message": item.message, "code": item.code}
                    for item in query.warnings
                ],
            }
        )
    return query


# Roots


def _by_id(ask: Asking, gid: str, kind: str, shelf: dict[int, Any]) -> Any:
    """A well-formed id of something that is not there is null; another kind of id is an error (reference 4.4)."""
    number = tail(gid, kind)
    if number < 0:
        raise invalid_id(gid)
    return shelf.get(number)


def _order(_root: object, info: Info, id: str) -> Order | None:
    ask: Asking = info.context
    ask.need("order", "read_orders", "write_orders")
    order = _by_id(ask, id, "Order", ask.shop.orders)
    return None if order is None or not visible(ask, order) else ask.saw(order)


def visible(ask: Asking, order: Order) -> bool:
    """Only the last 60 days without read_all_orders (reference 1.20)."""
    return ask.may("read_all_orders") or (ask.world.clock.now() - order.created_at).days < 60


def _orders(_root: object, info: Info, **args: Any) -> Page:
    ask: Asking = info.context
    ask.need("orders", "read_orders", "write_orders")
    sort = _SORT.get(args.get("sortKey") or "PROCESSED_AT", "id")
    owners = [order for order in ask.shop.orders.values() if visible(ask, order)]
    return _searched(ask, info, owners, args, ORDER_FILTERS, sort)


def _orders_count(_root: object, info: Info, **args: Any) -> dict[str, Any]:
    ask: Asking = info.context
    ask.need("ordersCount", "read_orders", "write_orders")
    query = _parsed(ask, info, args, ORDER_FILTERS)
    now = ask.world.clock.now()
    count = 0
    for order in ask.shop.orders.values():
        document = _indexed(order.indexed, now)
        count += document is not None and visible(ask, order) and query.matches(document)
    limit = args.get("limit")
    if limit is not None and count > limit:
        return {"count": limit, "precision": "AT_LEAST"}
    return {"count": count, "precision": "EXACT"}


def _order_by_identifier(_root: object, info: Info, identifier: dict[str, Any]) -> Order | None:
    ask: Asking = info.context
    ask.need("orderByIdentifier", "read_orders", "write_orders")
    if identifier.get("id"):
        return _by_id_visible(ask, identifier["id"])
    custom = identifier["customId"]
    namespace = metafields.namespace_of(custom.get("namespace"), ask.app)
    if ("ORDER", namespace, custom["key"]) not in ask.shop.definitions:
        raise TopLevelRefusal(
            f"Metafield definition of type 'id' is required when using custom ids for '{namespace}.{custom['key']}'.",
            "NOT_FOUND",
        )
    place = (namespace, custom["key"], custom["value"])
    order = ask.shop.unique_values.get(place)
    if order is None or not visible(ask, order):
        return None
    if ask.world.switches["custom_id_lookup"] == "lags":
        document = _indexed(order.indexed, ask.world.clock.now())
        known = document is not None and custom["value"] in document["metafields"].values()
        if not known:
            return None
    return ask.saw(order)


def _by_id_visible(ask: Asking, gid: str) -> Order | None:
    order = _by_id(ask, gid, "Order", ask.shop.orders)
    return None if order is None or not visible(ask, order) else ask.saw(order)


def _draft_order(_root: object, info: Info, id: str) -> Draft | None:
    ask: Asking = info.context
    ask.need("draftOrder", "read_draft_orders", "write_draft_orders")
    draft: Draft | None = _by_id(ask, id, "DraftOrder", ask.shop.drafts)
    return draft


def _draft_orders(_root: object, info: Info, **args: Any) -> Page:
    ask: Asking = info.context
    ask.need("draftOrders", "read_draft_orders", "write_draft_orders")
    sort = "updated_at" if args.get("sortKey") == "UPDATED_AT" else "id"
    return _searched(ask, info, ask.shop.drafts.values(), args, DRAFT_FILTERS, sort)


def _fulfillment_order(_root: object, info: Info, id: str) -> FulfillmentOrder | None:
    ask: Asking = info.context
    order: FulfillmentOrder | None = _by_id(ask, id, "FulfillmentOrder", ask.shop.fulfillment_orders)
    if order is None or not ask.sees(order.location.fulfillment_service):
        return None
    ask.saw(order.order)
    return order


def _fulfillment_orders(_root: object, info: Info, **args: Any) -> Page:
    ask: Asking = info.context
    query = _parsed(ask, info, args, {"id": "number", "status": "exact", "updated_at": "time"})
    found = [
        order
        for order in ask.shop.fulfillment_orders.values()
        if ask.sees(order.location.fulfillment_service)
        and (args.get("includeClosed") or order.open)
        and query.matches({"id": order.number, "status": order.status, "updated_at": order.updated_at})
    ]
    return by_number(found, args)


def _fulfillment(_root: object, info: Info, id: str) -> Fulfillment | None:
    ask: Asking = info.context
    found: Fulfillment | None = _by_id(ask, id, "Fulfillment", ask.shop.fulfillments)
    return found


def _refund(_root: object, info: Info, id: str) -> Refund | None:
    ask: Asking = info.context
    ask.need("refund", "read_orders", "write_orders")
    found: Refund | None = _by_id(ask, id, "Refund", ask.shop.refunds)
    return found


def _product_variants(_root: object, info: Info, **args: Any) -> Page:
    ask: Asking = info.context
    ask.need("productVariants", "read_products", "write_products")
    query = _parsed(ask, info, args, VARIANT_FILTERS)
    found = [
        variant
        for variant in ask.shop.variants.values()
        if not variant.deleted
        and query.matches(
            {"sku": variant.sku, "id": variant.number, "title": variant.title, "barcode": variant.barcode}
        )
    ]
    return by_number(found, args)


def _inventory_items(_root: object, info: Info, **args: Any) -> Page:
    ask: Asking = info.context
    ask.need("inventoryItems", "read_inventory", "write_inventory", "read_products")
    query = _parsed(ask, info, args, {"sku": "text", "id": "number"})
    found = [
        Item(variant)
        for variant in ask.shop.items.values()
        if query.matches({"sku": variant.sku, "id": variant.item_number})
    ]
    return page(found, args, lambda item: str(item.variant.item_number))


def _locations(_root: object, info: Info, **args: Any) -> Page:
    ask: Asking = info.context
    ask.need("locations", "read_locations", "read_inventory")
    found = [
        location
        for location in ask.shop.locations.values()
        if (location.active or args.get("includeInactive"))
        and (not location.fulfillment_service or args.get("includeLegacy"))
    ]
    found.sort(key=lambda location: (location.name, location.number))
    return by_number(found, args)


def _metafield_definitions(_root: object, info: Info, **args: Any) -> Page:
    ask: Asking = info.context
    namespace = args.get("namespace")
    wanted = None if namespace is None else metafields.namespace_of(namespace, ask.app)
    found = [
        item
        for item in ask.shop.definitions.values()
        if item.owner_type == args["ownerType"]
        and (wanted is None or item.namespace == wanted)
        and (args.get("key") is None or item.key == args["key"])
    ]
    return by_number(found, args)


def _subscriptions(_root: object, info: Info, **args: Any) -> Page:
    """Only API-created subscriptions of this app in this shop (reference 9.2)."""
    ask: Asking = info.context
    found = [
        item
        for item in ask.shop.subscriptions.values()
        if item.app is ask.app
        and (not args.get("topics") or item.topic in args["topics"])
        and (args.get("uri") is None or item.uri == args["uri"])
        and (args.get("format") is None or item.format == args["format"])
    ]
    return by_number(found, args)


def _node(_root: object, info: Info, id: str) -> Any:
    return _any_node(info.context, id)


def _nodes(_root: object, info: Info, ids: list[str]) -> list[Any]:
    if len(ids) > PAGE_LIMIT:
        raise TopLevelRefusal(
            f"The input array size of {len(ids)} is greater than the maximum allowed of 250.",
            "MAX_INPUT_SIZE_EXCEEDED",
        )
    return [_any_node(info.context, gid) for gid in ids]


def _any_node(ask: Asking, gid: str) -> Any:
    shop = ask.shop
    kind = gid.removeprefix("gid://shopify/").partition("/")[0]
    shelves: dict[str, dict[int, Any]] = {
        "Order": shop.orders,
        "DraftOrder": shop.drafts,
        "ProductVariant": shop.variants,
        "FulfillmentOrder": shop.fulfillment_orders,
        "Fulfillment": shop.fulfillments,
        "Refund": shop.refunds,
        "Location": shop.locations,
        "WebhookSubscription": shop.subscriptions,
    }
    if kind == "InventoryItem":
        variant = shop.items.get(tail(gid, kind))
        return None if variant is None else Item(variant)
    if kind not in shelves:
        raise invalid_id(gid)
    found = _by_id(ask, gid, kind, shelves[kind])
    if isinstance(found, FulfillmentOrder) and not ask.sees(found.location.fulfillment_service):
        return None
    if isinstance(found, Order) and not visible(ask, found):
        return None
    return found


@dataclass(slots=True)
class Item:
    """The inventory item of a variant."""

    variant: Variant


def _item(_root: object, info: Info, id: str) -> Item | None:
    ask: Asking = info.context
    variant = _by_id(ask, id, "InventoryItem", ask.shop.items)
    return None if variant is None else Item(variant)


def _versions(_root: object, _info: Info) -> list[dict[str, Any]]:
    rows = (("2026-01", True), ("2026-04", True), ("2026-07", True), (API_VERSION, True), ("unstable", False))
    return [{"handle": handle, "displayName": handle, "supported": good} for handle, good in rows]


def _installation(_root: object, info: Info) -> dict[str, Any]:
    ask: Asking = info.context
    return {
        "id": f"gid://shopify/AppInstallation/{ask.app.number}",
        "accessScopes": [
            {"handle": scope, "description": scope.replace("_", " ")} for scope in ask.app.scopes
        ],
        "app": ask.app,
        "data": ask.shop.app_data.get(ask.app.number),
    }


def _location(_root: object, info: Info, id: str | None = None) -> Location | None:
    ask: Asking = info.context
    if id is None:
        return next(iter(ask.shop.locations.values()))
    found: Location | None = _by_id(ask, id, "Location", ask.shop.locations)
    return found


def _variant(_root: object, info: Info, id: str) -> Variant | None:
    ask: Asking = info.context
    found: Variant | None = _by_id(ask, id, "ProductVariant", ask.shop.variants)
    return found


def _job(_root: object, info: Info, id: str) -> Job | None:
    ask: Asking = info.context
    found: Job | None = _by_id(ask, id, "Job", ask.shop.jobs)
    return found


ROOT: dict[str, Resolver] = {
    "currentAppInstallation": _installation,
    "shop": lambda _root, info: info.context.shop,
    "publicApiVersions": _versions,
    "locations": _locations,
    "location": _location,
    "order": _order,
    "orders": _orders,
    "ordersCount": _orders_count,
    "orderByIdentifier": _order_by_identifier,
    "draftOrder": _draft_order,
    "draftOrders": _draft_orders,
    "fulfillmentOrder": _fulfillment_order,
    "fulfillmentOrders": _fulfillment_orders,
    "fulfillment": _fulfillment,
    "refund": _refund,
    "productVariant": _variant,
    "productVariants": _product_variants,
    "inventoryItem": _item,
    "inventoryItems": _inventory_items,
    "job": _job,
    "node": _node,
    "nodes": _nodes,
    "metafieldDefinitions": _metafield_definitions,
    "webhookSubscriptions": _subscriptions,
}


# Small builders


def attr(name: str) -> Resolver:
    read = attrgetter(name)
    return lambda value, _info: read(value)


def const(value: Any) -> Resolver:
    return lambda _value, _info: value


def _pairs(name: str) -> Resolver:
    read = attrgetter(name)
    return lambda value, _info: [{"key": key, "value": text} for key, text in read(value)]


def _bag(amount: Callable[[Any], Any]) -> Resolver:
    """A MoneyBag from a figure of an order or a draft."""
    return lambda value, _info: value.bag(amount(value))


def _line_bag(amount: Callable[[Any], Any], owner: str = "order") -> Resolver:
    read = attrgetter(owner)
    return lambda value, _info: read(value).bag(amount(value))


def _listed(name: str) -> Resolver:
    read = attrgetter(name)
    return lambda value, _info, **args: by_number(read(value), args)


def _first_of(name: str) -> Resolver:
    read = attrgetter(name)

    def resolve(value: Any, _info: Info, first: int | None = None, **_rest: Any) -> Any:
        items = read(value)
        return items if first is None else items[:first]

    return resolve


def _app_metafield(value: dict[str, Any], info: Info, key: str, namespace: str | None = None) -> Any:
    data: AppData | None = value["data"]
    return (
        None
        if data is None
        else data.metafields.get((metafields.namespace_of(namespace, info.context.app), key))
    )


def _metafield(value: Order | Draft, info: Info, key: str, namespace: str | None = None) -> Any:
    return value.metafields.get((metafields.namespace_of(namespace, info.context.app), key))


def _empty_page(_value: Any, _info: Info, **args: Any) -> Page:
    return by_number([], args)


def _order_fulfillment_orders(value: Order, info: Info, **args: Any) -> Page:
    ask: Asking = info.context
    found = [order for order in value.fulfillment_orders if ask.sees(order.location.fulfillment_service)]
    return by_number(found, args)


def _merchant_editable(value: Order, info: Info) -> bool:
    return not _merchant_editable_errors(value, info)


def _merchant_editable_errors(value: Order, info: Info) -> list[str]:
    """What others read on an orderCreate order is a switch (reference 5.4)."""
    ask: Asking = info.context
    if not edits.editable_state(value, ask.world.switches):
        return ["The order cannot be edited because it was canceled, refunded or archived."]
    foreign = not edits.may_edit(value, ask.actor, ask.world.switches)
    if foreign and ask.world.switches["merchant_editable_to_others"] == "false":
        return ["The order was created by another app."]
    return []


def _events(value: Order, _info: Info, **args: Any) -> Page:
    return by_number(value.events, args)


def _order_customer(value: Order, info: Info) -> Customer | None:
    """The customer an order's address made or linked; needs a scope of its own (reference 2.2)."""
    ask: Asking = info.context
    ask.need("customer", "read_customers")
    return ask.shop.customer_of(value.email) if value.email else None


ORDER: dict[str, Resolver] = {
    "id": attr("gid"),
    "legacyResourceId": attr("number"),
    "name": attr("name"),
    "number": attr("sequence"),
    "test": attr("test"),
    "createdAt": attr("created_at"),
    "updatedAt": attr("updated_at"),
    "processedAt": attr("processed_at"),
    "sourceIdentifier": attr("source_identifier"),
    "sourceName": attr("source_name"),
    "registeredSourceUrl": attr("source_url"),
    "poNumber": attr("po_number"),
    "note": attr("note"),
    "tags": lambda value, _info: sorted(value.tags, key=str.casefold),
    "customAttributes": _pairs("attributes"),
    "app": attr("app"),
    "metafield": _metafield,
    "currencyCode": attr("currency"),
    "presentmentCurrencyCode": attr("presentment_currency"),
    "taxesIncluded": attr("taxes_included"),
    "taxExempt": attr("tax_exempt"),
    "edited": attr("edited"),
    "merchantEditable": _merchant_editable,
    "merchantEditableErrors": _merchant_editable_errors,
    "confirmed": const(True),
    "confirmationNumber": lambda value, _info: f"C{value.sequence}",
    "closed": lambda value, _info: value.closed_at is not None,
    "closedAt": attr("closed_at"),
    "cancelledAt": attr("cancelled_at"),
    "cancelReason": attr("cancel_reason"),
    "cancellation": lambda value, _info: (
        None if value.cancelled_at is None else {"staffNote": value.cancel_note}
    ),
    "displayFinancialStatus": attr("financial_status"),
    "displayFulfillmentStatus": attr("fulfillment_status"),
    "returnStatus": const("NO_RETURN"),
    "fullyPaid": lambda value, _info: value.financial_status == "PAID",
    "unpaid": lambda value, _info: value.financial_status == "PENDING",
    "canMarkAsPaid": lambda value, _info: value.outstanding > 0 and value.cancelled_at is None,
    "requiresShipping": lambda value, _info: any(line.requires_shipping for line in value.lines),
    "originalTotalPriceSet": _bag(lambda order: order.original_total),
    "totalPriceSet": _bag(lambda order: order.total(current=False)),
    "subtotalPriceSet": _bag(lambda order: order.subtotal(current=False)),
    "totalTaxSet": _bag(lambda order: order.tax_total(current=False)),
    "totalShippingPriceSet": _bag(lambda order: order.shipping_ordered()),
    "currentTotalPriceSet": _bag(lambda order: order.total(current=True)),
    "currentSubtotalPriceSet": _bag(lambda order: order.subtotal(current=True)),
    "currentShippingPriceSet": _bag(lambda order: order.shipping_total()),
    "currentTotalTaxSet": _bag(lambda order: order.tax_total(current=True)),
    "currentTotalDiscountsSet": _bag(
        lambda order: sum((line.discount_per_unit * line.current_quantity for line in order.lines), ZERO)
    ),
    "totalOutstandingSet": _bag(lambda order: order.outstanding),
    "totalReceivedSet": _bag(lambda order: order.received),
    "totalRefundedSet": _bag(lambda order: order.refunded),
    "netPaymentSet": _bag(lambda order: order.net_payment),
    "taxLines": lambda value, _info: [
        Taxed(tax, value)
        for tax in [*value.order_taxes, *(tax for line in value.lines for tax in line.taxes)]
    ],
    "currentTaxLines": lambda value, _info: [
        Taxed(tax, value) for line in value.lines if line.current_quantity for tax in line.taxes
    ],
    "email": attr("email"),
    "phone": attr("phone"),
    "customer": _order_customer,
    "shippingAddress": attr("shipping_address"),
    "billingAddress": attr("billing_address"),
    "paymentGatewayNames": lambda value, _info: list(
        dict.fromkeys(item.gateway for item in value.transactions)
    ),
    "lineItems": _listed("lines"),
    "fulfillmentOrders": _order_fulfillment_orders,
    "fulfillments": _first_of("fulfillments"),
    "refunds": _first_of("refunds"),
    "returns": _empty_page,
    "transactions": lambda value, _info, first=None: [
        Paid(item, value) for item in (value.transactions if first is None else value.transactions[:first])
    ],
    "agreements": _listed("agreements"),
    "events": _events,
}


@dataclass(slots=True)
class Taxed:
    """A tax line with the order or draft that knows its currency."""

    tax: TaxLine
    owner: Order | Draft


@dataclass(slots=True)
class Paid:
    """A transaction with its order."""

    transaction: Transaction
    order: Order


LINE_ITEM: dict[str, Resolver] = {
    "id": attr("gid"),
    "sku": attr("sku"),
    "name": attr("name"),
    "title": attr("title"),
    "variantTitle": attr("variant_title"),
    "vendor": attr("vendor"),
    "quantity": attr("quantity"),
    "currentQuantity": attr("current_quantity"),
    "unfulfilledQuantity": attr("unfulfilled_quantity"),
    "refundableQuantity": attr("current_quantity"),
    "nonFulfillableQuantity": attr("removed"),
    "requiresShipping": attr("requires_shipping"),
    "taxable": attr("taxable"),
    "isGiftCard": attr("gift_card"),
    "merchantEditable": lambda value, info: (
        value.unfulfilled_quantity > 0 and not _merchant_editable_errors(value.order, info)
    ),
    "restockable": lambda value, _info: value.variant is not None and value.variant.tracked,
    "customAttributes": _pairs("attributes"),
    "variant": lambda value, _info: None if value.variant is None or value.variant.deleted else value.variant,
    "product": lambda value, _info: None if value.variant is None or value.variant.deleted else value.variant,
    "lineItemGroup": attr("group"),
    "originalUnitPriceSet": _line_bag(lambda line: line.unit_price),
    "discountedUnitPriceSet": _line_bag(lambda line: line.net_unit_price),
    "discountedUnitPriceAfterAllDiscountsSet": _line_bag(lambda line: line.net_unit_price),
    "originalTotalSet": _line_bag(lambda line: line.unit_price * line.quantity),
    "discountedTotalSet": lambda value, _info, **_args: value.order.bag(
        value.net_unit_price * value.quantity
    ),
    "totalDiscountSet": _line_bag(lambda line: line.discount_per_unit * line.quantity),
    "taxLines": lambda value, _info, first=None: [
        Taxed(tax, value.order) for tax in (value.taxes if first is None else value.taxes[:first])
    ],
}


def _actions(value: FulfillmentOrder, info: Info) -> list[dict[str, Any]]:
    ask: Asking = info.context
    return [
        {"action": action, "externalUrl": None}
        for action in fulfillment.supported_actions(value, ask.app, ask.world.switches)
    ]


def _merchant_requests(value: FulfillmentOrder, _info: Info, **args: Any) -> Page:
    kind = args.get("kind")
    return by_number([item for item in value.requests if kind in (None, item.kind)], args)


def _held_by_app(value: Hold, info: Info) -> Any:
    ask: Asking = info.context
    ask.need("heldByApp", "read_apps")
    return value.app


def _sales(value: Agreement, _info: Info, **args: Any) -> Page:
    return page([Sold(item, value.order) for item in value.sales], args, lambda item: str(item.sale.number))


@dataclass(slots=True)
class Sold:
    """A sale with its order."""

    sale: Sale
    order: Order


def _sale_type(value: Sold, _info: Info, _type: Any) -> str:
    return {"PRODUCT": "ProductSale", "SHIPPING": "ShippingLineSale"}.get(
        value.sale.line_type, "AdjustmentSale"
    )


_SALE: dict[str, Resolver] = {
    "id": lambda value, _info: f"gid://shopify/Sale/{value.sale.number}",
    "actionType": attr("sale.action"),
    "lineType": attr("sale.line_type"),
    "quantity": attr("sale.quantity"),
    "totalAmount": _line_bag(lambda value: value.sale.amount),
    "totalTaxAmount": _line_bag(lambda value: value.sale.tax),
    "totalDiscountAmountBeforeTaxes": _line_bag(lambda _value: ZERO),
    "totalDiscountAmountAfterTaxes": _line_bag(lambda _value: ZERO),
    "lineItem": attr("sale.line"),
    "shippingLine": lambda value, _info: (
        None if value.sale.shipping is None else Shipped(value.sale.shipping, value.order)
    ),
}
_AGREEMENT: dict[str, Resolver] = {
    "id": attr("gid"),
    "happenedAt": attr("at"),
    "reason": attr("kind"),
    "app": attr("actor.app"),
    "user": attr("actor.staff"),
    "order": attr("order"),
    "refund": attr("refund"),
    "return": const(None),
    "sales": _sales,
}


@dataclass(slots=True)
class Shipped:
    """A shipping line with its order or draft."""

    line: ShippingLine
    owner: Order | Draft


_TRANSACTION: dict[str, Resolver] = {
    "id": attr("transaction.gid"),
    "kind": attr("transaction.kind"),
    "status": attr("transaction.status"),
    "gateway": attr("transaction.gateway"),
    "amountSet": _line_bag(lambda value: value.transaction.amount),
    "processedAt": attr("transaction.at"),
    "createdAt": attr("transaction.at"),
    "test": attr("transaction.test"),
    "parentTransaction": lambda value, _info: (
        None if value.transaction.parent is None else Paid(value.transaction.parent, value.order)
    ),
    "manualPaymentGateway": const(True),
}


def _refund_lines(value: Refund, _info: Info, **args: Any) -> Page:
    return by_number(value.lines, args)


def _refund_shipping(value: Refund, _info: Info, **args: Any) -> Page:
    rows: list[Any] = []
    if value.shipping and value.order.shipping_lines:
        rows.append(RefundedShipping(value))
    return page(rows, args)


@dataclass(slots=True)
class RefundedShipping:
    refund: Refund


def _adjustments(value: Refund, _info: Info, **args: Any) -> Page:
    return page([RefundAdjustment(value)] if value.adjustment else [], args)


@dataclass(slots=True)
class RefundAdjustment:
    refund: Refund


def _refund_transactions(value: Refund, _info: Info, **args: Any) -> Page:
    rows = [Paid(item, value.order) for item in value.transactions]
    return page(rows, args, lambda item: str(item.transaction.number))


def _quantities(value: Level, _info: Info, names: list[str]) -> list[dict[str, Any]]:
    known = {
        "available": value.available,
        "committed": value.committed,
        "reserved": value.reserved,
        "on_hand": value.on_hand,
    }
    rows = []
    for name in names:
        if name not in known and name not in ("incoming", "damaged", "safety_stock", "quality_control"):
            raise TopLevelRefusal(f"The name '{name}' is not a valid inventory quantity name.", "INVALID")
        rows.append(
            {
                "id": f"gid://shopify/InventoryQuantity/{value.location.number}?name={name}",
                "name": name,
                "quantity": known.get(name, 0),
                "updatedAt": value.updated_at,
            }
        )
    return rows


def _item_level(value: Item, _info: Info, locationId: str, includeInactive: bool = False) -> Level | None:
    level = value.variant.levels.get(tail(locationId, "Location"))
    return level if level is not None and (level.stocked or includeInactive) else None


def _item_levels(value: Item, _info: Info, includeInactive: bool = False, **args: Any) -> Page:
    found = [level for level in value.variant.levels.values() if level.stocked or includeInactive]
    return page(found, args, lambda level: str(level.location.number))


def _location_levels(value: Location, info: Info, includeInactive: bool = False, **args: Any) -> Page:
    """Levels at a location, in the order of their items; `updated_at` is a filter of its search (reference 14.2)."""
    ask: Asking = info.context
    ask.need("inventoryLevels", "read_inventory", "write_inventory")
    query = _parsed(ask, info, args, {"updated_at": "time", "inventory_item_id": "number"})
    there = [
        variant.levels[value.number] for variant in ask.shop.items.values() if value.number in variant.levels
    ]
    found = [
        level
        for level in there
        if (level.stocked or includeInactive)
        and query.matches({"updated_at": level.updated_at, "inventory_item_id": level.variant.item_number})
    ]
    return page(found, args, lambda level: str(level.variant.item_number))


def _staged(value: EditSession, _info: Info, **args: Any) -> Page:
    rows = [StagedIn(item, value) for item in value.lines if item.line is not None]
    return page(rows, args, lambda item: item.staged.id)


def _added(value: EditSession, _info: Info, **args: Any) -> Page:
    rows = [StagedIn(item, value) for item in value.lines if item.line is None]
    return page(rows, args, lambda item: item.staged.id)


@dataclass(slots=True)
class StagedIn:
    """A staged line with its session."""

    staged: StagedLine
    session: EditSession


def _net_of_staged(value: StagedIn) -> Any:
    staged = value.staged
    kept = ZERO if staged.line is None else staged.line.discount_per_unit
    return staged.unit_price - (kept if staged.discount_per_unit is None else staged.discount_per_unit)


ADDRESS: dict[str, Resolver] = {
    "id": attr("gid"),
    "firstName": attr("first_name"),
    "lastName": attr("last_name"),
    "name": attr("name"),
    "company": attr("company"),
    "address1": attr("address1"),
    "address2": attr("address2"),
    "city": attr("city"),
    "province": attr("province"),
    "provinceCode": attr("province_code"),
    "zip": attr("zip"),
    "country": attr("country_code"),
    "countryCodeV2": attr("country_code"),
    "phone": attr("phone"),
}


def _draft_taxes(value: Draft, _info: Info) -> list[Taxed]:
    return [Taxed(tax, value) for line in value.lines for tax in line.taxes]


def _draft_lines(value: Draft, _info: Info, **args: Any) -> Page:
    return page([DraftedLine(line, value) for line in value.lines], args, lambda item: str(item.line.number))


@dataclass(slots=True)
class DraftedLine:
    """A draft's line with its draft."""

    line: DraftLine
    draft: Draft


FIELDS: dict[str, dict[str, Resolver]] = {
    "QueryRoot": ROOT,
    "MoneyBag": {"shopMoney": attr("shop"), "presentmentMoney": attr("presentment")},
    "MoneyV2": {"amount": attr("amount"), "currencyCode": attr("currency")},
    "MailingAddress": ADDRESS,
    "Order": ORDER,
    "Customer": {
        "id": attr("gid"),
        "defaultEmailAddress": lambda value, _info: value,
    },
    "CustomerEmailAddress": {
        "emailAddress": attr("email"),
        "marketingState": attr("marketing"),
    },
    "LineItem": LINE_ITEM,
    "OrderApp": {"id": attr("gid"), "name": attr("name")},
    "AppInstallation": {"metafield": _app_metafield},
    "App": {
        "id": attr("gid"),
        "handle": attr("handle"),
        "title": attr("name"),
        "apiKey": attr("client_id"),
    },
    "StaffMember": {
        "id": attr("gid"),
        "name": attr("name"),
        "firstName": attr("first_name"),
        "lastName": attr("last_name"),
        "email": attr("email"),
    },
    "Shop": {
        "id": attr("gid"),
        "name": attr("name"),
        "myshopifyDomain": attr("domain"),
        "currencyCode": attr("currency"),
        "taxesIncluded": attr("taxes_included"),
        "ianaTimezone": attr("timezone"),
        "plan": lambda value, _info: {
            "publicDisplayName": {"plus": "Shopify Plus", "development": "Development"}.get(
                value.plan, "Basic"
            ),
            "shopifyPlus": value.plan == "plus",
            "partnerDevelopment": value.plan == "development",
        },
    },
    "Location": {
        "id": attr("gid"),
        "legacyResourceId": attr("number"),
        "name": attr("name"),
        "isActive": attr("active"),
        "isFulfillmentService": attr("fulfillment_service"),
        "fulfillsOnlineOrders": attr("fulfills_online_orders"),
        "shipsInventory": attr("ships_inventory"),
        "inventoryLevels": _location_levels,
    },
    "Product": {
        "id": lambda value, _info: f"gid://shopify/Product/{value.product_number}",
        "legacyResourceId": attr("product_number"),
        "title": attr("title"),
        "status": attr("product_status"),
    },
    "ProductVariant": {
        "id": attr("gid"),
        "legacyResourceId": attr("number"),
        "sku": attr("sku"),
        "barcode": attr("barcode"),
        "title": lambda value, _info: value.variant_title or "Default Title",
        "price": attr("price"),
        "inventoryPolicy": lambda value, _info: "CONTINUE" if value.oversell else "DENY",
        "inventoryQuantity": attr("available"),
        "requiresComponents": attr("requires_components"),
        "product": lambda value, _info: value,
        "inventoryItem": lambda value, _info: Item(value),
    },
    "InventoryItem": {
        "id": attr("variant.item_gid"),
        "legacyResourceId": attr("variant.item_number"),
        "sku": attr("variant.sku"),
        "tracked": attr("variant.tracked"),
        "requiresShipping": attr("variant.requires_shipping"),
        "duplicateSkuCount": lambda value, info: (
            sum(1 for other in info.context.shop.variants.values() if other.sku == value.variant.sku) - 1
        ),
        "inventoryLevel": _item_level,
        "inventoryLevels": _item_levels,
        "updatedAt": attr("variant.created_at"),
    },
    "InventoryLevel": {
        "id": attr("gid"),
        "isActive": attr("active"),
        "item": lambda value, _info: Item(value.variant),
        "location": attr("location"),
        "quantities": _quantities,
        "updatedAt": lambda value, _info: value.updated_at or value.variant.created_at,
    },
    "TaxLine": {
        "title": attr("tax.title"),
        "rate": lambda value, _info: float(value.tax.rate),
        "ratePercentage": lambda value, _info: float(value.tax.rate * 100),
        "priceSet": _line_bag(lambda value: value.tax.amount, "owner"),
        "channelLiable": attr("tax.channel_liable"),
        "source": const(None),
    },
    "OrderTransaction": _TRANSACTION,
    "BasicEvent": {
        "id": attr("gid"),
        "action": attr("action"),
        "message": attr("message"),
        "createdAt": attr("at"),
        "appTitle": lambda value, _info: None if value.actor.app is None else value.actor.app.name,
        "attributeToApp": lambda value, _info: value.actor.app is not None,
        "attributeToUser": lambda value, _info: value.actor.staff is not None,
        "criticalAlert": const(False),
    },
    "OrderAgreement": _AGREEMENT,
    "OrderEditAgreement": _AGREEMENT,
    "RefundAgreement": _AGREEMENT,
    "ReturnAgreement": _AGREEMENT,
    "ProductSale": _SALE,
    "ShippingLineSale": _SALE,
    "AdjustmentSale": _SALE,
    "DraftOrder": {
        "id": attr("gid"),
        "legacyResourceId": attr("number"),
        "name": attr("name"),
        "status": attr("status"),
        "createdAt": attr("created_at"),
        "updatedAt": attr("updated_at"),
        "completedAt": attr("completed_at"),
        "order": attr("order"),
        "tags": lambda value, _info: sorted(value.tags, key=str.casefold),
        "customAttributes": _pairs("attributes"),
        "note2": attr("note"),
        "email": attr("email"),
        "phone": attr("phone"),
        "poNumber": attr("po_number"),
        "taxExempt": attr("tax_exempt"),
        "taxesIncluded": attr("taxes_included"),
        "currencyCode": attr("currency"),
        "presentmentCurrencyCode": attr("currency"),
        "reserveInventoryUntil": attr("reserve_until"),
        "visibleToCustomer": attr("visible_to_customer"),
        "acceptAutomaticDiscounts": attr("accept_automatic_discounts"),
        "ready": const(True),
        "metafield": _metafield,
        "shippingAddress": attr("shipping_address"),
        "billingAddress": attr("billing_address"),
        "shippingLine": lambda value, _info: (
            None if value.shipping is None else Shipped(value.shipping, value)
        ),
        "taxLines": _draft_taxes,
        "lineItems": _draft_lines,
        "subtotalPriceSet": _bag(lambda draft: draft.subtotal),
        "totalPriceSet": _bag(lambda draft: draft.total),
        "totalTaxSet": _bag(lambda draft: draft.tax_total),
        "totalShippingPriceSet": _bag(lambda draft: draft.shipping_total),
        "totalLineItemsPriceSet": _bag(lambda draft: draft.subtotal),
        "totalDiscountsSet": _bag(lambda _draft: ZERO),
        "totalQuantityOfLineItems": lambda value, _info: sum(line.quantity for line in value.lines),
    },
    "DraftOrderLineItem": {
        "id": attr("line.gid"),
        "uuid": attr("line.uuid"),
        "sku": attr("line.sku"),
        "name": attr("line.title"),
        "title": attr("line.title"),
        "variantTitle": attr("line.variant_title"),
        "quantity": attr("line.quantity"),
        "requiresShipping": attr("line.requires_shipping"),
        "taxable": attr("line.taxable"),
        "custom": lambda value, _info: value.line.variant is None,
        "variant": attr("line.variant"),
        "product": attr("line.variant"),
        "customAttributes": _pairs("line.attributes"),
        "originalUnitPriceSet": _line_bag(lambda value: value.line.price, "draft"),
        "originalTotalSet": _line_bag(lambda value: value.line.price * value.line.quantity, "draft"),
        "discountedTotalSet": _line_bag(lambda value: value.line.price * value.line.quantity, "draft"),
        "priceOverride": lambda value, _info: (
            None
            if value.line.override is None
            else {"amount": value.line.override, "currencyCode": value.draft.currency}
        ),
        "taxLines": lambda value, _info: [Taxed(tax, value.draft) for tax in value.line.taxes],
    },
    "CalculatedOrder": {
        "id": attr("gid"),
        "originalOrder": attr("order"),
        "lineItems": _staged,
        "addedLineItems": _added,
        "subtotalPriceSet": lambda value, _info: value.order.bag(
            sum((_net_of_staged(StagedIn(item, value)) * item.quantity for item in value.lines), ZERO)
        ),
        "totalPriceSet": lambda value, _info: value.order.bag(edits.preview_total(value)),
        "totalOutstandingSet": lambda value, _info: value.order.bag(
            edits.preview_total(value) - value.order.net_payment
        ),
    },
    "OrderEditSession": {"id": attr("session_gid")},
    "CalculatedLineItem": {
        "id": lambda value, _info: f"gid://shopify/CalculatedLineItem/{value.staged.id}",
        "sku": attr("staged.sku"),
        "title": attr("staged.title"),
        "variantTitle": lambda value, _info: (
            None if value.staged.variant is None else value.staged.variant.variant_title
        ),
        "quantity": attr("staged.quantity"),
        "editableQuantity": lambda value, _info: _editable(value.staged, value.staged.quantity),
        "editableQuantityBeforeChanges": lambda value, _info: _editable(value.staged, value.staged.before),
        "restockable": lambda value, _info: value.staged.variant is not None,
        "restocking": attr("staged.restock"),
        "hasStagedLineItemDiscount": lambda value, _info: value.staged.discount_per_unit is not None,
        "variant": attr("staged.variant"),
        "customAttributes": lambda value, _info: (
            []
            if value.staged.line is None
            else [{"key": key, "value": text} for key, text in value.staged.line.attributes]
        ),
        "originalUnitPriceSet": lambda value, _info: value.session.order.bag(value.staged.unit_price),
        "discountedUnitPriceSet": lambda value, _info: value.session.order.bag(_net_of_staged(value)),
    },
    "FulfillmentOrder": {
        "id": attr("gid"),
        "status": attr("status"),
        "requestStatus": lambda value, info: value.request_status(info.context.world.clock.now()),
        "createdAt": attr("created_at"),
        "updatedAt": attr("updated_at"),
        "fulfillAt": lambda value, _info: value.scheduled_for or value.created_at,
        "fulfillBy": const(None),
        "orderId": attr("order.gid"),
        "orderName": attr("order.name"),
        "orderProcessedAt": attr("order.processed_at"),
        "order": attr("order"),
        "supportedActions": _actions,
        "fulfillmentHolds": attr("holds"),
        "assignedLocation": attr("location"),
        "destination": attr("destination"),
        "merchantRequests": _merchant_requests,
        "deliveryMethod": lambda value, _info: {
            "id": f"gid://shopify/DeliveryMethod/{value.number}",
            "methodType": "SHIPPING" if any(item.line.requires_shipping for item in value.lines) else "NONE",
        },
        "lineItems": _listed("lines"),
        "fulfillments": _listed("fulfillments"),
    },
    "FulfillmentOrderAssignedLocation": {
        "name": attr("name"),
        "location": lambda value, _info: value,
        "countryCode": attr("country"),
        "address1": const(None),
        "address2": const(None),
        "city": const(None),
        "phone": const(None),
        "province": const(None),
        "zip": const(None),
    },
    "FulfillmentOrderDestination": {
        **{
            name: resolver
            for name, resolver in ADDRESS.items()
            if name not in ("name", "provinceCode", "country", "countryCodeV2", "id")
        },
        "id": lambda value, _info: f"gid://shopify/FulfillmentOrderDestination/{value.number}",
        "countryCode": attr("country_code"),
        "email": const(None),
    },
    "FulfillmentOrderLineItem": {
        "id": attr("gid"),
        "totalQuantity": attr("total"),
        "remainingQuantity": attr("remaining"),
        "sku": attr("line.sku"),
        "productTitle": attr("line.title"),
        "variantTitle": attr("line.variant_title"),
        "requiresShipping": attr("line.requires_shipping"),
        "inventoryItemId": lambda value, _info: (
            None if value.line.variant is None else value.line.variant.item_gid
        ),
        "lineItem": attr("line"),
        "variant": attr("line.variant"),
    },
    "LineItemGroup": {"id": attr("gid"), "title": attr("title"), "quantity": attr("quantity")},
    "FulfillmentOrderMerchantRequest": {
        "id": attr("gid"),
        "fulfillmentOrder": attr("fulfillment_order"),
        "kind": attr("kind"),
        "message": attr("message"),
        "sentAt": attr("sent_at"),
    },
    "FulfillmentHold": {
        "id": attr("gid"),
        "handle": lambda value, _info: value.handle or None,
        "reason": attr("reason"),
        "reasonNotes": attr("notes"),
        "displayReason": lambda value, _info: value.reason.replace("_", " ").capitalize(),
        "heldByRequestingApp": lambda value, info: value.app is info.context.app,
        "heldByApp": _held_by_app,
    },
    "Fulfillment": {
        "id": attr("gid"),
        "legacyResourceId": attr("number"),
        "name": attr("name"),
        "status": attr("status"),
        "displayStatus": attr("display_status"),
        "createdAt": attr("created_at"),
        "updatedAt": attr("updated_at"),
        "trackingInfo": _first_of("tracking"),
        "location": attr("location"),
        "service": lambda _value, _info: {
            "id": "gid://shopify/FulfillmentService/manual",
            "handle": "manual",
            "serviceName": "Manual",
            "type": "MANUAL",
        },
        "order": attr("order"),
        "requiresShipping": lambda value, _info: any(item.line.requires_shipping for item in value.lines),
        "totalQuantity": lambda value, _info: sum(item.quantity for item in value.lines),
        "fulfillmentLineItems": _listed("lines"),
        "fulfillmentOrders": lambda value, _info, **args: by_number(
            list(dict.fromkeys(item.fulfillment_order for item in value.lines)), args
        ),
    },
    "FulfillmentTrackingInfo": {"company": attr("company"), "number": attr("number"), "url": attr("url")},
    "FulfillmentLineItem": {
        "id": attr("gid"),
        "quantity": attr("quantity"),
        "lineItem": attr("line"),
        "originalTotalSet": lambda value, _info: value.line.order.bag(value.line.unit_price * value.quantity),
    },
    "Refund": {
        "id": attr("gid"),
        "legacyResourceId": attr("number"),
        "createdAt": attr("at"),
        "processedAt": attr("at"),
        "updatedAt": attr("at"),
        "note": attr("note"),
        "order": attr("order"),
        "return": const(None),
        "staffMember": attr("staff"),
        "totalRefundedSet": lambda value, _info: value.order.bag(value.money),
        "refundLineItems": _refund_lines,
        "refundShippingLines": _refund_shipping,
        "orderAdjustments": _adjustments,
        "transactions": _refund_transactions,
    },
    "RefundLineItem": {
        "id": lambda value, _info: f"gid://shopify/RefundLineItem/{value.number}",
        "quantity": attr("quantity"),
        "lineItem": attr("line"),
        "location": attr("location"),
        "restockType": attr("restock_type"),
        "restocked": attr("restocked"),
        "priceSet": lambda value, _info: value.line.order.bag(value.line.net_unit_price),
        "subtotalSet": lambda value, _info: value.line.order.bag(value.subtotal),
        "totalTaxSet": lambda value, _info: value.line.order.bag(value.tax),
    },
    "RefundShippingLine": {
        "id": lambda value, _info: f"gid://shopify/RefundShippingLine/{value.refund.number}",
        "shippingLine": lambda value, _info: Shipped(
            value.refund.order.shipping_lines[0], value.refund.order
        ),
        "subtotalAmountSet": lambda value, _info: value.refund.order.bag(value.refund.shipping),
        "taxAmountSet": lambda value, _info: value.refund.order.bag(ZERO),
    },
    "OrderAdjustment": {
        "id": lambda value, _info: f"gid://shopify/OrderAdjustment/{value.refund.number}",
        "reason": attr("refund.adjustment_reason"),
        "amountSet": lambda value, _info: value.refund.order.bag(value.refund.adjustment),
        "taxAmountSet": lambda value, _info: value.refund.order.bag(ZERO),
    },
    "Metafield": {
        "id": attr("gid"),
        "legacyResourceId": attr("number"),
        "namespace": attr("namespace"),
        "key": attr("key"),
        "value": attr("value"),
        "type": attr("type"),
        "compareDigest": lambda value, _info: metafields.digest(value),
        "ownerType": attr("owner_type"),
        "createdAt": attr("created_at"),
        "updatedAt": attr("updated_at"),
    },
    "MetafieldDefinition": {
        "id": attr("gid"),
        "namespace": attr("namespace"),
        "key": attr("key"),
        "name": attr("name"),
        "ownerType": attr("owner_type"),
        "type": lambda value, _info: {"name": value.type, "category": "ID" if value.type == "id" else "TEXT"},
    },
    "WebhookSubscription": {
        "id": attr("gid"),
        "legacyResourceId": attr("number"),
        "topic": attr("topic"),
        "uri": attr("uri"),
        "format": attr("format"),
        "filter": attr("filter"),
        "includeFields": attr("include_fields"),
        "metafieldNamespaces": attr("metafield_namespaces"),
        "name": attr("name"),
        "apiVersion": lambda _value, _info: {
            "handle": API_VERSION,
            "displayName": API_VERSION,
            "supported": True,
        },
        "createdAt": attr("created_at"),
        "updatedAt": attr("created_at"),
    },
    "Job": {"id": attr("gid"), "done": attr("done")},
    "OrderCancelJobResult": {
        "id": lambda value, _info: f"gid://shopify/OrderCancelJobResult/{value.number}",
        "done": attr("done"),
        "status": lambda value, _info: _job_status(value),
        "errors": const([]),
        "order": attr("order"),
    },
}


def _job_status(value: Job) -> str:
    if not value.done:
        return "STARTED"
    return "SUCCEEDED" if value.order.cancelled_at is not None else "FAILED"


def _editable(staged: StagedLine, quantity: int) -> int:
    if staged.line is None:
        return quantity
    return quantity - (staged.before - staged.line.unfulfilled_quantity)


def _shipping_field(read: Callable[[ShippingLine], Any]) -> Resolver:
    return lambda value, _info: read(value.line)


FIELDS["ShippingLine"] = {
    "id": _shipping_field(lambda line: line.gid),
    "title": _shipping_field(lambda line: line.title),
    "code": _shipping_field(lambda line: line.code),
    "source": _shipping_field(lambda line: line.source),
    "custom": _shipping_field(lambda line: line.code == "custom"),
    "isRemoved": _shipping_field(lambda line: line.removed),
    "originalPriceSet": lambda value, _info: value.owner.bag(value.line.price),
    "discountedPriceSet": lambda value, _info: value.owner.bag(value.line.price),
    "currentDiscountedPriceSet": lambda value, _info: value.owner.bag(
        ZERO if value.line.removed else value.line.price
    ),
    "taxLines": lambda value, _info: [Taxed(tax, value.owner) for tax in value.line.taxes],
}


def _shipping_lines(value: Order, _info: Info, **args: Any) -> Page:
    removed_too = args.get("includeRemovals")
    rows = [Shipped(line, value) for line in value.shipping_lines if removed_too or not line.removed]
    return page(rows, args, lambda item: str(item.line.number))


ORDER["shippingLines"] = _shipping_lines

_NODE_TYPES: dict[type, str] = {
    Order: "Order",
    Draft: "DraftOrder",
    Variant: "ProductVariant",
    Item: "InventoryItem",
    FulfillmentOrder: "FulfillmentOrder",
    FulfillmentOrderLine: "FulfillmentOrderLineItem",
    FulfillmentLine: "FulfillmentLineItem",
    Fulfillment: "Fulfillment",
    Refund: "Refund",
    Location: "Location",
    Subscription: "WebhookSubscription",
    LineItem: "LineItem",
    LineGroup: "LineItemGroup",
    MerchantRequest: "FulfillmentOrderMerchantRequest",
    Metafield: "Metafield",
    MetafieldDefinition: "MetafieldDefinition",
}

TYPE_OF: dict[str, Callable[..., str]] = {
    "Node": lambda value, _info, _type: _NODE_TYPES[type(value)],
    "SalesAgreement": lambda value, _info, _type: value.type_name,
    "Sale": _sale_type,
    "Event": lambda _value, _info, _type: "BasicEvent",
}

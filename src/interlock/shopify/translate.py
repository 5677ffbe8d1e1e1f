"""Answers of the Admin API become our snapshots; addresses become digests here and go no further."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from interlock.inventory.observed import ShownLevel, available_at
from interlock.orders.addresses import AddressParts, digest, email_digest, text_digest
from interlock.orders.changes import OURSELVES, STAFF, Change
from interlock.orders.snapshots import (
    NO_ADDRESS,
    Address,
    Draft,
    Fulfillment,
    FulfillmentOrder,
    Hold,
    Offer,
    ShopifyLine,
    ShopifyOrder,
    ShopifyRefund,
    Stranger,
    Traces,
)
from interlock.shopify.classify import words_of
from interlock.shopify.generated.fragments import (
    DraftFields,
    FulfillmentOrderFields,
    FulfillmentOrderFieldsDestination,
    LineFields,
    MerchantRequests,
    PostalAddress,
    StockFieldsInventoryLevelsNodes,
)
from interlock.shopify.generated.order_agreements import OrderAgreementsOrderAgreementsNodes
from interlock.shopify.generated.order_snapshot import (
    OrderSnapshotOrder,
    OrderSnapshotOrderFulfillments,
    OrderSnapshotOrderRefunds,
)
from interlock.shopify.generated.stranger import StrangerOrder
from interlock.shopify.generated.variants_by_sku import (
    VariantsBySkuProductVariantsNodes,
    VariantsBySkuProductVariantsNodesInventoryItemInventoryLevelsNodes,
)
from interlock.shopify.names import LINE_ATTRIBUTE, ORDER_ATTRIBUTE, OWN_ATTRIBUTES

_LevelRead = (
    StockFieldsInventoryLevelsNodes | VariantsBySkuProductVariantsNodesInventoryItemInventoryLevelsNodes
)

_PAID = ("PAID", "PARTIALLY_REFUNDED", "REFUNDED")


_WORD = re.compile(r"[\w#./:-]+")
_MOST_WORDS = 60


def order(
    read: OrderSnapshotOrder,
    address_key: bytes,
    observed_at: datetime,
    numbers: Sequence[str] = (),
    tag: str = "",
) -> ShopifyOrder:
    """The snapshot of a completely paged order. `numbers` and `tag` are looked for among its traces. Amounts are presentment money, the `current*` family, which is
    what edits and refunds leave (reference 6.2)."""
    fulfillments = tuple(_fulfillment(item) for item in read.fulfillments)
    fulfilled: dict[str, int] = {}
    for item in fulfillments:
        if item.live:
            for line_id, quantity in item.lines:
                fulfilled[line_id] = fulfilled.get(line_id, 0) + quantity
    return ShopifyOrder(
        id=read.id,
        name=read.name,
        created_at=read.created_at,
        updated_at=read.updated_at,
        observed_at=observed_at,
        cancelled_at=read.cancelled_at,
        closed=read.closed,
        editable=read.merchant_editable,
        currency=read.presentment_currency_code,
        total=read.current_total_price_set.presentment_money.amount,
        shipping_total=read.current_shipping_price_set.presentment_money.amount,
        paid=read.fully_paid or read.display_financial_status in _PAID,
        marker=read.marker.value if read.marker is not None else "",
        tags=tuple(read.tags),
        address=_address(read.shipping_address, address_key, _phone(read)),
        lines=tuple(_line(line, fulfilled.get(line.id, 0)) for line in read.line_items.nodes),
        fulfillment_orders=tuple(
            _fulfillment_order(item, address_key) for item in read.fulfillment_orders.nodes
        ),
        fulfillments=fulfillments,
        refunds=tuple(_refund(item, read.updated_at) for item in read.refunds),
        edited=read.edited,
        edit_obstacles=tuple(words_of(why) for why in read.merchant_editable_errors),
        notes_digest=text_digest(_notes(read), address_key),
        traces=Traces(
            attribute=_attribute(read),
            lineage=read.lineage.value if read.lineage is not None else "",
            app=read.app.name if read.app is not None else "",
            email=email_digest(read.email or "", address_key),
            mentions=_mentions(read, numbers, tag),
        ),
        status=read.status.value if read.status is not None else "",
        takes_marketing=_takes_marketing(read),
    )


def _takes_marketing(read: OrderSnapshotOrder) -> bool:
    """Whether the customer is subscribed to e-mail marketing, or was asked to confirm it (PENDING)."""
    address = None if read.customer is None else read.customer.default_email_address
    return address is not None and address.marketing_state in ("SUBSCRIBED", "PENDING")


def _attribute(read: OrderSnapshotOrder | StrangerOrder) -> str:
    return next((item.value or "" for item in read.custom_attributes if item.key == ORDER_ATTRIBUTE), "")


def _mentions(read: OrderSnapshotOrder, numbers: Sequence[str], tag: str) -> tuple[str, ...]:
    """Where one of the numbers stands as a word of its own; our tag, and our own attributes apart."""
    wanted = {number.lower().lstrip("#") for number in numbers if number}
    attributes = [item.value or "" for item in read.custom_attributes if item.key not in OWN_ATTRIBUTES]
    places = {"attribute": attributes, "source": [read.source_identifier or ""], "note": [read.note or ""]}
    found = ["tag"] if tag and tag in read.tags else []
    found += [place for place, texts in places.items() if wanted & set(numbers_in(texts))]
    return tuple(found)


def numbers_in(texts: Iterable[str]) -> tuple[str, ...]:
    """The words with a digit in these texts, as numbers of orders are compared: small letters, without #."""
    words = (word.strip(".:-/").lstrip("#").lower() for text in texts for word in _WORD.findall(text[:4000]))
    return tuple(dict.fromkeys(word for word in words if any(c.isdigit() for c in word)))[:_MOST_WORDS]


def stranger(read: StrangerOrder, address_key: bytes, tag_prefix: str) -> Stranger:
    """What an order that is none of ours says of where it came from, for a look among our orders; not kept."""
    texts = [item.value or "" for item in read.custom_attributes if item.key not in OWN_ATTRIBUTES]
    return Stranger(
        id=read.id,
        name=read.name,
        cancelled=read.cancelled_at is not None,
        marker=_attribute(read) or (read.lineage.value if read.lineage is not None else ""),
        order_ids=tuple(tag[len(tag_prefix) :] for tag in read.tags if tag.startswith(tag_prefix)),
        words=numbers_in([*texts, read.source_identifier or "", read.note or ""]),
        email=email_digest(read.email or "", address_key),
        address=_address(read.shipping_address, address_key).digest,
    )


def change(read: OrderAgreementsOrderAgreementsNodes, our_app_id: str) -> Change:
    """One agreement. Without an app it was made in the admin: nobody of the staff is named."""
    units: dict[str, int] = {}
    for sale in read.sales.nodes:
        line = getattr(sale, "line_item", None)
        if line is not None:
            units[line.id] = units.get(line.id, 0) + (sale.quantity or 0)
    if read.app is None:
        by = STAFF
    else:
        by = OURSELVES if read.app.id == our_app_id else (read.app.title or read.app.handle or "an app")
    return Change(read.id, read.happened_at, by, read.reason, tuple(units.items()))


def draft(read: DraftFields, address_key: bytes, observed_at: datetime) -> Draft:
    """The snapshot of a draft. It reserves stock while it is open and its reservation has not run out."""
    until = read.reserve_inventory_until
    return Draft(
        id=read.id,
        status=read.status,
        created_at=read.created_at,
        observed_at=observed_at,
        order_id=read.order.id if read.order is not None else "",
        total=read.total_price_set.presentment_money.amount,
        currency=read.presentment_currency_code,
        reserved=read.status != "COMPLETED" and until is not None and until > observed_at,
        address=_address(read.shipping_address, address_key),
    )


def offer(
    sku: str,
    carriers: list[VariantsBySkuProductVariantsNodes],
    locations: tuple[str, ...],
    currency: str,
    taxes_included: bool,
) -> Offer:
    """What the shop offers under a SKU, given every variant that carries exactly it. A variant of an archived product
    counts only where no other one carries the SKU. Stock is what a connection with these `locations` may sell
    (`inventory.observed.is_offered`). `currency` is the shop's, and `taxes_included` whether its prices contain taxes."""
    meant = [variant for variant in carriers if variant.product.status != "ARCHIVED"] or carriers
    if len(meant) != 1:
        return Offer(sku=sku, variant_id="", matches=len(meant), available=None, unit_price=None)
    variant = meant[0]
    item = variant.inventory_item
    available = (
        available_at(map(shown_level, item.inventory_levels.nodes), locations) if item.tracked else None
    )
    return Offer(
        sku=sku,
        variant_id=variant.id,
        matches=1,
        available=available,
        unit_price=variant.price,
        currency=currency,
        taxes_included=taxes_included,
    )


def shown_level(read: _LevelRead) -> ShownLevel:
    """What an item has at one location; a level without an amount has nothing."""
    available = next((amount.quantity for amount in read.quantities if amount.name == "available"), 0)
    place = read.location
    return ShownLevel(place.id, available, read.is_active and place.is_active, place.fulfills_online_orders)


def variant_title(product: str, variant: str) -> str:
    """How people call a variant: its product, and what tells it from the product's others (`Default Title` where it is the
    only one)."""
    return product if variant in ("", "Default Title") else f"{product}, {variant}"


def _notes(read: OrderSnapshotOrder) -> list[str]:
    """The note and every attribute, each in a place of its own, in an order that does not depend on the answer's."""
    found = [f"note\0{read.note}"] if read.note else []
    found += sorted(f"order\0{item.key}\0{item.value or ''}" for item in read.custom_attributes)
    found += sorted(
        f"{line.id}\0{item.key}\0{item.value or ''}"
        for line in read.line_items.nodes
        for item in line.custom_attributes
    )
    return found


def stop_request(request: MerchantRequests, request_status: str) -> str:
    """What became of asking a fulfilment service to stop: the status tells the answer, the latest request whether one
    was asked for at all (reference 10.1)."""
    answered = {"CANCELLATION_ACCEPTED": "ACCEPTED", "CANCELLATION_REJECTED": "REFUSED"}.get(request_status)
    if answered:
        return answered
    latest = max(request.merchant_requests.nodes, key=lambda asked: asked.sent_at, default=None)
    asked = latest is not None and latest.kind == "CANCELLATION_REQUEST"
    waiting = request_status in ("SUBMITTED", "ACCEPTED", "CANCELLATION_REQUESTED")
    return "ASKED" if request_status == "CANCELLATION_REQUESTED" or (asked and waiting) else ""


def _line(read: LineFields, fulfilled: int) -> ShopifyLine:
    mirakl_line_id = next(
        (item.value or "" for item in read.custom_attributes if item.key == LINE_ATTRIBUTE), ""
    )
    return ShopifyLine(
        id=read.id,
        sku=read.sku or "",
        title=read.title,
        variant_id=read.variant.id if read.variant is not None else "",
        quantity=read.quantity,
        current_quantity=read.current_quantity,
        fulfilled_quantity=fulfilled,
        unit_price=read.discounted_unit_price_after_all_discounts_set.presentment_money.amount,
        requires_shipping=read.requires_shipping,
        mirakl_line_id=mirakl_line_id,
        group=read.line_item_group.id if read.line_item_group is not None else "",
    )


def _fulfillment_order(read: FulfillmentOrderFields, address_key: bytes) -> FulfillmentOrder:
    place = read.assigned_location.location
    offered = {item.action for item in read.supported_actions}
    return FulfillmentOrder(
        id=read.id,
        status=read.status,
        request_status=read.request_status,
        can_hold="HOLD" in offered,
        holds=tuple(
            Hold(
                id=hold.id,
                handle=hold.handle or "",
                ours=hold.held_by_requesting_app,
                notes=hold.reason_notes or "",
            )
            for hold in read.fulfillment_holds
        ),
        remaining=_summed((line.line_item.id, line.remaining_quantity) for line in read.line_items.nodes),
        destination=_destination(read.destination, address_key),
        location_id=place.id if place is not None else "",
        third_party=place is not None and place.is_fulfillment_service,
        stop_request=stop_request(read, read.request_status),
        can_ask_to_stop="REQUEST_CANCELLATION" in offered,
        delivery=read.delivery_method.method_type if read.delivery_method is not None else "",
    )


def _fulfillment(read: OrderSnapshotOrderFulfillments) -> Fulfillment:
    """A fulfillment counts unless it was cancelled: a bought label is one already (reference 10.5). Its tracking is
    the first with a number and a carrier or link, else the first there is."""
    complete = (item for item in read.tracking_info if item.number and (item.company or item.url))
    tracking = next(complete, read.tracking_info[0] if read.tracking_info else None)
    return Fulfillment(
        id=read.id,
        live=read.status != "CANCELLED",
        created_at=read.created_at,
        lines=_summed((line.line_item.id, line.quantity or 0) for line in read.fulfillment_line_items.nodes),
        carrier=(tracking.company or "") if tracking else "",
        tracking_number=(tracking.number or "") if tracking else "",
        tracking_url=(tracking.url or "") if tracking else "",
        display_status=read.display_status or "",
        location_id=read.location.id if read.location is not None else "",
    )


def _refund(read: OrderSnapshotOrderRefunds, order_updated_at: datetime) -> ShopifyRefund:
    """Money moved only with a successful REFUND transaction; a removal by an edit has none (reference 12)."""
    money = sum(
        (
            item.amount_set.presentment_money.amount
            for item in read.transactions.nodes
            if item.kind == "REFUND" and item.status == "SUCCESS"
        ),
        Decimal(0),
    )
    return ShopifyRefund(
        id=read.id,
        created_at=read.created_at or order_updated_at,
        money=money,
        lines=_summed((line.line_item.id, line.quantity) for line in read.refund_line_items.nodes),
    )


def _phone(read: OrderSnapshotOrder) -> str:
    """The telephone number of the delivery address; empty without one, or where the shop keeps it from us."""
    return (read.shipping_address.phone or "") if read.shipping_address is not None else ""


def _address(read: PostalAddress | None, key: bytes, phone: str = "") -> Address:
    if read is None:
        return NO_ADDRESS
    return digest(
        AddressParts(
            first_name=read.first_name or "",
            last_name=read.last_name or "",
            company=read.company or "",
            line1=read.address_1 or "",
            line2=read.address_2 or "",
            city=read.city or "",
            postcode=read.zip_ or "",
            province=read.province or "",
            country_code=read.country_code_v_2 or "",
        ),
        key,
        phone,
    )


def _destination(read: FulfillmentOrderFieldsDestination | None, key: bytes) -> Address:
    if read is None:
        return NO_ADDRESS
    return digest(
        AddressParts(
            first_name=read.first_name or "",
            last_name=read.last_name or "",
            company=read.company or "",
            line1=read.address_1 or "",
            line2=read.address_2 or "",
            city=read.city or "",
            postcode=read.zip_ or "",
            province=read.province or "",
            country_code=read.country_code or "",
        ),
        key,
    )


def _summed(lines: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Quantities per line id, each id once, in the order of first appearance."""
    total: dict[str, int] = {}
    for line_id, quantity in lines:
        total[line_id] = total.get(line_id, 0) + quantity
    return tuple(total.items())

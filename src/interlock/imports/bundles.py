"""A marketplace SKU that is a bundle: what the shop has of its articles, and which share of its price each of them carries."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from interlock.orders.memory import Bundle, BundlePart
from interlock.orders.money import smallest_unit
from interlock.orders.snapshots import Offer, OfferPart


def offer_of_bundle(sku: str, made_of: Iterable[tuple[str, int]], found: Mapping[str, Offer]) -> Offer:
    """The bundle as the shop knows its articles. `made_of` are (shop SKU, units), `found` what the shop has under each.

    It is there once each article is; it is as often available as its scarcest article; its price is that of its articles
    together, None where one of them has none or they are in several currencies.
    """
    parts = tuple(_part(shop_sku, units, found.get(shop_sku)) for shop_sku, units in made_of)
    counted = [part.available // part.units for part in parts if part.available is not None]
    prices = [part.unit_price * part.units for part in parts if part.unit_price is not None]
    currencies = {found[part.sku].currency for part in parts if part.sku in found}
    whole = len(prices) == len(parts) and len(currencies) == 1
    return Offer(
        sku=sku,
        variant_id="",
        matches=next((part.matches for part in parts if part.matches != 1), 1),
        available=min(counted, default=None),
        unit_price=sum(prices, Decimal(0)) if whole else None,
        currency=currencies.pop() if whole else "",
        parts=parts,
        taxes_included=any(found[part.sku].taxes_included for part in parts if part.sku in found),
    )


def _part(sku: str, units: int, offer: Offer | None) -> OfferPart:
    if offer is None:
        return OfferPart(sku, units, "", 0, None, None)
    return OfferPart(sku, units, offer.variant_id, offer.matches, offer.available, offer.unit_price)


def bundle_of(offer: Offer) -> Bundle:
    """How an order with this bundle is created: by the shop's prices each article carries its share of what was paid;
    where a price is missing, or all are nothing, every unit carries the same.

    One variant under two SKUs is one article.
    """
    merged: dict[str, OfferPart] = {}
    for part in offer.parts:
        known = merged.get(part.variant_id)
        merged[part.variant_id] = (
            part
            if known is None
            else OfferPart(
                known.sku,
                known.units + part.units,
                known.variant_id,
                known.matches,
                known.available,
                known.unit_price,
            )
        )
    parts = tuple(merged.values())
    step = smallest_unit(offer.currency) if offer.unit_price else None
    return Bundle(
        offer.sku,
        tuple(
            BundlePart(
                part.sku,
                part.variant_id,
                part.units,
                part.units
                if step is None or part.unit_price is None
                else int(part.unit_price * part.units / step),
            )
            for part in parts
        ),
    )

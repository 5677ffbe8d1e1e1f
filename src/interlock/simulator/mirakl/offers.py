"""The shop's offers on the marketplace: what is for sale, at what price, how many; and the exports that list them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from interlock.simulator.mirakl.generate import CatalogueItem, offer_number
from interlock.simulator.mirakl.orders import SimLine, SimOrder
from interlock.simulator.mirakl.render import dumps, instant, without_nulls
from interlock.simulator.switches import Switches

_DUPLICATE_FOR = timedelta(hours=1)
# A unit of an offer is never sold below nothing, and Mirakl keeps quantities as 32-bit numbers.
LARGEST_QUANTITY = 2**31 - 1


class OfferRefused(ValueError):
    """Someone tried what the offer book does not allow; `field` names the input at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(slots=True)
class SimOffer:
    """One offer. `price` is in the marketplace's own tax mode; `updated` is what a differential export goes by."""

    id: int
    sku: str
    title: str
    price: Decimal
    quantity: int
    created: datetime
    updated: datetime
    ean: str = ""
    state_code: str = "11"
    deleted: bool = False
    suspended: bool = False

    @property
    def product_sku(self) -> str:
        return f"P-{self.sku}"

    @property
    def active(self) -> bool:
        """Whether customers can buy it: an offer of quantity 0 is inactive (`ZERO_QUANTITY`, section 9)."""
        return not self.deleted and not self.suspended and self.quantity > 0


@dataclass(frozen=True, slots=True)
class QuantityChange:
    """One change of an offer's quantity. `why` is `sale`, `refusal`, `restock`, `import` or `portal`."""

    at: datetime
    actor: str
    sku: str
    before: int
    after: int
    why: str
    order_id: str = ""
    reference: str | None = None


@dataclass(slots=True)
class SimExport:
    """One asynchronous export (OF52). `rows` are its offers' documents once it is complete."""

    id: str
    request: str
    since: datetime | None
    inactive_too: bool
    fields: tuple[str, ...] | None
    per_chunk: int
    asked: datetime
    due: datetime
    will_fail: bool
    status: str = "PENDING"
    last_updated: datetime | None = None
    rows: tuple[dict[str, Any], ...] | None = None

    @property
    def chunks(self) -> int:
        return max(1, -(-len(self.rows or ()) // self.per_chunk))


@dataclass(slots=True)
class OfferBook:
    """All offers of one shop, by SKU, also the deleted ones; a SKU stands for one offer at a time.

    Read `offers`, `changes` and `exports` freely; change quantities through the methods only.
    """

    switches: Switches
    shop_id: int
    shop_name: str
    currency: str
    offers: dict[str, SimOffer] = field(default_factory=dict)
    changes: list[QuantityChange] = field(default_factory=list)
    exports: dict[str, SimExport] = field(default_factory=dict)
    failures_armed: int = 0
    _sold: dict[str, bool] = field(default_factory=dict)
    _ids: set[int] = field(default_factory=set)
    _numbers: int = 0

    # -- offers ----------------------------------------------------------------------------------------

    def add(self, item: CatalogueItem, quantity: int, at: datetime, ean: str = "") -> SimOffer:
        """A new offer, or the deleted one of that SKU again under a new id. OfferRefused for a SKU that is taken."""
        known = self.offers.get(item.sku)
        if known is not None and not known.deleted:
            raise OfferRefused("sku", f"There is already an offer {item.sku}.")
        number = offer_number(item.sku)
        while number in self._ids:
            number += 1
        self._ids.add(number)
        offer = SimOffer(number, item.sku, item.title, item.price, _whole(quantity), at, at, ean)
        self.offers[item.sku] = offer
        return offer

    def offer(self, sku: str) -> SimOffer:
        """The offer of a SKU; OfferRefused when there is none."""
        found = self.offers.get(sku)
        if found is None:
            raise OfferRefused("sku", f"There is no offer {sku}.")
        return found

    def available(self, sku: str) -> int:
        """How many units a customer can put into a basket now."""
        found = self.offers.get(sku)
        return found.quantity if found is not None and found.active else 0

    def set_quantity(
        self,
        sku: str,
        quantity: int,
        at: datetime,
        actor: str,
        why: str,
        reference: str | None = None,
    ) -> None:
        """Replace an offer's quantity (the portal, or one row of a stock import). OfferRefused where STO01 would say
        that it knows no such offer, or for a figure that is none."""
        offer = self.offer(sku)
        if offer.deleted:
            raise OfferRefused("sku", f"There is no offer {sku}.")
        self._change(offer, _whole(quantity), at, actor, why, reference=reference)

    def change(
        self,
        sku: str,
        at: datetime,
        *,
        price: Decimal | None = None,
        deleted: bool | None = None,
        suspended: bool | None = None,
    ) -> None:
        """A person in the portal, or the operator, changes an offer."""
        offer = self.offer(sku)
        offer.price = offer.price if price is None else price
        offer.deleted = offer.deleted if deleted is None else deleted
        offer.suspended = offer.suspended if suspended is None else suspended
        offer.updated = at

    # -- what orders do to them ------------------------------------------------------------------------

    def ordered(self, order: SimOrder, at: datetime) -> None:
        """A customer placed an order. A SKU nobody offered had an offer all the same, or it could not be bought."""
        for line in order.lines:
            if line.sku not in self.offers:
                price = line.static.get("origin_unit_price")
                shown = price if isinstance(price, Decimal) else line.price_unit
                self.add(CatalogueItem(line.sku, line.title, shown), line.quantity, at)
        if self.switches["offer_quantity_falls"] == "ordered":
            self._sell(order, order.lines, at)

    def decided(
        self, order: SimOrder, accepted: list[SimLine], refused: list[SimLine], at: datetime, actor: str
    ) -> None:
        """The shop, a person or a timer accepted and refused lines."""
        if self.switches["offer_quantity_falls"] == "accepted":
            self._sell(order, accepted, at)
        for line in refused:
            if self.switches["refusal_and_offer"] == "zeroed" and line.sku in self.offers:
                self._change(self.offers[line.sku], 0, at, actor, "refusal", order_id=order.id)
            elif self.switches["refusal_and_offer"] == "restocked":
                self._give_back(order, line, line.quantity, at)

    def cancelled(self, order: SimOrder, line: SimLine, quantity: int, at: datetime) -> None:
        """Units of a line were cancelled."""
        if self.switches["cancelation_restocks_offer"] == "yes":
            self._give_back(order, line, quantity, at)

    def _sell(self, order: SimOrder, lines: Iterable[SimLine], at: datetime) -> None:
        for line in lines:
            self._sold[line.id] = True
            offer = self.offers[line.sku]
            self._change(
                offer, max(0, offer.quantity - line.quantity), at, "customer", "sale", order_id=order.id
            )

    def _give_back(self, order: SimOrder, line: SimLine, quantity: int, at: datetime) -> None:
        """Only what was taken comes back."""
        if quantity > 0 and self._sold.get(line.id) and line.sku in self.offers:
            offer = self.offers[line.sku]
            self._change(offer, offer.quantity + quantity, at, "system", "restock", order_id=order.id)

    def _change(
        self,
        offer: SimOffer,
        quantity: int,
        at: datetime,
        actor: str,
        why: str,
        order_id: str = "",
        reference: str | None = None,
    ) -> None:
        self.changes.append(
            QuantityChange(at, actor, offer.sku, offer.quantity, quantity, why, order_id, reference)
        )
        offer.quantity = quantity
        if why not in ("sale", "restock") or self.switches["sale_updates_offer"] == "yes":
            offer.updated = at

    # -- exports ---------------------------------------------------------------------------------------

    def ask(
        self,
        request: str,
        *,
        since: datetime | None,
        inactive_too: bool,
        fields: tuple[str, ...] | None,
        per_chunk: int,
        at: datetime,
        takes: timedelta,
    ) -> SimExport:
        """A new export, or the one a same request already has (section 1.9: Mirakl returns the existing id)."""
        lasting = self.switches["offer_export_duplicate"] == "within_an_hour"
        for known in reversed(self.exports.values()):
            if known.request != request or known.status == "FAILED":
                continue
            if known.status == "PENDING" or (lasting and at - known.asked < _DUPLICATE_FOR):
                return known
        self._numbers += 1
        will_fail = self.failures_armed > 0
        self.failures_armed -= will_fail
        tracking_id = f"{self.shop_id:08x}-0000-4000-8000-{self._numbers:012x}"
        export = SimExport(
            tracking_id, request, since, inactive_too, fields, per_chunk, at, at + takes, will_fail
        )
        if self.switches["offer_export_shows"] == "request":
            export.rows = self._rows(export)
        self.exports[tracking_id] = export
        return export

    def complete_exports(self, now: datetime) -> None:
        """Every export that was due by now is complete, or has failed; a pending one only sees what happened before."""
        for export in self.exports.values():
            if export.status != "PENDING" or export.due > now:
                continue
            export.last_updated = export.due
            export.status = "FAILED" if export.will_fail else "COMPLETED"
            if export.rows is None and not export.will_fail:
                export.rows = self._rows(export)

    def _rows(self, export: SimExport) -> tuple[dict[str, Any], ...]:
        """The offers an export lists: the active ones, all that are not deleted, or all that changed since."""
        shown = []
        for offer in sorted(self.offers.values(), key=lambda known: known.id):
            if export.since is not None:
                wanted = offer.updated >= export.since
            else:
                wanted = not offer.deleted and (offer.active or export.inactive_too)
            if wanted:
                shown.append(self._document(offer, export.fields))
        return tuple(shown)

    def listed(self, sku: str | None) -> list[dict[str, Any]]:
        """The offers that are not deleted, or the one with this SKU, as OF21 shows them; the oldest first."""
        found = (offer for offer in self.offers.values() if not offer.deleted and sku in (None, offer.sku))
        return [self._shown(offer) for offer in sorted(found, key=lambda known: known.id)]

    def _shown(self, offer: SimOffer) -> dict[str, Any]:
        """One offer of OF21: unlike an export it names the product by its references, such as its EAN."""
        references = [{"reference_type": "EAN", "reference": offer.ean}] if offer.ean else []
        price = {
            "price": offer.price,
            "unit_origin_price": offer.price,
            "volume_prices": [
                {
                    "price": offer.price,
                    "quantity_threshold": 1,
                    "unit_discount_price": offer.price,
                    "unit_origin_price": offer.price,
                }
            ],
        }
        return {
            "active": offer.active,
            "all_prices": [price],
            "category_code": "HOME",
            "category_label": "Home",
            "channels": [],
            "currency_iso_code": self.currency,
            "description": offer.title,
            "fulfillment": {"center": {"code": "DEFAULT"}},
            "inactivity_reasons": [] if offer.quantity else ["ZERO_QUANTITY"],
            "leadtime_to_ship": 2,
            "logistic_class": {"code": "M", "label": "M"},
            "max_order_quantity": 1000,
            "min_order_quantity": 1,
            "min_quantity_alert": 0,
            "min_shipping_price": Decimal(0),
            "min_shipping_price_additional": Decimal(0),
            "min_shipping_type": "STD",
            "min_shipping_zone": "DOM",
            "offer_id": offer.id,
            "package_quantity": 1,
            "product_references": references,
            "product_sku": offer.product_sku,
            "product_title": offer.title,
            "quantity": offer.quantity,
            "shipping_deadline": instant(offer.updated + timedelta(days=2)),
            "shop_sku": offer.sku,
            "state_code": offer.state_code,
        }

    def _document(self, offer: SimOffer, fields: tuple[str, ...] | None) -> dict[str, Any]:
        document: dict[str, Any] = {
            "active": offer.active,
            "allow_quote_requests": False,
            "channels": [],
            "currency_iso_code": self.currency,
            "date_created": instant(offer.created),
            "deleted": offer.deleted,
            "description": offer.title,
            "fulfillment": {"center": {"code": "DEFAULT"}},
            "is_professional": True,
            "last_updated": instant(offer.updated),
            "leadtime_to_ship": 2,
            "logistic_class": {"code": "M"},
            "min_shipping_price": Decimal(0),
            "min_shipping_price_additional": Decimal(0),
            "min_shipping_type": "STD",
            "min_shipping_zone": "DOM",
            "offer_id": offer.id,
            "premium": False,
            "prices": [
                {
                    "origin_price": offer.price,
                    "volume_prices": [{"quantity_threshold": 1, "unit_origin_price": offer.price}],
                }
            ],
            "product_sku": offer.product_sku,
            "quantity": offer.quantity,
            "shop_id": self.shop_id,
            "shop_name": self.shop_name,
            "shop_sku": offer.sku,
            "state_code": offer.state_code,
        }
        if fields is None:
            return document
        return {name: value for name, value in document.items() if name in fields}

    def chunk(self, export: SimExport, number: int) -> str | None:
        """One file of a complete export as JSON text (OF54: a list of offers), or None where there is none."""
        if export.rows is None or not 0 <= number < export.chunks:
            return None
        first = number * export.per_chunk
        return dumps(without_nulls(list(export.rows[first : first + export.per_chunk])))


def request_key(body: dict[str, Any]) -> str:
    """What makes two export requests the same one."""
    return json.dumps(body, sort_keys=True, default=str)


def _whole(quantity: int) -> int:
    if isinstance(quantity, bool) or not isinstance(quantity, int) or not 0 <= quantity <= LARGEST_QUANTITY:
        raise OfferRefused("quantity", f"{quantity!r} is no quantity: a whole number from 0 is expected.")
    return quantity

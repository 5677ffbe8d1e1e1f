"""Every way in which the two sides can differ, as values: what a comparison of Shopify, agreed and Mirakl finds."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class QuantityReduced:
    """Shopify shows fewer units of a line than agreed, but some."""

    line_id: str
    sku: str
    agreed: int
    now: int


@dataclass(frozen=True, slots=True)
class LineRemoved:
    """Shopify shows no unit of an agreed line any more."""

    line_id: str
    sku: str
    agreed: int


@dataclass(frozen=True, slots=True)
class QuantityIncreased:
    """Shopify shows more units of a line than agreed."""

    line_id: str
    sku: str
    agreed: int
    now: int


@dataclass(frozen=True, slots=True)
class LineAdded:
    """Shopify shows a line that stands for nothing the marketplace sold."""

    shopify_line_id: str
    sku: str
    title: str
    quantity: int


@dataclass(frozen=True, slots=True)
class SkuReplaced:
    """An agreed line went down or away while another appeared: one change, never carried out by halves."""

    line_id: str
    sku: str
    agreed: int
    now: int
    new_shopify_line_id: str
    new_sku: str
    new_quantity: int


@dataclass(frozen=True, slots=True)
class BundleBroken:
    """The articles of a bundle that Shopify shows make no whole bundles any more. `whole` is how many they still make,
    `shown` are (SKU, units, units in one bundle)."""

    line_id: str
    sku: str
    agreed: int
    whole: int
    shown: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class PriceChanged:
    """The unit price of a linked Shopify line is not the one agreed at import."""

    line_id: str
    sku: str
    agreed: Decimal
    now: Decimal


@dataclass(frozen=True, slots=True)
class ShippingChanged:
    """The shipping charge of the Shopify order is not the one agreed at import."""

    agreed: Decimal
    now: Decimal


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """The Shopify order goes to another address than the one agreed. Only digests are compared. With `contact_only` the
    parcel goes where it was agreed, and the telephone number is another one."""

    contact_only: bool = False


@dataclass(frozen=True, slots=True)
class AddressMoved:
    """The marketplace names another address than the one agreed, and the Shopify order does not show it. With
    `also_here` somebody changed the Shopify order's too, to a third one."""

    also_here: bool = False


@dataclass(frozen=True, slots=True)
class LineCancelled:
    """The marketplace cancelled units that Shopify still shows."""

    line_id: str
    sku: str
    agreed: int
    shopify: int


@dataclass(frozen=True, slots=True)
class LineRefused:
    """The marketplace shows the line as refused; Shopify still shows units of it."""

    line_id: str
    sku: str
    shopify: int


@dataclass(frozen=True, slots=True)
class LineRefunded:
    """The marketplace refunded whole units of a line that has not left, and nobody here asked for it."""

    line_id: str
    sku: str
    quantity: int
    refund_id: str


@dataclass(frozen=True, slots=True)
class TotalsRecalculated:
    """The marketplace shows other figures of a line that nothing was taken of than those last agreed. `was` and `now` are
    the price of all its units. Where they and the shipping charges are equal, only taxes or fees differ."""

    line_id: str
    sku: str
    was: Decimal
    now: Decimal
    shipping_was: Decimal
    shipping_now: Decimal

    @property
    def taxes_only(self) -> bool:
        return self.was == self.now and self.shipping_was == self.shipping_now


Difference: TypeAlias = (
    QuantityReduced
    | LineRemoved
    | QuantityIncreased
    | LineAdded
    | SkuReplaced
    | BundleBroken
    | PriceChanged
    | ShippingChanged
    | AddressChanged
    | AddressMoved
    | LineCancelled
    | LineRefused
    | LineRefunded
    | TotalsRecalculated
)

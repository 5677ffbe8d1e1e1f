"""What one simulated marketplace is like: its rules, delays and reference data."""

import dataclasses
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

PAYMENT_WORKFLOWS = (
    "PAY_ON_ACCEPTANCE",
    "PAY_ON_DELIVERY",
    "PAY_ON_DUE_DATE",
    "PAY_ON_SHIPMENT",
    "NO_CUSTOMER_PAYMENT_CONFIRMATION",
)
TAX_MODES = ("TAX_INCLUDED", "TAX_EXCLUDED")
CATALOGUE_PRICES = ("AS_SHOWN", *TAX_MODES)
ORDER_ACCEPTANCE = ("AUTOMATIC", "NOT_AUTOMATIC", "BOTH")
ADDRESSES_FROM = ("STAGING", "WAITING_ACCEPTANCE", "ACCEPTED", "SHIPPING")
PERSONAS = ("default", "external_partner")


class ProfileError(ValueError):
    """A profile field does not exist or cannot have that value."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"Profile field {field}: {message}")
        self.field = field


@dataclass(frozen=True)
class Carrier:
    """A registered carrier (SH21); `tracking_url` is a template with `{trackingId}`, or None."""

    code: str
    label: str
    standard_code: str | None
    tracking_url: str | None


@dataclass(frozen=True)
class Reason:
    """A reason of the operator's list (RE01)."""

    type: str
    code: str
    label: str
    is_shop_right: bool


@dataclass(frozen=True)
class ShippingType:
    """A shipping method (SH12)."""

    code: str
    label: str
    standard_code: str | None
    mandatory_tracking: bool
    click_and_collect: bool = False
    delivery_by_operator: bool = False


@dataclass(frozen=True)
class TaxRule:
    """A tax that generated orders carry: rate in percent, rule as in OR75."""

    code: str
    rate: Decimal
    rule: str = "PROPORTIONAL_TO_AMOUNT"
    on_shipping: bool = True


CARRIERS = (
    Carrier("DHL", "DHL", "DHL", "https://track.dhl.example/parcel?id={trackingId}"),
    Carrier("DPD", "DPD", "DPD", "https://track.dpd.example/{trackingId}"),
    Carrier("LOCAL", "Local courier", None, None),
    Carrier("UPS", "UPS", "UPS", "https://track.ups.example/?n={trackingId}"),
)
REASONS = (
    Reason("CANCELATION", "34", "Cancelled at the customer's wish before shipping", True),
    Reason("CANCELATION", "35", "No longer available", True),
    Reason("CANCELATION", "36", "Suspected fraud", False),
    Reason("INCIDENT_CLOSE", "10", "Replacement received", False),
    Reason("INCIDENT_OPEN", "1", "Parcel not received", False),
    Reason("ORDER_MESSAGING", "26", "Another question", True),
    Reason("REFUND", "15", "Out of stock", True),
    Reason("REFUND", "19", "Goodwill", True),
    Reason("REFUND", "20", "Decided by the operator", False),
)
SHIPPING_TYPES = (
    ShippingType("STD", "Standard", "CU_ADD-STD", mandatory_tracking=False),
    ShippingType("EXP", "Express", "CU_ADD-EXP", mandatory_tracking=True),
)


@dataclass(frozen=True)
class MarketplaceProfile:
    """One marketplace. Delays are platform seconds unless the name says hours or days.

    `pending_adjustment` and `payable_adjustment` are what other business of the shop adds to its balances (A01); a
    refund is refused when the balance it draws on is too low. `catalogue_prices` says whether the prices of the shop's
    catalogue contain the taxes: in the marketplace's own mode (AS_SHOWN), always (TAX_INCLUDED) or never. `offer_quantity` is what every offer begins with; on test
    environments `least_items_per_chunk` of an export is lower (OF52). With `operator_ships` the operator makes the
    shipments and fetches the parcels; `warehouses` are codes a shipment may name as its origin.
    """

    name: str
    currency: str = "EUR"
    country: str = "FRA"
    country_label: str = "France"
    locale: str = "fr_FR"
    timezone: str = "Europe/Paris"
    tax_mode: str = "TAX_INCLUDED"
    catalogue_prices: str = "AS_SHOWN"
    order_level_tax_calculation: bool = False
    payment_workflow: str = "PAY_ON_ACCEPTANCE"
    order_acceptance: str = "NOT_AUTOMATIC"
    automatic_for_shop: bool = False
    automatic_acceptance_delay: float = 0.0
    acceptance_window_hours: float = 48.0
    staging_delay: float | None = None
    debit_request_delay: float = 60.0
    debit_delay: float = 600.0
    debit_timeout_hours: float = 72.0
    payment_failure_probability: float = 0.0
    payment_duration_days: int = 30
    partial_acceptance: bool = True
    partial_cancelation: bool = True
    addresses_from: str = "ACCEPTED"
    alternative_carrier: bool = True
    multi_shipment: bool = False
    operator_ships: bool = False
    warehouses: tuple[str, ...] = ("MAIN", "SOUTH")
    persona: str = "default"
    call_tolerance: int = 3
    taxes: tuple[TaxRule, ...] = (TaxRule("TVA20", Decimal("20")),)
    tax_collected_by_operator: bool = False
    shipping_taxes: bool = True
    amount_breakdown: bool = False
    order_fees: bool = False
    commission_rate: Decimal = Decimal("12")
    commission_tax_rate: Decimal = Decimal("20")
    refund_contact_delay: float = 3600.0
    refund_payment_delay: float = 86400.0
    refund_approval_delay: float = 3600.0
    pending_adjustment: Decimal = Decimal(0)
    payable_adjustment: Decimal = Decimal(0)
    can_shop_ship_delay: float = 120.0
    auto_received_hours: float = 168.0
    auto_closed_hours: float = 720.0
    leadtime_to_ship_days: int = 2
    offer_quantity: int = 100
    offer_export_delay: float = 20.0
    least_items_per_chunk: int = 10_000
    carriers: tuple[Carrier, ...] = CARRIERS
    reasons: tuple[Reason, ...] = REASONS
    shipping_types: tuple[ShippingType, ...] = SHIPPING_TYPES

    def __post_init__(self) -> None:
        for field, allowed in (
            ("tax_mode", TAX_MODES),
            ("catalogue_prices", CATALOGUE_PRICES),
            ("payment_workflow", PAYMENT_WORKFLOWS),
            ("order_acceptance", ORDER_ACCEPTANCE),
            ("addresses_from", ADDRESSES_FROM),
            ("persona", PERSONAS),
        ):
            if getattr(self, field) not in allowed:
                raise ProfileError(field, f"{getattr(self, field)!r} is not one of {', '.join(allowed)}.")

    @property
    def accepts_automatically(self) -> bool:
        """Whether this shop's orders are accepted without anyone deciding (PC01 `order_acceptance`)."""
        return self.order_acceptance == "AUTOMATIC" or (
            self.order_acceptance == "BOTH" and self.automatic_for_shop
        )

    def changed(self, fields: dict[str, Any]) -> "MarketplaceProfile":
        """A copy with simple fields replaced; raises ProfileError naming the field that cannot be."""
        simple: dict[str, Any] = {}
        for name, value in fields.items():
            if not hasattr(self, name) or name in ("accepts_automatically", "changed"):
                raise ProfileError(name, "there is no such field.")
            simple[name] = _as(name, value, getattr(self, name))
        return dataclasses.replace(self, **simple)


def _as(name: str, value: Any, current: Any) -> Any:
    if isinstance(current, bool):
        if not isinstance(value, bool):
            raise ProfileError(name, "true or false is expected.")
        return value
    if isinstance(current, Decimal):
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            raise ProfileError(name, "a number is expected.")
        return Decimal(value)
    if isinstance(current, tuple):
        if not isinstance(value, list) or not current:
            raise ProfileError(name, "a list of objects is expected.")
        try:
            return tuple(
                type(current[0])(
                    **{key: Decimal(part) if key == "rate" else part for key, part in item.items()}
                )
                for item in value
            )
        except (TypeError, AttributeError, ArithmeticError) as wrong:
            raise ProfileError(name, str(wrong)) from wrong
    if isinstance(current, int | float) or (name == "staging_delay"):
        if value is None and name == "staging_delay":
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise ProfileError(name, "a number is expected.")
        return type(current)(value) if current is not None else float(value)
    if not isinstance(value, str):
        raise ProfileError(name, "a text is expected.")
    return value


PROFILES: dict[str, MarketplaceProfile] = {
    profile.name: profile
    for profile in (
        # Automatic acceptance, payment on shipment: orders arrive already SHIPPING and not debited.
        MarketplaceProfile(
            name="automatic",
            order_acceptance="AUTOMATIC",
            payment_workflow="PAY_ON_SHIPMENT",
            addresses_from="WAITING_ACCEPTANCE",
            debit_delay=120.0,
            tax_mode="TAX_INCLUDED",
        ),
        # The buyer's address stays hidden until the customer has paid.
        MarketplaceProfile(
            name="hidden-address",
            currency="USD",
            country="USA",
            country_label="United States",
            locale="en_US",
            timezone="America/New_York",
            payment_workflow="PAY_ON_ACCEPTANCE",
            addresses_from="SHIPPING",
            acceptance_window_hours=24.0,
            debit_delay=900.0,
            tax_mode="TAX_EXCLUDED",
            taxes=(TaxRule("STATE", Decimal("6.25")), TaxRule("CITY", Decimal("2.5"), "NONE")),
            tax_collected_by_operator=True,
            amount_breakdown=True,
        ),
        # All lines or none; debited before the parcel may leave; tracking is mandatory.
        MarketplaceProfile(
            name="all-or-nothing",
            country="DEU",
            country_label="Deutschland",
            locale="de_DE",
            timezone="Europe/Berlin",
            partial_acceptance=False,
            partial_cancelation=False,
            payment_workflow="PAY_ON_ACCEPTANCE",
            addresses_from="WAITING_ACCEPTANCE",
            acceptance_window_hours=72.0,
            debit_delay=1800.0,
            tax_mode="TAX_INCLUDED",
            taxes=(TaxRule("MWST19", Decimal("19")),),
            alternative_carrier=False,
            order_fees=True,
            shipping_types=(ShippingType("STD", "Standard", "CU_ADD-STD", mandatory_tracking=True),),
        ),
    )
}

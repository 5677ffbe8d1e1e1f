"""The rules of one connection: a Mirakl shop account selling from one Shopify shop, its settings and what its
marketplace allows."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

ImportRoute = Literal["draft", "order"]


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier the marketplace has registered (SH21)."""

    code: str
    label: str
    standard_code: str = ""


@dataclass(frozen=True, slots=True)
class CarrierMapping:
    """How one carrier name, exactly as the shop writes it, is called at this marketplace: a registered `code`,
    or an unregistered `name` to be sent with the full tracking URL. Matching ignores case and outer blanks."""

    shop_name: str
    code: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionRules:
    """Everything `decide` may know about a connection. Durations that are None are switched off, except
    `acceptance_window`, without which a connection cannot go live."""

    name: str
    hold_handle: str
    import_route: ImportRoute = "draft"
    payment_lock: bool = True
    quiet_period: timedelta = timedelta(seconds=60)
    lineage_wait: timedelta = timedelta(minutes=10)
    edit_window: timedelta | None = None
    acceptance_window: timedelta | None = None
    accepts_by_itself: bool = False
    partial_acceptance: bool = False
    partial_cancelation: bool = False
    tax_mode: str = "TAX_INCLUDED"
    order_level_tax: bool = False
    cancelation_reason: str = ""
    carriers: tuple[Carrier, ...] = ()
    carrier_mappings: tuple[CarrierMapping, ...] = ()
    unregistered_carriers: bool = True
    tracking_mandatory_for: tuple[str, ...] = ()
    own_fulfillment_centers: tuple[str, ...] = ("", "DEFAULT")
    settle: timedelta = timedelta(seconds=60)

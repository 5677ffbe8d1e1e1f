"""What a marketplace says of itself, as far as its API tells."""

from dataclasses import dataclass

from interlock.orders.connection import Carrier


@dataclass(frozen=True, slots=True)
class OperatorReason:
    """A reason of the operator's list (RE01). Only one with `shop_right` may be sent by a shop."""

    code: str
    label: str
    shop_right: bool


@dataclass(frozen=True, slots=True)
class Capability:
    """What this marketplace allows, as far as its API tells (PC01, RE01, SH12, SH21, A01).

    `tax_mode` is the platform's default. `acceptance` is AUTOMATIC, NOT_AUTOMATIC or BOTH (PC01). Strings are
    empty and flags None where the answer does not say. Not in any answer, hence settings of the connection:
    the acceptance window, partial acceptance, partial cancelation. Nor is "order level tax calculation" in PC01:
    an order that carries `order_taxes` proves it (`MiraklOrder.order_level_tax`).
    """

    tax_mode: str
    acceptance: str
    address_before_acceptance: bool | None
    unregistered_carriers: bool | None
    carriers: tuple[Carrier, ...]
    shipping_types: tuple[str, ...]
    tracking_mandatory_for: tuple[str, ...]
    cancelation_reasons: tuple[OperatorReason, ...]
    currency: str
    shop_id: str
    shop_name: str
    shop_state: str
    shop_model: str
    time_zone: str
    multi_shipment: bool | None
    refund_reasons: tuple[OperatorReason, ...] = ()
    message_reasons: tuple[OperatorReason, ...] = ()
    workflows: tuple[str, ...] = ()

"""Orders as the simulated marketplace keeps them. All amounts are kept without tax, beside their taxes."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ZERO = Decimal(0)

ENDED_LINE_STATES = ("REFUSED", "CANCELED", "REFUNDED")
TERMINAL_ORDER_STATES = ("CLOSED", "REFUSED", "CANCELED")
SHIPPED_STATES = ("SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED")
# Refunds are possible in these, if the line is debited; CLOSED is too late (section 5 OR28).
REFUND_STATES = ("SHIPPING", "SHIPPED", "TO_COLLECT", "RECEIVED")

PROPORTIONAL = "PROPORTIONAL_TO_AMOUNT"
REQUESTED = "REQUESTED"

# Minor digits of the currencies that do not have two (ISO 4217).
_EXPONENTS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "BHD": 3, "KWD": 3, "TND": 3}


def cent(currency: str) -> Decimal:
    """The smallest amount of a currency, such as 0.01."""
    return Decimal(1).scaleb(-_EXPONENTS.get(currency, 2))


def rounded(amount: Decimal, unit: Decimal) -> Decimal:
    """`amount` to a whole number of `unit`, halves away from zero."""
    return amount.quantize(unit, rounding=ROUND_HALF_UP)


@dataclass(slots=True)
class Tax:
    """One tax of a line's product or shipping price. `rate` in percent; `rule` as in OR75."""

    code: str
    rate: Decimal | None
    amount: Decimal
    rule: str | None = PROPORTIONAL


@dataclass(slots=True)
class Amounts:
    """Money of one line: product and shipping without tax, taxes and fees by code."""

    product: Decimal = ZERO
    shipping: Decimal = ZERO
    taxes: dict[str, Decimal] = field(default_factory=dict)
    shipping_taxes: dict[str, Decimal] = field(default_factory=dict)
    fees: dict[str, Decimal] = field(default_factory=dict)

    def minus(self, other: "Amounts") -> "Amounts":
        return Amounts(
            self.product - other.product,
            self.shipping - other.shipping,
            {code: amount - other.taxes.get(code, ZERO) for code, amount in self.taxes.items()},
            {
                code: amount - other.shipping_taxes.get(code, ZERO)
                for code, amount in self.shipping_taxes.items()
            },
            {code: amount - other.fees.get(code, ZERO) for code, amount in self.fees.items()},
        )

    @property
    def product_tax(self) -> Decimal:
        return sum(self.taxes.values(), ZERO)

    @property
    def shipping_tax(self) -> Decimal:
        return sum(self.shipping_taxes.values(), ZERO)

    @property
    def product_with_tax(self) -> Decimal:
        return self.product + self.product_tax

    @property
    def shipping_with_tax(self) -> Decimal:
        return self.shipping + self.shipping_tax

    @property
    def total_with_tax(self) -> Decimal:
        """Everything the customer pays for it: product, shipping, their taxes, fees."""
        return self.product_with_tax + self.shipping_with_tax + sum(self.fees.values(), ZERO)


@dataclass(slots=True)
class SimCancelation:
    """A cancelation of part of a line (OR11 `cancelations[]`); `by` is who made it, which OR11 never shows."""

    id: str
    line_id: str
    quantity: int
    amounts: Amounts
    reason_code: str | None
    created: datetime
    by: str
    commission: Decimal = ZERO
    commission_taxes: tuple[tuple[str, Decimal], ...] = ()


@dataclass(slots=True)
class SimRefund:
    """A refund of part of a line (OR11 `refunds[]`). `excluded_from_shipment` is invisible in OR11.

    In the state REQUESTED it is only a request to the operator, which OR11 does not show; it keeps its money, and
    withdraws nothing until it is approved.
    """

    id: str
    order_refund_id: str
    line_id: str
    quantity: int
    amounts: Amounts
    reason_code: str
    created: datetime
    by: str
    state: str = "WAITING_REFUND"
    excluded_from_shipment: bool = False
    commission: Decimal = ZERO
    commission_taxes: tuple[tuple[str, Decimal], ...] = ()
    transaction_number: str | None = None
    transaction_date: datetime | None = None

    @property
    def requested(self) -> bool:
        """Whether the operator has not decided about it yet."""
        return self.state == REQUESTED


@dataclass(slots=True)
class SimThread:
    """A thread that was opened on an order with its first message (OR43)."""

    id: str
    message_id: str
    topic_type: str
    topic: str
    body: str
    to: tuple[str, ...]
    by: str
    at: datetime


@dataclass(slots=True)
class SimShipment:
    """One shipment of an order (section 3.6). `units` are units by order line; `by` is who made it, which ST11 never
    shows. `debited` counts under PAY_ON_SHIPMENT alone, where each shipment is debited for itself."""

    id: str
    order_id: str
    units: dict[str, int]
    by: str
    created: datetime
    updated: datetime
    status: str = "SHIPPING"
    invoice_reference: str | None = None
    warehouse: str | None = None
    carrier_code: str | None = None
    carrier_standard_code: str | None = None
    carrier_name: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    package_references: dict[str, str] = field(default_factory=dict)
    shipped: datetime | None = None
    debited: datetime | None = None

    @property
    def alive(self) -> bool:
        return self.status != "CANCELED"

    @property
    def validated(self) -> bool:
        """Whether somebody has said that it left (ST24, or `shipped` in ST01)."""
        return self.status not in ("SHIPPING", "READY_FOR_PICK_UP", "CANCELED")


@dataclass(slots=True)
class SimLine:
    """One order line. `ordered` changes only when its figures are computed anew; what is cancelled or refunded stands in its
    own lists."""

    id: str
    index: int
    sku: str
    title: str
    quantity: int
    price_unit: Decimal
    ordered: Amounts
    taxes: list[Tax]
    shipping_taxes: list[Tax]
    commission_fee: Decimal
    commission_taxes: list[tuple[str, Decimal, Decimal]]
    state: str
    created: datetime
    updated: datetime
    static: dict[str, Any] = field(default_factory=dict)
    before_incident: str | None = None
    reason_code: str | None = None
    reason_label: str | None = None
    debited: datetime | None = None
    shipped: datetime | None = None
    received: datetime | None = None
    cancelations: list[SimCancelation] = field(default_factory=list)
    refunds: list[SimRefund] = field(default_factory=list)

    @property
    def active(self) -> bool:
        """Neither refused, nor cancelled, nor refunded in full."""
        return self.state not in ENDED_LINE_STATES

    @property
    def canceled_quantity(self) -> int:
        """Units named by cancelations (informative on the platform)."""
        return sum(part.quantity for part in self.cancelations)

    @property
    def withdrawn_quantity(self) -> int:
        """Units that refunds took out of what remains to ship."""
        return sum(
            part.quantity for part in self.refunds if part.excluded_from_shipment and not part.requested
        )

    @property
    def live_quantity(self) -> int:
        """Units the marketplace still wants shipped or had shipped: ordered, less cancelled and withdrawn."""
        if self.state in ("REFUSED", "CANCELED"):
            return 0
        return max(0, self.quantity - self.canceled_quantity - self.withdrawn_quantity)

    def net(self) -> Amounts:
        """What was ordered less what was cancelled."""
        left = self.ordered
        for part in self.cancelations:
            left = left.minus(part.amounts)
        return left

    def refundable(self) -> Amounts:
        """What is left after cancelations and refunds; a refund counts from the moment it exists."""
        left = self.net()
        for part in self.refunds:
            left = left.minus(part.amounts)
        return left


@dataclass(slots=True)
class SimOrder:
    """One logistic order. `timers` maps the name of what will happen by itself to when (UTC), `changed_at` each version
    to when it began; `shown_instead` are fields of its OR11 entry that say something this API never said before;
    `operator_ships` means that the operator's own logistics takes the parcels (section 3.5 `can_shop_ship`)."""

    id: str
    commercial_id: str
    currency: str
    workflow: str
    state: str
    created: datetime
    updated: datetime
    lines: list[SimLine]
    customer: dict[str, Any]
    billing_address: dict[str, Any] | None
    shipping_address: dict[str, Any] | None
    shipping_type_code: str
    native_mode: str
    static: dict[str, Any] = field(default_factory=dict)
    payment_duration: int | None = None
    address_shown: bool = False
    waiting_since: datetime | None = None
    accepted_at: datetime | None = None
    acceptance_decision: datetime | None = None
    debited: datetime | None = None
    payment_will_fail: bool = False
    transaction_number: str | None = None
    transaction_date: datetime | None = None
    shop_can_ship: bool = False
    ship_asked: bool = False
    shipped_at: datetime | None = None
    shipping_deadline: datetime | None = None
    reference_for_customer: str | None = None
    reference_for_seller: str | None = None
    carrier_code: str | None = None
    carrier_standard_code: str | None = None
    carrier_name: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    threads: list[SimThread] = field(default_factory=list)
    shipments: list[SimShipment] = field(default_factory=list)
    operator_ships: bool = False
    shown_instead: dict[str, Any] = field(default_factory=dict)
    timers: dict[str, datetime] = field(default_factory=dict)
    version: int = 0
    changed_at: dict[int, datetime] = field(default_factory=dict)
    rendered: dict[Any, tuple[int, str]] = field(default_factory=dict, repr=False)

    def line(self, line_id: str) -> SimLine | None:
        for line in self.lines:
            if line.id == line_id:
                return line
        return None

    @property
    def active_lines(self) -> list[SimLine]:
        return [line for line in self.lines if line.active]

    def in_shipments(self, line: SimLine, *, validated: bool = False) -> int:
        """Units of the line in shipments that exist, or only in those that were said to have left."""
        counted = [part for part in self.shipments if (part.validated if validated else part.alive)]
        return sum(part.units.get(line.id, 0) for part in counted)

    @property
    def has_incident(self) -> bool:
        return any(line.state == "INCIDENT_OPEN" for line in self.lines)

    @property
    def fully_refunded(self) -> bool:
        """Refunds were requested for all that is left of the lines that were not refused or cancelled (3.5)."""
        lines = [line for line in self.lines if line.state not in ("REFUSED", "CANCELED")]
        if not lines or not any(line.refunds for line in lines):
            return False
        return all(
            left.product == ZERO and left.shipping == ZERO for left in (line.refundable() for line in lines)
        )


@dataclass(frozen=True)
class ShareRefused(Exception):
    """The amounts asked for do not fit what is left of the line."""

    reason: str

    def __str__(self) -> str:
        return self.reason


def share_of(
    line: SimLine,
    left: Amounts,
    *,
    mode: str,
    unit: Decimal,
    amount: Decimal,
    shipping_amount: Decimal,
    taxes: dict[str, Decimal],
    shipping_taxes: dict[str, Decimal],
    fees: dict[str, Decimal],
    omitted: str = "computed",
) -> Amounts:
    """What a cancelation or refund of these amounts takes from a line, without tax.

    In TAX_EXCLUDED `amount` comes on top of its taxes, in TAX_INCLUDED the taxes are inside it (section 1.6).
    PROPORTIONAL_TO_AMOUNT taxes that were left out are computed, zero or refused by `omitted`; NONE taxes
    count only when sent (section 5, OR28). Raises ShareRefused.
    """
    product, product_taxes = _one_share(
        "amount", line.taxes, left.product, left.taxes, mode, unit, amount, taxes, omitted
    )
    shipping, ship_taxes = _one_share(
        "shipping_amount",
        line.shipping_taxes,
        left.shipping,
        left.shipping_taxes,
        mode,
        unit,
        shipping_amount,
        shipping_taxes,
        omitted,
    )
    for code, fee in fees.items():
        if fee < 0 or fee > left.fees.get(code, ZERO):
            raise ShareRefused(f"fee {code} exceeds what is left of it on line {line.id}")
    return Amounts(product, shipping, product_taxes, ship_taxes, dict(fees))


def _one_share(
    name: str,
    known: list[Tax],
    left: Decimal,
    left_taxes: dict[str, Decimal],
    mode: str,
    unit: Decimal,
    amount: Decimal,
    sent: dict[str, Decimal],
    omitted: str,
) -> tuple[Decimal, dict[str, Decimal]]:
    if amount < 0:
        raise ShareRefused(f"{name} must not be negative")
    included = mode == "TAX_INCLUDED"
    whole = left + sum(left_taxes.values(), ZERO) if included else left
    if amount > whole:
        raise ShareRefused(f"{name} {amount} exceeds the remaining {whole}")
    for code, value in sent.items():
        if code not in left_taxes:
            raise ShareRefused(f"the line has no tax {code} for {name}")
        if value < 0 or value > left_taxes[code]:
            raise ShareRefused(f"tax {code} exceeds the remaining {left_taxes[code]}")
    taken: dict[str, Decimal] = {}
    for tax in known:
        if tax.code in sent:
            taken[tax.code] = sent[tax.code]
        elif tax.rule == PROPORTIONAL and amount > 0 and left_taxes.get(tax.code, ZERO) > 0:
            if omitted == "refused":
                raise ShareRefused(f"tax {tax.code} is missing for {name}")
            if omitted == "zero":
                continue
            rest = left_taxes[tax.code]
            taken[tax.code] = rest if amount == whole else min(rest, rounded(rest * amount / whole, unit))
    if not included:
        return amount, {code: value for code, value in taken.items() if value}
    net = amount - sum(taken.values(), ZERO)
    if net < 0:
        raise ShareRefused(f"the taxes exceed the {name} that includes them")
    # Money drives: what would be more than the net price left belongs to taxes nobody named.
    for tax in known:
        if net <= left:
            break
        room = min(net - left, left_taxes[tax.code] - taken.get(tax.code, ZERO))
        taken[tax.code] = taken.get(tax.code, ZERO) + room
        net -= room
    return net, {code: value for code, value in taken.items() if value}


def commission_share(
    line: SimLine, product: Decimal, unit: Decimal
) -> tuple[Decimal, tuple[tuple[str, Decimal], ...]]:
    """Commission, and its taxes, that belong to this much of the line's product price (section 8.1), in whole `unit`s."""
    if line.ordered.product == 0:
        return ZERO, ()
    part = product / line.ordered.product
    fee = rounded(line.commission_fee * part, unit)
    return fee, tuple((code, rounded(amount * part, unit)) for code, _, amount in line.commission_taxes)

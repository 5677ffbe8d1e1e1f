"""One simulated Mirakl marketplace: its orders, its timers, and the people who act on it."""

import asyncio
import heapq
import random
import uuid
from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.types import ASGIApp

from interlock.simulator.clock import PlatformClock
from interlock.simulator.faults import ArmedFaults, Fault, FaultPlan, FaultyFront
from interlock.simulator.mirakl.ceilings import CallMeter
from interlock.simulator.mirakl.generate import CATALOGUE, CatalogueItem, OrderMaker
from interlock.simulator.mirakl.offers import OfferBook
from interlock.simulator.mirakl.operations import operation_of
from interlock.simulator.mirakl.orders import (
    REFUND_STATES,
    REQUESTED,
    SHIPPED_STATES,
    TERMINAL_ORDER_STATES,
    ZERO,
    Amounts,
    ShareRefused,
    SimCancelation,
    SimLine,
    SimOrder,
    SimRefund,
    SimThread,
    cent,
    commission_share,
    rounded,
    share_of,
)
from interlock.simulator.mirakl.profile import MarketplaceProfile
from interlock.simulator.mirakl.shipments import Shipments, SimTracking
from interlock.simulator.mirakl.stock_imports import StockImports
from interlock.simulator.mirakl.switches import mirakl_switches
from interlock.simulator.record import Call, Effect, Record
from interlock.simulator.switches import Switches

_BEFORE_SHIPPED = ("STAGING", "WAITING_ACCEPTANCE", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING")
_AFTER_ACCEPTANCE = ("WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING", *SHIPPED_STATES)


class ActionRefused(ValueError):
    """Someone in the simulated world tried what the order does not allow; `field` names the input at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class ApiKey:
    """A shop API key: who calls with it, for which shop, and what its roles leave out (403).

    `persona` None means the marketplace's own (`MarketplaceProfile.persona`).
    """

    caller: str
    shop_id: int
    persona: str | None = None
    denied: tuple[str, ...] = ()


class _BothPlans:
    """Faults armed by hand first, then the plan the world was given."""

    def __init__(self, armed: ArmedFaults, given: FaultPlan | None) -> None:
        self._armed = armed
        self._given = given

    def next_fault(self, operation: str) -> Fault | None:
        fault = self._armed.next_fault(operation)
        if fault is None and self._given is not None:
            fault = self._given.next_fault(operation)
        return fault


class MiraklWorld:
    """The marketplace. Read `orders` and `record` freely, after `tick()`; change orders through methods only.

    Nothing happens in the background: timers run when `tick()` is called, which every request does first, and
    their effects carry the moment they were due. All choices come from `random.Random(seed)`.
    """

    def __init__(
        self,
        clock: PlatformClock,
        seed: int,
        profile: MarketplaceProfile,
        switches: Switches | None = None,
        faults: FaultPlan | None = None,
        catalogue: tuple[CatalogueItem, ...] = CATALOGUE,
    ) -> None:
        # Imported here because both modules need the world's type.
        from interlock.simulator.mirakl.api import SellerApi
        from interlock.simulator.mirakl.control import application

        self.clock = clock
        self.seed = seed
        self.profile = profile
        self.profile_epoch = 0
        self.profile_changed_at: datetime | None = None
        self.switches = switches if switches is not None else mirakl_switches()
        self.rng = random.Random(seed)
        self.listing_rng = random.Random(f"{seed}:listing")
        self.maker = OrderMaker(self.rng, catalogue)
        self.orders: dict[str, SimOrder] = {}
        self.by_creation: list[SimOrder] = []
        self.line_owners: dict[str, SimOrder] = {}
        self.record = Record()
        self.meter = CallMeter()
        self.armed = ArmedFaults()
        self.shop_id = 2000 + seed % 1000
        self.started = clock.now()
        self.offers = OfferBook(self.switches, self.shop_id, f"Shop on {profile.name}", profile.currency)
        for item in catalogue:
            self.offers.add(item, profile.offer_quantity, self.started)
        self.stock_imports = StockImports(self.switches, self.offers, seed)
        self.keys: dict[str, ApiKey] = {}
        self.api_key = self.add_key("shop")
        self.shipments = Shipments(self)
        self._heap: list[tuple[datetime, int, str, str]] = []
        self._sequence = 0
        self._ids = 1000
        self._woken = asyncio.Event()
        self.app: ASGIApp = FaultyFront(
            application(self, SellerApi(self)),
            _BothPlans(self.armed, faults),
            operation_of,
            self._sleep,
            self._unseen,
        )

    # -- keys, logs, time ------------------------------------------------------------------------------

    def add_key(self, caller: str, persona: str | None = None, denied: Iterable[str] = ()) -> str:
        """A further API key for the same shop; returns the key."""
        key = f"sim-{caller}-{self.rng.getrandbits(96):024x}"
        self.keys[key] = ApiKey(caller, self.shop_id, persona, tuple(denied))
        return key

    def effect(
        self,
        order: SimOrder,
        kind: str,
        at: datetime,
        actor: str,
        reference: str | None = None,
        **detail: Any,
    ) -> None:
        self.record.effects.append(Effect(at, actor, kind, order.id, reference, detail))

    def _unseen(self, operation: str, headers: dict[str, str], status: int, fault: str) -> None:
        now = self.clock.now()
        key = self.keys.get(headers.get("authorization", ""))
        caller = key.caller if key is not None else "unknown"
        reference = headers.get("x-client-reference")
        self.record.calls.append(Call(now, now, operation, caller, reference, status, (), fault))

    async def _sleep(self, platform_seconds: float) -> None:
        await asyncio.sleep(self.clock.source_seconds(platform_seconds))

    def next_due(self) -> datetime | None:
        """When the next timer is due, or None when nothing will happen by itself."""
        while self._heap:
            due, _, order_id, name = self._heap[0]
            if self.orders[order_id].timers.get(name) == due:
                return due
            heapq.heappop(self._heap)
        return None

    def tick(self) -> None:
        """Let everything happen that is due by now, in the order it was due."""
        heap = self._heap
        now = self.clock.now()
        while heap and heap[0][0] <= now:
            due, _, order_id, name = heapq.heappop(heap)
            order = self.orders[order_id]
            if order.timers.get(name) == due:
                self._background_until(due)
                del order.timers[name]
                self._fire(order, name, due)
        self._background_until(now)

    def _background_until(self, moment: datetime) -> None:
        """Stock files that were due by then are worked off, and exports complete, in the order in which they were due."""
        for due in self.stock_imports.due_by(moment):
            self.offers.complete_exports(due)
            self.stock_imports.work_off(due)
        self.offers.complete_exports(moment)

    async def run(self) -> None:
        """Run timers as they fall due, for ever; for a world that stands alone."""
        while True:
            self.tick()
            self._woken.clear()
            due = self.next_due()
            wait = None
            if due is not None:
                seconds = max(0.0, (due - self.clock.now()).total_seconds())
                wait = max(0.01, self.clock.source_seconds(seconds))
            try:
                async with asyncio.timeout(wait):
                    await self._woken.wait()
            except TimeoutError:
                continue

    def advance(self, seconds: float) -> None:
        """Skip the platform's clock ahead and let everything due happen; ValueError for a negative step."""
        self.clock.advance(seconds)
        self.tick()
        self._woken.set()

    def change_profile(self, fields: dict[str, Any]) -> None:
        """Change the marketplace's rules from now on; raises ProfileError naming the wrong field."""
        self.profile = self.profile.changed(fields)
        self.profile_epoch += 1
        self.profile_changed_at = self._now()

    def arm(self, order: SimOrder, name: str, due: datetime) -> None:
        order.timers[name] = due
        self._sequence += 1
        heapq.heappush(self._heap, (due, self._sequence, order.id, name))
        self._woken.set()

    def _next_id(self) -> str:
        self._ids += 1
        return str(self._ids)

    def touch(self, order: SimOrder, at: datetime, *, bump: bool = True, line: SimLine | None = None) -> None:
        """The order changed: its rendered text is stale; `bump` moves last_updated_date."""
        order.version += 1
        order.changed_at[order.version] = at
        if bump:
            order.updated = at
            if line is not None:
                line.updated = at

    # -- creation --------------------------------------------------------------------------------------

    def create_generated(
        self,
        *,
        lines: int | None = None,
        skus: list[str] | None = None,
        quantities: list[int] | None = None,
        workflow: str | None = None,
        staging: bool = False,
    ) -> SimOrder:
        """A customer buys something drawn from the seed. `staging` keeps the order for the operator."""
        now = self._now()
        order = self.maker.generated(
            self.profile, now, lines=lines, skus=skus, quantities=quantities, workflow=workflow
        )
        self._enter(order, now)
        if not staging:
            self._release(order, now, "system")
        elif self.profile.staging_delay is not None:
            self.arm(order, "release", now + timedelta(seconds=self.profile.staging_delay))
        self.tick()
        return order

    def create_from_document(
        self, document: dict[str, Any], *, state: str | None = None, keep_dates: bool = False
    ) -> SimOrder:
        """An order from an OR11 entry, in its own state or in `state`; DocumentError names a wrong field.

        Dates are the clock's unless `keep_dates`. An order that enters WAITING_ACCEPTANCE, SHIPPING and so on
        gets the timers of that state.
        """
        now = self._now()
        if state is not None:
            document = {
                **document,
                "order_state": state,
                "order_lines": [
                    {**line, "order_line_state": None} if isinstance(line, dict) else line
                    for line in document.get("order_lines") or []
                ],
            }
        order = self.maker.from_document(document, self.profile, now, keep_dates)
        if order.id in self.orders:
            raise ActionRefused("order_id", f"There is already an order {order.id}.")
        if not keep_dates and order.state in _BEFORE_SHIPPED:
            order.debited = None if order.workflow == "PAY_ON_ACCEPTANCE" else order.debited
            if order.state == "SHIPPING" and order.workflow == "PAY_ON_ACCEPTANCE":
                order.debited = now
            for line in order.lines:
                line.debited, line.shipped, line.received = order.debited, None, None
            order.acceptance_decision = now if order.state in _AFTER_ACCEPTANCE else None
        if order.state in _AFTER_ACCEPTANCE:
            order.accepted_at = now
        self._enter(order, now)
        self._arm_state(order, now)
        self._show_address(order, now, "system")
        self.tick()
        return order

    def _enter(self, order: SimOrder, now: datetime) -> None:
        if order.id in self.orders:
            raise ActionRefused("order_id", f"There is already an order {order.id}.")
        for line in order.lines:
            if line.id in self.line_owners:
                raise ActionRefused("order_lines", f"There is already an order line {line.id}.")
        self.orders[order.id] = order
        for line in order.lines:
            self.line_owners[line.id] = order
        insort(self.by_creation, order, key=lambda known: (known.created, known.id))
        self.effect(order, "created", now, "customer", state=order.state)
        self.offers.ordered(order, now)
        self._show_address(order, now, "system")

    def _now(self) -> datetime:
        self.tick()
        return self.clock.now()

    # -- states ----------------------------------------------------------------------------------------

    def move(self, order: SimOrder, to: str, at: datetime, actor: str, reference: str | None = None) -> None:
        """The order and its active lines enter a state; the timers of that state begin."""
        before = order.state
        order.state = to
        for line in order.lines:
            if not line.active:
                continue
            if line.state == "INCIDENT_OPEN":
                line.before_incident = to
            else:
                line.state = to
            line.updated = at
            if to == "SHIPPED":
                line.shipped = at
            elif to == "RECEIVED":
                line.received = at
        self.touch(order, at)
        self.effect(order, "state", at, actor, reference, **{"from": before, "to": to})
        for name in list(order.timers):
            if name in ("release", "auto_refuse", "auto_accept", "debit_request", "can_ship") or (
                to in ("REFUSED", "CANCELED") and not name.startswith("refund:")
            ):
                del order.timers[name]
        order.shop_can_ship = False
        self._arm_state(order, at)
        self._show_address(order, at, actor)

    def _arm_state(self, order: SimOrder, at: datetime) -> None:
        """Timers of the state the order is in (sections 3.2 to 3.4)."""
        profile = self.profile
        match order.state:
            case "WAITING_ACCEPTANCE":
                order.waiting_since = at
                if profile.accepts_automatically:
                    self.arm(order, "auto_accept", at + timedelta(seconds=profile.automatic_acceptance_delay))
                else:
                    counted = self.switches["staging_counts_toward_window"] == "yes"
                    start = order.created if counted else at
                    due = start + timedelta(hours=profile.acceptance_window_hours)
                    self.arm(order, "auto_refuse", max(due, at))
            case "WAITING_DEBIT":
                self.arm(order, "debit_request", at + timedelta(seconds=profile.debit_request_delay))
            case "WAITING_DEBIT_PAYMENT":
                self.arm(order, "debit", at + timedelta(seconds=profile.debit_delay))
                self.arm(order, "debit_timeout", at + timedelta(hours=profile.debit_timeout_hours))
            case "SHIPPING":
                if profile.multi_shipment and profile.operator_ships:
                    self.shipments.hand_to_operator(order, at)
                elif self.switches["can_shop_ship_at_shipping"] == "at_once":
                    order.shop_can_ship = True
                else:
                    self.arm(order, "can_ship", at + timedelta(seconds=profile.can_shop_ship_delay))
                self._arm_due_date(order, at, "accepted")
            case "SHIPPED":
                order.shipped_at = at
                self.arm(order, "received", at + timedelta(hours=profile.auto_received_hours))
                self._arm_due_date(order, at, "shipped")
            case "TO_COLLECT":
                self.arm(order, "received", at + timedelta(hours=profile.auto_received_hours))
            case "RECEIVED":
                self.arm(order, "closed", at + timedelta(hours=profile.auto_closed_hours))
            case _:
                pass

    def _arm_due_date(self, order: SimOrder, at: datetime, moment: str) -> None:
        if (
            order.workflow == "PAY_ON_DUE_DATE"
            and order.debited is None
            and self.switches["due_date_counts_from"] == moment
        ):
            days = order.payment_duration or self.profile.payment_duration_days
            self.arm(order, "debit", at + timedelta(days=days))

    def _show_address(self, order: SimOrder, at: datetime, actor: str) -> None:
        if order.address_shown:
            return
        wanted = self.profile.addresses_from
        shown = (
            wanted == "STAGING"
            or (wanted == "WAITING_ACCEPTANCE" and order.state != "STAGING")
            or (wanted == "ACCEPTED" and order.accepted_at is not None)
            or (wanted == "SHIPPING" and order.state in ("SHIPPING", *SHIPPED_STATES))
        )
        if shown:
            order.address_shown = True
            self.touch(order, at, bump=False)
            self.effect(order, "address_shown", at, actor)

    def _fire(self, order: SimOrder, name: str, at: datetime) -> None:
        match name:
            case "release":
                self._release(order, at, "system")
            case "auto_accept":
                everything = {line.id: True for line in order.active_lines}
                self.decide(order, everything, at, "system", automatic=True)
            case "auto_refuse":
                nothing = {line.id: False for line in order.active_lines}
                self.decide(order, nothing, at, "system", automatic=True)
            case "debit_request":
                self.move(order, "WAITING_DEBIT_PAYMENT", at, "system")
            case "debit":
                self._debit_due(order, at)
            case "debit_timeout":
                if order.debited is None:
                    self.cancel_all(order, at, "system", None, None)
            case "can_ship":
                order.shop_can_ship = True
                self.touch(order, at)
            case "received":
                self._receive(order, at, "system")
            case "closed":
                if order.state == "RECEIVED":
                    self.move(order, "CLOSED", at, "system")
                    self.effect(order, "closed", at, "system")
            case _ if name.startswith("shipment:"):
                self.shipments.debit_due(order, name.removeprefix("shipment:"), at)
            case _:
                self._refund_step(order, name.removeprefix("refund:"), at)

    def _release(self, order: SimOrder, at: datetime, actor: str) -> None:
        self.move(order, "WAITING_ACCEPTANCE", at, actor)

    def decide(
        self,
        order: SimOrder,
        decisions: dict[str, bool],
        at: datetime,
        actor: str,
        reference: str | None = None,
        *,
        automatic: bool = False,
    ) -> None:
        """Accept or refuse every line (OR21, the portal, or a timer); the caller has checked the rules."""
        accepted = [line for line in order.active_lines if decisions[line.id]]
        refused = [line for line in order.active_lines if not decisions[line.id]]
        order.acceptance_decision = None if automatic else at
        for line in refused:
            line.state = "REFUSED"
            line.updated = at
        if refused:
            kind = "auto_refused" if automatic else "refused"
            self.effect(order, kind, at, actor, reference, lines=[line.id for line in refused])
        self.offers.decided(order, accepted, refused, at, actor)
        if not accepted:
            self.move(order, "REFUSED", at, actor, reference)
            return
        order.accepted_at = at
        self.effect(order, "accepted", at, actor, reference, lines=[line.id for line in accepted])
        next_state = "WAITING_DEBIT" if order.workflow == "PAY_ON_ACCEPTANCE" else "SHIPPING"
        self.move(order, next_state, at, actor, reference)

    def _debit_due(self, order: SimOrder, at: datetime) -> None:
        if order.debited is not None:
            return
        if not order.payment_will_fail:
            self._debit(order, at, "system")
        elif order.state == "WAITING_DEBIT_PAYMENT":
            self.cancel_all(order, at, "system", None, None)
        elif order.ship_asked:
            self.arm(order, "debit_timeout", at + timedelta(hours=self.profile.debit_timeout_hours))

    def _debit(self, order: SimOrder, at: datetime, actor: str) -> None:
        order.debited = at
        order.transaction_date = at
        order.transaction_number = f"TR-{self._next_id()}"
        for line in order.active_lines:
            line.debited = at
        for name in ("debit", "debit_timeout"):
            order.timers.pop(name, None)
        self.touch(order, at)
        self.effect(order, "debited", at, actor)
        if order.state == "WAITING_DEBIT_PAYMENT":
            self.move(order, "SHIPPING", at, actor)
        elif order.state == "SHIPPING" and order.ship_asked:
            self.move(order, "SHIPPED", at, actor)
        else:
            self.shipments.order_debited(order, at, actor)

    def _receive(self, order: SimOrder, at: datetime, actor: str) -> None:
        if order.state not in ("SHIPPED", "TO_COLLECT"):
            return
        if order.workflow == "PAY_ON_DELIVERY" and order.debited is None:
            self._debit(order, at, actor)
        self.move(order, "RECEIVED", at, actor)
        self.effect(order, "received", at, actor)

    def _roll_up(self, order: SimOrder, at: datetime, actor: str, reference: str | None) -> None:
        """The order's state once no line is active; which one a mixture gives is a switch (section 3.2)."""
        if order.active_lines or order.state in TERMINAL_ORDER_STATES:
            return
        states = {line.state: None for line in order.lines}
        if "REFUNDED" in states:
            to = "CLOSED"
        elif len(states) == 1:
            to = next(iter(states))
        else:
            to = self.switches["mixed_terminal_lines"]
        self.move(order, to, at, actor, reference)
        if to == "CLOSED":
            self.effect(order, "closed", at, actor, reference)

    # -- what OR24, OR29 and OR30 do ---------------------------------------------------------------------

    def ship(self, order: SimOrder, at: datetime, actor: str, reference: str | None) -> None:
        """The seller says the whole remaining order left (OR24); the caller has checked the rules."""
        self.effect(
            order,
            "shipped",
            at,
            actor,
            reference,
            lines={line.id: line.live_quantity for line in order.active_lines},
        )
        unpaid = order.workflow == "PAY_ON_SHIPMENT" and order.debited is None
        if unpaid:
            self.arm(order, "debit", at + timedelta(seconds=self.profile.debit_delay))
        if unpaid and self.switches["pay_on_shipment_debit"] == "shipping_until_debited":
            order.ship_asked = True
            order.shop_can_ship = False
            self.touch(order, at)
        else:
            self.move(order, "SHIPPED", at, actor, reference)

    def cancel_part(
        self,
        order: SimOrder,
        line: SimLine,
        quantity: int,
        amounts: Amounts,
        reason_code: str | None,
        at: datetime,
        actor: str,
        reference: str | None = None,
        *,
        bump: bool = True,
        whole: bool = False,
    ) -> SimCancelation:
        """Write one cancelation on a line; effective at once (section 4.3). `whole` ends the line whatever is left."""
        commission, commission_taxes = commission_share(line, amounts.product, cent(order.currency))
        part = SimCancelation(
            id=self._next_id(),
            line_id=line.id,
            quantity=quantity,
            amounts=amounts,
            reason_code=reason_code,
            created=at,
            by=actor,
            commission=commission,
            commission_taxes=commission_taxes,
        )
        line.cancelations.append(part)
        self.offers.cancelled(order, line, quantity, at)
        self.touch(order, at, bump=bump, line=line)
        self.effect(
            order,
            "cancelation",
            at,
            actor,
            reference,
            line=line.id,
            quantity=quantity,
            amount=amounts.product,
            shipping_amount=amounts.shipping,
            amount_with_tax=amounts.product_with_tax,
            shipping_amount_with_tax=amounts.shipping_with_tax,
            id=part.id,
            by=actor,
        )
        left = line.net()
        shipping_counts = self.switches["line_state_after_product_cancelation"] == "product_and_shipping"
        if whole or (left.product <= 0 and (left.shipping <= 0 or not shipping_counts)):
            line.state = "CANCELED"
            line.reason_code = reason_code
            self.touch(order, at, line=line)
        return part

    def after_cancelations(self, order: SimOrder, at: datetime, actor: str, reference: str | None) -> None:
        """The order's own state once its lines were cancelled."""
        self._roll_up(order, at, actor, reference)
        self.shipments.after_cancelation(order, at, actor, reference)

    def cancel_all(
        self,
        order: SimOrder,
        at: datetime,
        actor: str,
        reference: str | None,
        reason_code: str | None,
    ) -> None:
        """Cancel every active line for all that is left of it."""
        for line in order.active_lines:
            quantity = max(0, line.quantity - line.canceled_quantity)
            self.cancel_part(
                order, line, quantity, line.refundable(), reason_code, at, actor, reference, whole=True
            )
        self.after_cancelations(order, at, actor, reference)

    # -- people ------------------------------------------------------------------------------------------

    def order(self, order_id: str) -> SimOrder:
        """The order; ActionRefused when there is none."""
        order = self.orders.get(order_id)
        if order is None:
            raise ActionRefused("order_id", f"There is no order {order_id}.")
        return order

    def _line(self, order: SimOrder, line_id: str) -> SimLine:
        line = order.line(line_id)
        if line is None:
            raise ActionRefused("line_id", f"Order {order.id} has no line {line_id}.")
        return line

    def release(self, order_id: str) -> None:
        """The operator lets a STAGING order through."""
        now = self._now()
        order = self.order(order_id)
        if order.state != "STAGING":
            raise ActionRefused("order_id", f"Order {order_id} is {order.state}, not STAGING.")
        self._release(order, now, "operator")
        self.tick()

    def portal_decide(self, order_id: str, decisions: dict[str, bool] | bool) -> None:
        """A person accepts or refuses in the seller portal: all lines, or each by its id."""
        now = self._now()
        order = self.order(order_id)
        if order.state != "WAITING_ACCEPTANCE":
            raise ActionRefused("order_id", f"Order {order_id} is {order.state}, not WAITING_ACCEPTANCE.")
        if isinstance(decisions, bool):
            decisions = {line.id: decisions for line in order.lines}
        missing = [line.id for line in order.active_lines if line.id not in decisions]
        if missing:
            raise ActionRefused("lines", f"There is no decision for {', '.join(missing)}.")
        if not self.profile.partial_acceptance and len(set(decisions.values())) > 1:
            raise ActionRefused("lines", "This marketplace accepts all lines or none.")
        self.decide(order, decisions, now, "staff")
        self.tick()

    def cancel_order(self, order_id: str, by: str = "operator", reason_code: str | None = "34") -> None:
        """The operator (any state that is not terminal) or the customer (before it shipped) cancels all of which nobody has
        said that it left."""
        now = self._now()
        order = self.order(order_id)
        self._check_canceller(order, by)
        if any(shipment.validated for shipment in order.shipments):
            rest = [
                line
                for line in order.active_lines
                if line.live_quantity > order.in_shipments(line, validated=True)
            ]
            if not rest:
                raise ActionRefused("order_id", f"Everything of order {order_id} has left.")
            for line in rest:
                self.cancel_line(order_id, line.id, by=by, reason_code=reason_code)
            return
        self.cancel_all(order, now, by, None, reason_code)

    def cancel_line(
        self,
        order_id: str,
        line_id: str,
        *,
        quantity: int | None = None,
        amount: Decimal | None = None,
        shipping_amount: Decimal | None = None,
        by: str = "operator",
        reason_code: str | None = "34",
    ) -> SimCancelation:
        """The operator or the customer cancels a line, or part of it.

        With `quantity` alone the unit share of price and shipping goes, the last units take the remainder;
        `amount` and `shipping_amount` are in the marketplace's own tax mode.
        """
        now = self._now()
        order = self.order(order_id)
        line = self._line(order, line_id)
        self._check_canceller(order, by)
        if not line.active:
            raise ActionRefused("line_id", f"Line {line_id} is {line.state}.")
        rest = line.quantity - line.canceled_quantity
        here = rest - order.in_shipments(line, validated=True)
        units = here if quantity is None else quantity
        if units < 0 or units > here or (quantity is None and here == 0):
            raise ActionRefused("quantity", f"{units} of {here} units cannot be cancelled.")
        left = line.refundable()
        whole = amount is None and shipping_amount is None and units == rest
        amounts = (
            left
            if whole
            else self._share(order, line, left, units, rest, amount, shipping_amount, ActionRefused)
        )
        bump = self.switches["cancelation_bumps_update_date"] == "yes"
        part = self.cancel_part(
            order, line, units, amounts, reason_code, now, by, bump=bump or whole, whole=whole
        )
        self.after_cancelations(order, now, by, None)
        return part

    def _check_canceller(self, order: SimOrder, by: str) -> None:
        if by not in ("operator", "customer"):
            raise ActionRefused("by", "operator or customer is expected.")
        allowed = order.state not in TERMINAL_ORDER_STATES
        if by == "customer":
            allowed = order.state in _BEFORE_SHIPPED
        if not allowed:
            raise ActionRefused("order_id", f"Order {order.id} is {order.state}; the {by} cannot cancel it.")

    def _share(
        self,
        order: SimOrder,
        line: SimLine,
        left: Amounts,
        units: int,
        rest: int,
        amount: Decimal | None,
        shipping_amount: Decimal | None,
        refused: type[ActionRefused],
        fees: Mapping[str, Decimal] | None = None,
    ) -> Amounts:
        included = self.profile.tax_mode == "TAX_INCLUDED"
        whole_price = left.product_with_tax if included else left.product
        whole_shipping = left.shipping_with_tax if included else left.shipping
        unit = cent(order.currency)
        if amount is None:
            share = whole_price * units / rest if rest else ZERO
            amount = whole_price if units == rest else share.quantize(unit)
        if shipping_amount is None:
            share = whole_shipping * units / rest if rest else ZERO
            shipping_amount = whole_shipping if units == rest else share.quantize(unit)
        try:
            return share_of(
                line,
                left,
                mode=self.profile.tax_mode,
                unit=unit,
                amount=amount,
                shipping_amount=shipping_amount,
                taxes=_part_of(left.taxes, amount, whole_price, unit),
                shipping_taxes=_part_of(left.shipping_taxes, shipping_amount, whole_shipping, unit),
                fees=dict(fees or {}),
            )
        except ShareRefused as wrong:
            raise refused("amount", f"Line {line.id}: {wrong}.") from wrong

    def refund_line(
        self,
        order_id: str,
        line_id: str,
        *,
        quantity: int = 0,
        amount: Decimal | None = None,
        shipping_amount: Decimal | None = None,
        by: str = "staff",
        reason_code: str = "15",
        excluded_from_shipment: bool = False,
        order_refund_id: str | None = None,
        fees: Mapping[str, Decimal] | None = None,
    ) -> SimRefund:
        """A person refunds in the portal (`staff`), or the operator does; paid back asynchronously (3.7).

        Without `amount` the unit share of `quantity` is refunded; amounts are in the marketplace's tax mode. `fees` are
        order fees by code, refunded only where they are named (OR28).
        """
        now = self._now()
        order = self.order(order_id)
        line = self._line(order, line_id)
        if by not in ("staff", "operator"):
            raise ActionRefused("by", "staff or operator is expected.")
        if order.state not in REFUND_STATES:
            raise ActionRefused("order_id", f"Order {order_id} is {order.state}; nothing can be refunded.")
        if not line.active:
            raise ActionRefused("line_id", f"Line {line_id} is {line.state}.")
        if line.debited is None and order.workflow != "NO_CUSTOMER_PAYMENT_CONFIRMATION":
            raise ActionRefused("line_id", f"Line {line_id} is not debited yet.")
        rest = line.quantity - line.canceled_quantity - sum(part.quantity for part in line.refunds)
        if quantity < 0 or quantity > rest:
            raise ActionRefused("quantity", f"{quantity} of {rest} units cannot be refunded.")
        if amount is None and quantity == 0:
            raise ActionRefused("amount", "An amount or a quantity is expected.")
        left = line.refundable()
        if amount is not None and shipping_amount is None:
            shipping_amount = ZERO
        amounts = self._share(order, line, left, quantity, rest, amount, shipping_amount, ActionRefused, fees)
        group = order_refund_id or self.new_group()
        part = self.refund_part(
            order, line, quantity, amounts, reason_code, excluded_from_shipment, group, now, by
        )
        self.tick()
        return part

    def new_group(self) -> str:
        """An `order_refund_id`: refunds created together share it."""
        return f"{self.rng.getrandbits(128):032x}"

    def refund_part(
        self,
        order: SimOrder,
        line: SimLine,
        quantity: int,
        amounts: Amounts,
        reason_code: str,
        excluded_from_shipment: bool,
        order_refund_id: str,
        at: datetime,
        actor: str,
        reference: str | None = None,
        *,
        requested: bool = False,
    ) -> SimRefund:
        """Write one refund on a line; the caller has checked the rules. A refund that is only `requested` waits for
        the operator and is not shown by OR11; every other is paid back asynchronously (section 3.7)."""
        commission, commission_taxes = commission_share(line, amounts.product, cent(order.currency))
        part = SimRefund(
            id=self._next_id(),
            order_refund_id=order_refund_id,
            line_id=line.id,
            quantity=quantity,
            amounts=amounts,
            reason_code=reason_code,
            created=at,
            by=actor,
            state=REQUESTED if requested else "WAITING_REFUND",
            excluded_from_shipment=excluded_from_shipment,
            commission=commission,
            commission_taxes=commission_taxes,
        )
        line.refunds.append(part)
        self.touch(order, at, bump=not requested, line=None if requested else line)
        self._refund_effect(order, part, at, actor, reference)
        if excluded_from_shipment and not requested:
            self.shipments.after_cancelation(order, at, actor, reference)
        wait = self.profile.refund_approval_delay if requested else self.profile.refund_contact_delay
        self.arm(order, f"refund:{part.id}", at + timedelta(seconds=wait))
        return part

    def decide_refund(self, order_id: str, refund_id: str, approved: bool) -> None:
        """The operator approves or declines a refund that the shop only requested; declined ones leave no trace."""
        now = self._now()
        order = self.order(order_id)
        for line in order.lines:
            for part in line.refunds:
                if part.id != refund_id or not part.requested:
                    continue
                order.timers.pop(f"refund:{part.id}", None)
                if approved:
                    self._refund_step(order, part.id, now, "operator")
                else:
                    line.refunds.remove(part)
                    self.touch(order, now, bump=False)
                    self.effect(order, "refund_declined", now, "operator", line=line.id, id=part.id)
                return
        raise ActionRefused(
            "refund_id", f"Order {order_id} has no refund {refund_id} that waits for approval."
        )

    def balance(self, state: str) -> Decimal:
        """What a refund of an order in `state` may draw on (section 5 OR28): RECEIVED the payable balance, every
        other the pending one. Both are what this shop's debited orders still bring, and the profile's adjustment."""
        received = state == "RECEIVED"
        left = sum(
            (
                line.refundable().total_with_tax
                for order in self.by_creation
                if order.debited is not None and (order.state == "RECEIVED") == received
                for line in order.lines
                if line.state not in ("REFUSED", "CANCELED")
            ),
            ZERO,
        )
        profile = self.profile
        return left + (profile.payable_adjustment if received else profile.pending_adjustment)

    def show_instead(self, order_id: str, fields: dict[str, Any]) -> None:
        """The platform begins to show values nobody knew (section 1: values may be added at any time); an empty mapping ends
        that. Nothing about the order itself changes."""
        now = self._now()
        order = self.order(order_id)
        order.shown_instead = dict(fields)
        self.touch(order, now)
        self.effect(order, "shown_instead" if fields else "shown_as_is", now, "system", fields=dict(fields))

    def open_thread(
        self,
        order: SimOrder,
        topic_type: str,
        topic: str,
        body: str,
        to: tuple[str, ...],
        at: datetime,
        actor: str,
        reference: str | None,
    ) -> SimThread:
        """A message opens a thread on the order (OR43); a repeat opens another one (section 1.9)."""
        ids = [str(uuid.UUID(int=self.rng.getrandbits(128), version=4)) for _ in range(2)]
        thread = SimThread(ids[0], ids[1], topic_type, topic, body, to, actor, at)
        order.threads.append(thread)
        self.touch(order, at, bump=self.switches["message_bumps_update_date"] == "yes")
        self.effect(order, "message", at, actor, reference, thread=thread.id, to=list(to), topic=topic)
        return thread

    def _refund_effect(
        self, order: SimOrder, part: SimRefund, at: datetime, actor: str, reference: str | None = None
    ) -> None:
        self.effect(
            order,
            "refund_request" if part.requested else "refund",
            at,
            actor,
            reference,
            line=part.line_id,
            quantity=part.quantity,
            amount=part.amounts.product,
            shipping_amount=part.amounts.shipping,
            amount_with_tax=part.amounts.product_with_tax,
            shipping_amount_with_tax=part.amounts.shipping_with_tax,
            id=part.id,
            state=part.state,
            excluded_from_shipment=part.excluded_from_shipment,
            by=part.by,
        )

    def _refund_step(self, order: SimOrder, refund_id: str, at: datetime, actor: str = "system") -> None:
        bump = self.switches["refund_payment_bumps_update_date"] == "yes"
        for line in order.lines:
            for part in line.refunds:
                if part.id != refund_id:
                    continue
                if part.requested:
                    part.state = "WAITING_REFUND"
                    due = at + timedelta(seconds=self.profile.refund_contact_delay)
                    self.arm(order, f"refund:{part.id}", due)
                    self.touch(order, at, line=line)
                elif part.state == "WAITING_REFUND":
                    part.state = "WAITING_REFUND_PAYMENT"
                    due = at + timedelta(seconds=self.profile.refund_payment_delay)
                    self.arm(order, f"refund:{part.id}", due)
                else:
                    part.state = "REFUNDED"
                    part.transaction_number = f"RF-{part.id}"
                    part.transaction_date = at
                self.touch(order, at, bump=bump, line=line)
                self._refund_effect(order, part, at, actor)
                if part.state == "REFUNDED":
                    self._after_refund(order, line, at)
                return

    def _after_refund(self, order: SimOrder, line: SimLine, at: datetime) -> None:
        left = line.refundable()
        paid = all(part.state == "REFUNDED" for part in line.refunds)
        if not (left.product == ZERO and left.shipping == ZERO and paid and line.active):
            return
        if self.switches["line_state_after_full_refund"] == "REFUNDED":
            line.state = "REFUNDED"
            self.touch(order, at, line=line)
            self._roll_up(order, at, "system", None)
        elif order.state == "RECEIVED" and order.fully_refunded:
            self.move(order, "CLOSED", at, "system")
            self.effect(order, "closed", at, "system")

    def open_incident(self, order_id: str, line_id: str, reason_code: str = "1") -> None:
        """The customer complains about a line that is on its way or there."""
        now = self._now()
        order = self.order(order_id)
        line = self._line(order, line_id)
        if line.state not in ("SHIPPING", "SHIPPED", "TO_COLLECT", "RECEIVED"):
            raise ActionRefused("line_id", f"Line {line_id} is {line.state}; no incident can be opened.")
        line.before_incident = line.state
        line.state = "INCIDENT_OPEN"
        line.reason_code = reason_code
        bump = self.switches["incident_bumps_update_date"] == "yes"
        self.touch(order, now, bump=bump, line=line)
        self.effect(order, "incident", now, "customer", line=line.id, open=True)

    def close_incident(self, order_id: str, line_id: str) -> None:
        """The operator closes a line's incident; the line returns to where the order is."""
        now = self._now()
        order = self.order(order_id)
        line = self._line(order, line_id)
        if line.state != "INCIDENT_OPEN":
            raise ActionRefused("line_id", f"Line {line_id} has no open incident.")
        line.state = line.before_incident or order.state
        line.before_incident = None
        line.reason_code = None
        bump = self.switches["incident_bumps_update_date"] == "yes"
        self.touch(order, now, bump=bump, line=line)
        self.effect(order, "incident", now, "operator", line=line.id, open=False)

    def change_address(self, order_id: str, fields: Mapping[str, str | None] | None = None) -> None:
        """The operator changes where an order goes (operator OR04, section 5; sellers cannot). `fields` are members of
        `customer.shipping_address`; without any, an invented street, postcode and city."""
        now = self._now()
        order = self.order(order_id)
        if order.state in TERMINAL_ORDER_STATES or order.shipping_address is None:
            raise ActionRefused("order_id", f"The address of order {order_id} ({order.state}) cannot change.")
        wanted = dict(fields or self._another_place(order))
        unknown = [name for name in wanted if name not in order.shipping_address]
        if unknown:
            raise ActionRefused("address", f"There is no {unknown[0]} in an address.")
        was, number = where(order.shipping_address), order.shipping_address.get("phone")
        # Made anew: orders of one customer may share what they were created with.
        order.shipping_address = {**order.shipping_address, **wanted}
        self.touch(order, now, bump=self.switches["address_change_bumps_update_date"] == "yes")
        changed = {"number_was": number, "number": wanted["phone"]} if "phone" in wanted else {}
        self.effect(
            order, "address_changed", now, "operator", was=was, where=where(order.shipping_address), **changed
        )

    def _another_place(self, order: SimOrder) -> dict[str, str]:
        rng = random.Random(f"{self.seed}:{order.id} moves:{order.version}")
        token = f"CANARY-9{rng.randrange(10**4):04d}{rng.getrandbits(28):07x}"
        return {
            "street_1": f"{rng.randrange(1, 200)} Weir Road {token}",
            "zip_code": f"{rng.randrange(10000, 99999)} {token}",
            "city": f"Shelbyville {token}",
        }

    def recalculate(
        self,
        order_id: str,
        line_id: str,
        *,
        price: Decimal | None = None,
        shipping_price: Decimal | None = None,
        taxes: Decimal | None = None,
    ) -> None:
        """The marketplace computes the figures of a line anew (OR21: they may change until the order ships). `price` and
        `shipping_price` are of the whole line, in the marketplace's own tax mode; `taxes` is the share of each present
        tax that remains. What is not given stays as the customer sees it in that mode."""
        now = self._now()
        order = self.order(order_id)
        line = self._line(order, line_id)
        if order.state not in _BEFORE_SHIPPED or not line.active:
            raise ActionRefused("order_id", f"Order {order_id} is {order.state}; its figures stand.")
        if line.cancelations or line.refunds:
            raise ActionRefused("line_id", f"Something of line {line_id} was taken back already.")
        share = Decimal(1) if taxes is None else taxes
        if share < 0:
            raise ActionRefused("taxes", "A share of the present taxes is expected.")
        included, unit, old = self.profile.tax_mode == "TAX_INCLUDED", cent(order.currency), line.ordered
        for tax in (*line.taxes, *line.shipping_taxes):
            tax.amount = rounded(tax.amount * share, unit)
        new = Amounts(
            ZERO,
            ZERO,
            {code: rounded(amount * share, unit) for code, amount in old.taxes.items()},
            {code: rounded(amount * share, unit) for code, amount in old.shipping_taxes.items()},
            dict(old.fees),
        )
        shown = old.product_with_tax if included else old.product
        shipping = old.shipping_with_tax if included else old.shipping
        new.product = (shown if price is None else price) - (new.product_tax if included else ZERO)
        new.shipping = (shipping if shipping_price is None else shipping_price) - (
            new.shipping_tax if included else ZERO
        )
        if new.product < 0 or new.shipping < 0:
            raise ActionRefused("price", "The taxes are more than that.")
        line.ordered = new
        line.price_unit = rounded(new.product / line.quantity, unit) if line.quantity else line.price_unit
        self.touch(order, now, line=line)
        self.effect(order, "recalculated", now, "operator", line=line.id)

    def debit_now(self, order_id: str) -> None:
        """The operator's payment system confirms the customer's payment now."""
        now = self._now()
        order = self.order(order_id)
        if order.debited is not None:
            raise ActionRefused("order_id", f"Order {order_id} is debited already.")
        if order.workflow == "NO_CUSTOMER_PAYMENT_CONFIRMATION":
            raise ActionRefused("order_id", "Mirakl never learns of payments in this order's workflow.")
        if order.state == "WAITING_DEBIT":
            self.move(order, "WAITING_DEBIT_PAYMENT", now, "system")
        if order.state not in ("WAITING_DEBIT_PAYMENT", "SHIPPING", "SHIPPED", "TO_COLLECT", "RECEIVED"):
            raise ActionRefused("order_id", f"Order {order_id} is {order.state}; nothing is to be paid.")
        self._debit(order, now, "operator")
        self.tick()

    def fail_payment(self, order_id: str) -> None:
        """The customer's payment fails: the platform cancels the order (section 3.2)."""
        now = self._now()
        order = self.order(order_id)
        if order.debited is not None or order.state not in ("WAITING_DEBIT", "WAITING_DEBIT_PAYMENT"):
            raise ActionRefused("order_id", f"Order {order_id} waits for no payment ({order.state}).")
        self.cancel_all(order, now, "system", None, None)

    def stall_payment(self, order_id: str) -> None:
        """The payment neither succeeds nor fails: the debit time-out will cancel the order (section 3.4)."""
        now = self._now()
        order = self.order(order_id)
        if order.debited is not None or order.state != "WAITING_DEBIT_PAYMENT":
            raise ActionRefused("order_id", f"Order {order_id} waits for no payment ({order.state}).")
        order.timers.pop("debit", None)
        self.touch(order, now, bump=False)

    def portal_ship(
        self,
        order_id: str,
        units: dict[str, int] | None = None,
        *,
        carrier_code: str | None = None,
        number: str | None = None,
    ) -> None:
        """A person says in the seller portal that the parcel left: the whole order, or `units` by line where
        multi-shipment is on."""
        now = self._now()
        order = self.order(order_id)
        if order.state != "SHIPPING" or order.ship_asked:
            raise ActionRefused("order_id", f"Order {order_id} is {order.state}, not SHIPPING.")
        carrier = next((known for known in self.profile.carriers if known.code == carrier_code), None)
        if carrier_code is not None and carrier is None:
            raise ActionRefused("carrier_code", f"There is no carrier {carrier_code}.")
        if not self.profile.multi_shipment:
            if units is not None:
                raise ActionRefused("units", "This marketplace ships whole orders only.")
            if carrier is not None:
                order.carrier_code, order.carrier_name = carrier.code, carrier.label
                order.tracking_number = number
            self.ship(order, now, "staff", None)
            return
        left = {line.id: self.shipments.left_to_ship(order, line) for line in order.active_lines}
        chosen = {line: count for line, count in (units or left).items() if count > 0}
        for line, count in chosen.items():
            if count > left.get(line, 0):
                raise ActionRefused("units", f"{count} units of {line}, but {left.get(line, 0)} are left.")
        if not chosen:
            raise ActionRefused("units", "Nothing is left to ship.")
        tracking = SimTracking(carrier_code, None, carrier.label if carrier else None, number)
        made = self.shipments.create(order, chosen, now, "staff", tracking=tracking)
        self.shipments.validate(made, now, "staff")
        self.tick()

    def portal_validate(self, shipment_id: str) -> None:
        """A person says in the portal that a shipment which exists has left."""
        now = self._now()
        shipment = self.shipments.by_id.get(shipment_id)
        if shipment is None or shipment.status != "SHIPPING":
            raise ActionRefused("shipment_id", f"There is no shipment {shipment_id} in SHIPPING.")
        self.shipments.validate(shipment, now, "staff")
        self.tick()

    def operator_takes(self, order_id: str) -> None:
        """The operator's own logistics takes the parcel of an order that is to be shipped."""
        now = self._now()
        order = self.order(order_id)
        if order.state != "SHIPPING" or order.shipments or not self.profile.multi_shipment:
            raise ActionRefused("order_id", f"The operator cannot take order {order_id} ({order.state}).")
        self.shipments.hand_to_operator(order, now)

    def receive(self, order_id: str) -> None:
        """The customer says the parcel is there."""
        now = self._now()
        order = self.order(order_id)
        if order.state not in ("SHIPPED", "TO_COLLECT"):
            raise ActionRefused("order_id", f"Order {order_id} is {order.state}, not SHIPPED.")
        self._receive(order, now, "customer")


def where(address: Mapping[str, Any]) -> list[str]:
    """Name, street, postcode and city of an address, each as one text: for the log of effects."""
    parts = (("firstname", "lastname"), ("street_1", "street_2"), ("zip_code",), ("city",))
    return [" ".join(address[name] for name in names if address.get(name)) for names in parts]


def _part_of(taxes: dict[str, Decimal], amount: Decimal, whole: Decimal, unit: Decimal) -> dict[str, Decimal]:
    """The portal computes every tax's share by itself, whatever the tax's rule."""
    if not whole:
        return {}
    return {
        code: tax if amount == whole else min(tax, (tax * amount / whole).quantize(unit))
        for code, tax in taxes.items()
    }

"""Shipments of a simulated marketplace with multi-shipment on (sections 3.6 and 6): what happens to them, and who does it."""

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from interlock.simulator.mirakl.orders import SHIPPED_STATES, SimLine, SimOrder, SimShipment

if TYPE_CHECKING:
    from interlock.simulator.mirakl.world import MiraklWorld

TIMER = "shipment:"


@dataclass(frozen=True, slots=True)
class SimTracking:
    """The tracking of a parcel as the marketplace keeps it (end of section 6)."""

    carrier_code: str | None = None
    carrier_standard_code: str | None = None
    carrier_name: str | None = None
    number: str | None = None
    url: str | None = None


class Shipments:
    """The shipments of one marketplace. Every change is written down as an effect of its order."""

    def __init__(self, world: "MiraklWorld") -> None:
        self._world = world
        self._rng = random.Random(f"{world.seed}:shipments")
        self.by_id: dict[str, SimShipment] = {}

    # -- what may be done ----------------------------------------------------------------------------------

    def left_to_ship(self, order: SimOrder, line: SimLine) -> int:
        """Units of a line that are in no shipment yet."""
        return line.live_quantity - order.in_shipments(line) if line.active else 0

    def create(
        self,
        order: SimOrder,
        units: Mapping[str, int],
        at: datetime,
        actor: str,
        reference: str | None = None,
        *,
        tracking: SimTracking = SimTracking(),
        invoice_reference: str | None = None,
        warehouse: str | None = None,
        package_references: Mapping[str, str] | None = None,
    ) -> SimShipment:
        """A shipment of these units exists, in SHIPPING (ST01, or the portal); the caller has checked the rules."""
        made = SimShipment(
            id=str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
            order_id=order.id,
            units=dict(units),
            by=actor,
            created=at,
            updated=at,
            invoice_reference=invoice_reference,
            warehouse=warehouse,
            package_references=dict(package_references or {}),
        )
        self.by_id[made.id] = made
        order.shipments.append(made)
        _put(made, tracking)
        self._world.touch(order, at, bump=self._world.switches["shipment_bumps_update_date"] == "yes")
        self._effect(made, "shipment_created", at, actor, reference, lines=dict(made.units))
        return made

    def track(
        self,
        shipment: SimShipment,
        tracking: SimTracking,
        at: datetime,
        actor: str,
        reference: str | None = None,
    ) -> None:
        """The shipment carries this tracking (ST23): what it had before is gone."""
        _put(shipment, tracking)
        self._changed(shipment, at)
        self._effect(shipment, "shipment_tracking", at, actor, reference)

    def validate(self, shipment: SimShipment, at: datetime, actor: str, reference: str | None = None) -> None:
        """The shipment left (ST24, or a click in the portal). Under PAY_ON_SHIPMENT it is debited first (3.6)."""
        order = self._world.orders[shipment.order_id]
        shipment.shipped = at
        self._effect(shipment, "shipment_shipped", at, actor, reference, lines=dict(shipment.units))
        if order.workflow == "PAY_ON_SHIPMENT" and order.debited is None:
            shipment.status = "SHIPMENT_PREPARED"
            self._changed(shipment, at)
            due = at + timedelta(seconds=self._world.profile.debit_delay)
            self._world.arm(order, f"{TIMER}{shipment.id}", due)
            return
        shipment.status = "SHIPPED"
        self._changed(shipment, at)
        self.settle(order, at, actor, reference)

    def debit_due(self, order: SimOrder, shipment_id: str, at: datetime) -> None:
        """The customer paid for one shipment (PAY_ON_SHIPMENT)."""
        shipment = self.by_id[shipment_id]
        if shipment.status != "SHIPMENT_PREPARED":
            return
        shipment.status, shipment.debited = "SHIPPED", at
        self._changed(shipment, at)
        self._effect(shipment, "shipment_debited", at, "system", None)
        for line in order.active_lines:
            if line.debited is None and order.in_shipments(line, validated=True) >= line.live_quantity:
                line.debited = at
        if order.debited is None and all(line.debited is not None for line in order.active_lines):
            order.debited = at
            self._world.effect(order, "debited", at, "system")
        self.settle(order, at, "system", None)

    def order_debited(self, order: SimOrder, at: datetime, actor: str) -> None:
        """The customer paid for the whole order: what waited for that is on its way."""
        for shipment in order.shipments:
            if shipment.status == "SHIPMENT_PREPARED":
                order.timers.pop(f"{TIMER}{shipment.id}", None)
                shipment.status, shipment.debited = "SHIPPED", at
                self._changed(shipment, at)
        self.settle(order, at, actor, None)

    def delete(self, shipment: SimShipment, at: datetime, actor: str, reference: str | None = None) -> None:
        """The shipment is gone, its units are to be shipped again (ST06, or the portal)."""
        shipment.status = "CANCELED"
        self._changed(shipment, at)
        self._effect(shipment, "shipment_deleted", at, actor, reference)

    def settle(self, order: SimOrder, at: datetime, actor: str, reference: str | None) -> None:
        """The order is SHIPPED once everything that is live has left in shipments (section 3.6)."""
        if order.state != "SHIPPING" or not order.shipments or not order.active_lines:
            return
        gone = {
            line.id: sum(
                part.units.get(line.id, 0) for part in order.shipments if part.status in SHIPPED_STATES
            )
            for line in order.active_lines
        }
        if all(gone[line.id] >= line.live_quantity for line in order.active_lines):
            self._world.move(order, "SHIPPED", at, actor, reference)

    def after_cancelation(self, order: SimOrder, at: datetime, actor: str, reference: str | None) -> None:
        """Units were cancelled: shipments of an order that ended are gone, and the rest may be all that was to ship."""
        if order.state == "CANCELED":
            for shipment in order.shipments:
                if shipment.alive and not shipment.validated:
                    self.delete(shipment, at, "system")
            return
        if self._world.switches["order_after_rest_cancelled"] == "shipped":
            self.settle(order, at, actor, reference)

    # -- the operator --------------------------------------------------------------------------------------

    def hand_to_operator(self, order: SimOrder, at: datetime) -> None:
        """The operator's logistics takes the order: shipments exist already and the shop may not ship (3.5)."""
        order.operator_ships = True
        order.shop_can_ship = False
        order.timers.pop("can_ship", None)
        units = {line.id: line.live_quantity for line in order.active_lines if line.live_quantity}
        self.create(order, units, at, "operator")

    def _changed(self, shipment: SimShipment, at: datetime) -> None:
        order = self._world.orders[shipment.order_id]
        shipment.updated = at
        self._world.touch(order, at, bump=self._world.switches["shipment_bumps_update_date"] == "yes")

    def _effect(
        self,
        shipment: SimShipment,
        kind: str,
        at: datetime,
        actor: str,
        reference: str | None,
        **detail: object,
    ) -> None:
        self._world.effect(
            self._world.orders[shipment.order_id],
            kind,
            at,
            actor,
            reference,
            shipment=shipment.id,
            marker=shipment.invoice_reference,
            carrier=shipment.carrier_code or shipment.carrier_name,
            number=shipment.tracking_number,
            **detail,
        )


def _put(shipment: SimShipment, tracking: SimTracking) -> None:
    shipment.carrier_code = tracking.carrier_code
    shipment.carrier_standard_code = tracking.carrier_standard_code
    shipment.carrier_name = tracking.carrier_name
    shipment.tracking_number = tracking.number
    shipment.tracking_url = tracking.url

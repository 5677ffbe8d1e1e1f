"""The people and programs of a rehearsal: staff who edit, a picker who does not wait, operators, and those who answer cases."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select
from sqlalchemy.engine import Row

from interlock.cases.store import CannotAnswer, answer, cases
from interlock.engine.hints import hint
from interlock.imports.store import map_skus
from interlock.orders.codec import decode
from interlock.orders.connection import CarrierMapping
from interlock.orders.memory import Memory
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders
from interlock.rehearsal.world import CARRIER_NAMES, World
from interlock.shipping.store import carrier_map, map_carriers
from interlock.simulator.mirakl import ActionRefused, MiraklWorld, SimOrder
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import LineItem, Order

LAST_RESORTS = (Option.REFUSE_ORDER, Option.ACCEPT_WITHOUT_ORDER, Option.CREATE_WITH_CUSTOM_LINE)
"""What is offered late in the acceptance window to an order that cannot be imported."""


@dataclass(frozen=True)
class Temper:
    """How this rehearsal's people behave. Probabilities per order or per round; times in platform seconds.

    With `waits_for_options` nobody mends the shop for an order that cannot be imported: they wait for what the case
    offers late in the acceptance window, and choose from that.
    """

    picker_every: float = 300.0
    picker_chance: float = 0.6
    desk_every: float = 240.0
    desk_chance: float = 0.8
    unknown_carrier: float = 0.15
    tracking_missing: float = 0.05
    waits_for_options: bool = False


@dataclass
class Crowd:
    """Everybody who acts in one world. `did` counts what really happened; refused attempts are counted apart."""

    world: World
    rng: random.Random
    temper: Temper
    did: Counter[str] = field(default_factory=Counter)
    active: bool = True
    picking: bool = True
    replaced: set[str] = field(default_factory=set)

    # -- finding things --------------------------------------------------------------------------------

    def shopify_order(self, marketplace: str, order: SimOrder) -> Order | None:
        """The live Shopify order that stands for this marketplace order, if it exists already."""
        with self.world.database.begin() as c:
            linked = c.execute(
                select(orders.c.shopify_order_id).where(
                    orders.c.connection_id == self.world.connection_ids[marketplace],
                    orders.c.mirakl_order_id == order.id,
                )
            ).scalar_one_or_none()
        for found in self.world.shopify.shop.orders.values():
            if found.gid == linked and found.cancelled_at is None:
                return found
        return None

    def _do(self, name: str, act: Callable[[], object]) -> bool:
        """Try something a person may want; platforms may say no."""
        try:
            act()
        except (Refused, ActionRefused, KeyError, StopIteration):
            self.did[f"{name} refused"] += 1
            return False
        self.did[name] += 1
        return True

    # -- stories ---------------------------------------------------------------------------------------

    async def live_through(self, marketplace: str, order: SimOrder, story: str) -> None:
        """Let one story happen to one order, some time after its Shopify order exists."""
        world = self.world.mirakl[marketplace]
        await asyncio.sleep(self.rng.choice((30.0, 300.0, 1200.0)) * self.rng.uniform(0.5, 1.5))
        match story:
            case "operator cancels order":
                self._do(story, lambda: world.cancel_order(order.id))
                return
            case "operator cancels line":
                line = self.rng.choice(order.lines)
                units = self.rng.randint(1, line.quantity)
                self._do(story, lambda: world.cancel_line(order.id, line.id, quantity=units))
                return
            case "payment fails":
                await self._fail_payment(world, order)
                return
            case "incident":
                line = order.lines[0]
                if self._do(story, lambda: world.open_incident(order.id, line.id)):
                    await asyncio.sleep(self.rng.uniform(300, 1500))
                    self._do("incident closed", lambda: world.close_incident(order.id, line.id))
                return
        for _ in range(20):
            found = self.shopify_order(marketplace, order)
            if found is not None and story == "operator cancels after picking":
                if self._pick_with_unmapped_carrier(found):
                    await asyncio.sleep(self.rng.uniform(1, 60))
                    self._do(story, lambda: world.cancel_order(order.id))
                    return
            elif found is not None:
                await self._edit(story, found, world, order)
                return
            if not self.active:
                return
            await asyncio.sleep(90)

    async def _edit(self, story: str, found: Order, world: MiraklWorld, order: SimOrder) -> None:
        staff = self.world.shopify
        lines = [line for line in found.lines if line.current_quantity > 0]
        if not lines:
            return
        line = self.rng.choice(lines)
        units = line.current_quantity
        match story:
            case "quantity lowered":
                wanted = self.rng.randint(1, max(units - 1, 1)) if units > 1 else 0
                self._do(story, lambda: staff.set_quantity(found, line.gid, wanted))
            case "line removed":
                self._do(story, lambda: staff.remove_line(found, line.gid))
            case "everything removed":
                self._do(story, lambda: staff.edit(found, quantities=[(each.gid, 0) for each in lines]))
            case "edit undone":
                if self._do(story, lambda: staff.set_quantity(found, line.gid, units - 1)):
                    await asyncio.sleep(self.rng.uniform(5, 50))
                    self._do("undo", lambda: staff.set_quantity(found, line.gid, units))
            case "burst of edits":
                for _ in range(3):
                    current = line.current_quantity
                    if current > 0:
                        self._do(story, partial(staff.set_quantity, found, line.gid, current - 1))
                    await asyncio.sleep(self.rng.uniform(2, 25))
            case "quantity raised":
                self._do(story, lambda: staff.set_quantity(found, line.gid, units + 1))
            case "line added":
                self._do(story, lambda: staff.edit(found, add=[(self._some_sku(), 1)]))
            case "sku swapped":
                self._do(
                    story,
                    lambda: staff.edit(found, quantities=[(line.gid, 0)], add=[(self._some_sku(), units)]),
                )
            case "discount":
                self._do(story, lambda: staff.edit(found, discounts=[(line.gid, "1.00")]))
            case "address changed":
                self._do(story, lambda: staff.change_address(found))
            case "note":
                self._do(story, lambda: staff.set_note(found, "Called back."))
            case "cancelled in shopify":
                self._do(story, lambda: staff.cancel_order(found))
            case "replaced by an app":
                if self._do(
                    story,
                    lambda: staff.replace_order(
                        found,
                        copy_first=self.rng.random() < 0.5,
                        copy_attributes=self.rng.random() < 0.5,
                    ),
                ):
                    self.replaced.add(found.gid)
            case "hold released by staff":
                for _ in range(8):
                    if found.cancelled_at is None and staff.release_holds(found) > 0:
                        self.did[story] += 1
                    await asyncio.sleep(self.rng.uniform(40, 150))
            case "money refunded":
                amount = self.rng.choice(("1.00", "5.00"))
                self._do(story, lambda: staff.refund(found, money=amount))
            case "both sides cut one line":
                target = dict(line.attributes).get("_mirakl_line_id", order.lines[0].id)
                self._do(story, lambda: staff.set_quantity(found, line.gid, units - 1))
                self._do("operator race", lambda: world.cancel_line(order.id, target, quantity=1))
            case _:
                raise AssertionError(story)

    async def _fail_payment(self, world: MiraklWorld, order: SimOrder) -> None:
        """The customer's payment fails while the marketplace waits for it, or never is waited for."""
        for _ in range(60):
            if order.state in ("WAITING_DEBIT", "WAITING_DEBIT_PAYMENT") and order.debited is None:
                break
            await asyncio.sleep(30)
        self._do("payment fails", lambda: world.fail_payment(order.id))

    def _pick_with_unmapped_carrier(self, found: Order) -> bool:
        """Print a label that the marketplace cannot be told of yet."""
        for item in found.fulfillment_orders:
            if item.status in ("OPEN", "IN_PROGRESS") and item.remaining:
                return self._do(
                    "label printed",
                    partial(
                        self.world.shopify.fulfill, item, company=CARRIER_NAMES[3], number="PARCEL-EARLY"
                    ),
                )
        return False

    def _some_sku(self) -> str:
        variants = list(self.world.shopify.shop.variants.values())
        return self.rng.choice([variant.sku for variant in variants if variant.sku])

    # -- the warehouse ---------------------------------------------------------------------------------

    async def pick_for_ever(self) -> None:
        """The picker prints a label for whatever nobody holds, now and then, and asks nobody."""
        number = 0
        while True:
            await asyncio.sleep(self.temper.picker_every * self.rng.uniform(0.5, 1.5))
            if not self.picking:
                continue
            for found in list(self.world.shopify.shop.orders.values()):
                if found.cancelled_at is not None or self.rng.random() > self.temper.picker_chance:
                    continue
                company: str | None = self.rng.choice(CARRIER_NAMES[:3])
                if self.rng.random() < self.temper.unknown_carrier:
                    company = CARRIER_NAMES[3]
                if self.rng.random() < self.temper.tracking_missing:
                    company = None
                for item in found.fulfillment_orders:
                    if item.status not in ("OPEN", "IN_PROGRESS") or not item.remaining:
                        continue
                    number += 1
                    code = None if company is None else f"PARCEL{number:06d}"
                    self._do(
                        "label printed",
                        partial(
                            self.world.shopify.fulfill,
                            item,
                            company=company,
                            number=code,
                            display_status="LABEL_PRINTED",
                        ),
                    )

    # -- those who answer cases ------------------------------------------------------------------------

    async def answer_for_ever(self) -> None:
        """Customer service, operations and finance work through the open cases, not always at once."""
        while True:
            await asyncio.sleep(self.temper.desk_every * self.rng.uniform(0.5, 1.5))
            if self.world.outage.down:
                continue
            with self.world.database.begin() as c:
                rows = c.execute(
                    select(cases, orders.c.mirakl_order_id, orders.c.memory)
                    .join(orders, orders.c.id == cases.c.order_id)
                    .where(cases.c.closed_at.is_(None))
                    .order_by(cases.c.id)
                ).all()
            for row in rows:
                if self.rng.random() < self.temper.desk_chance:
                    self._work_on(row)

    def _work_on(self, row: Row[tuple[object, ...]]) -> None:
        marketplace = next(
            name for name, number in self.world.connection_ids.items() if number == row.connection_id
        )
        world = self.world.mirakl[marketplace]
        order = world.orders.get(row.mirakl_order_id)
        if order is None:
            return
        found = self.shopify_order(marketplace, order)
        match Reason(row.reason):
            case Reason.CARRIER_UNKNOWN:
                self._map_carrier(row, world)
            case Reason.SKU_UNKNOWN | Reason.STOCK_SHORT | Reason.ACCEPTANCE_RUNNING_OUT if (
                self.temper.waits_for_options
            ):
                offered = [option for option in LAST_RESORTS if option in row.options]
                if offered:
                    self._answer(row, self.rng.choice(offered))
            case Reason.SKU_UNKNOWN:
                self._map_sku(row)
            case Reason.STOCK_SHORT:
                for variant in self.world.shopify.shop.variants.values():
                    location = next(iter(self.world.shopify.shop.locations.values()))
                    self.world.shopify.set_stock(variant, 100, location)
                self._hint(row)
                self.did["stock replenished"] += 1
            case Reason.REFUND_TASK:
                self._refund_in_portal(row, world, order)
            case Reason.CONFIRM_WITHDRAWN:
                self._answer(row, Option.CONFIRM_WITHDRAWN)
            case Reason.POSSIBLE_SUCCESSOR:
                if found is None:
                    self._answer(row, Option.NO_SUCCESSOR)
            case Reason.CANCELLED_IN_SHOPIFY:
                if not self._answer(row, Option.REFUSE_ORDER):
                    self._do("operator asked to cancel", lambda: world.cancel_order(order.id))
            case Reason.EDIT_CANNOT_BE_EXPRESSED:
                if found is not None:
                    self._undo(found, row)
            case Reason.REDUCTION_NOT_ALLOWED | Reason.REDUCTION_REFUSED:
                if not self._answer(row, Option.SEND_AGAIN) and found is not None:
                    self._undo(found, row)
            case Reason.MARKETPLACE_CHANGED:
                if found is not None:
                    self._follow_marketplace(found, order)
            case Reason.BOTH_SIDES_CHANGED:
                if not self._answer(row, Option.CANCEL_LINE) and found is not None:
                    self._follow_marketplace(found, order)
            case Reason.PRICE_DISCREPANCY:
                self._answer(row, Option.ACCEPT_ANYWAY)
            case Reason.SHIPPING_REFUSED:
                self._map_to_registered(row, world)
                self._answer(row, Option.SEND_AGAIN)
            case Reason.OUTCOME_UNCLEAR | Reason.IMPORT_REFUSED:
                self._answer(row, Option.SEND_AGAIN)
            case Reason.TRACKING_MISSING:
                if found is not None:
                    self._add_tracking(found)
            case _:
                return

    def _answer(self, row: Row[tuple[object, ...]], option: Option) -> bool:
        now = self.world.service_clock.now()
        try:
            with self.world.database.begin() as c:
                order_id = answer(c, row.id, option.value, "Ada Agent", "Checked on both sides.", now)
                hint(c, self.world.wakeups, order_id, "edits", now)
        except CannotAnswer:
            self.did[f"answer {option.value} not offered"] += 1
            return False
        self.did[f"answered {option.value}"] += 1
        return True

    def _hint(self, row: Row[tuple[object, ...]]) -> None:
        with self.world.database.begin() as c:
            hint(c, self.world.wakeups, row.order_id, "edits", self.world.service_clock.now())

    def _map_carrier(self, row: Row[tuple[object, ...]], world: MiraklWorld) -> None:
        code = world.profile.carriers[0].code
        with self.world.database.begin() as c:
            now = self.world.service_clock.now()
            map_carriers(c, row.connection_id, [CarrierMapping(row.subject, code)], "Otto Ops", now)
            hint(c, self.world.wakeups, row.order_id, "shipping", now)
        self.did["carrier mapped"] += 1

    def _map_to_registered(self, row: Row[tuple[object, ...]], world: MiraklWorld) -> None:
        """Map every carrier anew whose code the marketplace does not know any more."""
        codes = [carrier.code for carrier in world.profile.carriers]
        with self.world.database.begin() as c:
            gone = [m for m in carrier_map(c, row.connection_id) if m.code and m.code not in codes]
            anew = [CarrierMapping(mapping.shop_name, codes[0]) for mapping in gone]
            map_carriers(c, row.connection_id, anew, "Otto Ops", self.world.service_clock.now())
        if gone:
            self.did["carrier mapped anew"] += 1

    def _map_sku(self, row: Row[tuple[object, ...]]) -> None:
        with self.world.database.begin() as c:
            now = self.world.service_clock.now()
            map_skus(c, row.connection_id, {row.subject: "MUG-BLUE"}, "Otto Ops", now)
            hint(c, self.world.wakeups, row.order_id, "acceptance", now)
        self.did["sku mapped"] += 1

    def _refund_in_portal(self, row: Row[tuple[object, ...]], world: MiraklWorld, order: SimOrder) -> None:
        memory = decode(Memory, row.memory)
        for task in memory.refund_tasks:
            if task.subject != row.subject or task.settled_at is not None:
                continue
            done = True
            for due in task.lines:
                if not due.line_id and world.profile.tax_mode == "TAX_EXCLUDED":
                    # The task names the money with taxes; splitting it for the portal is not this person's trade.
                    done = False
                    continue
                line_id = due.line_id or order.lines[0].id
                line = order.line(line_id)
                if line is None or any(r.id not in due.seen_refunds for r in line.refunds):
                    continue  # done in an earlier round; the money takes its time
                done = (
                    self._do(
                        "portal refund",
                        partial(
                            world.refund_line,
                            order.id,
                            line_id,
                            quantity=due.quantity,
                            amount=due.amount,
                            shipping_amount=due.shipping_amount,
                        ),
                    )
                    and done
                )
            if done:
                self._answer(row, Option.DONE_IN_PORTAL)
            else:
                self._answer(row, Option.DISMISS)

    def _undo(self, found: Order, row: Row[tuple[object, ...]]) -> None:
        """Bring the Shopify order back to what was imported, as far as an edit can."""
        memory = decode(Memory, row.memory)
        settled = dict(memory.settled)
        linked = {link.shopify_line_id: link.mirakl_line_id for link in memory.links}
        per_line: dict[str, list[LineItem]] = {}
        quantities: list[tuple[str | int, int]] = []
        for line in found.lines:
            mirakl_line = linked.get(line.gid)
            if mirakl_line is None:
                if line.current_quantity > 0:
                    quantities.append((line.gid, 0))
            else:
                per_line.setdefault(mirakl_line, []).append(line)
        for mirakl_line, group in per_line.items():
            short = settled.get(mirakl_line, 0) - sum(line.current_quantity for line in group)
            if short:
                target = group[0]
                quantities.append((target.gid, max(target.current_quantity + short, 0)))
        if quantities:
            self._do("edit taken back", lambda: self.world.shopify.edit(found, quantities=quantities))

    def _follow_marketplace(self, found: Order, order: SimOrder) -> None:
        """Remove in Shopify what the marketplace has cancelled."""
        live = {line.id: line.live_quantity if line.active else 0 for line in order.lines}
        quantities: list[tuple[str | int, int]] = []
        for line in found.lines:
            mirakl_line = dict(line.attributes).get("_mirakl_line_id")
            if mirakl_line is None or line.current_quantity == 0:
                continue
            rest = live.get(mirakl_line, 0)
            keep = min(line.current_quantity, rest)
            live[mirakl_line] = rest - keep
            if keep != line.current_quantity:
                quantities.append((line.gid, keep))
        if quantities:
            self._do("marketplace followed", lambda: self.world.shopify.edit(found, quantities=quantities))

    def _add_tracking(self, found: Order) -> None:
        for shipment in found.fulfillments:
            if not shipment.tracking:
                self._do(
                    "tracking added",
                    partial(self.world.shopify.update_tracking, shipment, company="UPS", number="LATE000001"),
                )


STORIES: dict[str, float] = {
    "nothing": 3.0,
    "quantity lowered": 3.0,
    "line removed": 2.0,
    "everything removed": 0.7,
    "edit undone": 1.0,
    "burst of edits": 1.0,
    "quantity raised": 0.7,
    "line added": 0.7,
    "sku swapped": 1.0,
    "discount": 0.5,
    "address changed": 0.7,
    "note": 0.3,
    "cancelled in shopify": 1.0,
    "replaced by an app": 0.7,
    "hold released by staff": 1.0,
    "money refunded": 1.0,
    "both sides cut one line": 0.7,
    "operator cancels order": 0.8,
    "operator cancels line": 0.8,
    "operator cancels after picking": 0.6,
    "payment fails": 0.8,
    "incident": 0.4,
}


def draw_story(rng: random.Random) -> str:
    """One story by its weight."""
    return rng.choices(list(STORIES), list(STORIES.values()))[0]

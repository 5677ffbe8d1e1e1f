"""What may happen to one order: its story, told by staff, buyers, apps, the warehouse, people at the marketplace, or our own
edit desk."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from interlock.console import editing, lineage
from interlock.console.editing import Asked
from interlock.desk.requests import RequestRefused, Wish
from interlock.orders.reasons import Option
from interlock.orders.snapshots import GONE_OUT
from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.world import CARRIER_NAMES
from interlock.simulator.mirakl import MiraklWorld, SimOrder
from interlock.simulator.shopify.addresses import invented_address
from interlock.simulator.shopify.state import FulfillmentOrder, LineItem, Order
from interlock.simulator.shopify.world import ShopifyWorld

LOOKED_FOR = 20
"""How often somebody looks for the Shopify order before giving up; 90 seconds apart."""


@dataclass(frozen=True)
class Scene:
    """One order when its story begins: both sides of it, and the line that is meant."""

    crowd: Crowd
    marketplace: str
    market: MiraklWorld
    order: SimOrder
    found: Order
    lines: tuple[LineItem, ...]
    line: LineItem
    units: int

    @property
    def shop(self) -> ShopifyWorld:
        return self.crowd.world.shopify

    @property
    def rng(self) -> random.Random:
        return self.crowd.rng

    @property
    def fewer(self) -> int:
        """A quantity below the line's own."""
        return self.rng.randint(1, max(self.units - 1, 1)) if self.units > 1 else 0

    @property
    def skus(self) -> list[tuple[str, int]]:
        """The order as it stands, as (SKU, units)."""
        return [(line.sku or "", line.current_quantity) for line in self.lines if line.sku]


AtTheShop = Callable[[Scene, str], Awaitable[None]]
AtTheMarketplace = Callable[[Crowd, MiraklWorld, SimOrder, str], Awaitable[None]]


async def live_through(crowd: Crowd, marketplace: str, order: SimOrder, story: str) -> None:
    """Let one story happen to one order, some time after its Shopify order exists."""
    market = crowd.world.mirakl[marketplace]
    await asyncio.sleep(crowd.rng.choice((30.0, 300.0, 1200.0)) * crowd.rng.uniform(0.5, 1.5))
    told = AT_THE_MARKETPLACE.get(story)
    if told is not None:
        await told[1](crowd, market, order, story)
        return
    for _ in range(LOOKED_FOR):
        found = crowd.shopify_order(marketplace, order)
        if found is not None:
            lines = tuple(line for line in found.lines if line.current_quantity > 0)
            if lines:
                line = crowd.rng.choice(lines)
                scene = Scene(crowd, marketplace, market, order, found, lines, line, line.current_quantity)
                tell = ON_PURPOSE[story] if story in ON_PURPOSE else AT_THE_SHOP[story][1]
                await tell(scene, story)
            return
        if not crowd.active:
            return
        await asyncio.sleep(90)


# -- staff, buyers and apps edit in place ------------------------------------------------------------------


async def _lowered(s: Scene, story: str) -> None:
    s.crowd.attempt(story, lambda: s.shop.set_quantity(s.found, s.line.gid, s.fewer))


async def _removed(s: Scene, story: str) -> None:
    s.crowd.attempt(story, lambda: s.shop.remove_line(s.found, s.line.gid))


async def _everything_removed(s: Scene, story: str) -> None:
    s.crowd.attempt(story, lambda: s.shop.edit(s.found, quantities=[(line.gid, 0) for line in s.lines]))


async def _undone(s: Scene, story: str) -> None:
    if s.crowd.attempt(story, lambda: s.shop.set_quantity(s.found, s.line.gid, s.units - 1)):
        await asyncio.sleep(s.rng.uniform(5, 50))
        s.crowd.attempt("undo", lambda: s.shop.set_quantity(s.found, s.line.gid, s.units))


async def _burst(s: Scene, story: str) -> None:
    for _ in range(3):
        current = s.line.current_quantity
        if current > 0:
            s.crowd.attempt(story, partial(s.shop.set_quantity, s.found, s.line.gid, current - 1))
        await asyncio.sleep(s.rng.uniform(2, 25))


async def _raised(s: Scene, story: str) -> None:
    s.crowd.attempt(story, lambda: s.shop.set_quantity(s.found, s.line.gid, s.units + 1))


async def _added(s: Scene, story: str) -> None:
    s.crowd.attempt(story, lambda: s.shop.edit(s.found, add=[(s.crowd.some_sku(), 1)]))


async def _swapped(s: Scene, story: str) -> None:
    other = s.crowd.some_sku()
    s.crowd.attempt(story, lambda: s.shop.edit(s.found, quantities=[(s.line.gid, 0)], add=[(other, s.units)]))


async def _swapped_and_lowered(s: Scene, story: str) -> None:
    """A swap on one line and a plain reduction on another, in one edit: half of it must not be sent."""
    quantities = [(s.line.gid, 0)]
    quantities += [(line.gid, line.current_quantity - 1) for line in s.lines if line is not s.line]
    other = s.crowd.some_sku()
    s.crowd.attempt(story, lambda: s.shop.edit(s.found, quantities=quantities, add=[(other, s.units)]))


async def _discount(s: Scene, story: str) -> None:
    s.crowd.attempt(story, lambda: s.shop.edit(s.found, discounts=[(s.line.gid, "1.00")]))


async def _custom_line(s: Scene, story: str) -> None:
    s.crowd.attempt(story, lambda: s.shop.edit(s.found, custom=[("Gift wrapping", "2.50", 1)]))


async def _shipping(s: Scene, story: str) -> None:
    s.crowd.attempt(story, lambda: s.shop.edit(s.found, shipping="9.90"))


async def _bundle(s: Scene, story: str) -> None:
    parts = [(s.crowd.some_sku(), 1)]
    s.crowd.attempt(story, lambda: s.shop.add_bundle(s.found, "Breakfast set", parts))


async def _address(s: Scene, story: str) -> None:
    s.crowd.attempt(story, lambda: s.shop.change_address(s.found))


async def _note(s: Scene, story: str) -> None:
    s.crowd.attempt(story, lambda: s.shop.set_note(s.found, "Called back."))


async def _attributes(s: Scene, story: str) -> None:
    kept = [(key, value) for key, value in s.found.attributes if s.rng.random() < 0.5]
    s.crowd.attempt(story, lambda: s.shop.set_attributes(s.found, [*kept, ("gift", "yes")]))


async def _archived(s: Scene, story: str) -> None:
    if s.crowd.attempt(story, lambda: s.shop.archive(s.found)):
        await asyncio.sleep(s.rng.uniform(30, 400))
        s.crowd.attempt("reopened", lambda: s.shop.reopen(s.found))


async def _cancelled(s: Scene, story: str) -> None:
    s.crowd.attempt(story, lambda: s.shop.cancel_order(s.found))


async def _money_refunded(s: Scene, story: str) -> None:
    amount = s.rng.choice(("1.00", "5.00"))
    s.crowd.attempt(story, lambda: s.shop.refund(s.found, money=amount))


async def _line_refunded(s: Scene, story: str) -> None:
    """Staff take a unit off by a refund with its money, as the admin's Refund page does."""
    money = s.line.net_unit_price
    s.crowd.attempt(
        story,
        lambda: s.shop.refund(s.found, lines=[(s.line.gid, 1)], money=money, restock_type="CANCEL"),
    )


async def _app_edits(s: Scene, story: str) -> None:
    await _one_app_edit(s, story, s.shop.edit_natively)


async def _buyer_edits(s: Scene, story: str) -> None:
    await _one_app_edit(s, story, s.shop.buyer_edits)


async def _one_app_edit(s: Scene, story: str, edit: Callable[..., Order]) -> None:
    match s.rng.choice(("lower", "lower", "add", "both")):
        case "lower":
            fewer = s.fewer
            s.crowd.attempt(story, lambda: edit(s.found, quantities=[(s.line.gid, fewer)]))
        case "add":
            sku = s.crowd.some_sku()
            s.crowd.attempt(story, lambda: edit(s.found, add=[(sku, 1)]))
        case _:
            sku, fewer = s.crowd.some_sku(), s.fewer
            s.crowd.attempt(story, lambda: edit(s.found, quantities=[(s.line.gid, fewer)], add=[(sku, 1)]))


# -- apps that recreate, split and merge -------------------------------------------------------------------


def _wanted(s: Scene) -> list[tuple[str, int]] | None:
    """What the new order is to have: the same, or one unit less of something."""
    if s.rng.random() < 0.5 or sum(units for _, units in s.skus) < 2:
        return None
    fewer = [(sku, units - 1 if sku == s.line.sku else units) for sku, units in s.skus]
    return [(sku, units) for sku, units in fewer if units]


async def _replaced(s: Scene, story: str) -> None:
    _replace(s, story, s.found)


def _replace(s: Scene, story: str, original: Order) -> None:
    lines = _wanted(s)
    first, attributes = s.rng.random() < 0.5, s.rng.random() < 0.5
    s.crowd.attempt(
        story,
        lambda: s.shop.replace_order(original, lines=lines, copy_first=first, copy_attributes=attributes),
    )


async def _replaced_twice(s: Scene, story: str) -> None:
    _replace(s, story, s.found)
    await asyncio.sleep(s.rng.uniform(60, 600))
    again = s.crowd.shopify_order(s.marketplace, s.order)
    if again is not None:
        _replace(s, "replaced a second time", again)


async def _cancelled_then_recreated(s: Scene, story: str) -> None:
    """Cancel first, and the new order comes minutes later."""
    if s.crowd.attempt(story, lambda: s.shop.cancel_order(s.found, refund=s.rng.random() < 0.3)):
        await asyncio.sleep(s.rng.uniform(20, 500))
        s.crowd.attempt("recreated", lambda: s.shop.replace_order(s.found, cancel=False))


async def _copied_cancelled_later(s: Scene, story: str) -> None:
    lines, after = _wanted(s), s.rng.choice((3.0, 60.0, 400.0))
    s.crowd.attempt(story, lambda: s.shop.copy_order(s.found, lines=lines, cancel_after=after))


async def _copied_never_cancelled(s: Scene, story: str) -> None:
    lines, attributes = _wanted(s), s.rng.choice((None, True))
    again = partial(s.shop.copy_order, s.found, lines=lines, copy_attributes=attributes)
    s.crowd.attempt(story, again)


async def _duplicated(s: Scene, story: str) -> None:
    """The admin's Duplicate, which leaves no link at all; then staff cancel the original, or forget to."""
    if s.crowd.attempt(story, lambda: s.shop.duplicate_as_draft(s.found)) and s.rng.random() < 0.7:
        await asyncio.sleep(s.rng.uniform(5, 200))
        s.crowd.attempt("duplicate's original cancelled", lambda: s.shop.cancel_order(s.found))


async def _split(s: Scene, story: str) -> None:
    s.crowd.attempt(story, lambda: s.shop.split_order(s.found, [(s.line.sku or "", 1)]))


async def _merged(s: Scene, story: str) -> None:
    """An app makes one order of two of the same customer, to the same address."""
    for _ in range(LOOKED_FOR):
        others = [
            other
            for each in s.market.by_creation
            if each is not s.order
            and each.shipping_address == s.order.shipping_address
            and (other := s.crowd.shopify_order(s.marketplace, each)) is not None
        ]
        if others:
            s.crowd.attempt(story, lambda other=others[0]: s.shop.merge_orders([s.found, other]))  # type: ignore[misc]
            return
        await asyncio.sleep(60)


async def _taken_back(s: Scene, story: str) -> None:
    """An app replaces the order, and a person says that it was none: the take-over is undone."""
    copied = partial(s.shop.replace_order, s.found, copy_first=False, copy_attributes=True)
    if not s.crowd.attempt("replaced, to be taken back", copied):
        return
    world, row = s.crowd.world, s.crowd.row_id(s.marketplace, s.order)
    for _ in range(LOOKED_FOR):
        await asyncio.sleep(60)
        now = s.crowd.shopify_order(s.marketplace, s.order)
        if row is None or now is None or now is s.found or world.outage.down:
            continue
        try:
            with world.database.begin() as c:
                at = world.service_clock.now()
                lineage.undo_link(c, world.wakeups, row, "Dana Desk", "It is another sale.", at)
        except lineage.LineageRefused:
            s.crowd.did[f"{story} refused"] += 1
        else:
            s.crowd.did[story] += 1
        return


async def _made_again(s: Scene, story: str) -> None:
    """A second installation with the keys of this one makes the order again: it carries our number and our app."""
    again = partial(s.shop.copy_order, s.found, app=s.shop.main_app, copy_attributes=True)
    s.crowd.attempt(story, again)


async def _copied_after_it_left(s: Scene, story: str) -> None:
    """Once the marketplace knows of the parcel, the order is copied: a second delivery, agreed on or not."""
    for _ in range(LOOKED_FOR):
        if s.order.state in GONE_OUT or not s.crowd.active:
            break
        await asyncio.sleep(90)
    app = s.rng.choice((None, None, s.shop.main_app))
    again = partial(s.shop.copy_order, s.found, app=app, copy_attributes=s.rng.random() < 0.7)
    if s.order.state in GONE_OUT:
        s.crowd.attempt(story, again)


# -- the warehouse -----------------------------------------------------------------------------------------


async def _hold_released(s: Scene, story: str) -> None:
    for _ in range(8):
        there = s.found.number in s.shop.shop.orders and s.found.cancelled_at is None
        if there and s.shop.release_holds(s.found) > 0:
            s.crowd.did[story] += 1
        await asyncio.sleep(s.rng.uniform(40, 150))


async def _cancelled_after_picking(s: Scene, story: str) -> None:
    """A label that the marketplace cannot be told of yet, and then its operator cancels."""
    for _ in range(LOOKED_FOR):
        parcel = _open_parcel(s.found)
        if parcel is not None and parcel.status in ("OPEN", "IN_PROGRESS"):
            label = partial(s.shop.fulfill, parcel, company=CARRIER_NAMES[3], number="PARCEL-EARLY")
            if s.crowd.attempt("label printed", label):
                await asyncio.sleep(s.rng.uniform(1, 60))
                s.crowd.attempt(story, lambda: s.market.cancel_order(s.order.id))
                return
        if not s.crowd.active:
            return
        await asyncio.sleep(90)


async def _parcel_split(s: Scene, story: str) -> None:
    parcel = _open_parcel(s.found)
    if parcel is not None:
        s.crowd.attempt(story, lambda: s.shop.split_fulfillment_order(parcel, [(s.line.gid, 1)]))


async def _picking_reported(s: Scene, story: str) -> None:
    parcel = _open_parcel(s.found)
    if parcel is not None and s.crowd.attempt(story, lambda: s.shop.report_progress(parcel)):
        await asyncio.sleep(s.rng.uniform(20, 300))
        await _lowered(s, "lowered while picking")


def _open_parcel(found: Order) -> FulfillmentOrder | None:
    return next((item for item in found.fulfillment_orders if item.open and item.remaining), None)


async def _edited_after_the_label(s: Scene, story: str) -> None:
    """Somebody edits once the parcel has its label: the lock of the order."""
    for _ in range(LOOKED_FOR):
        if any(shipment.status != "CANCELLED" for shipment in s.found.fulfillments):
            break
        await asyncio.sleep(90)
    left = [line for line in s.found.lines if line.current_quantity > line.fulfilled]
    if left and s.rng.random() < 0.5:
        line = left[0]
        s.crowd.attempt(story, lambda: s.shop.set_quantity(s.found, line.gid, line.current_quantity - 1))
    else:
        await _added(s, story)


async def _added_and_labelled(s: Scene, story: str) -> None:
    """Somebody adds a line to a released order, and the warehouse labels it in the same second."""
    for _ in range(LOOKED_FOR):
        parcel = _open_parcel(s.found)
        if parcel is not None and parcel.status == "OPEN":
            break
        if not s.crowd.active:
            return
        await asyncio.sleep(90)
    await _added(s, story)
    for parcel in s.found.fulfillment_orders:
        if parcel.open and parcel.remaining:
            label = partial(s.shop.fulfill, parcel, company=CARRIER_NAMES[0], number="PARCEL-AT-ONCE")
            s.crowd.attempt("label printed", label)


async def _copied_and_labelled(s: Scene, story: str) -> None:
    """An app copies a released order, and the warehouse prints its label before the app cancels it."""
    for _ in range(LOOKED_FOR):
        parcel = _open_parcel(s.found)
        if parcel is not None and parcel.status == "OPEN":
            break
        if not s.crowd.active:
            return
        await asyncio.sleep(90)
    after = s.rng.choice((3.0, 60.0))
    if not s.crowd.attempt(story, lambda: s.shop.copy_order(s.found, cancel_after=after)):
        return
    for parcel in s.found.fulfillment_orders:
        if parcel.open and parcel.remaining:
            label = partial(s.shop.fulfill, parcel, company=CARRIER_NAMES[0], number="PARCEL-COPIED")
            s.crowd.attempt("label printed", label)


async def _edited_in_an_incident(s: Scene, story: str) -> None:
    """The customer complains about a line, and staff lower it while the complaint is open."""
    target = dict(s.line.attributes).get("_mirakl_line_id", s.order.lines[0].id)
    for _ in range(LOOKED_FOR):
        if s.order.state == "SHIPPING" or not s.crowd.active:
            break
        await asyncio.sleep(60)
    if s.crowd.attempt("incident", lambda: s.market.open_incident(s.order.id, target)):
        await asyncio.sleep(s.rng.uniform(0, 200))
        await _lowered(s, story)
        await asyncio.sleep(s.rng.uniform(400, 900))
        s.crowd.attempt("incident closed", lambda: s.market.close_incident(s.order.id, target))


async def _lowered_while_packed(s: Scene, story: str) -> None:
    """Somebody edits once the fulfilment service has the order."""
    for _ in range(LOOKED_FOR):
        if any(parcel.with_service for parcel in s.found.fulfillment_orders):
            break
        if not s.crowd.active:
            return
        await asyncio.sleep(60)
    await _lowered(s, story)


# -- the marketplace ---------------------------------------------------------------------------------------


async def _operator_cancels_order(crowd: Crowd, market: MiraklWorld, order: SimOrder, story: str) -> None:
    crowd.attempt(story, lambda: market.cancel_order(order.id))


async def _customer_cancels_order(crowd: Crowd, market: MiraklWorld, order: SimOrder, story: str) -> None:
    crowd.attempt(story, lambda: market.cancel_order(order.id, by="customer"))


async def _operator_cancels_line(crowd: Crowd, market: MiraklWorld, order: SimOrder, story: str) -> None:
    _cancel_line(crowd, market, order, story, "operator")


async def _customer_cancels_line(crowd: Crowd, market: MiraklWorld, order: SimOrder, story: str) -> None:
    _cancel_line(crowd, market, order, story, "customer")


def _cancel_line(crowd: Crowd, market: MiraklWorld, order: SimOrder, story: str, by: str) -> None:
    line = crowd.rng.choice(order.lines)
    units = crowd.rng.randint(1, line.quantity)
    crowd.attempt(story, lambda: market.cancel_line(order.id, line.id, quantity=units, by=by))


async def _payment_fails(crowd: Crowd, market: MiraklWorld, order: SimOrder, story: str) -> None:
    """The customer's payment fails while the marketplace waits for it, or never is waited for."""
    for _ in range(60):
        if order.state in ("WAITING_DEBIT", "WAITING_DEBIT_PAYMENT") and order.debited is None:
            break
        await asyncio.sleep(30)
    crowd.attempt(story, lambda: market.fail_payment(order.id))


async def _paid_early(crowd: Crowd, market: MiraklWorld, order: SimOrder, story: str) -> None:
    crowd.attempt(story, lambda: market.debit_now(order.id))


async def _unknown_value(crowd: Crowd, market: MiraklWorld, order: SimOrder, story: str) -> None:
    """The platform shows a state or workflow that nobody has heard of, and later one that is known again."""
    field = crowd.rng.choice(("order_state", "order_state", "payment_workflow"))
    fields = {field: "SOMETHING_NEW", "added_in_the_next_release": {"of": [1, None]}}
    if crowd.attempt(story, lambda: market.show_instead(order.id, fields)):
        await asyncio.sleep(crowd.rng.uniform(200, 900))
        crowd.attempt("shown as it is again", lambda: market.show_instead(order.id, {}))


async def _incident(crowd: Crowd, market: MiraklWorld, order: SimOrder, story: str) -> None:
    line = order.lines[0]
    if crowd.attempt(story, lambda: market.open_incident(order.id, line.id)):
        await asyncio.sleep(crowd.rng.uniform(300, 1500))
        crowd.attempt("incident closed", lambda: market.close_incident(order.id, line.id))


async def _operator_refunds(crowd: Crowd, market: MiraklWorld, order: SimOrder, story: str) -> None:
    """The operator gives a unit's money back before anything shipped, with or without keeping it from the parcel."""
    line = crowd.rng.choice(order.lines)
    stays = crowd.rng.random() < 0.5
    for _ in range(LOOKED_FOR):
        if line.debited is not None or not crowd.active:
            break
        await asyncio.sleep(90)
    crowd.attempt(
        story,
        lambda: market.refund_line(
            order.id, line.id, quantity=1, by="operator", excluded_from_shipment=stays
        ),
    )


async def _paid(s: Scene) -> bool:
    """Whether the customer is charged before everybody goes home."""
    for _ in range(LOOKED_FOR):
        if s.order.debited is not None:
            await asyncio.sleep(s.rng.uniform(0, 240))
            return True
        if not s.crowd.active:
            return False
        await asyncio.sleep(60)
    return False


async def _lowered_once_paid(s: Scene, story: str) -> None:
    if await _paid(s):
        await _lowered(s, story)


async def _lowered_once_paid_then_undone(s: Scene, story: str) -> None:
    """An edit asks for a refund, and is taken back once the marketplace has it, or the task is there at least."""
    if await _paid(s) and s.crowd.attempt(
        story, lambda: s.shop.set_quantity(s.found, s.line.gid, s.units - 1)
    ):
        for _ in range(30):
            await asyncio.sleep(10)
            if any(line.refunds for line in s.order.lines):
                break
        await asyncio.sleep(s.rng.uniform(0, 40))
        s.crowd.attempt("undo", lambda: s.shop.set_quantity(s.found, s.line.gid, s.units))


async def _lowered_twice_once_paid(s: Scene, story: str) -> None:
    """Two edits of one line after the payment: the second asks only for what the first did not."""
    if await _paid(s) and s.crowd.attempt(
        story, lambda: s.shop.set_quantity(s.found, s.line.gid, s.units - 1)
    ):
        await asyncio.sleep(s.rng.uniform(150, 500))
        fewer = max(s.units - 2, 0)
        s.crowd.attempt("lowered again", lambda: s.shop.set_quantity(s.found, s.line.gid, fewer))


async def _both_cut(s: Scene, story: str) -> None:
    """Staff lower a line, and the marketplace cancels units of it before ours are sent, or in the same second."""
    await _both_cut_within(s, story, 0, 120)


async def _both_cut_in_turn(s: Scene, story: str) -> None:
    """Staff lower a line, and once that was sent, or nearly, the marketplace cancels units of it as well."""
    await _both_cut_within(s, story, 60, 400)


async def _both_cut_within(s: Scene, story: str, earliest: float, latest: float) -> None:
    target = dict(s.line.attributes).get("_mirakl_line_id", s.order.lines[0].id)
    s.crowd.attempt(story, lambda: s.shop.set_quantity(s.found, s.line.gid, s.units - 1))
    await asyncio.sleep(s.rng.uniform(earliest, latest))
    by, units = s.rng.choice(("operator", "customer")), s.rng.choice((1, 2, 2))
    s.crowd.attempt("operator race", lambda: s.market.cancel_line(s.order.id, target, quantity=units, by=by))


async def _cut_while_replaced(s: Scene, story: str) -> None:
    """An app replaces the order while the customer cancels a line at the marketplace."""
    _replace(s, story, s.found)
    await asyncio.sleep(s.rng.uniform(0, 60))
    _cancel_line(s.crowd, s.market, s.order, "customer cancels line", "customer")


# -- our own edit desk -------------------------------------------------------------------------------------


async def _desk_lowers(s: Scene, story: str) -> None:
    await _ask(s, story, Wish(quantities=((s.line.gid, s.fewer),)))


async def _desk_removes(s: Scene, story: str) -> None:
    await _ask(s, story, Wish(quantities=((s.line.gid, 0),)))


async def _desk_adds(s: Scene, story: str) -> None:
    await _ask(s, story, Wish(added=((s.shop.variant(s.crowd.some_sku()).gid, 1),)))


async def _desk_swaps(s: Scene, story: str) -> None:
    others = [sku for sku, _ in s.skus]
    wanted = next(v for v in s.shop.shop.variants.values() if v.sku and v.sku not in others)
    decision = s.rng.choice((None, Option.SHIP_AS_EDITED, Option.DONE_IN_PORTAL))
    await _ask(s, story, Wish(replaced=((s.line.gid, wanted.gid),), decision=decision))


async def _desk_cancels(s: Scene, story: str) -> None:
    await _ask(s, story, Wish(cancel=True))


async def _desk_undoes(s: Scene, story: str) -> None:
    await _lowered(s, "lowered, then undone at the desk")
    await asyncio.sleep(s.rng.uniform(10, 200))
    await _ask(s, story, Wish(undo=True))


async def _desk_moves(s: Scene, story: str) -> None:
    there = invented_address(s.rng, 1)
    parts = {
        "first_name": there.first_name or "",
        "last_name": there.last_name or "",
        "line1": there.address1 or "",
        "city": there.city or "",
        "postcode": there.zip or "",
        "province": there.province_code or "",
        "country_code": there.country_code or "",
    }
    # Only the operator can move a marketplace order: whoever edits it here says what is to become of that.
    # Without an answer, and with one that is for swaps, the desk refuses.
    decision = s.rng.choice((None, Option.DONE_IN_PORTAL, Option.DONE_IN_PORTAL, Option.SHIP_AS_EDITED))
    await _ask(s, story, Wish(decision=decision), parts)


async def _desk_and_staff(s: Scene, story: str) -> None:
    """Somebody edits in Shopify in the very seconds in which our desk does."""
    await _ask(s, story, Wish(quantities=((s.line.gid, s.fewer),)))
    await asyncio.sleep(s.rng.uniform(0, 12))
    await _removed(s, "edited beside the desk")


async def _desk_with_an_old_version(s: Scene, story: str) -> None:
    await _ask(s, story, Wish(quantities=((s.line.gid, s.fewer),)), version="0000000000000000")


async def _ask(
    s: Scene, story: str, wish: Wish, address: dict[str, str] | None = None, version: str = ""
) -> None:
    """Somebody looks at the preview, thinks, and asks for the edit; either may be refused in words."""
    world, crowd = s.crowd.world, s.crowd
    row = crowd.row_id(s.marketplace, s.order)
    if row is None or world.outage.down:
        return
    desk = editing.Desk(world.wakeups, world.keyring, world.process_world.identifiers)
    asked = Asked(wish, address)
    try:
        with world.database.begin() as c:
            seen = editing.preview_of(c, desk, row, asked, world.service_clock.now())
        await asyncio.sleep(s.rng.choice((0.0, 5.0, 60.0)))
        with world.database.begin() as c:
            now = world.service_clock.now()
            editing.ask(c, desk, row, asked, version or seen.version, "Dana Desk", "By phone.", now)
    except RequestRefused as refused:
        crowd.did[f"{story} refused: {refused.code}"] += 1
        return
    crowd.did[story] += 1


# -- the repertoire ----------------------------------------------------------------------------------------


async def _nothing(s: Scene, story: str) -> None:
    """Nobody does anything."""


AT_THE_SHOP: dict[str, tuple[float, AtTheShop]] = {
    "nothing": (2.0, _nothing),
    "quantity lowered": (2.5, _lowered),
    "line removed": (1.5, _removed),
    "everything removed": (0.6, _everything_removed),
    "edit undone": (1.0, _undone),
    "burst of edits": (0.8, _burst),
    "quantity raised": (0.6, _raised),
    "line added": (0.5, _added),
    "sku swapped": (1.0, _swapped),
    "swapped and lowered in one edit": (0.5, _swapped_and_lowered),
    "discount": (0.3, _discount),
    "custom line": (0.3, _custom_line),
    "shipping changed": (0.2, _shipping),
    "bundle added": (0.2, _bundle),
    "address changed": (0.5, _address),
    "note": (0.2, _note),
    "attributes rewritten": (0.2, _attributes),
    "archived": (0.2, _archived),
    "cancelled in shopify": (0.8, _cancelled),
    "money refunded": (0.8, _money_refunded),
    "line refunded": (0.5, _line_refunded),
    "edited by an app": (0.7, _app_edits),
    "edited by the buyer": (0.5, _buyer_edits),
    "replaced by an app": (0.8, _replaced),
    "replaced twice": (0.4, _replaced_twice),
    "cancelled, then recreated": (0.4, _cancelled_then_recreated),
    "copied, cancelled later": (0.6, _copied_cancelled_later),
    "copied, never cancelled": (0.5, _copied_never_cancelled),
    "duplicated by hand": (0.5, _duplicated),
    "split by an app": (0.5, _split),
    "merged by an app": (0.4, _merged),
    "take-over taken back": (0.3, _taken_back),
    "made again by a copy of the installation": (0.2, _made_again),
    "copied after the parcel left": (0.3, _copied_after_it_left),
    "hold released by staff": (0.7, _hold_released),
    "parcel split": (0.4, _parcel_split),
    "picking reported": (0.3, _picking_reported),
    "edited after the label": (0.5, _edited_after_the_label),
    "operator cancels after picking": (0.5, _cancelled_after_picking),
    "added and labelled at once": (0.2, _added_and_labelled),
    "lowered while the service packs": (0.2, _lowered_while_packed),
    "lowered once paid": (0.4, _lowered_once_paid),
    "lowered once paid, then undone": (0.3, _lowered_once_paid_then_undone),
    "lowered twice once paid": (0.3, _lowered_twice_once_paid),
    "both sides cut one line": (0.7, _both_cut),
    "cut while it is replaced": (0.3, _cut_while_replaced),
    "desk lowers": (1.2, _desk_lowers),
    "desk removes": (0.6, _desk_removes),
    "desk adds": (0.3, _desk_adds),
    "desk swaps": (0.6, _desk_swaps),
    "desk cancels": (0.5, _desk_cancels),
    "desk undoes": (0.5, _desk_undoes),
    "desk moves the address": (0.3, _desk_moves),
    "desk and staff at once": (0.5, _desk_and_staff),
    "desk with an old version": (0.15, _desk_with_an_old_version),
}
"""Stories that begin once the Shopify order exists, with their weights."""

ON_PURPOSE: dict[str, AtTheShop] = {
    "copied and labelled at once": _copied_and_labelled,
    "edited while an incident is open": _edited_in_an_incident,
    "both sides cut one line in turn": _both_cut_in_turn,
}
"""Stories that only a theme has told: they need its marketplace and its people."""

AT_THE_MARKETPLACE: dict[str, tuple[float, AtTheMarketplace]] = {
    "operator cancels order": (0.6, _operator_cancels_order),
    "customer cancels order": (0.3, _customer_cancels_order),
    "operator cancels line": (0.8, _operator_cancels_line),
    "customer cancels line": (0.7, _customer_cancels_line),
    "operator refunds a unit": (0.5, _operator_refunds),
    "payment fails": (0.6, _payment_fails),
    "paid early": (0.2, _paid_early),
    "incident": (0.4, _incident),
    "an unknown value shown for a while": (0.2, _unknown_value),
}

WEIGHTS: dict[str, float] = {
    **{name: weight for name, (weight, _) in AT_THE_SHOP.items()},
    **{name: weight for name, (weight, _) in AT_THE_MARKETPLACE.items()},
}


def draw_stories(rng: random.Random) -> list[str]:
    """What happens to one order: one story by its weight, and now and then a second one at the same time."""
    return rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=2 if rng.random() < 0.25 else 1)

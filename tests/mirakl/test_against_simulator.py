"""The adapter against the simulated marketplace."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import httpx2
import pytest

from interlock.mirakl.account import MiraklAccount
from interlock.mirakl.client import MiraklClient
from interlock.mirakl.failures import ReadRefused, ReadUnavailable, ReadUnreadable
from interlock.mirakl.perform import perform
from interlock.mirakl.read import (
    by_ids,
    capability,
    walk_states,
    walk_updated,
    with_items_to_ship,
    with_shipments,
)
from interlock.mirakl.translate import order_from
from interlock.orders.actions import (
    AnswerAcceptance,
    CancelMiraklOrder,
    CancelQuantities,
    CreateShipment,
    DeleteShipment,
    LineCancelation,
    LineRefund,
    MiraklAction,
    RefundLines,
    SendMessage,
    SetSellerReference,
    SetTracking,
    ShipOrder,
    TrackShipment,
    ValidateShipment,
)
from interlock.orders.agreement import as_ordered
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unavailable, Unknown
from interlock.orders.ports import OrderContext
from interlock.orders.shares import Portion, portion_of
from interlock.orders.snapshots import NO_ADDRESS, MiraklOrder, Shipment
from interlock.simulator.clock import PlatformClock
from interlock.simulator.faults import Fault
from interlock.simulator.mirakl.profile import PROFILES, TaxRule
from interlock.simulator.mirakl.switches import mirakl_switches
from interlock.simulator.mirakl.world import MiraklWorld
from interlock.simulator.transport import ClockedASGITransport
from tests.mirakl.marketplace_documents import NotedBudget

AUTOMATIC = PROFILES["automatic"]
MANUAL = replace(AUTOMATIC, name="manual", order_acceptance="NOT_AUTOMATIC", call_tolerance=1000)
ADDRESS_KEY = b"key"


class Marketplace:
    """A simulated marketplace whose time stands still unless it is moved, and the adapter connected to it."""

    def __init__(self, profile: object = MANUAL, seed: int = 7) -> None:
        assert isinstance(profile, type(MANUAL))
        self.world = MiraklWorld(PlatformClock(source=lambda: 0.0), seed, profile, mirakl_switches())
        self.budget = NotedBudget()
        self.mode = profile.tax_mode
        self.connect(self.world.api_key)

    def connect(self, key: str) -> None:
        http = httpx2.AsyncClient(transport=ClockedASGITransport(self.world.app))
        account = MiraklAccount("https://sim.mirakl.example", key, str(self.world.shop_id))
        self.client = MiraklClient(account, http, self.budget)

    async def order(self, order_id: str) -> MiraklOrder:
        page = await by_ids(self.client, [order_id], self.mode)
        return order_from(page.documents[0], page.observed_at(self.world.clock.now()), ADDRESS_KEY)

    async def do(self, action: MiraklAction, order_id: str) -> Outcome:
        context = OrderContext(
            "sim", order_id, f"sim:{order_id}", "interlock", "op/1", None, text="Two mugs, not three."
        )
        return await perform(self.client, action, context)

    async def accept(self, order_id: str) -> Outcome:
        order = await self.order(order_id)
        return await self.do(AnswerAcceptance(tuple((line.id, True) for line in order.lines)), order_id)


def live(scene: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await scene()

    asyncio.run(run())


def test_an_order_is_accepted_referenced_tracked_and_shipped() -> None:
    async def scene() -> None:
        place = Marketplace()
        order_id = place.world.create_generated(lines=2).id
        before = await place.order(order_id)
        assert (before.state, before.unknown) == ("WAITING_ACCEPTANCE", ())

        assert await place.accept(order_id) == Confirmed()
        again = await place.accept(order_id)
        assert isinstance(again, Refused)
        assert again.code == "ORDER_INVALID_STATE"

        place.world.advance(3600)
        assert await place.do(SetSellerReference("#1001"), order_id) == Confirmed()
        assert await place.do(SetTracking("UPS", "", "1Z999", ""), order_id) == Confirmed()
        ready = await place.order(order_id)
        assert (ready.state, ready.can_ship, ready.seller_reference) == ("SHIPPING", True, "#1001")
        assert (ready.tracking_carrier_code, ready.tracking_number) == ("UPS", "1Z999")
        assert ready.address.complete

        assert await place.do(ShipOrder(), order_id) == Confirmed()
        assert isinstance(await place.do(ShipOrder(), order_id), Refused)
        place.world.advance(3600)
        assert (await place.order(order_id)).state in ("SHIPPED", "TO_COLLECT", "RECEIVED")
        references = {effect.reference for effect in place.world.record.effects if effect.actor == "api:shop"}
        assert references == {"op/1"}

    live(scene)


@pytest.mark.parametrize("mode", ["TAX_INCLUDED", "TAX_EXCLUDED"])
def test_units_are_cancelled_in_either_tax_mode_to_the_cent(mode: str) -> None:
    async def scene() -> None:
        place = Marketplace(
            replace(MANUAL, tax_mode=mode, debit_delay=10_000.0, taxes=(TaxRule("VAT", Decimal(20)),))
        )
        order_id = place.world.create_generated(lines=1, quantities=[4]).id
        await place.accept(order_id)
        place.world.advance(1)
        order = await place.order(order_id)
        assert order.tax_mode == mode
        (line,) = order.lines
        part = LineCancelation(
            line.id,
            2,
            2,
            line.price / 2,
            Decimal(0),
            tuple(replace(tax, amount=tax.amount / 2) for tax in line.taxes),
            (),
        )
        outcome = await place.do(CancelQuantities((part,), order.currency, mode, "34", True), order_id)
        assert isinstance(outcome, Confirmed), outcome
        after = await place.order(order_id)
        (cancelation,) = after.lines[0].cancelations
        assert outcome.facts == ((f"cancelation_id:{line.id}", cancelation.id),)
        assert (cancelation.quantity, cancelation.amount) == (2, line.price / 2)
        assert [tax.amount for tax in cancelation.taxes] == [tax.amount / 2 for tax in line.taxes]
        assert order.total_price - after.total_price == line.price / 2
        assert await place.do(CancelMiraklOrder(), order_id) == Confirmed()
        assert (await place.order(order_id)).state == "CANCELED"

    live(scene)


@pytest.mark.parametrize(
    ("fault", "kind", "accepted"),
    [
        (Fault("refused_before"), Unknown, False),
        (Fault("reply_lost"), Unknown, True),
        (Fault("rate_limited", seconds=9), Unavailable, False),
        (Fault("server_error"), Unknown, False),
        (Fault("server_error_after"), Unknown, True),
        (Fault("html"), Unknown, False),
    ],
)
def test_a_faulty_write_is_never_taken_for_a_success_or_a_refusal(
    fault: Fault, kind: type[object], accepted: bool
) -> None:
    async def scene() -> None:
        place = Marketplace()
        order_id = place.world.create_generated(lines=1).id
        place.world.armed.arm("OR21", fault)
        assert isinstance(await place.accept(order_id), kind)
        assert ((await place.order(order_id)).state != "WAITING_ACCEPTANCE") == accepted

    live(scene)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("refused_before"), ReadUnavailable),
        (Fault("rate_limited", seconds=9), ReadUnavailable),
        (Fault("server_error"), ReadUnavailable),
        (Fault("reply_lost"), ReadUnavailable),
        (Fault("truncated"), ReadUnreadable),
        (Fault("html"), ReadUnreadable),
    ],
)
def test_a_faulty_read_gives_an_error_and_no_orders(fault: Fault, error: type[Exception]) -> None:
    async def scene() -> None:
        place = Marketplace()
        order_id = place.world.create_generated(lines=1).id
        place.world.armed.arm("OR11", fault)
        with pytest.raises(error):
            await place.order(order_id)
        assert (await place.order(order_id)).order_id == order_id

    live(scene)


@pytest.mark.parametrize("shape", ["message_status", "with_code", "bare"])
def test_a_refusal_is_one_whatever_its_body_looks_like(shape: str) -> None:
    async def scene() -> None:
        place = Marketplace()
        place.world.switches.set("error_body", shape)
        order_id = place.world.create_generated(lines=1).id
        outcome = await place.do(ShipOrder(), order_id)
        assert isinstance(outcome, Refused)
        assert outcome.code == ("ORDER_INVALID_STATE" if shape == "with_code" else "HTTP_400")

    live(scene)


def test_a_wrong_key_is_named_as_such() -> None:
    async def scene() -> None:
        place = Marketplace()
        order_id = place.world.create_generated(lines=1).id
        place.connect("not-the-key")
        with pytest.raises(ReadRefused, match="key is not accepted"):
            await place.order(order_id)
        assert await place.do(ShipOrder(), order_id) == Unavailable("key refused")

    live(scene)


def test_an_address_is_hidden_until_the_marketplace_shows_it() -> None:
    async def scene() -> None:
        place = Marketplace(replace(PROFILES["hidden-address"], call_tolerance=1000))
        order_id = place.world.create_generated(lines=1).id
        await place.accept(order_id)
        assert (await place.order(order_id)).address == NO_ADDRESS
        place.world.advance(7200)
        order = await place.order(order_id)
        assert order.state == "SHIPPING"
        assert order.address.complete

    live(scene)


def test_every_order_of_many_is_found_by_both_walks() -> None:
    async def scene() -> None:
        place = Marketplace()
        since = place.world.clock.now()
        expected = []
        for _ in range(230):
            expected.append(place.world.create_generated(lines=1).id)
            place.world.advance(1)
        until = place.world.clock.now() + timedelta(seconds=1)
        updated = [
            str(document["order_id"])
            async for page in walk_updated(place.client, since, until, place.mode)
            for document in page.documents
        ]
        waiting = [
            str(document["order_id"])
            async for page in walk_states(place.client, ["WAITING_ACCEPTANCE"], place.mode, "acceptance")
            for document in page.documents
        ]
        assert sorted(updated) == sorted(waiting) == sorted(expected)

    live(scene)


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_the_capability_profile_says_what_the_marketplace_allows(name: str) -> None:
    async def scene() -> None:
        place = Marketplace(replace(PROFILES[name], call_tolerance=1000))
        profile = place.world.profile
        await place.client.check()
        found = await capability(place.client)
        assert (found.tax_mode, found.acceptance) == (profile.tax_mode, profile.order_acceptance)
        assert found.unregistered_carriers == profile.alternative_carrier
        assert found.multi_shipment == profile.multi_shipment
        assert (found.currency, found.time_zone) == (profile.currency, profile.timezone)
        assert found.shop_id == str(place.world.shop_id)
        assert sorted(carrier.code for carrier in found.carriers) == sorted(c.code for c in profile.carriers)
        assert [r.code for r in found.cancelation_reasons if r.shop_right] == ["34", "35"]
        mandatory = [kind.code for kind in profile.shipping_types if kind.mandatory_tracking]
        assert list(found.tracking_mandatory_for) == mandatory

    live(scene)


@pytest.mark.parametrize("seed", range(9))
def test_every_order_is_understood_whatever_the_marketplace_leaves_open(seed: int) -> None:
    async def scene() -> None:
        rng = random.Random(seed)
        profile = PROFILES[sorted(PROFILES)[seed % len(PROFILES)]]
        place = Marketplace(replace(profile, call_tolerance=1000), seed)
        place.world.switches.draw(rng)
        orders = [place.world.create_generated() for _ in range(5)]
        for _ in range(4):
            for placed in orders:
                seen = await place.order(placed.id)
                assert seen.unknown == ()
                assert len(seen.lines) == len(placed.lines)
                if seen.state == "WAITING_ACCEPTANCE":
                    assert await place.accept(placed.id) == Confirmed()
                for line in seen.lines:
                    if line.can_refund and not line.refunds:
                        made = place.world.refund_line(placed.id, line.id, quantity=1)
                        again = await place.order(placed.id)
                        (shown,) = next(other.refunds for other in again.lines if other.id == line.id)
                        assert (shown.id, shown.quantity, shown.state) == (made.id, 1, made.state)
                        assert again.unknown == ()
            place.world.advance(3600)

    live(scene)


# -- refunds and messages ------------------------------------------------------------------------------------


async def debited(place: Marketplace, units: int = 3) -> MiraklOrder:
    order_id = place.world.create_generated(lines=1, quantities=[units]).id
    await place.accept(order_id)
    place.world.advance(1)
    if place.world.order(order_id).debited is None:
        place.world.debit_now(order_id)
    return await place.order(order_id)


def a_refund_of_one(order: MiraklOrder, **changes: object) -> RefundLines:
    """One unit's share of the only line, whole taxes where it has one unit."""
    (line,) = order.lines
    portion = portion_of(as_ordered(order)[0], (), 1, order.currency)
    entry = LineRefund(
        line.id,
        1,
        portion.amount,
        portion.shipping_amount,
        portion.taxes,
        portion.shipping_taxes,
        True,
        tuple(refund.id for refund in line.refunds),
        portion.fees,
    )
    action = RefundLines("edit:1", (entry,), order.currency, order.tax_mode, "15")
    return replace(action, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["TAX_INCLUDED", "TAX_EXCLUDED"])
@pytest.mark.parametrize("profile", ["automatic", "hidden-address", "all-or-nothing"])
def test_units_are_refunded_one_by_one_to_the_cent_and_leave_the_parcel(profile: str, mode: str) -> None:
    """OR28 of every unit, one after the other: the parts add up to all the customer paid, taxes and fees too."""

    async def scene() -> None:
        place = Marketplace(
            PROFILES[profile].changed({"tax_mode": mode, "call_tolerance": 1000, "debit_delay": 0.0})
        )
        order = await debited(place)
        sold = as_ordered(order)[0]
        taken: list[Portion] = []
        for _ in range(3):
            portion = portion_of(sold, taken, 1, order.currency)
            taken.append(portion)
            line = LineRefund(
                sold.line_id,
                1,
                portion.amount,
                portion.shipping_amount,
                portion.taxes,
                portion.shipping_taxes,
                True,
                (),
                portion.fees,
            )
            action = RefundLines("edit:1", (line,), order.currency, mode, "15")
            assert isinstance(await place.do(action, order.order_id), Confirmed)
        (inside,) = place.world.order(order.order_id).lines
        assert inside.refundable().total_with_tax == 0
        assert inside.live_quantity == 0

    live(scene)


def test_a_refund_is_known_by_its_id_afterwards() -> None:
    async def scene() -> None:
        place = Marketplace()
        order = await debited(place)

        outcome = await place.do(a_refund_of_one(order), order.order_id)

        assert isinstance(outcome, Confirmed)
        (shown,) = (await place.order(order.order_id)).lines[0].refunds
        assert outcome.facts == ((f"refund_id:{order.lines[0].id}", shown.id),)
        assert (shown.state, shown.amount) == ("WAITING_REFUND", a_refund_of_one(order).lines[0].amount)

    live(scene)


@pytest.mark.parametrize(
    ("switches", "fields", "changes", "code"),
    [
        ({}, {"pending_adjustment": -10_000_000}, {}, "REFUND_BALANCE_TOO_LOW"),
        ({}, {}, {"reason_code": "99"}, "REFUND_REASON_UNKNOWN"),
        ({"or28_in_shipping": "refused"}, {}, {}, "REFUND_WRONG_STATE"),
        ({"error_body": "message_status"}, {"pending_adjustment": -10_000_000}, {}, "REFUND_BALANCE_TOO_LOW"),
        ({"error_body": "bare"}, {"pending_adjustment": -10_000_000}, {}, "HTTP_400"),
    ],
)
def test_why_a_refund_was_refused_is_told_as_far_as_the_answer_tells(
    switches: dict[str, str], fields: dict[str, object], changes: dict[str, object], code: str
) -> None:
    async def scene() -> None:
        place = Marketplace()
        order = await debited(place)
        for name, value in switches.items():
            place.world.switches.set(name, value)
        place.world.change_profile(fields)

        outcome = await place.do(a_refund_of_one(order, **changes), order.order_id)

        assert isinstance(outcome, Refused)
        assert outcome.code == code
        assert place.world.order(order.order_id).lines[0].refunds == []

    live(scene)


def test_not_charged_running_and_not_permitted_are_told_apart() -> None:
    async def scene() -> None:
        place = Marketplace(AUTOMATIC)
        order_id = place.world.create_generated(lines=1, quantities=[3]).id
        unpaid = await place.do(a_refund_of_one(await place.order(order_id)), order_id)
        place.world.debit_now(order_id)
        place.world.switches.set("or28_while_refund_running", "refused")
        order = await place.order(order_id)
        first = await place.do(a_refund_of_one(order), order_id)
        second = await place.do(a_refund_of_one(order), order_id)
        place.connect(place.world.add_key("reader", denied=["OR28"]))
        denied = await place.do(a_refund_of_one(order), order_id)

        assert isinstance(first, Confirmed)
        codes = [outcome.code for outcome in (unpaid, second, denied) if isinstance(outcome, Refused)]
        assert codes == ["REFUND_NOT_DEBITED", "REFUND_RUNNING", "REFUND_NOT_PERMITTED"]

    live(scene)


def test_a_message_reaches_the_order_s_thread() -> None:
    async def scene() -> None:
        place = Marketplace()
        order_id = place.world.create_generated(lines=1).id

        outcome = await place.do(SendMessage("t1", "Your order", ("CUSTOMER",)), order_id)

        (thread,) = place.world.order(order_id).threads
        assert outcome == Confirmed((("thread_id", thread.id), ("message_id", thread.message_id)))
        assert (thread.body, thread.to, thread.topic) == ("Two mugs, not three.", ("CUSTOMER",), "Your order")

    live(scene)


@pytest.mark.parametrize(("multi_shipment", "left"), [(True, 2), (False, None)])
def test_what_is_left_to_ship_is_read_where_the_marketplace_lists_it(
    multi_shipment: bool, left: int | None
) -> None:
    async def scene() -> None:
        place = Marketplace(replace(AUTOMATIC, multi_shipment=multi_shipment))
        order = await debited(place)
        await place.do(a_refund_of_one(order), order.order_id)
        page = await by_ids(place.client, [order.order_id], place.mode)

        (document,) = await with_items_to_ship(place.client, page.documents)

        shown = order_from(document, page.observed_at(place.world.clock.now()), ADDRESS_KEY)
        assert shown.to_ship == (None if left is None else ((order.lines[0].id, left),))
        assert (await place.order(order.order_id)).to_ship is None

    live(scene)


async def shown(place: Marketplace, order_id: str) -> MiraklOrder:
    page = await by_ids(place.client, [order_id], place.mode)
    (document,) = await with_shipments(place.client, page.documents)
    return order_from(document, page.observed_at(place.world.clock.now()), ADDRESS_KEY)


def test_a_parcel_goes_its_whole_way_and_is_found_by_its_marker() -> None:
    async def scene() -> None:
        place = Marketplace(replace(AUTOMATIC, multi_shipment=True, payment_workflow="PAY_ON_DELIVERY"))
        order = place.world.create_generated(lines=1, quantities=[2])
        line = order.lines[0].id
        assert (await shown(place, order.id)).shipments == ()

        made = await place.do(CreateShipment("IL-1", ((line, 1),), "UPS", "", "1Z", "", "MAIN"), order.id)
        assert isinstance(made, Confirmed)
        shipment_id = dict(made.facts)["shipment_id"]
        # The marketplace makes the URL itself for a carrier it knows.
        url = "https://track.ups.example/?n=1Z"
        expected = Shipment(
            shipment_id, "SHIPPING", ((line, 1),), "IL-1", "UPS", "UPS", "1Z", tracking_url=url
        )
        assert (await shown(place, order.id)).shipments == (expected,)

        again = await place.do(CreateShipment("IL-2", ((line, 2),)), order.id)
        assert again == Refused("ITEM_REFUSED", "Shipment quantity is invalid.")

        assert isinstance(
            await place.do(TrackShipment(shipment_id, "DHL", "", "JD", ""), order.id), Confirmed
        )
        assert isinstance(await place.do(ValidateShipment(shipment_id), order.id), Confirmed)
        assert isinstance(await place.do(ValidateShipment(shipment_id), order.id), Refused)
        assert isinstance(await place.do(DeleteShipment(shipment_id), order.id), Refused)
        (found,) = (await shown(place, order.id)).shipments or ()
        assert (found.state, found.validated, found.carrier_code, found.tracking_number) == (
            "SHIPPED",
            True,
            "DHL",
            "JD",
        )

    live(scene)


@pytest.mark.parametrize(("denied", "multi", "hidden"), [((), False, "off"), (("ST11",), True, "forbidden")])
def test_why_shipments_are_not_shown_is_told(denied: tuple[str, ...], multi: bool, hidden: str) -> None:
    async def scene() -> None:
        place = Marketplace(replace(AUTOMATIC, multi_shipment=multi))
        order = place.world.create_generated(lines=1)
        place.connect(place.world.add_key("shop", denied=denied))

        found = await shown(place, order.id)

        assert (found.shipments, found.shipments_hidden) == (None, hidden)

    live(scene)


def test_shipments_that_cannot_be_read_now_say_nothing() -> None:
    async def scene() -> None:
        place = Marketplace(replace(AUTOMATIC, multi_shipment=True))
        order = place.world.create_generated(lines=1)
        place.world.armed.arm("ST11", Fault("server_error", status=503), 1)

        found = await shown(place, order.id)

        assert (found.shipments, found.shipments_hidden) == (None, "")

    live(scene)


def test_the_shipments_of_many_orders_are_one_list_read_page_by_page() -> None:
    async def scene() -> None:
        place = Marketplace(replace(AUTOMATIC, multi_shipment=True))
        orders = [place.world.create_generated(lines=1, quantities=[60]) for _ in range(3)]
        for order in orders:
            for number in range(50):
                made = CreateShipment(f"IL-{number}", ((order.lines[0].id, 1),))
                await place.do(made, order.id)
        page = await by_ids(place.client, [order.id for order in orders], place.mode)

        documents = await with_shipments(place.client, page.documents)

        now = place.world.clock.now()
        found = [order_from(document, now, ADDRESS_KEY).shipments or () for document in documents]
        assert [len(shipments) for shipments in found] == [50, 50, 50]
        assert len({one.id for shipments in found for one in shipments}) == 150

    live(scene)

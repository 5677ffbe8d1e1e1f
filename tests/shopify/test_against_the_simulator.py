"""The adapter and the simulated shop, through real HTTP messages: lives of orders on both routes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any, TypeVar

import httpx2
import pytest

from interlock.orders.actions import (
    AddedLine,
    AskServiceToStop,
    CancelShopifyOrder,
    ClearMarker,
    ClearStatus,
    CompleteDraft,
    DeleteDraft,
    EditShopifyOrder,
    FillDraftAddress,
    FillOrderAddress,
    ImportLine,
    MarkOrder,
    MarkPaid,
    PlaceHold,
    ReleaseHold,
    SetOrderAddress,
    ShopifyAction,
    ShowStatus,
)
from interlock.orders.addresses import AddressParts, digest, email_digest
from interlock.orders.changes import VariantPrice
from interlock.orders.content import content_of
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unavailable, Unknown
from interlock.orders.snapshots import ShopifyOrder
from interlock.shopify import read
from interlock.shopify.account import ShopifyShop
from interlock.shopify.client import ShopifyClient
from interlock.shopify.perform import define_marker, define_status, perform, set_instance_mark
from interlock.shopify.subscriptions import ensure
from interlock.shopify.webhooks import TOPICS, read_delivery, verify
from interlock.simulator.clock import PlatformClock
from interlock.simulator.faults import ArmedFaults, Fault
from interlock.simulator.shopify import ShopifyWorld, WebhookWeather
from interlock.simulator.transport import ClockedASGITransport
from tests.shopify.orders import KEY, context, create_draft, create_order, document
from tests.shopify.shop import OpenBudget

T = TypeVar("T")
JANE_DOE = (
    AddressParts("Jane", "Doe", "Elm & Sons", "12 Elm Street", "Flat 3", "Toronto", "M5H 2M9", "", "CA"),
    KEY,
)
JANE = digest(*JANE_DOE)
HOOKS = "https://interlock.example.org/webhooks/shopify"


class Setting:
    """A simulated shop with two SKUs, and our client to it."""

    def __init__(self, **more: Any) -> None:
        self.deliveries: list[tuple[dict[str, str], bytes]] = []
        self.faults = ArmedFaults()
        self.world = ShopifyWorld(
            PlatformClock(source=lambda: 0.0),
            7,
            faults=self.faults,
            webhook_sender=self._receive,
            weather=WebhookWeather(delay_mean=0.0),
            **more,
        )
        self.world.switches.set("index_lag", "none")
        self.lamp = self.world.add_variant("LAMP", "99.00", 10)
        self.world.add_variant("RUG", "5.00", 10)
        self.lines = (
            ImportLine("L1", "LAMP", "Lamp", self.lamp.gid, 3, Decimal("22.60")),
            ImportLine("L2", "ODD", "Odd thing", "", 1, Decimal("10.00")),
        )
        app = self.world.main_app
        domain = self.world.shop.domain
        self.shop = ShopifyShop(domain, f"https://{domain}", app.client_id, app.secrets[0])

    async def _receive(self, url: str, headers: dict[str, str], body: bytes) -> int:
        self.deliveries.append((headers, body))
        return 200

    def use(self, work: Callable[[ShopifyClient], Awaitable[T]]) -> T:
        async def run() -> T:
            transport = ClockedASGITransport(self.world.app)
            async with httpx2.AsyncClient(transport=transport) as http:
                found = await work(ShopifyClient(self.shop, http, OpenBudget(), self.world.clock.now))
            await transport.drain()
            assert transport.failures == []
            return found

        return asyncio.run(run())

    def does(self, action: ShopifyAction, shown: dict[str, Any] | None = None) -> Outcome:
        return self.use(lambda client: perform(client, action, context(shown)))

    def fact(self, name: str, action: ShopifyAction) -> str:
        outcome = self.does(action)
        assert isinstance(outcome, Confirmed), outcome
        return dict(outcome.facts)[name]

    def order(self, order_id: str) -> ShopifyOrder:
        found = self.use(lambda client: read.order(client, order_id, KEY, self.world.clock.now()))
        assert found is not None
        return found

    def imported(self) -> ShopifyOrder:
        """An order by the draft route, marked."""
        self.use(define_marker)
        draft_id = self.fact("draft_id", create_draft(*self.lines))
        order_id = self.fact("shopify_order_id", CompleteDraft(draft_id))
        assert isinstance(self.does(MarkOrder(order_id)), Confirmed)
        return self.order(order_id)


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_the_simulated_shop_is_ready(setting: Setting) -> None:
    found = setting.use(read.startup)
    assert found.missing_scopes == ()
    assert found.ready
    assert (found.currency, found.sees_all_orders, len(found.locations)) == ("CAD", True, 1)
    assert found.sees_customers


def test_the_contact_and_the_consent_of_an_order_are_read_without_personal_data(setting: Setting) -> None:
    before = setting.imported()
    relay = str(document()["customer_notification_email"])
    assert before.traces.email == email_digest(relay, KEY)
    assert not before.takes_marketing

    setting.world.set_consent(before.id)
    subscribed = setting.order(before.id)
    assert subscribed.takes_marketing
    assert relay not in repr(subscribed)

    for state, counts in (("PENDING", True), ("UNSUBSCRIBED", False), ("INVALID", False)):
        setting.world.set_consent(before.id, state)
        assert setting.order(before.id).takes_marketing is counts

    setting.world.set_email(before.id, "jane@mail.example")
    assert setting.order(before.id).traces.email == email_digest("Jane@Mail.example", KEY)
    setting.world.set_email(before.id, None)
    nobody = setting.order(before.id)
    assert (nobody.traces.email, nobody.takes_marketing) == ("", False)


def test_an_order_is_read_all_the_same_where_our_app_may_not_see_customers(setting: Setting) -> None:
    """Partial answers are normal and refused as a whole (reference 1.17, 2.2): the customer is left out from then on."""
    order = setting.imported()
    setting.world.set_consent(order.id)
    app = setting.world.main_app
    app.scopes = tuple(scope for scope in app.scopes if scope != "read_customers")

    async def twice(client: ShopifyClient) -> tuple[ShopifyOrder | None, int, ShopifyOrder | None, int]:
        now = setting.world.clock.now()
        first = await read.order(client, order.id, KEY, now)
        calls = client.counters.calls
        return first, calls, await read.order(client, order.id, KEY, now), client.counters.calls

    first, calls, second, more = setting.use(twice)
    assert first is not None
    assert (first.id, first.lines, first.takes_marketing) == (order.id, order.lines, False)
    assert first == second
    assert (calls, more) == (2, 3)
    assert not setting.use(read.startup).sees_customers


def test_a_draft_becomes_one_order_at_the_marketplaces_prices(setting: Setting) -> None:
    draft_id = setting.fact("draft_id", create_draft(*setting.lines))
    now = setting.world.clock.now()
    drafts = setting.use(lambda client: read.drafts_by_tag(client, "12345-A", "mkt-ca:12345-A", KEY, now))
    assert [(draft.id, draft.reserved, draft.total) for draft in drafts] == [
        (draft_id, True, Decimal("81.80"))
    ]
    first = setting.does(CompleteDraft(draft_id))
    assert first == setting.does(CompleteDraft(draft_id))
    assert isinstance(first, Confirmed)
    order = setting.order(dict(first.facts)["shopify_order_id"])
    assert order.total == Decimal("81.80")
    assert order.shipping_total == Decimal("4.00")
    assert [(line.sku, line.unit_price, line.mirakl_line_id) for line in order.lines] == [
        ("LAMP", Decimal("22.6"), "L1"),
        ("ODD", Decimal("10"), "L2"),
    ]
    assert all(line.requires_shipping for line in order.lines)
    assert order.address == digest(*JANE_DOE, "+1 416 555 0199")
    assert order.marker == ""
    draft = setting.use(lambda client: read.draft(client, draft_id, KEY, now))
    assert draft is not None
    assert (draft.order_id, draft.reserved) == (order.id, False)


def test_marking_makes_the_order_findable_and_is_repeatable(setting: Setting) -> None:
    order = setting.imported()
    assert order.marker == "mkt-ca:12345-A"
    assert set(order.tags) == {"mirakl", "mirakl:mkt-ca", "mirakl-order:12345-A"}
    assert isinstance(setting.does(MarkOrder(order.id)), Confirmed)
    found = setting.use(lambda client: read.order_by_marker(client, "mkt-ca:12345-A"))
    assert found is not None
    assert found.id == order.id
    assert setting.use(lambda client: read.order_by_marker(client, "mkt-ca:other")) is None


def test_a_second_order_cannot_take_the_marker(setting: Setting) -> None:
    setting.imported()
    second = setting.fact(
        "shopify_order_id", CompleteDraft(setting.fact("draft_id", create_draft(*setting.lines)))
    )
    outcome = setting.does(MarkOrder(second))
    assert isinstance(outcome, Refused)
    assert outcome.code == "TAKEN"


def test_a_hold_stops_the_parcel_and_is_the_same_hold_the_second_time(setting: Setting) -> None:
    order = setting.imported()
    fulfillment_order = order.fulfillment_orders[0]
    assert fulfillment_order.can_hold
    assert fulfillment_order.destination == JANE
    place = PlaceHold(fulfillment_order.id, "Waiting for the marketplace.")
    hold_id = setting.fact("hold_id", place)
    assert setting.fact("hold_id", place) == hold_id
    held = setting.order(order.id).fulfillment_orders[0]
    assert [(hold.id, hold.handle, hold.ours) for hold in held.holds] == [(hold_id, "interlock:mkt-ca", True)]
    owner = setting.use(lambda client: read.fulfillment_order_owner(client, fulfillment_order.id))
    assert owner is not None
    assert owner.order_id == order.id
    assert isinstance(setting.does(ReleaseHold(fulfillment_order.id, (hold_id,))), Confirmed)
    assert setting.order(order.id).fulfillment_orders[0].holds == ()


def test_only_our_own_holds_are_released(setting: Setting) -> None:
    order = setting.imported()
    fulfillment_order = order.fulfillment_orders[0]
    hold_id = setting.fact("hold_id", PlaceHold(fulfillment_order.id, "Waiting."))
    setting.world.place_hold(next(iter(setting.world.order(order.id).fulfillment_orders)))
    assert isinstance(setting.does(ReleaseHold(fulfillment_order.id, (hold_id,))), Confirmed)
    left = setting.order(order.id).fulfillment_orders[0].holds
    assert [hold.ours for hold in left] == [False]


def test_an_edit_by_staff_is_seen_in_current_quantities_and_agreements(setting: Setting) -> None:
    order = setting.imported()
    setting.world.edit(order.id, actor=setting.world.staff(), quantities=[("LAMP", 1)], add=[("RUG", 2)])
    edited = setting.order(order.id)
    assert [(line.sku, line.quantity, line.current_quantity) for line in edited.lines] == [
        ("LAMP", 3, 1),
        ("ODD", 1, 1),
        ("RUG", 2, 2),
    ]
    assert [refund.money for refund in edited.refunds] == [Decimal(0)]
    assert (order.edited, edited.edited) == (False, True)
    placed, change = setting.use(lambda client: read.changes(client, order.id))
    lamp, rug = edited.lines[0].id, edited.lines[2].id
    assert (placed.kind, placed.by) == ("ORDER", "Interlock")
    assert (change.kind, change.by, sorted(change.lines)) == (
        "ORDER_EDIT",
        "staff",
        sorted([(lamp, -2), (rug, 2)]),
    )


def test_agreements_tell_apps_by_their_title_us_by_our_name_and_staff_by_none(setting: Setting) -> None:
    """Reference 6.3: an agreement names the app that acted; people are not named."""
    order = setting.imported()
    setting.world.edit_natively(order.id, quantities=[("LAMP", 2)])
    setting.does(edit(order, ("LAMP", 1)))
    setting.world.refund(order.id, money="5.00")
    found = setting.use(lambda client: read.changes(client, order.id))
    assert [(change.kind, change.by) for change in found] == [
        ("ORDER", "Interlock"),
        ("ORDER_EDIT", "Order Editing"),
        ("ORDER_EDIT", "Interlock"),
        ("REFUND", "staff"),
    ]
    everyone = setting.world.shop.staff
    assert not any(person.first_name in repr(found) or person.last_name in repr(found) for person in everyone)


@pytest.mark.parametrize("taxes_included", [False, True])
def test_prices_of_variants_are_read_by_id_and_missing_ones_left_out(
    setting: Setting, taxes_included: bool
) -> None:
    """With each price comes whether the shop's prices contain taxes (Shop.taxesIncluded)."""
    setting.world.shop.taxes_included = taxes_included
    rug = setting.world.variant("RUG")
    wanted = [rug.gid, setting.lamp.gid, rug.gid, "gid://shopify/ProductVariant/1"]
    found = setting.use(lambda client: read.variant_prices(client, wanted))
    assert found == (
        VariantPrice(rug.gid, Decimal("5.00"), "CAD", taxes_included),
        VariantPrice(setting.lamp.gid, Decimal("99.00"), "CAD", taxes_included),
    )


def test_a_shipment_is_seen_with_its_tracking(setting: Setting) -> None:
    order = setting.imported()
    to_ship = next(iter(setting.world.order(order.id).fulfillment_orders))
    setting.world.fulfill(to_ship, company="Canada Post", number="CP1", url="https://example.org/CP1")
    shipped = setting.order(order.id)
    assert [line.fulfilled_quantity for line in shipped.lines] == [3, 1]
    (shipment,) = shipped.fulfillments
    assert (shipment.live, shipment.carrier, shipment.tracking_number) == (True, "Canada Post", "CP1")


def test_a_refund_of_money_is_told_from_a_removal(setting: Setting) -> None:
    order = setting.imported()
    assert order.paid
    setting.world.refund(order.id, money="7.50")
    refunds = setting.order(order.id).refunds
    assert [refund.money for refund in refunds] == [Decimal("7.5")]


def test_a_cancel_puts_stock_back_and_may_be_repeated(setting: Setting) -> None:
    order = setting.imported()
    (before,) = setting.use(lambda client: read.offers(client, ("LAMP",)))
    assert before.available == 7
    for _ in range(2):
        assert isinstance(
            setting.does(CancelShopifyOrder(order.id, "Cancelled at the marketplace.")), Confirmed
        )
        asyncio.run(setting.world.settle(60))
    assert not setting.order(order.id).live
    (after,) = setting.use(lambda client: read.offers(client, ("LAMP",)))
    assert after.available == 10
    assert setting.order(order.id).refunds == () or all(
        item.money == 0 for item in setting.order(order.id).refunds
    )


def test_the_order_route_claims_stock_waits_for_payment_and_is_unique(setting: Setting) -> None:
    setting.use(define_marker)
    assert setting.use(define_marker) == Confirmed()
    action = create_order(*setting.lines)
    order_id = setting.fact("shopify_order_id", action)
    assert setting.fact("shopify_order_id", action) == order_id
    order = setting.order(order_id)
    assert (order.marker, order.total, order.paid) == ("mkt-ca:12345-A", Decimal("81.80"), False)
    assert all(line.requires_shipping for line in order.lines)
    for _ in range(2):
        assert isinstance(setting.does(MarkPaid(order_id)), Confirmed)
    assert setting.order(order_id).paid
    (offer,) = setting.use(lambda client: read.offers(client, ("LAMP",)))
    assert offer.available == 7


def test_an_order_left_behind_without_its_marker_is_found_by_the_sweep(setting: Setting) -> None:
    setting.world.switches.set("duplicate_marker_in_order_create", "order_left_behind")
    setting.use(define_marker)
    first = setting.fact("shopify_order_id", create_order(*setting.lines))
    second = setting.does(create_order(*setting.lines))
    assert isinstance(second, Confirmed)
    assert dict(second.facts)["shopify_order_id"] == first
    start = setting.world.clock.now()
    page = setting.use(lambda client: read.orders_updated_since(client, start))
    left = [item.id for item in page.orders if item.marker == "mkt-ca:12345-A" and item.id != first]
    assert [setting.order(order_id).marker for order_id in left] == [""]


def test_an_address_that_appears_later_reaches_draft_and_order(setting: Setting) -> None:
    hidden = document(customer={"shipping_address": None})
    made = setting.does(create_draft(*setting.lines, with_address=False), hidden)
    assert isinstance(made, Confirmed)
    draft_id = dict(made.facts)["draft_id"]
    assert isinstance(setting.does(FillDraftAddress(draft_id, JANE.digest)), Confirmed)
    now = setting.world.clock.now()
    draft = setting.use(lambda client: read.draft(client, draft_id, KEY, now))
    assert draft is not None
    assert (draft.address, draft.reserved, draft.total) == (JANE, True, Decimal("81.80"))
    setting.use(define_marker)
    ordered = setting.does(create_order(*setting.lines, with_address=False), hidden)
    assert isinstance(ordered, Confirmed)
    order_id = dict(ordered.facts)["shopify_order_id"]
    assert setting.order(order_id).address.digest == ""
    assert isinstance(setting.does(FillOrderAddress(order_id, JANE.digest)), Confirmed)
    assert setting.order(order_id).address == digest(*JANE_DOE, "+1 416 555 0199")


def test_stock_that_is_not_there_is_refused_on_both_routes(setting: Setting) -> None:
    many = (replace(setting.lines[0], quantity=11),)
    setting.use(define_marker)
    for action in (create_draft(*many), create_order(*many)):
        outcome = setting.does(action)
        assert isinstance(outcome, Refused)
        assert outcome.code == "INVENTORY_CLAIM_FAILED"


def test_a_draft_is_deleted_once_and_for_all(setting: Setting) -> None:
    draft_id = setting.fact("draft_id", create_draft(*setting.lines))
    assert isinstance(setting.does(DeleteDraft(draft_id)), Confirmed)
    assert isinstance(setting.does(DeleteDraft(draft_id)), Confirmed)
    now = setting.world.clock.now()
    assert setting.use(lambda client: read.draft(client, draft_id, KEY, now)) is None


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("reply_lost"), Unknown),
        (Fault("truncated"), Unknown),
        (Fault("html"), Unknown),
        (Fault("server_error_after"), Unknown),
        (Fault("rate_limited", 2.0), Unavailable),
    ],
)
def test_faults_leave_creation_unclear_or_without_effect(
    setting: Setting, fault: Fault, kind: type[Any]
) -> None:
    setting.use(read.startup)
    setting.faults.arm("draftOrderCreate", fault)
    assert isinstance(setting.does(create_draft(*setting.lines)), kind)
    assert setting.faults.next_fault("draftOrderCreate") is None


def test_development_shops_limit_creation_without_refusing_it() -> None:
    setting = Setting(plan="development")
    setting.use(define_marker)
    outcomes: list[Outcome] = []
    for number in range(6):
        other = context(document(order_id=f"M-{number}"), f"M-{number}")

        async def create(client: ShopifyClient, other: Any = other) -> Outcome:
            return await perform(client, create_order(replace(setting.lines[0], quantity=1)), other)

        outcomes.append(setting.use(create))
    assert all(isinstance(outcome, Confirmed) for outcome in outcomes[:5])
    assert isinstance(outcomes[5], Unavailable)


def test_orders_changed_since_are_found_by_their_marker(setting: Setting) -> None:
    order = setting.imported()
    start = setting.world.clock.now()
    page = setting.use(lambda client: read.orders_updated_since(client, start))
    assert [(item.id, item.marker) for item in page.orders] == [(order.id, "mkt-ca:12345-A")]
    assert page.after is None


def test_an_order_of_sixty_lines_is_read_whole(setting: Setting) -> None:
    lines = tuple(ImportLine(f"L{n}", f"S{n}", f"Thing {n}", "", 1, Decimal("1.00")) for n in range(60))
    draft_id = setting.fact("draft_id", create_draft(*lines))
    order = setting.order(setting.fact("shopify_order_id", CompleteDraft(draft_id)))
    assert [line.mirakl_line_id for line in order.lines] == [f"L{n}" for n in range(60)]
    assert sum(left for _, left in order.fulfillment_orders[0].remaining) == 60


def test_deliveries_of_the_simulator_are_signed_readable_and_about_our_order(setting: Setting) -> None:
    report = setting.use(lambda client: ensure(client, HOOKS))
    assert report.complete
    assert setting.use(lambda client: ensure(client, HOOKS)).added == ()
    order = setting.imported()
    setting.does(PlaceHold(order.fulfillment_orders[0].id, "Waiting."))
    setting.world.set_quantity(order.id, "LAMP", 1, actor=setting.world.staff())
    asyncio.run(setting.world.settle(600))
    assert setting.deliveries
    kinds: dict[str, int] = {}
    secret = setting.world.main_app.secrets[0].encode()
    for headers, body in setting.deliveries:
        assert verify(body, headers["X-Shopify-Hmac-Sha256"], (secret,))
        delivery = read_delivery(
            headers["X-Shopify-Topic"],
            headers["X-Shopify-Shop-Domain"],
            headers["X-Shopify-Webhook-Id"],
            headers["X-Shopify-Triggered-At"],
            body,
        )
        kinds[delivery.kind] = kinds.get(delivery.kind, 0) + 1
        assert delivery.order_id in (None, order.id)
        assert b"Elm" not in body
    assert {"order", "edit", "refund", "gate", "inventory"} <= set(kinds)
    assert len(TOPICS) == len(report.added)


def test_the_instance_mark_moves_only_from_the_one_that_was_read(setting: Setting) -> None:
    """metafieldsSet compares and sets (reference 16.7); what an app keeps at its own installation is its own."""

    async def two_installations(client: ShopifyClient) -> tuple[Outcome, ...]:
        first = await read.instance_mark(client)
        assert (first.value, first.digest) == ("", "")
        made = await set_instance_mark(client, first.installation_id, "one", "")
        late = await set_instance_mark(client, first.installation_id, "two", "")
        seen = await read.instance_mark(client)
        assert seen.value == "one"
        moved = await set_instance_mark(client, seen.installation_id, "three", seen.digest)
        stale = await set_instance_mark(client, seen.installation_id, "four", seen.digest)
        assert (await read.instance_mark(client)).value == "three"
        return made, late, moved, stale

    made, late, moved, stale = setting.use(two_installations)
    assert (made, moved) == (Confirmed(), Confirmed())
    for refused in (late, stale):
        assert isinstance(refused, Refused)
        assert refused.code == "STALE_OBJECT"
    app = setting.world.main_app
    setting.world.uninstall(app)
    setting.world.install(app)
    assert setting.use(read.instance_mark).value == ""


# Our own edits


def edit(
    order: ShopifyOrder, *quantities: tuple[str, int], add: Sequence[AddedLine] = ()
) -> EditShopifyOrder:
    lines = {line.sku: line.id for line in order.lines}
    wanted = tuple((lines[sku], quantity) for sku, quantity in quantities)
    return EditShopifyOrder(order.id, "case-1", wanted, tuple(add), "Carried over from the marketplace.")


def quantities(order: ShopifyOrder) -> dict[str, int]:
    return {line.sku: line.current_quantity for line in order.lines}


def test_our_own_edit_lowers_adds_and_can_be_repeated(setting: Setting) -> None:
    order = setting.imported()
    rug = setting.world.variant("RUG")
    action = edit(order, ("LAMP", 1), ("ODD", 1), add=[AddedLine(rug.gid, 2, "L9")])
    assert isinstance(setting.does(action), Confirmed)
    after = setting.order(order.id)
    assert quantities(after) == {"LAMP": 1, "ODD": 1, "RUG": 2}
    assert setting.lamp.available == 9
    assert setting.world.order(order.id).agreements[-1].actor.app is setting.world.main_app
    again = edit(after, ("LAMP", 1), ("ODD", 1), ("RUG", 2))
    assert isinstance(setting.does(again), Confirmed)
    assert len(setting.world.order(order.id).agreements) == 2


def test_an_edit_of_an_order_that_cannot_be_edited_is_refused_with_its_class(setting: Setting) -> None:
    order = setting.imported()
    setting.world.cancel_order(order.id)
    outcome = setting.does(edit(order, ("LAMP", 1)))
    assert isinstance(outcome, Refused)
    assert outcome.code == "CANNOT_BE_EDITED"


def test_an_edit_below_what_has_left_is_refused_and_changes_nothing(setting: Setting) -> None:
    order = setting.imported()
    parcel = setting.world.order(order.id).fulfillment_orders[0]
    setting.world.fulfill(parcel, units=[("LAMP", 2)])
    outcome = setting.does(edit(order, ("LAMP", 1), ("ODD", 0)))
    assert isinstance(outcome, Refused)
    assert quantities(setting.order(order.id)) == {"LAMP": 3, "ODD": 1}


@pytest.mark.parametrize("kind", ["reply_lost", "server_error"])
def test_an_unclear_commit_is_unknown_and_the_order_tells(setting: Setting, kind: str) -> None:
    order = setting.imported()
    action = edit(order, ("LAMP", 2))
    setting.faults.arm("orderEditCommit", Fault(kind))
    assert isinstance(setting.does(action), Unknown)
    assert isinstance(setting.does(action), Confirmed)
    assert quantities(setting.order(order.id))["LAMP"] == 2


def test_a_lost_begin_left_nothing_behind(setting: Setting) -> None:
    order = setting.imported()
    setting.faults.arm("orderEditBegin", Fault("reply_lost"))
    assert isinstance(setting.does(edit(order, ("LAMP", 2))), Unavailable)
    assert quantities(setting.order(order.id))["LAMP"] == 3


def test_a_given_address_replaces_the_marketplaces(setting: Setting) -> None:
    order = setting.imported()
    parts = AddressParts("Kim", "Novak", "", "8 Oak Road", "", "Toronto", "M4B 1B3", "", "CA")
    text = json.dumps(asdict(parts) | {"phone": "+1 416 555 0111"})
    action = SetOrderAddress(order.id, "t-1", digest(parts, KEY).digest)
    outcome = setting.use(lambda client: perform(client, action, context(text=text)))
    assert isinstance(outcome, Confirmed)
    assert setting.order(order.id).address == digest(parts, KEY, "+1 416 555 0111")


def test_the_marker_moves_to_the_order_that_replaces(setting: Setting) -> None:
    """The value is unique (reference 5.5), so it has to leave the first order before the second can carry it; both
    keep the lineage marker."""
    old, new = setting.imported(), setting.world.customer_order([("LAMP", 1)])
    refused = setting.does(MarkOrder(new.gid))
    assert isinstance(refused, Refused)
    assert refused.code == "TAKEN"
    assert isinstance(setting.does(ClearMarker(old.id)), Confirmed)
    assert isinstance(setting.does(ClearMarker(old.id)), Confirmed)
    assert isinstance(setting.does(MarkOrder(new.gid)), Confirmed)
    assert (setting.order(old.id).marker, setting.order(new.gid).marker) == ("", "mkt-ca:12345-A")
    kept = [
        field.value
        for gid in (old.id, new.gid)
        for (_, key), field in setting.world.order(gid).metafields.items()
        if key == "mirakl_lineage"
    ]
    assert kept == ["mkt-ca:12345-A"] * 2


def test_a_service_is_asked_to_give_the_order_back_once(setting: Setting) -> None:
    service = setting.world.add_location("Warehouse of others", fulfillment_service=True)
    setting.world.add_variant("SOFA", "99.00", 10, location=service)
    order = setting.world.customer_order([("SOFA", 1)])
    parcel = order.fulfillment_orders[0]
    stop = AskServiceToStop(parcel.gid, "Changed at the marketplace.")
    early = setting.does(stop)
    assert isinstance(early, Refused)
    setting.world.request_fulfillment(parcel)
    setting.world.service_accepts(parcel)
    assert isinstance(setting.does(stop), Confirmed)
    assert isinstance(setting.does(stop), Confirmed)
    assert [asked.kind for asked in parcel.requests] == ["FULFILLMENT_REQUEST", "CANCELLATION_REQUEST"]


def test_the_order_says_one_thing_at_a_time_to_staff(setting: Setting) -> None:
    """Tags and metafields arrive as `orders/updated` (reference 9.3), are idempotent (4.5) and change no line."""
    assert setting.use(define_status) == Confirmed()
    assert setting.use(define_status) == Confirmed()
    order = setting.imported()
    assert isinstance(setting.does(ShowStatus(order.id, "needs decision", ())), Confirmed)
    asked = ShowStatus(order.id, "in sync", ("Interlock: needs decision",))
    for _ in range(2):
        assert isinstance(setting.does(asked), Confirmed)
    after = setting.order(order.id)
    assert after.status == "in sync"
    assert [tag for tag in after.tags if tag.startswith("Interlock")] == ["Interlock: in sync"]
    assert set(order.tags) <= set(after.tags)
    assert content_of(after) == content_of(order)
    for _ in range(2):
        assert isinstance(setting.does(ClearStatus(order.id, ("Interlock: in sync",))), Confirmed)
    cleared = setting.order(order.id)
    assert (cleared.status, set(cleared.tags)) == ("", set(order.tags))

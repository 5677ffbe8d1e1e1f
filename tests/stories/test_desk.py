"""Edits asked for at our own desk, from the hold to the release, on both import routes."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from interlock.clock import SystemIdentifiers
from interlock.console import editing
from interlock.console.editing import Asked, Progress
from interlock.console.order import order_page
from interlock.desk.requests import Wish
from interlock.orders.connection import ConnectionRules
from interlock.orders.reasons import Option, Reason
from interlock.orders.texts import texts
from interlock.preview import Preview
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.faults import Fault
from interlock.simulator.shopify.state import Actor, EditSession
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.switches import Switches
from tests.stories.stage import RULES, Broken, Theatre, answer_case, marketplace, open_cases, row_id

ROUTES = ("draft", "order")


def on(route: str) -> ConnectionRules:
    return replace(RULES, import_route=route)  # type: ignore[arg-type]


def desk(stage: Stage) -> editing.Desk:
    world = stage.world
    return editing.Desk(world.wakeups, world.keyring, SystemIdentifiers())


def ask(
    stage: Stage, decision: Option | None = None, address: Mapping[str, str] | None = None, **wish: Any
) -> tuple[str, Preview]:
    """Ada looks at the preview and asks for the edit."""
    asked = Asked(Wish(**wish, decision=decision), address)
    order_id, now = row_id(stage), stage.world.service_clock.now()
    with stage.world.database.begin() as c:
        seen = editing.preview_of(c, desk(stage), order_id, asked, now)
    with stage.world.database.begin() as c:
        edit, found = editing.ask(c, desk(stage), order_id, asked, seen.version, "Ada", "by phone", now)
    assert found == replace(seen, order=found.order)
    return edit.id, found


def progress(stage: Stage, edit_id: str) -> Progress:
    with stage.world.database.begin() as c:
        page = order_page(c, row_id(stage), stage.world.service_clock.now())
        assert page is not None
        found = editing.progress_of(c, page, edit_id)
    assert found is not None
    return found


def seconds_between(first: datetime, second: datetime) -> float:
    return (second - first).total_seconds()


@pytest.mark.parametrize("route", ROUTES)
def test_a_reduction_reaches_the_marketplace_without_a_quiet_period(theatre: Theatre, route: str) -> None:
    found: dict[str, Any] = {}

    async def story(stage: Stage) -> None:
        await stage.until(400)
        found["asked"] = stage.world.service_clock.now()
        found["edit"], found["preview"] = ask(stage, quantities=(("MUG-BLUE", 1),))
        await stage.until(460)
        found["progress"] = progress(stage, found["edit"])
        stage.world.shopify.pick(company="UPS", number="PARCEL1")

    told = theatre.tell(story, marketplace("automatic"), 800, rules=on(route))

    (cancelled,) = told.marketplace_effects("cancelation")
    (edited,) = told.shopify_effects("edited", "api:")
    held = [at for at in told.shopify_effects("hold_placed", "api:") if at >= found["asked"]]
    assert held[0] <= edited <= cancelled
    assert seconds_between(found["asked"], cancelled) < 15
    assert [line.live_quantity for line in told.stage.order.lines] == [1, 1]
    assert told.stage.order.state == "SHIPPED"
    assert told.open_reasons == []
    (call,) = found["preview"].calls
    (sent,) = told.stage.order.lines[0].cancelations
    figures = call.lines[0]
    assert (call.operation, figures.quantity, figures.amount) == (
        "OR30",
        2,
        sent.amounts.product + sent.amounts.product_tax,
    )
    assert figures.commission == sent.commission + sum(amount for _, amount in sent.commission_taxes)
    assert found["progress"].state == "done"
    assert [step.state for step in found["progress"].steps] == ["done"] * 5


@pytest.mark.parametrize("route", ROUTES)
def test_a_cancel_ends_both_sides_at_once(theatre: Theatre, route: str) -> None:
    found: dict[str, Any] = {}

    async def story(stage: Stage) -> None:
        await stage.until(400)
        found["asked"] = stage.world.service_clock.now()
        found["edit"], _ = ask(stage, cancel=True)
        await stage.until(500)
        found["progress"] = progress(stage, found["edit"])

    told = theatre.tell(story, marketplace("automatic"), 600, rules=on(route))

    ended = max(told.marketplace_effects("state"))
    assert told.live_orders == []
    assert told.stage.order.state == "CANCELED"
    assert seconds_between(found["asked"], ended) < 15
    assert told.open_reasons == []
    assert found["progress"].state == "done"


def test_what_the_marketplace_cannot_take_is_undone_from_the_desk(theatre: Theatre) -> None:
    found: dict[str, Any] = {}

    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.edit(stage.shopify_order(), add=[("LAMP-OAK", 1)])
        await stage.until(500)
        found["before"] = [row.reason for row in open_cases(stage)]
        found["edit"], found["preview"] = ask(stage, undo=True)
        await stage.until(560)
        found["progress"] = progress(stage, found["edit"])

    told = theatre.tell(story, marketplace("automatic"), 700)

    assert found["before"] == [Reason.EDIT_CANNOT_BE_EXPRESSED.value]
    assert found["preview"].parcel == "may leave"
    assert told.open_reasons == []
    (order,) = told.live_orders
    assert [(line.sku, line.current_quantity) for line in order.lines] == [
        ("MUG-BLUE", 3),
        ("KETTLE-1L", 1),
        ("LAMP-OAK", 0),
    ]
    assert [hold for item in order.fulfillment_orders for hold in item.holds] == []
    assert found["progress"].state == "done"
    assert told.marketplace_effects("cancelation") == []


def test_a_line_removed_by_staff_comes_back_as_a_line_that_counts(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.set_quantity(stage.shopify_order(), "KETTLE-1L", 0)
        await stage.until(410)
        ask(stage, undo=True)

    told = theatre.tell(story, marketplace("automatic"), 900)

    (order,) = told.live_orders
    assert sum(line.current_quantity for line in order.lines if line.sku == "KETTLE-1L") == 1
    assert told.marketplace_effects("cancelation") == []
    assert [hold for item in order.fulfillment_orders for hold in item.holds] == []


class EditedByStaff:
    """Somebody has the order open for editing in the admin, and this Shopify lets nobody else edit meanwhile."""

    switches = Switches(SHOPIFY_SWITCHES, {"second_edit_session": "refused"})

    def __init__(self, stage: Stage) -> None:
        shop, staff = stage.world.shopify.shop, Actor("staff")
        now = stage.world.shopify.clock.now()
        self._sessions = shop.sessions
        shop.sessions[999_999] = EditSession(999_999, stage.shopify_order(), staff, now, [])

    def leaves(self) -> None:
        del self._sessions[999_999]


def test_an_edit_shopify_refuses_is_a_case_and_giving_up_lets_the_parcel_go(theatre: Theatre) -> None:
    found: dict[str, Any] = {}

    async def story(stage: Stage) -> None:
        await stage.until(400)
        EditedByStaff(stage)
        found["edit"], _ = ask(stage, quantities=(("MUG-BLUE", 1),))
        await stage.until(430)
        found["stuck"] = progress(stage, found["edit"])
        found["case"] = open_cases(stage)[0]
        answer_case(stage, Reason.DESK_EDIT_STUCK, Option.GIVE_UP)

    told = theatre.tell(story, marketplace("automatic"), 700, shopify_switches=EditedByStaff.switches)

    assert found["stuck"].state == "needs a person"
    assert found["case"].reason == Reason.DESK_EDIT_STUCK.value
    assert "The order is being edited by somebody else." in found["case"].sentence
    assert told.open_reasons == []
    (order,) = told.live_orders
    assert [line.current_quantity for line in order.lines] == [3, 1]
    assert [hold for item in order.fulfillment_orders for hold in item.holds] == []
    assert told.marketplace_effects("cancelation") == []


def test_an_edit_shopify_refused_is_made_once_it_is_sent_again(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        staff = EditedByStaff(stage)
        ask(stage, quantities=(("MUG-BLUE", 1),))
        await stage.until(430)
        staff.leaves()
        answer_case(stage, Reason.DESK_EDIT_STUCK, Option.SEND_AGAIN)

    told = theatre.tell(story, marketplace("automatic"), 700, shopify_switches=EditedByStaff.switches)

    assert told.open_reasons == []
    assert [line.live_quantity for line in told.stage.order.lines] == [1, 1]


@pytest.mark.parametrize(
    "kind", ["reply_lost", "late_apply", "server_error_after", "truncated", "refused_before"]
)
def test_an_edit_whose_answer_was_lost_is_made_once(theatre: Theatre, kind: str) -> None:
    broken = Broken(Fault(kind, seconds=5.0), "orderEditCommit", "orderEditBegin", times=2)

    async def story(stage: Stage) -> None:
        await stage.until(400)
        broken.active = True
        ask(stage, quantities=(("MUG-BLUE", 1),))

    told = theatre.tell(story, marketplace("automatic"), 900, shopify_faults=broken)

    assert broken.injected[kind] >= 1
    assert len(told.shopify_effects("edited", "api:")) == 1
    assert len(told.marketplace_effects("cancelation")) == 1
    assert [line.live_quantity for line in told.stage.order.lines] == [1, 1]
    assert told.open_reasons == []


def test_an_edit_before_the_customer_has_paid_waits_visibly(theatre: Theatre) -> None:
    found: dict[str, Any] = {}

    async def story(stage: Stage) -> None:
        await stage.until(200)
        found["edit"], found["preview"] = ask(stage, quantities=(("MUG-BLUE", 2),))
        await stage.until(260)
        found["progress"] = progress(stage, found["edit"])

    told = theatre.tell(story, marketplace("all-or-nothing", debit_delay=600.0), 1200)

    assert found["preview"].calls == ()
    assert "takes no cancelation of units" in found["preview"].waits[0]
    step = found["progress"].steps[2]
    assert (step.name, step.state) == ("Marketplace told", "waits")
    assert "takes no cancelation of units" in step.sentence
    # Paid by then, so that the reduction has become a refund somebody makes.
    assert told.open_reasons == [Reason.REFUND_TASK.value]
    (order,) = told.live_orders
    assert any(hold for item in order.fulfillment_orders for hold in item.holds)


def test_an_address_is_written_and_then_forgotten(theatre: Theatre) -> None:
    given = {
        "first_name": "Grace",
        "last_name": "Hopper",
        "line1": "1 Navy Yard",
        "city": "Paris",
        "postcode": "75001",
        "country_code": "FR",
    }
    left: list[Any] = []

    async def story(stage: Stage) -> None:
        world = stage.world
        await stage.until(400)
        ask(stage, Option.DONE_IN_PORTAL, given)
        await stage.until(500)
        with world.database.begin() as c:
            left.append(c.execute(select(texts)).all())
        left.append([row.reason for row in open_cases(stage)])
        ask(stage, undo=True)

    told = theatre.tell(story, marketplace("automatic"), 800)

    assert "Grace" not in told.timeline + json.dumps([row.sentence for row in told.cases])
    assert len(told.shopify_effects("address_changed", "api:")) >= 1
    assert left[1] == [Reason.EDIT_CANNOT_BE_EXPRESSED.value]
    (order,) = told.live_orders
    shown = told.stage.order.shipping_address
    assert shown is not None
    assert order.shipping_address is not None
    assert order.shipping_address.zip == shown["zip_code"]
    assert told.open_reasons == []


def test_a_swap_the_customer_agreed_to_is_made_and_ships(theatre: Theatre) -> None:
    found: dict[str, Any] = {}

    async def story(stage: Stage) -> None:
        await stage.until(400)
        lamp = stage.world.shopify.variant("LAMP-OAK", stage.world.shopify.shop)
        found["edit"], found["preview"] = ask(
            stage, Option.SHIP_AS_EDITED, replaced=(("KETTLE-1L", lamp.gid),)
        )
        await stage.until(470)
        found["progress"] = progress(stage, found["edit"])
        for _ in stage.shopify_order().fulfillment_orders:
            stage.world.shopify.pick(company="UPS", number="PARCEL1")

    told = theatre.tell(story, marketplace("automatic"), 900)

    assert found["preview"].calls == ()
    assert found["progress"].state == "done"
    (order,) = told.live_orders
    assert [(line.sku, line.fulfilled) for line in order.lines] == [
        ("MUG-BLUE", 3),
        ("KETTLE-1L", 0),
        ("LAMP-OAK", 1),
    ]
    assert told.stage.order.state == "SHIPPED"
    assert told.marketplace_effects("cancelation") == []

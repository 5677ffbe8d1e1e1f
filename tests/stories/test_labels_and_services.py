"""Label printers that ask, fulfilment services that are asked to stop, and parcels that do not stay as they were routed."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from interlock.access.store import make_key
from interlock.clock import SeededIdentifiers
from interlock.orders.reasons import Reason
from interlock.rehearsal.scenarios import RULES, Stage
from interlock.rehearsal.world import ADDRESS_KEY
from interlock.simulator.faults import Fault
from interlock.simulator.shopify.state import FulfillmentOrder, Order
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.shopify.webhooks import WebhookWeather
from interlock.simulator.switches import Switches
from interlock.storage.database import InlineStore
from interlock.web import WebParts, create_app
from interlock.wiring import StoredConnections
from tests.stories.stage import Broken, Theatre, marketplace, open_cases

ATLAS = marketplace("automatic")


class Printer:
    """A warehouse program that asks over HTTP before it prints."""

    def __init__(self, stage: Stage) -> None:
        world = stage.world
        store = InlineStore(world.database)
        connections = StoredConnections(
            store, world.service_clock, world.keyring, ADDRESS_KEY, world.http_for, loopback_http=False
        )
        identifiers = SeededIdentifiers(random.Random(5))
        parts = WebParts(
            store, world.service_clock, identifiers, world.wakeups, world.keyring, connections=connections
        )
        self._transport = httpx2.ASGITransport(create_app(parts))
        with world.database.begin() as c:
            scopes = ["labels:check", "labels:override"]
            _, token = make_key(c, "warehouse", scopes, "Ada", world.service_clock.now())
        self._headers = {"Authorization": f"Bearer {token}"}

    async def may_print(self, number: str) -> Any:
        """The answer to one question."""
        base = "http://localhost"
        async with httpx2.AsyncClient(transport=self._transport, base_url=base) as client:
            response = await client.get(
                "/v1/label-check", params={"order": number}, headers=self._headers, timeout=60.0
            )
        assert response.status_code == 200, response.text
        return response.json()

    async def override(self, number: str) -> None:
        """Somebody has the label printed all the same, in their own name."""
        body = {"order": number, "who": "Ada Agent", "why": "The customer waits at the door."}
        base = "http://localhost"
        async with httpx2.AsyncClient(transport=self._transport, base_url=base) as client:
            response = await client.post(
                "/v1/label-check/override", json=body, headers=self._headers, timeout=60.0
            )
        assert response.status_code == 200, response.text


def ours(order: Order) -> list[tuple[str, ...]]:
    """Our holds on every open part of the order."""
    return [tuple(hold.handle or "" for hold in item.holds) for item in order.fulfillment_orders if item.open]


HELD = (f"interlock:{ATLAS.name}",)


# -- the label check ---------------------------------------------------------------------------------------


def test_a_label_check_says_no_during_an_edit_and_yes_after_agreement(theatre: Theatre) -> None:
    answers: list[Any] = []

    async def story(stage: Stage) -> None:
        printer = Printer(stage)
        await stage.until(330)
        order = stage.shopify_order()
        answers.append(await printer.may_print(order.name))
        stage.world.shopify.set_quantity(order, "MUG-BLUE", 1)
        # In the very moment of the edit, before any webhook of it came.
        answers.append(await printer.may_print(order.gid))
        await stage.until(345)
        answers.append(await printer.may_print(order.fulfillment_orders[0].gid))
        await stage.until(600)
        answers.append(await printer.may_print(order.gid))

    told = theatre.tell(story, ATLAS, 700)
    agreed, edited, held, again = answers
    assert [answer["print"] for answer in answers] == [True, False, False, True]
    assert agreed["source"] == again["source"] == edited["source"] == "read now"
    assert "MUG-BLUE" in edited["reason"]
    assert "MUG-BLUE" in held["reason"]
    assert held["who_can_change_it"] == "nobody needs to: it settles by itself"
    assert all(answer["age_seconds"] < 30 for answer in answers)
    assert [line.live_quantity for line in told.stage.order.lines] == [1, 1]


def test_a_label_check_of_an_order_that_is_not_paid_yet_names_the_marketplace(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        printer = Printer(stage)
        await stage.until(600)
        answer = await printer.may_print(stage.order.id)
        assert answer["print"] is False
        assert "The marketplace has not released the order for shipping" in answer["reason"]
        assert answer["who_can_change_it"] == "the marketplace"

    theatre.tell(story, marketplace("all-or-nothing", debit_delay=5000.0), 700)


def test_what_the_label_check_sees_first_holds_the_parcel(theatre: Theatre) -> None:
    """No webhook comes; the printer's question finds the edit, and the hold goes on because of it."""

    async def story(stage: Stage) -> None:
        printer = Printer(stage)
        await stage.until(330)
        order = stage.shopify_order()
        stage.world.shopify.set_quantity(order, "MUG-BLUE", 1)
        assert ours(order) == [()]
        assert (await printer.may_print(order.gid))["print"] is False
        await stage.until(340)
        assert ours(order) == [HELD]

    theatre.tell(story, ATLAS, 700, weather=WebhookWeather(lost=1.0))


def test_during_an_outage_of_shopify_the_answer_is_no(theatre: Theatre) -> None:
    away = Broken(Fault("server_error", status=503), "*")
    away.active = False
    answers: list[Any] = []

    async def story(stage: Stage) -> None:
        printer = Printer(stage)
        await stage.until(330)
        order = stage.shopify_order()
        answers.append(await printer.may_print(order.gid))
        away.active = True
        await stage.until(400)
        answers.append(await printer.may_print(order.gid))
        away.active = False
        await stage.until(500)
        answers.append(await printer.may_print(order.gid))

    theatre.tell(story, ATLAS, 600, shopify_faults=away)
    assert [answer["print"] for answer in answers] == [True, False, True]
    assert answers[1]["reason"].startswith("Cannot confirm: ")
    assert answers[1]["source"] == "none"


def test_while_the_marketplace_cannot_be_read_for_long_the_answer_is_no(theatre: Theatre) -> None:
    away = Broken(Fault("server_error", status=503), "*")
    away.active = False
    answers: list[Any] = []

    async def story(stage: Stage) -> None:
        printer = Printer(stage)
        await stage.until(330)
        order = stage.shopify_order()
        away.active = True
        await stage.until(600)
        answers.append(await printer.may_print(order.gid))
        await stage.until(1500)
        answers.append(await printer.may_print(order.gid))
        away.active = False
        await stage.until(2400)
        answers.append(await printer.may_print(order.gid))

    told = theatre.tell(story, ATLAS, 2500, mirakl_faults=away)
    assert [answer["print"] for answer in answers] == [True, False, True]
    assert answers[1]["reason"].startswith("Cannot confirm. The marketplace could not be read since ")
    assert answers[1]["who_can_change_it"] == "engineer"
    assert told.shopify_effects("hold_placed") == [], "what was released is not held again"


def test_a_hold_whose_window_ends_while_the_marketplace_cannot_be_read_stays_until_it_is(
    theatre: Theatre,
) -> None:
    away = Broken(Fault("server_error", status=503), "*")
    away.active = False
    shown: list[list[tuple[str, ...]]] = []

    async def story(stage: Stage) -> None:
        await stage.until(330)
        away.active = True
        await stage.until(2400)
        shown.append(ours(stage.shopify_order()))
        away.active = False
        await stage.until(3000)
        shown.append(ours(stage.shopify_order()))

    theatre.tell(
        story, ATLAS, 3100, rules=replace(RULES, edit_window=timedelta(minutes=30)), mirakl_faults=away
    )
    assert shown == [[HELD], [()]]


# -- fulfilment services -----------------------------------------------------------------------------------


async def at_a_service(stage: Stage, accepted: bool) -> FulfillmentOrder:
    """A released order whose parcel a fulfilment service has."""
    shop = stage.world.shopify
    for location in shop.shop.locations.values():
        location.fulfillment_service = True
    await stage.until(330)
    (parcel,) = stage.shopify_order().fulfillment_orders
    assert parcel.holds == []
    shop.request_fulfillment(parcel)
    if accepted:
        shop.service_accepts(parcel)
    return parcel


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("reopened", ["reopens_same", "closes_and_reopens"])
def test_a_service_that_stops_in_time(theatre: Theatre, accepted: bool, reopened: str) -> None:
    async def story(stage: Stage) -> None:
        shop = stage.world.shopify
        parcel = await at_a_service(stage, accepted)
        order = parcel.order
        shop.set_quantity(order, "MUG-BLUE", 1)
        await stage.until(345)
        assert parcel.request == "CANCELLATION_REQUESTED"
        shop.service_accepts(parcel)
        await stage.until(360)
        assert ours(order) == [HELD]
        await stage.until(600)
        assert ours(order) == [()]
        (case,) = open_cases(stage)
        assert case.reason == Reason.SERVICE_TO_ASK_AGAIN.value
        again = next(item for item in order.fulfillment_orders if item.open)
        shop.request_fulfillment(again)
        shop.service_accepts(again)
        shop.service_ships(again)

    switches = Switches(SHOPIFY_SWITCHES, {"accepted_cancellation": reopened})
    told = theatre.tell(story, ATLAS, 1200, shopify_switches=switches)
    assert told.open_reasons == []
    assert "Fulfilment service asked to stop the parcel: confirmed." in told.timeline
    assert len(told.shopify_effects("service_asked", "api:")) == 1
    assert told.stage.order.state == "SHIPPED"
    assert [line.live_quantity for line in told.stage.order.lines] == [1, 1]


def test_a_service_that_refuses_is_an_urgent_case_and_what_it_ships_an_incident(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        shop = stage.world.shopify
        parcel = await at_a_service(stage, accepted=True)
        shop.edit(parcel.order, add=[("LAMP-OAK", 1)])
        await stage.until(345)
        shop.service_rejects(parcel)
        await stage.until(360)
        reasons = [case.reason for case in open_cases(stage)]
        assert Reason.SERVICE_DOES_NOT_STOP.value in reasons
        for item in parcel.order.fulfillment_orders:
            if item.with_service:
                shop.service_ships(item)

    told = theatre.tell(story, ATLAS, 900)
    (refused,) = told.of(Reason.SERVICE_DOES_NOT_STOP)
    assert "refused" in refused.sentence
    assert refused.closed_at is not None
    assert Reason.EDIT_CANNOT_BE_EXPRESSED.value in told.open_reasons


def test_a_service_that_keeps_silent_becomes_a_case_after_its_time(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        parcel = await at_a_service(stage, accepted=True)
        stage.world.shopify.edit(parcel.order, add=[("LAMP-OAK", 1)])
        await stage.until(330 + 14 * 60)
        assert Reason.SERVICE_DOES_NOT_STOP.value not in [case.reason for case in open_cases(stage)]

    told = theatre.tell(story, ATLAS, 330 + 17 * 60)
    (silent,) = told.of(Reason.SERVICE_DOES_NOT_STOP)
    assert "has not answered within 15 minutes" in silent.sentence
    assert silent.severity == "urgent"
    assert len(told.shopify_effects("service_asked", "api:")) == 1


# -- fulfilment orders that do not stay as they were routed --------------------------------------------------


def test_a_parcel_that_is_split_before_the_edit_is_held_in_all_its_parts(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        shop = stage.world.shopify
        printer = Printer(stage)
        await stage.until(330)
        order = stage.shopify_order()
        (parcel,) = order.fulfillment_orders
        made = shop.split_fulfillment_order(parcel, [("MUG-BLUE", 1)])
        # No look has seen the new part yet; Shopify says whose it is.
        assert (await printer.may_print(made.gid))["print"] is True
        shop.edit(order, add=[("LAMP-OAK", 1)])
        await stage.until(345)
        assert len(ours(order)) >= 2
        assert set(ours(order)) == {HELD}
        assert (await printer.may_print(made.gid))["print"] is False
        assert (await printer.may_print(parcel.gid))["print"] is False

    told = theatre.tell(story, ATLAS, 700)
    assert Reason.HOLD_RELEASED_BY_OTHERS.value not in told.open_reasons


def test_a_parcel_that_moves_to_another_place_while_it_waits_is_held_there(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        shop = stage.world.shopify
        other = shop.add_location("Second hall")
        await stage.until(330)
        order = stage.shopify_order()
        shop.edit(order, add=[("LAMP-OAK", 1)])
        await stage.until(345)
        for parcel in [item for item in order.fulfillment_orders if item.open]:
            shop.move_fulfillment_order(parcel, other)
        await stage.until(700)
        assert set(ours(order)) == {HELD}

    told = theatre.tell(story, ATLAS, 800)
    assert Reason.HOLD_RELEASED_BY_OTHERS.value not in told.open_reasons


def test_one_unit_that_left_before_an_edit_is_no_wrong_label(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        shop = stage.world.shopify
        await stage.until(330)
        order = stage.shopify_order()
        (parcel,) = order.fulfillment_orders
        shop.fulfill(parcel, company="UPS", number="PARCEL1", units=[("MUG-BLUE", 1)])
        await stage.until(345)
        shop.set_quantity(order, "MUG-BLUE", 2)

    told = theatre.tell(story, ATLAS, 700)
    assert told.of(Reason.LABEL_BEFORE_AGREEMENT) == []
    assert [line.live_quantity for line in told.stage.order.lines] == [2, 1]

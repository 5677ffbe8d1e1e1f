"""What a running service notes of a shop's subscriptions and scopes, of looks that crash, and of a machine's clock."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from interlock.cases.store import cases
from interlock.clock import SystemIdentifiers
from interlock.engine.troubles import all_troubles
from interlock.monitoring.watching import watch_connections
from interlock.orders.reasons import Reason
from interlock.rehearsal.scenarios import Stage
from interlock.service import Service
from interlock.simulator.faults import Fault
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.wiring import StoredConnections
from tests.monitoring.test_connection_stories import watched
from tests.stories.stage import Broken, Theatre, marketplace, row_id


def service_in(stage: Stage, keyring: Keyring) -> Service:
    """A service on the stage's database, clock and platforms, whose duties a story does one by one."""
    world = stage.world
    made = Service(
        world.database,
        world.service_clock,
        SystemIdentifiers(),
        keyring,
        b"key",
        world.http_for,
        loopback_http=True,
        worker="w1",
    )
    # On virtual time there are no threads.
    made.store = InlineStore(world.database)  # type: ignore[assignment]
    made.connections = StoredConnections(
        made.store, world.service_clock, keyring, b"key", world.http_for, loopback_http=True
    )
    return made


def test_subscriptions_the_shop_refuses_and_takes_again(database: Database, keyring: Keyring) -> None:
    broken = Broken(Fault("server_error", status=500), "webhookSubscriptionCreate")
    seen: list[list[tuple[str, str]]] = []

    async def story(stage: Stage) -> None:
        await stage.until(200)
        service = service_in(stage, keyring)
        row = stage.world.connection_row(stage.marketplace.profile.name)
        broken.active = True
        await service._audit_subscriptions_of(row, "https://interlock.example/webhooks/shopify/x")
        seen.append(watched(stage))
        broken.active = False
        await service._audit_subscriptions_of(row, "https://interlock.example/webhooks/shopify/x")
        seen.append(watched(stage))

    Theatre(database, keyring).tell(story, marketplace("all-or-nothing"), 400, shopify_faults=broken)
    assert broken.injected["server_error"] > 0
    assert seen == [[(Reason.SUBSCRIPTION_MISSING.value, "subscriptions")], []]


def test_scopes_that_are_taken_away_and_given_back(database: Database, keyring: Keyring) -> None:
    seen: list[list[tuple[str, str]]] = []

    async def story(stage: Stage) -> None:
        await stage.until(200)
        service = service_in(stage, keyring)
        row = stage.world.connection_row(stage.marketplace.profile.name)
        app = stage.world.shopify.apps[row.shopify_client_id]
        scopes = app.scopes
        app.scopes = tuple(scope for scope in scopes if "fulfillment" not in scope)
        await service._refresh_services(row)
        seen.append(watched(stage))
        app.scopes = scopes
        await service._refresh_services(row)
        seen.append(watched(stage))

    Theatre(database, keyring).tell(story, marketplace("all-or-nothing"), 400)
    assert seen == [[(Reason.SCOPE_MISSING.value, "scopes")], []]


def test_the_case_names_the_scopes_that_are_missing_by_now(database: Database, keyring: Keyring) -> None:
    said: list[str] = []

    async def story(stage: Stage) -> None:
        await stage.until(200)
        service = service_in(stage, keyring)
        row = stage.world.connection_row(stage.marketplace.profile.name)
        app = stage.world.shopify.apps[row.shopify_client_id]
        scopes = app.scopes
        for gone in ("fulfillment", "draft_orders"):
            app.scopes = tuple(scope for scope in scopes if gone not in scope)
            await service._refresh_services(row)
            watched(stage)
            with stage.world.database.begin() as c:
                sentences = select(cases.c.sentence).where(cases.c.reason == Reason.SCOPE_MISSING.value)
                said.extend(c.execute(sentences).scalars())

    Theatre(database, keyring).tell(story, marketplace("all-or-nothing"), 400)
    first, then = said
    assert "fulfillment" in first
    assert "draft_orders" not in first
    assert "draft_orders" in then
    assert "fulfillment_orders" not in then


def test_looks_that_crash_are_noted_with_the_kind_of_error_alone(
    database: Database, keyring: Keyring
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(200)
        service = service_in(stage, keyring)
        number = row_id(stage)
        for _ in range(3):
            await service._look_failed(number, "edits", ValueError("Ada Lovelace, SW1"))
        with stage.world.database.begin() as c:
            (trouble,) = all_troubles(c)
            assert (trouble.part, trouble.code, trouble.times) == (f"order {number}", "crash", 3)
            assert trouble.detail == "ValueError"

    Theatre(database, keyring).tell(story, marketplace("all-or-nothing"), 300)


def test_a_clock_that_is_wrong_is_noted_and_forgiven(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(200)
        service = service_in(stage, keyring)
        monkeypatch.setattr("interlock.service.clock_offset", lambda database, clock: timedelta(seconds=-7.5))
        monkeypatch.setattr("asyncio.to_thread", _here)
        await service._watch_database()
        with stage.world.database.begin() as c:
            (trouble,) = all_troubles(c)
            assert (trouble.part, trouble.detail) == ("clock w1", "-7.5")
        assert watched(stage) == [(Reason.CLOCK_SKEW.value, "clock w1")]
        await asyncio.sleep(90)
        with stage.world.database.begin() as c:
            assert watch_connections(c, stage.world.service_clock.now())[1] == 1

    Theatre(database, keyring).tell(story, marketplace("all-or-nothing"), 400)


async def _here(function: object, *arguments: object) -> object:
    return function(*arguments)  # type: ignore[operator]

"""Conditions of whole connections on simulated platforms: each opens by what really happens and closes by itself."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from interlock.cases.store import cases
from interlock.console.health import service_health
from interlock.engine.troubles import all_troubles, note_trouble, trouble_is_over
from interlock.monitoring import outbox
from interlock.monitoring.composing import compose
from interlock.monitoring.conditions import BEATING
from interlock.monitoring.decide import decide
from interlock.monitoring.duty import situation
from interlock.monitoring.skus import sku_page
from interlock.monitoring.standings import last_calls
from interlock.monitoring.watching import watch_connections
from interlock.orders.reasons import Reason
from interlock.orders.store import orders
from interlock.rehearsal.judging.privacy import SEARCH, TOKEN
from interlock.rehearsal.scenarios import Stage
from interlock.rehearsal.stock import learn_offers
from interlock.simulator.faults import Fault
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.stories.stage import RULES, Broken, Theatre, marketplace

AWAY = Fault("refused_before")


@pytest.fixture
def theatre(database: Database, keyring: Keyring) -> Theatre:
    return Theatre(database, keyring)


def watched(stage: Stage) -> list[tuple[str, str]]:
    """Do the periodic job at this moment; what is open then."""
    with stage.world.database.begin() as c:
        watch_connections(c, stage.world.service_clock.now())
        rows = c.execute(
            select(cases.c.reason, cases.c.subject)
            .where(cases.c.order_id.is_(None), cases.c.closed_at.is_(None))
            .order_by(cases.c.reason, cases.c.subject)
        )
        # The rehearsal's own dispatcher does these duties only when something is due.
        return [(row.reason, row.subject) for row in rows if row.subject not in BEATING]


async def met(broken: Broken) -> None:
    """Wait until a call has met the fault, ten minutes at most."""
    for _ in range(1200):
        if broken.injected:
            return
        await asyncio.sleep(0.5)


async def after(stage: Stage, seconds: float) -> list[tuple[str, str]]:
    await asyncio.sleep(seconds)
    return watched(stage)


def test_a_key_that_is_revoked_and_given_back(theatre: Theatre) -> None:
    seen: list[list[tuple[str, str]]] = []

    async def story(stage: Stage) -> None:
        await stage.until(200)
        seen.append(watched(stage))
        keys = dict(stage.marketplace.keys)
        stage.marketplace.keys.clear()
        seen.append(await after(stage, 130))
        stage.marketplace.keys.update(keys)
        seen.append(await after(stage, 130))

    theatre.tell(story, marketplace("all-or-nothing"), 500)
    assert seen == [[], [(Reason.CREDENTIAL_REFUSED.value, "marketplace")], []]


def test_an_app_that_is_taken_out_of_the_shop_and_put_back(theatre: Theatre) -> None:
    seen: list[list[tuple[str, str]]] = []

    async def story(stage: Stage) -> None:
        await stage.until(200)
        world = stage.world.shopify
        apps = [(app, list(app.secrets)) for app in world.apps.values()]
        for app, _ in apps:
            app.secrets[:] = ["another"]
        world.tokens.clear()
        seen.append(await after(stage, 700))
        for app, secrets in apps:
            app.secrets[:] = secrets
        seen.append(await after(stage, 400))

    theatre.tell(story, marketplace("all-or-nothing"), 1400)
    assert (Reason.CREDENTIAL_REFUSED.value, "shop") in seen[0]
    assert seen[1] == []


def test_a_marketplace_and_a_shop_that_cannot_be_read(theatre: Theatre) -> None:
    away = Broken(AWAY, "*")
    seen: list[list[tuple[str, str]]] = []

    async def story(stage: Stage) -> None:
        await stage.until(330)
        away.active = True
        seen.append(await after(stage, 1300))
        away.active = False
        seen.append(await after(stage, 400))

    theatre.tell(story, marketplace("all-or-nothing"), 2100, mirakl_faults=away, shopify_faults=away)
    stale = Reason.POLLER_STALE.value
    assert [one for one in seen[0] if one[0] == stale] == [(stale, "marketplace"), (stale, "shop")]
    assert [one for one in seen[1] if one[0] == stale] == []


def test_a_stock_that_cannot_be_read_any_more_is_said_everywhere(theatre: Theatre) -> None:
    """Only the stock's own reads fail; the lower figure is published, and Health, the SKU page and a case say so."""
    away = Broken(AWAY, "location", "StockChangedAt")
    seen: list[list[tuple[str, str]]] = []
    pulses: list[tuple[bool, bool]] = []
    careful: list[tuple[str, ...]] = []

    def look(stage: Stage) -> None:
        seen.append([one for one in watched(stage) if one[0] == Reason.POLLER_STALE.value])
        now = stage.world.service_clock.now()
        with stage.world.database.begin() as c:
            health = service_health(c, now)
            (read,) = [one for one in health.polls if one.name.startswith("stock ")]
            (desk,) = [one for one in health.pulses if one.name.startswith("stock ")]
            pulses.append((read.stale, any("stock of" in said for said in health.problems)))
            assert desk.detail.startswith("last published")
            (sku,), _ = sku_page(c, now, sku="MUG-BLUE")
            careful.append(sku.facts.careful)
            assert sku.facts.stock_read_at == read.at

    async def story(stage: Stage) -> None:
        learn_offers(stage.world)
        await stage.until(900)
        look(stage)
        away.active = True
        await stage.until(900 + 2400)
        look(stage)
        away.active = False
        await stage.until(900 + 2400 + 600)
        look(stage)

    rules = replace(RULES, publish_stock=True)
    theatre.tell(story, marketplace("all-or-nothing"), 4000, rules=rules, shopify_faults=away)
    assert seen == [[], [(Reason.POLLER_STALE.value, "stock")], []]
    assert pulses == [(False, False), (True, True), (False, False)]
    assert careful[0] == careful[2] == ()
    (said,) = careful[1]
    assert "has not been read for a while, last at 2026" in said


def test_a_call_whose_answer_is_lost_while_the_marketplace_goes_away(theatre: Theatre) -> None:
    lost, away = Broken(Fault("reply_lost"), "OR21"), Broken(AWAY, "OR11")
    seen: list[list[tuple[str, str]]] = []

    class Both(Broken):
        def next_fault(self, operation: str) -> Fault | None:
            return lost.next_fault(operation) or away.next_fault(operation)

    async def story(stage: Stage) -> None:
        lost.active = True
        await met(lost)
        away.active = True
        seen.append(await after(stage, 1000))
        lost.active = away.active = False
        seen.append(await after(stage, 300))

    theatre.tell(story, marketplace("all-or-nothing"), 2000, mirakl_faults=Both(AWAY))
    unclear = (Reason.OPERATION_UNCLEAR.value, "operations")
    assert unclear in seen[0]
    assert unclear not in seen[1]


def test_a_marketplace_that_asks_us_to_wait(theatre: Theatre) -> None:
    told_to_wait = Broken(Fault("rate_limited", seconds=400), "OR21", times=1)
    seen: list[list[tuple[str, str]]] = []

    async def story(stage: Stage) -> None:
        told_to_wait.active = True
        await met(told_to_wait)
        seen.append(await after(stage, 30))
        seen.append(await after(stage, 400))

    theatre.tell(story, marketplace("all-or-nothing"), 1500, mirakl_faults=told_to_wait)
    assert [reason for reason, _ in seen[0]] == [Reason.BUDGET_EXHAUSTED.value]
    assert seen[1] == []


def test_an_order_whose_looks_crash(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the service notes when a look ends in an error of ours; the lease the crash left behind tells it goes on."""
    seen: list[list[tuple[str, str]]] = []

    async def story(stage: Stage) -> None:
        await stage.until(200)
        with stage.world.database.begin() as c:
            row = c.execute(select(orders.c.id)).scalar_one()
            c.execute(orders.update().values(lease_owner="gone", lease_until=stage.world.service_clock.now()))
            for _ in range(3):
                note_trouble(c, f"order {row}", "crash", stage.world.service_clock.now(), "ValueError")
        seen.append(watched(stage))
        seen.append(await after(stage, 130))

    told = theatre.tell(story, marketplace("all-or-nothing"), 500)
    assert seen == [[(Reason.POISON_ORDER.value, f"order {told.stage.order.id}")], []]
    with told.stage.world.database.begin() as c:
        assert all_troubles(c) == ()


def test_what_the_service_notes_of_scopes_subscriptions_and_clocks(theatre: Theatre) -> None:
    seen: list[list[tuple[str, str]]] = []

    async def story(stage: Stage) -> None:
        await stage.until(200)
        name = stage.marketplace.profile.name
        shop = stage.world.connection_row(name).shopify_shop
        now = stage.world.service_clock.now()
        with stage.world.database.begin() as c:
            note_trouble(c, f"scopes {shop}", "scope_missing", now, "write_orders")
            note_trouble(c, f"subscriptions {shop}", "subscription_missing", now, "ORDERS_EDITED")
            note_trouble(c, "clock w1", "clock_skew", now, "+7.5")
        seen.append(watched(stage))
        with stage.world.database.begin() as c:
            trouble_is_over(c, f"scopes {shop}", "scope_missing")
            trouble_is_over(c, f"subscriptions {shop}", "subscription_missing")
        seen.append(await after(stage, 61))

    theatre.tell(story, marketplace("all-or-nothing"), 500)
    assert seen == [
        [
            (Reason.CLOCK_SKEW.value, "clock w1"),
            (Reason.SCOPE_MISSING.value, "scopes"),
            (Reason.SUBSCRIPTION_MISSING.value, "subscriptions"),
        ],
        [],
    ]


def test_nothing_told_about_a_world_full_of_names_holds_one(
    theatre: Theatre, database: Database, keyring: Keyring
) -> None:
    """Every name, address, number and e-mail address of the simulated world is a canary: no alert holds one, neither in
    the tables nor in the words that leave."""
    edited = Broken(AWAY, "OR30")

    async def story(stage: Stage) -> None:
        await stage.until(330)
        stage.world.shopify.edit(stage.shopify_order(), add=[("LAMP-OAK", 1)])
        edited.active = True
        stage.marketplace.keys.clear()

    told = theatre.tell(story, marketplace("all-or-nothing"), 1500, mirakl_faults=edited)
    now = told.stage.world.service_clock.now()
    with database.begin() as c:
        watch_connections(c, now)
        assert outbox.keep(c, decide(situation(c, now)), now) >= 2
        words = [
            compose(row.alert, last_calls(c, row.alert.order_id), "look", "acknowledge", "UTC")
            for row in outbox.latest_alerts(c)
        ]
        assert [name for name, rows in c.execute(SEARCH) if rows] == []
    assert any(told.stage.order.id in one.body for one in words)
    assert TOKEN not in str(words)

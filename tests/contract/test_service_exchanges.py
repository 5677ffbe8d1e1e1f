"""What the service really says to a marketplace, and hears from it, judged by Mirakl's own document."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import httpx2
import pytest

from interlock.mirakl.account import MiraklAccount
from interlock.mirakl.client import MiraklClient
from interlock.mirakl.perform import perform
from interlock.orders.actions import SendMessage
from interlock.orders.outcomes import Confirmed
from interlock.orders.ports import OrderContext
from interlock.rehearsal.history import on_virtual_time
from interlock.rehearsal.scenarios import SCENARIOS, SEED, Scenario, Stage, staged
from interlock.rehearsal.world import WorldPlan
from interlock.simulator.clock import PlatformClock
from interlock.simulator.faults import Fault
from interlock.simulator.mirakl import PROFILES, MiraklWorld
from interlock.simulator.mirakl.operations import operation_at
from interlock.simulator.transport import ClockedASGITransport
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.contract.mirakl.validator import ENVIRONMENT_NAME, Violation, document_path, validate_exchange
from tests.mirakl.marketplace_documents import NotedBudget

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(document_path() is None, reason=f"{ENVIRONMENT_NAME} names no document"),
]


class Judge(httpx2.AsyncBaseTransport):
    """Hands every request on and judges it together with its answer."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner
        self.violations: list[Violation] = []
        self.seen: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        sent = await request.aread()
        answer = await self._inner.handle_async_request(request)
        heard = await answer.aread()
        path = request.url.raw_path.decode()
        self.violations += validate_exchange(
            request.method,
            path,
            _parsed(sent, request.headers.get("content-type", "")),
            answer.status_code,
            _parsed(heard),
        )
        named = operation_at(request.method, request.url.path)
        self.seen[named[0] if named is not None else path] += 1
        return answer


def _parsed(body: bytes, media: str = "") -> Any:
    """A JSON body, or the JSON parts of a multipart one by name."""
    if not media.startswith("multipart/form-data"):
        return json.loads(body, parse_float=Decimal) if body else None
    message = BytesParser(policy=HTTP).parsebytes(f"content-type: {media}\r\n\r\n".encode() + body)
    return {
        part.get_param("name", header="content-disposition"): json.loads(part.get_content())
        for part in message.iter_parts()
    }


def _judged(scenario: Scenario, database: Database, keyring: Keyring) -> tuple[Stage, Judge]:
    async def live() -> tuple[Stage, Judge]:
        plan = WorldPlan(SEED, (scenario.profile,), scenario.rules, processes=1)
        judges: list[Judge] = []

        def judge(origin: str, transport: httpx2.AsyncBaseTransport) -> httpx2.AsyncBaseTransport:
            if not origin.endswith(".mirakl.example"):
                return transport
            judges.append(Judge(transport))
            return judges[-1]

        async with staged(plan, database, keyring, scenario.skus, scenario.quantities, wrap=judge) as stage:
            await scenario.act(stage)
            await stage.until(scenario.seconds)
        return stage, judges[0]

    return on_virtual_time(SEED, live)


def test_a_drafted_order_is_accepted_and_shipped_within_the_contract(
    database: Database, keyring: Keyring
) -> None:
    """TAX_INCLUDED, the draft route, from first sight to dispatch."""
    scenario = SCENARIOS[0]
    assert scenario.profile.tax_mode == "TAX_INCLUDED"
    stage, judge = _judged(scenario, database, keyring)
    assert stage.order.state == "SHIPPED"
    assert judge.violations == []
    assert {"OR04", "OR11", "OR21", "OR23", "OR24", "PC01", "SH12", "SH21"} <= set(judge.seen)


def test_a_lowered_quantity_is_cancelled_within_the_contract_when_prices_come_without_taxes(
    database: Database, keyring: Keyring
) -> None:
    """OR30 in TAX_EXCLUDED: amounts and tax arrays."""
    lowered = SCENARIOS[3]
    scenario = Scenario(
        lowered.name,
        lowered.profile.changed({"tax_mode": "TAX_EXCLUDED"}),
        lowered.rules,
        lowered.act,
        lowered.seconds,
    )
    stage, judge = _judged(scenario, database, keyring)
    assert [line.live_quantity for line in stage.order.lines] == [1, 1]
    assert judge.violations == []
    assert judge.seen["OR30"] == 1


@pytest.mark.parametrize("mode", ["TAX_INCLUDED", "TAX_EXCLUDED"])
def test_a_reduction_after_payment_is_refunded_within_the_contract(
    database: Database, keyring: Keyring, mode: str
) -> None:
    """OR28 with taxes, fees and excluded units, and ST12 where the marketplace lists what is left to ship."""

    async def lower(stage: Stage) -> None:
        await stage.until(400)
        assert stage.order.debited is not None
        stage.world.shopify.set_quantity(stage.shopify_order(), SCENARIOS[0].skus[0], 1)

    profile = PROFILES["all-or-nothing"].changed(
        {"tax_mode": mode, "multi_shipment": True, "debit_request_delay": 10.0, "debit_delay": 60.0}
    )
    rules = replace(
        SCENARIOS[0].rules, reduction_after_debit="automatic", refund_cap=Decimal(10_000), refund_reason="15"
    )
    stage, judge = _judged(Scenario("refunded", profile, rules, lower, 900), database, keyring)

    assert judge.violations == []
    assert judge.seen["OR28"] == 1
    assert judge.seen["ST12"] >= 1
    assert [line.live_quantity for line in stage.order.lines] == [1, 1]


def test_parcels_are_told_of_one_by_one_within_the_contract(database: Database, keyring: Keyring) -> None:
    """ST01, ST11, ST23, ST24 and ST06: two parcels, a number corrected later, and a parcel taken back."""

    async def leave(stage: Stage) -> None:
        await stage.until(400)
        shopify = stage.world.shopify
        (item,) = stage.shopify_order().fulfillment_orders
        first = shopify.fulfill(item, company="UPS", number="1Z1", units=[(SCENARIOS[0].skus[0], 1)])
        await stage.until(500)
        shopify.update_tracking(first, company="dpd", number="D2")
        stage.marketplace.armed.arm("ST24", Fault("server_error", status=503), 1)
        second = shopify.fulfill(item, company="UPS", number="1Z3")
        await stage.until(560)
        shopify.cancel_fulfillment(second)

    profile = PROFILES["all-or-nothing"].changed(
        {"multi_shipment": True, "debit_request_delay": 10.0, "debit_delay": 60.0}
    )
    scenario = Scenario("in parcels", profile, SCENARIOS[0].rules, leave, 900)
    stage, judge = _judged(scenario, database, keyring)

    assert judge.violations == []
    assert {"ST01", "ST06", "ST11", "ST23", "ST24"} <= set(judge.seen)
    assert [(one.status, one.tracking_number) for one in stage.order.shipments] == [
        ("SHIPPED", "D2"),
        ("CANCELED", "1Z3"),
    ]


def test_a_message_is_sent_within_the_contract() -> None:
    """OR43 through the adapter itself."""

    async def live() -> Judge:
        world = MiraklWorld(PlatformClock(lambda: 0.0), 1, PROFILES["automatic"])
        judge = Judge(ClockedASGITransport(world.app))
        account = MiraklAccount("https://market.mirakl.example", world.api_key, str(world.shop_id))
        async with httpx2.AsyncClient(transport=judge) as http:
            client = MiraklClient(account, http, NotedBudget())
            order_id = world.create_generated(lines=1).id
            context = OrderContext("c", order_id, f"c:{order_id}", "h", "op", None, text="Grüße, two mugs.")
            action = SendMessage("t1", "Your order", ("CUSTOMER", "OPERATOR"))
            assert isinstance(await perform(client, action, context), Confirmed)
        return judge

    judge = asyncio.run(live())

    assert judge.violations == []
    assert judge.seen["OR43"] == 1

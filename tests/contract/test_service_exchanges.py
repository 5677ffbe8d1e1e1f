"""What the service really says to a marketplace, and hears from it, judged by Mirakl's own document."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from interlock.rehearsal.history import on_virtual_time
from interlock.rehearsal.scenarios import SCENARIOS, SEED, Scenario, Stage, staged
from interlock.rehearsal.world import WorldPlan
from interlock.simulator.mirakl.operations import operation_at
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.contract.mirakl.validator import ENVIRONMENT_NAME, Violation, document_path, validate_exchange

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
            request.method, path, _parsed(sent), answer.status_code, _parsed(heard)
        )
        named = operation_at(request.method, request.url.path)
        self.seen[named[0] if named is not None else path] += 1
        return answer


def _parsed(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal) if body else None


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

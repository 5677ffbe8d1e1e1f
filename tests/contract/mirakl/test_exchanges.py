"""Every modelled operation of the simulated marketplace, judged by Mirakl's own document."""

import asyncio
import json
import random
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from interlock.simulator.clock import PlatformClock
from interlock.simulator.mirakl import PROFILES, MiraklWorld, SimOrder, mirakl_switches
from interlock.simulator.mirakl.operations import MODELLED, operation_at
from interlock.simulator.transport import ClockedASGITransport
from tests.contract.mirakl.validator import (
    ENVIRONMENT_NAME,
    EXCEPTIONS_FILE,
    Violation,
    contract,
    document_path,
    validate_exchange,
)

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(document_path() is None, reason=f"{ENVIRONMENT_NAME} names no document"),
]


class Judged:
    """A client whose every exchange is judged; `seen` counts answers below 300 by operation."""

    def __init__(self, world: MiraklWorld) -> None:
        self.world = world
        self.violations: list[Violation] = []
        self.seen: dict[str, int] = {}
        self._client = httpx2.AsyncClient(
            transport=ClockedASGITransport(world.app),
            base_url="http://market.example",
            headers={"Authorization": world.api_key},
        )

    async def send(self, method: str, path: str, **content: Any) -> httpx2.Response:
        """An exchange that is not judged yet."""
        return await self._client.request(method, path, **content)

    def judge(self, method: str, path: str, body: Any, answer: httpx2.Response) -> None:
        """Judge one exchange whose answer is JSON, and count it."""
        found = json.loads(answer.text, parse_float=Decimal) if answer.content else None
        self.violations += validate_exchange(method, path, body, answer.status_code, found)
        named = operation_at(method, path)
        if named is not None and answer.status_code < 300:
            self.seen[named[0]] = self.seen.get(named[0], 0) + 1

    async def call(self, method: str, path: str, body: Any = None, parts: Any = None) -> Any:
        """`parts` are JSON parts of a multipart request, judged and sent instead of a JSON body."""
        if parts is not None:
            files = {name: (None, json.dumps(part), "application/json") for name, part in parts.items()}
            answer = await self._client.request(method, path, files=files)
            body = parts
        else:
            answer = await self._client.request(method, path, json=body)
        found = json.loads(answer.text, parse_float=Decimal) if answer.content else None
        # A file of offers is a list of what the contract describes one by one (section 9, OF54).
        for part in found if isinstance(found, list) else [found]:
            self.violations += validate_exchange(method, _as_published(path), body, answer.status_code, part)
        named = operation_at(method, path.split("?")[0])
        if named is not None and answer.status_code < 300:
            self.seen[named[0]] = self.seen.get(named[0], 0) + 1
        return found


def _as_published(path: str) -> str:
    """The address the contract gives to files whose real address only OF53 tells."""
    if "/api/offers/export/async/file/" in path:
        return "/dynamic-url/The+URL+is+retrieved+from+OF53+output/OF54"
    return path


async def _exported(judged: Judged, body: dict[str, Any]) -> None:
    asked = await judged.call("POST", "/api/offers/export/async", {"export_type": "application/json", **body})
    status = f"/api/offers/export/async/status/{asked['tracking_id']}"
    await judged.call("GET", status)
    judged.world.advance(60)
    for url in (await judged.call("GET", status)).get("urls", ()):
        await judged.call("GET", url.removeprefix("http://market.example"))


async def _stock_imported(judged: Judged) -> None:
    """STO01 with a line that is refused, STO02 until it is worked off, STO03; the report is CSV, of which the contract
    says no more."""
    rows = '"offer-sku";"quantity";"warehouse-code";"update-delete"\n"MUG-BLUE";"7";"";""\n"NOT-OFFERED";"1";"";""\n'
    place = "/api/offers/stock/imports"
    taken = await judged.send("POST", place, files={"file": ("stock.csv", rows, "text/csv")})
    judged.judge("POST", place, None, taken)
    judged.world.advance(3600)
    number = taken.json()["import_id"]
    await judged.call("GET", f"{place}/{number}/status")
    report = await judged.send("GET", f"{place}/{number}/error_report")
    assert report.status_code == 200
    assert "2" in report.text.splitlines()[-1], "the second line of the file was refused"
    judged.seen["STO03"] = judged.seen.get("STO03", 0) + 1


async def _day(judged: Judged, rng: random.Random) -> None:
    world = judged.world
    for path in (
        "/api/version",
        "/api/account",
        "/api/platform/configuration",
        "/api/reasons",
        "/api/shipping/types",
        "/api/shipping/carriers",
    ):
        await judged.call("GET", path)
    orders = [world.create_generated(staging=n == 0) for n in range(10)]
    await judged.call("GET", "/api/orders?max=100")
    for order in orders[2:]:
        lines = [{"id": line.id, "accepted": True} for line in order.lines]
        await judged.call("PUT", f"/api/orders/{order.id}/accept", {"order_lines": lines})
    world.advance(7200)
    await judged.call("GET", "/api/shipments/items_to_ship?limit=2")
    for order in orders[:8]:
        line = order.lines[0]
        reference = {"order_id": order.id, "references": {"order_reference_for_seller": f"#{order.id}"}}
        await judged.call("PUT", "/api/orders", {"orders": [reference, {"order_id": "nowhere"}]})
        entry = {
            "order_line_id": line.id,
            "amount": 1.5,
            "shipping_amount": 0,
            "quantity": 0,
            "reason_code": "34",
        }
        await judged.call("PUT", "/api/orders/cancel", {"cancelations": [entry]})
        if rng.random() < 0.3:
            await judged.call("PUT", f"/api/orders/{order.id}/cancel")
        await _parcels(judged, order, rng)
        tracking = {"carrier_code": "UPS", "tracking_number": "1"}
        await judged.call("PUT", f"/api/orders/{order.id}/tracking", tracking)
        await judged.call("PUT", f"/api/orders/{order.id}/ship")
        if order.debited is not None and line.active:
            world.refund_line(order.id, line.id, quantity=1)
        refund = {
            "order_line_id": order.lines[-1].id,
            "amount": 1,
            "shipping_amount": 0,
            "quantity": 1,
            "reason_code": "15",
            "excluded_from_shipment": rng.random() < 0.5,
            "taxes": [],
        }
        await judged.call("PUT", "/api/orders/refund", {"refunds": [refund]})
        thread = {
            "topic": {"type": "FREE_TEXT", "value": "Your order"},
            "body": "A sentence.",
            "to": ["CUSTOMER"],
        }
        await judged.call("POST", f"/api/orders/{order.id}/threads", parts={"thread_input": thread})
        await judged.call("GET", f"/api/shipments/items_to_ship?order_id={order.id}")
        await judged.call("GET", f"/api/orders?order_ids={order.id}&order_tax_mode=TAX_EXCLUDED")
    await _stock_imported(judged)
    judged.world.offers.offers["MUG-BLUE"].ean = "4006381333931"
    await judged.call("GET", "/api/offers?sku=MUG-BLUE")
    await _exported(judged, {})
    judged.world.offers.failures_armed = 1
    await _exported(judged, {"include_inactive_offers": True, "items_per_chunk": 10000})
    await _exported(judged, {"last_request_date": "2026-11-02T08:00:00Z"})
    world.advance(200000)
    for order in orders:
        await judged.call("GET", f"/api/orders?order_ids={order.id}&order_tax_mode=TAX_INCLUDED")


async def _parcels(judged: Judged, order: SimOrder, rng: random.Random) -> None:
    """Shipments of one order: made, refused item by item, corrected, deleted, shipped and read."""
    parcel = {
        "order_id": order.id,
        "shipment_lines": [{"order_line_id": order.lines[-1].id, "quantity": 1, "package_reference": "P1"}],
        "tracking": {"carrier_code": "UPS", "tracking_number": "1Z"},
        "invoice_reference": "IL-1",
        "shipping_from": {"warehouse": {"code": rng.choice(("MAIN", "NOWHERE"))}},
        "shipped": rng.random() < 0.3,
    }
    nowhere = {**parcel, "order_id": "nowhere"}
    made = await judged.call("POST", "/api/shipments", {"shipments": [parcel, nowhere]})
    ids = [one["id"] for one in (made or {}).get("shipment_success", ())]
    tracking = {"carrier_name": "Van", "tracking_number": "7", "tracking_url": "https://van.example/7"}
    corrected = [{"id": one, "tracking": tracking} for one in (*ids, "nowhere")]
    await judged.call("POST", "/api/shipments/tracking", {"shipments": corrected})
    named = {"shipments": [{"id": one} for one in (*ids, "nowhere")]}
    await judged.call("PUT", f"/api/shipments/{'delete' if rng.random() < 0.3 else 'ship'}", named)
    await judged.call("GET", f"/api/shipments?order_id={order.id}&limit=1")


def test_simulated_exchanges_break_nothing_in_the_contract() -> None:
    """Sections 4 and 5: 0 violations outside the exception file, under the defaults and drawn switches."""
    seen: dict[str, int] = {}
    for seed in range(9):
        rng = random.Random(seed)
        switches = mirakl_switches()
        if seed >= 3:
            switches.draw(rng)
            switches.draw_rooms(seed)
        # Fields the contract does not know are allowed by section 1.2, and by its schemas.
        profile = list(PROFILES.values())[seed % 3].changed({"multi_shipment": seed % 2 == 0})
        judged = Judged(MiraklWorld(PlatformClock(lambda: 0.0), seed, profile, switches))
        asyncio.run(_day(judged, rng))
        assert judged.violations == []
        for operation, count in judged.seen.items():
            seen[operation] = seen.get(operation, 0) + count
    assert sorted(seen) == sorted(MODELLED)


def test_the_validator_finds_what_is_wrong() -> None:
    """A judge that cannot convict proves nothing."""
    found = validate_exchange("GET", "/api/orders", None, 200, {"orders": [{"price": "1"}], "total_count": 1})
    rules = {(violation.where, violation.rule) for violation in found}
    assert ("response orders[0].price", "type") in rules
    assert ("response orders[0].order_id", "required") in rules
    assert validate_exchange("PUT", "/api/orders/1/ship", None, 200, None)[0].rule == "status"
    assert validate_exchange("PUT", "/api/orders/1/ship", {}, 204, None)[0].where == "request"
    assert validate_exchange("GET", "/api/nowhere", None, 200, {})[0].rule == "unknown"


def test_the_operation_table_is_the_contracts() -> None:
    """Every operation of the document has our code, method and path, and there are no others."""
    missing = []
    for path, methods in contract().document["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict) and "operationId" in operation:
                named = operation_at(method.upper(), path)
                if named is None or not operation["summary"].startswith(f"{named[0]} "):
                    missing.append((method, path))
    assert missing == []


def _published() -> list[tuple[str, str, str, dict[str, Any]]]:
    found = []
    for path, methods in contract().document["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict) and operation.get("operationId") in MODELLED:
                found.append((operation["operationId"], method, path, operation))
    return found


def _examples(holder: dict[str, Any]) -> list[Any]:
    examples = holder.get("content", {}).get("application/json", {}).get("examples", {})
    return [entry["value"] for name, entry in examples.items() if "auto" not in name]


def test_mirakls_own_examples_break_its_schema_only_where_we_say() -> None:
    """Section 13: known contradictions, each in the exception file."""
    violations: list[Violation] = []
    for _, method, path, operation in _published():
        status = next(code for code in operation["responses"] if code.startswith("2"))
        for body in _examples(operation.get("requestBody", {})):
            made = contract().violations(method, path, body, 400, None, scope="example")
            violations += made
        for body in _examples(operation["responses"][status]):
            violations += contract().violations(method, path, None, int(status), body, scope="example")
    assert violations == []


def test_an_order_made_from_mirakls_own_example_is_shown_as_it_came() -> None:
    """OR11 example, section 13: amounts, taxes, refund, cancelation, customer survive the simulator."""
    operation = next(entry for code, _, _, entry in _published() if code == "OR11")
    (example,) = json.loads(json.dumps(_examples(operation["responses"]["200"])), parse_float=Decimal)
    source = example["orders"][0]
    world = MiraklWorld(PlatformClock(lambda: 0.0), 1, PROFILES["hidden-address"])
    world.create_from_document(source, keep_dates=True)
    judged = Judged(world)
    shown = asyncio.run(judged.call("GET", f"/api/orders?order_ids={source['order_id']}"))["orders"][0]
    for name in ("order_id", "created_date", "order_state", "customer", "channel", "references"):
        assert shown[name] == source[name], name
    line, original = shown["order_lines"][0], source["order_lines"][0]
    for name in ("order_line_id", "quantity", "price", "price_unit", "shipping_price", "offer_sku"):
        assert line[name] == original[name], name
    assert line["refunds"][0]["amount"] == original["refunds"][0]["amount"]
    assert line["cancelations"][0]["shipping_amount"] == original["cancelations"][0]["shipping_amount"]
    assert [tax["amount"] for tax in line["taxes"]] == [tax["amount"] for tax in original["taxes"]]


def test_every_exception_has_a_reason() -> None:
    entries = json.loads(EXCEPTIONS_FILE.read_text("utf-8"))
    for entry in entries:
        assert set(entry) == {"operation", "scope", "path", "rule", "reason"}
        assert len(entry["reason"]) > 30
        assert entry["scope"] in ("exchange", "example")

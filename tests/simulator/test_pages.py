"""The simulators' pages name exactly what the simulators have: control endpoints, modelled operations, faults."""

import re
from pathlib import Path

import pytest

from interlock.simulator.clock import PlatformClock
from interlock.simulator.faults import FAULT_KINDS
from interlock.simulator.mirakl.control import Control
from interlock.simulator.mirakl.operations import MODELLED
from interlock.simulator.mirakl.profile import PROFILES
from interlock.simulator.mirakl.world import MiraklWorld
from interlock.simulator.shopify.control import control_routes
from interlock.simulator.shopify.world import ShopifyWorld

PAGES = Path(__file__).resolve().parents[2] / "docs" / "platforms"
MIRAKL = (PAGES / "mirakl-simulator.md").read_text()
SHOPIFY = (PAGES / "shopify-simulator.md").read_text()


def first_cells(page: str, heading: str) -> list[str]:
    """The first cell of every row of the first table under a heading, without the table's own head."""
    _, _, rest = page.partition(f"\n## {heading}\n")
    assert rest, heading
    section = rest.partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [row.split("|")[1].strip() for row in rows[2:]]


def faults(page: str) -> list[str]:
    _, _, rest = page.partition("\nFaults: ")
    return re.findall(r"`(\w+)`", rest.partition("\n\n")[0])


def test_the_page_of_the_marketplace_names_every_control_endpoint() -> None:
    routes = Control(MiraklWorld(PlatformClock(), 1, PROFILES["automatic"])).routes()
    served = {
        f"{method} /_sim{route.path}"
        for route in routes
        for method in (route.methods or ())
        if method != "HEAD"
    }
    cells = " ".join(first_cells(MIRAKL, "Control endpoints"))
    assert {told.partition("?")[0] for told in re.findall(r"`([^`]+)`", cells)} == served


def test_the_page_of_the_shop_names_every_control_endpoint() -> None:
    served = {route.path.removeprefix("/") for route in control_routes(ShopifyWorld(PlatformClock(), 1))}
    cells = " ".join(first_cells(SHOPIFY, "Control endpoints"))
    assert set(re.findall(r"`([^`]+)`", cells)) == served


def test_the_page_of_the_marketplace_names_every_modelled_operation_once() -> None:
    told = ", ".join(first_cells(MIRAKL, "What it models")).split(", ")
    assert sorted(told) == sorted(MODELLED)


@pytest.mark.parametrize("page", [MIRAKL, SHOPIFY])
def test_both_pages_name_every_fault(page: str) -> None:
    assert sorted(faults(page)) == sorted(FAULT_KINDS)

"""The judge finds a carrier or a shipping method that a list has lost without a word, and a case that says so wrongly."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from interlock.simulator.mirakl.profile import MarketplaceProfile
from tests.simulation.bench import NAME, Bench, a_case


@pytest.fixture
def market(bench: Bench) -> Iterator[Bench]:
    """The lists were read well after they had changed."""
    world = bench.mirakl
    before = world.profile
    world.profile_changed_at = world.started
    later = world.started + timedelta(minutes=5)
    bench.sql("UPDATE connections SET capability_read_at = :at", at=later)
    bench.sql("UPDATE carrier_mappings SET changed_at = :at", at=world.started)
    for operation in ("SH12", "SH21"):
        bench.call(operation)
    yield bench
    world.profile = before
    world.profile_changed_at = None


def _without(profile: MarketplaceProfile, which: str, code: str) -> MarketplaceProfile:
    return profile.changed({which: [vars(one) for one in getattr(profile, which) if one.code != code]})


def _said(bench: Bench) -> list[str]:
    verdict = bench.judge()
    assert verdict.checked["I17 lists"] == 1
    return [f.sentence for f in verdict.broken if f.sentence.startswith(NAME)]


def test_i17_a_carrier_in_use_that_the_list_has_lost(market: Bench) -> None:
    assert _said(market) == []
    market.mirakl.profile = _without(market.mirakl.profile, "carriers", "DPD")
    assert _said(market) == [f"{NAME} does not have DPD, and nobody is told."]
    a_case(market, "carrier_gone", market.mirakl.started, subject="DPD")
    assert _said(market) == []


def test_i17_a_carrier_to_which_nothing_leads_may_go(market: Bench) -> None:
    market.mirakl.profile = _without(market.mirakl.profile, "carriers", "LOCAL")
    assert _said(market) == []


def test_i17_a_shipping_method_for_which_alone_a_name_is_mapped(market: Bench) -> None:
    market.mirakl.profile = _without(market.mirakl.profile, "shipping_types", "EXP")
    assert _said(market) == []
    market.sql("UPDATE carrier_mappings SET service = 'EXP' WHERE shop_name = 'UPS'")
    assert _said(market) == [f"{NAME} does not have shipping method EXP, and nobody is told."]
    a_case(market, "carrier_gone", market.mirakl.started, subject="shipping method EXP")
    assert _said(market) == []


def test_i17_a_name_that_leads_elsewhere_since_says_nothing_of_its_shipping_method(market: Bench) -> None:
    market.mirakl.profile = _without(market.mirakl.profile, "shipping_types", "EXP")
    market.sql("UPDATE carrier_mappings SET service = 'EXP' WHERE shop_name = 'UPS'")
    market.sql(
        "INSERT INTO carrier_mappings (connection_id, shop_name, country, service, code, name, changed_by, changed_at) "
        "SELECT connection_id, shop_name, country, '', 'DHL', name, changed_by, :at FROM carrier_mappings "
        "WHERE shop_name = 'UPS'",
        at=market.mirakl.started + timedelta(minutes=10),
    )
    assert _said(market) == []


def test_i17_lists_that_were_not_read_since_are_not_judged(market: Bench) -> None:
    market.mirakl.profile_changed_at = market.world.clock.now()
    market.mirakl.profile = _without(market.mirakl.profile, "carriers", "DPD")
    assert market.judge().checked["I17 lists"] == 0


def test_i24_a_carrier_that_the_list_has_is_called_gone(market: Bench) -> None:
    a_case(market, "carrier_gone", market.mirakl.started, subject="DPD")
    assert _said(market) == [f"{NAME} has DPD, and a case says that it has not."]

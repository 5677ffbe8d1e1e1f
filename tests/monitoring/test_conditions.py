"""When a whole connection needs a person, in values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interlock.monitoring.conditions import (
    CONDITIONS,
    ConnectionFacts,
    CrashedOrder,
    Facts,
    TroubleFact,
    UnclearFact,
    conditions,
)
from interlock.orders.reasons import CATALOGUE, Reason

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ATLAS = ConnectionFacts(
    7, "atlas", "mirakl atlas", "shopify shop", "shop", timedelta(seconds=60), NOW - timedelta(days=1)
)
WELL = Facts(
    now=NOW,
    connections=(ATLAS,),
    good_reads={"mirakl atlas": NOW - MINUTE, "sweep shopify shop": NOW - 5 * MINUTE},
    beats={"due sweep": NOW, "acceptance watchdog": NOW},
)


def wanted(facts: Facts) -> list[tuple[Reason, str]]:
    return [(one.reason, one.subject) for one in conditions(facts)]


def trouble(part: str, code: str, minutes_ago: float = 0, times: int = 1, detail: str = "") -> TroubleFact:
    return TroubleFact(part, code, NOW - minutes_ago * MINUTE, times, detail)


def with_trouble(*troubles: TroubleFact) -> Facts:
    return replace(WELL, troubles=troubles)


def test_nothing_is_wanted_while_all_is_well() -> None:
    assert wanted(WELL) == []
    assert conditions(Facts(NOW, (), {}, {})) == ()


@pytest.mark.parametrize(
    ("fact", "reason", "subject"),
    [
        (trouble("mirakl atlas", "credential_refused"), Reason.CREDENTIAL_REFUSED, "marketplace"),
        (trouble("sweep shopify shop", "credential_refused"), Reason.CREDENTIAL_REFUSED, "shop"),
        (trouble("mirakl atlas", "scope_missing"), Reason.SCOPE_MISSING, "marketplace"),
        (trouble("scopes shop", "scope_missing", 600, detail="write_orders"), Reason.SCOPE_MISSING, "scopes"),
        (
            trouble("subscriptions shop", "subscription_missing", 9, detail="ORDERS_EDITED"),
            Reason.SUBSCRIPTION_MISSING,
            "subscriptions",
        ),
        (trouble("clock w1", "clock_skew"), Reason.CLOCK_SKEW, "clock w1"),
    ],
)
def test_a_trouble_that_lasts_is_a_case(fact: TroubleFact, reason: Reason, subject: str) -> None:
    assert wanted(with_trouble(fact)) == [(reason, subject)]


@pytest.mark.parametrize(
    ("missing", "of_stock"),
    [
        ("ORDERS_EDITED", False),
        ("INVENTORY_LEVELS_UPDATE", False),
        ("ORDERS_EDITED INVENTORY_LEVELS_DISCONNECT", True),
    ],
)
def test_a_missing_subscription_says_of_stock_what_the_sweep_may_not_find(
    missing: str, of_stock: bool
) -> None:
    fact = trouble("subscriptions shop", "subscription_missing", detail=missing)
    (case,) = conditions(with_trouble(fact))
    assert f"refused to tell us of {missing}. Edits" in case.sentence
    assert ("may be offered for up to a day. Check" in case.sentence) is of_stock


@pytest.mark.parametrize(
    "fact",
    [
        trouble("mirakl atlas", "credential_refused", 2),  # it was read well a minute ago
        trouble("sweep shopify shop", "credential_refused", 6),
        trouble("mirakl atlas", "unreachable"),
        trouble("mirakl borealis", "credential_refused"),
        trouble("clock w1", "clock_skew", 1.1),
        trouble("order 5", "crash", times=9),  # whose looks, and how they ended since, is another fact
    ],
)
def test_a_trouble_that_is_over_or_of_others_is_none(fact: TroubleFact) -> None:
    assert wanted(with_trouble(fact)) == []


@pytest.mark.parametrize(
    ("part", "minutes", "stale"),
    [
        ("mirakl atlas", 3, False),
        ("mirakl atlas", 3.1, True),
        ("sweep shopify shop", 15, False),
        ("sweep shopify shop", 15.1, True),
    ],
)
def test_a_platform_is_stale_after_three_intervals(part: str, minutes: float, stale: bool) -> None:
    facts = replace(WELL, good_reads={**WELL.good_reads, part: NOW - minutes * MINUTE})

    assert [reason for reason, _ in wanted(facts)] == ([Reason.POLLER_STALE] if stale else [])


def test_a_connection_that_was_just_made_is_not_late_yet() -> None:
    fresh = replace(ATLAS, since=NOW - MINUTE)
    facts = replace(WELL, connections=(fresh,), good_reads={})

    assert wanted(facts) == []
    assert [subject for _, subject in wanted(replace(facts, now=NOW + 30 * MINUTE, beats={}))] == [
        "marketplace",
        "shop",
    ]


PUBLISHES = replace(ATLAS, stock_since=NOW - timedelta(days=1))
STOCK_WELL = replace(
    WELL,
    connections=(PUBLISHES,),
    stock_reads={"shop": NOW - 5 * MINUTE},
    beats={**WELL.beats, "stock desk atlas": NOW},
)


@pytest.mark.parametrize(
    ("changes", "subjects"),
    [
        ({}, []),
        ({"stock_reads": {"shop": NOW - 15 * MINUTE}}, []),
        ({"stock_reads": {"shop": NOW - 15.1 * MINUTE}}, ["stock"]),
        ({"stock_reads": {"shop": None}}, ["stock"]),
        ({"stock_reads": {}}, ["stock"]),
        ({"stock_reads": {"shop": NOW - 60 * MINUTE}, "connections": (ATLAS,)}, []),
        (
            {"stock_reads": {}, "connections": (replace(PUBLISHES, stock_since=NOW - 15 * MINUTE),)},
            [],
        ),
        ({"beats": {**WELL.beats, "stock desk atlas": NOW - 10 * MINUTE}}, []),
        ({"beats": {**WELL.beats, "stock desk atlas": NOW - 10.1 * MINUTE}}, ["stock desk"]),
        ({"beats": {**WELL.beats, "stock desk atlas": NOW - 60 * MINUTE}, "quarantined": True}, []),
        (
            {"beats": {**WELL.beats, "stock desk atlas": NOW - 60 * MINUTE}, "writing_since": NOW - MINUTE},
            [],
        ),
        ({"beats": WELL.beats}, []),
        (
            {
                "beats": {**WELL.beats, "stock desk atlas": NOW - 60 * MINUTE},
                "connections": (replace(PUBLISHES, stock_since=NOW - MINUTE),),
            },
            [],
        ),
    ],
)
def test_stock_that_is_published_is_read_and_told_in_time(
    changes: dict[str, Any], subjects: list[str]
) -> None:
    facts = replace(STOCK_WELL, **changes)

    assert wanted(facts) == [(Reason.POLLER_STALE, subject) for subject in subjects]


def test_the_case_of_stale_stock_says_when_it_was_read_and_what_is_published_meanwhile() -> None:
    (one,) = conditions(replace(STOCK_WELL, stock_reads={"shop": NOW - 16 * MINUTE}))

    assert f"known up to {NOW - 16 * MINUTE:%Y-%m-%d %H:%M} UTC" in one.sentence
    assert "the lower figure is published" in one.sentence


def test_a_duty_that_nobody_does_is_told_once_for_all_connections() -> None:
    facts = replace(WELL, connections=(ATLAS, replace(ATLAS, id=8)), beats={"due sweep": NOW - 3 * MINUTE})

    assert [(one.connection_id, one.subject) for one in conditions(facts)] == [(7, "due sweep")]


@pytest.mark.parametrize(("seconds", "opens"), [(60, False), (61, True)])
def test_a_long_wait_is_a_case_until_it_is_over(seconds: int, opens: bool) -> None:
    facts = replace(WELL, waits=(("mirakl atlas", "OR11", NOW + timedelta(seconds=seconds)),))

    assert wanted(facts) == ([(Reason.BUDGET_EXHAUSTED, "OR11")] if opens else [])


@pytest.mark.parametrize(("minutes", "opens"), [(10, False), (10.1, True)])
def test_calls_that_stay_unclear_are_a_case(minutes: float, opens: bool) -> None:
    facts = replace(WELL, unclear=(UnclearFact(7, 3, NOW - minutes * MINUTE), UnclearFact(99, 1, NOW)))

    assert wanted(facts) == ([(Reason.OPERATION_UNCLEAR, "operations")] if opens else [])


@pytest.mark.parametrize(("times", "stuck", "opens"), [(2, True, False), (3, True, True), (30, False, False)])
def test_an_order_whose_looks_crash_is_a_case_until_one_ends_well(
    times: int, stuck: bool, opens: bool
) -> None:
    facts = replace(WELL, crashed=(CrashedOrder(7, "M-1", times, "ValueError", stuck),))

    assert wanted(facts) == ([(Reason.POISON_ORDER, "order M-1")] if opens else [])


def test_every_condition_is_the_engineers_and_closes_by_itself() -> None:
    for reason in CONDITIONS:
        page = CATALOGUE[reason]
        assert (page.kind, page.owner, page.options) == ("condition", "engineer", ())
        assert page.closes_when.startswith("By itself")
